"""Longest chains of imports inside packages: a reader of the code walks them module by module."""

import ast
from collections.abc import Mapping
from functools import cache

import pytest

from tests.architecture.guards import imported, modules, parsed

DEEPEST = {"readers/encord/explain": 7, "readers/encord/typed": 4, "readers/yolo": 5}
"""Package → modules of the longest chain that it may have."""


def depth(inner: Mapping[str, set[str]]) -> int:
    """Return the number of modules of the longest chain; inner has the imports of each module."""

    @cache
    def below(name: str) -> int:
        return 1 + max(map(below, inner[name] & inner.keys()), default=0)

    return max(map(below, inner), default=0)


def imports_of(trees: Mapping[str, ast.Module]) -> dict[str, set[str]]:
    """Return dotted name of each module → dotted names that it may have imported."""
    names: dict[str, set[str]] = {}
    for path, tree in trees.items():
        targets = {name for name, _ in imported(tree)}
        dotted = f"labelingest.{path.removesuffix('.py').replace('/', '.')}"
        names[dotted] = targets | {name.rpartition(".")[0] for name in targets}
    return names


@pytest.mark.parametrize("package", DEEPEST)
def test_no_chain_of_imports_is_too_long(package: str) -> None:
    trees = {path: parsed(path) for path in modules() if path.startswith(f"{package}/")}
    assert depth(imports_of(trees)) <= DEEPEST[package]


def test_a_chain_is_measured_by_its_modules() -> None:
    trees = {
        "p/a.py": ast.parse("from labelingest.p.b import f\nfrom labelingest.q.c import g"),
        "p/b.py": ast.parse("from labelingest.p import c"),
        "p/c.py": ast.parse("import json"),
    }
    assert depth(imports_of(trees)) == 3

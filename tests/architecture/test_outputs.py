"""Outputs go through one door: no module but these opens a file for writing."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "labelingest"
WRITERS = {
    "bench/synthetic/data_set.py": "data sets to measure on, in folders that are new or empty",
    "crashes.py": "a trace, in the temporary folder",
    "folders/state": "the state, by SQLite",
    "sinks": "outputs, by the guard",
    "storage": "files that appear whole",
}
"""Module or package that may write files → what."""
MODULES = [
    path
    for path in sorted(ROOT.rglob("*.py"))
    if not any(path.relative_to(ROOT).is_relative_to(writer) for writer in WRITERS)
]
WRITING = {"write_bytes", "write_text", "whole_file", "TemporaryFile", "NamedTemporaryFile"}


def openings(tree: ast.AST) -> Iterator[str]:
    """Yield what opens a file for writing, or may."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names if alias.name in WRITING)
        elif isinstance(node, ast.Attribute) and node.attr in WRITING:
            yield node.attr
        elif isinstance(node, ast.Call) and called(node) == "open":
            # Modes of opening are texts; without one, a file is read.
            words = [*node.args, *(keyword.value for keyword in node.keywords)]
            modes = {word.value for word in words if isinstance(word, ast.Constant)}
            if any(isinstance(mode, str) and set(mode) & set("wax+") for mode in modes):
                yield ast.unparse(node)


def called(node: ast.Call) -> str:
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


@pytest.mark.parametrize("path", MODULES, ids=[str(p.relative_to(ROOT)) for p in MODULES])
def test_no_other_module_opens_a_file_for_writing(path: Path) -> None:
    calls = set(openings(ast.parse(path.read_text("utf-8"))))
    # Where standard output is closed, what is printed goes nowhere.
    assert calls <= {"Path(os.devnull).open('w')"}


def test_the_door_is_where_it_is_said_to_be() -> None:
    for writer in WRITERS:
        assert (ROOT / writer).exists()
    assert set(openings(ast.parse("Path(p).open('wb'); open(p, mode='a'); p.write_text('')"))) == {
        "Path(p).open('wb')",
        "open(p, mode='a')",
        "write_text",
    }

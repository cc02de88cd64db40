"""The files of pinned versions belong to the bounds that pyproject.toml declares."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
REQUIREMENTS = [
    Requirement(text)
    for text in (*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["test"])
]
PINS = re.compile(r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==(\S+)", re.M)
MAY_BREAK = {"alembic", "msgspec", "numpy", "orjson", "parse", "pillow", "pydantic", "pyyaml"} | {
    *("rich", "shapely", "sqlalchemy", "typer", "obstore", "psycopg", "zstandard"),
}
"""Packages of which a major version changed behaviour before."""


def pins(name: str) -> dict[str, Version]:
    text = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
    return {package: Version(version) for package, version in PINS.findall(text)}


@pytest.mark.parametrize("name", ["development", "lowest"])
def test_pinned_versions_are_within_the_declared_bounds(name: str) -> None:
    pinned = pins(name)
    outside = [
        str(requirement)
        for requirement in REQUIREMENTS
        if pinned[canonicalize_name(requirement.name)] not in requirement.specifier
    ]
    assert not outside, "run: make lock"


def test_the_lowest_versions_are_the_lower_bounds() -> None:
    pinned = pins("lowest")
    for requirement in REQUIREMENTS:
        # A bound of which no file exists (numpy 2 is 2.0.0) is met by the next version.
        bounds = [
            Version(bound.version) for bound in requirement.specifier if bound.operator == ">="
        ]
        lowest = pinned[canonicalize_name(requirement.name)]
        assert all((lowest.major, lowest.minor) == (bound.major, bound.minor) for bound in bounds)


def test_what_changed_behaviour_with_a_major_version_has_an_upper_bound() -> None:
    texts = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    for requirement in (Requirement(text) for group in texts for text in group):
        if canonicalize_name(requirement.name) in MAY_BREAK:
            operators = {specifier.operator for specifier in requirement.specifier}
            assert "<" in operators, requirement


@pytest.mark.parametrize("name", ["development", "lowest"])
def test_pinned_files_name_no_host_and_have_a_hash_for_each_package(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
    assert "://" not in text
    assert "--hash=sha256:" in text
    packages = re.split(r"^(?=[a-z0-9])", text, flags=re.M)[1:]
    assert len(packages) > 50
    assert all("--hash=sha256:" in package for package in packages)

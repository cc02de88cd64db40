"""The lists that tests of mutants go by are those of the code as it is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mutants.runs import TESTS, equivalents, mutants

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("package", TESTS)
def test_the_tests_of_a_package_exist(package: str) -> None:
    assert (ROOT / "labelingest" / package).is_dir()
    assert [path for path in TESTS[package] if not (ROOT / path).exists()] == []


def test_equivalent_mutants_are_mutants() -> None:
    current = set(_mutants())
    stale = [" ".join(mutant) for mutant in equivalents() if mutant not in current]
    assert stale == [], "correct tests/mutants/equivalent.json"


def _mutants() -> Iterator[tuple[str, str, str]]:
    packages = {module.split("/")[0] for module, _, _ in equivalents()}
    for mutant in mutants(packages):
        yield mutant.module, mutant.function, mutant.text

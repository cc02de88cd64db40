"""The documents for developers name commands, paths and functions that exist."""

import re
from importlib import import_module, util
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.test_layers import RANK

ROOT = Path(__file__).parents[2]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
FLOW = (ROOT / "docs/explanation/flow.md").read_text("utf-8")
DOCUMENTS = {"CONTRIBUTING.md": CONTRIBUTING, "docs/explanation/flow.md": FLOW}
TARGETS = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text("utf-8"), re.M)
FLOORS = re.findall(r"^\d\. [^`\n]*((?:`labelingest/[a-z_.]+`[^`\n]*)+)$", CONTRIBUTING, re.M)
STAGES = re.findall(r"^\| (\d) ([a-z]+) \|.*\| `([a-zA-Z_.]+)` \| `([a-zA-Z_.]+)` \|$", FLOW, re.M)


def named(pattern: str) -> list[Any]:
    """Return every match in a document, with the document, as parameters."""
    return [
        pytest.param(name, match, id=f"{name}: {match}")
        for name, text in DOCUMENTS.items()
        for match in dict.fromkeys(re.findall(pattern, text))
    ]


def resolved(dotted: str) -> object:
    """Return the module, class or function of a dotted name."""
    parts = dotted.split(".")
    count = next(n for n in range(len(parts), 0, -1) if is_module(".".join(parts[:n])))
    value: object = import_module(".".join(parts[:count]))
    for part in parts[count:]:
        value = getattr(value, part)
    return value


def is_module(name: str) -> bool:
    try:
        return util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


@pytest.mark.parametrize(
    ("document", "path"),
    named(r"`((?:labelingest|tests|docs|fixtures|benchmarks)/[\w./-]+|[\w.-]+\.(?:md|toml))`"),
)
def test_a_path_exists(document: str, path: str) -> None:
    assert "NAME" in path or (ROOT / path).exists()


@pytest.mark.parametrize(("document", "name"), named(r"`(labelingest\.[\w.]+)`"))
def test_a_module_or_function_exists(document: str, name: str) -> None:
    assert resolved(name) is not None


@pytest.mark.parametrize(("document", "target"), named(r"`make ([\w-]+)`"))
def test_a_command_is_a_target_of_the_makefile(document: str, target: str) -> None:
    assert target in TARGETS


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_of_the_makefile_is_explained(target: str) -> None:
    assert f"`make {target}`" in CONTRIBUTING


@pytest.mark.parametrize(("document", "link"), named(r"\]\((?!https?:)([^)#]+)"))
def test_a_link_leads_somewhere(document: str, link: str) -> None:
    assert (ROOT / document).parent.joinpath(link).exists()


def test_floors_are_those_of_the_rule() -> None:
    ranks = [
        [
            RANK[Path(path).stem]
            for path in re.findall(r"`labelingest/([a-z_]+(?:\.py)?)`", packages)
        ]
        for packages in FLOORS
    ]
    assert len(ranks) == 5
    for lower, upper in pairwise(ranks):
        assert max(lower) < min(upper)


def test_stages_are_numbered_from_one_to_eight_in_the_order_of_the_flow() -> None:
    assert [(int(number), name) for number, name, *_ in STAGES] == [
        (1, "list"),
        (2, "pair"),
        (3, "fetch"),
        (4, "read"),
        (5, "resolve"),
        (6, "assemble"),
        (7, "write"),
        (8, "put"),
    ]
    assert all(f'["{number} {name}"]' in FLOW for number, name, *_ in STAGES)


@pytest.mark.parametrize(("number", "name", "function", "noun"), STAGES)
def test_a_stage_is_a_function_whose_package_knows_its_number(
    number: str, name: str, function: str, noun: str
) -> None:
    assert callable(resolved(function))
    assert isinstance(resolved(noun), type)
    docstring = import_module(".".join(function.split(".")[:2])).__doc__ or ""
    stated = re.match(r"Stage (\d):", docstring)
    assert stated is None or stated[1] == number


def test_commits_to_ignore_are_whole_hashes() -> None:
    lines = (ROOT / ".git-blame-ignore-revs").read_text("utf-8").splitlines()
    assert all(re.fullmatch(r"#.*|[0-9a-f]{40}", line) for line in lines)

import re
from pathlib import Path

import pytest

from labelingest.problems import ProblemCode

PAGE = (Path(__file__).parents[2] / "docs/problems.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"^### `([a-z0-9-]+)` (.*?)(?=^##|\Z)", PAGE, re.M | re.S))


def test_every_code_is_documented_and_no_other() -> None:
    assert set(SECTIONS) == {code.value for code in ProblemCode}


@pytest.mark.parametrize("code", list(ProblemCode))
def test_a_code_has_severity_cause_example_and_cure(code: ProblemCode) -> None:
    section = SECTIONS[code.value]
    assert section.startswith(f"({code.severity})")
    for part in ("Cause", "Example", "Cure"):
        assert re.search(rf"^- \*\*{part}:\*\* \S", section, re.M), f"{part} is missing"


@pytest.mark.parametrize("code", list(ProblemCode))
def test_the_example_of_a_code_shows_the_code(code: ProblemCode) -> None:
    assert f": {code.value}: " in SECTIONS[code.value]

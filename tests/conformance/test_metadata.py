"""Metadata sidecars, good and bad: documents by what PostgreSQL says of them, values by the schema.

`jsonb` in a case is what PostgreSQL 15.18 made of the text, null where it refused it.
"""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from labelingest.metadata.check import check_metadata
from labelingest.metadata.schema import MetadataSchema
from labelingest.metadata.schema_json import check_key
from labelingest.problems import Problem, ProblemCode, Severity

FOLDER = Path(__file__).parents[2] / "fixtures/conformance/metadata"
SCHEMA = MetadataSchema.load(FOLDER / "schema.json")


def cases(name: str) -> list[Any]:
    loaded = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return [pytest.param(case, id=case["name"]) for case in loaded]


def content_of(case: dict[str, Any]) -> bytes:
    if "text" in case:
        return str(case["text"]).encode()
    return base64.b64decode(case["base64"])


def place_of(problem: Problem) -> list[Any]:
    if problem.pointer is not None:
        return [problem.code.value, problem.pointer]
    return [problem.code.value, problem.line, problem.column]


@pytest.mark.parametrize("case", cases("documents"))
def test_a_document_gives_these_problems_and_keeps_the_rest(case: dict[str, Any]) -> None:
    checked = check_metadata(content_of(case), "a.jpg.metadata.json")
    assert [place_of(problem) for problem in checked.problems] == case["problems"]
    assert checked.value == case["value"]


@pytest.mark.parametrize("case", cases("documents"))
def test_nothing_is_kept_in_silence_that_jsonb_refuses_or_changes(case: dict[str, Any]) -> None:
    checked = check_metadata(content_of(case), "a.jpg.metadata.json")
    if case["jsonb"] is None:
        assert checked.problems
        assert case["jsonb_refuses"]
    elif not checked.problems or checked.problems[0].code is ProblemCode.DUPLICATE_KEY:
        assert checked.value == json.loads(case["jsonb"])


@pytest.mark.parametrize("case", cases("values"))
def test_a_value_is_kept_or_named_by_its_pointer(case: dict[str, Any]) -> None:
    content = json.dumps({**case["value"], "beside": None}).encode()
    schema = SCHEMA.add("beside", "text")
    checked = check_metadata(content, "a.jpg.metadata.json", schema)
    assert [place_of(problem) for problem in checked.problems] == case["problems"]
    expected = case["value"] if case["kept"] else {}
    assert checked.value == {**expected, "beside": None}
    assert checked.keys_seen == 2


def test_the_corpus_has_a_case_for_each_code_of_values() -> None:
    codes = list(ProblemCode)
    of_values = set(codes[codes.index(ProblemCode.NOT_METADATA) :]) - {ProblemCode.LARGE_EMBEDDING}
    all_cases = [case.values[0] for name in ("documents", "values") for case in cases(name)]
    covered = {problem[0] for case in all_cases for problem in case["problems"]}
    assert {code.value for code in of_values} <= covered


@pytest.mark.parametrize("case", cases("values"))
def test_a_value_is_dropped_exactly_where_its_problem_is_an_error(case: dict[str, Any]) -> None:
    severities = {ProblemCode(code).severity for code, _ in case["problems"]}
    assert case["kept"] == (Severity.ERROR not in severities)


@pytest.mark.parametrize("case", cases("schemas"))
def test_a_schema_is_taken_or_refused_at_its_place(case: dict[str, Any]) -> None:
    if "refused" not in case:
        assert json.loads(MetadataSchema.from_json(case["text"]).to_json()) == case["written"]
        return
    with pytest.raises(ValueError, match="metadata schema") as refused:
        MetadataSchema.from_json(case["text"])
    assert str(refused.value).startswith(f"metadata schema{case['refused']}")


@pytest.mark.parametrize("case", cases("keys"))
def test_a_key_is_allowed_or_not(case: dict[str, Any]) -> None:
    if case["allowed"]:
        check_key(case["key"])
        return
    with pytest.raises(ValueError, match="choose another name"):
        check_key(case["key"])

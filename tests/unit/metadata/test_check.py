import orjson
import pytest

from labelingest.metadata.check import check_metadata
from labelingest.metadata.schema import MetadataSchema
from labelingest.problems import ProblemCode
from labelingest.problems.capped import MAX_LISTED

SCHEMA = MetadataSchema().add("Weather", "varchar").add("speed", "number")


def details(content: bytes, schema: MetadataSchema | None = SCHEMA) -> list[str]:
    return [problem.detail for problem in check_metadata(content, "a.json", schema).problems]


def test_ten_megabytes_are_read_and_not_one_byte_more() -> None:
    content = b'{"speed": 1}'.ljust(10_000_000)
    assert check_metadata(content, "a.json", SCHEMA).value == {"speed": 1}
    [problem] = check_metadata(content + b" ", "a.json", SCHEMA).problems
    assert problem.code is ProblemCode.FILE_TOO_LARGE
    assert check_metadata(content + b" ", "a.json", SCHEMA).value is None


@pytest.mark.parametrize("key", ["weather", "WEATHER", "Wether"])
def test_the_nearest_key_is_suggested(key: str) -> None:
    content = orjson.dumps({key: "rain"})
    assert details(content) == [f"the schema has no key '{key}'; did you mean 'Weather'?"]


def test_a_key_that_is_like_no_other_is_kept_without_a_suggestion() -> None:
    assert details(b'{"zzz": 1}') == ["the schema has no key 'zzz': kept, not checked"]


def test_half_a_million_keys_that_are_not_declared_are_counted_and_the_first_listed() -> None:
    content = orjson.dumps({f"key{number}": number for number in range(500_000)})
    checked = check_metadata(content, "a.json", SCHEMA)
    assert checked.keys_seen == len(checked.value or ()) == 500_000
    assert sum(problem.count for problem in checked.problems) == 500_000
    assert len(checked.problems) == MAX_LISTED + 1


def test_without_a_schema_only_the_document_is_checked() -> None:
    assert details(b'{"speed": "fast", "zzz": {}}', None) == []


def test_a_defect_deep_inside_costs_its_key_alone_and_is_named_where_it_is() -> None:
    content = b'{"a": {"b": [0.5, 1, {"c/d": ["x", "\\u0000"]}]}, "speed": 2}'
    checked = check_metadata(content, "a.json", None)
    [problem] = checked.problems
    assert (problem.code.value, problem.pointer) == ("nul-in-text", "/a/b/2/c~1d/1")
    assert checked.value == {"speed": 2}


def test_a_defect_as_deep_as_is_read_is_named() -> None:
    content = b'{"a":' * 254 + b"NaN" + b"}" * 254
    [problem] = check_metadata(content, "a.json", None).problems
    assert problem.pointer == "/a" * 254


def test_the_first_of_several_defects_of_a_key_is_named() -> None:
    [problem] = check_metadata(b'{"a": [[NaN], Infinity, NaN]}', "a.json", None).problems
    assert problem.pointer == "/a/0/0"


def test_what_the_platform_keeps_for_itself_is_stored_like_all_else() -> None:
    checked = check_metadata(b'{"$encord": {"frames": {"0": NaN}}}', "a.json", SCHEMA)
    assert [problem.pointer for problem in checked.problems] == ["/$encord/frames/0"]


@pytest.mark.parametrize("depth", [255, 1024, 100_000])
def test_hostile_depth_costs_the_file(depth: int) -> None:
    content = b'{"a":' * depth + b"1" + b"}" * depth
    checked = check_metadata(content, "a.json", SCHEMA)
    assert checked.value is None
    [problem] = checked.problems
    assert problem.code is ProblemCode.NOT_JSON
    assert "nested deeper than 254 levels" in problem.detail


def test_an_embedding_of_nonsense_is_one_problem() -> None:
    schema = MetadataSchema().add("clip", "embedding", size=4096)
    content = orjson.dumps({"clip": ["x"] * 4096})
    [problem] = check_metadata(content, "a.json", schema).problems
    assert problem.pointer == "/clip/0"

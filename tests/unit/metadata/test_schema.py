import json
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from labelingest.errors import ConfigError
from labelingest.metadata.flat_schema import import_schema
from labelingest.metadata.schema import MetadataSchema, schema_problems

SCHEMA = (
    MetadataSchema()
    .add("site", "string")
    .add("weather", "enum", values=["rain", "fog", "rain"])
    .add("clip", "embedding", size=512)
    .add("place", "geospatial")
)
Change = Callable[[MetadataSchema], MetadataSchema]


def test_options_stand_once_and_in_order() -> None:
    assert b'"fog",\n      "rain"\n    ]' in SCHEMA.to_json()
    more = SCHEMA.add_options("weather", ["dew", "fog"])
    assert b'"dew",\n      "fog",\n      "rain"\n    ]' in more.to_json()


def test_an_enum_has_as_many_options_as_the_wire_allows() -> None:
    options = [f"{number:03}" for number in range(256)]
    schema = MetadataSchema().add("a", "enum", values=options)
    assert json.loads(schema.to_json())["a"]["values"] == options
    with pytest.raises(ConfigError, match="256 options at most, not 257"):
        MetadataSchema().add("a", "enum", values=[*options, "more"])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda s: s.add("weather", "enum", values=["a"]), "'weather' is an enum already; remove"),
        (lambda s: s.add("site", "geospatial"), "'site' is a varchar already"),
        (lambda s: s.add("x", "nummer"), "'nummer' is no type of a metadata key; did you mean 'nu"),
        (lambda s: s.add("x", "zzz"), "known are boolean, datetime, embedding, "),
        (lambda s: s.add("x", "enum"), "an enum needs one option at least, as --option rain"),
        (
            lambda s: s.add("x", "text", values=["a"]),
            "options are for an enum, not for text; leave them out",
        ),
        (
            lambda s: s.add("x", "embedding"),
            "an embedding needs its number of values, as --size 512",
        ),
        (
            lambda s: s.add("x", "uuid", size=3),
            "a size is for an embedding, not for uuid; leave it out",
        ),
        (lambda s: s.add("x", "embedding", size=4097), "has 1 to 4,096 numbers, not 4,097"),
        (lambda s: s.add("keyframes", "text"), "a name that the platform keeps for itself"),
        (lambda s: s.add("a/b", "text"), "has '/': letters, digits, '-', '_', '.' and blanks are"),
        (lambda s: s.add("", "text"), "key '' has no letter and no digit; choose another"),
        (lambda s: s.add_options("site", ["a"]), "'site' is a varchar: only an enum has options"),
        (lambda s: s.remove("sight"), "the schema has no key 'sight'; did you mean 'site'?"),
        (lambda s: s.remove("zzz"), "no key 'zzz'; it has 'clip', 'place', 'site', 'weather'"),
        (lambda s: s.remove("site").remove("site"), "'site' is deleted already"),
        (lambda s: s.remove("weather").add("weather", "text"), "'weather' is deleted, and was an"),
        (lambda s: s.remove("site", hard=True).add("site", "text"), "'site' is deleted for good"),
        (lambda s: s.remove("site", hard=True).restore("site"), "deleted for good: choose another"),
        (lambda s: s.restore("site"), "'site' is a varchar: it is not deleted"),
    ],
)
def test_a_change_that_cannot_be_is_refused_with_a_cure(change: Change, sentence: str) -> None:
    with pytest.raises(ConfigError) as refused:
        change(SCHEMA)
    assert sentence in str(refused.value)


def test_a_key_that_was_deleted_softly_comes_back_as_it_was() -> None:
    assert SCHEMA.remove("clip").restore("clip") == SCHEMA


def test_a_change_leaves_the_schema_that_it_was_made_from() -> None:
    before = SCHEMA.to_json()
    SCHEMA.remove("site")
    assert SCHEMA.to_json() == before


def test_a_schema_goes_to_other_processes() -> None:
    deleted = SCHEMA.remove("place")
    assert pickle.loads(pickle.dumps(deleted)) == deleted


def test_a_schema_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "schema.json"
    path.write_bytes(SCHEMA.to_json())
    assert MetadataSchema.load(path) == SCHEMA


def test_a_schema_file_that_is_not_there_is_named_with_a_cure(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none.json' cannot be read: No such file .* makes one"):
        MetadataSchema.load(tmp_path / "none.json")


def test_embeddings_that_are_too_large_for_active_are_named_and_kept() -> None:
    schema = MetadataSchema().add("a", "embedding", size=2000).add("b", "text")
    assert schema_problems(schema, "s.json") == []
    [problem] = schema_problems(schema.add("c", "embedding", size=2001), "s.json")
    assert (problem.code.value, problem.source, problem.pointer) == (
        "large-embedding",
        "s.json",
        "/c/size",
    )


OLD = b"""{"a": "number", "b": "string", "c": "boolean", "d": "datetime", "e": "geospatial",
"f": "long_string", "g": "enum", "h": "embedding"}"""


@pytest.mark.parametrize(
    "wrapped",
    [
        OLD,
        b'{"metadata_schema": ' + OLD + b', "uuid": "u"}',
        b'{"metadataSchema": ' + OLD + b', "organisationId": 7}',
    ],
)
def test_the_older_format_is_imported_but_for_what_it_does_not_tell(wrapped: bytes) -> None:
    imported = import_schema(wrapped, "old.json")
    expected = MetadataSchema().add("a", "number").add("b", "varchar").add("c", "boolean")
    expected = expected.add("d", "datetime").add("e", "geospatial").add("f", "text")
    assert imported.schema == expected
    assert list(imported.left_out) == ["g", "h"]


def test_the_present_format_is_imported_whole() -> None:
    imported = import_schema(SCHEMA.to_json(), "new.json")
    assert (imported.schema, imported.left_out) == (SCHEMA, {})


def test_a_key_that_is_called_like_the_wrapper_is_a_key() -> None:
    schema = MetadataSchema().add("metadata_schema", "text")
    assert import_schema(schema.to_json(), "new.json").schema == schema


def test_an_older_type_that_is_none_is_refused_at_its_place() -> None:
    with pytest.raises(ConfigError, match=r"old.json#/a~1b: found 'int', expected one of boolean"):
        import_schema(b'{"a/b": "int"}', "old.json")


def test_a_hostile_schema_is_refused_in_a_sentence() -> None:
    nested = '{"ty": "tombstone", "deleted_ty": ' * 400 + "null" + "}" * 400
    with pytest.raises(ConfigError, match="'tombstone' is no type"):
        MetadataSchema.from_json(f'{{"a": {nested}}}')

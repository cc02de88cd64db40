"""A plain call is read as the parser reads it, and a plain configuration is the validated one."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelingest.cli.plain_call import plain_call
from labelingest.config import IngestConfig
from labelingest.errors import ConfigError
from labelingest.options import CONFIG_OPTIONS, Command, Kind, Option, options_of
from labelingest.plain_config import plain_config

OPTIONS = [o for o in options_of(Command.CONVERT) if not o.is_positional]
TEXTS = ("a", "b/c.json", "ä", "7", "0", "-1", "007", "9" * 20, "", "=", "--out", "s3://b/c", "a=b")


def values_of(option: Option) -> st.SearchStrategy[str]:
    return st.sampled_from((*TEXTS, *option.choices, *map(str.upper, option.choices)))


@st.composite
def words(draw: st.DrawFn) -> list[str]:
    call = [draw(st.sampled_from(("convert", "check")))]
    for option in draw(st.lists(st.sampled_from(OPTIONS), max_size=6)):
        flag = draw(st.sampled_from("/".join(option.flags or (option.flag,)).split("/")))
        if option.kind is Kind.FLAG:
            call.append(flag)
        elif draw(st.booleans()):
            call.append(f"{flag}={draw(values_of(option))}")
        else:
            call += [flag, draw(values_of(option))]
    for word in draw(st.lists(st.sampled_from(TEXTS), max_size=2)):
        call.insert(draw(st.integers(1, len(call))), word)
    return call


@pytest.fixture(scope="module")
def parsed() -> Any:
    """Return what gives the values of a call as the parser reads them."""
    import typer

    from labelingest.cli.commands import app

    group: Any = typer.main.get_command(app)

    def values(call: list[str]) -> dict[str, Any]:
        command = group.commands[call[0]]
        values: dict[str, Any] = command.make_context(call[0], call[1:]).params
        return values

    return values


@given(call=words())
def test_a_plain_call_is_read_as_the_parser_reads_it(call: list[str], parsed: Any) -> None:
    plain = plain_call(call)
    if plain is not None:
        command, values = plain
        assert command == call[0]
        used = {name: value for name, value in values.items() if value not in (None, [], ())}
        assert used == {n: v for n, v in parsed(call).items() if v not in (None, [], ())}


@given(call=words())
def test_a_plain_configuration_is_the_validated_one(call: list[str]) -> None:
    plain = plain_call(call)
    if plain is None:
        return
    values = {n: v for n, v in plain[1].items() if n in CONFIG_OPTIONS and v not in (None, [], ())}
    values.setdefault("storage_path", "data")
    values.setdefault("ontology", "ontology.json")
    found = plain_config(values)
    if found is not None:
        expected = IngestConfig(**values)
        for name in CONFIG_OPTIONS:
            assert getattr(found, name) == getattr(expected, name)
            assert type(getattr(found, name)) is type(getattr(expected, name))
        assert found.file == expected.file
        assert found.model_fields_set == expected.model_fields_set


@pytest.mark.parametrize(
    "values",
    [
        {"out": "data"},
        {"out": "./data"},
        {"out": "s3://bucket/rows.jsonl"},
        {"class_list": "a.yaml", "no_class_list": True},
        {"coco_rotated": "corners"},
        {"map": ["7=car"]},
        {"engine": "dask://host:1"},
        {"workers": 0},
        {"workers": True},
        {"workers": 10**9},
        {"images": ["a\0b"]},
        {"report": "\udcff"},
        {"lables": "a"},
        {"created_by": "nobody"},
        {"on_row_error": "ignore"},
    ],
)
def test_values_that_need_more_than_a_look_are_left_to_the_validation(
    values: dict[str, Any],
) -> None:
    assert plain_config({"storage_path": "data", "ontology": "o.json"} | values) is None


def test_options_of_other_formats_are_refused_alike() -> None:
    from labelingest.formats import source_format

    values = {"storage_path": "data", "ontology": "o.json", "row_layout": "box"}
    sentences = []
    for config in (plain_config(values), IngestConfig(**values)):
        assert config is not None
        with pytest.raises(ConfigError) as refused:
            config.refuse_options_of_others(source_format("encord"))
        sentences.append(str(refused.value))
    assert sentences[0] == sentences[1]

from pathlib import Path

import pytest

from labelingest.config import IngestConfig, IngestOptions, load_config
from labelingest.errors import ConfigError
from labelingest.folders.settings import FolderSettings

LEAST = {"storage_path": "data", "ontology": "ontology.json"}


def test_an_unknown_key_is_refused_with_the_nearest_known_one() -> None:
    with pytest.raises(ConfigError, match="on_row_eror: not known; did you mean on_row_error"):
        IngestConfig(**LEAST, on_row_eror="skip")


def test_a_missing_key_is_named_with_its_meaning() -> None:
    with pytest.raises(
        ConfigError, match="ontology: missing; give --ontology FILE: ontology, a JSON file"
    ):
        IngestConfig(storage_path="data")


def test_a_value_that_cannot_be_is_named_with_what_can() -> None:
    with pytest.raises(ConfigError, match=r"'drop'.*'clip', 'keep' or 'reject'"):
        IngestConfig(**LEAST, out_of_range="drop")


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(ConfigError) as refused:
        IngestConfig(**LEAST, out_of_range="drop", batch_bytes=0)
    assert len(str(refused.value).splitlines()) == 2


def test_overrides_are_taken_as_entries_and_as_a_table() -> None:
    assert IngestConfig(**LEAST, map=["7=car", "8="]).map == {7: "car", 8: None}
    assert IngestConfig(**LEAST, map={"7": "car", "8": ""}).map == {7: "car", 8: None}


def test_a_storage_url_ends_in_a_slash() -> None:
    assert IngestConfig(**LEAST, storage_url="s3://bucket/a").storage_url == "s3://bucket/a/"


def test_paths_of_a_file_are_relative_to_it(tmp_path: Path) -> None:
    file = tmp_path / "ingest.toml"
    file.write_text('storage_path = "data"\nontology = "/abs/o.json"\nlabels = "l/{name}.txt"\n')
    assert load_config(file) == {
        "storage_path": str(tmp_path / "data"),
        "ontology": "/abs/o.json",
        "labels": "l/{name}.txt",
    }


def test_a_file_that_is_not_toml_is_refused_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "ingest.toml"
    file.write_text("storage_path = data\n")
    with pytest.raises(ConfigError, match=r"ingest.toml.*not TOML.*line 1"):
        load_config(file)


def test_a_file_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load_config(tmp_path / "ingest.toml")


@pytest.mark.parametrize("name", ["out", "report", "problems", "failed_csv"])
def test_an_output_that_would_replace_the_ontology_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=f"ontology and {name} are both"):
        IngestConfig(**LEAST, **{name: "./ontology.json"})


def test_two_outputs_under_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"out and report are both './a.json'"):
        IngestConfig(**LEAST, out="a.json", report="./a.json")


@pytest.mark.parametrize("value", [0, False, 7, ["car"]])
def test_only_an_empty_name_removes_a_number(value: object) -> None:
    with pytest.raises(ConfigError, match="class number 7: expected the feature hash or name"):
        IngestConfig(**LEAST, map={"7": value})


def test_null_removes_a_number() -> None:
    assert IngestConfig(**LEAST, map={7: None}).map == {7: None}


def test_two_spellings_of_one_number_are_refused() -> None:
    with pytest.raises(ConfigError, match="class number 7 is in the table twice"):
        IngestConfig(**LEAST, map={"07": "car", 7: "van"})


@pytest.mark.parametrize(
    "name", ["created_by", "dataset_title", "storage_url", "out", "labels", "metadata_suffix"]
)
def test_text_that_is_not_utf8_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=rf"{name}: .*is not UTF-8"):
        IngestConfig(**LEAST, **{name: "s3://a\udcff"})


def test_patterns_and_names_that_are_not_utf8_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"images: .*is not UTF-8"):
        IngestConfig(**LEAST, images=["a\udcff"])
    with pytest.raises(ConfigError, match=r"map: .*is not UTF-8"):
        IngestConfig(**LEAST, map={7: "a\udcff"})


def test_a_nul_character_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"out: .*holds a NUL"):
        IngestConfig(**LEAST, out="a\0b")


def test_batches_are_bounded() -> None:
    assert IngestConfig(**LEAST, batch_bytes=2**40).batch_bytes == 2**40
    with pytest.raises(ConfigError, match="from 1 to 1,099,511,627,776"):
        IngestConfig(**LEAST, batch_bytes=2**40 + 1)


def test_one_pattern_needs_no_list() -> None:
    assert IngestConfig(**LEAST, images="a/{name}.jpg").images == ("a/{name}.jpg",)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("images", 3, "one text or a list of texts"),
        ("map", 3, "a table of class numbers and objects"),
        ("map", [7], "a table of class numbers and objects"),
        ("kpt_shape", (17,), "two whole numbers"),
        ("kpt_shape", "17", "two whole numbers"),
        ("warn_misfit", "much", "a number above 0"),
        ("follow_symlinks", "perhaps", "true or false"),
        ("out", 3, "a path"),
        ("created_by", 3, "a text"),
    ],
)
def test_a_value_of_another_type_is_refused_in_plain_words(
    name: str, value: object, expected: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        IngestConfig(**LEAST, **{name: value})
    assert str(refused.value).startswith(f"{name}: ")
    assert f"expected {expected}" in str(refused.value)


@pytest.mark.parametrize("url", ["", "/", "bucket/prefix"])
def test_a_storage_url_without_scheme_and_slash_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match=r"storage_url: .*expected a URL, as s3://bucket"):
        IngestConfig(**LEAST, storage_url=url)


def test_paths_may_be_path_objects() -> None:
    config = IngestConfig(storage_path=Path("data"), ontology=Path("o.json"), out=Path("r.jsonl"))
    assert (config.storage_path, config.ontology, config.out) == ("data", "o.json", "r.jsonl")


def test_an_empty_path_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "ingest.toml"
    file.write_text('storage_path = "data"\nontology = "o.json"\nout = ""\n')
    with pytest.raises(ConfigError, match="out: '' is no path"):
        IngestConfig(**load_config(file))


def test_options_without_an_ontology_are_validated_like_those_of_a_run() -> None:
    assert IngestOptions(storage_path="data").ontology is None
    with pytest.raises(ConfigError, match="out_of_range: 'drop'"):
        IngestOptions(storage_path="data", out_of_range="drop")
    with pytest.raises(ConfigError, match="lables: not known; did you mean labels"):
        IngestOptions(storage_path="data", lables="labels/{name}.txt")


def test_the_settings_of_a_folder_are_options_without_an_ontology_file() -> None:
    settings = FolderSettings("/data", "/rows", format="encord", ontology={"objects": []})
    assert type(settings.config) is IngestOptions
    assert settings.config.ontology is None

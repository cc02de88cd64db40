from pathlib import Path

import pytest

from labelingest.config import IngestConfig, load_config
from labelingest.errors import ConfigError

LEAST = {"storage_path": "data", "ontology": "ontology.json"}


def test_an_unknown_key_is_refused_with_the_nearest_known_one() -> None:
    with pytest.raises(ConfigError, match="on_row_eror: not known; did you mean on_row_error"):
        IngestConfig(**LEAST, on_row_eror="skip")


def test_a_missing_key_is_named_with_its_meaning() -> None:
    with pytest.raises(ConfigError, match="ontology: missing; The ontology's JSON file"):
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

"""`labelingest folder configure`: what can be set later, and what can be unset."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from labelingest.folders import State, SyncedFolder
from labelingest.folders.state.integrations import set_integration
from labelingest.storage.cloud.connections import Connection
from tests.builders.command_line import Run, command_line
from tests.builders.folders import image_bytes
from tests.builders.states import new_sqlite
from tests.builders.synced import BOX, ONTOLOGY

PATTERNS = ("--images", "{name}.jpg", "--labels", "{name}.txt")
LABELS = ("--ontology", "ontology.json", *PATTERNS)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LABELINGEST_STATE", new_sqlite(tmp_path / "state.sqlite"))
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a.jpg").write_bytes(image_bytes(64, 48))
    (tmp_path / "data/a.txt").write_text(BOX)
    (tmp_path / "ontology.json").write_text(json.dumps(ONTOLOGY))
    (tmp_path / "schema.json").write_text('{"speed": {"ty": "number"}}')
    return command_line(capsys)


def create(run: Run, *options: str, path: str = "data") -> None:
    ran = run("folder", "create", "f", "--storage-path", path, "--output", "rows", *options)
    assert ran.code == 0, ran.err


def configured(run: Run, *options: str) -> Any:
    """Return the settings of the folder after a change."""
    ran = run("folder", "configure", "f", *options)
    assert ran.code == 0, ran.err
    with SyncedFolder("f", state=os.environ["LABELINGEST_STATE"]) as folder:
        return folder.settings


def test_a_metadata_suffix_that_would_take_the_labels_is_refused(run: Run) -> None:
    create(run, *LABELS)
    assert run("folder", "sync", "f").code == 0
    ran = run("folder", "configure", "f", "--metadata-suffix", ".txt")
    assert (ran.code, "ends with the metadata suffix '.txt'" in ran.err) == (2, True)
    assert "0 keys" not in run("folder", "plan", "f").out
    assert Path("rows/a.jpg.encord.json").exists()


def test_what_is_set_can_be_unset(run: Run) -> None:
    create(run, *LABELS, "--metadata-suffix", ".meta.json", "--pause-metadata")
    made = configured(run, "--created-by", "a@b.c", "--map", "7=car", "--warn-misfit", "0.2")
    assert made.options["created_by"] == "a@b.c"
    assert made.options["warn_misfit"] == 0.2
    plain = configured(run, "--created-by", "", "--map", "")
    assert set(plain.options) == {"images", "labels", "warn_misfit"}
    without = configured(run, "--no-metadata")
    assert (without.metadata_suffix, without.metadata_paused) == (None, False)
    ran = run("folder", "configure", "f", "--no-metadata", "--metadata-suffix", ".m.json")
    assert (ran.code, "contradict each other" in ran.err) == (2, True)


def test_integration_and_schema_are_unset_by_an_empty_value(run: Run, tmp_path: Path) -> None:
    with State(f"sqlite:///{tmp_path}/state.sqlite") as state:
        set_integration(state, "minio", Connection(region="eu-west-1"))
    create(run, "--integration", "minio", "--metadata-suffix", ".m.json", path="s3://bucket/a/")
    assert configured(run, "--metadata-schema", "schema.json").metadata_schema is not None
    plain = configured(run, "--integration", "", "--metadata-schema", "")
    assert (plain.integration, plain.metadata_schema) == (None, None)


@pytest.mark.parametrize("labels", [LABELS, (*LABELS, "--format", "yolo")])
def test_labels_can_be_taken_in_later(run: Run, labels: tuple[str, ...]) -> None:
    create(run)
    assert run("folder", "sync", "f").code == 0
    assert configured(run, *labels).format == "yolo"
    assert run("folder", "sync", "f").code == 0
    assert Path("rows/a.jpg.encord.json").exists()
    ran = run("folder", "configure", "f", "--format", "encord")
    assert (ran.code, "format cannot be changed once it is set" in ran.err) == (2, True)


def test_a_suffix_says_that_labels_are_of_encord(run: Run) -> None:
    create(run)
    set_ = configured(run, "--ontology", "ontology.json", "--suffix", ".labels.json")
    assert (set_.format, set_.options) == ("encord", {"suffix": ".labels.json"})
    assert configured(run, "--suffix", "").options == {}


def test_configure_keeps_the_overrides_of_other_numbers(run: Run) -> None:
    create(run, *LABELS, "--map", "0=car")
    assert configured(run, "--map", "1=car").config.map == {0: "car", 1: "car"}
    assert configured(run, "--unmap", "0").config.map == {1: "car"}
    ran = run("folder", "configure", "f", "--unmap", "x")
    assert (ran.code, "unmap 'x': expected a class number, as 7" in ran.err) == (2, True)


def test_configure_says_which_image_patterns_are_replaced(run: Run) -> None:
    create(run, *LABELS, "--images", "{name}.png")
    ran = run("folder", "configure", "f", "--images", "{name}.jpg", "--images", "{name}.webp")
    assert "'{name}.png' is no longer one of them" in ran.err
    assert "replaced" not in run("folder", "configure", "f", "--description", "x").err

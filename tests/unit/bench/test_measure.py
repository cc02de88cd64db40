from pathlib import Path

import pytest

from labelingest.bench.measure import measure
from labelingest.config import IngestConfig
from labelingest.errors import ConfigError
from labelingest.progress import Progress
from labelingest.stopwatch import Stage
from tests.builders.measurements import ROW, rotated_folder

OF_ROTATED = set(Stage)
OF_ENCORD = set(Stage) - {Stage.RESOLVE, Stage.HEADERS}


def contents(root: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in root.rglob("*")}


@pytest.mark.parametrize(
    ("to", "out"),
    [
        *(("encord", None), ("encord", "rows.jsonl"), ("encord", "folder/.."), ("yolo", None)),
        *(("coco", None), ("parquet", None)),
    ],
)
def test_every_stage_is_timed_and_nothing_is_left(tmp_path: Path, to: str, out: str | None) -> None:
    config = rotated_folder(tmp_path, 7, to=to, out=out)
    before = contents(tmp_path)
    found = measure(config, out_folder=str(tmp_path / "out"))
    before.pop(tmp_path / "out")
    after = contents(tmp_path)
    after.pop(tmp_path / "out")  # its time changes when something in it comes and goes
    assert after == before
    assert {figures.stage for figures in found.stages} == OF_ROTATED
    assert sum(found.seconds.values()) <= found.totals[0]
    assert (found.keys, found.data_files, found.files, found.rows) == (14, 7, 7, 7)
    assert found.label_bytes == 7 * len(ROW)


def test_encord_sidecars_are_measured_too(tmp_path: Path) -> None:
    fixtures = Path(__file__).parents[3] / "fixtures/sidecars"
    config = IngestConfig(
        storage_path=str(fixtures / "data"), ontology=str(fixtures / "ontology.json")
    )
    found = measure(config, out_folder=str(tmp_path))
    assert {figures.stage for figures in found.stages} == OF_ENCORD
    assert (found.files, found.rows) == (3, 7)
    assert not list(tmp_path.iterdir())


def test_an_output_inside_the_storage_path_is_refused(tmp_path: Path) -> None:
    config = rotated_folder(tmp_path, 1)
    before = contents(tmp_path)
    with pytest.raises(ConfigError, match="inside the storage path"):
        measure(config, out_folder=str(tmp_path / "data/labels"))
    with pytest.raises(ConfigError, match="is no folder"):
        measure(config, out_folder=str(tmp_path / "nowhere"))
    assert contents(tmp_path) == before


def test_label_rows_that_go_beside_their_data_files_are_measured_elsewhere(tmp_path: Path) -> None:
    config = rotated_folder(tmp_path, 3, beside=True)
    before = contents(tmp_path / "data")
    found = measure(config, out_folder=str(tmp_path / "out"))
    assert contents(tmp_path / "data") == before
    assert (found.files, found.out) == (3, "label_rows")


def test_each_round_has_its_figures_and_memory_is_measured_once(tmp_path: Path) -> None:
    config = rotated_folder(tmp_path, 7)
    found = measure(config, rounds=3, out_folder=str(tmp_path / "out"))
    assert len(found.totals) == 3
    assert all(len(figures.seconds) == 3 for figures in found.stages)
    for number, total in enumerate(found.totals):
        inside = sum(figures.seconds[number] for figures in found.stages)
        assert inside + found.others(number) == pytest.approx(total)
    assert all(figures.memory_bytes is not None for figures in found.stages)
    assert not list((tmp_path / "out").iterdir())


def test_several_processes_convert_the_same_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labelingest.bench.measure.usable_cores", lambda: 2)
    config = rotated_folder(tmp_path, 7)
    steps: dict[str, None] = {}

    def note(progress: Progress) -> None:
        steps[progress.stage] = None

    out = str(tmp_path / "out")
    found = measure(config, rounds=2, out_folder=out, progress=note).processes
    assert found is not None
    assert found.workers == 2
    assert len(found.seconds) == 2
    assert min(found.seconds) > 0 < found.start
    conversions = [step for step in steps if step.endswith(": convert")]
    assert conversions == [
        "round 1 of 2: convert",
        "round 2 of 2: convert",
        "2 processes, round 1 of 2: convert",
        "2 processes, round 2 of 2: convert",
        "memory of stages: convert",
    ]


def test_one_core_measures_no_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labelingest.bench.measure.usable_cores", lambda: 1)
    found = measure(rotated_folder(tmp_path, 2), out_folder=str(tmp_path / "out"))
    assert found.processes is None
    with pytest.raises(ValueError, match="2 processes were not measured"):
        found.estimate(2)


def test_images_without_label_file_are_measured_where_they_are_included(tmp_path: Path) -> None:
    config = rotated_folder(tmp_path, 6, unlabelled=4, to="coco")
    out = str(tmp_path / "out")
    assert measure(config, out_folder=out).data_files == 6
    included = config.model_copy(update={"unlabelled": "include"})
    found = measure(included, out_folder=out)
    assert (found.keys, found.data_files, found.files, found.rows) == (16, 10, 10, 6)
    some = measure(included, files=5, out_folder=out)
    assert (some.data_files, some.files, some.rows, some.factor) == (10, 5, 3, 2.0)

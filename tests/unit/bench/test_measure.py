from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from labelingest.bench.measure import Measurement, measure, part_of
from labelingest.cli.render_measurement import verdict
from labelingest.config import IngestConfig
from labelingest.errors import ConfigError
from labelingest.pipeline import pair_folder
from labelingest.pipeline.from_config import pairing_rule
from labelingest.stopwatch import Stage
from tests.builders.folders import make_folder, write_ontology

ROW = "0 0.4 0.4 0.6 0.4 0.6 0.6 0.4 0.6\n"
OF_ROTATED = set(Stage)
OF_ENCORD = set(Stage) - {Stage.RESOLVE, Stage.HEADERS}


def folder(root: Path, files: int, **options: Any) -> IngestConfig:
    made = {f"images/{i:03d}.jpg": {"image": [64, 48]} for i in range(files)}
    labels = {f"labels/{i:03d}.txt": ROW for i in range(files)}
    make_folder(root / "data", {**made, **labels})
    write_ontology(root / "ontology.json", ship=(0, "rotatable_bounding_box"))
    (root / "out").mkdir()
    values = {"storage_path": str(root / "data"), "ontology": str(root / "ontology.json")}
    return IngestConfig.model_validate({**values, **options})


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
    config = folder(tmp_path, 7, to=to, out=out)
    before = contents(tmp_path)
    found = measure(config, out_folder=str(tmp_path / "out"))
    before.pop(tmp_path / "out")
    after = contents(tmp_path)
    after.pop(tmp_path / "out")  # its time changes when something in it comes and goes
    assert after == before
    assert {stage for stage, seconds in found.seconds.items() if seconds > 0} == OF_ROTATED
    assert sum(found.seconds.values()) <= found.total
    assert (found.keys, found.pairs, found.files, found.rows) == (14, 7, 7, 7)
    assert found.start > 0


def test_encord_sidecars_are_measured_too(tmp_path: Path) -> None:
    fixtures = Path(__file__).parents[3] / "fixtures/sidecars"
    config = IngestConfig(
        storage_path=str(fixtures / "data"), ontology=str(fixtures / "ontology.json")
    )
    found = measure(config, out_folder=str(tmp_path))
    assert {stage for stage, seconds in found.seconds.items() if seconds > 0} == OF_ENCORD
    assert (found.files, found.rows) == (3, 7)
    assert not list(tmp_path.iterdir())


def test_an_output_inside_the_storage_path_is_refused(tmp_path: Path) -> None:
    config = folder(tmp_path, 1)
    before = contents(tmp_path)
    with pytest.raises(ConfigError, match="inside the storage path"):
        measure(config, out_folder=str(tmp_path / "data/labels"))
    with pytest.raises(ConfigError, match="is no folder"):
        measure(config, out_folder=str(tmp_path / "nowhere"))
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    ("files", "batch_bytes", "expected"),
    [
        (30, 400_000, range(30)),  # all there are
        (12, 4 * len(ROW), [0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23]),
        (13, 6 * len(ROW), [*range(6), *range(15, 21)]),
        (5, 400_000, range(5)),
        (3, 1, [0, 10, 20]),
    ],
)
def test_a_part_of_a_folder_is_spread_evenly(
    tmp_path: Path, files: int, batch_bytes: int, expected: list[int]
) -> None:
    config = folder(tmp_path, 30)
    paired = pair_folder(config, pairing_rule(config))
    part = part_of(paired, files, batch_bytes)
    keys = part.listing.keys
    assert keys.take(part.pairs.data) == [f"images/{i:03d}.jpg" for i in expected]
    assert keys.take(part.pairs.sidecar) == [f"labels/{i:03d}.txt" for i in expected]


def measured(
    seconds: Mapping[Stage, float], cores: int = 4, out: str = "rows.jsonl"
) -> Measurement:
    """Return 100 of 1,000 files measured, with the seconds of a few stages."""
    return Measurement(2_000, 1_000, 100, 730, seconds, 10.0, 0.5, cores, out)


def test_the_estimate_is_that_by_hand() -> None:
    once = {Stage.LIST: 1.0, Stage.PAIR: 0.5}
    shared = {Stage.READ: 0.25, Stage.WRITE: 0.5}
    found = measured({**once, **shared, Stage.OUTPUT: 0.125, Stage.BOOKS: 0.125})
    assert found.estimate(1) == 1.5 + 10 * 1.0
    assert found.estimate(2) == 1.5 + 0.5 + 10 * 1.0 / 2
    # Eight could share more than the one process that writes can take.
    assert found.estimate(8) == 1.5 + 0.5 + 10 * 0.25


@pytest.mark.parametrize(
    ("seconds", "options", "bound", "cure"),
    [
        ({"READ": 3.0, "LIST": 2.0}, {}, "the processor: to read text takes 94 %", "--workers 4"),
        ({"READ": 0.1, "LIST": 3.0}, {}, "the storage: to list takes 75 %", "deeper in the folder"),
        ({"FETCH": 3.0, "READ": 1.0}, {}, "the storage: to fetch label files", "--workers 8"),
        ({"WRITE": 3.0, "OUTPUT": 5.0}, {}, "the disk of the output", "rows.jsonl.zst"),
        ({"OUTPUT": 5.0}, {"out": "folder"}, "the disk", "instead of one per data file"),
        ({"OUTPUT": 5.0}, {"out": "labels.v2"}, "the disk", "instead of one per data file"),
        ({"OUTPUT": 5.0}, {"out": "shards", "shard_rows": 9}, "the disk", "another disk"),
        ({"OUTPUT": 5.0}, {"out": "labels", "to": "yolo"}, "the disk", "another disk"),
        (
            {"HEADERS": 2.0, "READ": 1.0},
            {"image_sizes": "all"},
            "the storage: to read image headers takes 67 %",
            "--image-sizes needed",
        ),
        ({"HEADERS": 2.0}, {}, "the storage: to read image headers", "--workers 4"),
        ({"WRITE": 2.0}, {"cores": 1}, "the processor: to write text", "more cores"),
        ({"WRITE": 0.01}, {}, "the processor: to write text takes 100 %", "not much: one process"),
    ],
)
def test_the_verdict_is_about_what_takes_longest(
    seconds: dict[str, float], options: dict[str, Any], bound: str, cure: str
) -> None:
    given = {name: options[name] for name in ("image_sizes", "shard_rows", "to") if name in options}
    options = {name: value for name, value in options.items() if name not in given}
    config = IngestConfig(storage_path="data", ontology="ontology.json", **given)
    stages = {Stage[name]: value for name, value in seconds.items()}
    said = verdict(measured(stages, **options), config)
    assert said[0].startswith(bound)
    assert cure in said[1]

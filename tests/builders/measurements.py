"""Folders to measure, and measurements with given figures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from labelingest.bench.measurement import Measurement, Processes, StageFigures
from labelingest.config import IngestConfig
from labelingest.stopwatch import Stage
from tests.builders.folders import make_folder, write_ontology

ROW = "0 0.4 0.4 0.6 0.4 0.6 0.6 0.4 0.6\n"


def rotated_folder(root: Path, files: int, *, unlabelled: int = 0, **options: Any) -> IngestConfig:
    """Make a folder of rotated boxes, and a folder for outputs; images without label file go last."""
    images = {f"images/{i:03d}.jpg": {"image": [64, 48]} for i in range(files + unlabelled)}
    labels = {f"labels/{i:03d}.txt": ROW for i in range(files)}
    make_folder(root / "data", {**images, **labels})
    write_ontology(root / "ontology.json", ship=(0, "rotatable_bounding_box"))
    (root / "out").mkdir()
    values = {"storage_path": str(root / "data"), "ontology": str(root / "ontology.json")}
    return IngestConfig.model_validate({**values, **options})


def measurement(
    seconds: Mapping[Stage, float | Sequence[float]],
    *,
    waiting: float = 0.0,
    memory: Mapping[Stage, int] | None = None,
    processes: Processes | None = None,
    **fields: Any,
) -> Measurement:
    """Return 100 of 1,000 files measured, with the seconds of some stages in each round.

    A part of the time of each stage was waiting; a second of each round was in no stage.
    """
    rounds = {
        stage: [value] if isinstance(value, float) else list(value)
        for stage, value in seconds.items()
    }
    totals = [sum(of_round) + 1.0 for of_round in zip(*rounds.values(), strict=True)]
    values: dict[str, Any] = {
        "keys": 2_000,
        "data_files": 1_000,
        "files": 100,
        "rows": 730,
        "label_bytes": 28_000,
        "out": "rows.jsonl",
        "cores": 4,
        "peak_bytes": 100_000_000,
        "background_cpu": [0.0] * len(totals),
        "alone": [Stage.OUTPUT, Stage.BOOKS],
    }
    return Measurement(
        **{**values, **fields},
        totals=totals,
        stages=[
            StageFigures(
                stage=stage,
                files=2_000 if stage in (Stage.LIST, Stage.PAIR) else 100,
                seconds=of_stage,
                cpu_seconds=[value * (1 - waiting) for value in of_stage],
                memory_bytes=(memory or {}).get(stage),
            )
            for stage, of_stage in rounds.items()
        ],
        processes=processes,
    )

from typing import Any

import pytest

from labelingest.bench.measurement import Processes
from labelingest.bench.verdict import verdict
from labelingest.config import IngestConfig
from labelingest.stopwatch import Stage
from tests.builders.measurements import measurement

OPTIONS = ("image_sizes", "shard_rows", "to")


def test_the_estimate_is_that_by_hand() -> None:
    once = {Stage.LIST: 1.0, Stage.PAIR: 0.25, Stage.SAMPLE: 0.25}
    shared = {Stage.READ: 0.25, Stage.WRITE: 0.5, Stage.OUTPUT: 0.125, Stage.BOOKS: 0.125}
    processes = Processes(workers=2, seconds=[1.25, 1.5], start=0.5)
    found = measurement({**once, **shared}, processes=processes)
    assert found.estimate(1) == 1.5 + 10 * 1.0 + 1.0  # a second was in no stage
    assert found.estimate(2) == 1.5 + 1.0 + 0.5 + 10 * 0.75
    assert found.expected_seconds(2) == 0.5 + 1.0 / 2
    in_threads = measurement(shared, processes=processes, background_cpu=[0.25])
    assert in_threads.expected_seconds(2) == 0.5 + 1.25 / 2
    # Eight could share more than the one process that writes can take.
    assert found.expected_seconds(8) == 0.5 + 0.25


def test_figures_are_those_of_the_fastest_round() -> None:
    found = measurement({Stage.READ: [2.0, 1.0, 3.0], Stage.WRITE: [1.0, 1.5, 0.5]})
    assert (found.totals, found.fastest) == ([4.0, 3.5, 4.5], 1)
    assert found.seconds == {Stage.READ: 1.0, Stage.WRITE: 1.5}
    assert found.largest.stage == Stage.WRITE
    assert found.share(Stage.WRITE) == 0.6


@pytest.mark.parametrize(
    ("seconds", "options", "bound", "cure"),
    [
        (
            {"READ": 3.0, "LIST": 2.0},
            {},
            "the processor: to read text takes 94 % of",
            "--workers 4",
        ),
        (
            {"READ": 0.1, "LIST": 3.0},
            {"waiting": 0.9},
            "the storage: to list takes 75 % of the time, 90 % of it waiting",
            "deeper in the folder",
        ),
        (
            {"READ": 0.1, "LIST": 3.0},
            {},
            "the processor: to list takes 75 %",
            "deeper in the folder",
        ),
        (
            {"FETCH": 3.0, "READ": 1.0},
            {"waiting": 0.75},
            "the storage: to fetch label files takes 75 % of the time, 75 % of it waiting",
            "--workers 8",
        ),
        ({"FETCH": 3.0, "READ": 1.0}, {}, "the processor: to fetch label files", "--workers 4"),
        (
            {"WRITE": 3.0, "OUTPUT": 5.0},
            {"waiting": 0.6},
            "the disk of the output",
            "rows.jsonl.zst",
        ),
        ({"WRITE": 3.0, "OUTPUT": 5.0}, {}, "the processor: to write output", "--workers 4"),
        ({"OUTPUT": 5.0}, {"out": "folder"}, "the processor", "instead of one per data file"),
        ({"OUTPUT": 5.0}, {"out": "labels.v2"}, "the processor", "instead of one per data file"),
        (
            {"OUTPUT": 5.0},
            {"out": "shards", "shard_rows": 9, "waiting": 1.0},
            "the disk",
            "another disk (--out-folder measures it)",
        ),
        ({"OUTPUT": 5.0}, {"out": "labels", "to": "yolo", "waiting": 1.0}, "the disk", "another"),
        (
            {"BOOKS": 5.0},
            {"waiting": 1.0},
            "the disk of the output: to keep the books",
            "--workers",
        ),
        (
            {"HEADERS": 2.0, "READ": 1.0},
            {"image_sizes": "all"},
            "the processor: to read image headers takes 67 %",
            "--image-sizes needed",
        ),
        ({"HEADERS": 2.0}, {"waiting": 0.8}, "the storage: to read image headers", "--workers 8"),
        # A stage that touches no storage waits for a busy processor only.
        ({"WRITE": 2.0}, {"waiting": 0.8}, "the processor: to write text takes", "--workers 4"),
        ({"WRITE": 2.0}, {"processes": None}, "the processor: to write text", "more cores"),
        (
            {"WRITE": 0.125},
            {"processes": Processes(workers=4, seconds=[0.7], start=0.5)},
            "the processor: to write text takes 100 %",
            "not much: 4 processes take 3.5 s, one takes 2.2 s",
        ),
    ],
)
def test_the_verdict_follows_from_the_figures(
    seconds: dict[str, float], options: dict[str, Any], bound: str, cure: str
) -> None:
    chosen = {name: options[name] for name in OPTIONS if name in options}
    rest = {name: value for name, value in options.items() if name not in chosen}
    config = IngestConfig(storage_path="data", ontology="ontology.json", **chosen)
    stages = {Stage[name]: value for name, value in seconds.items()}
    processes = {"processes": Processes(workers=4, seconds=[0.75], start=0.5)}
    sentences = verdict(measurement(stages, **{**processes, **rest}), config)
    assert sentences[0].startswith(bound)
    assert cure in sentences[1]


def test_advice_on_processes_has_the_seconds_that_were_measured() -> None:
    config = IngestConfig(storage_path="data", ontology="ontology.json")
    processes = Processes(workers=4, seconds=[0.75], start=0.5)
    _, cure = verdict(measurement({Stage.WRITE: 2.0}, processes=processes), config)
    # 10 × 2 s and a second for all else; 10 × 0.25 s, half a second to start, a second for all else
    assert cure == (
        "all cores share it, in 4.0 s instead of 21.0 s: --workers 4 (the default from 5,000 files on)"
    )

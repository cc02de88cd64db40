from dataclasses import replace
from typing import Any

import pytest

from labelingest.bench.compare import (
    Figure,
    Unit,
    compare,
    obstacles_of_setup,
    threshold_from_text,
)
from labelingest.bench.machine import Machine
from labelingest.bench.measurement import Measurement, Processes
from labelingest.bench.result import Result
from labelingest.errors import ConfigError
from labelingest.stopwatch import Stage
from tests.builders.measurements import measurement

MACHINE = Machine(
    cpu="Fast", cores=2, system="Linux x86_64", python="3.11.7", numpy="2.4.0", labelingest="0.1.0"
)
BASE = {Stage.LIST: [0.02, 0.04], Stage.WRITE: [8.0, 8.5], Stage.OUTPUT: [0.98, 0.46]}


def result(measured: Measurement, **fields: Any) -> Result:
    values: dict[str, Any] = {
        "labelingest_bench": 1,
        "measured": "2026-12-01T04:30:00Z",
        "machine": MACHINE,
        "storage_path": "data",
        "ontology": "a1",
        "options": {},
    }
    return Result(**{**values, **fields}, measurement=measured)


def figure(earlier: list[float], now: list[float]) -> Figure:
    return Figure(name="read text", unit=Unit.MICROSECONDS, earlier=earlier, now=now)


@pytest.mark.parametrize(
    ("earlier", "now", "ratio", "is_above"),
    [
        ([10.0], [11.0], 1.1, False),  # exactly the threshold
        ([10.0], [11.5], 1.15, True),
        ([10.0], [8.0], 0.8, False),
        ([10.0, 12.0, 13.0], [11.5, 11.6, 11.7], 1.15, False),  # below the median of 12
        ([10.0, 11.0, 13.0], [11.5, 18.0, 19.0], 1.15, True),  # above the median of 11
        ([10.0, 10.2, 10.1], [10.0, 30.0, 40.0], 1.0, False),  # one quiet round is enough
        ([], [11.5], None, False),
        ([10.0], [], None, False),
        ([0.0], [11.5], None, False),
    ],
)
def test_a_figure_is_above_the_threshold_beyond_the_noise(
    earlier: list[float], now: list[float], ratio: float | None, is_above: bool
) -> None:
    found = figure(earlier, now)
    assert found.ratio == (None if ratio is None else pytest.approx(ratio))
    assert found.is_above(0.1) is is_above


@pytest.mark.parametrize(
    ("text", "share"), [("10%", 0.1), ("0%", 0.0), ("2.5 %", 0.025), (" 150% ", 1.5)]
)
def test_a_threshold_is_a_percentage(text: str, share: float) -> None:
    assert threshold_from_text(text) == share


@pytest.mark.parametrize(
    ("text", "cure"),
    [("10", "10%"), ("1.1x", "10%"), ("1.25", "25%"), ("ten", "10%"), ("-5%", "10%"), ("", "10%")],
)
def test_another_threshold_is_refused_with_the_percentage_it_means(text: str, cure: str) -> None:
    with pytest.raises(ConfigError) as refused:
        threshold_from_text(text)
    assert str(refused.value).endswith(f"--fail-above {cure}")


def test_times_are_those_of_a_file_by_hand() -> None:
    before = measurement(BASE, processes=Processes(workers=2, seconds=[5.5, 6.0], start=0.5))
    after = measurement(
        {Stage.LIST: [0.04], Stage.WRITE: [12.0], Stage.READ: [1.0]},
        processes=Processes(workers=2, seconds=[5.0], start=0.5),
    )
    times = {figure.name: figure for figure in compare(result(before), result(after)).times}
    # 0.02 s to list, 10 × (8 s + 0.98 s), a second for all else: 90.82 s for 1,000 files
    whole = times["the whole, in one process"]
    assert whole.earlier == pytest.approx([90_820.0, 90_640.0])
    assert whole.now == pytest.approx([131_040.0])
    assert whole.ratio == pytest.approx(131_040 / 90_640)
    assert times["batches, in 2 processes"].earlier == pytest.approx([55_000.0, 60_000.0])
    assert times["batches, in 2 processes"].ratio == pytest.approx(5.0 / 5.5)
    assert times["list"].earlier == pytest.approx([10.0, 20.0])
    assert times["list"].ratio == pytest.approx(2.0)
    assert times["read text"].earlier == []
    assert times["write output"].now == []
    failures = compare(result(before), result(after)).failures(0.1)
    # To list takes twice as long, and too little of the whole to be judged.
    assert [figure.name for figure in failures] == ["the whole, in one process", "write text"]


def test_memory_is_judged_for_the_process_and_for_stages_that_matter() -> None:
    before = measurement(BASE, memory={Stage.LIST: 10_000_000, Stage.WRITE: 30_000_000})
    after = measurement(
        BASE,
        memory={Stage.LIST: 15_000_000, Stage.WRITE: 36_000_000},
        peak_bytes=104_000_000,
    )
    comparison = compare(result(before), result(after))
    memory = {figure.name: figure for figure in comparison.memory}
    assert memory["peak of the process"].ratio == pytest.approx(1.04)
    assert memory["write text"].ratio == pytest.approx(1.2)
    assert [figure.name for figure in comparison.failures(0.1)] == ["write text"]
    assert [figure.name for figure in comparison.failures(0.03)] == [
        "peak of the process",
        "write text",
    ]


def test_unknown_memory_is_not_compared() -> None:
    before, after = measurement(BASE, peak_bytes=None), measurement(BASE)
    comparison = compare(result(before), result(after))
    assert all(figure.ratio is None for figure in comparison.memory)
    assert comparison.failures(0.0) == []


def test_another_number_of_processes_is_shown_and_not_compared() -> None:
    before = measurement(BASE, processes=Processes(workers=2, seconds=[5.0], start=0.5))
    after = measurement(BASE, processes=Processes(workers=4, seconds=[9.0], start=0.5))
    figures = compare(result(before), result(after)).times[1:3]
    assert [figure.name for figure in figures] == [
        "batches, in 2 processes",
        "batches, in 4 processes",
    ]
    assert all(figure.ratio is None for figure in figures)


def test_the_same_setup_has_no_obstacles_and_no_differences() -> None:
    comparison = compare(result(measurement(BASE)), result(measurement(BASE)))
    assert (comparison.obstacles, comparison.differences) == ([], [])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"cores": 8}, "the machine: 8 cores of Fast (Linux x86_64) now, 2 cores of Fast"),
        ({"cpu": "Slow"}, "the machine: 2 cores of Slow"),
        ({"system": "Darwin arm64"}, "the machine: 2 cores of Fast (Darwin arm64) now"),
    ],
)
def test_another_machine_is_an_obstacle(change: dict[str, Any], sentence: str) -> None:
    [obstacle] = obstacles_of_setup(result(measurement(BASE)), replace(MACHINE, **change), {})
    assert obstacle.startswith(sentence)


def test_other_options_are_an_obstacle() -> None:
    earlier = result(measurement(BASE), options={"image_sizes": "never", "to": "coco"})
    found = obstacles_of_setup(earlier, MACHINE, {"to": "coco", "batch_bytes": 9})
    assert found == [
        "--batch-bytes: 9 now, default before",
        "--image-sizes: default now, never before",
    ]


def test_other_versions_and_a_slightly_larger_folder_are_differences() -> None:
    now = result(
        measurement(BASE, data_files=1_050, keys=2_100),
        machine=replace(MACHINE, numpy="2.5.0", labelingest="0.2.0"),
        ontology="b2",
        storage_path="other",
    )
    comparison = compare(result(measurement(BASE)), now)
    assert comparison.obstacles == []
    assert comparison.differences == [
        "labelingest 0.2.0 now, 0.1.0 before",
        "numpy 2.5.0 now, 2.4.0 before",
        "the folder: other now, data before",
        "the content of the ontology file",
        "files in the folder: 2,100 now, 2,000 before",
        "data files: 1,050 now, 1,000 before",
    ]


@pytest.mark.parametrize(
    ("fields", "obstacle"),
    [
        ({"data_files": 1_101}, "data files: 1,101 now, 1,000 before"),
        ({"data_files": 900}, "data files: 900 now, 1,000 before"),
        ({"rows": 900}, "rows a file: 9.00 now, 7.30 before"),
        ({"label_bytes": 56_000}, "label bytes a file: 560 now, 280 before"),
    ],
)
def test_a_folder_of_another_size_or_other_files_is_an_obstacle(
    fields: dict[str, Any], obstacle: str
) -> None:
    comparison = compare(result(measurement(BASE)), result(measurement(BASE, **fields)))
    assert comparison.obstacles == [obstacle]

"""Trees whose files workers write, in any order: the files and refusals of one process."""

import pickle
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labelingest.model.batch_output import BatchOutput, LargeLabels
from labelingest.problems import Problem
from labelingest.sinks.output_folder import MARKER
from labelingest.sinks.tree import TreeSink
from labelingest.sinks.yolo import yolo_tree
from tests.builders.yolo import ontology_for


def sink_at(out: Path) -> TreeSink:
    objects = ontology_for().objects
    return yolo_tree(out, objects, np.arange(len(objects)))


def batch(keys: Sequence[str]) -> BatchOutput:
    return BatchOutput(keys, [f"of {key}".encode() for key in keys])


def files(out: Path) -> dict[str, bytes]:
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }


Outcome = tuple[dict[str, bytes], list[str], list[Any]]


def in_order(out: Path, batches: Sequence[Sequence[str]]) -> Outcome:
    """Return files, problems and marks of a run in one process."""
    with sink_at(out) as sink:
        problems: list[tuple[int, Problem]] = []
        marks: list[Any] = []
        for keys in batches:
            problems += sink.put(batch(keys))
            marks += sink.marks()
    return files(out), texts(problems), marks


def by_workers(
    out: Path,
    batches: Sequence[Sequence[str]],
    order: Sequence[int],
    *,
    repeated: Sequence[int] = (),
) -> Outcome:
    """Return the same of a run whose workers write in another order, and some twice."""
    with sink_at(out) as sink:
        delivered = {}
        for number in (*repeated, *order):
            half = pickle.loads(pickle.dumps(sink.half()))
            delivered[number] = half.deliver(batch(batches[number]))
        problems: list[tuple[int, Problem]] = []
        marks: list[Any] = []
        for number in range(len(batches)):
            problems += sink.put(delivered[number])
            marks += sink.marks()
    return files(out), texts(problems), marks


def texts(problems: Sequence[tuple[int, Problem]]) -> list[str]:
    return [f"{position} {problem}" for position, problem in problems]


CASES = {
    "apart": [["a.jpg", "b.jpg"], ["c/d.jpg"], ["e.jpg"]],
    "one name": [["a.jpg"], ["a.png", "b.jpg"], ["images/a.jpg", "images/b.jpg"]],
    "one name in a batch": [["a.jpg", "a.png", "b.jpg"], ["images/a.jpg"], ["a.gif", "b.png"]],
    "a file and a folder": [["a.jpg", "c.jpg"], ["a.txt/b.jpg"], ["a.txt/d/e.jpg", "c.txt/f.jpg"]],
    "a folder and a file": [["a.txt/b.jpg"], ["a.jpg"], ["a.txt/d.jpg", "a.png"]],
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_who_gets_a_name_does_not_depend_on_which_worker_was_first(
    tmp_path: Path, case: str, order: Sequence[int]
) -> None:
    expected = in_order(tmp_path / "serial", CASES[case])
    assert by_workers(tmp_path / "workers", CASES[case], order) == expected


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("repeated", [[0], [2], [2, 1, 0], [1, 1]])
def test_what_a_lost_worker_wrote_is_written_again(
    tmp_path: Path, case: str, repeated: Sequence[int]
) -> None:
    expected = in_order(tmp_path / "serial", CASES[case])
    assert by_workers(tmp_path / "workers", CASES[case], [0, 1, 2], repeated=repeated) == expected


def test_a_large_label_file_comes_before_a_later_one_of_that_name(tmp_path: Path) -> None:
    with sink_at(tmp_path / "out") as sink:
        late = sink.half().deliver(batch(["a.png"]))
        pieces = LargeLabels(lambda: iter([b"large ", b"file"]), lambda: iter(()))
        assert sink.put(BatchOutput(["a.jpg"], large=pieces)) == []
        [(position, _)] = sink.put(late)
    assert position == 0
    assert files(tmp_path / "out")["labels/a.txt"] == b"large file"


def test_texts_come_back_for_names_that_are_taken_and_for_no_others(tmp_path: Path) -> None:
    with sink_at(tmp_path / "out") as sink:
        half = sink.half()
        half.deliver(batch(["a.jpg"]))
        output = half.deliver(batch(["a.png", "b.png"]))
    assert output.texts == ()
    assert output.delivered.texts == {0: b"of a.png"}


def test_a_worker_that_does_not_see_the_folder_hands_the_texts_on(tmp_path: Path) -> None:
    with sink_at(tmp_path / "out") as sink:
        half = sink.half()
        [token] = [
            path for path in tmp_path.rglob(".labelingest*-*/.labelingest*") if path.name != MARKER
        ]
        token.unlink()
        output = half.deliver(batch(["a.jpg"]))
        assert output.delivered is None
        assert sink.put(output) == []
    assert files(tmp_path / "out")["labels/a.txt"] == b"of a.jpg"
    assert token.name not in files(tmp_path / "out")

"""Label rows that a conversion wrote are read back: the same bytes, and no problem that is new."""

import json
import random
from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelingest.converter import Conversion, Converter, LabelFile
from labelingest.problems import ProblemCode
from labelingest.resolution.ontology_json import load_ontology
from tests.builders.corruption import corrupted
from tests.builders.effort import SEEDS
from tests.builders.encord import encord_converter
from tests.builders.sidecars import client_rows
from tests.builders.yolo import STORAGE_URL, ontology_dict

unhurried = settings(deadline=None)
_CONSEQUENCES = (ProblemCode.MISSING_ANSWER, ProblemCode.RANGE_OFF_OBJECT)
"""Codes that follow from a label that was dropped: said of it in the first place, and of the rest."""
KEYS = ("a.jpg", "früh/ ä 猫.PNG", "a'b\"c\\d.jpeg", "\U0001f600/x.webp")
EXTENSIONS = {
    "image": ".jpg",
    "img_group": "",
    "video": ".mp4",
    "pdf": ".pdf",
    "audio": ".wav",
    "text": ".txt",
    "html": ".html",
}
STRUCTURE = ontology_dict()
STRUCTURE["objects"][1]["name"] = 'Dach "schräg" \U0001f600'

near_edges = st.sampled_from(
    [0.0, 1.0, -0.0, 1e-6, -5e-7, -9.99e-7, 1.0000005, 1.000001, 0.9999999, 1e-300, 5e-324, 2**-52]
)
places = st.one_of(
    st.integers(0, 10).map(lambda n: n / 10),
    st.floats(-0.2, 1.2),
    near_edges,
    st.integers(0, 10**6).map(lambda n: n / 10**6),
)
sizes = st.one_of(st.floats(1e-9, 1), st.integers(1, 10**6).map(lambda n: n / 10**6), near_edges)
points = st.tuples(places, places)


@st.composite
def thin_rings(draw: st.DrawFn) -> list[tuple[float, float]]:
    """Draw vertices on one line, but for the rounding of their coordinates or a little more."""
    (x, y), (dx, dy) = draw(points), draw(points)
    steps = draw(st.lists(st.integers(-4, 4), min_size=3, max_size=6))
    width = draw(st.sampled_from([0.0, 1e-17, 2e-16, 1e-15, 1e-12, 1e-9]))
    return [(x + n * dx / 8 + (i % 2) * width, y + n * dy / 8) for i, n in enumerate(steps)]


@st.composite
def tiny_rings(draw: st.DrawFn) -> list[tuple[float, float]]:
    (x, y), size = draw(points), draw(st.sampled_from([1e-18, 2e-16, 1e-15, 1e-12, 1e-9, 1e-6]))
    corners = draw(st.lists(st.tuples(*[st.integers(0, 3)] * 2), min_size=3, max_size=6))
    return [(x + a * size, y + b * size) for a, b in corners]


rings = st.one_of(
    st.lists(points, min_size=3, max_size=7),
    st.lists(st.sampled_from([(0.1, 0.2), (0.2, 0.3), (0.3, 0.4), (0.7, 0.1)]), min_size=3, max_size=8),
    thin_rings(),
    tiny_rings(),
    st.just([(0.1, 0.1), (0.7, 0.7), (0.7, 0.1), (0.1, 0.7)]),
)  # fmt: skip


@st.composite
def rows(draw: st.DrawFn) -> str:
    numbers = [draw(places), draw(places), draw(sizes), draw(sizes)]
    if not draw(st.booleans()):
        numbers = [number for vertex in draw(rings) for number in vertex]
    confidence = draw(st.sampled_from([(), (0.0,), (1.0,), (0.123456789,)]))
    # Of a box with a rotated object, a sixth number could be an angle.
    return " ".join(map(repr, (draw(st.integers(0, 2)), *numbers, *confidence)))


def read_back(
    structure: dict[str, Any], files: Sequence[LabelFile], done: Conversion
) -> tuple[Conversion, list[LabelFile]]:
    """Return what becomes of the label rows that were written, as sidecars of the same files."""
    written = [
        LabelFile(file.key, text, **_size(file), mtime_ns=file.mtime_ns)
        for file, text in zip(files, done.label_rows, strict=True)
        if text is not None
    ]
    return encord_converter(structure).convert(written), written


def _size(file: LabelFile) -> dict[str, Any]:
    return {} if file.size is None else {"size": file.size}


def canonical(text: bytes | None) -> bytes | None:
    """Return a label row with its keys in one order: sidecars keep theirs, made ones have ours."""
    return None if text is None else orjson.dumps(orjson.loads(text), option=orjson.OPT_SORT_KEYS)


def assert_same(done: Conversion, again: Conversion) -> None:
    written = [canonical(text) for text in done.label_rows if text is not None]
    assert written == [canonical(text) for text in again.label_rows]
    before = {(problem.source, problem.code) for problem in done.problems}
    flawed = {problem.source for problem in done.problems if problem.severity == "error"}
    before |= {(source, code) for source in flawed for code in _CONSEQUENCES}
    assert [str(p) for p in again.problems if (p.source, p.code) not in before] == []


@unhurried
@given(st.lists(st.lists(rows(), max_size=6), min_size=1, max_size=4))
def test_label_rows_of_yolo_rows_are_read_back(drawn: list[list[str]]) -> None:
    converter = Converter.from_ontology(load_ontology(STRUCTURE), storage_url=STORAGE_URL)
    files = [
        LabelFile(KEYS[n], "\n".join(lines).encode(), size=(640, 480), mtime_ns=10**18)
        for n, lines in enumerate(drawn)
    ]
    done = converter.convert(files)
    again, written = read_back(STRUCTURE, files, done)
    assert_same(done, again)
    third, _ = read_back(STRUCTURE, written, again)
    assert third.label_rows == again.label_rows


@pytest.mark.parametrize("seed", SEEDS)
def test_label_rows_of_sidecars_are_read_back(seed: int) -> None:
    rng = random.Random(seed)
    by_structure: dict[str, list[LabelFile]] = {}
    for position, (structure, kind, row) in enumerate(client_rows(seed, 70)):
        damaged = corrupted(row, rng)[0] if position % 2 else row
        file = LabelFile(f"{position}{EXTENSIONS[kind]}", json.dumps(damaged).encode())
        by_structure.setdefault(json.dumps(structure), []).append(file)
    for text, files in by_structure.items():
        done = encord_converter(json.loads(text)).convert(files)
        again, _ = read_back(orjson.loads(text), files, done)
        assert_same(done, again)
        assert [row for row in done.label_rows if row is not None] == list(again.label_rows)

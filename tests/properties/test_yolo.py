"""The converter equals the oracle on files of all kinds, in any order and any batches."""

import math
import random
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import orjson
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from labelingest.converter import Conversion, LabelFile
from labelingest.model.tally import Tally
from labelingest.readers.yolo.layouts import RowLayout
from tests.builders.yolo import STORAGE_URL, converter_for, ontology_dict, ontology_for
from tests.oracles.judge import disagreement, numbers_of, objects_of
from tests.oracles.label_rows import Labelled, label_row
from tests.oracles.yolo import Options, Reading, expected
from tests.oracles.yolo_shapes import corners_of

# Exact geometry in fractions takes its time on a busy machine; none of this is a timing.
unhurried = settings(deadline=None)

SHAPES = {
    0: "bounding_box",
    1: "polygon",
    2: "rotatable_bounding_box",
    7: "bounding_box",
    30: "polygon",
}
OBJECTS = dict(zip(SHAPES, ontology_dict(SHAPES)["objects"], strict=True))
SIZES = st.sampled_from([None, (640, 480), (1000, 1000), (33, 512), (1, 1)])

CLASSES = st.sampled_from(["0", "1", "2", "7", "30", "2.0", "01"])
GRID = st.integers(0, 10).map(lambda n: f"{n / 10}")
FINE = st.integers(0, 10**6).map(lambda n: f"{n / 10**6:.6f}")
OUTSIDE = st.sampled_from(["-0.25", "1.5", "-0.0000005", "1.0000009", "1.000002", "-1e3", "-0.0"])
COORDINATES = st.one_of(GRID, GRID, FINE, FINE, FINE, OUTSIDE)
INSIDE = st.one_of(GRID, FINE)
LENGTHS = st.sampled_from(["0.1", "0.25", "0.5", "0.123456", "1", "1.0", "0.000001", "0.999999"])
ODD_LENGTHS = st.sampled_from(["0", "-0.5", "1.0000005", "1.5", "0.0000001"])
CONFIDENCES = st.sampled_from(["0", "1", "0.5", "0.87654321", "1.5", "-0.1"])


def _joined(*parts: Sequence[str]) -> str:
    return " ".join(token for part in parts for token in part)


BOXES = st.tuples(
    COORDINATES, COORDINATES, st.one_of(LENGTHS, LENGTHS, ODD_LENGTHS), st.one_of(LENGTHS)
)
TINY_BOXES = st.tuples(INSIDE, INSIDE, LENGTHS, LENGTHS)
PIXELS = st.one_of(
    st.integers(0, 700).map(str), st.sampled_from(["0.5", "33", "639.9999999", "-1"])
)
PIXEL_BOXES = st.tuples(PIXELS, PIXELS, PIXELS, PIXELS)
PIXEL_RINGS = st.lists(PIXELS, min_size=6, max_size=16).map(lambda ring: ring[: len(ring) // 2 * 2])
TRACKS = st.sampled_from(["17", "17", "-1", "0.5"])
DEGREES = st.one_of(
    st.floats(-1000, 1000).map(repr), st.sampled_from(["0", "90", "-450", "360", "-1e-20", "1e300"])
)
RINGS = st.one_of(
    st.lists(GRID, min_size=6, max_size=12),
    st.lists(COORDINATES, min_size=6, max_size=24),
    st.lists(FINE, min_size=6, max_size=30),
).map(lambda ring: ring[: len(ring) // 2 * 2])
SMALL_BOXES = st.tuples(INSIDE, INSIDE, st.sampled_from(["0.1", "0.5"]), LENGTHS)
NEAR = st.sampled_from(["0.5", "0.45", "0.55", "0.4", "0.3", "0"])
KEYPOINTS = st.lists(
    st.tuples(NEAR, NEAR, st.sampled_from(["0", "1", "2", "1.0", "0.5"])), min_size=1, max_size=3
)
JOINED = st.lists(
    st.tuples(st.sampled_from(["0", "1", "1.0", "7"]), INSIDE, INSIDE, LENGTHS, LENGTHS),
    min_size=1,
    max_size=3,
)
BEHIND_BOXES = st.one_of(
    KEYPOINTS.map(lambda points: [number for point in points for number in point]),
    KEYPOINTS.map(lambda points: [number for point in points for number in point[:2]]),
    JOINED.map(lambda boxes: [number for box in boxes for number in box]),
)
CLOSED_RINGS = RINGS.map(lambda ring: [*ring, *ring[:2]])
DIRTY = st.sampled_from(
    [
        "0 0.5 0.5",
        "0,0.5,0.5,0.1,0.1",
        "x 0.5 0.5 0.1 0.1",
        "0 0.5 nan 0.1 0.1",
        "9 0.5 0.5 0.1 0.1",
        "0",
        "0 0.5 0.5 0.1 1e999",
        "1.5 0.5 0.5 0.1 0.1",
        "-1 0.5 0.5 0.1 0.1",
        "1 0 0 1 1_0 1 1",
        "0 0.5 0.5 0.1 #",
    ]
)
NO_ROWS = st.sampled_from(["", "  ", "# a comment", "\t# 0 0.5 0.5 0.1 0.1"])


@st.composite
def quadrilaterals(draw: st.DrawFn) -> list[str]:
    """Draw corners of a rotated box, exact, a little off or far off, in any order round."""
    pixels = draw(st.sampled_from([(640, 480), (1000, 1000), (33, 512), (1, 1)]))
    ltwh = [draw(st.floats(-0.1, 0.9)) for _ in "xy"] + [draw(st.floats(0.01, 0.8)) for _ in "wh"]
    theta = draw(st.one_of(st.sampled_from([0.0, 45.0, 90.0, 180.0]), st.floats(0, 360)))
    off = draw(st.sampled_from([0.0, 0.0, 1e-9, 0.02, 0.3, 3.0, 30.0]))
    noise = random.Random(draw(st.integers(0, 10**6)))
    corners = [
        (x + noise.uniform(-off, off), y + noise.uniform(-off, off))
        for x, y in corners_of(ltwh, theta, pixels)
    ]
    first, step = draw(st.integers(0, 3)), draw(st.sampled_from([1, -1]))
    corners = [corners[(first + step * k) % 4] for k in range(4)]
    if draw(st.integers(0, 20)) == 0:
        corners[1], corners[2] = corners[2], corners[1]
    digits = draw(st.sampled_from([3, 6, 17]))
    return [
        f"{c / s:.{digits}f}" for corner in corners for c, s in zip(corner, pixels, strict=True)
    ]


@st.composite
def rows(draw: st.DrawFn) -> str:
    """Draw a row, mostly one that can be converted."""
    kind = draw(st.integers(0, 16))
    if kind == 0:
        return draw(DIRTY)
    if kind == 1:
        return draw(NO_ROWS)
    if kind > 14:
        return _joined([draw(CLASSES)], draw(SMALL_BOXES), draw(BEHIND_BOXES))
    numbers = draw(st.one_of(BOXES, TINY_BOXES, RINGS, CLOSED_RINGS, quadrilaterals()))
    tail = [draw(CONFIDENCES)] if draw(st.integers(0, 3)) == 0 else []
    return _joined([draw(CLASSES)], numbers, tail)


def _keypoints(kpt_shape: tuple[int, int]) -> st.SearchStrategy[list[str]]:
    numbers = st.one_of(GRID, st.sampled_from(["0", "0.5", "2", "1", "3", "-1"]))
    count = math.prod(kpt_shape)
    return st.one_of(st.just(["0.5"] * count), st.lists(numbers, min_size=count, max_size=count))


@st.composite
def layout_rows(draw: st.DrawFn, layout: str, kpt_shape: tuple[int, int] | None) -> str:
    """Draw a row that mostly fits a declared layout."""
    if layout == "columns" or draw(st.integers(0, 6)) == 0:
        return draw(rows())
    angle = draw(
        st.one_of(st.floats(-10, 10).map(repr), st.sampled_from(["0", "1.5707963", "-1e-20"]))
    )
    parts: dict[str, Any] = {
        "box": [draw(st.one_of(TINY_BOXES, BOXES))],
        "box+confidence": [draw(TINY_BOXES), [draw(CONFIDENCES)]],
        "confidence+box": [[draw(CONFIDENCES)], draw(TINY_BOXES)],
        "box+track": [draw(TINY_BOXES), [draw(TRACKS)]],
        "box+confidence+track": [draw(TINY_BOXES), [draw(CONFIDENCES)], ["-1"]],
        "polygon": [draw(st.one_of(RINGS, CLOSED_RINGS, quadrilaterals()))],
        "polygon+confidence": [draw(st.one_of(RINGS, quadrilaterals())), [draw(CONFIDENCES)]],
        "corners": [draw(quadrilaterals())],
        "corners+confidence": [draw(quadrilaterals()), [draw(CONFIDENCES)]],
        "xywhr": [draw(TINY_BOXES), [angle]],
        "xywhr-degrees": [draw(TINY_BOXES), [draw(DEGREES)]],
        "box-pixels": [draw(PIXEL_BOXES)],
        "polygon-pixels": [draw(PIXEL_RINGS)],
        "pose": [draw(TINY_BOXES), draw(_keypoints(kpt_shape or (0, 0)))],
    }
    if layout == "box+class":
        return _joined(draw(st.one_of(TINY_BOXES, BOXES)), [draw(CLASSES)])
    return _joined([draw(CLASSES)], *parts[layout])


def _file(rows_of_file: Sequence[str], repeated: Sequence[int]) -> bytes:
    """Make a file of rows, some of them repeated."""
    lines = [
        *rows_of_file,
        *(rows_of_file[k % len(rows_of_file)] for k in repeated if rows_of_file),
    ]
    return "\n".join(lines).encode()


FILES = st.builds(
    _file, st.lists(rows(), max_size=8), st.lists(st.integers(0, 9), max_size=2)
)  # fmt: skip
OPTIONS = st.fixed_dictionaries(
    {
        "decided_by_evidence": st.sampled_from([False, False, True]),
        "out_of_range": st.sampled_from(["clip", "clip", "keep", "reject"]),
        "snap_edges": st.booleans(),
        "reject_shape_mismatch": st.sampled_from([False, False, False, True]),
        "drop_duplicates": st.booleans(),
        "warn_misfit": st.sampled_from([0.1, 0.1, 0.01, 0.5]),
    }
)
LAYOUTS = st.sampled_from([layout for layout in RowLayout if layout != RowLayout.AUTO])


def _agree(done: Conversion, reading: Reading, size: tuple[int, int] | None) -> None:
    """Compare one file with what the oracle says."""
    _agree_on_problems(done, reading)
    _agree_on_counts(done.tally, reading)
    (made,) = done.as_dicts()
    assert made is not None
    objects = objects_of(made)
    assert len(objects) == len(reading.annotations)
    for one, wanted in zip(objects, reading.annotations, strict=True):
        assert one["featureHash"] == OBJECTS[wanted.class_number]["featureNodeHash"]
        assert not disagreement(one, wanted, size)
    assert done.label_rows[0] == orjson.dumps(_by_hand(made, reading, size))


def _agree_on_problems(done: Conversion, reading: Reading) -> None:
    places = Counter((p.code.value, p.line, p.column) for p in done.problems)
    places.subtract((p.code, p.line, p.column) for p in reading.problems)
    optional = Counter((p.code, p.line, p.column) for p in reading.optional)
    places.subtract(+(places & optional))
    assert not +places
    assert not -places


def _agree_on_counts(tally: Tally, reading: Reading) -> None:
    assert tally.balance()
    assert tally.rows_seen == reading.rows_seen
    assert tally.rejected == reading.rejected
    assert tally.converted == reading.converted
    assert tally.adjusted == reading.adjusted
    refitted = tally.refitted.steps.total()
    surely = len(reading.refitted)
    assert surely <= refitted <= surely + reading.perhaps_refitted
    if reading.refitted and not reading.perhaps_refitted:
        assert math.isclose(tally.refitted.largest, max(reading.refitted), rel_tol=1e-9)


def _by_hand(
    made: dict[str, Any], reading: Reading, size: tuple[int, int] | None
) -> dict[str, Any]:
    """Write out the label row; numbers that agree but for rounding, and names, are as made."""
    objects = objects_of(made)
    assert len({one["objectHash"] for one in objects}) == len(objects)
    labelled = [
        Labelled(
            OBJECTS[wanted.class_number],
            wanted.numbers if wanted.exact else numbers_of(one),
            wanted.confidence,
            one["objectHash"],
        )
        for one, wanted in zip(objects, reading.annotations, strict=True)
    ]
    return label_row(
        "train/a b.jpg",
        labelled,
        storage_url=STORAGE_URL,
        ontology_identity=ontology_for(SHAPES).identity,
        mtime_ns=1_767_631_618_123_456_789,
        size=size if reading.needs_size else None,
    )


def _convert(content: bytes, size: tuple[int, int] | None, **options: Any) -> Conversion:
    file = LabelFile("train/a b.jpg", content, size, 1_767_631_618_123_456_789, "train/a b.txt")
    return converter_for(SHAPES, **options).convert([file])


@unhurried
@given(FILES, SIZES, OPTIONS)
# Both sides of the box lie outside the image, by less than a millionth.
@example(b"0 -0.0000005 0.1 0.0000001 0.1", None, {"out_of_range": "clip"})
@example(b"0 0.5 1.0000005 0.1 0.0000001", None, {"out_of_range": "keep"})
def test_a_file_becomes_what_the_oracle_says(
    content: bytes, size: tuple[int, int] | None, options: dict[str, Any]
) -> None:
    reading = expected(content, SHAPES, size=size, options=Options(**options))
    _agree(_convert(content, size, **options), reading, size)


@unhurried
@given(st.data(), LAYOUTS, SIZES, OPTIONS)
def test_a_declared_layout_is_read_as_the_oracle_reads_it(
    data: st.DataObject, layout: str, size: tuple[int, int] | None, options: dict[str, Any]
) -> None:
    kpt_shape = data.draw(st.sampled_from([(1, 2), (3, 3)])) if layout == "pose" else None
    drawn = data.draw(st.lists(layout_rows(layout, kpt_shape), max_size=8))
    options |= {"row_layout": layout, "kpt_shape": kpt_shape}
    content = "\n".join(drawn).encode()
    reading = expected(content, SHAPES, size=size, options=Options(**options))
    _agree(_convert(content, size, **options), reading, size)


@unhurried
@given(st.lists(st.tuples(FILES, SIZES), min_size=1, max_size=8), st.data())
def test_batches_and_order_of_files_make_no_difference(
    contents: list[tuple[bytes, tuple[int, int] | None]], data: st.DataObject
) -> None:
    converter = converter_for(SHAPES)
    files = [
        LabelFile(f"{number}.jpg", content, size, number * 10**9)
        for number, (content, size) in enumerate(contents)
    ]
    whole = converter.convert(files)
    shuffled = data.draw(st.permutations(files))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(files)), max_size=3)))
    bounds = [0, *cuts, len(files)]
    batches = [shuffled[a:b] for a, b in pairwise(bounds)]
    parts = [converter.convert(batch) for batch in batches]
    label_rows = {
        file.key: row
        for batch, part in zip(batches, parts, strict=True)
        for file, row in zip(batch, part.label_rows, strict=True)
    }
    assert [label_rows[file.key] for file in files] == list(whole.label_rows)
    # Problems of one file come together and in order, so a stable sort by file undoes the order.
    problems = [problem for part in parts for problem in part.problems]
    assert sorted(problems, key=lambda p: int(p.source[:-4])) == list(whole.problems)
    assert Tally.sum(part.tally for part in parts) == whole.tally


@unhurried
@given(FILES, SIZES)
def test_skipping_files_withholds_those_with_a_bad_row_and_no_others(
    content: bytes, size: tuple[int, int] | None
) -> None:
    reading = expected(content, SHAPES, size=size)
    done = _convert(content, size, on_row_error="skip-file")
    assert done.tally.balance()
    assert (done.label_rows[0] is None) == bool(reading.rejected)
    assert any(p.code == "file-skipped" for p in done.problems) == bool(reading.rejected)
    if not reading.rejected:
        assert done.label_rows == _convert(content, size).label_rows


@unhurried
@given(FILES, SIZES, st.sampled_from(["needed", "all", "never"]))
def test_sizes_are_written_where_they_were_read(
    content: bytes, size: tuple[int, int] | None, image_sizes: str
) -> None:
    reading = expected(content, SHAPES, size=None if image_sizes == "never" else size)
    done = _convert(content, size, image_sizes=image_sizes)
    (made,) = done.as_dicts()
    assert made is not None
    (unit,) = made["data_units"].values()
    wanted = {"needed": reading.needs_size, "all": True, "never": False}[image_sizes]
    found = (unit["width"], unit["height"]) if "width" in unit else None
    assert found == (size if wanted else None)
    assert len(objects_of(made)) == len(reading.annotations)


@unhurried
@given(FILES, SIZES)
def test_what_was_made_is_finite(content: bytes, size: tuple[int, int] | None) -> None:
    done = _convert(content, size, out_of_range="keep")
    (made,) = done.as_dicts()
    assert made is not None
    objects = objects_of(made)
    assume(objects)
    assert all(math.isfinite(number) for one in objects for number in numbers_of(one))

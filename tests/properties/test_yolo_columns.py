"""Every problem of a row points at the token that is to blame, in every layout and spacing."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelingest.readers.yolo.layouts import RowLayout
from tests.builders.yolo import converter_for

SIZE = (640, 480)
BOX = {"cx": "0.5", "cy": "0.5", "w": "0.25", "h": "0.5"}
PIXEL_BOX = {"cx": "320", "cy": "240", "w": "64", "h": "48"}
RING = {"x1": "0.25", "y1": "0.25", "x2": "0.75", "y2": "0.125", "x3": "0.875", "y3": "0.5"}
QUAD = {"x1": "0.5", "y1": "0.1", "x2": "0.9", "y2": "0.4", "x3": "0.75", "y3": "0.6"} | {
    "x4": "0.35",
    "y4": "0.3",
}
CLASS = {"class": "0"}
CONFIDENCE = {"confidence": "0.75"}
TRACK = {"track": "17"}
KEYPOINTS = {"kx": "0.5", "ky": "0.5", "kv": "2"}

ROWS: Mapping[str, Sequence[Mapping[str, str]]] = {
    "auto": [
        *(CLASS | BOX, CLASS | BOX | CONFIDENCE, CLASS | RING, CLASS | RING | CONFIDENCE),
        *(CLASS | QUAD, CLASS | QUAD | CONFIDENCE),
    ],
    "columns": [CLASS | BOX, CLASS | BOX | CONFIDENCE, CLASS | RING | CONFIDENCE, CLASS | QUAD],
    "box": [CLASS | BOX],
    "box+confidence": [CLASS | BOX | CONFIDENCE],
    "confidence+box": [CLASS | CONFIDENCE | BOX],
    "box+track": [CLASS | BOX | TRACK],
    "box+confidence+track": [CLASS | BOX | CONFIDENCE | TRACK],
    "polygon": [CLASS | RING, CLASS | QUAD],
    "polygon+confidence": [CLASS | RING | CONFIDENCE, CLASS | QUAD | CONFIDENCE],
    "corners": [CLASS | QUAD],
    "corners+confidence": [CLASS | QUAD | CONFIDENCE],
    "xywhr": [CLASS | BOX | {"angle": "0.5"}],
    "xywhr-degrees": [CLASS | BOX | {"angle": "30"}],
    "pose": [CLASS | BOX | KEYPOINTS],
    "box-pixels": [CLASS | PIXEL_BOX],
    "polygon-pixels": [CLASS | {name: f"{float(text) * 400:g}" for name, text in RING.items()}],
    "box+class": [BOX | CLASS],
}
"""Layout → rows as names and texts of their tokens."""


class Change(NamedTuple):
    """A change of a valid row, and the problem that follows."""

    token: str
    """Name of the token that is replaced."""
    text: str
    code: str
    place: str
    """Name of the token that the problem points at; or "first coordinate"."""
    decided: bool = False


CHANGES = [
    Change("class", "x", "bad-class-number", "class"),
    Change("class", "-1", "bad-class-number", "class"),
    Change("class", "7", "unknown-class", "class"),
    *(
        Change(token, text, code, token)
        for token in ("cx", "h", "x2", "y3", "confidence", "track", "angle", "kx", "kv")
        for text, code in (("x", "not-a-number"), ("nan", "not-finite"), ("1,5", "not-a-number"))
    ),
    Change("cx", "700", "out-of-range", "cx"),
    Change("cy", "-600", "out-of-range", "cy"),
    Change("w", "0", "out-of-range", "w"),
    Change("h", "-1", "out-of-range", "h"),
    Change("x3", "-2000", "far-outside-image", "first coordinate"),
    Change("confidence", "1.5", "bad-confidence", "confidence"),
    Change("confidence", "1.5", "layout-contradicted", "confidence", decided=True),
    Change("track", "0.5", "layout-contradicted", "track", decided=True),
    Change("kv", "3", "layout-contradicted", "kv", decided=True),
]


def _cases() -> list[Any]:
    return [
        pytest.param(layout, row, change, id=f"{layout}, {len(row)} columns: {change}")
        for layout, layout_rows in ROWS.items()
        for row in layout_rows
        for change in CHANGES
        if change.token in row
        if not change.decided or layout not in ("auto", "columns")
    ]


SPACES = st.text(" \t", min_size=1, max_size=4)


@st.composite
def lines(draw: st.DrawFn, texts: Sequence[str]) -> tuple[str, list[int]]:
    """Draw a line of tokens, with any blanks between them, and the column of each."""
    line, columns = draw(st.text(" \t", max_size=3)), []
    for text in texts:
        columns.append(len(line) + 1)
        line += text + draw(SPACES)
    return line, columns


def _problems(
    line: str, layout: str, *, size: tuple[int, int] | None = SIZE, **options: Any
) -> list[tuple[str, int | None, int | None]]:
    kpt_shape = (1, 3) if layout == "pose" else None
    converter = converter_for(row_layout=layout, kpt_shape=kpt_shape, **options)
    before = "# é\r\n\r\n"
    conversion = converter.convert([("a.jpg", (before + line).encode(), size)])
    return [
        (p.code.value, p.line, p.column) for p in conversion.problems if p.code != "no-row-left"
    ]


def _first_coordinate(row: Mapping[str, str]) -> int:
    return next(position for position, name in enumerate(row) if name in ("cx", "x1"))


def test_every_layout_has_rows() -> None:
    assert set(ROWS) == set(RowLayout)


@pytest.mark.parametrize(("layout", "row", "change"), _cases())
@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_a_problem_points_at_its_token(
    layout: str, row: Mapping[str, str], change: Change, data: st.DataObject
) -> None:
    texts = [change.text if name == change.token else text for name, text in row.items()]
    line, columns = data.draw(lines(texts))
    position = (
        _first_coordinate(row)
        if change.place == "first coordinate"
        else list(row).index(change.place)
    )
    places = _problems(line, layout, decided_by_evidence=change.decided)
    assert places == [(change.code, 3, columns[position])]


@pytest.mark.parametrize(
    ("layout", "row"), [(layout, row) for layout, rows in ROWS.items() for row in rows]
)
@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_a_problem_of_the_whole_row_points_at_its_start(
    layout: str, row: Mapping[str, str], data: st.DataObject
) -> None:
    short, columns = data.draw(lines(list(row.values())[:4]))
    code = "too-few-columns" if layout in ("auto", "columns") else "wrong-column-count"
    assert _problems(short, layout) == [(code, 3, columns[0])]
    line, columns = data.draw(lines(list(row.values())))
    again, columns_again = data.draw(lines(list(row.values())))
    assert _problems(f"{line}\n{again}", layout) == [("duplicate-row", 4, columns_again[0])]
    if layout.endswith("-pixels"):
        assert _problems(line, layout, size=None) == [("image-size-unknown", 3, columns[0])]

import sys
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
import pytest

from labelingest.encord.identifiers import data_hashes, object_hashes
from labelingest.errors import ConfigError
from labelingest.writers import parquet
from tests.builders.annotations import Batch, Row, batch_of, with_instances
from tests.builders.yolo import STORAGE_URL

pq = pytest.importorskip("pyarrow.parquet")

SHAPES = {7: "bounding_box", 8: "polygon", 9: "rotatable_bounding_box"}
BOX, POLYGON, ROTATED = range(3)
ROWS = [
    Row(BOX, (0.25, 0.5, 0.5, 0.25), confidence=0.75),
    Row(POLYGON, (0.25, 0.25, 0.75, 0.25, 0.5, 0.75)),
    Row(ROTATED, (0.25, 0.5, 0.5, 0.25, 30.0), unit=1),
]


def bytes_of(*batches: Batch) -> bytes:
    stream = BytesIO()
    with parquet.ParquetWriter(stream, batches[0].ontology, STORAGE_URL) as writer:
        for batch in batches:
            writer.add(batch.annotations, batch.units)
    assert writer.rows == sum(len(batch.annotations) for batch in batches)
    return stream.getvalue()


def table(*batches: Batch) -> Any:
    return pq.read_table(BytesIO(bytes_of(*batches)))


@pytest.fixture
def batch() -> Batch:
    return batch_of(ROWS, [(200, 100), None], SHAPES)


def test_a_row_is_an_annotation(batch: Batch) -> None:
    first, second = data_hashes(STORAGE_URL, ["images/0.jpg", "images/1.jpg"])
    a = batch.annotations
    hashes = object_hashes(batch.units.key, a.unit, a.line, a.content)
    nothing = dict.fromkeys(("left", "top", "width", "height", "theta", "vertices", "parts"))
    edges = {"left": 0.25, "top": 0.5, "width": 0.5, "height": 0.25}
    sized: dict[str, Any] = {"key": "images/0.jpg", "data_hash": first}
    sized |= {"image_width_px": 200, "image_height_px": 100}
    unsized: dict[str, Any] = {"key": "images/1.jpg", "data_hash": second}
    unsized |= {"image_width_px": None, "image_height_px": None}
    vertices = list(ROWS[1].numbers)
    expected: list[dict[str, Any]] = [
        sized | nothing | edges | {"confidence": 0.75, "manual": False},
        sized | nothing | {"vertices": vertices, "confidence": None, "manual": True},
        unsized | nothing | edges | {"theta": 30.0, "confidence": None, "manual": True},
    ]
    for i, (row, (number, shape)) in enumerate(zip(expected, SHAPES.items(), strict=True), 1):
        row |= {"name": f"Class {number}", "shape": shape, "feature_hash": f"{i:08x}"}
        row |= {"frame": 0, "line": i, "object_hash": hashes[i - 1]}
    assert table(batch).to_pylist() == expected


def test_columns_have_the_types_that_are_promised(batch: Batch) -> None:
    schema = table(batch).schema
    types = {field.name: str(field.type) for field in schema}
    for word in ("element: ", " not null"):
        types = {name: kind.replace(word, "") for name, kind in types.items()}
    assert types == dict(parquet.COLUMNS)
    assert list(types) == list(parquet.COLUMNS)


def test_no_rows_make_a_table_with_all_columns() -> None:
    rows = table(batch_of([], [(1, 1)], SHAPES))
    assert (rows.num_rows, rows.column_names) == (0, list(parquet.COLUMNS))


PARTS = [[list(ROWS[1].numbers), [0.4, 0.3, 0.6, 0.3, 0.5, 0.6]], [[0.0, 0.0, 0.1, 0.0, 0.1, 0.1]]]


def test_annotations_of_label_rows_have_their_hashes_frames_and_rings() -> None:
    shapes = {**SHAPES, 10: "polyline", 11: "audio"}
    rows = [*ROWS, Row(3, (), unit=1), Row(4, (), unit=2)]
    batch = with_instances(
        batch_of(rows, [(200, 100), None, None], shapes),
        frames=[0, 0, 3, 12, -1],
        parts={1: PARTS},
        keys=["a.jpg", "b.mp4", "c.wav"],
    )
    rows = table(batch)
    assert rows["object_hash"].to_pylist() == [f"hash+/0{i}" for i in range(5)]
    assert rows["frame"].to_pylist() == [0, 0, 3, 12, None]
    assert rows["line"].to_pylist() == [None] * 5
    assert rows["shape"].to_pylist()[3:] == ["polyline", "audio"]
    assert rows["parts"].to_pylist() == [None, PARTS, None, None, None]
    assert rows["vertices"].to_pylist() == [None, PARTS[0][0], None, None, None]
    assert rows["left"].to_pylist() == [0.25, None, 0.25, None, None]
    assert rows["theta"].to_pylist() == [None, None, 30.0, None, None]


def test_batches_follow_each_other(batch: Batch) -> None:
    assert table(batch, batch).to_pylist() == 2 * table(batch).to_pylist()


@pytest.mark.parametrize("units_a_batch", [1, 4, 60])
def test_bytes_do_not_depend_on_batches(
    units_a_batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "GROUP_ROWS", 50)
    rows = [ROWS[i % 3]._replace(unit=i // 7) for i in range(7 * 60)]
    batch = batch_of(rows, [(200, 100)] * 60, SHAPES)
    batches = [
        replace(batch, annotations=batch.annotations.of_units(np.arange(60) // units_a_batch == i))
        for i in range(60 // units_a_batch)
    ]
    content = bytes_of(*batches)
    assert content == bytes_of(batch)
    groups = pq.ParquetFile(BytesIO(content)).metadata
    sizes = [groups.row_group(i).num_rows for i in range(groups.num_row_groups)]
    assert sizes == [50] * 8 + [20]


def test_without_pyarrow_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigError, match=r"install labelingest\[parquet\]"):
        parquet.ParquetWriter(BytesIO(), batch_of([], [], SHAPES).ontology, STORAGE_URL)

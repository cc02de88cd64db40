"""Everything that is written loads in the official client and reads back the same."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from encord.objects.coordinates import (
    BoundingBoxCoordinates,
    PolygonCoordinates,
    RotatableBoundingBoxCoordinates,
)

from labelingest.converter import LabelFile
from tests.builders.yolo import converter_for, ontology_dict
from tests.oracles.client import load
from tests.oracles.judge import numbers_of, objects_of

SIZE = (640, 480)
MTIME_NS = 1_767_631_618_000_000_000
ROWS = """
0 0.5 0.5 0.25 0.5
0 0.1 0.2 0.3 0.4 0.87654321
0 0.9 0.2 0.3 0.4
0 0.1 0.1 0.9 0.1 0.5 0.5
1 0.1 0.2 0.3 0.7 0.6 0.123456789
1 0.1 0.1 0.9 0.1 0.9 0.9 0.1 0.9 0.25
1 0 0 1 1 0 1 1 0
1 0.5 0.5 0.25 0.5
2 0.5 0.1 0.9 0.4 0.75 0.6 0.35 0.3
2 0.779296 0.690429 0.625976 0.451171 0.88965 0.266601 1.04199 0.51465
2 0.1 0.1 0.5 0.1 0.4 0.3 0.1 0.3 0.5
2 0.5 0.5 0.25 0.5
2 0.1 0.1 0.9 0.1 0.5 0.5
0 0.5 0.5 0.25 0.5
0 0.5 0.5 5e-324 1e-300
1 1e-320 0 1 5e-324 1 1
"""


def _label_row(
    text: str = ROWS, size: tuple[int, int] | None = SIZE, **options: Any
) -> dict[str, Any]:
    file = LabelFile("train/ä b.jpg", text.encode(), size, MTIME_NS)
    (label_row,) = converter_for(**options).convert([file]).as_dicts()
    assert label_row is not None
    return label_row


def _read_back(label_row: Mapping[str, Any]) -> dict[str, tuple[str, list[float], float, bool]]:
    """Return class, numbers, confidence and kind of author by object hash, as the client has them."""
    found = {}
    for instance in load(label_row, ontology_dict()).get_object_instances():
        (annotation,) = instance.get_annotations()
        assert annotation.frame == 0
        found[instance.object_hash] = (
            instance.feature_hash,
            _numbers(annotation.coordinates),
            annotation.confidence,
            annotation.manual_annotation,
        )
    return found


def _numbers(coordinates: object) -> list[float]:
    if isinstance(coordinates, PolygonCoordinates):
        ((ring,),) = coordinates.polygons
        return [value for point in ring for value in (point.x, point.y)]
    assert isinstance(coordinates, BoundingBoxCoordinates | RotatableBoundingBoxCoordinates)
    box = coordinates
    ltwh = [box.top_left_x, box.top_left_y, box.width, box.height]
    return [*ltwh, box.theta] if isinstance(box, RotatableBoundingBoxCoordinates) else ltwh


def _written(label_row: Mapping[str, Any]) -> dict[str, tuple[str, list[float], float, bool]]:
    return {
        one["objectHash"]: (
            one["featureHash"],
            numbers_of(one),
            one["confidence"],
            one["manualAnnotation"],
        )
        for one in objects_of(label_row)
    }


@pytest.mark.parametrize("image_sizes", ["all", "needed", "never"])
def test_objects_read_back_as_written(image_sizes: str) -> None:
    label_row = _label_row(image_sizes=image_sizes)
    written = _written(label_row)
    assert len(written) == (12 if image_sizes == "never" else 16)
    assert _read_back(label_row) == written


@pytest.mark.parametrize("layout", ["xywhr", "xywhr-degrees", "box+track"])
def test_declared_layouts_read_back_as_written(layout: str) -> None:
    rows = "0 0.5 0.5 0.25 0.5 0.5\n1 0.5 0.5 0.25 0.5 -0.5\n2 0.5 0.5 0.25 0.5 7"
    label_row = _label_row(rows, row_layout=layout)
    assert len(_written(label_row)) == 3
    assert _read_back(label_row) == _written(label_row)


def test_coordinates_outside_the_image_read_back_as_written() -> None:
    label_row = _label_row("0 0.1 0.2 0.9 0.4\n1 -0.75 0 1.5 0 0 2", out_of_range="keep")
    assert len(_written(label_row)) == 2
    assert _read_back(label_row) == _written(label_row)


@pytest.mark.parametrize("text", ["", "# nothing here\n", "9 0.5 0.5 0.1 0.1"])
def test_a_label_row_without_objects_loads(text: str) -> None:
    assert _read_back(_label_row(text)) == {}


def test_dates_and_author_read_back() -> None:
    row = load(_label_row("0 0.5 0.5 0.25 0.5"), ontology_dict())
    ((annotation,),) = (one.get_annotations() for one in row.get_object_instances())
    moment = datetime.fromtimestamp(MTIME_NS / 10**9, UTC)
    assert annotation.created_at.astimezone(UTC) == moment
    assert annotation.last_edited_at.astimezone(UTC) == moment
    assert annotation.created_by is None


def test_identity_and_size_read_back() -> None:
    label_row = _label_row(image_sizes="all")
    row = load(label_row, ontology_dict())
    assert (row.label_hash, row.data_hash) == (label_row["label_hash"], label_row["data_hash"])
    assert (row.dataset_hash, row.data_title) == (label_row["dataset_hash"], "ä b.jpg")
    assert (row.data_link, row.width, row.height) == ("s3://bucket/drive/train/ä b.jpg", *SIZE)


def test_the_client_writes_the_same_label_row_again() -> None:
    label_row = _label_row(image_sizes="all")
    again = load(label_row, ontology_dict()).to_encord_dict()
    # The order of objects carries no meaning, and the client changes it.
    for row in (again, label_row):
        objects_of(row).sort(key=lambda one: str(one["objectHash"]))
    assert again == label_row


def test_a_hundred_files_have_hashes_of_their_own() -> None:
    files = [LabelFile(f"{number}.jpg", ROWS.encode(), SIZE) for number in range(100)]
    label_rows = converter_for().convert(files).as_dicts()
    loaded = [load(row, ontology_dict()) for row in label_rows if row is not None]
    assert len({row.label_hash for row in loaded}) == len({row.data_hash for row in loaded}) == 100
    hashes = {one.object_hash for row in loaded for one in row.get_object_instances()}
    assert len(hashes) == 100 * 16

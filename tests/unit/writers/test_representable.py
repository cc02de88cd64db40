import json

import pytest

from labelingest.converter import LabelFile
from labelingest.problems import ProblemCode
from tests.builders.encord import BOX, encord_converter, label_row


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("to", ["coco", "yolo"])
def test_a_coordinate_that_is_no_number_of_pixels_costs_its_annotation(
    to: str,
) -> None:
    row = label_row(
        {"AAAAAAAA": {"boundingBox": {**BOX, "x": 1e300}}, "BBBBBBBB": {"boundingBox": BOX}}
    )
    converter = encord_converter(to=to)
    conversion = converter.convert([LabelFile("a.jpg", json.dumps(row).encode())])
    assert ProblemCode.NO_PLACE_IN_FORMAT in {p.code for p in conversion.problems}
    assert conversion.tally.annotations == 1
    assert conversion.tally.balance()

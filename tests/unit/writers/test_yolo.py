from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from labelingest.errors import ConfigError
from labelingest.model.ontology import ClassMap
from labelingest.problems import ProblemCode
from labelingest.problems.capped import MAX_LISTED
from labelingest.writers import yolo
from labelingest.writers.target import Written
from labelingest.writers.yolo import class_numbers
from tests.builders.annotations import Batch, Row, batch_of, with_instances
from tests.builders.outputs import target_options
from tests.builders.yolo import ontology_for

SHAPES = {7: "bounding_box", 8: "polygon", 9: "rotatable_bounding_box"}
BOX, POLYGON, ROTATED = range(3)
SIZE = (200, 100)
# The worked example of the label row format: 100 × 20 pixels about (100, 50), turned by 30 degrees.
TURNED = Row(ROTATED, (0.25, 0.4, 0.5, 0.2, 30.0))
TURNED_CORNERS = [
    *(0.3084936490538903, 0.16339745962155612, 0.7415063509461097, 0.6633974596215562),
    *(0.6915063509461097, 0.8366025403784439, 0.25849364905389035, 0.33660254037844384),
]
TRIANGLE = Row(POLYGON, (0.25, 0.25, 0.75, 0.25, 0.5, 0.75))


def files_of(batch: Batch, numbers: Sequence[int] | None = None, **options: Any) -> Written:
    """Write what can be represented; the rest is in the findings, and the books add up."""
    objects = batch.ontology.objects
    of_class = class_numbers(batch.class_map, objects) if numbers is None else np.array(numbers)
    target = target_options(batch.ontology, class_numbers=of_class, **options)
    rows = yolo.representable(batch.annotations, batch.units, target, batch.findings)
    assert len(rows) + batch.findings.rejected.total() == len(batch.annotations)
    return yolo.write(rows, batch.units, target)


def text_of(row: Row, size: tuple[int, int] | None = SIZE, **options: Any) -> str:
    (text,) = files_of(batch_of([row], [size], SHAPES), **options).texts
    return text.decode()


def numbers(text: str) -> list[float]:
    return [float(column) for column in text.split()]


def test_a_box_is_written_by_its_centre() -> None:
    assert text_of(Row(BOX, (0.25, 0.5, 0.5, 0.25)), None) == "7 0.5 0.625 0.5 0.25\n"


def test_a_polygon_is_written_vertex_by_vertex() -> None:
    assert text_of(TRIANGLE, None) == "8 0.25 0.25 0.75 0.25 0.5 0.75\n"


def test_a_rotated_box_is_written_by_its_corners_from_the_top_left_of_the_unrotated_box() -> None:
    number, *corners = numbers(text_of(TURNED))
    assert number == 9
    assert corners == pytest.approx(TURNED_CORNERS, abs=1e-12)


def test_an_angle_of_zero_needs_no_image_size() -> None:
    text = text_of(Row(ROTATED, (0.25, 0.5, 0.5, 0.25, 0.0)), None)
    assert text == "9 0.25 0.5 0.75 0.5 0.75 0.75 0.25 0.75\n"


def test_a_file_has_the_rows_of_its_unit_and_one_without_rows_is_empty() -> None:
    rows = [Row(BOX, (0.0, 0.0, 1.0, 1.0)), TRIANGLE, Row(BOX, (0.5, 0.5, 0.5, 0.5), unit=2)]
    files = files_of(batch_of(rows, [SIZE] * 3, SHAPES))
    assert list(files.texts) == [
        b"7 0.5 0.5 1.0 1.0\n8 0.25 0.25 0.75 0.25 0.5 0.75\n",
        b"",
        b"7 0.75 0.75 0.5 0.5\n",
    ]
    assert (files.converted, files.dropped) == ({}, {})


def test_small_numbers_are_written_without_exponent() -> None:
    assert text_of(Row(POLYGON, (0.0, 1e-7, 1.0, 0.0, 2.5e-9, 1.0))) == (
        "8 0.0 0.0000001 1.0 0.0 0.0000000025 1.0\n"
    )


class TestConfidence:
    ROWS = (
        Row(BOX, (0.25, 0.5, 0.5, 0.25), confidence=0.75),
        Row(BOX, (0.25, 0.5, 0.5, 0.25)),
        TRIANGLE._replace(confidence=0.5),
    )

    def test_it_is_the_last_column_of_rows_that_have_one(self) -> None:
        (text,) = files_of(batch_of(self.ROWS, [SIZE], SHAPES)).texts
        assert text.decode().splitlines() == [
            "7 0.5 0.625 0.5 0.25 0.75",
            "7 0.5 0.625 0.5 0.25",
            "8 0.25 0.25 0.75 0.25 0.5 0.75 0.5",
        ]

    def test_it_is_counted_where_it_is_left_out(self) -> None:
        files = files_of(batch_of(self.ROWS, [SIZE], SHAPES), confidence=False)
        assert files.texts[0].splitlines()[0] == b"7 0.5 0.625 0.5 0.25"
        assert files.dropped == {"confidence": 2}


class TestLayout:
    def test_box_writes_the_envelope_of_a_polygon(self) -> None:
        assert text_of(TRIANGLE, layout="box") == "8 0.5 0.5 0.5 0.5\n"

    def test_box_writes_the_envelope_of_a_rotated_box(self) -> None:
        # Half sides in pixels: 50 cos 30° + 10 sin 30° and 50 sin 30° + 10 cos 30°.
        expected = [9, 0.5, 0.5, 2 * 48.30127018922193 / 200, 2 * 33.66025403784439 / 100]
        assert numbers(text_of(TURNED, layout="box")) == pytest.approx(expected, abs=1e-12)

    def test_box_writes_a_rotated_box_at_an_angle_of_zero_as_it_is(self) -> None:
        row = Row(ROTATED, (0.701 - 0.128 / 2, 0.5, 0.128, 0.25, 0.0))
        assert text_of(row, None, layout="box") == "9 0.701 0.625 0.128 0.25\n"

    def test_polygon_writes_the_corners_of_a_box_clockwise_from_the_top_left(self) -> None:
        text = text_of(Row(BOX, (0.25, 0.5, 0.5, 0.25)), None, layout="polygon")
        assert text == "7 0.25 0.5 0.75 0.5 0.75 0.75 0.25 0.75\n"

    def test_polygon_writes_the_corners_of_a_rotated_box(self) -> None:
        assert numbers(text_of(TURNED, layout="polygon"))[1:] == pytest.approx(TURNED_CORNERS)

    def test_corners_writes_the_smallest_rectangle_around_a_polygon_in_pixels(self) -> None:
        # A square stood on its corner in pixels: it is its own smallest rectangle.
        diamond = Row(POLYGON, (0.25, 0.0, 0.5, 0.5, 0.25, 1.0, 0.0, 0.5))
        columns = numbers(text_of(diamond, (200, 100), layout="corners"))
        assert columns == pytest.approx([8, *diamond.numbers], abs=1e-12)

    def test_corners_writes_a_box_by_its_corners(self) -> None:
        text = text_of(Row(BOX, (0.25, 0.5, 0.5, 0.25)), None, layout="corners")
        assert text == "7 0.25 0.5 0.75 0.5 0.75 0.75 0.25 0.75\n"

    @pytest.mark.parametrize(
        ("layout", "converted"),
        [
            ("auto", {}),
            ("box", {"polygon → box": 2, "rotated box → box": 1}),
            ("polygon", {"box → polygon": 3, "rotated box → polygon": 1}),
            ("corners", {"box → rotated box": 3, "polygon → rotated box": 2}),
        ],
    )
    def test_what_changes_its_kind_is_counted(self, layout: str, converted: dict[str, int]) -> None:
        box = Row(BOX, (0.25, 0.5, 0.5, 0.25))
        rows = [box, TRIANGLE, TURNED, box, TRIANGLE, box]
        assert files_of(batch_of(rows, [SIZE], SHAPES), layout=layout).converted == converted

    def test_rows_keep_their_order_whatever_they_become(self) -> None:
        rows = [TURNED, TRIANGLE, Row(BOX, (0.25, 0.5, 0.5, 0.25)), TURNED, TRIANGLE]
        for layout in ("auto", "box", "polygon", "corners"):
            (text,) = files_of(batch_of(rows, [SIZE], SHAPES), layout=layout).texts
            assert [line.split()[0] for line in text.splitlines()] == [b"9", b"8", b"7", b"9", b"8"]
            assert text.decode() == "".join(text_of(row, layout=layout) for row in rows)

    def test_one_that_is_not_known_is_refused(self) -> None:
        with pytest.raises(ConfigError, match="'obb' is not known; choose one of auto, box"):
            text_of(TRIANGLE, layout="obb")


class TestRowsThatCannotBeWritten:
    def test_an_object_without_class_number_is_a_problem_for_each_row(self) -> None:
        batch = batch_of([TRIANGLE, Row(BOX, (0.0, 0.0, 1.0, 1.0)), TRIANGLE], [SIZE], SHAPES)
        files = files_of(batch, [7, -1, 9])
        assert list(files.texts) == [b"7 0.5 0.5 1.0 1.0\n"]
        assert batch.findings.rejected == {ProblemCode.NO_CLASS_NUMBER: 2}
        assert [str(problem) for problem in batch.findings.in_order()] == [
            f"labels/0.txt:{line}: no-class-number: 'Class 8' has no class number: add an external "
            "ID or an override (7=Class 8)"
            for line in (1, 3)
        ]

    @pytest.mark.parametrize(("row", "layout"), [(TURNED, "auto"), (TRIANGLE, "corners")])
    def test_what_is_turned_needs_the_size_of_the_image(self, row: Row, layout: str) -> None:
        batch = batch_of([row, Row(BOX, (0.0, 0.0, 1.0, 1.0))], [None], SHAPES)
        (text,) = files_of(batch, layout=layout).texts
        assert [line.split()[0] for line in text.splitlines()] == [b"7"]
        assert batch.findings.rejected == {ProblemCode.IMAGE_SIZE_UNKNOWN: 1}

    @pytest.mark.parametrize("size", [(1, 1), (1, 64), (64, 1)])
    def test_an_image_of_one_pixel_has_a_size(self, size: tuple[int, int]) -> None:
        batch = batch_of([TURNED], [size], SHAPES)
        (text,) = files_of(batch).texts
        assert len(text.split()) == 9
        assert not batch.findings.rejected

    def test_a_row_is_rejected_for_one_cause(self) -> None:
        batch = batch_of([TURNED], [None], SHAPES)
        files_of(batch, [-1, -1, -1])
        assert batch.findings.rejected == {ProblemCode.NO_CLASS_NUMBER: 1}


class TestLabelRows:
    """Annotations as they come from label rows: with hashes, frames and all parts of polygons."""

    KEYS = ("a.jpg", "group")
    BOX = Row(BOX, (0.25, 0.5, 0.5, 0.25))
    # A square with two holes, and a triangle beside it.
    SQUARE = (0.25, 0.25, 0.5, 0.25, 0.5, 0.5, 0.25, 0.5)
    HOLES = ((0.3, 0.3, 0.4, 0.3, 0.3, 0.4), (0.45, 0.45, 0.5, 0.45, 0.5, 0.5))
    BESIDE = (0.75, 0.25, 1.0, 0.25, 1.0, 0.75)

    def polygons(self, *parts: Any) -> Batch:
        """Return a box, a polygon of those parts and a triangle."""
        rows = [self.BOX, Row(POLYGON, parts[0][0]), TRIANGLE]
        return with_instances(batch_of(rows, [SIZE], SHAPES), parts={1: parts})

    def test_what_is_on_no_image_or_has_no_columns_is_a_problem_at_its_object(self) -> None:
        rows = [self.BOX, Row(3, ()), self.BOX._replace(unit=1)]
        batch = batch_of(rows, [SIZE] * 2, {**SHAPES, 10: "polyline"})
        batch = with_instances(batch, frames=[0, 0, 7], keys=self.KEYS)
        assert list(files_of(batch).texts) == [b"7 0.5 0.625 0.5 0.25\n", b""]
        assert batch.findings.rejected == {ProblemCode.NO_PLACE_IN_FORMAT: 2}
        only = "no-place-in-format: YOLO has"
        cure = "--to encord or --to parquet writes it"
        assert [str(problem) for problem in batch.findings.in_order()] == [
            f"labels/0.txt#/object_answers/hash+~101: {only} boxes, rotated boxes and polygons "
            f"only, and 'Class 10' is of shape polyline: {cure}",
            f"labels/1.txt#/object_answers/hash+~102: {only} labels of single images only, and this "
            f"is an image group: {cure}",
        ]

    @pytest.mark.parametrize("frame", [1, -1])
    def test_what_is_on_another_frame_than_the_first_has_no_place(self, frame: int) -> None:
        batch = with_instances(batch_of([self.BOX], [SIZE], SHAPES), frames=[frame])
        assert list(files_of(batch).texts) == [b""]
        assert batch.findings.rejected == {ProblemCode.NO_PLACE_IN_FORMAT: 1}

    def test_a_shape_without_columns_is_rejected_for_that_and_not_for_its_class_number(
        self,
    ) -> None:
        batch = with_instances(batch_of([Row(0, ())], [None], {1: "point", 2: "polygon"}))
        files_of(batch, [-1, 2])
        assert batch.findings.rejected == {ProblemCode.NO_PLACE_IN_FORMAT: 1}

    def test_problems_beyond_those_that_are_listed_are_counted(self) -> None:
        count = MAX_LISTED + 5
        batch = batch_of([self.BOX] * count, [None], SHAPES)
        files_of(with_instances(batch, frames=[1] * count, keys=["group"]))
        assert batch.findings.rejected == {ProblemCode.NO_PLACE_IN_FORMAT: MAX_LISTED + 5}
        assert batch.findings.in_order()[-1].count == 5

    def test_a_polygon_of_several_parts_is_a_row_for_each(self) -> None:
        files = files_of(self.polygons([self.SQUARE], [self.BESIDE]))
        assert files.texts[0].decode().splitlines() == [
            "7 0.5 0.625 0.5 0.25",
            "8 0.25 0.25 0.5 0.25 0.5 0.5 0.25 0.5",
            "8 0.75 0.25 1.0 0.25 1.0 0.75",
            "8 0.25 0.25 0.75 0.25 0.5 0.75",
        ]
        assert files.converted == {"polygon of several parts → polygon each": 1}
        assert files.dropped == {}

    def test_each_row_of_a_part_has_the_confidence(self) -> None:
        batch = batch_of([Row(POLYGON, self.SQUARE, confidence=0.5)], [SIZE], SHAPES)
        batch = with_instances(batch, parts={0: [[self.SQUARE], [self.BESIDE]]})
        (text,) = files_of(batch).texts
        assert [line.split()[-1] for line in text.splitlines()] == [b"0.5", b"0.5"]
        assert files_of(batch, confidence=False).dropped == {"confidence": 1}

    @pytest.mark.parametrize("layout", ["auto", "box", "polygon", "corners"])
    def test_holes_are_counted(self, layout: str) -> None:
        files = files_of(self.polygons([self.SQUARE, *self.HOLES]), layout=layout)
        assert files.dropped == {"hole": 2}
        assert len(files.texts[0].splitlines()) == 3
        if layout == "auto":
            assert files.texts[0].splitlines()[1] == b"8 0.25 0.25 0.5 0.25 0.5 0.5 0.25 0.5"

    def test_box_is_drawn_around_all_parts(self) -> None:
        files = files_of(self.polygons([self.SQUARE], [self.BESIDE]), layout="box")
        assert files.texts[0].splitlines()[1] == b"8 0.625 0.5 0.75 0.5"
        assert files.converted == {"polygon → box": 2}

    def test_corners_are_those_of_the_smallest_rectangle_around_all_parts(self) -> None:
        # Two halves of a square that stands on its corner, in pixels.
        left = (0.25, 0.0, 0.25, 1.0, 0.0, 0.5)
        right = (0.25, 0.0, 0.5, 0.5, 0.25, 1.0)
        batch = batch_of([Row(POLYGON, left)], [(200, 100)], SHAPES)
        files = files_of(with_instances(batch, parts={0: [[left], [right]]}), layout="corners")
        corners = numbers(files.texts[0].decode())[1:]
        vertices = sorted(zip(corners[::2], corners[1::2], strict=True))
        assert np.allclose(vertices, [(0.0, 0.5), (0.25, 0.0), (0.25, 1.0), (0.5, 0.5)], atol=1e-12)
        assert files.converted == {"polygon → rotated box": 1}


def test_an_object_with_several_class_numbers_gets_the_smallest() -> None:
    class_map = ClassMap(np.array([1, 4, 6]), np.array([2, 0, 2], dtype=np.int32))
    assert class_numbers(class_map, ontology_for(SHAPES).objects).tolist() == [4, -1, 1]


def test_no_annotations_are_empty_files() -> None:
    files = files_of(batch_of([], [SIZE, None], SHAPES))
    assert list(files.texts) == [b"", b""]


def test_no_units_are_no_files() -> None:
    assert list(files_of(batch_of([], [], SHAPES)).texts) == []

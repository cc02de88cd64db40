from collections.abc import Mapping

import numpy as np
import pytest

from labelingest.columns.types import Int64, UInt8
from labelingest.evidence.decide import Hints, decide
from labelingest.evidence.reading import Decision
from labelingest.evidence.rows import NO_SHAPE, rows_of_sheet
from labelingest.model.annotations import ColumnShape
from labelingest.model.blobs import Blobs
from labelingest.readers.yolo.read import sheet_of
from tests.builders.row_layouts import ROW_MAKERS, label_files

BOX, ROTATED, POLYGON = ColumnShape.BOX, ColumnShape.ROTATED_BOX, ColumnShape.POLYGON
TABLE = "--row-layout auto"


def decided(
    contents: Mapping[str, bytes], *shapes: ColumnShape, hints: Hints | None = None
) -> Decision:
    """Decide label files; class numbers 0, 1 and 2 have the shapes given, or the only one."""
    of_numbers = np.array([*(shapes if len(shapes) == 3 else shapes * 3)], dtype=np.uint8)

    def shape_of(numbers: Int64) -> UInt8:
        is_mapped = numbers < 3
        return np.where(is_mapped, of_numbers[np.minimum(numbers, 2)], NO_SHAPE).astype(np.uint8)

    sheet = sheet_of(Blobs.from_contents(list(contents.values())))
    return decide(rows_of_sheet(sheet, shape_of), hints)


def text(*rows: str) -> dict[str, bytes]:
    return {"a.txt": "\n".join(rows).encode()}


def flags(decision: Decision) -> list[str]:
    """Return the flags of the choices, or those of the reading where there is no choice."""
    return [c.flags for c in decision.choices] or [decision.reading.flags]


BOXES = {
    "boxes": TABLE,
    "polygons": TABLE,
    "triangles": TABLE,
    "quads": TABLE,
    "pose 17 x 3": "--row-layout pose --kpt-shape 17 3",
    "pose 5 x 2": "--row-layout pose --kpt-shape 5 2",
    "pose 1 x 2": "--row-layout pose --kpt-shape 1 2",
    "pose 1 x 3": "--row-layout pose --kpt-shape 1 3",
    "confidence last": "--row-layout box+confidence",
    "confidence first": "--row-layout confidence+box",
    "track": "--row-layout box+track",
    "confidence and track": "--row-layout box+confidence+track",
    "class last": "--row-layout box+class",
    "box pixels": "--row-layout box-pixels",
    "corners pixels": TABLE,
    "polygon pixels": "--row-layout polygon-pixels",
    "joined": "--row-layout box",
}
"""Name of a generated folder → the layout that bounding boxes have there."""


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", BOXES)
def test_rows_of_bounding_boxes_are_recognised(name: str, seed: int) -> None:
    decision = decided(label_files(ROW_MAKERS[name], 250, seed=seed), BOX)
    assert flags(decision) == [BOXES[name]]
    assert sum(fact.rows for fact in decision.evidence) == decision.evidence[0].total


@pytest.mark.parametrize("name", ["boxes", "polygons", "triangles", "quads", "pose 5 x 2"])
@pytest.mark.parametrize("shape", [POLYGON, ROTATED])
def test_rows_as_their_shapes_want_them_are_never_read_another_way(
    name: str, shape: ColumnShape
) -> None:
    decision = decided(label_files(ROW_MAKERS[name], 250), shape)
    assert flags(decision) == [TABLE]


@pytest.mark.parametrize("name", ["boxes", "polygons", "triangles", "quads"])
@pytest.mark.parametrize("files", [1, 2, 3, 5, 8])
def test_small_folders_of_usual_rows_are_neither_refused_nor_read_another_way(
    name: str, files: int
) -> None:
    for seed in range(40):
        decision = decided(label_files(ROW_MAKERS[name], files, seed=seed), BOX)
        assert flags(decision) == [TABLE], seed


DEGREES = ["--row-layout xywhr-degrees", "--row-layout columns"]
ANGLES = ["--row-layout xywhr", *DEGREES]


@pytest.mark.parametrize(
    ("name", "shape", "choices"),
    [
        ("mixture", BOX, ["--row-layout pose --kpt-shape 17 3", "--row-layout columns"]),
        ("degrees", ROTATED, DEGREES),
        ("radians", ROTATED, ANGLES),
        ("degrees", BOX, DEGREES),
        ("radians", BOX, ANGLES),
        (
            "confidence last",
            ROTATED,
            [
                "--row-layout xywhr",
                "--row-layout box+confidence",
                "--row-layout xywhr-degrees",
                "--row-layout columns",
            ],
        ),
    ],
)
def test_what_the_rows_do_not_tell_is_asked(
    name: str, shape: ColumnShape, choices: list[str]
) -> None:
    decision = decided(label_files(ROW_MAKERS[name], 250), shape)
    assert flags(decision) == choices
    assert not decision.is_decided
    assert decision.why


@pytest.mark.parametrize("name", ["pose 1 x 2", "pose 5 x 2"])
def test_a_few_poses_without_visibility_are_asked(name: str) -> None:
    decision = decided(label_files(ROW_MAKERS[name], 3), BOX)
    assert len(decision.choices) == 3


@pytest.mark.parametrize(
    "rows",
    [
        ["0 .5 .5 .1 .1 .9"],
        ["0 .5 .5 .4 .4 .45 .6"],
        ["0 .5 .5 .1 .1 7", "0 .4 .4 .1 .1 9"],
        [".5 .5 .1 .1 0"],
        ["0 .9 .5 .5 .1 .1"],
        ["0 320 240 50 60"],
        ["a b c", "0 .5"],
        [],
    ],
)
def test_one_or_two_rows_are_read_by_the_table(rows: list[str]) -> None:
    assert flags(decided(text(*rows), BOX)) == [TABLE]


@pytest.mark.parametrize("jitter", [0.0, 0.01])
def test_one_outline_in_all_images_of_a_fixed_camera_is_not_decided_to_be_a_pose(
    jitter: float,
) -> None:
    # Read as a pose, each row is a box with its keypoint inside, and the size lies far outside.
    random = np.random.default_rng(0)
    rows = np.array([0.6, 0.5, 0.3, 0.4, 0.5, 0.6]) + random.uniform(-jitter, jitter, (200, 6))
    contents = {f"{i}.txt": f"0 {' '.join(map(str, row))}".encode() for i, row in enumerate(rows)}
    decision = decided(contents, BOX)
    assert not decision.is_decided
    assert "--row-layout polygon" in flags(decision)


def test_one_row_with_visibilities_of_many_keypoints_is_a_pose() -> None:
    decision = decided(text("0 .5 .5 .4 .4 .4 .5 2 .5 .5 1 .6 .5 2"), BOX)
    assert decision.reading.kpt_shape == (3, 3)


def test_a_few_rows_that_contradict_thousands_do_not_hinder_a_decision() -> None:
    contents = label_files(ROW_MAKERS["pose 17 x 3"], 1000)
    contents["other.txt"] = b"0 .5 .5 .1 .1\n1 .5 .5 .1 .1\n"
    decision = decided(contents, BOX)
    assert flags(decision) == ["--row-layout pose --kpt-shape 17 3"]
    pose, box = decision.evidence
    assert (box.rows, pose.rows + 2) == (2, pose.total)
    assert str(pose) == f"{pose.rows:,} of {pose.total:,} rows: box + 17 × 3 keypoints"


def test_a_hundredth_of_the_rows_hinders_a_decision() -> None:
    contents = label_files(ROW_MAKERS["pose 17 x 3"], 100)
    contents["other.txt"] = b"0 .5 .5 .1 .1\n" * 3
    assert decided(contents, BOX).choices


def test_polygons_of_another_class_are_not_sacrificed_for_poses() -> None:
    contents = label_files(ROW_MAKERS["pose 5 x 2"], 200)
    decision = decided(contents, BOX, BOX, POLYGON)
    assert flags(decision) == ["--row-layout pose --kpt-shape 5 2", "--row-layout columns"]


def test_visibilities_beyond_1_tell_poses_on_classes_of_any_shape() -> None:
    contents = label_files(ROW_MAKERS["pose 17 x 3"], 50)
    for shape in (POLYGON, ROTATED):
        assert flags(decided(contents, shape)) == ["--row-layout pose --kpt-shape 17 3"]


def test_the_kpt_shape_of_the_data_set_decides_a_few_rows() -> None:
    hints = Hints(kpt_shape=(1, 2))
    decision = decided(text("0 .5 .5 .4 .4 .45 .6"), BOX, hints=hints)
    assert flags(decision) == ["--row-layout pose --kpt-shape 1 2"]


def test_a_kpt_shape_that_the_rows_contradict_decides_nothing() -> None:
    hints = Hints(kpt_shape=(17, 3))
    contents = label_files(ROW_MAKERS["polygons"], 200)
    assert flags(decided(contents, BOX, hints=hints)) == [TABLE]


def test_a_data_set_of_segments_has_polygons() -> None:
    hints = Hints(task="segment")
    contents = label_files(ROW_MAKERS["pose 5 x 2"], 3)
    assert flags(decided(contents, BOX, hints=hints)) == [TABLE]


def test_rows_of_pixels_and_of_fractions_together_are_asked() -> None:
    contents = label_files(ROW_MAKERS["box pixels"], 200)
    contents["other.txt"] = b"0 .5 .5 .1 .1\n"
    assert flags(decided(contents, BOX)) == ["--row-layout box-pixels", "--row-layout columns"]


@pytest.mark.parametrize("row", ["0 320 240 100 50 .9 3", "0 320 240 100 50 310 230 300 250"])
def test_boxes_in_pixels_with_something_behind_are_no_polygons(row: str) -> None:
    assert flags(decided(text(*[row] * 20), BOX)) == [TABLE]


def test_whole_degrees_are_no_track_ids() -> None:
    random = np.random.default_rng(0)
    rows = [f"0 .5 .5 .1 .1 {angle}" for angle in random.permutation(180)[:20]]
    contents = {f"{i}.txt": "\n".join(rows[2 * i : 2 * i + 2]).encode() for i in range(10)}
    assert flags(decided(contents, BOX)) == [
        "--row-layout box+track",
        "--row-layout xywhr-degrees",
        "--row-layout columns",
    ]


def test_numbers_that_files_repeat_are_no_track_ids() -> None:
    rows = [f"0 .5 .5 .1 .1 {number % 3}" for number in range(20)]
    assert decided(text(*rows), BOX).choices


@pytest.mark.parametrize("columns", [5, 6, 7, 8, 9, 10, 14, 56])
@pytest.mark.parametrize("number", ["1e308", "-1e308", "0"])
def test_numbers_at_the_ends_of_their_range_decide_nothing(number: str, columns: int) -> None:
    decision = decided(text(*["0 " + " ".join([number] * (columns - 1))] * 20), BOX)
    assert not decision.is_decided


def test_the_order_of_files_does_not_matter() -> None:
    for name, maker in ROW_MAKERS.items():
        contents = label_files(maker, 60)
        backwards = dict(reversed(contents.items()))
        assert decided(contents, BOX) == decided(backwards, BOX), name


@pytest.mark.parametrize("rows", [2, 3])
def test_rows_that_all_lost_line_ends_are_refused(rows: int) -> None:
    row = "2 .5 .5 .1 .1"
    decision = decided(text(*[" ".join([row] * rows)] * 20), BOX)
    assert flags(decision) == ["--row-layout columns"]
    assert decision.why == "20 of 20 rows: several rows without the line ends between them"
    assert decision.otherwise == "correct the label files, which need one row on each line, or "


def test_half_of_the_line_ends_may_be_missing() -> None:
    row = "0 .5 .5 .1 .1"
    decision = decided(text(*[row, f"{row} {row}"] * 20), BOX)
    assert flags(decision) == ["--row-layout box", "--row-layout columns"]


@pytest.mark.parametrize("shape", [POLYGON, ROTATED])
def test_joined_rows_of_other_shapes_are_told_by_their_class_numbers(shape: ColumnShape) -> None:
    rows = [f"{i % 3} .5 .5 .1 .1 {(i + 1) % 3} .6 .5 .1 .1" for i in range(20)]
    assert flags(decided(text(*rows), shape)) == ["--row-layout columns"]
    assert not decided(text(*rows, *["0 .1 .1 .3 .1 .3 .3 .1 .3 .9"] * 40), shape).choices


def test_joined_rows_of_polygon_classes_and_of_unmapped_numbers_are_no_evidence() -> None:
    row = "0 .5 .5 .1 .1"
    assert not decided(text(*[f"{row} {row}"] * 20), POLYGON).choices
    assert not decided(text(*[f"{row} 9 .5 .5 .1 .1"] * 20), BOX).choices


def test_rows_of_unmapped_classes_are_no_evidence() -> None:
    contents = {
        key: b"\n".join(b"9" + row[1:] for row in content.splitlines())
        for key, content in label_files(ROW_MAKERS["pose 17 x 3"], 50).items()
    }
    decision = decided(contents, BOX)
    assert flags(decision) == [TABLE]
    assert decision.evidence[0].words == "no class number that is mapped"


@pytest.mark.parametrize("name", ["polygons", "triangles", "quads"])
def test_polygons_of_bounding_boxes_are_known_to_be_polygons(name: str) -> None:
    assert decided(label_files(ROW_MAKERS[name], 200), BOX).has_polygons
    assert not decided(label_files(ROW_MAKERS[name], 200), POLYGON).has_polygons


def test_a_few_long_rows_are_not_known_to_be_polygons() -> None:
    long_row = "0 .5 .5 .4 .4 .45 .6"
    assert not decided(text(long_row), BOX).has_polygons
    assert not decided(text(*["0 .5 .5 .4 .4"] * 100, long_row), BOX).has_polygons


def _poses(keypoints: int, behind: str, *, scale: float = 1, pairs: bool = False) -> list[str]:
    """Return rows of boxes in many places, with keypoints in them and something behind these."""
    rng = np.random.default_rng(5)
    rows = []
    for _ in range(20):
        centre, size = rng.uniform(0.2, 0.8, 2), rng.uniform(0.1, 0.3, 2)
        points = centre + size * rng.uniform(-0.5, 0.5, (keypoints, 2))
        columns = np.hstack((points * scale, rng.integers(0, 3, (keypoints, 1))))
        numbers = [*centre * scale, *size * scale, *(points if pairs else columns).ravel()]
        rows.append(" ".join(["0", *(f"{number:.6g}" for number in numbers), behind]))
    return rows


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (_poses(17, "0.87"), "box + 17 × 3 keypoints + confidence"),
        (_poses(17, "0.87 4"), "box + 17 × 3 keypoints + confidence + track ID"),
        (_poses(5, "0.87", pairs=True), "box + 5 × 2 keypoints + confidence"),
    ],
)
def test_poses_with_a_confidence_behind_them_are_asked_about(rows: list[str], words: str) -> None:
    decision = decided(text(*rows), BOX)
    assert flags(decision) == ["--row-layout columns"]
    assert decision.why.startswith(f"{words}: no layout has such rows")


def test_poses_in_pixels_with_visibilities_are_no_polygons() -> None:
    rows = _poses(4, "", scale=1000)
    assert flags(decided(text(*rows), BOX)) == [TABLE]


def test_polygons_in_pixels_may_begin_at_the_edge() -> None:
    rows = [f"0 0 {n} 640 {n + 9} 640 480 0 480" for n in range(300, 330)]
    assert flags(decided(text(*rows), BOX)) == ["--row-layout polygon-pixels"]


def test_a_confidence_and_the_only_track_of_a_folder_are_asked_about() -> None:
    rows = [f"0 0.5 0.{n} 0.1 0.1 0.9{n} 1" for n in range(2, 8)]
    assert flags(decided(text(*rows), BOX)) == [
        "--row-layout box+confidence+track",
        "--row-layout columns",
    ]

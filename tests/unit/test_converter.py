"""What only whole batches show: sizes that are missing, and files too bad to be explained."""

from dataclasses import replace

import numpy as np
import pytest

from labelingest.converter import LabelFile
from labelingest.model.units import DataUnits
from labelingest.problems import ProblemCode
from labelingest.problems.capped import MAX_LISTED
from tests.builders.yolo import SHAPES, converter_for


def test_a_size_that_was_wanted_and_is_missing_is_named_for_each_image() -> None:
    files = [
        LabelFile("a.jpg", b"", None, 0, "a.txt"),
        LabelFile("b.jpg", b"", (640, 480), 0, "b.txt"),
        LabelFile("c.jpg", b"0 .5 .5 .5 .5", None, 0, "c.txt"),
    ]
    done = converter_for(SHAPES, image_sizes="all").convert(files)
    assert [(p.code.value, p.source) for p in done.problems] == [
        ("image-size-missing", "a.jpg"),
        ("image-size-missing", "c.jpg"),
    ]


@pytest.mark.parametrize("image_sizes", ["needed", "never"])
def test_a_size_that_was_not_wanted_is_not_missed(image_sizes: str) -> None:
    done = converter_for(SHAPES, image_sizes=image_sizes).convert([("a.jpg", b"0 .5 .5 .5 .5")])
    assert not done.problems


def test_an_image_without_label_row_misses_no_size() -> None:
    done = converter_for(SHAPES, image_sizes="all").convert([("a.jpg", b"\0")])
    assert [p.code.value for p in done.problems] == ["not-text"]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("0,0.5,0.5,0.1,0.1", "not-a-number"),
        ("car 0.5 0.5 0.1 0.1", "bad-class-number"),
        ("0 0.5 nan 0.1 0.1", "not-finite"),
        ("0 0.5", "too-few-columns"),
        ("0 320 240 64 48", "out-of-range"),
    ],
)
def test_bad_rows_beyond_those_listed_are_counted(row: str, code: str) -> None:
    rows = MAX_LISTED + 3
    done = converter_for(SHAPES).convert([("a.jpg", f"{row}\n".encode() * rows)])
    assert sum(p.count for p in done.problems if p.code == code) == rows
    assert done.tally.rejected == {code: rows}
    assert done.tally.balance()


def test_an_outline_too_tangled_to_check_is_kept_and_named() -> None:
    # Zigzag lines side by side from corner to corner: every edge lies beside every other.
    points = [(k % 2 * 0.9 + k * 1e-5, k % 2 * 0.9 - k * 1e-5 + 0.1) for k in range(6000)]
    row = "1 " + " ".join(f"{x:.6f} {y:.6f}" for x, y in points)
    done = converter_for(SHAPES).convert([("a.jpg", row.encode())])
    assert [(p.code.value, p.line, p.column) for p in done.problems] == [
        ("polygon-not-checked", 1, 3)
    ]
    assert done.tally.annotations == 1


@pytest.mark.parametrize("to", ["encord", "yolo", "coco"])
@pytest.mark.parametrize(
    "key", ["a.mp4", "a.mkv", "a.wav", "a.pdf", "a.txt", "a.json", "a.html", "a.DCM", "a.nii.gz"]
)
@pytest.mark.parametrize("text", [b"0 .5 .5 .2 .2\n9 .5 .5 .2 .2\n", b""])
def test_rows_of_yolo_make_no_label_row_of_a_file_that_is_no_image(
    key: str, text: bytes, to: str
) -> None:
    converter = replace(converter_for(SHAPES), to=to)
    file, size = LabelFile(key, text, sidecar="a.label"), (64, 48)
    conversion = converter.convert([file, LabelFile("b.jpg", text, size)])
    assert conversion.is_converted.tolist() == [False, True]
    [refused] = [p for p in conversion.problems if p.code == "wrong-data-type"]
    assert (refused.source, refused.severity.value) == ("a.label", "error")
    assert f"{key!r} is " in refused.detail
    assert conversion.tally.balance()
    rows = text.count(b"0 .5")
    assert conversion.tally.rejected[ProblemCode.WRONG_DATA_TYPE] == rows
    assert (conversion.tally.failed_files, conversion.tally.annotations) == (1, rows)
    # Slice by slice, as large files are converted.
    unit = DataUnits.from_keys([key], ["a.label"], np.zeros(1, np.int64))
    large = converter.convert_large(text, unit, lambda rows: np.full((len(rows), 2), -1, np.int32))
    assert not large.is_converted.any()
    assert refused in large.problems
    assert large.tally.balance()


@pytest.mark.parametrize("key", ["a.JPEG", "frame-1", "frame.0001", "a.webp"])
def test_a_file_that_can_be_an_image_gets_its_label_row(key: str) -> None:
    assert converter_for(SHAPES).convert([(key, b"0 .5 .5 .2 .2")]).is_converted.all()

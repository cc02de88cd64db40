import numpy as np
import pytest

from labelingest.model.blobs import Blobs
from labelingest.model.source_labels import SourceKind
from labelingest.model.units import DataUnits
from labelingest.problems.of_batch import BatchProblems
from labelingest.readers.yolo.layouts import RowCut, YoloOptions, cut_rows
from labelingest.readers.yolo.read import read


def places(cut: RowCut) -> list[list[int]]:
    columns = (cut.kind, cut.begin, cut.coordinates, cut.confidence)
    return [column[cut.fits].tolist() for column in columns]


@pytest.mark.parametrize(
    ("layout", "counts"),
    [("box", [5]), ("polygon", [7, 11, 13]), ("polygon+confidence", [8, 12])],
)
def test_a_declared_layout_cuts_rows_as_their_number_of_columns_does(
    layout: str, counts: list[int]
) -> None:
    count = np.array(counts)
    assert places(cut_rows(count, YoloOptions(layout))) == places(cut_rows(count, YoloOptions()))


def test_positions_from_the_end_of_a_row_follow_its_length() -> None:
    cut = cut_rows(np.array([8, 9, 10]), YoloOptions("polygon+confidence"))
    assert cut.fits.tolist() == [True, False, True]
    assert places(cut) == [[SourceKind.RING] * 2, [1, 1], [6, 8], [7, 9]]


def test_no_rows_are_cut_to_nothing() -> None:
    none = np.zeros(0, dtype=np.int64)
    for options in (YoloOptions(), YoloOptions("box"), YoloOptions("pose", (17, 3))):
        assert places(cut_rows(none, options)) == [[], [], [], []]


def test_a_problem_is_at_the_first_bad_token_of_its_own_row() -> None:
    text = b"# no numbers here\n0 .5 .5 .2 x\n-1 .5 nan .2 .4\n0 .5 .5 .2 .4\n0 .5 y z .4"
    problems = BatchProblems()
    units = DataUnits.from_keys(["a.jpg"], ["a.txt"], np.zeros(1, np.int64))
    labels = read(Blobs.from_contents([text]), units, YoloOptions(), problems).labels
    assert labels.line.tolist() == [4]
    assert [(p.line, p.column, p.code.value) for p in problems.in_order()] == [
        (2, 12, "not-a-number"),
        (3, 1, "bad-class-number"),
        (5, 6, "not-a-number"),
    ]

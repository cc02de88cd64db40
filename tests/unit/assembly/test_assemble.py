from collections.abc import Callable

import numpy as np
import pytest

from labelingest.assembly import assemble as module
from labelingest.assembly.context import AssemblyContext, Piece, SourceGeometry
from labelingest.columns.types import Int64
from labelingest.model.annotations import ColumnShape
from tests.builders.yolo import converter_for

TWICE_BAD = b"0 0.5 0.5 0.2 0.2\n0 5 5 1 1\n0 0.5 0.5 0.2 0.2\n0 5 5 1 1\n"


def test_a_duplicate_of_a_rejected_row_is_rejected_for_the_same_cause() -> None:
    conversion = converter_for(drop_duplicates=True).convert([("a.jpg", TWICE_BAD, (100, 100))])
    assert [(p.line, p.column, p.code.value) for p in conversion.problems] == [
        (2, 3, "out-of-range"),
        (3, 1, "duplicate-row"),
        (4, 3, "out-of-range"),
    ]
    assert {code.value: n for code, n in conversion.tally.rejected.items()} == {
        "out-of-range": 2,
        "duplicate-row": 1,
    }


def test_no_row_is_converted_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    converted: list[int] = []

    def counting(
        convert: Callable[[AssemblyContext, Int64], list[Piece]],
    ) -> Callable[[AssemblyContext, Int64], list[Piece]]:
        def count(context: AssemblyContext, rows: Int64) -> list[Piece]:
            converted.extend(np.asarray(rows).tolist())
            return convert(context, rows)

        return count

    steps = {step: counting(convert) for step, convert in module._CONVERSIONS.items()}
    monkeypatch.setattr(module, "_CONVERSIONS", steps)
    converter_for(drop_duplicates=True).convert([("a.jpg", TWICE_BAD, (100, 100))])
    assert converted == [0, 1]


def test_sentences_agree_with_their_subject() -> None:
    box, corners = SourceGeometry.BOX, SourceGeometry.CORNERS
    assert (box.reaches, corners.reaches) == ("the box reaches", "the corners reach")
    assert [shape.label for shape in ColumnShape] == ["box", "rotated box", "polygon"]

import pickle

import numpy as np
import pytest

from labelingest.model.batch_output import FileTexts, Labels, as_lines
from tests.builders.annotations import Row, batch_of, with_instances

BOX = (0.25, 0.5, 0.5, 0.25)


def test_the_files_that_are_written_keep_their_annotations_under_new_numbers() -> None:
    rows = [Row(0, BOX), Row(1, (0, 0, 1, 0, 1, 1), unit=1), Row(2, (*BOX, 30), unit=2)]
    batch = batch_of([*rows, Row(0, BOX, unit=2)], [(1, 1), (2, 2), (30, 40), (4, 4)])
    batch = with_instances(batch, frames=[0, 0, 5, 6], parts={2: [[BOX], [BOX]]})
    is_written = np.array([False, False, True, True])
    labels = Labels.of_units(batch.units, batch.annotations, is_written)
    units, annotations = labels.units, labels.annotations
    assert (units.key, units.sidecar) == (
        ["images/2.jpg", "images/3.jpg"],
        ["labels/2.txt", "labels/3.txt"],
    )
    assert (units.width.tolist(), units.height.tolist()) == ([30, 4], [40, 4])
    assert annotations.unit.dtype == np.int32
    assert annotations.unit.tolist() == [0, 0]
    assert annotations.coordinates.tolist() == [*BOX, 30, *BOX]
    assert annotations.instances is not None
    assert annotations.instances.hash == ["hash+/02", "hash+/03"]
    assert annotations.instances.frame.tolist() == [5, 6]
    assert dict(annotations.instances.parts) == {0: [[BOX], [BOX]]}


def test_nothing_written_is_no_unit_and_no_annotation() -> None:
    batch = batch_of([Row(0, BOX)], [(1, 1)])
    labels = Labels.of_units(batch.units, batch.annotations, np.array([False]))
    assert (len(labels.units), len(labels.annotations)) == (0, 0)


def test_texts_in_one_buffer_are_a_sequence_of_texts() -> None:
    texts = [b"7 0.5\n8 0.5\n", b"", b"{}", "ü".encode()]
    together = FileTexts.from_texts(texts)
    assert list(together) == texts
    assert [together[row] for row in (0, 1, -1)] == [texts[0], b"", texts[-1]]
    assert [list(together[rows]) for rows in (slice(1, 3), slice(4, 9), slice(2, 1))] == [
        texts[1:3],
        [],
        [],
    ]
    assert list(pickle.loads(pickle.dumps(together[1:]))) == texts[1:]
    assert together[1:].buffer == as_lines(texts[1:]) == as_lines(together[1:])
    with pytest.raises(IndexError):
        together[4]
    with pytest.raises(ValueError, match="follow each other"):
        together[::2]


def test_texts_that_are_lines_already_are_not_copied() -> None:
    together = FileTexts.from_texts([b"{}"])
    assert as_lines(together) is together.buffer
    assert (len(FileTexts.from_texts([])), as_lines([])) == (0, b"")

import numpy as np

from labelingest.model.batch_output import Labels
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

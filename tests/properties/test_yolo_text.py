"""The text of YOLO label files, put on one page, against one line after the other."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from labelingest.writers.number_text import plain_texts
from labelingest.writers.yolo import write
from tests.builders.annotations import Row, batch_of
from tests.builders.outputs import target_options

NUMBERS = (
    st.floats(allow_nan=False, allow_infinity=False)
    | st.floats(0, 1).map(lambda number: round(number, 6))
    | st.sampled_from([0.0, -0.0, 1e-5, 1e-4, 1e15, -1e300, 0.5])
)
RINGS = st.lists(NUMBERS, min_size=6, max_size=10).map(lambda ring: ring[: len(ring) // 2 * 2])


@given(st.lists(st.lists(RINGS, max_size=3), max_size=4))
def test_label_files_are_the_lines_of_their_rows(drawn: list[list[list[float]]]) -> None:
    rows = [Row(1, ring, unit) for unit, rings in enumerate(drawn) for ring in rings]
    batch = batch_of(rows, [(64, 48)] * len(drawn))
    options = target_options(batch.ontology, class_numbers=np.array([3, 11, 5]))

    def line(ring: list[float]) -> str:
        # A ring that ends where it begins is written with its first vertex once more.
        closing = ring[:2] if ring[:2] == ring[-2:] else []
        return " ".join(["11", *plain_texts(np.array([*ring, *closing]))]) + "\n"

    expected = ["".join(map(line, rings)).encode() for rings in drawn]
    assert list(write(batch.annotations, batch.units, options).texts) == expected

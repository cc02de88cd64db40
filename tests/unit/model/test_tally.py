from statistics import median_low

import numpy as np
import pytest

from labelingest.model.tally import Misfits, Tally
from labelingest.problems import ProblemCode


def test_tallies_of_batches_add_up() -> None:
    first, second = Tally(rows_seen=3, annotations=2), Tally(rows_seen=1, annotations=1)
    first.rejected[ProblemCode.UNKNOWN_CLASS] = 1
    second.converted["box → polygon"] = 1
    total = Tally.sum([first, second])
    assert (total.rows_seen, total.annotations) == (4, 3)
    assert total.converted == {"box → polygon": 1}
    assert total.balance()


def test_a_lost_row_unbalances_the_books() -> None:
    assert not Tally(rows_seen=2, annotations=1).balance()


def test_the_median_misfit_is_right_to_a_third_of_a_percent_in_any_batches() -> None:
    px = np.random.default_rng(0).lognormal(0, 2, 1001)
    misfits = Misfits()
    for part in np.split(px, [10, 500, 501]):
        batch = Misfits()
        batch.add(part)
        misfits.merge(batch)
    assert misfits.median() == pytest.approx(median_low(px.tolist()), rel=0.003)
    assert misfits.largest == px.max()


def test_without_misfits_the_median_is_zero() -> None:
    assert Misfits().median() == 0.0

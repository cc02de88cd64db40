import numpy as np

from labelingest.assembly.outlines import crossings
from labelingest.columns.ragged import offsets_from_lengths
from labelingest.problems import ProblemCode


def test_a_tangled_outline_is_named_as_unchecked_unless_it_surely_crosses() -> None:
    # Long edges side by side: each lies beside all others, in x and in y.
    step = np.arange(2_100) * 1e-6
    outward, back = np.stack((step, 0 * step), axis=1), np.stack((1 + 0 * step, 1 - step), axis=1)
    hatched = np.stack((outward, back), axis=1).reshape(-1, 2)
    folded = np.concatenate((hatched, [[0.5, 0.5], [0.0, 2.0], [0.5, 0.5]]))
    bow_tie = np.array([[0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    rings = [hatched, bow_tie, folded]
    warnings = list(
        crossings(np.concatenate(rings), offsets_from_lengths(np.array([*map(len, rings)])))
    )
    assert [(ring, code) for ring, code, _ in warnings] == [
        (1, ProblemCode.SELF_INTERSECTING_POLYGON),
        (2, ProblemCode.SELF_INTERSECTING_POLYGON),
        (0, ProblemCode.POLYGON_NOT_CHECKED),
    ]
    assert warnings[2][2] == (
        "the outline of 4,200 vertices is too tangled to be checked for crossings: kept unchecked"
    )

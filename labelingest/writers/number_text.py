"""Numbers as text: the shortest that reads back to the same double, for whole columns at once."""

from decimal import Decimal

import numpy as np
import orjson

from labelingest.arrays import Float64

__all__ = ["plain_texts", "shortest_texts"]


def shortest_texts(numbers: Float64) -> list[str]:
    """Return the shortest text of each number that reads back to the same double, as in JSON.

    Parameters
    ----------
    numbers
        (n,) finite numbers.

    Examples
    --------
    >>> shortest_texts(np.array([0.1, 1.0, 1e-7]))
    ['0.1', '1.0', '1e-7']
    """
    if not len(numbers):
        return []
    dumped = orjson.dumps(np.ascontiguousarray(numbers), option=orjson.OPT_SERIALIZE_NUMPY)
    return dumped[1:-1].decode().split(",")


def plain_texts(numbers: Float64) -> list[str]:
    """Return the same without exponents: for formats whose readers may know digits only.

    Parameters
    ----------
    numbers
        (n,) finite numbers.

    Examples
    --------
    >>> plain_texts(np.array([0.1, 1.0, 1.5e-7]))
    ['0.1', '1.0', '0.00000015']
    """
    texts = shortest_texts(numbers)
    # Exponents are written for the very small and the very large only, which coordinates hardly are.
    size = np.abs(numbers)
    for at in np.flatnonzero((size < 1e-4) & (size > 0) | (size >= 1e15)).tolist():
        texts[at] = format(Decimal(texts[at]), "f")
    return texts

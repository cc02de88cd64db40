"""Columns of text, joined row by row without a Python object for each row.

A column is an array of bytes, each text padded with NUL to the longest one. Columns are laid beside
each other as records, and the padding is removed from all of them at once. So texts must not hold a
NUL; JSON never does.
"""

import numpy as np

from labelingest.columns.types import Texts

__all__ = ["joined"]


def joined(*columns: Texts | bytes) -> bytes:
    r"""Return the texts of the columns, joined row by row.

    Parameters
    ----------
    columns
        (n,) texts each, or one text that is the same in all rows.

    Examples
    --------
    >>> x, y = np.array([b"0.5", b"0.25"]), np.array([b"1.0", b"0.0"])
    >>> joined(x, b" ", y, b"\n")
    b'0.5 1.0\n0.25 0.0\n'
    """
    types = [
        (f"{i}", f"S{len(c)}" if isinstance(c, bytes) else c.dtype) for i, c in enumerate(columns)
    ]
    rows = max(len(column) for column in columns if not isinstance(column, bytes))
    records = np.empty(rows, dtype=types)
    for (name, _), column in zip(types, columns, strict=True):
        records[name] = column
    return records.tobytes().translate(None, b"\0")

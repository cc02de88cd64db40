"""Portions of rows whose files are read together: as many as memory has room for, and at least one."""

from collections.abc import Sequence

from sqlalchemy.engine import RowMapping

__all__ = ["first_portion"]


def first_portion(rows: Sequence[RowMapping], most: int, *sizes: str) -> Sequence[RowMapping]:
    """Return the first rows, up to the row with which their files exceed a number of bytes.

    Parameters
    ----------
    rows
        Rows selected from the state.
    most
        Bytes that the portion exceeds with its last row only.
    sizes
        Columns with the bytes of the files of a row; NULL where the row has no such file.
    """
    total = 0
    for place, row in enumerate(rows):
        total += sum(row[size] or 0 for size in sizes)
        if total > most:
            return rows[: place + 1]
    return rows

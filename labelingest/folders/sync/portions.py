"""How many of some files are read together: as many as memory has room for, and one at least."""

from collections.abc import Sequence

from sqlalchemy.engine import RowMapping

__all__ = ["first_portion"]


def first_portion(rows: Sequence[RowMapping], most: int, *sizes: str) -> Sequence[RowMapping]:
    """Return the first of some rows: up to the one with which their files exceed so many bytes.

    Parameters
    ----------
    rows
        Selected from the state.
    most
        Bytes.
    sizes
        Columns with the bytes of the files of a row; NULL where it has none.
    """
    total = 0
    for place, row in enumerate(rows):
        total += sum(row[size] or 0 for size in sizes)
        if total > most:
            return rows[: place + 1]
    return rows

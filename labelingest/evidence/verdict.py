"""Verdict on the rows of one number of columns."""

from collections.abc import Sequence

from msgspec import Struct

from labelingest.evidence.reading import Reading

__all__ = ["Verdict"]


class Verdict(Struct, frozen=True):
    """Reading of a group of rows, or the readings that it allows."""

    words: str
    """The reading in words, for the evidence."""
    rows: int
    """Rows that fit the words."""
    reading: Reading | None = None
    """A reading that the table of columns does not give; None where the table is right."""
    choices: Sequence[Reading] = ()
    """Readings that the rows allow alike; empty where one is decided."""
    why: str = "the rows allow more than one reading"
    """Reason for a choice."""

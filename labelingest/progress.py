"""How far a run is, for who wants to show it."""

from dataclasses import dataclass

__all__ = ["Progress"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is."""

    stage: str
    """What is being done: "list" or "convert"."""
    files: int
    """Files listed, or paired data files done."""
    of: int = 0
    """How many there will be; 0 where that is not known yet."""
    rows: int = 0
    """Rows seen in them."""
    before: int = 0
    """Of the files, done by an interrupted run that this one goes on with."""

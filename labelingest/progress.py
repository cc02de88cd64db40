"""Progress of a run, as callbacks receive it."""

from msgspec import Struct

__all__ = ["Progress"]


class Progress(Struct, frozen=True):
    """Progress of a run in one of its stages."""

    stage: str
    """Name of the stage: "list", "check" or "convert"."""
    files: int
    """Number of files listed, or of paired data files converted."""
    total: int = 0
    """Number of files there will be; 0 while that is not known."""
    rows: int = 0
    """Rows seen in the files."""
    before: int = 0
    """Number of the files that an interrupted run converted, which this one resumes."""

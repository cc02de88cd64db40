"""Files with errors: one count for every report, and what became of the files."""

from msgspec import Struct

__all__ = ["FailedFiles"]


class FailedFiles(Struct, frozen=True):
    """Number of files with an error; each is counted once.

    Examples
    --------
    >>> FailedFiles(total=5, not_paired=2, not_converted=1).as_dict()
    {'total': 5, 'not_paired': 2, 'not_converted': 1, 'class_lists': 0, 'in_part': 2}
    """

    total: int = 0
    """Number of files with an error."""
    not_paired: int = 0
    """Those with an error of listing or pairing: orphans, ambiguous pairs, unreadable folders."""
    not_converted: int = 0
    """Those that were paired and have no output."""
    class_lists: int = 0
    """Ontologies and class lists among them."""

    @property
    def in_part(self) -> int:
        """Those that have an output without some of their rows, answers or metadata."""
        return self.total - self.not_paired - self.not_converted - self.class_lists

    def as_dict(self) -> dict[str, int]:
        """Return the counts as JSON values."""
        return {
            "total": self.total,
            "not_paired": self.not_paired,
            "not_converted": self.not_converted,
            "class_lists": self.class_lists,
            "in_part": self.in_part,
        }

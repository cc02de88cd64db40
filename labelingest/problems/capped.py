"""Capped problems: of one file and one code, the first are listed and the others counted.

A file of a million bad rows must not fill memory, nor the screen.
"""

from collections import Counter
from typing import Final, Generic, TypeVar

from msgspec import Struct, field

from labelingest.problems.codes import ProblemCode
from labelingest.problems.problem import Problem

__all__ = ["MAX_LISTED", "CappedProblems"]

MAX_LISTED: Final = 10_000
"""Problems of one code that are listed for one file; a person reads fewer."""

File = TypeVar("File")


class CappedProblems(Struct, Generic[File]):
    """Problems with the file that each belongs to, in the order in which they were added.

    Examples
    --------
    >>> problems = CappedProblems[int]()
    >>> for line in range(10_002):
    ...     problems.add(0, Problem(ProblemCode.UNKNOWN_CLASS, "a.txt", "no object", line=line))
    >>> len(problems.entries), [str(problem) for _, problem in problems.unlisted()]
    (10000, ['a.txt: unknown-class: 2 more in this file: only the first 10,000 are listed'])
    """

    entries: list[tuple[File, Problem]] = field(default_factory=list)
    """File and problem; the owner of the container may sort them."""
    _counts: Counter[tuple[File, ProblemCode]] = field(default_factory=Counter)

    def has_room(self, file: File, code: ProblemCode) -> bool:
        """Return whether one more problem would be listed, so that it is worth explaining."""
        return self._counts[file, code] < MAX_LISTED

    def add(self, file: File, problem: Problem) -> None:
        """List a problem while there is room, and count it."""
        self._counts[file, problem.code] += 1
        if self._counts[file, problem.code] <= MAX_LISTED:
            self.entries.append((file, problem))

    def count(self, file: File, code: ProblemCode) -> None:
        """Count a problem that has no room and is therefore not explained.

        Raises
        ------
        ValueError
            The problem would still be listed.
        """
        if self.has_room(file, code):
            raise ValueError(f"{code} is still listed for {file!r}: add the problem")
        self._counts[file, code] += 1

    def unlisted(self) -> list[tuple[File, Problem]]:
        """Return one problem for each file and code with more problems than are listed."""
        sources = {(file, problem.code): problem.source for file, problem in self.entries}
        return [
            (file, Problem(code, sources[file, code], _more(count), count=count - MAX_LISTED))
            for (file, code), count in self._counts.items()
            if count > MAX_LISTED
        ]


def _more(count: int) -> str:
    return f"{count - MAX_LISTED:,} more in this file: only the first {MAX_LISTED:,} are listed"

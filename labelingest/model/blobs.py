"""Blobs: the contents of many files in one buffer, as the readers' kernels want them."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from msgspec import Struct, field

from labelingest.columns.types import Int64, UInt8
from labelingest.problems import ProblemCode

__all__ = ["FRONT", "Blobs", "Unread"]

FRONT: Final = 16
"""Free bytes before the first blob: a kernel may load a whole word that ends anywhere in a blob."""


class Unread(NamedTuple):
    """Why a file could not be read."""

    code: ProblemCode
    detail: str
    """One sentence."""


class Blobs(Struct, frozen=True, eq=False):
    r"""Contents of n files, each followed by one newline byte that is not its own.

    The newline makes the last line of every file end like the others, so that one pass over the
    buffer sees all lines of all files.

    Examples
    --------
    >>> blobs = Blobs.from_contents([b"0 1", b""])
    >>> blobs.get(0), bytes(blobs.buffer[16:])
    (b'0 1', b'0 1\n\n')
    """

    buffer: UInt8
    """(b,) `FRONT` free bytes, then blob and newline, blob and newline, …"""
    starts: Int64
    """(n,) where each blob begins in the buffer."""
    ends: Int64
    """(n,) where each blob ends; buffer[ends[i]] is its newline."""
    unread: Mapping[int, Unread] = field(default_factory=dict)
    """Row → why, for files that could not be read; their blobs are empty."""
    tokens: Sequence[str] | None = None
    """(n,) version token of what was read, as a listing would give it; "" where nothing was. None:
    not asked for."""

    @classmethod
    def from_contents(
        cls,
        contents: Sequence[bytes],
        unread: Mapping[int, Unread] | None = None,
        tokens: Sequence[str] | None = None,
    ) -> "Blobs":
        """Make blobs from contents in memory."""
        pieces = [b"\n"] * (2 * len(contents) + 1)
        pieces[0], pieces[1::2] = bytes(FRONT), contents
        buffer = np.frombuffer(b"".join(pieces), dtype=np.uint8)
        lengths = np.fromiter(map(len, contents), np.int64, len(contents))
        ends = FRONT + np.cumsum(lengths + 1) - 1
        return cls(buffer, ends - lengths, ends, unread or {}, tokens)

    def __len__(self) -> int:
        return len(self.starts)

    def get(self, row: int) -> bytes:
        """Return one content."""
        return self.buffer[self.starts[row] : self.ends[row]].tobytes()

    def part(self, rows: slice) -> "Blobs":
        """Return the contents of some rows that follow each other, as blobs of their own.

        Examples
        --------
        >>> Blobs.from_contents([b"a", b"b", b"c"]).part(slice(1, 3)).get(0)
        b'b'
        """
        if rows == slice(0, len(self)):
            return self
        contents = [self.get(row) for row in range(len(self))[rows]]
        unread = {
            row - rows.start: why
            for row, why in self.unread.items()
            if row in range(len(self))[rows]
        }
        return Blobs.from_contents(
            contents, unread, None if self.tokens is None else self.tokens[rows]
        )

"""Chunks: the large parts of results, which are worked on where they are.

A result that goes to another process is a message. A `Chunk` in it is megabytes, which its receiver
would only write to a file. So a worker process keeps the bytes, and the result that arrives has a
`KeptChunk` in its place: length, checksum, and a way to have work done on the bytes where they are.
Other engines send a chunk with its bytes. The module does not know what the bytes are.
"""

import pickle
from collections.abc import Callable
from typing import Any
from zlib import crc32

from msgspec import Struct, field

__all__ = ["Chunk", "KeptChunk", "Receipt"]


class Receipt(Struct, eq=False):
    """Tells whether work on a chunk has been done. Another thread may settle it."""

    is_done: bool = False
    error: Exception | None = None
    """The exception that ended the work; None for none."""

    def settle(self, error: Exception | None = None) -> None:
        """Note that the work has ended."""
        self.error = error
        self.is_done = True


class Chunk(Struct, frozen=True, eq=False):
    """A part of a result that is in this process.

    Examples
    --------
    >>> pickle.loads(pickle.dumps(Chunk(b"{}"))).content
    b'{}'
    """

    content: Any
    """Bytes, or an object that becomes text later: `identity` returns its length and checksum."""

    def identity(self) -> tuple[int, int]:
        """Return length and checksum, which tell the chunk from others."""
        if isinstance(self.content, bytes):
            return len(self.content), crc32(self.content)
        length, crc = self.content.identity()
        return length, crc


class KeptChunk(Struct, eq=False):
    """A chunk that stays in the worker process that made it.

    The worker keeps the bytes until the work is done. Without work they are released when the next
    result is asked for.
    """

    number: int
    """The worker's number of the chunk."""
    length: int
    """Number of bytes."""
    crc: int
    """CRC-32 of the bytes, or of what tells the object from others."""
    receipt: Receipt = field(default_factory=Receipt)
    work: bytes = b""
    """The function that is applied, pickled; empty until there is one."""
    order: Callable[["KeptChunk"], None] | None = None
    """Sends the work to the worker that keeps the bytes."""

    @classmethod
    def fields_of(cls, number: int, chunk: Chunk) -> tuple[int, int, int]:
        """Return the fields that tell of a chunk in another process."""
        return number, *chunk.identity()

    def apply(self, work: Callable[[Any], object]) -> Receipt:
        """Apply a function to the bytes where they are; return at once.

        The function can be pickled, and may run twice: a lost worker's chunk is made again. It runs
        beside other work of the worker, and its result is dropped.
        """
        self.work = pickle.dumps(work, pickle.HIGHEST_PROTOCOL)
        if self.order is not None:
            self.order(self)
        return self.receipt

    def is_equal(self, other: "KeptChunk") -> bool:
        """Whether another chunk has the same length and checksum."""
        return (self.length, self.crc) == (other.length, other.crc)

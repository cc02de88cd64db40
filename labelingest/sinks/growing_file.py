"""An unfinished file that grows by chunks: each gets its place at once, its bytes follow.

A chunk of this process is written by a thread. A chunk that a worker process keeps is written there:
the worker is told the place, and the bytes never come here. Marks are given in the order of the
chunks, and only when the bytes are with the system. So a file can have bytes, and holes, behind the
part that its marks describe; whoever continues the file cuts it to that part. The thread also
brings the bytes onto the disk from time to time.
"""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final
from zlib import crc32

from msgspec import Struct, field

from labelingest.errors import EngineError
from labelingest.model.chunks import Chunk, KeptChunk, Receipt
from labelingest.sinks.background_writer import BackgroundWriter
from labelingest.sinks.marks import Mark, Summed, with_length
from labelingest.storage.os_errors import cannot_write
from labelingest.storage.pieces import joined_pieces
from labelingest.storage.shared_file import SharedFile, write_all

__all__ = ["GrowingFile"]

_FLUSH_EVERY: Final = 64 << 20
"""Bytes after which they are flushed in the thread: little is left for the flush at the end."""
_FLUSH: Final = getattr(os, "fdatasync", os.fsync)  # not everywhere


class _Addition(Struct, eq=False):
    """A chunk that has a place."""

    length: int
    crc: int
    """CRC-32 of the chunk; of a chunk of this process it is known when the chunk is written."""
    receipt: Receipt = field(default_factory=Receipt)

    @property
    def mark(self) -> Mark:
        return self.length, with_length(self.crc, self.length)


class GrowingFile:
    """Appends chunks to an open file.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     growing = GrowingFile(file.fileno(), Path(file.name), 0, output="rows.jsonl")
    ...     growing.append(Chunk(b"{}"))
    ...     lengths = [length for length, _ in growing.marks(wait=True)]
    ...     growing.end()
    ...     lengths, file.read()
    ([2], b'{}')
    """

    def __init__(self, file: int, path: Path, length: int, *, output: str) -> None:
        self.length = length
        """Bytes of the file when all that was appended is written."""
        self._file, self._output = file, output
        self._shared = SharedFile.from_descriptor(path, file)
        self._writer = BackgroundWriter()
        self._waiting: deque[_Addition] = deque()
        """Additions without mark, in order."""
        self._marks: list[Mark] = []
        self._flush = Receipt(is_done=True)
        self._unflushed = 0
        """Bytes with a mark that no flush covers."""

    def append(self, chunk: Chunk | KeptChunk) -> None:
        """Give a chunk its place; raise StorageError where an earlier one could not be written."""
        self._collect()
        if isinstance(chunk, KeptChunk):
            addition = _Addition(chunk.length, chunk.crc)
            addition.receipt = chunk.apply(self._shared.writer(self.length))
        else:
            addition = _Addition(len(chunk.content), 0)
            write = partial(self._write, addition, chunk.content, self.length)
            addition.receipt = self._writer.add(write)
        self._add(addition)

    def _write(self, addition: _Addition, content: bytes, offset: int) -> None:
        addition.crc = crc32(content)
        write_all(self._file, content, offset)

    def append_pieces(self, pieces: Iterable[bytes]) -> None:
        """Append a content that comes in pieces, or nothing where they end by an exception."""
        self._collect()
        summed, end = Summed(pieces), self.length
        with self._disk_errors_as_sentence():
            try:
                for piece in joined_pieces(summed):
                    write_all(self._file, piece, end)
                    end += len(piece)
            except OSError:
                raise  # of the disk: the run ends
            except Exception:
                os.ftruncate(self._file, self.length)
                raise
        addition = _Addition(summed.length, summed.crc)
        addition.receipt.settle()
        self._add(addition)

    def _add(self, addition: _Addition) -> None:
        self._waiting.append(addition)
        self.length += addition.length

    def _collect(self) -> None:
        """Turn additions into marks, in order, up to the first that is still being written."""
        while self._waiting and self._waiting[0].receipt.is_done:
            error = self._waiting[0].receipt.error
            self._raise(error)
            addition = self._waiting.popleft()
            self._marks.append(addition.mark)
            self._unflushed += addition.length
        if self._unflushed >= _FLUSH_EVERY and self._flush.is_done:
            self._raise(self._flush.error)
            self._flush = self._writer.add(partial(_FLUSH, self._file))
            self._unflushed = 0

    def _raise(self, error: Exception | None) -> None:
        if isinstance(error, OSError):
            raise cannot_write(self._output, error) from error
        if error is not None:
            raise error

    @property
    def is_incomplete(self) -> bool:
        """Whether an addition has no mark yet."""
        return bool(self._waiting)

    def marks(self, *, wait: bool = False) -> list[Mark]:
        """Return the marks of additions whose bytes are with the system, each mark once.

        Parameters
        ----------
        wait
            Whether all additions must be with the system.

        Raises
        ------
        StorageError
            A chunk could not be written. The marks before it are returned first.
        EngineError
            A worker that keeps a chunk is gone.
        """
        if wait:
            self._writer.wait()
        try:
            self._collect()
        except Exception:
            if not self._marks:
                raise
        marks, self._marks = self._marks, []
        if wait and self._waiting and not marks:
            raise EngineError("a worker process ended before its label rows were written")
        return marks

    def sync(self) -> None:
        """Bring everything that has a mark onto the disk; raise StorageError if that fails."""
        self._writer.wait()
        # The system reports each failure once, to the flush that meets it.
        self._raise(self._flush.error)
        with self._disk_errors_as_sentence():
            os.fsync(self._file)

    def end(self) -> None:
        """End the thread; the file belongs to the caller again."""
        self._writer.end()

    @contextmanager
    def _disk_errors_as_sentence(self) -> Iterator[None]:
        """Turn errors of the disk into a sentence: they are about the output, not about one file."""
        try:
            yield
        except OSError as error:
            raise cannot_write(self._output, error) from error

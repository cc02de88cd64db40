"""Write one object piece by piece, whole or not at all.

The pieces go to the store while they come, in requests of `_PART` bytes (a multipart upload), so that
memory stays bounded and nothing waits on the disk. The object appears when the last request has been
answered; until then the store shows the older object, or none. An upload whose block fails is
aborted. A process that is killed leaves no object either; the store holds the parts of its upload
out of sight until a rule of the bucket removes them.

The object is replaced on condition that it still is the version that it was when the upload began. The
store compares versions for an object of one request. For larger ones no store can: the version is
requested before the last part, and another writer may come between.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from io import RawIOBase
from queue import Full, Queue
from threading import Thread
from typing import Any, Final

from labelingest.storage.base import check_key
from labelingest.storage.cloud.writer import CloudWriter

__all__ = ["PART", "Upload", "whole_object"]

PART: Final = 16_000_000
"""Bytes of a request: S3 takes 10,000 of them, so that an object may have 160 GB."""
_PIECE: Final = 1 << 20
"""Bytes to which what is written is joined, because every piece costs the client the same."""
_WAITING: Final = 16
"""Pieces that wait for the client at most."""
_LOOK: Final = 0.2
"""Seconds after which a writer whose pieces are not taken looks whether the upload has failed."""


class _AbortedError(Exception):
    """The block that writes has failed: ends the upload without an object."""


class Upload(RawIOBase):
    """An object that is being written: a file opened for writing that never goes back."""

    def __init__(self, send: Callable[[Iterable[bytes]], None]) -> None:
        super().__init__()
        self._send = send
        self._queue: Queue[bytes | None] = Queue(_WAITING)
        self._thread: Thread | None = None
        self._error: BaseException | None = None
        self._aborted = False
        self._waiting: list[bytes] = []
        self._waiting_bytes = self._size = 0

    def writable(self) -> bool:
        """Return that the object takes bytes."""
        return True

    def write(self, content: Any, /) -> int:
        """Append bytes; raise what ended the upload, where it has ended."""
        piece = bytes(content)
        self._waiting.append(piece)
        self._waiting_bytes += len(piece)
        self._size += len(piece)
        if self._waiting_bytes >= (_PIECE if self._thread else PART):
            self._pass_on()
        return len(piece)

    def writelines(self, pieces: Iterable[Any], /) -> None:
        """Append pieces one after the other."""
        for piece in pieces:
            self.write(piece)

    def tell(self) -> int:
        """Return the number of bytes that were written."""
        return self._size

    def flush(self) -> None:
        """Do nothing: the object appears at the end, and never in parts."""

    def only_part(self) -> bytes | None:
        """Return the whole content where it fits into one request; None where parts were sent."""
        return b"".join(self._waiting) if self._thread is None else None

    def finish(self, check: Callable[[], None]) -> None:
        """Send the last part, unless a check raises, and wait for the object."""
        self._pass_on()
        check()
        self._put(None)
        self._end()

    def abort(self) -> None:
        """End the upload without an object; nothing is raised."""
        self._aborted = True
        if self._thread is not None:
            while self._thread.is_alive():
                with suppress(Full):
                    self._queue.put(None, timeout=_LOOK)
                    break
            self._thread.join()

    def _pass_on(self) -> None:
        piece, self._waiting, self._waiting_bytes = b"".join(self._waiting), [], 0
        if self._thread is None:
            # A daemon: a process that ends by an exception elsewhere does not wait for the network.
            self._thread = Thread(target=self._run, daemon=True)
            self._thread.start()
        for start in range(0, len(piece), _PIECE):
            self._put(piece[start : start + _PIECE])

    def _put(self, piece: bytes | None) -> None:
        while True:
            self._raise_error()
            with suppress(Full):
                self._queue.put(piece, timeout=_LOOK)
                return

    def _end(self) -> None:
        if self._thread is not None:
            self._thread.join()
        self._raise_error()

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            self._send(self._pieces())
        except BaseException as error:  # noqa: BLE001 - raised again where the caller writes
            self._error = error

    def _pieces(self) -> Iterator[bytes]:
        while (piece := self._queue.get()) is not None and not self._aborted:
            yield piece
        if self._aborted:
            raise _AbortedError


@contextmanager
def whole_object(writer: CloudWriter, key: str) -> Iterator[Upload]:
    """Open an object for writing that appears only when the block ends without exception.

    Parameters
    ----------
    writer, key
        The writer of the place, and the key of the object in it.

    Raises
    ------
    ChangedError
        Another writer has changed the object since the block began.
    StorageError
        The object cannot be written; an older one is as it was.
    """
    check_key(key)
    expected = writer.known_token(key)
    upload = Upload(lambda pieces: writer.put_parts(key, pieces, PART))
    try:
        yield upload
        content = upload.only_part()
        if content is None:
            upload.finish(lambda: writer.refuse_changed(key, expected))
    except BaseException:
        upload.abort()
        raise
    if content is not None:
        writer.put(key, content, expected)

"""Image sizes from the headers of files in a storage, for a batch at once.

One look at all heads of a batch tells nearly all sizes (`labelingest.media.head_scan`). The others are
read file by file (`labelingest.media.image_size`), with other parts of the file where its head is too
short. An unexpected exception over a header is the reason of that file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from labelingest.columns.types import Int32, Int64
from labelingest.fence import result_or_reason
from labelingest.media.head_scan import scan_heads
from labelingest.media.image_size import HEAD_BYTES, read_image_size
from labelingest.model.blobs import Unread
from labelingest.stopwatch import OFF, Stage, Stopwatch
from labelingest.storage.base import Storage

__all__ = ["HeaderSizes", "JobHeaders", "read_headers"]


@dataclass(frozen=True, slots=True, eq=False)
class HeaderSizes:
    """Sizes of images, as their headers tell them."""

    sides: Int32
    """(n, 2) width and height in pixels, as displayed; -1 where a header has no size or is unread."""
    unread: Mapping[int, Unread]
    """Position of each image whose header cannot be read → the reason."""

    def each(self) -> list[tuple[int, int] | Unread | None]:
        """Return the size of each image, None where there is none, or the reason."""
        return [
            self.unread.get(position) or ((width, height) if width > 0 else None)
            for position, (width, height) in enumerate(self.sides.tolist())
        ]


def read_headers(storage: Storage, keys: Sequence[str]) -> HeaderSizes:
    r"""Read the sizes of images from their headers.

    Examples
    --------
    >>> from labelingest.storage.memory import MemoryStorage
    >>> bitmap = b"BM" + bytes(12) + b"\x28\0\0\0\x80\2\0\0\xe0\1\0\0"
    >>> read_headers(MemoryStorage({"a.bmp": bitmap, "b.jpg": b"text"}), ["a.bmp", "b.jpg"]).each()
    [(640, 480), None]
    """
    heads = storage.fetch_heads(keys, HEAD_BYTES)
    unread = {row: head for row, head in enumerate(heads) if isinstance(head, Unread)}
    readable = [b"" if isinstance(head, Unread) else head for head in heads]
    sides = scan_heads(readable)
    unusual = np.flatnonzero(sides[:, 0] == 0)
    sides[unusual] = -1
    for row in unusual.tolist():
        if row in unread:
            continue
        size = result_or_reason(partial(_size_of, storage, keys[row], readable[row]))
        if isinstance(size, Unread):
            unread[row] = size
        elif size is not None:
            sides[row] = size
    return HeaderSizes(sides, unread)


def _size_of(storage: Storage, key: str, head: bytes) -> tuple[int, int] | Unread | None:
    """Return the size of one image whose head is there."""
    unread: list[Unread] = []

    def fetch_part(start: int, length: int) -> bytes | None:
        (part,) = storage.fetch_heads([key], length, start=start)
        if isinstance(part, Unread):
            unread.append(part)
            return None
        return part

    size = read_image_size(head, fetch_part)
    return unread[0] if unread else size


class JobHeaders:
    """Image headers of a job's data files, each read once."""

    def __init__(
        self,
        storage: Storage,
        keys: Sequence[str],
        unread: Mapping[int, Unread],
        stopwatch: Stopwatch = OFF,
    ) -> None:
        self.unread = dict(unread)
        """Row of each file that cannot be converted: its sidecar, or its image's header, is unread."""
        self._storage = storage
        self._keys = keys
        self._stopwatch = stopwatch
        self._sides = np.full((len(keys), 2), -1, dtype=np.int32)
        self._is_read = np.zeros(len(keys), dtype=bool)
        self._is_read[list(self.unread)] = True

    def find(self, rows: Int64) -> Int32:
        """Return (r, 2) width and height of images, by their rows in the job; -1 for none."""
        new = rows[~self._is_read[rows]]
        if len(new):
            self._read(new)
        return self._sides[rows]

    def _read(self, rows: Int64) -> None:
        keys = [self._keys[row] for row in rows.tolist()]
        with self._stopwatch.stage(Stage.HEADERS):
            headers = read_headers(self._storage, keys)
        self._sides[rows] = headers.sides
        self._is_read[rows] = True
        for position, why in headers.unread.items():
            row = int(rows[position])
            self.unread[row] = Unread(why.code, f"its image {self._keys[row]!r}: {why.detail}")

    def by_key(self) -> dict[str, tuple[int, int] | None]:
        """Return data file → width and height, None where its header has no size, of those read."""
        rows = np.setdiff1d(np.flatnonzero(self._is_read), list(self.unread))
        return {
            self._keys[row]: (width, height) if width > 0 else None
            for row, (width, height) in zip(rows.tolist(), self._sides[rows].tolist(), strict=True)
        }

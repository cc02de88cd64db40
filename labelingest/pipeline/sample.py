"""Sample of the label files of a folder: all files of a small folder, 2,000 of a large one.

Evidence about a folder as a whole (row layouts, rows by class) is counted in the sample. The choice
follows a hash of the keys, so that listing order, workers, batches and engines do not matter. What
is fetched whole is kept, and the conversion takes it from there instead of fetching it twice; of
files too large for that, only the beginning is read.
"""

import codecs
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import compress
from typing import Final

import numpy as np

from labelingest.columns.fingerprints import text_fingerprints
from labelingest.columns.keys import Keys
from labelingest.columns.types import Int64
from labelingest.model.blobs import Blobs, Unread
from labelingest.model.listing import Listing
from labelingest.pipeline.fetched_files import FetchedFile
from labelingest.readers.yolo.read import sheet_of
from labelingest.readers.yolo.sheet import Sheet, is_class_number
from labelingest.readers.yolo.tokens import as_utf8
from labelingest.storage.base import Storage

__all__ = ["Sample", "sample_rows", "take_sample"]

SAMPLE_FILES: Final = 2_000
"""Label files of a sample, at most: 2 % of a folder of 100,000."""
_WHOLE_BYTES: Final = 4_000_000
"""Bytes up to which a file is fetched whole: as many as a job with several files may hold."""
_KEPT_BYTES: Final = 64_000_000
"""Bytes of all files that are fetched whole and kept until they are converted."""
_READ_BYTES: Final = 4_000_000
"""Bytes of all files that are read for evidence: numbers take some thirty times the memory of their
text, for a moment."""
_HEAD_BYTES: Final = 250_000
"""Bytes of one file that are read for evidence: some 10,000 boxes."""
_HASHED_AT_ONCE: Final = 16_384
"""Keys that are picked and hashed together: they stay in the processor's cache."""
_UTF16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, eq=False)
class Sample:
    r"""Label files that were looked at before the conversion, ordered by key.

    Examples
    --------
    >>> heads = Blobs.from_contents([b"2 .5 .5 .1 .1\n0 .5 .5 .1 .1\n2 .5 .5 .1 .1"])
    >>> Sample(["a.txt"], heads, label_files=1).rows_by_class()
    {0: 1, 2: 2}
    """

    sidecars: Sequence[str]
    """(s,) keys of the label files."""
    heads: Blobs
    """(s,) whole lines from the beginning of each file: the whole of a file that is not long."""
    label_files: int
    """Label files of the folder, in the sample or not."""
    fetched: dict[str, FetchedFile] = field(default_factory=dict)
    """Key → content of files that were fetched whole; the conversion removes what it takes."""

    @cached_property
    def sheet(self) -> Sheet:
        """Rows of the sample with their numbers; files that are no text have none."""
        return sheet_of(as_utf8(self.heads)[0])

    def rows_by_class(self, class_column: int = 0) -> dict[int, int]:
        """Return class number → rows in the sample, ascending; other numbers do not count.

        Parameters
        ----------
        class_column
            Position of the class number in each row, from 0 on; shorter rows do not count.
        """
        rows = self.sheet.rows
        column = self.sheet.values[rows.first[rows.count > class_column] + class_column]
        numbers, counts = np.unique(column[is_class_number(column)], return_counts=True)
        return dict(zip(numbers.astype(np.int64).tolist(), counts.tolist(), strict=True))


def sample_rows(keys: Keys, rows: Int64, files: int = SAMPLE_FILES) -> Int64:
    """Return (s,) those of some rows that a sample takes: all, or those whose keys have least hash.

    Parameters
    ----------
    keys, rows
        Keys, all different, and the rows of the label files among them.
    files
        Most rows to return.

    Examples
    --------
    >>> keys, rows = Keys.from_texts(["a.jpg", "a.txt", "b.txt", "c.txt"]), np.array([1, 2, 3])
    >>> keys.take(sample_rows(keys, rows, 2)), keys.take(sample_rows(keys, rows))
    (['a.txt', 'b.txt'], ['a.txt', 'b.txt', 'c.txt'])
    """
    if len(rows) <= files:
        return rows
    # Part by part: the keys of a million label files are 40 megabytes.
    hashes = np.empty(len(rows), dtype=np.uint64)
    for start in range(0, len(rows), _HASHED_AT_ONCE):
        part = slice(start, start + _HASHED_AT_ONCE)
        hashes[part] = text_fingerprints(keys.pick(rows[part]))
    limit = np.partition(hashes, files - 1)[files - 1]
    return rows[np.flatnonzero(hashes <= limit)[:files]]


def take_sample(
    storage: Storage, listing: Listing, sidecars: Int64, *, most_bytes: int, tokens: bool = False
) -> Sample:
    """Choose label files and fetch them in one go.

    Parameters
    ----------
    storage, listing
        The storage path and its listing.
    sidecars
        (n,) rows of all label files that are to be converted.
    most_bytes
        Bytes that a label file may have; larger files are not looked at.
    tokens
        Whether version tokens are kept beside the contents.
    """
    rows = sample_rows(listing.keys, sidecars)
    rows = rows[listing.size[rows] <= most_bytes]
    sizes = listing.size[rows]
    keys = listing.keys.take(rows)
    is_whole = sizes <= _WHOLE_BYTES
    is_whole &= np.cumsum(np.where(is_whole, sizes, 0)) <= _KEPT_BYTES
    whole_keys, long_keys = (list(compress(keys, which)) for which in (is_whole, ~is_whole))
    whole_files = storage.fetch(whole_keys, sizes=sizes[is_whole], tokens=tokens, most=most_bytes)
    head_bytes = _head_bytes(sizes)
    long_heads = storage.fetch_heads(long_keys, head_bytes)
    heads = np.empty(len(rows), dtype=object)
    heads[is_whole] = [whole_files.get(row) for row in range(len(whole_files))]
    heads[~is_whole] = [b"" if isinstance(head, Unread) else head for head in long_heads]
    return Sample(
        keys,
        Blobs.from_contents([_whole_lines(head, head_bytes) for head in heads.tolist()]),
        len(sidecars),
        _fetched_files(whole_keys, whole_files),
    )


def _head_bytes(sizes: Int64) -> int:
    """Return the bytes of each file that may be read, so that all files together keep the limit.

    Examples
    --------
    >>> _head_bytes(np.array([100, 100])), _head_bytes(np.array([9, 3_700_000] + [200_000] * 19))
    (250000, 199999)
    """
    ascending = np.minimum(np.sort(sizes), _HEAD_BYTES)
    # What short files leave is shared by the longer ones.
    before = np.concatenate(([0], np.cumsum(ascending)[:-1]))
    shares = (_READ_BYTES - before) // np.arange(len(sizes), 0, -1)
    limited = np.flatnonzero(ascending > shares)
    return int(shares[limited[0]]) if len(limited) else _HEAD_BYTES


def _fetched_files(keys: Sequence[str], blobs: Blobs) -> dict[str, FetchedFile]:
    """Return the files that were read; others are left to the conversion, which names them."""
    tokens: Sequence[str] = [""] * len(keys) if blobs.tokens is None else blobs.tokens
    return {
        key: FetchedFile(blobs.get(row), tokens[row])
        for row, key in enumerate(keys)
        if row not in blobs.unread
    }


def _whole_lines(content: bytes, most: int) -> bytes:
    r"""Return the whole lines among the first bytes of a file.

    Examples
    --------
    >>> _whole_lines(b"0 .5\n1 .25\n2", 8), _whole_lines(b"0 .5", 8)
    (b'0 .5\n', b'0 .5')
    >>> _whole_lines("0 .5\n1 .25".encode("utf-16"), 14)
    b'0 .5\n'
    """
    if len(content) < most:
        return content
    head = content[:most]
    if head.startswith(_UTF16_MARKS):
        # A line end has two bytes, and the last of them is no line end of UTF-8.
        head = head.decode("utf-16", "ignore").encode()
    return head[: max(head.rfind(b"\n"), head.rfind(b"\r")) + 1]

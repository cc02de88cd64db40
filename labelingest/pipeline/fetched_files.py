"""Fetch label files, of which some were fetched before: contents are kept and not fetched twice."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from labelingest.columns.types import Int64
from labelingest.model.blobs import FRONT, Blobs
from labelingest.storage.base import Storage

__all__ = ["FetchedFile", "fetch_rest", "take_fetched"]


class FetchedFile(NamedTuple):
    """Content of one label file, fetched before the conversion asks for it."""

    content: bytes
    token: str
    """Version token of what was read; "" where tokens were not asked for."""


def fetch_rest(
    storage: Storage,
    keys: Sequence[str],
    fetched: Mapping[str, FetchedFile],
    *,
    sizes: Int64,
    tokens: bool,
    most: int | None,
) -> Blobs:
    """Return the contents of files, of which some were fetched before.

    Parameters
    ----------
    storage, keys, sizes, tokens, most
        As for `Storage.fetch`.
    fetched
        Key → content of files that were fetched before; their tokens are needed if `tokens` is set.
    """
    if not fetched:
        return storage.fetch(keys, sizes=sizes, tokens=tokens, most=most)
    rows = [row for row, key in enumerate(keys) if key in fetched]
    files = [fetched[keys[row]] for row in rows]
    missing = np.delete(np.arange(len(keys)), rows)
    others = storage.fetch(
        [key for key in keys if key not in fetched], sizes=sizes[missing], tokens=tokens, most=most
    )
    blobs = _inserted(others, rows, [file.content for file in files])
    unread = {int(missing[place]): why for place, why in others.unread.items()}
    if not tokens or others.tokens is None:
        return replace(blobs, unread=unread)
    read_tokens = np.empty(len(keys), dtype=object)
    read_tokens[missing] = others.tokens
    read_tokens[rows] = [file.token for file in files]
    return replace(blobs, unread=unread, tokens=read_tokens.tolist())


def _inserted(others: Blobs, rows: Sequence[int], contents: Sequence[bytes]) -> Blobs:
    """Return blobs with some more contents at the rows that they are to have, ascending.

    The others are copied in the pieces between those rows, not one by one.
    """
    pieces: list[memoryview | bytes] = []
    copied = 0
    text = others.buffer.data
    for place, (row, content) in enumerate(zip(rows, contents, strict=True)):
        before = row - place
        end = int(others.ends[before - 1]) + 1 if before else FRONT
        pieces += (text[copied:end], content, b"\n")
        copied = end
    buffer = np.frombuffer(b"".join([*pieces, text[copied:]]), dtype=np.uint8)
    lengths = np.zeros(len(others) + len(rows), dtype=np.int64)
    lengths[rows] = [len(content) for content in contents]
    lengths[np.delete(np.arange(len(lengths)), rows)] = others.ends - others.starts
    ends = FRONT + np.cumsum(lengths + 1) - 1
    return Blobs(buffer, ends - lengths, ends)


def take_fetched(
    fetched: dict[str, FetchedFile] | None, keys: Sequence[str]
) -> dict[str, FetchedFile]:
    """Remove and return the files of a job among those that were fetched before.

    Examples
    --------
    >>> fetched = {"a.txt": FetchedFile(b"0", ""), "b.txt": FetchedFile(b"1", "")}
    >>> list(take_fetched(fetched, ["b.txt", "c.txt"])), list(fetched)
    (['b.txt'], ['a.txt'])
    """
    if not fetched:
        return {}
    return {key: fetched.pop(key) for key in keys if key in fetched}

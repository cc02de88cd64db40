"""Fetch label files, of which some were fetched before: contents are kept and not fetched twice."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from labelingest.columns.types import Int64
from labelingest.model.blobs import Blobs
from labelingest.storage.base import Storage

__all__ = ["FetchedFile", "fetch_rest", "take_fetched"]


class FetchedFile(NamedTuple):
    """Content of one label file, fetched before the conversion asks for it."""

    content: bytes
    token: str
    """Version token of what was read; "" where tokens were not asked for."""


_NOT_FETCHED: Final = FetchedFile(b"", "")
"""Place of a file that was not fetched before."""


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
    missing = [row for row, key in enumerate(keys) if key not in fetched]
    rest = storage.fetch(
        [keys[row] for row in missing], sizes=sizes[missing], tokens=tokens, most=most
    )
    files = [fetched.get(key, _NOT_FETCHED) for key in keys]
    contents = [file.content for file in files]
    read_tokens = [file.token for file in files]
    for place, row in enumerate(missing):
        contents[row] = rest.get(place)
        read_tokens[row] = "" if rest.tokens is None else rest.tokens[place]
    unread = {missing[place]: why for place, why in rest.unread.items()}
    return Blobs.from_contents(contents, unread, read_tokens if tokens else None)


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

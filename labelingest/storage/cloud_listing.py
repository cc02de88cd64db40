"""The keys below a place in the cloud, page by page, from LIST requests alone.

1. What a store answers twice (a page that is repeated) is taken once.
2. An answer that breaks off in the middle is asked for again from the last key on, where the keys
   came in order; else the listing fails as a whole: it is complete or it is none.
3. Empty objects whose names end in "/" stand for folders and are no files. obstore takes the slash
   away; so what has files right behind it in the listing is a folder, and where nothing follows
   one LIST tells an empty folder from an empty file, unless its extension does.

It refuses to read: no request for a single object is made.
"""

import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
from obstore.exceptions import BaseError

from labelingest.model.keys import Keys
from labelingest.model.listing import Listing
from labelingest.storage.clients import Client
from labelingest.storage.cloud_errors import Operation, broke_off, cloud_error
from labelingest.storage.urls import Place, Provider

if TYPE_CHECKING:
    from obstore import ObjectMeta

__all__ = ["FAILURES", "list_pages", "token_of"]

FAILURES: Final = (BaseError, OSError)
"""What a client raises: a missing object is an OSError."""

_CHUNK: Final = 5_000
"""Keys asked for at once: one answer of Azure's, five of the others'."""
_IN_FLIGHT: Final = 64
_LONGEST_PAUSE: Final = 15.0
"""Seconds."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def list_pages(
    client: Client, place: Place, *, exclude: Sequence[str] = (), retries: int = 10
) -> Iterator[Listing]:
    """Yield everything below a place in pages, in the order of the store.

    Parameters
    ----------
    client, place
        Whom to ask, and about what.
    exclude
        Keys and folders (with a slash at the end) that are passed over.
    retries
        How often an answer that breaks off is asked for again.

    Raises
    ------
    StorageError
        Where the listing is not complete.
    """
    files = frozenset(entry for entry in exclude if not entry.endswith("/"))
    folders = tuple(entry for entry in exclude if entry.endswith("/"))
    before: Collection[str] = ()
    for chunk in _chunks(client, place, retries):
        names = [entry["path"] for entry in chunk]
        markers = _markers(client, place, chunk)
        passed = set(before)
        rows = []
        for row, name in enumerate(names):
            # Only keys of this chunk and the one before: a store repeats what it just said.
            if name in passed or row in markers:
                continue
            passed.add(name)
            if name not in files and not name.startswith(folders):
                rows.append(row)
        before = names
        yield _page([chunk[row] for row in rows])


def token_of(meta: "ObjectMeta") -> str:
    """Return the version token of an object: the same from a listing and from reading it."""
    # Azure quotes its tokens in one of the two places.
    tag = (meta["e_tag"] or "").removeprefix("W/").strip('"')
    # Reading tells the time to the second only.
    return tag or f"{meta['size']}:{int(meta['last_modified'].timestamp())}"


def _page(entries: Sequence["ObjectMeta"]) -> Listing:
    times = [(entry["last_modified"] - _EPOCH) // _MICROSECOND * 1000 for entry in entries]
    return Listing(
        Keys.of([entry["path"] for entry in entries]),
        np.array([entry["size"] for entry in entries], dtype=np.int64),
        np.array(times, dtype=np.int64),
        tokens=Keys.of([token_of(entry) for entry in entries]),
    )


def _chunks(client: Client, place: Place, retries: int) -> Iterator[Sequence["ObjectMeta"]]:
    """Yield what the store lists; go on from the last key where an answer broke off."""
    # Azure has no "from this key on", and its order is not always that of the keys.
    can_go_on = in_order = place.provider is not Provider.AZURE
    last: str | None = None
    failures = 0
    while True:
        try:
            for chunk in client.list(offset=last, chunk_size=_CHUNK):
                # Empty ones may have lost a slash: their names are not where the store is.
                names = [entry["path"] for entry in chunk if entry["size"]]
                in_order = in_order and all(a <= b for a, b in pairwise([last or "", *names]))
                can_go_on = in_order and bool(names)
                last = names[-1] if names else last
                failures = 0
                yield chunk
        except FAILURES as error:
            failures += 1
            if not (can_go_on and broke_off(error) and failures <= retries):
                raise cloud_error(error, place, Operation.LIST) from None
            time.sleep(min(0.05 * 2**failures, _LONGEST_PAUSE))
        else:
            return


def _markers(client: Client, place: Place, chunk: Sequence["ObjectMeta"]) -> set[int]:
    """Return the rows that stand for folders."""
    markers, suspects = set(), []
    last = len(chunk) - 1
    for row, entry in enumerate(chunk):
        if entry["size"]:
            continue
        name = entry["path"]
        if row < last and chunk[row + 1]["path"].startswith(f"{name}/"):
            markers.add(row)
        elif row == last or "." not in name.rpartition("/")[2]:
            suspects.append(row)  # empty label files are many, but have an extension
    if not suspects:
        return markers

    def is_marker(row: int) -> bool:
        return _is_marker(client, place, chunk[row]["path"])

    with ThreadPoolExecutor(min(_IN_FLIGHT, len(suspects))) as threads:
        found = threads.map(is_marker, suspects)
        markers.update(row for row, is_one in zip(suspects, found, strict=True) if is_one)
    return markers


def _is_marker(client: Client, place: Place, name: str) -> bool:
    """Return whether an object's name is this one and a slash."""
    if not name:
        return True  # the storage path's own folder
    try:
        # What a listing of "name/" gives as "name" is "name/"; it is the first of all.
        return any(entry["path"] == name for entry in next(client.list(name, chunk_size=1), []))
    except FAILURES as error:
        raise cloud_error(error, place, Operation.LIST) from None

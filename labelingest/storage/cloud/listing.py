"""List the keys below a place in the cloud, page by page, by LIST requests alone.

1. A listing is complete, or it fails: `stream` proves that the listing ends where its answers do.
2. Objects whose names end in "/", empty or of a byte or two, stand for folders and are no files.
   obstore removes the slash. So an empty object with files below its name right behind it is a folder.
   Otherwise one LIST request tells a folder from a file, unless the extension does.
3. Each answer waits for the one before it. So where keys to cut at are known, and the store lists
   from any key on, parts are listed at the same time. A store that lists in another order is
   detected, because its parts do not end where they should.
4. Keys that are unusable here are named at the end. obstore also removes a slash at the beginning of
   a name without a word: two requests tell whether a whole bucket of S3 has such names.

No file is read: there is no request for a single object.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from labelingest.columns.keys import Keys
from labelingest.model.listing import (
    Listing,
    date_problem,
    outside_dates,
    sizes_column,
    times_column,
)
from labelingest.storage.base import PartsError
from labelingest.storage.cloud.clients import Client
from labelingest.storage.cloud.connections import Connection
from labelingest.storage.cloud.errors import Operation, broke_off, cloud_error
from labelingest.storage.cloud.interleaved import interleave
from labelingest.storage.cloud.list_parts import Part, parts_of
from labelingest.storage.cloud.many_requests import IN_FLIGHT
from labelingest.storage.cloud.markers import may_be_marker
from labelingest.storage.cloud.raw_listing import RawListing
from labelingest.storage.cloud.stream import FAILURES, BucketLister, End, chunks
from labelingest.storage.urls import Place

if TYPE_CHECKING:
    from obstore import ObjectMeta

__all__ = ["list_pages", "plain_tag", "token_of"]

_PARTS_AT_ONCE: Final = 16
"""Parts listed at the same time: as many as one processor keeps up with."""
_BEFORE_SLASH: Final = ".\U0010ffff"
"""A text before all names that begin with a slash; "0" lies behind them."""
_BEHIND_SLASH: Final = "0"
_ANSWER: Final = 1_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def list_pages(
    client: Client,
    place: Place,
    *,
    exclude: Sequence[str] = (),
    splits: Sequence[str] = (),
    connection: Connection | None = None,
) -> Iterator[Listing]:
    """Yield everything below a place in pages, each in the order of the store.

    Parameters
    ----------
    client, place
        The client of the bucket, and the place to list.
    exclude
        Keys and folders (with a slash at the end) that are skipped.
    splits
        Keys between which parts are listed at the same time, where the store can.
    connection
        Options of the connection, with the number of repeats of an answer that breaks off.

    Raises
    ------
    PartsError
        The place cannot be listed in parts.
    StorageError
        The listing is not complete.
    """
    connection = connection or Connection()
    raw = RawListing(place, connection, exclude)
    lister = BucketLister(client, place, exclude, connection.retries, raw)
    if not place.prefix and raw.can_list and _may_begin_with_a_slash(lister):
        raw.open()
    yield from _all_pages(lister, splits)
    if problems := raw.problems():
        yield replace(_page([]), problems=problems)


def _may_begin_with_a_slash(lister: BucketLister) -> bool:
    """Return whether a bucket has names that begin with a slash, or a file called "0"."""
    try:
        first, behind = (
            next(lister.answers(None, offset=offset, chunk_size=_ANSWER), [])
            for offset in (_BEFORE_SLASH, _BEHIND_SLASH)
        )
    except FAILURES as error:
        if lister.raw.open_after(error):
            return True
        if broke_off(error):
            return False  # the listing itself repeats the request
        raise cloud_error(error, lister.place, Operation.LIST) from None
    return list(first) != list(behind)


def _all_pages(lister: BucketLister, splits: Sequence[str]) -> Iterator[Listing]:
    """Yield the files in pages; list in parts, where that is possible."""
    if not splits or not lister.place.lists_from_any_key:
        yield from _pages(lister, Part())
        return
    # The first answer shows whether there is any file, the second whether there are more: threads
    # are only started for what follows these two.
    pages = _pages(lister, Part())
    first_keys = []
    for page in islice(pages, 2):
        first_keys.append(page.keys)
        yield page
    keys = Keys.concat(first_keys)
    parts = parts_of(splits, keys[len(keys) - 1] if len(keys) else None)
    if len(first_keys) < 2 or len(parts) < 2 or not keys.are_in_order():
        yield from pages
        return
    yield from interleave((_pages(lister, part) for part in parts), _PARTS_AT_ONCE, lister.stopped)
    _check_ends(lister, parts)


def _check_ends(lister: BucketLister, parts: Sequence[Part]) -> None:
    """Refuse parts whose ends contradict each other.

    The first parts end with a key behind them. Then one part proves that nothing is behind its last
    key, and all parts after it are empty.
    """
    ends = [lister.ends[part] for part in parts]
    proven = ends.index(End.PROVEN) if End.PROVEN in ends else len(ends)
    expected = [End.BEHIND] * proven + [End.PROVEN] + [End.EMPTY] * (len(ends) - proven - 1)
    if ends != expected:
        raise PartsError(
            f"the parts of {lister.place.url} contradict each other: list it as a whole"
        )


def _pages(lister: BucketLister, part: Part) -> Iterator[Listing]:
    """Yield the files of a part."""
    files = frozenset(entry for entry in lister.exclude if not entry.endswith("/"))
    folders = tuple(entry for entry in lister.exclude if entry.endswith("/"))
    for chunk in chunks(lister, part):
        chunk = chunk[: _end(chunk, part.until)]
        names = [entry["path"] for entry in chunk]
        markers = _markers(lister, part, chunk)
        rows = (
            row
            for row, name in enumerate(names)
            if row not in markers and name not in files and not name.startswith(folders)
        )
        yield _page([chunk[row] for row in rows])


def _end(entries: Sequence["ObjectMeta"], until: str | None) -> int:
    """Return the row of the first entry that lies behind a key; the number of entries if none does."""
    if until is None:
        return len(entries)
    behind = (row for row, entry in enumerate(entries) if entry["path"] > until)
    return next(behind, len(entries))


def token_of(meta: "ObjectMeta") -> str:
    """Return the version token of an object: the same from a listing and from reading the object."""
    tag = plain_tag(meta["e_tag"])
    # The answer to a read has the time to the second only.
    return tag or f"{meta['size']}:{int(meta['last_modified'].timestamp())}"


def plain_tag(tag: str | None) -> str:
    """Return an ETag as a token: Azure quotes its tags in one of two places.

    Examples
    --------
    >>> plain_tag('W/"0x8D"'), plain_tag("0x8D"), plain_tag(None)
    ('0x8D', '0x8D', '')
    """
    return (tag or "").removeprefix("W/").strip('"')


def _page(entries: Sequence["ObjectMeta"]) -> Listing:
    times = [(entry["last_modified"] - _EPOCH) // _MICROSECOND * 1000 for entry in entries]
    column = times_column(times)
    return Listing(
        Keys.from_texts([entry["path"] for entry in entries]),
        sizes_column([entry["size"] for entry in entries]),
        column,
        [date_problem(entries[row]["path"], times[row]) for row in outside_dates(column, times)],
        tokens=Keys.from_texts([token_of(entry) for entry in entries]),
    )


def _markers(lister: BucketLister, part: Part, chunk: Sequence["ObjectMeta"]) -> set[int]:
    """Return the rows that stand for folders."""
    markers, suspects = set(), []
    last = len(chunk) - 1
    for row, entry in enumerate(chunk):
        name = entry["path"]
        if not may_be_marker(name, entry["size"]):
            continue
        is_followed = row < last and chunk[row + 1]["path"].startswith(f"{name}/")
        if is_followed and not entry["size"]:
            markers.add(row)
        elif is_followed or row == last or "." not in name.rpartition("/")[2]:
            suspects.append(row)  # empty label files are many, but have an extension
    if not suspects:
        return markers

    def is_marker(row: int) -> bool:
        return _is_marker(lister, chunk[row]["path"])

    at_once = IN_FLIGHT if part.is_everything else IN_FLIGHT // _PARTS_AT_ONCE
    with ThreadPoolExecutor(min(at_once, len(suspects))) as threads:
        answers = threads.map(is_marker, suspects)
        markers.update(row for row, is_one in zip(suspects, answers, strict=True) if is_one)
    return markers


def _is_marker(lister: BucketLister, name: str) -> bool:
    """Return whether an object's name is this one and a slash."""
    if not name:
        return True  # the storage path's own folder
    path = lister.path(name)
    if lister.raw.is_open:
        return lister.raw.is_marker(path)
    try:
        # An object "name/" comes as "name", and first, in a listing of the prefix "name/".
        return any(
            entry["path"] == path for entry in next(lister.client.list(path, chunk_size=1), [])
        )
    except FAILURES as error:
        if lister.raw.open_after(error):
            return lister.raw.is_marker(path)
        raise cloud_error(error, lister.place, Operation.LIST) from None

"""The keys below a place in the cloud, page by page, from LIST requests alone.

1. What a store answers twice (a page that is repeated) is taken once.
2. An answer that breaks off in the middle is asked for again from the last key on, where the keys
   came in order; else the listing fails as a whole: it is complete or it is none.
3. Empty objects whose names end in "/" stand for folders and are no files. obstore takes the slash
   away; so what has files right behind it in the listing is a folder, and where nothing follows
   one LIST tells an empty folder from an empty file, unless its extension does.
4. An answer waits for the one before it. So where keys are known between which to cut, and the
   store lists from any key on, parts are listed at the same time; a store whose keys come in
   another order than theirs is found out, as parts do not end where they should then.

It refuses to read: no request for a single object is made.
"""

from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from threading import Event
from typing import TYPE_CHECKING, Final

from obstore.exceptions import BaseError

from labelingest.model.keys import Keys
from labelingest.model.listing import (
    Listing,
    date_problem,
    outside_dates,
    sizes_column,
    times_column,
)
from labelingest.storage.at_once import merged
from labelingest.storage.base import PartsError
from labelingest.storage.clients import Client
from labelingest.storage.cloud_errors import Operation, broke_off, cloud_error
from labelingest.storage.splits import Part, parts_of
from labelingest.storage.urls import Place, Provider

if TYPE_CHECKING:
    from obstore import ObjectMeta

__all__ = ["FAILURES", "list_pages", "plain_tag", "token_of"]

FAILURES: Final = (BaseError, OSError, ValueError)
"""What a client raises: a missing object is an OSError, a date that cannot be said a ValueError."""

_ANSWER: Final = 1_000
"""Keys asked for at once: what S3 and Google answer with."""
_MOST: Final = 5_000
"""Keys of a page at most."""
_PARTS_AT_ONCE: Final = 16
"""As many as one processor keeps up with."""
_IN_FLIGHT: Final = 64
_LONGEST_PAUSE: Final = 15.0
"""Seconds."""
_MOST_BREAKS: Final = 10
"""How often an answer may break off at one place: about a minute."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Whom to ask, about what, and how."""

    client: Client
    place: Place
    exclude: Sequence[str]
    retries: int
    stopped: Event = field(default_factory=Event)
    """Set when nobody waits for an answer any more."""


def list_pages(
    client: Client,
    place: Place,
    *,
    exclude: Sequence[str] = (),
    splits: Sequence[str] = (),
    retries: int = 60,
) -> Iterator[Listing]:
    """Yield everything below a place in pages, each in the order of the store.

    Parameters
    ----------
    client, place
        Whom to ask, and about what.
    exclude
        Keys and folders (with a slash at the end) that are passed over.
    splits
        Keys between which to list at the same time, where the store can.
    retries
        How often an answer that breaks off is asked for again.

    Raises
    ------
    PartsError
        Where it cannot be listed in parts.
    StorageError
        Where the listing is not complete.
    """
    asked = _Asked(client, place, exclude, retries)
    if not splits or not _lists_from_any_key(place):
        yield from _pages(asked, Part())
        return
    # One answer tells whether there is anything, and the second whether there is more: threads are
    # only begun for what is behind these two.
    pages = _pages(asked, Part())
    begun = []
    for page in islice(pages, 2):
        begun.append(page.keys)
        yield page
    keys = Keys.concat(begun)
    parts = parts_of(splits, keys[len(keys) - 1] if len(keys) else None)
    if len(begun) < 2 or len(parts) < 2 or not keys.are_in_order():
        yield from pages
        return
    yield from merged((_pages(asked, part) for part in parts), _PARTS_AT_ONCE, asked.stopped)


def _lists_from_any_key(place: Place) -> bool:
    # Amazon's directory buckets ("name--zone--x-s3") have neither an order nor a place to begin.
    return place.provider is not Provider.AZURE and not place.bucket.endswith("--x-s3")


def _pages(asked: _Asked, part: Part) -> Iterator[Listing]:
    """Yield the files of a part."""
    files = frozenset(entry for entry in asked.exclude if not entry.endswith("/"))
    folders = tuple(entry for entry in asked.exclude if entry.endswith("/"))
    before: Collection[str] = {part.after or ""}  # some begin with that key, not behind it
    for chunk in _chunks(asked, part):
        chunk = chunk[: _end(chunk, part.until)]
        names = [entry["path"] for entry in chunk]
        markers = _markers(asked, part, chunk)
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


def _reaches(entries: Sequence["ObjectMeta"], until: str | None) -> bool:
    """Whether nothing that follows can lie before the end of a part, or be it."""
    return until is not None and any(entry["path"] >= until for entry in entries)


def _end(entries: Sequence["ObjectMeta"], until: str | None) -> int:
    """Return the row of the first entry that lies behind a key; their number where none does."""
    if until is None:
        return len(entries)
    behind = (row for row, entry in enumerate(entries) if entry["path"] > until)
    return next(behind, len(entries))


def token_of(meta: "ObjectMeta") -> str:
    """Return the version token of an object: the same from a listing and from reading it."""
    tag = plain_tag(meta["e_tag"])
    # Reading tells the time to the second only.
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
        Keys.of([entry["path"] for entry in entries]),
        sizes_column([entry["size"] for entry in entries]),
        column,
        [date_problem(entries[row]["path"], times[row]) for row in outside_dates(column, times)],
        tokens=Keys.of([token_of(entry) for entry in entries]),
    )


def _chunks(asked: _Asked, part: Part) -> Iterator[Sequence["ObjectMeta"]]:
    """Yield what the store lists of a part; go on from the last key where an answer broke off."""
    # Azure has no "from this key on", and its order is not always that of the keys.
    can_go_on = in_order = asked.place.provider is not Provider.AZURE
    last = part.after
    failures = 0
    while True:
        try:
            for chunk in _answers(asked, Part(last, part.until)):
                # Empty ones may have lost a slash: their names are not where the store is.
                names = [entry["path"] for entry in chunk if entry["size"]]
                in_order = in_order and all(a <= b for a, b in pairwise([last or "", *names]))
                if not part.is_everything:
                    _check_order(asked.place, in_order)
                can_go_on = in_order and bool(names)
                last = names[-1] if names else last
                failures = 0
                yield chunk
        except PartsError:
            raise
        except FAILURES as error:
            failures += 1
            if not (
                can_go_on and broke_off(error) and failures <= min(asked.retries, _MOST_BREAKS)
            ):
                raise cloud_error(error, asked.place, Operation.LIST) from None
            if asked.stopped.wait(min(0.05 * 2**failures, _LONGEST_PAUSE)):
                return
        else:
            return


def _check_order(place: Place, in_order: bool) -> None:
    if not in_order:
        raise PartsError(
            f"{place.url} does not list in the order of its keys: list it again without splits"
        )


def _answers(asked: _Asked, part: Part) -> Iterator[Sequence["ObjectMeta"]]:
    """Ask, and yield what is answered; the last may reach behind the part's end."""
    chunk: list[ObjectMeta] = []
    for answer in asked.client.list(offset=part.after, chunk_size=_ANSWER):
        chunk += answer
        is_last = asked.stopped.is_set() or _reaches(answer, part.until)
        # Whether an empty one at the end stands for a folder, the next answer tells for nothing.
        if is_last or chunk[-1]["size"] or len(chunk) >= _MOST:
            yield chunk
            chunk = []
        if is_last:
            return
    if chunk:
        yield chunk


def _markers(asked: _Asked, part: Part, chunk: Sequence["ObjectMeta"]) -> set[int]:
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
        return _is_marker(asked.client, asked.place, chunk[row]["path"])

    at_once = _IN_FLIGHT if part.is_everything else _IN_FLIGHT // _PARTS_AT_ONCE
    with ThreadPoolExecutor(min(at_once, len(suspects))) as threads:
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

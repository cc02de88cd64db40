"""Stream the keys of a part of a bucket until it is proven that nothing follows.

1. A client may take a broken answer for the last page: a body without any key (an error or a web page
   with status 200), or a page that is cut off without a token for the next. So where the answers
   end, the last keys are requested again, beginning one key before them. They must come again. Keys
   behind them continue the listing; only where none follow, the listing is at its end.
2. Keys ascend. A page that is repeated is skipped. A page that is repeated for ever is an error; so
   are keys that go back, and keys outside the prefix.
3. Where obstore's client meets a key that it cannot name, `raw_listing` continues instead.
4. An answer that breaks off is requested again from the last key on.
5. Azure and directory buckets list from the first key only. A page that may have been a full last
   one makes the whole listing be repeated there, and both listings must agree.

Chunks are those of the store, without repeated keys. The module does not know which keys are files.
"""

from collections.abc import Iterator, Sequence
from enum import Enum, auto
from itertools import pairwise
from threading import Event
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field
from obstore.exceptions import BaseError

from labelingest.errors import StorageError
from labelingest.storage.base import PartsError
from labelingest.storage.cloud.clients import Client
from labelingest.storage.cloud.errors import Operation, broke_off, cloud_error
from labelingest.storage.cloud.list_parts import Part
from labelingest.storage.cloud.markers import may_be_marker
from labelingest.storage.cloud.raw_listing import RawListing
from labelingest.storage.urls import Place, Provider

if TYPE_CHECKING:
    from obstore import ObjectMeta

__all__ = ["FAILURES", "BucketLister", "End", "chunks"]

FAILURES: Final = (BaseError, OSError, ValueError)
"""Exceptions of a client: OSError for a missing object, ValueError for a date out of range."""

_ANSWER: Final = 1_000
"""Keys requested at once: the page size of S3 and Google."""
_MOST: Final = 5_000
"""Keys of a chunk at most, which is also the page size of Azure."""
_MOST_REPEATED: Final = 3
"""Number of answers in a row that may hold nothing new."""
_LONGEST_PAUSE: Final = 15.0
"""Seconds of the longest pause before a request is repeated."""
_MOST_BREAKS: Final = 10
"""Times that an answer may break off at one place, which takes about a minute."""
_CHECK: Final = "check the network and whatever lies between, and give the same command again"


class End(Enum):
    """End of the listing of a part."""

    BEHIND = auto()
    """A key behind the part came."""
    PROVEN = auto()
    """It is proven that nothing is behind the last key of the part."""
    EMPTY = auto()
    """No key came at all; another part must prove that none exists."""


class BucketLister(Struct, frozen=True):
    """Lists a place in a bucket: its clients, and the state that its parts share."""

    client: Client
    """Client of the whole bucket, so that keys outside the prefix are noticed."""
    place: Place
    exclude: Sequence[str]
    retries: int
    raw: RawListing
    """Replaces the client after the client has met a key that it cannot name."""
    stopped: Event = field(default_factory=Event)
    """Set when no more answers are needed."""
    ends: dict[Part, End] = field(default_factory=dict)
    """Ends of the parts that are complete."""

    def answers(
        self, prefix: str | None, *, offset: str | None = None, chunk_size: int
    ) -> Iterator[Sequence["ObjectMeta"]]:
        """Request the objects below a prefix of the bucket, and behind a name."""
        if self.raw.is_open:
            return self.raw.answers(prefix, offset=offset, chunk_size=chunk_size)
        return self.client.list(prefix, offset=offset, chunk_size=chunk_size)

    def path(self, key: str) -> str:
        """Return the name of a key in the bucket."""
        return f"{self.place.prefix}/{key}" if self.place.prefix else key

    def key(self, path: str) -> str:
        """Return the key of a name in the bucket; "" for the storage path's own folder.

        Raises
        ------
        StorageError
            The name lies outside the prefix.
        """
        prefix = self.place.prefix
        if not prefix:
            return path
        if path == prefix:
            return ""
        if not path.startswith(f"{prefix}/"):
            raise StorageError(
                f"{self.place.url} cannot be listed: the answer holds {path!r}, which lies outside; "
                f"{_CHECK}"
            )
        return path[len(prefix) + 1 :]


def chunks(lister: BucketLister, part: Part) -> Iterator[Sequence["ObjectMeta"]]:
    """Yield the objects of a part with their keys; the last chunk may reach behind its end.

    Raises
    ------
    PartsError
        The place cannot be listed in parts.
    StorageError
        The place cannot be listed, or the listing may not be complete.
    """
    if lister.place.lists_from_any_key:
        yield from _ordered(lister, part)
    else:
        yield from _whole(lister)


# --- stores that list in order ---


class _Seen:
    """Keys of a part that have come: enough to recognise new keys and the proven end."""

    def __init__(self, place: Place, part: Part) -> None:
        self.place, self.part = place, part
        # Empty objects may have lost a slash: they lie where their names say, or a little behind.
        self.highest = part.after
        """The highest of all names that have come."""
        self.final: str | None = None
        """The name that came last."""
        self.anchor = part.after
        """The highest of all names that came before the last one; it lies before the last one."""
        self.confirmed = False
        """Whether the last name came again since this was set to False."""
        self.reached = False
        """Whether a key at the end of the part, or behind it, has come."""
        self._last = part.after or ""
        """The last name of a file with content: such names come in order."""
        # Some stores begin with that key, not behind it.
        self._recent = set() if part.after is None else {part.after}
        self._repeats = 0

    def take(self, chunk: Sequence["ObjectMeta"], *, again: bool) -> Sequence["ObjectMeta"]:
        """Return the new objects of a chunk.

        Parameters
        ----------
        chunk
            Objects in the order of the store.
        again
            Whether the chunk may hold objects that came already, because it was requested again.
        """
        if again:
            chunk = self._behind(chunk)
        elif not self._goes_up(chunk):  # nearly never
            chunk = self._fresh(chunk)
        if chunk:
            self._remember(chunk)
        return chunk

    def _goes_up(self, chunk: Sequence["ObjectMeta"]) -> bool:
        names = [entry["path"] for entry in chunk]
        return not any(_may_be_marker(entry) for entry in chunk) and all(
            a < b for a, b in pairwise([self._last, *names])
        )

    def _behind(self, chunk: Sequence["ObjectMeta"]) -> Sequence["ObjectMeta"]:
        """Return the objects behind all names that came; others came before, or are newer."""
        self.confirmed = self.confirmed or any(entry["path"] == self.final for entry in chunk)
        highest = self.highest or ""
        behind = [entry for entry in chunk if entry["path"] > highest or self.final is None]
        if not behind:
            self._count_repeats(chunk)
        return behind if self._goes_up(behind) else self._fresh(behind)

    def _fresh(self, chunk: Sequence["ObjectMeta"]) -> Sequence["ObjectMeta"]:
        """Return a chunk without repeated objects."""
        fresh, passed = [], set(self._recent)
        last = self._last
        for entry in chunk:
            name, is_sure = entry["path"], not _may_be_marker(entry)
            if is_sure and name < last and not (name in passed and self.part.is_everything):
                raise self._backwards(name, last)
            if name not in passed:
                passed.add(name)
                fresh.append(entry)
                last = name if is_sure else last
        if not fresh:
            self._count_repeats(chunk)
        return fresh

    def _count_repeats(self, chunk: Sequence["ObjectMeta"]) -> None:
        self._repeats += len(chunk)
        if self._repeats > _MOST_REPEATED * _ANSWER:
            raise StorageError(
                f"{self.place.url} cannot be listed: the same page comes again and again, with the "
                f"key {chunk[0]['path']!r}; {_CHECK}"
            )

    def _backwards(self, name: str, last: str) -> StorageError:
        if not self.part.is_everything:
            return PartsError(
                f"{self.place.url} does not list in the order of its keys: list it without splits"
            )
        return StorageError(
            f"{self.place.url} cannot be listed: {name!r} comes behind {last!r}, and keys must come in "
            f"order; {_CHECK}"
        )

    def _remember(self, chunk: Sequence["ObjectMeta"]) -> None:
        names = [entry["path"] for entry in chunk]
        self.anchor = max([self.highest or "", *names[:-1]])
        self.final = names[-1]
        self.highest = max(self.anchor, self.final)
        until = self.part.until
        self.reached = self.reached or (until is not None and self.highest >= until)
        with_content = (entry["path"] for entry in reversed(chunk) if not _may_be_marker(entry))
        self._last = next(with_content, self._last)
        self._recent = set(names)
        self._repeats = 0


def _ordered(lister: BucketLister, part: Part) -> Iterator[Sequence["ObjectMeta"]]:
    """Yield a part of a store that lists in order; resume where an answer broke off."""
    seen, again, failures = _Seen(lister.place, part), False, 0
    while part not in lister.ends and not lister.stopped.is_set():
        grew = seen.confirmed = False
        try:
            begin = seen.anchor if again else seen.highest
            for chunk in _answers(lister, Part(begin, part.until)):
                if fresh := seen.take(chunk, again=again or failures > 0):
                    grew, failures = True, 0
                    yield fresh
        except StorageError:
            raise
        except FAILURES as error:
            failures += 1
            _wait(lister, error, failures)
            again = again and not grew
        else:
            if again and seen.final and not seen.confirmed and not lister.stopped.is_set():
                raise _unproven(lister.place, seen.final)
            end = _end_of(seen, part, again=again and not grew)
            if end is not None:
                lister.ends[part] = end
            again = True


def _wait(lister: BucketLister, error: Exception, failures: int) -> None:
    """Wait before an answer that broke off is requested again.

    Raises
    ------
    StorageError
        The answer failed otherwise, or broke off too often.
    """
    if lister.raw.open_after(error):
        return
    if not broke_off(error) or failures > min(lister.retries, _MOST_BREAKS):
        raise cloud_error(error, lister.place, Operation.LIST) from None
    lister.stopped.wait(min(0.05 * 2**failures, _LONGEST_PAUSE))


def _end_of(seen: _Seen, part: Part, *, again: bool) -> End | None:
    """Return the end of a part; None where it is not proven yet."""
    if seen.reached:
        return End.BEHIND
    if again:
        return End.PROVEN
    return End.EMPTY if seen.final is None and not part.is_everything else None


def _unproven(place: Place, last: str) -> StorageError:
    return StorageError(
        f"{place.url} cannot be listed: the answers end with {last!r}, and a repeated request does not "
        f"return the keys around it, so keys behind them may be missing; {_CHECK}"
    )


# --- stores that list from the first key only ---


def _whole(lister: BucketLister) -> Iterator[Sequence["ObjectMeta"]]:
    """Yield everything; list it again where it may end with a full page."""
    first, second = _Sum(), _Sum()
    page = _MOST if lister.place.provider is Provider.AZURE else _ANSWER
    try:
        for chunk in _answers(lister, Part()):
            first.add(chunk)
            yield chunk
        if not first.count or first.count % page:
            return
        for chunk in _answers(lister, Part()):
            second.add(chunk)
    except StorageError:
        raise
    except FAILURES as error:
        # It is unknown from which key to continue.
        raise cloud_error(error, lister.place, Operation.LIST) from None
    if second != first:
        raise StorageError(
            f"{lister.place.url} cannot be listed: listed again, it holds {second.count:,} keys "
            f"instead of {first.count:,}, or others; {_CHECK}"
        )


class _Sum(Struct):
    """Number and checksum of keys in any order."""

    count: int = 0
    total: int = 0

    def add(self, chunk: Sequence["ObjectMeta"]) -> None:
        self.count += len(chunk)
        for entry in chunk:
            self.total ^= hash(entry["path"])


# --- requests ---


def _answers(lister: BucketLister, part: Part) -> Iterator[Sequence["ObjectMeta"]]:
    """Yield the answers for a part, by key; the last may reach behind the end of the part."""
    chunk: list[ObjectMeta] = []
    offset = lister.path(part.after) if part.after else None
    for answer in lister.answers(lister.place.prefix or None, offset=offset, chunk_size=_ANSWER):
        for entry in answer:
            entry["path"] = lister.key(entry["path"])
        chunk += answer
        is_last = lister.stopped.is_set() or _reaches(answer, part.until)
        # The next answer shows at no cost whether a tiny object at the end stands for a folder.
        if is_last or not _may_be_marker(chunk[-1]) or len(chunk) >= _MOST:
            yield chunk
            chunk = []
        if is_last:
            return
    if chunk:
        yield chunk


def _may_be_marker(entry: "ObjectMeta") -> bool:
    return may_be_marker(entry["path"], entry["size"])


def _reaches(entries: Sequence["ObjectMeta"], until: str | None) -> bool:
    """Return whether all that follows must lie behind the end of a part."""
    return until is not None and any(entry["path"] >= until for entry in entries)

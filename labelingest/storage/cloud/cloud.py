"""A storage path in the cloud: S3 and its compatible stores, Google Cloud Storage, Azure.

Every file costs a request of its own that takes as long as a thousand local reads, so many requests
are made at once. The client (`labelingest.storage.cloud.clients`) repeats requests that are refused
for now or get no answer.

A request that stays refused concerns one file, or all of them. Refused credentials end the batch. So
does a moment in which no file of the batch was answered: a run that continued would call every file
unreadable.
"""

import builtins
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Final, TypeVar

from obstore.exceptions import AlreadyExistsError, PreconditionError

from labelingest.columns.types import Int64
from labelingest.errors import ConfigError, NameRefusedError
from labelingest.model.blobs import Blobs, Unread
from labelingest.model.listing import Listing
from labelingest.problems import ProblemCode
from labelingest.storage.base import (
    MAX_SIDECAR,
    ChangedError,
    Version,
    check_key,
    has_changed,
    too_large,
)
from labelingest.storage.cloud.clients import open_client
from labelingest.storage.cloud.connections import Connection
from labelingest.storage.cloud.errors import (
    Concern,
    Operation,
    cloud_error,
    is_bad_path,
    refusal_of,
)
from labelingest.storage.cloud.listing import list_pages, plain_tag, token_of
from labelingest.storage.cloud.stream import FAILURES
from labelingest.storage.urls import Place, Provider

if TYPE_CHECKING:
    from obstore import PutMode

__all__ = ["CloudStorage"]

T = TypeVar("T")

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")

_PIECE: Final = 1 << 20
_IN_FLIGHT: Final = 64
"""Number of requests that one process has under way."""
_BULK: Final[Mapping[Provider, int]] = {Provider.S3: 1000, Provider.AZURE: 256}
"""Number of files that one request deletes; Google needs a request for each file."""
_EMPTY: Final = "Server returned non-2xx status code: 416 "
"""Error text of a request for bytes behind the end of a file."""
_NOT_IMPLEMENTED: Final = "Server returned non-2xx status code: 501 "
"""Error text of a conditional request to a store that has no conditions."""


class CloudStorage:
    """The objects below a prefix of one bucket or container.

    Examples
    --------
    >>> from labelingest.storage.urls import place_of
    >>> CloudStorage(place_of("s3://bucket/drive"), Connection(region="eu-west-1")).url
    's3://bucket/drive/'
    """

    place: Place
    connection: Connection
    _compares: bool
    """Whether the store has conditional requests; the first one that it refuses shows that."""

    def __init__(self, place: Place, connection: Connection | None = None) -> None:
        self.connection = connection or Connection()
        self.place = replace(place, endpoint=self.connection.endpoint or place.endpoint)
        self._client = open_client(self.place, self.connection)
        self._compares = True

    def __reduce__(self) -> tuple[type["CloudStorage"], tuple[Place, Connection]]:
        # A copy opens a client of its own, with the credentials of its machine.
        return CloudStorage, (self.place, self.connection)

    @property
    def url(self) -> str:
        """URL of the storage path, as `labelingest.storage.base.Storage` says."""
        return self.place.url

    @property
    def puts_at_once(self) -> int:
        """Number of files that are best put at the same time: each waits for its answer."""
        return _IN_FLIGHT

    def list(
        self,
        *,
        exclude: Sequence[str] = (),
        bare: Collection[str] = (),
        splits: Sequence[str] = (),
    ) -> Iterator[Listing]:
        """Yield the files in pages, as `labelingest.storage.base.Storage` says."""
        del bare  # nothing to save: sizes and times come with the names
        return list_pages(
            open_client(replace(self.place, prefix=""), self.connection),
            self.place,
            exclude=exclude,
            splits=splits,
            connection=self.connection,
        )

    def fetch(
        self,
        keys: Sequence[str],
        *,
        sizes: Int64 | None = None,
        tokens: bool = True,
        most: int | None = None,
    ) -> Blobs:
        """Return the contents of files, as `labelingest.storage.base.Storage` says."""
        del tokens  # nothing to save: they come with the contents
        limit = MAX_SIDECAR if most is None else most
        listed_sizes = [0] * len(keys) if sizes is None else sizes.tolist()
        too_long = {row: size for row, size in enumerate(listed_sizes) if size > limit}
        contents, versions = [b""] * len(keys), [""] * len(keys)
        unread = {}

        def read(row: int) -> tuple[bytes | None, str, int]:
            if row in too_long:
                return None, "", too_long[row]
            answer = self._client.get(keys[row])
            size = answer.meta["size"]
            content = None if size > limit else bytes(answer.bytes())
            return content, token_of(answer.meta), size

        for row, outcome in enumerate(self._each(keys, read, Operation.READ)):
            if isinstance(outcome, Exception):
                unread[row] = self._unread(outcome)
                continue
            content, token, size = outcome
            if content is None:
                unread[row] = Unread(ProblemCode.FILE_TOO_LARGE, too_large(size, limit))
            else:
                contents[row], versions[row] = content, token
        return Blobs.from_contents(contents, unread, versions)

    def fetch_heads(
        self, keys: Sequence[str], length: int, *, start: int = 0
    ) -> Sequence[bytes | Unread]:
        """Return the first bytes of files, as `labelingest.storage.base.Storage` says."""

        def read(row: int) -> bytes:
            try:
                return bytes(self._client.get_range(keys[row], start=start, length=length))
            except FAILURES as error:
                if _EMPTY in str(error):
                    return b""
                raise

        outcomes = self._each(keys, read, Operation.READ)
        return [self._unread(o) if isinstance(o, Exception) else o for o in outcomes]

    def _unread(self, error: Exception) -> Unread:
        """Return why a file could not be read."""
        refusal = refusal_of(error, self.place, Operation.READ)
        check = f"; {refusal.check}" if refusal.check else ""
        return Unread(ProblemCode.UNREADABLE_FILE, f"it cannot be read: {refusal.why}{check}")

    def versions(self, keys: Sequence[str]) -> Sequence[Version | None]:
        """Return the versions of files by a request for each, many at once."""
        # No file was ever put under a name that cannot be requested.
        rows = [row for row, key in enumerate(keys) if not _CONTROL.search(key)]
        usable_keys = [keys[row] for row in rows]

        def look(row: int) -> Version | None:
            return self._version(usable_keys[row])

        versions: list[Version | None] = [None] * len(keys)
        for row, outcome in zip(rows, self._each(usable_keys, look, Operation.READ), strict=True):
            if isinstance(outcome, Exception):
                raise cloud_error(outcome, self.place, Operation.READ, keys[row])
            versions[row] = outcome
        return versions

    def _version(self, key: str) -> Version | None:
        try:
            meta = self._client.head(key)
        except FileNotFoundError:
            return None
        return Version(meta["size"], token_of(meta))

    def versions_in(self, folder: str) -> Mapping[str, Version]:
        """Return the versions of a folder's files, as `labelingest.storage.base.Storage` says."""
        check_key(folder.removesuffix("/"))
        try:
            entries = [entry for answer in self._client.list(folder) for entry in answer]
        except FAILURES as error:
            if is_bad_path(error):
                return self._versions_below(folder)
            raise cloud_error(error, self.place, Operation.LIST) from None
        return {
            entry["path"]: Version(entry["size"], token_of(entry))
            for entry in entries
            if entry["path"].rpartition("/")[0] + "/" == folder
        }

    def _versions_below(self, folder: str) -> Mapping[str, Version]:
        """Return the versions of a folder's files, where unusable names lie below the folder."""
        prefix = "/".join(filter(None, (self.place.prefix, folder.removesuffix("/"))))
        client = open_client(replace(self.place, prefix=""), self.connection)
        pages = list_pages(client, replace(self.place, prefix=prefix), connection=self.connection)
        return {
            folder + key: Version(size, token)
            for page in pages
            for key, size, token in zip(
                page.keys, page.size.tolist(), page.token_column(), strict=True
            )
            if "/" not in key
        }

    def put(
        self, key: str, content: bytes | Iterable[bytes], *, unless_changed: str | None = None
    ) -> str:
        """Write one file whole or not at all, as `labelingest.storage.base.Storage` says.

        The store itself compares versions. Where it cannot, the version is requested first, and
        another writer may come between.
        """
        check_key(key)
        if _CONTROL.search(key):
            raise NameRefusedError(f"{self.url}: {_has_control(key)}")
        try:
            if not isinstance(content, bytes):
                return self._put_pieces(key, content, unless_changed)
            if unless_changed is not None and not self._compares:
                return self._put(key, content, self._compared(key, unless_changed))
            mode = self._mode(key, unless_changed)
            try:
                return self._put(key, content, mode)
            except FAILURES as error:
                if unless_changed is None or _NOT_IMPLEMENTED not in str(error):
                    raise
                self._compares = False
                return self._put(key, content, self._compared(key, unless_changed))
        except ChangedError:
            raise
        except (AlreadyExistsError, PreconditionError, FileNotFoundError) as error:
            # Some stores answer "not found" where the version to replace does not exist.
            if isinstance(error, FileNotFoundError) and (
                not unless_changed or self._version(key) is not None
            ):
                raise cloud_error(error, self.place, Operation.WRITE, key) from None
            raise has_changed(self.url, key) from None
        except FAILURES as error:
            raise cloud_error(error, self.place, Operation.WRITE, key) from None

    def _put_pieces(self, key: str, pieces: Iterable[bytes], unless_changed: str | None) -> str:
        """Write a file in many requests; the version is compared before, as no store can do it."""
        if unless_changed is not None:
            self._compared(key, unless_changed)
        put = self._client.put(key, _joined(pieces), use_multipart=True, max_concurrency=2)
        return plain_tag(put["e_tag"])

    def _put(self, key: str, content: bytes, mode: "PutMode") -> str:
        put = self._client.put(key, content, mode=mode, use_multipart=False)
        return plain_tag(put["e_tag"])

    def _mode(self, key: str, unless_changed: str | None) -> "PutMode":
        """Return the condition that the store is to check."""
        if unless_changed is None:
            return "overwrite"
        if not unless_changed:
            return "create"
        if self.place.provider is Provider.GOOGLE:
            # Google compares generations, which listings do not contain.
            return self._compared(key, unless_changed)
        return {"e_tag": f'"{unless_changed}"'}

    def _compared(self, key: str, unless_changed: str) -> "PutMode":
        """Compare the version here; return the mode for putting the file if it is unchanged."""
        try:
            meta = self._client.head(key)
        except FileNotFoundError:
            if unless_changed:
                raise has_changed(self.url, key) from None
            return "overwrite"
        if token_of(meta) != unless_changed:
            raise has_changed(self.url, key)
        by_generation = self.place.provider is Provider.GOOGLE and meta["version"]
        return {"version": meta["version"]} if by_generation else "overwrite"

    def flush(self, keys: Sequence[str]) -> None:
        """Do nothing: a bucket has stored a file before it answers."""

    def delete(self, keys: Sequence[str]) -> None:
        """Delete files, as `labelingest.storage.base.Storage` says."""
        for key in keys:
            check_key(key)
        # No file was ever put under a name that cannot be requested.
        keys = [key for key in keys if not _CONTROL.search(key)]
        at_once = _BULK.get(self.place.provider, 0)
        if not at_once:
            self._delete_each(keys)
            return
        for start in range(0, len(keys), at_once):
            some = keys[start : start + at_once]
            try:
                self._client.delete(some)
            except FileNotFoundError:
                self._delete_each(some)  # the answer does not name the files that were deleted
            except FAILURES as error:
                raise cloud_error(error, self.place, Operation.DELETE, some[0]) from None

    def _delete_each(self, keys: Sequence[str]) -> None:
        """Delete files one by one."""

        def delete(row: int) -> None:
            with suppress(FileNotFoundError):
                self._client.delete(keys[row])

        for key, outcome in zip(keys, self._each(keys, delete, Operation.DELETE), strict=True):
            if isinstance(outcome, Exception):
                raise cloud_error(outcome, self.place, Operation.DELETE, key)

    def _each(
        self, keys: Sequence[str], ask: Callable[[int], T], operation: Operation
    ) -> "builtins.list[T | Exception]":
        """Make a request for each row, many at once; return the outcome of each.

        Raises
        ------
        StorageError
            A refusal concerns all files, or none was answered.
        """
        for key in keys:
            _check(key)
        if not keys:
            return []
        patience = _Patience(min(_IN_FLIGHT, len(keys)))

        def attempt(row: int) -> T | Exception:
            if patience.fatal_refusal is not None:
                return patience.fatal_refusal[1]
            try:
                outcome = ask(row)
            except FAILURES as error:
                concern = refusal_of(error, self.place, operation).concern
                patience.count_failure(concern, keys[row], error)
                return error
            patience.count_success()
            return outcome

        with ThreadPoolExecutor(min(_IN_FLIGHT, len(keys))) as threads:
            outcomes = list(threads.map(attempt, range(len(keys))))
        if patience.fatal_refusal is not None:
            key, error = patience.fatal_refusal
            raise cloud_error(error, self.place, operation, key)
        return outcomes


class _Patience:
    """Decides when further requests are pointless."""

    def __init__(self, limit: int) -> None:
        self.fatal_refusal: tuple[str, Exception] | None = None
        """Key of the file whose request ended the batch, and the error."""
        self._limit = limit
        self._unanswered = 0
        self._lock = Lock()

    def count_success(self) -> None:
        """Count a request that succeeded."""
        with self._lock:
            self._unanswered = 0

    def count_failure(self, concern: Concern, key: str, error: Exception) -> None:
        """Count a request that failed."""
        with self._lock:
            self._unanswered = self._unanswered + 1 if concern is Concern.MOMENT else 0
            if concern is Concern.STORAGE or self._unanswered >= self._limit:
                self.fatal_refusal = self.fatal_refusal or (key, error)


def _joined(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Join pieces to about a megabyte, because every piece costs the client the same."""
    waiting, size = [], 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= _PIECE:
            yield b"".join(waiting)
            waiting, size = [], 0
    yield b"".join(waiting)


def _check(key: str) -> None:
    """Refuse keys that no storage has, and keys that obstore cannot request.

    Raises
    ------
    ConfigError
        `check_key` refuses the key, or it has control characters.
    """
    check_key(key)
    if _CONTROL.search(key):
        raise ConfigError(_has_control(key))


def _has_control(key: str) -> str:
    return f"key {key!r} is refused: keys of cloud storage have no control characters; rename it"

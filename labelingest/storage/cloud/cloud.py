"""A storage path in the cloud: S3 and its compatible stores, Google Cloud Storage, Azure.

Every file costs a request of its own that takes as long as a thousand local reads, so many requests
are made at once (`many_requests`). The client (`clients`) repeats requests that are refused for now
or get no answer.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from typing import Final

from msgspec.structs import replace

from labelingest.columns.types import Int64
from labelingest.errors import NameRefusedError
from labelingest.model.blobs import Blobs, Unread
from labelingest.model.listing import Listing
from labelingest.problems import ProblemCode
from labelingest.storage.base import (
    MAX_SIDECAR,
    Version,
    check_key,
    too_large,
)
from labelingest.storage.cloud.clients import open_client
from labelingest.storage.cloud.connections import Connection
from labelingest.storage.cloud.errors import (
    Operation,
    cloud_error,
    is_bad_path,
    refusal_of,
)
from labelingest.storage.cloud.listing import list_pages, token_of
from labelingest.storage.cloud.many_requests import IN_FLIGHT, request_each
from labelingest.storage.cloud.stream import FAILURES
from labelingest.storage.cloud.unusable_keys import is_requestable, not_requestable
from labelingest.storage.cloud.upload import Upload, whole_object
from labelingest.storage.cloud.writer import CloudWriter
from labelingest.storage.urls import Place, Provider

__all__ = ["CloudStorage"]

_BULK: Final[Mapping[Provider, int]] = {Provider.S3: 1000, Provider.AZURE: 256}
"""Number of files that one request deletes; Google needs a request for each file."""
_EMPTY: Final = "Server returned non-2xx status code: 416 "
"""Error text of a request for bytes behind the end of a file."""


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

    def __init__(self, place: Place, connection: Connection | None = None) -> None:
        self.connection = connection or Connection()
        self.place = replace(place, endpoint=self.connection.endpoint or place.endpoint)
        self._client = open_client(self.place, self.connection)
        self._writer = CloudWriter(self._client, self.place)

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
        return IN_FLIGHT

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

        for row, outcome in enumerate(request_each(self.place, keys, read, Operation.READ)):
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

        outcomes = request_each(self.place, keys, read, Operation.READ)
        return [self._unread(o) if isinstance(o, Exception) else o for o in outcomes]

    def _unread(self, error: Exception) -> Unread:
        """Return why a file could not be read."""
        refusal = refusal_of(error, self.place, Operation.READ)
        check = f"; {refusal.check}" if refusal.check else ""
        return Unread(ProblemCode.UNREADABLE_FILE, f"it cannot be read: {refusal.why}{check}")

    def versions(self, keys: Sequence[str]) -> Sequence[Version | None]:
        """Return the versions of files by a request for each, many at once."""
        # No file was ever put under a name that cannot be requested.
        rows = [row for row, key in enumerate(keys) if is_requestable(key)]
        usable_keys = [keys[row] for row in rows]

        def look(row: int) -> Version | None:
            return self._writer.version(usable_keys[row])

        versions: list[Version | None] = [None] * len(keys)
        for row, outcome in zip(
            rows, request_each(self.place, usable_keys, look, Operation.READ), strict=True
        ):
            if isinstance(outcome, Exception):
                raise cloud_error(outcome, self.place, Operation.READ, keys[row])
            versions[row] = outcome
        return versions

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
        if not is_requestable(key):
            raise NameRefusedError(f"{self.url}: {not_requestable(key)}")
        return self._writer.put(key, content, unless_changed)

    def whole_object(self, key: str) -> AbstractContextManager[Upload]:
        """Open a file for writing piece by piece, as `labelingest.storage.cloud.upload` says."""
        if not is_requestable(key):
            raise NameRefusedError(f"{self.url}: {not_requestable(key)}")
        return whole_object(self._writer, key)

    def flush(self, keys: Sequence[str]) -> None:
        """Do nothing: a bucket has stored a file before it answers."""

    def delete(self, keys: Sequence[str]) -> None:
        """Delete files, as `labelingest.storage.base.Storage` says."""
        for key in keys:
            check_key(key)
        # No file was ever put under a name that cannot be requested.
        keys = [key for key in keys if is_requestable(key)]
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

        for key, outcome in zip(
            keys, request_each(self.place, keys, delete, Operation.DELETE), strict=True
        ):
            if isinstance(outcome, Exception):
                raise cloud_error(outcome, self.place, Operation.DELETE, key)

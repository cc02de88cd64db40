"""A storage path that is a dictionary: for tests, and for files that are in memory already."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from urllib.parse import quote

from labelingest.columns.types import Int64
from labelingest.model.blobs import Blobs, Unread
from labelingest.model.listing import Listing, version_token
from labelingest.problems import ProblemCode
from labelingest.storage.base import (
    MAX_SIDECAR,
    NOT_THERE,
    PAGE,
    Version,
    check_key,
    has_changed,
    too_large,
)

__all__ = ["MemoryStorage"]


class MemoryStorage:
    """Files in memory under a storage path of their own.

    Pickling copies the files: what a worker process puts stays in that process.

    Examples
    --------
    >>> storage = MemoryStorage({"labels/a.txt": b"0 .5 .5 1 1"}, name="tiny")
    >>> storage.url, storage.fetch(["labels/a.txt"]).get(0)
    ('memory://tiny/', b'0 .5 .5 1 1')
    """

    contents: dict[str, bytes]
    """Key → content; what is put appears here."""
    mtime_ns: int
    """Time of the last change, in nanoseconds since 1970, with which all files are listed."""

    def __init__(
        self, contents: Mapping[str, bytes], *, name: str = "memory", mtime_ns: int = 0
    ) -> None:
        for key in contents:
            check_key(key)
        self.contents = dict(contents)
        self.mtime_ns = mtime_ns
        self.url = f"memory://{quote(name)}/"
        self.puts_at_once = 1

    def list(
        self,
        *,
        exclude: Sequence[str] = (),
        bare: Collection[str] = (),
        splits: Sequence[str] = (),
    ) -> Iterator[Listing]:
        """Yield the files in pages, as `labelingest.storage.base.Storage` says."""
        del bare, splits  # nothing to save: sizes are here
        folders = tuple(entry for entry in exclude if entry.endswith("/"))
        entries = iter(
            [
                (key, len(content), self.mtime_ns)
                for key, content in self.contents.items()
                if key not in exclude and not (folders and key.startswith(folders))
            ]
        )
        while page := list(islice(entries, PAGE)):
            yield Listing.from_entries(page)

    def fetch(
        self,
        keys: Sequence[str],
        *,
        sizes: Int64 | None = None,
        tokens: bool = True,
        most: int | None = None,
    ) -> Blobs:
        """Return the contents of files, as `labelingest.storage.base.Storage` says."""
        del sizes, tokens  # nothing to save: contents are here
        most = MAX_SIDECAR if most is None else most
        contents = []
        read = []
        unread = {}
        for row, key in enumerate(keys):
            check_key(key)
            content = self.contents.get(key)
            if content is None:
                unread[row] = Unread(ProblemCode.UNREADABLE_FILE, NOT_THERE)
            elif len(content) > most:
                unread[row] = Unread(ProblemCode.FILE_TOO_LARGE, too_large(len(content), most))
            contents.append(b"" if row in unread or content is None else content)
            read.append("" if row in unread else self._token(key))
        return Blobs.from_contents(contents, unread, read)

    def fetch_heads(
        self, keys: Sequence[str], length: int, *, start: int = 0
    ) -> Sequence[bytes | Unread]:
        """Return the first bytes of files, as `labelingest.storage.base.Storage` says."""
        for key in keys:
            check_key(key)
        contents = [self.contents.get(key) for key in keys]
        missing = Unread(ProblemCode.UNREADABLE_FILE, NOT_THERE)
        return [
            missing if content is None else content[start : start + length] for content in contents
        ]

    def versions(self, keys: Sequence[str]) -> Sequence[Version | None]:
        """Return the versions of files, as `labelingest.storage.base.Storage` says."""
        for key in keys:
            check_key(key)
        return [
            Version(len(self.contents[key]), self._token(key)) if key in self.contents else None
            for key in keys
        ]

    def versions_in(self, folder: str) -> Mapping[str, Version]:
        """Return the versions of a folder's files, as `labelingest.storage.base.Storage` says."""
        return {
            key: Version(len(content), self._token(key))
            for key, content in self.contents.items()
            if key.rpartition("/")[0] + "/" == folder
        }

    def put(
        self, key: str, content: bytes | Iterable[bytes], *, unless_changed: str | None = None
    ) -> str:
        """Write one file, as `labelingest.storage.base.Storage` says."""
        check_key(key)
        if unless_changed is not None and self._token(key) != unless_changed:
            raise has_changed(self.url, key)
        self.contents[key] = content if isinstance(content, bytes) else b"".join(content)
        return self._token(key)

    def flush(self, keys: Sequence[str]) -> None:
        """Do nothing: memory outlasts no power failure."""

    def delete(self, keys: Sequence[str]) -> None:
        """Delete files, as `labelingest.storage.base.Storage` says."""
        for key in keys:
            check_key(key)
        for key in keys:
            self.contents.pop(key, None)

    def _token(self, key: str) -> str:
        content = self.contents.get(key)
        return "" if content is None else version_token(len(content), self.mtime_ns)

"""Operations of a storage path: list, fetch many files, put a file whole, delete.

The flow uses nothing else, so that a folder, a dictionary and a bucket are interchangeable. Every
method is a batch, because a bucket answers a thousand requests in the time of one. A storage can be
pickled: workers fetch and put for themselves. The module does not know what the files mean.
"""

import re
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Final, NamedTuple, Protocol

from msgspec.structs import replace

from labelingest.allocator import trim_memory
from labelingest.columns.types import Int64
from labelingest.errors import ConfigError, StorageError
from labelingest.model.blobs import Blobs, Unread
from labelingest.model.listing import Listing

__all__ = [
    "MAX_FILES",
    "MAX_SIDECAR",
    "NOT_THERE",
    "NO_FILE",
    "PAGE",
    "ChangedError",
    "PartsError",
    "Storage",
    "Version",
    "check_key",
    "has_changed",
    "list_all",
    "too_large",
]

MAX_FILES: Final = 40_000_000
"""Files of every kind that one storage path may hold; `labelingest.pairing.limits` limits data files."""
MAX_SIDECAR: Final = 300_000_000
"""Bytes that one file may have to be fetched whole."""
PAGE: Final = 16_384
"""Keys that a page of a listing holds, about: some megabytes at most."""

_TRIMMED_EVERY: Final = 250_000
"""Files of a listing after which free memory is given back: buffers that grew leave it in pieces."""

NOT_THERE: Final = "it cannot be read: no such file or folder"
"""Sentence for a file that does not exist, or does not exist any more."""

_REFUSED: Final = re.compile(r"(?:^|/)\.{0,2}(?:/|\Z)|\0")


class Version(NamedTuple):
    """Version of one file, known without reading it."""

    size: int
    """Size of the file in bytes."""
    token: str
    """Version token of the file, the same as in a listing."""


NO_FILE: Final = Version(-1, "not a file")
"""Version of a name that something else has: a folder, or a link that is not followed."""


class ChangedError(StorageError):
    """A file is not the version that was to be replaced.

    Examples
    --------
    >>> raise has_changed("memory://rows/", "a.json")
    Traceback (most recent call last):
    labelingest.storage.base.ChangedError: memory://rows/: 'a.json' was not written: ...
    """


class PartsError(StorageError):
    """The storage cannot be listed in parts, because its keys come in another order."""


class Storage(Protocol):
    """One storage path; keys are relative to it."""

    @property
    def url(self) -> str:
        """URL of the storage path: percent-encoded, ends with a slash, holds no secret."""
        ...

    @property
    def puts_at_once(self) -> int:
        """Number of files, and so of threads, that are best put at the same time."""
        ...

    def list(
        self,
        *,
        exclude: Sequence[str] = (),
        bare: Collection[str] = (),
        splits: Sequence[str] = (),
    ) -> Iterator[Listing]:
        """Yield the files in pages, in any order inside a page and between pages.

        Parameters
        ----------
        exclude
            Outputs of the run itself, which are not listed: keys ("label_rows.jsonl") and folders
            ("out/", with the slash).
        bare
            Extensions, as spelt ("jpg"), of files whose size and time are not needed. A storage
            may list both as unknown where that saves a request for each file.
        splits
            Keys of an earlier listing, between which parts may be listed at the same time where
            that saves waiting. The same files are listed for any keys.

        Raises
        ------
        PartsError
            The storage does not list in parts: list again without splits.
        StorageError
            The listing as a whole fails. A folder that cannot be read is a problem of its page.
        """
        ...

    def fetch(
        self,
        keys: Sequence[str],
        *,
        sizes: Int64 | None = None,
        tokens: bool = True,
        most: int | None = None,
    ) -> Blobs:
        """Return the contents of files; `unread` names the files that cannot be read.

        Parameters
        ----------
        keys
            Keys in any order; fastest when keys of one folder follow each other.
        sizes
            (n,) listed size of each file in bytes, which saves a request for each. A file whose
            size has changed since is read whole all the same.
        tokens
            Whether to return the version tokens that were read. A token that differs from the
            listing's means that the file was replaced in between.
        most
            Bytes that one file may have, where the limit is below `MAX_SIDECAR`; nothing beyond
            the limit is read.
        """
        ...

    def fetch_heads(
        self, keys: Sequence[str], length: int, *, start: int = 0
    ) -> Sequence[bytes | Unread]:
        """Return the first bytes of files, at most length each, or the reason why one is unread.

        Parameters
        ----------
        keys, length
            Keys of the files, and the number of bytes of each.
        start
            Number of bytes to skip; a file that is not longer gives no bytes.
        """
        ...

    def versions(self, keys: Sequence[str]) -> Sequence[Version | None]:
        """Return the version of each file, None for one that does not exist; nothing is read.

        Raises
        ------
        StorageError
            The version of one file cannot be determined.
        """
        ...

    def versions_in(self, folder: str) -> Mapping[str, Version]:
        """Return key → version of the files of one small folder, "a/b/", without its subfolders.

        In the cloud that is one LIST request.

        Raises
        ------
        StorageError
            The folder cannot be listed. A folder that does not exist has no files.
        """
        ...

    def put(
        self, key: str, content: bytes | Iterable[bytes], *, unless_changed: str | None = None
    ) -> str:
        """Write one file whole or not at all, over an older one of that key.

        Parameters
        ----------
        key, content
            Key of the file, and its whole content; in pieces where it is too large for memory.
        unless_changed
            Version token that the existing file must have; "" where no file may exist.

        Returns
        -------
        str
            Version token of the new file, as a listing gives it; "" where the storage has none.

        Raises
        ------
        NameRefusedError
            Only the name of the file is the obstacle.
        ChangedError
            The existing file is another version, or something else has the name.
        StorageError
            The file cannot be written; nothing is left behind then.
        """
        ...

    def flush(self, keys: Sequence[str]) -> None:
        """Make the names of files that were put or deleted outlast a power failure.

        The contents are on the disk when `put` returns.

        Raises
        ------
        StorageError
            The disk fails; which names it keeps is not known then.
        """
        ...

    def delete(self, keys: Sequence[str]) -> None:
        """Delete files; keys without a file are skipped.

        Raises
        ------
        StorageError
            One file cannot be deleted; others may be deleted by then.
        """
        ...


def list_all(
    storage: Storage,
    exclude: Sequence[str] = (),
    *,
    bare: Collection[str] = (),
    splits: Sequence[str] = (),
    max_files: int = MAX_FILES,
    on_listed: Callable[[int], None] | None = None,
) -> Listing:
    """Return the complete listing of a storage path, ordered by key.

    Parameters
    ----------
    storage, exclude, bare, splits
        The storage path to list; the others as for `Storage.list`.
    max_files
        Number of files that the storage path may hold.
    on_listed
        Called with the number of files listed so far, page by page.

    Raises
    ------
    StorageError
        The storage path holds more than `max_files` files, or the listing fails.

    Examples
    --------
    >>> from labelingest.storage.memory import MemoryStorage
    >>> list(list_all(MemoryStorage({"b.txt": b"", "a.jpg": b""})).keys)
    ['a.jpg', 'b.txt']
    """

    def counted(splits: Sequence[str]) -> Generator[Listing, None, None]:
        pages = storage.list(exclude=exclude, bare=bare, splits=splits)
        files = 0
        try:
            for page in pages:
                files += len(page)
                if files % _TRIMMED_EVERY < len(page):
                    trim_memory()
                _refuse_more(files, max_files, storage.url)
                if on_listed is not None:
                    on_listed(files)
                yield page
        finally:
            if isinstance(pages, Generator):
                pages.close()  # a folder that is half read is open

    def complete(splits: Sequence[str]) -> Listing:
        with closing(counted(splits)) as pages:
            return Listing.from_pages(pages)

    try:
        listing = complete(splits)
    except PartsError:
        listing = complete(())
    # Pages come in the order of the file system, reports in the order of keys.
    return replace(listing, problems=sorted(listing.problems, key=lambda p: (p.source, p.code)))


def _refuse_more(files: int, most: int, url: str) -> None:
    if files > most:
        raise StorageError(
            f"{url} holds more than {most:,} files, the most one storage path may hold: give a "
            "folder further down, and convert the others one by one"
        )


def check_key(key: str) -> None:
    """Refuse a key that could name something outside the storage path, or nothing at all.

    Raises
    ------
    ConfigError
        The key is absolute, has empty, "." or ".." parts or a NUL, or is not Unicode.

    Examples
    --------
    >>> check_key("labels/../../etc/passwd")
    Traceback (most recent call last):
    labelingest.errors.ConfigError: key 'labels/../../etc/passwd' is refused: ...
    """
    if _REFUSED.search(key):
        raise ConfigError(
            f"key {key!r} is refused: keys are relative, without NUL and without empty, '.' or "
            "'..' parts"
        )
    if not key.isascii() and any("\ud800" <= c <= "\udfff" for c in key):
        raise ConfigError(f"key {key!r} is refused: it is not Unicode text")


def has_changed(url: str, key: str) -> ChangedError:
    """Return the exception for a file that is not the version that was to be replaced.

    Examples
    --------
    >>> print(has_changed("memory://rows/", "a.json"))
    memory://rows/: 'a.json' was not written: it has changed meanwhile; list and read it again
    """
    return ChangedError(
        f"{url}: {key!r} was not written: it has changed meanwhile; list and read it again"
    )


def too_large(size: int, most: int = MAX_SIDECAR) -> str:
    """Return the sentence for a file that has more bytes than may be fetched.

    Examples
    --------
    >>> too_large(301_000_000)
    'it has 301,000,000 bytes, more than the 300,000,000 that one file may have'
    """
    return f"it has {size:,} bytes, more than the {most:,} that one file may have"

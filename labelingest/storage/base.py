"""What a storage path must be able to do: list, fetch many, put whole, delete.

The flow asks for nothing else, so that a folder, a dictionary and a bucket are interchangeable.
Every method is a batch, because a bucket answers a thousand questions in the time of one. A storage
can be pickled: workers fetch and put for themselves. It refuses to know what the files mean.
"""

import re
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Final, NamedTuple, Protocol

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

MAX_FILES: Final = 10_000_000
"""How many files one storage path may hold."""
MAX_SIDECAR: Final = 300_000_000
"""How many bytes one file may have to be fetched whole."""
PAGE: Final = 16_384
"""About how many keys a page of a listing holds: some megabytes at most."""

NOT_THERE: Final = "it cannot be read: no such file or folder"
"""The sentence for a file that is not there, or not any more."""

_REFUSED: Final = re.compile(r"(?:^|/)\.{0,2}(?:/|\Z)|\0")


class Version(NamedTuple):
    """What is known of one file without reading it."""

    size: int
    """Bytes."""
    token: str
    """Version token, as a listing gives it."""


NO_FILE: Final = Version(-1, "not a file")
"""The version where something else has the name: a folder, a link that is not followed."""


class ChangedError(StorageError):
    """A file is not the version that was to be replaced.

    Examples
    --------
    >>> raise has_changed("memory://rows/", "a.json")
    Traceback (most recent call last):
    labelingest.storage.base.ChangedError: memory://rows/: 'a.json' was not written: ...
    """


class PartsError(StorageError):
    """The storage cannot be listed in parts: its keys come in another order than theirs."""


class Storage(Protocol):
    """One storage path; keys are relative to it."""

    @property
    def url(self) -> str:
        """Where it is, percent-encoded, with a slash at the end and without any secret."""
        ...

    @property
    def puts_at_once(self) -> int:
        """How many files are best put at the same time, by so many threads."""
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
            What the run itself writes: keys ("label_rows.jsonl") and folders ("out/", with the
            slash), which are not listed.
        bare
            Extensions, as spelt ("jpg"), of files whose size and time nobody will ask for: they
            may be listed as unknown, where that saves a request each.
        splits
            Keys of an earlier listing between which parts may be listed at the same time, where
            that saves waiting. Whatever they are, the same files are listed.

        Raises
        ------
        PartsError
            Where the storage turns out not to list in parts: list again, without splits.
        StorageError
            Where the listing as a whole fails. A folder that cannot be read is a problem of its
            page.
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
        """Return the contents of files; those that cannot be read are named in `unread`.

        Parameters
        ----------
        keys
            In any order; fastest when those of one folder follow each other.
        sizes
            (n,) bytes of each as listed, if known: saves a request each. A file that has
            another size by now is read whole all the same.
        tokens
            Whether to tell which versions were read: where their tokens differ from the listing's,
            files were replaced in between.
        most
            How many bytes one file may have, where these are less than `MAX_SIDECAR`; of one that
            has more, no more than that is read.
        """
        ...

    def fetch_heads(
        self, keys: Sequence[str], length: int, *, start: int = 0
    ) -> Sequence[bytes | Unread]:
        """Return the first bytes of files, at most length each; why, where one cannot be read.

        Parameters
        ----------
        keys, length
            Which files, and how many bytes of each.
        start
            How many bytes are passed over; none are left where a file is not longer.
        """
        ...

    def versions(self, keys: Sequence[str]) -> Sequence[Version | None]:
        """Return the version of each file, None where there is none; nothing is read.

        Raises
        ------
        StorageError
            Where it cannot be told for one of them.
        """
        ...

    def versions_in(self, folder: str) -> Mapping[str, Version]:
        """Return key → version of the files of one small folder, "a/b/", and of no folder in it.

        In the cloud that is one LIST request.

        Raises
        ------
        StorageError
            Where the folder cannot be listed; one that does not exist has no files.
        """
        ...

    def put(
        self, key: str, content: bytes | Iterable[bytes], *, unless_changed: str | None = None
    ) -> str:
        """Write one file whole or not at all, over an older one of that key.

        Parameters
        ----------
        key, content
            Which file, and all of it; in pieces where it is too large for memory.
        unless_changed
            Version token that the older one must have; "" where there must be none.

        Returns
        -------
        str
            Version token of the new file, as a listing gives it; "" where the storage does not
            tell.

        Raises
        ------
        NameRefusedError
            Where only its name is in the way.
        ChangedError
            Where the older file is another version, or something else has the name.
        StorageError
            Where it cannot be written; nothing is left behind then.
        """
        ...

    def flush(self, keys: Sequence[str]) -> None:
        """Make the names of files that were put or deleted outlast a power failure.

        Their contents do when `put` returns.

        Raises
        ------
        StorageError
            Where the disk fails: what of them it keeps is not known then.
        """
        ...

    def delete(self, keys: Sequence[str]) -> None:
        """Delete files; those that are not there are passed over.

        Raises
        ------
        StorageError
            Where one cannot be deleted; others may be gone by then.
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
        What to list, what not, what by name alone, and in which parts; as for `Storage.list`.
    max_files
        How many files are too many.
    on_listed
        Called with the number of files listed so far, page by page.

    Raises
    ------
    StorageError
        With more than `MAX_FILES` files, or where the listing fails.

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
                if files > max_files:
                    raise StorageError(
                        f"{storage.url} holds more than {max_files:,} files, the most one storage "
                        "path may hold: give a folder further down, and convert the others one by "
                        "one"
                    )
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


def check_key(key: str) -> None:
    """Refuse a key that could name something outside the storage path, or nothing at all.

    Raises
    ------
    ConfigError
        For absolute keys and keys with empty, "." or ".." parts, with a NUL or not Unicode.

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

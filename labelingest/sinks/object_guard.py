"""Rules for what an output in the cloud may replace: an object of an earlier run, as for local files.

An object is replaced if it is empty, or begins (a Parquet table: ends) as such an output does. Anything
else needs `overwrite`, which still replaces nothing in the storage path of the same command. The
object is replaced only if it is the same version then (`labelingest.storage.cloud.upload`).
"""

from collections.abc import Mapping
from io import SEEK_CUR, SEEK_END, BufferedReader, RawIOBase
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from labelingest.errors import ConfigError, StorageError
from labelingest.formats.format import Format, load
from labelingest.formats.output_names import is_one_file
from labelingest.sinks.objects import object_of
from labelingest.storage.base import Storage
from labelingest.storage.urls import Place, place_of

if TYPE_CHECKING:
    from labelingest.sinks.base import SinkModule

__all__ = ["admit_object", "key_in"]

_BUFFER: Final = 262_144
"""Bytes of a request for a part of an object: enough for a first line, and for most footers."""


def admit_object(
    subject: str, out: str, format: Format, storages: Mapping[str, Storage], *, overwrite: bool
) -> None:
    """Refuse an output in the cloud that would replace what no run wrote; nothing is changed.

    Folders are left to their sinks, which list them.

    Parameters
    ----------
    subject
        The output as the user calls it, and its name.
    out, format
        URL of the output, and the format of the labels in it.
    storages
        What the user calls a storage that is read → it.
    overwrite
        Whether objects may be replaced that no run wrote.

    Raises
    ------
    ConfigError
        The output would replace what it must not; says what helps.
    StorageError
        The object cannot be looked at.
    """
    if not is_one_file(format, PurePath(out)):
        return
    storage, key = object_of(out)
    (version,) = storage.versions([key])
    if version is None or _is_ours(storage, key, version.size, format):
        return
    for name, read in storages.items():
        if key_in(read, out) is not None:
            raise ConfigError(
                f"{subject} is a file of the {name} that no run wrote: choose another name, or "
                "remove it"
            )
    if not overwrite:
        raise ConfigError(
            f"{subject} is a file that no run wrote: choose another name, remove it, or give "
            "--overwrite to replace it"
        )


def key_in(storage: Storage, out: str) -> str | None:
    """Return the key that an output in the cloud has in a storage path; None where it lies outside.

    Two spellings of one place (s3://bucket/ and https://bucket.s3.region.amazonaws.com/) are one
    place where provider and bucket are the same; so are equal names at two endpoints.
    """
    inner, outer = place_of(out), getattr(storage, "place", None)
    if not isinstance(outer, Place):
        return None
    if (inner.provider, inner.bucket) != (outer.provider, outer.bucket):
        return None
    if not outer.prefix:
        return inner.prefix
    below = f"{outer.prefix}/"
    return inner.prefix.removeprefix(below) if f"{inner.prefix}/".startswith(below) else None


def _is_ours(storage: Storage, key: str, size: int, format: Format) -> bool:
    """Return whether an object is empty, or what an earlier run wrote as such an output."""
    suffix = PurePath(key).suffix
    if not any(suffix and ending.endswith(suffix) for ending in format.endings):
        return False
    if not size:
        return True
    module: SinkModule = load(format.sink)
    return module.is_own_output(
        BufferedReader(_Ranges(storage, key, size), min(size, _BUFFER)), suffix
    )


class _Ranges(RawIOBase):
    """An object as a file: each read is a request for a part."""

    def __init__(self, storage: Storage, key: str, size: int) -> None:
        super().__init__()
        self._storage, self._key, self._size = storage, key, size
        self._place = 0

    def readable(self) -> bool:
        """Return that the file can be read."""
        return True

    def seekable(self) -> bool:
        """Return that any part can be requested."""
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a byte; return its position."""
        start = {SEEK_CUR: self._place, SEEK_END: self._size}.get(whence, 0)
        self._place = max(start + offset, 0)
        return self._place

    def readinto(self, buffer: Any, /) -> int:
        """Read the next bytes; return how many there were."""
        if self._place >= self._size:
            return 0
        (part,) = self._storage.fetch_heads([self._key], len(buffer), start=self._place)
        if not isinstance(part, bytes):
            raise StorageError(f"{self._storage.url}: {self._key!r}: {part.detail}")
        buffer[: len(part)] = part
        self._place += len(part)
        return len(part)

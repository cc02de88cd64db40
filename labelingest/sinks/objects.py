"""Outputs that are one file, on this machine or one object of cloud storage: whole or not at all.

The name of an output decides: a URL of cloud storage is an object, anything else a path. An object
is written while the run works, and appears at the end (`labelingest.storage.cloud.upload`). It has no
unfinished form that a later run could continue: an interrupted run starts over, to the same bytes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast
from urllib.parse import unquote

from labelingest.errors import ConfigError
from labelingest.storage import open_storage
from labelingest.storage.atomic import whole_file
from labelingest.storage.urls import is_cloud, place_of

if TYPE_CHECKING:
    from labelingest.storage.cloud.cloud import CloudStorage

__all__ = ["object_of", "whole_output"]


def object_of(out: str) -> "tuple[CloudStorage, str]":
    """Return the storage path above an object, and the key of the object in it.

    Raises
    ------
    ConfigError
        The URL names a bucket and no object, or cloud storage needs an extra.

    Examples
    --------
    >>> storage, key = object_of("gs://bucket/drive/label%20rows.jsonl")
    >>> storage.url, key
    ('gs://bucket/drive/', 'label rows.jsonl')
    """
    place = place_of(out)
    if not place.prefix:
        raise ConfigError(
            f"out {out!r} names a bucket, and no file in it: give {place.url}FILE, with the name of "
            "the file"
        )
    above, _, name = out.rstrip("/").rpartition("/")
    return cast("CloudStorage", open_storage(f"{above}/")), unquote(name)


@contextmanager
def whole_output(out: str) -> Iterator[BinaryIO]:
    """Open an output that is one file for writing; it appears when the block ends well.

    Parameters
    ----------
    out
        Name of the output: a path, or a URL of cloud storage.

    Raises
    ------
    ConfigError, StorageError
        As `object_of` and `labelingest.storage.atomic.whole_file` raise them.
    """
    if not is_cloud(out):
        with whole_file(Path(out)) as file:
            yield file
        return
    storage, key = object_of(out)
    with storage.whole_object(key) as upload:
        yield cast("BinaryIO", upload)

"""Storage paths: open one by its URL, then list, fetch and put; the only package with I/O.

One table of URL schemes decides what a URL is. A plain path is a folder on this machine.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import unquote_to_bytes, urlsplit

from labelingest.errors import ConfigError, StorageError
from labelingest.storage.base import Storage, list_all
from labelingest.storage.local import LocalStorage
from labelingest.storage.memory import MemoryStorage

__all__ = ["LocalStorage", "MemoryStorage", "Storage", "list_all", "open_storage"]

_CLOUD: Final[Mapping[str, str]] = {
    "s3": "S3",
    "gs": "Google Cloud Storage",
    "az": "Azure",
    "https": "cloud storage",
    "http": "cloud storage",
}


def open_storage(url: str, *, follow_symlinks: bool = True) -> Storage:
    """Open a storage path for reading.

    Parameters
    ----------
    url
        Path of a folder, or a URL: file://.
    follow_symlinks
        Whether links to files and folders are followed; for folders on this machine.

    Raises
    ------
    ConfigError
        For a URL that means no storage path, or one that is not supported.
    StorageError
        Where there is no such folder.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> open_storage(folder).url == Path(folder).as_uri() + "/"
    True
    >>> open_storage("s3://bucket/labels/")
    Traceback (most recent call last):
    labelingest.errors.ConfigError: 's3://bucket' is on S3, which is not supported yet: ...
    """
    path = _path_of(url)
    _check_folder(Path(path))
    return LocalStorage(path, follow_symlinks)


def _path_of(url: str) -> str:
    """Return the local path that a URL means."""
    if not url:
        raise ConfigError("the storage path is empty: give a folder, '.' for the current one")
    scheme = re.match(r"([a-z][a-z0-9+.-]*)://", url, re.IGNORECASE)
    if not scheme:
        return url
    if scheme[1].lower() == "file":
        host, slash, path = url[scheme.end() :].partition("/")
        if host not in {"", "localhost"} or not slash:
            raise ConfigError(
                f"{url!r} names the machine {host!r}: a file URL has three slashes, as "
                "file:///data/coco"
            )
        return os.fsdecode(unquote_to_bytes(slash + path))
    parts = urlsplit(url)
    # The host alone: user, password and query may be secrets.
    place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    if parts.scheme in _CLOUD:
        raise ConfigError(
            f"{place!r} is on {_CLOUD[parts.scheme]}, which is not supported yet: copy the folder "
            "to this machine or mount it, and give that path"
        )
    raise ConfigError(
        f"{place!r} begins with {parts.scheme!r}, which is no kind of storage path: give a folder "
        "or a file:// URL"
    )


def _check_folder(path: Path) -> None:
    """Refuse a path that is no folder, and say what is there instead."""
    try:
        if path.is_dir():
            return
        if path.exists():
            raise StorageError(
                f"storage path {str(path)!r} is a file: give the folder it is in, {str(path.parent)!r}"
            )
        if path.is_symlink():
            raise StorageError(
                f"storage path {str(path)!r} is a link to {str(path.readlink())!r}, which is not "
                "there"
            )
    except PermissionError as error:
        raise StorageError(
            f"storage path {str(path)!r} cannot be reached: permission denied"
        ) from error
    existing = next(parent for parent in path.absolute().parents if parent.is_dir())
    raise StorageError(
        f"there is no folder {str(path)!r}: {str(existing)!r} is the last part of it that exists"
    )

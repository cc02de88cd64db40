"""Storage paths: open one by its URL, then list, fetch, put and delete files in it.

The scheme of a URL selects the storage. A plain path is a folder on this machine. The files of a
storage path are read and written here only. Outputs that are single files, reports, the state of
synced folders and files that a person wrote have modules of their own, above and beside this package.
"""

import os
from pathlib import Path
from urllib.parse import unquote_to_bytes

from labelingest.errors import ConfigError, StorageError
from labelingest.storage.base import Storage, list_all
from labelingest.storage.cloud.connections import Connection
from labelingest.storage.local.local import LocalStorage
from labelingest.storage.local.real_paths import is_loop
from labelingest.storage.memory import MemoryStorage
from labelingest.storage.urls import Place, is_cloud, looks_like_url, parse_url, place_of

__all__ = [
    "Connection",
    "LocalStorage",
    "MemoryStorage",
    "Storage",
    "list_all",
    "open_storage",
    "url_of",
]


def open_storage(
    url: str, *, follow_symlinks: bool = True, connection: Connection | None = None
) -> Storage:
    """Open a storage path.

    Parameters
    ----------
    url
        Path of a folder, or a URL: file://, or one of `labelingest.storage.urls`.
    follow_symlinks
        Whether links to files and folders are followed; for folders on this machine.
    connection
        Options for reaching a cloud storage; None leaves all of them to the environment.

    Raises
    ------
    ConfigError
        The URL is not that of a storage path, or needs an extra that is not installed.
    StorageError
        The folder does not exist. A bucket that does not exist fails with the first request.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> open_storage(folder).url == Path(folder).as_uri() + "/"
    True
    >>> open_storage("s3://bucket/labels").url
    's3://bucket/labels/'
    """
    if is_cloud(url):
        return _open_cloud(place_of(url), connection)
    path = _path_of(url)
    _check_folder(Path(path))
    return LocalStorage(path, follow_symlinks)


def url_of(url: str) -> str:
    """Return the URL that a storage path has once it is open; the path need not exist.

    Examples
    --------
    >>> url_of("/data/drive 1"), url_of("s3://bucket/labels")
    ('file:///data/drive%201/', 's3://bucket/labels/')
    """
    if is_cloud(url):
        return place_of(url).url
    return LocalStorage(_path_of(url)).url


def _open_cloud(place: Place, connection: Connection | None) -> Storage:
    try:
        from labelingest.storage.cloud.cloud import CloudStorage
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "obstore":
            raise
        raise ConfigError(
            f"{place.url} is cloud storage, which needs an extra: pip install 'labelingest[cloud]'"
        ) from None
    return CloudStorage(place, connection)


def _path_of(url: str) -> str:
    """Return the local path that a URL means."""
    if not url:
        raise ConfigError("the storage path is empty: give a folder, '.' for the current one")
    if "\0" in url:
        raise ConfigError("the storage path contains a NUL character; leave it out")
    if not looks_like_url(url):
        return url
    if "://" not in url:
        raise ConfigError(
            "the storage path looks like a URL but is not one: write s3://bucket/prefix/ or "
            "file:///data/coco, with two slashes and nothing before; a folder of that name is "
            "./NAME"
        )
    address = parse_url(url)
    if address.scheme == "file":
        if address.host not in {"", "localhost"} or not address.raw_path:
            raise ConfigError(
                f"{url!r} names the machine {address.host!r}: a file URL has three slashes, as "
                "file:///data/coco"
            )
        return os.fsdecode(unquote_to_bytes(address.raw_path + address.tail))
    place = f"{address.scheme}://{address.host}"
    raise ConfigError(
        f"{place!r} begins with {address.scheme!r}, which is no kind of storage path: give a folder, "
        "or a URL as s3://bucket/prefix/ or file:///data/coco"
    )


def _check_folder(path: Path) -> None:
    """Refuse a path that is not a folder; the message says what exists there."""
    try:
        if path.is_dir():
            return
        if path.exists():
            raise StorageError(
                f"storage path {str(path)!r} is a file: give the folder it is in, {str(path.parent)!r}"
            )
        if path.is_symlink() and is_loop(path):
            raise StorageError(
                f"storage path {str(path)!r} is a link that leads back to itself: remove it, or give "
                "the folder that is meant"
            )
        if path.is_symlink():
            raise StorageError(
                f"storage path {str(path)!r} is a link to {str(path.readlink())!r}, which does not "
                "exist"
            )
    except PermissionError as error:
        raise StorageError(
            f"storage path {str(path)!r} cannot be reached: permission denied"
        ) from error
    existing = next(parent for parent in path.absolute().parents if parent.is_dir())
    raise StorageError(
        f"there is no folder {str(path)!r}: its path exists up to {str(existing)!r}; correct it"
    )

"""URLs of data files, as label rows and COCO documents link to them."""

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote, unquote

__all__ = ["are_unreserved", "object_url", "object_urls"]

_OBJECT_STORES: Final = ("s3://", "gs://", "az://")
_UNRESERVED: Final = re.compile("[A-Za-z0-9_.~/-]*")


def object_url(storage_url: str, key: str) -> str:
    """Return the URL of one file of a storage path.

    URLs of object stores hold names unescaped, as the stores' tools write them; other URLs are
    percent-encoded, as the URL of the storage path is.

    Examples
    --------
    >>> object_url("s3://bucket/a%20b/", "c d.jpg"), object_url("file:///a%20b/", "c d.jpg")
    ('s3://bucket/a b/c d.jpg', 'file:///a%20b/c%20d.jpg')
    """
    if storage_url.startswith(_OBJECT_STORES):
        return unquote(storage_url) + key
    return storage_url + quote(key)


def object_urls(storage_url: str, keys: Sequence[str]) -> list[str]:
    """Return the URLs of `object_url` for several files of a storage path.

    Examples
    --------
    >>> object_urls("file:///data/", ["a.jpg", "b c.jpg"])
    ['file:///data/a.jpg', 'file:///data/b%20c.jpg']
    """
    if storage_url.startswith(_OBJECT_STORES):
        begin = unquote(storage_url)
    elif are_unreserved(keys):
        begin = storage_url
    else:
        return [object_url(storage_url, key) for key in keys]
    return [begin + key for key in keys]


def are_unreserved(keys: Sequence[str]) -> bool:
    """Return whether keys are the same in a URL, and so in JSON: no character is escaped.

    Examples
    --------
    >>> are_unreserved(["a/b.jpg"]), are_unreserved(["a/b.jpg", "c d.jpg"])
    (True, False)
    """
    return _UNRESERVED.fullmatch("".join(keys)) is not None

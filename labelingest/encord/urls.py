"""URLs of data files, as label rows and COCO documents link to them."""

from typing import Final
from urllib.parse import quote, unquote

__all__ = ["object_url"]

_OBJECT_STORES: Final = ("s3://", "gs://", "az://")


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

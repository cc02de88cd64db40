"""Which bucket or container a URL means, and what keys in it begin with.

::

    s3://bucket/prefix/                                       Amazon S3
    https://bucket.s3.region.amazonaws.com/prefix/            Amazon S3
    https://s3.region.amazonaws.com/bucket/prefix/            Amazon S3
    https://endpoint/bucket/prefix/                           an S3-compatible store
    gs://bucket/prefix/                                       Google Cloud Storage
    https://storage.googleapis.com/bucket/prefix/             Google Cloud Storage
    az://container/prefix/                                    Azure, account from elsewhere
    https://account.blob.core.windows.net/container/prefix/   Azure

It refuses to know how any of them is reached.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import SplitResult, quote, unquote, urlsplit

from labelingest.errors import ConfigError
from labelingest.storage.base import check_key

__all__ = ["SCHEMES", "Place", "Provider", "place_of"]

SCHEMES: Final = ("s3", "gs", "az", "https", "http")
"""What the URL of a cloud storage begins with."""

_AZURE_HOST: Final = re.compile(r"([a-z0-9]+)\.blob\.core\.(?:windows\.net|[a-z0-9.]+)")
_S3_HOST: Final = re.compile(
    r"(?:(?P<bucket>.+)\.)?s3[.-](?P<region>[a-z]{2}-[a-z0-9-]+)\.amazonaws\.com"
)
_GOOGLE_HOST: Final = "storage.googleapis.com"
_SAFE: Final = "/!$&'()*+,;=:@~"


class Provider(StrEnum):
    """Whose protocol a storage speaks; the value is the URL scheme."""

    S3 = "s3"
    GOOGLE = "gs"
    AZURE = "az"

    @property
    def variables(self) -> str:
        """What the names of its variables in the environment begin with."""
        return {"s3": "AWS", "gs": "GOOGLE", "az": "AZURE"}[self]


@dataclass(frozen=True, slots=True)
class Place:
    """A bucket or container, and the part of it below a prefix."""

    provider: Provider
    url: str
    """Percent-encoded, with a slash at the end."""
    bucket: str
    """Name of the bucket or container."""
    prefix: str
    """What all keys begin with, without a slash at the end; "" for the whole bucket."""
    endpoint: str | None = None
    """URL of the service, where the URL names it."""
    region: str | None = None
    account: str | None = None
    """Azure's storage account, where the URL names it."""


def place_of(url: str) -> Place:
    """Return what the URL of a cloud storage means.

    Parameters
    ----------
    url
        As in the table above; "%20" is a blank.

    Raises
    ------
    ConfigError
        It names no bucket, or holds what belongs elsewhere (user, password, signature).

    Examples
    --------
    >>> place = place_of("https://minio.example.com/bucket/drive 1")
    >>> place.bucket, place.prefix, place.url
    ('bucket', 'drive 1', 'https://minio.example.com/bucket/drive%201/')
    >>> place_of("https://lab.blob.core.windows.net/images/").account
    'lab'
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ConfigError("the storage path is no URL: its host cannot be read") from None
    host = parts.netloc.rpartition("@")[2]
    _refuse_secrets(parts, f"{parts.scheme}://{host}")
    path = unquote(parts.path)
    if parts.scheme in {"http", "https"}:
        return _at_host(parts.scheme, host, path)
    provider = Provider(parts.scheme)
    return _place(provider, f"{provider}://", f"{unquote(host)}{path}")


def _at_host(scheme: str, host: str, path: str) -> Place:
    """Return the place on a host of the web: the host tells whose it is."""
    endpoint = f"{scheme}://{host}"
    path = path.removeprefix("/")
    if azure := _AZURE_HOST.fullmatch(host.lower()):
        return _place(Provider.AZURE, f"{endpoint}/", path, endpoint=endpoint, account=azure[1])
    if host.lower() == _GOOGLE_HOST:
        return _place(Provider.GOOGLE, f"{endpoint}/", path)
    if amazon := _S3_HOST.fullmatch(host.lower()):
        region, bucket = amazon["region"], amazon["bucket"]
        if bucket is None:
            return _place(Provider.S3, f"{endpoint}/", path, region=region)
        return _place(Provider.S3, f"{endpoint}/", path, bucket=bucket, region=region)
    return _place(Provider.S3, f"{endpoint}/", path, endpoint=endpoint)


def _place(
    provider: Provider,
    begin: str,
    path: str,
    *,
    bucket: str | None = None,
    endpoint: str | None = None,
    region: str | None = None,
    account: str | None = None,
) -> Place:
    """Return the place at a decoded path, whose first part is the bucket unless that is known."""
    path = path.rstrip("/") if path.strip("/") else ""
    url = f"{begin}{quote(path, safe=_SAFE)}/" if path else begin
    prefix = path
    if bucket is None:
        bucket, _, prefix = path.partition("/")
    if not bucket:
        raise ConfigError(
            f"{begin!r} names no bucket: give {_example(provider, endpoint)}, with the bucket or "
            "container first"
        )
    if prefix:
        _check_prefix(prefix, url)
    return Place(provider, url, bucket, prefix, endpoint, region, account)


def _example(provider: Provider, endpoint: str | None) -> str:
    return f"{endpoint or f'{provider}:/'}/bucket/prefix/"


def _check_prefix(prefix: str, url: str) -> None:
    try:
        check_key(prefix)
    except ConfigError:
        raise ConfigError(
            f"{url!r} is refused: a prefix has no empty, '.' or '..' parts; give a storage path "
            "without them"
        ) from None


def _refuse_secrets(parts: SplitResult, place: str) -> None:
    """Refuse what is not part of a place; it may be secret and is not repeated."""
    if "@" in parts.netloc:
        raise ConfigError(
            f"{place!r} comes with a user or password: leave them out; credentials come from the "
            "environment"
        )
    if parts.query or parts.fragment:
        raise ConfigError(
            f"{place!r} comes with something after '?' or '#': leave signatures out, credentials "
            "come from the environment; in a prefix, write ? as %3F and # as %23"
        )

"""Parse URLs of storage paths into bucket or container, and prefix.

::

    s3://bucket/prefix/                                       Amazon S3
    https://bucket.s3.region.amazonaws.com/prefix/            Amazon S3
    https://s3.region.amazonaws.com/bucket/prefix/            Amazon S3
    https://endpoint/bucket/prefix/                           an S3-compatible store
    gs://bucket/prefix/                                       Google Cloud Storage
    https://storage.googleapis.com/bucket/prefix/             Google Cloud Storage
    az://container/prefix/                                    Azure, account from elsewhere
    https://account.blob.core.windows.net/container/prefix/   Azure

Every URL that a user gives is parsed here (`parse_url`), whatever its purpose. A URL that carries a
user, a password, a signature or a token is refused, and the message does not repeat the secret. One
place has one spelling (`Address.url`): scheme and host in lower case, percent-encoding normalised,
one slash at the end. Where a person gives a URL, the port that its scheme has anyway is left out, too
(`without_default_port`); URLs that a state keeps stay as they are, since identities are made from them.
The module does not know how a place is reached.
"""

import re
from enum import StrEnum
from ipaddress import IPv6Address
from posixpath import normpath
from typing import Final
from urllib.parse import quote, quote_from_bytes, unquote, unquote_to_bytes

from msgspec import Struct

from labelingest.credentials import credential_in, decode_percent, without_credentials
from labelingest.errors import ConfigError
from labelingest.storage.base import check_key

__all__ = [
    "SCHEMES",
    "Address",
    "Place",
    "Provider",
    "is_cloud",
    "looks_like_url",
    "parse_url",
    "place_of",
    "same_spelling",
    "storage_url_of",
    "without_default_port",
]

SCHEMES: Final = ("s3", "gs", "az", "https", "http")
"""Schemes of URLs of cloud storage."""

_BUCKETS: Final = ("s3", "gs", "az")
"""Schemes whose URLs name a bucket where others name a host."""
_WEB: Final = ("http", "https")
_FILE: Final = "file"
_BEGIN: Final = r"([A-Za-z][A-Za-z0-9+.-]*)://"
_ALMOST: Final = (
    r"(?i)[\s\x00-\x20]*(?:(?:s3|gs|az|https?|file|postgres(?:ql)?|sqlite|dask|ray|ftp)(?:\+\w+)?:[/\\]"
    r"|[a-z][a-z0-9+.-]*:(?:/\\|\\[/\\])|//[^/]*@)"
)
"""Beginnings of a path that was meant as a URL."""
_TAIL: Final = "[?#]"
_AUTHORITY: Final = r"[^/?#]*"
_CONTROL: Final = r"[\x00-\x1f\x7f-\x9f\u2028\u2029]"
_PORT: Final = r"[0-9]{1,5}"
_DEFAULT_PORT: Final = r"(?i)((?:(https)|http)://[^/?#]*):(?(2)443|80)(?=[/?#]|$)"
_LARGEST_PORT: Final = 65_535
_HOST: Final = "[^\\s/:\\\\%\\[\\]<>^`{|}\"'\ud800-\udfff]*"
_AZURE_HOST: Final = r"([a-z0-9]+)\.blob\.core\.(?:windows\.net|[a-z0-9.]+)"
_S3_HOST: Final = r"(?:(?P<bucket>.+)\.)?s3[.-](?P<region>[a-z]{2}-[a-z0-9-]+)\.amazonaws\.com"
_GOOGLE_HOST: Final = "storage.googleapis.com"
_SAFE: Final = "/!$&'()*+,;=:@~"
_EXAMPLE: Final = "s3://bucket/prefix/"


class Provider(StrEnum):
    """Provider of the protocol that a storage speaks; the value is the URL scheme."""

    S3 = "s3"
    GOOGLE = "gs"
    AZURE = "az"

    @property
    def variables(self) -> str:
        """Beginning of the names of the provider's environment variables."""
        return {"s3": "AWS", "gs": "GOOGLE", "az": "AZURE"}[self]


class Place(Struct, frozen=True):
    """A bucket or container, and the part of it below a prefix."""

    provider: Provider
    url: str
    """URL of the place: percent-encoded, with a slash at the end."""
    bucket: str
    """Name of the bucket or container."""
    prefix: str
    """Beginning of all names below the place, without a slash at the end; "" for the whole bucket."""
    endpoint: str | None = None
    """URL of the service, where the URL names it."""
    region: str | None = None
    account: str | None = None
    """Azure's storage account, where the URL names it."""

    @property
    def lists_from_any_key(self) -> bool:
        """Whether a store lists in the order of keys, and can begin behind any key.

        Amazon's directory buckets ("name--zone--x-s3") do neither; Azure always begins at the first.
        """
        return self.provider is not Provider.AZURE and not self.bucket.endswith("--x-s3")


class Address(Struct, frozen=True):
    """A URL in its parts, without any credential."""

    scheme: str
    """Scheme in lower case."""
    host: str
    """Host and port in lower case; the bucket, as written, where the scheme names one."""
    path: str
    """Decoded path; begins with a slash, or is empty."""
    raw_path: str
    """Path as written."""
    tail: str
    """Query and fragment behind the path; "" for none."""

    @property
    def url(self) -> str:
        """The one spelling of the URL, with a slash at the end."""
        if self.scheme == _FILE:
            path = quote_from_bytes(unquote_to_bytes(self.raw_path + self.tail)).rstrip("/")
            host = "" if self.host == "localhost" else self.host
            return f"{_FILE}://{host}{path}/"
        host = quote(self.host, safe=_SAFE) if self.scheme in _BUCKETS else self.host
        return f"{self.scheme}://{host}{quote(self.path.rstrip('/'), safe=_SAFE)}/"


def is_cloud(url: str) -> bool:
    """Return whether a storage path is a URL of cloud storage.

    Examples
    --------
    >>> is_cloud("S3://bucket/"), is_cloud("file:///data/"), is_cloud("/data")
    (True, False, False)
    """
    return url.partition("://")[0].lower() in SCHEMES


def looks_like_url(text: str) -> bool:
    """Return whether a text is a URL, or was meant as one.

    Examples
    --------
    >>> [looks_like_url(text) for text in ("data/a", "S3://bucket", " https:/host", "//u:p@host/")]
    [False, True, True, True]
    """
    is_almost = bool(re.match(_ALMOST, text)) or ("://" in text and "@" in text)
    return bool(re.match(_BEGIN, text)) or is_almost


def parse_url(text: str, what: str = "the storage path", example: str = _EXAMPLE) -> Address:
    """Return the parts of a URL.

    Parameters
    ----------
    text
        The URL as it was given.
    what
        Name of the URL in messages, as "the endpoint".
    example
        URL that messages show.

    Raises
    ------
    ConfigError
        The text is no URL, or carries a credential; the message does not repeat the credential.

    Examples
    --------
    >>> parse_url("HTTPS://Host:9000/a%20b").url
    'https://host:9000/a%20b/'
    >>> parse_url("https://user:pw@host/bucket/")
    Traceback (most recent call last):
    labelingest.errors.ConfigError: 'https://host' comes with a user or password: leave them out; ...
    """
    begin = re.match(_BEGIN, text)
    if begin is None:
        raise ConfigError(f"{what} is no URL{_repeated(text)}: expected a URL, as {example}")
    scheme = begin[1].lower()
    authority = re.compile(_AUTHORITY).match(text, begin.end())
    after = "" if authority is None else text[authority.end() :]
    host = "" if authority is None else authority[0]
    _refuse_credentials(scheme, host, after)
    if control := re.search(_CONTROL, text):
        raise ConfigError(
            f"{what} is no URL: it contains the control character {control[0]!r}; leave it out"
        )
    end = re.search(_TAIL, after)
    raw_path, tail = (after[: end.start()], after[end.start() :]) if end else (after, "")
    host = unquote(host) if scheme in _BUCKETS else host.lower()
    _check_host(scheme, host, what)
    if scheme == _FILE and tail and not raw_path:
        raise ConfigError(f"{what} is no URL: a file URL has three slashes, as file:///data/coco")
    return Address(scheme, host, _decoded_path(raw_path, scheme, what), raw_path, tail)


def _decoded_path(raw: str, scheme: str, what: str) -> str:
    """Return a path without percent-encoding; a local path need not be UTF-8."""
    try:
        path = unquote(raw, errors="strict")
        path.encode()
    except UnicodeError:
        if scheme == _FILE and raw.isascii():
            return unquote(raw)
        raise ConfigError(f"{what} is not UTF-8; percent-encode it as UTF-8, as %C3%BC") from None
    if "\0" in path:
        raise ConfigError(f"{what} is no URL: it contains a NUL character (%00); leave it out")
    return path


def storage_url_of(text: str, what: str = "the storage path") -> str:
    """Return the one spelling of a storage path's URL, of any scheme.

    Parameters
    ----------
    text
        The URL as it was given.
    what
        Name of the URL in messages.

    Raises
    ------
    ConfigError
        The URL is refused by `parse_url`, or has a query or a fragment.

    Examples
    --------
    >>> storage_url_of("S3://bucket/drive 1"), storage_url_of("https://HOST/a%7eb//")
    ('s3://bucket/drive%201/', 'https://host/a~b/')
    """
    address = parse_url(without_default_port(text), what)
    if address.scheme == _FILE:
        return _without_dots(address.url)
    _refuse_tail(address)
    if not address.host and address.scheme in SCHEMES:
        raise ConfigError(
            f"{text!r} names no bucket: give {_example(address.scheme, None)}, with the bucket or "
            "container first"
        )
    return address.url


def without_default_port(text: str) -> str:
    """Return a URL without the port that its scheme has anyway; other texts as they are.

    Examples
    --------
    >>> without_default_port("https://minio:443/bucket/"), without_default_port("http://minio:443/b")
    ('https://minio/bucket/', 'http://minio:443/b')
    """
    return re.sub(_DEFAULT_PORT, r"\1", text, count=1) if re.match(_DEFAULT_PORT, text) else text


def same_spelling(url: str) -> str:
    """Return the URL of a storage path as `Address.url` spells it; ports stay.

    URLs of other schemes, as those of storages in memory, stay as they are.

    Raises
    ------
    ConfigError
        The URL is refused by `parse_url`.

    Examples
    --------
    >>> same_spelling("S3://bucket/drive 1"), same_spelling("memory://Name/")
    ('s3://bucket/drive%201/', 'memory://Name/')
    """
    return parse_url(url).url if is_cloud(url) or url.lower().startswith(f"{_FILE}://") else url


def _without_dots(url: str) -> str:
    """Return the URL of a folder of this machine without "." and ".." parts."""
    begin, path = url[: len("file://")], url[len("file://") :]
    host, slash, path = path.partition("/")
    return f"{begin}{host}{normpath(slash + path).rstrip('/')}/"


def _refuse_credentials(scheme: str, authority: str, rest: str) -> None:
    """Refuse a credential in a URL; it is secret and not repeated."""
    # A local folder may be called anything: only a user is no part of it.
    credential = credential_in(authority, "" if scheme == _FILE else rest)
    if credential is None:
        return
    host = decode_percent(authority).rpartition("@")[2]
    place = f"{scheme}://{host if _is_plain(scheme, host.lower()) else ''}"
    raise ConfigError(
        f"{place!r} comes with {credential}: leave them out; credentials come from the environment"
    )


def _refuse_tail(address: Address) -> None:
    if address.tail:
        place = f"{address.scheme}://{address.host}"
        raise ConfigError(
            f"{place!r} comes with something after '?' or '#': leave signatures out, credentials "
            "come from the environment; in a prefix, write ? as %3F and # as %23"
        )


def _check_host(scheme: str, host: str, what: str) -> None:
    """Refuse a host that is malformed; it may hold half a password and is not repeated."""
    if not _is_plain(scheme, host):
        expected = (
            "a bucket has no ':', '\\' or blanks"
            if scheme in _BUCKETS
            else f"a port is a number from 1 to {_LARGEST_PORT}, and an IPv6 address is written in [ ]"
        )
        raise ConfigError(
            f"{what} is no URL: its host cannot be read; give {scheme}://HOST/…: {expected}"
        )


def _is_plain(scheme: str, host: str) -> bool:
    """Return whether a host (and port) or a bucket is well-formed."""
    if scheme in _BUCKETS:
        return bool(re.fullmatch(_HOST, host))
    if host.startswith("["):
        address, bracket, port = host[1:].partition("]")
        return bool(bracket) and _is_ipv6(address) and (not port or _is_port(port))
    name, colon, port = host.partition(":")
    if not re.fullmatch(_HOST, name) or not name.isprintable():
        return False
    return not colon or (bool(name) and _is_port(f":{port}"))


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True


def _is_port(text: str) -> bool:
    digits = text.removeprefix(":")
    return bool(re.fullmatch(_PORT, digits)) and 0 < int(digits) <= _LARGEST_PORT and text[0] == ":"


def _repeated(text: str) -> str:
    """Return a text for a message; "" where something in it looks like a credential."""
    plain = decode_percent(text)
    is_safe = "@" not in plain and without_credentials(plain) == plain
    return f" ({text!r})" if is_safe else ""


def place_of(url: str) -> Place:
    """Return the bucket or container, and the prefix, that a URL of cloud storage means.

    Parameters
    ----------
    url
        A URL of one of the forms at the head of the module; "%20" is a blank.

    Raises
    ------
    ConfigError
        The URL names no bucket, or holds a user, a password or a signature.

    Examples
    --------
    >>> place = place_of("https://minio.example.com/bucket/drive 1")
    >>> place.bucket, place.prefix, place.url
    ('bucket', 'drive 1', 'https://minio.example.com/bucket/drive%201/')
    >>> place_of("https://lab.blob.core.windows.net/images/").account
    'lab'
    """
    address = parse_url(url)
    _refuse_tail(address)
    if address.scheme in _WEB:
        return _at_host(address.scheme, address.host, address.path)
    provider = Provider(address.scheme)
    return _place(provider, f"{provider}://", f"{address.host}{address.path}")


def _at_host(scheme: str, host: str, path: str) -> Place:
    """Return the place at an address of the web; the host shows the provider."""
    endpoint = f"{scheme}://{host}"
    path = path.removeprefix("/")
    if azure := re.fullmatch(_AZURE_HOST, host.lower()):
        return _place(Provider.AZURE, f"{endpoint}/", path, endpoint=endpoint, account=azure[1])
    if host.lower() == _GOOGLE_HOST:
        return _place(Provider.GOOGLE, f"{endpoint}/", path)
    if amazon := re.fullmatch(_S3_HOST, host.lower()):
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
    """Return the place at a decoded path; its first part is the bucket, unless that is passed."""
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
    return Place(
        provider,
        url,
        bucket=bucket,
        prefix=prefix,
        endpoint=endpoint,
        region=region,
        account=account,
    )


def _example(scheme: str, endpoint: str | None) -> str:
    return f"{endpoint or f'{scheme}:/'}/bucket/prefix/"


def _check_prefix(prefix: str, url: str) -> None:
    try:
        check_key(prefix)
    except ConfigError:
        raise ConfigError(
            f"{url!r} is refused: a prefix has no empty, '.' or '..' parts; give a storage path "
            "without them"
        ) from None

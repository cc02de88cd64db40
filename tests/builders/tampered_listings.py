"""Pages of listings, spoiled: what a proxy, a cache or a broken store makes of the answer to a LIST.

Each spoils some of the pages, and lets the others pass; all come with status 200. Whoever lists
either notices, or is not deceived: but for `UNSEEN`, in which nothing of one listing tells that keys
are missing from the middle of it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Final
from urllib.parse import parse_qs, urlsplit

from tests.builders.faulty_proxy import Request

__all__ = ["AZURE", "S3", "UNSEEN", "Tampering"]

Spoil = Callable[["Tampering", bytes], bytes]
"""Makes another page of a page."""

_ENTRY: Final = re.compile(rb"<Contents>.*?</Contents>|<Blob>.*?</Blob>", re.DOTALL)
_KEY: Final = re.compile(rb"<(Key|Name)>([^<]*)</(Key|Name)>")
_TOKEN: Final = re.compile(rb"<NextContinuationToken>[^<]*</NextContinuationToken>")
_TRUNCATED: Final = re.compile(rb"<IsTruncated>[^<]*</IsTruncated>")


@dataclass
class Tampering:
    """Spoils pages of listings in one way, by seed."""

    spoil: Spoil
    seed: int = 0
    pages: Callable[[int], bool] | None = None
    """Which pages it spoils, counted from 0; by chance when None."""
    part: float = 0.3
    """Of the pages, by chance."""
    before: list[bytes] = field(default_factory=list)
    """Pages as they came from the store."""
    spoilt: int = 0
    random: Random = field(init=False)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)

    def __call__(self, request: Request, body: bytes) -> bytes:
        """Return what is answered instead of a page."""
        chance = self.random.random() < self.part
        number = len(self.before)
        self.before.append(body)
        if not (chance if self.pages is None else self.pages(number)):
            return body
        spoilt = self.spoil(self, body)
        self.spoilt += spoilt != body
        return spoilt

    def some(self, limit: int) -> int:
        """Return a number from 1 on that is not above a limit."""
        return self.random.randint(1, max(limit, 1))


def goes_on(request: Request) -> bool:
    """Whether a request is for a page that follows another."""
    query = parse_qs(urlsplit(request.path).query)
    return bool({"continuation-token", "marker"} & query.keys())


# --- bodies that are no listing ---


def error_body(_: Tampering, body: bytes) -> bytes:
    return b'<?xml version="1.0"?><Error><Code>InternalError</Code><Message>x</Message></Error>'


def web_page(_: Tampering, body: bytes) -> bytes:
    return b"<html><head><title>Sign in</title></head><body><p>Sign in first</p></body></html>"


def broken_web_page(_: Tampering, body: bytes) -> bytes:
    return b"<!DOCTYPE html><html><body>Bad<br>gateway</body></html>"


def json_body(_: Tampering, body: bytes) -> bytes:
    return b'{"error": "try again"}'


def nothing(_: Tampering, body: bytes) -> bytes:
    return b""


def cut(tampering: Tampering, body: bytes) -> bytes:
    return body[: tampering.some(len(body) - 1)]


def cut_behind_an_entry(tampering: Tampering, body: bytes) -> bytes:
    ends = [match.end() for match in _ENTRY.finditer(body)]
    return body[: tampering.random.choice(ends)] if ends else body[:10]


def nul_bytes(tampering: Tampering, body: bytes) -> bytes:
    return body[: len(body) // 2].ljust(len(body), b"\0")


def empty_element(_: Tampering, body: bytes) -> bytes:
    return b"<EnumerationResults><Blobs/></EnumerationResults>" if _is_azure(body) else _EMPTY


_EMPTY: Final = b"<ListBucketResult/>"


# --- listings that end too early ---


def without_keys(_: Tampering, body: bytes) -> bytes:
    return _ended(_ENTRY.sub(b"", body))


def without_token(_: Tampering, body: bytes) -> bytes:
    """It says that it is truncated, and not how to go on."""
    return _TOKEN.sub(b"", body)


def ended(_: Tampering, body: bytes) -> bytes:
    return _ended(body)


def cut_to_some_keys(tampering: Tampering, body: bytes) -> bytes:
    """Keys at the end are dropped, and it says that it was all."""
    return _ended(_without_last(tampering, body))


def _ended(body: bytes) -> bytes:
    body = _TRUNCATED.sub(b"<IsTruncated>false</IsTruncated>", _TOKEN.sub(b"", body))
    return re.sub(rb"<NextMarker>[^<]*</NextMarker>", b"<NextMarker/>", body)


def _without_last(tampering: Tampering, body: bytes) -> bytes:
    entries = list(_ENTRY.finditer(body))
    if not entries:
        return body
    first = entries[-tampering.some(len(entries))]
    return body[: first.start()] + body[entries[-1].end() :]


# --- pages in the wrong place ---


def page_before(tampering: Tampering, body: bytes) -> bytes:
    return tampering.before[-2] if len(tampering.before) > 1 else body


def first_page(tampering: Tampering, body: bytes) -> bytes:
    return tampering.before[0]


def any_page_before(tampering: Tampering, body: bytes) -> bytes:
    return tampering.random.choice(tampering.before)


def token_before(tampering: Tampering, body: bytes) -> bytes:
    tokens = [match[0] for page in tampering.before if (match := _TOKEN.search(page))]
    return _TOKEN.sub(lambda _: tampering.random.choice(tokens), body) if tokens else body


def backwards(_: Tampering, body: bytes) -> bytes:
    entries = [match[0] for match in _ENTRY.finditer(body)]
    turned = iter(entries[::-1])
    return _ENTRY.sub(lambda _: next(turned), body)


def outside(tampering: Tampering, body: bytes) -> bytes:
    """One of the keys is of another prefix."""
    entries = list(_ENTRY.finditer(body))
    if not entries:
        return body
    entry = tampering.random.choice(entries)
    changed = _KEY.sub(rb"<\1>elsewhere/\2</\3>", entry[0])
    return body[: entry.start()] + changed + body[entry.end() :]


# --- what nothing in one listing tells ---


def dropped_in_the_middle(tampering: Tampering, body: bytes) -> bytes:
    """Some keys at the end of a page are dropped, and the next page follows."""
    return _without_last(tampering, body)


def _is_azure(body: bytes) -> bool:
    return b"<EnumerationResults" in body


_BODIES: Final[Mapping[str, Spoil]] = {
    spoil.__name__: spoil
    for spoil in (
        *(error_body, web_page, broken_web_page, json_body, nothing, cut, cut_behind_an_entry),
        *(nul_bytes, empty_element, without_keys),
    )
}
S3: Final[Mapping[str, Spoil]] = {
    **_BODIES,
    **{
        spoil.__name__: spoil
        for spoil in (
            *(without_token, ended, cut_to_some_keys, page_before, first_page, any_page_before),
            *(token_before, backwards, outside),
        )
    },
}
"""By name, for stores that speak S3's protocol."""
AZURE: Final[Mapping[str, Spoil]] = {
    **_BODIES,
    **{spoil.__name__: spoil for spoil in (cut_to_some_keys, outside)},
}
UNSEEN: Final[Mapping[str, Spoil]] = {"dropped_in_the_middle": dropped_in_the_middle}

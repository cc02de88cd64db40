"""Identifiers that are the same in every run: UUIDs of data and label rows, object hashes.

No identifier is random or depends on the order of work: it follows from the thing that it names. So
a second run gives the same bytes, and a sync recognises unchanged files.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b, sha1
from heapq import heappop, heappush
from itertools import pairwise
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

import numpy as np

from labelingest.columns.fingerprints import digests_after, key_fingerprints, mix
from labelingest.columns.types import Int32, Int64, Texts, UInt64

__all__ = [
    "are_sound",
    "data_hash_column",
    "data_hashes",
    "dataset_hash",
    "hash_texts",
    "label_hash_column",
    "label_hashes",
    "member_hashes",
    "new_hashes",
    "new_names",
    "object_hash_column",
    "object_hashes",
    "rename_duplicates",
    "sound_hashes",
]

_BASE64: Final = np.frombuffer(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", dtype=np.uint8
)
_TWO_DIGITS: Final = np.stack((np.repeat(_BASE64, 64), np.tile(_BASE64, 64)), axis=1).view("S2")[
    :, 0
]
"""(4096,) two base64 digits for 12 bits."""
_SOUND: Final = re.compile(r"(?:[A-Za-z0-9+/]{8})*")
_SHA1: Final = 20
_UUID: Final = 16
"""Bytes of a UUID, out of the `_SHA1` bytes of a digest."""
_GROUPS: Final = ((0, 0, 8), (9, 8, 4), (14, 12, 4), (19, 16, 4), (24, 20, 12))
"""Groups of digits in a UUID's text: first column, first digit, number of digits."""


@lru_cache(maxsize=64)
def dataset_hash(storage_url: str) -> str:
    """Name the storage path as a whole: UUIDv5 of its URL.

    Examples
    --------
    >>> dataset_hash("s3://bucket/")
    '94bd74a8-e3f5-5927-ada6-34406683e2f6'
    """
    return str(uuid5(NAMESPACE_URL, storage_url))


def data_hashes(storage_url: str, keys: Sequence[str]) -> list[str]:
    """Name data files by storage path and key: a file replaced under its key keeps its name.

    Examples
    --------
    >>> from uuid import UUID
    >>> data_hashes("s3://bucket/", ["a.jpg"]) == [
    ...     str(uuid5(UUID(dataset_hash("s3://bucket/")), "a.jpg"))
    ... ]
    True
    """
    return _as_list(data_hash_column(storage_url, keys))


def data_hash_column(storage_url: str, keys: Sequence[str]) -> Texts:
    """Return the names of `data_hashes` as a column of bytes."""
    namespace = UUID(dataset_hash(storage_url)).bytes
    return _uuid5s(digests_after(sha1(namespace, usedforsecurity=False), map(str.encode, keys)))


def label_hashes(data_hashes: Sequence[str], ontology_identity: str) -> list[str]:
    """Name label rows by data file and ontology.

    Examples
    --------
    >>> from uuid import UUID
    >>> data = "94bd74a8-e3f5-5927-ada6-34406683e2f6"
    >>> label_hashes([data], "vehicles") == [str(uuid5(UUID(data), "vehicles"))]
    True
    """
    return _as_list(label_hash_column(np.array(data_hashes, dtype="S36"), ontology_identity))


def label_hash_column(data_hashes: Texts, ontology_identity: str) -> Texts:
    """Return the names of `label_hashes` as a column of bytes."""
    identity = ontology_identity.encode()
    octets = bytes.fromhex(data_hashes.tobytes().replace(b"-", b"").decode())
    starts = range(0, len(octets), _UUID)
    names = [octets[start : start + _UUID] + identity for start in starts]
    return _uuid5s(digests_after(sha1(usedforsecurity=False), names))


def member_hashes(data_hash: str, places: Sequence[str]) -> list[str]:
    """Name the images of a group, which have no keys of their own, by their places in it.

    Examples
    --------
    >>> from uuid import UUID
    >>> data = "94bd74a8-e3f5-5927-ada6-34406683e2f6"
    >>> member_hashes(data, ["0", "1"])[1] == str(uuid5(UUID(data), "1"))
    True
    """
    namespace = bytes.fromhex(data_hash.replace("-", ""))
    return _as_list(
        _uuid5s(digests_after(sha1(namespace, usedforsecurity=False), map(str.encode, places)))
    )


def _as_list(texts: Texts) -> list[str]:
    text, width = texts.tobytes().decode(), texts.itemsize
    return [text[start : start + width] for start in range(0, len(text), width)]


def _uuid5s(digests: Sequence[bytes]) -> Texts:
    """Return `str(uuid.uuid5(...))`, given SHA-1 of a namespace and a name (RFC 9562, section 5.5)."""
    octets = np.frombuffer(b"".join(digests), np.uint8).reshape(-1, _SHA1)[:, :_UUID].copy()
    octets[:, 6] = octets[:, 6] & 0x0F | 0x50
    octets[:, 8] = octets[:, 8] & 0x3F | 0x80
    digits = np.frombuffer(octets.tobytes().hex().encode(), np.uint8).reshape(-1, 2 * _UUID)
    lines = np.full((len(digits), 2 * _UUID + 4), ord("-"), dtype=np.uint8)
    for column, digit, count in _GROUPS:
        lines[:, column : column + count] = digits[:, digit : digit + count]
    return lines.view(f"S{lines.shape[1]}")[:, 0]


def object_hashes(keys: Sequence[str], unit: Int32, line: Int32, content: UInt64) -> list[str]:
    """Name annotations by data file, line and content: 6 bytes in base64, 8 characters.

    Parameters
    ----------
    keys
        (u,) keys of the data files.
    unit, line
        (n,) row of each annotation's data file in keys; its line, which differs within a file.
    content
        (n,) fingerprint of what the line says.

    Returns
    -------
    list
        n hashes, all different within a data file.

    Examples
    --------
    >>> one = np.zeros(1, np.int32)
    >>> object_hashes(["a.jpg"], one, one + 1, np.zeros(1, np.uint64))
    ['o1olCIl9']
    """
    return _as_list(object_hash_column(keys, unit, line, content))


def object_hash_column(keys: Sequence[str], unit: Int32, line: Int32, content: UInt64) -> Texts:
    """Return the hashes of `object_hashes` as a column of bytes."""
    if not len(unit):
        return np.zeros(0, dtype="S8")
    names = new_names(key_fingerprints(keys)[unit], line, content)
    # One sort settles the usual case: nothing occurs twice in the whole batch.
    if _occurs_twice(names):
        bounds = np.searchsorted(unit, np.arange(len(keys) + 1)).tolist()
        for begin, end in pairwise(bounds):
            rename_duplicates(names[begin:end])
    return hash_texts(names)


def new_names(key: UInt64, line: Int32, content: UInt64) -> UInt64:
    """Return (n,) names of 48 bits; two in a file may be the same.

    Parameters
    ----------
    key
        Fingerprint of the data file's key, of each annotation (n,) or of all of them (1,).
    line, content
        As for `object_hashes`.
    """
    seed = mix(key) + line.astype(np.uint64)
    names: UInt64 = mix(mix(seed) ^ content) >> np.uint64(16)
    return names


def hash_texts(names: UInt64) -> Texts:
    """Return (n,) names of 48 bits in base64."""
    digits: Texts = np.empty((len(names), 4), dtype="S2")
    for place, shift in enumerate((36, 24, 12, 0)):
        digits[:, place] = _TWO_DIGITS[names >> np.uint64(shift) & np.uint64(4095)]
    return digits.view("S8")[:, 0]


def _occurs_twice(names: UInt64) -> bool:
    in_order = np.sort(names)
    return bool((in_order[1:] == in_order[:-1]).any())


def rename_duplicates(names: UInt64) -> None:
    """Replace names that an earlier row of the file has by the next free ones, in the array itself.

    Rows are visited in their order, but only rows whose name another row needs.
    """
    if not _occurs_twice(names):
        return
    order = np.argsort(names, kind="stable")
    in_order = names[order]
    waiting = np.sort(order[1:][in_order[1:] == in_order[:-1]]).tolist()
    new: set[int] = set()
    next_free: dict[int, int] = {}
    while waiting:
        row = heappop(waiting)
        name = int(names[row])
        free = next_free.get(name, name)
        while free in new or _first_row(free, order, in_order) < row:
            free = next_free.get(free + 1, free + 1) & 0xFFFFFFFFFFFF
        new.add(free)
        next_free[name] = (free + 1) & 0xFFFFFFFFFFFF
        # A later row that has this name by itself gets another one in turn.
        follower = _first_row(free, order, in_order)
        if row < follower < len(names):
            heappush(waiting, follower)
        names[row] = free


def _first_row(name: int, order: Int64, in_order: UInt64) -> int:
    """Return the first row that had a name; the number of rows where none had."""
    place = int(np.searchsorted(in_order, np.uint64(name)))
    exists = place < len(order) and int(in_order[place]) == name
    return int(order[place]) if exists else len(order)


def are_sound(names: Sequence[str]) -> bool:
    """Whether object hashes that a source gave are all of 8 base64 characters.

    Examples
    --------
    >>> are_sound(["k3P/x0+a", "AAAAAAAA"]), are_sound(["k3P/x0+a", "a hash"])
    (True, False)
    """
    return set(map(len, names)) <= {8} and _SOUND.fullmatch("".join(names)) is not None


def new_hashes(names: Iterable[str], key: str) -> dict[str, str]:
    """Return new hashes for the unsound hashes of a data file, made from its key and the hash.

    Examples
    --------
    >>> new_hashes(["k3P/x0+a", "a hash"], "a.jpg")
    {'a hash': '1+NhxOLK'}
    """
    names = list(dict.fromkeys(names))
    taken_hashes = {name for name in names if are_sound([name])}
    new: dict[str, str] = {}
    for name in names:
        if name in taken_hashes:
            continue
        attempt = 0
        while (candidate := _hash_of_text(f"{attempt}:{key}:{name}")) in taken_hashes:
            attempt += 1
        taken_hashes.add(candidate)
        new[name] = candidate
    return new


def _hash_of_text(text: str) -> str:
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).digest()
    return b64encode(digest).decode()


def sound_hashes(names: Sequence[str], unit: Int32, keys: Sequence[str]) -> Sequence[str]:
    """Return object hashes for label rows: hashes that are not sound are replaced.

    Parameters
    ----------
    names
        (n,) hashes as the source gave them.
    unit
        (n,) row of each annotation's data file in keys; non-decreasing.
    keys
        (u,) keys of the data files.
    """
    if are_sound(names):
        return names
    sound = list(names)
    bounds = np.searchsorted(unit, np.arange(len(keys) + 1)).tolist()
    for key, begin, end in zip(keys, bounds[:-1], bounds[1:], strict=True):
        new = new_hashes(names[begin:end], key)
        if new:
            sound[begin:end] = [new.get(name, name) for name in names[begin:end]]
    return sound

"""Fingerprints of whole columns at once: 64-bit integer mixing in numpy, no call per row.

Fingerprints are not cryptographic; digests of contents are. Fingerprints name things (object hashes)
and find candidates (identical rows, which are then compared); a collision costs time or a second try, never a wrong
result.

The mixer is the finaliser of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number
generators, 2014).
"""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from labelingest.columns.keys import Keys
from labelingest.columns.text_order import WORD, Words
from labelingest.columns.types import Float64, Int64, UInt64

if TYPE_CHECKING:
    from _hashlib import HASH

__all__ = [
    "Digest",
    "content_digest",
    "digests_after",
    "key_fingerprints",
    "mix",
    "part_fingerprints",
    "row_fingerprints",
    "text_fingerprints",
]

_DIGEST_BYTES = 16
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_AT_ONCE = 65_536
"""Keys that are fingerprinted together: some megabytes."""


def mix(values: UInt64) -> UInt64:
    """Scatter the bits of each value; a new array of the same shape.

    Examples
    --------
    >>> [hex(v) for v in mix(np.array([0, 1], dtype=np.uint64)).tolist()]
    ['0xe220a8397b1dcdaf', '0x910a2dec89025cc1']
    """
    mixed: UInt64 = values + _GOLDEN
    mixed ^= mixed >> np.uint64(30)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def row_fingerprints(values: Float64, begin: Int64, count: Int64, secret: int = 0) -> UInt64:
    """Fingerprint rows of numbers: equal rows have equal fingerprints.

    Parameters
    ----------
    values
        (v,) the numbers.
    begin, count
        (n,) row i owns values[begin : begin + count].
    secret
        Changes all fingerprints, so that the author of the numbers cannot foresee them.

    Returns
    -------
    ndarray
        (n,) uint64; doubles differ when their bits do, so 0.0 and -0.0 have different fingerprints.

    Examples
    --------
    >>> numbers = np.array([0.5, 0.25, 0.5, 0.25, 0.25, 0.5])
    >>> begin, count = np.array([0, 2, 4]), np.array([2, 2, 2])
    >>> a, b, c = row_fingerprints(numbers, begin, count).tolist()
    >>> a == b, a == c
    (True, False)
    """
    seed = mix(count.astype(np.uint64))
    total = int(count.sum())
    if not total:
        return seed
    offsets = np.cumsum(count) - count
    position = np.arange(total, dtype=np.int64) - np.repeat(offsets, count)
    bits = values.view(np.uint64)[position + np.repeat(begin, count)]
    # The mantissa of a short decimal fills the high bits or all bits: fold before multiplying.
    bits ^= bits >> np.uint64(29)
    factors = mix(np.arange(int(count.max()), dtype=np.uint64) + np.uint64(secret))
    bits *= factors[position] | np.uint64(1)
    bits ^= bits >> np.uint64(32)
    # A sum of nothing is not nothing to reduceat, hence the cumulative sum: it wraps, and so does
    # the difference.
    sums = np.concatenate((np.zeros(1, np.uint64), np.cumsum(bits, dtype=np.uint64)))
    return mix(seed + sums[offsets + count] - sums[offsets])


def content_digest(content: bytes) -> str:
    """Digest a file's content; this one is cryptographic: equal digests are equal contents.

    Examples
    --------
    >>> content_digest(b"0 .5 .5 1 1")
    '41f7c48f3e08960b0606114dd16e264a'
    """
    return blake2b(content, digest_size=_DIGEST_BYTES).hexdigest()


class Digest:
    """Digest and length of a content that comes in pieces.

    Examples
    --------
    >>> digest = Digest([b"0 .5", b" .5 1 1"])
    >>> digest.length, digest.value == content_digest(b"0 .5 .5 1 1")
    (11, True)
    """

    def __init__(self, pieces: Iterable[bytes] = ()) -> None:
        self._digest = blake2b(digest_size=_DIGEST_BYTES)
        self.length = 0
        for piece in pieces:
            self.add(piece)

    def add(self, piece: bytes) -> None:
        """Add the next piece."""
        self._digest.update(piece)
        self.length += len(piece)

    @property
    def value(self) -> str:
        """The digest of all pieces."""
        return self._digest.hexdigest()


def key_fingerprints(keys: Sequence[str]) -> UInt64:
    """Return (n,) the first 8 bytes of each key's BLAKE2b hash.

    Examples
    --------
    >>> hex(key_fingerprints(["a.jpg"])[0])
    '0xfe47f0026e12a789'
    """
    digests = b"".join(digests_after(blake2b(digest_size=8), map(str.encode, keys)))
    return np.frombuffer(digests, dtype=">u8").astype(np.uint64)


def digests_after(start: "HASH | blake2b", texts: Iterable[bytes]) -> list[bytes]:
    """Return the digest of each text behind what a hash has taken so far; the hash stays as it is.

    A copy of a hash takes less time than a new one.

    Examples
    --------
    >>> [digest.hex() for digest in digests_after(blake2b(b"a", digest_size=4), [b"", b".jpg"])]
    ['ca234c55', '115365b3']
    """
    digests = []
    for text in texts:
        copy = start.copy()
        copy.update(text)
        digests.append(copy.digest())
    return digests


def part_fingerprints(words: Words, begin: Int64, end: Int64, secret: int) -> UInt64:
    """Fingerprint parts of a text: equal parts have equal fingerprints.

    Parameters
    ----------
    words
        The words of the text.
    begin, end
        (n,) where each part begins and ends.
    secret
        Changes all fingerprints, so that the author of the text cannot foresee them.

    Examples
    --------
    >>> begin = np.array([0, 2, 1])
    >>> a, b, c = part_fingerprints(Words(b"abab"), begin, begin + 2, 7).tolist()
    >>> a == b, a == c
    (True, False)
    """
    count = end - begin
    mixed = mix(count.astype(np.uint64) ^ np.uint64(secret))
    rows, step = np.flatnonzero(count > 0), 0
    while len(rows):
        rest = count[rows] - step
        word, _ = words.masked(begin[rows] + step, rest)
        mixed[rows] = mix(mixed[rows] ^ word)
        rows = rows[rest > WORD]
        step += WORD
    return mixed


def text_fingerprints(keys: Keys) -> UInt64:
    """Fingerprint all keys of a column without a call for each.

    Returns
    -------
    ndarray
        (n,) uint64, the same on every machine, at any position of a key in the column.

    Examples
    --------
    >>> [hex(f) for f in text_fingerprints(Keys.from_texts(["a.txt", "b.txt"])).tolist()]
    ['0x36162792260ef376', '0x4c3cf9f0d34fa1ae']
    """
    parts = [np.zeros(0, dtype=np.uint64)]
    for start in range(0, len(keys), _AT_ONCE):
        offsets = keys.offsets[start : start + _AT_ONCE + 1]
        text = np.frombuffer(keys.text, np.uint8)[offsets[0] : offsets[-1]]
        begin, count = offsets[:-1] - offsets[0], np.diff(offsets)
        position = np.arange(len(text), dtype=np.int64) - np.repeat(begin, count)
        factors = mix(np.arange(int(count.max()), dtype=np.uint64)) | np.uint64(1)
        products = factors[position] * (text.astype(np.uint64) + np.uint64(1))
        # Sums wrap, and so do their differences.
        sums = np.concatenate((np.zeros(1, np.uint64), np.cumsum(products, dtype=np.uint64)))
        parts.append(mix(sums[begin + count] - sums[begin]))
    return np.concatenate(parts)

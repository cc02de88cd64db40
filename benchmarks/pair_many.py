"""Ten million keys: how long until they are listed in order and paired, and in how much memory?

From the command line::

    python -m benchmarks.pair_many --keys 10000000

A process of its own, so that the memory is that of listing and pairing alone. No file is made: the
storage path is one that says what a listing would say, in pages and in no order. `bench_pairing.py`
times pairing beside a dictionary, on fewer keys.
"""

import argparse
import json
import resource
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Final

import numpy as np

from labelingest.columns.keys import Keys
from labelingest.columns.types import Int64
from labelingest.model.listing import Listing
from labelingest.pairing.pair import pair
from labelingest.pairing.rules import PatternRule
from labelingest.storage.base import PAGE, list_all
from labelingest.storage.memory import MemoryStorage

__all__ = ["BYTES", "RULE", "Many", "Paired", "numbered_keys", "pair_many"]

RULE: Final = PatternRule(("images/{name}.jpg",), "labels/{name}.txt")
_DIGITS: Final = 8
_STRIDE: Final = 7_368_787
"""A prime: its multiples visit every number once, and far from in order."""
BYTES: Final = 300


@dataclass(frozen=True, slots=True)
class Paired:
    """What it took."""

    keys: int
    pairs: int
    list_seconds: float
    pair_seconds: float
    peak_mb: float
    """Memory of this process at its largest, in megabytes (10⁶ bytes)."""


class Many(MemoryStorage):
    """A storage path with as many images as label files, listed in pages."""

    def __init__(self, keys: int) -> None:
        super().__init__({})
        self._pairs = keys // 2

    def list(
        self,
        *,
        exclude: Sequence[str] = (),
        bare: Collection[str] = (),
        splits: Sequence[str] = (),
    ) -> Iterator[Listing]:
        """Yield pages of images, and of label files."""
        for start in range(0, self._pairs, PAGE):
            numbers = np.arange(start, min(start + PAGE, self._pairs)) * _STRIDE % self._pairs
            for before, after in ((b"images/train/", b".jpg"), (b"labels/train/", b".txt")):
                sizes = np.full(len(numbers), BYTES, dtype=np.int64)
                yield Listing(numbered_keys(before, numbers, after), sizes, sizes)


def numbered_keys(before: bytes, numbers: Int64, after: bytes) -> Keys:
    """Return keys that differ in their numbers, without a Python object for each."""
    width = len(before) + _DIGITS + len(after)
    text = np.empty((len(numbers), width), dtype=np.uint8)
    text[:, : len(before)] = np.frombuffer(before, dtype=np.uint8)
    text[:, width - len(after) :] = np.frombuffer(after, dtype=np.uint8)
    powers = 10 ** np.arange(_DIGITS - 1, -1, -1)
    digits = numbers[:, np.newaxis] // powers % 10
    text[:, len(before) : width - len(after)] = digits + ord("0")
    return Keys(text.tobytes(), np.arange(len(numbers) + 1, dtype=np.int64) * width)


def pair_many(keys: int) -> Paired:
    """List and pair so many keys, half of them images.

    Raises
    ------
    RuntimeError
        Not all were paired.
    """
    started = perf_counter()
    listing = list_all(Many(keys))
    listing_end = perf_counter()
    pairs = pair(listing, RULE)
    paired = perf_counter()
    if not len(listing) == 2 * len(pairs) == keys // 2 * 2:
        raise RuntimeError(f"{len(pairs):,} pairs of {len(listing):,} keys")
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
    return Paired(len(listing), len(pairs), listing_end - started, paired - listing_end, peak)


def _main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.pair_many", description="List and pair many keys."
    )
    parser.add_argument("--keys", type=int, default=10_000_000, help="(default 10000000)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a sentence")
    chosen = parser.parse_args()
    measured = pair_many(chosen.keys)
    if chosen.json:
        print(json.dumps(asdict(measured)))
        return
    seconds = measured.list_seconds + measured.pair_seconds
    print(
        f"{measured.keys:,} keys, {measured.pairs:,} pairs: {seconds:.1f} s ({measured.list_seconds:.1f} s to "
        f"list, {measured.pair_seconds:.1f} s to pair), at most {measured.peak_mb:,.0f} MB"
    )


if __name__ == "__main__":
    _main()

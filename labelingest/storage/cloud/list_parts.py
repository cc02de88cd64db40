"""Cut a listing into parts that are made at the same time.

A store tells its keys only by listing them. So parts are cut at keys of an earlier listing, at even
distances. The keys are hints: where they do not fit any more they cost a request, and they change no
result.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from msgspec import Struct

from labelingest.columns.keys import Keys
from labelingest.storage.cloud.unusable_keys import is_unusable

__all__ = ["Part", "parts_of", "splits_of"]

_MOST_PARTS: Final = 64
_WORTH_IT: Final = 20_000
"""Number of keys up to which a serial listing, of twenty answers, is fast enough."""
_SMALLEST: Final = 5_000
"""Keys of a part at least: five answers, so that the additional one at its end costs little."""


class Part(Struct, frozen=True):
    """A stretch of the keys of a storage path."""

    after: str | None = None
    """Key behind which the part begins; None for the beginning of all keys."""
    until: str | None = None
    """Last key that the part may have; None for the end of all keys."""

    @property
    def is_everything(self) -> bool:
        """Whether the part has all keys."""
        return self.after is None and self.until is None


def splits_of(keys: Keys) -> Sequence[str]:
    """Return the keys at which to cut the next listing; an empty list for a short listing.

    Parameters
    ----------
    keys
        Keys of a complete listing, in order.

    Examples
    --------
    >>> splits_of(Keys.from_texts([f"{number:05}.jpg" for number in range(20_001)]))
    ['04999.jpg', '09999.jpg', '14999.jpg']
    """
    if len(keys) <= _WORTH_IT:
        return []
    parts = min(_MOST_PARTS, len(keys) // _SMALLEST)
    return keys.take([len(keys) * part // parts - 1 for part in range(1, parts)])


def parts_of(splits: Sequence[str], after: str | None = None) -> Sequence[Part]:
    """Return the parts of all keys behind a key, in order.

    Parameters
    ----------
    splits
        Texts; texts that cannot be keys, or lie before `after`, are skipped.
    after
        The last key that is listed already; None where no key is.

    Examples
    --------
    >>> parts_of(["a/9.jpg", "b//", "c/1.jpg"], after="b/7.jpg")
    [Part(after='b/7.jpg', until='c/1.jpg'), Part(after='c/1.jpg', until=None)]
    """
    # With an unusable key, a client would begin at another place, or not at all.
    usable = {split for split in splits if split > (after or "") and not is_unusable(split)}
    return [Part(*ends) for ends in pairwise([after, *sorted(usable), None])]

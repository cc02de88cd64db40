"""Where a listing is cut into parts that are made at the same time.

A store tells where its keys are only by listing them. So the keys between which parts lie are those
of an earlier listing, at even distances: hints, which cost a request where they do not fit any
more, and change no result.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from labelingest.columns.keys import Keys
from labelingest.storage.cloud.unusable_keys import is_unusable

__all__ = ["Part", "parts_of", "splits_of"]

_MOST_PARTS: Final = 64
_WORTH_IT: Final = 20_000
"""Up to so many keys, twenty answers one after the other are soon enough."""
_SMALLEST: Final = 5_000
"""Keys of a part at least: five answers, so that the one more which ends it weighs little."""


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the keys of a storage path."""

    after: str | None = None
    """The key that it begins behind; None for the first key of all."""
    until: str | None = None
    """The last key that it may have; None for the last one of all."""

    @property
    def is_everything(self) -> bool:
        """Whether no key is outside."""
        return self.after is None and self.until is None


def splits_of(keys: Keys) -> Sequence[str]:
    """Return the keys between which the next listing is to be cut; none where there are few.

    Parameters
    ----------
    keys
        Of a complete listing, in order.

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
    """Return the parts of all that lies behind a key, in order.

    Parameters
    ----------
    splits
        Texts; those that cannot be keys, or lie before, are passed over.
    after
        What is listed already ends with it; None where nothing is.

    Examples
    --------
    >>> parts_of(["a/9.jpg", "b//", "c/1.jpg"], after="b/7.jpg")
    [Part(after='b/7.jpg', until='c/1.jpg'), Part(after='c/1.jpg', until=None)]
    """
    # By what is no key, a client would ask from another place on, or not at all.
    usable = {split for split in splits if split > (after or "") and not is_unusable(split)}
    return [Part(*ends) for ends in pairwise([after, *sorted(usable), None])]

"""Check bitmasks: a run-length text must describe exactly height times width pixels.

The coding is COCO's, with pixels in row-major order. Each number is written in groups of 5 bits,
the low group first, as a character of 48 plus the group, plus 0x20 if more groups follow. From the
fourth number on it is the difference to the number two before. The text is decoded to run lengths
only, never to pixels.
"""

from typing import Any, Final

import numpy as np

from labelingest.columns.types import Int64
from labelingest.problems import ProblemCode
from labelingest.problems.of_document import DocumentProblems, excerpt
from labelingest.problems.pointers import child_pointer

__all__ = ["read_bitmask", "run_lengths"]

_KEYS: Final = frozenset(("top", "left", "height", "width", "rleString"))
_MOST_PIXELS: Final = 1 << 34
"""Pixels of the largest mask: 131,072 x 131,072."""
_MOST_GROUPS: Final = 12
"""Groups of the longest number: 60 bits, more than any image needs."""


def run_lengths(text: str) -> Int64 | None:
    """Return (n,) lengths of the runs, the first of zeros; None for a malformed text.

    Examples
    --------
    >>> run_lengths("432").tolist()
    [4, 3, 2]
    >>> run_lengths("d") is None
    True
    """
    try:
        codes = np.frombuffer(text.encode("ascii"), dtype=np.uint8).astype(np.int64) - 48
    except UnicodeEncodeError:
        return None
    if not len(codes):
        return codes
    more = (codes & 0x20) != 0
    if codes.min() < 0 or codes.max() > 0x3F or more[-1]:
        return None
    ends = np.flatnonzero(~more)
    starts = np.concatenate((np.zeros(1, np.int64), ends[:-1] + 1))
    if (ends - starts).max() >= _MOST_GROUPS:
        return None
    place = np.arange(len(codes)) - np.repeat(starts, ends - starts + 1)
    numbers = np.add.reduceat((codes & 0x1F) << (5 * place), starts)
    negative = (codes[ends] & 0x10) != 0
    numbers -= np.where(negative, np.int64(1) << (5 * (ends - starts + 1)), 0)
    if np.abs(numbers).max() > _MOST_PIXELS:
        return None
    numbers[1::2] = np.cumsum(numbers[1::2])
    numbers[2::2] = np.cumsum(numbers[2::2])
    return numbers


def read_bitmask(
    value: dict[str, Any], pointer: str, size: tuple[int, int] | None, problems: DocumentProblems
) -> dict[str, Any] | None:
    """Return the clean payload of a bitmask; None for a mask that does not fit its image.

    Parameters
    ----------
    value
        Payload as decoded.
    pointer
        JSON pointer of the payload.
    size
        Width and height of the data unit in pixels; None for an unknown size.
    problems
        Container of the problems.
    """
    problems.unknown_keys(value, _KEYS, pointer, "a bitmask")
    sides = []
    for key, default in (("top", 0), ("left", 0), ("height", None), ("width", None)):
        side = value.get(key, default)
        if side is None:
            problems.note(ProblemCode.MISSING_KEY, pointer, f"{key!r} is missing; expected pixels")
            return None
        if type(side) is not int or side < 0:
            detail = f"found {excerpt(side)}, expected a whole number of pixels"
            problems.note(ProblemCode.BAD_BITMASK, child_pointer(pointer, key), detail)
            return None
        sides.append(side)
    top, left, height, width = sides
    text = value.get("rleString")
    if not isinstance(text, str):
        problems.note(
            ProblemCode.BAD_BITMASK, pointer, "'rleString' is missing; expected run lengths"
        )
        return None
    if not _fits(pointer, size, sides, problems) or not _complete(
        text, height * width, pointer, problems
    ):
        return None
    return {"top": top, "left": left, "height": height, "width": width, "rleString": text}


def _fits(
    pointer: str, size: tuple[int, int] | None, sides: list[int], problems: DocumentProblems
) -> bool:
    top, left, height, width = sides
    if size is not None and (width, height) != size:
        detail = (
            f"the mask has {width} x {height} pixels, its image {size[0]} x {size[1]}: "
            "a mask must be as large as its image"
        )
        place = child_pointer(pointer, "width" if width != size[0] else "height")
        problems.note(ProblemCode.BAD_BITMASK, place, detail)
        return False
    if top or left:
        detail = f"found top {top} and left {left}; a mask covers its image, so both are 0"
        problems.note(
            ProblemCode.BAD_BITMASK, child_pointer(pointer, "top" if top else "left"), detail
        )
        return False
    return True


def _complete(text: str, pixels: int, pointer: str, problems: DocumentProblems) -> bool:
    runs = run_lengths(text) if pixels <= _MOST_PIXELS else None
    if runs is None or (len(runs) and runs.min() < 0):
        detail = f"{excerpt(text)} holds no run lengths of a mask of {pixels:,} pixels"
    elif int(runs.sum()) != pixels:
        detail = f"the runs cover {int(runs.sum()):,} pixels, the mask has {pixels:,}"
    else:
        return True
    problems.note(ProblemCode.BAD_BITMASK, child_pointer(pointer, "rleString"), detail)
    return False

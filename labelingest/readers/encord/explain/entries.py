"""Entries keyed by hashes, and ranges of frames: the forms that all answers share.

Refuses to know objects and classifications: each caller judges what an entry is about.
"""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from labelingest.model.frame_ranges import Range
from labelingest.problems import ProblemCode
from labelingest.problems.of_document import DocumentProblems, excerpt
from labelingest.problems.pointers import child_pointer

__all__ = ["Medium", "entries", "ranges_of"]


class Medium(Struct, frozen=True):
    """Properties of the labelled file that answers and ranges depend on."""

    frame_count: int
    """Number of frames; the most that a file can have for a row without a count."""
    on_frames: bool = True
    """False for audio and text, whose objects are entries of object_answers."""
    audio: bool = False
    """True for audio, whose ranges are milliseconds."""
    html: bool = False
    """True for HTML, whose ranges lie between nodes."""


def entries(
    value: Any, pointer: str, key: str, problems: DocumentProblems
) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield hash, entry and JSON pointer of entries that are JSON objects, each hash once.

    Parameters
    ----------
    value
        Hash → entry, as decoded.
    pointer
        JSON pointer of the value.
    key
        Key inside an entry that repeats the hash; of two different hashes the inner one counts.
    problems
        Container of the problems.
    """
    seen: set[str] = set()
    for name, entry in value.items():
        place = child_pointer(pointer, name)
        if not isinstance(entry, dict):
            problems.wrong_type(place, entry, "an object")
            continue
        entry_hash = _own_hash(name, entry, place, key, problems)
        if entry_hash in seen:
            detail = f"another entry is about {excerpt(entry_hash)} already: dropped"
            problems.note(ProblemCode.DUPLICATE_OBJECT, place, detail)
            continue
        seen.add(entry_hash)
        yield entry_hash, entry, place


def _own_hash(
    name: str, entry: dict[str, Any], pointer: str, key: str, problems: DocumentProblems
) -> str:
    """Return the hash that an entry is about: the one inside it, else its key."""
    stated_hash = entry.get(key)
    if stated_hash == name:
        return name
    valid = isinstance(stated_hash, str) and bool(stated_hash)
    counts = "the latter counts" if valid else "the former counts"
    place = child_pointer(pointer, key) if key in entry else pointer
    detail = f"the entry {excerpt(name)} says {key} {excerpt(stated_hash)}: {counts}"
    problems.note(ProblemCode.HASH_DIFFERS_FROM_KEY, place, detail)
    return str(stated_hash) if valid else name


def ranges_of(value: object, pointer: str, problems: DocumentProblems) -> list[Range]:
    """Return the valid ranges of a list of inclusive pairs; note the others.

    Examples
    --------
    >>> problems = DocumentProblems("a.json")
    >>> ranges_of([[0, 4], [9, 7]], "/range", problems)
    [(0, 4)]
    >>> print(problems.in_order()[0])
    a.json#/range/1: bad-range: found [9, 7], expected [first, last], both included
    """
    if not isinstance(value, list):
        problems.note(
            ProblemCode.BAD_RANGE, pointer, f"found {excerpt(value)}, expected a list of ranges"
        )
        return []
    ranges = []
    for position, pair in enumerate(value):
        valid = (
            isinstance(pair, list)
            and len(pair) == 2
            and type(pair[0]) is int
            and type(pair[1]) is int
            and pair[0] <= pair[1]
        )
        if valid:
            ranges.append((pair[0], pair[1]))
        else:
            detail = f"found {excerpt(pair)}, expected [first, last], both included"
            problems.note(ProblemCode.BAD_RANGE, child_pointer(pointer, position), detail)
    return ranges

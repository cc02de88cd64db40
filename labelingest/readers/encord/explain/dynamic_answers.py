"""Answers that change over time: each answer holds on ranges of frames.

Every form is read: one action for each value, or one for each range and option. Written is one
action for each value, with sorted ranges that do not touch. Of two answers for one frame the later
in the list counts, as in Encord's client; options of a checklist add up.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, TypeAlias
from uuid import NAMESPACE_OID, uuid5

from labelingest.model.frame_ranges import Range, clip, count_frames, difference, latest, union
from labelingest.model.vocabulary import Attribute
from labelingest.problems import ProblemCode
from labelingest.problems.of_document import DocumentProblems, excerpt
from labelingest.problems.pointers import child_pointer
from labelingest.readers.encord.explain.answers import Answer, Value, written_answer
from labelingest.readers.encord.explain.entries import ranges_of

__all__ = ["written_actions"]

_Spans: TypeAlias = list[tuple[Answer, list[Range]]]


def written_actions(
    answers: Iterable[Answer],
    object_hash: str,
    frames: list[Range],
    frame_count: int,
    problems: DocumentProblems,
) -> list[dict[str, Any]]:
    """Return the actions of one object as label rows write them.

    Parameters
    ----------
    answers
        Answers of the object to attributes that change over time.
    object_hash
        Hash of the object, from which track hashes are made.
    frames
        Frames of the object.
    frame_count
        Number of frames of the data unit.
    problems
        Container of the problems.
    """
    spans: dict[str, _Spans] = {}
    for answer in answers:
        ranges = _ranges(answer, frames, frame_count, problems)
        if ranges:
            spans.setdefault(answer.attribute.feature_hash, []).append((answer, ranges))
    return [
        _action(attribute, value, manual, ranges, object_hash)
        for attribute_spans in spans.values()
        for attribute, value, manual, ranges in _by_value(attribute_spans, problems)
    ]


def _ranges(
    answer: Answer, frames: list[Range], frame_count: int, problems: DocumentProblems
) -> list[Range]:
    """Return the frames of one answer, cut to the data unit."""
    if "range" not in answer.entry:
        detail = f"'range' is missing: {excerpt(answer.attribute.name)} changes over time"
        problems.note(ProblemCode.MISSING_KEY, answer.pointer, detail)
        return []
    pointer = child_pointer(answer.pointer, "range")
    ranges = union(ranges_of(answer.entry["range"], pointer, problems))
    inside = clip(ranges, frame_count)
    if count_frames(inside) < count_frames(ranges):
        detail = (
            f"{excerpt(answer.entry['range'])} leaves the {frame_count:,} frames of the file: cut"
        )
        problems.note(ProblemCode.BAD_FRAME, pointer, detail)
    if difference(inside, frames):
        detail = f"{excerpt(answer.entry['range'])} has frames on which the object is not: kept"
        problems.note(ProblemCode.RANGE_OFF_OBJECT, pointer, detail)
    return inside


def _by_value(
    spans: _Spans, problems: DocumentProblems
) -> Iterator[tuple[Attribute, Value, bool, list[Range]]]:
    """Yield attribute, value, provenance and frames for each value of one attribute."""
    attribute = spans[0][0].attribute
    held = (
        _ticked_options(spans) if attribute.type == "checklist" else _last_values(spans, problems)
    )
    by_value: dict[tuple[type, Value], list[Range]] = {}
    for value, frames in held:
        by_value.setdefault((type(value), value), []).append(frames)
    manual = all(answer.manual for answer, _ in spans)
    for (_, value), ranges in by_value.items():
        yield attribute, value, manual, union(ranges)


def _last_values(spans: _Spans, problems: DocumentProblems) -> list[tuple[Value, Range]]:
    """Return values with their ranges; of two answers for one frame the later counts."""
    ranges = [
        (first, last, rank)
        for rank, (_, answer_ranges) in enumerate(spans)
        for first, last in answer_ranges
    ]
    _note_overlap(spans, ranges, problems)
    return [(spans[rank][0].value, (first, last)) for first, last, rank in latest(ranges)]


def _note_overlap(
    spans: _Spans, ranges: list[tuple[int, int, int]], problems: DocumentProblems
) -> None:
    """Note the first frame with two different answers."""
    reach, holder = -1, -1
    for first, last, rank in sorted(ranges):
        if first <= reach and spans[rank][0].value != spans[holder][0].value:
            late = spans[max(rank, holder)][0]
            detail = (
                f"{excerpt(late.attribute.name)} has another answer for frame {first} before: "
                "the later one counts"
            )
            problems.note(ProblemCode.TWO_ANSWERS, child_pointer(late.pointer, "range"), detail)
            return
        if last > reach:
            reach, holder = last, rank


def _ticked_options(spans: _Spans) -> list[tuple[Value, Range]]:
    """Return ranges with their ticked options, joined over all answers."""
    edges: dict[int, list[tuple[tuple[str, ...], int]]] = {}
    for answer, ranges in spans:
        options = answer.value if isinstance(answer.value, tuple) else ()
        for first, last in ranges:
            edges.setdefault(first, []).append((options, 1))
            edges.setdefault(last + 1, []).append((options, -1))
    options_order = spans[0][0].attribute.options
    count: Counter[str] = Counter()
    open_ranges = 0
    held: list[tuple[Value, Range]] = []
    for edge, following in pairwise(sorted(edges)):
        for options, change in edges[edge]:
            open_ranges += change
            count.update(dict.fromkeys(options, change))
        if open_ranges:
            ticked = tuple(option for option in options_order if count[option] > 0)
            held.append((ticked, (edge, following - 1)))
    return held


def _action(
    attribute: Attribute, value: Value, manual: bool, ranges: list[Range], object_hash: str
) -> dict[str, Any]:
    # Readers before 0.1.200 ask for a track; named by content, it is the same in every run.
    track = f"{object_hash}/{attribute.feature_hash}/{value!r}".encode("utf-8", "replace").hex()
    return {
        **written_answer(attribute, value, manual),
        "dynamic": True,
        "range": [[first, last] for first, last in ranges],
        "shouldPropagate": False,
        "trackHash": str(uuid5(NAMESPACE_OID, track)),
    }

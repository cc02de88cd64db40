"""Objects of audio and text: the entry of object_answers is the whole object.

Ranges are inclusive pairs of milliseconds in audio, and of character offsets in text. In HTML they
are pairs of nodes.
"""

from typing import Any, Final

from labelingest.model.ontology import Shape
from labelingest.model.vocabulary import ObjectClass
from labelingest.problems import ProblemCode
from labelingest.problems.of_document import excerpt
from labelingest.problems.pointers import child_pointer
from labelingest.readers.encord.explain.entries import ranges_of
from labelingest.readers.encord.explain.objects import Objects, compare_names, find_class
from labelingest.readers.encord.explain.provenance import (
    read_author,
    read_confidence,
    read_dates,
    read_manual,
)

__all__ = ["RANGED_KEYS", "read_ranged"]

RANGED_KEYS: Final = frozenset(
    (
        *("featureHash", "range", "range_html", "createdBy", "createdAt", "lastEditedBy"),
        *("lastEditedAt", "manualAnnotation", "name", "color", "shape", "value", "confidence"),
        *("reviews", "spaces", "isDeleted"),
    )
)


def read_ranged(
    value: dict[str, Any],
    pointer: str,
    object_hash: str,
    objects: Objects,
    *,
    html: bool,
    audio: bool,
) -> dict[str, Any] | None:
    """Return the keys of an object beside its answers, as label rows write them; None to drop it.

    Parameters
    ----------
    value
        Entry of object_answers as decoded.
    pointer
        JSON pointer of the entry.
    object_hash
        Hash of the object.
    objects
        Objects of the row, to which this one is added.
    html
        Whether the file is HTML.
    audio
        Whether the file is audio; text otherwise.
    """
    objects.seen += 1
    objects.dropped[object_hash] = {0}
    problems = objects.problems
    object_class = find_class(value, pointer, objects.vocabulary, problems)
    shape = Shape.AUDIO if audio else Shape.TEXT
    if object_class is None or not _fits(value, pointer, object_class, shape, objects):
        objects.rejected[problems.cause] += 1
        return None
    range_keys = (
        _html(value, pointer, objects) if html else _ranges(value, pointer, objects, audio=audio)
    )
    confidence = read_confidence(value, pointer, problems)
    if range_keys is None or confidence is None:
        objects.rejected[problems.cause] += 1
        return None
    objects.enter(object_hash, pointer, object_class, 0)
    objects.accepted += 1
    compare_names(value, pointer, object_class, problems)
    return {
        **_provenance(value, pointer, confidence, objects),
        "featureHash": object_class.feature_hash,
        "name": object_class.name,
        "color": object_class.color,
        "shape": object_class.shape,
        "value": object_class.value,
        **range_keys,
    }


def _provenance(
    value: dict[str, Any], pointer: str, confidence: float, objects: Objects
) -> dict[str, Any]:
    """Return author, date and confidence as label rows write them; missing dates are left out."""
    problems = objects.problems
    dates = read_dates(value, pointer, objects.defaults, problems)
    return {
        "createdBy": read_author(value, "createdBy", pointer, problems),
        **({} if dates.created_at is None else {"createdAt": dates.created_at}),
        "lastEditedBy": read_author(value, "lastEditedBy", pointer, problems),
        **({} if dates.last_edited_at is None else {"lastEditedAt": dates.last_edited_at}),
        **({} if value.get("confidence") is None else {"confidence": confidence}),
        "manualAnnotation": read_manual(value, pointer, problems),
    }


def _fits(
    value: dict[str, Any], pointer: str, object_class: ObjectClass, shape: Shape, objects: Objects
) -> bool:
    """Return whether class and object have the shape of such files; note another shape."""
    stated_shape = value.get("shape", shape.value)
    if object_class.shape == shape and stated_shape == shape:
        return True
    place = child_pointer(pointer, "featureHash" if object_class.shape != shape else "shape")
    wrong = object_class.shape if object_class.shape != shape else stated_shape
    mistake = f"{excerpt(object_class.name)} has the shape {excerpt(wrong)}"
    detail = f"{mistake}, expected {shape.value!r} in such a file"
    objects.problems.note(ProblemCode.SHAPE_MISMATCH, place, detail)
    return False


def _ranges(
    value: dict[str, Any], pointer: str, objects: Objects, *, audio: bool
) -> dict[str, Any] | None:
    if "range" not in value:
        objects.problems.note(
            ProblemCode.MISSING_KEY, pointer, "'range' is missing: where the object is"
        )
        return None
    place = child_pointer(pointer, "range")
    range_value = value["range"]
    ranges = ranges_of(range_value, place, objects.problems)
    early = next((i for i, (first, _) in enumerate(ranges) if first < 0), None)
    if early is not None:
        detail = f"{excerpt(list(ranges[early]))} begins before 0, where the file begins"
        objects.problems.note(ProblemCode.BAD_RANGE, child_pointer(place, early), detail)
        return None
    if not ranges:
        if range_value == []:
            unit = "milliseconds" if audio else "characters"
            detail = f"is empty; expected ranges of {unit} where the object is"
            objects.problems.note(ProblemCode.BAD_RANGE, place, detail)
        return None
    return {"range": [list(pair) for pair in ranges]}


def _html(value: dict[str, Any], pointer: str, objects: Objects) -> dict[str, Any] | None:
    range_value = value.get("range_html")
    place = child_pointer(pointer, "range_html")
    if "range_html" not in value:
        detail = "'range_html' is missing: where in the HTML the object is"
        objects.problems.note(ProblemCode.MISSING_KEY, pointer, detail)
        return None
    if not isinstance(range_value, list) or not range_value:
        detail = f"found {excerpt(range_value)}, expected a list of ranges with start and end"
        objects.problems.note(ProblemCode.BAD_RANGE, place, detail)
        return None
    ranges = [
        _between_nodes(pair, child_pointer(place, i), objects) for i, pair in enumerate(range_value)
    ]
    valid = [pair for pair in ranges if pair is not None]
    return {"range": [], "range_html": valid} if valid else None


def _between_nodes(pair: object, pointer: str, objects: Objects) -> dict[str, Any] | None:
    """Return one range of HTML; None for invalid nodes."""
    nodes = {}
    for end in ("start", "end"):
        node = pair.get(end) if isinstance(pair, dict) else None
        xpath = node.get("xpath") if isinstance(node, dict) else None
        offset = node.get("offset") if isinstance(node, dict) else None
        if not isinstance(xpath, str) or type(offset) is not int or offset < 0:
            detail = f"found {excerpt(node)} as {end}, expected a node with xpath and offset"
            place = (
                child_pointer(pointer, end) if isinstance(pair, dict) and end in pair else pointer
            )
            objects.problems.note(ProblemCode.BAD_RANGE, place, detail)
            return None
        nodes[end] = {"xpath": xpath, "offset": offset}
    return nodes

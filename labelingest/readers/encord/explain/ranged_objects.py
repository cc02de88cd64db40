"""Objects of audio and text: a whole object stands in its entry of object_answers.

Audio has milliseconds, text character offsets, both as inclusive pairs; HTML has pairs of nodes.
"""

from typing import Any, Final

from labelingest.model.ontology import Shape
from labelingest.model.vocabulary import ObjectClass
from labelingest.problems import ProblemCode
from labelingest.problems.of_document import child_pointer, excerpt
from labelingest.readers.encord.explain.dynamic_answers import ranges_of
from labelingest.readers.encord.explain.objects import Objects, compare_names, object_class
from labelingest.readers.encord.explain.provenance import author, confidence, dates, is_manual

__all__ = ["RANGED_KEYS", "read_ranged"]

RANGED_KEYS: Final = frozenset(
    (
        *("featureHash", "range", "range_html", "createdBy", "createdAt", "lastEditedBy"),
        *("lastEditedAt", "manualAnnotation", "name", "color", "shape", "value", "confidence"),
        *("reviews", "spaces", "isDeleted"),
    )
)


def read_ranged(
    value: dict[str, Any], at: str, object_hash: str, objects: Objects, *, html: bool, audio: bool
) -> dict[str, Any] | None:
    """Return what the entry of one object says beside its answers; None where it is dropped.

    Parameters
    ----------
    value
        The entry of object_answers as decoded.
    at
        Its pointer.
    object_hash
        The object it is about.
    objects
        Counts it, and remembers its class.
    html
        Whether the file is HTML.
    audio
        Whether it is audio; text otherwise.
    """
    objects.seen += 1
    objects.dropped[object_hash] = {0}
    notes = objects.notes
    of = object_class(value, at, objects.vocabulary, notes)
    shape = Shape.AUDIO if audio else Shape.TEXT
    if of is None or not _fits(value, at, of, shape, objects):
        objects.rejected[notes.cause] += 1
        return None
    placed = _html(value, at, objects) if html else _ranges(value, at, objects, audio=audio)
    sure = confidence(value, at, notes)
    if placed is None or sure is None:
        objects.rejected[notes.cause] += 1
        return None
    objects.enter(object_hash, at, of, 0)
    objects.kept += 1
    compare_names(value, at, of, notes)
    when = dates(value, at, objects.defaults, notes)
    return {
        "createdBy": author(value, "createdBy", at, notes),
        **({} if when.created_at is None else {"createdAt": when.created_at}),
        "lastEditedBy": author(value, "lastEditedBy", at, notes),
        **({} if when.last_edited_at is None else {"lastEditedAt": when.last_edited_at}),
        **({} if value.get("confidence") is None else {"confidence": sure}),
        "manualAnnotation": is_manual(value, at, notes),
        "featureHash": of.feature_hash,
        "name": of.name,
        "color": of.color,
        "shape": of.shape,
        "value": of.value,
        **placed,
    }


def _fits(value: dict[str, Any], at: str, of: ObjectClass, shape: Shape, objects: Objects) -> bool:
    """Whether the class has the shape of such files, and the object says the same."""
    found = value.get("shape", shape.value)
    if of.shape == shape and found == shape:
        return True
    place = child_pointer(at, "featureHash" if of.shape != shape else "shape")
    wrong = of.shape if of.shape != shape else found
    detail = f"{excerpt(of.name)} has the shape {excerpt(wrong)}, expected {shape.value!r} in such a file"
    objects.notes.note(ProblemCode.SHAPE_MISMATCH, place, detail)
    return False


def _ranges(
    value: dict[str, Any], at: str, objects: Objects, *, audio: bool
) -> dict[str, Any] | None:
    if "range" not in value:
        objects.notes.note(ProblemCode.MISSING_KEY, at, "'range' is missing: where the object is")
        return None
    place = child_pointer(at, "range")
    found = value["range"]
    ranges = ranges_of(found, place, objects.notes)
    early = next((i for i, (first, _) in enumerate(ranges) if first < 0), None)
    if early is not None:
        detail = f"{excerpt(list(ranges[early]))} begins before 0, where the file begins"
        objects.notes.note(ProblemCode.BAD_RANGE, child_pointer(place, early), detail)
        return None
    if not ranges:
        if found == []:
            what = "milliseconds" if audio else "characters"
            detail = f"is empty; expected ranges of {what} where the object is"
            objects.notes.note(ProblemCode.BAD_RANGE, place, detail)
        return None
    return {"range": [list(pair) for pair in ranges]}


def _html(value: dict[str, Any], at: str, objects: Objects) -> dict[str, Any] | None:
    found = value.get("range_html")
    place = child_pointer(at, "range_html")
    if "range_html" not in value:
        detail = "'range_html' is missing: where in the HTML the object is"
        objects.notes.note(ProblemCode.MISSING_KEY, at, detail)
        return None
    if not isinstance(found, list) or not found:
        detail = f"found {excerpt(found)}, expected a list of ranges with start and end"
        objects.notes.note(ProblemCode.BAD_RANGE, place, detail)
        return None
    ranges = [
        _between_nodes(pair, child_pointer(place, i), objects) for i, pair in enumerate(found)
    ]
    good = [pair for pair in ranges if pair is not None]
    return {"range": [], "range_html": good} if good else None


def _between_nodes(pair: object, at: str, objects: Objects) -> dict[str, Any] | None:
    """Return one range of HTML; None where its nodes cannot be read."""
    nodes = {}
    for end in ("start", "end"):
        node = pair.get(end) if isinstance(pair, dict) else None
        xpath = node.get("xpath") if isinstance(node, dict) else None
        offset = node.get("offset") if isinstance(node, dict) else None
        if not isinstance(xpath, str) or type(offset) is not int or offset < 0:
            detail = f"found {excerpt(node)} as {end}, expected a node with xpath and offset"
            place = child_pointer(at, end) if isinstance(pair, dict) and end in pair else at
            objects.notes.note(ProblemCode.BAD_RANGE, place, detail)
            return None
        nodes[end] = {"xpath": xpath, "offset": offset}
    return nodes

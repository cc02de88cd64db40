"""Class numbers of ontology objects: their external IDs in one namespace.

Labels are drawn as bounding boxes, polygons or rotatable bounding boxes; objects of other shapes
and archived ones have no class number.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from reprlib import repr as short
from typing import Final

from labelingest.errors import OntologyError
from labelingest.model.ontology import Ontology, OntologyObject, Shape, class_number
from labelingest.problems import Problem, ProblemCode
from labelingest.problems.pointers import pointer_of
from labelingest.resolution.wording import named, shortlist

__all__ = [
    "SUPPORTED_SHAPES",
    "claimed_numbers",
    "refuse_clashes",
    "unusable_namespaces",
    "why_without_number",
]

SUPPORTED_SHAPES: Final = (Shape.BOUNDING_BOX, Shape.POLYGON, Shape.ROTATABLE_BOUNDING_BOX)
"""Shapes that rows of numbers can be drawn as."""


def claimed_numbers(
    ontology: Ontology, namespace: str
) -> tuple[dict[int, list[int]], list[Problem]]:
    """Return class number → rows of the objects that claim it, and problems of all other IDs.

    Archived objects and objects of other shapes cannot be labelled, and claim nothing.
    """
    claims: dict[int, list[int]] = {}
    problems: list[Problem] = []
    for row, object_class in enumerate(ontology.objects):
        if object_class.archived or object_class.shape not in SUPPORTED_SHAPES:
            continue
        ids = object_class.external_ids.get(namespace, ())
        for position, text in enumerate(ids):
            number = class_number(text)
            if number is None:
                place: tuple[str | int, ...] = ("objects", row, "externalIds", namespace)
                pointer = pointer_of((*place, position) if len(ids) > 1 else place)
                problems.append(_not_a_number(object_class, text, pointer))
            elif row not in claims.setdefault(number, []):
                claims[number].append(row)
    return claims, problems


def _not_a_number(object_class: OntologyObject, text: str, pointer: str) -> Problem:
    return Problem(
        ProblemCode.EXTERNAL_ID_NOT_A_CLASS_NUMBER,
        "ontology",
        f"external ID {short(text)} of {named(object_class)} is no class number: expected an integer "
        "from 0 to 2**53 in decimal digits; the object is left out under this ID",
        pointer=pointer,
    )


def refuse_clashes(
    ontology: Ontology, claims: Mapping[int, list[int]], overrides: Mapping[int, str | None]
) -> None:
    """Refuse numbers that two objects claim, unless an override decides about them.

    Raises
    ------
    OntologyError
        Two objects claim one number.
    """
    clashes = [n for n in sorted(claims) if len(claims[n]) > 1 and n not in overrides]
    if clashes:
        number = clashes[0]
        objects = [ontology.objects[row] for row in claims[number]]
        more = f" (numbers {shortlist(clashes[1:])} clash too)" if clashes[1:] else ""
        raise OntologyError(
            f"class number {number} is the external ID of {' and of '.join(map(named, objects))}"
            f"{more}: correct one of them, or say which is meant with an override "
            f"({number}={objects[0].feature_hash})"
        )


def unusable_namespaces(ontology: Ontology) -> dict[str, str]:
    """Return the namespaces of which no object can be used → why, for a person.

    Examples
    --------
    >>> ids = {"SAP": ("0",), "YOLO": ("1",)}
    >>> lane = OntologyObject("Lane", "#D33115", Shape.POLYLINE, "aa", external_ids=ids)
    >>> car = OntologyObject("Car", "#D33115", Shape.POLYGON, "bb", external_ids={"SAP": ("2",)})
    >>> unusable_namespaces(Ontology((lane, car), "demo"))
    {'YOLO': '1 object is a polyline'}
    """
    reasons: defaultdict[str, Counter[str]] = defaultdict(Counter)
    usable: set[str] = set()
    for entry in ontology.objects:
        for namespace, ids in entry.external_ids.items():
            if entry.archived:
                reasons[namespace]["archived"] += 1
            elif entry.shape not in SUPPORTED_SHAPES:
                reasons[namespace][f"a {entry.shape}"] += 1
            elif all(class_number(text) is None for text in ids):
                reasons[namespace]["without a class number"] += 1
            else:
                usable.add(namespace)
    return {
        namespace: ", ".join(
            f"{count} object{' is' if count == 1 else 's are'} {reason}"
            for reason, count in counts.most_common()
        )
        for namespace, counts in reasons.items()
        if namespace not in usable
    }


def why_without_number(object_class: OntologyObject, namespace: str | None) -> str:
    """Return why an object is entered under no class number, for a person.

    Examples
    --------
    >>> lane = OntologyObject("Lane", "#D33115", Shape.POLYLINE, "aa")
    >>> why_without_number(lane, "YOLO")
    'rows cannot become a polyline'
    """
    if object_class.archived:
        return "archived"
    if object_class.shape not in SUPPORTED_SHAPES:
        return f"rows cannot become a {object_class.shape}"
    if namespace is None:
        return "no external ID"
    ids = object_class.external_ids.get(namespace, ())
    if not ids:
        return f"no external ID in namespace {namespace!r}"
    if all(class_number(text) is None for text in ids):
        return f"external ID {short(ids[0])} is no class number"
    return "its class number was removed or given to another object by hand"

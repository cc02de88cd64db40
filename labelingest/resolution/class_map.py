"""Class map of an ontology: class number → ontology object, and how it came about.

1. `namespaces` chooses a namespace: the one requested, else YOLO, else the first in the alphabet.
2. `class_numbers` enters every object that can be labelled under its external IDs there.
3. `overrides` replace or remove entries, number by number.
4. The rest must give each number one object, and at least one number must be left.

Refuses to know files and rows: an ontology comes in as `labelingest.model.ontology.Ontology`.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from msgspec import Struct

from labelingest.errors import OntologyError
from labelingest.model.ontology import ClassMap, Ontology
from labelingest.problems import Problem
from labelingest.resolution.class_numbers import (
    SUPPORTED_SHAPES,
    claimed_numbers,
    refuse_clashes,
    unusable_namespaces,
)
from labelingest.resolution.namespaces import NamespaceChoice, choose_namespace
from labelingest.resolution.overrides import object_row
from labelingest.resolution.wording import ADD_IDS, MAP_BY_HAND, either_of, quoted, shortlist

__all__ = ["ClassEntry", "ClassMapping", "make_class_map", "mapped_names"]


class ClassEntry(NamedTuple):
    """One line of a class map and its origin."""

    number: int
    """Class number."""
    feature: int
    """Row in `Ontology.objects`."""
    origin: Literal["external ID", "override"]


class ClassMapping(Struct, frozen=True, eq=False):
    """Class map with the namespace and the entries that it was made from."""

    class_map: ClassMap
    namespace: NamespaceChoice | None
    """Namespace of the external IDs; None where the ontology has none: all entries are overrides."""
    entries: tuple[ClassEntry, ...]
    """Entries of the class map, by ascending number."""
    problems: Sequence[Problem]
    """External IDs that are no class numbers; pointers lead into the ontology's structure."""


def make_class_map(
    ontology: Ontology,
    *,
    namespace: str | None = None,
    overrides: Mapping[int, str | None] | None = None,
) -> ClassMapping:
    """Make the class map of an ontology.

    Parameters
    ----------
    ontology
        Its objects may carry external IDs.
    namespace
        Whose external IDs are class numbers; None leaves the choice to `choose_namespace`.
    overrides
        Class number → feature hash, or name, of the object it means instead of the one with that
        external ID; None means no object.

    Raises
    ------
    OntologyError
        The namespace or an object named does not exist or cannot be labelled, two objects claim
        one number, or no number is left.

    Examples
    --------
    >>> from labelingest.model.ontology import OntologyObject, Shape
    >>> car = OntologyObject("Car", "#D33115", Shape.POLYGON, "aa", external_ids={"YOLO": ("7",)})
    >>> van = OntologyObject("Van", "#E27300", Shape.POLYGON, "bb")
    >>> mapping = make_class_map(Ontology((car, van), "demo"), overrides={8: "Van"})
    >>> [tuple(entry) for entry in mapping.entries]
    [(7, 0, 'external ID'), (8, 1, 'override')]
    """
    overrides = overrides or {}
    if not any(entry.shape in SUPPORTED_SHAPES for entry in ontology.objects):
        raise OntologyError(
            f"none of the ontology's {len(ontology.objects)} objects is a "
            f"{either_of(SUPPORTED_SHAPES)}: choose another ontology"
        )
    choice = choose_namespace(ontology, namespace)
    replaced = {number: object_row(ontology, number, name) for number, name in overrides.items()}
    claims, problems = claimed_numbers(ontology, choice.name) if choice else ({}, [])
    refuse_clashes(ontology, claims, overrides)
    entries = sorted(
        [
            *(
                ClassEntry(n, rows[0], "external ID")
                for n, rows in claims.items()
                if n not in replaced
            ),
            *(ClassEntry(n, row, "override") for n, row in replaced.items() if row is not None),
        ]
    )
    if not entries:
        raise OntologyError(_nothing_mapped(ontology, choice, claims, overrides))
    class_map = ClassMap(
        np.array([entry.number for entry in entries], dtype=np.int64),
        np.array([entry.feature for entry in entries], dtype=np.int32),
    )
    return ClassMapping(class_map, choice, tuple(entries), problems)


def _nothing_mapped(
    ontology: Ontology,
    choice: NamespaceChoice | None,
    claims: Collection[int],
    overrides: Mapping[int, str | None],
) -> str:
    """Return why no class number is left, and what would give one.

    Parameters
    ----------
    ontology, choice, claims
        The ontology, the namespace, and the class numbers that it gives.
    overrides
        Overrides, none of which maps a number to an object.
    """
    if claims:
        count = len(claims)
        numbers = "the class number" if count == 1 else f"all {count:,} class numbers"
        return (
            f"no class number is mapped: the overrides remove {numbers} that namespace "
            f"{choice.name if choice else ''!r} gives ({shortlist(sorted(claims))}): leave out one of "
            f"them (--map {min(claims)}=), or {MAP_BY_HAND}"
        )
    if choice:
        unusable = unusable_namespaces(ontology)
        usable = [name for name in choice.namespaces if name not in unusable]
        others = f", ask for another namespace ({quoted(usable)} can be used)" if usable else ""
        also = ", as any other," if not usable and len(choice.namespaces) > 1 else ""
        return (
            f"no class number is mapped: namespace {choice.name!r} ({choice.reason}){also} has no "
            f"object that can be used: {choice.unusable}; {MAP_BY_HAND}{others} or correct the "
            "external IDs"
        )
    if overrides:
        return f"no class number is mapped: the overrides only remove numbers; {MAP_BY_HAND}"
    return f"no class number is mapped: no object has external IDs; {MAP_BY_HAND}, or {ADD_IDS}"


def mapped_names(ontology: Ontology, mapping: ClassMapping) -> dict[int, str]:
    """Return class number → name of the object that it is mapped to."""
    return {entry.number: ontology.objects[entry.feature].name for entry in mapping.entries}

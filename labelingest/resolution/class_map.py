"""Make a class map: which ontology object does each class number mean, and why.

1. A namespace is chosen: the one asked for, else YOLO, else the first in the alphabet.
2. Every object that can be labelled is entered under the external IDs it has there.
3. Overrides replace or remove entries, number by number.
4. What is left must give each number one object, and at least one number must be left.

Labels are drawn as bounding boxes, polygons or rotatable bounding boxes; objects of other shapes
and archived ones are left out, and refused when an override asks for them.

Refuses to know files and rows: an ontology comes in as `labelingest.model.ontology.Ontology`.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from reprlib import repr as short
from typing import Final, Literal, NamedTuple

import numpy as np

from labelingest.errors import ConfigError, OntologyError
from labelingest.model.ontology import (
    LARGEST_CLASS_NUMBER,
    ClassMap,
    Ontology,
    OntologyObject,
    Shape,
)
from labelingest.problems import Problem, ProblemCode
from labelingest.problems.pointers import pointer_of

__all__ = [
    "LARGEST_CLASS_NUMBER",
    "SUPPORTED_SHAPES",
    "ClassEntry",
    "ClassMapping",
    "NamespaceChoice",
    "choose_namespace",
    "class_number",
    "make_class_map",
    "parse_overrides",
    "why_without_number",
]

SUPPORTED_SHAPES: Final = (Shape.BOUNDING_BOX, Shape.POLYGON, Shape.ROTATABLE_BOUNDING_BOX)
"""The shapes that rows of numbers can be drawn as."""


@dataclass(frozen=True, slots=True)
class NamespaceChoice:
    """The namespace whose external IDs are read as class numbers."""

    name: str
    reason: str
    """Why this one, as one sentence for a person."""
    namespaces: Mapping[str, int]
    """Every namespace of the ontology, in alphabetical order → how many objects have IDs in it."""


class ClassEntry(NamedTuple):
    """One line of a class map and where it came from."""

    number: int
    """Class number."""
    feature: int
    """Row in `Ontology.objects`."""
    origin: Literal["external ID", "override"]


@dataclass(frozen=True, slots=True, eq=False)
class ClassMapping:
    """A class map and how it came about."""

    class_map: ClassMap
    namespace: NamespaceChoice | None
    """None where the ontology has no external IDs: every entry is an override then."""
    entries: tuple[ClassEntry, ...]
    """One for each number of the class map, ascending."""
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
        The namespace or an object asked for does not exist or cannot be labelled, two objects
        claim one number, or no number is left.

    Examples
    --------
    >>> car = OntologyObject("Car", "#D33115", Shape.POLYGON, "aa", external_ids={"YOLO": ("7",)})
    >>> van = OntologyObject("Van", "#E27300", Shape.POLYGON, "bb")
    >>> mapping = make_class_map(Ontology((car, van), "demo"), overrides={8: "Van"})
    >>> [tuple(entry) for entry in mapping.entries]
    [(7, 0, 'external ID'), (8, 1, 'override')]
    """
    overrides = overrides or {}
    if not any(row.shape in SUPPORTED_SHAPES for row in ontology.objects):
        raise OntologyError(
            f"none of the ontology's {len(ontology.objects)} objects is a "
            f"{_listed(SUPPORTED_SHAPES)}: choose another ontology"
        )
    choice = choose_namespace(ontology, namespace)
    replaced = {number: _found(ontology, number, name) for number, name in overrides.items()}
    claims, problems = _prefill(ontology, choice.name) if choice else ({}, [])
    _refuse_clashes(ontology, claims, settled=overrides)
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
        raise OntologyError(_nothing_mapped(choice, overrides))
    class_map = ClassMap(
        np.array([entry.number for entry in entries], dtype=np.int64),
        np.array([entry.feature for entry in entries], dtype=np.int32),
    )
    return ClassMapping(class_map, choice, tuple(entries), problems)


def choose_namespace(ontology: Ontology, wanted: str | None) -> NamespaceChoice | None:
    """Choose the namespace whose external IDs are class numbers.

    The one wanted, exactly or in another case when only one fits; else the one called YOLO in any
    case; else the first in the alphabet (case aside, then by code point). None where the ontology
    has no external IDs and nobody asked for any.

    Raises
    ------
    OntologyError
        The namespace wanted does not exist, or differs from several in case alone.

    Examples
    --------
    >>> ids = {"SAP": ("A-1",), "yolo": ("0",)}
    >>> car = OntologyObject("Car", "#D33115", Shape.POLYGON, "aa", external_ids=ids)
    >>> choice = choose_namespace(Ontology((car,), "demo"), None)
    >>> choice.name, choice.reason, dict(choice.namespaces)
    ('yolo', "'yolo' is called YOLO", {'SAP': 1, 'yolo': 1})
    """
    counts = Counter(name for row in ontology.objects for name in row.external_ids)
    names = sorted(counts, key=lambda name: (name.casefold(), name))
    namespaces = {name: counts[name] for name in names}
    if wanted is not None:
        return NamespaceChoice(*_as_wanted(wanted, namespaces), namespaces)
    if not names:
        return None
    usual = [name for name in names if name.casefold() == _USUAL_NAMESPACE.casefold()]
    if usual:
        others = f"; so are {_quoted(usual[1:])}, later in the alphabet" if usual[1:] else ""
        reason = f"{usual[0]!r} is called {_USUAL_NAMESPACE}{others}"
        return NamespaceChoice(usual[0], reason, namespaces)
    first = f"the first of {len(names)} in the alphabet" if names[1:] else "the only one"
    return NamespaceChoice(
        names[0], f"{names[0]!r} is {first}; none is called {_USUAL_NAMESPACE}", namespaces
    )


def _as_wanted(wanted: str, namespaces: Mapping[str, int]) -> tuple[str, str]:
    """Return the namespace a caller means and the reason."""
    if wanted in namespaces:
        return wanted, f"{wanted!r} was asked for"
    fitting = [name for name in namespaces if name.casefold() == wanted.casefold()]
    if len(fitting) == 1:
        return fitting[0], f"{wanted!r} was asked for; only {fitting[0]!r} is written like it"
    if fitting:
        raise OntologyError(
            f"namespace {wanted!r} may be any of {_quoted(fitting)}: write it as the ontology does"
        )
    if not namespaces:
        raise OntologyError(
            f"namespace {wanted!r} was asked for, but no object of the ontology has external IDs: "
            f"{_ADD_IDS}, or ask for no namespace and {_MAP_BY_HAND}"
        )
    raise OntologyError(
        f"the ontology has no namespace {wanted!r}; it has {_quoted(namespaces)}: ask for one of "
        "these, or for none"
    )


_USUAL_NAMESPACE: Final = "YOLO"
"""Namespace of external IDs that are class numbers, unless another is chosen."""
_ADD_IDS: Final = 'add external IDs to its objects ("externalIds": {"YOLO": "7"})'
_MAP_BY_HAND: Final = "map class numbers by hand (--map 7=NAME)"


def class_number(text: str) -> int | None:
    """Return the class number that a text of decimal digits means; None for any other text.

    Leading zeros do not matter, nor does length: what is beyond `LARGEST_CLASS_NUMBER` is none.

    Examples
    --------
    >>> [class_number(text) for text in ("3", "03", "-1", "3.0", "car", "9" * 400)]
    [3, 3, None, None, None, None]
    """
    if not re.fullmatch("[0-9]+", text):
        return None
    digits = text.lstrip("0")
    # Length first: Python refuses to convert thousands of digits.
    number = int(digits or "0") if len(digits) <= 16 else LARGEST_CLASS_NUMBER + 1
    return number if number <= LARGEST_CLASS_NUMBER else None


def _prefill(ontology: Ontology, namespace: str) -> tuple[dict[int, list[int]], list[Problem]]:
    """Return class number → rows of the objects that claim it, and the IDs that are no numbers."""
    claims: dict[int, list[int]] = {}
    problems: list[Problem] = []
    for row, found in enumerate(ontology.objects):
        if found.archived or found.shape not in SUPPORTED_SHAPES:
            continue
        ids = found.external_ids.get(namespace, ())
        for position, text in enumerate(ids):
            number = class_number(text)
            if number is None:
                place: tuple[str | int, ...] = ("objects", row, "externalIds", namespace)
                pointer = pointer_of((*place, position) if len(ids) > 1 else place)
                problems.append(_not_a_number(found, text, pointer))
            elif row not in claims.setdefault(number, []):
                claims[number].append(row)
    return claims, problems


def _not_a_number(found: OntologyObject, text: str, pointer: str) -> Problem:
    return Problem(
        ProblemCode.EXTERNAL_ID_NOT_A_CLASS_NUMBER,
        "ontology",
        f"external ID {short(text)} of {_named(found)} is no class number: expected an integer "
        "from 0 to 2**53 in decimal digits; the object is left out under this ID",
        pointer=pointer,
    )


def _refuse_clashes(
    ontology: Ontology, claims: Mapping[int, list[int]], settled: Mapping[int, str | None]
) -> None:
    """Refuse numbers that two objects claim, unless an override has the last word on them."""
    clashes = [n for n in sorted(claims) if len(claims[n]) > 1 and n not in settled]
    if clashes:
        number = clashes[0]
        rows = [ontology.objects[row] for row in claims[number]]
        more = f" (numbers {_shortlist(clashes[1:])} clash too)" if clashes[1:] else ""
        raise OntologyError(
            f"class number {number} is the external ID of {' and of '.join(map(_named, rows))}"
            f"{more}: correct one of them, or say which is meant with an override "
            f"({number}={rows[0].feature_hash})"
        )


def _found(ontology: Ontology, number: int, wanted: str | None) -> int | None:
    """Return the row of the object that an override names; None where it removes the number."""
    if isinstance(number, bool) or not 0 <= number <= LARGEST_CLASS_NUMBER:
        raise ConfigError(f"override of {short(number)}: expected a number from 0 to 2**53")
    if wanted is None:
        return None
    rows = [i for i, row in enumerate(ontology.objects) if row.feature_hash == wanted]
    rows = rows or [i for i, row in enumerate(ontology.objects) if row.name == wanted]
    override = f"override {number}={short(wanted)}"
    if not rows:
        raise OntologyError(f"{override}: {_no_such_object(ontology, wanted)}")
    if len(rows) > 1:
        raise OntologyError(
            f"{override}: {len(rows)} objects have this name; give the feature hash of the one "
            f"meant: {_listed([_described(ontology.objects[row]) for row in rows])}"
        )
    found = ontology.objects[rows[0]]
    if found.archived:
        raise OntologyError(f"{override}: {_named(found)} is archived; map another object")
    if found.shape not in SUPPORTED_SHAPES:
        raise OntologyError(
            f"{override}: {_named(found)} is a {found.shape}; only a {_listed(SUPPORTED_SHAPES)} "
            "can be mapped"
        )
    return rows[0]


def _no_such_object(ontology: Ontology, wanted: str) -> str:
    """Say that no object is called so, and which are called nearly so."""
    known = {row.name.casefold(): row.name for row in ontology.objects}
    known |= {row.feature_hash.casefold(): row.feature_hash for row in ontology.objects}
    near = get_close_matches(wanted.casefold()[:200], known, n=3)
    hint = (
        f"nearest: {_quoted(known[name] for name in near)}" if near else "none is called nearly so"
    )
    return f"no object has this feature hash or name; {hint}"


def _nothing_mapped(choice: NamespaceChoice | None, overrides: Mapping[int, str | None]) -> str:
    """Say why no class number is left, and what would give one."""
    if choice:
        others = f", ask for another namespace (there are {_quoted(choice.namespaces)})"
        return (
            f"no class number is mapped: namespace {choice.name!r} ({choice.reason}) leaves none "
            f"on a {_listed(SUPPORTED_SHAPES)} that is not archived; {_MAP_BY_HAND}"
            f"{others if len(choice.namespaces) > 1 else ''} or correct the external IDs"
        )
    if overrides:
        return f"no class number is mapped: the overrides only remove numbers; {_MAP_BY_HAND}"
    return f"no class number is mapped: no object has external IDs; {_MAP_BY_HAND}, or {_ADD_IDS}"


def why_without_number(found: OntologyObject, namespace: str | None) -> str:
    """Return why an object is entered under no class number, for a person.

    Examples
    --------
    >>> lane = OntologyObject("Lane", "#D33115", Shape.POLYLINE, "aa")
    >>> why_without_number(lane, "YOLO")
    'rows cannot become a polyline'
    """
    if found.archived:
        return "archived"
    if found.shape not in SUPPORTED_SHAPES:
        return f"rows cannot become a {found.shape}"
    if namespace is None:
        return "no external ID"
    ids = found.external_ids.get(namespace, ())
    if not ids:
        return f"no external ID in namespace {namespace!r}"
    if all(class_number(text) is None for text in ids):
        return f"external ID {short(ids[0])} is no class number"
    return "its class number was removed or given to another object by hand"


def parse_overrides(entries: Sequence[str]) -> dict[int, str | None]:
    """Parse overrides as the command line takes them: `7=car`, `7=a1B2c3D4`, `7=null`.

    Parameters
    ----------
    entries
        Each a class number, `=`, and the feature hash or name of an ontology object. `7=null` and
        `7=` remove number 7; an object really called null is given by its feature hash. Blanks
        around number and name do not count; a name may hold `=`.

    Raises
    ------
    ConfigError
        An entry has no `=` or no class number before it, or a number occurs twice.

    Examples
    --------
    >>> parse_overrides(["7=traffic light", "9=null", "10="])
    {7: 'traffic light', 9: None, 10: None}
    """
    overrides: dict[int, str | None] = {}
    for entry in entries:
        before, equals, after = entry.partition("=")
        number, name = class_number(before.strip()), after.strip()
        if not equals or number is None:
            raise ConfigError(
                f"override {short(entry)}: expected a class number, '=' and the feature hash or "
                "name of an object, as 7=car; 7=null removes number 7"
            )
        if number in overrides:
            raise ConfigError(f"override {short(entry)}: number {number} is overridden twice")
        overrides[number] = None if name in ("", "null") else name
    return overrides


def _shortlist(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers[:5])) + (", …" if numbers[5:] else "")


def _named(found: OntologyObject) -> str:
    return f"{found.name!r} ({found.feature_hash})"


def _described(found: OntologyObject) -> str:
    return f"{found.feature_hash} ({found.shape}{', archived' if found.archived else ''})"


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))


def _listed(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"

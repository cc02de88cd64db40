"""Namespace of external IDs that are class numbers: the one requested, else YOLO, else the first."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from labelingest.errors import OntologyError
from labelingest.model.ontology import Ontology
from labelingest.resolution.wording import ADD_IDS, MAP_BY_HAND, quoted

__all__ = ["NamespaceChoice", "choose_namespace"]

_USUAL_NAMESPACE: Final = "YOLO"
"""Namespace of external IDs that are class numbers, unless another is requested."""


@dataclass(frozen=True, slots=True)
class NamespaceChoice:
    """Namespace whose external IDs are read as class numbers."""

    name: str
    reason: str
    """Reason for the choice, as one sentence for a person."""
    namespaces: Mapping[str, int]
    """Namespaces of the ontology, in alphabetical order → number of objects with IDs in each."""


def choose_namespace(ontology: Ontology, requested: str | None) -> NamespaceChoice | None:
    """Choose the namespace whose external IDs are class numbers.

    The choice is the namespace requested, exactly or in another case when only one fits; else the
    one called YOLO in any case; else the first in the alphabet (case aside, then by code point).
    None where the ontology has no external IDs and none is requested.

    Raises
    ------
    OntologyError
        The namespace requested does not exist, or differs from several in case alone.

    Examples
    --------
    >>> ids = {"SAP": ("A-1",), "yolo": ("0",)}
    >>> from labelingest.model.ontology import OntologyObject, Shape
    >>> car = OntologyObject("Car", "#D33115", Shape.POLYGON, "aa", external_ids=ids)
    >>> choice = choose_namespace(Ontology((car,), "demo"), None)
    >>> choice.name, choice.reason, dict(choice.namespaces)
    ('yolo', "'yolo' is called YOLO", {'SAP': 1, 'yolo': 1})
    """
    counts = Counter(name for entry in ontology.objects for name in entry.external_ids)
    names = sorted(counts, key=lambda name: (name.casefold(), name))
    namespaces = {name: counts[name] for name in names}
    if requested is not None:
        return NamespaceChoice(*_as_requested(requested, namespaces), namespaces)
    if not names:
        return None
    usual = [name for name in names if name.casefold() == _USUAL_NAMESPACE.casefold()]
    if usual:
        first, *later = usual
        others = f"; so are {quoted(later)}, later in the alphabet" if later else ""
        return NamespaceChoice(first, f"{first!r} is called {_USUAL_NAMESPACE}{others}", namespaces)
    rank = f"the first of {len(names)} in the alphabet" if names[1:] else "the only one"
    reason = f"{names[0]!r} is {rank}; none is called {_USUAL_NAMESPACE}"
    return NamespaceChoice(names[0], reason, namespaces)


def _as_requested(requested: str, namespaces: Mapping[str, int]) -> tuple[str, str]:
    """Return the namespace that a caller means and the reason."""
    if requested in namespaces:
        return requested, f"{requested!r} was asked for"
    fitting = [name for name in namespaces if name.casefold() == requested.casefold()]
    if len(fitting) == 1:
        return fitting[0], f"{requested!r} was asked for; only {fitting[0]!r} is written like it"
    if fitting:
        raise OntologyError(
            f"namespace {requested!r} may be any of {quoted(fitting)}: write it as the ontology "
            "does"
        )
    if not namespaces:
        raise OntologyError(
            f"namespace {requested!r} was asked for, but no object of the ontology has external "
            f"IDs: {ADD_IDS}, or ask for no namespace and {MAP_BY_HAND}"
        )
    raise OntologyError(
        f"the ontology has no namespace {requested!r}; it has {quoted(namespaces)}: ask for one of "
        "these, or for none"
    )

"""Namespace of external IDs that are class numbers: the one requested, else YOLO, else the first."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct, field

from labelingest.errors import OntologyError
from labelingest.model.ontology import Ontology
from labelingest.resolution.class_numbers import unusable_namespaces
from labelingest.resolution.wording import ADD_IDS, MAP_BY_HAND, quoted

__all__ = ["NamespaceChoice", "choose_namespace"]

_USUAL_NAMESPACE: Final = "YOLO"
"""Namespace of external IDs that are class numbers, unless another is requested."""


class NamespaceChoice(Struct, frozen=True):
    """Namespace whose external IDs are read as class numbers."""

    name: str
    reason: str
    """Reason for the choice, as one sentence for a person."""
    namespaces: Mapping[str, int]
    """Namespaces of the ontology, in alphabetical order → number of objects with IDs in each."""
    passed_over: Mapping[str, str] = field(default_factory=dict)
    """Namespaces before the chosen one of which no object can be used → the reasons."""
    unusable: str = ""
    """Reason why no object of the chosen namespace can be used; empty where one can be used."""

    def notices(self) -> list[str]:
        """Return a sentence for each namespace of which no object can be used, as far as it matters.

        Examples
        --------
        >>> choice = NamespaceChoice("SAP", "", {}, {"YOLO": "2 objects are archived"})
        >>> choice.notices()
        ["namespace 'YOLO' is passed over: 2 objects are archived"]
        """
        passed_over = [
            f"namespace {name!r} is passed over: {reason}"
            for name, reason in self.passed_over.items()
        ]
        if not self.unusable:
            return passed_over
        cause = f"no object of namespace {self.name!r} can be used: {self.unusable}"
        return [*passed_over, f"{cause}; all class numbers are overrides"]


def choose_namespace(ontology: Ontology, requested: str | None) -> NamespaceChoice | None:
    """Choose the namespace whose external IDs are class numbers.

    The choice is the namespace requested, exactly or in another case when only one fits; else the
    one called YOLO in any case; else the first in the alphabet (case aside, then by code point).
    A namespace of which no object can be used is passed over, unless it is requested or none is
    better. None where the ontology has no external IDs and none is requested.

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
    unusable = unusable_namespaces(ontology)
    if requested is not None:
        name, reason = _as_requested(requested, namespaces)
        return NamespaceChoice(name, reason, namespaces, unusable=unusable.get(name, ""))
    if not names:
        return None
    names.sort(key=lambda name: name.casefold() != _USUAL_NAMESPACE.casefold())
    chosen = next((name for name in names if name not in unusable), names[0])
    earlier = names[: names.index(chosen)]
    return NamespaceChoice(
        chosen,
        _reason(chosen, names[len(earlier) + 1 :], has_passed_over=bool(earlier)),
        namespaces,
        {name: unusable[name] for name in earlier},
        unusable.get(chosen, ""),
    )


def _reason(chosen: str, later: Sequence[str], *, has_passed_over: bool) -> str:
    """Return why a namespace is chosen, for a person.

    Parameters
    ----------
    chosen, later
        The namespace chosen, and those behind it in the order of the choice.
    has_passed_over
        Whether namespaces before it are passed over.
    """
    if chosen.casefold() == _USUAL_NAMESPACE.casefold():
        usual = [name for name in later if name.casefold() == _USUAL_NAMESPACE.casefold()]
        others = f"; so are {quoted(usual)}, later in the alphabet" if usual else ""
        return f"{chosen!r} is called {_USUAL_NAMESPACE}{others}"
    if has_passed_over:
        first = "the first that can be used" if later else "the only one that can be used"
        return f"{chosen!r} is {first}"
    rank = f"the first of {len(later) + 1} in the alphabet" if later else "the only one"
    return f"{chosen!r} is {rank}; none is called {_USUAL_NAMESPACE}"


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

"""Vocabulary of one ontology: the classes, attributes and options that labels refer to, by hash.

Built once from the ontology's structure and asked for every label of every sidecar. Tolerant:
a missing optional key has its default, an element without a hash cannot be referred to and is left
out. It refuses to judge the structure (`resolution/ontology_json.py` does) and knows no labels.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct, field

from labelingest.model.ontology import Shape, machine_name

__all__ = [
    "Attribute",
    "ClassificationClass",
    "ObjectClass",
    "Option",
    "Vocabulary",
]


class Option(Struct, frozen=True):
    """One option of a radio or checklist attribute."""

    feature_hash: str
    label: str
    value: str
    archived: bool = False


class Attribute(Struct, frozen=True):
    """One question of a class, at any depth."""

    feature_hash: str
    name: str
    type: str
    """`radio`, `checklist`, `text` or `numeric`."""
    required: bool = False
    dynamic: bool = False
    """Whether the answer may change over time; only attributes right below an object can."""
    archived: bool = False
    options: Mapping[str, Option] = field(default_factory=dict)
    """Hash → option, in the ontology's order; empty for text and numeric."""
    parent: tuple[str, str] | None = None
    """Hashes of the attribute and of its option that this one hangs under; None at the top."""


class ObjectClass(Struct, frozen=True):
    """Class of objects."""

    feature_hash: str
    name: str
    color: str
    shape: str
    archived: bool = False
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    """Hash → attribute, those of every depth, parents first."""
    points: frozenset[str] = frozenset()
    """Names of the points of the skeleton template; empty for other shapes."""

    @property
    def value(self) -> str:
        """Machine name that label rows carry beside the name."""
        return machine_name(self.name)


class ClassificationClass(Struct, frozen=True):
    """Class of classifications: of a frame or of a whole file."""

    feature_hash: str
    name: str
    """Name of the root attribute."""
    root: str
    """Hash of the root attribute; "" where the structure has none."""
    is_global: bool = False
    """Whether the classification is of the whole file instead of frames."""
    archived: bool = False
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    """Hash → attribute, those of every depth, parents first."""

    @property
    def value(self) -> str:
        """Machine name that label rows carry beside the name."""
        return machine_name(self.name)


class Vocabulary(Struct, frozen=True, eq=False):
    """The classes of an ontology by feature hash.

    Examples
    --------
    >>> car = {"id": "1", "name": "Car", "color": "#D33115", "shape": "polygon",
    ...        "featureNodeHash": "a1B2c3D4"}
    >>> vocabulary = Vocabulary.from_structure({"objects": [car], "classifications": []})
    >>> vocabulary.objects["a1B2c3D4"].name
    'Car'
    """

    objects: Mapping[str, ObjectClass]
    classifications: Mapping[str, ClassificationClass]
    classifications_of: Mapping[str, tuple[str, ...]]
    """Hash of an attribute of any depth → feature hashes of the classifications that have it."""

    @classmethod
    def from_structure(cls, structure: Mapping[str, Any]) -> "Vocabulary":
        """Make the look-ups of an ontology structure, bare (without the API's wrapper)."""
        points = _skeleton_points(structure)
        objects = {
            entry["featureNodeHash"]: ObjectClass(
                entry["featureNodeHash"],
                name=_text(entry.get("name")),
                color=_text(entry.get("color")),
                shape=_text(entry.get("shape")),
                archived=bool(entry.get("archived")),
                attributes=_attributes(entry),
                points=_points_of(entry, points),
            )
            for entry in _elements(structure, "objects")
        }
        classifications = {
            entry["featureNodeHash"]: _classification(entry)
            for entry in _elements(structure, "classifications")
        }
        return cls(objects, classifications, _owners(classifications))


def _classification(entry: Mapping[str, Any]) -> ClassificationClass:
    attributes = _attributes(entry)
    root = next(iter(attributes.values()), None)
    return ClassificationClass(
        entry["featureNodeHash"],
        name=root.name if root else "",
        root=root.feature_hash if root else "",
        is_global=entry.get("level") == "global",
        archived=bool(entry.get("archived")) or bool(root and root.archived),
        attributes=attributes,
    )


def _owners(
    classifications: Mapping[str, ClassificationClass],
) -> dict[str, tuple[str, ...]]:
    owners: dict[str, tuple[str, ...]] = {}
    for feature_hash, classification in classifications.items():
        for attribute in classification.attributes:
            owners[attribute] = (*owners.get(attribute, ()), feature_hash)
    return owners


def _attributes(entry: Mapping[str, Any]) -> dict[str, Attribute]:
    """Return the attributes of every depth; a queue, as depth is what hostile input chooses."""
    attributes: dict[str, Attribute] = {}
    waiting: deque[tuple[Mapping[str, Any], tuple[str, str] | None]] = deque(
        (attribute, None) for attribute in _elements(entry, "attributes")
    )
    while waiting:
        attribute, parent = waiting.popleft()
        feature_hash = attribute["featureNodeHash"]
        options = list(_elements(attribute, "options"))
        attributes.setdefault(
            feature_hash,
            Attribute(
                feature_hash,
                name=_text(attribute.get("name")),
                type=_text(attribute.get("type")),
                required=bool(attribute.get("required")),
                dynamic=bool(attribute.get("dynamic")) and parent is None,
                archived=bool(attribute.get("archived")),
                options={option["featureNodeHash"]: _option(option) for option in options},
                parent=parent,
            ),
        )
        waiting.extend(
            (nested, (feature_hash, option["featureNodeHash"]))
            for option in options
            for nested in _elements(option, "options")
        )
    return attributes


def _option(entry: Mapping[str, Any]) -> Option:
    label = _text(entry.get("label"))
    return Option(
        entry["featureNodeHash"],
        label,
        _text(entry.get("value")) or machine_name(label),
        bool(entry.get("archived")),
    )


def _elements(parent: Mapping[str, Any], key: str) -> Iterator[Mapping[str, Any]]:
    """Yield the elements that labels can refer to: JSON objects with a hash."""
    entries = parent.get(key)
    for entry in entries if isinstance(entries, list | tuple) else ():
        if isinstance(entry, Mapping) and isinstance(entry.get("featureNodeHash"), str):
            yield entry


def _skeleton_points(structure: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Return feature hash or name of each skeleton template → the names of its points."""
    points: dict[str, frozenset[str]] = {}
    entries = structure.get("skeleton_templates")
    for entry in entries if isinstance(entries, list | tuple) else ():
        template = entry.get("template") if isinstance(entry, Mapping) else None
        skeleton = template.get("skeleton") if isinstance(template, Mapping) else None
        if isinstance(template, Mapping) and isinstance(skeleton, Mapping):
            names = frozenset(
                _text(point.get("name"))
                for point in skeleton.values()
                if isinstance(point, Mapping)
            )
            for key in ("name", "feature_node_hash", "featureNodeHash"):
                points[_text(template.get(key))] = names
    return points


def _points_of(entry: Mapping[str, Any], points: Mapping[str, frozenset[str]]) -> frozenset[str]:
    if entry.get("shape") != Shape.SKELETON:
        return frozenset()
    names = points.get(entry["featureNodeHash"]) or points.get(_text(entry.get("name")) or "\0")
    return names or frozenset()


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""

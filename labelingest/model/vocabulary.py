"""What labels may refer to, by hash: the classes, attributes, options of one ontology.

Made once for an ontology from its structure and asked for every label of every sidecar. Tolerant:
a missing optional key has its default, an element without a hash cannot be referred to and is left
out. It refuses to judge the structure (`resolution/ontology_json.py` does) and knows no labels.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from labelingest.model.ontology import Shape

__all__ = [
    "Attribute",
    "ClassificationClass",
    "ObjectClass",
    "Option",
    "Vocabulary",
    "machine_name",
]


def machine_name(name: str) -> str:
    """Return the `value` that Encord's client writes beside a name.

    Examples
    --------
    >>> machine_name("Speed kmh")
    'speed_kmh'
    """
    return name.lower().replace(" ", "_")


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a radio or checklist attribute."""

    feature_hash: str
    label: str
    value: str
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Attribute:
    """One question of a class, at any depth."""

    feature_hash: str
    name: str
    type: str
    """`radio`, `checklist`, `text` or `numeric`."""
    required: bool = False
    dynamic: bool = False
    """Whether its answer may change over time; only attributes right below an object can."""
    archived: bool = False
    options: Mapping[str, Option] = field(default_factory=dict)
    """Hash → option, in the ontology's order; empty for text and numeric."""
    parent: tuple[str, str] | None = None
    """Hashes of the attribute and of its option that this one hangs under; None at the top."""


@dataclass(frozen=True, slots=True)
class ObjectClass:
    """What an object may be."""

    feature_hash: str
    name: str
    color: str
    shape: str
    archived: bool = False
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    """Hash → attribute, those of every depth, parents first."""
    points: frozenset[str] = frozenset()
    """Names of the points of its skeleton template; empty where there is none."""

    @property
    def value(self) -> str:
        """Return the machine name that label rows carry beside the name."""
        return machine_name(self.name)


@dataclass(frozen=True, slots=True)
class ClassificationClass:
    """What a frame or a whole file may be classified by."""

    feature_hash: str
    name: str
    """The name of its root attribute."""
    root: str
    """Hash of the root attribute; "" where the structure has none."""
    is_global: bool = False
    """Whether it stands once for the whole file instead of on frames."""
    archived: bool = False
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    """Hash → attribute, those of every depth, parents first."""

    @property
    def value(self) -> str:
        """Return the machine name that label rows carry beside the name."""
        return machine_name(self.name)


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
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
            row["featureNodeHash"]: ObjectClass(
                row["featureNodeHash"],
                _text(row.get("name")),
                _text(row.get("color")),
                _text(row.get("shape")),
                bool(row.get("archived")),
                _attributes(row),
                _points_of(row, points),
            )
            for row in _elements(structure, "objects")
        }
        classifications = {
            row["featureNodeHash"]: _classification(row)
            for row in _elements(structure, "classifications")
        }
        return cls(objects, classifications, _owners(classifications))


def _classification(row: Mapping[str, Any]) -> ClassificationClass:
    attributes = _attributes(row)
    root = next(iter(attributes.values()), None)
    return ClassificationClass(
        row["featureNodeHash"],
        root.name if root else "",
        root.feature_hash if root else "",
        row.get("level") == "global",
        bool(row.get("archived")) or bool(root and root.archived),
        attributes,
    )


def _owners(
    classifications: Mapping[str, ClassificationClass],
) -> dict[str, tuple[str, ...]]:
    owners: dict[str, tuple[str, ...]] = {}
    for feature_hash, found in classifications.items():
        for attribute in found.attributes:
            owners[attribute] = (*owners.get(attribute, ()), feature_hash)
    return owners


def _attributes(row: Mapping[str, Any]) -> dict[str, Attribute]:
    """Return the attributes of every depth; a queue, as depth is what hostile input chooses."""
    attributes: dict[str, Attribute] = {}
    waiting: deque[tuple[Mapping[str, Any], tuple[str, str] | None]] = deque(
        (found, None) for found in _elements(row, "attributes")
    )
    while waiting:
        found, parent = waiting.popleft()
        feature_hash = found["featureNodeHash"]
        options = list(_elements(found, "options"))
        attributes.setdefault(
            feature_hash,
            Attribute(
                feature_hash,
                _text(found.get("name")),
                _text(found.get("type")),
                bool(found.get("required")),
                bool(found.get("dynamic")) and parent is None,
                bool(found.get("archived")),
                {option["featureNodeHash"]: _option(option) for option in options},
                parent,
            ),
        )
        waiting.extend(
            (nested, (feature_hash, option["featureNodeHash"]))
            for option in options
            for nested in _elements(option, "options")
        )
    return attributes


def _option(row: Mapping[str, Any]) -> Option:
    label = _text(row.get("label"))
    return Option(
        row["featureNodeHash"],
        label,
        _text(row.get("value")) or machine_name(label),
        bool(row.get("archived")),
    )


def _elements(parent: Mapping[str, Any], key: str) -> Iterator[Mapping[str, Any]]:
    """Yield the elements that labels can refer to: JSON objects with a hash."""
    rows = parent.get(key)
    for row in rows if isinstance(rows, list | tuple) else ():
        if isinstance(row, Mapping) and isinstance(row.get("featureNodeHash"), str):
            yield row


def _skeleton_points(structure: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Return feature hash or name of each skeleton template → the names of its points."""
    points: dict[str, frozenset[str]] = {}
    rows = structure.get("skeleton_templates")
    for row in rows if isinstance(rows, list | tuple) else ():
        template = row.get("template") if isinstance(row, Mapping) else None
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


def _points_of(row: Mapping[str, Any], points: Mapping[str, frozenset[str]]) -> frozenset[str]:
    if row.get("shape") != Shape.SKELETON:
        return frozenset()
    known = points.get(row["featureNodeHash"]) or points.get(_text(row.get("name")) or "\0")
    return known or frozenset()


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""

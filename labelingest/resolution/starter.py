"""Start an ontology from a list of class names: one object for each class number.

Gaps in the numbers stay, and the same names give the same feature hashes in every run. Refuses to
know files, and the ontology that a user already has.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from itertools import count
from reprlib import repr as short
from typing import Any, Final

from labelingest.errors import ConfigError
from labelingest.model.ontology import LARGEST_CLASS_NUMBER, Shape
from labelingest.resolution.class_numbers import SUPPORTED_SHAPES

__all__ = ["starter_ontology"]

_PALETTE: Final = (
    *("#D33115", "#E27300", "#16406C", "#FE9200", "#FCDC00", "#DBDF00", "#A4DD00", "#68CCCA"),
    *("#73D8FF", "#AEA1FF", "#FCC400", "#B0BC00", "#68BC00", "#16A5A5", "#009CE0", "#7B64FF"),
    *("#FA28FF", "#B3B3B3", "#9F0500", "#C45100", "#FB9E00", "#808900", "#194D33", "#0C797D"),
    *("#0062B1", "#653294", "#AB149E"),
)
"""Colours that Encord gives new objects, by position."""


def starter_ontology(
    names: Mapping[int, str], shape: Shape, namespace: str = "YOLO"
) -> dict[str, Any]:
    """Make an ontology structure with one object for each class number.

    Parameters
    ----------
    names
        Class number → name, in any order; numbers may have gaps.
    shape
        The shape of all objects: bounding box, polygon or rotatable bounding box.
    namespace
        Where the class numbers go as external IDs.

    Returns
    -------
    dict
        Encord's structure, ready for `json.dumps`; objects in order of their numbers.

    Raises
    ------
    ConfigError
        There are no names, a number or name is not one, or rows cannot be drawn as this shape.

    Examples
    --------
    >>> structure = starter_ontology({3: "car"}, Shape.BOUNDING_BOX)
    >>> for key, value in structure["objects"][0].items():
    ...     print(key, value)
    id 1
    name car
    color #D33115
    shape bounding_box
    featureNodeHash daa23aaa
    required False
    archived False
    externalIds {'YOLO': '3'}
    """
    if shape not in SUPPORTED_SHAPES:
        raise ConfigError(f"shape {shape}: expected one of {', '.join(SUPPORTED_SHAPES)}")
    if not namespace:
        raise ConfigError("namespace '': a namespace needs a name")
    _check(names)
    used: set[str] = set()
    objects = []
    for position, number in enumerate(sorted(names)):
        feature_hash = _feature_hash([namespace, number, names[number], shape], used)
        used.add(feature_hash)
        objects.append(
            {
                "id": str(position + 1),
                "name": names[number],
                "color": _PALETTE[position % len(_PALETTE)],
                "shape": str(shape),
                "featureNodeHash": feature_hash,
                "required": False,
                "archived": False,
                "externalIds": {namespace: str(number)},
            }
        )
    return {"objects": objects, "classifications": [], "skeleton_templates": []}


def _check(names: Mapping[int, str]) -> None:
    """Refuse numbers and names that no ontology can hold."""
    if not names:
        raise ConfigError("no class names: a starter ontology needs at least one")
    for number, name in names.items():
        if isinstance(number, bool) or not 0 <= number <= LARGEST_CLASS_NUMBER:
            raise ConfigError(f"class number {short(number)}: expected an integer from 0 to 2**53")
        if not name.strip():
            raise ConfigError(f"class number {number} has the empty name {name!r}")


def _feature_hash(identity: list[str | int], used: set[str]) -> str:
    """Return 8 hex digits that depend on the identity alone, unless those are used."""
    for attempt in count():
        salted = identity + [attempt] * (attempt > 0)
        digits = sha256(json.dumps(salted).encode()).hexdigest()[:8]
        if digits not in used:
            return digits
    raise AssertionError("count() ended")

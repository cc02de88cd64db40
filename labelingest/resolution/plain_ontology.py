"""Objects of an ontology that is plainly valid, without loading pydantic.

What is accepted here, `checked_ontology.py` accepts with the same objects. What is refused here it
checks again, and says what is wrong.
"""

from collections.abc import Mapping
from typing import Any, Final

from labelingest.model.ontology import OntologyObject, Shape

__all__ = ["plain_objects"]

_SHAPES: Final = {shape.value: shape for shape in Shape}
_ATTRIBUTE_TYPES: Final = ("radio", "checklist", "text", "numeric")


def plain_objects(structure: Any, api: Mapping[str, Any]) -> tuple[OntologyObject, ...] | None:
    """Return the objects of an ontology; None for one that is not plainly valid.

    Parameters
    ----------
    structure, api
        The structure, and the keys around it as the API returns them; empty for a bare structure.

    Examples
    --------
    >>> car = {"id": "1", "name": "Car", "color": "#D33115", "shape": "bounding_box",
    ...        "featureNodeHash": "a1B2c3D4", "externalIds": {"YOLO": 7}}
    >>> [entry.name for entry in plain_objects({"objects": [car], "classifications": []}, {})]
    ['Car']
    >>> plain_objects({"objects": [car | {"shape": "box"}], "classifications": []}, {}) is None
    True
    """
    try:
        is_valid = _is_structure(structure, api)
    except RecursionError:  # the full check goes deeper
        return None
    return tuple(map(_object, structure["objects"])) if is_valid else None


def _is_structure(structure: Any, api: Mapping[str, Any]) -> bool:
    return (
        isinstance(structure, dict)
        and all(api.get(key) is None or _is_text(api[key]) for key in ("ontology_hash", "title"))
        and _are_all(structure.get("classifications"), _is_classification)
        and _are_all(structure.get("objects"), _is_object)
    )


def _object(entry: Mapping[str, Any]) -> OntologyObject:
    return OntologyObject(
        name=entry["name"],
        color=entry["color"],
        shape=_SHAPES[entry["shape"]],
        feature_hash=entry["featureNodeHash"],
        archived=bool(entry.get("archived")),
        external_ids={
            namespace: tuple(map(str, _as_list(ids)))
            for namespace, ids in (entry.get("externalIds") or {}).items()
            if ids != []
        },
    )


def _are_all(entries: Any, is_valid: Any) -> bool:
    return isinstance(entries, list) and all(map(is_valid, entries))


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable()


def _is_identifier(value: Any) -> bool:
    return type(value) is int or _is_text(value)


def _is_element(entry: Any, *texts: str) -> bool:
    return (
        isinstance(entry, dict)
        and _is_text(entry.get("featureNodeHash"))
        and entry["featureNodeHash"] != ""
        and (entry.get("archived") is None or isinstance(entry["archived"], bool))
        and all(_is_text(entry.get(key)) for key in texts)
    )


def _is_object(entry: Any) -> bool:
    return (
        _is_element(entry, "name", "color", "shape")
        and _is_identifier(entry.get("id"))
        and entry["shape"] in _SHAPES
        and _are_all(entry.get("attributes", []), _is_attribute)
        and _are_external_ids(entry.get("externalIds"))
    )


def _are_external_ids(value: Any) -> bool:
    return value is None or (
        isinstance(value, dict)
        and all(_is_text(namespace) and namespace != "" for namespace in value)
        and all(_are_all(_as_list(ids), _is_identifier) for ids in value.values())
    )


def _as_list(ids: Any) -> list[Any]:
    return ids if isinstance(ids, list) else [ids]


def _is_classification(entry: Any) -> bool:
    return (
        _is_element(entry)
        and _is_identifier(entry.get("id"))
        and _are_all(entry.get("attributes"), _is_attribute)
    )


def _is_attribute(entry: Any) -> bool:
    return (
        _is_element(entry, "id", "name")
        and entry.get("type") in _ATTRIBUTE_TYPES
        and isinstance(entry.get("required"), bool)
        and _are_all(entry.get("options", []), _is_option)
    )


def _is_option(entry: Any) -> bool:
    return _is_element(entry, "id", "label", "value") and _are_all(
        entry.get("options", []), _is_attribute
    )

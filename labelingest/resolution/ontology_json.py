"""Load an ontology: the objects that it declares, with their external IDs.

Reads Encord's ontology structure, bare or wrapped as the API returns it (`{"editor": STRUCTURE,
"ontology_hash": …, "title": …}`), and checks once what everything after it relies on: the keys
that Encord's client requires, known shapes, feature hashes that are all different. Unknown keys
are accepted and stay in `Ontology.structure`.

External IDs have no public key in Encord's structure. Ours, on an object, is
`"externalIds": {"YOLO": "0", "SAP": ["A-1", "A-2"]}`: namespace → one ID or a list of them.

Refuses to know which namespace is meant and what an ID is good for: `namespaces.py` and
`class_numbers.py` do.
"""

import hashlib
import json
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from reprlib import repr as short
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from labelingest.documents.hand_written import (
    defect_sentence,
    expected_value,
    loads_strictly,
    own_message,
)
from labelingest.errors import OntologyError
from labelingest.model.ontology import Ontology, OntologyObject, Shape
from labelingest.problems import printable
from labelingest.problems.pointers import pointer_of
from labelingest.small_files import read_small

__all__ = ["load_ontology"]


def load_ontology(source: str | Path | bytes | Mapping[str, Any]) -> Ontology:
    """Load an ontology from a file, from JSON bytes or from decoded JSON.

    Parameters
    ----------
    source
        The path of a JSON file, its contents, or the mapping they decode to.

    Raises
    ------
    OntologyError
        The file cannot be read, is not JSON, or is no ontology; the message names the place.

    Examples
    --------
    >>> car = {"id": "1", "name": "Car", "color": "#D33115", "shape": "bounding_box",
    ...        "featureNodeHash": "a1B2c3D4", "externalIds": {"YOLO": 7}}
    >>> ontology = load_ontology({"objects": [car], "classifications": []})
    >>> ontology.objects[0].name, ontology.objects[0].external_ids
    ('Car', {'YOLO': ('7',)})
    """
    name, document = _decoded(source)
    if not isinstance(document, dict):
        raise OntologyError(
            f"{name}: holds a JSON {_kind(document)}, expected an object: an ontology is "
            "exported as one, its 'objects' and 'classifications' inside"
        )
    wrapped = "objects" not in document and "editor" in document
    structure = document["editor"] if wrapped else document
    try:
        wrapper = (
            _Wrapper.model_validate(document)
            if wrapped
            else _Wrapper(editor=_Structure.model_validate(document))
        )
        identity = wrapper.ontology_hash or _fingerprint(structure)
    except ValidationError as error:
        errors = error.errors(include_url=False)
        raise OntologyError(defect_sentence(name, errors, _explain_error)) from error
    except RecursionError as error:
        raise OntologyError(f"{name}: {_TOO_DEEP}") from error
    objects = wrapper.editor.objects
    _refuse_shared_hashes(name, "/editor" if wrapped else "", objects)
    return Ontology(tuple(map(_object, objects)), identity, wrapper.title or "", structure)


_TOO_DEEP: Final = "nested too deeply for an ontology"


def _shape(value: object) -> Shape:
    """Return the shape of that name, or say which are known."""
    shapes = {shape.value: shape for shape in Shape}
    if isinstance(value, str) and value in shapes:
        return shapes[value]
    near = get_close_matches(str(value).lower(), shapes, n=1)
    expected = f"nearest: {near[0]!r}" if near else f"expected one of {', '.join(shapes)}"
    raise ValueError(f"{short(value)} is no shape; {expected}")


def _identifier(value: object) -> object:
    """Accept what the client turns into an integer."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(f"found {short(value)}, expected an integer or its text")  # noqa: TRY004
    return value


def _ids(value: object) -> tuple[object, ...]:
    """Return the external IDs of one namespace as texts."""
    ids = value if isinstance(value, list) else [value]
    for identifier in ids:
        if isinstance(identifier, bool) or not isinstance(identifier, int | str):
            raise ValueError(  # noqa: TRY004 # pydantic collects ValueError, not TypeError
                f"found {short(identifier)}, expected an external ID (text or integer) or a list of them"
            )
    return tuple(map(str, ids))


def _namespaces(value: object) -> object:
    """Accept null as no external IDs at all; refuse a namespace without a name."""
    if isinstance(value, dict) and "" in value:
        raise ValueError("a namespace needs a name, found ''")
    return {} if value is None else value


_Text = Annotated[str, Field(min_length=1)]


class _Element(BaseModel):
    """Keys that every element of an ontology has."""

    model_config = ConfigDict(strict=True, frozen=True)

    feature_hash: _Text = Field(alias="featureNodeHash")
    archived: bool | None = None


class _Attribute(_Element):
    id: str
    name: str
    type: Literal["radio", "checklist", "text", "numeric"]
    required: bool
    options: list["_Option"] = []


class _Option(_Element):
    id: str
    label: str
    value: str
    options: list[_Attribute] = []


class _Classification(_Element):
    id: Annotated[Any, BeforeValidator(_identifier)]
    attributes: list[_Attribute]


class _Object(_Element):
    id: Annotated[Any, BeforeValidator(_identifier)]
    name: str
    color: str
    shape: Annotated[Shape, BeforeValidator(_shape)]
    attributes: list[_Attribute] = []
    external_ids: Annotated[
        dict[str, Annotated[tuple[str, ...], BeforeValidator(_ids)]], BeforeValidator(_namespaces)
    ] = Field(alias="externalIds", default={})


class _Structure(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True)

    objects: list[_Object]
    classifications: list[_Classification]


class _Wrapper(BaseModel):
    """Structure as the API returns it."""

    model_config = ConfigDict(strict=True, frozen=True)

    editor: _Structure
    ontology_hash: str | None = None
    title: str | None = None


def _object(entry: _Object) -> OntologyObject:
    return OntologyObject(
        name=entry.name,
        color=entry.color,
        shape=entry.shape,
        feature_hash=entry.feature_hash,
        archived=bool(entry.archived),
        external_ids={namespace: ids for namespace, ids in entry.external_ids.items() if ids},
    )


def _decoded(source: str | Path | bytes | Mapping[str, Any]) -> tuple[str, Any]:
    """Return what messages call the source, and its JSON."""
    name = "ontology"
    if isinstance(source, str | Path):
        name = printable(str(source))
        source = _contents(name, source)
    try:
        # By way of text: plain JSON types from here on, which no caller can change.
        contents = source if isinstance(source, bytes) else json.dumps(source, default=dict)
        document = loads_strictly(contents)
    except RecursionError as error:
        raise OntologyError(f"{name}: {_TOO_DEEP}") from error
    except (TypeError, ValueError) as error:
        empty = isinstance(source, bytes) and not source.strip()
        raise OntologyError(
            f"{name}: not JSON ({'it is empty' if empty else error}); expected an ontology as "
            "Encord exports it"
        ) from error
    return name, document


def _contents(name: str, path: str | Path) -> bytes:
    try:
        return read_small(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        cure = "; labelingest ontology init writes one from the class names of a data set"
        raise OntologyError(
            f"{name}: cannot be read ({reason}); expected the path of an ontology's JSON"
            f"{cure if isinstance(error, FileNotFoundError) else ''}"
        ) from error


def _refuse_shared_hashes(name: str, base: str, objects: list[_Object]) -> None:
    """Refuse two objects of one feature hash: labels could not tell them apart."""
    first: dict[str, int] = {}
    for position, entry in enumerate(objects):
        other = first.setdefault(entry.feature_hash, position)
        if other != position:
            raise OntologyError(
                f"{name}#{base}/objects/{position}/featureNodeHash: {entry.feature_hash!r} is the "
                f"feature hash of {objects[other].name!r} (/objects/{other}) and of "
                f"{entry.name!r}; each object needs its own"
            )


def _fingerprint(structure: Mapping[str, Any]) -> str:
    """Return 64 hex digits that change with the content, not with the order of its keys."""
    canonical = json.dumps(structure, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _explain_error(error: Mapping[str, Any]) -> tuple[str, str]:
    """Return the place of an error, and what was found there and what is expected."""
    *parents, last = error["loc"]
    if error["type"] == "missing":
        detail = f"{last!r} is missing; Encord's ontologies have it: export the ontology again"
        return pointer_of(parents), detail
    expected = expected_value(error) or error["msg"]
    detail = f"found {short(error['input'])}, expected {expected}"
    return pointer_of(error["loc"]), own_message(error) or detail


def _kind(value: object) -> str:
    kinds = {list: "list", str: "text", bool: "boolean", type(None): "null"}
    return kinds.get(type(value), "number")

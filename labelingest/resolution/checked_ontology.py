"""Objects of an ontology that is not plainly valid: pydantic checks it, and each defect is named.

`plain_ontology.py` reads those that are plainly valid; both give the same objects.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from reprlib import repr as short
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from labelingest.documents.hand_written import defect_sentence, expected_value, own_message
from labelingest.errors import OntologyError
from labelingest.model.ontology import OntologyObject, Shape
from labelingest.problems.pointers import pointer_of

__all__ = ["checked_objects"]


def checked_objects(
    name: str, document: Mapping[str, Any], *, is_wrapped: bool
) -> tuple[OntologyObject, ...]:
    """Return the objects of an ontology.

    Parameters
    ----------
    name
        What messages call the ontology.
    document, is_wrapped
        The decoded JSON, and whether the structure is its `editor`.

    Raises
    ------
    OntologyError
        The document is no ontology; the message names each place.
    """
    try:
        if is_wrapped:
            structure = _Wrapper.model_validate(document).editor
        else:
            structure = _Structure.model_validate(document)
    except ValidationError as error:
        errors = error.errors(include_url=False)
        raise OntologyError(defect_sentence(name, errors, _explain_error)) from error
    return tuple(map(_object, structure.objects))


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


def _explain_error(error: Mapping[str, Any]) -> tuple[str, str]:
    """Return the place of an error, and what was found there and what is expected."""
    *parents, last = error["loc"]
    if error["type"] == "missing":
        detail = f"{last!r} is missing; Encord's ontologies have it: export the ontology again"
        return pointer_of(parents), detail
    expected = expected_value(error) or error["msg"]
    detail = f"found {short(error['input'])}, expected {expected}"
    return pointer_of(error["loc"]), own_message(error) or detail

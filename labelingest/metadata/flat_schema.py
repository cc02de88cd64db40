"""Import a schema from the platform, in the present format or in the older, flat one.

The flat format is key → name of a type. It has neither the options of an enum nor the size of an
embedding, so such keys are left out and reported. The API wraps the flat format in an object with a
UUID and dates, under `metadataSchema`.
"""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from labelingest.errors import ConfigError
from labelingest.metadata.schema import MetadataSchema
from labelingest.metadata.schema_json import decode_schema
from labelingest.problems.pointers import child_pointer

__all__ = ["ImportedSchema", "import_schema"]

_WRAPPED: Final = ("metadataSchema", "metadata_schema")
_NEEDS: Final[Mapping[str, str]] = {
    "enum": "its options, as --option A --option B",
    "embedding": "how many numbers it has, as --size 512",
}
"""Type that the flat format does not describe completely → the part that is missing."""
_FLAT: Final = (
    "boolean",
    "datetime",
    "embedding",
    "enum",
    "geospatial",
    "long_string",
    "number",
    "string",
)


class ImportedSchema(Struct, frozen=True):
    """A schema that was imported."""

    schema: MetadataSchema
    left_out: Mapping[str, str]
    """Key that was left out → the reason, in a sentence."""


def import_schema(content: bytes, name: str) -> ImportedSchema:
    """Read a schema in either format.

    Parameters
    ----------
    content
        Schema as JSON.
    name
        Name of the schema in messages.

    Raises
    ------
    ConfigError
        The content has neither format.

    Examples
    --------
    >>> imported = import_schema(b'{"site": "string", "weather": "enum"}', "old.json")
    >>> list(imported.schema.keys), list(imported.left_out)
    (['site'], ['weather'])
    """
    document = _unwrapped(decode_schema(content, name))
    if not document or not any(isinstance(declared, str) for declared in document.values()):
        return ImportedSchema(MetadataSchema.from_json(document, name), {})
    schema, left_out = MetadataSchema(), {}
    for key, declared in document.items():
        if declared not in _FLAT:
            raise ConfigError(
                f"{name}#{child_pointer('', key)}: found {declared!r}, expected one of {', '.join(_FLAT)}"
            )
        if declared in _NEEDS:
            left_out[key] = (
                f"an {declared} needs {_NEEDS[declared]}, which the older format does not hold"
            )
        else:
            schema = schema.add(key, declared)
    return ImportedSchema(schema, left_out)


def _unwrapped(document: Mapping[str, Any]) -> Mapping[str, Any]:
    for key in _WRAPPED:
        inner = document.get(key)
        if isinstance(inner, dict) and "ty" not in inner:
            return inner
    return document

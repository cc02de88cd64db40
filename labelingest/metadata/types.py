"""What a metadata key may be declared as: the wire's types, each with its ranges.

On the wire a type is `{"ty": NAME, …}`, in snake_case; keys that are not known are ignored, and
nulls are left out when it is written. Scalars that were added by name are variants with a hint.

Refuses to know values: `values.py` compares them.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "ALIASES",
    "HINTS",
    "MAX_EMBEDDING",
    "MAX_OPTIONS",
    "MAX_VARCHAR",
    "BooleanType",
    "DatetimeType",
    "EmbeddingType",
    "EnumType",
    "GeospatialType",
    "KeyType",
    "LiveType",
    "NumberType",
    "TextType",
    "TombstoneType",
    "UserType",
    "UuidType",
    "VarcharType",
    "VariantType",
]

MAX_VARCHAR: Final = 8192
"""Characters of a varchar."""
MAX_OPTIONS: Final = 256
"""Options of an enum."""
MAX_EMBEDDING: Final = 4096
"""Numbers of an embedding."""

Scalar = Literal["number", "varchar", "text", "boolean", "datetime", "uuid"]
ALIASES: Final[Mapping[str, Scalar]] = {"string": "varchar", "long_string": "text"}
"""Older names of types, which are still taken."""
HINTS: Final[Mapping[str, Scalar]] = {
    "boolean": "boolean",
    "datetime": "datetime",
    "number": "number",
    "text": "text",
    "uuid": "uuid",
    "varchar": "varchar",
    **ALIASES,
}
"""The types that need nothing but their name, by all their names."""


class _Type(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True)


class NumberType(_Type):
    """A number; F32 where single precision is enough."""

    ty: Literal["number"] = "number"
    format: Literal["F32", "F64"] = "F64"


class BooleanType(_Type):
    """True or false."""

    ty: Literal["boolean"] = "boolean"


class VarcharType(_Type):
    """A short text, to filter by."""

    ty: Literal["varchar"] = "varchar"
    max_length: int = Field(default=MAX_VARCHAR, ge=0, le=MAX_VARCHAR)


class DatetimeType(_Type):
    """A moment."""

    ty: Literal["datetime"] = "datetime"
    timezone: Literal["UTC"] = "UTC"


class EnumType(_Type):
    """One of some options."""

    ty: Literal["enum"] = "enum"
    # A list in JSON; strict would ask for a tuple.
    values: Annotated[tuple[str, ...], Field(strict=False, min_length=1, max_length=MAX_OPTIONS)]


class EmbeddingApi(_Type):
    """The service that makes embeddings for searches."""

    url: str | None = None
    path: str | None = None
    service_integration: Annotated[UUID | None, Field(strict=False)] = None
    client_only: bool | None = None
    embed_b64_image: bool | None = None
    embed_text: bool | None = None


class EmbeddingType(_Type):
    """A list of numbers of one length."""

    ty: Literal["embedding"] = "embedding"
    size: int = Field(ge=1, le=MAX_EMBEDDING)
    api: EmbeddingApi | None = None


class GeospatialType(_Type):
    """A place on Earth."""

    ty: Literal["geospatial"] = "geospatial"


class TextType(_Type):
    """A text of any length."""

    ty: Literal["text"] = "text"


class UuidType(_Type):
    """A UUID."""

    ty: Literal["uuid"] = "uuid"


class UserType(_Type):
    """A user of the platform."""

    ty: Literal["user"] = "user"


class VariantType(_Type):
    """A scalar that was added by name."""

    ty: Literal["variant"] = "variant"
    hint: Scalar = "text"


LiveType = (
    NumberType
    | BooleanType
    | VarcharType
    | DatetimeType
    | EnumType
    | EmbeddingType
    | GeospatialType
    | TextType
    | UuidType
    | UserType
    | VariantType
)
"""A type that values can have."""


class TombstoneType(_Type):
    """A key that was deleted; for good where its former type is not kept."""

    ty: Literal["tombstone"] = "tombstone"
    deleted_ty: Annotated[LiveType, Field(discriminator="ty")] | None = None


KeyType = LiveType | TombstoneType
"""A type, or that there is none any more."""

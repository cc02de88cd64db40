"""Types that a metadata key may be declared as, each with its ranges.

On the wire a type is `{"ty": NAME, …}`, in snake_case. Unknown keys are ignored, and nulls are left
out when a type is written. Scalars that were added by name are variants with a hint.

The module does not know values: `values.py` compares them.
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
"""Characters that a varchar may have."""
MAX_OPTIONS: Final = 256
"""Options that an enum may have."""
MAX_EMBEDDING: Final = 4096
"""Numbers that an embedding may have."""

Scalar = Literal["number", "varchar", "text", "boolean", "datetime", "uuid"]
ALIASES: Final[Mapping[str, Scalar]] = {"string": "varchar", "long_string": "text"}
"""Older name of a type → its present name; older names are still accepted."""
HINTS: Final[Mapping[str, Scalar]] = {
    "boolean": "boolean",
    "datetime": "datetime",
    "number": "number",
    "text": "text",
    "uuid": "uuid",
    "varchar": "varchar",
    **ALIASES,
}
"""Name of a type, present or older, that needs no options → the type."""


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
    """A date and time."""

    ty: Literal["datetime"] = "datetime"
    timezone: Literal["UTC"] = "UTC"


class EnumType(_Type):
    """One of some options."""

    ty: Literal["enum"] = "enum"
    # A list in JSON; strict validation would expect a tuple.
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
    """A key that was deleted; permanently where its former type is not kept."""

    ty: Literal["tombstone"] = "tombstone"
    deleted_ty: Annotated[LiveType, Field(discriminator="ty")] | None = None


KeyType = LiveType | TombstoneType
"""A type, or the mark of a deleted key."""

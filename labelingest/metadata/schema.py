"""Schema of custom metadata: its keys and their types, as an immutable value.

A schema file is an object of JSON, key → type (`types.py`), as the platform's API exchanges it. The
file is checked as a whole when it is read. The same keys are written as the same bytes, whatever the
order of the changes that led to them.

A deleted key stays as a tombstone, so that its name is not given to another key. A softly deleted key
can be restored with its type; a hard deletion is permanent.
"""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from reprlib import repr as short
from typing import Any, Final, Self

import orjson
from msgspec import Struct, field

from labelingest.errors import ConfigError
from labelingest.metadata.schema_json import (
    check_key,
    decode_schema,
    keys_from_wire,
    read_schema_file,
)
from labelingest.metadata.types import (
    HINTS,
    MAX_EMBEDDING,
    MAX_OPTIONS,
    EmbeddingType,
    EnumType,
    GeospatialType,
    KeyType,
    LiveType,
    TombstoneType,
    VariantType,
)
from labelingest.problems import Problem, ProblemCode, printable
from labelingest.problems.pointers import child_pointer

__all__ = ["MAX_ACTIVE_EMBEDDING", "TYPES", "MetadataSchema", "schema_problems"]

MAX_ACTIVE_EMBEDDING: Final = 2000
"""Numbers of an embedding above which the platform's Active does not show it."""
TYPES: Final = tuple(sorted((*HINTS, "embedding", "enum", "geospatial")))
"""Names of the types that a key can be added with."""

_NAME: Final = "metadata schema"
_MOST_LISTED: Final = 10
"""Keys that a message lists: as many as fit on two lines."""


class MetadataSchema(Struct, frozen=True):
    """The keys of custom metadata with their types; changes return a new schema.

    Examples
    --------
    >>> schema = MetadataSchema().add("weather", "enum", values=["rain", "fog"]).add("site", "uuid")
    >>> print(schema.remove("site").to_json().decode(), end="")
    {
      "site": {
        "ty": "tombstone",
        "deleted_ty": {
          "ty": "variant",
          "hint": "uuid"
        }
      },
      "weather": {
        "ty": "enum",
        "values": [
          "fog",
          "rain"
        ]
      }
    }
    """

    keys: Mapping[str, KeyType] = field(default_factory=dict)
    """Key → type; deleted keys have a tombstone."""

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a schema file.

        Raises
        ------
        ConfigError
            The file cannot be read, or is no schema; the message names the place.
        """
        return cls.from_json(read_schema_file(path), printable(str(path)))

    @classmethod
    def from_json(cls, source: bytes | str | Mapping[str, Any], name: str = _NAME) -> Self:
        """Read a schema in the wire format.

        Parameters
        ----------
        source
            JSON, or the mapping it decodes to.
        name
            What messages call it.

        Raises
        ------
        ConfigError
            It is no schema: a key, a type or a number that cannot be.

        Examples
        --------
        >>> MetadataSchema.from_json('{"speed": {"ty": "number", "format": "F16"}}')
        Traceback (most recent call last):
        labelingest.errors.ConfigError: metadata schema#/speed/format: found 'F16', expected 'F32' ...
        """
        document = source if isinstance(source, Mapping) else decode_schema(source, name)
        return cls(keys_from_wire(document, name))

    def to_json(self) -> bytes:
        """Return the schema in the wire format, indented: the same bytes for the same keys."""
        return orjson.dumps(
            {
                key: self.keys[key].model_dump(mode="json", exclude_none=True)
                for key in sorted(self.keys)
            },
            option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE,
        )

    def add(
        self, key: str, type: str, *, values: Sequence[str] = (), size: int | None = None
    ) -> Self:
        """Declare a key.

        A scalar can be declared again as another scalar, also after a soft deletion.

        Parameters
        ----------
        type
            One of `TYPES`.
        values
            The options of an enum.
        size
            How many numbers an embedding has.

        Raises
        ------
        ConfigError
            The key or its type cannot be, or the key is declared or deleted already.
        """
        check_key(key)
        declared = _declared(key, type, values, size)
        present = self.keys.get(key)
        former = present.deleted_ty if isinstance(present, TombstoneType) else present
        again = isinstance(former, VariantType) and isinstance(declared, VariantType)
        if present is not None and not again:
            raise ConfigError(_taken(key, present))
        return self._with(key, declared)

    def add_options(self, key: str, values: Sequence[str]) -> Self:
        """Add options to an enum; options that it has already change nothing.

        Raises
        ------
        ConfigError
            The key is no enum, or would have too many options.
        """
        present = self._present(key)
        if not isinstance(present, EnumType):
            raise ConfigError(f"{key!r} is {_described(present)}: only an enum has options")
        if set(values) <= set(present.values):
            return self
        return self._with(key, _declared(key, "enum", [*present.values, *values], None))

    def remove(self, key: str, *, hard: bool = False) -> Self:
        """Delete a key, so that its values are not checked any more; a hard deletion is permanent.

        Raises
        ------
        ConfigError
            There is no such key, or it is deleted already.
        """
        present = self._present(key)
        if isinstance(present, TombstoneType):
            raise ConfigError(f"{key!r} is {_described(present)} already")
        return self._with(key, TombstoneType(deleted_ty=None if hard else present))

    def restore(self, key: str) -> Self:
        """Restore a softly deleted key with its type.

        Raises
        ------
        ConfigError
            There is no such key, it is not deleted, or deleted for good.
        """
        present = self._present(key)
        if not isinstance(present, TombstoneType):
            raise ConfigError(f"{key!r} is {_described(present)}: it is not deleted")
        if present.deleted_ty is None:
            raise ConfigError(_taken(key, present))
        return self._with(key, present.deleted_ty)

    def _present(self, key: str) -> KeyType:
        present = self.keys.get(key)
        if present is None:
            near = get_close_matches(key, self.keys, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {_listed(self.keys)}"
            raise ConfigError(f"the schema has no key {key!r}; {hint}")
        return present

    def _with(self, key: str, declared: KeyType) -> Self:
        return type(self)({**self.keys, key: declared})


def schema_problems(schema: MetadataSchema, source: str) -> list[Problem]:
    """Return warnings about a schema that can be used.

    Examples
    --------
    >>> [problem] = schema_problems(MetadataSchema().add("clip", "embedding", size=3072), "s.json")
    >>> problem.pointer, problem.code.value
    ('/clip/size', 'large-embedding')
    """
    return [
        Problem(
            ProblemCode.LARGE_EMBEDDING,
            source,
            f"{declared.size:,} numbers: Active shows embeddings of at most "
            f"{MAX_ACTIVE_EMBEDDING:,}, Index all",
            pointer=f"{child_pointer('', key)}/size",
        )
        for key, declared in sorted(schema.keys.items())
        if isinstance(declared, EmbeddingType) and declared.size > MAX_ACTIVE_EMBEDDING
    ]


def _declared(key: str, type: str, values: Sequence[str], size: int | None) -> LiveType:
    """Return the type that a name and its options mean."""
    if type not in TYPES:
        near = get_close_matches(type, TYPES, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(TYPES)}"
        raise ConfigError(f"{type!r} is no type of a metadata key; {hint}")
    _refuse_of_other_types(key, type, values, size)
    if type == "geospatial":
        return GeospatialType()
    if size is not None:
        if not 1 <= size <= MAX_EMBEDDING:
            raise ConfigError(
                f"{key!r}: an embedding has 1 to {MAX_EMBEDDING:,} numbers, not {size:,}"
            )
        return EmbeddingType(size=size)
    if values:
        options = tuple(sorted(set(values)))
        if len(options) > MAX_OPTIONS:
            raise ConfigError(
                f"{key!r}: an enum has {MAX_OPTIONS} options at most, not {len(options):,}; varchar "
                "takes any text"
            )
        return EnumType(values=options)
    return VariantType(hint=HINTS[type])


def _refuse_of_other_types(key: str, type: str, values: Sequence[str], size: int | None) -> None:
    """Refuse an option or a size that the type lacks, or has no use for."""
    if type == "enum" and not values:
        raise ConfigError(f"{key!r}: an enum needs one option at least, as --option rain")
    if type != "enum" and values:
        raise ConfigError(f"{key!r}: options are for an enum, not for {type}; leave them out")
    if type == "embedding" and size is None:
        raise ConfigError(f"{key!r}: an embedding needs its number of values, as --size 512")
    if type != "embedding" and size is not None:
        raise ConfigError(f"{key!r}: a size is for an embedding, not for {type}; leave it out")


def _taken(key: str, present: KeyType) -> str:
    if not isinstance(present, TombstoneType):
        return f"{key!r} is {_described(present)} already; remove it, or choose another name"
    if present.deleted_ty is None:
        return f"{key!r} is {_described(present)}: choose another name"
    return (
        f"{key!r} is {_described(present)}, and was {_described(present.deleted_ty)}: restore it, or "
        "choose another name"
    )


def _described(declared: KeyType) -> str:
    if isinstance(declared, TombstoneType):
        return "deleted" if declared.deleted_ty else "deleted for good"
    name = declared.hint if isinstance(declared, VariantType) else declared.ty
    return f"{'an' if name[0] == 'e' else 'a'} {name}"


def _listed(keys: Mapping[str, KeyType]) -> str:
    names = ", ".join(map(short, sorted(keys)[:_MOST_LISTED]))
    return f"{names}, …" if len(keys) > _MOST_LISTED else names or "none yet"

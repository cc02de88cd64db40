"""Decode schema files: JSON to keys with their types, or an error that names the place of a defect.

The module does not know what a schema is used for: `schema.py` does.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from reprlib import repr as short
from typing import Annotated, Any, Final

from pydantic import Field, TypeAdapter, ValidationError

from labelingest.documents.hand_written import defect_sentence, expected_value, loads_strictly
from labelingest.errors import ConfigError
from labelingest.metadata.types import ALIASES, KeyType
from labelingest.problems.pointers import child_pointer
from labelingest.small_files import read_small

__all__ = ["check_key", "decode_schema", "keys_from_wire", "read_schema_file"]

_BLANKS: Final = str.maketrans("", "", "-_. ")
"""Characters that a key may have beside letters and digits, but not alone."""
_RESERVED: Final = "keyframes"
_WIRE: Final[TypeAdapter[dict[str, KeyType]]] = TypeAdapter(
    dict[str, Annotated[KeyType, Field(discriminator="ty")]]
)


def keys_from_wire(document: Mapping[str, Any], name: str) -> dict[str, KeyType]:
    """Return the type of each key of a decoded schema.

    Raises
    ------
    ConfigError
        A key, a type or one of its numbers is not allowed; the message names the place in `name`.

    Examples
    --------
    >>> keys_from_wire({"clip": {"ty": "embedding", "size": 0}}, "schema.json")
    Traceback (most recent call last):
    labelingest.errors.ConfigError: schema.json#/clip/size: found 0, expected at least 1
    """
    try:
        keys = _WIRE.validate_python({k: _without_aliases(v) for k, v in document.items()})
    except ValidationError as error:
        errors = error.errors(include_url=False)
        raise ConfigError(defect_sentence(name, errors, _explain_error)) from error
    for key in keys:
        check_key(key, f"{name}: ")
    return keys


def read_schema_file(path: str | Path) -> bytes:
    """Return the content of a schema file.

    Raises
    ------
    ConfigError
        The file cannot be read.
    """
    try:
        return read_small(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(
            f"metadata schema {str(path)!r} cannot be read: {reason}; labelingest metadata schema "
            "add or import makes one"
        ) from error


def decode_schema(content: bytes | str, name: str) -> dict[str, Any]:
    """Return the JSON object of a schema.

    Raises
    ------
    ConfigError
        The content is not JSON, not an object, or repeats a key.
    """
    try:
        document = loads_strictly(content)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        reason = reason if content.strip() else "it is empty"
        raise ConfigError(f"{name}: not JSON ({reason}); expected a metadata schema") from error
    if not isinstance(document, dict):
        raise ConfigError(
            f"{name}: holds {short(document)}, expected an object: key → "
            '{"ty": "number"} and the like'
        )
    return document


def check_key(key: str, where: str = "") -> None:
    """Refuse keys that are not allowed, as the platform's client does.

    Raises
    ------
    ConfigError
        The key is not allowed; the message begins with `where`.

    Examples
    --------
    >>> check_key("site/name")
    Traceback (most recent call last):
    labelingest.errors.ConfigError: key 'site/name' has '/': letters, digits, ...
    """
    bare = key.translate(_BLANKS)
    if key.startswith("$"):
        cause = "begins with '$', which is the platform's own"
    elif not bare:
        cause = "has no letter and no digit"
    elif bare == _RESERVED:
        cause = "is a name that the platform keeps for itself"
    elif not bare.isalnum():
        wrong = next(c for c in bare if not c.isalnum())
        cause = f"has {wrong!r}: letters, digits, '-', '_', '.' and blanks are allowed"
    else:
        return
    raise ConfigError(f"{where}key {short(key)} {cause}; choose another name")


def _without_aliases(declared: Any) -> Any:
    """Return a type with its hint by its present name, also inside the mark of a deleted key."""
    declared = _with_hint(declared)
    if isinstance(declared, Mapping) and "deleted_ty" in declared:
        return {**declared, "deleted_ty": _with_hint(declared["deleted_ty"])}
    return declared


def _with_hint(declared: Any) -> Any:
    hint = declared.get("hint") if isinstance(declared, Mapping) else None
    if isinstance(hint, str) and hint in ALIASES:
        return {**declared, "hint": ALIASES[hint]}
    return declared


def _explain_error(error: Mapping[str, Any]) -> tuple[str, str]:
    """Return the place of an error, and what was found there and what is expected."""
    pointer = "".join(_pointer(error["loc"]))
    context, actual = error.get("ctx", {}), short(error["input"])
    if error["type"] == "union_tag_invalid":
        expected_tags = context["expected_tags"]
        return f"{pointer}/ty", f"{short(context['tag'])} is no type; expected {expected_tags}"
    if error["type"] == "missing":
        return pointer, "it is missing"
    if expected := expected_value(error):
        return pointer, f"found {actual}, expected {expected}"
    return pointer, (
        f'found {actual}, expected a type, as {{"ty": "number"}}; labelingest metadata schema '
        "import reads the older, flat format"
    )


def _pointer(loc: Sequence[int | str]) -> Iterator[str]:
    """Yield the steps to a place; behind a type pydantic names which one it took it for."""
    previous: int | str | None = None
    for depth, name in enumerate(loc):
        if depth != 1 and previous != "deleted_ty":
            yield child_pointer("", name)
        previous = name

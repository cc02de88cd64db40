"""Compare a key with the key that was expected in its place, and derive patterns that fit instead.

The functions answer for two keys; `labelingest.pairing.near_misses.near_misses` asks for many.
"""

import unicodedata
from enum import StrEnum

from msgspec import Struct

__all__ = ["Cause", "Parts", "difference", "fold", "patterns_from"]


class Cause(StrEnum):
    """Cause that keeps two files from being a pair."""

    EXTENSION_CASE = "extension-case"
    OTHER_EXTENSION = "other-extension"
    FOLDER_NAME = "folder-name"
    TOO_DEEP = "too-deep"
    TOO_SHALLOW = "too-shallow"
    NAME_CASE = "name-case"
    UNICODE_FORM = "unicode-form"
    BLANKS = "blanks"
    LINK_AS_FILE = "link-as-file"
    WHOLE_NAME = "whole-name"
    PERCENT_ENCODING = "percent-encoding"
    FIRST_DOT = "first-dot"
    LABEL_STUDIO = "label-studio"
    ROBOFLOW = "roboflow"
    EXPORT = "export"
    OTHER_LAYOUT = "other-layout"
    STEM = "stem"


class Parts(Struct, frozen=True):
    """A key in three parts.

    Examples
    --------
    >>> Parts.from_key("images/train/a.b.jpg")
    Parts(folders=('images', 'train'), stem='a.b', extension='.jpg')
    """

    folders: tuple[str, ...]
    stem: str
    """The name without its extension."""
    extension: str
    """Extension as spelt, with its dot; "" for none."""

    @classmethod
    def from_key(cls, key: str) -> "Parts":
        """Split a key into its parts."""
        *folders, name = key.split("/")
        stem, dot, extension = name.rpartition(".")
        return cls(tuple(folders), stem, dot + extension) if stem else cls(tuple(folders), name, "")


def fold(text: str) -> str:
    """Return a text in which case, Unicode form and surrounding blanks do not matter.

    Examples
    --------
    >>> fold(" Cafe\N{COMBINING ACUTE ACCENT}") == fold("CAFÉ")
    True
    """
    if text.isascii():  # the same, in a fifth of the time
        return text.strip().lower()
    return unicodedata.normalize("NFC", text.strip().casefold())


def difference(actual: str, expected: str) -> Cause | None:
    """Return the difference of a key from the expected key; None where they have little in common.

    Examples
    --------
    >>> difference("images/a.JPG", "images/a.jpg"), difference("images/x/a.jpg", "images/a.jpg")
    (<Cause.EXTENSION_CASE: 'extension-case'>, <Cause.TOO_DEEP: 'too-deep'>)
    """
    a, b = Parts.from_key(actual), Parts.from_key(expected)
    if a.folders != b.folders:
        if len(a.folders) == len(b.folders):
            return Cause.FOLDER_NAME
        return Cause.TOO_DEEP if len(a.folders) > len(b.folders) else Cause.TOO_SHALLOW
    if a.stem != b.stem:
        return _name_difference(a.stem, b.stem)
    if a.extension == b.extension:
        return None
    same = a.extension.lower() == b.extension.lower()
    return Cause.EXTENSION_CASE if same else Cause.OTHER_EXTENSION


def _name_difference(a: str, b: str) -> Cause | None:
    if a.strip() == b.strip():
        return Cause.BLANKS
    a, b = (unicodedata.normalize("NFC", text.strip()) for text in (a, b))
    if a == b:
        return Cause.UNICODE_FORM
    return Cause.NAME_CASE if fold(a) == fold(b) else None


def patterns_from(image: str, sidecar: str) -> tuple[str, str] | None:
    """Return the image and label file pattern that pair two files of one name.

    Folders that both have at their ends belong to {name}, those at their beginnings are {split}.
    None where the names differ, or nothing but the extension would tell the two patterns apart.

    Examples
    --------
    >>> patterns_from("v1/image/day/a.jpg", "v1/label/day/a.txt")
    ('{split}/image/{name}.jpg', '{split}/label/{name}.txt')
    """
    a, b = Parts.from_key(image), Parts.from_key(sidecar)
    if a.stem != b.stem:
        return None
    end = _shared(a.folders[::-1], b.folders[::-1])
    own_a, own_b = a.folders[: len(a.folders) - end], b.folders[: len(b.folders) - end]
    begin = _shared(own_a, own_b)
    split = "{split}/" if begin else ""
    return (
        split + _literal(*own_a[begin:], "") + "{name}" + _literal(a.extension),
        split + _literal(*own_b[begin:], "") + "{name}" + _literal(b.extension),
    )


def _shared(a: tuple[str, ...], b: tuple[str, ...]) -> int:
    """Count the parts that are the same from the beginning."""
    same = [x == y for x, y in zip(a, b, strict=False)]
    return same.index(False) if False in same else len(same)


def _literal(*parts: str) -> str:
    return "/".join(parts).replace("{", "{{").replace("}", "}}")

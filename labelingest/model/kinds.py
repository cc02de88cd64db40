"""Kind of data that a key names, by its extension alone.

The table is written out, so that it is the same on every machine: `mimetypes` adds what the
system's files say and grows from one Python to the next. The module refuses to know content: the
reader of a file deals with bytes that are of another kind than the name says.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

__all__ = [
    "BESIDE_LIST",
    "KIND_OF_EXTENSION",
    "OWNER_MARKER",
    "TEMPORARY_PREFIX",
    "DataKind",
    "can_be_image",
    "can_extension_be_image",
    "extension_of",
    "is_junk",
    "kind_and_type",
    "kind_of",
    "mime_type_of",
]

TEMPORARY_PREFIX: Final = ".labelingest-tmp-"
"""Beginning of the names of unfinished outputs, which are written beside their final name."""


class DataKind(StrEnum):
    """The kinds of data files that can be labelled."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    PDF = "pdf"
    TEXT = "text"
    HTML = "html"


_TYPES: Final[Mapping[DataKind, Mapping[str, str]]] = {
    DataKind.IMAGE: {
        "image/jpeg": "jpg jpeg",
        "image/png": "png",
        "image/webp": "webp",
        "image/avif": "avif",
        "image/bmp": "bmp",
        "image/tiff": "tif tiff",
    },
    DataKind.VIDEO: {
        "video/mp4": "mp4",
        "video/quicktime": "mov",
        "video/webm": "webm",
        "video/x-matroska": "mkv",
    },
    DataKind.AUDIO: {"audio/mpeg": "mp3", "audio/x-wav": "wav", "audio/flac": "flac"},
    DataKind.PDF: {"application/pdf": "pdf"},
    # Beside txt, json and xml: what the strict tables of Python 3.11 to 3.13 call text/*.
    DataKind.TEXT: {
        "text/plain": "txt bat c h ksh pl srt",
        "application/json": "json",
        "text/xml": "xml",
        "text/css": "css",
        "text/csv": "csv",
        "text/javascript": "js mjs",
        "text/markdown": "md markdown",
        "text/n3": "n3",
        "text/richtext": "rtx",
        "text/rtf": "rtf",
        "text/tab-separated-values": "tsv",
        "text/vtt": "vtt",
        "text/x-python": "py",
        "text/x-rst": "rst",
        "text/x-setext": "etx",
        "text/x-sgml": "sgm sgml",
        "text/x-vcard": "vcf",
    },
    DataKind.HTML: {"text/html": "html htm"},
}

_BY_EXTENSION: Final[Mapping[str, tuple[DataKind, str]]] = MappingProxyType(
    {
        extension: (kind, mime_type)
        for kind, types in _TYPES.items()
        for mime_type, extensions in types.items()
        for extension in extensions.split()
    }
)

KIND_OF_EXTENSION: Final[Mapping[str, DataKind]] = MappingProxyType(
    {extension: kind for extension, (kind, _) in _BY_EXTENSION.items()}
)
"""Extension in lower case, without dot → kind of data."""

_VOLUMES: Final = frozenset({"dcm", "dicom", "nii", "nii.gz"})
"""Extensions of medical scans: they are known, and no images."""

OWNER_MARKER: Final = ".labelingest-owner.json"
"""Name of the file that tells which synced folder an output belongs to."""
BESIDE_LIST: Final = ".labelingest-beside"
"""Name of the file that lists the label rows that runs wrote beside data files."""
_JUNK_NAMES: Final = frozenset(
    {".DS_Store", "Thumbs.db", ".labelingest-output", OWNER_MARKER, BESIDE_LIST}
)


def extension_of(key: str) -> str:
    """Return the extension in lower case, without its dot; "" where the name has none.

    A name that only begins with dots has none. `nii.gz` counts as one extension.

    Examples
    --------
    >>> extension_of("scans/A.JPG"), extension_of("v1.2/.hidden"), extension_of("head.nii.gz")
    ('jpg', '', 'nii.gz')
    """
    stem, _, extension = key[key.rfind("/") + 1 :].rpartition(".")
    if not stem.lstrip("."):
        return ""
    # ASCII first: the Kelvin sign's lower case is a "k", but no file is called so on purpose.
    extension = extension.lower() if extension.isascii() else extension
    if extension == "gz" and stem[-4:].lower() == ".nii":
        return "nii.gz"
    return extension


def kind_of(key: str) -> DataKind | None:
    """Return the kind of a data file by its extension; None where it cannot be labelled.

    Examples
    --------
    >>> kind_of("a.JPG"), kind_of("notes.csv"), kind_of("scan.dcm")
    (<DataKind.IMAGE: 'image'>, <DataKind.TEXT: 'text'>, None)
    """
    return kind_and_type(extension_of(key))[0]


def can_be_image(key: str) -> bool:
    """Return whether a file may be an image: its extension is that of one, or is not known.

    Examples
    --------
    >>> can_be_image("a.JPG"), can_be_image("frame-1"), can_be_image("a.mp4"), can_be_image("a.dcm")
    (True, True, False, False)
    """
    return can_extension_be_image(extension_of(key))


def can_extension_be_image(extension: str) -> bool:
    """Return whether a file with an extension, as of `extension_of`, may be an image."""
    kind, _ = kind_and_type(extension)
    return kind is DataKind.IMAGE or (kind is None and extension not in _VOLUMES)


def mime_type_of(key: str) -> str:
    """Return the MIME type by the extension; application/octet-stream where it is not known.

    Examples
    --------
    >>> mime_type_of("a.jpeg"), mime_type_of("talk.wav"), mime_type_of("scan.dcm")
    ('image/jpeg', 'audio/x-wav', 'application/octet-stream')
    """
    return kind_and_type(extension_of(key))[1]


def kind_and_type(extension: str) -> tuple[DataKind | None, str]:
    """Return the kind and the MIME type of data files with an extension from `extension_of`.

    Examples
    --------
    >>> kind_and_type("jpg"), kind_and_type("dcm")
    ((<DataKind.IMAGE: 'image'>, 'image/jpeg'), (None, 'application/octet-stream'))
    """
    return _BY_EXTENSION.get(extension, (None, "application/octet-stream"))


def is_junk(key: str) -> bool:
    """Return whether a file is left by a system or a tool, not by a person.

    Examples
    --------
    >>> is_junk("labels/.DS_Store"), is_junk("labels/train.cache"), is_junk("labels/a.txt")
    (True, True, False)
    """
    name = key[key.rfind("/") + 1 :]
    return (
        name in _JUNK_NAMES or name.startswith(("._", TEMPORARY_PREFIX)) or name.endswith(".cache")
    )

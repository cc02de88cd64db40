"""Comparison of a label row with its data file.

A row of another kind is about another file. Different spellings of one type are equal. A type or a
size that differs within the kind is noted, and written as the file has it.
"""

from typing import Final

from labelingest.model.kinds import DataKind
from labelingest.problems import ProblemCode
from labelingest.problems.of_document import DocumentProblems
from labelingest.problems.pointers import child_pointer
from labelingest.readers.encord.data_file import DataFile
from labelingest.readers.encord.explain.data_units import Unit

__all__ = ["fits", "same_type"]

_KINDS: Final = {
    "image": DataKind.IMAGE,
    "video": DataKind.VIDEO,
    "audio": DataKind.AUDIO,
    "pdf": DataKind.PDF,
    "plain_text": DataKind.TEXT,
}
_HTML: Final = "text/html"
_CALLED: Final = {
    DataKind.IMAGE: "an image",
    DataKind.VIDEO: "a video",
    DataKind.AUDIO: "an audio file",
    DataKind.PDF: "a PDF",
    DataKind.TEXT: "a text",
    DataKind.HTML: "an HTML page",
}
_SPELLED: Final = {"jpg": "jpeg", "mp3": "mpeg", "wave": "wav", "tif": "tiff", "ms-bmp": "bmp"}


def same_type(first: str, second: str) -> bool:
    """Return whether two MIME types are spellings of one type.

    Examples
    --------
    >>> same_type("audio/wav", "audio/x-wav"), same_type("image/png", "image/jpeg")
    (True, False)
    """
    return first == second or _plain(first) == _plain(second)


def _plain(mime_type: str) -> tuple[str, str]:
    major, _, minor = mime_type.lower().partition(";")[0].strip().partition("/")
    minor = minor.removeprefix("x-")
    return major, _SPELLED.get(minor, minor)


def fits(data_type: str, units: list[Unit], file: DataFile, problems: DocumentProblems) -> bool:
    """Return whether a label row fits its file; set type and size to the file's.

    Parameters
    ----------
    data_type
        Value of the row's data_type, one of `KINDS`.
    units
        Data units of the row; type and size are changed in place.
    file
        Data file of the row.
    problems
        Container of the problems.
    """
    if file.kind is None:
        return True
    if data_type == "img_group":
        detail = (
            "an image group is about many files, and folders hold sidecars of one file each: give "
            "every image its own"
        )
        problems.note(ProblemCode.UNSUPPORTED_LABEL, "/data_type", detail)
        return False
    head, pointer = units[0].head, units[0].pointer
    kind = DataKind.HTML if head["data_type"] == _HTML else _KINDS[data_type]
    if kind is not file.kind:
        detail = (
            f"Expected {_CALLED[kind]}, got a file of type {file.mime_type}: the label row is about "
            "another file; put it beside that one"
        )
        place = "/data_type" if kind is not DataKind.HTML else child_pointer(pointer, "data_type")
        problems.note(ProblemCode.WRONG_DATA_TYPE, place, detail)
        return False
    # Texts of all types are read alike, and the client calls each of them text/plain.
    if kind is not DataKind.TEXT and not same_type(head["data_type"], file.mime_type):
        expected = f"{file.mime_type}, the type of the file by its name"
        place = child_pointer(pointer, "data_type")
        problems.replaced(place, head["data_type"], expected, "that is written")
        head["data_type"] = file.mime_type
    if file.size is not None and kind is DataKind.IMAGE:
        _set_size(units[0], file.size, problems)
    return True


def _set_size(unit: Unit, size: tuple[int, int], problems: DocumentProblems) -> None:
    stated = unit.size
    if stated is not None and stated != size:
        turned = "; were the labels drawn before it was turned?" if stated == size[::-1] else ""
        detail = (
            f"the row says {stated[0]} x {stated[1]} pixels, the header of the image says "
            f"{size[0]} x {size[1]}, which is written{turned}"
        )
        problems.note(ProblemCode.IMAGE_SIZE_DIFFERS, child_pointer(unit.pointer, "width"), detail)
    # Removed first: a key that was missing would come behind the other.
    for key in ("width", "height"):
        unit.head.pop(key, None)
    unit.head["width"], unit.head["height"] = size

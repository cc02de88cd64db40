"""Data units: the files that a label row is about, with their sizes, frames and lengths.

Refuses to know labels: they are passed on as decoded, frame by frame, with their pointers.
"""

from collections.abc import Iterator
from math import ceil, isfinite
from typing import Any, Final

from msgspec import Struct

from labelingest.problems import ProblemCode
from labelingest.problems.of_document import DocumentProblems, excerpt
from labelingest.problems.pointers import child_pointer

__all__ = ["KINDS", "MOST_FRAMES", "Unit", "frame_count", "frames_of", "read_units"]

KINDS: Final = ("image", "img_group", "video", "audio", "plain_text", "pdf")
"""Values of `data_type` that can be read."""

_REQUIRED: Final = ("data_hash", "data_title", "data_type", "data_sequence")
_AUDIO: Final = ("audio_codec", "audio_sample_rate", "audio_bit_depth", "audio_num_channels")
_SIZED: Final = ("image", "img_group", "video")
_KEYS: Final = frozenset(
    (
        *("data_hash", "data_title", "data_type", "data_sequence", "data_link", "width", "height"),
        *("data_fps", "data_duration", "labels", "metadata", *_AUDIO),
    )
)
MOST_FRAMES: Final = 10_000_000
"""Frames or pages of a file whose row has no count: four days of video.

Readers make a list of the frames of a classification, so that no bound would be a bomb."""

_LAST_FRAME: Final = 2**53
"""Numbers from here on are not exact in every JSON program."""
_LONGEST_NUMBER: Final = 16
"""Digits of the largest frame number."""


class Unit(Struct, frozen=True):
    """One data unit of a label row."""

    head: dict[str, Any]
    """Keys before the labels, as label rows write them."""
    tail: dict[str, Any]
    """Keys after the labels, as label rows write them."""
    labels: Any
    """Labels as decoded."""
    pointer: str
    """JSON pointer of the unit."""
    frame: int
    """Position in an image group; 0 for a unit of another kind."""

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height in pixels; None for an unknown size."""
        width, height = self.head.get("width"), self.head.get("height")
        return (width, height) if width and height else None


def read_units(value: Any, kind: str, problems: DocumentProblems) -> list[Unit] | None:
    """Return the data units in the order of their frames; None for units that make no label row.

    Parameters
    ----------
    value
        Value of the row's data_units, as decoded.
    kind
        Value of the row's data_type, one of `KINDS`.
    problems
        Container of the problems.
    """
    pointer = "/data_units"
    if not isinstance(value, dict) or not value:
        mistake = "is empty" if value == {} else f"found {excerpt(value)}"
        detail = f"{mistake}; expected the file that the labels are about"
        problems.note(ProblemCode.NOT_A_LABEL_ROW, pointer, detail)
        return None
    if kind != "img_group" and len(value) > 1:
        detail = f"{len(value)} data units; a row about one {kind} has one"
        problems.note(ProblemCode.NOT_A_LABEL_ROW, pointer, detail)
        return None
    units = [
        _read_unit(row, child_pointer(pointer, name), kind, problems) for name, row in value.items()
    ]
    valid = [unit for unit in units if unit is not None]
    if len(valid) < len(units) or not _are_a_group(valid, problems):
        return None
    return sorted(valid, key=lambda unit: unit.frame)


def _read_unit(entry: object, pointer: str, kind: str, problems: DocumentProblems) -> Unit | None:
    if not isinstance(entry, dict):
        detail = f"found {excerpt(entry)}, expected a data unit"
        problems.note(ProblemCode.NOT_A_LABEL_ROW, pointer, detail)
        return None
    required = (*_REQUIRED, *(("data_link",) if kind != "img_group" else ()))
    missing = [key for key in required + (_AUDIO if kind == "audio" else ()) if key not in entry]
    if missing:
        detail = f"{', '.join(map(repr, missing))} missing in the data unit of a label row"
        problems.note(ProblemCode.NOT_A_LABEL_ROW, pointer, detail)
        return None
    problems.unknown_keys(entry, _KEYS, pointer, "a data unit")
    frame = _sequence(
        entry["data_sequence"], child_pointer(pointer, "data_sequence"), kind, problems
    )
    head = _head(entry, pointer, kind, problems)
    if frame is None or head is None:
        return None
    head["data_sequence"] = str(frame) if kind == "img_group" else frame
    head.update(_of_kind(entry, pointer, kind, problems))
    tail = {}
    for key in ("data_duration", "data_fps"):
        if kind == "video" or (kind, key) == ("audio", "data_duration"):
            tail.update(_length(entry, key, pointer, problems))
    return Unit(head, tail, entry.get("labels"), pointer, frame)


def _head(
    entry: dict[str, Any], pointer: str, kind: str, problems: DocumentProblems
) -> dict[str, Any] | None:
    """Return the keys of all kinds; None for a unit without hash or type."""
    for key in ("data_hash", "data_type"):
        if not isinstance(entry[key], str) or not entry[key]:
            detail = f"found {excerpt(entry[key])}, expected text"
            problems.note(ProblemCode.NOT_A_LABEL_ROW, child_pointer(pointer, key), detail)
            return None
    head = {"data_hash": entry["data_hash"]}
    for key in ("data_title", "data_link"):
        text = entry.get(key, "")
        if not isinstance(text, str) and not (key == "data_link" and text is None):
            problems.replaced(child_pointer(pointer, key), text, "text", "'' is written")
            text = ""
        head[key] = text
    return {**head, "data_type": entry["data_type"]}


def _sequence(value: object, pointer: str, kind: str, problems: DocumentProblems) -> int | None:
    """Return the position of a unit in its group; 0 for a unit of another kind."""
    frame = _frame(value) if isinstance(value, str) else value
    if type(frame) is int and 0 <= frame < _LAST_FRAME and (kind == "img_group" or frame == 0):
        return frame
    if kind == "img_group":
        detail = f"found {excerpt(value)}, expected the number of the image, from 0 on"
        problems.note(ProblemCode.NOT_A_LABEL_ROW, pointer, detail)
        return None
    problems.replaced(pointer, value, "0, as there is one data unit", "0 is written")
    return 0


def _of_kind(
    entry: dict[str, Any], pointer: str, kind: str, problems: DocumentProblems
) -> dict[str, Any]:
    """Return the keys of a kind that not all kinds have."""
    if kind == "pdf":
        return {"height": 0, "width": 0, "data_fps": 0}
    if kind == "audio":
        return {key: _audio(entry[key], key, pointer, problems) for key in _AUDIO}
    if kind not in _SIZED:
        return {}
    sides: dict[str, Any] = {}
    for key in ("width", "height"):
        side = entry.get(key)
        if type(side) is int and 0 < side < _LAST_FRAME:
            sides[key] = side
        elif side is not None and side != 0:
            problems.replaced(child_pointer(pointer, key), side, "a number of pixels", "left out")
    return sides


def _audio(value: object, key: str, pointer: str, problems: DocumentProblems) -> Any:
    is_text = key == "audio_codec"
    valid = isinstance(value, str) if is_text else type(value) is int
    if value is None or valid:
        return value
    words = "text" if is_text else "a whole number"
    problems.replaced(child_pointer(pointer, key), value, words, "null is written")
    return None


def _length(
    entry: dict[str, Any], key: str, pointer: str, problems: DocumentProblems
) -> dict[str, float]:
    value = entry.get(key)
    if value is None:
        return {}
    if type(value) in (int, float) and isfinite(value) and value >= 0:
        return {key: value}
    problems.replaced(child_pointer(pointer, key), value, "a number from 0 on", "left out")
    return {}


def _are_a_group(units: list[Unit], problems: DocumentProblems) -> bool:
    """Return whether units have the numbers 0 to n - 1 and distinct hashes; note a misfit."""
    frames: set[int] = set()
    hashes: set[str] = set()
    for unit in units:
        name = unit.head["data_hash"]
        if unit.frame in frames or unit.frame >= len(units):
            detail = (
                f"image {unit.frame} of a group of {len(units)}; its images are numbered "
                f"0 to {len(units) - 1}, each once"
            )
            pointer = child_pointer(unit.pointer, "data_sequence")
        elif name in hashes:
            detail = f"another image of the group has the hash {excerpt(name)}"
            pointer = child_pointer(unit.pointer, "data_hash")
        else:
            frames.add(unit.frame)
            hashes.add(name)
            continue
        problems.note(ProblemCode.NOT_A_LABEL_ROW, pointer, detail)
        return False
    return True


def frame_count(units: list[Unit], kind: str) -> int:
    """Return the number of frames of a row; `MOST_FRAMES` for an unknown number.

    Audio and text count as one frame. The pages of a PDF are not in the row; the frames of a video
    follow from its rate and its duration.
    """
    if kind == "img_group":
        return len(units)
    if kind not in ("pdf", "video"):
        return 1
    tail = units[0].tail
    frames = tail.get("data_fps", 0) * tail.get("data_duration", 0)
    return ceil(frames) if 0 < frames < MOST_FRAMES else MOST_FRAMES


def frames_of(
    unit: Unit, kind: str, count: int, problems: DocumentProblems
) -> Iterator[tuple[int, dict[str, Any], str]]:
    """Yield number, labels and JSON pointer of each valid frame of a unit."""
    pointer = child_pointer(unit.pointer, "labels")
    if unit.labels is None:
        return
    if not isinstance(unit.labels, dict):
        problems.wrong_type(pointer, unit.labels, "an object")
    elif kind in ("image", "img_group"):
        yield unit.frame, unit.labels, pointer
    elif kind in ("video", "pdf"):
        yield from _keyed_frames(unit.labels, pointer, count, problems)
    elif unit.labels:
        expected = "{}: labels of audio and text stand in object_answers"
        problems.replaced(pointer, unit.labels, expected, "left out")


def _keyed_frames(
    labels: dict[str, Any], pointer: str, count: int, problems: DocumentProblems
) -> Iterator[tuple[int, dict[str, Any], str]]:
    for key, entry in labels.items():
        place = child_pointer(pointer, key)
        frame = _frame(key)
        if frame is None:
            detail = f"{excerpt(key)} is no frame; expected a whole number from 0 on"
            problems.note(ProblemCode.BAD_FRAME, place, detail)
        elif frame >= count:
            detail = f"frame {frame} is beyond the {count:,} frames of the file"
            problems.note(ProblemCode.BAD_FRAME, place, detail)
        elif not isinstance(entry, dict):
            problems.wrong_type(place, entry, "an object")
        else:
            if "objects" not in entry:
                detail = "'objects' is missing, the list of objects of the frame"
                problems.note(ProblemCode.MISSING_KEY, place, detail)
            yield frame, entry, place


def _frame(text: str) -> int | None:
    """Return the number of a decimal text in its shortest form; None for another text."""
    plain = text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER
    if not plain or (text[0] == "0" and text != "0"):
        return None
    return int(text)

"""Label rows: a sidecar → a row that every reader takes, and its problems.

A document that is no label row, or one of a file of another kind, yields no row. Any other defect
costs only its own label, so that good objects survive bad ones. Identifiers, titles and links stay
as they are, since the writer replaces them.

Steps: keys of the row itself; data units; objects frame by frame; answers; classifications.
"""

from collections import Counter
from typing import Any, Final

from msgspec import Struct, field

from labelingest.documents.decode import UNDECODED, decode
from labelingest.encord.keys import LABEL_STATUS, TASK_STATUS
from labelingest.model.vocabulary import Vocabulary
from labelingest.problems import Problem, ProblemCode
from labelingest.problems.of_document import DocumentProblems, excerpt, json_type_name
from labelingest.problems.pointers import child_pointer
from labelingest.readers.encord.data_file import ANY_FILE, DataFile
from labelingest.readers.encord.explain.classifications import Classifications
from labelingest.readers.encord.explain.data_file import fits
from labelingest.readers.encord.explain.data_units import (
    KINDS,
    Unit,
    frame_count,
    frames_of,
    read_units,
)
from labelingest.readers.encord.explain.entries import Medium
from labelingest.readers.encord.explain.object_answers import object_answers
from labelingest.readers.encord.explain.objects import Objects
from labelingest.readers.encord.explain.provenance import Dates, read_date
from labelingest.readers.encord.explain.row_of_list import row_of_list

__all__ = ["CheckedRow", "read_label_row"]

_REQUIRED: Final = (
    *("label_hash", "created_at", "last_edited_at", "data_hash", "dataset_hash", "dataset_title"),
    *("data_title", "data_type", "label_status", "data_units", "object_answers"),
    *("classification_answers", "object_actions"),
)
_KNOWN: Final = frozenset(
    (
        *_REQUIRED,
        *("branch_name", "annotation_task_status", "is_shadow_data", "spaces", "scene"),
        # Keys of platform exports and of the client's metadata, which no reader uses.
        *("export_hash", "export_history", "exported_at", "is_image_sequence", "video_link"),
        *("is_valid", "client_metadata", "images_data", "workflow_graph_node", "priority"),
        *("task_uuid", "group_hash", "assigned_user_email", "last_actioned_by_user_email"),
        *("backing_item_uuid", "file_type"),
    )
)
_OTHER_KINDS: Final = ("dicom", "dicom_study", "nifti", "time_series", "group", "scene")
_FRAME_KEYS: Final = frozenset(("objects", "classifications", "metadata"))


class CheckedRow(Struct, frozen=True, eq=False):
    """Label row of one sidecar, with its problems and counts."""

    row: dict[str, Any] | None
    """Label row as every reader takes it; None for a sidecar that is no label row."""
    problems: list[Problem]
    """Problems with their JSON pointers."""
    objects_seen: int = 0
    """Annotations in the sidecar; an object counts once for each of its frames."""
    objects_kept: int = 0
    """Annotations in the label row."""
    classifications_seen: int = 0
    """Classifications in the sidecar."""
    classifications_kept: int = 0
    """Classifications in the label row."""
    rejected: Counter[ProblemCode] = field(default_factory=Counter)
    """Cause → dropped annotations and classifications."""
    base: str = ""
    """JSON pointer of the label row in a sidecar that holds a list; "" for the row itself."""


def read_label_row(
    content: bytes, source: str, vocabulary: Vocabulary, file: DataFile = ANY_FILE
) -> CheckedRow:
    """Read one sidecar.

    Parameters
    ----------
    content
        Sidecar as stored.
    source
        Key of the sidecar, as problems name it.
    vocabulary
        Classes, attributes and options that labels may refer to.
    file
        Data file of the sidecar.

    Returns
    -------
    CheckedRow
        The clean row, problems with their JSON pointers, and counts.

    Examples
    --------
    >>> vocabulary = Vocabulary.from_structure({"objects": [], "classifications": []})
    >>> sidecar = read_label_row(b"1", "a.jpg.encord.json", vocabulary)
    >>> print(sidecar.row, sidecar.problems[0].code)
    None not-a-label-row
    """
    problems = DocumentProblems(source)
    document = decode(content, problems)
    if document is UNDECODED:
        return CheckedRow(None, problems.in_order())
    if isinstance(document, list):
        document, problems.base = row_of_list(document, file.key, problems)
        if document is None:
            return CheckedRow(None, problems.in_order())
    if not isinstance(document, dict):
        detail = f"holds {json_type_name(document)}, expected a label row, which is an object"
        problems.note(ProblemCode.NOT_A_LABEL_ROW, "", detail)
        return CheckedRow(None, problems.in_order())
    if not _is_label_row(document, problems) or not _is_supported(document, problems):
        return CheckedRow(None, problems.in_order())
    units = read_units(document["data_units"], document["data_type"], problems)
    if units is None or not fits(document["data_type"], units, file, problems):
        return CheckedRow(None, problems.in_order())
    return _read(document, units, vocabulary, file.date, problems)


def _is_label_row(row: dict[str, Any], problems: DocumentProblems) -> bool:
    """Return whether a row has the keys and types that the client requires; note missing ones."""
    missing = [key for key in _REQUIRED if key not in row]
    if missing:
        detail = f"{', '.join(map(repr, missing))} missing; a label row has them: export it again"
        problems.note(ProblemCode.NOT_A_LABEL_ROW, "", detail)
        return False
    valid = True
    for key in ("object_answers", "classification_answers", "object_actions"):
        if not isinstance(row[key], dict):
            detail = f"found {json_type_name(row[key])}, expected an object keyed by hashes"
            problems.note(ProblemCode.NOT_A_LABEL_ROW, child_pointer("", key), detail)
            valid = False
    return valid


def _is_supported(row: dict[str, Any], problems: DocumentProblems) -> bool:
    """Return whether a row is of a kind that folders hold, without spaces; note another one."""
    kind = row["data_type"]
    if kind not in KINDS:
        is_other_kind = isinstance(kind, str) and kind in _OTHER_KINDS
        code = ProblemCode.UNSUPPORTED_LABEL if is_other_kind else ProblemCode.NOT_A_LABEL_ROW
        detail = f"{excerpt(kind)} cannot be read; expected one of {', '.join(KINDS)}"
        problems.note(code, "/data_type", detail)
        return False
    for key in ("spaces", "scene"):
        if row.get(key):
            detail = f"{key} belong to data groups and scenes, which folders do not hold"
            problems.note(ProblemCode.UNSUPPORTED_LABEL, child_pointer("", key), detail)
            return False
        if row.get(key) is not None and row[key] != {}:
            problems.replaced(child_pointer("", key), row[key], "an empty object", "{} is written")
    return True


def _read(
    document: dict[str, Any],
    units: list[Unit],
    vocabulary: Vocabulary,
    date: str | None,
    problems: DocumentProblems,
) -> CheckedRow:
    kind = document["data_type"]
    problems.unknown_keys(document, _KNOWN, "", "a label row")
    head = _head(document, date, problems)
    defaults = Dates(head["created_at"], head["last_edited_at"])
    medium = _medium(units, kind)
    objects = Objects(vocabulary, defaults, problems)
    classifications = Classifications(vocabulary, defaults, medium, problems)
    objects_of_units = [_frames(unit, kind, medium, objects, classifications) for unit in units]
    answers, actions = object_answers(document, objects, medium)
    classifications.add_answers(document["classification_answers"], "/classification_answers")
    _add_entries(objects_of_units, units, kind, classifications)
    status = head.pop("label_status")
    row = {
        **head,
        "object_answers": answers,
        "classification_answers": classifications.output,
        "object_actions": actions,
        "label_status": status,
        "data_units": _data_units(units, objects_of_units, kind),
        "spaces": {},
    }
    return CheckedRow(
        row=row,
        problems=problems.in_order(),
        objects_seen=objects.seen,
        objects_kept=objects.accepted,
        classifications_seen=classifications.seen,
        classifications_kept=len(classifications.output),
        rejected=objects.rejected + classifications.rejected,
        base=problems.base,
    )


def _medium(units: list[Unit], kind: str) -> Medium:
    return Medium(
        frame_count(units, kind),
        on_frames=kind not in ("audio", "plain_text"),
        audio=kind == "audio",
        html=units[0].head["data_type"] == "text/html",
    )


def _head(row: dict[str, Any], date: str | None, problems: DocumentProblems) -> dict[str, Any]:
    """Return the keys of the row itself; the client writes the last one after the answers.

    The date of the file replaces missing dates.
    """
    texts = {}
    for key, default in (
        ("label_hash", ""),
        ("branch_name", "main"),
        ("data_hash", ""),
        ("dataset_hash", ""),
        ("dataset_title", ""),
        ("data_title", ""),
    ):
        value = row.get(key)
        if not isinstance(value, str):
            if key in row and not (key == "label_hash" and value is None):
                problems.replaced(child_pointer("", key), value, "text", f"{default!r} is written")
            value = None if key == "label_hash" and value is None else default
        texts[key] = value
    status = _status(row, "label_status", LABEL_STATUS, "LABEL_IN_PROGRESS", problems)
    task = _status(row, "annotation_task_status", TASK_STATUS, None, problems)
    return {
        "label_hash": texts["label_hash"],
        "branch_name": texts["branch_name"],
        "created_at": read_date(row, "created_at", "", problems) or date,
        "last_edited_at": read_date(row, "last_edited_at", "", problems) or date,
        "data_hash": texts["data_hash"],
        "dataset_hash": texts["dataset_hash"],
        "dataset_title": texts["dataset_title"],
        "data_title": texts["data_title"],
        "data_type": row["data_type"],
        "annotation_task_status": task,
        "is_shadow_data": row.get("is_shadow_data") is True,
        "label_status": status,
    }


def _status(
    row: dict[str, Any],
    key: str,
    statuses: tuple[str, ...],
    default: str | None,
    problems: DocumentProblems,
) -> str | None:
    value = row.get(key)
    if isinstance(value, str) and value in statuses:
        return value
    if value is not None or default is not None:
        problems.replaced(
            child_pointer("", key),
            value,
            f"one of {', '.join(statuses)}",
            f"{excerpt(default)} is written",
        )
    return default


def _frames(
    unit: Unit, kind: str, medium: Medium, objects: Objects, classifications: Classifications
) -> dict[int, list[dict[str, Any]]]:
    """Return frame → objects of one unit, as label rows write them; collect its classifications."""
    objects_of_frames: dict[int, list[dict[str, Any]]] = {}
    for frame, labels, pointer in frames_of(unit, kind, medium.frame_count, objects.problems):
        objects.problems.unknown_keys(labels, _FRAME_KEYS, pointer, "a frame")
        place = child_pointer(pointer, "objects")
        values = objects.problems.get(labels, "objects", pointer, list, [])
        if labels.get("objects", values) is None:
            objects.problems.wrong_type(place, None, "a list")
        annotations = (
            objects.read(value, child_pointer(place, position), frame, unit.size)
            for position, value in enumerate(values)
        )
        accepted = [value for value in annotations if value is not None]
        if accepted:
            objects_of_frames[frame] = accepted
        classifications.add_frame_list(
            labels.get("classifications"), child_pointer(pointer, "classifications"), frame
        )
    return objects_of_frames


def _add_entries(
    objects_of_units: list[dict[int, list[dict[str, Any]]]],
    units: list[Unit],
    kind: str,
    classifications: Classifications,
) -> None:
    """Append frame labels of classifications to the objects of their frames."""
    if kind == "img_group":
        by_frame = {
            unit.frame: frames for unit, frames in zip(units, objects_of_units, strict=True)
        }
    for frame, entry in classifications.frame_entries():
        frames = by_frame[frame] if kind == "img_group" else objects_of_units[0]
        frames.setdefault(frame, []).append(entry)


def _data_units(
    units: list[Unit], objects_of_units: list[dict[int, list[dict[str, Any]]]], kind: str
) -> dict[str, Any]:
    """Return data_units as label rows write them."""
    return {
        unit.head["data_hash"]: {**unit.head, "labels": _labels(frames, unit, kind), **unit.tail}
        for unit, frames in zip(units, objects_of_units, strict=True)
    }


def _labels(frames: dict[int, list[dict[str, Any]]], unit: Unit, kind: str) -> dict[str, Any]:
    if kind in ("audio", "plain_text"):
        return {}
    if kind in ("image", "img_group"):
        return _frame(frames.get(unit.frame, []))
    return {str(frame): _frame(frames[frame]) for frame in sorted(frames)}


def _frame(values: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "objects": [value for value in values if "objectHash" in value],
        "classifications": [value for value in values if "classificationHash" in value],
    }

"""Label rows of single images with typed fields, between a valid sidecar and the written row.

Their fields are those of the JSON text, so that they are decoded and encoded without a step of the
interpreter; readers narrow them to what an ontology allows. Rows of other kinds, and invalid rows,
are plain dictionaries with the same keys in the same order.
"""

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import msgspec
from msgspec import UNSET, Struct, UnsetType

__all__ = ["Frame", "ImageRow", "ImageUnit", "LabelRow", "ObjectEntry", "answers_of", "size_of"]


class Frame(Struct, forbid_unknown_fields=True, gc=False):
    """Labels on an image."""

    objects: list[Any]
    classifications: list[Any]


class ImageUnit(Struct, forbid_unknown_fields=True, gc=False):
    """The image that a row is about."""

    data_hash: str
    data_title: str
    data_link: str | None
    data_type: str
    data_sequence: int
    width: int
    height: int
    labels: Frame


class ObjectEntry(Struct, forbid_unknown_fields=True, gc=False, omit_defaults=True, rename="camel"):
    """The answers about one object."""

    classifications: list[Any]
    object_hash: str
    object_number: int | UnsetType = UNSET


class ImageRow(Struct, forbid_unknown_fields=True, gc=False):
    """A valid label row of one image: every hash is well-formed, every entry has its object."""

    label_hash: str | None
    branch_name: str
    created_at: str
    last_edited_at: str
    data_hash: str
    dataset_hash: str
    dataset_title: str
    data_title: str
    data_type: str
    annotation_task_status: str | None
    is_shadow_data: bool
    object_answers: dict[str, ObjectEntry]
    classification_answers: dict[str, Any]
    object_actions: dict[str, Any]
    """Always empty: answers that change over time need frames."""
    label_status: str
    data_units: dict[str, ImageUnit]
    """Always one."""
    spaces: dict[str, Any]
    """Always empty."""

    @property
    def unit(self) -> ImageUnit:
        """The image."""
        (unit,) = self.data_units.values()
        return unit

    def as_dict(self) -> dict[str, Any]:
        """Return the row as a dictionary, as rows of other kinds are."""
        # Parts of the row may be JSON text already.
        row: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(self))
        return row


LabelRow: TypeAlias = ImageRow | dict[str, Any]


def size_of(row: LabelRow) -> tuple[int, int]:
    """Return width and height in a label row; 0 where they are missing, or there are several units."""
    if isinstance(row, ImageRow):
        return row.unit.width, row.unit.height
    unit, *others = row["data_units"].values()
    return (0, 0) if others else (unit.get("width", 0), unit.get("height", 0))


def answers_of(row: LabelRow) -> Iterator[Sequence[Any]]:
    """Yield the answers about each object, then the answers that change over time."""
    if isinstance(row, ImageRow):
        yield from (entry.classifications for entry in row.object_answers.values())
        return
    yield from (entry["classifications"] for entry in row["object_answers"].values())
    yield from (entry["actions"] for entry in row["object_actions"].values())

"""A format from outside the package, in one file: KITTI label files, a line for each box."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from labelingest.columns.types import Bool, Texts
from labelingest.formats import Format
from labelingest.model.annotations import Annotations, ColumnShape, column_shapes
from labelingest.model.rejections import reject_rows
from labelingest.model.units import DataUnits
from labelingest.problems import ProblemCode
from labelingest.problems.of_batch import BatchProblems
from labelingest.sinks.base import OutputTarget, UnfinishedOutput
from labelingest.sinks.tree import TreeKind, TreeSink
from labelingest.writers.representable import representable_on_images
from labelingest.writers.target import TargetOptions, Written

__all__ = [
    "KITTI",
    "is_own_output",
    "open_sink",
    "representable",
    "sizes_needed",
    "write",
    "write_pieces",
]

KITTI: Final = Format(
    name="kitti",
    title="KITTI",
    noun="label file",
    can_be_folder=True,
    is_resumable=True,
    is_of_images=True,
    target=__name__,
    sink=__name__,
)


def sizes_needed(annotations: Annotations, units: DataUnits, options: TargetOptions) -> Bool:
    needed = np.zeros(len(units), dtype=bool)
    needed[annotations.unit] = True
    return needed


def representable(
    annotations: Annotations, units: DataUnits, options: TargetOptions, problems: BatchProblems
) -> Annotations:
    objects = options.ontology.objects
    boxes = representable_on_images(annotations, units, objects, "KITTI", problems)
    other = column_shapes(objects)[boxes.feature] != ColumnShape.BOX
    code = ProblemCode.NO_PLACE_IN_FORMAT
    boxes = reject_rows(other, code, boxes, units, lambda row: "KITTI has boxes only", problems)
    unsized = ((units.width <= 0) | (units.height <= 0))[boxes.unit]
    code = ProblemCode.IMAGE_SIZE_UNKNOWN
    return reject_rows(unsized, code, boxes, units, lambda row: "KITTI has pixels", problems)


def write(annotations: Annotations, units: DataUnits, options: TargetOptions) -> Written:
    lines: list[list[str]] = [[] for _ in units.key]
    names = [entry.name.replace(" ", "_") for entry in options.ontology.objects]
    numbers = annotations.coordinates.reshape(-1, 4)
    sides = np.stack((units.width, units.height), axis=1)[annotations.unit]
    left_top = numbers[:, :2] * sides
    corners = np.concatenate((left_top, left_top + numbers[:, 2:] * sides), axis=1)
    for unit, feature, corner in zip(
        annotations.unit.tolist(), annotations.feature.tolist(), corners.tolist(), strict=True
    ):
        box = " ".join(f"{number:.2f}" for number in corner)
        lines[unit].append(f"{names[feature]} 0 0 -10 {box} -1 -1 -1 -1000 -1000 -1000 -10\n")
    return Written(["".join(of_unit).encode() for of_unit in lines])


def write_pieces(
    units: DataUnits,
    options: TargetOptions,
    hashes: Iterable[Texts],
    parts: Iterable[tuple[Annotations, Texts]],
) -> Iterator[bytes]:
    for annotations, _ in parts:
        yield write(annotations, units, options).texts[0]


def open_sink(target: OutputTarget, unfinished: UnfinishedOutput | None = None) -> TreeSink:
    kind = TreeKind("label file", "{}.txt".format, lambda name: name.endswith(".txt"))
    return TreeSink(Path(target.out), kind, unfinished)


def is_own_output(file: BinaryIO, suffix: str) -> bool:
    return False

"""Builders of annotations: by hand, and from YOLO text through the stages of a conversion."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from labelingest.assembly.assemble import assemble
from labelingest.assembly.bench import AssemblyOptions
from labelingest.model.annotations import Annotations
from labelingest.model.blobs import Blobs
from labelingest.model.findings import Findings
from labelingest.model.ontology import ClassMap, Ontology
from labelingest.model.units import DataUnits
from labelingest.readers.yolo import YoloOptions, read
from labelingest.resolution.class_map import make_class_map
from labelingest.resolution.resolve import resolve
from tests.builders.yolo import SHAPES, ontology_for

__all__ = ["Batch", "Row", "batch_of", "from_yolo"]


class Row(NamedTuple):
    """One annotation."""

    feature: int
    numbers: Sequence[float]
    unit: int = 0
    confidence: float = float("nan")


@dataclass(frozen=True, slots=True)
class Batch:
    """Annotations with what they point into."""

    annotations: Annotations
    units: DataUnits
    ontology: Ontology
    class_map: ClassMap
    findings: Findings


def batch_of(
    rows: Sequence[Row],
    sizes: Sequence[tuple[int, int] | None],
    shapes: Mapping[int, str] = SHAPES,
) -> Batch:
    """Make annotations by hand, lines counted from 1; units are `images/0.jpg` and so on."""
    numbers = [number for row in rows for number in row.numbers]
    ontology = ontology_for(shapes)
    annotations = Annotations(
        np.array([row.unit for row in rows], np.int32),
        np.array([row.feature for row in rows], np.int32),
        np.arange(1, len(rows) + 1, dtype=np.int32),
        np.array([row.confidence for row in rows], np.float64),
        np.array(numbers, np.float64),
        np.cumsum([0, *(len(row.numbers) for row in rows)], dtype=np.int64),
        np.arange(len(rows), dtype=np.uint64),
    )
    class_map = make_class_map(ontology).class_map
    return Batch(annotations, _units(sizes), ontology, class_map, Findings())


def from_yolo(
    contents: Sequence[bytes],
    sizes: Sequence[tuple[int, int] | None],
    shapes: Mapping[int, str] | Ontology = SHAPES,
    *,
    row_layout: str = "auto",
    **options: Any,
) -> Batch:
    """Make annotations from label files; options are those of assembly."""
    ontology = shapes if isinstance(shapes, Ontology) else ontology_for(shapes)
    class_map = make_class_map(ontology).class_map
    units, findings = _units(sizes), Findings()
    found = read(Blobs.of(contents), units, YoloOptions(row_layout), findings)
    labels, feature = resolve(found.labels, class_map, units, findings)
    assembled = assemble(
        labels, feature, ontology.objects, units, AssemblyOptions(**options), findings
    )
    return Batch(assembled.annotations, units, ontology, class_map, findings)


def _units(sizes: Sequence[tuple[int, int] | None]) -> DataUnits:
    units = DataUnits.of(
        [f"images/{i}.jpg" for i in range(len(sizes))],
        [f"labels/{i}.txt" for i in range(len(sizes))],
        np.zeros(len(sizes), np.int64),
    )
    known = np.array([size or (-1, -1) for size in sizes], np.int32).reshape(-1, 2)
    return units.with_sizes(known[:, 0].copy(), known[:, 1].copy())

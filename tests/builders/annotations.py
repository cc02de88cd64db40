"""Builders of annotations: by hand, and from YOLO text through the stages of a conversion."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import orjson
from msgspec import structs

from labelingest.assembly.assemble import assemble
from labelingest.assembly.context import AssemblyOptions
from labelingest.model.annotations import Annotations, Instances, Rings
from labelingest.model.blobs import Blobs
from labelingest.model.ontology import ClassMap, Ontology
from labelingest.model.units import DataUnits
from labelingest.model.vocabulary import Vocabulary
from labelingest.problems.of_batch import BatchProblems
from labelingest.readers.encord.data_file import DataFile
from labelingest.readers.encord.read import read_sidecars
from labelingest.readers.yolo.layouts import YoloOptions
from labelingest.readers.yolo.read import read
from labelingest.resolution.class_map import make_class_map
from labelingest.resolution.ontology_json import load_ontology
from labelingest.resolution.resolve import resolve
from tests.builders.yolo import SHAPES, ontology_for

__all__ = ["Batch", "Row", "batch_of", "from_encord", "from_yolo", "with_instances"]


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
    findings: BatchProblems


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
    return Batch(annotations, _units(sizes), ontology, class_map, BatchProblems())


def with_instances(
    batch: Batch,
    *,
    frames: Sequence[int] | None = None,
    parts: Mapping[int, Rings] | None = None,
    keys: Sequence[str] | None = None,
) -> Batch:
    """Make annotations as if they came from label rows: hashes `hash+/00`, …, no lines.

    `frames` are 0 and `keys` those of images unless they are given.
    """
    a, n = batch.annotations, len(batch.annotations)
    frame = np.array([0] * n if frames is None else frames, np.int32)
    instances = Instances([f"hash+/{i:02}" for i in range(n)], frame, parts or {})
    units = batch.units if keys is None else structs.replace(batch.units, key=keys)
    annotations = structs.replace(a, line=np.zeros(n, np.int32), instances=instances)
    return replace(batch, annotations=annotations, units=units)


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
    units, problems = _units(sizes), BatchProblems()
    result = read(Blobs.from_contents(contents), units, YoloOptions(row_layout), problems)
    labels, feature = resolve(result.labels, class_map, units, problems)
    assembled = assemble(
        labels, feature, ontology.objects, units, AssemblyOptions(**options), problems
    )
    return Batch(assembled.annotations, units, ontology, class_map, problems)


def from_encord(
    label_rows: Sequence[Mapping[str, Any]],
    keys: Sequence[str],
    structure: Mapping[str, Any],
    size: tuple[int, int],
) -> Batch:
    """Make annotations from label rows of files of one size; class numbers are rows of objects."""
    ontology = load_ontology(structure)
    features = {
        ontology_object.feature_hash: row for row, ontology_object in enumerate(ontology.objects)
    }
    result = read_sidecars(
        [orjson.dumps(row) for row in label_rows],
        [f"{key}.encord.json" for key in keys],
        [DataFile.from_key(key) for key in keys],
        Vocabulary.from_structure(structure),
        features,
    )
    assert not any(result.problems)
    units = structs.replace(_units([size] * len(keys)), key=keys)
    numbers = np.arange(len(ontology.objects), dtype=np.int32)
    class_map = ClassMap(numbers.astype(np.int64), numbers)
    return Batch(result.annotations, units, ontology, class_map, BatchProblems())


def _units(sizes: Sequence[tuple[int, int] | None]) -> DataUnits:
    units = DataUnits.from_keys(
        [f"images/{i}.jpg" for i in range(len(sizes))],
        [f"labels/{i}.txt" for i in range(len(sizes))],
        np.zeros(len(sizes), np.int64),
    )
    sizes_px = np.array([size or (-1, -1) for size in sizes], np.int32).reshape(-1, 2)
    return units.with_sizes(sizes_px[:, 0].copy(), sizes_px[:, 1].copy())

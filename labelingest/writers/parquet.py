"""Annotations → Parquet: a table of one row for each annotation, for analysis.

Columns and their types are `COLUMNS`; coordinates are fractions of the image as in a label row,
never rounded. All annotations have a row, whatever their shape and their kind of file; what has no
columns for its geometry has nulls there. A data file that was labelled as empty has no row here.

`parts` is a nested list, not JSON: any reader of Parquet has its numbers without parsing, as the
same doubles; and since few polygons have holes or several parts, it is mostly null and takes no
room. `vertices` stays beside it, so that readers of polygons with one ring need no nested list.

Rows are written in groups of `GROUP_ROWS`, whatever the batches are: the same data in the same
order gives the same bytes, from the same release of pyarrow (which writes its name into the file).
No more than a group and a batch is held in memory.

pyarrow is an optional dependency: the extra `parquet`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from types import MappingProxyType
from typing import Any, BinaryIO, Final

import numpy as np

from labelingest.columns import ragged
from labelingest.columns.types import Bool, Int64
from labelingest.encord.identifiers import data_hashes
from labelingest.errors import ConfigError
from labelingest.model.annotations import Annotations, ColumnShape, column_shapes
from labelingest.model.batch_output import Labels
from labelingest.model.ontology import Ontology
from labelingest.model.units import DataUnits
from labelingest.problems.of_batch import BatchProblems
from labelingest.writers.instances import hashes_of, parts_of
from labelingest.writers.target import TargetOptions, Written

__all__ = [
    "COLUMNS",
    "GROUP_ROWS",
    "ParquetWriter",
    "check_pyarrow",
    "representable",
    "sizes_needed",
    "write",
    "written_by_labelingest",
]

GROUP_ROWS: Final = 65_536
"""Rows of a group: a few megabytes of boxes, some 20 MB of polygons."""

COLUMNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "key": "string",
        "data_hash": "string",
        "object_hash": "string",
        "feature_hash": "string",
        "name": "string",
        "shape": "string",
        "frame": "int32",
        "line": "int32",
        "confidence": "double",
        "manual": "bool",
        "left": "double",
        "top": "double",
        "width": "double",
        "height": "double",
        "theta": "double",
        "vertices": "list<double>",
        "parts": "list<list<list<double>>>",
        "image_width_px": "int32",
        "image_height_px": "int32",
    }
)
"""Name → Arrow type, in order.

`name` and `shape` are the ontology object's; `frame` counts from 0 (0 for images), and is null where
the object is on none (audio, text); `line` is null where the sidecar has no lines; `confidence` is
null, and `manual` true, where a person drew; `left` to `height` are null for all but boxes and
rotated boxes, `theta` for all but rotated boxes, `vertices` (x, y, x, y, …) for all but polygons;
`parts` has all rings of polygons with holes or several parts (part, ring, x, y, …, the first ring of
a part being its outline), and is null for others; sizes of images are null where not known.
"""
_NULLABLE: Final = frozenset(
    {
        *("frame", "line", "confidence", "left", "top", "width", "height", "theta"),
        *("vertices", "parts", "image_width_px", "image_height_px"),
    }
)
_WRITTEN_BY: Final = {"written by": "labelingest"}


@dataclass(slots=True)
class ParquetWriter:
    """Writes batches, in order, to one Parquet file; a block that fails leaves it unfinished.

    Raises
    ------
    ConfigError
        pyarrow is not installed.

    Examples
    --------
    >>> from io import BytesIO
    >>> from labelingest.model.ontology import OntologyObject, Shape
    >>> car = OntologyObject("Car", "#D33115", Shape.BOUNDING_BOX, "a1B2c3D4")
    >>> one = np.zeros(1, dtype=np.int32)
    >>> numbers, offsets = np.array([0.25, 0.5, 0.5, 0.5]), np.array([0, 4])
    >>> content = np.zeros(1, np.uint64)
    >>> annotations = Annotations(one, one, one + 1, one + 0.9, numbers, offsets, content)
    >>> units = DataUnits.from_keys(["a.jpg"], ["a.txt"], np.zeros(1, np.int64))
    >>> stream = BytesIO()
    >>> with ParquetWriter(stream, Ontology((car,), "vehicles"), "s3://bucket/") as writer:
    ...     writer.add(annotations, units)
    >>> import_module("pyarrow.parquet").read_table(stream)["left"].to_pylist()
    [0.25]
    """

    stream: BinaryIO
    """Open for writing; it stays open."""
    ontology: Ontology
    storage_url: str
    """URL of the storage path, ending in "/": data hashes are made from it."""
    rows: int = 0
    """How many rows were added."""
    _arrow: Any = field(init=False, repr=False)
    _writer: Any = field(init=False, repr=False)
    _waiting: list[Any] = field(init=False, repr=False, default_factory=list)

    def __post_init__(self) -> None:
        check_pyarrow()
        self._arrow = import_module("pyarrow")
        self._writer = import_module("pyarrow.parquet").ParquetWriter(
            self.stream, _schema(self._arrow), compression="zstd"
        )

    def __enter__(self) -> "ParquetWriter":
        return self

    def __exit__(self, *raised: object) -> None:
        if raised[0] is None:
            # What is left, and the end of the file.
            self._write(least=1)
            self._writer.close()
        # Else it would be closed when it is collected, on a stream that is closed by then.
        self._writer.is_open = False

    def add(self, annotations: Annotations, units: DataUnits) -> None:
        """Write the next batch.

        Parameters
        ----------
        annotations
            (n,) annotations of the units.
        units
            (u,) the data units, and their sizes where known.
        """
        self.take(self.make(annotations, units))

    def make(self, annotations: Annotations, units: DataUnits) -> Any:
        """Return the rows of a batch, as `take` writes them; nothing changes by it."""
        columns = _columns(self._arrow, annotations, units, self.ontology, self.storage_url)
        schema = _schema(self._arrow)
        return self._arrow.table([columns[name] for name in schema.names], schema=schema)

    def take(self, rows: Any) -> None:
        """Write rows that `make` made."""
        self._waiting.append(rows)
        self.rows += len(rows)
        self._write(least=GROUP_ROWS)

    def _write(self, least: int) -> None:
        """Write groups of rows while at least this number of rows waits."""
        if sum(map(len, self._waiting)) < least:
            return
        # One chunk: where pages end must not depend on where batches did.
        waiting = self._arrow.concat_tables(self._waiting).combine_chunks()
        while len(waiting) >= least:
            self._writer.write_table(waiting[:GROUP_ROWS], row_group_size=GROUP_ROWS)
            waiting = waiting[GROUP_ROWS:]
        self._waiting = [waiting]


def sizes_needed(annotations: Annotations, units: DataUnits, options: TargetOptions) -> Bool:
    """Return (u,) no data units: coordinates are fractions, and sizes may be null."""
    return np.zeros(len(units), dtype=bool)


def representable(
    annotations: Annotations, units: DataUnits, options: TargetOptions, problems: BatchProblems
) -> Annotations:
    """Return all annotations: every one has a row."""
    return annotations


def write(annotations: Annotations, units: DataUnits, options: TargetOptions) -> Written:
    """Return the columns that `ParquetWriter` writes."""
    return Written(labels=Labels(units, annotations))


def check_pyarrow() -> None:
    """Refuse to write or read tables without pyarrow.

    Raises
    ------
    ConfigError
        It is not installed.
    """
    try:
        import_module("pyarrow")
    except ImportError as error:
        raise ConfigError(
            "writing Parquet needs pyarrow, which is not installed: install labelingest[parquet]"
        ) from error


def written_by_labelingest(stream: BinaryIO) -> bool:
    """Return whether a stream is a Parquet file that says that it was written here."""
    check_pyarrow()
    try:
        metadata = import_module("pyarrow.parquet").read_schema(stream).metadata or {}
    except (OSError, ValueError):
        return False
    return all(metadata.get(k.encode()) == v.encode() for k, v in _WRITTEN_BY.items())


def _schema(arrow: Any) -> Any:
    def list_of(kind: Any) -> Any:
        return arrow.list_(arrow.field("element", kind, nullable=False))

    doubles = list_of(arrow.float64())
    types = {"list<double>": doubles, "list<list<list<double>>>": list_of(list_of(doubles))}
    fields = [
        arrow.field(name, types.get(kind) or arrow.type_for_alias(kind), name in _NULLABLE)
        for name, kind in COLUMNS.items()
    ]
    return arrow.schema(fields, _WRITTEN_BY)


def _columns(
    arrow: Any, annotations: Annotations, units: DataUnits, ontology: Ontology, storage_url: str
) -> dict[str, Any]:
    """Return the columns of a batch by name."""
    objects, feature, unit = ontology.objects, annotations.feature, annotations.unit
    is_manual = np.isnan(annotations.confidence)
    line = annotations.line
    instances = annotations.instances
    frame = np.zeros(len(annotations), np.int32) if instances is None else instances.frame

    def of_rows(values: Sequence[str], rows: Any) -> Any:
        return arrow.array(values, arrow.string()).take(arrow.array(rows))

    sizes = {}
    for name, size in (("image_width_px", units.width), ("image_height_px", units.height)):
        sizes[name] = arrow.array(size[unit], arrow.int32(), mask=size[unit] <= 0)
    return {
        "key": of_rows(units.key, unit),
        "data_hash": of_rows(data_hashes(storage_url, units.key), unit),
        "object_hash": arrow.array(hashes_of(annotations, units), arrow.string()),
        "feature_hash": of_rows([o.feature_hash for o in objects], feature),
        "name": of_rows([o.name for o in objects], feature),
        "shape": of_rows([o.shape.value for o in objects], feature),
        "frame": arrow.array(frame, arrow.int32(), mask=frame < 0),
        "line": arrow.array(line, arrow.int32(), mask=line <= 0),
        "confidence": arrow.array(annotations.confidence, arrow.float64(), mask=is_manual),
        "manual": arrow.array(is_manual),
        **_geometry(arrow, annotations, ontology),
        **sizes,
    }


def _geometry(arrow: Any, annotations: Annotations, ontology: Ontology) -> dict[str, Any]:
    """Return the columns of coordinates by name."""
    shape = column_shapes(ontology.objects)[annotations.feature]
    box, rotated, polygon = (shape == column_shape for column_shape in ColumnShape)
    columns = {
        name: _numbers(arrow, annotations, position, box | rotated)
        for position, name in enumerate(("left", "top", "width", "height"))
    }
    columns["theta"] = _numbers(arrow, annotations, 4, rotated)
    lengths = np.where(polygon, np.diff(annotations.offsets), 0)
    schema = _schema(arrow)
    columns["vertices"] = arrow.ListArray.from_arrays(
        arrow.array(ragged.offsets_from_lengths(lengths).astype(np.int32)),
        arrow.array(annotations.coordinates[ragged.gather(annotations.offsets[:-1], lengths)]),
        type=schema.field("vertices").type,
        mask=arrow.array(~polygon),
    )
    parts, kind = parts_of(annotations), schema.field("parts").type
    columns["parts"] = (
        arrow.array([parts.get(row) for row in range(len(annotations))], kind)
        if parts
        else arrow.nulls(len(annotations), kind)
    )
    return columns


def _numbers(arrow: Any, annotations: Annotations, position: int, where: Bool) -> Any:
    """Return (n,) one number of each annotation where there is one; null elsewhere."""
    begin: Int64 = annotations.offsets[:-1]
    numbers = np.zeros(len(annotations))
    numbers[where] = annotations.coordinates[begin[where] + position]
    return arrow.array(numbers, arrow.float64(), mask=~where)

"""Annotations → Parquet: a table of one row for each annotation, for analysis.

Columns and their types are `columns()`; coordinates are fractions of the image as in a label row,
never rounded. A data file that was labelled as empty has no row here.

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

from labelingest.arrays import Bool, Int64
from labelingest.errors import ConfigError
from labelingest.geometry import ragged
from labelingest.model.annotations import Annotations
from labelingest.model.ontology import Ontology, Shape
from labelingest.model.units import DataUnits
from labelingest.writers.ids import data_hashes, object_hashes

__all__ = ["COLUMNS", "GROUP_ROWS", "ParquetWriter"]

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
        "line": "int32",
        "confidence": "double",
        "manual": "bool",
        "left": "double",
        "top": "double",
        "width": "double",
        "height": "double",
        "theta": "double",
        "vertices": "list<double>",
        "image_width_px": "int32",
        "image_height_px": "int32",
    }
)
"""Name → Arrow type, in order.

`name` and `shape` are the ontology object's; `confidence` is null, and `manual` true, where a
person drew; `left` to `height` are null for polygons, `theta` for all but rotated boxes, `vertices`
(x, y, x, y, …) for all but polygons; sizes of images are null where not known.
"""
_NULLABLE: Final = frozenset(
    {
        *("confidence", "left", "top", "width", "height", "theta", "vertices"),
        *("image_width_px", "image_height_px"),
    }
)


@dataclass(slots=True)
class ParquetWriter:
    """Writes batches, in order, to one Parquet file.

    Raises
    ------
    ConfigError
        pyarrow is not installed.

    Examples
    --------
    >>> from io import BytesIO
    >>> from labelingest.model.ontology import OntologyObject
    >>> car = OntologyObject("Car", "#D33115", Shape.BOUNDING_BOX, "a1B2c3D4")
    >>> one = np.zeros(1, dtype=np.int32)
    >>> numbers, offsets = np.array([0.25, 0.5, 0.5, 0.5]), np.array([0, 4])
    >>> content = np.zeros(1, np.uint64)
    >>> annotations = Annotations(one, one, one + 1, one + 0.9, numbers, offsets, content)
    >>> units = DataUnits.of(["a.jpg"], ["a.txt"], np.zeros(1, np.int64))
    >>> stream = BytesIO()
    >>> writer = ParquetWriter(stream, Ontology((car,), "vehicles"), "s3://bucket/")
    >>> writer.add(annotations, units)
    >>> writer.close()
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
        self._arrow = _pyarrow()
        self._writer = import_module("pyarrow.parquet").ParquetWriter(
            self.stream, _schema(self._arrow), compression="zstd"
        )

    def add(
        self, annotations: Annotations, units: DataUnits, *, hashes: Sequence[str] | None = None
    ) -> None:
        """Write the next batch.

        Parameters
        ----------
        annotations
            (n,) annotations of the units.
        units
            (u,) the data units, and their sizes where known.
        hashes
            (n,) object hashes where they are given; made as for label rows when None.
        """
        if hashes is None:
            hashes = object_hashes(
                units.key, annotations.unit, annotations.line, annotations.content
            )
        made = _columns(self._arrow, annotations, units, self.ontology, self.storage_url, hashes)
        schema = _schema(self._arrow)
        self._waiting.append(
            self._arrow.table([made[name] for name in schema.names], schema=schema)
        )
        self.rows += len(annotations)
        self._write(least=GROUP_ROWS)

    def close(self) -> None:
        """Write what is left, and the end of the file."""
        self._write(least=1)
        self._writer.close()

    def _write(self, least: int) -> None:
        """Write groups of rows while at least so many wait."""
        if sum(map(len, self._waiting)) < least:
            return
        # One chunk: where pages end must not depend on where batches did.
        waiting = self._arrow.concat_tables(self._waiting).combine_chunks()
        while len(waiting) >= least:
            self._writer.write_table(waiting[:GROUP_ROWS], row_group_size=GROUP_ROWS)
            waiting = waiting[GROUP_ROWS:]
        self._waiting = [waiting]


def _pyarrow() -> Any:
    try:
        return import_module("pyarrow")
    except ImportError as error:
        raise ConfigError(
            "writing Parquet needs pyarrow, which is not installed: install labelingest[parquet]"
        ) from error


def _schema(arrow: Any) -> Any:
    types = {name: arrow.type_for_alias(name) for name in set(COLUMNS.values()) - {"list<double>"}}
    types["list<double>"] = arrow.list_(arrow.field("element", arrow.float64(), nullable=False))
    return arrow.schema(
        [arrow.field(name, types[kind], name in _NULLABLE) for name, kind in COLUMNS.items()]
    )


def _columns(
    arrow: Any,
    annotations: Annotations,
    units: DataUnits,
    ontology: Ontology,
    storage_url: str,
    hashes: Sequence[str],
) -> dict[str, Any]:
    """Return the columns of a batch by name."""
    objects, feature, unit = ontology.objects, annotations.feature, annotations.unit
    drawn = np.isnan(annotations.confidence)

    def of_rows(values: Sequence[str], rows: Any) -> Any:
        return arrow.array(values, arrow.string()).take(arrow.array(rows))

    sizes = {}
    for name, size in (("image_width_px", units.width), ("image_height_px", units.height)):
        sizes[name] = arrow.array(size[unit], arrow.int32(), mask=size[unit] <= 0)
    return {
        "key": of_rows(units.key, unit),
        "data_hash": of_rows(data_hashes(storage_url, units.key), unit),
        "object_hash": arrow.array(hashes, arrow.string()),
        "feature_hash": of_rows([o.feature_hash for o in objects], feature),
        "name": of_rows([o.name for o in objects], feature),
        "shape": of_rows([o.shape.value for o in objects], feature),
        "line": arrow.array(annotations.line, arrow.int32()),
        "confidence": arrow.array(annotations.confidence, arrow.float64(), mask=drawn),
        "manual": arrow.array(drawn),
        **_geometry(arrow, annotations, ontology),
        **sizes,
    }


def _geometry(arrow: Any, annotations: Annotations, ontology: Ontology) -> dict[str, Any]:
    """Return the columns of coordinates by name."""
    polygon = _of_shape(annotations, ontology, Shape.POLYGON)
    rotated = _of_shape(annotations, ontology, Shape.ROTATABLE_BOUNDING_BOX)
    made = {
        name: _numbers(arrow, annotations, at, ~polygon)
        for at, name in enumerate(("left", "top", "width", "height"))
    }
    made["theta"] = _numbers(arrow, annotations, 4, rotated)
    lengths = np.where(polygon, np.diff(annotations.offsets), 0)
    made["vertices"] = arrow.ListArray.from_arrays(
        arrow.array(ragged.offsets_from_lengths(lengths).astype(np.int32)),
        arrow.array(annotations.coordinates[ragged.gather(annotations.offsets[:-1], lengths)]),
        type=_schema(arrow).field("vertices").type,
        mask=arrow.array(~polygon),
    )
    return made


def _of_shape(annotations: Annotations, ontology: Ontology, shape: Shape) -> Bool:
    """Return (n,) annotations whose ontology object has that shape."""
    of_shape = np.array([o.shape == shape for o in ontology.objects], dtype=bool)
    rows: Bool = of_shape[annotations.feature]
    return rows


def _numbers(arrow: Any, annotations: Annotations, at: int, where: Bool) -> Any:
    """Return (n,) one number of each annotation where there is one; null elsewhere."""
    begin: Int64 = annotations.offsets[:-1]
    numbers = np.zeros(len(annotations))
    numbers[where] = annotations.coordinates[begin[where] + at]
    return arrow.array(numbers, arrow.float64(), mask=~where)

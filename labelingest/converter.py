"""Batches in memory: sidecars in, label rows and problems out. What a sync job calls.

A `Converter` is built once from an ontology, a class map and options; it holds no state of its
work, can be pickled, and gives the same bytes for the same file in whatever batch it comes.

This module is the order of the stages, top to bottom: read → resolve → assemble → write. Files,
folders and pairing are not known here (`labelingest.pipeline`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np
import orjson

from labelingest.arrays import Bool, Int32, Int64
from labelingest.assembly.assemble import Assembled, assemble, sizes_needed
from labelingest.assembly.bench import AssemblyOptions
from labelingest.errors import ConfigError, SidecarError
from labelingest.model.annotations import Annotations
from labelingest.model.blobs import Blobs
from labelingest.model.findings import Findings
from labelingest.model.ontology import ClassMap, Ontology
from labelingest.model.source_labels import SourceLabels
from labelingest.model.tally import Tally
from labelingest.model.units import DataUnits
from labelingest.problems import Problem, ProblemCode, Severity
from labelingest.readers.base import ReadResult
from labelingest.readers.yolo import YoloOptions, read
from labelingest.resolution.class_map import make_class_map
from labelingest.resolution.resolve import resolve
from labelingest.storage.base import check_key
from labelingest.writers.encord_json import WriterOptions, write

__all__ = ["Conversion", "Converter", "ImageSizes", "LabelFile", "OnRowError"]

SizesOf = Callable[[Sequence[int]], Sequence[tuple[int, int] | None]]
"""Rows of data units → width and height in pixels of each, None where it cannot be told."""


class OnRowError(StrEnum):
    """What a row that cannot be converted costs."""

    SKIP = "skip"
    """Itself; the good rows of its file are converted."""
    SKIP_FILE = "skip-file"
    """Its file: no label row."""
    STOP = "stop"
    """The run: `SidecarError`."""


class ImageSizes(StrEnum):
    """Which image headers are read."""

    NEEDED = "needed"
    """Those of images with a row that cannot be converted without."""
    ALL = "all"
    """All: label rows then carry width and height."""
    NEVER = "never"


class LabelFile(NamedTuple):
    """One data file with the content of its sidecar."""

    key: str
    """Key of the data file: its name in the label row, and what its identifiers are made from."""
    content: bytes
    """The sidecar, as stored."""
    size: tuple[int, int] | None = None
    """Width and height of the image in pixels, as displayed, where known."""
    mtime_ns: int = 0
    """Last change of the sidecar, nanoseconds since 1970 UTC: the date of its labels."""
    sidecar: str = ""
    """Key of the sidecar, for problems; the data file's when empty."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """What became of a batch."""

    label_rows: Sequence[bytes | None]
    """For each file, in the order given: its label row as JSON on one line; None when it has none
    because its sidecar could not be read, or was skipped for its bad rows."""
    problems: Sequence[Problem]
    """In order of file, line and column."""
    tally: Tally

    def as_dicts(self) -> list[dict[str, Any] | None]:
        """Return the label rows decoded."""
        return [None if row is None else orjson.loads(row) for row in self.label_rows]


@dataclass(frozen=True, slots=True)
class Converter:
    """Converts batches of YOLO sidecars to Encord label rows.

    Examples
    --------
    >>> from labelingest.resolution.ontology_json import load_ontology
    >>> ontology = load_ontology(
    ...     {
    ...         "objects": [
    ...             {
    ...                 "id": "1",
    ...                 "name": "Car",
    ...                 "color": "#D33115",
    ...                 "shape": "bounding_box",
    ...                 "featureNodeHash": "a1B2c3D4",
    ...                 "externalIds": {"YOLO": "7"},
    ...             }
    ...         ],
    ...         "classifications": [],
    ...     }
    ... )
    >>> converter = Converter.of(ontology, storage_url="s3://bucket/drive/")
    >>> done = converter.convert([("0001.jpg", b"7 0.5 0.5 0.25 0.5"), ("0002.jpg", b"8 1 1 1 1")])
    >>> [unit["data_link"] for unit in done.as_dicts()[0]["data_units"].values()]
    ['s3://bucket/drive/0001.jpg']
    >>> [(problem.place, problem.code.value) for problem in done.problems]
    [('0002.jpg', 'no-row-left'), ('0002.jpg:1:1', 'unknown-class')]
    """

    ontology: Ontology
    class_map: ClassMap
    writer: WriterOptions
    yolo: YoloOptions = field(default=YoloOptions())
    assembly: AssemblyOptions = field(default=AssemblyOptions())
    on_row_error: str = OnRowError.SKIP
    image_sizes: str = ImageSizes.NEEDED

    def __post_init__(self) -> None:
        for value, choices in ((self.on_row_error, OnRowError), (self.image_sizes, ImageSizes)):
            if value not in list(choices):
                raise ConfigError(f"{value!r} is none of {', '.join(choices)}")

    @classmethod
    def of(
        cls,
        ontology: Ontology,
        *,
        storage_url: str,
        namespace: str | None = None,
        overrides: Mapping[int, str | None] | None = None,
        created_by: str | None = None,
        dataset_title: str = "",
        **options: Any,
    ) -> "Converter":
        """Make a converter, with the class map that the ontology's external IDs give.

        Parameters
        ----------
        ontology
            The target vocabulary.
        storage_url
            URL of the storage path: identifiers and links are made from it.
        namespace, overrides
            As for `make_class_map`.
        created_by, dataset_title
            As for `WriterOptions`.
        options
            Other fields of `Converter`.
        """
        mapping = make_class_map(ontology, namespace=namespace, overrides=overrides)
        url = storage_url if storage_url.endswith("/") else f"{storage_url}/"
        writer = WriterOptions(url, created_by, dataset_title)
        return cls(ontology, mapping.class_map, writer, **options)

    def convert(
        self, files: Iterable[LabelFile | tuple[str, bytes] | tuple[str, bytes, Any]]
    ) -> Conversion:
        """Convert a batch of files in memory.

        Parameters
        ----------
        files
            `LabelFile`, or the plain tuple of its first fields: (key, content) or
            (key, content, (width, height)).

        Raises
        ------
        ConfigError
            A key leads out of the storage path, or a size is not two positive integers.
        SidecarError
            `on_row_error` is "stop" and a row was rejected.
        """
        batch = [LabelFile(*file) for file in files]
        for file in batch:
            check_key(file.key)
            if file.size is not None and not _is_size(file.size):
                raise ConfigError(f"size {file.size!r} of {file.key!r} is not width and height")
        units = DataUnits.of(
            [file.key for file in batch],
            [file.sidecar or file.key for file in batch],
            np.array([file.mtime_ns for file in batch], dtype=np.int64),
        )
        sizes = [file.size for file in batch]
        blobs = Blobs.of([file.content for file in batch])
        return self.convert_blobs(blobs, units, lambda rows: [sizes[row] for row in rows])

    def convert_blobs(self, blobs: Blobs, units: DataUnits, sizes_of: SizesOf) -> Conversion:
        """Convert a batch of sidecars that were fetched together.

        Parameters
        ----------
        blobs
            (u,) contents of the sidecars.
        units
            (u,) the data files; sizes that are not needed are not asked for.
        sizes_of
            Finds sizes of images, for rows of units.
        """
        findings = Findings()
        for unit, reason in blobs.unread.items():
            findings.fail(unit, Problem(reason.code, units.sidecar[unit], reason.detail))
        found = read(blobs, units, self.yolo, findings)
        labels, feature = resolve(found.labels, self.class_map, units, findings)
        units = self._with_sizes(units, labels, feature, sizes_of, findings)
        assembled = assemble(labels, feature, self.ontology.objects, units, self.assembly, findings)
        annotations, written = self._settle(found, assembled.annotations, units, findings)
        texts = write(annotations, units, self.ontology, self.writer)
        label_rows = [text if wanted else None for text, wanted in zip(texts, written, strict=True)]
        problems = findings.in_order()
        tally = _tally(found, assembled, annotations, written, findings)
        return Conversion(label_rows, problems, tally)

    def _with_sizes(
        self,
        units: DataUnits,
        labels: SourceLabels,
        feature: Int32,
        sizes_of: SizesOf,
        findings: Findings,
    ) -> DataUnits:
        if self.image_sizes == ImageSizes.NEVER:
            return units
        if self.image_sizes == ImageSizes.ALL:
            wanted = np.arange(len(units))
        else:
            wanted = np.unique(labels.unit[sizes_needed(labels, feature, self.ontology.objects)])
        width, height = units.width.copy(), units.height.copy()
        rows = wanted.tolist()
        for row, size in zip(rows, sizes_of(rows) if rows else (), strict=True):
            if size is not None:
                width[row], height[row] = size
            elif self.image_sizes == ImageSizes.ALL and row not in findings.failed:
                detail = (
                    "the size of the image is not known: its header cannot be read: the label row "
                    "has no width and height"
                )
                findings.warn(row, Problem(ProblemCode.IMAGE_SIZE_MISSING, units.key[row], detail))
        return units.with_sizes(width, height)

    def _settle(
        self, found: ReadResult, annotations: Annotations, units: DataUnits, findings: Findings
    ) -> tuple[Annotations, Bool]:
        """Decide which files get a label row, and say so of those that do not."""
        errors = [p for p in findings.in_order() if p.severity is Severity.ERROR]
        if errors and self.on_row_error == OnRowError.STOP:
            raise SidecarError(errors)
        written = np.ones(len(units), dtype=bool)
        written[list(findings.failed)] = False
        rejected = np.zeros(len(units), dtype=np.int64)
        for unit, rows in findings.rejected_in.items():
            rejected[unit] = rows
        kept = np.bincount(annotations.unit, minlength=len(units))
        if self.on_row_error == OnRowError.SKIP_FILE and rejected.any():
            return _skip_files(annotations, rejected, kept, written, units, findings)
        for unit in np.flatnonzero((found.rows_seen > 0) & (kept == 0)).tolist():
            detail = (
                f"none of the {found.rows_seen[unit]} rows could be converted: the label row reads "
                "like one of an image labelled as empty (--on-row-error skip-file withholds it)"
            )
            findings.warn(unit, Problem(ProblemCode.NO_ROW_LEFT, units.sidecar[unit], detail))
        return annotations, written


def _is_size(size: Sequence[Any]) -> bool:
    return len(size) == 2 and all(isinstance(n, int) and 0 < n < 2**31 for n in size)


def _skip_files(
    annotations: Annotations,
    rejected: Int64,
    kept: Int64,
    written: Bool,
    units: DataUnits,
    findings: Findings,
) -> tuple[Annotations, Bool]:
    """Drop the good rows of files that have bad ones too."""
    for unit in np.flatnonzero(rejected).tolist():
        detail = (
            f"{rejected[unit]} of {rejected[unit] + kept[unit]} rows were rejected, so the file is "
            "skipped as a whole: no label row"
        )
        findings.warn(
            unit,
            Problem(
                ProblemCode.FILE_SKIPPED, units.sidecar[unit], detail, count=max(int(kept[unit]), 1)
            ),
        )
    findings.rejected[ProblemCode.FILE_SKIPPED] += int(kept[rejected > 0].sum())
    return annotations.of_units(rejected == 0), written & (rejected == 0)


def _tally(
    found: ReadResult,
    assembled: Assembled,
    annotations: Annotations,
    written: Bool,
    findings: Findings,
) -> Tally:
    return Tally(
        label_rows=int(written.sum()),
        empty_label_rows=int((written & (found.rows_seen == 0)).sum()),
        failed_files=int((~written).sum()),
        files_with_rejected_rows=len(findings.rejected_in),
        rows_seen=int(found.rows_seen.sum()),
        annotations=len(annotations),
        rejected=+findings.rejected,
        converted=assembled.converted,
        adjusted=assembled.adjusted,
        dropped=found.dropped,
        refitted=assembled.refitted,
    )

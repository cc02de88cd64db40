"""The converter: built once, then called with batches of sidecars in memory.

`Converter.convert_batch` is the flow on one page: read → resolve → sizes → assemble → check → write.
The stage before, fetch, is `labelingest.pipeline.worker`'s, the stage after, put, is
`labelingest.pipeline.loop`'s.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

import numpy as np
from msgspec import structs

from labelingest.assembly.context import AssemblyOptions
from labelingest.converter.batch import select_files
from labelingest.converter.conversion import Conversion, Counts, LabelFile
from labelingest.converter.from_yolo import YoloSource
from labelingest.converter.image_sizes import FindSizes, SizeLookup
from labelingest.converter.large import LargeConversion, LargeFile
from labelingest.converter.non_images import fail_non_images
from labelingest.converter.options import ImageSizes, OnRowError
from labelingest.converter.outputs import Output
from labelingest.converter.source import Source, SourceOptions
from labelingest.errors import ConfigError, SidecarError
from labelingest.fence import isolate_failures
from labelingest.formats import (
    DEFAULT_SOURCE,
    DEFAULT_TARGET,
    UNDECLARED,
    Format,
    source_format,
    target_format,
)
from labelingest.formats.format import load
from labelingest.model.batch_output import Labels
from labelingest.model.blobs import Blobs, Unread
from labelingest.model.listing import date_problem, outside_dates, times_column
from labelingest.model.ontology import ClassMap, Ontology
from labelingest.model.tally import Tally
from labelingest.model.units import DataUnits
from labelingest.problems import Problem, ProblemCode
from labelingest.problems.of_batch import BatchProblems
from labelingest.readers.yolo.layouts import YoloOptions
from labelingest.readers.yolo.slices import SLICE_BYTES
from labelingest.resolution.class_map import make_class_map
from labelingest.stopwatch import OFF, Stage, Stopwatch
from labelingest.storage.base import MAX_SIDECAR, too_large
from labelingest.storage.urls import same_spelling, storage_url_of
from labelingest.writers.target import CocoRotated, TargetOptions, WriterOptions
from labelingest.writers.yolo import YoloLayout, class_numbers

__all__ = ["MAX_LABEL_BYTES", "Converter", "needs_class_numbers"]

MAX_LABEL_BYTES: Final = 64_000_000
"""Bytes that one YOLO label file may have, unless more are allowed: some four million rows."""


def needs_class_numbers(format: str | Format, to: str | Format) -> bool:
    """Return whether class numbers are read or written; an undeclared format needs none yet.

    Examples
    --------
    >>> needs_class_numbers("encord", "coco"), needs_class_numbers("encord", "yolo")
    (False, True)
    """
    reads = format != UNDECLARED and source_format(format).needs_class_numbers
    return reads or target_format(to).needs_class_numbers


@dataclass(frozen=True, slots=True)
class Converter:
    """Converts batches of sidecars to Encord label rows, or to another format.

    A converter holds no state of its work and can be pickled. The same file gives the same bytes in
    any batch.

    Raises
    ------
    ConfigError
        The value of an option is not among its choices.

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
    >>> converter = Converter.from_ontology(ontology, storage_url="s3://bucket/drive/")
    >>> conversion = converter.convert([("0001.jpg", b"7 0.5 0.5 0.25 0.5"), ("0002.jpg", b"8 1 1 1 1")])
    >>> [unit["data_link"] for unit in conversion.as_dicts()[0]["data_units"].values()]
    ['s3://bucket/drive/0001.jpg']
    >>> [(problem.place, problem.code.value) for problem in conversion.problems]
    [('0002.jpg', 'no-row-left'), ('0002.jpg:1:1', 'unknown-class')]
    """

    ontology: Ontology
    class_map: ClassMap
    writer: WriterOptions
    yolo: YoloOptions = field(default=YoloOptions())
    assembly: AssemblyOptions = field(default=AssemblyOptions())
    on_row_error: OnRowError = OnRowError.SKIP
    image_sizes: ImageSizes = ImageSizes.NEEDED
    format: str | Format = DEFAULT_SOURCE
    """Format of the sidecars: a name, or the value of a format."""
    to: str | Format = DEFAULT_TARGET
    """Format of the output: a name, or the value of a format."""
    yolo_layout: YoloLayout = YoloLayout.AUTO
    """Row layout of YOLO files that are written."""
    yolo_confidence: bool = False
    """Whether written YOLO rows have a confidence as their last column, where one was read."""
    coco_rotated: CocoRotated = CocoRotated.CORNERS
    """Drawing of rotated boxes in COCO."""
    max_label_bytes: int = MAX_LABEL_BYTES
    """Bytes that one YOLO label file may have."""
    source_format: Format = field(init=False, repr=False)
    """Value of the format of the sidecars."""
    target_format: Format = field(init=False, repr=False)
    """Value of the format of the output."""
    _source: Source[Any, Any] = field(init=False, repr=False)
    _output: Output = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            value = getattr(self, name)
            if value not in list(choices):
                raise ConfigError(f"{value!r} is none of {', '.join(choices)}")
            object.__setattr__(self, name, choices(value))
        writer = structs.replace(self.writer, storage_url=same_spelling(self.writer.storage_url))
        object.__setattr__(self, "writer", writer)
        object.__setattr__(self, "source_format", source_format(self.format))
        object.__setattr__(self, "target_format", target_format(self.to))
        object.__setattr__(self, "_source", self._make_source())
        object.__setattr__(self, "_output", self._make_output())

    @property
    def most_bytes(self) -> int:
        """Bytes that one sidecar may have."""
        return self.max_label_bytes if self.source_format.is_read_in_slices else MAX_SIDECAR

    def _make_source(self) -> Source[Any, Any]:
        """Make the source of the format of the sidecars, as `converter/from_yolo.py` for YOLO."""
        options = SourceOptions(
            ontology=self.ontology,
            class_map=self.class_map,
            yolo=self.yolo,
            assembly=self.assembly,
        )
        source: Source[Any, Any] = load(self.source_format.source).make_source(options)
        return source

    def _make_output(self) -> Output:
        options = TargetOptions(
            ontology=self.ontology,
            writer=self.writer,
            class_numbers=class_numbers(self.class_map, self.ontology.objects),
            yolo_layout=self.yolo_layout,
            yolo_confidence=self.yolo_confidence,
            coco_rotated=self.coco_rotated,
        )
        return Output(self.target_format, options)

    @classmethod
    def from_ontology(
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

        Encord sidecars need no class map, unless YOLO is to be written.

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

        Raises
        ------
        ConfigError
            The URL cannot be read, or carries a credential; an option is not among its choices.
        """
        writer = WriterOptions(storage_url_of(storage_url), created_by, dataset_title)
        converter = cls(ontology, ClassMap.empty(), writer, **options)
        if not needs_class_numbers(converter.format, converter.to):
            return converter
        mapping = make_class_map(ontology, namespace=namespace, overrides=overrides)
        return replace(converter, class_map=mapping.class_map)

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
            file.check()
        units = DataUnits.from_keys(
            [file.key for file in batch],
            [file.sidecar or file.key for file in batch],
            times_column(times := [file.mtime_ns for file in batch]),
        )
        sizes = np.array([file.size or (-1, -1) for file in batch], np.int32).reshape(-1, 2)
        most = self.most_bytes
        unread = {
            row: Unread(ProblemCode.FILE_TOO_LARGE, too_large(len(file.content), most))
            for row, file in enumerate(batch)
            if len(file.content) > most
        }
        blobs = Blobs.from_contents(
            [b"" if row in unread else file.content for row, file in enumerate(batch)], unread
        )
        conversion = self.convert_blobs(blobs, units, lambda rows: sizes[rows])
        clamped = outside_dates(units.mtime_ns, times)
        dated = [date_problem(units.sidecar[row], times[row]) for row in clamped]
        return (
            structs.replace(conversion, problems=[*dated, *conversion.problems])
            if dated
            else conversion
        )

    def convert_blobs(
        self, blobs: Blobs, units: DataUnits, find_sizes: FindSizes, stopwatch: Stopwatch = OFF
    ) -> Conversion:
        """Convert a batch of sidecars that were fetched together.

        An unexpected exception costs the file that it comes from, and is a problem of that file.

        Parameters
        ----------
        blobs
            (u,) contents of the sidecars.
        units
            (u,) the data files.
        find_sizes
            Finds the image sizes that are needed, for rows of units.
        stopwatch
            Measures the stages.
        """

        def convert(rows: slice) -> Conversion:
            start = rows.start
            sizes = SizeLookup(self.image_sizes, lambda part: find_sizes(start + part))
            return self.convert_batch(blobs.part(rows), units.part(rows), sizes, stopwatch)

        def give_up(row: int, why: Unread) -> Conversion:
            return self.give_up(units.key[row], units.sidecar[row], why)

        return isolate_failures(convert, len(units), give_up, Conversion.joined)

    def convert_batch(
        self, blobs: Blobs, units: DataUnits, sizes: SizeLookup, stopwatch: Stopwatch
    ) -> Conversion:
        """Convert sidecars that were fetched, stage by stage; the caller puts the result.

        Parameters
        ----------
        blobs
            (u,) contents of the sidecars.
        units
            (u,) the data files.
        sizes
            Finds the image sizes that a stage needs.
        stopwatch
            Measures the stages.
        """
        source, output = self._source, self._output
        problems = self._problems_of_unread(blobs, units)
        units = sizes.add_all(units)
        with stopwatch.stage(Stage.READ):
            rows = source.read(blobs, units, problems)
        with stopwatch.stage(source.resolve_stage):
            labels = source.resolve(rows, units, problems)
        with stopwatch.stage(Stage.ASSEMBLE):
            units = sizes.add(units, source.sizes_needed(labels, units))
            batch = source.assemble(labels, units, problems)
        with stopwatch.stage(Stage.CHECK):
            sizes.warn_of_missing(batch.units, problems)
            fail_non_images(batch, self.source_format, self.target_format)
            batch.units = sizes.add(batch.units, output.sizes_needed(batch))
            output.reject_unrepresentable(batch)
            is_converted = select_files(
                batch,
                self.on_row_error,
                keeps_classifications=self.target_format.keeps_classifications,
            )
        with stopwatch.stage(Stage.WRITE):
            outcome = output.write(batch, is_converted)
        return Conversion(
            texts=outcome.texts,
            problems=problems.in_order(),
            row_tally=batch.row_tally(is_converted),
            is_converted=is_converted,
            counts=batch.final_counts(),
            labels=outcome.labels,
        )

    def _problems_of_unread(self, blobs: Blobs, units: DataUnits) -> BatchProblems:
        """Return the problems of the files that could not be fetched."""
        problems = BatchProblems()
        for unit, reason in blobs.unread.items():
            detail = reason.detail
            if reason.code is ProblemCode.FILE_TOO_LARGE and self.source_format.is_read_in_slices:
                detail += ": split it, or allow more (--max-label-bytes)"
            problems.fail(unit, Problem(reason.code, units.sidecar[unit], detail))
        return problems

    def give_up(self, key: str, sidecar: str, why: Unread) -> Conversion:
        """Return the conversion of one file that nothing is known of.

        Parameters
        ----------
        key, sidecar
            Keys of the data file and of its sidecar.
        why
            Code and detail of the file's problem.

        Raises
        ------
        SidecarError
            `on_row_error` is "stop".
        """
        problem = Problem(why.code, sidecar, why.detail)
        if self.on_row_error == OnRowError.STOP:
            raise SidecarError([problem], key)
        return Conversion(
            texts=(),
            problems=[problem],
            row_tally=Tally(failed_files=1),
            is_converted=np.zeros(1, dtype=bool),
            counts=Counts.nothing(),
            labels=Labels.none() if self.target_format.is_columns else None,
        )

    def convert_large(
        self,
        content: bytes,
        unit: DataUnits,
        find_sizes: FindSizes,
        slice_bytes: int = SLICE_BYTES,
    ) -> LargeConversion:
        """Convert one YOLO file slice by slice, with the same result in bounded memory.

        Parameters
        ----------
        content
            The file.
        unit
            The one data file.
        find_sizes
            As for `convert_blobs`.
        slice_bytes
            Bytes that are converted at a time, about.
        """
        if not isinstance(self._source, YoloSource):
            raise TypeError("label rows are converted as a whole")  # a slice of JSON is no JSON
        file = LargeFile(
            source=self._source,
            source_format=self.source_format,
            output=self._output,
            on_row_error=self.on_row_error,
            content=content,
            units=unit,
            slice_bytes=slice_bytes,
        )
        return file.convert(SizeLookup(self.image_sizes, find_sizes))


_CHOICES: Final[Mapping[str, type[StrEnum]]] = {
    "on_row_error": OnRowError,
    "image_sizes": ImageSizes,
    "yolo_layout": YoloLayout,
    "coco_rotated": CocoRotated,
}
"""Field of `Converter` → its choices; a text is accepted for each."""

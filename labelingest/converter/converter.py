"""The converter: built once, then called with batches. What a sync job calls."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from labelingest.assembly.context import AssemblyOptions
from labelingest.converter.batch import settle
from labelingest.converter.from_yolo import YoloSource
from labelingest.converter.image_sizes import Sizes, SizesOf
from labelingest.converter.large import LargeConversion, LargeFile
from labelingest.converter.options import (
    Conversion,
    Counts,
    ImageSizes,
    LabelFile,
    OnRowError,
)
from labelingest.converter.outputs import Output
from labelingest.converter.source_options import SourceOptions
from labelingest.errors import ConfigError, SidecarError
from labelingest.fence import fenced
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
from labelingest.storage.urls import storage_url_of
from labelingest.writers.target import TargetOptions, WriterOptions
from labelingest.writers.yolo import YoloLayout, class_numbers

if TYPE_CHECKING:  # what reads label rows is not loaded to read YOLO
    from labelingest.converter.from_encord import EncordSource

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

    Holds no state of its work, can be pickled, and gives the same bytes for the same file in
    whatever batch it comes.

    Raises
    ------
    ConfigError
        An option is none of its choices.

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
    format: str | Format = DEFAULT_SOURCE
    """Format of the sidecars: a name, or the value of a format."""
    to: str | Format = DEFAULT_TARGET
    """Format of the output: a name, or the value of a format."""
    yolo_layout: str = YoloLayout.AUTO
    """What the rows of YOLO files that are written look like."""
    yolo_confidence: bool = False
    """Whether they have a confidence as their last column, where one was read."""
    max_label_bytes: int = MAX_LABEL_BYTES
    """Bytes that one YOLO label file may have."""
    source_format: Format = field(init=False, repr=False)
    """Value of the format of the sidecars."""
    target_format: Format = field(init=False, repr=False)
    """Value of the format of the output."""
    _source: "YoloSource | EncordSource" = field(init=False, repr=False)
    _output: Output = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for value, choices in (
            (self.on_row_error, OnRowError),
            (self.image_sizes, ImageSizes),
            (self.yolo_layout, YoloLayout),
        ):
            if value not in list(choices):
                raise ConfigError(f"{value!r} is none of {', '.join(choices)}")
        object.__setattr__(self, "source_format", source_format(self.format))
        object.__setattr__(self, "target_format", target_format(self.to))
        object.__setattr__(self, "_source", self._make_source())
        object.__setattr__(self, "_output", self._make_output())

    @property
    def most_bytes(self) -> int:
        """How many bytes a sidecar may have."""
        return self.max_label_bytes if self.source_format.is_read_in_slices else MAX_SIDECAR

    def _make_source(self) -> "YoloSource | EncordSource":
        options = SourceOptions(
            ontology=self.ontology,
            class_map=self.class_map,
            yolo=self.yolo,
            assembly=self.assembly,
        )
        source: YoloSource | EncordSource = load(self.source_format.source).make_source(options)
        return source

    def _make_output(self) -> Output:
        options = TargetOptions(
            ontology=self.ontology,
            writer=self.writer,
            class_numbers=class_numbers(self.class_map, self.ontology.objects),
            yolo_layout=self.yolo_layout,
            yolo_confidence=self.yolo_confidence,
        )
        return Output(self.target_format, options)

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
        class_map = ClassMap.empty()
        if needs_class_numbers(
            options.get("format", DEFAULT_SOURCE), options.get("to", DEFAULT_TARGET)
        ):
            mapping = make_class_map(ontology, namespace=namespace, overrides=overrides)
            class_map = mapping.class_map
        writer = WriterOptions(storage_url_of(storage_url), created_by, dataset_title)
        return cls(ontology, class_map, writer, **options)

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
        sizes = [file.size for file in batch]
        most = self.most_bytes
        unread = {
            row: Unread(ProblemCode.FILE_TOO_LARGE, too_large(len(file.content), most))
            for row, file in enumerate(batch)
            if len(file.content) > most
        }
        blobs = Blobs.from_contents(
            [b"" if row in unread else file.content for row, file in enumerate(batch)], unread
        )
        done = self.convert_blobs(blobs, units, lambda rows: [sizes[row] for row in rows])
        clamped = outside_dates(units.mtime_ns, times)
        dated = [date_problem(units.sidecar[row], times[row]) for row in clamped]
        return replace(done, problems=[*dated, *done.problems]) if dated else done

    def convert_blobs(
        self, blobs: Blobs, units: DataUnits, sizes_of: SizesOf, watch: Stopwatch = OFF
    ) -> Conversion:
        """Convert a batch of sidecars that were fetched together.

        An unexpected exception costs the file that it comes from: its problem says so.

        Parameters
        ----------
        blobs
            (u,) contents of the sidecars.
        units
            (u,) the data files; sizes that are not needed are not asked for.
        sizes_of
            Finds sizes of images, for rows of units.
        watch
            Told which stage is on.
        """

        def convert(rows: slice) -> Conversion:
            start = rows.start

            def sizes_of_part(part: Sequence[int]) -> Sequence[tuple[int, int] | None]:
                return sizes_of([start + row for row in part] if start else part)

            sizes = Sizes(self.image_sizes, sizes_of_part)
            return self._convert(blobs.part(rows), units.part(rows), sizes, watch)

        def give_up(row: int, why: Unread) -> Conversion:
            return self.give_up(units.key[row], units.sidecar[row], why)

        return fenced(convert, len(units), give_up, Conversion.joined)

    def give_up(self, key: str, sidecar: str, why: Unread) -> Conversion:
        """Return what becomes of a file that nothing is known of.

        Parameters
        ----------
        key, sidecar
            Of the data file and of its sidecar.
        why
            What its problem says.

        Raises
        ------
        SidecarError
            `on_row_error` is "stop".
        """
        problem = Problem(why.code, sidecar, why.detail)
        if self.on_row_error == OnRowError.STOP:
            raise SidecarError([problem], key)
        is_columns = self.target_format.is_columns
        return Conversion(
            [] if is_columns else [None],
            [problem],
            Tally(failed_files=1),
            np.zeros(1, dtype=bool),
            Counts.nothing(),
            Labels.none() if is_columns else None,
        )

    def _convert(
        self, blobs: Blobs, units: DataUnits, sizes: Sizes, watch: Stopwatch
    ) -> Conversion:
        output = self._output
        findings = BatchProblems()
        for unit, reason in blobs.unread.items():
            detail = reason.detail
            if reason.code is ProblemCode.FILE_TOO_LARGE and self.source_format.is_read_in_slices:
                detail += ": split it, or allow more (--max-label-bytes)"
            findings.fail(unit, Problem(reason.code, units.sidecar[unit], detail))
        batch = self._source.read(blobs, units, sizes, findings, watch)
        with watch.stage(Stage.CHECK):
            output.reject_unrepresentable(batch, sizes)
            written = settle(
                batch, self.on_row_error, classified=self.target_format.keeps_classifications
            )
        with watch.stage(Stage.WRITE):
            made = output.write(batch, written)
        with watch.stage(Stage.CHECK):
            return Conversion(
                made.texts,
                batch.findings.in_order(),
                batch.tally(written),
                written,
                batch.counts(),
                made.labels,
            )

    def convert_large(
        self,
        content: bytes,
        unit: DataUnits,
        sizes_of: SizesOf,
        slice_bytes: int = SLICE_BYTES,
    ) -> LargeConversion:
        """Convert one YOLO file slice by slice: the same as whole, in bounded memory.

        Parameters
        ----------
        content
            The file.
        unit
            The one data file.
        sizes_of
            As for `convert_blobs`.
        slice_bytes
            About how many bytes are worked on at once.
        """
        if not isinstance(self._source, YoloSource):
            raise TypeError("label rows are converted as a whole")  # a slice of JSON is no JSON
        file = LargeFile(self._source, self._output, self.on_row_error, content, unit, slice_bytes)
        return file.convert(Sizes(self.image_sizes, sizes_of))

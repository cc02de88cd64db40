"""Convert one large YOLO file slice by slice: the same result as of the whole, in bounded memory.

The columns of a file take 30 to 50 times its size, and its label row 30 times. So neither is ever
whole in memory: the stages go over the text slice by slice, several times::

    sizes        read, resolve                    decide whether the image's size is needed
    identities   read, resolve, assemble          one name and one line for each annotation, 12 bytes;
                                                  duplicates: rows identical to an earlier one
    count        read, resolve, assemble, check   problems and counts; decide whether to write the file
    pieces       all these, and write             each time that the label row is asked for

Reading again costs time, but for few files; keeping columns would cost 64 bytes for each row, and a
file on a disk that may be full. Identical rows become annotations together or not at all, so
problems of duplicates follow from annotations alone. If a file has more problems than are listed,
the problems of the first slices are.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
from msgspec import Struct, field
from msgspec.structs import replace

from labelingest.assembly.assemble import Assembled, assemble
from labelingest.columns.fingerprints import key_fingerprints, row_fingerprints
from labelingest.columns.types import Bool, Int32, Texts, UInt64
from labelingest.converter.batch import Batch, select_files
from labelingest.converter.conversion import Counts
from labelingest.converter.from_yolo import ResolvedRows, YoloSource
from labelingest.converter.image_sizes import SizeLookup
from labelingest.converter.non_images import fail_non_images
from labelingest.converter.options import ImageSizes, OnRowError
from labelingest.converter.outputs import Output
from labelingest.encord.identifiers import hash_texts, new_names, rename_duplicates
from labelingest.formats.format import Format
from labelingest.model.annotations import Annotations, Instances
from labelingest.model.batch_output import Labels, LargeLabels
from labelingest.model.class_counts import FileClasses
from labelingest.model.source_labels import SourceLabels
from labelingest.model.tally import Tally
from labelingest.model.units import DataUnits, are_images
from labelingest.problems import Problem, ProblemCode
from labelingest.problems.of_batch import BatchProblems, UnrecordedProblems
from labelingest.readers.yolo.read import read_sheet
from labelingest.readers.yolo.slices import MAX_COLUMNS, SLICE_BYTES, TooManyColumns, sheets
from labelingest.readers.yolo.tokens import text_of
from labelingest.writers.target import Written

__all__ = ["LargeConversion", "LargeFile"]

_CHUNK: Final = 1 << 17
"""Names that are worked on at a time: some megabytes of temporary arrays."""


class LargeConversion(Struct, frozen=True):
    """The result of one file."""

    problems: Sequence[Problem]
    row_tally: Tally
    """Counts of rows and of failed files, without the converted file."""
    counts: Counts
    """(1,) counts of what the file contains."""
    is_converted: Bool
    """(1,) whether the file has labels to be written."""
    large: LargeLabels

    @property
    def tally(self) -> Tally:
        """Counts of the file."""
        return Tally.sum((self.row_tally, self.counts.where(self.is_converted).tally()))


class _Totals(Batch, eq=False):
    """A batch of one file whose annotations are counted, not kept."""

    classes: FileClasses = field(default_factory=FileClasses.none)
    """Annotations by class."""

    def counts(self) -> Counts:
        count = np.array([self.classes.rows.sum()])
        return Counts(self.rows_seen, count, self.classifications)

    def final_counts(self) -> Counts:
        return replace(self.counts(), classes=self.classes)

    def keep(self, units: Bool) -> None:
        self.classes = self.classes.where(units)


class _Identities(Struct, frozen=True, eq=False):
    """Names and duplicates of all annotations of a file, in their order."""

    names: UInt64
    """(n,) object hashes as numbers."""
    duplicates: Int32
    """(d,) lines that are identical to an earlier one."""
    originals: Int32
    """(d,) the first identical line of each."""

    @classmethod
    def empty(cls) -> "_Identities":
        """Return the identities of a file that was not read yet."""
        nothing = np.zeros(0, dtype=np.int32)
        return cls(np.zeros(0, dtype=np.uint64), nothing, nothing)

    def same_as(self, labels: SourceLabels) -> Int32:
        """Return, for rows of the file, the line of the identical row before each; 0 for none."""
        if not len(self.duplicates):
            return np.zeros(len(labels), dtype=np.int32)
        nearest = np.searchsorted(self.duplicates, labels.line)
        nearest = np.minimum(nearest, len(self.duplicates) - 1)
        is_duplicate = self.duplicates[nearest] == labels.line
        return np.where(is_duplicate, self.originals[nearest], np.int32(0))


class LargeFile(Struct, eq=False):
    """Converts one large file."""

    source: YoloSource
    source_format: Format
    output: Output
    on_row_error: OnRowError
    content: bytes
    units: DataUnits
    """The one data unit."""
    slice_bytes: int = SLICE_BYTES
    most_columns: int = MAX_COLUMNS
    _not_text: str = ""
    """Why the content is no text; empty where it is text."""
    _too_long_rows: int = 0
    """Rows with more columns than are allowed, in the current reading."""

    def __post_init__(self) -> None:
        text = text_of(self.content)
        self.content, self._not_text = (b"", text) if isinstance(text, str) else (text, "")

    def convert(self, sizes: SizeLookup) -> LargeConversion:
        """Convert the file.

        Parameters
        ----------
        sizes
            Finds the size of the image, where it is needed.

        Raises
        ------
        SidecarError
            A row was rejected, and that stops the run.
        """
        units = sizes.add(sizes.add_all(self.units), self._needs_size(sizes))
        identities = self._find_identities(units)
        sized = self._with_size_for_output(units, sizes)
        problems = BatchProblems()
        if self._not_text:
            problems.fail(0, Problem(ProblemCode.NOT_TEXT, units.sidecar[0], self._not_text))
        sizes.warn_of_missing(units, problems)
        totals, output_counts = self._count(units, sized, identities, problems)
        fail_non_images(totals, self.source_format, self.output.format)
        is_converted = select_files(
            totals,
            self.on_row_error,
            keeps_classifications=self.output.format.keeps_classifications,
        )
        if is_converted[0]:
            totals.converted.update(output_counts.converted)
            totals.dropped.update(output_counts.dropped)
        return LargeConversion(
            problems=problems.in_order(),
            row_tally=totals.row_tally(is_converted),
            counts=totals.final_counts(),
            is_converted=is_converted,
            large=LargeLabels(
                lambda: self._pieces(units, sized, identities),
                lambda: self._parts(units, sized, identities),
            ),
        )

    def _needs_size(self, sizes: SizeLookup) -> Bool:
        """Return (1,) whether a row can become its shape only with the size of the image."""
        needed = False
        if sizes.policy != ImageSizes.NEVER and self.units.width[0] <= 0:
            slices = self._resolved(self.units, UnrecordedProblems())
            needed = any(self.source.sizes_needed(part, self.units)[0] for part in slices)
        return np.array([needed])

    def _with_size_for_output(self, units: DataUnits, sizes: SizeLookup) -> DataUnits:
        """Return the data unit with its size, where the output needs it."""
        if not self.output.format.is_of_images or units.width[0] > 0:
            return units
        target, options = self.output.target, self.output.options
        # Some formats need the size of every image, with or without annotations.
        needed = target.sizes_needed(Annotations.none(), units, options)
        if not needed[0] and are_images(units)[0]:
            slices = self._assembled(units, UnrecordedProblems())
            annotations = (part.annotations for _, part in slices)
            needed[0] = any(target.sizes_needed(a, units, options)[0] for a in annotations)
        return sizes.add(units, needed)

    def _resolved(self, units: DataUnits, problems: BatchProblems) -> Iterator[ResolvedRows]:
        """Read and resolve slice by slice."""
        self._too_long_rows = 0
        for sheet in sheets(self.content, self.slice_bytes, self.most_columns):
            if isinstance(sheet, TooManyColumns):
                self._reject(sheet, problems)
                continue
            rows = read_sheet(sheet, units, self.source.yolo, problems)
            yield self.source.resolve(rows, units, problems)

    def _reject(self, row: TooManyColumns, problems: BatchProblems) -> None:
        self._too_long_rows += 1
        code = ProblemCode.WRONG_COLUMN_COUNT
        detail = f"more than {self.most_columns:,} columns, the most that one row may have"
        if problems.has_room(0, code):
            source = self.units.sidecar[0]
            problems.reject(0, Problem(code, source, detail, line=row.line, column=row.column))
        else:
            problems.count_rejected(0, code)

    def _assembled(
        self, units: DataUnits, problems: BatchProblems, identities: "_Identities | None" = None
    ) -> Iterator[tuple[ResolvedRows, Assembled]]:
        """Read, resolve and assemble slice by slice; without identities, nothing is a duplicate."""
        identities = identities or _Identities.empty()
        objects, options = self.source.ontology.objects, self.source.assembly
        for part in self._resolved(units, problems):
            same_as = identities.same_as(part.labels)
            assembled = assemble(
                part.labels, part.feature, objects, units, options, problems, same_as
            )
            yield part, assembled

    def _find_identities(self, units: DataUnits) -> "_Identities":
        """Find the duplicates, and name all annotations."""
        from secrets import randbits

        secret = randbits(62)
        lines, contents, keys = [], [], []
        for (_, labels, _), assembled in self._assembled(units, UnrecordedProblems()):
            annotations = assembled.annotations
            rows = np.searchsorted(labels.line, annotations.line)
            begin, count = labels.first[rows], labels.columns[rows]
            lines.append(annotations.line)
            contents.append(annotations.content)
            keys.append(row_fingerprints(labels.values, begin, count, secret))
        line = _concatenate(lines, np.int32)
        content = _concatenate(contents, np.uint64)
        originals = _originals(_concatenate(keys, np.uint64), content, line)
        is_duplicate = originals > 0
        duplicates, originals = line[is_duplicate], originals[is_duplicate]
        if self.source.assembly.drop_duplicates:
            line, content = line[~is_duplicate], content[~is_duplicate]
        key = key_fingerprints(units.key)
        for start in range(0, len(line), _CHUNK):
            part = slice(start, start + _CHUNK)
            content[part] = new_names(key, line[part], content[part])
        rename_duplicates(content)
        return _Identities(content, duplicates, originals)

    def _count(
        self, units: DataUnits, sized: DataUnits, identities: "_Identities", problems: BatchProblems
    ) -> tuple["_Totals", Written]:
        """Find the problems and count; return apart what writing counts."""
        seen = 0
        nothing = np.zeros(1, dtype=np.int64)
        totals = _Totals(sized, Annotations.none(), problems, nothing, nothing)
        format, total = self.output.format, Written()
        is_written = not format.is_of_images or bool(are_images(sized)[0])
        for part, assembled in self._assembled(units, problems, identities):
            seen += int(part.rows.rows_seen[0])
            totals.dropped.update(part.rows.dropped)
            totals.converted.update(assembled.converted)
            totals.adjusted.update(assembled.adjusted)
            totals.refitted.merge(assembled.refitted)
            annotations = self._representable(assembled.annotations, sized, problems)
            totals.classes = totals.classes.plus(self.source.class_keys(part).count(annotations))
            totals.numbers.merge(self.source.count_numbers(part, units), same_file=True)
            # Label rows keep everything, so writing them counts nothing.
            if is_written and not format.keeps_classifications:
                part_output = self.output.target.write(annotations, sized, self.output.options)
                total.converted.update(part_output.converted)
                total.dropped.update(part_output.dropped)
        seen += self._too_long_rows
        totals.rows_seen = np.array([seen])
        return totals, total

    def _representable(
        self, annotations: Annotations, sized: DataUnits, problems: BatchProblems
    ) -> Annotations:
        """Return the annotations that the format has a place for; reject the others."""
        if self.output.format.is_of_images and not are_images(sized)[0]:
            return annotations
        return self.output.representable(annotations, sized, problems)

    def _named(
        self, units: DataUnits, sized: DataUnits, identities: "_Identities"
    ) -> Iterator[tuple[Annotations, Texts]]:
        """Yield the annotations that are written, with their object hashes."""
        start = 0
        for _, assembled in self._assembled(units, UnrecordedProblems(), identities):
            names = identities.names[start : start + len(assembled.annotations)]
            start += len(names)
            annotations = self._representable(assembled.annotations, sized, UnrecordedProblems())
            yield annotations, hash_texts(names)

    def _pieces(
        self, units: DataUnits, sized: DataUnits, identities: "_Identities"
    ) -> Iterator[bytes]:
        """Yield the label row, or the label file, piece by piece."""
        named = self._named(units, sized, identities)
        starts = range(0, len(identities.names), _CHUNK)
        hashes = (hash_texts(identities.names[start : start + _CHUNK]) for start in starts)
        yield from self.output.target.write_pieces(sized, self.output.options, hashes, named)

    def _parts(
        self, units: DataUnits, sized: DataUnits, identities: "_Identities"
    ) -> Iterator[Labels]:
        """Yield the columns part by part, the first without annotations."""
        yield Labels(sized, Annotations.none())
        for annotations, texts in self._named(units, sized, identities):
            if len(annotations):
                frame = np.zeros(len(annotations), dtype=np.int32)
                hashes = [text.decode() for text in texts.tolist()]
                yield Labels(sized, replace(annotations, instances=Instances(hashes, frame)))


def _concatenate(columns: list[Any], kind: type) -> Any:
    """Return columns as one, and empty the list to free their memory."""
    joined = np.concatenate([np.zeros(0, dtype=kind), *columns])
    columns.clear()
    return joined


def _originals(key: UInt64, content: UInt64, line: Int32) -> Int32:
    """Return (n,) the line of the first row identical to each; 0 for first rows themselves.

    Two fingerprints have to agree, and the author of the rows cannot foresee one of them.
    """
    originals = np.zeros(len(key), dtype=np.int32)
    order = np.argsort(key, kind="stable").astype(np.int32)
    is_first = np.ones(len(key), dtype=bool)
    for start in range(1, len(key), _CHUNK):
        end = min(start + _CHUNK, len(key))
        is_first[start:end] = key[order[start:end]] != key[order[start - 1 : end - 1]]
    first = np.flatnonzero(is_first).astype(np.int32)
    later = np.flatnonzero(~is_first).astype(np.int32)
    for start in range(0, len(later), _CHUNK):
        positions = later[start : start + _CHUNK]
        group = np.searchsorted(first, positions, side="right") - 1
        row, original = order[positions], order[first[group]]
        same = content[row] == content[original]
        originals[row[same]] = line[original[same]]
    return originals

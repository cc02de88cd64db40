"""One large YOLO file → its labels, slice by slice: the same as of the whole, in bounded memory.

What a file is made into takes 30 to 50 times its size, and its label row 30 times. So neither is ever
whole in memory: the stages go over the text slice by slice, several times::

    sizes    read, resolve                    whether the image's size is needed at all
    scan     read, resolve, assemble          one name and one line for each annotation, 12 bytes;
                                              with them, which rows are the same as an earlier one
    books    read, resolve, assemble, check   problems and counts; whether the file is written
    pieces   the same, and write              as often as they are asked for

Reading again costs time, but for few files; keeping columns would cost 64 bytes for each row, and a
file on a disk that may be full. Equal rows have one fate, so that what is said of duplicates follows
from annotations alone. Of more problems than are listed, those of the first slices are.
"""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from labelingest.assembly.assemble import Assembled, assemble, sizes_needed
from labelingest.columns.fingerprints import key_fingerprints, row_fingerprints
from labelingest.columns.types import Bool, Int32, Texts, UInt64
from labelingest.converter.batch import Batch, settle
from labelingest.converter.from_yolo import YoloSource
from labelingest.converter.image_sizes import Sizes
from labelingest.converter.options import Counts, ImageSizes
from labelingest.converter.outputs import Output, fail_others
from labelingest.encord.identifiers import hash_texts, new_names, rename_duplicates
from labelingest.model.annotations import Annotations, Instances
from labelingest.model.batch_output import Labels, LargeLabels
from labelingest.model.source_labels import SourceLabels
from labelingest.model.tally import Tally
from labelingest.model.units import DataUnits, are_images
from labelingest.problems import Problem, ProblemCode
from labelingest.problems.of_batch import BatchProblems, UnrecordedProblems
from labelingest.readers.yolo.read import read_sheet
from labelingest.readers.yolo.rows import ReadResult
from labelingest.readers.yolo.slices import MAX_COLUMNS, SLICE_BYTES, TooManyColumns, sheets
from labelingest.readers.yolo.tokens import text_of
from labelingest.resolution.resolve import resolve
from labelingest.writers.target import Written

__all__ = ["LargeConversion", "LargeFile"]

_AT_ONCE: Final = 1 << 17
"""Names that are worked on at once."""


@dataclass(frozen=True, slots=True)
class LargeConversion:
    """What became of a file."""

    problems: Sequence[Problem]
    tally: Tally
    counts: Counts
    """(1,)"""
    written: Bool
    """(1,) whether there are labels to be written."""
    large: LargeLabels


@dataclass(slots=True, eq=False)
class _Totals(Batch):
    """A batch of one file whose annotations are counted, not kept."""

    annotation_count: int = 0

    def counts(self) -> Counts:
        return Counts(self.rows_seen, np.array([self.annotation_count]), self.classifications)

    def keep(self, units: Bool) -> None:
        self.annotation_count *= int(units[0])


@dataclass(frozen=True, slots=True, eq=False)
class _Scan:
    """What is known of all annotations of a file, in their order."""

    names: UInt64
    """(n,) object hashes as numbers."""
    duplicates: Int32
    """(d,) lines that are the same as an earlier one."""
    originals: Int32
    """(d,) the first such line of each."""

    @classmethod
    def of_nothing(cls) -> "_Scan":
        """Return what is known before a file was looked at."""
        nothing = np.zeros(0, dtype=np.int32)
        return cls(np.zeros(0, dtype=np.uint64), nothing, nothing)

    def same_as(self, labels: SourceLabels) -> Int32:
        """Return, for rows of the file, the line of the identical row before each; 0 for none."""
        if not len(self.duplicates):
            return np.zeros(len(labels), dtype=np.int32)
        at = np.minimum(np.searchsorted(self.duplicates, labels.line), len(self.duplicates) - 1)
        return np.where(self.duplicates[at] == labels.line, self.originals[at], np.int32(0))


@dataclass(slots=True, eq=False)
class LargeFile:
    """Converts one file."""

    source: YoloSource
    output: Output
    on_row_error: str
    content: bytes
    units: DataUnits
    """The one data unit."""
    slice_bytes: int = SLICE_BYTES
    most_columns: int = MAX_COLUMNS
    _reason: str = field(default="", init=False)
    """Why it is no text."""
    _too_many: int = field(default=0, init=False)
    """Rows with more columns than any may have, of those read this time."""

    def __post_init__(self) -> None:
        text = text_of(self.content)
        self.content, self._reason = (b"", text) if isinstance(text, str) else (text, "")

    def convert(self, sizes: Sizes) -> LargeConversion:
        """Convert it.

        Parameters
        ----------
        sizes
            Finds the size of its image, where that is needed.

        Raises
        ------
        SidecarError
            A row was rejected, and that is to stop the run.
        """
        units = sizes.of(sizes.of_all(self.units), self._needs_size(sizes))
        scan = self._scan(units)
        sized = self._sized(units, sizes)
        findings = BatchProblems()
        if self._reason:
            findings.fail(0, Problem(ProblemCode.NOT_TEXT, units.sidecar[0], self._reason))
        sizes.note_missing(units, findings)
        totals, changes = self._books(units, sized, scan, findings)
        format = self.output.format
        if format.is_of_images:
            fail_others(totals, format.title)
        written = settle(totals, self.on_row_error, classified=format.keeps_classifications)
        if written[0]:
            totals.converted.update(changes.converted)
            totals.dropped.update(changes.dropped)
        return LargeConversion(
            findings.in_order(),
            totals.tally(written),
            totals.counts(),
            written,
            LargeLabels(
                lambda: self._pieces(units, sized, scan), lambda: self._parts(units, sized, scan)
            ),
        )

    def _needs_size(self, sizes: Sizes) -> Bool:
        """Return (1,) whether a row can become its shape only with the size of the image."""
        objects = self.source.ontology.objects
        needed = False
        if sizes.policy != ImageSizes.NEVER and self.units.width[0] <= 0:
            slices = self._labels(self.units, UnrecordedProblems())
            needed = any(sizes_needed(*of_slice[1:], objects).any() for of_slice in slices)
        return np.array([needed])

    def _sized(self, units: DataUnits, sizes: Sizes) -> DataUnits:
        """Return the data unit with its size, where the output needs it."""
        if not self.output.format.is_of_images or units.width[0] > 0:
            return units
        target, options = self.output.target, self.output.options
        # Some formats need the size of every image, whatever is drawn on it.
        needed = target.sizes_needed(Annotations.none(), units, options)
        if not needed[0] and are_images(units)[0]:
            slices = self._assembled(units, UnrecordedProblems())
            annotations = (made.annotations for _, _, made in slices)
            needed[0] = any(target.sizes_needed(a, units, options)[0] for a in annotations)
        return sizes.of(units, needed)

    def _labels(
        self, units: DataUnits, findings: BatchProblems
    ) -> Iterator[tuple[ReadResult, SourceLabels, Int32]]:
        """Read and resolve slice by slice."""
        self._too_many = 0
        for sheet in sheets(self.content, self.slice_bytes, self.most_columns):
            if isinstance(sheet, TooManyColumns):
                self._reject(sheet, findings)
                continue
            result = read_sheet(sheet, units, self.source.yolo, findings)
            yield result, *resolve(result.labels, self.source.class_map, units, findings)

    def _reject(self, row: TooManyColumns, findings: BatchProblems) -> None:
        self._too_many += 1
        code = ProblemCode.WRONG_COLUMN_COUNT
        detail = f"more than {self.most_columns:,} columns, the most that one row may have"
        if findings.has_room(0, code):
            source = self.units.sidecar[0]
            findings.reject(0, Problem(code, source, detail, line=row.line, column=row.column))
        else:
            findings.count_rejected(0, code)

    def _assembled(
        self, units: DataUnits, findings: BatchProblems, scan: "_Scan | None" = None
    ) -> Iterator[tuple[ReadResult, SourceLabels, Assembled]]:
        """Read, resolve and assemble slice by slice; without a scan, nothing is a duplicate."""
        scan = scan or _Scan.of_nothing()
        objects, options = self.source.ontology.objects, self.source.assembly
        for result, labels, feature in self._labels(units, findings):
            same_as = scan.same_as(labels)
            made = assemble(labels, feature, objects, units, options, findings, same_as)
            yield result, labels, made

    def _scan(self, units: DataUnits) -> "_Scan":
        """Find the duplicates, and name all annotations."""
        secret = secrets.randbits(62)
        lines, contents, keys = [], [], []
        for _, labels, made in self._assembled(units, UnrecordedProblems()):
            rows = np.searchsorted(labels.line, made.annotations.line)
            begin, count = labels.class_at[rows], labels.columns[rows]
            lines.append(made.annotations.line)
            contents.append(made.annotations.content)
            keys.append(row_fingerprints(labels.values, begin, count, secret))
        line = _end_to_end(lines, np.int32)
        content = _end_to_end(contents, np.uint64)
        originals = _originals(_end_to_end(keys, np.uint64), content, line)
        again = originals > 0
        duplicates, originals = line[again], originals[again]
        if self.source.assembly.drop_duplicates:
            line, content = line[~again], content[~again]
        key = key_fingerprints(units.key)
        for at in range(0, len(line), _AT_ONCE):
            part = slice(at, at + _AT_ONCE)
            content[part] = new_names(key, line[part], content[part])
        rename_duplicates(content)
        return _Scan(content, duplicates, originals)

    def _books(
        self, units: DataUnits, sized: DataUnits, scan: "_Scan", findings: BatchProblems
    ) -> tuple["_Totals", Written]:
        """Find the problems and count; return what writing YOLO counts apart."""
        seen = count = 0
        nothing = np.zeros(1, dtype=np.int64)
        totals = _Totals(sized, Annotations.none(), findings, nothing, nothing)
        format, changes = self.output.format, Written()
        is_written = not format.is_of_images or bool(are_images(sized)[0])
        for result, _, made in self._assembled(units, findings, scan):
            seen += int(result.rows_seen[0])
            totals.dropped.update(changes.dropped)
            totals.converted.update(made.converted)
            totals.adjusted.update(made.adjusted)
            totals.refitted.merge(made.refitted)
            annotations = self._sayable(made.annotations, sized, findings)
            count += len(annotations)
            # Label rows keep everything: nothing is to be counted.
            if is_written and not format.keeps_classifications:
                part = self.output.target.write(annotations, sized, self.output.options)
                changes.converted.update(part.converted)
                changes.dropped.update(part.dropped)
        seen += self._too_many
        totals.rows_seen, totals.annotation_count = np.array([seen]), count
        return totals, changes

    def _sayable(
        self, annotations: Annotations, sized: DataUnits, findings: BatchProblems
    ) -> Annotations:
        """Return the annotations that the format has a place for."""
        if self.output.format.is_of_images and not are_images(sized)[0]:
            return annotations
        return self.output.representable(annotations, sized, findings)

    def _written(
        self, units: DataUnits, sized: DataUnits, scan: "_Scan"
    ) -> Iterator[tuple[Annotations, Texts]]:
        """Yield the annotations that are written, with their object hashes."""
        at = 0
        for _, _, made in self._assembled(units, UnrecordedProblems(), scan):
            names = scan.names[at : at + len(made.annotations)]
            at += len(names)
            yield self._sayable(made.annotations, sized, UnrecordedProblems()), hash_texts(names)

    def _pieces(self, units: DataUnits, sized: DataUnits, scan: "_Scan") -> Iterator[bytes]:
        """Yield the label row, or the label file, piece by piece."""
        written = self._written(units, sized, scan)
        places = range(0, len(scan.names), _AT_ONCE)
        hashes = (hash_texts(scan.names[at : at + _AT_ONCE]) for at in places)
        yield from self.output.target.write_pieces(sized, self.output.options, hashes, written)

    def _parts(self, units: DataUnits, sized: DataUnits, scan: "_Scan") -> Iterator[Labels]:
        """Yield the columns part by part, the first without annotations."""
        yield Labels(sized, Annotations.none())
        for annotations, texts in self._written(units, sized, scan):
            if len(annotations):
                frame = np.zeros(len(annotations), dtype=np.int32)
                hashes = [text.decode() for text in texts.tolist()]
                yield Labels(sized, replace(annotations, instances=Instances(hashes, frame)))


def _end_to_end(columns: list[Any], kind: type) -> Any:
    """Return columns as one, and forget them."""
    joined = np.concatenate([np.zeros(0, dtype=kind), *columns])
    columns.clear()
    return joined


def _originals(key: UInt64, content: UInt64, line: Int32) -> Int32:
    """Return (n,) the line of the first row that is the same as each; 0 where it is itself the first.

    Two fingerprints have to agree, one of which cannot be foreseen by who wrote the rows.
    """
    originals = np.zeros(len(key), dtype=np.int32)
    order = np.argsort(key, kind="stable").astype(np.int32)
    begins = np.ones(len(key), dtype=bool)
    for at in range(1, len(key), _AT_ONCE):
        end = min(at + _AT_ONCE, len(key))
        begins[at:end] = key[order[at:end]] != key[order[at - 1 : end - 1]]
    first = np.flatnonzero(begins).astype(np.int32)
    again = np.flatnonzero(~begins).astype(np.int32)
    for at in range(0, len(again), _AT_ONCE):
        places = again[at : at + _AT_ONCE]
        group = np.searchsorted(first, places, side="right") - 1
        row, original = order[places], order[first[group]]
        same = content[row] == content[original]
        originals[row[same]] = line[original[same]]
    return originals

"""A batch of Encord sidecars → clean label rows, their annotations in columns, and what was wrong.

Sidecars are nearly always clean label rows of images, so they are decoded as such (`typed/schema.py`); what
that cannot tell is asked of all of them at once (`typed/label_rows.py`). Where some are not clean, they are
divided until those that are not stand alone; these are read by `explain/label_row.py`, which explains. What is returned is the same on both paths.
"""

import gc
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, groupby
from math import isqrt
from typing import Final

import msgspec
import numpy as np

from labelingest.columns.types import Int32, Int64
from labelingest.documents.decode import LARGE_BYTES
from labelingest.documents.value_count import too_many_values
from labelingest.encord.typed_rows import ImageRow, LabelRow
from labelingest.model.annotations import Annotations, Instances
from labelingest.model.vocabulary import Vocabulary
from labelingest.problems import Problem, ProblemCode
from labelingest.readers.encord.columns import columns_of
from labelingest.readers.encord.data_file import DataFile
from labelingest.readers.encord.explain.label_row import read_label_row
from labelingest.readers.encord.explain.rules import (
    are_clean_answers,
    are_types_of_files,
    clean_payloads,
)
from labelingest.readers.encord.typed.label_rows import CleanObjects, clean_rows
from labelingest.readers.encord.typed.rules import Rules
from labelingest.readers.encord.typed.schema import RowSchema, schema_from_vocabulary

__all__ = ["SidecarBatch", "read_sidecars"]

_RULES: Final = Rules(are_clean_answers, clean_payloads, are_types_of_files)
_FEW: Final = 8
"""So few rows are looked at one by one when one of them is not clean."""


@dataclass(frozen=True, slots=True, eq=False)
class SidecarBatch:
    """What was read from a batch of sidecars."""

    rows: Sequence[LabelRow | None]
    """(u,) label rows as every reader takes them; None where a sidecar is none."""
    annotations: Annotations
    """The objects of all rows."""
    problems: Sequence[Sequence[Problem]]
    """(u,) what was wrong with each."""
    objects_seen: Int64
    """(u,) annotations; an object counts once for each of its frames."""
    classifications_seen: Int64
    """(u,)"""
    classifications_kept: Int64
    """(u,)"""
    rejected: Counter[ProblemCode]
    """Objects and classifications that were not kept, by cause."""


def read_sidecars(
    contents: Sequence[bytes],
    sources: Sequence[str],
    files: Sequence[DataFile],
    vocabulary: Vocabulary,
    features: Mapping[str, int],
) -> SidecarBatch:
    """Read a batch.

    Parameters
    ----------
    contents
        (u,) the sidecars as stored.
    sources
        (u,) their keys, as problems name them.
    files
        (u,) the data files that they stand beside.
    vocabulary
        What labels may refer to.
    features
        Feature hash → row in `Ontology.objects`, for all objects of the vocabulary.

    Examples
    --------
    >>> vocabulary = Vocabulary.from_structure({"objects": [], "classifications": []})
    >>> batch = read_sidecars([b"[]"], ["a.jpg.encord.json"], [DataFile.from_key("a.jpg")], vocabulary, {})
    >>> batch.rows, batch.problems[0][0].code.value
    ([None], 'not-a-label-row')
    """
    reading = _Reading(contents, sources, files, vocabulary, features)
    with _without_collection():
        return _joined(list(reading.batches()))


@dataclass(frozen=True, slots=True, eq=False)
class _Reading:
    """What `read_sidecars` is given."""

    contents: Sequence[bytes]
    sources: Sequence[str]
    files: Sequence[DataFile]
    vocabulary: Vocabulary
    features: Mapping[str, int]

    def batches(self) -> Iterator[SidecarBatch]:
        """Yield one batch after the other: as many clean ones together as there are."""
        schema = schema_from_vocabulary(self.vocabulary, _RULES)
        documents = [_decoded(content, schema) for content in self.contents]
        feature = np.array(
            [self.features[object_class.feature_hash] for object_class in schema.objects],
            dtype=np.int32,
        )
        rejected = slice(0, 0)
        for rows in _runs(documents):
            for part, clean in self._parts(documents, rows, schema):
                if clean is None:
                    # Those that follow each other are read together.
                    follows = rejected.stop == part.start
                    rejected = slice(rejected.start if follows else part.start, part.stop)
                    continue
                if rejected.start < rejected.stop:
                    yield self._explained(rejected)
                rejected = slice(part.stop, part.stop)
                yield _of_clean(documents[part], clean, feature)
        if rejected.start < rejected.stop or not documents:
            yield self._explained(rejected)

    def _parts(
        self, documents: Sequence[ImageRow | None], rows: slice, schema: RowSchema
    ) -> Iterator[tuple[slice, CleanObjects | None]]:
        """Yield parts of the rows that are clean together, or such that are not."""
        count = rows.stop - rows.start
        decoded = [row for row in documents[rows] if row is not None]
        if len(decoded) < count:
            yield rows, None
            return
        clean = clean_rows(decoded, self.contents[rows], self.files[rows], schema)
        if isinstance(clean, CleanObjects):
            yield rows, clean
        elif count == 1:
            yield rows, None
        else:
            for part, suspected in _divided(rows, clean):
                if suspected:
                    yield part, None
                else:
                    yield from self._parts(documents, part, schema)

    def _explained(self, rows: slice) -> SidecarBatch:
        """Return what the general path says of some sidecars."""
        read = [
            read_label_row(content, source, self.vocabulary, file)
            for content, source, file in zip(
                self.contents[rows], self.sources[rows], self.files[rows], strict=True
            )
        ]
        label_rows = [checked.row for checked in read]
        return SidecarBatch(
            rows=label_rows,
            annotations=columns_of(label_rows, self.features),
            problems=[checked.problems for checked in read],
            objects_seen=_counts(checked.objects_seen for checked in read),
            classifications_seen=_counts(checked.classifications_seen for checked in read),
            classifications_kept=_counts(checked.classifications_kept for checked in read),
            rejected=sum((checked.rejected for checked in read), Counter()),
        )


def _divided(rows: slice, suspects: frozenset[int]) -> Iterator[tuple[slice, bool]]:
    """Yield smaller parts of rows, and whether one is suspected not to be clean.

    Around suspects, by their positions in the rows, where there are any; else of equal size.
    """
    if not suspects:
        count = rows.stop - rows.start
        size = isqrt(count - 1) + 1 if count > _FEW else 1
        for start in range(rows.start, rows.stop, size):
            yield slice(start, min(start + size, rows.stop)), False
        return
    start = rows.start
    for row in sorted(rows.start + suspect for suspect in suspects):
        if start < row:
            yield slice(start, row), False
        yield slice(row, row + 1), True
        start = row + 1
    if start < rows.stop:
        yield slice(start, rows.stop), False


def _decoded(content: bytes, schema: RowSchema) -> ImageRow | None:
    """Return a label row of an image; None for what the general path has to look at."""
    if len(content) > LARGE_BYTES or too_many_values(content):
        return None
    try:
        return schema.decoder.decode(content)
    # What is no UTF-8 is a ValueError, and what is nested too deep a RecursionError.
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _runs(documents: Sequence[ImageRow | None]) -> Iterator[slice]:
    """Yield runs of documents that were decoded, and of those that were not."""
    start = 0
    for _, run in groupby(document is None for document in documents):
        stop = start + len(list(run))
        yield slice(start, stop)
        start = stop


def _of_clean(
    documents: Sequence[ImageRow | None], objects: CleanObjects, feature: Int32
) -> SidecarBatch:
    """Return the batch of clean rows; feature has the row in the ontology of each known class."""
    rows = [row for row in documents if row is not None]
    u, n = len(rows), len(objects.unit)
    classifications = np.array([len(row.classification_answers) for row in rows], dtype=np.int64)
    payloads = objects.payloads
    annotations = Annotations(
        unit=objects.unit.astype(np.int32),
        feature=feature[objects.object_class],
        line=np.zeros(n, dtype=np.int32),
        confidence=objects.confidence,
        coordinates=payloads.numbers,
        offsets=np.concatenate((np.zeros(1, np.int64), np.cumsum(payloads.lengths))),
        content=np.zeros(n, dtype=np.uint64),
        instances=Instances(objects.hashes, np.zeros(n, dtype=np.int32), payloads.parts),
    )
    return SidecarBatch(
        rows=rows,
        annotations=annotations,
        problems=[()] * u,
        objects_seen=np.bincount(objects.unit, minlength=u),
        classifications_seen=classifications,
        classifications_kept=classifications,
        rejected=Counter(),
    )


def _counts(counts: Iterable[int]) -> Int64:
    return np.array(list(counts), dtype=np.int64)


def _joined(batches: Sequence[SidecarBatch]) -> SidecarBatch:
    """Return batches as one."""
    if len(batches) == 1:
        return batches[0]
    return SidecarBatch(
        rows=list(chain.from_iterable(batch.rows for batch in batches)),
        annotations=Annotations.joined(
            [batch.annotations for batch in batches], [len(batch.rows) for batch in batches]
        ),
        problems=list(chain.from_iterable(batch.problems for batch in batches)),
        objects_seen=np.concatenate([batch.objects_seen for batch in batches]),
        classifications_seen=np.concatenate([batch.classifications_seen for batch in batches]),
        classifications_kept=np.concatenate([batch.classifications_kept for batch in batches]),
        rejected=sum((batch.rejected for batch in batches), Counter()),
    )


@contextmanager
def _without_collection() -> Iterator[None]:
    """Keep Python from looking for cycles meanwhile: decoded JSON has none.

    The lists and columns that are made of it would be walked through again and again.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()

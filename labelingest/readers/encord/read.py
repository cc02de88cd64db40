"""Batches of Encord sidecars → clean label rows, their annotations in columns, and problems.

Nearly all sidecars are clean label rows of images. The typed path decodes and checks those, many at
once. It accepts or rejects rows together: the rejected ones are divided until each stands alone,
and the explaining path reads them. Both paths return the same for the same sidecar.
"""

import gc
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, groupby
from math import isqrt
from typing import Final

import msgspec
import numpy as np
from msgspec import Struct, field

from labelingest.columns.types import Int32, Int64
from labelingest.documents.decode import LARGE_BYTES
from labelingest.documents.value_count import too_many_values
from labelingest.encord.typed_rows import ImageRow, LabelRow, size_of
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
"""Functions of the explaining path that the typed path calls where types do not suffice."""
_FEW: Final = 8
"""Up to this many rows, rows that are rejected together are tried one by one."""


class SidecarBatch(Struct, frozen=True, eq=False):
    """Label rows of a batch of sidecars, their annotations and problems."""

    rows: Sequence[LabelRow | None]
    """(u,) label rows as every reader takes them; None for a sidecar that is no label row."""
    annotations: Annotations
    """Objects of all rows."""
    problems: Sequence[Sequence[Problem]]
    """(u,) problems of each sidecar."""
    objects_seen: Int64
    """(u,) annotations of each sidecar; an object counts once for each of its frames."""
    classifications_seen: Int64
    """(u,) classifications of each sidecar."""
    classifications_kept: Int64
    """(u,) classifications of each label row."""
    sizes: Int64
    """(u, 2) width and height in each label row; 0 where they are missing, or no image has them."""
    rejected: Counter[ProblemCode]
    """Cause → objects and classifications that were dropped."""
    bases: Mapping[str, str] = field(default_factory=dict)
    """Data file → JSON pointer of its label row, for sidecars that hold a list."""


def read_sidecars(
    contents: Sequence[bytes],
    sources: Sequence[str],
    files: Sequence[DataFile],
    vocabulary: Vocabulary,
    features: Mapping[str, int],
) -> SidecarBatch:
    """Read a batch of sidecars.

    Parameters
    ----------
    contents
        (u,) the sidecars as stored.
    sources
        (u,) keys of the sidecars, as problems name them.
    files
        (u,) data files of the sidecars.
    vocabulary
        Classes, attributes and options that labels may refer to.
    features
        Feature hash → row in `Ontology.objects`, for all objects of the vocabulary.

    Examples
    --------
    >>> vocabulary = Vocabulary.from_structure({"objects": [], "classifications": []})
    >>> file = DataFile.from_key("a.jpg")
    >>> batch = read_sidecars([b"1"], ["a.jpg.encord.json"], [file], vocabulary, {})
    >>> batch.rows, batch.problems[0][0].code.value
    ([None], 'not-a-label-row')
    """
    reading = _Reading(contents, sources, files, vocabulary, features)
    with _without_garbage_collection():
        return _join(list(reading.batches()))


class _Reading(Struct, frozen=True, eq=False):
    """Arguments of `read_sidecars`."""

    contents: Sequence[bytes]
    sources: Sequence[str]
    files: Sequence[DataFile]
    vocabulary: Vocabulary
    features: Mapping[str, int]

    def batches(self) -> Iterator[SidecarBatch]:
        """Yield the batch in parts: each as many clean rows as possible, or rows to explain."""
        schema = schema_from_vocabulary(self.vocabulary, _RULES)
        documents = [_decode(content, schema) for content in self.contents]
        feature = np.array(
            [self.features[object_class.feature_hash] for object_class in schema.objects],
            dtype=np.int32,
        )
        rejected = slice(0, 0)
        for rows in _runs(documents):
            for part, clean in self._parts(documents, rows, schema):
                if clean is None:
                    # Rejected rows that follow each other are read together.
                    follows = rejected.stop == part.start
                    rejected = slice(rejected.start if follows else part.start, part.stop)
                    continue
                if rejected.start < rejected.stop:
                    yield self._explain(rejected)
                rejected = slice(part.stop, part.stop)
                yield _batch_of_clean(documents[part], clean, feature)
        if rejected.start < rejected.stop or not documents:
            yield self._explain(rejected)

    def _parts(
        self, documents: Sequence[ImageRow | None], rows: slice, schema: RowSchema
    ) -> Iterator[tuple[slice, CleanObjects | None]]:
        """Yield parts of the rows, each with its objects; None for rows that are not clean."""
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
            for part, suspected in _divide(rows, clean):
                if suspected:
                    yield part, None
                else:
                    yield from self._parts(documents, part, schema)

    def _explain(self, rows: slice) -> SidecarBatch:
        """Return sidecars as the explaining path reads them."""
        sidecars = [
            read_label_row(content, source, self.vocabulary, file)
            for content, source, file in zip(
                self.contents[rows], self.sources[rows], self.files[rows], strict=True
            )
        ]
        label_rows = [sidecar.row for sidecar in sidecars]
        return SidecarBatch(
            rows=label_rows,
            annotations=columns_of(label_rows, self.features),
            problems=[sidecar.problems for sidecar in sidecars],
            objects_seen=_counts(sidecar.objects_seen for sidecar in sidecars),
            classifications_seen=_counts(sidecar.classifications_seen for sidecar in sidecars),
            classifications_kept=_counts(sidecar.classifications_kept for sidecar in sidecars),
            sizes=np.array([_size_of(row) for row in label_rows], dtype=np.int64).reshape(-1, 2),
            rejected=sum((sidecar.rejected for sidecar in sidecars), Counter()),
            bases={
                file.key: sidecar.base
                for file, sidecar in zip(self.files[rows], sidecars, strict=True)
                if sidecar.base
            },
        )


def _divide(rows: slice, suspects: frozenset[int]) -> Iterator[tuple[slice, bool]]:
    """Yield smaller parts of rejected rows, and whether a part is a suspect.

    Suspects, by their positions in the rows, are parts of their own. Without suspects, the parts
    are of equal size.
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


def _decode(content: bytes, schema: RowSchema) -> ImageRow | None:
    """Return a label row of an image; None for a sidecar that is left to the explaining path."""
    if len(content) > LARGE_BYTES or too_many_values(content):
        return None
    try:
        return schema.decoder.decode(content)
    # Text that is not UTF-8 is a ValueError, and too deep a nesting a RecursionError.
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _runs(documents: Sequence[ImageRow | None]) -> Iterator[slice]:
    """Yield runs of documents that are all decoded, or all not."""
    start = 0
    for _, run in groupby(document is None for document in documents):
        stop = start + len(list(run))
        yield slice(start, stop)
        start = stop


def _batch_of_clean(
    documents: Sequence[ImageRow | None], objects: CleanObjects, feature: Int32
) -> SidecarBatch:
    """Return the batch of clean rows; feature has the ontology's row of each class, (o,)."""
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
        sizes=objects.sizes,
        rejected=Counter(),
    )


def _size_of(row: LabelRow | None) -> tuple[int, int]:
    sides = (0, 0) if row is None else size_of(row)
    return sides if min(sides) > 0 and max(sides) < 2**31 else (0, 0)


def _counts(counts: Iterable[int]) -> Int64:
    return np.array(list(counts), dtype=np.int64)


def _join(batches: Sequence[SidecarBatch]) -> SidecarBatch:
    """Return several batches as one."""
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
        sizes=np.concatenate([batch.sizes for batch in batches]),
        rejected=sum((batch.rejected for batch in batches), Counter()),
        bases={key: base for batch in batches for key, base in batch.bases.items()},
    )


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Suspend the garbage collector: decoded JSON has no cycles.

    It would walk through the growing lists and columns again and again.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()

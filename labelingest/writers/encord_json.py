"""Annotations → Encord label rows, as the official client reads them without loss.

The texts of a batch are put on one page (`labelingest.columns.text_page`). Text that is the same for
all rows of an ontology object is escaped once, and numbers are turned into text column by column. The
result equals, byte for byte, `orjson.dumps` of the plain dictionary; that is its property test
(`tests/oracles/label_rows.py`).

Order of keys and their meaning: Encord's label row format (`LabelRowV2.from_labels_dict`).
"""

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
from msgspec.structs import replace

from labelingest.columns.ragged import offsets_from_lengths
from labelingest.columns.text_page import TextPage
from labelingest.columns.types import Bool, Texts
from labelingest.encord.identifiers import object_hash_column
from labelingest.model.annotations import Annotations
from labelingest.model.batch_output import FileTexts
from labelingest.model.units import DataUnits
from labelingest.problems.of_batch import BatchProblems
from labelingest.writers.encord_frames import Frames
from labelingest.writers.encord_objects import ANSWER_LENGTH, Objects, put_answers
from labelingest.writers.encord_shapes import ring_pieces
from labelingest.writers.target import TargetOptions, Written

__all__ = ["representable", "sizes_needed", "write", "write_pieces"]


def sizes_needed(annotations: Annotations, units: DataUnits, options: TargetOptions) -> Bool:
    """Return (u,) no data units: coordinates of label rows are fractions."""
    return np.zeros(len(units), dtype=bool)


def representable(
    annotations: Annotations, units: DataUnits, options: TargetOptions, problems: BatchProblems
) -> Annotations:
    """Return all annotations: label rows represent every shape."""
    return annotations


def write(annotations: Annotations, units: DataUnits, options: TargetOptions) -> Written:
    """Write one label row for each data unit, in their order, each on one line.

    Parameters
    ----------
    annotations
        (n,) annotations of the units; a unit may have none.
    units
        (u,) the data units.
    options
        The ontology that `annotations.feature` points into, and what else label rows state.

    Returns
    -------
    Written
        u documents in UTF-8.
    """
    hashes = object_hash_column(units.key, annotations.unit, annotations.line, annotations.content)
    frames, objects = Frames(units, options), Objects(annotations, options)
    count = np.bincount(annotations.unit, minlength=len(units))
    first_row = np.cumsum(count) - count
    objects_before = offsets_from_lengths(objects.lengths)
    # Each answer and each object begins with a comma; the text before a unit's first one covers it.
    commas = count > 0
    object_bytes = objects_before[first_row + count] - objects_before[first_row] - commas
    answer_bytes = ANSWER_LENGTH * count - commas
    offsets = offsets_from_lengths(
        frames.before + answer_bytes + frames.between + object_bytes + len(_AFTER)
    )
    answers = offsets[:-1] + frames.before
    between = answers + answer_bytes
    first_object = between + frames.between
    page = TextPage(int(offsets[-1]))
    unit = annotations.unit
    shift = first_object - objects_before[first_row] - 1
    objects.put(page, objects_before[:-1] + shift[unit], hashes, frames.dates[unit])
    shift = answers - ANSWER_LENGTH * first_row - 1
    put_answers(page, ANSWER_LENGTH * np.arange(len(unit)) + shift[unit], hashes)
    frames.put_before(page, offsets[:-1])
    frames.put_between(page, between)
    page.put(first_object + object_bytes, _AFTER)
    return Written(FileTexts(page.content(), offsets))


def write_pieces(
    units: DataUnits,
    options: TargetOptions,
    hashes: Iterable[Texts],
    parts: Iterable[tuple[Annotations, Texts]],
) -> Iterator[bytes]:
    """Yield the label row of one data unit piece by piece; joined, they are what `write` returns.

    Parameters
    ----------
    units
        The one data unit.
    options
        As for `write`.
    hashes
        Object hashes of all annotations, part by part.
    parts
        Annotations and their object hashes, in the parts of `hashes`.
    """
    frames = Frames(units, options)
    start = np.zeros(1, dtype=np.int64)
    page = TextPage(int(frames.before[0]))
    frames.put_before(page, start)
    yield page.content()
    # Each answer and each object begins with a comma; the first loses it.
    comma = 1
    for names in hashes:
        if len(names):
            page = TextPage(ANSWER_LENGTH * len(names))
            put_answers(page, ANSWER_LENGTH * np.arange(len(names)), names)
            yield page.content()[comma:]
            comma = 0
    page = TextPage(int(frames.between[0]))
    frames.put_between(page, start)
    yield page.content()
    comma = 1
    for annotations, names in parts:
        if len(annotations):
            first, *others = _objects_or_ring(annotations, options, names, frames.dates)
            yield first[comma:]
            yield from others
            comma = 0
    yield _AFTER[:-1]


def _objects_or_ring(
    annotations: Annotations, options: TargetOptions, hashes: Texts, dates: Texts
) -> Iterator[bytes]:
    """Yield the JSON of annotations; a large polygon, which is alone, comes in pieces."""
    ring = annotations.coordinates
    is_large = len(annotations) == 1 and len(ring) >= _LARGE_RING
    if is_large:
        # A short polygon gives the text before the vertices, which follow in pieces.
        annotations = replace(annotations, coordinates=ring[:6], offsets=np.array([0, 6]))
    objects = Objects(annotations, options)
    offsets = offsets_from_lengths(objects.lengths)
    page = TextPage(int(offsets[-1]))
    objects.put(page, offsets[:-1], hashes, dates[annotations.unit])
    if not is_large:
        yield page.content()
        return
    yield page.content()[: objects.shape_starts[0]]
    yield from ring_pieces(ring)


_LARGE_RING: Final = 100_000
"""Coordinates of a polygon that is written in pieces; no other shape has as many."""
_AFTER: Final = b'],"classifications":[]}}}}\n'

"""Images and annotations of a batch as text of a COCO document, in two steps.

Image and annotation IDs count through the whole document, so a batch cannot be written before all
earlier ones are counted. The first step makes everything else, and needs nothing of other batches:
workers do it in any order. From then on the lengths are known for any IDs. The second step puts the
texts onto a page with the IDs, which costs little.
"""

from typing import Final, NamedTuple
from zlib import crc32

import numpy as np

from labelingest.columns.text_page import RaggedTexts, TextPage
from labelingest.columns.types import Float64, Int32, Int64, Texts
from labelingest.encord.identifiers import data_hash_column
from labelingest.model.annotations import Annotations, ColumnShape, column_shapes
from labelingest.model.ontology import Ontology, Shape
from labelingest.model.units import DataUnits, size_column
from labelingest.writers.coco_shapes import Numbers, Shapes
from labelingest.writers.instances import hash_column_of
from labelingest.writers.key_texts import KeyTexts
from labelingest.writers.target import CocoRotated

__all__ = ["CocoCounts", "CocoMeasure", "CocoPage", "category_ids"]


class CocoCounts(NamedTuple):
    """Number of images and annotations in a document, or before a batch."""

    images: int = 0
    annotations: int = 0


class CocoMeasure(NamedTuple):
    """Size of a batch's text, whatever the IDs of its images and annotations are."""

    image_bytes: int
    """Bytes of all images without IDs."""
    annotation_bytes: int
    """Bytes of all annotations without IDs of themselves and their images."""
    rows: Int64
    """(u,) number of annotations of each image."""

    @property
    def counts(self) -> CocoCounts:
        """Number of images and annotations of the batch."""
        return CocoCounts(len(self.rows), int(self.rows.sum()))

    def ids(self, before: CocoCounts) -> tuple[Int64, Int64]:
        """Return (u,) IDs of the images, and (n,) IDs of the annotations."""
        images, annotations = self.counts
        return (
            before.images + np.arange(1, images + 1),
            before.annotations + np.arange(1, annotations + 1),
        )

    def lengths(self, before: CocoCounts) -> CocoCounts:
        """Return the bytes of the texts of images and annotations after the ones before."""
        images, annotations = self.ids(before)
        digits = _digits(images)
        return CocoCounts(
            self.image_bytes + int(digits.sum()) - _is_first(images),
            self.annotation_bytes
            + int(_digits(annotations).sum() + (digits * self.rows).sum())
            - _is_first(annotations),
        )


class CocoPage:
    """Images and annotations of a batch, without their IDs.

    Parameters
    ----------
    annotations
        (n,) annotations of the units that COCO can represent; a unit may have none.
    units
        (u,) the data units, and their sizes where known.
    ontology
        The ontology that annotations point into.
    storage_url
        URL of the storage path, ending in "/": links and hashes are made from it.
    rotated
        Drawing of rotated boxes.
    """

    def __init__(
        self,
        annotations: Annotations,
        units: DataUnits,
        ontology: Ontology,
        storage_url: str,
        rotated: CocoRotated,
    ) -> None:
        self._images = _Images(units, storage_url)
        self._annotations = _Annotations(annotations, units, ontology, rotated)

        self.measure = CocoMeasure(
            int(self._images.lengths.sum()),
            int(self._annotations.lengths.sum()),
            np.bincount(annotations.unit, minlength=len(units)),
        )

    def identity(self) -> tuple[int, int]:
        """Return length and checksum of what tells the page from another one."""
        hashes = self._annotations.hashes.tobytes() + self._annotations.lengths.tobytes()
        return self.measure.image_bytes + self.measure.annotation_bytes, crc32(hashes)

    def images(self, before: CocoCounts) -> bytes:
        """Return the text of the images, to be put after the ones before."""
        ids, _ = self.measure.ids(before)
        text = self._images.text(ids)
        return text[1:] if _is_first(ids) else text

    def annotations(self, before: CocoCounts) -> bytes:
        """Return the text of the annotations, to be put after the ones before."""
        image_ids, ids = self.measure.ids(before)
        text = self._annotations.text(ids, image_ids)
        return text[1:] if _is_first(ids) else text


def _is_first(ids: Int64) -> bool:
    """Whether elements are the first of their array: no comma is before them."""
    return bool((ids[:1] == 1).any())


_BEFORE_ID: Final = b',\n{"id":'
_BEFORE_NAME: Final = b',"file_name":"'
_BEFORE_LINK: Final = b',"coco_url":"'
_BEFORE_HASH: Final = b'","data_hash":"'
_IMAGE_END: Final = b'"}'
_UUID: Final = 36


class _Images:
    """Images of a batch."""

    def __init__(self, units: DataUnits, storage_url: str) -> None:
        names, link, links = KeyTexts.of_keys(units.key, storage_url)
        hashes = data_hash_column(storage_url, units.key)
        self._parts = (names, _sizes(units), _BEFORE_LINK + link, links, _BEFORE_HASH, hashes)
        fixed = len(_BEFORE_ID + _BEFORE_NAME + _BEFORE_LINK + link + _BEFORE_HASH + _IMAGE_END)
        sizes = self._parts[1].lengths
        self.lengths: Int64 = names.lengths + sizes + links.lengths + (fixed + _UUID)
        """(u,) bytes of each image without its ID."""

    def text(self, ids: Int64) -> bytes:
        """Return the images with (u,) IDs, each with a comma before it."""
        page, position = _page(self.lengths + _digits(ids))
        page.put(position, _BEFORE_ID)
        position = _put_ids(page, position + len(_BEFORE_ID), ids)
        for part in (_BEFORE_NAME, *self._parts, _IMAGE_END):
            if isinstance(part, RaggedTexts):
                page.put_ragged(position, part)
                position = position + part.lengths
            else:
                page.put(position, part)
                position = position + (len(part) if isinstance(part, bytes) else _UUID)
        return page.content()


def _sizes(units: DataUnits) -> RaggedTexts:
    """Return (u,) the texts of the sizes, with the end of the name before them."""
    sizes, number = size_column(units)
    texts = [
        f'","width":{width},"height":{height}'.encode() if width else b'"'
        for width, height in sizes
    ]
    return RaggedTexts.from_table(texts, number)


_BEFORE_IMAGE: Final = b',"image_id":'
_BEFORE_CATEGORY: Final = b',"category_id":'
_BEFORE_TRACK: Final = b',"iscrowd":0,"attributes":{"encord_track_uuid":"'
_HASH: Final = 8
_BEHIND_HASH: Final = b'",'
_BEFORE_ANGLE: Final = b'"rotation":'
_MANUAL: Final = b'"manual_annotation":true}}'
_BEFORE_SCORE: Final = b'"manual_annotation":false},"score":'
_FIXED: Final = len(_BEFORE_ID + _BEFORE_IMAGE + _BEFORE_CATEGORY + _BEFORE_TRACK + _BEHIND_HASH)


class _Annotations:
    """Annotations of a batch."""

    def __init__(
        self,
        annotations: Annotations,
        units: DataUnits,
        ontology: Ontology,
        rotated: CocoRotated,
    ) -> None:
        self.unit: Int32 = annotations.unit
        """(n,) row of each annotation's data unit."""
        self._categories = category_ids(ontology)[annotations.feature]
        self._shapes = Shapes(annotations, units, ontology, rotated)
        self.hashes: Texts = hash_column_of(annotations, units)
        """(n,) object hashes."""
        shape = column_shapes(ontology.objects)[annotations.feature]
        turned = np.flatnonzero(shape == ColumnShape.ROTATED_BOX)
        angles = annotations.coordinates[annotations.offsets[turned] + 4]
        self._angles = _SomeNumbers(turned, _BEFORE_ANGLE, angles)
        scored = np.flatnonzero(~np.isnan(annotations.confidence))
        self._scores = _SomeNumbers(scored, _BEFORE_SCORE, annotations.confidence[scored])
        self._manual = np.flatnonzero(np.isnan(annotations.confidence))
        self._before_angle = _digits(self._categories) + self._shapes.lengths + (_FIXED + _HASH)
        self._before_tail = self._before_angle + self._angles.lengths(len(annotations))
        self.lengths: Int64 = self._before_tail + self._scores.lengths(len(annotations))
        """(n,) bytes of each annotation without the IDs of itself and its image."""
        self.lengths[self._manual] += len(_MANUAL)

    def text(self, ids: Int64, image_ids: Int64) -> bytes:
        """Return the annotations, each with a comma before it.

        Parameters
        ----------
        ids, image_ids
            (n,) IDs of the annotations, and (u,) those of the images.
        """
        images = image_ids[self.unit]
        id_digits = _digits(ids) + _digits(images)
        page, position = _page(self.lengths + id_digits)
        shapes = position + id_digits + _digits(self._categories)
        shapes += len(_BEFORE_ID + _BEFORE_IMAGE + _BEFORE_CATEGORY)
        angles, tails = (position + id_digits + p for p in (self._before_angle, self._before_tail))
        # Numbers cover what follows them, and so come before everything that has a fixed width.
        self._shapes.put_numbers(page, shapes)
        self._angles.put_numbers(page, angles)
        self._scores.put_numbers(page, tails)
        for before, number in (
            (_BEFORE_ID, ids),
            (_BEFORE_IMAGE, images),
            (_BEFORE_CATEGORY, self._categories),
        ):
            page.put(position, before)
            position = _put_ids(page, position + len(before), number)
        self._shapes.put_fixed(page, shapes)
        position = shapes + self._shapes.lengths
        for text in (_BEFORE_TRACK, self.hashes, _BEHIND_HASH):
            page.put(position, text)
            position = position + (_HASH if text is self.hashes else len(text))
        self._angles.put_fixed(page, angles, b",")
        self._scores.put_fixed(page, tails, b"}")
        page.put(tails[self._manual], _MANUAL)
        return page.content()


class _SomeNumbers:
    """A number that some annotations have: a text, the number, and one byte.

    Parameters
    ----------
    rows
        (r,) rows of these annotations.
    before
        Text before the number.
    numbers
        (r,) their numbers.
    """

    def __init__(self, rows: Int64, before: bytes, numbers: Float64) -> None:
        self._rows = rows
        self._before = before
        self._numbers = Numbers(numbers)

    def lengths(self, annotations: int) -> Int64:
        """Return (n,) bytes of the texts of all annotations; 0 where there is none."""
        lengths = np.zeros(annotations, dtype=np.int64)
        lengths[self._rows] = self._numbers.lengths + (len(self._before) + 1)
        return lengths

    def put_numbers(self, page: TextPage, positions: Int64) -> None:
        """Put the numbers, which may cover bytes behind them, of texts at (n,) positions."""
        if len(self._rows):
            page.put(positions[self._rows] + len(self._before), self._numbers.texts())

    def put_fixed(self, page: TextPage, positions: Int64, behind: bytes) -> None:
        """Put the text before each number, and one byte behind it."""
        if len(self._rows):
            position = positions[self._rows]
            page.put(position, self._before)
            page.put(position + self._numbers.lengths + len(self._before), behind)


def category_ids(ontology: Ontology) -> Int64:
    """Return (o,) the category ID of each ontology object; 0 for none."""
    has_category = np.array(
        [entry.shape not in _NO_CATEGORY for entry in ontology.objects], dtype=bool
    )
    categories: Int64 = np.where(has_category, np.cumsum(has_category), 0)
    return categories


_NO_CATEGORY: Final = (Shape.AUDIO, Shape.TEXT)
"""Shapes that no image has; the official client's exporter skips them, too."""

_POWERS: Final = tuple(10**power for power in range(1, 19))


def _digits(numbers: Int64) -> Int64:
    """Return (n,) the number of digits of positive numbers."""
    digits = np.ones(len(numbers), dtype=np.int64)
    most = int(numbers.max(initial=0))
    for power in _POWERS:
        if power > most:
            break
        digits += numbers >= power
    return digits


def _put_ids(page: TextPage, positions: Int64, ids: Int64) -> Int64:
    """Put (n,) positive numbers at positions; return where they end."""
    digits = _digits(ids)
    for width in np.unique(digits).tolist():
        rows = np.flatnonzero(digits == width)
        places = 10 ** np.arange(width)[::-1]
        figures = ids[rows, np.newaxis] // places % 10 + ord("0")
        page.put(positions[rows], figures.astype(np.uint8).view(f"S{width}")[:, 0])
    return positions + digits


def _page(lengths: Int64) -> tuple[TextPage, Int64]:
    """Return a page for (n,) texts of these lengths, and where each begins."""
    ends = np.cumsum(lengths)
    return TextPage(int(ends[-1]) if len(ends) else 0), ends - lengths

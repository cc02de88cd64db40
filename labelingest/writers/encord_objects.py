"""Objects of label rows and their answers, as JSON, for whole batches at once.

Text that only the ontology object and the way of drawing decide is put once for each combination, at
the positions of all its annotations; hashes, dates and numbers are put into their places.
"""

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from labelingest.columns.text_page import RaggedTexts, TextPage
from labelingest.columns.types import Int64, Texts
from labelingest.model.annotations import Annotations, column_shapes
from labelingest.model.ontology import OntologyObject, Shape, machine_name
from labelingest.writers.encord_frames import json_text
from labelingest.writers.encord_shapes import SHAPE_KEYS, Shapes
from labelingest.writers.number_text import NumberTexts, number_texts
from labelingest.writers.target import TargetOptions

__all__ = ["ANSWER_LENGTH", "Objects", "put_answers"]

_HASH: Final = "-" * 8
_DATE: Final = "-" * 29
"""Places that hashes and dates are put in."""
_ANSWER: Final = f',"{_HASH}":{{"objectHash":"{_HASH}","classifications":[]}}'.encode()
ANSWER_LENGTH: Final = len(_ANSWER)
"""Bytes of an object's answers, with a comma before them."""
_IN_ANSWER: Final = (len(',"'), len(f',"{_HASH}":{{"objectHash":"'))
_BEFORE_HASH: Final = ',"objectHash":"'


def put_answers(page: TextPage, positions: Int64, hashes: Texts) -> None:
    """Put the answers of objects at (n,) positions."""
    page.put(positions, _ANSWER)
    for place in _IN_ANSWER:
        page.put(positions + place, hashes)


class Objects:
    """Texts of the objects of a batch, each with a comma before it.

    An object is a head, its confidence, a middle, and its shape.

    Parameters
    ----------
    annotations
        (n,) annotations.
    options
        The ontology that `annotations.feature` points into, and what else label rows state.
    """

    def __init__(self, annotations: Annotations, options: TargetOptions) -> None:
        objects = options.ontology.objects
        shape = column_shapes(objects)
        is_manual = np.isnan(annotations.confidence)
        self._confidence: NumberTexts | None = None
        confidence_lengths: Int64 | int = len(_CERTAIN)
        if not is_manual.all():
            self._confidence = number_texts(np.where(is_manual, 1.0, annotations.confidence))
            confidence_lengths = self._confidence.lengths
        self._shapes = Shapes(annotations, shape[annotations.feature])
        # Text that only object and way of drawing decide is made once for each combination.
        variant = 2 * annotations.feature.astype(np.int64) + is_manual
        used = np.flatnonzero(np.bincount(variant))
        author = json_text(options.writer.created_by)
        templates = [
            _template_of(objects[n // 2], author, manual=bool(n % 2)) for n in used.tolist()
        ]
        row = np.zeros(2 * len(objects), dtype=np.int64)
        row[used] = np.arange(len(used))
        row = row[variant]
        self._heads = RaggedTexts.from_table([template.head for template in templates], row)
        self._middles = RaggedTexts.from_table([template.middle for template in templates], row)
        if self._confidence is None:
            wholes = [template.head + _CERTAIN + template.middle for template in templates]
            self._wholes = RaggedTexts.from_table(wholes, row)
        places = [(template.created, template.edited) for template in templates]
        self._created, edited = np.array(places, dtype=np.int64).reshape(-1, 2)[row].T
        self._middle = self._heads.lengths + confidence_lengths
        self._edited = self._middle + edited
        self.shape_starts: Int64 = self._middle + self._middles.lengths
        """(n,) bytes before the numbers of each shape."""
        self.lengths: Int64 = self.shape_starts + self._shapes.lengths
        """(n,) bytes of each text."""

    def put(self, page: TextPage, positions: Int64, hashes: Texts, dates: Texts) -> None:
        """Put the texts at (n,) positions; at least `SPARE` bytes behind each must be put later.

        Parameters
        ----------
        page, positions
            The page, and where the texts begin.
        hashes, dates
            (n,) object hashes, and dates of the labels.
        """
        self._shapes.put(page, positions + self.shape_starts)
        middles = positions + self._middle
        if self._confidence is None:
            page.put_ragged(positions, self._wholes)
        else:
            page.put(positions + self._heads.lengths, self._confidence.texts)
            page.put_ragged(positions, self._heads)
            page.put_ragged(middles, self._middles)
        page.put(positions + self._created, dates)
        page.put(middles + len(_BEFORE_HASH), hashes)
        page.put(positions + self._edited, dates)


_CERTAIN: Final = b"1.0"
"""Confidence of a row without one, which is ground truth."""


class _Template(NamedTuple):
    """Text of all annotations of one object that were drawn in one way."""

    head: bytes
    """Text up to the confidence."""
    created: int
    """Place of the first date in the head."""
    edited: int
    """Place of the second date in the middle."""
    middle: bytes
    """Text from the confidence to the numbers of the shape."""


def _template_of(entry: OntologyObject, author: str, *, manual: bool) -> _Template:
    fields = entry.name, entry.color, entry.shape, entry.feature_hash
    return _template(*fields, author, manual=manual)


@lru_cache(maxsize=4096)
def _template(
    name: str, color: str, shape: Shape, feature_hash: str, author: str, *, manual: bool
) -> _Template:
    head = (
        f',{{"name":{json_text(name)},"color":{json_text(color)},'
        f'"shape":"{shape}","value":{json_text(machine_name(name))},"createdAt":"'
    ).encode()
    middle = (
        f'{_BEFORE_HASH}{_HASH}","featureHash":{json_text(feature_hash)},'
        f'"manualAnnotation":{"true" if manual else "false"},"lastEditedAt":"'
    ).encode()
    return _Template(
        head + f'{_DATE}","createdBy":{author},"confidence":'.encode(),
        len(head),
        len(middle),
        middle + f'{_DATE}",'.encode() + SHAPE_KEYS[shape],
    )

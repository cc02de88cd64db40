"""Text of label rows around their objects: identifiers, titles, links and the properties of images.

A label row is its text before the answers, the answers, the text between answers and objects, the
objects, and the same end for all. The texts here are put for all data files of a batch at once.
"""

from collections.abc import Sequence
from typing import Final

import orjson

from labelingest.columns.text_page import RaggedTexts, TextPage
from labelingest.columns.types import Int64, Texts
from labelingest.encord.dates import date_column
from labelingest.encord.identifiers import data_hash_column, dataset_hash, label_hash_column
from labelingest.model.kinds import kind_and_type
from labelingest.model.units import DataUnits, extension_column, size_column
from labelingest.writers.key_texts import KeyTexts
from labelingest.writers.target import TargetOptions, WriterOptions

__all__ = ["Frames", "json_text"]

_UUID: Final = "-" * 36
_DATE: Final = "-" * 29
"""Places that identifiers and dates are put in."""
_TO_LABEL: Final = len('{"label_hash":"')
_TO_CREATED: Final = _TO_LABEL + len(f'{_UUID}","branch_name":"main","created_at":"')
_TO_EDITED: Final = _TO_CREATED + len(f'{_DATE}","last_edited_at":"')
_TO_DATA: Final = _TO_EDITED + len(f'{_DATE}","data_hash":"')
_BEFORE_ANSWERS: Final = (
    b'","data_type":"image","annotation_task_status":"QUEUED","is_shadow_data":false,'
    b'"label_status":"LABEL_IN_PROGRESS","object_answers":{'
)
_BEFORE_UNIT: Final = (
    b'},"classification_answers":{},"object_actions":{},"spaces":{},"data_units":{"'
)
_BEFORE_LINK: Final = b'","data_link":"'
_UNIT: Final = f'{_UUID}":{{"data_hash":"{_UUID}","data_title":"'.encode()
_TO_UNIT_DATA: Final = len(f'{_UUID}":{{"data_hash":"')


class Frames:
    """Texts around answers and objects, of (u,) data files.

    Parameters
    ----------
    units
        The data files.
    options
        The ontology, and what else label rows state.
    """

    def __init__(self, units: DataUnits, options: TargetOptions) -> None:
        writer = options.writer
        self._data = data_hash_column(writer.storage_url, units.key)
        self._labels = label_hash_column(self._data, options.ontology.identity)
        self.dates: Texts = date_column(units.mtime_ns)
        """(u,) dates of the labels."""
        self._head = _head(writer)
        texts = KeyTexts.of_keys(units.key, writer.storage_url)
        self._titles, self._links = texts.names(), texts.links
        self._before_link = _BEFORE_LINK + texts.before_link
        self._types = _types(units.key)
        self._sizes = _sizes(units)
        titles = self._titles.lengths
        self.before: Int64 = titles + (len(self._head) + len(_BEFORE_ANSWERS))
        """(u,) bytes before the answers."""
        links = self._links.lengths + len(self._before_link)
        fixed = len(_BEFORE_UNIT) + len(_UNIT)
        self.between: Int64 = titles + links + self._types.lengths + self._sizes.lengths + fixed
        """(u,) bytes between answers and objects."""

    def put_before(self, page: TextPage, positions: Int64) -> None:
        """Put the texts before the answers at (u,) positions."""
        page.put(positions, self._head)
        page.put(positions + _TO_LABEL, self._labels)
        page.put(positions + _TO_CREATED, self.dates)
        page.put(positions + _TO_EDITED, self.dates)
        page.put(positions + _TO_DATA, self._data)
        titles = positions + len(self._head)
        page.put_ragged(titles, self._titles)
        page.put(titles + self._titles.lengths, _BEFORE_ANSWERS)

    def put_between(self, page: TextPage, positions: Int64) -> None:
        """Put the texts between answers and objects at (u,) positions."""
        page.put(positions, _BEFORE_UNIT + _UNIT)
        unit = positions + len(_BEFORE_UNIT)
        page.put(unit, self._data)
        page.put(unit + _TO_UNIT_DATA, self._data)
        positions = unit + len(_UNIT)
        page.put_ragged(positions, self._titles)
        positions = positions + self._titles.lengths
        page.put(positions, self._before_link)
        positions = positions + len(self._before_link)
        for texts in (self._links, self._types, self._sizes):
            page.put_ragged(positions, texts)
            positions = positions + texts.lengths


def _head(options: WriterOptions) -> bytes:
    """Return the text up to the title, with places for identifiers and dates."""
    return (
        f'{{"label_hash":"{_UUID}","branch_name":"main","created_at":"{_DATE}",'
        f'"last_edited_at":"{_DATE}","data_hash":"{_UUID}",'
        f'"dataset_hash":"{dataset_hash(options.storage_url)}",'
        f'"dataset_title":{json_text(options.dataset_title)},"data_title":"'
    ).encode()


def _types(keys: Sequence[str]) -> RaggedTexts:
    """Return (u,) the texts of the MIME types."""
    extensions, number = extension_column(keys)
    texts = [
        f'","data_type":"{kind_and_type(extension)[1]}","data_sequence":0,'.encode()
        for extension in extensions
    ]
    return RaggedTexts.from_table(texts, number)


def _sizes(units: DataUnits) -> RaggedTexts:
    """Return (u,) the texts of sizes and of the beginning of objects."""
    sizes, number = size_column(units)
    texts = [
        f'"width":{width},"height":{height},'.encode() if width else b"" for width, height in sizes
    ]
    return RaggedTexts.from_table([text + b'"labels":{"objects":[' for text in texts], number)


def json_text(value: str | None) -> str:
    """Return a text or null as JSON."""
    return orjson.dumps(value).decode()

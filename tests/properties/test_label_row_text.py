"""The text of label rows, made column by column, against `orjson.dumps` row by row."""

from dataclasses import replace
from typing import NamedTuple
from urllib.parse import quote

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from labelingest.columns.text_page import RaggedTexts, TextPage
from labelingest.columns.types import Float64
from labelingest.encord.dates import date_column, date_text
from labelingest.encord.identifiers import object_hashes
from labelingest.model.kinds import extension_of
from labelingest.model.units import extension_column
from labelingest.writers.encord_json import write
from labelingest.writers.encord_shapes import ring_pieces
from labelingest.writers.number_text import number_texts, shortest_texts
from labelingest.writers.target import WriterOptions
from tests.builders.annotations import Batch, Row, batch_of
from tests.builders.outputs import target_options
from tests.builders.yolo import SHAPES, ontology_dict
from tests.oracles.label_rows import Labelled, label_row

URL = "s3://bucket/"
OBJECTS = ontology_dict()["objects"]
FEATURES = {shape: feature for feature, shape in enumerate(SHAPES.values())}
DECIMALS = st.builds(
    lambda whole, places: whole / 10**places, st.integers(-(10**12), 10**12), st.integers(0, 22)
)
DOUBLES = st.floats(allow_nan=False, allow_infinity=False)
FRACTIONS = st.floats(0, 1)
NUMBERS = DECIMALS | DOUBLES | FRACTIONS | st.sampled_from([0.0, -0.0, 1e-4, 1.0, 0.99999999])
SHORT = st.builds(lambda units: units / 10**6, st.integers(100, 10**6 - 1))


def column_texts(numbers: Float64) -> list[bytes]:
    """Return the texts of a column of numbers, each with the byte behind it."""
    texts, lengths = number_texts(numbers)
    whole = texts.tobytes()
    begin = np.arange(len(numbers)) * texts.itemsize
    ends = (begin + lengths + 1).tolist()
    return [whole[a:b] for a, b in zip(begin.tolist(), ends, strict=True)]


@given(st.lists(NUMBERS) | st.lists(SHORT))
def test_a_column_of_numbers_has_the_texts_of_each(numbers: list[float]) -> None:
    texts = [orjson.dumps(number) for number in numbers]
    assert column_texts(np.array(numbers, np.float64)) == [text + b"," for text in texts]
    assert shortest_texts(np.array(numbers, np.float64)) == [text.decode() for text in texts]


@given(st.lists(DECIMALS.map(abs), min_size=1))
def test_the_neighbours_of_short_numbers_are_not_taken_for_them(numbers: list[float]) -> None:
    neighbours = np.nextafter(np.array(numbers), 2)
    texts = [orjson.dumps(n) + b"," for n in neighbours.tolist()]
    assert column_texts(neighbours) == texts


@given(st.lists(st.tuples(st.integers(0, 40), st.binary(max_size=70)), max_size=9))
def test_texts_of_any_length_are_put_on_a_page(parts: list[tuple[int, bytes]]) -> None:
    gaps = np.array([gap for gap, _ in parts], np.int64)
    texts = [text for _, text in parts]
    lengths = np.array([len(text) for text in texts], np.int64)
    positions = np.cumsum(gaps + lengths) - lengths
    page = TextPage(int((gaps + lengths).sum()))
    page.put_ragged(positions, RaggedTexts.from_table(texts, np.arange(len(texts))))
    assert page.content() == b"".join(bytes(gap) + text for gap, text in parts)


def test_the_last_text_at_a_place_remains_and_what_is_wider_than_the_page_is_cut() -> None:
    page = TextPage(8)
    page.put(np.array([0, 2, 4]), np.array([b"1.5,,,,,", b"2.5,,,,,", b"3,......"]))
    page.put(np.array([6]), b"])")
    assert page.content() == b"1.2.3,])"
    with pytest.raises(ValueError, match="complete"):
        page.put(np.array([0]), b"{")


def test_a_vertex_whose_number_has_seven_digits_has_a_whole_key() -> None:
    text = b"".join(ring_pieces(np.full(2 * (10**6 + 1), 0.5)))
    assert b'"999999":{"x":0.5,"y":0.5},"1000000":{"x":0.5,"y":0.5}},"polygons"' in text


class Drawn(NamedTuple):
    """A row of one shape."""

    shape: str
    numbers: list[float]
    confidence: float | None


def _of(shape: str, least: int, most: int, step: int = 1) -> st.SearchStrategy[Drawn]:
    count = st.integers(least // step, most // step).map(lambda n: n * step)
    numbers = count.flatmap(lambda n: st.lists(NUMBERS, min_size=n, max_size=n))
    return st.builds(Drawn, st.just(shape), numbers, st.none() | FRACTIONS)


ROWS = (
    _of("bounding_box", 4, 4) | _of("rotatable_bounding_box", 5, 5) | _of("polygon", 6, 12, step=2)
)


def rows_by_hand(batch: Batch, drawn: list[list[Drawn]], author: str | None) -> list[bytes]:
    a = batch.annotations
    names = iter(object_hashes(batch.units.key, a.unit, a.line, a.content))
    return [
        orjson.dumps(
            label_row(
                key,
                [
                    Labelled(OBJECTS[FEATURES[one.shape]], one.numbers, one.confidence, next(names))
                    for one in of_unit
                ],
                storage_url=URL,
                ontology_identity=batch.ontology.identity,
                size=(64, 48),
                created_by=author,
            )
        )
        for key, of_unit in zip(batch.units.key, drawn, strict=True)
    ]


def made(drawn: list[list[Drawn]]) -> Batch:
    rows = [
        Row(
            FEATURES[one.shape],
            one.numbers,
            unit,
            float("nan") if one.confidence is None else one.confidence,
        )
        for unit, of_unit in enumerate(drawn)
        for one in of_unit
    ]
    return batch_of(rows, [(64, 48)] * len(drawn))


@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_dates_of_a_column_are_those_of_each_time(times: list[int]) -> None:
    column = date_column(np.array(times, np.int64))
    assert column.tolist() == [date_text(time).encode() for time in times]


NAMES = st.text("a.G/zj\0é", max_size=6)


@given(
    st.lists(NAMES)
    | st.lists(NAMES.map("a{}.jpg".format))
    | st.lists(st.sampled_from(["a.jpg", "b.JPG", "c", "jpg", "x.y/d", "e.nii.gz", "f.gz", ".jpg"]))
)
def test_extensions_of_a_column_are_those_of_each_key(keys: list[str]) -> None:
    extensions, number = extension_column(keys)
    assert [extensions[n] for n in number.tolist()] == [extension_of(key) for key in keys]
    assert len(set(extensions)) == len(extensions)


def text_of(batch: Batch, writer: WriterOptions) -> list[bytes]:
    options = target_options(batch.ontology, writer=writer)
    return list(write(batch.annotations, batch.units, options).texts)


@given(st.lists(st.lists(ROWS, max_size=4), max_size=5), st.none() | st.text(max_size=5))
def test_label_rows_are_the_text_of_their_dictionaries(
    drawn: list[list[Drawn]], author: str | None
) -> None:
    batch = made(drawn)
    texts = text_of(batch, WriterOptions(URL, author))
    assert texts == rows_by_hand(batch, drawn, author)


def test_a_ring_of_very_many_vertices_is_written_like_any_other() -> None:
    ring = [(i % 997) / 997 for i in range(3_000)]
    drawn = [[Drawn("polygon", ring, None), Drawn("polygon", ring[:8], 0.5)]]
    batch = made(drawn)
    texts = text_of(batch, WriterOptions(URL))
    assert texts == rows_by_hand(batch, drawn, None)


def test_keys_that_json_and_urls_write_otherwise_change_nothing_beside_them() -> None:
    keys = ["plain/a-1_~.jpg", "a b.jpg", 'qu"ote\\.jpg', "ü/é.png", "100%#?&.jpg", "+,;=@.jpg"]
    batch = made([[] for _ in keys])
    together, alone = (
        [
            text
            for some in groups
            for text in text_of(
                replace(
                    batch,
                    units=structs.replace(
                        batch.units.where(np.arange(len(keys)) < len(some)), key=some
                    ),
                ),
                WriterOptions("file:///data/"),
            )
        ]
        for groups in ([keys], [[key] for key in keys])
    )
    assert together == alone
    units = [next(iter(orjson.loads(text)["data_units"].values())) for text in together]
    assert [unit["data_link"] for unit in units] == [f"file:///data/{quote(key)}" for key in keys]
    assert [unit["data_title"] for unit in units] == [key.rpartition("/")[2] for key in keys]


def test_dates_and_ways_of_drawing_do_not_mix_between_files() -> None:
    box = [0.25, 0.5, 0.125, 0.25]
    by_hand, by_model = Drawn("bounding_box", box, None), Drawn("bounding_box", box, 0.5)
    batch = made([[by_hand, by_model], [by_hand, by_model], [by_model]])
    days = np.arange(3, dtype=np.int64) * 86_400_000_000_000
    units = structs.replace(batch.units, mtime_ns=days)
    texts = text_of(replace(batch, units=units), WriterOptions(URL))
    dates = ["Thu, 01 Jan 1970", "Fri, 02 Jan 1970", "Sat, 03 Jan 1970"]
    for text, date, manual in zip(
        texts, dates, ([True, False], [True, False], [False]), strict=True
    ):
        [unit] = orjson.loads(text)["data_units"].values()
        found = [
            (one["createdAt"], one["lastEditedAt"], one["manualAnnotation"])
            for one in unit["labels"]["objects"]
        ]
        assert found == [(f"{date} 00:00:00 UTC",) * 2 + (one,) for one in manual]

"""Text of COCO, made for all rows of a batch at once, against dictionaries that are dumped."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from labelingest.writers.coco_page import CocoCounts, CocoPage
from labelingest.writers.target import CocoRotated
from tests.builders.annotations import Row, batch_of
from tests.oracles.coco_text import annotations_text, images_text

SHAPES = dict.fromkeys(range(9), "bounding_box") | {
    9: "polygon",
    10: "rotatable_bounding_box",
    123: "bounding_box",
}
URL = "file:///data%20of/mine/"
FRACTIONS = st.one_of(st.floats(0, 1), st.integers(0, 10**6).map(lambda n: n / 10**6))
SCORES = st.one_of(st.just(float("nan")), st.floats(0, 1))
KEYS = st.one_of(
    st.from_regex(r"[a-z]{1,40}/[0-9_.-]{1,9}\.jpg", fullmatch=True),
    st.text(min_size=1, max_size=9).filter(lambda key: key.isprintable()),
)
SIZES = st.tuples(st.integers(1, 99_999), st.integers(1, 99_999))


def numbers_of(feature: int) -> st.SearchStrategy[list[float]]:
    count = {9: st.integers(3, 30).map(lambda n: 2 * n), 10: st.just(4)}.get(feature, st.just(4))
    numbers = count.flatmap(lambda n: st.lists(FRACTIONS, min_size=n, max_size=n))
    if feature != 10:
        return numbers
    return st.builds(lambda box, theta: [*box, theta], numbers, st.floats(0, 360))


FEATURES = st.integers(0, 11)
ROWS = FEATURES.flatmap(lambda f: st.tuples(st.just(f), numbers_of(f), st.integers(0, 3), SCORES))


@given(
    st.lists(ROWS, max_size=12),
    st.lists(SIZES, min_size=4, max_size=4),
    st.lists(KEYS, min_size=4, max_size=4, unique=True),
    st.sampled_from([0, 1, 8, 9, 96, 99_998, 10**9]),
    st.sampled_from([0, 5, 9, 990, 123_456]),
)
def test_text_is_that_of_dumped_dictionaries(
    rows: list[Any], sizes: list[tuple[int, int]], keys: list[str], images: int, annotations: int
) -> None:
    in_order = sorted(rows, key=lambda row: row[2])
    batch = batch_of([Row(f, n, unit, score) for f, n, unit, score in in_order], sizes, SHAPES)
    units, objects = structs.replace(batch.units, key=keys), batch.ontology.objects
    page = CocoPage(batch.annotations, units, batch.ontology, URL, CocoRotated.CORNERS)
    before = CocoCounts(images, annotations)
    assert page.images(before) == images_text(units, URL, images)
    text = annotations_text(batch.annotations, units, objects, images, annotations)
    assert page.annotations(before) == text
    lengths = CocoCounts(len(page.images(before)), len(page.annotations(before)))
    assert page.measure.lengths(before) == lengths
    assert page.measure.counts == (4, len(rows))

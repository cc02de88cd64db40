import numpy as np
import pytest

from labelingest.writers.number_text import plain_texts, shortest_texts

NUMBERS = [
    0.0,
    -0.0,
    1.0,
    0.1,
    1e-4,
    9.9e-5,
    1e-5,
    1e-6,
    1.5e-7,
    -2.5e-9,
    5e-324,
    1e15,
    1e16,
    1e300,
]


@pytest.mark.parametrize("number", NUMBERS)
def test_a_text_reads_back_to_the_same_double(number: float) -> None:
    for texts in (shortest_texts, plain_texts):
        (text,) = texts(np.array([number]))
        assert repr(float(text)) == repr(number)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_plain_text_has_digits_only(number: float) -> None:
    (text,) = plain_texts(np.array([number]))
    assert text.lstrip("-").replace(".", "", 1).isdecimal()


def test_texts_are_the_shortest() -> None:
    assert plain_texts(np.array([0.3, 2.0, 0.000001])) == ["0.3", "2.0", "0.000001"]


def test_every_other_number_of_a_column_can_be_written() -> None:
    assert shortest_texts(np.array([1.0, 9.0, 2.0, 9.0])[::2]) == ["1.0", "2.0"]


def test_no_numbers_are_no_texts() -> None:
    assert shortest_texts(np.zeros(0)) == plain_texts(np.zeros(0)) == []

"""Text → numbers: `float` is the oracle, bit for bit; places: splitting by characters is."""

import math
import struct
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from labelingest.model.blobs import Blobs
from labelingest.readers.yolo.numbers import numbers_from_tokens
from labelingest.readers.yolo.tokens import rows_of
from tests.builders.yolo import converter_for
from tests.oracles.judge import numbers_of, objects_of
from tests.oracles.yolo import expected, lines_of

SIGNS = st.sampled_from(["", "-", "+"])
DIGITS = st.text("0123456789", max_size=25)
EXPONENTS = st.one_of(
    st.just(""),
    st.builds("{}{}".format, st.sampled_from("eE"), st.integers(-30, 30)),
    st.builds("{}{}{:03}".format, st.sampled_from("eE"), SIGNS, st.integers(0, 400)),
)


def _between(value: float, tail: str) -> str:
    """Write out the number halfway between a double and the next one, or a hair above that."""
    half = (Fraction(value) + Fraction(math.nextafter(value, math.inf))) / 2
    digits = half.denominator.bit_length() - 1  # a power of two: as many decimals as its exponent
    return f"{half.numerator * 10**digits // half.denominator}{tail}e-{digits}"


COMMON = st.builds("{:.{}f}".format, st.floats(0, 1), st.integers(0, 20))
HALFWAY = st.builds(
    _between, st.floats(1e-5, 2), st.sampled_from(["", ".0", ".0000000000000000000001"])
)
DECIMALS = st.one_of(
    COMMON,
    HALFWAY,
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.builds("{}{}.{}{}".format, SIGNS, DIGITS, DIGITS, EXPONENTS).filter(
        lambda text: any(c.isdigit() for c in text.lower().partition("e")[0])
    ),
    st.builds("{}{}{}".format, SIGNS, DIGITS.filter(bool), EXPONENTS),
)
"""What the specification calls a number; some are too large for a double."""

_NOT_NUMBERS = (
    "x|1_0|0x1|nan|-inf|Infinity|０|٠.٥|.|+|-|e5|1e|1.e+|1.2.3|--1|0.5,|0,5|0.5;|½|1e5.5|0.5f|1e999|"
    "-1e999|1\x000|1\f0|\ufeff0|1\u00a00|#1|1#|0.1234567_|12345678:|/|1/2"
)
NOT_NUMBERS = st.one_of(
    st.sampled_from(_NOT_NUMBERS.split("|")),
    st.text("0123456789.eE+-_, x#:/;", min_size=1, max_size=12).map(
        lambda text: text.replace(" ", "") or "x"
    ),
)
TOKENS = st.one_of(DECIMALS, NOT_NUMBERS)
BLANKS = st.text(" \t", min_size=1, max_size=4)
LINE_ENDS = st.sampled_from(["\n", "\r\n", "\r", "\n\n", "\r\r\n", " \n", "\t\r\n \n"])


@st.composite
def texts(draw: st.DrawFn, tokens: st.SearchStrategy[str] = TOKENS) -> str:
    """Draw rows of tokens with blanks, line ends and comments of all kinds."""
    text = draw(st.sampled_from(["", "", " ", "\t", "\n", "\r\n"]))
    for _ in range(draw(st.integers(0, 8))):
        row = draw(st.lists(tokens, min_size=1, max_size=9))
        if draw(st.integers(0, 9)) == 0:
            row[0] = draw(st.sampled_from(["#", "# car", "#0 0,5 ü"]))
        text += draw(st.sampled_from(["", "", " ", "\t "])) + row[0]
        for token in row[1:]:
            text += draw(BLANKS) + token
        text += draw(LINE_ENDS)
    return text if draw(st.booleans()) else text.rstrip(" \t\r\n")


def _bits(value: float) -> bytes:
    return struct.pack("<d", value)


def _read(text: str) -> tuple[list[tuple[int, list[float]]], list[int]]:
    """Read text the fast way: (line, numbers) of each row, and where the tokens begin."""
    blobs = Blobs.from_contents([text.encode()])
    rows, tokens = rows_of(blobs)
    values = numbers_from_tokens(blobs.buffer, tokens)
    read = [
        (line, values[first : first + count].tolist())
        for line, first, count in zip(
            rows.line.tolist(), rows.first.tolist(), rows.count.tolist(), strict=True
        )
    ]
    return read, (tokens.start - blobs.starts[0]).tolist()


def _rows(text: str) -> list[tuple[int, list[str]]]:
    """Read text the slow way: (line, tokens) of each row."""
    return [
        (number, [token.text for token in line])
        for number, line in enumerate(lines_of(text), start=1)
        if line and not line[0].text.startswith("#")
    ]


@given(st.lists(DECIMALS, min_size=1, max_size=30))
def test_decimals_are_read_as_float_reads_them(decimals: Sequence[str]) -> None:
    ((_, values),), _ = _read(" ".join(decimals))
    for text, value in zip(decimals, values, strict=True):
        if math.isinf(float(text)):
            assert math.isnan(value), text
        else:
            assert _bits(value) == _bits(float(text)), text


@given(texts())
def test_numbers_and_lines_are_those_of_the_slow_way(text: str) -> None:
    read, _ = _read(text)
    slow = _rows(text)
    assert [line for line, _ in read] == [line for line, _ in slow]
    for (_, values), (_, row) in zip(read, slow, strict=True):
        assert len(values) == len(row)
        for value, token in zip(values, row, strict=True):
            assert _bits(value) == _bits(_slow_number(token)), token


def _slow_number(token: str) -> float:
    """Return what a token is: NaN where it is no finite number."""
    if not set(token) <= set("0123456789.eE+-"):
        return math.nan
    try:
        value = float(token)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


@given(texts())
def test_tokens_begin_where_they_do_the_slow_way(text: str) -> None:
    _, starts = _read(text)
    lines = text.replace("\r\n", "\n\x01").replace("\r", "\n").split("\n")
    begin, slow = 0, []
    for line, tokens in zip(lines, lines_of(text), strict=True):
        # The stand-in for the second character of CRLF counts in positions, not in columns.
        shift = int(line.startswith("\x01"))
        body = line[shift:]
        slow += [begin + shift + len(body[: token.column - 1].encode()) for token in tokens]
        begin += shift + len(body.encode()) + 1
    assert starts == slow


@given(st.lists(texts(), max_size=5))
def test_a_batch_of_files_reads_like_each_file_alone(batch: list[str]) -> None:
    blobs = Blobs.from_contents([text.encode() for text in batch])
    rows, tokens = rows_of(blobs)
    values = numbers_from_tokens(blobs.buffer, tokens)
    for unit, text in enumerate(batch):
        of_unit = np.flatnonzero(rows.unit == unit)
        alone, _ = _read(text)
        assert rows.line[of_unit].tolist() == [line for line, _ in alone]
        for row, (_, numbers) in zip(of_unit.tolist(), alone, strict=True):
            first = int(rows.first[row])
            found = values[first : first + int(rows.count[row])].tolist()
            assert list(map(_bits, found)) == list(map(_bits, numbers))


UNIT = st.one_of(COMMON, HALFWAY).filter(lambda text: 0 <= float(text) <= 1)


@given(UNIT, UNIT)
def test_numbers_reach_the_label_row_as_float_reads_them(x: str, y: str) -> None:
    # The other vertices are far apart, and on no line with any number drawn.
    text = f"1 0 0 1 0 {x} {y} 1 1 0 1 0.5 2"
    converter = converter_for(row_layout="polygon", out_of_range="keep")
    (label_row,) = converter.convert([("a.jpg", text.encode())]).as_dicts()
    assert label_row is not None
    (polygon,) = objects_of(label_row)
    assert numbers_of(polygon)[4:6] == [float(x), float(y)]


@given(texts(), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-be"]))
def test_problems_are_where_the_slow_way_finds_them(text: str, encoding: str) -> None:
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    content = (mark + text).encode(encoding)
    problems = converter_for().convert([("a.jpg", content)]).problems
    found = [(p.code.value, p.line, p.column) for p in problems]
    slow = expected(content, {0: "bounding_box", 1: "polygon", 2: "rotatable_bounding_box"})
    assert sorted(found, key=str) == sorted(map(tuple, slow.problems), key=str)

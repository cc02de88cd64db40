"""Text of synthetic label files, in memory: valid rows, and the defects that the caller wants."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import Final

import numpy as np
from msgspec import Struct, field

from labelingest.bench.synthetic.kinds import CLASSES, Kind
from labelingest.bench.synthetic.rows import Rows, draw_rows
from labelingest.columns.types import Float64, Int64, UInt8

__all__ = ["DEFECTS", "LabelFiles", "label_chunks", "label_files"]

_CHUNK: Final = 2_000
"""Files that are made together; part of the recipe: another number gives other files."""
_DIGITS: Final = 6
"""Decimals of a coordinate."""
_ROWS: Final = 7.3
"""Rows of a file, on average."""
_POLYGONS: Final = 7.2
"""Rows of a file of polygons, on average."""


def _unknown_class(fields: list[bytes]) -> bytes:
    return b" ".join((b"%d" % (CLASSES + int(fields[0])), *fields[1:]))


def _in_pixels(fields: list[bytes]) -> bytes:
    return fields[0] + b" 320.5 240.0 100.0 50.0"


DEFECTS: Final[Mapping[str, Callable[[list[bytes]], bytes]]] = MappingProxyType(
    {
        "unknown-class": _unknown_class,
        "bad-class-number": lambda fields: b" ".join((b"-1", *fields[1:])),
        "not-a-number": b",".join,
        "not-finite": lambda fields: b" ".join((fields[0], b"nan", *fields[2:])),
        "too-few-columns": lambda fields: b" ".join(fields[:4]),
        "out-of-range": _in_pixels,
    }
)
"""Code of the problem of a defective row → function from the fields of a valid row to its text."""


class LabelFiles(Struct, frozen=True):
    """Label files in memory."""

    contents: Sequence[bytes]
    """Content of each file."""
    rows: int
    """Rows in all of them, defective ones included."""
    defects: Counter[str] = field(default_factory=Counter)
    """Defective rows by the code of their problem."""


def label_files(
    files: int, kind: str = Kind.BOXES, *, seed: int = 0, defects: float = 0.0
) -> LabelFiles:
    """Make the label files of a data set in memory.

    Parameters
    ----------
    files
        Number of files.
    kind
        Kind of the rows: a `Kind`.
    seed
        Seed of the random numbers; another seed gives another data set.
    defects
        Part of the rows, 0..1, that becomes defective, in as many ways as `DEFECTS` has.

    Examples
    --------
    >>> generated = label_files(3)
    >>> generated.rows, generated.contents[0].splitlines()[0]
    (13, b'9 0.599000 0.180284 0.452033 0.171624')
    >>> label_files(2).contents == generated.contents[:2]
    True
    """
    chunks = list(label_chunks(files, kind, seed=seed, defects=defects))
    return LabelFiles(
        [content for chunk in chunks for content in chunk.contents],
        sum(chunk.rows for chunk in chunks),
        sum((chunk.defects for chunk in chunks), Counter()),
    )


def label_chunks(
    files: int, kind: str = Kind.BOXES, *, seed: int = 0, defects: float = 0.0
) -> Iterator[LabelFiles]:
    """Yield the files of `label_files` in pieces, so that memory does not grow with their number."""
    order = list(Kind).index(Kind(kind))
    for start in range(0, files, _CHUNK):
        count = min(_CHUNK, files - start)
        rng = np.random.default_rng((seed, order, start))
        mean = _POLYGONS if kind == Kind.POLYGONS else _ROWS
        rows_of_file = rng.geometric(1 / mean, _CHUNK)
        unit = np.repeat(np.arange(start, start + _CHUNK), rows_of_file)
        contents = _contents(draw_rows(rng, Kind(kind), unit), rows_of_file)
        chosen = rng.random(len(unit)) < defects
        cause = rng.integers(len(DEFECTS), size=len(unit))
        # A whole chunk is made for any number of its files, so that file i stays file i.
        rows = int(rows_of_file[:count].sum())
        bad = {row: list(DEFECTS)[cause[row]] for row in np.flatnonzero(chosen[:rows]).tolist()}
        first = np.cumsum(rows_of_file) - rows_of_file
        _spoil(contents, (unit - start).tolist(), first.tolist(), bad)
        yield LabelFiles(contents[:count], rows, Counter(bad.values()))


def _spoil(
    contents: list[bytes], unit: list[int], first: list[int], bad: Mapping[int, str]
) -> None:
    for row, code in bad.items():
        lines = contents[unit[row]].split(b"\n")
        line = row - first[unit[row]]
        lines[line] = DEFECTS[code](lines[line].split())
        contents[unit[row]] = b"\n".join(lines)


def _contents(rows: Rows, rows_of_file: Int64) -> list[bytes]:
    """Write rows as text, `CLASS 0.dddddd …` and a newline each; one content for each file."""
    width = _DIGITS + 3  # "0.", the decimals, a blank
    tokens = np.cumsum(rows.counts + 1)
    is_class = np.zeros(int(tokens[-1]), dtype=bool)
    is_class[tokens - rows.counts - 1] = True
    text = np.empty((len(is_class), width), dtype=np.uint8)
    text[~is_class] = _decimals(rows.coordinates, width)
    text[is_class, -3] = ord("0") + rows.class_number // 10
    text[is_class, -2] = ord("0") + rows.class_number % 10
    text[is_class, -1] = ord(" ")
    text[tokens - 1, -1] = ord("\n")
    is_text = np.ones(text.shape, dtype=bool)
    is_text[is_class, :-3] = False
    is_text[is_class, -3] = rows.class_number >= 10
    lengths = 2 + (rows.class_number >= 10) + width * rows.counts
    ends = np.concatenate(([0], np.cumsum(lengths)))[np.concatenate(([0], np.cumsum(rows_of_file)))]
    all_rows = text[is_text].tobytes()
    return [all_rows[a:b] for a, b in pairwise(ends.tolist())]


def _decimals(numbers: Float64, width: int) -> UInt8:
    """Return (v, width) the characters of numbers in 0..1, a blank after each."""
    rest = np.rint(numbers * 10**_DIGITS).astype(np.int64)
    text = np.empty((len(numbers), width), dtype=np.uint8)
    text[:, -1] = ord(" ")
    for column in range(width - 2, 1, -1):
        rest, digit = np.divmod(rest, 10)
        text[:, column] = ord("0") + digit
    text[:, 1] = ord(".")
    text[:, 0] = ord("0") + rest
    return text

"""Find the label row that a name means: a file, a data file's sidecar, or a key in a file of rows.

Files of rows may be larger than memory: they are read line by line, and a line is decoded only
when it can hold the key at all.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple
from urllib.parse import unquote

import orjson

from labelingest.documents.decode import MAX_BYTES
from labelingest.errors import ConfigError, StorageError
from labelingest.pairing.rules import SuffixRule
from labelingest.sinks.json_lines import ZSTD, plain_lines, unpacking_errors
from labelingest.storage.os_errors import cause_of

__all__ = ["SUFFIX", "FoundRow", "find_row"]

SUFFIX: Final = SuffixRule().suffix
STANDARD_INPUT: Final = "-"

_SHOWN_KEYS: Final = 3
_NEVER_ENCODED: Final = re.compile(r"[A-Za-z0-9._~-]+")


class FoundRow(NamedTuple):
    """One stored label row."""

    source: str
    """The file it is from, with its line where a file has many rows: as problems name it."""
    content: bytes
    data_file: str | None = None
    """Name of the data file beside it; None where there is no such name."""


def find_row(what: str, *, rows: str | None = None, suffix: str = SUFFIX) -> FoundRow:
    """Return the label row that a name means.

    Parameters
    ----------
    what
        A file, `-` for standard input, or a key in a file of rows.
    rows
        The file of rows, one a line.
    suffix
        What is added to the name of a data file to name its sidecar.

    Raises
    ------
    ConfigError
        No row or several are meant; the message says how to name one.
    StorageError
        A file cannot be read.
    """
    suffix = SuffixRule(suffix).suffix
    if rows is not None:
        with _open_unpacked(rows) as file:
            return _row_of_key(what, rows, file)
    if what == STANDARD_INPUT:
        return FoundRow("standard input", _content(what))
    if what.endswith((".jsonl", f".jsonl{ZSTD}")):
        with _open_unpacked(what) as file:
            return _only_row(what, file)
    sidecar = what + suffix
    if _is_file(sidecar):
        return FoundRow(sidecar, _content(sidecar), what)
    if what.endswith(suffix):
        return FoundRow(what, _content(what), what.removesuffix(suffix))
    if what.endswith(".json"):
        return FoundRow(what, _content(what))
    raise ConfigError(_cure(what, sidecar))


def _is_file(path: str) -> bool:
    try:
        return Path(path).is_file()
    except OSError:  # a name too long, or a folder that may not be looked into
        return False


def _cure(what: str, sidecar: str) -> str:
    """Return why a name leads to no row, and which name would."""
    if what.endswith(".txt"):
        return (
            f"{what!r} is no label row: labelingest show shows label rows; convert first: "
            "labelingest convert ... --out label_rows.jsonl, then "
            "labelingest show KEY --in label_rows.jsonl"
        )
    defect = "has no sidecar" if _is_file(what) else "is no file, and has no sidecar"
    return (
        f"{what!r} {defect} {sidecar!r}: name a label row, another --suffix, or the file of label "
        f"rows that has it: labelingest show KEY --in label_rows.jsonl"
    )


@contextmanager
def _open_unpacked(path: str) -> Iterator[BinaryIO]:
    if path == STANDARD_INPUT:
        yield sys.stdin.buffer
        return
    try:
        with Path(path).open("rb") as file:
            yield plain_lines(file) if path.endswith(ZSTD) else file
    except OSError as error:
        raise StorageError(f"{path!r} cannot be read: {cause_of(error)}") from error
    except unpacking_errors() as error:
        raise StorageError(
            f"{path!r} cannot be read: it is no zstd file, or it is damaged: write it again"
        ) from error


def _content(path: str) -> bytes:
    with _open_unpacked(path) as file:
        # One byte more than a sidecar may have: the reader says that it is too large.
        return file.read(MAX_BYTES + 1)


def _lines(path: str, file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not blank, with their numbers."""
    number = 0
    while line := file.readline(MAX_BYTES + 1):
        number += 1
        if len(line) > MAX_BYTES:
            raise ConfigError(
                f"{path}:{number}: a line of more than {MAX_BYTES:,} bytes: "
                "a file of label rows has one on each line"
            )
        if not line.isspace():
            yield number, line


def _only_row(path: str, file: BinaryIO) -> FoundRow:
    """Return the row of a file that has one."""
    first = [line for _, line in zip(range(_SHOWN_KEYS + 1), _lines(path, file), strict=False)]
    if not first:
        raise ConfigError(f"{path!r} has no label rows")
    if len(first) > 1:
        keys = _listed([_Labels.from_line(line).name(number) for number, line in first])
        raise ConfigError(
            f"{path!r} has more than one label row: name one with "
            f"labelingest show KEY --in {path}; it has {keys}"
        )
    return FoundRow(path, first[0][1])


class _Labels(NamedTuple):
    """Links and titles that name a row."""

    links: list[str]
    titles: list[str]

    @classmethod
    def from_line(cls, line: bytes) -> "_Labels":
        """Return the links and titles of a row; empty lists for a line that is no row."""
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError:
            return cls([], [])
        units = row.get("data_units") if isinstance(row, dict) else None
        entries = [row, *(units.values() if isinstance(units, dict) else ())]
        return cls(_texts(entries, "data_link"), _texts(entries, "data_title"))

    def name(self, number: int) -> str:
        """Return the name of the row for people; `number` is its line number."""
        names = [*self.links, *self.titles]
        return repr(names[0]) if names else f"line {number} without link and title"

    def linked_to(self, key: str) -> bool:
        """Whether a data unit links to the file of that key."""
        ends = f"/{key}"
        return any(
            f"/{link}".endswith(ends) or f"/{unquote(link)}".endswith(ends) for link in self.links
        )


def _texts(entries: list[Any], key: str) -> list[str]:
    values = [entry.get(key) for entry in entries if isinstance(entry, dict)]
    return [value for value in values if isinstance(value, str) and value]


def _row_of_key(key: str, path: str, file: BinaryIO) -> FoundRow:
    """Return the row of a key: by its link, else by a title that only one row has.

    A title proves nothing where the link ends with it: that file lies in another folder.
    """
    title = key.rpartition("/")[2]
    # The part of the name that a row contains unchanged, whatever its escaping.
    certain = max(_NEVER_ENCODED.findall(title), key=len, default="").encode()
    linked, titled = _Matches(), _Matches()
    first: list[str] = []
    for number, line in _lines(path, file):
        is_first = len(first) <= _SHOWN_KEYS
        if certain not in line and not is_first:
            continue
        labels = _Labels.from_line(line)
        if is_first:
            first.append(labels.name(number))
        name = f"{labels.name(number)} in line {number}"
        if labels.linked_to(key):
            linked.add(FoundRow(f"{path}:{number}", line), name)
        elif title in labels.titles and not labels.linked_to(title):
            titled.add(FoundRow(f"{path}:{number}", line), name)
    for matches in (linked, titled):
        if len(matches.names) > 1:
            raise ConfigError(
                f"{key!r} means more than one label row of {path!r}: {_listed(matches.names)}; "
                "name more of its path"
            )
        if matches.row is not None:
            return matches.row
    has = f"it has {_listed(first)}" if first else "it has none"
    raise ConfigError(f"{path!r} has no label row of {key!r}: {has}")


class _Matches:
    """Matching rows: the first row, and the names of the first few."""

    def __init__(self) -> None:
        self.row: FoundRow | None = None
        self.names: list[str] = []

    def add(self, row: FoundRow, name: str) -> None:
        """Add a row; only the first few names are stored."""
        self.row = self.row or row
        if len(self.names) <= _SHOWN_KEYS:
            self.names.append(name)


def _listed(names: list[str]) -> str:
    more = ", …" if len(names) > _SHOWN_KEYS else ""
    return ", ".join(names[:_SHOWN_KEYS]) + more

"""Text on the terminal: unchanged, aligned, never cut.

Names come from files and are data: they are printed as text, never as markup, with control
characters escaped.
"""

import logging
import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TextIO

from labelingest.problems import printable

if TYPE_CHECKING:
    from rich.console import Console as RichConsole

__all__ = [
    "Console",
    "exit_code",
    "kinds_of_files",
    "log_to_people",
    "many",
    "open_console",
    "places_sentence",
    "print_columns",
    "print_line",
    "print_message",
    "to_json",
]


_RULES_OF_TERMINALS: Final = frozenset(["FORCE_COLOR", "TTY_COMPATIBLE"])
"""Variables by which rich treats other streams as terminals."""


def many(count: int, noun: str, nouns: str = "") -> str:
    """Return a count with its noun.

    Parameters
    ----------
    count
        The count.
    noun, nouns
        The noun and its plural; empty for a plural in s.

    Examples
    --------
    >>> many(1, "error"), many(1000, "error"), many(2, "class", "classes")
    ('1 error', '1,000 errors', '2 classes')
    """
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"


def kinds_of_files(counts: Mapping[str, int], separator: str = ", ") -> str:
    """Return the number of files of each kind.

    Examples
    --------
    >>> kinds_of_files({"image": 2, "text": 1})
    '2 image files, 1 text file'
    """
    return separator.join(many(count, f"{kind} file") for kind, count in counts.items())


def exit_code(code: int, *, exit_zero: bool) -> int:
    """Return the exit code of a command; with `exit_zero`, problems of files count as success.

    Examples
    --------
    >>> exit_code(1, exit_zero=True), exit_code(3, exit_zero=True), exit_code(1, exit_zero=False)
    (0, 3, 1)
    """
    return 0 if exit_zero and code == 1 else code


def places_sentence(places: int) -> str:
    """Return the sentence for places that could not be listed.

    Examples
    --------
    >>> places_sentence(1), places_sentence(2)
    ('1 place could not be listed: its files are missing here', '2 places could not be listed: their files are missing here')
    """
    owner = "its" if places == 1 else "their"
    return f"{many(places, 'place')} could not be listed: {owner} files are missing here"


class Console:
    """Standard output or standard error. Styles are for terminals: elsewhere, rich is not loaded."""

    def __init__(self, *, stderr: bool) -> None:
        self._is_error = stderr
        self._rich: RichConsole | None = None

    @property
    def stream(self) -> TextIO:
        """The stream that is written."""
        return sys.stderr if self._is_error else sys.stdout

    @property
    def rich(self) -> "RichConsole":
        """The console of rich on the same stream."""
        if self._rich is None:
            from rich.console import Console as RichConsole

            self._rich = RichConsole(stderr=self._is_error)
            # COLUMNS=0 means an unknown width: rich would print nothing at all.
            self._rich.width = max(self._rich.width, 1)
        return self._rich

    @property
    def has_styles(self) -> bool:
        """Whether the stream may be a terminal, or is treated as one."""
        return self.stream.isatty() or not _RULES_OF_TERMINALS.isdisjoint(os.environ)


def open_console(*, stderr: bool = False) -> Console:
    """Return a console on standard output, or on standard error."""
    return Console(stderr=stderr)


class _PrintableFormatter(logging.Formatter):
    """Formats log records like all other output for people."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))


def log_to_people() -> None:
    """Send log records to standard error, a line each."""
    handler = logging.StreamHandler()
    handler.setFormatter(_PrintableFormatter("labelingest: %(message)s"))
    logging.basicConfig(handlers=[handler])


def print_line(console: Console, *parts: str | tuple[str, str]) -> None:
    """Print one line of parts: text, or text and its style."""
    if not console.has_styles:
        texts = (printable(part if isinstance(part, str) else part[0]) for part in parts)
        print("".join(texts), file=console.stream, flush=True)
        return
    from rich.text import Text

    text = Text.assemble(
        *[printable(p) if isinstance(p, str) else (printable(p[0]), p[1]) for p in parts]
    )
    # Long lines are left to the terminal: a wrapped path can be neither clicked nor copied.
    console.rich.print(text, soft_wrap=True, highlight=False)


def print_message(sentence: str) -> None:
    """Print a sentence for people on standard error."""
    print_line(open_console(stderr=True), sentence)


def to_json(value: Any) -> bytes:
    """Return a value as indented JSON."""
    import orjson

    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def print_columns(console: Console, rows: Sequence[Sequence[str]]) -> None:
    """Print aligned rows of cells, as wide as the data: names are never cut."""
    texts = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(_cells, column)) for column in zip(*texts, strict=True)]
    for row in texts:
        cells = [t + " " * (width - _cells(t)) for t, width in zip(row, widths, strict=True)]
        print_line(console, "  ".join(cells).rstrip())


def _cells(text: str) -> int:
    """Return the columns that a text takes on a terminal."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)

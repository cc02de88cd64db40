"""Characters of messages: those that a terminal would act on, or that UTF-8 cannot write, are escaped."""

import re
from typing import Final

__all__ = ["escaped", "is_utf8", "printable"]


def printable(text: str) -> str:
    r"""Return text with control characters and lone surrogates escaped, safe for one line.

    A file name may hold a newline or a terminal's escape sequence: neither may break the form of
    a report or act on the reader's terminal.

    Examples
    --------
    >>> printable("a\nb\x1b[2J.txt")
    'a\\nb\\x1b[2J.txt'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else escaped(c) for c in text)


_SURROGATES: Final = re.compile("[\ud800-\udfff]")


def is_utf8(text: str) -> bool:
    r"""Whether a text can be written as UTF-8: a name of undecodable bytes cannot.

    Examples
    --------
    >>> is_utf8("ü"), is_utf8("\udcff")
    (True, False)
    """
    return text.isascii() or _SURROGATES.search(text) is None


def escaped(character: str) -> str:
    """Return a character as an escape sequence of Python."""
    return character.encode("unicode_escape", "surrogatepass").decode()

r"""Texts with half a surrogate pair: no text can hold one, so decoders put these values in its place.

JSON can spell half a pair, as "\ud83d", and programs that cut texts write it. UTF-8 has no bytes for
it. A `BrokenText` is no `str`, so that every reader refuses it as a value of a wrong type, and
problems can show it.
"""

from typing import Final

__all__ = ["BROKEN_TEXT_NAME", "BrokenKey", "BrokenText", "is_broken"]

BROKEN_TEXT_NAME: Final = "text with half a surrogate pair"
"""What messages call such a value."""


class BrokenText:
    r"""A value with half a surrogate pair.

    Examples
    --------
    >>> BrokenText("a\ud83d")
    'a\ud83d'
    """

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return repr(self.text)


class BrokenKey(str):
    r"""A key of an object with half a surrogate pair, as messages show it.

    Examples
    --------
    >>> print(BrokenKey.from_text("a\ud83d"))
    �a\ud83d
    """

    __slots__ = ()

    @classmethod
    def from_text(cls, text: str) -> "BrokenKey":
        """Return the key with each half pair written out, behind the replacement character."""
        return cls("\ufffd" + text.encode("utf-8", "backslashreplace").decode())

    def __repr__(self) -> str:
        return f"'{self[1:]}'"


def is_broken(text: str) -> bool:
    r"""Return whether a text has half a surrogate pair.

    Examples
    --------
    >>> is_broken("\ud83d"), is_broken("\U0001f600")
    (True, False)
    """
    if text.isascii():
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False

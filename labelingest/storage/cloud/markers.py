"""Tell objects that may stand for folders: their names end in "/", and they have hardly any content.

Consoles and tools make them, empty or with a blank or a newline. obstore removes the slash, so that
size and name alone tell which objects are suspects.
"""

from typing import Final

from labelingest.model.kinds import kind_of

__all__ = ["MARKER_BYTES", "may_be_marker"]

MARKER_BYTES: Final = 2
"""Bytes that such an object has at most: a newline, as Windows writes it."""


def may_be_marker(name: str, size: int) -> bool:
    """Return whether an object may stand for a folder; name is without the slash at its end.

    An object with content and with the extension of a data file or label file is a file.

    Examples
    --------
    >>> may_be_marker("a.txt", 0), may_be_marker("a", 1), may_be_marker("a.txt", 1), may_be_marker("a", 20)
    (True, True, False, False)
    """
    return not size or (size <= MARKER_BYTES and kind_of(name) is None)

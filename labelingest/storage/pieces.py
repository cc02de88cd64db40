"""Pieces of a large content, joined to sizes that are worth a call of a file or of a client."""

from collections.abc import Iterable, Iterator
from typing import Final

__all__ = ["joined_pieces"]

_PIECE: Final = 1 << 20
"""Bytes that joined pieces have at least, but the last of them."""


def joined_pieces(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield pieces together, about a megabyte at a time; at least one, which may be empty.

    Examples
    --------
    >>> list(joined_pieces([b"a", b"b"])), list(joined_pieces([]))
    ([b'ab'], [b''])
    """
    waiting: list[bytes] = []
    length = 0
    for piece in pieces:
        waiting.append(piece)
        length += len(piece)
        if length >= _PIECE:
            yield b"".join(waiting)
            waiting, length = [], 0
    yield b"".join(waiting)

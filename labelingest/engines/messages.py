"""Send and receive messages over a socket: a kind, eight bytes of length, then the content.

A message is read into one buffer of the right size: results can be megabytes, and the standard
library's connections gather them from pieces.

::

    parent → worker   CALL      the function first, then one item after the other
                      WORK      the number of a kept chunk, and a function for its bytes
                      RELEASE   the number of a kept chunk that is not needed
    worker → parent   OUTCOME   the outcome of an item, whole
                      KEEPING   the outcome of an item; some of its chunks stay in the worker
                      DONE      the number of a kept chunk, and the outcome of the work on it
"""

import socket
import struct
from typing import Final, NamedTuple

__all__ = [
    "CALL",
    "DONE",
    "KEEPING",
    "OUTCOME",
    "RELEASE",
    "WORK",
    "Message",
    "numbered",
    "receive",
    "send",
]

CALL: Final = 0
WORK: Final = 1
RELEASE: Final = 2
OUTCOME: Final = 3
KEEPING: Final = 4
DONE: Final = 5

_HEAD: Final = struct.Struct("!BQ")
_NUMBER: Final = struct.Struct("!Q")


class Message(NamedTuple):
    """A message as it is received."""

    kind: int
    content: bytearray

    def chunk(self) -> tuple[int, memoryview]:
        """Return the number of the chunk that the message is about, and the rest of its content."""
        [number] = _NUMBER.unpack_from(self.content)
        return number, memoryview(self.content)[_NUMBER.size :]


def numbered(number: int, content: bytes = b"") -> bytes:
    """Return the content of a message about a kept chunk.

    Examples
    --------
    >>> number, rest = Message(DONE, bytearray(numbered(3, b"{}"))).chunk()
    >>> number, bytes(rest)
    (3, b'{}')
    """
    return _NUMBER.pack(number) + content


def send(channel: socket.socket, content: bytes, kind: int = CALL) -> None:
    """Send a message; raises OSError where the other side has closed the socket.

    Examples
    --------
    >>> sender, receiver = socket.socketpair()
    >>> send(sender, b"0 0.5 0.5 1 1")
    >>> bytes(receive(receiver).content)
    b'0 0.5 0.5 1 1'
    >>> sender.close()
    >>> receive(receiver)
    Traceback (most recent call last):
    EOFError
    >>> receiver.close()
    """
    channel.sendall(_HEAD.pack(kind, len(content)))
    channel.sendall(content)


def receive(channel: socket.socket) -> Message:
    """Wait for a message; raises EOFError or OSError where the other side has closed the socket."""
    kind, length = _HEAD.unpack(_exactly(channel, _HEAD.size))
    return Message(kind, _exactly(channel, length))


def _exactly(channel: socket.socket, length: int) -> bytearray:
    content = bytearray(length)
    rest = memoryview(content)
    while rest:
        count = channel.recv_into(rest)
        if not count:
            raise EOFError
        rest = rest[count:]
    return content

"""Messages over a socket: eight bytes of length, then as many bytes.

Read into one buffer of the right size: results are megabytes, and the standard library's
connections gather them from pieces.
"""

import socket
import struct
from typing import Final

__all__ = ["receive", "send"]

_LENGTH: Final = struct.Struct("!Q")


def send(channel: socket.socket, message: bytes) -> None:
    """Send a message; raises OSError where the other side is gone.

    Examples
    --------
    >>> here, there = socket.socketpair()
    >>> send(here, b"0 0.5 0.5 1 1")
    >>> bytes(receive(there))
    b'0 0.5 0.5 1 1'
    >>> here.close()
    >>> receive(there)
    Traceback (most recent call last):
    EOFError
    >>> there.close()
    """
    channel.sendall(_LENGTH.pack(len(message)))
    channel.sendall(message)


def receive(channel: socket.socket) -> bytearray:
    """Wait for a message; raises EOFError or OSError where the other side is gone."""
    [length] = _LENGTH.unpack(_exactly(channel, _LENGTH.size))
    return _exactly(channel, length)


def _exactly(channel: socket.socket, length: int) -> bytearray:
    message = bytearray(length)
    rest = memoryview(message)
    while rest:
        count = channel.recv_into(rest)
        if not count:
            raise EOFError
        rest = rest[count:]
    return message

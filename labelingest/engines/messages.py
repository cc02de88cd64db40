"""Send and receive messages over a socket: eight bytes of length, then the content.

A message is read into one buffer of the right size: results are megabytes, and the standard library's
connections gather them from pieces.
"""

import socket
import struct
from typing import Final

__all__ = ["receive", "send"]

_LENGTH: Final = struct.Struct("!Q")


def send(channel: socket.socket, message: bytes) -> None:
    """Send a message; raises OSError where the other side has closed the socket.

    Examples
    --------
    >>> sender, receiver = socket.socketpair()
    >>> send(sender, b"0 0.5 0.5 1 1")
    >>> bytes(receive(receiver))
    b'0 0.5 0.5 1 1'
    >>> sender.close()
    >>> receive(receiver)
    Traceback (most recent call last):
    EOFError
    >>> receiver.close()
    """
    channel.sendall(_LENGTH.pack(len(message)))
    channel.sendall(message)


def receive(channel: socket.socket) -> bytearray:
    """Wait for a message; raises EOFError or OSError where the other side has closed the socket."""
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

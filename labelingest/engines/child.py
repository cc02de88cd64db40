"""Code of a worker process: receive the function once, then items, and send each outcome in order.

The worker ends with its parent. A thread reads ahead; when the other end of the socket is closed, the
process exits at once. So a parent that is killed leaves no worker behind. The thread also keeps both
sides from waiting for each other to read.
"""

import os
import pickle
import signal
import socket
import sys
from importlib import import_module
from queue import SimpleQueue
from threading import Thread

from labelingest.allocator import settle_memory
from labelingest.crashes import crash_sentence
from labelingest.engines.base import Failure, attempt
from labelingest.engines.messages import receive, send
from labelingest.errors import EngineError

__all__ = ["main"]


def main(descriptor: int, preload: str) -> None:
    """Work for the parent at the other end of a socket, until the parent closes it.

    Parameters
    ----------
    descriptor
        Descriptor of the socket.
    preload
        A module to load while the parent has no work yet; "" for none.
    """
    try:
        _work(descriptor, preload)
    except Exception as error:  # noqa: BLE001 - Python's own trace would quote items
        print(f"labelingest: a worker ended: {crash_sentence(error)}", file=sys.stderr)  # noqa: T201
        sys.exit(1)


def _work(descriptor: int, preload: str) -> None:
    settle_memory()
    # Ctrl-C is for the parent: it ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel = socket.socket(fileno=descriptor)
    messages: SimpleQueue[bytearray] = SimpleQueue()
    Thread(target=_read_ahead, args=(channel, messages), daemon=True).start()
    if preload:
        import_module(preload)
    fn = pickle.loads(messages.get())
    while True:
        outcome = attempt(fn, pickle.loads(messages.get()))
        try:
            send(channel, _pickled(outcome))
        except OSError:
            os._exit(0)


def _read_ahead(channel: socket.socket, messages: "SimpleQueue[bytearray]") -> None:
    try:
        while True:
            messages.put(receive(channel))
    except (EOFError, OSError):
        os._exit(0)


def _pickled(outcome: object) -> bytes:
    try:
        return pickle.dumps(outcome, pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # noqa: BLE001 - pickle raises what the classes concerned raise
        what = outcome.error if isinstance(outcome, Failure) else outcome
        reason = EngineError(
            f"a worker cannot send back a {type(what).__qualname__}: {crash_sentence(error)}"
        )
        return pickle.dumps(Failure(reason))

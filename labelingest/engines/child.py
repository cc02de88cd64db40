"""Code of a worker process: receive the function once, then items, and send each outcome in order.

The worker ends with its parent. A thread reads ahead; when the other end of the socket is closed, the
process exits at once. So a parent that is killed leaves no worker behind. The thread also keeps both
sides from waiting for each other to read: it never sends.

Chunks of an outcome stay here (`labelingest.model.chunks`). Another thread does the work that the
parent wants done on them, while the next item is in work, and says so.
"""

import copyreg
import os
import pickle
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from io import BytesIO
from itertools import count
from queue import SimpleQueue
from threading import Lock, Thread
from types import MappingProxyType
from typing import Any

from labelingest.allocator import settle_memory
from labelingest.crashes import crash_sentence
from labelingest.engines.base import Failure, attempt
from labelingest.engines.messages import (
    CALL,
    DONE,
    KEEPING,
    OUTCOME,
    RELEASE,
    Message,
    numbered,
    receive,
    send,
)
from labelingest.errors import EngineError
from labelingest.model.chunks import Chunk, KeptChunk

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
        _work(_Parent(socket.socket(fileno=descriptor)), preload)
    except Exception as error:  # noqa: BLE001 - Python's own trace would quote items
        print(f"labelingest: a worker ended: {crash_sentence(error)}", file=sys.stderr)  # noqa: T201
        sys.exit(1)


def _work(parent: "_Parent", preload: str) -> None:
    settle_memory()
    # Ctrl-C is for the parent: it ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for task in (parent.read_ahead, parent.work_on_chunks):
        Thread(target=_essential, args=[task], daemon=True).start()
    if preload:
        import_module(preload)
    fn = pickle.loads(parent.calls.get())
    while True:
        parent.send_outcome(attempt(fn, pickle.loads(parent.calls.get())))


def _essential(task: Callable[[], None]) -> None:
    """Do the task of a thread; where that fails, end the process: the parent would wait for ever."""
    try:
        task()
    except BaseException as error:  # noqa: BLE001 - as in `main`
        print(f"labelingest: a worker ended: {crash_sentence(error)}", file=sys.stderr)  # noqa: T201
        os._exit(1)


class _Parent:
    """The process at the other end of the socket, and the chunks that are kept for it."""

    def __init__(self, channel: socket.socket) -> None:
        self.calls: SimpleQueue[bytearray] = SimpleQueue()
        self._about_chunks: SimpleQueue[Message] = SimpleQueue()
        self._channel, self._sending = channel, Lock()
        self._chunks: dict[int, Any] = {}
        self._numbers = count()
        self._reductions: dict[Any, Any] = {Chunk: self._keep}
        self._keeps = False

    def _keep(self, chunk: Chunk) -> tuple[type[KeptChunk], tuple[int, int, int]]:
        """Keep the bytes of a chunk, and return what is sent in its place."""
        number = next(self._numbers)
        self._chunks[number] = chunk.content
        self._keeps = True
        return KeptChunk, KeptChunk.fields_of(number, chunk)

    def read_ahead(self) -> None:
        """Receive messages until the parent is gone."""
        try:
            while True:
                message = receive(self._channel)
                if message.kind == CALL:
                    self.calls.put(message.content)
                else:
                    self._about_chunks.put(message)
        except (EOFError, OSError):
            os._exit(0)

    def work_on_chunks(self) -> None:
        """Do the work that the parent wants done on chunks, and release them."""
        while True:
            message = self._about_chunks.get()
            number, work = message.chunk()
            content = self._chunks.pop(number)
            if message.kind != RELEASE:
                outcome = attempt(_applied, (work, content))
                self._send(numbered(number, bytes(_pickled(outcome))), DONE)
            del message, work, content  # the thread may wait long for the next message

    def send_outcome(self, outcome: object) -> None:
        """Send the outcome of an item without the bytes of its chunks."""
        self._keeps = False
        content = _pickled(outcome, self._reductions)
        self._send(content, KEEPING if self._keeps else OUTCOME)

    def _send(self, content: Any, kind: int) -> None:
        with self._sending:
            try:
                send(self._channel, content, kind)
            except OSError:
                os._exit(0)


def _applied(order: tuple[memoryview, Any]) -> None:
    work, content = order
    pickle.loads(work)(content)


def _pickled(outcome: object, reductions: Mapping[Any, Any] = MappingProxyType({})) -> memoryview:
    """Return an outcome as a message, or the reason why it cannot be one.

    Parameters
    ----------
    outcome
        The outcome.
    reductions
        Type → the function that says what is sent instead of a value of the type.
    """
    buffer = BytesIO()
    pickler = pickle.Pickler(buffer, pickle.HIGHEST_PROTOCOL)
    pickler.dispatch_table = {**copyreg.dispatch_table, **reductions}
    try:
        pickler.dump(outcome)
    except Exception as error:  # noqa: BLE001 - pickle raises what the classes concerned raise
        what = outcome.error if isinstance(outcome, Failure) else outcome
        reason = EngineError(
            f"a worker cannot send back a {type(what).__qualname__}: {crash_sentence(error)}"
        )
        return memoryview(pickle.dumps(Failure(reason)))
    return buffer.getbuffer()

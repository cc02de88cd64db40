"""A thread that writes to an open file: the system copies bytes while the caller makes the next ones.

Writing and checksums leave the interpreter free for other threads. Few contents wait at a time, so
that a slow disk slows the caller down and memory stays bounded.
"""

from collections.abc import Callable
from queue import Queue
from threading import Thread
from typing import Final

from labelingest.model.chunks import Receipt

__all__ = ["BackgroundWriter"]

_WAITING: Final = 1
"""Tasks that wait while another is in work; each holds some megabytes."""


class BackgroundWriter:
    """Does tasks one after the other in a thread, which starts with the first task.

    Examples
    --------
    >>> writer, contents = BackgroundWriter(), []
    >>> receipt = writer.add(lambda: contents.append(b"{}"))
    >>> writer.wait()
    >>> receipt.is_done, contents
    (True, [b'{}'])
    >>> writer.end()
    """

    def __init__(self) -> None:
        self._tasks: Queue[tuple[Callable[[], object], Receipt] | None] = Queue(_WAITING)
        self._thread: Thread | None = None

    def add(self, task: Callable[[], object]) -> Receipt:
        """Add a task; wait while too many are waiting."""
        if self._thread is None:
            self._thread = Thread(target=self._work, daemon=True)
            self._thread.start()
        receipt = Receipt()
        self._tasks.put((task, receipt))
        return receipt

    def wait(self) -> None:
        """Wait until all tasks have ended."""
        self._tasks.join()

    def end(self) -> None:
        """Wait for the task in work and the one that waits, and end the thread."""
        if self._thread is not None:
            self._tasks.put(None)
            self._thread.join()
            self._thread = None

    def _work(self) -> None:
        while (entry := self._tasks.get()) is not None:
            task, receipt = entry
            error = None
            try:
                task()
            except Exception as failure:  # noqa: BLE001 - whoever asks for the receipt raises it
                error = failure
            del entry, task  # the content is freed before the next one comes
            receipt.settle(error)
            self._tasks.task_done()
        self._tasks.task_done()  # of the entry that ends the thread: `wait` counts it

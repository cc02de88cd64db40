"""Worker processes on this machine.

Each worker is a new interpreter with a socket to this process. Not a fork: the threads of numpy and
of the caller would be missing in it, and a lock that one of them holds would never be released. Not
`multiprocessing` either: its spawned processes import the caller's main module again, so that a
script without ``if __name__ == "__main__"`` starts itself over and over, and its pools do not say
which item a lost worker had.

The interpreter is isolated and gets this process's search path without its relative entries: the
current folder is often the folder of data, and no file in it is code.

1. A worker has one item in work and one waiting, so that it never waits for this process.
2. Early results are stored; no worker is more than `_AHEAD` items for each worker ahead.
3. A lost worker is replaced, and its items are repeated. An item that costs `_ATTEMPTS` workers ends
   the run: repeating helps where the system killed a worker, not where the item is the cause.

Workers have a process group of their own: the terminal's Ctrl-C reaches this process alone, which
ends them.
"""

import json
import pickle
import selectors
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import labelingest
from labelingest.engines.base import value_of
from labelingest.engines.messages import receive, send
from labelingest.errors import EngineError
from labelingest.search_path import interpreter_flags, own_entries

__all__ = ["ProcessEngine"]

A = TypeVar("A")
B = TypeVar("B")

_AHEAD: Final = 4
"""Items for each worker between the first missing result and the last item sent."""
_HELD: Final = 2
"""Items that a worker has at most: one in work, one waiting."""
_ATTEMPTS: Final = 3
"""Workers that one item may cost before it ends the run."""
_CHILD: Final = """\
import json, sys
from importlib.util import module_from_spec, spec_from_file_location
descriptor, path, origin, preload = sys.argv[1:]
sys.path[:] = json.loads(path)
if origin:
    spec = spec_from_file_location("labelingest", origin)
    sys.modules["labelingest"] = package = module_from_spec(spec)
    spec.loader.exec_module(package)
from labelingest.engines.child import main
main(int(descriptor), preload)
"""
"""Program of a worker; it loads the package from its own place, even from the current folder."""


@dataclass(slots=True)
class ProcessEngine:
    """Does items in processes of this machine.

    Examples
    --------
    >>> list(ProcessEngine(2).map(abs, [-3, 2, -1]))
    [3, 2, 1]
    """

    workers: int
    """Number of processes."""
    preload: str = ""
    """Module that the function needs, loaded at the start and not with the first item."""
    _crew: "_Crew | None" = field(default=None, init=False, repr=False)

    def start(self) -> None:
        """Start all processes before there is work, so that they load their modules meanwhile."""
        if self._crew is None:
            self._crew = _Crew(self.workers, self.preload)
            self._crew.start_all()

    def end(self) -> None:
        """End processes that were started and have no work."""
        crew, self._crew = self._crew, None
        if crew is not None:
            crew.end()

    def map(self, fn: Callable[[A], B], items: Iterable[A], /) -> Generator[B]:
        """Yield fn(item) in the order of items, as `Engine` says."""
        crew, self._crew = self._crew or _Crew(self.workers, self.preload), None
        try:
            crew.employ(pickle.dumps(fn, pickle.HIGHEST_PROTOCOL))
            for outcome in crew.outcomes(items):
                yield value_of(outcome)
        finally:
            crew.end()


@dataclass(slots=True, eq=False)
class _Item:
    """An item on its way."""

    number: int
    message: bytes
    attempts: int = 0
    """Number of workers that were lost over the item."""


@dataclass(slots=True, eq=False)
class _Worker:
    """One process and its items."""

    process: "subprocess.Popen[bytes]"
    channel: socket.socket
    held: deque[_Item] = field(default_factory=deque)
    """Items without an answer, in order."""

    def end(self) -> int:
        """Kill the process, which holds nothing worth keeping; return its exit status."""
        self.process.kill()
        self.channel.close()
        return self.process.wait()


@dataclass(slots=True, eq=False)
class _Crew:
    """The workers of one map."""

    size: int
    preload: str
    _function: bytes = b""
    _workers: list[_Worker] = field(default_factory=list)
    _again: deque[_Item] = field(default_factory=deque)
    """Items of lost workers, in order."""
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def start_all(self) -> None:
        """Start as many workers as there may be."""
        try:
            while len(self._workers) < self.size:
                self._start()
        except BaseException:
            self.end()
            raise

    def employ(self, function: bytes) -> None:
        """Send the function to all workers, present and future."""
        self._function = function
        for worker in self._workers:
            self._send(worker, function)

    def end(self) -> None:
        """End all workers."""
        for worker in self._workers:
            worker.end()
        self._workers.clear()
        self._selector.close()

    def outcomes(self, items: Iterable[Any]) -> Iterator[Any]:
        """Yield the outcome of each item, in the order of items."""
        early: dict[int, Any] = {}
        missing = 0
        rest = (_Item(number, _pickled(item)) for number, item in enumerate(items))
        todo = next(rest, None)
        while todo is not None or self._again or any(worker.held for worker in self._workers):
            while self._again and (worker := self._free()) is not None:
                self._give(worker, self._again.popleft())
            while todo is not None and todo.number < missing + self.size * _AHEAD:
                worker = self._free()
                if worker is None:
                    break
                self._give(worker, todo)
                todo = next(rest, None)
            early.update(self._answers())
            while missing in early:
                yield early.pop(missing)
                missing += 1

    def _free(self) -> _Worker | None:
        """Return a worker for the next item: an idle one, a new one, or one with a single item."""
        least = min(self._workers, key=lambda worker: len(worker.held), default=None)
        if least is not None and not least.held:
            return least
        if len(self._workers) < self.size:
            return self._start()
        return least if least is not None and len(least.held) < _HELD else None

    def _start(self) -> _Worker:
        parent_end, child_end = socket.socketpair()
        with child_end:
            try:
                process = subprocess.Popen(
                    [
                        sys.executable,
                        *interpreter_flags(),
                        "-c",
                        _CHILD,
                        *self._arguments(child_end),
                    ],
                    pass_fds=[child_end.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    process_group=0,
                )
            except OSError as error:
                parent_end.close()
                raise EngineError(
                    f"a worker process cannot be started: {error.strerror}; fewer --workers may help"
                ) from error
        worker = _Worker(process, parent_end)
        self._workers.append(worker)
        self._selector.register(parent_end, selectors.EVENT_READ, worker)
        if self._function:
            self._send(worker, self._function)
        return worker

    def _arguments(self, channel: socket.socket) -> list[str]:
        origin = str(labelingest.__file__)
        is_file = Path(origin).is_file()  # false inside an archive
        path = json.dumps(own_entries())
        return [str(channel.fileno()), path, str(Path(origin).resolve()) * is_file, self.preload]

    def _give(self, worker: _Worker, item: _Item) -> None:
        worker.held.append(item)
        self._send(worker, item.message)

    def _send(self, worker: _Worker, message: bytes) -> None:
        try:
            send(worker.channel, message)
        except OSError:
            # The worker is lost: the selector reports that too, and `_replace` saves its items.
            return

    def _answers(self) -> Iterator[tuple[int, Any]]:
        """Wait for workers; yield number and outcome of each item that is done."""
        for key, _ in self._selector.select():
            worker: _Worker = key.data
            try:
                message = receive(worker.channel)
            except (EOFError, OSError):
                self._replace(worker)
                continue
            yield worker.held.popleft().number, pickle.loads(message)

    def _replace(self, worker: _Worker) -> None:
        """Take the items of a lost worker back."""
        self._selector.unregister(worker.channel)
        self._workers.remove(worker)
        status = worker.end()
        if worker.held:
            worker.held[0].attempts += 1
            if worker.held[0].attempts == _ATTEMPTS:
                how = f"by signal {-status}" if status < 0 else f"with exit status {status}"
                raise EngineError(
                    f"{_ATTEMPTS} worker processes were lost over the same batch of files, the last "
                    f"{how}: if memory is short, try fewer --workers or smaller --batch-bytes"
                )
        self._again = deque(sorted((*self._again, *worker.held), key=lambda item: item.number))


def _pickled(item: object) -> bytes:
    return pickle.dumps(item, pickle.HIGHEST_PROTOCOL)

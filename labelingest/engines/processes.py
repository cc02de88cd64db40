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
3. A worker keeps the chunks of its outcomes (`labelingest.model.chunks`), and works on them while
   it has the next item in work. The bound of `_AHEAD` counts from the first item with such work left,
   so that what workers keep is bounded too. The results end when all work on chunks has ended.
4. A lost worker is replaced, and its items are repeated. An item that costs `_ATTEMPTS` workers ends
   the run: repeating helps where the system killed a worker, not where the item is the cause. An item
   is repeated as long as work on its chunks is left. Its outcome may have been read by then: the
   repeated chunks must be equal to the lost ones, and the work that was left is done on them.

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
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Final, TypeVar

import labelingest
from labelingest.engines.base import Failure, value_of
from labelingest.engines.messages import (
    CALL,
    DONE,
    KEEPING,
    RELEASE,
    WORK,
    Message,
    numbered,
    receive,
    send,
)
from labelingest.errors import EngineError
from labelingest.model.chunks import KeptChunk
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
    chunks: Sequence[KeptChunk] | None = None
    """The chunks of the outcome; None before there is one."""


@dataclass(slots=True, eq=False)
class _Worker:
    """One process and its items."""

    process: "subprocess.Popen[bytes]"
    channel: socket.socket
    held: deque[_Item] = field(default_factory=deque)
    """Items without an outcome, in order."""
    keeping: dict[int, tuple[_Item, KeptChunk]] = field(default_factory=dict)
    """The worker's number of each chunk that it keeps → the chunk and its item."""

    def send(self, content: bytes, kind: int = CALL) -> None:
        """Send a message, if the worker still exists."""
        # The selector reports a lost worker too, and `_Crew` repeats its items.
        with suppress(OSError):
            send(self.channel, content, kind)

    def order(self, chunk: KeptChunk) -> None:
        """Have work done on a chunk that the worker keeps."""
        self.send(numbered(chunk.number, chunk.work), WORK)

    def keep(self, item: _Item, chunk: KeptChunk) -> None:
        """Note that the worker keeps a chunk; send work that was left undone."""
        self.keeping[chunk.number] = item, chunk
        chunk.order = self.order
        if chunk.work:
            self.order(chunk)

    def release(self, chunk: KeptChunk) -> None:
        """Let the worker drop a chunk."""
        if self.keeping.pop(chunk.number, None) is not None:
            self.send(numbered(chunk.number), RELEASE)

    def note_done(self, message: Message) -> None:
        """Settle the receipt of a chunk: the work on it has ended."""
        number, outcome = message.chunk()
        _, chunk = self.keeping.pop(number)
        failed = pickle.loads(outcome)
        chunk.receipt.settle(failed.error if isinstance(failed, Failure) else None)

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
            worker.send(function)

    def end(self) -> None:
        """End all workers."""
        for worker in self._workers:
            worker.end()
        self._workers.clear()
        self._selector.close()

    def outcomes(self, items: Iterable[Any]) -> Iterator[Any]:
        """Yield the outcome of each item, in the order of items; return when chunks are settled."""
        early: dict[int, tuple[_Item, Any]] = {}
        missing = 0
        rest = (_Item(number, _pickled(item)) for number, item in enumerate(items))
        todo = next(rest, None)
        while todo is not None or self._again or any(w.held or w.keeping for w in self._workers):
            while self._again and (worker := self._free()) is not None:
                self._give(worker, self._again.popleft())
            while todo is not None and todo.number < self._first_left(missing) + self.size * _AHEAD:
                worker = self._free()
                if worker is None:
                    break
                self._give(worker, todo)
                todo = next(rest, None)
            early.update((item.number, (item, outcome)) for item, outcome in self._answers())
            while missing in early:
                item, outcome = early.pop(missing)
                yield outcome
                self._release_unused(item)
                missing += 1

    def _first_left(self, missing: int) -> int:
        """Return the number of the first item with work left, on itself or on its chunks."""
        keeping = (item.number for worker in self._workers for item, _ in worker.keeping.values())
        again = (item.number for item in self._again)
        return min((missing, *keeping, *again))

    def _release_unused(self, item: _Item) -> None:
        """Release the chunks of an outcome that the caller has read without giving them work."""
        for chunk in item.chunks or ():
            if not chunk.work:
                chunk.receipt.settle()
                for worker in self._workers:
                    if worker.keeping.get(chunk.number) == (item, chunk):
                        worker.release(chunk)

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
            worker.send(self._function)
        return worker

    def _arguments(self, channel: socket.socket) -> list[str]:
        origin = str(labelingest.__file__)
        is_file = Path(origin).is_file()  # false inside an archive
        path = json.dumps(own_entries())
        return [str(channel.fileno()), path, str(Path(origin).resolve()) * is_file, self.preload]

    def _give(self, worker: _Worker, item: _Item) -> None:
        worker.held.append(item)
        worker.send(item.message)

    def _answers(self) -> Iterator[tuple[_Item, Any]]:
        """Wait for workers; yield each item that is done, and its outcome."""
        for key, _ in self._selector.select():
            worker: _Worker = key.data
            try:
                message = receive(worker.channel)
            except (EOFError, OSError):
                self._replace(worker)
                continue
            if message.kind == DONE:
                worker.note_done(message)
                continue
            item, (outcome, chunks) = worker.held.popleft(), _outcome(message)
            if item.chunks is not None:
                _replace_chunks(worker, item, chunks)
                continue
            item.chunks = chunks
            for chunk in chunks:
                worker.keep(item, chunk)
            yield item, outcome

    def _replace(self, worker: _Worker) -> None:
        """Take the items of a lost worker back."""
        self._selector.unregister(worker.channel)
        self._workers.remove(worker)
        status = worker.end()
        unfinished = {item.number: item for item, _ in worker.keeping.values()}
        # The item in work may be the cause, or the one whose chunk was being worked on.
        for item in [*list(unfinished.values())[:1], *list(worker.held)[:1]]:
            item.attempts += 1
            if item.attempts == _ATTEMPTS:
                how = f"by signal {-status}" if status < 0 else f"with exit status {status}"
                raise EngineError(
                    f"{_ATTEMPTS} worker processes were lost over the same batch of files, the last "
                    f"{how}: if memory is short, try fewer --workers or smaller --batch-bytes"
                )
        unfinished |= {item.number: item for item in (*worker.held, *self._again)}
        self._again = deque(unfinished[number] for number in sorted(unfinished))


def _outcome(message: Message) -> tuple[Any, Sequence[KeptChunk]]:
    """Return an outcome, and the chunks in it that stay in the worker."""
    if message.kind != KEEPING:
        return pickle.loads(message.content), ()
    unpickler = _Unpickler(BytesIO(message.content))
    return unpickler.load(), unpickler.chunks


class _Unpickler(pickle.Unpickler):
    """Loads an outcome, and collects the chunks in it."""

    def __init__(self, file: BytesIO) -> None:
        super().__init__(file)
        self.chunks: list[KeptChunk] = []

    def find_class(self, module: str, name: str) -> Any:
        """Return what a name stands for."""
        is_chunk = (module, name) == (KeptChunk.__module__, KeptChunk.__name__)
        return self._chunk if is_chunk else super().find_class(module, name)

    def _chunk(self, number: int, length: int, crc: int) -> KeptChunk:
        self.chunks.append(KeptChunk(number, length, crc))
        return self.chunks[-1]


def _replace_chunks(worker: _Worker, item: _Item, repeated: Sequence[KeptChunk]) -> None:
    """Put the chunks of a repeated item in the place of the lost ones."""
    before = item.chunks or ()
    if len(before) != len(repeated) or not all(map(KeptChunk.is_equal, before, repeated)):
        raise EngineError(
            "a batch of files was converted twice, because a worker process was lost, and gave other "
            "bytes the second time: a file has changed meanwhile; run the same command again"
        )
    for chunk, new in zip(before, repeated, strict=True):
        chunk.number = new.number
        if chunk.receipt.is_done:
            worker.send(numbered(chunk.number), RELEASE)
        else:
            worker.keep(item, chunk)


def _pickled(item: object) -> bytes:
    return pickle.dumps(item, pickle.HIGHEST_PROTOCOL)

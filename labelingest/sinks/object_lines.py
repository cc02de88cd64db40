"""One object of label rows in cloud storage, one a line, plain or compressed."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import Any, BinaryIO, Final, cast

from labelingest.model.batch_output import BatchOutput
from labelingest.model.kinds import TEMPORARY_PREFIX
from labelingest.problems import Problem
from labelingest.sinks.json_lines import LinesHalf, Pack, no_lines, packed_pieces
from labelingest.sinks.objects import whole_output

__all__ = ["ObjectLinesSink", "spooled"]

_PIECE: Final = 1 << 20


@dataclass(slots=True)
class ObjectLinesSink:
    """Appends label rows to one object; an older object of that name is there until the end."""

    out: str
    """URL of the object."""
    pack: Pack
    _opened: AbstractContextManager[BinaryIO] | None = field(default=None, init=False, repr=False)
    _file: BinaryIO | None = field(default=None, init=False, repr=False)

    def __enter__(self) -> "ObjectLinesSink":
        self._opened = whole_output(self.out)
        self._file = self._opened.__enter__()
        return self

    def __exit__(self, *raised: Any) -> None:
        opened, file, self._opened, self._file = self._opened, self._file, None, None
        if opened is not None and file is not None:
            if raised[0] is None and not file.tell():
                file.write(no_lines(self.pack))
            opened.__exit__(*raised)

    def half(self) -> LinesHalf:
        """Return the half that joins label rows, and compresses them."""
        return LinesHalf(self.pack)

    def refused(self, keys: Sequence[str]) -> dict[int, Problem]:
        """Refuse nothing: a file can hold the labels of any key."""
        return {}

    def put(self, batch: BatchOutput) -> list[tuple[int, Problem]]:
        """Append label rows; an object can hold any of them."""
        if self._file is None:
            raise ValueError("the sink is not open: use it as `with sink:`")
        if batch.large is None:
            self._file.write(self.pack(batch.texts) if batch.packed is None else batch.packed)
            return []
        with spooled(packed_pieces(self.pack, batch.large.pieces())) as row:
            self._file.writelines(iter(lambda: row.read(_PIECE), b""))
        return []


@contextmanager
def spooled(pieces: Iterable[bytes]) -> Iterator[BinaryIO]:
    """Keep pieces in a file without name until the last one has come, and give the file.

    An object takes nothing back: a label row that breaks off must not have begun in it.
    """
    with TemporaryFile(prefix=TEMPORARY_PREFIX) as file:
        file.writelines(pieces)
        file.seek(0)
        yield cast("BinaryIO", file)

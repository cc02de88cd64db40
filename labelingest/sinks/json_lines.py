r"""One file of label rows, one a line, plain or compressed. The fast sink: one file, one stream.

A compressed file is a sequence of zstd frames, one for each batch: `zstd -d` reads it, and libraries
do as a stream. So batches can be compressed where they are made, and a file can be cut between two.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from io import BufferedReader, RawIOBase
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeAlias, cast

from msgspec import Struct

from labelingest.errors import ConfigError
from labelingest.model.batch_output import BatchOutput, as_lines
from labelingest.model.chunks import Chunk
from labelingest.problems import Problem
from labelingest.sinks.base import UnfinishedOutput
from labelingest.sinks.growing_file import GrowingFile
from labelingest.sinks.marks import Mark, are_whole, holds
from labelingest.storage.atomic import building_file, whole_file

__all__ = [
    "ZSTD",
    "KeptLinesHalf",
    "LinesHalf",
    "LinesSink",
    "Pack",
    "check_zstandard",
    "compress_lines",
    "join_lines",
    "no_lines",
    "pack_for",
    "packed_pieces",
    "plain_head",
    "plain_lines",
    "unpacking_errors",
]

Pack: TypeAlias = Callable[[Sequence[bytes]], bytes]
"""A function from texts, each on one line, to the bytes that are appended to a file."""
ZSTD: Final = ".zst"
_LEVEL: Final = 3


def join_lines(texts: Sequence[bytes]) -> bytes:
    r"""Return texts as lines.

    Examples
    --------
    >>> join_lines([b"{}", b"{}"]), join_lines([])
    (b'{}\n{}\n', b'')
    """
    return as_lines(texts)


def compress_lines(texts: Sequence[bytes]) -> bytes:
    """Return texts as lines in one zstd frame; nothing for no texts."""
    from zstandard import ZstdCompressor

    return ZstdCompressor(level=_LEVEL).compress(join_lines(texts)) if texts else b""


def pack_for(suffix: str) -> Pack:
    """Return the function that joins texts for a file with a suffix."""
    return compress_lines if suffix == ZSTD else join_lines


def packed_pieces(pack: Pack, pieces: Iterable[bytes]) -> Iterator[bytes]:
    r"""Yield one text that comes in pieces as a line, packed like others.

    Examples
    --------
    >>> list(packed_pieces(join_lines, [b"{", b"}"]))
    [b'{', b'}', b'\n']
    """
    line = chain(pieces, (b"\n",))
    if pack is not compress_lines:
        yield from line
        return
    from zstandard import ZstdCompressor

    frame = ZstdCompressor(level=_LEVEL).compressobj()
    yield from filter(None, map(frame.compress, line))
    yield frame.flush()


def no_lines(pack: Pack) -> bytes:
    """Return the content of a file without lines; an empty file would be no zstd file."""
    if pack is not compress_lines:
        return b""
    from zstandard import ZstdCompressor

    return ZstdCompressor(level=_LEVEL).compress(b"")


def plain_head(file: BinaryIO, length: int) -> bytes | None:
    """Return the first bytes of the content of a compressed file; None for any other file."""
    from zstandard import ZstdDecompressor, ZstdError

    try:
        return ZstdDecompressor().stream_reader(file, closefd=False).read(length)
    except ZstdError:
        return None


def plain_lines(file: BinaryIO) -> BinaryIO:
    """Return the content of a compressed file, frame after frame, as a file.

    Raises
    ------
    ConfigError
        The package for it is not installed.
    """
    check_zstandard()
    from zstandard import ZstdDecompressor

    reader = ZstdDecompressor().stream_reader(file, read_across_frames=True, closefd=False)
    return BufferedReader(cast(RawIOBase, reader))


def unpacking_errors() -> tuple[type[Exception], ...]:
    """Return the exceptions of `plain_lines` for a file that is damaged, or not compressed."""
    try:
        from zstandard import ZstdError
    except ImportError:
        return ()
    return (ZstdError,)


def check_zstandard() -> None:
    """Refuse to compress without the package for it.

    Raises
    ------
    ConfigError
        It is not installed; names the extra.
    """
    try:
        import zstandard  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            "compressed label rows need the package zstandard: pip install 'labelingest[zstd]'"
        ) from error


class LinesHalf(Struct, frozen=True):
    """Joins the label rows of batches, and compresses them where the output is compressed."""

    pack_texts: Pack

    def pack(self, output: BatchOutput) -> BatchOutput:
        """Return a batch with its texts as the bytes that the file takes."""
        return BatchOutput(output.keys, packed=self.pack_texts(output.texts))

    def deliver(self, output: BatchOutput) -> BatchOutput:
        """Leave the bytes where they are."""
        return output


class KeptLinesHalf(LinesHalf, frozen=True):
    """Lets the worker process keep the bytes, for a file that the worker can write into."""

    def deliver(self, output: BatchOutput) -> BatchOutput:
        """Return the bytes as a chunk, and no keys: a file of lines needs none."""
        content = self.pack_texts(output.texts) if output.packed is None else output.packed
        return BatchOutput((), delivered=Chunk(content))


@dataclass(slots=True)
class LinesSink:
    r"""Appends label rows to one file, replacing an older one of that name at the end.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "rows.jsonl"
    >>> with LinesSink(path) as sink:
    ...     sink.put(BatchOutput(["a.jpg", "b.jpg"], [b"{}", b"{}"]))
    []
    >>> path.read_text()
    '{}\n{}\n'
    """

    path: Path
    pack: Pack = join_lines
    unfinished: UnfinishedOutput | None = None
    """Unfinished file, which stays when the block fails; None for a file that is removed then."""
    _opened: ExitStack | None = field(default=None, init=False, repr=False)
    _file: GrowingFile | None = field(default=None, init=False, repr=False)

    def __enter__(self) -> "LinesSink":
        unfinished, place = self.unfinished, None
        if unfinished is not None:
            place = unfinished.path, _length(unfinished.marks)
        opened = ExitStack()
        file = opened.enter_context(whole_file(self.path, unfinished=place))
        building, length = place or (building_file(self.path), 0)
        self._file = GrowingFile(file.fileno(), building, length, output=str(self.path))
        opened.push(self._finish)
        self._opened = opened
        return self

    def __exit__(self, *raised: Any) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.__exit__(*raised)

    def _finish(self, *raised: object) -> None:
        """Wait for the bytes of all label rows, if the block ended well."""
        file, self._file = self._open(), None
        try:
            if raised[0] is None:
                if not file.length:
                    file.append(Chunk(no_lines(self.pack)))
                while file.is_incomplete:
                    file.marks(wait=True)
        finally:
            file.end()

    def half(self) -> KeptLinesHalf:
        """Return the half that joins label rows, compresses and keeps them."""
        return KeptLinesHalf(self.pack)

    def refused(self, keys: Sequence[str]) -> dict[int, Problem]:
        """Refuse nothing: a file can hold the labels of any key."""
        return {}

    def put(self, batch: BatchOutput) -> list[tuple[int, Problem]]:
        """Append label rows; a file can hold any of them."""
        file = self._open()
        if batch.large is not None:
            file.append_pieces(packed_pieces(self.pack, batch.large.pieces()))
        else:
            output = batch if batch.delivered is not None else self.half().deliver(batch)
            file.append(output.delivered)
        return []

    def good_marks(self, files: Sequence[int]) -> int:
        """Count the marks that fit the unfinished file, as `ResumableSink` says."""
        # Opening a pipe in its place would wait without end.
        if (
            self.unfinished is None
            or self.unfinished.path.is_symlink()
            or not self.unfinished.path.is_file()
        ):
            return 0
        intact = 0
        with suppress(OSError), self.unfinished.path.open("rb") as file:
            for mark, count in zip(self.unfinished.marks, files, strict=True):
                # Lines are not counted: none is empty.
                is_possible = _is_mark(mark) and (mark[0] > 0) == (count > 0)
                if not (is_possible and holds(file, *mark)):
                    break
                intact += 1
        return intact

    def marks(self, *, wait: bool = False) -> list[Mark]:
        """Return what puts added, in their order, as soon as the bytes are with the system."""
        return self._open().marks(wait=wait)

    def sync(self) -> None:
        """Bring all label rows with a mark onto the disk."""
        self._open().sync()

    def _open(self) -> GrowingFile:
        if self._file is None:
            raise ValueError("the sink is not open: use it as `with sink:`")
        return self._file


def _length(marks: Iterable[Mark]) -> int:
    return sum(size for size, _ in marks)


def _is_mark(mark: object) -> bool:
    return isinstance(mark, list | tuple) and len(mark) == 2 and are_whole(*mark)

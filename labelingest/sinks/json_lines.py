r"""One file of label rows, one a line, plain or compressed. The fast sink: one file, one stream.

A compressed file is a sequence of zstd frames, one for each batch: `zstd -d` reads it, and libraries
do as a stream. So batches can be compressed where they are made, and a file can be cut between two.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from io import BufferedReader, RawIOBase
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeAlias, cast

from labelingest.errors import ConfigError
from labelingest.model.batch_output import BatchOutput, as_lines
from labelingest.problems import Problem
from labelingest.sinks.base import UnfinishedOutput
from labelingest.sinks.marks import Mark, Summed, are_whole, checksum, holds
from labelingest.storage.atomic import whole_file
from labelingest.storage.os_errors import cannot_write

__all__ = [
    "ZSTD",
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


@dataclass(frozen=True, slots=True)
class LinesHalf:
    """Joins the label rows of batches, and compresses them where the output is compressed."""

    pack_texts: Pack

    def pack(self, output: BatchOutput) -> BatchOutput:
        """Return a batch with its texts as the bytes that the file takes."""
        return BatchOutput(output.keys, packed=self.pack_texts(output.texts))

    def deliver(self, output: BatchOutput) -> BatchOutput:
        """Leave the bytes where they are."""
        return output


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
    _opened: AbstractContextManager[BinaryIO] | None = field(default=None, init=False, repr=False)
    _file: BinaryIO | None = field(default=None, init=False, repr=False)
    _added: Mark = field(default=(0, 0), init=False, repr=False)
    """Mark of the last put."""

    def __enter__(self) -> "LinesSink":
        unfinished = self.unfinished
        place = None if unfinished is None else (unfinished.path, _length(unfinished.marks))
        self._opened = whole_file(self.path, unfinished=place)
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
        """Append label rows; a file can hold any of them."""
        if batch.large is not None:
            self._append(packed_pieces(self.pack, batch.large.pieces()))
            return []
        chunk = self.pack(batch.texts) if batch.packed is None else batch.packed
        with self._disk_errors_as_sentence():
            self._open().write(chunk)
        self._added = len(chunk), checksum(chunk)
        return []

    def _append(self, pieces: Iterable[bytes]) -> None:
        """Append a label row in pieces, or nothing where they end by an exception."""
        file, summed = self._open(), Summed(pieces)
        begin = file.tell()
        with self._disk_errors_as_sentence():
            try:
                file.writelines(summed)
            except OSError:
                raise  # of the disk: the run ends
            except Exception:
                file.seek(begin)
                file.truncate()
                raise
        self._added = summed.mark

    @contextmanager
    def _disk_errors_as_sentence(self) -> Iterator[None]:
        """Turn errors of the disk into a sentence: they are about the output, not about one file."""
        try:
            yield
        except OSError as error:
            raise cannot_write(str(self.path), error) from error

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

    def mark(self) -> Mark:
        """Return what the last put added."""
        with self._disk_errors_as_sentence():
            self._open().flush()
        return self._added

    def sync(self) -> None:
        """Bring all that was put onto the disk."""
        from os import fsync

        with self._disk_errors_as_sentence():
            fsync(self._open().fileno())

    def _open(self) -> BinaryIO:
        if self._file is None:
            raise ValueError("the sink is not open: use it as `with sink:`")
        return self._file


def _length(marks: Iterable[Mark]) -> int:
    return sum(size for size, _ in marks)


def _is_mark(mark: object) -> bool:
    return isinstance(mark, list | tuple) and len(mark) == 2 and are_whole(*mark)

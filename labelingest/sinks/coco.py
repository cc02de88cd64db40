"""One COCO document: images go to the output, annotations to a file beside it until the end.

Workers prepare the text of their batches, all but the IDs (`labelingest.writers.coco_page`). The sink
counts the batches in order: then IDs and places are known. A worker process of this machine is told
them, and writes its share into both files itself. Pages of other workers come here, and a thread
writes their text.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import Any, BinaryIO, Final, NamedTuple

from msgspec import Struct

from labelingest.errors import EngineError, LabelIngestError, StorageError
from labelingest.fence import isolate_failures
from labelingest.model.batch_output import BatchOutput, Labels
from labelingest.model.blobs import Unread
from labelingest.model.chunks import Chunk, KeptChunk, Receipt
from labelingest.problems import Problem
from labelingest.sinks.background_writer import BackgroundWriter
from labelingest.sinks.base import OutputTarget, UnfinishedOutput
from labelingest.sinks.objects import whole_output
from labelingest.storage.atomic import building_file, open_anew
from labelingest.storage.os_errors import cannot_write
from labelingest.storage.shared_file import SharedFile, write_all
from labelingest.storage.urls import is_cloud
from labelingest.writers.coco import BETWEEN, HEAD, CocoWriter
from labelingest.writers.coco_page import CocoCounts, CocoMeasure, CocoPage

__all__ = ["CocoHalf", "CocoSink", "is_own_output", "open_sink"]

_CHUNK: Final = 1 << 20
_AT_ONCE: Final = 1 << 26
"""Bytes that the system copies in one call."""


def open_sink(target: OutputTarget, unfinished: UnfinishedOutput | None = None) -> "CocoSink":
    """Return the sink of a document; an interrupted document cannot be continued."""
    writer = CocoWriter(target.ontology, target.storage_url, target.coco_rotated)
    return CocoSink(target.out, writer)


def is_own_output(file: BinaryIO, suffix: str) -> bool:
    """Return whether a file begins as a document that was written here."""
    return file.read(len(HEAD)) == HEAD


class _Delivery(NamedTuple):
    """Pages of a job, and the files over which the writer fails."""

    pages: Sequence[tuple[CocoMeasure, "CocoPage | Chunk | KeptChunk"]]
    refused: Sequence[tuple[int, Problem]]
    """Position and problem of each refused file."""


class CocoHalf(Struct, frozen=True):
    """Prepares the pages of batches."""

    writer: CocoWriter
    keeps: bool
    """Whether a worker process keeps pages, for files that it can write into."""

    def pack(self, output: BatchOutput) -> BatchOutput:
        """Leave the columns of a part as they are."""
        return output

    def deliver(self, output: BatchOutput) -> BatchOutput:
        """Return the columns of a job as pages; a file over which that fails is refused."""
        refused: list[tuple[int, Problem]] = []

        def give_up(row: int, why: Unread) -> list[CocoPage]:
            refused.append((row, Problem(why.code, output.keys[row], why.detail)))
            return []

        pages = isolate_failures(
            lambda rows: [self._page(output.columns_of(rows).labels)],
            len(output.keys),
            give_up,
            lambda parts: [page for part in parts for page in part],
        )
        delivered = [(page.measure, Chunk(page) if self.keeps else page) for page in pages]
        # Without keys, the counts of the files come as sums: none of them can be refused any more.
        keys = output.keys if refused else ()
        return BatchOutput(keys, delivered=_Delivery(delivered, refused))

    def _page(self, labels: Labels | None) -> CocoPage:
        labels = labels or Labels.none()
        return self.writer.page(labels.annotations, labels.units)


@dataclass(slots=True)
class CocoSink:
    """Writes one document, replacing an older one of that name."""

    out: str
    """Name of the output: a path, or a URL of cloud storage."""
    writer: CocoWriter
    _opened: ExitStack | None = field(default=None, init=False, repr=False)
    _document: "_Document | None" = field(default=None, init=False, repr=False)

    def __enter__(self) -> "CocoSink":
        opened = ExitStack()
        document = opened.enter_context(_document(self.out, self.writer))
        self._opened, self._document = opened, document
        return self

    def __exit__(self, *raised: Any) -> None:
        opened, self._opened, self._document = self._opened, None, None
        if opened is not None:
            opened.__exit__(*raised)

    def half(self) -> CocoHalf:
        """Return the half that prepares pages."""
        return CocoHalf(self.writer, keeps=not is_cloud(self.out))

    def refused(self, keys: Sequence[str]) -> dict[int, Problem]:
        """Refuse nothing: a document can hold the labels of any key."""
        return {}

    def put(self, batch: BatchOutput) -> list[tuple[int, Problem]]:
        """Append labels; those over which the writer fails unexpectedly are refused."""
        document = self._document
        if document is None:
            raise ValueError("the sink is not open: use it as `with sink:`")
        if batch.large is not None:
            self._put_large(document, batch)
            return []
        output = batch if batch.delivered is not None else self.half().deliver(batch)
        for measure, page in output.delivered.pages:
            document.append(measure, page)
        return list(output.delivered.refused)

    def _put_large(self, document: "_Document", batch: BatchOutput) -> None:
        """Append the labels of one file, part by part."""
        try:
            for number, part in enumerate(batch.large.parts() if batch.large else ()):
                page = self.writer.page(part.annotations, part.units)
                document.append(page.measure, page, continued=number > 0)
        except (LabelIngestError, OSError):
            raise
        except Exception as error:
            # Half of its labels are in the document by now: no other file may follow them.
            raise StorageError(
                f"{self.out!r} cannot be written: the labels of {batch.keys[0]!r} broke off; "
                "leave that file out, or give the process more memory"
            ) from error


class _Part:
    """One of the two arrays: an open file that grows by texts, whose places are given at once."""

    def __init__(self, file: int, path: Path, length: int) -> None:
        self.length = length
        """Bytes of the file when everything is written."""
        self._file = file
        self._shared = SharedFile.from_descriptor(path, file)

    def take(self, length: int, *, elsewhere: bool) -> Callable[[bytes], None]:
        """Give the next text its place; return the function that writes it, maybe elsewhere."""
        offset = self.length
        self.length += length
        if elsewhere:
            return self._shared.writer(offset)
        return partial(_write, self._file, offset)


def _write(file: int, offset: int, text: bytes) -> None:
    write_all(file, text, offset)


class _Upload:
    """The array of images where the output is an object: texts come in order."""

    def __init__(self, file: BinaryIO) -> None:
        self.length = 0
        self._file = file

    def take(self, length: int, *, elsewhere: bool) -> Callable[[bytes], object]:
        """Return the function that writes the next text."""
        del length, elsewhere
        return self._file.write


class _Document:
    """A document that grows by pages.

    Parameters
    ----------
    out
        Name of the output, for errors.
    images, annotations
        The two arrays.
    """

    def __init__(self, out: str, images: _Part | _Upload, annotations: _Part) -> None:
        self._out = out
        self._images, self._annotations = images, annotations
        self._writer = BackgroundWriter()
        self._receipts: deque[Receipt] = deque()
        self._counts = CocoCounts()

    def append(
        self, measure: CocoMeasure, page: CocoPage | Chunk | KeptChunk, *, continued: bool = False
    ) -> None:
        """Give a page its IDs and its place.

        Parameters
        ----------
        measure, page
            The page, here or where it is kept, and its size.
        continued
            Whether these are more annotations of the page before, whose images they are.

        Raises
        ------
        StorageError
            An earlier page could not be written.
        """
        self._collect()
        images, annotations = measure.counts
        before = self._counts
        if continued:
            before = before._replace(images=before.images - images)
        self._counts = CocoCounts(before.images + images, before.annotations + annotations)
        lengths = measure.lengths(before)
        elsewhere = isinstance(page, KeptChunk)
        write_images = None
        if not continued:
            write_images = self._images.take(lengths.images, elsewhere=elsewhere)
        write_annotations = self._annotations.take(lengths.annotations, elsewhere=elsewhere)
        if isinstance(page, KeptChunk):
            write = partial(_write_page, before, write_images, write_annotations)
            self._receipts.append(page.apply(write))
            return
        page = page.content if isinstance(page, Chunk) else page
        if write_images is not None:
            self._receipts.append(self._writer.add(partial(write_images, page.images(before))))
        text = page.annotations(before)
        self._receipts.append(self._writer.add(partial(write_annotations, text)))

    def _collect(self) -> None:
        """Look at writes that have ended; raise StorageError where one failed."""
        while self._receipts and self._receipts[0].is_done:
            error = self._receipts.popleft().error
            if isinstance(error, OSError):
                raise cannot_write(self._out, error) from error
            if error is not None:
                raise error

    def finish(self) -> None:
        """Wait for the text of all pages."""
        self._writer.wait()
        self._collect()
        if self._receipts:
            raise EngineError("a worker process ended before its part of the output was written")

    def end(self) -> None:
        """End the thread; the files belong to the caller again."""
        self._writer.end()


def _write_page(
    before: CocoCounts,
    write_images: Callable[[bytes], object] | None,
    write_annotations: Callable[[bytes], object],
    page: CocoPage,
) -> None:
    """Write the text of a page, where it is kept."""
    if write_images is not None:
        write_images(page.images(before))
    write_annotations(page.annotations(before))


@contextmanager
def _document(out: str, writer: CocoWriter) -> Iterator[_Document]:
    """Open a document; it gets its name when the block ends well."""
    with whole_output(out) as output, _annotations_file(out) as (annotations, path):
        output.write(HEAD)
        part = _Part(annotations.fileno(), path, 0)
        images: _Part | _Upload = _Upload(output)
        if not is_cloud(out):
            output.flush()
            images = _Part(output.fileno(), building_file(Path(out)), len(HEAD))
        document = _Document(out, images, part)
        try:
            yield document
            document.finish()
        finally:
            document.end()
        if isinstance(images, _Part):
            output.seek(images.length)
        output.write(BETWEEN)
        annotations.seek(0)
        if isinstance(images, _Part):
            _copy_in_system(annotations, output)
        copyfileobj(annotations, output, _CHUNK)
        output.write(writer.tail())


def _copy_in_system(source: BinaryIO, target: BinaryIO) -> None:
    """Copy a file, from its position, within the system; where that ends early, the rest is left."""
    target.flush()
    # Not every system and file system can; a full disk is found out again by whoever copies the rest.
    with suppress(AttributeError, OSError):
        while os.copy_file_range(source.fileno(), target.fileno(), _AT_ONCE):
            pass
    for file in (source, target):
        file.seek(os.lseek(file.fileno(), 0, os.SEEK_CUR))


@contextmanager
def _annotations_file(out: str) -> Iterator[tuple[BinaryIO, Path]]:
    """Open an empty file for annotations, and give its path; it is removed at the end.

    The file is beside the output, and the next run removes what a killed run left. That of an
    object has no name, and is in the folder for temporary files.
    """
    if is_cloud(out):
        with _nameless(out) as file:
            yield file, Path(out)
        return
    building = building_file(Path(out))
    path = building.with_name(f"{building.name}-annotations")
    with open(open_anew(path, out), "r+b") as file:  # noqa: PTH123 - a descriptor, not a path
        try:
            yield file, path
        finally:
            with suppress(OSError):
                path.unlink()


def _nameless(out: str) -> BinaryIO:
    try:
        return TemporaryFile()
    except OSError as error:
        raise cannot_write(out, error) from error

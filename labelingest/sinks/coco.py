"""One COCO document: images go to the output, annotations to a file beside it until the end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import BinaryIO, Final

from labelingest.model.batch_output import BatchOutput
from labelingest.model.kinds import TEMPORARY_PREFIX
from labelingest.sinks.base import OutputTarget, UnfinishedOutput
from labelingest.sinks.objects import whole_output
from labelingest.sinks.single_file import FileSink, Put
from labelingest.storage.os_errors import cannot_write
from labelingest.storage.urls import is_cloud
from labelingest.writers.coco import BETWEEN, HEAD, CocoChunk, CocoWriter

__all__ = ["is_own_output", "open_sink"]

_CHUNK: Final = 1 << 20


def open_sink(target: OutputTarget, unfinished: UnfinishedOutput | None = None) -> FileSink:
    """Return the sink of a document; an interrupted document cannot be continued."""
    writer = CocoWriter(target.ontology, target.storage_url, target.coco_rotated)
    return FileSink(target.out, partial(_document, writer=writer))


def is_own_output(file: BinaryIO, suffix: str) -> bool:
    """Return whether a file begins as a document that was written here."""
    return file.read(len(HEAD)) == HEAD


@contextmanager
def _document(out: str, writer: CocoWriter) -> Iterator[Put]:
    """Open a document that grows by the columns of batches."""
    with whole_output(out) as images, _nameless(out) as annotations:
        images.write(HEAD)

        def write(chunk: CocoChunk) -> None:
            images.write(chunk.images)
            annotations.write(chunk.annotations)

        def put(batch: BatchOutput) -> Callable[[], None]:
            parts = [batch.labels] if batch.large is None else batch.large.parts()
            for number, part in enumerate(filter(None, parts)):
                chunk = writer.add(part.annotations, part.units, continued=number > 0)
                if batch.large is None:
                    return partial(write, chunk)
                write(chunk)
            return lambda: None

        yield put
        images.write(BETWEEN)
        annotations.seek(0)
        copyfileobj(annotations, images, _CHUNK)
        images.write(writer.tail())


def _nameless(out: str) -> BinaryIO:
    """Open a file that has no name: it is gone with the process at the latest.

    The file is on the disk of the output; that of an object is in the folder for temporary files.
    """
    folder = None if is_cloud(out) else Path(out).resolve().parent
    try:
        return TemporaryFile(dir=folder, prefix=TEMPORARY_PREFIX)
    except OSError as error:
        raise cannot_write(out, error) from error

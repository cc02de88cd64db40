"""One Parquet file."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import BinaryIO

from labelingest.model.batch_output import BatchOutput
from labelingest.model.ontology import Ontology
from labelingest.sinks.base import OutputTarget, UnfinishedOutput
from labelingest.sinks.objects import whole_output
from labelingest.sinks.single_file import FileSink, Put
from labelingest.writers.parquet import ParquetWriter, written_by_labelingest

__all__ = ["is_own_output", "open_sink"]


def open_sink(target: OutputTarget, unfinished: UnfinishedOutput | None = None) -> FileSink:
    """Return the sink of a table; an interrupted table cannot be continued."""
    open_table = partial(_table, ontology=target.ontology, storage_url=target.storage_url)
    return FileSink(target.out, open_table)


def is_own_output(file: BinaryIO, suffix: str) -> bool:
    """Return whether the footer of a file says that it was written here."""
    return written_by_labelingest(file)


@contextmanager
def _table(out: str, ontology: Ontology, storage_url: str) -> Iterator[Put]:
    """Open a table that grows by the columns of batches."""
    with whole_output(out) as file, ParquetWriter(file, ontology, storage_url) as writer:

        def put(batch: BatchOutput) -> Callable[[], None]:
            parts = [batch.labels] if batch.large is None else batch.large.parts()
            for part in filter(None, parts):
                rows = writer.make(part.annotations, part.units)
                if batch.large is None:
                    return partial(writer.take, rows)
                writer.take(rows)
            return lambda: None

        yield put

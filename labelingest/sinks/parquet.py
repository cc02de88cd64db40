"""One Parquet file."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from labelingest.model.batch_output import BatchOutput
from labelingest.model.ontology import Ontology
from labelingest.sinks.single_file import Put
from labelingest.storage.atomic import whole_file
from labelingest.writers.parquet import ParquetWriter

__all__ = ["parquet_table"]


@contextmanager
def parquet_table(path: Path, ontology: Ontology, storage_url: str) -> Iterator[Put]:
    """Open a table that grows by the columns of batches."""
    with whole_file(path) as file, ParquetWriter(file, ontology, storage_url) as writer:

        def put(batch: BatchOutput) -> Callable[[], None]:
            parts = [batch.labels] if batch.large is None else batch.large.parts()
            for part in filter(None, parts):
                rows = writer.make(part.annotations, part.units)
                if batch.large is None:
                    return partial(writer.take, rows)
                writer.take(rows)
            return lambda: None

        yield put

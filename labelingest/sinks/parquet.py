"""One Parquet file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from labelingest.model.labels import Made
from labelingest.model.ontology import Ontology
from labelingest.sinks.files import Put
from labelingest.storage.atomic import whole_file
from labelingest.writers.parquet import ParquetWriter

__all__ = ["parquet_table"]


@contextmanager
def parquet_table(path: Path, ontology: Ontology, storage_url: str) -> Iterator[Put]:
    """Open a table that grows by the columns of batches."""
    with whole_file(path) as file, ParquetWriter(file, ontology, storage_url) as writer:

        def put(made: Made) -> None:
            if made.large is not None:
                for part in made.large.parts():
                    writer.add(part.annotations, part.units)
                return
            if made.labels is None:
                raise ValueError("a table is made of columns, and there are none")
            writer.add(made.labels.annotations, made.labels.units)

        yield put

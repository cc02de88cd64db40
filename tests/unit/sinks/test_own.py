from io import BytesIO
from pathlib import Path

import pytest

from labelingest.errors import ConfigError
from labelingest.sinks.lines import compress_lines
from labelingest.sinks.own import own_keys
from labelingest.writers.coco import HEAD
from labelingest.writers.parquet import ParquetWriter
from tests.builders.yolo import STORAGE_URL, ontology_for


def table() -> bytes:
    stream = BytesIO()
    with ParquetWriter(stream, ontology_for(), STORAGE_URL):
        pass
    return stream.getvalue()


def foreign_table() -> bytes:
    arrow = pytest.importorskip("pyarrow")
    stream = BytesIO()
    pytest.importorskip("pyarrow.parquet").write_table(arrow.table({"a": [1]}), stream)
    return stream.getvalue()


OURS = {
    "rows.jsonl": b'{"label_hash":"x"',
    "rows.jsonl.zst": compress_lines([b'{"label_hash":"x"}']),
    "instances.json": HEAD + b"\n",
    "table.parquet": table(),
}
FOREIGN = {
    "rows.jsonl": b'{"id": 1}\n',
    "rows.jsonl.zst": compress_lines([b'{"id": 1}']),
    "other.jsonl.zst": b'{"label_hash":"x"',
    "instances.json": b'{"info": {}, "images": []}',
    "table.parquet": foreign_table(),
    "rows.csv": b"",
}


@pytest.mark.parametrize("name", OURS)
def test_an_output_of_an_earlier_run_is_left_out_of_the_listing(tmp_path: Path, name: str) -> None:
    for content in (OURS[name], b""):
        (tmp_path / name).write_bytes(content)
        keys = own_keys(tmp_path, {"out": str(tmp_path / name)})
        assert keys[:2] == [name, f"{name}/"]
        assert all(key.startswith(".labelingest-tmp-") for key in keys[2:])


@pytest.mark.parametrize("name", FOREIGN)
def test_a_file_of_the_storage_path_that_no_run_wrote_is_not_replaced(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_bytes(FOREIGN[name])
    with pytest.raises(ConfigError, match="that no run wrote"):
        own_keys(tmp_path, {"out": str(tmp_path / name)})


def test_half_a_table_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "table.parquet").write_bytes(table()[:-1])
    with pytest.raises(ConfigError, match="that no run wrote"):
        own_keys(tmp_path, {"out": str(tmp_path / "table.parquet")})

"""A shard that one process writes as a whole, and what it says when that fails."""

from pathlib import Path

import pytest

from labelingest.errors import StorageError
from labelingest.model.batch_output import BatchOutput
from labelingest.sinks.json_lines import join_lines
from labelingest.sinks.shard_places import FolderShards, ShardHalf


@pytest.fixture
def half(tmp_path: Path) -> ShardHalf:
    (tmp_path / "token").touch()
    return ShardHalf(FolderShards(str(tmp_path), "rows", "token", compressed=False), join_lines)


def test_an_error_that_is_a_sentence_stays_as_it_is(half: ShardHalf, tmp_path: Path) -> None:
    def write() -> None:
        with half.open(0) as writer:
            writer.put(BatchOutput(["a.jpg"], [b"{}"]))
            raise StorageError("the storage path is gone")

    with pytest.raises(StorageError, match=r"^the storage path is gone$"):
        write()
    assert [path.name for path in tmp_path.iterdir()] == ["token"]


def test_an_error_of_the_disk_names_the_output(half: ShardHalf, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"'rows' cannot be written"), half.open(0):
        next(path for path in tmp_path.iterdir() if path.name != "token").unlink()
    assert [path.name for path in tmp_path.iterdir()] == ["token"]

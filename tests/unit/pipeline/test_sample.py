from collections.abc import Sequence

import numpy as np
import pytest

from labelingest.columns.fingerprints import text_fingerprints
from labelingest.columns.keys import Keys
from labelingest.columns.types import Int64
from labelingest.model.blobs import Blobs, Unread
from labelingest.pipeline.fetched_files import FetchedFile, fetch_rest
from labelingest.pipeline.sample import SAMPLE_FILES, Sample, sample_rows, take_sample
from labelingest.storage.base import list_all
from labelingest.storage.memory import MemoryStorage


class CountingStorage(MemoryStorage):
    """Files in memory; the key of every content that is read is noted."""

    def __init__(self, contents: dict[str, bytes]) -> None:
        super().__init__(contents)
        self.reads: list[str] = []
        self.heads: list[str] = []

    def fetch(
        self,
        keys: Sequence[str],
        *,
        sizes: Int64 | None = None,
        tokens: bool = True,
        most: int | None = None,
    ) -> Blobs:
        self.reads += keys
        return super().fetch(keys, sizes=sizes, tokens=tokens, most=most)

    def fetch_heads(
        self, keys: Sequence[str], length: int, *, start: int = 0
    ) -> Sequence[bytes | Unread]:
        self.heads += keys
        return super().fetch_heads(keys, length, start=start)


def sample_of(storage: MemoryStorage, most_bytes: int = 64_000_000) -> Sample:
    listing = list_all(storage)
    return take_sample(storage, listing, np.arange(len(listing)), most_bytes=most_bytes)


def test_a_small_folder_is_taken_whole() -> None:
    keys = Keys.from_texts([f"{i}.txt" for i in range(SAMPLE_FILES)])
    assert sample_rows(keys, np.arange(len(keys))).tolist() == list(range(SAMPLE_FILES))


def test_a_large_folder_gives_the_same_files_in_any_order_of_its_listing() -> None:
    names = [f"labels/{i}.txt" for i in range(5_000)]
    keys, reverse = Keys.from_texts(names), Keys.from_texts(names[::-1])
    chosen = keys.take(sample_rows(keys, np.arange(len(keys))))
    assert len(chosen) == SAMPLE_FILES
    assert set(chosen) == set(reverse.take(sample_rows(reverse, np.arange(len(names)))))


def test_the_sample_is_spread_over_the_folder() -> None:
    keys = Keys.from_texts([f"labels/{i:06}.txt" for i in range(100_000)])
    rows = sample_rows(keys, np.arange(len(keys)))
    assert np.histogram(rows, 10, (0, 100_000))[0].min() > 150


def test_the_hash_of_a_key_does_not_depend_on_the_column() -> None:
    names = [f"{'x' * (i % 50)}/ü{i}.txt" for i in range(70_000)]
    together = text_fingerprints(Keys.from_texts(names))
    single = [text_fingerprints(Keys.from_texts([names[i]]))[0] for i in (0, 65_536, 69_999)]
    assert together[[0, 65_536, 69_999]].tolist() == single
    assert len(set(together.tolist())) == len(names)


def test_files_that_were_fetched_are_not_fetched_again() -> None:
    storage = CountingStorage({"a.txt": b"0 1", "b.txt": b"1 1", "c.txt": b"2 1"})
    fetched = {"b.txt": FetchedFile(b"kept", "7")}
    sizes = np.array([3, 3, 3], dtype=np.int64)
    keys = ["a.txt", "b.txt", "c.txt"]
    blobs = fetch_rest(storage, keys, fetched, sizes=sizes, tokens=True, most=None)
    assert storage.reads == ["a.txt", "c.txt"]
    assert [blobs.get(row) for row in range(3)] == [b"0 1", b"kept", b"2 1"]
    plain = storage.fetch(keys).tokens
    assert blobs.tokens is not None
    assert plain is not None
    assert list(blobs.tokens) == [plain[0], "7", plain[2]]


@pytest.mark.parametrize("taken", ["", "a", "f", "af", "bcd", "abcdef"])
def test_fetched_and_other_files_are_the_blobs_of_all_files(taken: str) -> None:
    contents = {name: name.encode() * number for number, name in enumerate("abcdef")}
    fetched = {name: FetchedFile(contents[name], "") for name in taken}
    sizes = np.array([len(content) for content in contents.values()], dtype=np.int64)
    keys, storage = list(contents), MemoryStorage(contents)
    blobs = fetch_rest(storage, keys, fetched, sizes=sizes, tokens=False, most=None)
    expected = Blobs.from_contents(list(contents.values()))
    for name in ("buffer", "starts", "ends"):
        np.testing.assert_array_equal(getattr(blobs, name), getattr(expected, name))


def test_unread_files_keep_their_place_beside_fetched_ones() -> None:
    fetched = {"a.txt": FetchedFile(b"kept", "")}
    sizes = np.array([4, 4], dtype=np.int64)
    keys = ["a.txt", "b.txt"]
    blobs = fetch_rest(MemoryStorage({}), keys, fetched, sizes=sizes, tokens=False, most=None)
    assert list(blobs.unread) == [1]
    assert (blobs.get(0), blobs.tokens) == (b"kept", None)


def test_rows_are_counted_by_class() -> None:
    contents = {"a.txt": b"3 .5 .5 .1 .1\n3 .5 .5 .1 .1\nx 1\n", "b.txt": b"0 .5 .5 .1 .1"}
    sample = sample_of(MemoryStorage(contents))
    assert sample.rows_by_class() == {0: 1, 3: 2}
    assert sample.label_files == 2
    assert {key: file.content for key, file in sample.fetched.items()} == contents


def test_only_the_beginning_of_a_large_file_is_read() -> None:
    line = b"0 0.5 0.5 0.1 0.1\n"
    storage = CountingStorage({"a.txt": line * 300_000, "b.txt": line})
    sample = sample_of(storage)
    assert (storage.reads, storage.heads) == (["b.txt"], ["a.txt"])
    assert list(sample.fetched) == ["b.txt"]
    assert set(sample.sheet.rows.count.tolist()) == {5}
    assert len(sample.sheet.rows.count) == 250_000 // len(line) + 1


def test_contents_that_are_kept_are_bounded() -> None:
    storage = CountingStorage({f"{i:02}.txt": bytes(3_900_000) for i in range(20)})
    sample = sample_of(storage)
    assert len(sample.fetched) == 16
    assert len(storage.heads) == 4
    assert len(sample.heads.buffer) < 8_100_000


def test_a_file_beyond_the_limit_is_not_looked_at() -> None:
    storage = CountingStorage({"a.txt": b"0 .5 .5 .1 .1\n", "b.txt": b"0 .5 .5 .1 .1"})
    sample = sample_of(storage, most_bytes=13)
    assert storage.reads == ["b.txt"]
    assert sample.sidecars == ["b.txt"]


def test_a_cut_file_ends_with_a_whole_line() -> None:
    line = b"0 0.5 0.5 0.1 0.1\r"
    storage = MemoryStorage({f"{i}.txt": line * 100_000 for i in range(20)})
    assert set(sample_of(storage).sheet.rows.count.tolist()) == {5}


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_the_rows_of_a_long_file_in_utf_16_are_looked_at(encoding: str) -> None:
    content = ("\ufeff" + "1 .5 .5 .25 .25\n" * 20_000).encode(encoding)
    storage = MemoryStorage({"a.txt": content})
    sample = sample_of(storage, most_bytes=10_000_000)
    assert set(sample.rows_by_class()) == {1}
    assert (sample.sheet.rows.count == 5).all()


def test_an_empty_folder_has_an_empty_sample() -> None:
    assert sample_of(MemoryStorage({})).rows_by_class() == {}

import pickle
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from labelingest.errors import ConfigError, StorageError
from labelingest.model.blobs import FRONT
from labelingest.problems import ProblemCode
from labelingest.storage.base import MAX_SIDECAR, Storage, list_all
from labelingest.storage.local import LocalStorage
from labelingest.storage.memory import MemoryStorage

Make = Callable[[Mapping[str, bytes]], Storage]

NASTY = [
    "a b.txt",
    " a.txt",
    "a\nb.txt",
    "{name}.txt",
    "%20#?.txt",
    "-rf.txt",
    unicodedata.normalize("NFC", "é.txt"),
    unicodedata.normalize("NFD", "é.txt"),
    "日本/🎈.txt",
    f"{'f' * 150}/{'n' * 145}.txt",
]


@pytest.fixture(params=["local", "memory"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    def local(contents: Mapping[str, bytes]) -> Storage:
        for key, content in contents.items():
            path = tmp_path / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return LocalStorage(str(tmp_path))

    return local if request.param == "local" else MemoryStorage


def listed(storage: Storage, *exclude: str) -> dict[str, int]:
    listing = list_all(storage, exclude)
    return dict(zip(listing.keys, listing.size.tolist(), strict=True))


def test_a_listing_has_every_file_with_its_size(make: Make) -> None:
    storage = make({"a.jpg": b"12", "labels/train/a.txt": b"", "z": b"1"})
    assert listed(storage) == {"a.jpg": 2, "labels/train/a.txt": 0, "z": 1}


def test_a_listing_of_nothing_is_empty(make: Make) -> None:
    assert len(list_all(make({}))) == 0


def test_a_complete_listing_is_in_order_of_bytes(make: Make) -> None:
    storage = make(dict.fromkeys(["b", "a/c", "a-c", "B", "é", "az", "z", "﹅", "🎈"], b""))
    keys = list(list_all(storage).keys)
    assert keys == sorted(keys, key=str.encode)


@pytest.mark.parametrize("key", NASTY)
def test_any_name_is_listed_fetched_and_put_as_it_is(make: Make, key: str) -> None:
    storage = make({key: b"old"})
    storage.put(key, b"new")
    assert list(listed(storage)) == [key]
    assert storage.fetch([key]).get(0) == b"new"


def test_names_in_different_unicode_forms_are_different_files(make: Make) -> None:
    storage = make({NASTY[6]: b"NFC", NASTY[7]: b"NFD"})
    assert storage.fetch([NASTY[7], NASTY[6]]).get(0) == b"NFD"


def test_what_a_run_writes_itself_is_not_listed(make: Make) -> None:
    storage = make(
        {"a.txt": b"", "out/a.json": b"", "out/b/c.json": b"", "rows.jsonl": b"", "d/out/e": b""}
    )
    assert list(listed(storage, "out/", "rows.jsonl")) == ["a.txt", "d/out/e"]


def test_excluding_a_folder_leaves_names_that_begin_like_it(make: Make) -> None:
    storage = make({"out2/a": b"", "out.txt": b"", "out/a": b""})
    assert list(listed(storage, "out/")) == ["out.txt", "out2/a"]


def test_files_listed_by_name_alone_are_all_there(make: Make) -> None:
    storage = make(
        dict.fromkeys(["a.jpg", "b/é.jpg", "b/c.txt", "jpg", "out/d.jpg", "e.jpg"], b"1")
    )
    listing = list_all(storage, ["out/", "e.jpg"], bare=["jpg"])
    assert list(listing.keys) == ["a.jpg", "b/c.txt", "b/é.jpg", "jpg"]
    assert listing.size[1] == 1


def test_too_many_files_are_refused(make: Make) -> None:
    storage = make(dict.fromkeys("abcd", b""))
    assert len(list_all(storage, max_files=4)) == 4
    with pytest.raises(StorageError, match="more than 3 files"):
        list_all(storage, max_files=3)


def test_fetched_contents_come_in_the_order_asked_for(make: Make) -> None:
    storage = make({"x/1": b"one", "x/2": b"two", "y": b"\n"})
    blobs = storage.fetch(["y", "x/2", "x/1", "x/2"])
    assert [blobs.get(row) for row in range(4)] == [b"\n", b"two", b"one", b"two"]


def test_fetched_contents_lie_in_one_buffer_as_kernels_want_them(make: Make) -> None:
    blobs = make({"a": b"12", "b": b"", "c": b"345"}).fetch(["a", "b", "c"])
    assert bytes(blobs.buffer[FRONT:]) == b"12\n\n345\n"
    assert blobs.starts.tolist() == [FRONT, FRONT + 3, FRONT + 4]
    assert blobs.ends.tolist() == [FRONT + 2, FRONT + 3, FRONT + 7]


def test_fetching_nothing_gives_nothing(make: Make) -> None:
    blobs = make({"a": b"1"}).fetch([])
    assert len(blobs) == 0
    assert len(blobs.buffer) == FRONT


def test_a_missing_file_is_named_and_costs_the_others_nothing(make: Make) -> None:
    blobs = make({"a": b"1", "c": b"3"}).fetch(["a", "gone/b", "c"])
    assert blobs.unread[1].code is ProblemCode.UNREADABLE_FILE
    assert "no such file" in blobs.unread[1].detail
    assert set(blobs.unread) == {1}
    assert [blobs.get(row) for row in range(3)] == [b"1", b"", b"3"]


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 400_000])
@pytest.mark.parametrize("wrong_by", [None, -65_536, -1, 0, 1, 65_536])
def test_a_file_is_read_whole_whatever_size_was_listed(
    make: Make, size: int, wrong_by: int | None
) -> None:
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    storage = make({"a": content, "b": b"behind"})
    sizes = None if wrong_by is None else np.array([max(size + wrong_by, 0), 6])
    blobs = storage.fetch(["a", "b"], sizes=sizes)
    assert [blobs.get(0), blobs.get(1)] == [content, b"behind"]


def test_heads_are_the_first_bytes_and_none_where_there_is_no_file(make: Make) -> None:
    storage = make({"a": b"0123456789", "b": b"01", "c": b""})
    assert list(storage.fetch_heads(["a", "b", "gone", "c"], 4)) == [b"0123", b"01", None, b""]


def test_what_is_put_is_listed_and_fetched(make: Make) -> None:
    storage = make({})
    storage.put("out/deep/a.json", b"{}")
    storage.put("out/deep/a.json", b"{1}")
    assert listed(storage) == {"out/deep/a.json": 3}
    assert storage.fetch(["out/deep/a.json"]).get(0) == b"{1}"


@pytest.mark.parametrize(
    "key",
    ["", "/etc/passwd", "..", "../a", "a/../b", "a/..", "a//b", "a/", ".", "./a", "a/./b", "a\0b",
     "\ud800", "\udcff.txt"],
)  # fmt: skip
def test_keys_that_could_lead_elsewhere_are_refused(make: Make, key: str) -> None:
    storage = make({"a/b": b"1"})
    with pytest.raises(ConfigError, match="refused"):
        storage.fetch(["a/b", key])
    with pytest.raises(ConfigError, match="refused"):
        storage.fetch_heads(["a/b", key], 4)
    with pytest.raises(ConfigError, match="refused"):
        storage.put(key, b"")
    assert list(listed(storage)) == ["a/b"]


def test_names_that_only_begin_with_dots_are_names(make: Make) -> None:
    storage = make({"..a/...": b"1", ".b": b"2"})
    assert storage.fetch(["..a/...", ".b"]).get(0) == b"1"


def test_a_storage_can_be_pickled(make: Make) -> None:
    storage = make({"a": b"1"})
    copy = pickle.loads(pickle.dumps(storage))
    assert copy.url == storage.url
    assert copy.fetch(["a"]).get(0) == b"1"


def test_the_url_ends_with_a_slash(make: Make) -> None:
    url = make({}).url
    assert "://" in url
    assert url.endswith("/")
    assert not url.endswith("//")


def test_a_file_over_the_limit_is_not_read(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("base", "local", "memory"):
        monkeypatch.setattr(f"labelingest.storage.{module}.MAX_SIDECAR", 100_000)
    storage = make({"a": b"x" * 100_001, "b": b"x" * 100_000})
    for sizes in (None, np.array([100_001, 100_000]), np.array([5, 5])):
        blobs = storage.fetch(["a", "b"], sizes=sizes)
        assert blobs.unread[0].code is ProblemCode.FILE_TOO_LARGE
        assert "100,001" in blobs.unread[0].detail
        assert "100,000" in blobs.unread[0].detail
        assert len(blobs.get(1)) == 100_000


def test_the_limit_is_300_megabytes() -> None:
    assert MAX_SIDECAR == 300 * 10**6

import pickle
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from labelingest.errors import ConfigError, NameRefusedError, StorageError
from labelingest.model.blobs import FRONT, Unread
from labelingest.problems import ProblemCode
from labelingest.storage.base import (
    MAX_SIDECAR,
    NOT_THERE,
    ChangedError,
    Storage,
    Version,
    list_all,
)
from labelingest.storage.local.local import LocalStorage
from labelingest.storage.memory import MemoryStorage
from tests.builders.cloud_servers import CloudServer

Make = Callable[[Mapping[str, bytes]], Storage]

NASTY = [
    "a b.txt",
    " a.txt",
    "{name}.txt",
    "%20#?.txt",
    "-rf.txt",
    unicodedata.normalize("NFC", "é.txt"),
    unicodedata.normalize("NFD", "é.txt"),
    "日本/🎈.txt",
    f"{'f' * 150}/{'n' * 145}.txt",
]


HERE = ["local", "memory"]
CLOUD = ["s3", "gs", "az"]


@pytest.fixture(params=[*HERE, *CLOUD])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    def local(contents: Mapping[str, bytes]) -> Storage:
        for key, content in contents.items():
            path = tmp_path / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return LocalStorage(str(tmp_path))

    if request.param in CLOUD:
        server: CloudServer = request.getfixturevalue(request.param)
        return server.storage
    return local if request.param == "local" else MemoryStorage


def tokens_of(storage: Storage) -> dict[str, str]:
    listing = list_all(storage)
    return dict(zip(listing.keys, listing.token_column(), strict=True))


SPLITS = ["", "a", "b/", "b/2.txt", "b/2.txt", "b//c", "../x", "\x01", "\ud800", "é", "zz"]


def test_a_listing_is_the_same_whatever_it_is_split_by(make: Make) -> None:
    storage = make({f"{folder}/{n}.txt": b"1" * n for folder in "abé" for n in range(12)})
    unsplit, split = list_all(storage, ["a/3.txt"]), list_all(storage, ["a/3.txt"], splits=SPLITS)
    assert len(unsplit) == 35
    assert list(split.keys) == list(unsplit.keys)
    assert split.size.tolist() == unsplit.size.tolist()
    assert list(split.token_column()) == list(unsplit.token_column())


def sizes_by_key(storage: Storage, *exclude: str) -> dict[str, int]:
    listing = list_all(storage, exclude)
    return dict(zip(listing.keys, listing.size.tolist(), strict=True))


def test_a_listing_has_every_file_with_its_size(make: Make) -> None:
    storage = make({"a.jpg": b"12", "labels/train/a.txt": b"", "z": b"1"})
    assert sizes_by_key(storage) == {"a.jpg": 2, "labels/train/a.txt": 0, "z": 1}


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
    assert list(sizes_by_key(storage)) == [key]
    assert storage.fetch([key]).get(0) == b"new"


@pytest.mark.parametrize("make", HERE, indirect=True)
def test_names_on_this_machine_may_have_line_ends(make: Make) -> None:
    storage = make({"a\nb.txt": b"1"})
    assert list(sizes_by_key(storage)) == ["a\nb.txt"]
    assert storage.fetch(["a\nb.txt"]).get(0) == b"1"


@pytest.mark.parametrize("make", CLOUD, indirect=True)
@pytest.mark.parametrize("key", ["a\nb.txt", "a\x7f"])
def test_control_characters_cannot_be_asked_for_in_the_cloud(make: Make, key: str) -> None:
    storage = make({})
    with pytest.raises(ConfigError, match="control character"):
        storage.fetch([key])
    with pytest.raises(NameRefusedError, match="control character"):
        storage.put(key, b"")
    storage.delete([key])  # there is none


def test_names_in_different_unicode_forms_are_different_files(make: Make) -> None:
    storage = make({NASTY[6]: b"NFC", NASTY[7]: b"NFD"})
    assert storage.fetch([NASTY[7], NASTY[6]]).get(0) == b"NFD"


def test_what_a_run_writes_itself_is_not_listed(make: Make) -> None:
    storage = make(
        {"a.txt": b"", "out/a.json": b"", "out/b/c.json": b"", "rows.jsonl": b"", "d/out/e": b""}
    )
    assert list(sizes_by_key(storage, "out/", "rows.jsonl")) == ["a.txt", "d/out/e"]


def test_excluding_a_folder_leaves_names_that_begin_like_it(make: Make) -> None:
    storage = make({"out2/a": b"", "out.txt": b"", "out/a": b""})
    assert list(sizes_by_key(storage, "out/")) == ["out.txt", "out2/a"]


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


def test_heads_are_the_first_bytes_or_why_there_are_none(make: Make) -> None:
    storage = make({"a": b"0123456789", "b": b"01", "c": b""})
    unread = Unread(ProblemCode.UNREADABLE_FILE, NOT_THERE)
    assert list(storage.fetch_heads(["a", "b", "gone", "c"], 4)) == [b"0123", b"01", unread, b""]


def test_what_is_put_is_listed_and_fetched(make: Make) -> None:
    storage = make({})
    storage.put("out/deep/a.json", b"{}")
    storage.put("out/deep/a.json", b"{1}")
    assert sizes_by_key(storage) == {"out/deep/a.json": 3}
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
    with pytest.raises(ConfigError, match="refused"):
        storage.delete(["a/b", key])
    assert list(sizes_by_key(storage)) == ["a/b"]


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
    for module in ("base", "local.local", "memory", "cloud.cloud"):
        monkeypatch.setattr(f"labelingest.storage.{module}.MAX_SIDECAR", 100_000)
    storage = make({"a": b"x" * 100_001, "b": b"x" * 100_000})
    for sizes in (None, np.array([100_001, 100_000]), np.array([5, 5])):
        blobs = storage.fetch(["a", "b"], sizes=sizes)
        assert blobs.unread[0].code is ProblemCode.FILE_TOO_LARGE
        assert "100,001" in blobs.unread[0].detail
        assert "100,000" in blobs.unread[0].detail
        assert len(blobs.get(1)) == 100_000


def test_what_is_read_has_the_token_it_was_listed_with(make: Make) -> None:
    storage = make({"a": b"1", "b/c": b""})
    tokens = tokens_of(storage)
    blobs = storage.fetch(["b/c", "gone", "a"])
    assert blobs.tokens is not None
    assert list(blobs.tokens) == [tokens["b/c"], "", tokens["a"]]
    assert all(tokens.values())


def test_contents_are_the_same_where_no_tokens_are_asked_for(make: Make) -> None:
    storage = make({"a": b"1", "b/c": b"23"})
    blobs = storage.fetch(["b/c", "gone", "a"], sizes=np.array([2, 0, 1]), tokens=False)
    assert [blobs.get(row) for row in range(3)] == [b"23", b"", b"1"]
    assert set(blobs.unread) == {1}


def test_a_replaced_file_has_another_token(make: Make) -> None:
    storage = make({"a": b"old", "b": b"1"})
    before = tokens_of(storage)
    storage.put("a", b"newer")
    after = tokens_of(storage)
    assert after["a"] != before["a"]
    assert after["b"] == before["b"]


def test_pages_and_the_whole_listing_have_the_same_tokens(make: Make) -> None:
    storage = make(dict.fromkeys(["b", "a", "é", "c/d"], b"1"))
    of_pages: dict[str, str] = {}
    for page in storage.list():
        of_pages |= zip(page.keys, page.token_column(), strict=True)
    assert of_pages == tokens_of(storage)


def test_what_is_deleted_is_gone_and_the_rest_stays(make: Make) -> None:
    storage = make({"a": b"1", "b/c": b"2", "b/d": b"3", "e": b"4"})
    storage.delete(["b/c", "gone/too", "a", "gone"])
    assert sizes_by_key(storage) == {"b/d": 1, "e": 1}
    storage.delete([])
    storage.delete(["a"])
    assert set(storage.fetch(["a", "e"]).unread) == {0}


def test_a_file_is_replaced_only_in_the_version_that_was_seen(make: Make) -> None:
    storage = make({"a": b"old"})
    seen = tokens_of(storage)["a"]
    storage.put("a", b"newer", unless_changed=seen)
    with pytest.raises(StorageError, match="'a' was not written: it has changed meanwhile"):
        storage.put("a", b"newest", unless_changed=seen)
    with pytest.raises(ChangedError):
        storage.put("gone", b"newest", unless_changed=seen)
    assert storage.fetch(["a"]).get(0) == b"newer"
    assert list(sizes_by_key(storage)) == ["a"]


def test_what_is_put_has_the_token_that_it_is_listed_and_looked_up_with(make: Make) -> None:
    storage = make({})
    token = storage.put("b/ü.txt", b"four")
    assert token == tokens_of(storage)["b/ü.txt"]
    assert storage.versions(["b/ü.txt", "gone", "b/gone", "gone/b"]) == [
        Version(4, token),
        *[None] * 3,
    ]
    storage.flush(["b/ü.txt", "gone/b"])


def test_the_versions_in_a_folder_are_those_of_its_own_files(make: Make) -> None:
    storage = make({"a": b"1", "b/c": b"12", "b/d/e": b"1", "b2": b"1", "b.c": b"1"})
    tokens = tokens_of(storage)
    assert storage.versions_in("b/") == {"b/c": Version(2, tokens["b/c"])}
    assert storage.versions_in("gone/") == {}


@pytest.mark.parametrize("make", [*HERE, "s3", "az"], indirect=True)
def test_a_file_is_made_only_where_there_is_none(make: Make) -> None:
    storage = make({})
    storage.put("a/b", b"first", unless_changed="")
    with pytest.raises(StorageError, match="it has changed meanwhile"):
        storage.put("a/b", b"second", unless_changed="")
    assert storage.fetch(["a/b"]).get(0) == b"first"


def test_the_limit_is_300_megabytes() -> None:
    assert MAX_SIDECAR == 300 * 10**6

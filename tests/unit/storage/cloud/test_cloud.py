"""Cloud storage on good and on bad days: real servers, and a proxy that answers wrongly."""

import pickle
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import pytest

from labelingest.errors import ConfigError, StorageError
from labelingest.problems import ProblemCode
from labelingest.storage import open_storage
from labelingest.storage.base import Storage, list_all
from labelingest.storage.cloud.cloud import CloudStorage
from tests.builders.cloud_servers import BUCKET, PAGE, CloudServer
from tests.builders.faulty_proxy import Fault, FaultyProxy, Request, faulty_proxy

FILES = {f"labels/{number:03}.txt": b"%d" % number for number in range(35)}
PAGES = 4
PROOF = 1
"""Requests for the last keys once more: is there nothing behind them?"""
KEYS = list(FILES)


def lists(request: Request) -> bool:
    return request.lists


def reads(request: Request) -> bool:
    return request.reads


def everything(request: Request) -> bool:
    return True


class Day:
    """A storage path with 35 files on four pages, behind a proxy."""

    def __init__(self, server: CloudServer, proxy: FaultyProxy, files: Mapping[str, bytes]) -> None:
        self.server = server
        self.proxy = proxy
        self.url = server.storage(files).url

    def storage(self, **options: Any) -> Storage:
        options = {"retries": 2, "timeout": 20.0} | options
        connection = self.server.connection(self.proxy.url.partition("://")[2], **options)
        return open_storage(self.url, connection=connection)


@pytest.fixture(params=["s3", "gs"])
def day(request: pytest.FixtureRequest) -> Iterator[Day]:
    server: CloudServer = request.getfixturevalue(request.param)
    with faulty_proxy(server.address) as proxy:
        yield Day(server, proxy, FILES)


@pytest.fixture
def azure_day(az: CloudServer) -> Iterator[Day]:
    with faulty_proxy(az.address) as proxy:
        yield Day(az, proxy, dict(list(FILES.items())[:5]))


def test_a_listing_makes_one_request_a_page_and_no_other(day: Day) -> None:
    assert PAGE * (PAGES - 1) < len(FILES) <= PAGE * PAGES
    assert list(list_all(day.storage()).keys) == KEYS
    assert day.proxy.count(lists) == len(day.proxy.requests) == PAGES + PROOF


def test_a_fetch_makes_one_request_a_file_and_no_other(day: Day) -> None:
    blobs = day.storage().fetch(KEYS)
    assert [blobs.get(row) for row in range(len(KEYS))] == list(FILES.values())
    assert day.proxy.count(reads) == len(day.proxy.requests) == len(KEYS)


def test_many_files_are_asked_for_at_once_but_not_all(s3: CloudServer) -> None:
    keys = [f"{number}" for number in range(150)]
    with faulty_proxy(s3.address) as proxy:
        storage = Day(s3, proxy, dict.fromkeys(keys, b"1")).storage()
        proxy.fail(reads, Fault.LATE, times=150)
        assert not storage.fetch(keys).unread
    assert 8 < proxy.most_at_once <= 64


def test_a_request_that_is_answered_is_not_under_way_any_more(s3: CloudServer) -> None:
    with faulty_proxy(s3.address) as proxy:
        for _ in range(200):  # each on a connection of its own, as soon as the last has its answer
            with urlopen(f"{proxy.url}/{BUCKET}?list-type=2", timeout=20) as answer:
                answer.read()
        assert len(proxy.requests) == 200
    assert proxy.most_at_once == 1


def test_heads_are_asked_for_by_range(day: Day) -> None:
    day.storage().put("long", b"x" * 100_000)
    assert day.storage().fetch_heads(["long"], 10) == [b"x" * 10]
    assert day.proxy.count(reads) == 1


@pytest.mark.parametrize("fault", [429, 500, 503, Fault.LATE])
def test_a_page_that_is_refused_for_now_is_asked_for_again(day: Day, fault: Fault | int) -> None:
    day.proxy.fail(lists, fault, times=2, after=1)
    assert list(list_all(day.storage()).keys) == KEYS


def test_a_page_that_breaks_off_is_asked_for_again(day: Day) -> None:
    day.proxy.fail(lists, Fault.TRUNCATED, times=2, after=1)
    assert list(list_all(day.storage()).keys) == KEYS


def test_a_page_that_comes_twice_is_taken_once(day: Day) -> None:
    day.proxy.fail(lists, Fault.REPEATED, after=1)
    assert list(list_all(day.storage()).keys) == KEYS
    assert day.proxy.count(lists) == PAGES + 1 + PROOF


def test_a_page_that_does_not_come_is_asked_for_again(day: Day) -> None:
    day.proxy.fail(lists, Fault.SILENCE, after=1)
    assert list(list_all(day.storage(timeout=0.5)).keys) == KEYS


@pytest.mark.parametrize("fault", [429, 500, 503, Fault.TRUNCATED])
def test_a_listing_that_fails_anywhere_fails_as_a_whole(day: Day, fault: Fault | int) -> None:
    day.proxy.fail(lists, fault, times=99, after=3)
    with pytest.raises(StorageError, match=f"{day.url} cannot be listed: .*; "):
        list_all(day.storage())


def test_pages_of_azure_that_break_off_end_the_listing(azure_day: Day) -> None:
    # Its order is not always that of the keys: nobody knows from where to go on.
    azure_day.proxy.fail(lists, Fault.TRUNCATED)
    with pytest.raises(StorageError, match="the answer broke off"):
        list_all(azure_day.storage())
    assert len(list_all(azure_day.storage())) == 5
    assert azure_day.proxy.count(lists) == len(azure_day.proxy.requests) == 2


@pytest.mark.parametrize("fault", [429, 500, 503, Fault.LATE, Fault.TRUNCATED])
def test_a_file_that_is_refused_for_now_is_asked_for_again(day: Day, fault: Fault | int) -> None:
    day.proxy.fail(reads, fault, times=2)
    blobs = day.storage().fetch(KEYS[:3])
    assert [blobs.get(row) for row in range(3)] == [b"0", b"1", b"2"]
    assert not blobs.unread


def test_a_file_that_does_not_come_is_asked_for_again(day: Day) -> None:
    day.proxy.fail(reads, Fault.SILENCE)
    assert day.storage(timeout=0.5).fetch([KEYS[7]]).get(0) == b"7"


@pytest.mark.parametrize(
    ("fault", "why"),
    [(503, "too many requests"), (500, "the storage failed (500"), (Fault.TRUNCATED, "broke off")],
)
def test_a_file_that_stays_refused_costs_the_others_nothing(
    day: Day, fault: Fault | int, why: str
) -> None:
    name = KEYS[1].rpartition("/")[2].partition(".")[0]
    day.proxy.fail(lambda request: name in request.path, fault, times=99)
    blobs = day.storage().fetch(KEYS[:3])
    assert set(blobs.unread) == {1}
    assert blobs.unread[1].code is ProblemCode.UNREADABLE_FILE
    assert why in blobs.unread[1].detail
    assert [blobs.get(0), blobs.get(2)] == [b"0", b"2"]


@pytest.mark.parametrize("fault", [503, Fault.TRUNCATED])
def test_a_batch_in_which_nothing_is_answered_ends_the_run(day: Day, fault: Fault | int) -> None:
    day.proxy.fail(reads, fault, times=999)
    with pytest.raises(StorageError, match=rf"{day.url}: 'labels/0..\.txt' cannot be read: "):
        day.storage().fetch(KEYS)


def test_a_put_that_is_refused_for_now_is_repeated(day: Day) -> None:
    day.proxy.fail(lambda request: request.method == "PUT", 503, times=2)
    storage = day.storage()
    storage.put("labels/new.txt", b"new")
    assert storage.fetch(["labels/new.txt"]).get(0) == b"new"


def test_a_put_that_stays_refused_names_the_key(day: Day) -> None:
    day.proxy.fail(lambda request: request.method == "PUT", 503, times=99)
    with pytest.raises(StorageError, match=r"'labels/new.txt' cannot be written: too many"):
        day.storage().put("labels/new.txt", b"new")


def test_a_file_that_is_replaced_after_the_listing_has_the_token_of_what_was_read(day: Day) -> None:
    storage = day.storage()
    listing = list_all(storage)
    direct = open_storage(day.url, connection=day.server.connection())
    day.proxy.on_read = lambda _: direct.put(KEYS[0], b"replaced")
    blobs = storage.fetch([KEYS[0]], sizes=listing.size[:1])
    assert blobs.get(0) == b"replaced"
    assert blobs.tokens is not None
    assert blobs.tokens[0] != listing.token_column()[0]
    assert blobs.tokens[0] == list_all(storage).token_column()[0]


def test_many_files_of_s3_are_deleted_by_one_request(s3: CloudServer) -> None:
    with faulty_proxy(s3.address) as proxy:
        day = Day(s3, proxy, FILES)
        day.storage().delete(KEYS[:-1])
        assert [request.method for request in proxy.requests] == ["POST"]
        assert list(list_all(day.storage()).keys) == KEYS[-1:]


def test_folder_markers_are_no_files_and_are_found_by_listing(s3: CloudServer) -> None:
    with faulty_proxy(s3.address) as proxy:
        day = Day(s3, proxy, {"img/a.jpg": b"1", "img-b.jpg": b"1", "README": b"", "v1/x/y": b""})
        s3.put_raw(day.url, ["", "img/", "empty/", "v1/x/", "labels.v1/", "labels.v1/a.txt"])
        keys = ["README", "img-b.jpg", "img/a.jpg", "labels.v1/a.txt", "v1/x/y"]
        assert list(list_all(day.storage()).keys) == keys
        # One page; of README, empty and the last one it is not plain whether they are folders.
        asked = [parse_qs(urlsplit(r.path).query)["prefix"][0] for r in proxy.requests if r.lists]
        names = sorted(prefix.split("/", 1)[1] for prefix in asked)
        assert names == ["", *[""] * PROOF, "README/", "empty/", "v1/x/y/"]
        assert proxy.count(lists) == len(proxy.requests)


@pytest.mark.parametrize("content", [b" ", b"\n", b"\r\n"])
@pytest.mark.parametrize("odd_key", [False, True])
def test_folder_markers_with_a_byte_or_two_are_no_files(
    s3: CloudServer, content: bytes, odd_key: bool
) -> None:
    files = {"img/a.jpg": b"1", "img-b.jpg": b"large", "img-c.jpg": b"1", "v1": b"1", "v1/x": b"2"}
    storage = s3.storage({**files, "x.txt": b"\n", "z": b"\n"})
    markers = ["img/", "empty/", "labels.v1/", "last/"]
    s3.put_raw(storage.url, markers, content)
    s3.put_raw(storage.url, ["labels.v1/a.txt", *(["a//b"] if odd_key else [])])
    listing = list_all(storage)
    assert sorted(listing.keys) == sorted([*files, "labels.v1/a.txt", "x.txt", "z"])
    assert [problem.code.value for problem in listing.problems] == ["unusable-key"] * odd_key


def test_a_tiny_label_file_costs_no_request(s3: CloudServer) -> None:
    with faulty_proxy(s3.address) as proxy:
        day = Day(s3, proxy, {f"{number}.txt": b"\n" for number in range(9)} | {"z": b"large"})
        assert len(list_all(day.storage())) == 10
        assert len(proxy.requests) == 1 + PROOF


def test_an_empty_file_whose_name_is_the_beginning_of_others_is_a_file(s3: CloudServer) -> None:
    storage = s3.storage({"notes": b"", "notes-2/a.txt": b"1", "notes/a.txt": b"", "z": b""})
    assert list(list_all(storage).keys) == ["notes", "notes-2/a.txt", "notes/a.txt", "z"]


def test_empty_label_files_cost_no_request(s3: CloudServer) -> None:
    with faulty_proxy(s3.address) as proxy:
        day = Day(s3, proxy, {f"{number}.txt": b"" for number in range(9)} | {"z": b"large"})
        assert len(list_all(day.storage())) == 10
        assert len(proxy.requests) == 1 + PROOF


@pytest.mark.parametrize("key", ["a//b.txt", "a/../b.txt", "a\x01b.txt"])
def test_keys_that_cannot_be_listed_are_named(gs: CloudServer, key: str) -> None:
    storage = gs.storage({"a.txt": b"1"})
    gs.put_raw(storage.url, [key])
    with pytest.raises(StorageError, match="rename it, or give a storage path further") as failed:
        list_all(storage)
    assert repr(key)[1:-1] in str(failed.value)


def test_a_prefix_is_a_folder_and_not_the_beginning_of_a_name(s3: CloudServer) -> None:
    url = s3.new_url()
    s3.storage({"a": b"1"}, url)
    s3.storage({"b": b"1"}, f"{url[:-1]}0/")
    assert list(list_all(open_storage(url, connection=s3.connection())).keys) == ["a"]


@pytest.mark.parametrize("scheme", ["s3", "gs", "az"])
def test_a_missing_bucket_is_named(request: pytest.FixtureRequest, scheme: str) -> None:
    server: CloudServer = request.getfixturevalue(scheme)
    storage = open_storage(f"{scheme}://missing/a/", connection=server.connection(retries=0))
    with pytest.raises(StorageError, match="cannot be listed: there is no bucket 'missing'"):
        list_all(storage)
    with pytest.raises(StorageError, match="there is no bucket 'missing'"):
        storage.fetch(["b"])


def test_refused_credentials_end_the_run(az: CloudServer, monkeypatch: pytest.MonkeyPatch) -> None:
    url = az.storage({"a": b"1", "b": b"2"}).url
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "U0VDUkVU" * 8)
    storage = open_storage(url, connection=az.connection(retries=0))
    for ask in (lambda: list_all(storage), lambda: storage.fetch(["a", "b"])):
        with pytest.raises(StorageError, match="the credentials were refused") as failed:
            ask()
        assert "U0VDUkVU" not in str(failed.value)


def test_a_signature_of_the_environment_is_in_no_message(
    az: CloudServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_KEY")
    monkeypatch.setenv("AZURE_STORAGE_SAS_TOKEN", "sv=2021-08-06&sr=c&sp=rl&sig=SIGNATURE")
    storage = open_storage(f"az://{BUCKET}/a/", connection=az.connection(retries=0))
    with pytest.raises(StorageError) as failed:
        list_all(storage)
    assert "SIGNATURE" not in str(failed.value)
    unanswered = open_storage(
        f"az://{BUCKET}/a/", connection=az.connection("127.0.0.1:1", retries=0)
    )
    with pytest.raises(StorageError, match="no connection to the storage") as failed:
        unanswered.put("a", b"")
    assert "SIGNATURE" not in str(failed.value)
    assert failed.value.__suppress_context__


@pytest.mark.parametrize("status", [301, 401, 403])
def test_refusals_say_what_to_check(s3: CloudServer, status: int) -> None:
    check = {301: "AWS_REGION", 401: "AWS_SECRET_ACCESS_KEY", 403: "s3:ListBucket on 'labels'"}
    with faulty_proxy(s3.address) as proxy:
        storage = Day(s3, proxy, {"a": b""}).storage()
        proxy.fail(everything, status, times=9)
        with pytest.raises(StorageError, match="cannot be listed") as failed:
            list_all(storage)
        assert check[status] in str(failed.value)


def test_a_file_without_permission_is_unread_and_names_it(s3: CloudServer) -> None:
    with faulty_proxy(s3.address) as proxy:
        storage = Day(s3, proxy, {"a": b""}).storage()
        proxy.fail(everything, 403)
        unread = storage.fetch(["a"]).unread[0]
    assert unread.code is ProblemCode.UNREADABLE_FILE
    assert "access denied (403" in unread.detail
    assert "s3:GetObject" in unread.detail


def test_where_nobody_answers_the_endpoint_is_named(s3: CloudServer) -> None:
    connection = s3.connection("127.0.0.1:1", retries=0)
    with pytest.raises(StorageError, match=r"no connection .*\(http://127.0.0.1:1\)"):
        list_all(open_storage("s3://labels/a/", connection=connection))


def test_a_pickled_storage_holds_no_secret(s3: CloudServer) -> None:
    pickled = pickle.dumps(s3.storage({}))
    assert b"test-secret" not in pickled
    assert isinstance(pickle.loads(pickled), CloudStorage)


def test_a_public_bucket_is_read_without_credentials(
    s3: CloudServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = s3.storage({"private": b"1"}).url
    s3.put_raw(url, ["public"], b"2", acl="public-read")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(ConfigError, match="both or neither"):
        open_storage(url, connection=s3.connection(anonymous=True))
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    blobs = open_storage(url, connection=s3.connection(anonymous=True)).fetch(["private", "public"])
    assert blobs.get(1) == b"2"
    assert "access denied (403" in blobs.unread[0].detail


def test_a_store_that_speaks_s3_is_opened_by_its_address(s3: CloudServer) -> None:
    prefix = s3.storage({"a b.txt": b"1"}).url.partition("://")[2]
    storage = open_storage(f"http://{s3.address}/{prefix}")
    assert storage.fetch(list(list_all(storage).keys)).get(0) == b"1"

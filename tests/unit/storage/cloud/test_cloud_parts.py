"""Listings in parts, at real servers and a proxy that counts and fails."""

import threading
from collections.abc import Generator, Iterator, Mapping
from urllib.parse import parse_qs, urlsplit

import pytest

from labelingest.errors import StorageError
from labelingest.storage import Storage, list_all, open_storage
from labelingest.storage.base import PartsError
from tests.builders.cloud_servers import PAGE, CloudServer
from tests.builders.faulty_proxy import Fault, FaultyProxy, Request, faulty_proxy

FILES = {f"{number:03}.txt": b"1" for number in range(120)}
KEYS = list(FILES)
PAGES = 12
PROOF = 1
"""Requests for the last keys once more: is there nothing behind them?"""
SPLITS = KEYS[9:110:10]
"""Of each page but one the last key: two pages are listed first, ten parts behind them."""


def lists(request: Request) -> bool:
    return request.lists


def query_of(request: Request) -> Mapping[str, list[str]]:
    return parse_qs(urlsplit(request.path).query)


def begins(request: Request) -> bool:
    """Whether it asks for the first of all keys."""
    return not {"start-after", "continuation-token"} & query_of(request).keys()


def begins_behind(request: Request, key: str) -> bool:
    return query_of(request).get("start-after", [""])[0].endswith(f"/{key}")


def listing_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if "ThreadPoolExecutor" in thread.name]


@pytest.fixture(autouse=True)
def answers_of_this_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labelingest.storage.cloud.stream._ANSWER", PAGE)


class Day:
    """A storage path with 120 files on twelve pages, behind a proxy."""

    def __init__(self, server: CloudServer, proxy: FaultyProxy, files: Mapping[str, bytes]) -> None:
        self.proxy = proxy
        self.url = server.storage(files).url
        connection = server.connection(proxy.url.partition("://")[2], retries=2)
        self.storage: Storage = open_storage(self.url, connection=connection)


@pytest.fixture(params=["s3", "gs"])
def day(request: pytest.FixtureRequest) -> Iterator[Day]:
    server: CloudServer = request.getfixturevalue(request.param)
    with faulty_proxy(server.address) as proxy:
        yield Day(server, proxy, FILES)


def test_parts_are_listed_at_the_same_time_by_listing_alone(day: Day) -> None:
    day.proxy.fail(lists, Fault.LATE, times=PAGES)
    assert list(list_all(day.storage, splits=SPLITS).keys) == KEYS
    assert 5 < day.proxy.most_at_once <= 16
    assert day.proxy.count(lists) == len(day.proxy.requests) == PAGES + PROOF


def test_splits_that_do_not_fit_cost_one_page_a_part(day: Day) -> None:
    splits = [f"{number:03}x" for number in range(25, 115, 10)]
    assert list(list_all(day.storage, splits=splits).keys) == KEYS
    assert len(day.proxy.requests) <= PAGES + len(splits) + 1 + PROOF


def test_without_splits_one_page_follows_the_other(day: Day) -> None:
    assert list(list_all(day.storage).keys) == KEYS
    assert day.proxy.count(begins) == 1
    assert len(day.proxy.requests) == PAGES + PROOF


@pytest.mark.parametrize("files", [0, 7, 10])
def test_few_files_are_listed_without_threads_whatever_the_splits(
    s3: CloudServer, files: int
) -> None:
    with faulty_proxy(s3.address) as proxy:
        day = Day(s3, proxy, dict.fromkeys(KEYS[:files], b"1"))
        keys = []
        for page in day.storage.list(splits=SPLITS):
            keys += list(page.keys)
            assert not listing_threads()
        assert keys == KEYS[:files]
        assert len(proxy.requests) == 1 + PROOF


def test_azure_is_listed_serially_whatever_the_splits(az: CloudServer) -> None:
    with faulty_proxy(az.address) as proxy:
        day = Day(az, proxy, dict.fromkeys(KEYS[:30], b"1"))
        assert list(list_all(day.storage, splits=SPLITS).keys) == KEYS[:30]
        assert len(proxy.requests) == 1


@pytest.mark.parametrize("fault", [403, 503, Fault.TRUNCATED])
def test_a_part_that_fails_fails_the_listing(day: Day, fault: Fault | int) -> None:
    day.proxy.fail(lambda request: begins_behind(request, KEYS[59]), fault, times=99)
    with pytest.raises(StorageError, match=f"{day.url} cannot be listed: ") as failed:
        list_all(day.storage, splits=SPLITS)
    assert not isinstance(failed.value, PartsError)
    assert not listing_threads()


@pytest.mark.parametrize("fault", [429, 503, Fault.LATE, Fault.TRUNCATED])
def test_a_part_that_is_refused_for_now_is_asked_for_again(day: Day, fault: Fault | int) -> None:
    day.proxy.fail(lambda request: begins_behind(request, KEYS[59]), fault, times=2)
    assert list(list_all(day.storage, splits=SPLITS).keys) == KEYS
    assert day.proxy.count(begins) == 1


def test_a_listing_that_is_given_up_asks_no_more(day: Day) -> None:
    found = day.storage.list(splits=SPLITS)
    for _ in range(3):
        next(found)
    assert listing_threads()
    assert isinstance(found, Generator)
    found.close()
    requests = len(day.proxy.requests)
    assert not listing_threads()
    assert list(list_all(day.storage).keys) == KEYS
    assert len(day.proxy.requests) == requests + PAGES + PROOF


def test_a_store_that_does_not_list_parts_in_order_is_listed_serially(day: Day) -> None:
    def goes_on(request: Request) -> bool:
        return "continuation-token" in query_of(request) and day.proxy.count(begins) == 1

    # The first page after the two first ones goes well; it comes again instead of the second.
    day.proxy.fail(goes_on, Fault.REPEATED, times=99, after=1)
    assert list(list_all(day.storage, splits=[KEYS[29]]).keys) == KEYS
    assert day.proxy.count(begins) == 2


def test_excluded_folders_markers_and_empty_files_are_as_in_a_serial_listing(
    s3: CloudServer,
) -> None:
    names = [f"{folder}/{number}" for folder in ("a", "out", "z") for number in range(40)]
    with faulty_proxy(s3.address) as proxy:
        day = Day(s3, proxy, {f"{name}.txt": b"" if "5" in name else b"1" for name in names})
        s3.put_raw(day.url, ["", "a/", "b/", "out/", "z/", "z/1/"])
        proxy.requests.clear()
        whole = list_all(day.storage, ["out/", "z/9.txt"])
        serially = len(proxy.requests)
        splits = ["a", "a/20.txt", "b", "out", "out/20.txt", "z", "z/1", "z/20.txt"]
        split = list_all(day.storage, ["out/", "z/9.txt"], splits=splits)
        assert len(proxy.requests) - serially <= serially + 2 * (len(splits) + 1)
    assert list(split.keys) == list(whole.keys)
    assert len(whole) == 79
    assert split.size.tolist() == whole.size.tolist()

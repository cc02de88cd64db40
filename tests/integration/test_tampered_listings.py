"""Listings that were spoiled on their way: a folder and a conversion end right, or with an error."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from operator import eq
from pathlib import Path
from typing import Any

import pytest

from labelingest.errors import StorageError
from labelingest.folders import FolderSettings, State, SyncedFolder
from labelingest.folders.state.integrations import set_integration
from labelingest.storage import Storage, list_all, open_storage
from tests.builders.cloud_servers import CloudServer
from tests.builders.command_line import command_line
from tests.builders.faulty_proxy import FaultyProxy, faulty_proxy
from tests.builders.folders import image_bytes
from tests.builders.synced import ONTOLOGY
from tests.builders.tampered_listings import AZURE, S3, Tampering

BOX = b"0 0.5 0.5 0.25 0.5"
PATTERNS: dict[str, Any] = {"images": ["images/{name}.jpg"], "labels": "labels/{name}.txt"}
FILES: Mapping[str, bytes] = {
    **{f"images/{number:02}.jpg": image_bytes(8, 8) for number in range(25)},
    **{f"labels/{number:02}.txt": BOX for number in range(25)},
}
PAGES = {"every": lambda _: True, "first": lambda n: n == 0, "third": lambda n: n == 2}
"""Of the listing, from when it is spoiled on; 50 keys are on five pages."""
LATER = {"all but the first": lambda n: n > 0}


class Drive:
    """A storage path in the cloud behind a proxy, with a synced folder on it."""

    def __init__(self, server: CloudServer, proxy: FaultyProxy, state: State, rows: Path) -> None:
        self.proxy = proxy
        self.direct = server.storage(FILES)
        connection = server.connection(proxy.url.partition("://")[2], retries=1)
        self.storage: Storage = open_storage(self.direct.url, connection=connection)
        set_integration(state, "proxy", connection)
        self.rows = rows
        settings = FolderSettings(
            self.direct.url,
            str(rows),
            format="yolo",
            ontology=ONTOLOGY,
            options=PATTERNS,
            integration="proxy",
        )
        self.folder = SyncedFolder.create("drive", settings, state=state)

    def labelled(self) -> list[str]:
        return sorted(path.name for path in self.rows.rglob("*.encord.json"))

    def seen(self) -> tuple[list[str], list[str]]:
        return [item["name"] for item in self.folder.items()], self.labelled()


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with State(f"sqlite:///{tmp_path}/state.sqlite") as state:
        yield state


@pytest.fixture
def drive(s3: CloudServer, state: State, tmp_path: Path) -> Iterator[Drive]:
    with faulty_proxy(s3.address) as proxy:
        yield Drive(s3, proxy, state, tmp_path / "rows")


@pytest.fixture(scope="module")
def listed(s3: CloudServer) -> Iterator[tuple[FaultyProxy, Storage]]:
    """Return a storage path that is listed only, and the proxy before it."""
    url = s3.storage(FILES).url
    with faulty_proxy(s3.address) as proxy:
        connection = s3.connection(proxy.url.partition("://")[2], retries=1)
        yield proxy, open_storage(url, connection=connection)


@pytest.fixture
def small_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labelingest.storage.cloud.stream._ANSWER", 10)


@pytest.mark.parametrize("name", S3)
def test_a_spoiled_listing_is_the_right_one_or_none(
    small_answers: None, listed: tuple[FaultyProxy, Storage], name: str
) -> None:
    proxy, storage = listed
    for pages in (*PAGES, *LATER):
        if pages in {"every", *LATER} and name == "cut_to_some_keys":
            continue  # where nothing true is ever said, a lie may agree with another
        proxy.tamper = Tampering(S3[name], pages=(PAGES | LATER)[pages])
        try:
            keys = list(list_all(storage).keys)
        except StorageError:
            continue
        # That there is nothing at all may be true: what it means is for the guards to say.
        assert keys == list(FILES) or (pages == "every" and not keys), pages


@pytest.mark.parametrize("name", ["error_body", "web_page", "without_token", "empty_element"])
def test_a_spoiled_listing_deletes_nothing(drive: Drive, name: str) -> None:
    drive.folder.sync()
    before = drive.seen()
    # What is spoiled may not look as if nothing had changed.
    drive.direct.delete(["labels/00.txt", "images/01.jpg"])
    items, rows = before
    after = [key for key in items if "01" not in key], [key for key in rows if "00" not in key]
    for pages in (PAGES["every"], LATER["all but the first"], PAGES["third"]):
        drive.proxy.tamper = Tampering(S3[name], pages=pages)
        with suppress(StorageError):
            drive.folder.sync()
        assert drive.seen() in (before, after)
    drive.proxy.tamper = lambda _, body: body
    drive.folder.sync()
    assert drive.seen() == after


@pytest.mark.parametrize("name", ["error_body", "web_page", "without_token", "empty_element"])
def test_a_conversion_of_a_spoiled_listing_is_whole_or_fails(
    drive: Drive, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ontology.json").write_text(json.dumps(ONTOLOGY))
    out = tmp_path / "rows.jsonl"
    url = drive.direct.url.replace("s3://", f"{drive.proxy.url}/")
    for pages in (LATER["all but the first"], PAGES["third"]):
        drive.proxy.tamper = Tampering(S3[name], pages=pages)
        ran = command_line(capsys)(
            *("convert", url, "--ontology", str(tmp_path / "ontology.json"), "--out", str(out)),
            *("--images", "images/{name}.jpg", "--labels", "labels/{name}.txt", "--restart"),
        )
        if ran.code:
            assert ran.code == 3
            assert not out.exists()
        else:
            assert out.read_bytes().count(b"\n") == 25
            out.unlink()


def test_one_request_more_tells_that_a_listing_is_complete(drive: Drive) -> None:
    drive.proxy.requests.clear()
    assert list(list_all(drive.storage).keys) == list(FILES)
    assert drive.proxy.count(lambda request: request.lists) == 5 + 1


def test_a_listing_in_parts_that_is_spoiled_in_one_of_them_is_whole_or_fails(
    small_answers: None, listed: tuple[FaultyProxy, Storage]
) -> None:
    proxy, storage = listed
    splits = [list(FILES)[row] for row in (24, 29, 34, 39, 44)]
    for name in ("error_body", "without_keys", "cut_to_some_keys"):
        for number in range(2, 9, 2):
            tampering = Tampering(S3[name], pages=partial(eq, number))
            proxy.tamper = tampering
            try:
                keys = list(list_all(storage, splits=splits).keys)
            except StorageError:
                continue
            assert keys == list(FILES), (name, number)


# --- Azure: no listing from a key on ---


@pytest.fixture
def azure_drive(az: CloudServer, state: State, tmp_path: Path) -> Iterator[Drive]:
    with faulty_proxy(az.address) as proxy:
        yield Drive(az, proxy, state, tmp_path / "rows")


@pytest.mark.parametrize("name", AZURE)
def test_azure_is_listed_again_before_anything_is_deleted(azure_drive: Drive, name: str) -> None:
    drive = azure_drive
    drive.folder.sync()
    before = drive.seen()
    drive.proxy.requests.clear()
    drive.proxy.tamper = Tampering(AZURE[name], pages=PAGES["first"], seed=3)
    try:
        run = drive.folder.sync(allow_mass_delete=True)
    except StorageError:
        pass
    else:
        assert run.counters.changes == {}
    assert drive.seen() == before
    assert drive.proxy.count(lambda request: request.lists) <= 2


def test_azure_is_listed_once_without_deletions_and_twice_with_them(azure_drive: Drive) -> None:
    drive = azure_drive
    drive.folder.sync()
    drive.proxy.requests.clear()
    assert drive.folder.sync().counters.changes == {}
    assert drive.proxy.count(lambda request: request.lists) == len(drive.proxy.requests) == 1
    drive.direct.delete(["labels/00.txt"])
    assert drive.folder.sync().counters.changes == {"sidecar is gone": 1}
    assert drive.proxy.count(lambda request: request.lists) == len(drive.proxy.requests) == 3


def test_what_is_missing_from_the_second_listing_waits(azure_drive: Drive) -> None:
    drive = azure_drive
    drive.folder.sync()
    drive.direct.delete(["labels/00.txt"])
    drive.proxy.tamper = Tampering(AZURE["cut_to_some_keys"], pages=lambda n: n == 1)
    run = drive.folder.sync()
    assert run.counters.withheld == {"sidecar is gone": 1}
    assert "two listings do not agree" in str(run.message)
    drive.proxy.tamper = lambda _, body: body
    assert drive.folder.sync().counters.changes == {"sidecar is gone": 1}

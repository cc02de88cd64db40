"""Synced folders in the cloud: real servers, requests counted in front of them."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote_to_bytes, urlsplit

import pytest

from labelingest.errors import ConfigError, StorageError
from labelingest.folders import FolderSettings, State, Status, SyncedFolder
from labelingest.folders.state.folders import find_folder
from labelingest.folders.state.integrations import set_integration
from labelingest.model.kinds import OWNER_MARKER
from labelingest.storage import LocalStorage, Storage, list_all, open_storage
from labelingest.storage.cloud.connections import Connection
from tests.builders.cloud_servers import PAGE, CloudServer
from tests.builders.command_line import Run, command_line
from tests.builders.faulty_proxy import FaultyProxy, faulty_proxy
from tests.builders.folders import image_bytes
from tests.builders.synced import ONTOLOGY, YOLO

BOX = b"0 0.5 0.5 0.25 0.5"
OTHER_BOX = b"0 0.5 0.5 0.5 0.5"
TURNED = b"2 0.25 0.25 0.75 0.25 0.75 0.75 0.25 0.75"
FILES: Mapping[str, bytes] = {
    **{f"{number:02}.jpg": image_bytes(64, 48) for number in range(14)},
    **{f"{number:02}.txt": BOX for number in range(12)},
    "12.txt": TURNED,
    "03.jpg.metadata.json": b'{"weather": "fog"}',
}

OF_PLACE = ("uuid", "parent", "url", "storageLocation", "createdAt", "lastEditedAt")
"""Of an item, what depends on where and when."""
Change = Callable[[dict[str, bytes]], None]


def some_of_everything(files: dict[str, bytes]) -> None:
    files["00.txt"] = OTHER_BOX
    files["01.jpg"] = image_bytes(32, 32)
    files["03.jpg.metadata.json"] = b'{"weather": "snow"}'
    files["12.jpg"] = image_bytes(128, 48)
    files["new/ü 1.jpg"] = image_bytes(8, 8)
    files["new/ü 1.txt"] = BOX
    files["13.txt"] = b"nonsense"
    del files["04.txt"], files["05.jpg"]


def some_of_it_taken_back(files: dict[str, bytes]) -> None:
    files["04.txt"], files["05.jpg"] = FILES["04.txt"], FILES["05.jpg"]
    del files["03.jpg.metadata.json"]


def nothing(files: dict[str, bytes]) -> None:
    """Change nothing."""


HISTORY: tuple[Change, ...] = (nothing, some_of_everything, nothing, some_of_it_taken_back)


class Kept:
    """A folder, and the storages that hold its data and its label rows."""

    def __init__(self, folder: SyncedFolder, data: Storage, rows: Storage) -> None:
        self.folder, self.data, self.rows = folder, data, rows

    def write(self, files: Mapping[str, bytes]) -> None:
        """Make the data those files, and touch nothing that is as it should be."""
        there = dict(contents(self.data))
        self.data.delete([key for key in there if key not in files])
        for key, content in files.items():
            if there.get(key) != content:
                self.data.put(key, content)

    def seen(self) -> tuple[Any, ...]:
        """Return what must not depend on where a folder is."""
        items = list(self.folder.items("all"))
        for item in items:
            for name in OF_PLACE:
                del item[name]
        rows = {key: placeless(text, self.data.url) for key, text in contents(self.rows).items()}
        summary = self.folder.summary()
        return items, rows, summary.problems, (summary.labelled, summary.failed, summary.deleted)


def contents(storage: Storage) -> Mapping[str, bytes]:
    keys = [key for key in list_all(storage).keys if not key.endswith(OWNER_MARKER)]
    blobs = storage.fetch(keys)
    return {key: blobs.get(row) for row, key in enumerate(keys)}


def placeless(text: bytes, url: str) -> bytes:
    """Return a label row without what follows from URL and times: identifiers are numbered."""
    text = unquote_to_bytes(text).replace(unquote_to_bytes(url), b"URL/")
    text = re.sub(rb"\w{3}, \d\d \w{3} \d{4} [\d:]{8} UTC", b"TIME", text)
    seen: dict[bytes, bytes] = {}
    return re.sub(
        rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\"[\w+/]{8}\"",
        lambda found: seen.setdefault(found[0], b"#%d" % len(seen)),
        text,
    )


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with State(f"sqlite:///{tmp_path}/state.sqlite") as state:
        yield state


def create(state: State, name: str, path: str, output: str, **settings: Any) -> SyncedFolder:
    usual: dict[str, Any] = {
        "format": "yolo",
        "ontology": ONTOLOGY,
        "options": YOLO | {"on_row_error": "skip-file"},
        "metadata_suffix": ".metadata.json",
    }
    return SyncedFolder.create(name, FolderSettings(path, output, **usual | settings), state=state)


def in_cloud(state: State, server: CloudServer, address: str | None = None) -> Kept:
    """Create a folder in the cloud with its label rows inside it."""
    data = server.storage(FILES)
    rows = server.storage({}, f"{data.url}rows/")
    set_integration(state, server.scheme, server.connection(address, retries=3))
    folder = create(state, server.scheme, data.url, rows.url, integration=server.scheme)
    # The label rows lie in the data: whoever looks at the data looks past them.
    return Kept(folder, data, rows)


@pytest.mark.parametrize("scheme", ["s3", "gs", "az"])
def test_a_folder_in_the_cloud_goes_the_way_of_a_copy_on_this_machine(
    request: pytest.FixtureRequest, state: State, tmp_path: Path, scheme: str
) -> None:
    server: CloudServer = request.getfixturevalue(scheme)
    data, rows = server.storage({}), server.storage({})
    set_integration(state, scheme, server.connection())
    cloud = Kept(create(state, scheme, data.url, rows.url, integration=scheme), data, rows)
    (tmp_path / "data").mkdir()
    folder = create(state, "local", f"{tmp_path}/data", f"{tmp_path}/rows")
    local = Kept(folder, LocalStorage(f"{tmp_path}/data"), LocalStorage(f"{tmp_path}/rows"))
    files = dict(FILES)
    for change in HISTORY:
        change(files)
        runs = []
        for kept in (local, cloud):
            kept.write(files)
            plan = kept.folder.plan()
            runs.append(kept.folder.sync())
            assert runs[-1].counters.changes == plan.changes
        of_local, of_cloud = (run.counters.to_wire() for run in runs)
        for counters in (of_local, of_cloud):
            # URLs are longer than paths, and listings have pages of their own.
            del counters["bytesWritten"], counters["scanPagesProcessingDone"]
        assert of_cloud == of_local
        assert cloud.seen() == local.seen()
        assert cloud.folder.plan().changes == {}
    expected = {"s3": "s3", "gs": "gcp", "az": "azure"}[scheme]
    assert {item["storageLocation"] for item in cloud.folder.items()} == {expected}
    assert len(contents(rows)) == 14  # 00 to 12, and the new one


@pytest.fixture
def proxy(s3: CloudServer) -> Iterator[FaultyProxy]:
    with faulty_proxy(s3.address) as proxy:
        yield proxy


@pytest.fixture
def counted(state: State, s3: CloudServer, proxy: FaultyProxy) -> Kept:
    """A folder in S3 that was synced; the proxy counts what comes then."""
    kept = in_cloud(state, s3, proxy.url.partition("://")[2])
    kept.folder.sync()
    proxy.requests.clear()
    return kept


def test_a_sync_without_changes_makes_requests_for_the_listing_only(
    counted: Kept, proxy: FaultyProxy
) -> None:
    run = counted.folder.sync()
    assert run.status is Status.DONE
    # The label rows and their marker lie in the folder: they are listed, and left out.
    keys = len(FILES) + 13 + 1
    lists = proxy.count(lambda request: request.lists)
    # One more for the last keys (is there nothing behind them?), and one for the marker.
    assert len(proxy.requests) == lists == -(-keys // PAGE) + 1 + 1


def test_changed_sidecars_make_one_read_and_one_write_each(
    counted: Kept, proxy: FaultyProxy
) -> None:
    for number in (2, 5, 7):
        counted.data.put(f"{number:02}.txt", OTHER_BOX)
    counted.folder.sync()
    others = [request for request in proxy.requests if not request.lists]
    asked = sorted((request.method, request.path.rpartition("/")[2]) for request in others)
    read = [("GET", f"{number:02}.txt") for number in (2, 5, 7)]
    assert asked == read + [("PUT", f"{number:02}.jpg.encord.json") for number in (2, 5, 7)]


def test_a_sidecar_that_is_replaced_after_the_listing_is_taken_in_its_new_version_once(
    counted: Kept, proxy: FaultyProxy
) -> None:
    counted.data.put("02.txt", TURNED)
    proxy.on_read = lambda request: counted.data.put("02.txt", OTHER_BOX)
    counted.folder.sync()
    # Centre 0.5, width 0.5: from 0.25 on.
    assert (
        b'"boundingBox":{"h":0.5,"w":0.5,"x":0.25,' in contents(counted.rows)["02.jpg.encord.json"]
    )
    assert counted.folder.plan().changes == {}


def test_a_listing_that_fails_on_its_second_page_deletes_nothing(
    counted: Kept, proxy: FaultyProxy
) -> None:
    before = counted.seen()
    proxy.fail(lambda request: request.lists, 403, times=100, after=1)
    with pytest.raises(StorageError, match="cannot be listed: access denied"):
        counted.folder.sync()
    assert counted.folder.activity(1)[0].status is Status.ERROR
    assert counted.seen() == before


# --- listing in parts ---


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut listings of more than ten keys into parts of five, as if an answer had ten keys."""
    monkeypatch.setattr("labelingest.storage.cloud.stream._ANSWER", PAGE)
    monkeypatch.setattr("labelingest.storage.cloud.list_parts._WORTH_IT", 10)
    monkeypatch.setattr("labelingest.storage.cloud.list_parts._SMALLEST", 5)


def begun_behind(proxy: FaultyProxy) -> list[str]:
    """Return the keys that listings of the data began behind."""
    queries = [parse_qs(urlsplit(request.path).query) for request in proxy.requests]
    first = [query for query in queries if "continuation-token" not in query]
    found = [query["start-after"][0] for query in first if "start-after" in query]
    return sorted(key.partition("/")[2] for key in found)


def test_a_sync_lists_in_parts_what_the_one_before_has_listed(
    small_parts: None, counted: Kept, proxy: FaultyProxy, state: State
) -> None:
    last = "rows/11.jpg.encord.json"  # the last key but one: is there nothing behind the last?
    # 28 files on three pages: two pages come first, and behind their last key there is one split.
    keys = sorted(FILES)
    assert find_folder(state, "s3").splits == [keys[4], keys[10], keys[15], keys[21]]
    counted.data.put("02.txt", OTHER_BOX)
    run = counted.folder.sync()
    assert run.counters.changes == {"sidecar changed": 1}
    assert begun_behind(proxy) == [keys[19], keys[21], last]
    proxy.requests.clear()
    run = counted.folder.sync()
    assert run.counters.changes == {}
    assert begun_behind(proxy) == [keys[19], keys[21], last]
    assert proxy.count(lambda request: request.lists) == len(proxy.requests)


def test_a_part_that_fails_deletes_nothing(
    small_parts: None, counted: Kept, proxy: FaultyProxy
) -> None:
    before = counted.seen()
    proxy.fail(lambda request: "start-after" in request.path, 403, times=100)
    with pytest.raises(StorageError, match="cannot be listed: access denied"):
        counted.folder.sync()
    assert counted.seen() == before


def test_a_folder_of_this_machine_is_listed_whole(
    small_parts: None, state: State, tmp_path: Path
) -> None:
    local = LocalStorage(str(tmp_path / "data"))
    for number in range(20):
        local.put(f"{number:02}.jpg", b"")
    folder = create(state, "local", local.root, str(tmp_path / "rows"))
    folder.sync()
    assert find_folder(state, "local").splits == []


def test_a_write_that_stays_refused_ends_the_run_and_the_next_one_goes_on(
    counted: Kept, proxy: FaultyProxy
) -> None:
    for number in range(12):
        counted.data.put(f"{number:02}.txt", OTHER_BOX)
    proxy.fail(lambda request: request.method == "PUT", 403, after=4)
    with pytest.raises(StorageError, match="cannot be written: access denied"):
        counted.folder.sync()
    counted.folder.sync()
    rows = contents(counted.rows)
    assert all(b'"x":0.25,' in rows[f"{number:02}.jpg.encord.json"] for number in range(12))
    assert counted.folder.plan().changes == {}


def test_a_name_that_the_output_refuses_costs_its_label_row_alone(
    state: State, s3: CloudServer, tmp_path: Path
) -> None:
    local = LocalStorage(str(tmp_path / "data"))
    for name in ("a", "b\tb"):
        local.put(f"{name}.jpg", b"")
        local.put(f"{name}.txt", BOX)
    rows = s3.storage({})
    set_integration(state, "s3", s3.connection())
    folder = create(state, "up", local.root, rows.url, output_integration="s3")
    run = folder.sync()
    assert (run.status, run.counters.errors) == (Status.DONE, 1)
    assert list(contents(rows)) == ["a.jpg.encord.json"]
    assert folder.summary().problems == {"output-name-refused": 1}


# --- integrations ---


def test_an_integration_reaches_the_storage_and_can_be_changed(
    state: State, s3: CloudServer
) -> None:
    kept = in_cloud(state, s3)
    nowhere = Connection(endpoint="http://127.0.0.1:1", allow_http=True, retries=0)
    set_integration(state, "s3", nowhere)
    with pytest.raises(StorageError, match="cannot be listed: no connection"):
        kept.folder.plan()
    set_integration(state, "s3", s3.connection())
    assert kept.folder.plan().changes["new file"] == 14


def test_an_integration_that_cannot_be_is_refused(state: State, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with pytest.raises(ConfigError, match="there is no integration 'minio'"):
        create(state, "a", "s3://bucket/a/", f"{tmp_path}/rows", integration="minio")
    with pytest.raises(ConfigError, match="is a folder of this machine: leave it out"):
        create(state, "a", f"{tmp_path}/data", f"{tmp_path}/rows", integration="minio")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return command_line(capsys)


def test_integrations_are_set_listed_and_deleted_from_the_command_line(
    run: Run, s3: CloudServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABELINGEST_STATE", f"sqlite:///{tmp_path}/state.sqlite")
    url = s3.storage(FILES).url
    endpoint = f"http://{s3.address}"
    refused = run("integration", "set", "moto", "--endpoint", endpoint)
    assert refused.code == 2
    assert "is not encrypted" in refused.err
    assert run("integration", "set", "moto", "--endpoint", endpoint, "--allow-http").code == 0
    assert f"moto  --endpoint {endpoint}  --allow-http" in run("integration", "list").out
    places = ("--storage-path", url, "--output", str(tmp_path / "rows"), "--integration", "moto")
    assert run("folder", "create", "drive", *places).code == 0
    assert run("folder", "sync", "drive").code == 0
    kept = run("integration", "delete", "moto")
    assert kept.code == 2
    assert "the integration 'moto' is that of 'drive'" in kept.err
    run("folder", "delete", "drive", "--purge")
    assert run("integration", "delete", "moto").code == 0
    assert run("integration", "list", "--json").out == "{}\n"


def test_a_client_opened_by_hand_sees_the_label_rows(state: State, s3: CloudServer) -> None:
    kept = in_cloud(state, s3)
    kept.folder.sync()
    storage = open_storage(kept.rows.url, connection=s3.connection())
    assert len(contents(storage)) == 13

"""Keys of S3 that are none here: named and left out, and nothing is deleted that they may hide."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from labelingest.errors import StorageError
from labelingest.folders import FolderSettings, State, SyncedFolder
from labelingest.folders.state.integrations import set_integration
from labelingest.problems import ProblemCode
from labelingest.storage import Connection, Storage, list_all, open_storage
from labelingest.storage.cloud.unusable_keys import names_hidden_by
from tests.builders.cloud_servers import BUCKET, PAGE, CloudServer
from tests.builders.command_line import command_line
from tests.builders.faulty_proxy import FaultyProxy, Request, faulty_proxy
from tests.builders.folders import image_bytes
from tests.builders.synced import ONTOLOGY
from tests.builders.tampered_listings import S3, Tampering

BOX = b"0 0.5 0.5 0.25 0.5"
PATTERNS: dict[str, Any] = {"images": ["{n}.jpg"], "labels": "{n}.txt"}
NAMES = ("a/b", "a/z", *(f"{number:02}" for number in range(12)), "e", "f", "k/l")
FILES = {
    **{f"{name}.jpg": image_bytes(8, 8) for name in NAMES},
    **{f"{name}.txt": BOX for name in NAMES},
}
UNUSABLE = ["./c.txt", "/f.txt", "a//b.jpg", "d/../e.txt", "g\x01.txt", "x/y//"]
PAGES = -(-(len(FILES) + len(UNUSABLE) + 1) // PAGE)


def lists(request: Request) -> bool:
    return request.lists


@pytest.fixture
def url(s3: CloudServer) -> str:
    """Return a storage path with all kinds of such keys, and the mark of a folder."""
    url = s3.storage(FILES).url
    s3.put_raw(url, [*UNUSABLE, "m/"])
    return url


@pytest.fixture
def proxy(s3: CloudServer) -> Iterator[FaultyProxy]:
    with faulty_proxy(s3.address) as proxy:
        yield proxy


def behind(proxy: FaultyProxy, server: CloudServer, url: str, **options: Any) -> Storage:
    connection = server.connection(proxy.url.partition("://")[2], **options)
    return open_storage(url, connection=connection)


def test_each_is_named_and_all_other_keys_are_listed(
    s3: CloudServer, url: str, proxy: FaultyProxy
) -> None:
    listing = list_all(behind(proxy, s3, url))
    assert list(listing.keys) == sorted(FILES)
    assert [(problem.code, problem.source) for problem in listing.problems] == [
        (ProblemCode.UNUSABLE_KEY, key) for key in UNUSABLE
    ]
    expected = list_all(s3.storage(FILES))
    assert listing.size.tolist() == expected.size.tolist()
    assert listing.tokens is not None
    assert expected.tokens is not None
    assert list(listing.tokens) == list(expected.tokens)
    assert proxy.count(lists) == len(proxy.requests)
    # One for obstore to fail, all pages, the last keys again, an empty page behind each; then
    # one for the mark of a folder.
    assert len(proxy.requests) <= 1 + (PAGES + 1) + 2 + 1


def test_parts_name_each_once(s3: CloudServer, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labelingest.storage.cloud.stream._ANSWER", PAGE)
    storage = open_storage(url, connection=s3.connection())
    listing = list_all(storage, splits=["05.jpg", "11.txt", "a/z.jpg", "e.txt"])
    assert list(listing.keys) == sorted(FILES)
    assert [problem.source for problem in listing.problems] == UNUSABLE


def test_what_is_excluded_is_not_named(s3: CloudServer, url: str) -> None:
    storage = open_storage(url, connection=s3.connection())
    listing = list_all(storage, ["a/", "g\x01.txt"])
    named = [problem.source for problem in listing.problems]
    assert named == [key for key in UNUSABLE if key[0] not in "ag"]


def test_more_than_a_page_of_them_hides_no_page(s3: CloudServer) -> None:
    url = s3.storage({"a.txt": b"", "z.txt": b""}).url
    keys = [f"k//{number:02}.txt" for number in range(3 * PAGE)]
    s3.put_raw(url, keys)
    listing = list_all(open_storage(url, connection=s3.connection()))
    assert list(listing.keys) == ["a.txt", "z.txt"]
    assert [problem.source for problem in listing.problems] == keys


def test_a_bucket_may_hold_nothing_else(s3: CloudServer) -> None:
    url = s3.new_url()
    s3.put_raw(url, ["a//b.txt"])
    listing = list_all(open_storage(url, connection=s3.connection()))
    assert (len(listing), len(listing.problems)) == (0, 1)


@pytest.mark.parametrize("key", ["/-x.txt", "/f.txt", "/00.txt", "//m/"])
def test_a_slash_at_the_begin_of_a_name_is_seen_in_a_whole_bucket(
    s3: CloudServer, key: str
) -> None:
    """obstore takes it away without a word: "/f.txt" was listed as "f.txt"."""
    bucket = f"slash-{key.encode().hex()}"
    s3.put_raw(f"s3://{bucket}", [""])  # makes the bucket
    files = {"-a.txt": b"1", "00.txt": b"1", "f.txt": b"1", "z.txt": b"1"}
    storage = s3.storage(files, f"s3://{bucket}/")
    assert not list_all(storage).problems
    s3.put_raw(f"s3://{bucket}/", [key], b"1")
    listing = list_all(storage)
    assert list(listing.keys) == sorted(files)
    assert [problem.source for problem in listing.problems] == [key]


def test_more_than_are_named_are_counted_and_hide_everything(
    s3: CloudServer, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labelingest.storage.cloud.unusable_keys._MOST", 4)
    listing = list_all(open_storage(url, connection=s3.connection()))
    first, *others = listing.problems
    assert (first.source, len(others)) == ("", 4)
    assert first.count >= len(UNUSABLE) - 4
    assert names_hidden_by(first.source) == {""}


# --- synced folders and commands ---


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with State(f"sqlite:///{tmp_path}/state.sqlite") as state:
        yield state


def synced(state: State, server: CloudServer, url: str, rows: Path) -> SyncedFolder:
    set_integration(state, "s3", server.connection())
    settings = FolderSettings(
        url,
        str(rows),
        format="yolo",
        ontology=ONTOLOGY,
        options=PATTERNS,
        integration="s3",
    )
    return SyncedFolder.create("drive", settings, state=state)


def test_a_sync_deletes_nothing_that_they_may_hide_and_all_else(
    s3: CloudServer, state: State, tmp_path: Path
) -> None:
    storage = s3.storage(FILES)
    folder = synced(state, s3, storage.url, tmp_path / "rows")
    assert folder.sync().counters.label_rows_made == len(NAMES)
    s3.put_raw(storage.url, UNUSABLE)
    hidden = ["a/b.txt", "a/z.txt", "e.txt", "f.txt"]
    storage.delete([*hidden, "k/l.txt", "00.txt"])
    plan = folder.plan()
    assert plan.changes == {"sidecar is gone": 2}
    assert plan.withheld == {"sidecar is gone": 4}
    assert "(unusable-key)" in plan.why_withheld
    run = folder.sync()
    assert run.counters.changes == {"sidecar is gone": 2}
    assert (run.counters.withheld, run.counters.places_not_listed) == (
        {"sidecar is gone": 4},
        len(UNUSABLE),
    )
    assert run.failed
    left = {path.name for path in (tmp_path / "rows").rglob("*.encord.json")}
    assert {"b.jpg.encord.json", "f.jpg.encord.json"} <= left
    assert not {"l.jpg.encord.json", "00.jpg.encord.json"} & left
    # New files are taken in, beside them too.
    storage.put("a/new.jpg", image_bytes(8, 8))
    storage.put("a/new.txt", BOX)
    assert folder.sync().counters.label_rows_made == 1
    assert folder.summary().problems["unusable-key"] == len(UNUSABLE)


def test_very_many_withhold_all_deletions(
    s3: CloudServer, state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labelingest.storage.cloud.unusable_keys._MOST", 1)
    storage = s3.storage(FILES)
    folder = synced(state, s3, storage.url, tmp_path / "rows")
    folder.sync()
    s3.put_raw(storage.url, ["q//1", "q//2"])
    storage.delete(["00.txt", "k/l.jpg"])
    run = folder.sync()
    assert run.counters.changes == {}
    assert run.counters.withheld == {"sidecar is gone": 1, "file is gone": 1}


def test_commands_go_on_and_name_them(
    capsys: pytest.CaptureFixture[str], s3: CloudServer, url: str, tmp_path: Path
) -> None:
    run = command_line(capsys)
    at = f"http://{s3.address}/{url.partition('://')[2]}"
    ontology = tmp_path / "ontology.json"
    ontology.write_text(json.dumps(ONTOLOGY))
    rules = ("--images", "{n}.jpg", "--labels", "{n}.txt")
    out = tmp_path / "rows.jsonl"
    whole = ("--ontology", str(ontology), *rules, "--json")
    converted = run("convert", at, *whole, "--out", str(out))
    report = json.loads(converted.out)
    assert converted.code == 1
    assert len(out.read_bytes().splitlines()) == len(NAMES)
    assert report["places_not_listed"] == len(UNUSABLE)
    checked = run("check", at, "--ontology", str(ontology), *rules)
    assert checked.code == 1
    assert "error unusable-key × 6\n  ./c.txt: left out: a key has" in checked.err
    paired = json.loads(run("pair", at, *rules, "--json").out)
    assert paired["keys"]["paired"] == len(NAMES)
    assert run("metadata", "check", at).code == 1


# --- what may go wrong ---


@pytest.mark.parametrize(
    ("name", "page"),
    [
        *((name, "each later") for name in S3 if name not in {"outside", "backwards"}),
        *((name, 3) for name in ("cut", "without_keys", "cut_to_some_keys", "page_before")),
    ],
)
def test_a_spoiled_page_is_an_error_or_changes_nothing(
    s3: CloudServer, url: str, proxy: FaultyProxy, name: str, page: int | str
) -> None:
    def pages(number: int) -> bool:
        return number > 0 if isinstance(page, str) else number == page

    proxy.tamper = Tampering(S3[name], pages=pages)
    try:
        listing = list_all(behind(proxy, s3, url, retries=1))
    except StorageError:
        return
    assert list(listing.keys) == sorted(FILES)
    assert [problem.source for problem in listing.problems] == UNUSABLE


@pytest.mark.parametrize("name", ["outside", "backwards"])
def test_keys_outside_and_keys_that_go_back_are_errors(
    s3: CloudServer, url: str, proxy: FaultyProxy, name: str
) -> None:
    proxy.tamper = Tampering(S3[name], pages=lambda number: number > 1)
    with pytest.raises(StorageError, match="cannot be listed"):
        list_all(behind(proxy, s3, url, retries=1))


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (403, "access denied"),
        (503, "too many requests"),
        (500, "the storage failed"),
    ],
)
def test_refusals_are_said_as_always_and_without_secrets(
    s3: CloudServer, url: str, proxy: FaultyProxy, status: int, said: str
) -> None:
    proxy.fail(lists, status, times=100, after=1)
    with pytest.raises(StorageError, match=f"cannot be listed: {said}") as caught:
        list_all(behind(proxy, s3, url, retries=0))
    assert "test-key" not in str(caught.value)
    assert "test-secret" not in str(caught.value)


def test_an_answer_that_fails_once_is_asked_for_again(
    s3: CloudServer, url: str, proxy: FaultyProxy
) -> None:
    proxy.fail(lists, 503, after=2)
    assert list(list_all(behind(proxy, s3, url)).keys) == sorted(FILES)


def test_the_keys_of_a_profile_and_no_others_are_used(
    s3: CloudServer,
    url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    (tmp_path / "credentials").write_text(
        "[lab]\naws_access_key_id = of-the-lab\naws_secret_access_key = hidden\n"
    )
    signed: list[str] = []

    def note(request: Any, **_: Any) -> None:
        signed.append(str(request.headers.get("Authorization", "")))

    from labelingest.storage.cloud import raw_listing

    opened = raw_listing._client

    def listened(*arguments: Any) -> Any:
        client = opened(*arguments)
        client.meta.events.register("before-send.s3.ListObjectsV2", note)
        return client

    monkeypatch.setattr(raw_listing, "_client", listened)
    endpoint = {"endpoint": f"http://{s3.address}", "allow_http": True}
    for options in ({"profile": "lab"}, {"anonymous": True}, {}):
        connection = Connection(**endpoint, **options)  # type: ignore[arg-type]
        try:
            list_all(open_storage(url, connection=connection))
        except StorageError:
            assert options == {"anonymous": True}
    kinds = {"of-the-lab" if "of-the-lab" in one else one.partition("/")[0] for one in signed}
    assert {"", "of-the-lab"} <= kinds
    assert any(kind.endswith("Credential=test-key") for kind in kinds)


def test_without_botocore_the_first_is_named_with_the_cure(
    s3: CloudServer, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "botocore", None)
    with pytest.raises(
        StorageError, match=r"it holds the key .* pip install 'labelingest\[cloud\]"
    ):
        list_all(open_storage(url, connection=s3.connection()))


def test_botocore_is_loaded_where_it_is_needed_only(s3: CloudServer, url: str) -> None:
    code = (
        "import sys; from labelingest.storage import *;"
        f"c = Connection(endpoint='http://{s3.address}', allow_http=True);"
        "keys = list_all(open_storage(sys.argv[1], connection=c)).keys;"
        "print(len(keys), 'botocore' in sys.modules)"
    )
    said = [
        subprocess.check_output([sys.executable, "-c", code, place], text=True).split()
        for place in (s3.storage(FILES).url, url)
    ]
    assert said == [[str(len(FILES)), "False"], [str(len(FILES)), "True"]]


def test_pages_are_asked_for_behind_the_last_key(
    s3: CloudServer, url: str, proxy: FaultyProxy
) -> None:
    list_all(behind(proxy, s3, url))
    queries = [parse_qs(urlsplit(request.path).query) for request in proxy.requests]
    assert not any("continuation-token" in query for query in queries)
    assert BUCKET in proxy.requests[-1].path

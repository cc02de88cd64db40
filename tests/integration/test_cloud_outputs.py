"""Outputs in the cloud: the bytes of outputs on this machine, whole or not at all."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from labelingest import IngestConfig, convert
from labelingest.bench.synthetic.data_set import generate
from labelingest.bench.synthetic.kinds import Kind
from labelingest.errors import ConfigError, StorageError
from labelingest.progress import Progress
from labelingest.sinks.output_folder import MARKER
from labelingest.storage import LocalStorage, open_storage
from labelingest.storage.base import ChangedError, Storage, list_all
from labelingest.storage.cloud import upload
from tests.builders.cloud_servers import BUCKET, CloudServer
from tests.builders.faulty_proxy import faulty_proxy

SCHEMES = ["s3", "gs", "az"]
FILES = 100
TITLE = "long title " * 8000
"""A dataset title with which an output has more than one part."""
PART = 5 << 20
"""Bytes of the smallest part that S3 takes."""
ONE_FILE = {"rows.jsonl": "encord", "rows.jsonl.zst": "encord", "coco.json": "coco"}
ONE_FILE["rows.parquet"] = "parquet"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    generate(root, FILES, Kind.MIXED, defects=0.01)
    return root


@pytest.fixture
def server(request: pytest.FixtureRequest, reachable: Callable[[CloudServer], None]) -> CloudServer:
    server: CloudServer = request.getfixturevalue(getattr(request, "param", "s3"))
    reachable(server)
    return server


each_server = pytest.mark.parametrize("server", SCHEMES, indirect=True)


def config(data: Path, out: str | Path, **options: Any) -> IngestConfig:
    return IngestConfig(
        storage_path=data,
        ontology=data / "ontology.json",
        out=out,
        **{"batch_bytes": 5000, "workers": 1, **options},
    )


def contents(storage: Storage) -> dict[str, bytes]:
    """Return everything below a storage path."""
    keys = list(list_all(storage).keys)
    blobs = storage.fetch(keys)
    assert not blobs.unread
    return {key: blobs.get(row) for row, key in enumerate(keys)}


def in_cloud(url: str) -> dict[str, bytes]:
    return contents(open_storage(url))


def uploads(server: CloudServer, out: str) -> list[str]:
    """Return the keys below a URL of uploads that are neither complete nor aborted."""
    botocore = pytest.importorskip("botocore.session")
    client = botocore.get_session().create_client(
        "s3",
        endpoint_url=f"http://{server.address}",
        region_name="us-east-1",
        aws_access_key_id="test-key",
        aws_secret_access_key="test-secret",
    )
    prefix = out.removeprefix(f"s3://{BUCKET}/")
    answer = client.list_multipart_uploads(Bucket=BUCKET, Prefix=prefix)
    return [each["Key"].removeprefix(prefix) for each in answer.get("Uploads", ())]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("name", ONE_FILE)
@each_server
def test_one_object_has_the_bytes_of_one_file(
    server: CloudServer, data: Path, tmp_path: Path, name: str, workers: int
) -> None:
    if server.scheme != "s3" and workers == 2:
        pytest.skip("workers write nothing here: one store is enough")
    out, options = server.new_url(), {"to": ONE_FILE[name], "workers": workers}
    report = convert(config(data, out + name, **options))
    convert(config(data, tmp_path / name, **options))
    assert report.balance()
    assert report.out == out + name
    assert in_cloud(out) == {name: (tmp_path / name).read_bytes()}


@each_server
def test_an_object_in_many_parts_has_the_bytes_of_one_file(
    server: CloudServer, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "PART", PART)
    out = server.new_url()
    convert(config(data, out + "rows.jsonl", dataset_title=TITLE))
    convert(config(data, tmp_path / "rows.jsonl", dataset_title=TITLE))
    written = (tmp_path / "rows.jsonl").read_bytes()
    assert len(written) > PART
    assert in_cloud(out) == {"rows.jsonl": written}


@each_server
def test_an_earlier_output_is_replaced_and_work_of_people_is_not(
    server: CloudServer, data: Path
) -> None:
    out = server.new_url()
    storage = server.storage({"rows.jsonl": b"my notes", "notes.json": b"{}"}, out)
    for name, to in (("rows.jsonl", "encord"), ("notes.json", "coco")):
        with pytest.raises(ConfigError, match=r"is a file that no run wrote.*--overwrite"):
            convert(config(data, out + name, to=to))
    assert contents(storage) == {"rows.jsonl": b"my notes", "notes.json": b"{}"}
    convert(config(data, out + "rows.jsonl", overwrite=True))
    first = in_cloud(out)["rows.jsonl"]
    assert first.startswith(b'{"label_hash"')
    convert(config(data, out + "rows.jsonl", dataset_title="new"))
    assert in_cloud(out)["rows.jsonl"] != first
    convert(config(data, out + "table.parquet", to="parquet"))
    convert(config(data, out + "table.parquet", to="parquet"))


def test_a_file_of_the_storage_path_is_never_replaced(
    server: CloudServer, data: Path, tmp_path: Path
) -> None:
    local = LocalStorage(str(data))
    storage = server.storage({**contents(local), "images/text.jsonl": b"a text"})
    where = config(data, f"{storage.url}images/text.jsonl", overwrite=True)
    with pytest.raises(ConfigError, match="is a file of the storage path that no run wrote"):
        convert(where.model_copy(update={"storage_path": storage.url}))


def test_an_output_in_the_storage_path_is_no_input_of_the_next_run(
    server: CloudServer, data: Path
) -> None:
    storage = server.storage(contents(LocalStorage(str(data))))
    there = config(data, f"{storage.url}out/rows.jsonl")
    there = there.model_copy(update={"storage_path": storage.url})
    reports = [convert(there) for _ in range(2)]
    assert reports[0].keys_seen == reports[1].keys_seen
    assert reports[0].tally == reports[1].tally


class Interruption(KeyboardInterrupt):
    pass


def test_an_interrupted_upload_leaves_neither_object_nor_parts(
    server: CloudServer, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = server.new_url()
    monkeypatch.setattr(upload, "PART", PART)
    started = []

    def interrupt(progress: Progress) -> None:
        if progress.stage == "convert" and progress.files >= 90:
            while not uploads(server, out):
                sleep(0.02)
            started.extend(uploads(server, out))
            raise Interruption

    with pytest.raises(Interruption):
        convert(config(data, out + "rows.jsonl", dataset_title=TITLE), progress=interrupt)
    assert started == ["rows.jsonl"]
    assert in_cloud(out) == {}
    assert not uploads(server, out)


@pytest.mark.parametrize("part", [PART, 100 * PART])
def test_an_object_that_changes_meanwhile_stays(
    server: CloudServer, data: Path, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    monkeypatch.setattr(upload, "PART", part)
    storage = server.storage({})

    def put(progress: Progress) -> None:
        if progress.stage == "convert":
            storage.put("rows.jsonl", b"of somebody else")

    with pytest.raises(ChangedError, match="has changed meanwhile"):
        convert(
            config(data, f"{storage.url}rows.jsonl", dataset_title=TITLE),
            progress=put,
        )
    assert contents(storage) == {"rows.jsonl": b"of somebody else"}


def test_a_store_that_refuses_ends_the_run_with_the_cause(
    server: CloudServer, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "PART", PART)
    with faulty_proxy(server.address) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        proxy.fail(lambda request: "partNumber" in request.path, 403, times=1000)
        with pytest.raises(StorageError, match=r"'rows\.jsonl' cannot be written: access denied"):
            convert(config(data, server.new_url() + "rows.jsonl", dataset_title=TITLE))


def test_a_bucket_is_no_file(server: CloudServer, data: Path) -> None:
    with pytest.raises(ConfigError, match="names a bucket, and no file in it"):
        convert(config(data, "s3://rows.jsonl"))


def test_a_killed_run_leaves_no_object_and_is_repeated_to_the_same_bytes(
    server: CloudServer, data: Path, tmp_path: Path
) -> None:
    out = server.new_url()
    storage = open_storage(out)
    script = (
        "import sys, time\n"
        "from labelingest import IngestConfig, convert\n"
        "from labelingest.storage.cloud import upload\n"
        "upload.PART = 5 << 20\n"
        "convert(IngestConfig(storage_path=sys.argv[1], ontology=sys.argv[1] + '/ontology.json',\n"
        "    out=sys.argv[2], batch_bytes=5000, workers=1, dataset_title='long title ' * 8000),\n"
        "    progress=lambda p: time.sleep(60 if p.stage == 'convert' and p.files >= 90 else 0))\n"
    )
    command = [sys.executable, "-c", script, str(data), out + "rows.jsonl"]
    with subprocess.Popen(command) as process:
        deadline = monotonic() + 60
        while not uploads(server, out):
            assert process.poll() is None
            assert monotonic() < deadline
            sleep(0.02)
        process.send_signal(signal.SIGKILL)
    assert contents(storage) == {}
    convert(config(data, out + "rows.jsonl", dataset_title=TITLE))
    convert(config(data, tmp_path / "rows.jsonl", dataset_title=TITLE))
    assert in_cloud(out) == {"rows.jsonl": (tmp_path / "rows.jsonl").read_bytes()}


TREES = {"encord": "a.jpg.encord.json", "yolo": "labels/a.txt"}


def on_this_machine(place: Path) -> dict[str, bytes]:
    return {
        key: content for key, content in contents(LocalStorage(str(place))).items() if key != MARKER
    }


@pytest.mark.parametrize("to", TREES)
@pytest.mark.parametrize("workers", [1, 2])
@each_server
def test_a_tree_has_the_files_of_a_tree_on_this_machine(
    server: CloudServer, data: Path, tmp_path: Path, to: str, workers: int
) -> None:
    out = server.new_url() + "tree/"
    report = convert(config(data, out, to=to, workers=workers))
    assert report.balance()
    convert(config(data, tmp_path / "tree", to=to))
    written = in_cloud(out)
    assert b'"state": "complete"' in written.pop(MARKER)
    assert written == on_this_machine(tmp_path / "tree")


def test_an_earlier_tree_is_replaced_as_a_whole_and_work_of_people_is_not(
    server: CloudServer, data: Path
) -> None:
    storage = server.storage({})
    convert(config(data, storage.url, to="yolo"))
    written = contents(storage)
    with pytest.raises(StorageError, match=r"is not replaced: it holds 'data\.yaml'"):
        convert(config(data, storage.url))
    storage.put("notes.md", b"mine")
    with pytest.raises(StorageError, match=r"is not replaced: it holds 'notes\.md'"):
        convert(config(data, storage.url, to="yolo"))
    storage.delete(["notes.md"])
    storage.put("labels/of/an/earlier/run.txt", b"")
    convert(config(data, storage.url, to="yolo"))
    assert contents(storage) == written


def test_a_folder_without_marker_is_not_replaced(server: CloudServer, data: Path) -> None:
    storage = server.storage({"a.jpg.encord.json": b"{}"})
    with pytest.raises(StorageError, match="labelingest did not write what is in it"):
        convert(config(data, storage.url))
    assert contents(storage) == {"a.jpg.encord.json": b"{}"}


def test_a_tree_of_a_run_that_fails_is_removed(server: CloudServer, data: Path) -> None:
    out = server.new_url()

    def interrupt(progress: Progress) -> None:
        if progress.stage == "convert" and progress.files >= 50:
            assert b'"state": "unfinished"' in in_cloud(out)[MARKER]
            assert len(in_cloud(out)) > 50
            raise Interruption

    with pytest.raises(Interruption):
        convert(config(data, out), progress=interrupt)
    assert in_cloud(out) == {}


def test_a_killed_run_leaves_an_unfinished_tree_which_the_next_run_replaces(
    server: CloudServer, data: Path, tmp_path: Path
) -> None:
    out = server.new_url()
    script = (
        "import os, signal, sys\n"
        "from labelingest import IngestConfig, convert\n"
        "def end(p):\n"
        "    if p.stage == 'convert' and p.files >= 40: os.kill(os.getpid(), signal.SIGKILL)\n"
        "convert(IngestConfig(storage_path=sys.argv[1], ontology=sys.argv[1] + '/ontology.json',\n"
        "    out=sys.argv[2], batch_bytes=5000, workers=1), progress=end)\n"
    )
    command = [sys.executable, "-c", script, str(data), out]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert b'"state": "unfinished"' in in_cloud(out)[MARKER]
    convert(config(data, out))
    convert(config(data, tmp_path / "tree"))
    written = in_cloud(out)
    assert b'"state": "complete"' in written.pop(MARKER)
    assert written == on_this_machine(tmp_path / "tree")


def test_of_two_runs_that_write_one_folder_the_first_ends(server: CloudServer, data: Path) -> None:
    storage = server.storage({})
    begun: list[bool] = []

    def second(progress: Progress) -> None:
        if progress.stage == "convert" and not begun:
            begun.append(True)
            convert(config(data, storage.url))

    with pytest.raises(StorageError, match="is being written by another run"):
        convert(config(data, storage.url), progress=second)
    assert b'"state": "complete"' in contents(storage)[MARKER]


@pytest.mark.parametrize("name", ["shards", "shards.zst"])
@pytest.mark.parametrize("workers", [1, 2])
@each_server
def test_shards_have_the_bytes_of_shards_on_this_machine(
    server: CloudServer, data: Path, tmp_path: Path, name: str, workers: int
) -> None:
    out = f"{server.new_url()}{name}/"
    report = convert(config(data, out, shard_rows=13, workers=workers))
    assert report.balance()
    convert(config(data, tmp_path / name, shard_rows=13))
    written = in_cloud(out)
    assert b'"state": "complete"' in written.pop(MARKER)
    assert written == on_this_machine(tmp_path / name)


def test_shards_of_a_run_that_fails_are_removed_and_earlier_ones_replaced(
    server: CloudServer, data: Path
) -> None:
    out = server.new_url()

    def interrupt(progress: Progress) -> None:
        if progress.stage == "convert" and progress.files >= 50:
            raise Interruption

    with pytest.raises(Interruption):
        convert(config(data, out, shard_rows=13), progress=interrupt)
    assert in_cloud(out) == {}
    convert(config(data, out, shard_rows=13))
    convert(config(data, out, shard_rows=40))
    assert sorted(in_cloud(out)) == [
        MARKER,
        "index.json",
        *(f"label_rows-{number:05}-of-00003.jsonl" for number in range(3)),
    ]

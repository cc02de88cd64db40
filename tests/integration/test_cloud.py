"""Folders in the cloud, converted as folders on this machine are."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labelingest import IngestConfig, check, convert
from labelingest.errors import ConfigError
from labelingest.storage import LocalStorage
from labelingest.storage.base import list_all
from tests.builders.cloud_servers import CloudServer
from tests.builders.command_line import Run, command_line
from tests.builders.faulty_proxy import faulty_proxy
from tests.builders.folders import make_folder, write_ontology

FILES: dict[str, Any] = {
    **{f"images/{number:02}.jpg": {"image": [64, 48]} for number in range(14)},
    **{f"labels/{number:02}.txt": f"0 0.5 0.5 0.{number + 10} 0.2\n" for number in range(12)},
    "labels/12.txt": "9 0.5 0.5 0.2 0.2\n1 0.25 0.25 0.5 0.25 0.5 0.5 0.25 0.5\n",
    "labels/13.txt": "",
}


@pytest.fixture
def local(tmp_path: Path) -> Path:
    write_ontology(
        tmp_path / "ontology.json", car=(0, "bounding_box"), van=(1, "rotatable_bounding_box")
    )
    return make_folder(tmp_path / "data", FILES)


def upload(server: CloudServer, local: Path) -> str:
    """Copy a folder into the cloud, and make its times those that the cloud tells."""
    storage = LocalStorage(str(local))
    keys = list(list_all(storage).keys)
    blobs = storage.fetch(keys)
    copy = server.storage({key: blobs.get(row) for row, key in enumerate(keys)})
    listing = list_all(copy)
    for key, mtime_ns in zip(listing.keys, listing.mtime_ns.tolist(), strict=True):
        os.utime(local / key, ns=(mtime_ns, mtime_ns))
    return copy.url


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("scheme", ["s3", "gs", "az"])
def test_label_rows_are_those_of_a_copy_on_this_machine(
    request: pytest.FixtureRequest,
    reachable: Callable[[CloudServer], None],
    local: Path,
    tmp_path: Path,
    scheme: str,
    workers: int,
) -> None:
    server: CloudServer = request.getfixturevalue(scheme)
    url = upload(server, local)
    reachable(server)
    options: dict[str, Any] = {
        "ontology": str(tmp_path / "ontology.json"),
        "workers": workers,
        "batch_bytes": 60,
    }
    out, copied = tmp_path / "cloud.jsonl", tmp_path / "local.jsonl"
    report = convert(IngestConfig(storage_path=url, out=str(out), **options))
    convert(IngestConfig(storage_path=str(local), storage_url=url, out=str(copied), **options))
    assert len(out.read_bytes().splitlines()) == 14
    assert out.read_bytes() == copied.read_bytes()
    assert report.errors == 1


def test_a_check_lists_and_reads_sidecars_and_the_headers_it_needs(
    s3: CloudServer, local: Path, tmp_path: Path
) -> None:
    path = upload(s3, local).partition("://")[2]
    with faulty_proxy(s3.address) as proxy:
        check(
            IngestConfig(
                storage_path=f"{proxy.url}/{path}", ontology=str(tmp_path / "ontology.json")
            )
        )
        kinds = {request.method for request in proxy.requests}
        read = [request.path.rpartition("/")[2] for request in proxy.requests if request.reads]
    assert kinds == {"GET"}
    # 12 has corners of a rotated box, which need the size of their image.
    assert sorted(read) == sorted([*(f"{number:02}.txt" for number in range(14)), "12.jpg"])


@pytest.mark.parametrize("scheme", ["s3", "gs", "az"])
def test_a_class_list_in_the_cloud_is_compared(
    request: pytest.FixtureRequest,
    reachable: Callable[[CloudServer], None],
    local: Path,
    tmp_path: Path,
    scheme: str,
) -> None:
    (local / "data.yaml").write_text("names: [van, car]\n")
    server: CloudServer = request.getfixturevalue(scheme)
    url = upload(server, local)
    reachable(server)
    options: dict[str, Any] = {"storage_path": url, "ontology": str(tmp_path / "ontology.json")}
    report = check(IngestConfig(**options))
    (used,) = report.class_lists.uses
    assert (used.class_list.source, used.label_files, used.counted_files) == ("data.yaml", 14, 14)
    assert used.comparison.pattern == "the names of 0 and 1 are swapped"
    with pytest.raises(ConfigError, match="are swapped"):
        convert(IngestConfig(**options, out=str(tmp_path / "rows.jsonl")))


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return command_line(capsys)


def test_commands_take_the_address_of_a_bucket(
    run: Run, s3: CloudServer, local: Path, tmp_path: Path
) -> None:
    url = f"http://{s3.address}/{upload(s3, local).partition('://')[2]}"
    ontology = ("--ontology", str(tmp_path / "ontology.json"))
    paired = json.loads(run("pair", url, "--json").out)
    assert paired["keys"]["paired"] == 14
    checked = json.loads(run("check", url, *ontology, "--json", "--quiet").out)
    assert checked["rejected"] == {"unknown-class": 1}
    assert checked["storage_url"] == url
    measured = run("bench", url, *ontology)
    assert "Measured 14 of 14 data files" in measured.out + measured.err


def test_a_missing_bucket_ends_the_command_with_what_to_check(
    run: Run, s3: CloudServer, local: Path, tmp_path: Path
) -> None:
    url = f"http://{s3.address}/missing/"
    ran = run("check", url, "--ontology", str(tmp_path / "ontology.json"))
    assert ran.code == 3
    assert f"{url} cannot be listed: there is no bucket 'missing' (404 NoSuchBucket)" in ran.err


def test_reports_are_not_written_to_the_cloud(run: Run, local: Path, tmp_path: Path) -> None:
    ontology = ("--ontology", str(tmp_path / "ontology.json"))
    ran = run("check", str(local), *ontology, "--report", "s3://bucket/report.json")
    assert ran.code == 2
    assert "report is written to this machine; set a local path" in ran.err


def test_an_empty_place_is_named_as_the_store_reads_it(
    s3: CloudServer, reachable: Callable[[CloudServer], None], local: Path, capsys: Any
) -> None:
    reachable(s3)
    run = command_line(capsys)
    url = s3.new_url() + "my%20drive/100%25/"
    prefix = url.removeprefix("s3://labels/").replace("%20", " ").replace("%25", "%")
    for command in ("check", "pair"):
        options = ("--ontology", str(local / "../ontology.json")) if command == "check" else ()
        ran = run(command, url, *options)
        assert ran.code == 2
        sentence = f"holds no files: the bucket 'labels' has none whose keys begin with {prefix!r}"
        assert sentence in ran.err
        assert "a literal % in a URL is written %25" in ran.err

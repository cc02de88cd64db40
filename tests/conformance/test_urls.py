import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from labelingest.config import IngestConfig
from labelingest.converter import Converter
from labelingest.credentials import without_credentials
from labelingest.engines import check_engine
from labelingest.errors import ConfigError, LabelIngestError
from labelingest.folders.settings import FolderSettings
from labelingest.resolution.ontology_json import load_ontology
from labelingest.storage import Connection, open_storage, url_of
from labelingest.storage.urls import place_of, same_spelling, storage_url_of
from labelingest.writers.target import WriterOptions
from tests.builders.command_line import command_line
from tests.builders.encord import ONTOLOGY, encord_converter, sidecar

CORPUS = Path(__file__).parents[2] / "fixtures/conformance/urls"


def cases(name: str) -> list[Any]:
    loaded = json.loads((CORPUS / f"{name}.json").read_text("utf-8"))
    assert loaded
    return [pytest.param(case, id=case["name"]) for case in loaded]


DOORS: dict[str, Callable[[str], object]] = {
    "storage path": open_storage,
    "URL of a storage path": url_of,
    "storage_url of a run": lambda url: IngestConfig(
        storage_path="data", ontology="o.json", storage_url=url
    ),
    "storage_url of a converter": lambda url: Converter.from_ontology(
        load_ontology(ONTOLOGY), storage_url=url
    ),
    "endpoint": lambda url: Connection(endpoint=url),
    "storage path of a folder": lambda url: open_storage(FolderSettings(url, "/rows").storage_path),
    "output of a folder": lambda url: open_storage(FolderSettings("/data", url).output),
    "engine": lambda url: check_engine(f"dask://{url.partition('//')[2]}"),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("case", cases("credentials"))
def test_a_url_with_a_credential_is_refused_and_no_sentence_repeats_it(
    case: dict[str, Any], door: str
) -> None:
    if door == "engine" and "@" not in case["url"]:
        return  # an engine has neither bucket nor query
    with pytest.raises(LabelIngestError) as refused:
        DOORS[door](case["url"])
    assert "PASSWORD" not in str(refused.value)
    assert "PASSWORD" not in repr(refused.value.__cause__)


@pytest.mark.parametrize(
    "option", ["out", "report", "problems", "failed_csv", "ontology", "images"]
)
def test_a_url_in_the_wrong_place_loses_its_password(option: str) -> None:
    values = {"storage_path": "data", "ontology": "o.json", "created_by": "nobody"}
    with pytest.raises(ConfigError) as refused:
        IngestConfig(**{**values, option: "https://user:PASSWORD@host/a.json"})
    assert "PASSWORD" not in str(refused.value)


@pytest.mark.parametrize("case", cases("spellings"))
def test_one_place_has_one_spelling_whichever_way_it_is_given(case: dict[str, Any]) -> None:
    url, spelling = case["url"], case["spelling"]
    config = IngestConfig(storage_path="data", ontology="o.json", storage_url=url)
    converter = Converter.from_ontology(load_ontology(ONTOLOGY), storage_url=url)
    direct = replace(converter, writer=WriterOptions(url))
    spellings = {place_of(url).url, config.storage_url, converter.writer.storage_url}
    assert spellings == {spelling}
    assert direct.writer.storage_url == spelling
    assert storage_url_of(spelling) == same_spelling(spelling) == spelling


@pytest.mark.parametrize("case", cases("spellings"))
def test_one_place_has_one_data_hash_and_one_link(case: dict[str, Any]) -> None:
    rows: list[bytes | None] = []
    for url in (case["url"], case["spelling"]):
        converter = encord_converter(storage_url=url)
        rows += converter.convert([("a b.jpg", sidecar("k3P/x0+a"))]).label_rows
    assert rows[0] == rows[1]


@pytest.mark.parametrize(
    ("url", "spelling"),
    [
        ("https://minio:443/bucket/a", "https://minio/bucket/a/"),
        ("HTTPS://MINIO:443/bucket", "https://minio/bucket/"),
        ("http://minio:80/bucket/", "http://minio/bucket/"),
        ("http://minio:443/bucket/", "http://minio:443/bucket/"),
        ("https://minio:4430/bucket/", "https://minio:4430/bucket/"),
        ("https://[fe80::443]/bucket/", "https://[fe80::443]/bucket/"),
        ("https://[fe80::1]:443/bucket/", "https://[fe80::1]/bucket/"),
        ("s3://bucket/a:443/", "s3://bucket/a:443/"),
    ],
)
def test_a_port_that_the_scheme_has_anyway_is_left_out_where_a_url_is_given(
    url: str, spelling: str
) -> None:
    config = IngestConfig(storage_path=url, ontology="o.json", storage_url=url)
    converter = Converter.from_ontology(load_ontology(ONTOLOGY), storage_url=url)
    spellings = {url_of(config.storage_path), config.storage_url, converter.writer.storage_url}
    assert spellings == {spelling}


def test_a_folder_of_an_earlier_version_keeps_the_port_that_its_identities_have() -> None:
    url = "https://minio:443/bucket/"
    settings = FolderSettings(url, "/rows")
    assert url_of(settings.storage_path) == url
    converter = encord_converter()
    assert replace(converter, writer=WriterOptions(url)).writer.storage_url == url


def test_a_folder_of_this_machine_has_no_dots_in_its_spelling() -> None:
    urls = ("file:///data/x/../y/", "file:///data/./y", "FILE://localhost/data/y//.")
    assert {storage_url_of(url) for url in urls} == {url_of("/data/y")}
    assert storage_url_of("file:///") == url_of("/")


def test_a_folder_of_this_machine_has_one_spelling() -> None:
    spelling = url_of("/data/a+b ü")
    urls = ("file:///data/a+b ü", "FILE://localhost/data/a%2bb%20%c3%bc//", spelling)
    assert {storage_url_of(url) for url in urls} == {spelling}


@pytest.mark.parametrize("case", cases("refusals"))
def test_a_url_that_means_nothing_is_refused_with_the_cure(case: dict[str, Any]) -> None:
    for door in (place_of, storage_url_of):
        with pytest.raises(ConfigError) as refused:
            door(case["url"])
        assert case["sentence"] in str(refused.value)


@pytest.mark.parametrize("case", cases("credentials"))
def test_a_text_loses_its_credentials_where_it_is_told_from_a_name(case: dict[str, Any]) -> None:
    text = f"there is no file {case['url']!r}, look for it"
    masked = without_credentials(text)
    assert masked.startswith("there is no file ")
    assert masked.endswith(", look for it")
    assert without_credentials(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://user@host/database",
        "s3://bucket/2024-01-01T10:00/a@b.jpg",
        "https://minio:9000/bucket/a@b.jpg",
        "file:///data/a@b/c=d",
        "a.txt: 7:30@noon",
    ],
)
def test_what_is_no_credential_stays(text: str) -> None:
    assert without_credentials(text) == text


@pytest.mark.parametrize(
    "arguments",
    [
        ("convert", ".", "https://user:PASSWORD@host/b/"),
        ("folder", "list", "postgresql://user:PASSWORD@host/db"),
        ("folder", "list", "--state", "postgresql://user:PASSWORD@host:abc/db"),
        ("folder", "list", "--state", "postgresql://user:PASSWORD@127.0.0.1:1/db", "--json"),
        ("folder", "list", "--state", "postgresql://user@127.0.0.1:1/db?password=PASSWORD&x=1"),
        ("folder", "list", "--workers=https://user:PASSWORD@host/"),
        ("convert", ".", "--workers=https://user:PASSWORD@host/"),
        ("convert", ".", "--ontology", "o.json", "--storage-url", "https://user:PASSWORD@host/b/"),
        ("convert", ".", "--ontology", "https://host/o.json?sig=PASSWORD", "--out", "o.jsonl"),
        ("show", "https://user:PASSWORD@host/a.json"),
        ("classes", "https://user:PASSWORD@host/a.json"),
        ("convert", ".", "--config", "https://user:PASSWORD@host/a.toml"),
    ],
    ids=" ".join,
)
def test_no_command_repeats_a_password(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    ran = command_line(capsys)(*arguments)
    assert ran.code in {2, 3}
    assert "PASSWORD" not in ran.out + ran.err

import json
import subprocess
import sys
from pathlib import Path

import pytest

from labelingest.errors import ConfigError, StorageError
from labelingest.storage import Connection, LocalStorage, open_storage
from labelingest.storage.base import list_all
from tests.builders.command_line import command_line
from tests.builders.synced import ONTOLOGY


def test_a_path_and_its_url_open_the_same_folder(tmp_path: Path) -> None:
    folder = tmp_path / "a b%20#?é"
    folder.mkdir()
    (folder / "c.txt").touch()
    by_path = open_storage(str(folder))
    by_url = open_storage(by_path.url)
    assert by_url.url == by_path.url
    assert list(list_all(by_url).keys) == ["c.txt"]


def test_a_file_url_may_name_this_machine(tmp_path: Path) -> None:
    assert open_storage(f"file://localhost{tmp_path}").url == tmp_path.as_uri() + "/"


def test_whether_links_are_followed_is_passed_on(tmp_path: Path) -> None:
    storage = open_storage(str(tmp_path), follow_symlinks=False)
    assert isinstance(storage, LocalStorage)
    assert not storage.follow_symlinks


@pytest.mark.parametrize(
    ("url", "opened"),
    [
        ("s3://bucket/c", "s3://bucket/c/"),
        ("S3://bucket", "s3://bucket/"),
        ("gs://bucket/", "gs://bucket/"),
        ("https://minio.example.com/bucket/c", "https://minio.example.com/bucket/c/"),
        ("https://lab.blob.core.windows.net/c/", "https://lab.blob.core.windows.net/c/"),
    ],
)
def test_cloud_storage_is_opened_without_asking_anybody(
    url: str, opened: str, credentials: None
) -> None:
    assert open_storage(url).url == opened


def test_the_account_of_azure_may_come_from_the_connection_or_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(ConfigError, match="AZURE_STORAGE_ACCOUNT_NAME"):
        open_storage("az://images/")
    assert open_storage("az://images/", connection=Connection(account="lab")).url == "az://images/"
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "lab")
    assert open_storage("az://images/").url == "az://images/"


def test_without_obstore_the_extra_is_named() -> None:
    hidden = (
        "import sys; sys.modules['obstore'] = None; from labelingest.storage import open_storage\n"
        "try: open_storage('s3://bucket/')\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    ran = subprocess.run([sys.executable, "-c", hidden], capture_output=True, text=True, check=True)
    assert ran.stdout.startswith("ConfigError s3://bucket/ is cloud storage")
    assert "pip install 'labelingest[cloud]'" in ran.stdout


def test_obstore_is_not_loaded_for_folders() -> None:
    script = (
        "import sys; from labelingest.storage import open_storage; open_storage('.')\n"
        "print('obstore' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"


def test_no_secret_of_a_url_is_repeated() -> None:
    with pytest.raises(ConfigError) as refused:
        open_storage("https://user:PASSWORD@host/c?sig=SIGNATURE#SIGNATURE")
    assert "PASSWORD" not in str(refused.value)
    assert "SIGNATURE" not in str(refused.value)
    assert "https://host" in str(refused.value)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "the storage path is empty"),
        ("ftp://host/data", "'ftp', which is no kind of storage path"),
        ("file://data/coco", "names the machine 'data'"),
        ("file://data", "names the machine 'data'"),
    ],
)
def test_a_url_that_means_no_storage_path_is_refused(url: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        open_storage(url)


def test_a_missing_folder_is_refused_with_the_part_that_exists(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as refused:
        open_storage(str(tmp_path / "data/coco"))
    assert f"there is no folder {str(tmp_path / 'data/coco')!r}" in str(refused.value)
    assert f"its path exists up to {str(tmp_path)!r}" in str(refused.value)


def test_a_file_is_refused_with_its_folder(tmp_path: Path) -> None:
    (tmp_path / "data.zip").touch()
    with pytest.raises(StorageError, match=f"is a file: give the folder it is in, '{tmp_path}'"):
        open_storage(str(tmp_path / "data.zip"))


def test_a_link_that_leads_nowhere_is_refused_with_its_target(tmp_path: Path) -> None:
    (tmp_path / "data").symlink_to("/mnt/gone")
    with pytest.raises(StorageError, match="is a link to '/mnt/gone', which does not exist"):
        open_storage(str(tmp_path / "data"))


@pytest.mark.parametrize("target", ["loop", "other"])
def test_a_storage_path_that_is_a_loop_of_links_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], target: str
) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(target)
    (tmp_path / "other").symlink_to("loop")
    (tmp_path / "data").mkdir()
    (tmp_path / "ontology.json").write_text(json.dumps(ONTOLOGY))
    ontology = str(tmp_path / "ontology.json")
    run = command_line(capsys)
    state = ("--state", f"sqlite:///{tmp_path}/state.sqlite")
    out = ("--out", str(tmp_path / "rows.jsonl"))
    for arguments in (
        ("pair", str(loop)),
        ("convert", str(loop), "--ontology", ontology, *out),
        ("metadata", "check", str(loop)),
        ("folder", "create", "a", "--storage-path", str(loop), "--output", f"{tmp_path}/o", *state),
    ):
        ran = run(*arguments)
        assert ran.code == 3, arguments
        assert "is a link that leads back to itself" in ran.err
    data = ("--storage-path", f"{tmp_path}/data")
    for arguments in (
        ("convert", f"{tmp_path}/data", "--ontology", str(loop), *out),
        ("convert", f"{tmp_path}/data", "--ontology", ontology, "--out", str(loop)),
        ("folder", "create", "a", *data, "--output", str(loop), *state),
    ):
        ran = run(*arguments)
        assert ran.code in {2, 3}, arguments
        assert "unexpected" not in ran.err

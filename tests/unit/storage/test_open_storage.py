from pathlib import Path

import pytest

from labelingest.errors import ConfigError, StorageError
from labelingest.storage import LocalStorage, open_storage
from labelingest.storage.base import list_all


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


@pytest.mark.parametrize("url", ["s3://b/c", "gs://b", "az://c/p", "https://h/c", "S3://b"])
def test_cloud_storage_is_refused_with_what_helps(url: str) -> None:
    with pytest.raises(ConfigError, match=r"not supported yet: copy the folder .* or mount it"):
        open_storage(url)


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
    assert f"{str(tmp_path)!r} is the last part of it that exists" in str(refused.value)


def test_a_file_is_refused_with_its_folder(tmp_path: Path) -> None:
    (tmp_path / "data.zip").touch()
    with pytest.raises(StorageError, match=f"is a file: give the folder it is in, '{tmp_path}'"):
        open_storage(str(tmp_path / "data.zip"))


def test_a_link_that_leads_nowhere_is_refused_with_its_target(tmp_path: Path) -> None:
    (tmp_path / "data").symlink_to("/mnt/gone")
    with pytest.raises(StorageError, match="is a link to '/mnt/gone', which is not there"):
        open_storage(str(tmp_path / "data"))

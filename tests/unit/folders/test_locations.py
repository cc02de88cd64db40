"""Where an output lies in its storage path, however the two are spelt."""

from functools import partial
from pathlib import Path

import pytest

from labelingest.errors import ConfigError
from labelingest.folders import FolderSettings, SyncedFolder
from labelingest.folders.locations import output_folder
from labelingest.storage import open_storage
from tests.builders.states import new_sqlite


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "lab")


SPELT = [
    ("s3://bk/data/", "https://bk.s3.eu-west-1.amazonaws.com/data/"),
    ("https://s3.eu-west-1.amazonaws.com/bk/data/", "s3://bk/data/"),
    ("s3://bk/data/", "http://127.0.0.1:9000/bk/data/"),
    ("gs://bk/d%C3%A4ta/", "https://storage.googleapis.com/bk/däta/"),
    ("az://bk/data/", "https://lab.blob.core.windows.net/bk/data/"),
]


@pytest.mark.parametrize(("first", "other"), [*SPELT, *((b, a) for a, b in SPELT)])
def test_one_place_is_known_by_all_its_names(first: str, other: str) -> None:
    outer, inner = open_storage(first), open_storage(f"{other}rows%20new/")
    assert output_folder(outer, inner) == "rows new/"
    for around in (open_storage(other), open_storage(other.removesuffix("/").rpartition("/")[0])):
        with pytest.raises(ConfigError, match="is the storage path or lies around it"):
            output_folder(outer, around)


@pytest.mark.parametrize(
    ("first", "other"),
    [
        ("s3://bk/data/", "s3://bk/data2/"),
        ("s3://bk/data/", "s3://bk2/data/"),
        ("s3://bk/data/", "gs://bk/data/"),
        ("https://a.blob.core.windows.net/bk/", "https://b.blob.core.windows.net/bk/"),
    ],
)
def test_other_places_are_others(first: str, other: str) -> None:
    assert output_folder(open_storage(first), open_storage(other)) is None


def test_a_bucket_has_no_folder_of_this_machine(tmp_path: Path) -> None:
    assert output_folder(open_storage("s3://bk/"), open_storage(str(tmp_path))) is None


def test_two_folders_do_not_share_an_output(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    state = new_sqlite(tmp_path / "state.sqlite")
    create = partial(SyncedFolder.create, state=state)
    create("a", FolderSettings(f"{tmp_path}/data", f"{tmp_path}/rows")).close()
    for output in ("rows", "rows/b", "."):
        settings = FolderSettings(f"{tmp_path}/data", f"{tmp_path}/{output}")
        with pytest.raises(ConfigError, match=r"is that of the folder 'a'|is the storage path or"):
            create("b", settings)
    assert not (tmp_path / "rows/b").exists()
    create("b", FolderSettings(f"{tmp_path}/data", f"{tmp_path}/rows2")).close()


def test_the_root_of_this_machine_lies_around_every_folder() -> None:
    with pytest.raises(ConfigError, match="is the storage path or lies around it"):
        output_folder(open_storage("/tmp"), open_storage("/"))
    assert output_folder(open_storage("/"), open_storage("/tmp")) == "tmp/"

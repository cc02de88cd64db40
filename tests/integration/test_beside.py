"""Label rows beside their data files: never over a file of people, and no input of the next run."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from labelingest import IngestConfig, check, convert
from labelingest.bench.synthetic.data_set import generate
from labelingest.bench.synthetic.kinds import Kind
from labelingest.errors import ConfigError, StorageError, resume_notes
from labelingest.model.kinds import BESIDE_LIST
from labelingest.progress import Progress
from labelingest.storage import LocalStorage
from labelingest.storage.base import Storage, list_all
from tests.builders.cloud_servers import CloudServer

FILES = 40
PLACES = ["local", "s3", "az"]
"""Not Google: the server of the tests ignores its conditions, by which files of people stay."""


def contents(storage: Storage) -> dict[str, bytes]:
    keys = list(list_all(storage).keys)
    blobs = storage.fetch(keys)
    return {key: blobs.get(row) for row, key in enumerate(keys)}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    generate(root, FILES, Kind.BOXES, defects=0)
    return root


@pytest.fixture
def storage(
    request: pytest.FixtureRequest,
    data: Path,
    tmp_path: Path,
    reachable: Callable[[CloudServer], None],
) -> Storage:
    """A copy of the data, on this machine or in a cloud."""
    files = contents(LocalStorage(str(data)))
    place = getattr(request, "param", "local")
    if place != "local":
        server: CloudServer = request.getfixturevalue(place)
        reachable(server)
        return server.storage(files)
    root = tmp_path / "copy"
    root.mkdir()
    storage = LocalStorage(str(root))
    for key, content in files.items():
        storage.put(key, content)
    return storage


each_place = pytest.mark.parametrize("storage", PLACES, indirect=True)


def config(storage: Storage, data: Path, **options: Any) -> IngestConfig:
    path = storage.root if isinstance(storage, LocalStorage) else storage.url
    values = {"storage_url": "s3://bucket/drive/", "batch_bytes": 500, "workers": 1, **options}
    return IngestConfig(storage_path=path, ontology=data / "ontology.json", **values)


def beside(storage: Storage) -> Mapping[str, bytes]:
    files = contents(storage)
    return {key: text for key, text in files.items() if key.endswith(".encord.json")}


@pytest.mark.parametrize("workers", [1, 2])
@each_place
def test_each_label_row_is_beside_its_data_file_and_no_input_of_the_next_run(
    storage: Storage, data: Path, tmp_path: Path, workers: int
) -> None:
    before = contents(storage)
    first = convert(config(storage, data, beside=True, workers=workers))
    assert first.tally.label_rows == FILES
    convert(config(storage, data, out=tmp_path / "tree"))
    tree = contents(LocalStorage(str(tmp_path / "tree")))
    written = beside(storage)
    assert written == {key: text for key, text in tree.items() if key.endswith(".encord.json")}
    assert {key: text for key, text in contents(storage).items() if key in before} == before
    again = convert(config(storage, data, beside=True))
    assert (again.tally, again.format) == (first.tally, first.format)
    assert again.errors == 0
    assert beside(storage) == written
    assert check(config(storage, data)).format == first.format


@each_place
def test_a_file_of_people_stays_and_costs_its_label_row(storage: Storage, data: Path) -> None:
    keys = [key for key in contents(storage) if key.endswith((".jpg", ".png"))][:2]
    for key in keys:
        storage.put(f"{key}.encord.json", b"mine")
    report = convert(config(storage, data, beside=True, overwrite=True))
    assert report.log.totals == {"output-name-refused": 2}
    assert report.balance()
    assert {text for key, text in beside(storage).items() if text == b"mine"} == {b"mine"}
    assert sum(text == b"mine" for text in beside(storage).values()) == 2


@each_place
def test_label_rows_of_an_earlier_run_are_replaced_unless_they_were_changed(
    storage: Storage, data: Path
) -> None:
    convert(config(storage, data, beside=True))
    first = beside(storage)
    changed = min(first)
    storage.put(changed, b"corrected by hand")
    report = convert(config(storage, data, beside=True, dataset_title="new"))
    assert report.log.totals == {"output-name-refused": 1}
    second = beside(storage)
    assert second[changed] == b"corrected by hand"
    assert all(second[key] != first[key] for key in first)


@pytest.mark.parametrize("is_listed", [True, False])
def test_a_run_that_ends_early_is_repeated_to_the_same_files(
    storage: Storage, data: Path, tmp_path: Path, is_listed: bool
) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.stage == "convert" and progress.files >= 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as raised:
        convert(config(storage, data, beside=True), progress=interrupt)
    assert resume_notes(raised.value) == [
        "label rows that were written stay beside their data files"
    ]
    assert 0 < len(beside(storage)) < FILES
    if not is_listed:  # a run that is killed writes no list
        storage.delete([BESIDE_LIST])
    report = convert(config(storage, data, beside=True))
    assert report.errors == 0
    convert(config(storage, data, out=tmp_path / "tree"))
    tree = contents(LocalStorage(str(tmp_path / "tree")))
    assert beside(storage) == {k: text for k, text in tree.items() if k.endswith(".encord.json")}


@pytest.mark.parametrize("line", [b'[1,"x"]', b'["a.jpg",7]', b'["a.jpg"]', b"["])
def test_a_list_that_is_damaged_is_said_and_stays(
    storage: Storage, data: Path, line: bytes
) -> None:
    convert(config(storage, data, beside=True))
    before = contents(storage)
    storage.put(BESIDE_LIST, before[BESIDE_LIST] + line + b"\n")
    with pytest.raises(StorageError, match="is damaged: move it away"):
        convert(config(storage, data, beside=True, overwrite=True, dataset_title="new"))
    assert beside(storage) == {k: v for k, v in before.items() if k.endswith(".encord.json")}


def test_what_has_a_place_of_its_own_or_is_a_label_row_is_refused(
    storage: Storage, data: Path
) -> None:
    for options in ({"out": "rows.jsonl"}, {"shard_rows": 3}):
        with pytest.raises(ConfigError, match=r"beside and .* contradict each other"):
            convert(config(storage, data, beside=True, **options))
    with pytest.raises(ConfigError, match="beside: for --to encord only"):
        config(storage, data, beside=True, to="coco")
    convert(config(storage, data, beside=True))
    with pytest.raises(ConfigError, match="are label rows beside their data files already"):
        convert(config(storage, data, beside=True, format="encord"))

from hashlib import blake2b
from pathlib import Path

import pytest

from labelingest.bench.generated import Recipe, generated_folder
from labelingest.bench.synthetic.data_set import generate
from labelingest.bench.synthetic.kinds import Images, Kind
from labelingest.bench.synthetic.label_files import label_chunks, label_files
from labelingest.errors import ConfigError, StorageError
from labelingest.progress import Progress


@pytest.mark.parametrize(
    ("kind", "seed", "defects", "rows", "digest"),
    [
        ("boxes", 0, 0.0, 15_471, "8e7ca20882a50c48"),
        ("boxes", 3, 0.05, 15_353, "46da2e662a7d5a9d"),
        ("polygons", 0, 0.0, 15_049, "c008b5107bed2529"),
        ("polygons", 3, 0.05, 15_254, "3b81388f2f385137"),
        ("rotated", 0, 0.0, 15_067, "6f531e119508da9c"),
        ("rotated", 3, 0.05, 15_972, "27ac4071d94112ab"),
        ("mixed", 0, 0.0, 15_273, "a8022e834efc406a"),
        ("mixed", 3, 0.05, 15_047, "4c7d963865e7cff6"),
    ],
)
def test_a_recipe_gives_the_bytes_that_it_always_gave(
    kind: str, seed: int, defects: float, rows: int, digest: str
) -> None:
    found = label_files(2_100, kind, seed=seed, defects=defects)
    assert found.rows == rows
    assert blake2b(b"\0".join(found.contents), digest_size=8).hexdigest() == digest


def test_a_file_does_not_depend_on_the_number_of_files() -> None:
    chunks = list(label_chunks(2_001, Kind.MIXED))
    assert [len(chunk.contents) for chunk in chunks] == [2_000, 1]
    assert chunks[0].contents[:9] == label_files(9, Kind.MIXED).contents


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_a_data_set_on_disk_is_the_same_each_time_and_tells_its_progress(tmp_path: Path) -> None:
    steps: list[Progress] = []
    found = generate(tmp_path / "a", 5, Kind.ROTATED, seed=2, progress=steps.append)
    generate(tmp_path / "b", 5, Kind.ROTATED, seed=2)
    assert steps == [Progress("generate", 5, 5)]
    files = contents(tmp_path / "a")
    assert files == contents(tmp_path / "b")
    assert len(files) == 11
    assert found.label_bytes == sum(len(files[name]) for name in files if name.endswith(".txt"))
    assert sum(files[name].count(b"\n") for name in files if name.endswith(".txt")) == found.rows
    empty = generate(tmp_path / "c", 2, images=Images.EMPTY)
    assert contents(Path(empty.root))["images/train/000001.jpg"] == b""


def test_a_file_system_without_links_gets_copies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generate(tmp_path / "links", 33)

    def refuse(*_: object, **__: object) -> None:
        raise OSError

    monkeypatch.setattr("os.link", refuse)
    generate(tmp_path / "copies", 33)
    assert contents(tmp_path / "copies") == contents(tmp_path / "links")


def test_a_temporary_data_set_is_removed_after_the_block(tmp_path: Path) -> None:
    recipe = Recipe(files=3, kind="boxes")
    with generated_folder(recipe, None, str(tmp_path)) as found:
        assert len(contents(Path(found.root))) == 7
    assert not list(tmp_path.iterdir())


def test_a_data_set_stays_in_a_new_or_an_empty_folder_only(tmp_path: Path) -> None:
    recipe = Recipe(files=3, kind="boxes")
    (tmp_path / "empty").mkdir()
    for name in ("new/deeper", "empty"):
        with generated_folder(recipe, str(tmp_path / name)) as found:
            pass
        assert len(contents(Path(found.root))) == 7
    with (
        pytest.raises(ConfigError, match="is not empty, and generated files"),
        generated_folder(recipe, str(tmp_path / "empty")),
    ):
        pass
    (tmp_path / "file").write_text("mine")
    with (
        pytest.raises(ConfigError, match="is no folder that can be used"),
        generated_folder(recipe, str(tmp_path / "file")),
    ):
        pass
    assert (tmp_path / "file").read_text() == "mine"


def test_an_interrupted_data_set_leaves_nothing(tmp_path: Path) -> None:
    def interrupt(progress: Progress) -> None:
        raise KeyboardInterrupt

    with (
        pytest.raises(KeyboardInterrupt),
        generated_folder(Recipe(files=3, kind="boxes"), str(tmp_path), progress=interrupt),
    ):
        pass
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_an_error_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("labelingest.bench.synthetic.data_set._write_new", refuse)
    with (
        pytest.raises(StorageError, match="cannot be written: disk full"),
        generated_folder(Recipe(files=3, kind="boxes"), str(tmp_path)),
    ):
        pass
    assert not list(tmp_path.iterdir())

"""Stage 1, listing and fetching on this machine, against loops of the system's calls."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.floor import HEAD, list_files, read_files
from labelingest.bench.synthetic.data_set import Generated, jpeg
from labelingest.bench.synthetic.kinds import image_size
from labelingest.model.listing import UNKNOWN
from labelingest.storage.base import list_all
from labelingest.storage.local.local import LocalStorage

LIST = "storage: list a folder"
FETCH = "storage: fetch all label files"
HEADS = "storage: fetch the headers of all images"


@pytest.fixture
def generated(data_set: Callable[[str, float], Generated]) -> Generated:
    return data_set("boxes", 0.0)


def keys_of(generated: Generated, name: str) -> list[str]:
    return [name.format(i) for i in range(generated.files)]


def names_of(generated: Generated, ending: str) -> tuple[str, list[str]]:
    folder = "labels" if ending == "txt" else "images"
    return f"{generated.root}/{folder}/train", [f"{i:06d}.{ending}" for i in range(generated.files)]


def walk(root: str) -> dict[str, int]:
    return {
        path: Path(path).stat().st_size
        for folder, _, names in os.walk(root)
        for path in (f"{folder}/{name}" for name in names)
    }


def open_read_close(paths: list[str]) -> list[bytes]:
    contents = []
    for path in paths:
        with Path(path).open("rb") as file:
            contents.append(file.read())
    return contents


@pytest.mark.benchmark(group=LIST)
def test_list(benchmark: BenchmarkFixture, generated: Generated) -> None:
    listing = benchmark(list_all, LocalStorage(generated.root))
    assert len(listing) == 2 * generated.files + 1  # and the ontology
    assert list(listing.keys) == sorted(listing.keys)


@pytest.mark.benchmark(group=LIST)
def test_list_images_by_name_alone(benchmark: BenchmarkFixture, generated: Generated) -> None:
    listing = benchmark(list_all, LocalStorage(generated.root), bare=["jpg"])
    assert (listing.size == UNKNOWN).sum() == generated.files


@pytest.mark.benchmark(group=LIST)
def test_floor_scandir(benchmark: BenchmarkFixture, generated: Generated) -> None:
    names_of_folder = benchmark(list_files, generated.root)
    assert sum(map(len, names_of_folder.values())) == 2 * generated.files + 1


@pytest.mark.benchmark(group=LIST)
def test_rival_os_walk(benchmark: BenchmarkFixture, generated: Generated) -> None:
    assert len(benchmark(walk, generated.root)) == 2 * generated.files + 1


@pytest.mark.benchmark(group=FETCH)
def test_fetch(benchmark: BenchmarkFixture, generated: Generated) -> None:
    keys = keys_of(generated, "labels/train/{:06d}.txt")
    listing = list_all(LocalStorage(generated.root))
    sizes = listing.size[[key.startswith("labels/") for key in listing.keys]]
    blobs = benchmark(LocalStorage(generated.root).fetch, keys, sizes=sizes, tokens=False)
    assert not blobs.unread
    assert int((blobs.ends - blobs.starts).sum()) == generated.label_bytes


@pytest.mark.benchmark(group=FETCH)
def test_fetch_with_versions(benchmark: BenchmarkFixture, generated: Generated) -> None:
    keys = keys_of(generated, "labels/train/{:06d}.txt")
    blobs = benchmark(LocalStorage(generated.root).fetch, keys)
    assert blobs.tokens is not None
    assert all(blobs.tokens)


@pytest.mark.benchmark(group=FETCH)
def test_floor_open_read_close(benchmark: BenchmarkFixture, generated: Generated) -> None:
    contents = benchmark(read_files, *names_of(generated, "txt"))
    assert sum(map(len, contents)) == generated.label_bytes


@pytest.mark.benchmark(group=FETCH)
def test_rival_python_files(benchmark: BenchmarkFixture, generated: Generated) -> None:
    folder, names = names_of(generated, "txt")
    contents = benchmark(open_read_close, [f"{folder}/{name}" for name in names])
    assert sum(map(len, contents)) == generated.label_bytes


@pytest.mark.benchmark(group=HEADS)
def test_fetch_heads(benchmark: BenchmarkFixture, generated: Generated) -> None:
    keys = keys_of(generated, "images/train/{:06d}.jpg")
    heads = benchmark(LocalStorage(generated.root).fetch_heads, keys, HEAD)
    assert heads == [jpeg(*image_size(i))[:HEAD] for i in range(generated.files)]


@pytest.mark.benchmark(group=HEADS)
def test_floor_open_read_close_of_heads(benchmark: BenchmarkFixture, generated: Generated) -> None:
    heads = benchmark(read_files, *names_of(generated, "jpg"), HEAD)
    assert heads == [jpeg(*image_size(i))[:HEAD] for i in range(generated.files)]

"""Sizes of images from their headers, all at once and one by one, against Pillow."""

import io

import pytest
from PIL import Image
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.floor import HEAD
from labelingest.bench.synthetic.data_set import jpeg
from labelingest.bench.synthetic.kinds import SIZES
from labelingest.media.head_scan import scan_heads
from labelingest.media.image_size import read_image_size

GROUP = "media: sizes of 1,000 JPEG headers"
HEADS = [jpeg(*SIZES[i % len(SIZES)])[:HEAD] for i in range(1_000)]


def sizes_by_pillow() -> list[tuple[int, int]]:
    sizes = []
    for head in HEADS:
        with Image.open(io.BytesIO(head)) as image:
            # A reader that only asks for the size gets turned images wrong.
            turned = image.getexif().get(0x0112, 1) >= 5
            sizes.append(image.size[::-1] if turned else image.size)
    return sizes


def sizes_by_us() -> list[tuple[int, int] | None]:
    return [read_image_size(head, lambda _at, _length: None) for head in HEADS]


@pytest.mark.benchmark(group=GROUP)
def test_scan_heads(benchmark: BenchmarkFixture) -> None:
    sizes = benchmark(lambda: scan_heads(HEADS))
    assert sizes.tolist() == [list(SIZES[i % len(SIZES)]) for i in range(1_000)]


@pytest.mark.benchmark(group=GROUP)
def test_read_image_size(benchmark: BenchmarkFixture) -> None:
    assert benchmark(sizes_by_us) == [SIZES[i % len(SIZES)] for i in range(1_000)]


@pytest.mark.benchmark(group=GROUP)
def test_rival_pillow(benchmark: BenchmarkFixture) -> None:
    assert benchmark(sizes_by_pillow) == [SIZES[i % len(SIZES)] for i in range(1_000)]

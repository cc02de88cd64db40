"""Sizes of many heads at once, on files as encoders write them."""

from typing import Any

import pytest

from labelingest.media.head_scan import scan_heads
from labelingest.media.image_size import HEAD_BYTES
from tests.builders import image_bytes as build
from tests.oracles.image_size import displayed_size

LARGE = build.segment(0xE2, bytes(HEAD_BYTES))
"""A colour profile that is longer than a head."""
PLAIN = {
    "progressive": build.saved("JPEG", progressive=True),
    "four colours": build.saved("JPEG", mode="CMYK"),
    "grey": build.saved("JPEG", mode="L"),
    "16 bits": build.saved("PNG", mode="I;16"),
    "palette": build.saved("PNG", mode="P"),
    "turned": build.saved("JPEG", orientation=6),
    "upside down": build.saved("JPEG", orientation=3),
    "EXIF with a thumbnail": build.jpeg(
        40, 30, before=build.segment(0xE1, build.exif_block(8, gap=3000))
    ),
    "several pictures": build.saved("MPO"),
    "another extension": build.saved("PNG"),
}
LEFT = {
    "a profile longer than the head": build.jpeg(40, 30, before=LARGE),
    "filling": build.jpeg(40, 30, before=b"\xff\xff"),
    "cut off": build.saved("JPEG")[:200],
    "no height": build.jpeg(40, 0),
    "turned PNG": build.saved("PNG", orientation=6),
    "WebP": build.saved("WEBP"),
    "bitmap": build.saved("BMP"),
    "TIFF": build.saved("TIFF"),
    "text": b"class 7",
    "nothing": b"",
}


def scanned(*files: bytes) -> list[list[int]]:
    sizes: list[Any] = scan_heads([contents[:HEAD_BYTES] for contents in files]).tolist()
    return sizes


@pytest.mark.parametrize("name", PLAIN)
def test_usual_images_are_told_as_pillow_displays_them(name: str) -> None:
    assert scanned(PLAIN[name]) == [list(displayed_size(PLAIN[name]) or ())]


@pytest.mark.parametrize("name", LEFT)
def test_unusual_images_are_left(name: str) -> None:
    assert scanned(LEFT[name]) == [[0, 0]]


def test_images_do_not_change_each_other() -> None:
    alone = [size for file in (*PLAIN.values(), *LEFT.values()) for size in scanned(file)]
    assert scanned(*PLAIN.values(), *LEFT.values()) == alone


def test_no_images_have_no_sizes() -> None:
    assert scan_heads([]).shape == (0, 2)

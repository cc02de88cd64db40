import io
import struct
import threading
import warnings
from typing import Any

import pytest
from PIL import Image

from labelingest.media import image_size as sizes
from labelingest.media.image_size import HEAD_BYTES, image_size, read_image_size
from tests.builders import image_bytes as build
from tests.oracles.image_size import displayed_size

FORMS = ("AVIF", "JPEG", "PNG", "TIFF", "WEBP")


def never(_at: int, _length: int) -> bytes | None:
    raise AssertionError("another part was asked for")


def read(contents: bytes) -> tuple[int, int] | None:
    """The size of a file as a caller with storage behind it reads it."""
    return read_image_size(contents[:HEAD_BYTES], build.Parts(contents))


@pytest.mark.parametrize("form", [*FORMS, "BMP"])
def test_the_size_is_width_then_height(form: str) -> None:
    assert image_size(build.saved(form)) == (40, 30)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientations_five_to_eight_swap_width_and_height(form: str, orientation: int) -> None:
    expected = (30, 40) if orientation >= 5 else (40, 30)
    assert read(build.saved(form, orientation=orientation)) == expected


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pillow_displays_the_same_size(form: str, orientation: int) -> None:
    contents = build.saved(form, orientation=orientation)
    assert read(contents) == displayed_size(contents)


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "CMYK", "YCbCr"])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_of_any_colours_has_a_size(mode: str, progressive: bool) -> None:
    assert image_size(build.saved("JPEG", mode=mode, progressive=progressive)) == (40, 30)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_a_png_of_any_colours_has_a_size(mode: str) -> None:
    assert image_size(build.saved("PNG", mode=mode)) == (40, 30)


@pytest.mark.parametrize("options", [{"lossless": True}, {"quality": 5}, {"icc_profile": b"x" * 9}])
def test_a_webp_of_any_kind_has_a_size(options: dict[str, Any]) -> None:
    assert image_size(build.saved("WEBP", **options)) == (40, 30)


@pytest.mark.parametrize("form", ["AVIF", "WEBP", "PNG"])
def test_an_animation_has_the_size_of_its_canvas(form: str) -> None:
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, form, save_all=True, append_images=frames[1:])
    assert image_size(out.getvalue()) == (40, 30)


@pytest.mark.parametrize("form", [*FORMS, "BMP"])
def test_one_pixel_is_a_size(form: str) -> None:
    assert image_size(build.saved(form, size=(1, 1))) == (1, 1)


@pytest.mark.parametrize("form", [*FORMS, "BMP"])
@pytest.mark.parametrize("orientation", [None, 6])
def test_no_truncation_raises_or_gives_another_size(form: str, orientation: int | None) -> None:
    orientation = None if form == "BMP" else orientation
    contents = build.saved(form, orientation=orientation)
    full_size = image_size(contents)
    wrong = {
        length: image_size(contents[:length])
        for length in range(len(contents))
        if image_size(contents[:length]) not in (None, full_size)
    }
    assert not wrong


@pytest.mark.parametrize("form", [*FORMS, "BMP"])
def test_a_file_that_ends_early_never_raises(form: str) -> None:
    contents = build.saved(form, orientation=None if form == "BMP" else 6)
    sizes = {read(contents[:length]) for length in range(len(contents))}
    assert sizes <= {None, (40, 30), (30, 40)}


@pytest.mark.parametrize(
    "contents", [b"", b"\0" * 5000, b"0 .5 .5 1 1\n", b"GIF89a\1\0\1\0", b"BM"]
)
def test_what_is_no_image_has_no_size_and_is_not_read_whole(contents: bytes) -> None:
    assert read_image_size(contents, lambda _at, _length: None) is None


def test_the_whole_file_is_not_asked_for_when_the_head_tells() -> None:
    assert read_image_size(build.jpeg(40, 30), never) == (40, 30)


def test_the_whole_file_is_not_asked_for_when_the_head_is_of_no_image() -> None:
    assert read_image_size(b"no image" * 600, never) is None


def test_a_whole_file_that_cannot_be_read_has_no_size() -> None:
    assert read_image_size(build.jpeg(40, 30)[:12], lambda _at, _length: None) is None


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("gap", [0, 50_000])
def test_exif_counts_in_both_byte_orders_and_behind_a_thumbnail(order: str, gap: int) -> None:
    exif = build.segment(0xE1, build.exif_block(6, order=order, gap=gap))
    assert read(build.jpeg(40, 30, before=exif)) == (30, 40)


def test_exif_that_begins_behind_the_head_counts() -> None:
    before = build.segment(0xE2, bytes(60_000)) + build.segment(0xE1, build.exif_block(8))
    assert read(build.jpeg(40, 30, before=before)) == (30, 40)


def test_exif_behind_the_frame_header_counts() -> None:
    assert read(build.jpeg(40, 30, after=build.segment(0xE1, build.exif_block(8)))) == (30, 40)


def test_exif_over_two_segments_is_one_block() -> None:
    block = build.exif_block(6, gap=70_000)
    before = build.segment(0xE1, block[:60_000]) + build.segment(0xE1, b"Exif\0\0" + block[60_000:])
    assert read(build.jpeg(40, 30, before=before)) == (30, 40)


def test_xmp_beside_exif_changes_nothing() -> None:
    xmp = build.segment(0xE1, b'http://ns.adobe.com/xap/1.0/\0<x tiff:Orientation="6"/>')
    assert read(build.jpeg(40, 30, before=xmp)) == (40, 30)


@pytest.mark.parametrize("block", [b"", b"MM", b"II*\0\xff\xff\xff\xff", b"II+\0" + b"\xff" * 20])
def test_broken_exif_costs_the_orientation_not_the_size(block: bytes) -> None:
    assert read(build.jpeg(40, 30, before=build.segment(0xE1, b"Exif\0\0" + block))) == (40, 30)


@pytest.mark.parametrize(("kind", "expected"), [(1, (40, 30)), (3, (30, 40)), (4, (30, 40))])
def test_an_orientation_is_a_short_or_a_long(kind: int, expected: tuple[int, int]) -> None:
    exif = build.segment(0xE1, build.exif_block(6, kind=kind))
    assert read(build.jpeg(40, 30, before=exif)) == expected


@pytest.mark.parametrize("orientation", [0, 9, 255, 65_535])
def test_an_orientation_that_does_not_exist_turns_nothing(orientation: int) -> None:
    exif = build.segment(0xE1, build.exif_block(orientation))
    assert read(build.jpeg(40, 30, before=exif)) == (40, 30)


def test_filling_between_jpeg_segments_is_skipped() -> None:
    contents = build.jpeg(
        40, 30, before=b"\xff\xff\xff" + build.segment(0xFE, b"x") + b"junk\xff\0"
    )
    assert image_size(contents) == (40, 30)


def test_a_frame_header_inside_another_segment_is_not_looked_at() -> None:
    thumbnail = build.segment(0xE0, build.jpeg(8, 8))
    assert image_size(build.jpeg(40, 30, before=thumbnail)) == (40, 30)


def test_exif_before_the_pixels_of_a_png_counts() -> None:
    exif = build.png_chunk(b"eXIf", build.exif_block(6)[6:])
    assert read(build.png(40, 30, before=exif)) == (30, 40)


def test_exif_behind_the_pixels_of_a_png_is_not_looked_for() -> None:
    exif = build.png_chunk(b"eXIf", build.exif_block(6)[6:])
    assert read(build.png(40, 30, after=exif)) == (40, 30)


def test_a_large_colour_profile_before_the_exif_of_a_png_is_passed() -> None:
    exif = build.png_chunk(b"eXIf", build.exif_block(6)[6:])
    profile = build.png_chunk(b"iCCP", bytes(9000))
    assert read(build.png(40, 30, before=profile + exif)) == (30, 40)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("gap", [0, 9000])
def test_a_tiff_may_be_of_either_byte_order_and_size(order: str, big: bool, gap: int) -> None:
    tags = [(256, 3, 40), (257, 16 if big else 4, 30), (0x0112, 3, 6)]
    assert read(build.tiff(tags, order=order, big=big, gap=gap)) == (30, 40)


def test_a_tiff_of_five_bands_has_a_size() -> None:
    tags = [(256, 4, 40), (257, 4, 30), (258, 3, 16), (277, 3, 5)]
    assert image_size(build.tiff(tags)) == (40, 30)


def test_the_directory_of_a_tiff_may_not_end_behind_its_head() -> None:
    contents = build.tiff([(256, 4, 40), (257, 4, 30), (0x0112, 3, 6)])
    assert image_size(contents[: contents.index(b"\x12\x01")]) is None


@pytest.mark.parametrize("height", [480, -480])
def test_a_bitmap_may_be_stored_top_down(height: int) -> None:
    assert image_size(build.bmp(640, height)) == (640, 480)


def test_a_bitmap_may_have_the_header_of_os2() -> None:
    contents = b"BM" + bytes(12) + struct.pack("<IHHHH", 12, 640, 480, 1, 24)
    assert image_size(contents) == displayed_size(contents) == (640, 480)


@pytest.mark.parametrize(
    "contents",
    [
        build.jpeg(0, 30),
        build.jpeg(40, 0),
        build.png(0, 30),
        build.png(2**31, 30),
        build.png(40, 2**32 - 1),
        build.bmp(0, 30),
        build.bmp(-40, 30),
        build.bmp(40, -(2**31)),
        build.tiff([(256, 4, 0), (257, 4, 30)]),
        build.tiff([(256, 4, 2**32 - 1), (257, 4, 30)]),
        build.tiff([(256, 16, 2**63), (257, 16, 30)], big=True),
        build.tiff([(257, 4, 30)]),
        build.tiff([]),
    ],
)
def test_a_size_that_no_image_can_have_is_none(contents: bytes) -> None:
    assert read(contents) is None


@pytest.mark.parametrize(
    "contents",
    [
        build.jpeg(30_000, 30_001),
        build.png(30_000, 30_001),
        build.bmp(30_000, 30_001),
        build.tiff([(256, 4, 30_000), (257, 4, 30_001)]),
    ],
)
def test_satellite_images_are_not_too_large(contents: bytes) -> None:
    assert read(contents) == (30_000, 30_001)


def test_pillow_and_its_limit_are_left_alone() -> None:
    limit = Image.MAX_IMAGE_PIXELS
    threads = [
        threading.Thread(target=lambda: [read(build.png(30_000, 30_000)) for _ in range(50)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    seen = Image.MAX_IMAGE_PIXELS
    for thread in threads:
        thread.join()
    assert (seen, Image.MAX_IMAGE_PIXELS) == (limit, limit)


def test_broken_metadata_warns_nobody() -> None:
    exif = build.segment(0xE1, build.exif_block(6)[:-12])
    with warnings.catch_warnings(record=True) as caught:
        read(build.jpeg(40, 30, before=exif))
    assert not caught


@pytest.mark.parametrize(
    "contents",
    [
        b"\xff\xd8\xff" + b"\xd0\xff" * 100_000,
        b"\xff\xd8" + b"\xff\xe0\0\2" * 100_000,
        b"\x89PNG\r\n\x1a\n" + build.png_chunk(b"tEXt", b"") * 100_000,
        b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\x08\0\0\0" + bytes(800_000),
        b"\0\0\0\x10ftypavif\0\0\0\0" + b"\0\0\0\x08free" * 100_000,
        b"II*\0\x08\0\0\0\xff\xff" + bytes(800_000),
    ],
)
def test_parts_without_end_are_given_up(contents: bytes) -> None:
    assert image_size(contents) is None


def test_exif_behind_the_pixels_of_a_webp_is_found_in_the_whole_file() -> None:
    noise = Image.effect_noise((200, 150), 100).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6
    stream = io.BytesIO()
    noise.save(stream, "WEBP", quality=95, exif=exif)
    assert len(stream.getvalue()) > 2 * HEAD_BYTES
    assert image_size(stream.getvalue()[:HEAD_BYTES]) is None
    assert read(stream.getvalue()) == (150, 200)


def chunks(count: int, kind: bytes = b"tEXt") -> bytes:
    return build.png_chunk(kind, b"") * count


def riff(chunks: bytes) -> bytes:
    form = b"WEBPVP8X" + struct.pack("<I", 10) + b"\x08" + bytes(9) + chunks
    return b"RIFF" + struct.pack("<I", len(form)) + form


def avif(*boxes: bytes) -> bytes:
    """The boxes of an AVIF behind its first one."""
    return b"\0\0\0\x10ftypavif\0\0\0\0" + b"".join(boxes)


def box(kind: bytes, contents: bytes) -> bytes:
    return struct.pack(">I", 8 + len(contents)) + kind + contents


@pytest.mark.parametrize(
    ("contents", "expected"),
    [
        (build.jpeg(40, 30, before=build.segment(0xE0, b"") * 9_990), (40, 30)),
        (build.jpeg(40, 30, before=build.segment(0xE0, b"") * 10_001), None),
        (build.jpeg(40, 30, before=build.segment(0xE1, b"Exif\0\0" + bytes(60_000)) * 300), None),
        (build.png(40, 30, before=chunks(9_990)), (40, 30)),
        (build.png(40, 30, before=chunks(10_001)), None),
        (build.tiff([(256, 4, 40), (257, 4, 30)] + [(65_000, 4, 1)] * 9_998), (40, 30)),
        (build.tiff([(256, 4, 40), (257, 4, 30)] + [(65_000, 4, 1)] * 9_999), None),
        (riff(b"junk\0\0\0\0" * 10_001), None),
        (avif(box(b"meta", bytes(4) + box(b"free", b"") * 10_001)), None),
        (avif(box(b"meta", bytes(4) + box(b"iloc", b"\2" + bytes(5) + b"\0\1\0\0" * 9_999))), None),
    ],
)
def test_at_most_ten_thousand_parts_are_looked_at(
    contents: bytes, expected: tuple[int, int] | None
) -> None:
    assert read(contents) == expected


def test_decoders_get_no_file_of_a_million_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    handed: list[int] = []
    monkeypatch.setattr(sizes, "_by_pillow", lambda _, data: handed.append(len(data)))
    table = box(b"iloc", b"\2" + bytes(5) + struct.pack(">I", 2**20) + bytes(2**20))
    nested = box(b"meta", bytes(4) + box(b"iinf", bytes(6) + box(b"infe", bytes(4)) * 10_001))
    for contents in (
        riff(b"junk\0\0\0\0" * 10_001),
        avif(box(b"meta", bytes(4) + table)),
        avif(nested),
    ):
        assert read(contents) is None
    assert max(handed, default=0) <= HEAD_BYTES


def test_exif_without_end_is_loaded_once_and_never_joined_twice() -> None:
    contents = build.jpeg(40, 30, before=build.segment(0xE1, b"Exif\0\0" + bytes(65_000)) * 700)
    parts = build.Parts(contents)
    assert read_image_size(contents[:HEAD_BYTES], parts) is None
    assert parts.total < 3 * 2**24
    assert parts.most <= 2**22


def test_large_segments_are_passed_over_in_few_requests() -> None:
    contents = build.jpeg(40, 30, before=build.segment(0xE2, bytes(65_000)) * 700)
    parts = build.Parts(contents)
    assert read_image_size(contents[:HEAD_BYTES], parts) == (40, 30)
    assert parts.requests < 30
    assert parts.most <= 2**22


def test_of_a_tiff_only_the_directory_is_loaded() -> None:
    contents = build.tiff([(256, 4, 40), (257, 4, 30)], gap=30_000_000)
    parts = build.Parts(contents)
    assert read_image_size(contents[:HEAD_BYTES], parts) == (40, 30)
    assert (parts.requests, parts.total < 1000) == (1, True)


@pytest.mark.parametrize("start", [2**32 - 1, 2**63, 2**64 - 1])
def test_a_directory_behind_every_file_is_none(start: int) -> None:
    assert read(b"II+\0\x08\0\0\0" + struct.pack("<Q", start) + bytes(100)) is None

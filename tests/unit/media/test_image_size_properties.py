import struct

from hypothesis import assume, given
from hypothesis import strategies as st

from labelingest.media.head_scan import scan_heads
from labelingest.media.image_size import image_size, read_image_size
from tests.builders import image_bytes as build
from tests.oracles.image_size import displayed_size

SIDES = st.integers(1, 3000)
"""Small enough for Pillow's limit on pixels."""

OTHER_SEGMENTS = st.builds(
    build.segment,
    st.sampled_from([0xE0, 0xE2, 0xED, 0xEF, 0xFE, 0xC4]),
    st.one_of(st.binary(max_size=40), st.integers(0, 9000).map(bytes)),
)
EXIF_SEGMENTS = st.builds(
    lambda orientation, order, gap: build.segment(
        0xE1, build.exif_block(orientation, order=order, gap=gap)
    ),
    st.integers(0, 9),
    st.sampled_from("<>"),
    st.sampled_from([0, 3, 9000]),
)


@given(SIDES, SIDES, st.lists(OTHER_SEGMENTS, max_size=4), st.lists(EXIF_SEGMENTS, max_size=1))
def test_any_jpeg_has_the_size_that_pillow_displays(
    width: int, height: int, others: list[bytes], exif: list[bytes]
) -> None:
    contents = build.jpeg(width, height, before=b"".join(others[:2] + exif + others[2:]))
    size = read_image_size(contents[:4096], build.Parts(contents))
    assert size == displayed_size(contents)


@given(SIDES, SIDES, st.integers(0, 9), st.sampled_from("<>"), st.integers(0, 9000))
def test_any_png_has_the_size_that_pillow_displays(
    width: int, height: int, orientation: int, order: str, text_bytes: int
) -> None:
    exif = build.png_chunk(b"eXIf", build.exif_block(orientation, order=order)[6:])
    text = build.png_chunk(b"tEXt", b"Comment\0" + b"x" * text_bytes)
    contents = build.png(width, height, before=text + exif)
    size = read_image_size(contents[:4096], build.Parts(contents))
    assert size == displayed_size(contents)


WHOLE = [
    build.saved(form, orientation=orientation)
    for form in ("AVIF", "JPEG", "PNG", "TIFF", "WEBP")
    for orientation in (None, 6)
] + [build.saved("BMP"), build.saved("WEBP", lossless=True), build.saved("JPEG", progressive=True)]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """An image with some bytes of its head changed, put in or taken out."""
    contents = bytearray(draw(st.sampled_from(WHOLE)))
    for _ in range(draw(st.integers(1, 4))):
        position = draw(st.integers(0, min(len(contents), 400)))
        contents[position : position + draw(st.integers(0, 4))] = draw(st.binary(max_size=4))
    return bytes(contents)


@given(damaged(), st.integers(0, 5000))
def test_a_head_never_tells_another_size_than_the_whole(contents: bytes, length: int) -> None:
    size = image_size(contents[:length])
    assume(size is not None)
    assert size == image_size(contents)


@given(damaged(), st.integers(0, 200))
def test_damage_never_raises_nor_changes_what_pillow_can_read(contents: bytes, length: int) -> None:
    size = read_image_size(contents[:length], build.Parts(contents))
    pillow = displayed_size(contents)
    jpeg_png_or_webp = contents[:3] in (b"\xff\xd8\xff", b"\x89PN", b"RIF")
    if pillow is not None and length >= 12 and jpeg_png_or_webp:
        # In any order: Pillow gives up all EXIF for one bad entry, viewers do not.
        assert size is not None
        assert set(size) == set(pillow)


def seen_at_once(heads: list[bytes]) -> list[tuple[int, int] | None]:
    """The sizes that a scan of all heads tells; None for those that it leaves."""
    return [(width, height) if width else None for width, height in scan_heads(heads).tolist()]


ODD_SEGMENTS = st.one_of(
    OTHER_SEGMENTS,
    EXIF_SEGMENTS,
    st.binary(max_size=12),  # junk between segments
    st.sampled_from(
        [b"\xff", b"\xff\xd0", b"\xff\xc8", b"\xff\xe1\0\2", b"\xff\xe1\0\x08Exif\0\0"]
    ),
    st.integers(0, 9).map(lambda n: build.segment(0xE1, b"Exif\0\0" + bytes(n))),
    st.just(build.segment(0xC2, b"\x08\0\1\0\2\1\1\x11\0")),  # a second frame header
)
ODD_CHUNKS = st.one_of(
    st.integers(0, 5000).map(lambda n: build.png_chunk(b"tEXt", b"x" * n)),
    st.integers(0, 9).map(lambda n: build.png_chunk(b"eXIf", build.exif_block(n)[6:])),
    st.sampled_from([b"IHDR", b"IEND", b"IDAT"]).map(lambda kind: build.png_chunk(kind, bytes(13))),
    st.binary(max_size=9),
)
ODD_IMAGES = st.one_of(
    damaged(),
    st.binary(max_size=40),
    st.builds(
        lambda before, after: build.jpeg(640, 480, before=b"".join(before), after=b"".join(after)),
        *[st.lists(ODD_SEGMENTS, max_size=3)] * 2,
    ),
    st.builds(
        lambda odd: build.png(640, 480, before=b"".join(odd)), st.lists(ODD_CHUNKS, max_size=3)
    ),
)


@given(st.lists(st.tuples(ODD_IMAGES, st.integers(0, 6000)), max_size=8))
def test_a_scan_tells_what_reading_file_by_file_tells_or_nothing(
    files: list[tuple[bytes, int]],
) -> None:
    heads = [contents[:length] for contents, length in files]
    for head, size in zip(heads, seen_at_once(heads), strict=True):
        assert size in (None, image_size(head))


USUAL_JPEGS = st.builds(
    lambda width, height, before, exif, after: build.jpeg(
        width, height, before=b"".join(before + exif), after=b"".join(after)
    ),
    st.integers(1, 65535),
    st.integers(1, 65535),
    st.lists(OTHER_SEGMENTS, max_size=3),
    st.lists(EXIF_SEGMENTS, max_size=1),
    st.lists(OTHER_SEGMENTS, max_size=3),
)


@given(st.lists(USUAL_JPEGS, max_size=5))
def test_a_scan_tells_the_size_of_usual_images(images: list[bytes]) -> None:
    assert seen_at_once(images) == [image_size(contents) for contents in images]
    assert None not in seen_at_once(images)


@given(SIDES, SIDES, st.integers(0, 9000))
def test_a_scan_tells_the_size_of_usual_pngs(width: int, height: int, text_bytes: int) -> None:
    text = build.png_chunk(b"tEXt", b"x" * text_bytes)
    assert seen_at_once([build.png(width, height, before=text)] * 2) == [(width, height)] * 2


@given(st.binary(max_size=200), st.sampled_from([b"", b"\xff\xd8\xff", b"II*\0", b"MM\0+", b"BM"]))
def test_any_bytes_have_a_size_or_none(contents: bytes, magic: bytes) -> None:
    size = image_size(magic + contents)
    assert size is None or all(0 < side < 2**31 for side in size)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_only_sizes_that_fit_31_bits_are_told(width: int, height: int) -> None:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    contents = b"\x89PNG\r\n\x1a\n" + build.png_chunk(b"IHDR", header) + b"\0\0\0\0IDAT"
    fits = 0 < width < 2**31 and 0 < height < 2**31
    assert image_size(contents) == ((width, height) if fits else None)

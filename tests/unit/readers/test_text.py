import pytest

from labelingest.model.blobs import Blobs
from labelingest.readers.yolo.tokens import as_utf8


def test_text_of_ascii_alone_is_the_same_object() -> None:
    blobs = Blobs.from_contents([b"0 1\n", b"", b"\x7f\x01"])
    assert as_utf8(blobs) == (blobs, {})
    assert as_utf8(blobs)[0] is blobs


@pytest.mark.parametrize(
    ("content", "text", "reason"),
    [
        ("ü".encode(), "ü".encode(), None),
        (b"\xef\xbb\xbf0 1", b"0 1", None),
        ("ü".encode("utf-16"), "ü".encode(), None),
        (b"\xfe\xff\x00\xfc", "ü".encode(), None),
        (b"0 \x00", b"", "byte 3 is NUL: a binary file, or UTF-16 without"),
        (b"0 \x80", b"", "byte 3 is 0x80, which is not UTF-8"),
        (b"\xff\xfe0", b"", "the byte order mark says UTF-16, but the text is not"),
    ],
)
def test_a_file_beside_others_is_decoded_alone(
    content: bytes, text: bytes, reason: str | None
) -> None:
    decoded, not_text = as_utf8(Blobs.from_contents([b"1", content, b"2"]))
    assert [decoded.get(i) for i in range(3)] == [b"1", text, b"2"]
    assert list(not_text) == ([1] if reason else [])
    assert (reason or "") in not_text.get(1, "")

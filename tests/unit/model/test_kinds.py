import mimetypes

import pytest

from labelingest.model.kinds import DataKind, extension_of, is_junk, kind_of, mime_type_of

SPECIFIED = {
    DataKind.IMAGE: ["jpg", "jpeg", "png", "webp", "avif", "bmp", "tif", "tiff"],
    DataKind.VIDEO: ["mp4", "mov", "webm", "mkv"],
    DataKind.AUDIO: ["mp3", "wav", "flac"],
    DataKind.PDF: ["pdf"],
    DataKind.TEXT: ["txt", "json", "xml", "csv", "py", "css", "md"],
    DataKind.HTML: ["html", "htm"],
}
CASES = [(extension, kind) for kind, extensions in SPECIFIED.items() for extension in extensions]


@pytest.mark.parametrize(("extension", "kind"), CASES)
def test_the_extension_decides_in_any_case(extension: str, kind: DataKind) -> None:
    assert kind_of(f"x/a.{extension}") is kind
    assert kind_of(f"x.y/a.b.{extension.upper()}") is kind


@pytest.mark.parametrize(
    "key",
    ["a.dcm", "a.nii", "a.nii.gz", "a.gif", "a", "a.", "jpg", "x.jpg/a", ".jpg", "x/..jpg", ""],
)
def test_what_is_not_listed_has_no_kind(key: str) -> None:
    assert kind_of(key) is None


def test_everything_that_this_python_calls_text_is_text() -> None:
    types = mimetypes.MimeTypes(filenames=()).types_map[True]
    texts = {extension for extension, mime in types.items() if mime.startswith("text/")}
    later = {e for e in texts if kind_of(f"a{e}") is None}
    # The table is written out, so that a newer Python does not change what a folder holds.
    assert not later & {".bat", ".c", ".css", ".csv", ".etx", ".h", ".ksh", ".n3", ".pl", ".py",
                        ".rtx", ".sgm", ".sgml", ".srt", ".tsv", ".txt", ".vcf", ".vtt", ".xml"}  # fmt: skip


@pytest.mark.parametrize(
    ("extension", "mime_type"),
    [
        ("jpg", "image/jpeg"),
        ("JPEG", "image/jpeg"),
        ("png", "image/png"),
        ("webp", "image/webp"),
        ("avif", "image/avif"),
        ("bmp", "image/bmp"),
        ("tif", "image/tiff"),
        ("mov", "video/quicktime"),
        ("mkv", "video/x-matroska"),
        ("mp3", "audio/mpeg"),
        ("wav", "audio/x-wav"),
        ("flac", "audio/flac"),
        ("pdf", "application/pdf"),
        ("txt", "text/plain"),
        ("htm", "text/html"),
        ("dcm", "application/octet-stream"),
    ],
)
def test_the_mime_type_follows_from_the_extension(extension: str, mime_type: str) -> None:
    assert mime_type_of(f"a.{extension}") == mime_type


@pytest.mark.parametrize(
    ("key", "extension"),
    [("a.B", "b"), ("a", ""), (".a", ""), ("..a", ""), ("x.y/a", ""), ("a.", ""), (".a.b", "b"),
     ("a.NII.gz", "nii.gz"), ("nii.gz", "gz"), ("a.b.c", "c"), ("a.\N{KELVIN SIGN}", "\N{KELVIN SIGN}")],
)  # fmt: skip
def test_the_extension_is_what_follows_the_last_dot_of_the_name(key: str, extension: str) -> None:
    assert extension_of(key) == extension


@pytest.mark.parametrize(
    "name", [".DS_Store", "Thumbs.db", "._a.jpg", "train.cache", ".cache", ".labelingest-tmp-1"]
)
def test_junk_is_known_at_any_depth(name: str) -> None:
    assert is_junk(name)
    assert is_junk(f"x/{name}")


@pytest.mark.parametrize(
    "name",
    ["DS_Store", "thumbs.db", "_.jpg", ".a.jpg", "cache", "a.cache.txt", "._x/a.jpg", ".cache/a"],
)
def test_names_like_junk_are_files(name: str) -> None:
    assert not is_junk(name)

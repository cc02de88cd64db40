import numpy as np
import pytest

from labelingest.columns.keys import Keys
from labelingest.model.kinds import KIND_OF_EXTENSION, is_junk, kind_of
from labelingest.pairing.file_kinds import (
    KINDS,
    NO_KIND,
    chunks,
    folder_numbers,
    junk_rows,
    kind_numbers,
)

NAMES = [
    *("a", ".", "..", ".jpg", ".a.jpg", "..jpg", "a.", "a.b", "x.y/a", "x.jpg/a", "x.jpg/a.b/"),
    *("a.jpeg2000", "a.jpegjpeg", "a.jpegjpegj", "a.JpG", "a.[pg", "a.@pg", "é.jpg", "a.jpé", "/"),
    *("/a.jpg", "x/.jpg", "x/.a.png", "a.tar.gz", "a.jp", "a.jpgx", "zzz", "a.zzzzzzzz"),
]
JUNK = ["Thumbs.db", ".DS_Store", "x/Thumbs.db", "labels.cache", "Thumbs.dbx", "a.cach", "cache"]


def kinds(names: list[str], rows: list[int] | None = None) -> list[int]:
    chosen = np.array(range(len(names)) if rows is None else rows, dtype=np.int64)
    return [int(number) for number in kind_numbers(Keys.from_texts(names), chosen)]


@pytest.mark.parametrize("extension", KIND_OF_EXTENSION)
def test_the_kind_of_each_extension_is_known_in_any_case(extension: str) -> None:
    kind = KINDS.index(KIND_OF_EXTENSION[extension])
    assert kinds([f"x/a.{extension}", f"a.{extension.upper()}"]) == [kind, kind]
    # Alone and beside one more or one less letter.
    assert kinds([f"a.{extension}"]) == [kind]
    near = [f"a.{extension}~", f"a.{extension[:-1]}~", f"a.~{extension}"]
    assert kinds(near) == [NO_KIND] * 3


def test_kinds_of_many_names_are_those_of_each() -> None:
    expected = [NO_KIND if (kind := kind_of(name)) is None else KINDS.index(kind) for name in NAMES]
    assert kinds(NAMES) == expected
    for row in range(len(NAMES)):
        assert kinds(NAMES, [row]) == expected[row : row + 1]


def test_kinds_are_those_of_the_rows_asked_for() -> None:
    names = ["a.jpg", "b.mp4", "c.txt", "d.jpg", "e.zip"]
    image, video = kinds(["a.jpg", "b.mp4"])
    assert kinds(names, [1, 3, 4]) == [video, image, NO_KIND]
    assert kinds(names, []) == []


def test_junk_is_found_among_many_names() -> None:
    names = NAMES[:4] + JUNK + NAMES[4:]
    expected = [row for row, name in enumerate(names) if is_junk(name)]
    assert junk_rows(Keys.from_texts(names)).tolist() == expected
    assert len(expected) >= 4
    assert junk_rows(Keys.from_texts([])).tolist() == []


def test_files_of_one_folder_have_one_number() -> None:
    names = ["a", "b", "x/a", "x/b", "x/y/a", "x/yy", "xx/a"]
    numbers = folder_numbers(Keys.from_texts(names), np.arange(len(names))).tolist()
    folders = [name.rpartition("/")[0] for name in names]
    for one, folder in zip(numbers, folders, strict=True):
        assert [one == n for n in numbers] == [folder == f for f in folders]
    assert folder_numbers(Keys.from_texts(names), np.array([2, 3])).tolist() == numbers[2:4]


def test_chunks_cover_all_rows_once() -> None:
    rows = np.arange(3, 65_536 * 2 + 4)
    parts = list(chunks(rows))
    assert [len(part) for part in parts] == [65_536, 65_536, 1]
    assert np.array_equal(np.concatenate(parts), rows)

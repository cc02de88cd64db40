import errno
from pathlib import Path

import pytest

from labelingest.storage.local.real_paths import is_loop, real_path, resolve


def test_links_are_followed_to_a_file_that_need_not_exist(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("folder/rows.jsonl")
    assert resolve(tmp_path / "link") == tmp_path.resolve() / "folder" / "rows.jsonl"


def test_a_loop_of_links_is_refused_with_its_number(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match=str(tmp_path)) as refused:
        resolve(tmp_path / "a" / "rows.jsonl")
    assert refused.value.errno == errno.ELOOP


def test_a_loop_is_none_of_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "broken").symlink_to("missing")
    assert [is_loop(tmp_path / name) for name in ("loop", "broken", "missing", "")] == [
        True,
        False,
        False,
        False,
    ]


def test_the_real_path_of_a_loop_is_the_loop(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    assert real_path(tmp_path / "loop") == tmp_path.resolve() / "loop"

from pathlib import Path

import pytest

from labelingest.errors import StorageError
from labelingest.problems import ProblemCode
from labelingest.sinks import open_sink
from labelingest.sinks.sidecars import MARKER


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(params=["rows.jsonl", "tree"])
def out(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / str(request.param)


def content(out: Path) -> dict[str, bytes]:
    return files(out) if out.is_dir() else {"": out.read_bytes()}


def write_and_interrupt(out: Path) -> None:
    with open_sink(str(out)) as sink:
        sink.put(["a.jpg"], [b"new"])
        raise KeyboardInterrupt


def test_nothing_is_visible_before_the_end(out: Path) -> None:
    with open_sink(str(out)) as sink:
        sink.put(["a.jpg"], [b"{}"])
        assert not out.exists()
    assert out.exists()


def test_an_exception_leaves_nothing_behind(out: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        write_and_interrupt(out)
    assert list(out.parent.iterdir()) == []


def test_an_exception_leaves_the_older_output_as_it_was(out: Path) -> None:
    with open_sink(str(out)) as sink:
        sink.put(["a.jpg"], [b"old"])
    before = content(out)
    with pytest.raises(KeyboardInterrupt):
        write_and_interrupt(out)
    assert content(out) == before
    assert [path.name for path in out.parent.iterdir()] == [out.name]


def test_an_older_output_is_replaced_as_a_whole(out: Path) -> None:
    for keys in (["a.jpg", "b/c.jpg"], ["d.jpg"]):
        with open_sink(str(out)) as sink:
            sink.put(keys, [b"{}"] * len(keys))
    expected = {MARKER: b"", "d.jpg.encord.json": b"{}"} if out.name == "tree" else {"": b"{}\n"}
    assert content(out) == expected
    assert [path.name for path in out.parent.iterdir()] == [out.name]


def test_a_folder_that_labelingest_did_not_write_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(StorageError, match=r"it holds 'notes.txt'"), open_sink(str(tmp_path)):
        pass
    assert files(tmp_path) == {"notes.txt": b"mine"}


def test_a_tree_that_somebody_put_a_file_into_is_not_replaced(tmp_path: Path) -> None:
    out = tmp_path / "tree"
    with open_sink(str(out)) as sink:
        sink.put(["a.jpg"], [b"{}"])
    (out / "notes.txt").write_text("mine")
    with pytest.raises(StorageError, match="not replaced"), open_sink(str(out)):
        pass
    assert (out / "notes.txt").exists()


def test_foreign_sidecars_are_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.jpg.encord.json").write_text("theirs")
    with pytest.raises(StorageError, match="labelingest did not write"), open_sink(str(tmp_path)):
        pass


def test_a_file_in_the_place_of_the_tree_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tree").write_text("")
    with (
        pytest.raises(StorageError, match=r"is a file.*\.jsonl"),
        open_sink(str(tmp_path / "tree")),
    ):
        pass


def test_a_missing_parent_folder_is_named(out: Path) -> None:
    with pytest.raises(StorageError, match="no such file or folder"):
        open_sink(str(out.parent / "missing" / out.name)).__enter__()


def test_a_name_that_is_too_long_costs_that_label_row_only(tmp_path: Path) -> None:
    key = "a" * 250 + ".jpg"
    with open_sink(str(tmp_path / "tree")) as sink:
        refused = sink.put([key, "b.jpg"], [b"{}", b"{}"])
    assert [(position, p.code, p.source) for position, p in refused] == [
        (0, ProblemCode.OUTPUT_NAME_REFUSED, key)
    ]
    assert (tmp_path / "tree/b.jpg.encord.json").exists()


def test_two_label_rows_of_one_name_are_not_written_over_each_other(tmp_path: Path) -> None:
    with open_sink(str(tmp_path / "tree")) as sink:
        refused = sink.put(["a.jpg", "a.jpg"], [b"1", b"2"])
    assert [position for position, _ in refused] == [1]
    assert (tmp_path / "tree/a.jpg.encord.json").read_bytes() == b"1"


def test_a_key_with_a_newline_is_one_line_and_one_file(out: Path) -> None:
    with open_sink(str(out)) as sink:
        assert sink.put(["a\nb.jpg"], [b"{}"]) == []
    if out.is_dir():
        assert "a\nb.jpg.encord.json" in files(out)
    else:
        assert out.read_bytes() == b"{}\n"


def test_a_closed_sink_takes_nothing(out: Path) -> None:
    with pytest.raises(ValueError, match="not open"):
        open_sink(str(out)).put(["a.jpg"], [b"{}"])

from pathlib import Path

import pytest

from labelingest.errors import StorageError
from labelingest.storage import journal as journal_module
from labelingest.storage.journal import Journal

SUBJECT = "folder and options"


def written(path: Path) -> None:
    """Write two entries, a mark that all is on the disk, and two entries more."""
    journal = Journal.open(path, "rows.jsonl")
    journal.begin(SUBJECT)
    for entry in (1, 2):
        journal.append(entry)
    journal.synced()
    for entry in (3, 4):
        journal.append(entry)
    journal.close()


def entries(path: Path) -> object:
    journal = Journal.open(path, "rows.jsonl")
    found = journal.load()
    journal.close()
    return found


def another_boot(monkeypatch: pytest.MonkeyPatch, place: Path, name: str = "another") -> None:
    """Let this be another boot of the machine."""
    (place / "boot").write_text(name)
    monkeypatch.setattr(journal_module, "_BOOT_ID", place / "boot")


def test_after_a_killed_process_all_entries_count(tmp_path: Path) -> None:
    written(tmp_path / "journal")
    assert entries(tmp_path / "journal") == (SUBJECT, [1, 2, 3, 4])


def test_after_the_machine_went_down_those_count_that_were_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path / "journal")
    another_boot(monkeypatch, tmp_path)
    for _ in range(2):
        assert entries(tmp_path / "journal") == (SUBJECT, [1, 2])


def test_what_was_done_after_the_machine_went_down_counts_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path / "journal")
    another_boot(monkeypatch, tmp_path)
    journal = Journal.open(tmp_path / "journal", "rows.jsonl")
    journal.load()
    journal.append(5)
    journal.close()
    assert entries(tmp_path / "journal") == (SUBJECT, [1, 2, 5])
    another_boot(monkeypatch, tmp_path, "a third")
    assert entries(tmp_path / "journal") == (SUBJECT, [1, 2])


@pytest.mark.parametrize("torn", [b'{"entry":5', b'{"entry":5}', b"\0\0\0\n", b"5\n", b"\xff\n"])
def test_a_line_that_is_not_whole_is_forgotten(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "journal"
    written(path)
    path.write_bytes(path.read_bytes() + torn)
    journal = Journal.open(path, "rows.jsonl")
    assert journal.load() == (SUBJECT, [1, 2, 3, 4])
    journal.append(6)
    journal.close()
    assert entries(path) == (SUBJECT, [1, 2, 3, 4, 6])


@pytest.mark.parametrize("content", [b"", b"\n", b'{"entry":1}\n', b"labels"])
def test_what_is_no_journal_has_no_entries(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "journal").write_bytes(content)
    assert entries(tmp_path / "journal") is None


def test_every_cut_of_a_journal_gives_its_first_entries(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    written(path)
    whole = path.read_bytes()
    lengths = set()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        match entries(path):
            case (subject, list(found)):
                assert (subject, found) == (SUBJECT, [1, 2, 3, 4][: len(found)])
                lengths.add(len(found))
            case found:
                assert found is None
    assert lengths == {0, 1, 2, 3}


def test_a_journal_is_for_one_run_at_a_time(tmp_path: Path) -> None:
    first = Journal.open(tmp_path / "journal", "rows.jsonl")
    with pytest.raises(StorageError, match=r"'rows.jsonl' is being written by another run"):
        Journal.open(tmp_path / "journal", "rows.jsonl")
    first.remove()
    second = Journal.open(tmp_path / "journal", "rows.jsonl")
    assert second.load() is None
    second.close()


def test_a_link_in_the_journals_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").write_bytes(b"precious")
    (tmp_path / "journal").symlink_to("mine")
    with pytest.raises(StorageError, match="cannot be written"):
        Journal.open(tmp_path / "journal", "rows.jsonl")
    assert (tmp_path / "mine").read_bytes() == b"precious"


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def test_a_changed_byte_ends_what_counts(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    written(path)
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        match entries(path):
            case (subject, list(found)):
                assert (subject, found) == (SUBJECT, [1, 2, 3, 4][: len(found)])
                assert len(found) < 4
            case found:
                assert found is None


def test_lines_that_are_moved_taken_out_or_repeated_end_what_counts(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    written(path)
    head, one, two, synced, three, four = lines_of(path)
    for lines, expected in (
        ([head, two, one, synced, three, four], []),
        ([head, one, synced, three, four], [1]),
        ([head, one, one, two, synced], [1]),
        ([head, one, two, three, four], [1, 2]),
    ):
        path.write_bytes(b"".join(lines))
        assert entries(path) == (SUBJECT, expected)


def test_a_journal_says_whether_it_was_damaged_or_only_cut(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    written(path)
    whole = path.read_bytes()
    for content, damaged in (
        (whole, False),
        (whole[:-3], False),
        (whole.replace(b"3", b"5"), True),
        (whole + b"labels\n", True),
    ):
        path.write_bytes(content)
        journal = Journal.open(path, "rows.jsonl")
        journal.load()
        assert journal.damaged == damaged
        journal.close()


def test_what_is_not_trusted_is_forgotten_back_to_the_last_mark(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    written(path)
    journal = Journal.open(path, "rows.jsonl")
    journal.load()
    journal.append(5)
    journal.distrust()
    assert journal.entries == 2
    journal.close()
    assert entries(path) == (SUBJECT, [1, 2])


def test_the_first_entries_can_be_kept_and_are_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    written(path)
    for count in (3, 1):
        journal = Journal.open(path, "rows.jsonl")
        journal.load()
        journal.keep(count)
        assert journal.entries == count
        journal.append("new")
        journal.close()
        assert entries(path) == (SUBJECT, [*[1, 2, 3, 4][:count], "new"])

from collections.abc import Sequence
from typing import Any

import pytest

from labelingest.metadata import sidecars as module
from labelingest.metadata.schema import MetadataSchema
from labelingest.metadata.sidecars import MetadataReport, check_folder
from labelingest.model.blobs import Blobs
from labelingest.pairing.rules import SuffixRule
from labelingest.storage.memory import MemoryStorage

SCHEMA = MetadataSchema().add("speed", "number").add("site", "varchar")
FILES = {
    "a.jpg": b"",
    "a.jpg.metadata.json": b'{"speed": 1, "site": "Dock 4"}',
    "b/scan.dcm": b"",
    "b/scan.dcm.metadata.json": b'{"speed": "fast", "site": "Dock 4", "x": 1}',
    "c.mp4": b"",
    "c.mp4.metadata.json": b"[]",
    "d.jpg.metadata.json": b'{"speed": 1}',
    "d.txt": b"",
}


class Counted(MemoryStorage):
    """Tells which files were read, in which batches."""

    def __init__(self, contents: dict[str, bytes]) -> None:
        super().__init__(contents)
        self.batches: list[list[str]] = []

    def fetch(self, keys: Sequence[str], **options: Any) -> Blobs:
        self.batches.append(list(keys))
        return super().fetch(keys, **options)


def checked(files: dict[str, bytes], suffix: str = ".metadata.json") -> MetadataReport:
    return check_folder(Counted(files), SuffixRule(suffix), SCHEMA)


def test_every_key_every_sidecar_and_every_value_is_accounted_for() -> None:
    report = checked(FILES)
    assert (report.keys_seen, report.sidecars, report.orphans, report.others) == (8, 3, 1, 4)
    assert (report.accepted, report.refused) == (2, 1)
    assert (report.values_seen, report.values_kept) == (5, 4)
    assert [(problem.source, problem.code.value) for problem in report.log.first] == [
        ("d.jpg.metadata.json", "orphan-sidecar"),
        ("b/scan.dcm.metadata.json", "wrong-type"),
        ("b/scan.dcm.metadata.json", "undeclared-key"),
        ("c.mp4.metadata.json", "not-metadata"),
    ]
    assert (report.errors, report.warnings, report.exit_code()) == (3, 1, 1)


def test_only_sidecars_with_a_data_file_are_read() -> None:
    storage = Counted(FILES)
    check_folder(storage, SuffixRule(".metadata.json"), SCHEMA)
    assert sorted(key for batch in storage.batches for key in batch) == [
        "a.jpg.metadata.json",
        "b/scan.dcm.metadata.json",
        "c.mp4.metadata.json",
    ]


def test_a_metadata_sidecar_is_nobodys_data_file_and_neither_is_nothing() -> None:
    report = checked(
        {
            "a.jpg": b"",
            "a.jpg.metadata.json": b"{}",
            "a.jpg.metadata.json.metadata.json": b"{}",
            "b/.metadata.json": b"{}",
            ".metadata.json": b"{}",
        }
    )
    assert (report.sidecars, report.orphans, report.others) == (1, 3, 1)


def test_what_a_system_left_is_no_sidecar() -> None:
    report = checked({"a.jpg": b"", "._a.jpg": b"", "._a.jpg.metadata.json": b"\0"})
    assert (report.sidecars, report.orphans, report.others) == (0, 0, 3)


def test_another_suffix_makes_other_sidecars() -> None:
    report = checked({"a.jpg": b"", "a.jpg_meta": b"{}", "a.jpg.metadata.json": b"{}"}, "_meta")
    assert (report.sidecars, report.orphans, report.others) == (1, 0, 2)


def test_a_file_that_is_too_large_is_named_and_not_read() -> None:
    storage = Counted({"a.jpg": b"", "a.jpg.metadata.json": b" " * 10_000_001})
    report = check_folder(storage, SuffixRule(".metadata.json"), SCHEMA)
    assert [key for batch in storage.batches for key in batch] == []
    assert (report.accepted, report.refused) == (0, 1)
    assert report.log.totals == {"file-too-large": 1}


def test_a_file_that_went_after_it_was_listed_is_named() -> None:
    class Vanishing(MemoryStorage):
        def fetch(self, keys: Sequence[str], **options: Any) -> Blobs:
            del self.contents["a.jpg.metadata.json"]
            return super().fetch(keys, **options)

    report = check_folder(Vanishing(FILES), SuffixRule(".metadata.json"), SCHEMA)
    assert report.log.totals["unreadable-file"] == 1  # type: ignore[index]
    assert (report.accepted, report.refused) == (1, 2)


@pytest.mark.parametrize(("files", "size"), [(1, 10**9), (1000, 40), (2, 10**9)])
def test_the_size_of_batches_changes_no_result(
    monkeypatch: pytest.MonkeyPatch, files: int, size: int
) -> None:
    expected = {**checked(FILES).as_dict(), "seconds": 0}
    monkeypatch.setattr(module, "_BATCH_FILES", files)
    monkeypatch.setattr(module, "_BATCH_BYTES", size)
    storage = Counted(FILES)
    report = check_folder(storage, SuffixRule(".metadata.json"), SCHEMA)
    assert len(storage.batches) > 1
    assert {**report.as_dict(), "seconds": 0} == expected


def test_progress_ends_with_all_of_all() -> None:
    reports: list[tuple[int, int]] = []
    listed_counts: list[int] = []
    check_folder(
        MemoryStorage(FILES),
        SuffixRule(".metadata.json"),
        on_listed=listed_counts.append,
        on_checked=lambda checked, total: reports.append((checked, total)),
    )
    assert (listed_counts[-1], reports[-1]) == (8, (3, 3))


def test_an_empty_folder_is_clean() -> None:
    report = checked({})
    assert (report.keys_seen, report.exit_code(strict=True)) == (0, 0)

from pathlib import Path

from labelingest.sinks.own_outputs import own_keys


def test_an_output_is_left_out_of_the_listing_with_what_stands_beside_it(tmp_path: Path) -> None:
    keys = own_keys(tmp_path, [str(tmp_path / "rows.jsonl"), "/elsewhere/report.json"])
    assert keys[:2] == ["rows.jsonl", "rows.jsonl/"]
    assert all(key.startswith(".labelingest-tmp-") for key in keys[2:])


def test_an_output_that_leads_into_the_storage_path_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "data/rows.jsonl")
    keys = own_keys(tmp_path / "data", [str(tmp_path / "link.jsonl")])
    assert keys[0] == "rows.jsonl"

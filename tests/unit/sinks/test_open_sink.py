import sys
from pathlib import Path

import pytest

from labelingest.errors import ConfigError
from labelingest.formats import target_format
from labelingest.formats.encord import ENCORD
from labelingest.formats.output_names import check_output
from labelingest.sinks import open_sink
from tests.builders.outputs import output_target


@pytest.mark.parametrize(
    ("to", "out"),
    [
        ("encord", "rows.jsonl"),
        ("encord", "rows.jsonl.zst"),
        ("encord", "labels"),
        ("encord", "labels.v2"),
        ("yolo", "labels"),
        ("yolo", "out/labels.2026"),
        ("coco", "instances.json"),
        ("parquet", "labels.parquet"),
    ],
)
def test_a_name_that_fits_its_format_is_taken(to: str, out: str) -> None:
    check_output(target_format(to), out)


@pytest.mark.parametrize(
    ("to", "out", "sentence"),
    [
        (
            "encord",
            "a.parquet",
            r"for one file, give FILE\.jsonl or .*did you mean --to parquet\?$",
        ),
        ("encord", "a.json", r"did you mean --to coco\?$"),
        (
            "encord",
            "a.JSONL",
            r"ends in \.JSONL: .* give FILE\.jsonl or FILE\.jsonl\.zst; for a file each, .* end$",
        ),
        ("encord", "a.zst", r"ends in \.zst: .* FILE\.jsonl or FILE\.jsonl\.zst;"),
        ("encord", "a.csv", r"whose name has no such end$"),
        ("yolo", "a.json", r"YOLO is a label file for each image.*did you mean --to coco\?$"),
        ("yolo", "data.yaml", r"give a folder, whose name has no such end$"),
        ("coco", "a.jsonl", r"give a name that ends in \.json; or did you mean --to encord\?$"),
        ("coco", "labels", r"is the name of a folder: COCO is one file.* ends in \.json$"),
        ("parquet", "a.json", r"give a name that ends in \.parquet; or did you mean --to coco\?$"),
        ("voc", "labels", r"'voc' is none of encord, yolo, coco, parquet$"),
    ],
)
def test_a_name_that_does_not_fit_is_refused_with_the_cure(
    to: str, out: str, sentence: str
) -> None:
    with pytest.raises(ConfigError, match=sentence):
        check_output(target_format(to), out)
    with pytest.raises(ConfigError, match=sentence):
        open_sink(output_target(to, out))


@pytest.mark.parametrize("out", ["labels", "labels.v2", "labels.zst"])
def test_shards_are_in_a_folder(out: str) -> None:
    check_output(ENCORD, out, 1000)


@pytest.mark.parametrize(
    ("to", "out", "sentence"),
    [
        ("encord", "rows.jsonl", r"ends in \.jsonl: with shard_rows it is a folder"),
        (
            "encord",
            "rows.jsonl.zst",
            r"ends in \.zst: .*, or one that ends in \.zst for compressed",
        ),
        ("yolo", "labels", r"leave it out for yolo$"),
        ("coco", "a.json", r"leave it out for coco$"),
    ],
)
def test_what_cannot_be_shards_is_refused_with_the_cure(to: str, out: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        check_output(target_format(to), out, 1000)


@pytest.mark.parametrize(("out", "shard_rows"), [("a.jsonl.zst", None), ("a.zst", 10)])
def test_without_zstandard_compression_is_refused_before_any_work(
    monkeypatch: pytest.MonkeyPatch, out: str, shard_rows: int | None
) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(ConfigError, match=r"pip install 'labelingest\[zstd\]'"):
        check_output(ENCORD, out, shard_rows)


def test_without_pyarrow_parquet_is_refused_before_any_work(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigError, match=r"pip install 'labelingest\[parquet\]'"):
        open_sink(output_target("parquet", tmp_path / "a.parquet"))
    assert list(tmp_path.iterdir()) == []

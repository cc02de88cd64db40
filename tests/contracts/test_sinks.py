"""What every sink does, whatever the format: whole or not at all, and the older output until then."""

import json
import pickle
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard

from labelingest.errors import StorageError
from labelingest.formats import FORMATS, Format
from labelingest.model.batch_output import BatchOutput, Labels
from labelingest.sinks import open_sink, resume_sink
from labelingest.sinks.base import OutputTarget, Sink, UnfinishedOutput
from tests.builders.annotations import Row, batch_of
from tests.builders.outputs import output_target
from tests.contracts.kitti import KITTI

TRIED = (*FORMATS, KITTI)
"""The formats of the package, and one from outside, which is a file and this line."""


def outputs_of(format: Format) -> Iterator[tuple[str, int | None]]:
    """Yield name and rows of shards of every kind of output that a format has."""
    for ending in format.endings:
        yield f"{format.name}{ending}", None
    if format.can_be_folder:
        yield f"{format.name}-tree", None
    if format.can_be_shards:
        yield f"{format.name}-shards", 3
        for package in format.packages:
            yield f"{format.name}-shards{package.suffix}", 3


OUTPUTS = {
    name: (format, shard_rows) for format in TRIED for name, shard_rows in outputs_of(format)
}
"""Name of an output → its format, and the rows of its shards."""
RESUMABLE = [name for name, (format, _) in OUTPUTS.items() if format.is_resumable]


@pytest.fixture(params=OUTPUTS)
def out(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / str(request.param)


def target_at(out: Path) -> OutputTarget:
    format, shard_rows = OUTPUTS[out.name]
    return output_target(format, out, shard_rows=shard_rows)


def sink_at(out: Path) -> Sink:
    return open_sink(target_at(out))


def batch_with(units: int = 1, boxes: int = 1, text: bytes = b"{}") -> BatchOutput:
    """Return what a batch made, in both forms, with so many boxes in each image."""
    rows = [Row(0, (0.25, 0.5, 0.5, 0.25), unit) for unit in range(units) for _ in range(boxes)]
    batch = batch_of(rows, [(200, 100)] * units)
    texts = [text] * units
    return BatchOutput(batch.units.key, texts, Labels(batch.units, batch.annotations))


def content(out: Path) -> dict[str, bytes]:
    paths = sorted(out.rglob("*")) if out.is_dir() else [out]
    return {str(p.relative_to(out)): plain(p) for p in paths if p.is_file()}


def plain(path: Path) -> bytes:
    """Return what is in a file, without compression and without what depends on it."""
    text = path.read_bytes()
    if path.suffix == ".zst":
        frames = zstandard.ZstdDecompressor().stream_reader(text, read_across_frames=True)
        return frames.read()
    return re.sub(rb'"bytes": \d+', b"", text) if path.name == "index.json" else text


def write(out: Path, batches: Sequence[BatchOutput], ending: BaseException | None = None) -> None:
    with sink_at(out) as sink:
        for batch in batches:
            assert sink.put(batch) == []
        if ending is not None:
            raise ending


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_nothing_is_visible_before_the_end(out: Path) -> None:
    with sink_at(out) as sink:
        sink.put(batch_with())
        assert not out.exists()
    assert out.exists()


@pytest.mark.parametrize("ending", [KeyboardInterrupt(), ValueError("because")])
def test_an_exception_leaves_nothing_behind(out: Path, ending: BaseException) -> None:
    with pytest.raises(type(ending)):
        write(out, [batch_with()], ending)
    assert names(out.parent) == []


def test_an_exception_leaves_the_older_output_as_it_was(out: Path) -> None:
    write(out, [batch_with()])
    before = content(out)
    with pytest.raises(KeyboardInterrupt):
        write(out, [batch_with(2, text=b"new")], KeyboardInterrupt())
    assert content(out) == before
    assert names(out.parent) == [out.name]


def test_an_older_output_is_replaced_as_a_whole(out: Path) -> None:
    write(out, [batch_with()])
    first = content(out)
    write(out, [batch_with(2)])
    assert content(out) != first
    write(out, [batch_with()])
    assert content(out) == first
    assert names(out.parent) == [out.name]


def test_nothing_at_all_is_an_output(out: Path) -> None:
    write(out, [])
    assert out.exists()


def test_a_missing_parent_folder_is_named(out: Path) -> None:
    with pytest.raises(StorageError, match="no such file or folder"):
        sink_at(out.parent / "missing" / out.name).__enter__()


def test_a_closed_sink_takes_nothing(out: Path) -> None:
    with pytest.raises(ValueError, match="not open"):
        sink_at(out).put(batch_with())


def test_a_key_with_a_newline_is_no_problem(out: Path) -> None:
    batch = batch_with()
    assert batch.labels is not None
    units = batch.labels.units
    with sink_at(out) as sink:
        named = type(units)(["a\nb.jpg"], ["a"], units.width, units.height, units.mtime_ns)
        assert sink.refused(named.key) == {}
        labels = Labels(named, batch.labels.annotations)
        assert sink.put(BatchOutput(named.key, batch.texts, labels)) == []
    assert out.exists()


def test_labels_in_parts_or_at_once_are_the_same_output(out: Path) -> None:
    batch = batch_with(4)
    assert batch.labels is not None
    parts = []
    for unit in range(4):
        labels = Labels.of_units(batch.labels.units, batch.labels.annotations, np.arange(4) == unit)
        parts.append(BatchOutput(labels.units.key, [b"{}"], labels))
    write(out, [batch])
    expected = content(out)
    write(out, parts)
    assert content(out) == expected


def test_batches_from_the_half_of_a_worker_are_the_same_output(out: Path) -> None:
    batches = batches_of(4)
    write(out, batches)
    expected = content(out)
    with sink_at(out) as sink:
        half = pickle.loads(pickle.dumps(sink.half()))
        for parts in (batches[:1], batches[1:4]):
            if half is None:
                batch = BatchOutput.joined(parts)
            else:
                batch = half.deliver(BatchOutput.joined([half.pack(part) for part in parts]))
            assert sink.put(pickle.loads(pickle.dumps(batch))) == []
    assert content(out) == expected


def unfinished_at(out: Path, marks: Sequence[Any] = ()) -> UnfinishedOutput:
    return UnfinishedOutput(out.with_name("unfinished"), marks)


def interrupted(out: Path, batches: Sequence[BatchOutput]) -> list[Any]:
    """Put batches into an output that is interrupted then; return the marks, through JSON."""
    marks = []
    sink = resume_sink(target_at(out), unfinished_at(out))
    with suppress(KeyboardInterrupt), sink:
        for batch in batches:
            assert sink.put(batch) == []
            marks += json.loads(json.dumps(sink.marks()))
        marks += json.loads(json.dumps(sink.marks(wait=True)))
        sink.sync()
        raise KeyboardInterrupt
    return marks


def batches_of(count: int) -> list[BatchOutput]:
    """Return batches of one data file each, whose keys ascend."""
    batch = batch_with(count)
    assert batch.labels is not None
    units, annotations = batch.labels.units, batch.labels.annotations
    return [
        BatchOutput(
            [key],
            [b'{"n":%d}' % number],
            Labels.of_units(units, annotations, np.arange(count) == number),
        )
        for number, key in enumerate(batch.keys)
    ]


@pytest.mark.parametrize("name", RESUMABLE)
def test_an_interrupted_output_is_continued_with_the_same_bytes(tmp_path: Path, name: str) -> None:
    (tmp_path / "at once").mkdir()
    batches = batches_of(5)
    write(tmp_path / "at once" / name, batches)
    out = tmp_path / name
    marks = interrupted(out, batches[:3])
    assert not out.exists()
    assert resume_sink(target_at(out), unfinished_at(out, marks)).good_marks([1, 1, 1]) == 3
    # The last put does not count: its mark never reached the journal.
    with resume_sink(target_at(out), unfinished_at(out, marks[:2])) as sink:
        for batch in batches[2:]:
            assert sink.put(batch) == []
    assert content(out) == content(tmp_path / "at once" / name)
    assert sorted(names(tmp_path)) == sorted(["at once", name])


@pytest.mark.parametrize("name", RESUMABLE)
def test_marks_without_an_unfinished_output_count_nothing(tmp_path: Path, name: str) -> None:
    marks = interrupted(tmp_path / name, batches_of(2))
    missing = UnfinishedOutput(tmp_path / "elsewhere", marks)
    assert resume_sink(target_at(tmp_path / name), missing).good_marks([1, 1]) == 0


FILL = """
import sys
from pathlib import Path
from msgspec.structs import replace
from random import Random
from tests.contracts.test_sinks import batch_with, write
texts = [Random(n).randbytes(1000) for n in range(400)]
write(Path(sys.argv[1]), [replace(batch_with(400, 100), texts=texts)])
"""
ROOT = Path(__file__).parents[2]


def test_a_full_disk_is_said_and_leaves_nothing(out: Path) -> None:
    shell = 'mount -t tmpfs -o size=128k t "$1" && { "$2" -c "$3" "$1/$4"; ls -A "$1" | wc -l; }'
    # A mount namespace of our own: the tmpfs is gone with the process.
    command = ["unshare", "--mount", "--map-root-user", "sh", "-c", shell, "sh"]
    arguments = [str(out.parent), sys.executable, FILL, out.name]
    ran = subprocess.run(
        [*command, *arguments], capture_output=True, text=True, check=False, cwd=ROOT
    )
    if not ran.stdout:
        pytest.skip(f"no tmpfs can be mounted here: {ran.stderr.strip()}")
    assert ran.stderr.splitlines()[-1].endswith(
        "cannot be written: disk full; free some space, or choose another disk"
    ), ran.stderr
    assert "ignored" not in ran.stderr
    assert ran.stdout.strip() == "0"


def test_a_compressed_file_without_label_rows_is_a_compressed_file(tmp_path: Path) -> None:
    write(tmp_path / "encord.jsonl.zst", [BatchOutput([])])
    assert zstandard.decompress((tmp_path / "encord.jsonl.zst").read_bytes()) == b""

import os
from io import BytesIO
from pathlib import Path

import pytest

from labelingest.errors import ConfigError, StorageError
from labelingest.formats import FORMATS
from labelingest.formats.encord import ENCORD
from labelingest.sinks.json_lines import compress_lines
from labelingest.sinks.output_guard import GuardedOutput, OutputGuard, OutputKind
from labelingest.storage import LocalStorage
from labelingest.writers.coco import HEAD
from labelingest.writers.parquet import ParquetWriter
from tests.builders.yolo import STORAGE_URL, ontology_for


def table() -> bytes:
    stream = BytesIO()
    with ParquetWriter(stream, ontology_for(), STORAGE_URL):
        pass
    return stream.getvalue()


def foreign_table() -> bytes:
    arrow = pytest.importorskip("pyarrow")
    stream = BytesIO()
    pytest.importorskip("pyarrow.parquet").write_table(arrow.table({"a": [1]}), stream)
    return stream.getvalue()


EARLIER = {
    "rows.jsonl": (OutputKind.LABELS, b'{"label_hash":"x"'),
    "rows.jsonl.zst": (OutputKind.LABELS, compress_lines([b'{"label_hash":"x"}'])),
    "instances.json": (OutputKind.LABELS, HEAD + b"\n"),
    "table.parquet": (OutputKind.LABELS, table()),
    "exported.jsonl": (OutputKind.LABEL_ROWS, b'{"label_hash":"x"}\n'),
    "report.json": (OutputKind.REPORT, b'{\n  "storage_url": "file:///d/"\n}\n'),
    "problems.jsonl": (OutputKind.PROBLEMS, b'{"code":"not-text"}\n'),
    "failed.csv": (OutputKind.FAILED_FILES, b"data_file,sidecar,errors,codes,first_error\r\n"),
    "plan": (OutputKind.PLAN, b'{"labelingest folder plan 1":true}\n'),
}
FOREIGN = {
    "rows.jsonl": (OutputKind.LABELS, b'{"id": 1}\n'),
    "rows.jsonl.zst": (OutputKind.LABELS, compress_lines([b'{"id": 1}'])),
    "other.jsonl.zst": (OutputKind.LABELS, b'{"label_hash":"x"'),
    "instances.json": (OutputKind.LABELS, b'{"info": {}, "images": []}'),
    "table.parquet": (OutputKind.LABELS, foreign_table()),
    "half.parquet": (OutputKind.LABELS, table()[:-1]),
    "rows.csv": (OutputKind.LABELS, b""),
    "a.jpg.encord.json": (OutputKind.LABEL_ROWS, b'{"label_hash":"x"}'),
    "a.jpg": (OutputKind.REPORT, b"\xff\xd8\xff"),
    "notes.txt": (OutputKind.PROBLEMS, b"notes"),
    "table.csv": (OutputKind.FAILED_FILES, b"a,b\n"),
    "plan": (OutputKind.PLAN, b'{"folder": "x"}'),
    "ontology.json": (OutputKind.ONTOLOGY, b'{\n  "objects": []\n}\n'),
    "schema.json": (OutputKind.SCHEMA, b"{}\n"),
}


def output(path: Path | str, kind: OutputKind = OutputKind.REPORT) -> GuardedOutput:
    ending = Path(path).suffix
    named = [format for format in FORMATS if any(e.endswith(ending) for e in format.endings)]
    labels = (*named, ENCORD)[0] if kind is OutputKind.LABELS else None
    return GuardedOutput("out", str(path), kind, labels)


@pytest.mark.parametrize("name", EARLIER)
def test_an_earlier_output_and_an_empty_file_are_replaced(tmp_path: Path, name: str) -> None:
    kind, content = EARLIER[name]
    for older in (content, b""):
        (tmp_path / name).write_bytes(older)
        with OutputGuard().open(output(tmp_path / name, kind)) as file:
            file.write(b"new")
        assert (tmp_path / name).read_bytes() == b"new"


@pytest.mark.parametrize("name", FOREIGN)
def test_what_no_run_wrote_is_replaced_only_where_that_is_meant(tmp_path: Path, name: str) -> None:
    kind, content = FOREIGN[name]
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"that no run wrote: .* give --overwrite to replace it"):
        OutputGuard().admit(output(path, kind))
    assert path.read_bytes() == content
    OutputGuard(overwrite=True).admit(output(path, kind))


def test_kinds_that_people_edit_are_replaced_by_themselves_only_while_empty(tmp_path: Path) -> None:
    (tmp_path / "ontology.json").touch()
    OutputGuard().admit(output(tmp_path / "ontology.json", OutputKind.ONTOLOGY))


@pytest.mark.parametrize("name", ["ontology.json", "x/../ontology.json", "link", "chain", "hard"])
def test_an_input_is_never_replaced_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    file = tmp_path / "ontology.json"
    file.write_bytes(EARLIER["report.json"][1])
    (tmp_path / "x").mkdir()
    (tmp_path / "link").symlink_to(file)
    (tmp_path / "chain").symlink_to("link")
    (tmp_path / "hard").hardlink_to(file)
    with pytest.raises(ConfigError, match="is the ontology of this command: choose another name"):
        OutputGuard({"ontology": file}, overwrite=True).admit(output(f"{tmp_path}/{name}"))


def test_an_input_that_is_not_there_yet_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is the log of this command"):
        OutputGuard({"log": tmp_path / "state-wal"}).admit(output(tmp_path / "state-wal"))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a storage path whose images are on another disk."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk/a.jpg").write_bytes(b"\xff\xd8\xff")
    (tmp_path / "data").mkdir()
    (tmp_path / "data/images").symlink_to(tmp_path / "disk")
    (tmp_path / "data/b.txt").write_bytes(b"0 0.5 0.5 0.1 0.1")
    (tmp_path / "other").hardlink_to(tmp_path / "data/b.txt")
    return tmp_path / "data"


@pytest.mark.parametrize(
    "path", ["data/b.txt", "data/images/a.jpg", "data/../data/b.txt", "disk/a.jpg", "other"]
)
def test_data_is_never_replaced(data: Path, path: str) -> None:
    guard = OutputGuard({}, {"storage path": LocalStorage(str(data))}, overwrite=True)
    with pytest.raises(ConfigError, match="of the storage path that no run wrote"):
        guard.admit(output(data.parent / path))


def test_a_file_that_is_no_data_is_replaced_where_that_is_meant(data: Path) -> None:
    (data.parent / "notes").write_bytes(b"notes")
    guard = OutputGuard({}, {"storage path": LocalStorage(str(data))}, overwrite=True)
    guard.admit(output(data.parent / "notes"))


def test_an_earlier_output_in_the_storage_path_is_replaced(data: Path) -> None:
    (data / "report.json").write_bytes(EARLIER["report.json"][1])
    guard = OutputGuard({}, {"storage path": LocalStorage(str(data))})
    guard.admit(output(data / "report.json"))


def test_a_folder_and_a_pipe_are_no_place_for_a_file(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name, what in (("folder", "a folder"), ("pipe", "not a regular file")):
        with pytest.raises(ConfigError, match=f"cannot be written: it is {what}; choose another"):
            OutputGuard(overwrite=True).admit(output(tmp_path / name))
    OutputGuard().admit(output(tmp_path / "folder", OutputKind.LABELS))


@pytest.mark.parametrize("name", ["/dev/null", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_a_device_or_an_open_file_is_no_place_for_a_file(tmp_path: Path, name: str) -> None:
    (tmp_path / "link").symlink_to(name)
    for path in (name, tmp_path / "link"):
        with pytest.raises(ConfigError, match="is a device or an open file"):
            OutputGuard(overwrite=True).admit(output(path))


def test_a_link_that_leads_nowhere_is_filled_and_one_to_itself_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("new")
    with OutputGuard().open(output(tmp_path / "link")) as file:
        file.write(b"new")
    assert (tmp_path / "new").read_bytes() == b"new"
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(StorageError, match="a symbolic link that leads nowhere"):
        OutputGuard().admit(output(tmp_path / "loop"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only the administrator gives files away")
def test_an_output_of_another_user_stays_his(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.touch()
    os.chown(path, 12345, 54321)
    with OutputGuard().open(output(path)) as file:
        file.write(b"{}")
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 54321)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444])
def test_an_output_keeps_its_permissions(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "report.json"
    path.touch()
    path.chmod(mode)
    with OutputGuard().open(output(path)) as file:
        file.write(b"{}")
        assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {mode}
    assert path.stat().st_mode & 0o777 == mode

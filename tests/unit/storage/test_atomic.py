import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from labelingest.errors import StorageError
from labelingest.model.kinds import TEMPORARY_PREFIX
from labelingest.storage.atomic import whole_file
from tests.builders.unprivileged import unprivileged


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def write(path: Path, content: bytes = b"new") -> None:
    with whole_file(path) as file:
        file.write(content)


def test_the_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    with whole_file(tmp_path / "a") as file:
        file.write(b"1")
        [unfinished] = names(tmp_path)
    assert unfinished.startswith(TEMPORARY_PREFIX)
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"1"


def test_an_older_file_stays_until_the_new_one_is_complete(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    with whole_file(tmp_path / "a") as file:
        file.write(b"new")
        file.flush()
        assert (tmp_path / "a").read_bytes() == b"old"
    assert (tmp_path / "a").read_bytes() == b"new"


@pytest.mark.parametrize("ending", [KeyboardInterrupt, ValueError, StorageError])
def test_a_block_that_fails_leaves_everything_as_it_was(
    tmp_path: Path, ending: type[BaseException]
) -> None:
    (tmp_path / "a").write_bytes(b"old")

    def fail() -> None:
        with whole_file(tmp_path / "a") as file:
            file.write(b"new")
            raise ending("because")

    with pytest.raises(ending, match="because"):
        fail()
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


def test_an_error_that_is_not_the_files_own_is_passed_on(tmp_path: Path) -> None:
    def fail() -> None:
        with whole_file(tmp_path / "a"):
            raise FileNotFoundError(errno.ENOENT, "something else", "other")

    with pytest.raises(FileNotFoundError, match="other"):
        fail()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("gone/a", "no such file or folder; make the folder first"),
        ("file/a", "a file is where a folder is expected"),
        ("n" * 256, "name too long"),
        ("folder", "it is a folder"),
        ("loop", "a symbolic link that leads nowhere"),
    ],
)
def test_what_cannot_be_written_is_said_before_the_first_byte(
    tmp_path: Path, name: str, sentence: str
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    before = names(tmp_path)
    with pytest.raises(StorageError, match=sentence), whole_file(tmp_path / name):
        pytest.fail("the block was entered")
    assert names(tmp_path) == before


def test_a_device_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    (tmp_path / "null").symlink_to("/dev/null")
    for path in (Path("/dev/null"), tmp_path / "null"):
        with pytest.raises(StorageError, match="not a regular file"):
            write(path)


def test_a_link_stays_and_its_target_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk/a").write_bytes(b"old")
    (tmp_path / "a").symlink_to("disk/a")
    write(tmp_path / "a")
    assert (tmp_path / "a").is_symlink()
    assert (tmp_path / "disk/a").read_bytes() == b"new"


def test_a_link_to_a_file_that_is_not_there_yet_makes_it(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "a").symlink_to("disk/a")
    write(tmp_path / "a")
    assert (tmp_path / "disk/a").read_bytes() == b"new"


def test_a_folder_that_is_not_writable_is_said_with_what_helps(tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents):
        if "pytest" in str(folder):
            folder.chmod(0o755)

    closed = tmp_path / "closed"
    closed.mkdir()

    def attempt() -> None:
        try:
            write(closed / "a")
        except StorageError as error:
            sys.stdout.write(str(error))

    attempt()
    (closed / "a").unlink()
    closed.chmod(0o555)
    ran = unprivileged(attempt)
    closed.chmod(0o755)
    assert "permission denied; choose a folder that you may write to" in ran.out, ran.err
    assert names(closed) == []


def folder_flush_that_fails(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    real = os.fsync

    def fsync(file: int) -> None:
        if stat.S_ISDIR(os.fstat(file).st_mode):
            raise OSError(number, os.strerror(number))
        real(file)

    monkeypatch.setattr(os, "fsync", fsync)


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.ENOSYS])
def test_a_file_system_that_cannot_flush_folders_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    folder_flush_that_fails(monkeypatch, number)
    write(tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"new"


@pytest.mark.parametrize(
    ("number", "cause"),
    [(errno.EIO, "the disk or the network failed"), (errno.ENOSPC, "disk full")],
)
def test_a_name_that_does_not_reach_the_disk_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, cause: str
) -> None:
    folder_flush_that_fails(monkeypatch, number)
    with pytest.raises(StorageError, match=f"/a' cannot be written: {cause}"):
        write(tmp_path / "a")
    # Nothing of an unfinished file is left, and the next run replaces it.
    assert names(tmp_path) == ["a"]


def test_a_folder_that_nobody_may_list_takes_files_all_the_same(tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents):
        if "pytest" in str(folder):
            folder.chmod(0o755)
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    write(hidden / "a")
    hidden.chmod(0o333)
    ran = unprivileged(lambda: write(hidden / "b"))
    hidden.chmod(0o755)
    assert ran.code == 0, ran.err
    assert names(hidden) == ["a", "b"]


SCRIPT = """
import sys
from pathlib import Path
from labelingest.storage.atomic import whole_file
with whole_file(Path(sys.argv[1])) as file:
    for _ in range(100):
        file.write(bytes(10_000))
"""


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    shell = 'mount -t tmpfs -o size=64k t "$1" && { "$2" -c "$3" "$1/a"; ls -A "$1" | wc -l; }'
    # A mount namespace of our own: the tmpfs is gone with the process.
    command = ["unshare", "--mount", "--map-root-user", "sh", "-c", shell, "sh"]
    arguments = [str(tmp_path), sys.executable, SCRIPT]
    ran = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    if not ran.stdout:
        pytest.skip(f"no tmpfs can be mounted here: {ran.stderr.strip()}")
    assert "cannot be written: disk full; free some space, or choose another disk" in ran.stderr
    assert ran.stdout.strip() == "0"


def test_a_file_over_the_limit_of_the_process_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    limit = (
        "import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
    )
    command = [sys.executable, "-c", limit + SCRIPT, str(tmp_path / "a")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "cannot be written: larger than this file system allows" in ran.stderr
    assert names(tmp_path) == []

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from labelingest.errors import StorageError
from labelingest.model.kinds import TEMPORARY_PREFIX
from labelingest.model.listing import UNKNOWN, Listing
from labelingest.problems import ProblemCode
from labelingest.storage.base import MAX_SIDECAR, list_all
from labelingest.storage.local.local import LocalStorage
from tests.builders.unprivileged import unprivileged


def list_folder(root: Path, *, follow_symlinks: bool = True) -> Listing:
    return list_all(LocalStorage(str(root), follow_symlinks))


def problems_of(listing: Listing) -> list[tuple[str, str]]:
    return [(problem.code.value, problem.source) for problem in listing.problems]


def test_size_and_time_are_those_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"123")
    os.utime(tmp_path / "a.txt", ns=(1, 1_600_000_000_123_456_789))
    listing = list_folder(tmp_path)
    assert listing.size.tolist() == [3]
    assert listing.mtime_ns.tolist() == [1_600_000_000_123_456_789]


def test_only_files_of_the_given_extensions_are_listed_without_size_and_time(
    tmp_path: Path,
) -> None:
    for name in ("a.jpg", "b.JPG", "c.jpg.txt", "d"):
        (tmp_path / name).write_bytes(b"123")
        os.utime(tmp_path / name, ns=(1, 7))
    listing = list_all(LocalStorage(str(tmp_path)), bare=["jpg"])
    assert list(listing.keys) == ["a.jpg", "b.JPG", "c.jpg.txt", "d"]
    assert listing.size.tolist() == [UNKNOWN, 3, 3, 3]
    assert listing.mtime_ns.tolist() == [UNKNOWN, 7, 7, 7]


def test_what_is_no_file_is_found_under_any_extension(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").symlink_to("gone")
    (tmp_path / "loop.jpg").symlink_to(".")
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "folder.jpg/a.jpg").touch()
    (tmp_path / "link.jpg").symlink_to("folder.jpg/a.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    listings = [list_all(LocalStorage(str(tmp_path)), bare=bare) for bare in ([], ["jpg"])]
    assert [list(listing.keys) for listing in listings] == [["folder.jpg/a.jpg", "link.jpg"]] * 2
    assert problems_of(listings[0]) == problems_of(listings[1])
    assert [code for code, _ in problems_of(listings[1])] == [
        "broken-link",
        "link-loop",
        "not-a-regular-file",
    ]


def test_a_large_folder_comes_in_several_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labelingest.storage.local.walk.PAGE", 3)
    for i in range(7):
        (tmp_path / f"{i}").touch()
    pages = list(LocalStorage(str(tmp_path)).list())
    assert [len(page) for page in pages] == [3, 3, 1]
    assert list(Listing.from_pages(pages).keys) == list("0123456")


def test_a_link_to_a_folder_is_followed_under_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk/a.jpg").write_bytes(b"12")
    (tmp_path / "data").mkdir()
    (tmp_path / "data/images").symlink_to("../disk")
    listing = list_folder(tmp_path / "data")
    assert list(listing.keys) == ["images/a.jpg"]
    storage = LocalStorage(str(tmp_path / "data"))
    assert storage.fetch(["images/a.jpg"]).get(0) == b"12"


def test_a_link_to_a_file_has_the_size_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "b").symlink_to("a")
    assert list_folder(tmp_path).size.tolist() == [5, 5]


def test_two_links_to_one_folder_are_both_listed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real/a").touch()
    for name in ("x", "y"):
        (tmp_path / name).symlink_to("real")
    listing = list_folder(tmp_path)
    assert list(listing.keys) == ["real/a", "x/a", "y/a"]
    assert not listing.problems


def test_the_root_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real/a").touch()
    (tmp_path / "root").symlink_to("real")
    for follow in (True, False):
        assert list(list_folder(tmp_path / "root", follow_symlinks=follow).keys) == ["a"]


@pytest.mark.parametrize("target", [".", "..", "../..", "../../labels"])
def test_a_loop_of_links_is_a_problem_and_not_entered(tmp_path: Path, target: str) -> None:
    inner = tmp_path / "data/labels/deep"
    inner.mkdir(parents=True)
    (inner / "a.txt").touch()
    (tmp_path / "data/labels/deep/loop").symlink_to(target)
    listing = list_folder(tmp_path / "data")
    assert problems_of(listing) == [("link-loop", "labels/deep/loop")]
    assert list(listing.keys) == ["labels/deep/a.txt"]


def test_a_loop_through_two_links_is_entered_once(tmp_path: Path) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
        (tmp_path / name / f"to_{other}").symlink_to(f"../{other}")
    listing = list_folder(tmp_path)
    assert list(listing.keys) == ["a/file", "a/to_b/file", "b/file", "b/to_a/file"]
    assert problems_of(listing) == [("link-loop", "a/to_b/to_a"), ("link-loop", "b/to_a/to_b")]


def test_a_link_to_itself_is_a_loop(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("a")
    assert problems_of(list_folder(tmp_path)) == [("link-loop", "a")]


def test_a_link_that_leads_nowhere_is_a_problem_that_names_its_target(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").symlink_to("/gone/a.jpg")
    (tmp_path / "b.jpg").touch()
    listing = list_folder(tmp_path)
    assert problems_of(listing) == [("broken-link", "a.jpg")]
    assert "'/gone/a.jpg'" in listing.problems[0].detail
    assert list(listing.keys) == ["b.jpg"]


def test_links_that_multiply_each_other_end_with_a_sentence(tmp_path: Path) -> None:
    for level in range(40):
        (tmp_path / f"{level}").mkdir()
        for name in ("x", "y"):
            (tmp_path / f"{level}" / name).symlink_to(f"../{level + 1}")
    storage = LocalStorage(str(tmp_path), max_entries=5_000)
    with pytest.raises(StorageError, match=r"more than 5,000 files and folders.*links"):
        list_all(storage)


def test_links_are_not_followed_where_they_must_not_be(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/a.txt").write_bytes(b"1")
    data = tmp_path / "data"
    data.mkdir()
    (data / "folder").symlink_to("../secret")
    (data / "file.txt").symlink_to("../secret/a.txt")
    (data / "b.txt").write_bytes(b"2")
    listing = list_folder(data, follow_symlinks=False)
    assert list(listing.keys) == ["b.txt"]
    assert problems_of(listing) == [
        ("not-a-regular-file", "file.txt"),
        ("not-a-regular-file", "folder"),
    ]


def test_untrusted_links_are_not_read_or_written_through_either(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/a.txt").write_bytes(b"1")
    (tmp_path / "data/in").mkdir(parents=True)
    (tmp_path / "data/in/folder").symlink_to("../../secret")
    (tmp_path / "data/file.txt").symlink_to("../secret/a.txt")
    storage = LocalStorage(str(tmp_path / "data"), follow_symlinks=False)
    blobs = storage.fetch(["file.txt", "in/folder/a.txt"])
    assert set(blobs.unread) == {0, 1}
    heads = storage.fetch_heads(["file.txt", "in/folder/a.txt"], 1)
    assert not any(isinstance(head, bytes) for head in heads)
    with pytest.raises(StorageError):
        storage.put("in/folder/b.txt", b"")
    assert [path.name for path in (tmp_path / "secret").iterdir()] == ["a.txt"]


def test_writing_makes_folders_where_links_are_not_followed(tmp_path: Path) -> None:
    storage = LocalStorage(str(tmp_path / "new"), follow_symlinks=False)
    storage.put("a/b/c.txt", b"1")
    assert storage.fetch(["a/b/c.txt"]).get(0) == b"1"


def test_putting_over_a_link_replaces_the_link_not_its_target(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_bytes(b"1")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/a.txt").symlink_to("../secret.txt")
    LocalStorage(str(tmp_path / "out")).put("a.txt", b"2")
    assert (tmp_path / "secret.txt").read_bytes() == b"1"
    assert (tmp_path / "out/a.txt").read_bytes() == b"2"


def test_pipes_sockets_and_devices_are_problems_and_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "null").symlink_to("/dev/null")
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(tmp_path)  # a socket's path may have 100 bytes only
        listener.bind("socket")
        os.chdir(here)
        listing = list_folder(tmp_path)
    assert problems_of(listing) == [
        ("not-a-regular-file", "null"),
        ("not-a-regular-file", "pipe.txt"),
        ("not-a-regular-file", "socket"),
    ]
    assert len(listing) == 0


def test_a_pipe_in_place_of_a_file_is_unread_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.txt")
    writer = os.open(tmp_path / "a.txt", os.O_RDWR)
    os.write(writer, b"0 .5 .5 1 1")
    blobs = LocalStorage(str(tmp_path)).fetch(["a.txt"], sizes=np.array([11]))
    os.close(writer)
    assert blobs.unread[0].detail == "it cannot be read: not a regular file"


def test_a_folder_in_place_of_a_file_is_unread(tmp_path: Path) -> None:
    (tmp_path / "a.txt").mkdir()
    blobs = LocalStorage(str(tmp_path)).fetch(["a.txt"])
    assert blobs.unread[0].detail == "it cannot be read: it is a folder"


def test_a_file_in_place_of_a_folder_is_unread(tmp_path: Path) -> None:
    (tmp_path / "labels").touch()
    blobs = LocalStorage(str(tmp_path)).fetch(["labels/a.txt"])
    assert blobs.unread[0].code is ProblemCode.UNREADABLE_FILE


def test_names_that_are_not_utf8_are_problems_and_not_listed(tmp_path: Path) -> None:
    root = os.fsencode(tmp_path)
    Path(os.fsdecode(root + b"/caf\xe9")).mkdir()
    for name in (b"/caf\xe9/a.txt", b"/\xff.txt", b"/good.txt"):
        os.close(os.open(root + name, os.O_CREAT))
    listing = list_folder(tmp_path)
    assert problems_of(listing) == [("key-not-utf8", "\\xff.txt"), ("key-not-utf8", "caf\\xe9")]
    assert list(listing.keys) == ["good.txt"]


def test_a_folder_deeper_than_any_recursion_is_listed(tmp_path: Path) -> None:
    script = "import os\nfor _ in range(1500): os.mkdir('d'); os.chdir('d')\nopen('a', 'w')"
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)
    keys = list(list_folder(tmp_path).keys)
    # pytest's own cleaning up recurses, and would fail in a later run.
    subprocess.run(["rm", "-rf", str(tmp_path / "d")], check=True)
    assert keys == ["d/" * 1500 + "a"]


def open_to_all(path: Path) -> None:
    """Let users without privileges get to a folder: pytest keeps its own to itself."""
    for folder in (path, *path.parents):
        if "pytest" in str(folder):
            folder.chmod(0o755)


def print_line(value: object) -> None:
    sys.stdout.write(f"{value}\n")


def as_nobody(root: Path, work: Callable[[LocalStorage], object]) -> str:
    """Return what work prints when done without privileges; it was done once before, with."""
    open_to_all(root)
    storage = LocalStorage(str(root))
    work(storage)
    ran = unprivileged(lambda: print_line(work(storage)))
    assert ran.code == 0, ran.err
    return ran.out


def test_a_folder_without_permission_is_a_problem_and_the_others_are_listed(
    tmp_path: Path,
) -> None:
    for key in ("closed/a.txt", "open/b.txt"):
        (tmp_path / key).parent.mkdir()
        (tmp_path / key).touch()
    (tmp_path / "closed").chmod(0)
    said = as_nobody(tmp_path, lambda s: [(*p.keys, *map(str, p.problems)) for p in s.list()])
    (tmp_path / "closed").chmod(0o755)
    assert "'open/b.txt'" in said
    assert "closed: unreadable-folder: this folder cannot be listed: permission denied" in said
    assert "a.txt" not in said


def test_a_file_without_permission_is_unread(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch(0)
    said = as_nobody(tmp_path, lambda s: s.fetch(["a.txt"]).unread)
    assert "it cannot be read: permission denied" in said
    said = as_nobody(tmp_path, lambda s: s.fetch_heads(["a.txt"], 4))
    assert "it cannot be read: permission denied" in said


def test_a_root_without_permission_ends_the_listing(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()

    def attempt(storage: LocalStorage) -> str:
        try:
            return f"{len(list_all(storage))} files"
        except StorageError as error:
            return str(error)

    open_to_all(tmp_path)
    root.chmod(0)
    attempt(LocalStorage(str(root)))
    ran = unprivileged(lambda: print_line(attempt(LocalStorage(str(root)))))
    root.chmod(0o755)
    assert ran.out.strip() == f"{str(root)!r} cannot be listed: permission denied"


def test_a_folder_that_is_not_writable_is_named_with_what_helps(tmp_path: Path) -> None:
    def attempt(storage: LocalStorage) -> str:
        try:
            storage.put("a.txt", b"")
        except StorageError as error:
            return str(error)
        return "written"

    closed = tmp_path / "closed"
    closed.mkdir()
    open_to_all(tmp_path)
    attempt(LocalStorage(str(closed)))
    closed.chmod(0o555)
    ran = unprivileged(lambda: print_line(attempt(LocalStorage(str(closed)))))
    closed.chmod(0o755)
    assert f"{str(closed / 'a.txt')!r} cannot be written: permission denied; choose" in ran.out


def test_a_root_that_is_gone_ends_the_listing(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be listed: no such file"):
        list_all(LocalStorage(str(tmp_path / "gone")))


@pytest.mark.parametrize(
    ("key", "cause"),
    [
        ("n" * 256, "name too long"),
        ("file/a.txt", "a file is where a folder is expected"),
        ("folder", "it is a folder"),
    ],
)
def test_what_cannot_be_put_says_why_and_leaves_nothing(
    tmp_path: Path, key: str, cause: str
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(StorageError, match=cause):
        LocalStorage(str(tmp_path)).put(key, b"1")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_a_write_that_fails_midway_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    script = (
        "import resource, signal, sys\n"
        "from labelingest.storage.local.local import LocalStorage\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "LocalStorage(sys.argv[1]).put('a', bytes(5000))\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "StorageError" in ran.stderr
    assert "larger than this file system allows" in ran.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


def test_an_unfinished_file_has_a_name_that_pairing_ignores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    real = os.fsync

    def look(descriptor: int) -> None:
        seen.extend(path.name for path in tmp_path.iterdir())
        real(descriptor)

    monkeypatch.setattr(os, "fsync", look)
    LocalStorage(str(tmp_path)).put("a.txt", b"1")
    assert len(seen) == 1
    assert seen[0].startswith(TEMPORARY_PREFIX)
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_file_larger_than_the_limit_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "a.txt").open("wb") as file:
        file.truncate(MAX_SIDECAR + 1)  # sparse: takes no room
    for sizes in (None, np.array([10])):
        blobs = LocalStorage(str(tmp_path)).fetch(["a.txt"], sizes=sizes)
        assert blobs.unread[0].code is ProblemCode.FILE_TOO_LARGE
        assert "300,000,001 bytes" in blobs.unread[0].detail


@pytest.mark.parametrize(
    ("root", "url"),
    [("/data/a b", "file:///data/a%20b/"), ("/", "file:///"), ("/d/é#?%", "file:///d/%C3%A9%23%3F%25/")],
)  # fmt: skip
def test_the_url_is_percent_encoded(root: str, url: str) -> None:
    assert LocalStorage(root).url == url


def test_a_relative_root_is_made_absolute_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    storage = LocalStorage("./a//b/.")
    monkeypatch.chdir("/")
    assert storage.root == f"{tmp_path}/a/b"


def test_going_up_from_a_link_means_what_the_file_system_means(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "disk/inner").mkdir(parents=True)
    (tmp_path / "disk/data").symlink_to("inner")
    (tmp_path / "link").symlink_to("disk/inner")
    monkeypatch.chdir(tmp_path)
    assert LocalStorage("link/../data").root == f"{tmp_path}/disk/data"
    assert LocalStorage("link/..").root == f"{tmp_path}/disk"
    assert LocalStorage("link").root == f"{tmp_path}/link"


def test_files_in_many_folders_leave_no_folder_open(tmp_path: Path) -> None:
    for i in range(50):
        (tmp_path / f"{i}").mkdir()
        (tmp_path / f"{i}/a").write_bytes(b"1")
    before = len(list(Path("/proc/self/fd").iterdir()))
    storage = LocalStorage(str(tmp_path))
    storage.fetch([f"{i}/a" for i in range(50)] + ["gone/b"])
    storage.fetch_heads([f"{i}/a" for i in range(50)], 1)
    storage.put("x/y", b"")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_file_that_vanishes_while_its_folder_is_listed_takes_no_other_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.jpg", "a.txt", "b.jpg", "b.txt"):
        (tmp_path / name).touch()
    scandir = os.scandir

    def losing_one(path: bytes) -> list[os.DirEntry[bytes]]:
        with scandir(path) as entries:
            found = list(entries)
        (tmp_path / "a.txt").unlink()
        return found

    monkeypatch.setattr(
        "labelingest.storage.local.walk.os.scandir",
        lambda path: nullcontext(iter(losing_one(path))),
    )
    [page] = LocalStorage(str(tmp_path)).list(bare=["jpg"])
    assert sorted(page.keys) == ["a.jpg", "b.jpg", "b.txt"]
    assert problems_of(page) == [("vanished-file", "a.txt")]


def test_keys_come_in_the_order_of_their_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labelingest.storage.local.walk.PAGE", 2)
    keys = ["a-b.txt", "a.txt", "a/b.txt", "a/b/c.txt", "a/b0.txt", "a/é.txt", "a0.txt", "b/a.txt"]
    for key in (*keys, "a/b-.txt", "ä/x.txt", "z"):
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / key).touch()
    found = [key for page in LocalStorage(str(tmp_path)).list() for key in page.keys]
    assert found == sorted([*keys, "a/b-.txt", "ä/x.txt", "z"], key=str.encode)


def test_the_token_is_that_of_the_file_that_was_opened(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"12")
    os.utime(path, ns=(1, 7))
    blobs = LocalStorage(str(tmp_path)).fetch(["a.txt"], sizes=np.array([2]))
    path.write_bytes(b"34")
    assert blobs.tokens == ["2:7"]
    assert list_all(LocalStorage(str(tmp_path))).token_column()[0] != "2:7"


def test_a_folder_is_not_deleted_and_the_reason_is_said(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").touch()
    with pytest.raises(StorageError, match=r"a' cannot be deleted: (it is a folder|permission)"):
        LocalStorage(str(tmp_path)).delete(["b", "a"])
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_deleting_leaves_folders_and_what_links_point_to(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").write_bytes(b"1")
    (tmp_path / "out/link").symlink_to(tmp_path / "elsewhere")
    LocalStorage(str(tmp_path)).delete(["out/link", "elsewhere/below"])
    assert not list((tmp_path / "out").iterdir())
    assert (tmp_path / "elsewhere").read_bytes() == b"1"


def test_nothing_is_deleted_through_untrusted_links(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/a").touch()
    (tmp_path / "root").mkdir()
    (tmp_path / "root/link").symlink_to(tmp_path / "kept")
    LocalStorage(str(tmp_path / "root"), follow_symlinks=False).delete(["link/a"])
    assert (tmp_path / "kept/a").exists()

"""Make calls to the file system fail, one after the other: does a command end well, and the next one?

From the command line::

    python -m benchmarks.faults FAULTS [--seed N] [--only NAME] [--moments] [--files N]

runs each of several commands undisturbed, counts its calls, and then runs it with so many faults in
all, each at a call and of a kind that are drawn: a write, flush, rename, creation or removal fails, a
write takes half, a flush loses what was written, or the process is killed there. `--moments` kills
each at a random moment of its time. A command must end
as undisturbed, or with exit code 3 and a sentence, and with no half output in place. The same command
without a fault must then leave what the undisturbed one leaves, byte by byte, and nothing else.

Calls fail by a library of C (`tests/faults/faults.c`, LD_PRELOAD), so by what the system calls return.
"""

import argparse
import gc
import json
import os
import random
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from select import select
from time import monotonic
from typing import Any, Final, NamedTuple

from labelingest.bench.synthetic.data_set import generate
from labelingest.bench.synthetic.kinds import Kind

__all__ = [
    "COMMANDS",
    "Commands",
    "Fault",
    "Trials",
    "can_be_built",
    "draw_faults",
    "draw_moments",
    "fault_server",
]

_SOURCE: Final = Path(__file__).parents[1] / "tests/faults/faults.c"
_PLAN: Final = struct.Struct("lll16s16s128l")
_KINDS: Final = "wsdrcu"
_SAY_EVERY: Final = 20
_EIO, _ENOSPC, _EACCES = "5", "28", "13"
FAULTS: Final = (
    *(("w", what) for what in (_EIO, _ENOSPC, "short")),
    *(("s", what) for what in (_EIO, _ENOSPC, "lost")),
    *(("d", what) for what in (_EIO, _ENOSPC)),
    *(("r", what) for what in (_EIO, _ENOSPC, _EACCES)),
    *(("c", what) for what in (_EIO, _ENOSPC, _EACCES)),
    *(("u", what) for what in (_EIO, _EACCES)),
    (_KINDS, "kill"),
)
"""Kinds of calls, and what happens to one of them."""
_LOADED: Final = (
    *("labelingest.cli.render_report", "labelingest.cli.progress", "labelingest.cli.folder.render"),
    *("labelingest.folders", "labelingest.folders.state.migrate", "labelingest.pipeline"),
    *("alembic.command", "sqlalchemy.dialects.sqlite", "pyarrow.parquet", "zstandard"),
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is to fail."""

    calls: str
    """Letters: w(rite), s(ync), d(irectory's sync), r(ename), c(reate), u(nlink)."""
    what: str = "0"
    """An error number, "short", "lost" or "kill"."""
    call: int = 0
    """The number of the call, from 1 on; 0 for none."""
    ever: bool = False
    """Whether all later calls fail too: the disk is full, or gone."""
    moment: float | None = None
    """Seconds after which the process is killed, wherever it is; None for never."""

    def packed(self) -> bytes:
        """Return it as the library reads it."""
        counts = [0] * 128
        return _PLAN.pack(0, self.call, self.ever, self.calls.encode(), self.what.encode(), *counts)


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    """Exit code; below zero the signal that ended it."""
    stderr: str
    calls: Mapping[str, int]
    """Kind → how many calls there were."""
    seconds: float


Commands = Callable[..., Ended]


def can_be_built() -> str:
    """Return why the library cannot be built here; "" where it can."""
    if sys.platform != "linux":
        return "LD_PRELOAD and /proc: for Linux"
    return "" if shutil.which("cc") else "no C compiler: cc"


@contextmanager
def fault_server(place: Path) -> Iterator[Commands]:
    """Start a process that runs commands with faults below a folder; it has all loaded already."""
    library, plan, stderr_file = (place / name for name in ("faults.so", "plan", "said"))
    command = ["cc", "-O1", "-shared", "-fPIC", "-o", library, _SOURCE, "-ldl"]
    subprocess.run(list(map(str, command)), check=True)
    plan.write_bytes(Fault("").packed())
    (place / "work").mkdir()
    environment = {
        **os.environ,
        "LD_PRELOAD": str(library),
        "FAULT_UNDER": str((place / "work").resolve()),
        "FAULT_PLAN": str(plan),
        "OPENBLAS_NUM_THREADS": "1",
    }
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.faults", "--serve", str(stderr_file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        cwd=_SOURCE.parents[2],
        text=True,
    )
    to_server, from_server = server.stdin, server.stdout
    assert to_server is not None
    assert from_server is not None

    def run(arguments: Sequence[str], fault: Fault) -> Ended:
        plan.write_bytes(fault.packed())
        started = monotonic()
        print(json.dumps([fault.moment, *arguments]), file=to_server, flush=True)
        code, seconds = int(from_server.readline()), monotonic() - started
        counts = _PLAN.unpack(plan.read_bytes())[-128:]
        calls = {kind: counts[ord(kind)] for kind in _KINDS}
        return Ended(code, stderr_file.read_text(errors="replace"), calls, seconds)

    try:
        yield run
    finally:
        to_server.close()
        server.wait()
        from_server.close()


def _serve(stderr_file: Path) -> None:
    """Run a command for each line of standard input, in a process of its own."""
    for module in _LOADED:  # once, for all
        import_module(module)
    from labelingest.cli.main import main

    gc.freeze()  # what was loaded is not copied in every child
    for line in sys.stdin:
        moment, *arguments = json.loads(line)
        child = os.fork()
        if child == 0:
            code = 70
            try:
                file = os.open(stderr_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
                os.dup2(file, 1)
                os.dup2(file, 2)
                main(arguments)
                code = 0
            except SystemExit as ended:
                code = int(ended.code or 0)
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        if moment is not None:
            ends = os.pidfd_open(child)
            select([ends], [], [], moment)
            signal.pidfd_send_signal(ends, signal.SIGKILL)
            os.close(ends)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


@dataclass(frozen=True, slots=True)
class Command:
    """A command whose outputs lie in one folder."""

    arguments: Sequence[str]
    """In which {data} and {place} stand for folders."""
    before: Sequence[Sequence[str]] = ()
    """Commands that prepare it, without faults."""
    after: Sequence[str] = ()
    """The command that goes on after a fault; the same where none is given."""
    prepare: Callable[[Path], None] = field(default=lambda place: None)
    """What is done to the folder of the outputs after that."""
    outputs: Sequence[str] = ()
    """Names that must be as the undisturbed command leaves them, or not be there."""

    def filled(self, arguments: Sequence[str], data: Path, place: Path) -> list[str]:
        """Return arguments with their folders."""
        return [argument.format(data=data, place=place) for argument in arguments]


def _convert(out: str, *options: str) -> Command:
    arguments = ["convert", "{data}", "--ontology", "{data}/ontology.json", "--workers", "1"]
    arguments += ["--batch-bytes", "1500", "--report", "{place}/report.json"]
    arguments += ["--problems", "{place}/problems.jsonl", "--failed-csv", "{place}/failed.csv"]
    names = (out, "problems.jsonl", "failed.csv")
    return Command([*arguments, "--out", f"{{place}}/{out}", *options], outputs=names)


_STATE: Final = ("--state", "sqlite:///{place}/state.sqlite")
_CREATE: Final = (
    *("folder", "create", "drive", "--storage-path", "{data}", "--output", "{place}/rows"),
    *("--ontology", "{data}/ontology.json", "--format", "yolo"),
    *("--images", "images/{{name}}.jpg", "--labels", "labels/{{name}}.txt", *_STATE),
)
_SYNC: Final = ("folder", "sync", "drive", *_STATE)


def _age(place: Path) -> None:
    """Make the state one of schema 0002, and the output one without marker."""
    shutil.rmtree(place / "rows/.labelingest-folder")
    with closing(sqlite3.connect(place / "state.sqlite")) as state, state:
        for table in ("output_rows", "class_lists", "written_files"):
            state.execute(f"DROP TABLE {table}")
        for table, column in (
            *(("runs", "books"), ("items", "deleted_why")),
            *(("folders", "identity"), ("folders", "marker_token")),
            *(("label_rows", "sidecar_digest"), ("items", "metadata_digest")),
        ):
            state.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        state.execute("UPDATE alembic_version SET version_num = '0002'")


COMMANDS: Final[Mapping[str, Command]] = {
    "rows.jsonl": _convert("rows.jsonl"),
    "rows.jsonl.zst": _convert("rows.jsonl.zst"),
    "by-workers.jsonl": _convert("by-workers.jsonl", "--workers", "2"),
    "shards": _convert("shards", "--shard-rows", "7"),
    "tree": _convert("tree"),
    "labels": _convert("labels", "--to", "yolo"),
    "coco.json": _convert("coco.json", "--to", "coco"),
    "table.parquet": _convert("table.parquet", "--to", "parquet"),
    "sync": Command(_SYNC, [_CREATE], _SYNC, outputs=["rows"]),
    "migration": Command(_SYNC, [_CREATE, _SYNC], _SYNC, _age, ["rows"]),
    "export": Command(
        ("folder", "export", "drive", "--out", "{place}/all.jsonl", *_STATE),
        [_CREATE, _SYNC],
        outputs=["all.jsonl"],
    ),
    "plan": Command(
        ("folder", "plan", "drive", "--save", "{place}/plan.jsonl", *_STATE), [_CREATE]
    ),
    "apply": Command(
        ("folder", "apply", "{place}/plan.jsonl", *_STATE),
        [_CREATE, ("folder", "plan", "drive", "--save", "{place}/plan.jsonl", *_STATE)],
        _SYNC,  # a plan that was begun does not fit any more
        outputs=["rows"],
    ),
}
"""Name → a command for each kind of output."""
_PARTIAL: Final = ("rows",)
"""Outputs that grow file by file: each must be whole."""


def _outputs(place: Path) -> dict[str, Any]:
    """Return the outputs in a folder: what is the same in every run of it."""
    outputs: dict[str, Any] = {}
    for path in sorted(place.rglob("*")):
        name = path.relative_to(place).as_posix()
        # State, plan and marker have times and identities.
        if name.startswith(("state.sqlite", "plan.jsonl", "rows/.labelingest-folder")):
            continue
        if path.is_dir():
            outputs[name] = None
        elif name == "report.json":
            report = json.loads(path.read_bytes())
            outputs[name] = {**report, "seconds": None, "out": None}
        else:
            outputs[name] = path.read_bytes()
    return outputs


@dataclass
class Trials:
    """Faults of commands on one data set."""

    place: Path
    run: Commands
    files: int = 40
    codes: Counter[str] = field(default_factory=Counter)
    """How commands ended with their fault → how often."""
    _whole: dict[str, tuple[Ended, dict[str, Any]]] = field(default_factory=dict)
    """Command → how it ends undisturbed, and its outputs."""
    _prepared: dict[Any, Path] = field(default_factory=dict)
    """What prepares a command → what the folder of its outputs is then."""

    def __post_init__(self) -> None:
        self.data = self.place / "data"
        generate(self.data, self.files, Kind.BOXES, defects=0.05)

    def undisturbed(self, name: str) -> tuple[Ended, dict[str, Any]]:
        """Return the end and the outputs of a command without a fault."""
        if name not in self._whole:
            place = self._prepare(name)
            ended = self._do(name, place, Fault(""))
            self._whole[name] = ended, _outputs(place)
        return self._whole[name]

    def calls(self, name: str, kinds: str) -> int:
        """Return how many calls of some kinds a command makes."""
        ended, _ = self.undisturbed(name)
        return sum(ended.calls[kind] for kind in kinds)

    def _prepare(self, name: str) -> Path:
        """Return the folder of the outputs, prepared: always the same path, for states hold it."""
        command = COMMANDS[name]
        place = self.place / "work/place"
        steps = (*command.before, command.prepare)
        shutil.rmtree(place, ignore_errors=True)
        if steps not in self._prepared:
            place.mkdir()
            for arguments in command.before:
                filled = command.filled(arguments, self.data, place)
                ended = self.run(filled, Fault(""))
                if ended.code not in (0, 1):
                    raise AssertionError(f"{filled}: {ended}")
            command.prepare(place)
            self._prepared[steps] = self.place / f"prepared-{len(self._prepared)}"
            place.rename(self._prepared[steps])
        shutil.copytree(self._prepared[steps], place, symlinks=True)
        return place

    def _do(self, name: str, place: Path, fault: Fault, *, again: bool = False) -> Ended:
        command = COMMANDS[name]
        arguments = command.after if again and command.after else command.arguments
        return self.run(command.filled(arguments, self.data, place), fault)

    def attempt(self, name: str, fault: Fault) -> str:
        """Run a command with a fault, then without; return what went wrong, "" for nothing."""
        (code, *_), expected = self.undisturbed(name)
        place = self._prepare(name)
        ended = self._do(name, place, fault)
        self.codes["as undisturbed" if ended.code == code else str(ended.code)] += 1
        wrong = _wrong_end(ended, code) or _half(place, COMMANDS[name].outputs, expected)
        if not wrong and ended.code == code and not fault.ever and _outputs(place) != expected:
            wrong = "other outputs than undisturbed, with its exit code"
        if not wrong:
            again = self._do(name, place, Fault(""), again=True)
            # A sync that goes on counts only the problems that it met itself.
            if again.code != code and not (COMMANDS[name].after and again.code in (0, 1)):
                wrong = f"the next run ended with {again.code}: {again.stderr}"
            elif (outputs := _outputs(place)) != expected:
                names = {
                    key
                    for key in outputs.keys() | expected
                    if outputs.get(key) != expected.get(key)
                }
                wrong = f"the next run left others: {sorted(names)[:5]}"
        return wrong and f"{name}: {fault}: {wrong} (it said {ended.stderr!r})"


def _wrong_end(ended: Ended, code: int) -> str:
    if "Traceback" in ended.stderr:
        return "a traceback"
    if ended.code in (code, -9):
        return ""
    if ended.code not in (2, 3):
        return f"exit code {ended.code}"
    return "" if ended.stderr.strip() else "no sentence"


def _half(place: Path, names: Sequence[str], expected: Mapping[str, Any]) -> str:
    """Return which output stands in its place and is not whole."""
    outputs = _outputs(place)
    for name in names:
        inside = {key for key in outputs if key == name or key.startswith(f"{name}/")}
        whole_part = {key for key in expected if key == name or key.startswith(f"{name}/")}
        if inside and name not in _PARTIAL and inside != whole_part:
            return f"half an output: {name}"
        for key in inside:
            is_output = not Path(key).name.startswith(".labelingest-")
            if is_output and outputs[key] != expected.get(key):
                return f"half a file: {key}"
    return ""


def draw_faults(
    trials: Trials, names: Sequence[str], count: int, seed: int
) -> Iterator[tuple[str, Fault]]:
    """Yield commands with faults, each at a call that the command makes."""
    dice = random.Random(seed)
    for number in range(count):
        name = names[number % len(names)]
        kinds, what = dice.choice(FAULTS)
        while not (calls := trials.calls(name, kinds)):
            kinds, what = dice.choice(FAULTS)
        yield name, Fault(kinds, what, dice.randint(1, calls), dice.random() < 0.2)


def draw_moments(
    trials: Trials, names: Sequence[str], count: int, seed: int
) -> Iterator[tuple[str, Fault]]:
    """Yield commands, each with a moment of its time at which it is killed."""
    dice = random.Random(seed)
    for number in range(count):
        name = names[number % len(names)]
        ended, _ = trials.undisturbed(name)
        yield name, Fault("", moment=dice.uniform(0, ended.seconds))


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults")
    parser.add_argument("faults", type=int, nargs="?", default=100, metavar="FAULTS")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", action="append", choices=list(COMMANDS))
    parser.add_argument("--moments", action="store_true", help="kill at random moments only")
    parser.add_argument("--files", type=int, default=40, help="data files; 40")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve is not None:
        _serve(chosen.serve)
        return
    bad = attempts = 0
    with tempfile.TemporaryDirectory() as folder, fault_server(Path(folder)) as run:
        trials = Trials(Path(folder), run, chosen.files)
        names = chosen.only or list(COMMANDS)
        draw = draw_moments if chosen.moments else draw_faults
        for name, fault in draw(trials, names, chosen.faults, chosen.seed):
            attempts += 1
            if wrong := trials.attempt(name, fault):
                bad += 1
                print(wrong, flush=True)
            if attempts % _SAY_EVERY == 0:
                print(_counts(attempts, trials, bad), flush=True)
        print(_counts(attempts, trials, bad))
    raise SystemExit(bad > 0)


def _counts(attempts: int, trials: Trials, bad: int) -> str:
    return f"{attempts} faults: {dict(trials.codes)}; {bad} went wrong"


if __name__ == "__main__":
    _main()

"""Runs the tests of a package against mutants: does a test fail when the code is wrong?

The checkout is never edited. Each worker has its own copy of it in a temporary folder, in which one
module is replaced by its mutant. The tests run there, with that copy first on the path, which is
checked. Before the first mutant of a package its tests must pass without one. A mutant that loops
is ended with its processes, and its memory is bounded.

mutmut and cosmic-ray were weighed: the first keeps its own copy of the project and picks no random
sample of it, the second edits the checkout. Both run one test command for all modules.
"""

import ast
import hashlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from typing import Final

from tests.mutants.changes import changed, changes

__all__ = [
    "TESTS",
    "Copy",
    "Mutant",
    "Outcome",
    "Result",
    "equivalents",
    "mutants",
    "run",
    "sample",
]

ROOT: Final = Path(__file__).parents[2]
COPIED: Final = ("labelingest", "tests", "fixtures", "benchmarks", "pyproject.toml")
MEMORY_LIMIT: Final = 6_000_000_000
"""Bytes of address space of one test process: numpy and pyarrow alone reserve a few hundred MB."""

SLOW: Final = "limits or bombs or batches_and_order or clean_rows_of_images or postgresql or [1] or [2] or [3]"
"""Tests that are left out, because they take longer than all others: of sizes, of a second database,
and all seeds but the first."""

_YOLO_TESTS: Final = ("tests/conformance/test_yolo.py", "tests/properties/test_yolo.py")
_ENCORD_TESTS: Final = ("tests/conformance/test_encord.py", "tests/unit/test_converter_encord.py")
TESTS: Final[dict[str, tuple[str, ...]]] = {
    "geometry": (
        "tests/unit/geometry",
        "tests/conformance/test_yolo.py",
        "tests/properties/test_geometry.py",
        "tests/conformance/test_encord.py",
    ),
    "readers": (
        *_YOLO_TESTS,
        "tests/properties/test_numbers.py",
        "tests/properties/test_plain_text.py",
    ),
    "readers/encord": (
        "tests/unit/readers",
        *_ENCORD_TESTS,
        "tests/properties/test_encord_fast_path.py",
        "tests/properties/test_encord_sidecars.py",
    ),
    "pairing": (
        "tests/unit/pairing",
        "tests/conformance/test_pairing.py",
        "tests/conformance/test_patterns.py",
        "tests/conformance/test_near_misses.py",
        "tests/properties/test_pairing.py",
    ),
    "resolution": (
        "tests/unit/resolution",
        "tests/conformance/test_ontology.py",
        "tests/conformance/test_yolo.py",
        *_ENCORD_TESTS,
    ),
    "assembly": (*_YOLO_TESTS, *_ENCORD_TESTS),
    "columns": (
        *_YOLO_TESTS,
        "tests/properties/test_text_order.py",
        "tests/unit/columns",
    ),
    "documents": (
        "tests/unit/documents",
        *_ENCORD_TESTS,
        "tests/properties/test_value_count.py",
    ),
    "encord": ("tests/unit/encord", *_ENCORD_TESTS),
    "problems": ("tests/unit/problems", *_YOLO_TESTS, *_ENCORD_TESTS),
    "writers": (
        "tests/unit/writers",
        "tests/conformance/test_yolo.py",
        *_ENCORD_TESTS,
        "tests/properties/test_label_row_text.py",
        "tests/properties/test_writers_of_encord.py",
        "tests/properties/test_writers_back.py",
    ),
    "folders": (
        "tests/unit/folders",
        "tests/conformance/test_folders.py",
        "tests/properties/test_changes.py",
        "tests/integration/test_synced_folder.py",
        "tests/integration/test_synced_runs.py",
        "tests/integration/test_output_owner.py",
        "tests/integration/test_changed_output.py",
        "tests/integration/test_checksum.py",
        "tests/integration/test_serve_outage.py",
    ),
}
"""The tests of each package, the quick ones first; the longest matching name counts.

A package's own doctests always run before."""


class Outcome(StrEnum):
    """What became of a mutant."""

    CAUGHT = "caught"
    TIMED_OUT = "timed out"
    """The tests did not end; counted as caught."""
    SURVIVED = "survived"
    EQUIVALENT = "equivalent"
    """Not run: the list of equivalents has it."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one module of the package."""

    module: str
    """Path of the module in the package, as `pairing/match.py`."""
    function: str
    text: str
    line: int
    number: int

    @property
    def tests(self) -> tuple[str, ...]:
        """Where the tests of its package are, doctests first."""
        parents = [parent.as_posix() for parent in Path(self.module).parents]
        package = next(name for name in parents if name in TESTS)
        return (f"labelingest/{package}", *TESTS[package])

    def __str__(self) -> str:
        return f"labelingest/{self.module}:{self.line}: {self.function}: {self.text}"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one mutant, and what the tests printed at the end."""

    mutant: Mutant
    outcome: Outcome
    seconds: float = 0.0
    output: str = ""


def mutants(packages: Iterable[str] = TESTS) -> list[Mutant]:
    """Return all mutants of some packages."""
    paths = {path for name in packages for path in (ROOT / "labelingest" / name).rglob("*.py")}
    return [
        Mutant(
            path.relative_to(ROOT / "labelingest").as_posix(),
            change.function,
            change.text,
            change.line,
            change.number,
        )
        for path in sorted(paths)
        for change in changes(path.read_text("utf-8"))
    ]


def sample(candidates: Iterable[Mutant], seed: int, count: int) -> list[Mutant]:
    """Return mutants at random, the same as long as their functions stay as they are."""

    def rank(mutant: Mutant) -> bytes:
        name = f"{seed} {mutant.module} {mutant.function} {mutant.text}"
        return hashlib.sha256(name.encode()).digest()

    return sorted(candidates, key=rank)[:count]


def equivalents() -> dict[tuple[str, str, str], str]:
    """Return why no test can tell these mutants from the original, by module, function, text."""
    entries = json.loads((Path(__file__).parent / "equivalent.json").read_text("utf-8"))
    return {
        (entry["module"], entry["function"], entry["change"]): entry["why"] for entry in entries
    }


def run(chosen: Iterable[Mutant], workers: int = 1) -> Iterator[Result]:
    """Run the tests against each mutant; results come in the order of the mutants.

    Raises
    ------
    RuntimeError
        The tests of a package fail without a mutant, so that they could say nothing.
    """
    reasons = equivalents()
    copies: SimpleQueue[Copy] = SimpleQueue()
    with TemporaryDirectory(prefix="mutants-") as folder, ThreadPoolExecutor(workers) as pool:
        for number in range(workers):
            copies.put(Copy.make(Path(folder) / str(number)))
        limits: dict[tuple[str, ...], float] = {}

        def tried(mutant: Mutant) -> Result:
            if (mutant.module, mutant.function, mutant.text) in reasons:
                return Result(mutant, Outcome.EQUIVALENT)
            with _taken(copies) as copy:
                return copy.test(mutant, limits[mutant.tests])

        def control(mutant: Mutant) -> float:
            with _taken(copies) as copy:
                return copy.control(mutant)

        chosen = list(chosen)
        first = {mutant.tests: mutant for mutant in chosen}
        for tests, seconds in zip(first, pool.map(control, first.values()), strict=True):
            limits[tests] = 20 + 4 * seconds
        yield from pool.map(tried, chosen)


@contextmanager
def _taken(copies: "SimpleQueue[Copy]") -> Iterator["Copy"]:
    copy = copies.get()
    try:
        yield copy
    finally:
        copies.put(copy)


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of the checkout in which one module at a time is another."""

    root: Path
    temporary: Path

    @classmethod
    def make(cls, folder: Path) -> "Copy":
        copy = cls(folder / "checkout", folder / "temporary")
        copy.root.mkdir(parents=True)
        for name in COPIED:
            if (ROOT / name).is_dir():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(ROOT / name, copy.root / name, ignore=ignored)
            else:
                shutil.copy(ROOT / name, copy.root / name)
        copy.check()
        return copy

    def check(self) -> None:
        """Check that programs that start here import the copy."""
        command = [sys.executable, "-c", "import labelingest; print(labelingest.__file__)"]
        path = subprocess.check_output(command, cwd=self.root, env=self.environment(), text=True)
        if not Path(path.strip()).is_relative_to(self.root):
            raise RuntimeError(f"tests would import {path.strip()}, not the copy in {self.root}")

    def control(self, mutant: Mutant) -> float:
        """Run the tests with a module that is written anew but unchanged; return the seconds."""
        source = (self.root / "labelingest" / mutant.module).read_text("utf-8")
        result = self._run(mutant, ast.unparse(ast.parse(source)), limit=1800)
        if result.outcome is not Outcome.SURVIVED:
            raise RuntimeError(f"without a change: {result.outcome}: {mutant}\n{result.output}")
        return result.seconds

    def test(self, mutant: Mutant, limit: float) -> Result:
        source = (self.root / "labelingest" / mutant.module).read_text("utf-8")
        return self._run(mutant, changed(source, mutant.number), limit)

    def _run(self, mutant: Mutant, source: str, limit: float) -> Result:
        path = self.root / "labelingest" / mutant.module
        original = path.read_text("utf-8")
        path.write_text(source, "utf-8")
        started = time.monotonic()
        try:
            code, output = self._pytest(mutant.tests, limit)
        finally:
            path.write_text(original, "utf-8")
            shutil.rmtree(self.temporary, ignore_errors=True)
        seconds = time.monotonic() - started
        if code is None:
            return Result(mutant, Outcome.TIMED_OUT, seconds, output)
        return Result(mutant, Outcome.CAUGHT if code else Outcome.SURVIVED, seconds, output)

    def environment(self) -> dict[str, str]:
        """Return the environment in which the copy is first on the path."""
        return {**os.environ, "PYTHONPATH": str(self.root), "CI": "true"}

    def _pytest(self, tests: Iterable[str], limit: float) -> tuple[int | None, str]:
        command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "--tb=line", "-p"]
        command += ["no:cacheprovider", f"--basetemp={self.temporary}", "-k", f"not ({SLOW})"]
        command += ["--hypothesis-profile=few", *tests]
        with subprocess.Popen(
            command,
            cwd=self.root,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        ) as process:
            resource.prlimit(process.pid, resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
            try:
                output, _ = process.communicate(timeout=limit)
            except subprocess.TimeoutExpired:
                _end(process.pid)
                return None, process.communicate()[0][-2000:]
            return process.returncode, output[-2000:]


def _end(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)

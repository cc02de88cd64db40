"""Run a target of the fuzzer: `python -m tests.fuzz.run TARGET --executions 1000000 --seed 7`.

One execution is one damaged document. It fails where something comes out that the reader does not
document, where an invariant of the target does not hold, where it takes longer than `--seconds`, or
where memory beyond `--megabytes` is needed. The document is kept, and its number and the seed give it again.
"""

# ruff: noqa: T201 - a program for people
import argparse
import random
import resource
import signal
import sys
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from time import monotonic
from types import FrameType

from tests.fuzz.targets import TARGETS

__all__ = ["Failure", "Outcome", "fuzz"]

SECONDS = 10.0
"""One execution at most: a thousand times what it takes."""
_MOST_FAILURES = 20


class TooSlowError(BaseException):
    """An execution took too long."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An execution that failed."""

    number: int
    content: bytes
    trace: str

    def __str__(self) -> str:
        return f"execution {self.number}, {self.content[:300]!r}:\n{self.trace}"


@dataclass(slots=True)
class Outcome:
    """What became of a run."""

    executions: int = 0
    failures: dict[str, Failure] = field(default_factory=dict)
    """Where it failed → the shortest document that did."""
    times: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


def _too_slow(number: int, frame: FrameType | None) -> None:
    raise TooSlowError


@contextmanager
def _beneath_the_fence() -> Iterator[None]:
    """Let unexpected exceptions through that the converter would make a problem of."""
    converting = import_module("labelingest.converter.converter")
    isolate_failures = converting.isolate_failures
    vars(converting)["isolate_failures"] = lambda work, files, give_up, join: work(slice(0, files))
    before = signal.signal(signal.SIGALRM, _too_slow)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        vars(converting)["isolate_failures"] = isolate_failures


def fuzz(name: str, executions: int, seed: int, *, seconds: float = SECONDS) -> Outcome:
    """Run a target.

    Parameters
    ----------
    name
        The target.
    executions, seed
        How many documents, and which.
    seconds
        One execution at most.
    """
    target, outcome = TARGETS[name](), Outcome()
    begin = monotonic()
    with _beneath_the_fence(), warnings.catch_warnings():
        warnings.simplefilter("error")
        for number in range(executions):
            rng = random.Random(f"{name}:{seed}:{number}")
            content = target.mutator.mutated(rng)
            signal.setitimer(signal.ITIMER_REAL, seconds)
            try:
                target.run(content, rng)
            except (Exception, TooSlowError) as error:  # noqa: BLE001 - this is what is looked for
                _note(outcome, error, Failure(number, content, traceback.format_exc(limit=-6)))
                if len(outcome.failures) >= _MOST_FAILURES:
                    break
            outcome.executions += 1
    signal.setitimer(signal.ITIMER_REAL, 0)
    outcome.seconds = monotonic() - begin
    return outcome


def _note(outcome: Outcome, error: BaseException, failure: Failure) -> None:
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{type(error).__name__} in {Path(last.filename).name}:{last.lineno}"
    outcome.times[place] += 1
    earlier = outcome.failures.get(place)
    if earlier is None or len(failure.content) < len(earlier.content):
        outcome.failures[place] = failure


def limit_memory(megabytes: int) -> None:
    """Let the process have so much memory more than it has."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (used + megabytes * 2**20, hard))


def main() -> None:
    """Run targets by hand."""
    parser = argparse.ArgumentParser(prog="tests.fuzz.run", description=__doc__)
    parser.add_argument("target", choices=(*TARGETS, "all"))
    parser.add_argument("--executions", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--megabytes", type=int, default=1_000)
    options = parser.parse_args()
    failed = False
    for name in TARGETS if options.target == "all" else [options.target]:
        limit_memory(options.megabytes)
        outcome = fuzz(name, options.executions, options.seed, seconds=options.seconds)
        print(
            f"{name}: {outcome.executions:,} executions of seed {options.seed} in "
            f"{outcome.seconds:.0f} s, {len(outcome.failures)} failures",
            flush=True,
        )
        for place, failure in outcome.failures.items():
            print(f"{outcome.times[place]} x {place}\n{failure}", flush=True)
        failed |= bool(outcome.failures)
    sys.exit(failed)


if __name__ == "__main__":
    main()

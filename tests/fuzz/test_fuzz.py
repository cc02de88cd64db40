"""Ten thousand damaged documents for each reader, the same ones every time.

Each target runs in a process of its own, which may need a bounded amount of memory more than it has.
`tests/fuzz/run.py` runs more of them by hand.
"""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.mutate import LONGEST, Mutator
from tests.fuzz.targets import TARGETS

EXECUTIONS = 10_000
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", TARGETS)
def test_a_reader_of_foreign_bytes_answers_with_rows_and_problems(name: str) -> None:
    command = [sys.executable, "-m", "tests.fuzz.run", name, "--executions", str(EXECUTIONS)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=ROOT)
    assert ran.returncode == 0, ran.stdout[-10_000:] + ran.stderr[-2_000:]
    assert f"{EXECUTIONS:,} executions" in ran.stdout


def test_the_same_seed_gives_the_same_documents() -> None:
    mutator = Mutator([b'{"a": [1, 2, {"b": "c"}]}', b"0 .5 .5 .2 .2\n"], [b"token"])
    first, second = (
        [mutator.mutated(random.Random(f"x:{number}")) for number in range(300)] for _ in range(2)
    )
    assert first == second
    assert len(set(first)) > 250
    assert max(map(len, first)) <= LONGEST

import ast
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.mutants import runs
from tests.mutants.changes import changed, changes
from tests.mutants.runs import Outcome, mutants, run, sample

SEED, COUNT, LEAST = 10, 20, 17

SOURCE = '''
"""A docstring with 1 number."""
from typing import Final

SIZE: Final = 5

@cache(size=5)
def first(values: list[1], low=0) -> "3":
    """Return 2."""
    if not values:
        return None
    return min(value for value in values[1:] if value > low and ok)
'''


def test_a_change_is_named_by_its_function_and_its_text() -> None:
    assert [str(change) for change in changes(SOURCE)] == [
        "<module>: SIZE: Final = 5 → SIZE: Final = 6",
        "<module>: SIZE: Final = 5 → SIZE: Final = 4",
        "first: values: list[1], low=0 → values: list[1], low=1",
        "first: values: list[1], low=0 → values: list[1], low=-1",
        "first: if not values: → (nothing)",
        "first: not values → values",
        "first: return None → (nothing)",
        "first: min((value for value in values[1:] if value > low and ok)) → "
        "max((value for value in values[1:] if value > low and ok))",
        "first: (value for value in values[1:] if value > low and ok) → "
        "(value for value in values[1:])",
        "first: values[1:] → values[:]",
        "first: values[1:] → values[2:]",
        "first: values[1:] → values[0:]",
        "first: value > low and ok → value > low or ok",
        "first: value > low and ok → not (value > low and ok)",
        "first: value > low → value >= low",
    ]


def test_every_change_makes_another_program() -> None:
    original = ast.unparse(ast.parse(SOURCE))
    programs = [changed(SOURCE, change.number) for change in changes(SOURCE)]
    assert len({original, *programs}) == len(programs) + 1
    for program in programs:
        compile(program, "changed", "exec")


def test_a_sample_outlives_changes_of_other_functions() -> None:
    candidates = mutants(["pairing"])
    chosen = sample(candidates, 1, 30)
    rest = [mutant for mutant in candidates if mutant.function != chosen[0].function]
    assert set(sample(rest, 1, 30)) >= {mutant for mutant in chosen if mutant in rest}


def test_what_is_called_equivalent_is_called_so_once_with_a_reason() -> None:
    reasons = runs.equivalents()
    assert all(len(why) > 20 for why in reasons.values())


def test_worker_processes_import_the_copy(tmp_path: Path) -> None:
    copy = runs.Copy.make(tmp_path / "copy")
    program = (
        "import labelingest.columns.fingerprints, os; from labelingest.engines.processes import ProcessEngine; "
        "[(path, _)] = ProcessEngine(1).map(labelingest.columns.fingerprints.where, [0]); print(path)"
    )
    with (copy.root / "labelingest" / "columns" / "fingerprints.py").open("a") as file:
        file.write("\n\ndef where(_):\n    import os\n    return __file__, os.getpid()\n")
    path = subprocess.check_output(
        [sys.executable, "-c", program], cwd=copy.root, env=copy.environment(), text=True
    )
    assert Path(path.strip()).is_relative_to(copy.root)


def test_tests_that_fail_without_a_mutant_say_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(runs.TESTS, "pairing", ("tests/unit/pairing/test_nothing.py",))
    with pytest.raises(RuntimeError, match="without a change"):
        list(run(mutants(["pairing"])[:1]))


def test_most_of_twenty_random_mutants_are_caught() -> None:
    # A mutant that no test can tell counts where the list says why. A survivor that a change of the
    # code brings into the sample gets a test, or an entry there.
    results = list(run(sample(mutants(), SEED, COUNT), workers=2))
    counts = Counter(result.outcome for result in results)
    survivors = [str(r.mutant) for r in results if r.outcome is Outcome.SURVIVED]
    caught = counts[Outcome.CAUGHT] + counts[Outcome.TIMED_OUT]
    assert caught + counts[Outcome.EQUIVALENT] >= LEAST, "\n".join(survivors)

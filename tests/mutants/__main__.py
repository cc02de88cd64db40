"""Make random mutants of the package and run the tests of their parts against each.

::

    python -m tests.mutants --count 300 --seed 7
    python -m tests.mutants --count 50 --seed 7 --package pairing --package readers/encord
    python -m tests.mutants --count 300 --seed 7 --results mutants.jsonl

Each line says what became of one mutant; the last one counts. A survivor gets a test that finds it,
or an entry in `equivalent.json` with a sentence why no test can. With `--results`, a run that was
stopped goes on where it was, and one that ended tries its survivors again.
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

from tests.mutants.runs import TESTS, Mutant, Outcome, Result, equivalents, mutants, run, sample


def main() -> int:
    options = _options()
    candidates = mutants(options.package or TESTS)
    _warn_of_stale_entries(mutants())
    chosen = sample(candidates, options.seed, options.count)
    settled = _settled(options.results)
    counts = Counter(settled[_key(mutant)] for mutant in chosen if _key(mutant) in settled)
    for result in run(
        [mutant for mutant in chosen if _key(mutant) not in settled], options.workers
    ):
        counts[result.outcome] += 1
        print(f"{result.outcome:12} {result.seconds:5.1f} s  {result.mutant}", flush=True)
        if options.results:
            _append(options.results, result)
    print(f"{len(chosen)} mutants:", ", ".join(f"{n} {name}" for name, n in counts.items()))
    judged = len(chosen) - counts[Outcome.EQUIVALENT]
    caught = counts[Outcome.CAUGHT] + counts[Outcome.TIMED_OUT]
    print(f"{caught} of {judged} caught ({caught / max(judged, 1):.1%})")
    return int(caught < judged)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--package", action="append", choices=sorted(TESTS))
    parser.add_argument("--workers", type=int, default=1, help="processes at once")
    parser.add_argument("--results", type=Path, help="JSON Lines to keep what became of each")
    return parser.parse_args()


def _warn_of_stale_entries(candidates: list[Mutant]) -> None:
    for entry in equivalents().keys() - {_key(mutant) for mutant in candidates}:
        print("no longer in the code:", *entry, file=sys.stderr)


def _key(mutant: Mutant) -> tuple[str, str, str]:
    return mutant.module, mutant.function, mutant.text


def _settled(path: Path | None) -> dict[tuple[str, str, str], Outcome]:
    """Return what need not be run again."""
    if path is None or not path.exists():
        return {}
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    outcomes = {(r["module"], r["function"], r["change"]): Outcome(r["outcome"]) for r in rows}
    return {key: outcome for key, outcome in outcomes.items() if outcome is not Outcome.SURVIVED}


def _append(path: Path, result: Result) -> None:
    module, function, text = _key(result.mutant)
    row = {"module": module, "function": function, "change": text, "outcome": result.outcome}
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit(main())

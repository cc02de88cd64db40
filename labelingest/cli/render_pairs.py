"""Print how the files of a folder pair, for people and as JSON."""

from shlex import quote
from typing import Any, Final

import numpy as np

from labelingest.cli.console import many, open_console, print_line, to_json
from labelingest.cli.render_keys import OUTCOMES, keys_equation, rule_text
from labelingest.cli.render_problems import print_log
from labelingest.config import IngestOptions
from labelingest.model.pairs import Outcome
from labelingest.pairing.near_misses.commands import Commands
from labelingest.pairing.rules import PatternRule, SuffixRule
from labelingest.pipeline import Paired
from labelingest.pipeline.commands import pair_command
from labelingest.problems.log import ProblemLog

__all__ = ["pairs_as_json", "print_pairs", "print_renames"]

_LISTED: Final = (
    Outcome.UNLABELLED,
    Outcome.COMPANION,
    Outcome.UNSUPPORTED,
    Outcome.IGNORED,
)
"""Outcomes whose keys are printed, if only by example."""
_EXAMPLES: Final = 3
"""Pairs, files of one outcome and problems of one code that are printed."""


def print_pairs(paired: Paired, config: IngestOptions) -> None:
    """Print how the files of a folder pair, on standard output."""
    console = open_console()
    rule = paired.rule
    print_line(
        console,
        paired.recognised or f"{'Suffix' if isinstance(rule, SuffixRule) else 'Patterns'} given",
        ": ",
        _rule_text(rule),
    )
    keys = paired.pairs.counts()
    print_line(console, keys_equation(keys))
    data = paired.listing.keys.take(paired.pairs.data[:_EXAMPLES])
    sidecars = paired.listing.keys.take(paired.pairs.sidecar[:_EXAMPLES])
    for key, sidecar in zip(data, sidecars, strict=True):
        print_line(console, f"  {key} ↔ {sidecar}")
    if len(paired.pairs) > len(data):
        print_line(console, f"  … and {many(len(paired.pairs) - len(data), 'more pair')}")
    for outcome in _LISTED:
        if keys[outcome]:
            examples = ", ".join(_keys(paired, outcome, _EXAMPLES))
            print_line(console, f"{many(keys[outcome], OUTCOMES[outcome])}, such as {examples}")
    log = ProblemLog()
    log.add([*paired.listing.problems, *paired.pairs.problems], {})
    print_log(console, log, most=_EXAMPLES)
    misses = paired.near_misses()
    for miss in misses:
        print_line(console, ("near miss ", "yellow"), str(miss))
    print_line(console, f"Next: {_next_step(paired, config, bool(misses))}")


def _next_step(paired: Paired, config: IngestOptions, has_misses: bool) -> str:
    command = pair_command(config, paired.rule)
    if len(paired.pairs):
        place = quote(config.storage_path)
        flags = command.removeprefix(f"labelingest pair {place}")
        return f"labelingest check {place} --ontology ontology.json{flags}"
    step = "set --images and --labels, or --suffix"
    if has_misses:
        return f"{step}, or follow the near misses"
    return f"{step}; {command} --why FILE says which name was looked for"


def print_renames(paired: Paired) -> None:
    """Print the commands that rename near misses, on standard output."""
    commands = Commands(paired.path)
    comment = "" if commands.can_move else "# "
    for miss in paired.near_misses():
        for keys in miss.renames:
            print(f"{comment}{commands.rename(*keys)}")


def _rule_text(rule: PatternRule | SuffixRule) -> str:
    if isinstance(rule, SuffixRule):
        return rule_text((), "", rule.suffix)
    return rule_text(rule.images, rule.labels, None)


def _rule_as_json(rule: PatternRule | SuffixRule) -> dict[str, Any]:
    if isinstance(rule, SuffixRule):
        return {"images": [], "labels": "", "suffix": rule.suffix}
    return {"images": list(rule.images), "labels": rule.labels, "suffix": None}


def _keys(paired: Paired, outcome: Outcome, most: int | None = None) -> list[str]:
    rows = np.flatnonzero(paired.pairs.outcome == outcome)[:most]
    return paired.listing.keys.take(rows)


def pairs_as_json(paired: Paired) -> bytes:
    """Return how the files of a folder pair, as JSON."""
    data = paired.listing.keys.take(paired.pairs.data)
    sidecars = paired.listing.keys.take(paired.pairs.sidecar)
    keys = paired.pairs.counts()
    misses = paired.near_misses()
    return to_json(
        {
            "format": paired.format,
            **_rule_as_json(paired.rule),
            "recognised": bool(paired.recognised),
            "keys": {
                "seen": sum(keys.values()),
                **{outcome.name.lower(): count for outcome, count in keys.items()},
            },
            "pairs": [list(both) for both in zip(data, sidecars, strict=True)],
            "companions": _keys(paired, Outcome.COMPANION),
            "problems": [p.as_dict() for p in (*paired.listing.problems, *paired.pairs.problems)],
            "near_misses": [str(miss) for miss in misses],
            "renames": [list(keys) for miss in misses for keys in miss.renames],
        }
    )

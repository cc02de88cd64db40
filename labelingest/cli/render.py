"""Results for people: tables and sentences. What the numbers mean is decided elsewhere.

Names come from files and are data: they are printed as text, never as markup, with control
characters escaped.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from labelingest.config import IngestConfig
from labelingest.model.ontology import Ontology
from labelingest.model.pairs import Outcome
from labelingest.pipeline import Paired, as_flags
from labelingest.problems import SEVERITY, Problem, ProblemCode, Severity, printable
from labelingest.report import Report
from labelingest.resolution.class_map import ClassMapping

__all__ = [
    "classes_as_json",
    "pairs_as_json",
    "print_classes",
    "print_pairs",
    "print_report",
    "say",
]

_SHOWN_EXAMPLES: Final = 2
_SHOWN_PAIRS: Final = 3

_OUTCOMES: Final[Mapping[Outcome, str]] = {
    Outcome.PAIRED: "paired data file",
    Outcome.UNLABELLED: "unlabelled data file",
    Outcome.AMBIGUOUS: "ambiguous data file",
    Outcome.SIDECAR: "sidecar",
    Outcome.ORPHAN_SIDECAR: "orphan sidecar",
    Outcome.AMBIGUOUS_SIDECAR: "ambiguous sidecar",
    Outcome.METADATA_SIDECAR: "metadata sidecar",
    Outcome.UNSUPPORTED: "unsupported file",
    Outcome.IGNORED: "ignored file",
}

_NEXT_STEPS: Final[Mapping[ProblemCode, str]] = {
    ProblemCode.UNKNOWN_CLASS: "labelingest classes {ontology} shows which numbers are mapped; map "
    "others with --map NUMBER=OBJECT",
    ProblemCode.ORPHAN_SIDECAR: "labelingest pair {storage_path} shows why label files found no "
    "data file",
    ProblemCode.AMBIGUOUS_PAIR: "remove or rename one of the files that claim the same partner",
    ProblemCode.AMBIGUOUS_COLUMNS: "declare the columns with --row-layout",
    ProblemCode.WRONG_COLUMN_COUNT: "check --row-layout against the first lines of a label file",
    ProblemCode.OUT_OF_RANGE: "divide pixel coordinates by the image's size, or look at "
    "--out-of-range",
    ProblemCode.IMAGE_SIZE_UNKNOWN: "replace the images whose headers cannot be read",
}
"""The first of these codes that occurs gives the next step."""


def say(sentence: str) -> None:
    """Print a sentence for people on standard error."""
    _print(Console(stderr=True), sentence)


def _print(console: Console, *parts: str | tuple[str, str]) -> None:
    text = Text.assemble(
        *[printable(p) if isinstance(p, str) else (printable(p[0]), p[1]) for p in parts]
    )
    # Long lines are left to the terminal: a wrapped path can be neither clicked nor copied.
    console.print(text, soft_wrap=True, highlight=False)


def _cell(text: str, style: str = "") -> Text:
    return Text(printable(text), style=style)


def print_report(report: Report, config: IngestConfig) -> None:
    """Print what a run did: accounting, changes, problems, next step."""
    console = Console(stderr=True)
    layout = as_flags_text(report.images, report.labels)
    _print(console, "Layout     ", "recognised: " if report.recognised else "", layout)
    source = f"namespace {report.namespace}" if report.namespace else "class numbers by hand"
    _print(console, "Ontology   ", f"{report.ontology} ({source})")
    _print(console, "Keys       ", _keys_equation(report.keys))
    if report.unlabelled:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in report.unlabelled.items())
        _print(console, "           unlabelled: ", kinds)
    tally = report.tally
    rejected = ", ".join(f"{code} {count:,}" for code, count in tally.rejected.most_common())
    _print(
        console,
        "Rows       ",
        f"{tally.rows_seen:,} seen = {_many(tally.annotations, 'annotation')} "
        f"+ {tally.rejected.total():,} rejected",
        f" ({rejected})" if rejected else "",
    )
    _print(
        console,
        "Label rows ",
        f"{tally.label_rows:,}, of which {tally.empty_label_rows:,} labelled as empty; "
        f"{_many(tally.failed_files, 'file')} failed",
    )
    _print_changes(console, report)
    if not report.balance():
        _print(console, ("The books do not balance: please report this.", "bold red"))
    _print_problems(console, report)
    _print_outcome(console, report, config)


def as_flags_text(images: Sequence[str], labels: str) -> str:
    """Return patterns for people.

    Examples
    --------
    >>> as_flags_text(["a/{name}.jpg", "a/{name}.png"], "b/{name}.txt")
    'a/{name}.jpg, a/{name}.png ↔ b/{name}.txt'
    """
    return f"{', '.join(images)} ↔ {labels}"


def _keys_equation(keys: Mapping[Outcome, int]) -> str:
    terms = [_many(count, _OUTCOMES[outcome]) for outcome, count in keys.items() if count]
    return f"{sum(keys.values()):,} seen = {' + '.join(terms)}"


def _print_changes(console: Console, report: Report) -> None:
    tally = report.tally
    changes = {**tally.converted, **tally.adjusted}
    lines = [f"{count:,} {name}" for name, count in sorted(changes.items())]
    lines += [f"{count:,} {name} dropped" for name, count in sorted(tally.dropped.items())]
    refitted = tally.refitted.steps.total()
    if refitted:
        lines.append(
            f"{refitted:,} corners are no rectangles, now the smallest around them: they miss by "
            f"{tally.refitted.median():.1f} px (median), {tally.refitted.largest:.1f} px (largest)"
        )
    for number, line in enumerate(lines):
        _print(console, "           " if number else "Changed    ", line)


def _print_problems(console: Console, report: Report) -> None:
    totals = report.log.totals
    by_weight = sorted(totals, key=lambda code: (SEVERITY[code], -totals[code], code))
    for code in by_weight:
        severity = SEVERITY[code]
        style = "red" if severity is Severity.ERROR else "yellow"
        _print(console, (f"{severity} ", style), (code.value, "bold"), f" × {totals[code]:,}")
        examples = report.log.examples[code][:_SHOWN_EXAMPLES]
        for problem in examples:
            place = f"{problem.place}: " if problem.place else ""
            _print(console, f"  {place}{problem.detail}")
        others = totals[code] - sum(problem.count for problem in examples)
        if others > 0:
            _print(console, f"  … and {others:,} more")


def _print_outcome(console: Console, report: Report, config: IngestConfig) -> None:
    style = "red" if report.errors else "yellow" if report.warnings else "green"
    counts = f"{_many(report.errors, 'error')}, {_many(report.warnings, 'warning')}"
    if report.out is None:
        _print(console, (counts, f"bold {style}"), ": nothing was written")
    else:
        rows = _many(report.tally.label_rows, "label row")
        seconds = sum(report.seconds.values())
        rate = f"{seconds:.1f} s, {report.tally.label_rows / max(seconds, 1e-9):,.0f} files/s"
        _print(console, (counts, f"bold {style}"), f": {rows} in {report.out} ({rate})")
    code = next((code for code in _NEXT_STEPS if code in report.log.totals), None)
    if code is not None:
        step = _NEXT_STEPS[code].format(ontology=config.ontology, storage_path=config.storage_path)
        _print(console, "Next: ", step)
    if (report.errors or report.warnings) and config.problems is None:
        _print(console, "All problems, one a line: --problems problems.jsonl")


def _many(count: int, noun: str) -> str:
    """Return a count with its noun.

    Examples
    --------
    >>> _many(1, "error"), _many(1000, "error")
    ('1 error', '1,000 errors')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _examples(paired: Paired, outcome: Outcome, count: int) -> list[str]:
    rows = np.flatnonzero(paired.pairs.outcome == outcome)[:count]
    return paired.listing.keys.take(rows)


def print_pairs(paired: Paired) -> None:
    """Print how the files of a folder pair, on standard output."""
    console = Console()
    rule = paired.rule
    _print(
        console,
        paired.recognised or "Patterns given",
        ": ",
        as_flags_text(rule.images, rule.labels),
    )
    keys = paired.pairs.counts()
    _print(console, _keys_equation(keys))
    data = paired.listing.keys.take(paired.pairs.data[:_SHOWN_PAIRS])
    sidecars = paired.listing.keys.take(paired.pairs.sidecar[:_SHOWN_PAIRS])
    for key, sidecar in zip(data, sidecars, strict=True):
        _print(console, f"  {key} ↔ {sidecar}")
    if len(paired.pairs) > len(data):
        _print(console, f"  … and {len(paired.pairs) - len(data):,} more pairs")
    for outcome in (Outcome.UNLABELLED, Outcome.UNSUPPORTED, Outcome.IGNORED):
        if keys[outcome]:
            examples = ", ".join(_examples(paired, outcome, _SHOWN_PAIRS))
            _print(console, f"{_many(keys[outcome], _OUTCOMES[outcome])}, as {examples}")
    problems = [*paired.listing.problems, *paired.pairs.problems]
    _print_listed(console, problems)
    misses = paired.near_misses()
    for miss in misses:
        _print(console, ("near miss ", "yellow"), str(miss))
    _print(console, f"Next: labelingest check {paired.path} --ontology … {as_flags(rule)}")


def _print_listed(console: Console, problems: Sequence[Problem]) -> None:
    """Print problems by code, the first of each."""
    by_code: dict[ProblemCode, list[Problem]] = {}
    for problem in problems:
        by_code.setdefault(problem.code, []).append(problem)
    for code, listed in by_code.items():
        style = "red" if SEVERITY[code] is Severity.ERROR else "yellow"
        count = sum(problem.count for problem in listed)
        _print(console, (f"{SEVERITY[code]} ", style), (code.value, "bold"), f" × {count:,}")
        for problem in listed[:_SHOWN_PAIRS]:
            _print(console, f"  {problem.place}: {problem.detail}")
        if len(listed) > _SHOWN_PAIRS:
            _print(console, f"  … and {len(listed) - _SHOWN_PAIRS:,} more")


def pairs_as_json(paired: Paired) -> bytes:
    """Return how the files of a folder pair, as JSON."""
    from labelingest.report import problem_dict

    data = paired.listing.keys.take(paired.pairs.data)
    sidecars = paired.listing.keys.take(paired.pairs.sidecar)
    keys = paired.pairs.counts()
    return _dumps(
        {
            "images": list(paired.rule.images),
            "labels": paired.rule.labels,
            "recognised": bool(paired.recognised),
            "keys": {
                "seen": sum(keys.values()),
                **{outcome.name.lower(): count for outcome, count in keys.items()},
            },
            "pairs": [list(both) for both in zip(data, sidecars, strict=True)],
            "problems": [
                problem_dict(p) for p in (*paired.listing.problems, *paired.pairs.problems)
            ],
            "near_misses": [str(miss) for miss in paired.near_misses()],
        }
    )


def print_classes(ontology: Ontology, mapping: ClassMapping) -> None:
    """Print a class map on standard output: namespaces, choice, and each number's object."""
    console = Console()
    choice = mapping.namespace
    if choice is None:
        _print(console, "No namespaces: no object has external IDs; all numbers are mapped by hand")
    else:
        listed = ", ".join(
            f"{name} ({_many(n, 'object')})" for name, n in choice.namespaces.items()
        )
        _print(console, f"Namespaces: {listed}")
        _print(console, f"Chosen: {choice.name}: {choice.reason}")
    table = Table("number", "object", "shape", "feature hash", "from", box=None, pad_edge=False)
    for entry in mapping.entries:
        mapped = ontology.objects[entry.feature]
        cells = (str(entry.number), mapped.name, mapped.shape, mapped.feature_hash, entry.origin)
        table.add_row(*(_cell(text) for text in cells))
    console.print(table)
    _print_listed(console, mapping.problems)
    unmapped = len(ontology.objects) - len({entry.feature for entry in mapping.entries})
    _print(
        console,
        f"{_many(len(mapping.entries), 'class number')}; {_many(unmapped, 'object')} without",
    )


def classes_as_json(ontology: Ontology, mapping: ClassMapping) -> bytes:
    """Return a class map as JSON."""
    from labelingest.report import problem_dict

    choice = mapping.namespace
    return _dumps(
        {
            "namespaces": dict(choice.namespaces) if choice else {},
            "namespace": choice.name if choice else None,
            "reason": choice.reason if choice else None,
            "classes": [
                {
                    "number": entry.number,
                    "name": ontology.objects[entry.feature].name,
                    "shape": ontology.objects[entry.feature].shape,
                    "feature_hash": ontology.objects[entry.feature].feature_hash,
                    "from": entry.origin,
                }
                for entry in mapping.entries
            ],
            "problems": [problem_dict(problem) for problem in mapping.problems],
        }
    )


def _dumps(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)

"""Results for people: tables and sentences. What the numbers mean is decided elsewhere.

Names come from files and are data: they are printed as text, never as markup, with control
characters escaped.
"""

from collections.abc import Mapping, Sequence
from shlex import quote
from typing import Any, Final

import numpy as np
import orjson
from rich.console import Console

from labelingest.cli.console import many as _many
from labelingest.cli.console import not_looked_at, open_console, print_columns, print_line
from labelingest.config import IngestConfig
from labelingest.formats import target_format
from labelingest.model.ontology import Ontology
from labelingest.model.pairs import Outcome
from labelingest.pairing.rules import PatternRule, SuffixRule
from labelingest.pipeline import Paired, as_flags
from labelingest.pipeline.from_config import pairing_rule
from labelingest.problems import SEVERITY, Problem, ProblemCode, Severity
from labelingest.problems.log import ProblemLog
from labelingest.report import Report
from labelingest.resolution.class_map import ClassMapping
from labelingest.resolution.class_numbers import why_without_number

__all__ = [
    "classes_as_json",
    "pairs_as_json",
    "print_classes",
    "print_log",
    "print_objects",
    "print_pairs",
    "print_report",
    "say",
    "say_unexpected",
]

_SHOWN_EXAMPLES: Final = 2
_SHOWN_PAIRS: Final = 3
_SHOWN_OBJECTS: Final = 10

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

_HEADING_WIDTH: Final = 11
"""Characters of the first column of a report: the longest heading and a space."""

_NEXT_STEPS: Final[Mapping[ProblemCode, str]] = {
    ProblemCode.UNKNOWN_CLASS: "labelingest classes {ontology} shows which numbers are mapped; map "
    "others with --map NUMBER=OBJECT",
    ProblemCode.NO_CLASS_NUMBER: "labelingest classes {ontology} shows which objects have numbers; "
    "add others with --map NUMBER=OBJECT",
    ProblemCode.ORPHAN_SIDECAR: "labelingest pair {storage_path}{patterns} shows why label files found no "
    "data file",
    ProblemCode.AMBIGUOUS_PAIR: "remove or rename one of the files that claim the same partner",
    ProblemCode.AMBIGUOUS_COLUMNS: "declare the columns with --row-layout",
    ProblemCode.WRONG_COLUMN_COUNT: "check --row-layout against the first lines of a label file",
    ProblemCode.OUT_OF_RANGE: "divide pixel coordinates by the image's size, or look at "
    "--out-of-range",
    ProblemCode.IMAGE_SIZE_UNKNOWN: "replace the images whose headers cannot be read",
}
"""The first of these codes that occurs gives the next step."""
_NEXT_STEPS_OF_SIDECARS: Final[Mapping[ProblemCode, str]] = {
    ProblemCode.WRONG_DATA_TYPE: "labelingest show SIDECAR shows what a sidecar is about",
    ProblemCode.UNKNOWN_CLASS: "check that {ontology} is the ontology that the sidecars were made "
    "with",
    **{
        code: _NEXT_STEPS[code]
        for code in (
            ProblemCode.NO_CLASS_NUMBER,
            ProblemCode.ORPHAN_SIDECAR,
            ProblemCode.IMAGE_SIZE_UNKNOWN,
        )
    },
}
"""The same where sidecars are label rows."""

_UNEXPECTED: Final[Mapping[ProblemCode, str]] = {
    ProblemCode.INTERNAL_ERROR: "an unexpected failure of labelingest cost {files}, the others went on",
    ProblemCode.OUT_OF_MEMORY: "memory ran out over {files}, the others went on",
}


def say(sentence: str) -> None:
    """Print a sentence for people on standard error."""
    print_line(open_console(stderr=True), sentence)


def say_unexpected(log: ProblemLog) -> None:
    """Say on standard error what failures of the program cost, if there were any."""
    for code, what in _UNEXPECTED.items():
        if log.totals[code]:
            files = _many(log.totals[code], "file")
            say(f"labelingest: {what.format(files=files)} ({code}); first {log.examples[code][0]}")


def print_report(report: Report, config: IngestConfig) -> None:
    """Print what a run did: accounting, changes, problems, next step."""
    console = open_console(stderr=True)
    layout = rule_text(report.images, report.labels, report.suffix)
    print_line(console, "Layout     ", "recognised: " if report.recognised else "", layout)
    print_line(console, "Ontology   ", f"{report.ontology} ({_source(report)})")
    print_line(console, "Keys       ", _keys_equation(report.keys))
    if report.places_not_listed:
        print_line(console, "           ", not_looked_at(report.places_not_listed))
    if report.unlabelled:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in report.unlabelled.items())
        print_line(console, "           unlabelled: ", kinds)
    tally = report.tally
    rejected = ", ".join(f"{code} {count:,}" for code, count in tally.rejected.most_common())
    print_line(
        console,
        "Rows       ",
        f"{tally.rows_seen:,} seen = {_many(tally.annotations, 'annotation')} ",
        _classifications(report),
        f"+ {tally.rejected.total():,} rejected",
        f" ({rejected})" if rejected else "",
    )
    print_line(
        console,
        target_format(report.to).heading.ljust(_HEADING_WIDTH),
        f"{tally.label_rows:,}, of which {tally.empty_label_rows:,} labelled as empty; "
        f"{_many(tally.failed_files, 'file')} failed",
    )
    _print_changes(console, report)
    if not report.balance():
        print_line(console, ("The books do not balance: please report this.", "bold red"))
    print_log(console, report.log)
    _print_outcome(console, report, config)


def _classifications(report: Report) -> str:
    count = report.tally.classifications
    left_out = "" if target_format(report.to).keeps_classifications else "left out "
    return f"+ {_many(count, 'classification')} {left_out}" if count else ""


def _source(report: Report) -> str:
    """Return by what labels name their classes."""
    if report.namespace:
        return f"namespace {report.namespace}"
    return "class numbers by hand" if report.suffix is None else "feature hashes"


def rule_text(images: Sequence[str], labels: str, suffix: str | None) -> str:
    """Return patterns, or a suffix, for people.

    Examples
    --------
    >>> rule_text(["a/{name}.jpg", "a/{name}.png"], "b/{name}.txt", None)
    'a/{name}.jpg, a/{name}.png ↔ b/{name}.txt'
    >>> rule_text([], "", ".encord.json")
    'KEY ↔ KEY.encord.json'
    """
    if suffix is not None:
        return f"KEY ↔ KEY{suffix}"
    return f"{', '.join(images)} ↔ {labels}"


def _keys_equation(keys: Mapping[Outcome, int]) -> str:
    terms = [_many(count, _OUTCOMES[outcome]) for outcome, count in keys.items() if count]
    equation = f" = {' + '.join(terms)}" if terms else ""
    return f"{sum(keys.values()):,} seen{equation}"


def _print_changes(console: Console, report: Report) -> None:
    tally = report.tally
    changes = {**tally.converted, **tally.adjusted}
    lines = [f"{count:,} {name}" for name, count in sorted(changes.items())]
    lines += [f"{count:,} {name} dropped" for name, count in sorted(tally.dropped.items())]
    refitted = tally.refitted.steps.total()
    if refitted:
        is_single = refitted == 1
        lines.append(
            f"{_many(refitted, 'row')} of corners {'is no rectangle' if is_single else 'are no rectangles'}"
            f", now the smallest around {'it: it misses' if is_single else 'them: they miss'} by "
            f"{tally.refitted.median():.1f} px (median), {tally.refitted.largest:.1f} px (largest)"
        )
    for number, line in enumerate(lines):
        print_line(console, "           " if number else "Changed    ", line)


def print_log(console: Console, log: ProblemLog) -> None:
    """Print the problems of a run by code, the first of each."""
    totals = log.totals
    by_weight = sorted(totals, key=lambda code: (SEVERITY[code], -totals[code], code))
    for code in by_weight:
        severity = SEVERITY[code]
        style = "red" if severity is Severity.ERROR else "yellow"
        print_line(console, (f"{severity} ", style), (code.value, "bold"), f" × {totals[code]:,}")
        examples = log.examples[code][:_SHOWN_EXAMPLES]
        for problem in examples:
            place = f"{problem.place}: " if problem.place else ""
            print_line(console, f"  {place}{problem.detail}")
        others = totals[code] - sum(problem.count for problem in examples)
        if others > 0:
            print_line(console, f"  … and {others:,} more")


def _print_outcome(console: Console, report: Report, config: IngestConfig) -> None:
    style = "red" if report.errors else "yellow" if report.warnings else "green"
    counts = f"{_many(report.errors, 'error')}, {_many(report.warnings, 'warning')}"
    if report.out is None:
        print_line(console, (counts, f"bold {style}"), ": nothing was written")
    else:
        rows = _many(report.tally.label_rows, target_format(report.to).noun)
        seconds = sum(report.seconds.values())
        rate = f"{seconds:.1f} s, {report.tally.label_rows / max(seconds, 1e-9):,.0f} files/s"
        print_line(console, (counts, f"bold {style}"), f": {rows} in {report.out} ({rate})")
    steps = _NEXT_STEPS if report.suffix is None else _NEXT_STEPS_OF_SIDECARS
    code = next((code for code in steps if code in report.log.totals), None)
    if code is not None:
        rule = pairing_rule(config)
        step = steps[code].format(
            ontology=quote(config.ontology),
            storage_path=quote(config.storage_path),
            patterns=f" {as_flags(rule)}" if rule else "",
        )
        print_line(console, "Next: ", step)
    if (report.errors or report.warnings) and config.problems is None:
        print_line(console, "All problems, one a line: --problems problems.jsonl")


def _examples(paired: Paired, outcome: Outcome, count: int) -> list[str]:
    rows = np.flatnonzero(paired.pairs.outcome == outcome)[:count]
    return paired.listing.keys.take(rows)


def print_pairs(paired: Paired) -> None:
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
    print_line(console, _keys_equation(keys))
    data = paired.listing.keys.take(paired.pairs.data[:_SHOWN_PAIRS])
    sidecars = paired.listing.keys.take(paired.pairs.sidecar[:_SHOWN_PAIRS])
    for key, sidecar in zip(data, sidecars, strict=True):
        print_line(console, f"  {key} ↔ {sidecar}")
    if len(paired.pairs) > len(data):
        print_line(console, f"  … and {_many(len(paired.pairs) - len(data), 'more pair')}")
    for outcome in (Outcome.UNLABELLED, Outcome.UNSUPPORTED, Outcome.IGNORED):
        if keys[outcome]:
            examples = ", ".join(_examples(paired, outcome, _SHOWN_PAIRS))
            print_line(console, f"{_many(keys[outcome], _OUTCOMES[outcome])}, as {examples}")
    problems = [*paired.listing.problems, *paired.pairs.problems]
    _print_listed(console, problems)
    misses = paired.near_misses()
    for miss in misses:
        print_line(console, ("near miss ", "yellow"), str(miss))
    if len(paired.pairs):
        step = f"labelingest check {quote(paired.path)} --ontology ontology.json {as_flags(rule)}"
    else:
        step = "say with --images and --labels, or with --suffix, how files pair"
        step += ", or do what the near misses say" if misses else ""
    print_line(console, f"Next: {step}")


def _rule_text(rule: PatternRule | SuffixRule) -> str:
    if isinstance(rule, SuffixRule):
        return rule_text((), "", rule.suffix)
    return rule_text(rule.images, rule.labels, None)


def _rule_as_json(rule: PatternRule | SuffixRule) -> dict[str, Any]:
    if isinstance(rule, SuffixRule):
        return {"images": [], "labels": "", "suffix": rule.suffix}
    return {"images": list(rule.images), "labels": rule.labels, "suffix": None}


def _print_listed(console: Console, problems: Sequence[Problem]) -> None:
    """Print problems by code, the first of each."""
    by_code: dict[ProblemCode, list[Problem]] = {}
    for problem in problems:
        by_code.setdefault(problem.code, []).append(problem)
    for code, problems_of_code in by_code.items():
        style = "red" if SEVERITY[code] is Severity.ERROR else "yellow"
        count = sum(problem.count for problem in problems_of_code)
        print_line(console, (f"{SEVERITY[code]} ", style), (code.value, "bold"), f" × {count:,}")
        for problem in problems_of_code[:_SHOWN_PAIRS]:
            print_line(console, f"  {problem.place}: {problem.detail}")
        if len(problems_of_code) > _SHOWN_PAIRS:
            print_line(console, f"  … and {len(problems_of_code) - _SHOWN_PAIRS:,} more")


def pairs_as_json(paired: Paired) -> bytes:
    """Return how the files of a folder pair, as JSON."""
    data = paired.listing.keys.take(paired.pairs.data)
    sidecars = paired.listing.keys.take(paired.pairs.sidecar)
    keys = paired.pairs.counts()
    return _dumps(
        {
            "format": paired.format,
            **_rule_as_json(paired.rule),
            "recognised": bool(paired.recognised),
            "keys": {
                "seen": sum(keys.values()),
                **{outcome.name.lower(): count for outcome, count in keys.items()},
            },
            "pairs": [list(both) for both in zip(data, sidecars, strict=True)],
            "problems": [p.as_dict() for p in (*paired.listing.problems, *paired.pairs.problems)],
            "near_misses": [str(miss) for miss in paired.near_misses()],
        }
    )


def print_classes(ontology: Ontology, mapping: ClassMapping) -> None:
    """Print a class map on standard output: namespaces, choice, and each number's object."""
    console = open_console()
    choice = mapping.namespace
    if choice is None:
        print_line(
            console, "No namespaces: no object has external IDs; all numbers are mapped by hand"
        )
    else:
        counted = ", ".join(
            f"{name} ({_many(n, 'object')})" for name, n in choice.namespaces.items()
        )
        print_line(console, f"Namespaces: {counted}")
        print_line(console, f"Chosen: {choice.name}: {choice.reason}")
    rows = [("number", "object", "shape", "feature hash", "from")]
    for entry in mapping.entries:
        mapped = ontology.objects[entry.feature]
        rows.append(
            (str(entry.number), mapped.name, mapped.shape, mapped.feature_hash, entry.origin)
        )
    print_columns(console, rows)
    _print_listed(console, mapping.problems)
    mapped_rows = {entry.feature for entry in mapping.entries}
    unmapped = [o for index, o in enumerate(ontology.objects) if index not in mapped_rows]
    counts = (
        f"{_many(len(mapping.entries), 'class number')}; {_many(len(unmapped), 'object')} without"
    )
    print_line(console, counts + (":" if unmapped else ""))
    for unnumbered in unmapped[:_SHOWN_OBJECTS]:
        reason = why_without_number(unnumbered, choice.name if choice else None)
        print_line(console, f"  {unnumbered.name} ({unnumbered.feature_hash}): {reason}")
    if len(unmapped) > _SHOWN_OBJECTS:
        print_line(console, f"  … and {len(unmapped) - _SHOWN_OBJECTS:,} more")


def print_objects(ontology: Ontology, path: str) -> None:
    """Print the objects of an ontology without external IDs on standard output, to map them."""
    console = open_console()
    print_line(console, "No namespaces: no object has external IDs, so no class number is mapped")
    rows = [("number", "object", "shape", "feature hash", "")]
    for entry in ontology.objects:
        reason = why_without_number(entry, None)
        note = "" if reason == "no external ID" else reason
        rows.append(("—", entry.name, entry.shape, entry.feature_hash, note))
    print_columns(console, rows)
    fitting = [f for f in ontology.objects if why_without_number(f, None) == "no external ID"]
    names = [entry.name for entry in ontology.objects]
    if fitting:
        entry = fitting[0]
        # A name that two objects have means neither of them.
        name = entry.name if names.count(entry.name) == 1 else entry.feature_hash
        print_line(
            console, f"Map by hand: labelingest classes {quote(path)} --map {quote(f'0={name}')}"
        )


def classes_as_json(ontology: Ontology, mapping: ClassMapping) -> bytes:
    """Return a class map as JSON."""
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
            "problems": [problem.as_dict() for problem in mapping.problems],
        }
    )


def _dumps(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)

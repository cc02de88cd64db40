"""Print the report of a run for people: accounting, changes, problems and the next step.

Names come from files and are data: they are printed as text, never as markup, with control
characters escaped.
"""

from collections.abc import Mapping
from shlex import quote
from typing import TYPE_CHECKING, Final

from labelingest.class_lists.verdicts import disagreement_lines, summary
from labelingest.cli.console import (
    Console,
    kinds_of_files,
    many,
    open_console,
    places_sentence,
    print_line,
    print_message,
)
from labelingest.cli.render_class_counts import print_class_counts
from labelingest.cli.render_keys import files_equation, keys_equation, rule_text
from labelingest.cli.render_layout import print_layout
from labelingest.cli.render_problems import print_log
from labelingest.formats import target_format
from labelingest.pairing.near_misses.shell import shell_word
from labelingest.pipeline.commands import dialect_command, pair_command
from labelingest.problems import ProblemCode
from labelingest.problems.log import ProblemLog
from labelingest.report import Report

if TYPE_CHECKING:
    from labelingest.config import IngestConfig

__all__ = ["print_report", "print_unexpected"]

_HEADING_WIDTH: Final = 11
"""Characters of the first column of a report: the longest heading and a space."""

_MOST_LISTS: Final = 10
"""Class lists that a report shows; the JSON report has all."""

_NEXT_STEPS: Final[Mapping[ProblemCode, str]] = {
    ProblemCode.CLASS_NAMES_DISAGREE: "correct the external IDs of {ontology}, or name the right list "
    "with --class-list; if the ontology is right: --accept-class-names",
    ProblemCode.UNKNOWN_CLASS: "labelingest classes {ontology} shows which numbers are mapped; map "
    "others with --map NUMBER=OBJECT",
    ProblemCode.NO_CLASS_NUMBER: "labelingest classes {ontology} shows which objects have numbers; "
    "add others with --map NUMBER=OBJECT",
    ProblemCode.ORPHAN_SIDECAR: "{pair_command} --why {first} shows why this label file found no data "
    "file; without --why, it shows all near misses",
    ProblemCode.AMBIGUOUS_PAIR: "remove or rename one of the files that claim the same partner",
    ProblemCode.LAYOUT_CONTRADICTED: "{dialect_command} shows the rows that decided",
    ProblemCode.AMBIGUOUS_COLUMNS: "declare the columns with --row-layout",
    ProblemCode.WRONG_COLUMN_COUNT: "check --row-layout against the first lines of a label file",
    ProblemCode.OUT_OF_RANGE: "divide pixel coordinates by the image's size, or look at "
    "--out-of-range",
    ProblemCode.IMAGE_SIZE_UNKNOWN: "replace the images whose headers cannot be read",
}
"""Next step by problem code; the first code that occurs decides."""
_NEXT_STEPS_OF_SIDECARS: Final[Mapping[ProblemCode, str]] = {
    ProblemCode.WRONG_DATA_TYPE: "labelingest show SIDECAR shows the contents of a sidecar",
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
"""Next step by problem code, where the sidecars are label rows."""

_UNEXPECTED: Final[Mapping[ProblemCode, str]] = {
    ProblemCode.INTERNAL_ERROR: "an unexpected failure of labelingest cost {files}; all others were processed",
    ProblemCode.OUT_OF_MEMORY: "memory ran out over {files}; all others were processed",
}


def print_unexpected(log: ProblemLog) -> None:
    """Print the cost of unexpected failures on standard error, if there were any."""
    for code, sentence in _UNEXPECTED.items():
        if log.totals[code]:
            files = many(log.totals[code], "file")
            first = log.examples[code][0]
            print_message(f"labelingest: {sentence.format(files=files)} ({code}); first: {first}")


def print_report(report: Report, config: "IngestConfig") -> None:
    """Print accounting, changes, problems and next step of a run."""
    console = open_console(stderr=True)
    layout = rule_text(report.images, report.labels, report.suffix)
    print_line(console, "Layout     ", "recognised: " if report.recognised else "", layout)
    print_line(console, "Ontology   ", f"{report.ontology} ({_source(report)})")
    for notice in report.notices:
        print_line(console, "           ", notice)
    _print_class_lists(console, report)
    print_layout(console, report.layout)
    print_line(console, "Keys       ", keys_equation(report.keys))
    if report.places_not_listed:
        print_line(console, "           ", places_sentence(report.places_not_listed))
    if report.unlabelled:
        print_line(console, "           unlabelled: ", kinds_of_files(report.unlabelled))
    tally = report.tally
    rejected = ", ".join(f"{code} {count:,}" for code, count in tally.rejected.most_common())
    print_line(
        console,
        "Rows       ",
        f"{tally.rows_seen:,} seen = {many(tally.annotations, 'annotation')} ",
        _classifications(report),
        f"+ {tally.rejected.total():,} rejected",
        f" ({rejected})" if rejected else "",
    )
    _print_files(console, report)
    if report.failed.total:
        print_line(console, "Errors in  ", files_equation(report.failed))
    if not report.stopped:
        print_class_counts(console, report.classes.as_dict(tally.classes))
    _print_changes(console, report)
    if not report.balance():
        print_line(console, ("The counts do not add up: please report this.", "bold red"))
    print_log(console, report.log)
    _print_outcome(console, report, config)


def _print_files(console: Console, report: Report) -> None:
    """Print how many files have labels in the output, and how many have not."""
    tally = report.tally
    included = many(tally.unlabelled_images, "image")
    print_line(
        console,
        target_format(report.to).heading.ljust(_HEADING_WIDTH),
        f"{tally.label_rows:,}, of which {tally.empty_label_rows:,} labelled as empty; "
        f"{many(tally.failed_files, 'file')} failed",
        f"; {included} without label file included" if tally.unlabelled_images else "",
    )


def _print_class_lists(console: Console, report: Report) -> None:
    """Print which class list how many label files have, and how it compares with the ontology."""
    class_lists = report.class_lists
    lines = [
        f"{use.class_list.source} ({many(use.label_files, 'label file')}): {summary(use)}"
        for use in class_lists.uses[:_MOST_LISTS]
    ]
    if more := len(class_lists.uses) - _MOST_LISTS:
        lines += [f"{many(more, 'class list')} more"] if more > 0 else []
    without = many(class_lists.label_files_without, "label file")
    if class_lists.uses and class_lists.label_files_without:
        lines.append(f"{without} without a class list")
    elif class_lists.label_files_without:
        lines.append(f"none compared: {class_lists.reason}")
    for use in class_lists.disagreeing:
        lines += disagreement_lines(use)[2:]
    for number, line in enumerate(lines):
        print_line(console, "           " if number else "Class list ", line)


def _classifications(report: Report) -> str:
    count = report.tally.classifications
    left_out = "" if target_format(report.to).keeps_classifications else "left out "
    return f"+ {many(count, 'classification')} {left_out}" if count else ""


def _source(report: Report) -> str:
    """Return how labels name their classes."""
    if report.namespace:
        return f"namespace {report.namespace}"
    return "class numbers by hand" if report.suffix is None else "feature hashes"


def _print_changes(console: Console, report: Report) -> None:
    tally = report.tally
    changes = {**tally.converted, **tally.adjusted}
    lines = [f"{count:,} {name}" for name, count in sorted(changes.items())]
    lines += [f"{count:,} {name} dropped" for name, count in sorted(tally.dropped.items())]
    refitted = tally.refitted.steps.total()
    if refitted:
        is_single = refitted == 1
        lines.append(
            f"{many(refitted, 'row')} of corners {'is no rectangle' if is_single else 'are no rectangles'}"
            f", now the smallest around {'it: it misses' if is_single else 'them: they miss'} by "
            f"{tally.refitted.median():.1f} px (median), {tally.refitted.largest:.1f} px (largest)"
        )
    for number, line in enumerate(lines):
        print_line(console, "           " if number else "Changed    ", line)


def _print_outcome(console: Console, report: Report, config: "IngestConfig") -> None:
    style = "red" if report.errors else "yellow" if report.warnings else "green"
    counts = f"{many(report.errors, 'error')}, {many(report.warnings, 'warning')}"
    if report.out is None:
        print_line(console, (counts, f"bold {style}"), ": nothing was written")
    else:
        count = report.tally.label_rows + report.tally.unlabelled_images
        rows = many(count, target_format(report.to).noun)
        seconds = sum(report.seconds.values())
        rate = f"{seconds:.1f} s, {report.tally.label_rows / max(seconds, 1e-9):,.0f} files/s"
        print_line(console, (counts, f"bold {style}"), f": {rows} in {report.out} ({rate})")
    steps = _NEXT_STEPS if report.suffix is None else _NEXT_STEPS_OF_SIDECARS
    code = next((code for code in steps if code in report.log.totals), None)
    if code is not None:
        step = steps[code].format(
            ontology=quote(config.ontology),
            pair_command=pair_command(config),
            dialect_command=dialect_command(config),
            first=shell_word(report.log.examples[code][0].source),
        )
        print_line(console, "Next: ", step)
    if (report.errors or report.warnings) and config.problems is None:
        print_line(console, "All problems, one per line: --problems problems.jsonl")

"""Print the row layout of a folder, and the evidence for it."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from labelingest.cli.console import Console, many, open_console, print_line, to_json
from labelingest.cli.render_keys import rule_text
from labelingest.evidence.reading import Fact
from labelingest.pairing.rules import PatternRule
from labelingest.pipeline.commands import check_command
from labelingest.pipeline.dialect import Dialect

if TYPE_CHECKING:
    from labelingest.config import IngestOptions

__all__ = ["dialect_as_json", "print_dialect", "print_layout"]


def print_layout(console: Console, layout: Mapping[str, Any] | None) -> None:
    """Print the layout of a report, where it was decided from the rows.

    Parameters
    ----------
    console
        Where to print.
    layout
        The layout as `Report.layout` has it; None for labels without rows.
    """
    if layout is None or layout["source"] != "evidence":
        return
    declares = f"decided from the rows ({layout['flags']} declares it)"
    print_line(console, "Columns    ", f"{layout['words']}: {declares}")
    for fact in layout["evidence"]:
        print_line(console, "           ", str(Fact(**fact)))


def print_dialect(dialect: Dialect, config: "IngestOptions") -> None:
    """Print the evidence about the rows of a folder and what follows, on standard output."""
    console = open_console()
    heading = ""
    for title, line in _lines(dialect, config):
        print_line(console, f"{'' if title == heading else title}".ljust(11), line)
        heading = title


def _lines(dialect: Dialect, config: "IngestOptions") -> Iterator[tuple[str, str]]:
    """Yield heading and text of each line."""
    rule, sample, decision = dialect.paired.rule, dialect.sample, dialect.decision
    if isinstance(rule, PatternRule):
        recognised = "recognised: " if dialect.paired.recognised else ""
        yield "Layout", f"{recognised}{rule_text(rule.images, rule.labels, None)}"
    looked_at = f"{len(sample.sidecars):,} of {many(sample.label_files, 'label file')} looked at"
    yield "Sample", looked_at
    if not dialect.has_ontology:
        without = "none: every class is taken for one of bounding boxes; give --ontology FILE"
        yield "Ontology", without
    if dialect.hints.kpt_shape is not None:
        yield "Class list", "kpt_shape: [{}, {}]".format(*dialect.hints.kpt_shape)
    for fact in decision.evidence:
        yield "Evidence", str(fact)
    if not decision.evidence:
        yield "Evidence", "none: the label files have no rows"
    if dialect.declared is not None:
        wins = "it is declared and wins, whatever the evidence says"
        yield "Decision", f"{dialect.declared.flags}: {wins}"
    elif decision.choices:
        yield "Choice", f"{decision.why}; {decision.otherwise}add one of these:"
        width = max(len(choice.flags) for choice in decision.choices)
        for choice in decision.choices:
            yield "Choice", f"  {choice.flags.ljust(width)}  {choice.words}"
    else:
        yield "Decision", f"{decision.reading.words} ({decision.reading.flags})"
    yield "Next", _next_step(dialect, config)


def _next_step(dialect: Dialect, config: "IngestOptions") -> str:
    paired = dialect.paired
    command = check_command(config, None if paired.recognised else paired.rule)
    if dialect.declared is not None:
        return f"{command} {dialect.declared.flags}"
    choices = dialect.decision.choices
    return f"{command} {choices[0].flags}" if choices else command


def dialect_as_json(dialect: Dialect) -> bytes:
    """Return evidence and decision as JSON."""
    return to_json(dialect.as_dict())

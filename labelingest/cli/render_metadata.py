"""Print custom metadata for people: the report of a check, and the keys of a schema."""

from pathlib import Path

from labelingest.cli.console import many, open_console, print_columns, print_line
from labelingest.cli.render_keys import rule_text
from labelingest.cli.render_problems import print_log
from labelingest.metadata.schema import MetadataSchema
from labelingest.metadata.sidecars import MetadataReport
from labelingest.metadata.types import (
    EmbeddingType,
    EnumType,
    KeyType,
    NumberType,
    TombstoneType,
    VarcharType,
    VariantType,
)
from labelingest.problems import ProblemCode

__all__ = ["described", "print_metadata_report", "print_schema"]


def print_metadata_report(
    report: MetadataReport, schema: MetadataSchema | None, path: Path | None, all_in: str | None
) -> None:
    """Print the report of a check: accounting, problems, next step.

    Parameters
    ----------
    path
        File of the schema.
    all_in
        File with all problems, if any.
    """
    console = open_console(stderr=True)
    print_line(console, "Layout     ", rule_text([], "", report.suffix))
    keys = "none: values are not checked" if schema is None else f"{path} ({_keys(schema)})"
    print_line(console, "Schema     ", keys)
    terms = [
        (report.sidecars, "metadata sidecar"),
        (report.orphans, "orphan sidecar"),
        (report.others, "other file"),
    ]
    counted = [many(count, noun) for count, noun in terms if count]
    equation = f" = {' + '.join(counted)}" if counted else ""
    print_line(console, "Keys       ", f"{report.keys_seen:,} seen{equation}")
    print_line(
        console,
        "Sidecars   ",
        f"{report.sidecars:,} seen = {report.accepted:,} taken + {report.refused:,} refused",
    )
    dropped = report.values_seen - report.values_kept
    print_line(
        console,
        "Values     ",
        f"{report.values_seen:,} seen = {report.values_kept:,} kept + {dropped:,} dropped",
    )
    print_log(console, report.log)
    style = "red" if report.errors else "yellow" if report.warnings else "green"
    counts = f"{many(report.errors, 'error')}, {many(report.warnings, 'warning')}"
    print_line(console, (counts, f"bold {style}"), ": nothing was written")
    if ProblemCode.UNDECLARED_KEY in report.log.totals and path is not None:
        print_line(
            console, f"Next: declare keys with labelingest metadata schema add {path} KEY TYPE"
        )
    if not report.sidecars:
        print_line(console, "Next: set the suffix of metadata files with --metadata-suffix")
    if (report.errors or report.warnings) and all_in is None:
        print_line(console, "All problems, one per line: --problems problems.jsonl")


def _keys(schema: MetadataSchema) -> str:
    deleted = sum(isinstance(declared, TombstoneType) for declared in schema.keys.values())
    count = many(len(schema.keys) - deleted, "key")
    return f"{count}, {deleted:,} deleted" if deleted else count


def print_schema(schema: MetadataSchema, path: str) -> None:
    """Print the keys of a schema on standard output, in order."""
    console = open_console()
    if not schema.keys:
        print_line(
            console, f"No keys; declare one with labelingest metadata schema add {path} KEY TYPE"
        )
        return
    rows = [("key", "type")]
    rows += [(key, described(declared)) for key, declared in sorted(schema.keys.items())]
    print_columns(console, rows)


def described(declared: KeyType) -> str:
    """Return a type in words.

    Examples
    --------
    >>> described(EmbeddingType(size=512)), described(EnumType(values=("fog", "rain")))
    ('embedding of 512', 'enum: fog, rain')
    >>> described(TombstoneType())
    'deleted for good'
    """
    if isinstance(declared, TombstoneType):
        former = declared.deleted_ty
        return "deleted for good" if former is None else f"deleted; was {described(former)}"
    if isinstance(declared, EmbeddingType):
        return f"embedding of {declared.size:,}"
    if isinstance(declared, EnumType):
        return f"enum: {', '.join(declared.values)}"
    if isinstance(declared, VariantType):
        return declared.hint
    if isinstance(declared, VarcharType):
        return f"varchar of at most {declared.max_length:,}"
    if isinstance(declared, NumberType):
        return f"number ({declared.format})"
    return declared.ty

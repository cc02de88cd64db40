"""Custom metadata on the command line: check sidecars, and keep the schema of their keys.

Everything but the options is imported when a command runs.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labelingest.cli.options import (
    AsJson,
    ExitZero,
    FollowSymlinks,
    Overwrite,
    ProblemsFile,
    Quiet,
    ReplaceFile,
    Strict,
)

if TYPE_CHECKING:
    from labelingest.metadata.schema import MetadataSchema
    from labelingest.sinks.output_guard import OutputGuard

__all__ = ["metadata_app"]

metadata_app = typer.Typer(help="Check custom metadata against its schema.", no_args_is_help=True)
_schema_app = typer.Typer(
    help="Show and change a metadata schema, a file in the platform's format.",
    no_args_is_help=True,
)
metadata_app.add_typer(_schema_app, name="schema")

SchemaFile = Annotated[Path, typer.Argument(metavar="SCHEMA", help="Metadata schema: a JSON file.")]
Key = Annotated[str, typer.Argument(metavar="KEY", help="Key of custom metadata.")]


@metadata_app.command("check")
def check(
    storage_path: Annotated[
        str,
        typer.Argument(metavar="STORAGE_PATH", help="Folder with data files and their metadata."),
    ],
    schema: Annotated[
        Path | None,
        typer.Option(help="Metadata schema to check values against; without it, JSON alone."),
    ] = None,
    metadata_suffix: Annotated[
        str, typer.Option(help="What is added to a data file's name to name its metadata.")
    ] = ".metadata.json",
    follow_symlinks: FollowSymlinks = None,
    problems: ProblemsFile = None,
    overwrite: Overwrite = None,
    strict: Strict = False,
    exit_zero: ExitZero = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Find every problem of custom metadata, write nothing.

    Example: labelingest metadata check drive --schema schema.json
    """
    from contextlib import nullcontext

    from labelingest.cli.console import exit_code
    from labelingest.cli.metadata_report import print_metadata_report
    from labelingest.cli.progress import ProgressLine
    from labelingest.cli.render import say_unexpected
    from labelingest.metadata.schema import MetadataSchema, schema_problems
    from labelingest.metadata.sidecars import check_folder
    from labelingest.pairing.rules import SuffixRule
    from labelingest.problems.log import ProblemLog
    from labelingest.progress import Progress
    from labelingest.sinks.output_guard import Output, OutputGuard, OutputKind
    from labelingest.storage import open_storage

    rule = SuffixRule(metadata_suffix)
    declared = None if schema is None else MetadataSchema.load(schema)
    storage = open_storage(storage_path, follow_symlinks=follow_symlinks is not False)
    guard = OutputGuard({"schema": schema}, {"storage path": storage}, overwrite=bool(overwrite))
    lines = (
        nullcontext(None)
        if problems is None
        else guard.open(Output("problems", problems, OutputKind.PROBLEMS))
    )
    with ProgressLine(quiet=quiet) as progress, lines as file:
        log = ProblemLog(lines=file)
        if declared is not None:
            log.add(schema_problems(declared, str(schema)), {})
        report = check_folder(
            storage,
            rule,
            declared,
            log=log,
            on_listed=lambda files: progress(Progress("list", files)),
            on_checked=lambda checked, total: progress(Progress("check", checked, total)),
        )
    if as_json:
        sys.stdout.buffer.write(report.to_json())
    if not quiet:
        print_metadata_report(report, declared, schema, all_in=problems)
    say_unexpected(report.log)
    raise typer.Exit(exit_code(report.exit_code(strict=strict), exit_zero=exit_zero))


@_schema_app.command("show")
def show(schema: SchemaFile, as_json: AsJson = False) -> None:
    """Show the keys of a metadata schema and their types.

    Example: labelingest metadata schema show schema.json
    """
    from labelingest.cli.metadata_report import print_schema
    from labelingest.metadata.schema import MetadataSchema

    loaded = MetadataSchema.load(schema)
    if as_json:
        sys.stdout.buffer.write(loaded.to_json())
    else:
        print_schema(loaded, str(schema))


@_schema_app.command("add")
def add(
    schema: SchemaFile,
    key: Key,
    type: Annotated[
        str,
        typer.Argument(
            metavar="TYPE",
            help="boolean, datetime, embedding, enum, geospatial, number, text, uuid or varchar.",
        ),
    ],
    option: Annotated[
        list[str] | None,
        typer.Option(help="An option of an enum; may be repeated. Adds to those it has."),
    ] = None,
    size: Annotated[int | None, typer.Option(help="How many numbers an embedding has.")] = None,
) -> None:
    """Declare a key, or give an enum more options; makes the file if there is none.

    Example: labelingest metadata schema add schema.json weather enum --option rain --option fog
    """
    from labelingest.metadata.schema import MetadataSchema
    from labelingest.metadata.types import EnumType

    loaded = MetadataSchema.load(schema) if schema.exists() else MetadataSchema()
    values = option or []
    if type == "enum" and isinstance(loaded.keys.get(key), EnumType):
        changed = loaded.add_options(key, values)
    else:
        changed = loaded.add(key, type, values=values, size=size)
    _change(changed, schema)


@_schema_app.command("remove")
def remove(
    schema: SchemaFile,
    key: Key,
    hard: Annotated[
        bool, typer.Option("--hard", help="For good: the key can never be restored.")
    ] = False,
) -> None:
    """Delete a key: its values are not checked any more.

    Example: labelingest metadata schema remove schema.json weather
    """
    from labelingest.metadata.schema import MetadataSchema

    _change(MetadataSchema.load(schema).remove(key, hard=hard), schema)


@_schema_app.command("restore")
def restore(schema: SchemaFile, key: Key) -> None:
    """Bring back a key that was deleted, with its type.

    Example: labelingest metadata schema restore schema.json weather
    """
    from labelingest.metadata.schema import MetadataSchema

    _change(MetadataSchema.load(schema).restore(key), schema)


@_schema_app.command("import")
def import_(
    schema: SchemaFile,
    source: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="Schema from the platform, in any of its formats."),
    ],
    overwrite: ReplaceFile = False,
) -> None:
    """Make a schema file from the platform's JSON, also of its older, flat format.

    Example: labelingest metadata schema import schema.json exported.json
    """
    from labelingest.cli.render import say
    from labelingest.metadata.flat_schema import import_schema
    from labelingest.metadata.schema_json import read_schema_file
    from labelingest.problems import printable
    from labelingest.sinks.output_guard import OutputGuard

    imported = import_schema(read_schema_file(source), printable(str(source)))
    _write(imported.schema, schema, OutputGuard({"file to import": source}, overwrite=overwrite))
    for key, missing in imported.left_out.items():
        say(f"left out: {key!r}: {missing}; labelingest metadata schema add declares it")
    raise typer.Exit(int(bool(imported.left_out)))


@_schema_app.command("export")
def export(
    schema: SchemaFile,
    out: Annotated[
        Path | None, typer.Option(help="File to write; standard output when not given.")
    ] = None,
    overwrite: ReplaceFile = False,
) -> None:
    """Write a schema as the platform's API takes it, checked and in order.

    Example: labelingest metadata schema export schema.json --out for_the_platform.json
    """
    from labelingest.metadata.schema import MetadataSchema
    from labelingest.sinks.output_guard import OutputGuard

    loaded = MetadataSchema.load(schema)
    if out is None:
        sys.stdout.buffer.write(loaded.to_json())
        return
    _write(loaded, out, OutputGuard({"schema": schema}, overwrite=overwrite))


def _change(schema: "MetadataSchema", path: Path) -> None:
    """Write a schema over the one that was read from the same file."""
    from labelingest.sinks.output_guard import OutputGuard

    _write(schema, path, OutputGuard(overwrite=True))


def _write(schema: "MetadataSchema", path: Path, guard: "OutputGuard") -> None:
    from labelingest.cli.console import many
    from labelingest.cli.render import say
    from labelingest.metadata.types import TombstoneType
    from labelingest.sinks.output_guard import Output, OutputKind

    with guard.open(Output("schema", str(path), OutputKind.SCHEMA)) as file:
        file.write(schema.to_json())
    deleted = sum(isinstance(declared, TombstoneType) for declared in schema.keys.values())
    count = many(len(schema.keys) - deleted, "key")
    say(f"{count}{f' and {deleted:,} deleted' if deleted else ''} in {path}")

"""The commands of custom metadata: check sidecars, and edit the schema of their keys.

A command imports what it needs when it runs.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from labelingest.cli.options import AsJson, ReplaceFile, with_options
from labelingest.options import Command

if TYPE_CHECKING:
    from labelingest.metadata.schema import MetadataSchema
    from labelingest.metadata.sidecars import MetadataReport
    from labelingest.pairing.rules import SuffixRule
    from labelingest.sinks.output_guard import OutputGuard

__all__ = ["metadata_app"]

metadata_app = typer.Typer(help="Check custom metadata against its schema.", no_args_is_help=True)
_schema_app = typer.Typer(
    help="Show and edit a metadata schema, a file in the platform's format.",
    no_args_is_help=True,
)
metadata_app.add_typer(_schema_app, name="schema")

SchemaFile = Annotated[Path, typer.Argument(metavar="SCHEMA", help="Metadata schema, a JSON file.")]
Key = Annotated[str, typer.Argument(metavar="KEY", help="Key of custom metadata.")]


@metadata_app.command("check")
@with_options(Command.METADATA_CHECK)
def check(
    ctx: typer.Context,
    storage_path: Annotated[
        str,
        typer.Argument(
            metavar="STORAGE_PATH", help="Folder or URL with data files and their metadata."
        ),
    ],
    schema: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Metadata schema to check values against (default: check the JSON alone).",
        ),
    ] = None,
    metadata_suffix: Annotated[
        str,
        typer.Option(
            metavar="SUFFIX", help="Suffix of metadata files, added to the name of the data file."
        ),
    ] = ".metadata.json",
    **options: Any,
) -> None:
    """Find all problems of custom metadata without writing anything.

    Example: labelingest metadata check drive --schema schema.json
    """
    from labelingest.cli.console import exit_code
    from labelingest.cli.render_metadata import print_metadata_report
    from labelingest.cli.render_report import print_unexpected
    from labelingest.metadata.schema import MetadataSchema
    from labelingest.pairing.rules import SuffixRule

    rule = SuffixRule(metadata_suffix)
    declared = None if schema is None else MetadataSchema.load(schema)
    report = _check(storage_path, rule, declared, ctx.params)
    if options["as_json"]:
        sys.stdout.buffer.write(report.to_json())
    if not options["quiet"]:
        print_metadata_report(report, declared, schema, all_in=options["problems"])
    print_unexpected(report.log)
    code = report.exit_code(strict=bool(options["strict"]))
    raise typer.Exit(exit_code(code, exit_zero=bool(options["exit_zero"])))


def _check(
    storage_path: str,
    rule: "SuffixRule",
    schema: "MetadataSchema | None",
    params: Mapping[str, Any],
) -> "MetadataReport":
    """Check the metadata files of a folder; write their problems where `params` says so."""
    from contextlib import nullcontext

    from labelingest.cli.progress import ProgressLine
    from labelingest.metadata.schema import schema_problems
    from labelingest.metadata.sidecars import check_folder
    from labelingest.problems.log import ProblemLog
    from labelingest.progress import Progress
    from labelingest.sinks.output_guard import GuardedOutput, OutputGuard, OutputKind
    from labelingest.storage import open_storage

    path, problems = params["schema"], params["problems"]
    storage = open_storage(storage_path, follow_symlinks=params["follow_symlinks"] is not False)
    overwrite = bool(params["overwrite"])
    guard = OutputGuard({"schema": path}, {"storage path": storage}, overwrite=overwrite)
    lines = (
        nullcontext(None)
        if problems is None
        else guard.open(GuardedOutput("problems", problems, OutputKind.PROBLEMS))
    )
    with ProgressLine(quiet=bool(params["quiet"])) as progress, lines as file:
        log = ProblemLog(lines=file)
        if schema is not None:
            log.add(schema_problems(schema, str(path)), {})
        return check_folder(
            storage,
            rule,
            schema,
            log=log,
            on_listed=lambda files: progress(Progress("list", files)),
            on_checked=lambda checked, total: progress(Progress("check", checked, total)),
        )


@_schema_app.command("show")
def show(schema: SchemaFile, as_json: AsJson = False) -> None:
    """Show the keys of a metadata schema and their types.

    Example: labelingest metadata schema show schema.json
    """
    from labelingest.cli.render_metadata import print_schema
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
        typer.Option(
            metavar="NAME",
            help="Option of an enum, added to its existing options. Repeat it for several.",
        ),
    ] = None,
    size: Annotated[int | None, typer.Option(help="Number of values of an embedding.")] = None,
) -> None:
    """Declare a key, or add options to an enum. A missing schema file is created.

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
        bool, typer.Option("--hard", help="Delete the key for good. It cannot be restored then.")
    ] = False,
) -> None:
    """Delete a key. Its values are no longer checked.

    Example: labelingest metadata schema remove schema.json weather
    """
    from labelingest.metadata.schema import MetadataSchema

    _change(MetadataSchema.load(schema).remove(key, hard=hard), schema)


@_schema_app.command("restore")
def restore(schema: SchemaFile, key: Key) -> None:
    """Restore a deleted key with its type.

    Example: labelingest metadata schema restore schema.json weather
    """
    from labelingest.metadata.schema import MetadataSchema

    _change(MetadataSchema.load(schema).restore(key), schema)


@_schema_app.command("import")
def import_(
    schema: SchemaFile,
    source: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="Schema exported from the platform, in any of its formats."
        ),
    ],
    overwrite: ReplaceFile = False,
) -> None:
    """Create a schema file from the platform's JSON; its older, flat format works too.

    Example: labelingest metadata schema import schema.json exported.json
    """
    from labelingest.cli.console import print_message
    from labelingest.metadata.flat_schema import import_schema
    from labelingest.metadata.schema_json import read_schema_file
    from labelingest.problems import printable
    from labelingest.sinks.output_guard import OutputGuard

    imported = import_schema(read_schema_file(source), printable(str(source)))
    _write(imported.schema, schema, OutputGuard({"file to import": source}, overwrite=overwrite))
    for key, missing in imported.left_out.items():
        print_message(
            f"left out: {key!r}: {missing}; declare it with labelingest metadata schema add"
        )
    raise typer.Exit(int(bool(imported.left_out)))


@_schema_app.command("export")
def export(
    schema: SchemaFile,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File to write (default: standard output).")
    ] = None,
    overwrite: ReplaceFile = False,
) -> None:
    """Write a schema in the format of the platform's API, checked and ordered.

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
    """Replace the schema that was read from the same file."""
    from labelingest.sinks.output_guard import OutputGuard

    _write(schema, path, OutputGuard(overwrite=True))


def _write(schema: "MetadataSchema", path: Path, guard: "OutputGuard") -> None:
    from labelingest.cli.console import many, print_message
    from labelingest.metadata.types import TombstoneType
    from labelingest.sinks.output_guard import GuardedOutput, OutputKind

    with guard.open(GuardedOutput("schema", str(path), OutputKind.SCHEMA)) as file:
        file.write(schema.to_json())
    deleted = sum(isinstance(declared, TombstoneType) for declared in schema.keys.values())
    count = many(len(schema.keys) - deleted, "key")
    print_message(f"{count}{f' and {deleted:,} deleted' if deleted else ''} in {path}")

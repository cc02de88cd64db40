"""The command that writes the label rows of an export beside their data files."""

import sys
from typing import TYPE_CHECKING, Annotated, Final

import typer

from labelingest.cli.options import AsJson
from labelingest.encord.keys import SIDECAR_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labelingest.pipeline.split_export import SplitRow

__all__ = ["split"]

_EXAMPLES: Final = 3
"""Label rows of one fate that are printed."""


def split(
    export: Annotated[
        str,
        typer.Argument(
            metavar="EXPORT", help="JSON list of label rows: a file, or a key in STORAGE_PATH."
        ),
    ],
    storage_path: Annotated[
        str,
        typer.Argument(
            metavar="STORAGE_PATH",
            help="Folder with data files, or a URL such as s3://bucket/prefix/.",
        ),
    ],
    suffix: Annotated[
        str,
        typer.Option(metavar="SUFFIX", help="Suffix of sidecars, added to the data file's name."),
    ] = SIDECAR_SUFFIX,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be written, and write nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write each label row of an export beside its data file, as a sidecar of its own.

    A label row belongs to the file whose name is its data_title. Existing files are never replaced.

    Example: labelingest split export.json coco128
    """
    from labelingest.cli.console import to_json
    from labelingest.pipeline.split_export import Fate, split_export

    rows = split_export(export, storage_path, suffix=suffix, dry_run=dry_run)
    if as_json:
        entries = [
            {"place": row.place, "title": row.title, "fate": row.fate, "keys": list(row.keys)}
            for row in rows
        ]
        sys.stdout.buffer.write(to_json({"dry_run": dry_run, "label_rows": entries}))
    else:
        _print(export, rows, dry_run)
    if any(row.fate not in (Fate.WRITTEN, Fate.UNCHANGED) for row in rows):
        raise typer.Exit(1)


def _print(export: str, rows: "Sequence[SplitRow]", dry_run: bool) -> None:
    from labelingest.cli.console import many, open_console, print_line
    from labelingest.pipeline.split_export import Fate

    console = open_console()
    sentences = {
        Fate.WRITTEN: "to be written beside its file" if dry_run else "written beside its file",
        Fate.UNCHANGED: "beside its file already",
        Fate.SIDECAR_EXISTS: "not written: its file has another sidecar",
        Fate.NO_TITLE: "not written: no label row with a data_title",
        Fate.NO_FILE: "not written: no file has its data_title",
        Fate.AMBIGUOUS_FILE: "not written: several files have its data_title",
        Fate.AMBIGUOUS_ROW: "not written: another label row has the same file",
    }
    print_line(console, f"{export}: {many(len(rows), 'label row')}")
    for fate, sentence in sentences.items():
        of_fate = [row for row in rows if row.fate is fate]
        if of_fate:
            print_line(console, f"{len(of_fate):,} {sentence}")
        for row in of_fate[:_EXAMPLES]:
            files = f": {', '.join(row.keys[:_EXAMPLES])}" if row.keys else ""
            print_line(console, f"  /{row.place} {row.title}{files}")

"""The command that writes the label rows of an export into files of their own."""

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
    out: Annotated[
        str,
        typer.Option(
            "--out",
            metavar="FOLDER",
            help="Folder or URL for the sidecars; STORAGE_PATH writes them beside the data files.",
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
    """Write each label row of an export into a sidecar of its own, KEY.encord.json.

    A label row belongs to the file whose name is its data_title. Existing files are never replaced.

    Example: labelingest split export.json coco128 --out coco128
    """
    from labelingest.pipeline.split_export import Fate, split_export

    rows = split_export(export, storage_path, out, suffix=suffix, dry_run=dry_run)
    if as_json:
        _print_json(rows, dry_run)
    else:
        _print(export, out, rows, dry_run)
    if any(row.fate not in (Fate.WRITTEN, Fate.UNCHANGED) for row in rows):
        raise typer.Exit(1)


def _print_json(rows: "Sequence[SplitRow]", dry_run: bool) -> None:
    from labelingest.cli.console import to_json

    entries = [
        {"place": row.place, "title": row.title, "fate": row.fate, "keys": list(row.keys)}
        for row in rows
    ]
    sys.stdout.buffer.write(to_json({"dry_run": dry_run, "label_rows": entries}))


def _print(export: str, out: str, rows: "Sequence[SplitRow]", dry_run: bool) -> None:
    from labelingest.cli.console import many, open_console, print_line
    from labelingest.pipeline.split_export import Fate

    console = open_console()
    sentences = {
        Fate.WRITTEN: "to be written" if dry_run else f"written to {out}",
        Fate.UNCHANGED: f"in {out} already",
        Fate.SIDECAR_EXISTS: f"not written: {out} has another file of this name",
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

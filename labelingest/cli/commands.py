"""Assemble the command line: the program with all its commands.

Start-up is part of the interface: a command imports what it needs when it runs, so that `--help`
answers at once. Standard output is for results (`show`, tables of `pair` and `classes`, JSON);
reports, progress and errors for people go to standard error.

Exit codes: 0 clean, 1 finished with errors in some files, 2 wrong call or configuration, 3 storage
or engine failure, or an unexpected one (`process_end.py`), 5 slower or larger than `bench
--fail-above` permits.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Final

import typer

from labelingest.cli.bench_command import bench
from labelingest.cli.command_group import CommandGroup
from labelingest.cli.folder.commands import folder_app
from labelingest.cli.formats import formats
from labelingest.cli.integration_commands import integration_app
from labelingest.cli.metadata_commands import metadata_app
from labelingest.cli.ontology_commands import classes, ontology_app
from labelingest.cli.options import AsJson
from labelingest.cli.run_commands import check, convert, dialect, pair
from labelingest.cli.split_command import split
from labelingest.encord.keys import SIDECAR_SUFFIX
from labelingest.version import __version__

__all__ = ["app"]

app = typer.Typer(
    cls=CommandGroup,
    name="labelingest",
    help="Convert folders of label files to Encord label rows, and account for every row.",
    epilog="Start with: labelingest check FOLDER --ontology ontology.json",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", is_eager=True)
    ] = False,
) -> None:
    if version:
        print(f"labelingest {__version__}")
        raise typer.Exit


def show(
    row: Annotated[
        str,
        typer.Argument(
            metavar="KEY|SIDECAR|LABEL_ROW",
            help="File of one label row, data file with a sidecar beside it, or - for standard "
            "input; with --in, the key of a data file in a file of label rows.",
        ),
    ],
    rows: Annotated[
        str | None,
        typer.Option("--in", metavar="FILE.jsonl", help="File of label rows, one per line."),
    ] = None,
    suffix: Annotated[
        str, typer.Option(help="Suffix of sidecars, added to the name of the data file.")
    ] = SIDECAR_SUFFIX,
    ontology: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Ontology to check the row against, and to nest its answers by."
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Show all entries of long lists, not only the first 20.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show one label row: objects in pixels, answers and problems.

    Example: labelingest show images/a.jpg --in label_rows.jsonl --ontology ontology.json
    """
    from labelingest.cli.show import show

    raise typer.Exit(
        show(
            row,
            rows=rows,
            suffix=suffix,
            ontology=ontology,
            everything=everything,
            as_json=as_json,
        )
    )


_COMMANDS: Final[Sequence[Callable[..., None]]] = (
    *(convert, check, bench, pair, split, dialect, show, classes, formats),
)
for command in _COMMANDS:
    app.command()(command)
app.add_typer(ontology_app, name="ontology")
app.add_typer(metadata_app, name="metadata")
app.add_typer(folder_app, name="folder")
app.add_typer(integration_app, name="integration")

"""Options that several commands of synced folders share."""

from typing import Annotated

import typer

from labelingest.cli.options import OUTPUT_PANEL

__all__ = ["AllowMassDelete", "Checksum", "Name", "QuietIfWell", "VerifyOutput", "Which"]

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the folder.")]
AllowMassDelete = Annotated[
    bool,
    typer.Option(
        "--allow-mass-delete",
        help="Delete also where everything, or more than half, is gone.",
    ),
]
VerifyOutput = Annotated[
    bool,
    typer.Option(
        "--verify-output",
        help="Look at the output too: make label rows again that are missing there or were changed.",
    ),
]
Checksum = Annotated[
    bool,
    typer.Option(
        "--checksum",
        help="Compare contents too: find changes that keep size and time, and leave alone what was "
        "only touched; every label file is read.",
    ),
]
QuietIfWell = Annotated[
    bool,
    typer.Option(
        "--quiet",
        "-q",
        help="No progress, and a report only where something is wrong.",
        rich_help_panel=OUTPUT_PANEL,
    ),
]
Which = Annotated[
    str,
    typer.Option(help="Which items: present, deleted (hidden, for their files are gone) or all."),
]

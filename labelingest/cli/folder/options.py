"""Parameters that several commands of synced folders share."""

from typing import Annotated

import typer

from labelingest.options import Panel

__all__ = ["AllowMassDelete", "Checksum", "Name", "QuietIfClean", "VerifyOutput", "Which"]

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the folder.")]
AllowMassDelete = Annotated[
    bool,
    typer.Option(
        "--allow-mass-delete",
        help="Delete items even if all of the files are gone, or more than half and more than 100.",
    ),
]
VerifyOutput = Annotated[
    bool,
    typer.Option(
        "--verify-output",
        help="Also list the output and rebuild label rows that are missing from it or were changed.",
    ),
]
Checksum = Annotated[
    bool,
    typer.Option(
        "--checksum",
        help="Compare file contents: find changes that keep size and modification time, and skip "
        "files that were only touched. Reads every label file.",
    ),
]
QuietIfClean = Annotated[
    bool,
    typer.Option(
        "--quiet",
        "-q",
        help="Show no progress, and a report only if there are problems.",
        rich_help_panel=Panel.REPORT.value,
    ),
]
Which = Annotated[
    str,
    typer.Option(
        metavar="WHICH",
        help="Items to include: present, deleted (hidden: the file is gone, or is no data file any more) or all.",
    ),
]

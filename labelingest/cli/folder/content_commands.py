"""The commands that list and export the contents of synced folders: items, problems, label rows."""

from typing import Annotated

import typer

from labelingest.cli.folder.opening import open_folder
from labelingest.cli.folder.options import Name, Which
from labelingest.cli.options import AsJson, Overwrite, StateUrl

__all__ = ["export", "items", "problems"]


def items(
    name: Name, which: Which = "present", state: StateUrl = None, as_json: AsJson = False
) -> None:
    """List the items of a folder; --json prints one item per line, with Encord's names.

    Example: labelingest folder items drive --which deleted
    """
    from labelingest.cli.folder.render import print_items

    with open_folder(name, state) as folder:
        print_items(folder.items(which), as_json=as_json)


def problems(name: Name, state: StateUrl = None, as_json: AsJson = False) -> None:
    """List the current problems of a folder: place, code, defect and cure.

    Example: labelingest folder problems drive
    """
    from labelingest.cli.folder.render import print_no_problems, print_problems

    with open_folder(name, state) as folder:
        has_problems = print_problems(folder.problems(), as_json=as_json)
        if not has_problems and not as_json:
            print_no_problems(folder.summary())


def export(
    name: Name,
    out: Annotated[str, typer.Option(metavar="FILE.jsonl", help="File for the label rows.")],
    which: Which = "present",
    overwrite: Overwrite = False,
    state: StateUrl = None,
    as_json: AsJson = False,
) -> None:
    """Write the label rows of a folder to one file, one per line.

    Label rows that were changed since the folder wrote them are reported and left out; the exit
    code is then 3. --which all includes the label rows of deleted items.

    Example: labelingest folder export drive --out label_rows.jsonl --which all
    """
    from labelingest.cli.console import print_message
    from labelingest.cli.folder.render import print_json
    from labelingest.cli.utf8_mode import utf8_of

    with open_folder(name, state) as folder:
        count = folder.export(out, which, overwrite=overwrite)
    if as_json:
        print_json({"label_rows": count, "out": utf8_of(out)})
    else:
        print_message(f"{count:,} label rows in {out}")

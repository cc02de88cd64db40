"""`labelingest folder`: the commands of synced folders.

Results go to standard output; reports of runs, progress and errors go to standard error. Exit codes
are those of `convert`; a folder that another process is syncing gives 3.
"""

from collections.abc import Callable, Mapping
from typing import Final

import typer

from labelingest.cli.folder.content_commands import export, items, problems
from labelingest.cli.folder.settings_commands import (
    configure,
    create,
    delete,
    list_folders,
    restore,
    show,
)
from labelingest.cli.folder.sync_commands import activity, apply, plan, serve, sync

__all__ = ["folder_app"]

folder_app = typer.Typer(
    help="Sync folders with storage paths, converting only what changed.", no_args_is_help=True
)
_COMMANDS: Final[Mapping[str, Callable[..., None]]] = {
    "create": create,
    "list": list_folders,
    "show": show,
    "configure": configure,
    "plan": plan,
    "sync": sync,
    "apply": apply,
    "serve": serve,
    "activity": activity,
    "items": items,
    "problems": problems,
    "export": export,
    "restore": restore,
    "delete": delete,
}
for name, command in _COMMANDS.items():
    folder_app.command(name)(command)

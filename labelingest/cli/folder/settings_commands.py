"""The commands that create, list, show, configure, delete and restore synced folders."""

from typing import Annotated, Any

import typer

from labelingest.cli.folder.opening import open_folder, open_state, print_folder
from labelingest.cli.folder.options import Name
from labelingest.cli.options import AsJson, StateUrl, with_options
from labelingest.options import Command

__all__ = ["configure", "create", "delete", "list_folders", "restore", "show"]


@with_options(Command.FOLDER_CREATE)
def create(
    ctx: typer.Context,
    name: Name,
    storage_path: Annotated[
        str,
        typer.Option(
            metavar="PATH",
            help="Folder or URL with data files and sidecars. It cannot be changed later.",
        ),
    ],
    output: Annotated[
        str,
        typer.Option(
            metavar="PATH", help="Folder or URL for label rows. It cannot be changed later."
        ),
    ],
    state: StateUrl = None,
    **options: Any,
) -> None:
    """Create a synced folder. The first sync lists and converts its files.

    Example: labelingest folder create drive --storage-path /data/drive --output /data/rows
    --ontology ontology.json --format encord --auto-sync
    """
    from labelingest.cli.console import print_message
    from labelingest.cli.folder.settings import settings_of
    from labelingest.folders import SyncedFolder

    settings = settings_of(ctx.params)
    with SyncedFolder.create(name, settings, state=state) as folder:
        print_folder(folder, as_json=bool(options["as_json"]))
        if folder.notice:
            print_message(f"{folder.name}: {folder.notice}")


def list_folders(
    deleted: Annotated[bool, typer.Option("--deleted", help="Include deleted folders.")] = False,
    state: StateUrl = None,
    as_json: AsJson = False,
) -> None:
    """List the synced folders and the location of the state.

    Example: labelingest folder list
    """
    from labelingest.cli.folder.render import print_folders, print_json
    from labelingest.folders.state.folders import list_folders
    from labelingest.folders.state.summary import summarise

    with open_state(state) as opened_state:
        records = list_folders(opened_state, deleted=deleted)
        summaries = [summarise(opened_state, record) for record in records]
        if as_json:
            print_json({"state": opened_state.url, "folders": [s.as_dict() for s in summaries]})
        else:
            print_folders(opened_state.url, summaries)


def show(name: Name, state: StateUrl = None, as_json: AsJson = False) -> None:
    """Show a folder: storage path, output, last and next sync, items and problems.

    Example: labelingest folder show drive
    """
    with open_folder(name, state) as folder:
        print_folder(folder, as_json=as_json)


@with_options(Command.FOLDER_CONFIGURE)
def configure(ctx: typer.Context, name: Name, state: StateUrl = None, **options: Any) -> None:
    """Change the settings of a folder. A new ontology, pattern or label option rebuilds all label rows.

    An empty value resets an option to its default: --integration ''. To start ingesting labels in
    a folder without them, set --ontology with --format, --suffix or patterns.

    Example: labelingest folder configure drive --ontology ontology.json --no-auto-sync
    """
    from labelingest.cli.console import print_message
    from labelingest.cli.folder.render import print_class_changes, print_json
    from labelingest.cli.folder.settings import changes_of
    from labelingest.folders.class_changes import ClassChangesError

    as_json = bool(options["as_json"])
    with open_folder(name, state) as folder:
        try:
            folder.configure(**changes_of(ctx.params))
        except ClassChangesError:
            if as_json:
                print_json(
                    {
                        "applied": False,
                        "class_changes": [change.as_dict() for change in folder.class_changes],
                    }
                )
            raise
        if as_json:
            changes = {
                "applied": True,
                "class_changes": [change.as_dict() for change in folder.class_changes],
            }
            print_json({**folder.summary().as_dict(), **changes})
        else:
            print_folder(folder, as_json=False)
        print_class_changes(folder.class_changes)
        if folder.notice:
            print_message(f"{folder.name}: {folder.notice}")


def restore(name: Name, state: StateUrl = None, as_json: AsJson = False) -> None:
    """Restore a deleted folder.

    Example: labelingest folder restore drive
    """
    with open_folder(name, state) as folder:
        folder.restore()
        print_folder(folder, as_json=as_json)


def delete(
    name: Name,
    purge: Annotated[
        bool,
        typer.Option(
            "--purge", help="Remove the folder from the state. It cannot be restored then."
        ),
    ] = False,
    state: StateUrl = None,
    as_json: AsJson = False,
) -> None:
    """Delete a folder: hide it and stop syncing it. Label rows are never touched.

    Example: labelingest folder delete drive
    """
    from labelingest.cli.console import print_message
    from labelingest.cli.folder.render import print_json

    with open_folder(name, state) as folder:
        folder.delete(purge=purge)
    if as_json:
        print_json({"name": name, "deleted": True, "purged": purge})
    elif purge:
        print_message(f"{name} is removed from the state; its files are unchanged")
    else:
        print_message(f"{name} is deleted; restore it with labelingest folder restore {name}")

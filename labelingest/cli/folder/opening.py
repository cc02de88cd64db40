"""Open a synced folder for a command, and print its summary or a run of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from labelingest.folders import RunRecord, State, SyncedFolder

__all__ = ["exit_with_run", "open_folder", "open_state", "print_folder"]


@contextmanager
def open_folder(name: str, state: str | None) -> Iterator["SyncedFolder"]:
    """Open a folder of the state at a URL, or of the default state."""
    from labelingest.allocator import settle_memory
    from labelingest.folders import SyncedFolder

    settle_memory()
    with SyncedFolder(name, state=state) as folder:
        yield folder


def open_state(url: str | None) -> "State":
    """Open the state at a URL, or the default state."""
    from labelingest.folders import State
    from labelingest.folders.state.database import default_state

    return State(url or default_state())


def print_folder(folder: "SyncedFolder", *, as_json: bool) -> None:
    """Print the summary of a folder."""
    from labelingest.cli.folder.render import print_json, print_summary

    if as_json:
        print_json(folder.summary().as_dict())
    else:
        print_summary(folder.summary(), folder.state.url)


def exit_with_run(
    name: str, run: "RunRecord", params: dict[str, Any], interrupted: int | None
) -> None:
    """Print a run of a folder, and exit with its code, or with that of the signal that interrupted it."""
    from labelingest.cli.console import exit_code
    from labelingest.cli.folder.render import print_json, print_run
    from labelingest.folders import Status

    if params["as_json"]:
        print_json(run.to_wire())
    code = run.exit_code(strict=params["strict"])
    if code or not params["quiet"]:
        print_run(name, run)
    if run.status is Status.CANCELLED:
        raise typer.Exit(interrupted or 130)
    raise typer.Exit(exit_code(code, exit_zero=params["exit_zero"]))

"""The commands that sync folders: plan, sync, apply, serve and activity."""

from typing import Annotated, Any

import typer

from labelingest.cli.folder.opening import exit_with_run, open_folder, open_state
from labelingest.cli.folder.options import (
    AllowMassDelete,
    Checksum,
    Name,
    QuietIfClean,
    VerifyOutput,
)
from labelingest.cli.options import AsJson, ExitZero, Overwrite, StateUrl, Strict, with_options
from labelingest.options import Command, Panel

__all__ = ["activity", "apply", "plan", "serve", "sync"]


def plan(
    name: Name,
    save: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Save the plan, with all its changes, for labelingest folder apply.",
            rich_help_panel=Panel.OUTPUT.value,
        ),
    ] = None,
    overwrite: Overwrite = False,
    allow_mass_delete: AllowMassDelete = False,
    verify_output: VerifyOutput = False,
    checksum: Checksum = False,
    state: StateUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show what a sync would do and why, without changing anything.

    Example: labelingest folder plan drive --save plan.jsonl
    """
    from labelingest.cli.folder.render import print_json, print_plan
    from labelingest.cli.progress import ProgressLine

    with open_folder(name, state) as folder, ProgressLine(quiet=False) as progress:
        sync_plan = folder.plan(
            save=save,
            overwrite=overwrite,
            allow_mass_delete=allow_mass_delete,
            verify_output=verify_output,
            checksum=checksum,
            progress=progress,
        )
    if as_json:
        print_json(sync_plan.as_dict())
    else:
        print_plan(sync_plan, save)


@with_options(Command.FOLDER_SYNC)
def sync(
    ctx: typer.Context,
    name: Name,
    allow_mass_delete: AllowMassDelete = False,
    verify_output: VerifyOutput = False,
    checksum: Checksum = False,
    strict: Strict = False,
    exit_zero: ExitZero = False,
    quiet: QuietIfClean = False,
    state: StateUrl = None,
    as_json: AsJson = False,
    **options: Any,
) -> None:
    """Update a folder: convert new and changed files, and hide deleted ones.

    Ctrl-C and SIGTERM stop the sync after the current batch; the next sync resumes it.

    Example: labelingest folder sync drive
    """
    from labelingest.cli.folder.signals import Cancelled
    from labelingest.cli.progress import ProgressLine

    with (
        Cancelled() as cancelled,
        open_folder(name, state) as folder,
        ProgressLine(quiet=quiet) as progress,
    ):
        run = folder.sync(
            allow_mass_delete=allow_mass_delete,
            verify_output=verify_output,
            checksum=checksum,
            progress=progress,
            cancelled=cancelled,
            **options,
        )
    exit_with_run(name, run, ctx.params, cancelled.exit_code)


@with_options(Command.FOLDER_APPLY)
def apply(
    ctx: typer.Context,
    plan: Annotated[
        str, typer.Argument(metavar="FILE", help="Plan saved by labelingest folder plan --save.")
    ],
    strict: Strict = False,
    exit_zero: ExitZero = False,
    quiet: QuietIfClean = False,
    state: StateUrl = None,
    as_json: AsJson = False,
    **options: Any,
) -> None:
    """Apply a saved plan, or refuse it if the storage path has changed since.

    Example: labelingest folder apply plan.jsonl
    """
    from labelingest.cli.folder.signals import Cancelled
    from labelingest.cli.progress import ProgressLine
    from labelingest.folders import Plan

    saved = Plan.load(plan)
    with (
        Cancelled() as cancelled,
        open_folder(saved.folder, state) as folder,
        ProgressLine(quiet=quiet) as progress,
    ):
        run = folder.apply(saved, progress=progress, cancelled=cancelled, **options)
    exit_with_run(saved.folder, run, ctx.params, cancelled.exit_code)


@with_options(Command.FOLDER_SERVE)
def serve(
    state: StateUrl = None, quiet: QuietIfClean = False, as_json: AsJson = False, **options: Any
) -> None:
    """Sync folders with --auto-sync on schedule, until stopped.

    --json prints one line per run.

    Example: labelingest folder serve
    """
    from functools import partial

    from labelingest.cli.console import log_to_people
    from labelingest.cli.folder.render import print_served
    from labelingest.cli.folder.signals import Cancelled
    from labelingest.folders.schedule import serve as serve_folders

    log_to_people()
    with Cancelled() as cancelled, open_state(state) as opened_state:
        serve_folders(
            opened_state,
            wait=cancelled.wait,
            stopped=cancelled,
            on_run=partial(print_served, quiet=quiet, as_json=as_json),
            **options,
        )


def activity(
    name: Name,
    limit: Annotated[int, typer.Option(min=1, help="Number of runs to list.")] = 20,
    state: StateUrl = None,
    as_json: AsJson = False,
) -> None:
    """List the folder's runs, newest first, with the progress of the current one.

    Example: labelingest folder activity drive --limit 5
    """
    from labelingest.cli.folder.render import print_json, print_runs

    with open_folder(name, state) as folder:
        runs = folder.activity(limit)
    if as_json:
        print_json([run.to_wire() for run in runs])
    else:
        print_runs(runs)

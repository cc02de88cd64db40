"""The commands of synced folders.

What was asked for goes to standard output; reports of runs, progress and errors go to standard
error. Exit codes are those of `convert`; a folder that another process syncs is 3.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from labelingest.cli.folder.options import (
    AllowMassDelete,
    Checksum,
    Name,
    QuietIfWell,
    VerifyOutput,
    Which,
)
from labelingest.cli.options import (
    OUTPUT_PANEL,
    AsJson,
    CreatedBy,
    DatasetTitle,
    DuplicateRows,
    ExitZero,
    FollowSymlinks,
    Format,
    Images,
    ImageSizes,
    KptShape,
    Labels,
    Map,
    MaxLabelBytes,
    MetadataSuffix,
    Namespace,
    OnRowError,
    OnShapeMismatch,
    Ontology,
    OutOfRange,
    Overwrite,
    RowLayout,
    StateUrl,
    Strict,
    Suffix,
    WarnMisfit,
    same_options,
)

if TYPE_CHECKING:
    from labelingest.folders import RunRecord, SyncedFolder

__all__ = ["app"]

app = typer.Typer(
    help="Folders that stay in step with a storage path: only what changed is converted.",
    no_args_is_help=True,
)

_SCHEDULE_PANEL: Final = "Schedule"


@app.command()
def create(
    ctx: typer.Context,
    name: Name,
    storage_path: Annotated[
        str,
        typer.Option(help="Folder or URL with data files and sidecars; cannot be changed later."),
    ],
    output: Annotated[
        str, typer.Option(help="Folder or URL for label rows; cannot be changed later.")
    ],
    description: Annotated[str | None, typer.Option(help="What it is, for people.")] = None,
    format: Format = None,
    images: Images = None,
    labels: Labels = None,
    suffix: Suffix = None,
    follow_symlinks: FollowSymlinks = None,
    integration: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="How cloud storage is reached: see labelingest integration set."
        ),
    ] = None,
    output_integration: Annotated[
        str | None, typer.Option(metavar="NAME", help="The same of the output, if another.")
    ] = None,
    checksum: Annotated[
        bool | None,
        typer.Option(
            "--checksum/--no-checksum",
            help="Let every sync compare contents too. Without, a change that keeps size and time is "
            "not seen on this machine, and a file that was only touched counts as changed. In the "
            "cloud, versions follow contents anyway.",
        ),
    ] = None,
    metadata_suffix: MetadataSuffix = None,
    metadata_paused: Annotated[
        bool | None,
        typer.Option(
            "--pause-metadata/--resume-metadata",
            help="Keep metadata sidecars out of the data, but do not attach them.",
        ),
    ] = None,
    metadata_schema: Annotated[
        str | None, typer.Option(help="Metadata schema as JSON: values are checked against it.")
    ] = None,
    ontology: Ontology = None,
    namespace: Namespace = None,
    map: Map = None,
    row_layout: RowLayout = None,
    kpt_shape: KptShape = None,
    on_row_error: OnRowError = None,
    out_of_range: OutOfRange = None,
    on_shape_mismatch: OnShapeMismatch = None,
    duplicate_rows: DuplicateRows = None,
    warn_misfit: WarnMisfit = None,
    max_label_bytes: MaxLabelBytes = None,
    image_sizes: ImageSizes = None,
    created_by: CreatedBy = None,
    dataset_title: DatasetTitle = None,
    auto_sync: Annotated[
        bool | None,
        typer.Option(
            "--auto-sync/--no-auto-sync",
            help="Let labelingest folder serve sync it every 24 hours.",
            rich_help_panel=_SCHEDULE_PANEL,
        ),
    ] = None,
    auto_sync_hours: Annotated[
        float | None,
        typer.Option(help="Other hours between syncs.", rich_help_panel=_SCHEDULE_PANEL),
    ] = None,
    state: StateUrl = None,
    as_json: AsJson = False,
) -> None:
    """Create a folder; nothing is listed yet.

    Example: labelingest folder create drive --storage-path /data/drive --output /data/rows
    --ontology ontology.json --format encord --auto-sync
    """
    from labelingest.cli.console import open_console, print_line
    from labelingest.cli.folder.settings import settings_of
    from labelingest.folders import SyncedFolder

    settings = settings_of(ctx.params)
    with SyncedFolder.create(name, settings, state=state) as folder:
        _show(folder, as_json)
        if folder.notice:
            print_line(open_console(stderr=True), f"{folder.name}: {folder.notice}")


@app.command("list")
def list_(
    deleted: Annotated[bool, typer.Option("--deleted", help="Deleted folders too.")] = False,
    state: StateUrl = None,
    as_json: AsJson = False,
) -> None:
    """List the folders, and where the state is.

    Example: labelingest folder list
    """
    from labelingest.cli.folder.render import print_folders, print_json
    from labelingest.folders import State
    from labelingest.folders.state.database import default_state
    from labelingest.folders.state.folders import list_folders
    from labelingest.folders.state.summary import summarise

    with State(state or default_state()) as opened:
        records = list_folders(opened, deleted=deleted)
        summaries = [summarise(opened, record) for record in records]
        if as_json:
            print_json({"state": opened.url, "folders": [s.as_dict() for s in summaries]})
        else:
            print_folders(opened.url, summaries)


@app.command()
def show(name: Name, state: StateUrl = None, as_json: AsJson = False) -> None:
    """Show a folder at a glance: what, where from, last and next sync, items, problems.

    Example: labelingest folder show drive
    """
    with _opened(name, state) as folder:
        _show(folder, as_json)


def configure(
    ctx: typer.Context,
    name: Name,
    no_metadata: Annotated[
        bool, typer.Option("--no-metadata", help="Take in no metadata any more; that taken goes.")
    ] = False,
    allow_mass_delete: Annotated[
        bool | None,
        typer.Option(
            "--allow-mass-delete/--no-allow-mass-delete",
            help="Let the next sync that needs it delete where everything, or more than half, is "
            "gone; then no more.",
        ),
    ] = None,
    **options: Any,
) -> None:
    """Change settings; other patterns, options or ontology make all label rows anew.

    An empty value takes an option back to its default: --integration ''. A folder without labels
    takes them in from when it is given --ontology with --format, --suffix or patterns.

    Example: labelingest folder configure drive --ontology ontology.json --no-auto-sync
    """
    from labelingest.cli.folder.settings import changes_of

    with _opened(name, ctx.params["state"]) as folder:
        folder.configure(**changes_of(ctx.params))
        _show(folder, ctx.params["as_json"])


same_options(configure, create, "storage_path", "output", "follow_symlinks")
app.command()(configure)


@app.command()
def plan(
    name: Name,
    save: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Keep the plan, with all its changes, for labelingest folder apply.",
            rich_help_panel=OUTPUT_PANEL,
        ),
    ] = None,
    overwrite: Overwrite = None,
    allow_mass_delete: AllowMassDelete = False,
    verify_output: VerifyOutput = False,
    checksum: Checksum = False,
    state: StateUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show what a sync would do, with reasons; do nothing.

    Example: labelingest folder plan drive --save plan.jsonl
    """
    from labelingest.cli.folder.render import print_json, print_plan
    from labelingest.cli.progress import ProgressLine

    with _opened(name, state) as folder, ProgressLine(quiet=False) as progress:
        sync_plan = folder.plan(
            save=save,
            overwrite=bool(overwrite),
            allow_mass_delete=allow_mass_delete,
            verify_output=verify_output,
            checksum=checksum,
            progress=progress,
        )
    if as_json:
        print_json(sync_plan.as_dict())
    else:
        print_plan(sync_plan, save)


@app.command()
def sync(
    ctx: typer.Context,
    name: Name,
    allow_mass_delete: AllowMassDelete = False,
    verify_output: VerifyOutput = False,
    checksum: Checksum = False,
    strict: Strict = False,
    exit_zero: ExitZero = False,
    quiet: QuietIfWell = False,
    state: StateUrl = None,
    as_json: AsJson = False,
) -> None:
    """Bring a folder into step with its storage path.

    Ctrl-C and SIGTERM end it after the batch that is on; the next sync goes on.

    Example: labelingest folder sync drive
    """
    from labelingest.cli.folder.signals import Cancelled
    from labelingest.cli.progress import ProgressLine

    with (
        Cancelled() as cancelled,
        _opened(name, state) as folder,
        ProgressLine(quiet=quiet) as progress,
    ):
        run = folder.sync(
            allow_mass_delete=allow_mass_delete,
            verify_output=verify_output,
            checksum=checksum,
            progress=progress,
            cancelled=cancelled,
        )
    _report(run, ctx.params, cancelled.exit_code)


@app.command()
def apply(
    ctx: typer.Context,
    plan: Annotated[
        str, typer.Argument(metavar="FILE", help="A plan of labelingest folder plan --save.")
    ],
    strict: Strict = False,
    exit_zero: ExitZero = False,
    quiet: QuietIfWell = False,
    state: StateUrl = None,
    as_json: AsJson = False,
) -> None:
    """Carry out a plan that was kept, or refuse if the storage path has moved on.

    Example: labelingest folder apply plan.jsonl
    """
    from labelingest.cli.folder.signals import Cancelled
    from labelingest.cli.progress import ProgressLine
    from labelingest.folders import Plan

    saved = Plan.load(plan)
    with (
        Cancelled() as cancelled,
        _opened(saved.folder, state) as folder,
        ProgressLine(quiet=quiet) as progress,
    ):
        run = folder.apply(saved, progress=progress, cancelled=cancelled)
    _report(run, ctx.params, cancelled.exit_code)


@app.command()
def serve(state: StateUrl = None, quiet: QuietIfWell = False, as_json: AsJson = False) -> None:
    """Sync every folder with --auto-sync when it is due, until stopped; --json: a line for each run.

    Example: labelingest folder serve
    """
    from functools import partial

    from labelingest.cli.console import log_to_people
    from labelingest.cli.folder.render import print_served
    from labelingest.cli.folder.signals import Cancelled
    from labelingest.folders import State
    from labelingest.folders.schedule import serve as serve_folders
    from labelingest.folders.state.database import default_state

    log_to_people()
    with Cancelled() as cancelled, State(state or default_state()) as opened:
        serve_folders(
            opened,
            wait=cancelled.wait,
            stopped=cancelled,
            on_run=partial(print_served, quiet=quiet, as_json=as_json),
        )


@app.command()
def activity(
    name: Name,
    limit: Annotated[int, typer.Option(min=1, help="So many runs at most.")] = 20,
    state: StateUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show the runs of a folder, newest first; of one that is on, how far it is.

    Example: labelingest folder activity drive --limit 5
    """
    from labelingest.cli.folder.render import print_json, print_runs

    with _opened(name, state) as folder:
        runs = folder.activity(limit)
    if as_json:
        print_json([run.to_wire() for run in runs])
    else:
        print_runs(runs)


@app.command()
def items(
    name: Name, which: Which = "present", state: StateUrl = None, as_json: AsJson = False
) -> None:
    """List the items of a folder; with --json, one a line by Encord's names.

    Example: labelingest folder items drive --which deleted
    """
    from labelingest.cli.folder.render import print_items

    with _opened(name, state) as folder:
        print_items(folder.items(which), as_json=as_json)


@app.command()
def problems(name: Name, state: StateUrl = None, as_json: AsJson = False) -> None:
    """List what is wrong in a folder as it stands: place, code, what was found and what helps.

    Example: labelingest folder problems drive
    """
    from labelingest.cli.folder.render import print_problems

    with _opened(name, state) as folder:
        print_problems(folder.problems(), as_json=as_json)


@app.command()
def export(
    name: Name,
    out: Annotated[str, typer.Option(metavar="FILE.jsonl", help="File for the label rows.")],
    which: Which = "present",
    overwrite: Overwrite = None,
    state: StateUrl = None,
    as_json: AsJson = False,
) -> None:
    """Write the label rows of a folder to one file, one a line; of hidden items too, if asked for.

    Those that are not as the folder wrote them are named and left out, and the exit code is 3.

    Example: labelingest folder export drive --out label_rows.jsonl --which all
    """
    from labelingest.cli.encoding import utf8_of
    from labelingest.cli.folder.render import print_json
    from labelingest.cli.render import say

    with _opened(name, state) as folder:
        count = folder.export(out, which, overwrite=bool(overwrite))
    if as_json:
        print_json({"label_rows": count, "out": utf8_of(out)})
    else:
        say(f"{count:,} label rows in {out}")


@app.command()
def restore(name: Name, state: StateUrl = None, as_json: AsJson = False) -> None:
    """Bring back a folder that was deleted.

    Example: labelingest folder restore drive
    """
    with _opened(name, state) as folder:
        folder.restore()
        _show(folder, as_json)


@app.command()
def delete(
    name: Name,
    purge: Annotated[
        bool,
        typer.Option("--purge", help="Remove it from the state for good: it cannot be restored."),
    ] = False,
    state: StateUrl = None,
    as_json: AsJson = False,
) -> None:
    """Delete a folder: it is hidden and not synced any more. No label row is ever touched.

    Example: labelingest folder delete drive
    """
    from labelingest.cli.folder.render import print_json
    from labelingest.cli.render import say

    with _opened(name, state) as folder:
        folder.delete(purge=purge)
    if as_json:
        print_json({"name": name, "deleted": True, "purged": purge})
    elif purge:
        say(f"{name} is removed from the state; files are as they were")
    else:
        say(f"{name} is deleted; labelingest folder restore {name} brings it back")


@contextmanager
def _opened(name: str, state: str | None) -> Iterator["SyncedFolder"]:
    from labelingest.allocator import settle_memory
    from labelingest.folders import SyncedFolder

    settle_memory()
    with SyncedFolder(name, state=state) as folder:
        yield folder


def _show(folder: "SyncedFolder", as_json: bool) -> None:
    from labelingest.cli.folder.render import print_json, print_summary

    if as_json:
        print_json(folder.summary().as_dict())
    else:
        print_summary(folder.summary(), folder.state.url)


def _report(run: "RunRecord", params: dict[str, Any], interrupted: int | None) -> None:
    """Report a run, and end with its exit code."""
    from labelingest.cli.console import exit_code
    from labelingest.cli.folder.render import print_json, print_run
    from labelingest.folders import Status

    if params["as_json"]:
        print_json(run.to_wire())
    code = run.exit_code(strict=params["strict"])
    if code or not params["quiet"]:
        print_run(run)
    if run.status is Status.CANCELLED:
        raise typer.Exit(interrupted or 130)
    raise typer.Exit(exit_code(code, exit_zero=params["exit_zero"]))

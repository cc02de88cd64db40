"""Print synced folders, their runs, plans, items and problems."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from shlex import quote
from typing import Any, Final

import orjson

from labelingest.cli.console import (
    Console,
    kinds_of_files,
    many,
    open_console,
    places_sentence,
    print_columns,
    print_line,
    print_message,
)
from labelingest.cli.folder.render_books import books_of, keys_and_files
from labelingest.cli.progress import duration
from labelingest.cli.render_class_counts import print_class_counts
from labelingest.cli.render_keys import keys_equation
from labelingest.folders import Plan, RunRecord, Status
from labelingest.folders.class_changes import ClassChange
from labelingest.folders.decided_layout import layout_words
from labelingest.folders.state.books import outcomes_of
from labelingest.folders.state.clock import now, seconds_between
from labelingest.folders.state.folders import FolderRecord
from labelingest.folders.state.runs import Counters
from labelingest.folders.state.summary import Summary
from labelingest.problems import Problem

__all__ = [
    "print_class_changes",
    "print_folders",
    "print_items",
    "print_json",
    "print_plan",
    "print_problems",
    "print_run",
    "print_runs",
    "print_served",
    "print_summary",
]

_INDENTED: Final = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
_MOST_CHANGES: Final = 30
"""Changes of classes that are printed."""
_HEADING_WIDTH: Final = 11
"""Characters of the first column of a run's books, as in the report of `convert`."""
_EMPTY: Final = "the storage path holds no files: check its spelling"


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    sys.stdout.buffer.write(orjson.dumps(value, option=_INDENTED))


def print_folders(state: str, summaries: Sequence[Summary]) -> None:
    """Print a line for each folder, and where the state is."""
    console = open_console()
    if summaries:
        rows = [("name", "items", "label rows", "last sync", "next sync", "storage path")]
        for summary in summaries:
            run = summary.last_run
            rows.append(
                (
                    summary.name,
                    f"{sum(summary.items.values()):,}",
                    f"{summary.labelled:,}",
                    "never" if run is None else f"{run.started_at} {run.status}",
                    "deleted" if summary.deleted_at else summary.due_at or "manual",
                    summary.storage_path,
                )
            )
        print_columns(console, rows)
    else:
        print_line(console, "no folders yet; create one with labelingest folder create")
    print_line(console, f"State: {state}")


def print_summary(summary: Summary, state: str) -> None:
    """Print a folder at a glance."""
    items = kinds_of_files(summary.items, " + ")
    total = sum(summary.items.values())
    hidden = (
        f"; {summary.deleted:,} hidden ({_counts(summary.deleted_by)})" if summary.deleted else ""
    )
    rows = [
        ("Folder", summary.name + (f": {summary.description}" if summary.description else "")),
        ("Storage path", summary.storage_path),
        ("Output", summary.output),
        ("Labels", summary.format or "not ingested"),
        *_columns(summary),
        ("Last sync", _last(summary)),
        *(("", line) for line in _rest_of_message(summary.last_run)),
        ("Next sync", _next(summary)),
        ("Items", f"{total:,}" + (f" = {items}" if items else "") + hidden),
        ("Size", f"{summary.size:,} bytes"),
        *([] if summary.books is None else keys_and_files(summary.books, None)),
        ("Label rows", _label_rows(summary)),
        ("Problems", _counts(summary.problems) or "none"),
        ("State", state),
    ]
    if summary.allow_mass_delete:
        rows.insert(-1, ("Mass delete", "allowed for the next sync that needs it"))
    print_columns(open_console(), rows)


def _columns(summary: Summary) -> list[tuple[str, str]]:
    return [("Columns", layout_words(summary.row_layout))] if summary.row_layout else []


def _label_rows(summary: Summary) -> str:
    parts = [f"{summary.labelled:,} labelled", f"{summary.unlabelled:,} unlabelled"]
    if summary.failed:
        parts.append(f"{summary.failed:,} failed")
    if summary.unfinished:
        parts.append(f"{summary.unfinished:,} not built yet")
    return ", ".join(parts)


def _last(summary: Summary) -> str:
    if summary.last_run is None:
        return f"never; start one with labelingest folder sync {quote(summary.name)}"
    return _sentence(summary.last_run)


def _rest_of_message(run: RunRecord | None) -> Sequence[str]:
    """Return the lines of a run's message behind the first, such as a table."""
    return [] if run is None or run.message is None else run.message.splitlines()[1:]


def _next(summary: Summary) -> str:
    if summary.deleted_at is not None:
        back = f"restore it with labelingest folder restore {summary.name}"
        return f"none: deleted at {summary.deleted_at}; {back}"
    if summary.due_at is None or summary.auto_sync_hours is None:
        return "manual"
    return f"{summary.due_at}, every {summary.auto_sync_hours:g} h"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{what} {count:,}" for what, count in counts.items())


def print_plan(plan: Plan, save: str | None) -> None:
    """Print the changes of a plan."""
    console = open_console()
    print_line(console, f"{plan.folder}: {plan.keys:,} keys listed")
    if plan.books:
        print_line(console, f"Keys  {keys_equation(outcomes_of(plan.books))}")
    if plan.changes:
        print_columns(console, [(f"{n:,}", reason) for reason, n in plan.changes.items()])
    else:
        print_line(console, "nothing to do" if plan.keys else _EMPTY)
    if plan.class_changes:
        print_line(console, "classes that changed since the last sync:")
        _print_changes(console, [ClassChange.from_dict(change) for change in plan.class_changes])
    if plan.withheld:
        print_line(console, f"not deleted ({_counts(plan.withheld)}): {plan.why_withheld}")
    if save is not None:
        print_line(console, f"saved; apply it with labelingest folder apply {save}")


def print_class_changes(changes: Sequence[ClassChange]) -> None:
    """Print the changes of classes that a change of settings made."""
    console = open_console(stderr=True)
    if changes:
        print_line(console, "Classes that change with the next sync:")
    _print_changes(console, changes)


def _print_changes(console: Console, changes: Sequence[ClassChange]) -> None:
    for change in changes[:_MOST_CHANGES]:
        print_line(console, f"  {change}")
    if changes[_MOST_CHANGES:]:
        print_line(console, f"  … and {len(changes) - _MOST_CHANGES:,} more; --json lists all")


def print_run(name: str, run: RunRecord) -> None:
    """Print the end of a run of a folder for people."""
    console = open_console(stderr=True)
    print_line(console, _sentence(run))
    for heading, words in books_of(run):
        print_line(console, heading.ljust(_HEADING_WIDTH), words)
    counters = run.counters
    if counters.classes:
        print_class_counts(console, counters.classes)
    if counters.changes:
        print_line(
            console,
            f"read {many(counters.files_read, 'file')} ({counters.bytes_read:,} bytes) and "
            f"{many(counters.headers_read, 'image header')}, wrote "
            f"{many(counters.files_written, 'label row')} "
            f"({counters.bytes_written:,} bytes), deleted {counters.files_deleted:,}",
        )
    if counters.errors or counters.warnings:
        print_line(
            console,
            f"{many(counters.errors, 'error')}, {many(counters.warnings, 'warning')} in this run; list "
            f"all current problems with labelingest folder problems {quote(name)}",
        )
    if counters.unexpected:
        print_line(console, _unexpected(counters))
    if counters.places_not_listed:
        print_line(console, places_sentence(counters.places_not_listed))
    if counters.withheld:
        print_line(console, f"not deleted: {_counts(counters.withheld)}")


def _unexpected(counters: Counters) -> str:
    files = many(counters.unexpected, "file")
    return (
        f"unexpected failures of labelingest cost {files}; all others were processed; first: "
        f"{counters.failure}"
    )


def print_served(folder: FolderRecord, run: RunRecord, *, quiet: bool, as_json: bool) -> None:
    """Print a line for a run of `serve`: for people, and as JSON."""
    if as_json:
        line = orjson.dumps({"folder": folder.name, **run.to_wire()}) + b"\n"
        sys.stdout.buffer.write(line)
        sys.stdout.flush()
    if run.failed or not quiet:
        failed = run.books.failed if run.books else None
        files = f"; {many(failed.total, 'file')} with errors" if failed and failed.total else ""
        print_line(open_console(stderr=True), f"{folder.name}: {_sentence(run)}{files}")
    if run.counters.unexpected:
        print_line(open_console(stderr=True), f"{folder.name}: {_unexpected(run.counters)}")


def print_runs(runs: Sequence[RunRecord]) -> None:
    """Print a line for each run."""
    console = open_console()
    for run in runs:
        print_line(console, f"{run.id}  {run.trigger}  {_sentence(run)}")
        if _rest_of_message(run):
            print_line(console, "   the message goes on: --json has it whole")
        for heading, words in books_of(run):
            print_line(console, "   ", heading.ljust(_HEADING_WIDTH), words)
    if not runs:
        print_line(console, "no runs yet")


def _sentence(run: RunRecord) -> str:
    """Return the state of a run in one line: of its message, the first."""
    counters = run.counters
    seconds = seconds_between(run.started_at, run.ended_at or now())
    words = f"{run.started_at} {run.status} after {duration(seconds)}"
    if run.status is Status.RUNNING:
        words = f"{run.started_at} running for {duration(seconds)}: {run.stage}"
    parts = [f"{counters.keys_listed:,} keys"]
    if counters.changes:
        parts.append(_counts(counters.changes))
    elif run.status is Status.DONE:
        parts.append("no changes" if counters.keys_listed else _EMPTY)
    units = counters.upload_jobs_units_done + counters.upload_jobs_units_error
    left = counters.upload_jobs_units_pending + counters.upload_jobs_units_cancelled
    if left:
        parts.append(f"{units:,} of {units + left:,} done")
    if counters.upload_jobs_units_error:
        parts.append(f"{counters.upload_jobs_units_error:,} failed")
    if run.message:
        parts.append(run.message.partition("\n")[0])
    return f"{words}: {'; '.join(parts)}"


def print_no_problems(summary: Summary) -> None:
    """Print that a folder has no current problems, and where to look if its last run failed."""
    run, name = summary.last_run, quote(summary.name)
    failed = run is not None and run.status is Status.ERROR
    print_message(
        f"{summary.name} has no current problems"
        + (f", but its last sync failed: labelingest folder show {name} says why" if failed else "")
    )


def print_problems(problems: Iterable[Problem], *, as_json: bool) -> bool:
    """Print problems, a line each, for people or as JSON; return whether there are any."""
    console = open_console()
    is_empty = True
    for problem in problems:
        is_empty = False
        if as_json:
            line = {**problem.as_dict(), "count": problem.count}
            sys.stdout.buffer.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        else:
            print_line(console, f"{problem.severity}: {problem}")
    return not is_empty


def print_items(items: Iterable[Mapping[str, Any]], *, as_json: bool) -> None:
    """Print items: ID, name and state in a line, or a line of JSON."""
    console = open_console()
    is_empty = True
    for item in items:
        is_empty = False
        if as_json:
            sys.stdout.buffer.write(orjson.dumps(item, option=orjson.OPT_APPEND_NEWLINE))
        else:
            labelled = "labelled" if item["labelRow"] else "unlabelled"
            why = f": {item['tombstoneReason']}" if item["tombstoneReason"] else ""
            hidden = f"  deleted{why}" if item["isTombstone"] else ""
            print_line(console, f"{item['uuid']}  {item['name']}  {labelled}{hidden}")
    if is_empty and not as_json:
        print_message("no items")

"""The commands that read a configuration: convert, check, pair and dialect.

A configuration is joined from a TOML file and the options of the command line; the latter win.
What a command needs is imported when it runs, so that `--help` answers at once.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn, TypeVar

import typer

from labelingest.cli.options import parameter_name, with_options
from labelingest.cli.stopped import exit_code_of
from labelingest.errors import ConfigError, resume_notes
from labelingest.options import OPTIONS, Command, Kind

if TYPE_CHECKING:
    from labelingest.config import IngestOptions
    from labelingest.pipeline import Paired
    from labelingest.report import Report

__all__ = ["check", "configured", "convert", "dialect", "exit_interrupted", "pair"]

Config = TypeVar("Config", bound="IngestOptions")

_SWITCHES: Final[Mapping[str, str]] = {
    option.name: parameter_name(option)
    for option in OPTIONS
    if Command.CONVERT in option.commands and option.kind is Kind.FLAG and not option.in_config
}
"""Key of a configuration file → parameter, for flags that concern the command line alone."""


@with_options(Command.CONVERT)
def convert(ctx: typer.Context, **options: Any) -> None:
    """Convert label files to Encord label rows, or to YOLO, COCO or Parquet.

    Example: labelingest convert coco128 --ontology coco.json --images 'images/{name}.jpg'
    --labels 'labels/{name}.txt' --out label_rows.jsonl
    """
    from labelingest import pipeline

    _run(ctx.params, pipeline.convert)


@with_options(Command.CHECK)
def check(ctx: typer.Context, **options: Any) -> None:
    """Find all problems of a folder without writing label rows.

    Takes the options of `convert`, but for --out, --shard-rows and --restart.

    Example: labelingest check coco128 --ontology coco.json
    """
    from labelingest import pipeline

    _run(ctx.params, pipeline.check)


WhyFile = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="Answer for one file, by key or path: which pattern it matches, which partner was "
        "looked for, what became of it and why, and what is near.",
    ),
]
OnlyRenames = Annotated[
    bool,
    typer.Option(
        "--renames",
        help="Print only the commands that rename near misses, to be read and piped into sh.",
    ),
]


@with_options(Command.PAIR)
def pair(
    ctx: typer.Context,
    why: WhyFile = None,
    renames: OnlyRenames = False,
    **options: Any,
) -> None:
    """Show how data files and label files pair: counts, examples, orphans and near misses.

    Example: labelingest pair coco128 --images 'images/{name}.jpg' --labels 'labels/{name}.txt'
    """
    from labelingest.cli.progress import ProgressLine
    from labelingest.cli.render_pairs import pairs_as_json, print_pairs, print_renames
    from labelingest.config import IngestOptions
    from labelingest.pipeline import pair_folder
    from labelingest.pipeline.discover import USUAL_RULE
    from labelingest.pipeline.from_config import pairing_rule

    config = configured(IngestOptions, ctx.params, unread="ontology")
    # Questions about single files have answers without a recognised layout too.
    rule_of_last_resort = USUAL_RULE if why is not None or renames else None
    with ProgressLine(quiet=False) as progress:
        paired = pair_folder(
            config, pairing_rule(config), progress=progress, last_resort=rule_of_last_resort
        )
    if why is not None:
        _answer(paired, why, config, as_json=bool(ctx.params["as_json"]))
    elif renames:
        print_renames(paired)
    elif ctx.params["as_json"]:
        sys.stdout.buffer.write(pairs_as_json(paired))
    else:
        print_pairs(paired, config)


def _answer(paired: "Paired", file: str, config: "IngestOptions", *, as_json: bool) -> None:
    """Print what became of one file."""
    from labelingest.cli.render_file_answer import file_answer_as_json, print_file_answer
    from labelingest.pipeline.one_file import explain_file

    answer = explain_file(paired, file, config.metadata_suffix)
    if as_json:
        sys.stdout.buffer.write(file_answer_as_json(paired, answer))
    else:
        print_file_answer(paired, answer)


@with_options(Command.DIALECT)
def dialect(ctx: typer.Context, **options: Any) -> None:
    """Show how the rows of YOLO label files are read, with the evidence in counts.

    The columns of one row do not tell a pose from a polygon, or a confidence from a track ID: the
    rows of all label files (of 2,000 in a large folder) do. What is decided here, convert and check
    decide by themselves. Where the rows do not tell, the layouts to choose from are printed as
    flags, and the command exits with 1.

    Example: labelingest dialect coco128 --ontology coco.json
    """
    from labelingest.cli.progress import ProgressLine
    from labelingest.cli.render_layout import dialect_as_json, print_dialect
    from labelingest.config import IngestOptions
    from labelingest.pipeline.dialect import find_dialect

    config = configured(IngestOptions, ctx.params)
    with ProgressLine(quiet=False) as progress:
        found_dialect = find_dialect(config, progress=progress)
    if ctx.params["as_json"]:
        sys.stdout.buffer.write(dialect_as_json(found_dialect))
    else:
        print_dialect(found_dialect, config)
    undecided = found_dialect.decision.choices and found_dialect.declared is None
    raise typer.Exit(1 if undecided else 0)


def configured(config_type: type[Config], params: dict[str, Any], *, unread: str = "") -> Config:
    """Join the configuration file and the options; switches of the file are moved to `params`.

    Parameters
    ----------
    config_type, params
        The class of the configuration, and the values of the command line.
    unread
        Key of the file that the command has no use for: its value is not checked.
    """
    from labelingest.config import load_config

    file = params.get("config")
    values: dict[str, Any] = {}
    if file is not None:
        values = load_config(Path(file))
        values.pop(unread, None)
        _take_switches(values, params)
    values |= {
        option.name: params[option.name]
        for option in OPTIONS
        if option.in_config and params.get(option.name) not in (None, [], ())
    }
    config = config_type(**values)
    if file is not None:
        _refuse_to_replace(file, config)
        config = config.noting_file(file)
    return config


def _take_switches(values: dict[str, Any], params: dict[str, Any]) -> None:
    for key, parameter in _SWITCHES.items():
        value = values.pop(key, False)
        if not isinstance(value, bool):
            raise ConfigError(f"{key}: {value!r}: expected true or false")
        params[parameter] = params.get(parameter) or value


def _refuse_to_replace(file: str, config: "IngestOptions") -> None:
    """Refuse outputs that are the configuration file itself."""
    from labelingest.pipeline.discover import outputs_of
    from labelingest.sinks.output_guard import OutputGuard

    OutputGuard({"config": file}).refuse_inputs(*outputs_of(config).values())


def _run(params: dict[str, Any], work: Callable[..., "Report"]) -> None:
    from labelingest.allocator import settle_memory
    from labelingest.cli.console import exit_code, log_to_people
    from labelingest.cli.progress import ProgressLine
    from labelingest.cli.render_report import print_report, print_unexpected
    from labelingest.config import IngestConfig

    settle_memory()
    log_to_people()
    config = configured(IngestConfig, params)
    try:
        with ProgressLine(quiet=bool(params["quiet"])) as progress:
            report = work(config, progress=progress)
    except KeyboardInterrupt as interrupt:
        exit_interrupted(interrupt, config.out)
    if params["as_json"]:
        sys.stdout.buffer.write(report.to_json())
    if not params["quiet"]:
        print_report(report, config)
    print_unexpected(report.log)
    code = report.exit_code(strict=bool(params["strict"]))
    raise typer.Exit(exit_code(code, exit_zero=bool(params["exit_zero"])))


def exit_interrupted(interrupt: KeyboardInterrupt, out: str | None) -> NoReturn:
    """Print what is left of an interrupted run, and exit as shells do."""
    notes = resume_notes(interrupt)
    if not notes and not (out and Path(out).exists()):
        notes = ["nothing was written"]
    print("; ".join(["labelingest: interrupted", *notes]), file=sys.stderr)
    raise typer.Exit(exit_code_of(interrupt)) from None

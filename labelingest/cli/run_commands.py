"""The commands that read a configuration: convert, check, pair and dialect.

What a command needs is imported when it runs, so that `--help` answers at once.
"""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from labelingest.cli.options import with_options
from labelingest.cli.runs import configured, run
from labelingest.options import Command

if TYPE_CHECKING:
    from labelingest.config import IngestOptions
    from labelingest.pipeline import Paired

__all__ = ["check", "convert", "dialect", "pair"]


@with_options(Command.CONVERT)
def convert(ctx: typer.Context, **options: Any) -> None:
    """Convert label files to Encord label rows, or to YOLO, COCO or Parquet.

    Example: labelingest convert coco128 --ontology coco.json --images 'images/{name}.jpg'
    --labels 'labels/{name}.txt' --out label_rows.jsonl
    """
    from labelingest import pipeline

    run(ctx.params, pipeline.convert)


@with_options(Command.CHECK)
def check(ctx: typer.Context, **options: Any) -> None:
    """Find all problems of a folder without writing label rows.

    Takes the options of `convert`, but for --out, --shard-rows and --restart.

    Example: labelingest check coco128 --ontology coco.json
    """
    from labelingest import pipeline

    run(ctx.params, pipeline.check)


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

"""Commands and exit codes.

Start-up is part of the interface: what a command needs is imported when it runs, so that `--help`
answers at once. Standard output is for what was asked for (`show`, tables of `pair` and `classes`,
JSON); reports, progress and errors for people go to standard error.

Exit codes: 0 clean, 1 finished with errors in some files, 2 wrong call or configuration, 3 storage
or engine failure, or an unexpected one (`ends.py`).
"""

import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn

import typer

from labelingest.cli.encoding import speak_utf8
from labelingest.cli.ends import run_to_the_end
from labelingest.cli.folder.commands import app as folder_app
from labelingest.cli.formats import formats
from labelingest.cli.group import CommandGroup
from labelingest.cli.integration import app as integration_app
from labelingest.cli.metadata import metadata_app
from labelingest.cli.options import (
    OUTPUT_PANEL,
    AsJson,
    BatchBytes,
    Config,
    CreatedBy,
    DatasetTitle,
    DuplicateRows,
    Engine,
    ExitZero,
    FailedCsv,
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
    Out,
    OutOfRange,
    Overwrite,
    ProblemsFile,
    Quiet,
    ReplaceFile,
    ReportFile,
    Restart,
    RowLayout,
    ShardRows,
    StoragePath,
    StorageUrl,
    Strict,
    Suffix,
    To,
    WarnMisfit,
    Workers,
    YoloConfidence,
    YoloLayout,
    same_options,
)
from labelingest.encord.keys import SIDECAR_SUFFIX
from labelingest.errors import ConfigError

if TYPE_CHECKING:
    from labelingest.config import IngestConfig
    from labelingest.report import Report

__all__ = ["app", "main"]

app = typer.Typer(
    cls=CommandGroup,
    name="labelingest",
    help="Turn folders of label files into Encord label rows, every row accounted for.",
    epilog="Start with: labelingest check FOLDER --ontology ontology.json",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
ontology_app = typer.Typer(help="Make ontologies.", no_args_is_help=True)
app.add_typer(ontology_app, name="ontology")
app.add_typer(metadata_app, name="metadata")
app.add_typer(folder_app, name="folder")
app.add_typer(integration_app, name="integration")

_SWITCHES: Final = {
    "strict": "strict",
    "exit_zero": "exit_zero",
    "quiet": "quiet",
    "json": "as_json",
}
"""Key of a configuration file → parameter of a command."""
_NOT_CONFIGURATION: Final = ("config", "files", "out_folder", *_SWITCHES.values())


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", is_eager=True)
    ] = False,
) -> None:
    if version:
        from importlib.metadata import version as installed

        print(f"labelingest {installed('labelingest')}")
        raise typer.Exit


@app.command()
def convert(
    ctx: typer.Context,
    storage_path: StoragePath = None,
    format: Format = None,
    images: Images = None,
    labels: Labels = None,
    suffix: Suffix = None,
    metadata_suffix: MetadataSuffix = None,
    follow_symlinks: FollowSymlinks = None,
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
    storage_url: StorageUrl = None,
    created_by: CreatedBy = None,
    dataset_title: DatasetTitle = None,
    to: To = None,
    yolo_layout: YoloLayout = None,
    yolo_confidence: YoloConfidence = None,
    out: Out = None,
    shard_rows: ShardRows = None,
    report: ReportFile = None,
    problems: ProblemsFile = None,
    failed_csv: FailedCsv = None,
    overwrite: Overwrite = None,
    workers: Workers = None,
    engine: Engine = None,
    batch_bytes: BatchBytes = None,
    restart: Restart = None,
    strict: Strict = False,
    exit_zero: ExitZero = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Convert label files to Encord label rows, or to YOLO, COCO or Parquet.

    Example: labelingest convert coco128 --ontology coco.json --images 'images/{name}.jpg'
    --labels 'labels/{name}.txt' --out label_rows.jsonl
    """
    from labelingest import pipeline

    _run(ctx.params, pipeline.convert)


def check(ctx: typer.Context, **options: Any) -> None:
    """Find every problem, write nothing.

    Takes the options of `convert`. Example: labelingest check coco128 --ontology coco.json
    """
    from labelingest import pipeline

    _run(ctx.params, pipeline.check)


def bench(
    ctx: typer.Context,
    files: Annotated[
        int, typer.Option(min=1, help="Measure so many files at most, spread over the folder.")
    ] = 20_000,
    out_folder: Annotated[
        str | None,
        typer.Option(
            help="Folder in which the output is written and removed (default: the system's "
            "temporary folder).",
            rich_help_panel=OUTPUT_PANEL,
        ),
    ] = None,
    **options: Any,
) -> None:
    """Measure where the time goes for your own folder, stage by stage, and what would help.

    Converts a part of the folder in one process, with the options of `convert`, into a temporary
    folder. The name of --out says which kind of output is measured; it is not written. Files that
    were read before are in memory: the first of two runs measures the storage.

    Example: labelingest bench coco128 --ontology coco.json --out-folder /data
    """
    from labelingest.allocator import settle_memory
    from labelingest.cli.bench import measurement_as_json, print_measurement
    from labelingest.cli.progress import ProgressLine
    from labelingest.pipeline.profile import measure

    settle_memory()
    params = ctx.params
    config = _configured(params)
    try:
        with ProgressLine(quiet=False) as progress:
            measurement = measure(config, files=files, out_folder=out_folder, progress=progress)
    except KeyboardInterrupt as ended:
        _interrupted(ended, None)
    if params["as_json"]:
        sys.stdout.buffer.write(measurement_as_json(measurement, config))
    else:
        print_measurement(measurement, config)


same_options(check, convert, "out", "shard_rows", "restart")
app.command()(check)
same_options(
    bench,
    convert,
    *("report", "problems", "failed_csv", "overwrite", "workers", "engine", "restart"),
    *("strict", "exit_zero", "quiet"),
)
app.command()(bench)


def _configured(params: dict[str, Any]) -> "IngestConfig":
    """Join the configuration file and the flags that were given; its switches go to params."""
    from labelingest.config import IngestConfig, load_config

    values = {}
    if params.get("config"):
        values = load_config(params["config"])
        _take_switches(values, params)
    flags = {
        name: value
        for name, value in params.items()
        if name not in _NOT_CONFIGURATION and value not in (None, [], ())
    }
    config = IngestConfig(**(values | flags))
    if params.get("config"):
        _refuse_to_replace(params["config"], config)
    return config


def _refuse_to_replace(path: Path, config: "IngestConfig") -> None:
    """Refuse outputs that are the configuration file itself."""
    from labelingest.pipeline.discover import outputs_of
    from labelingest.sinks.output_guard import OutputGuard

    OutputGuard({"config": path}).refuse_inputs(*outputs_of(config).values())


def _take_switches(values: dict[str, Any], params: dict[str, Any]) -> None:
    """Move the switches of a configuration file, which concern the command line alone, to flags."""
    for key, name in _SWITCHES.items():
        value = values.pop(key, False)
        if not isinstance(value, bool):
            raise ConfigError(f"{key}: {value!r}: expected true or false")
        params[name] = params.get(name, False) or value


def _interrupted(ended: KeyboardInterrupt, out: str | None) -> NoReturn:
    """Say what is left of an interrupted run, and exit as shells do."""
    notes = getattr(ended, "__notes__", [])
    if not notes and not (out and Path(out).exists()):
        notes = ["nothing was written"]
    print("; ".join(["labelingest: interrupted", *notes]), file=sys.stderr)
    raise typer.Exit(128 + (ended.args[0] if ended.args else signal.SIGINT)) from None


def _run(params: dict[str, Any], work: Callable[..., "Report"]) -> None:
    from labelingest.allocator import settle_memory
    from labelingest.cli.console import exit_code, log_to_people
    from labelingest.cli.progress import ProgressLine
    from labelingest.cli.render import print_report, say_unexpected

    settle_memory()
    log_to_people()
    config = _configured(params)
    try:
        with ProgressLine(quiet=params["quiet"]) as progress:
            report = work(config, progress=progress)
    except KeyboardInterrupt as interrupt:
        _interrupted(interrupt, config.out)
    if params["as_json"]:
        sys.stdout.buffer.write(report.to_json())
    if not params["quiet"]:
        print_report(report, config)
    say_unexpected(report.log)
    code = report.exit_code(strict=params["strict"])
    raise typer.Exit(exit_code(code, exit_zero=params["exit_zero"]))


@app.command()
def pair(
    ctx: typer.Context,
    storage_path: StoragePath = None,
    format: Format = None,
    images: Images = None,
    labels: Labels = None,
    suffix: Suffix = None,
    metadata_suffix: MetadataSuffix = None,
    follow_symlinks: FollowSymlinks = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Show how files pair: counts, examples, orphans and near misses.

    Example: labelingest pair coco128 --images 'images/{name}.jpg' --labels 'labels/{name}.txt'
    """
    from labelingest.cli.progress import ProgressLine
    from labelingest.cli.render import pairs_as_json, print_pairs
    from labelingest.pipeline import pair_folder
    from labelingest.pipeline.from_config import pairing_rule

    # Pairing needs no ontology: whatever stands in its place is not looked at.
    params = {"ontology": "none", **ctx.params}
    settings = _configured(params)
    with ProgressLine(quiet=False) as progress:
        paired = pair_folder(settings, pairing_rule(settings), progress=progress)
    if params["as_json"]:
        sys.stdout.buffer.write(pairs_as_json(paired))
    else:
        print_pairs(paired)


@app.command()
def show(
    row: Annotated[
        str,
        typer.Argument(
            metavar="KEY|SIDECAR|LABEL_ROW",
            help="A label row or sidecar, a data file with a sidecar beside it, a file of one "
            "label row, - for standard input, or with --in a key in a file of label rows.",
        ),
    ],
    rows: Annotated[
        str | None,
        typer.Option("--in", metavar="FILE.jsonl", help="File of label rows, one a line."),
    ] = None,
    suffix: Annotated[
        str, typer.Option(help="What is added to a data file's name to name its sidecar.")
    ] = SIDECAR_SUFFIX,
    ontology: Annotated[
        str | None,
        typer.Option(help="Ontology JSON: nests answers, and shows what is wrong with the row."),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Show long lists whole, not their first 20.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what is in one label row: objects in pixels, answers, problems.

    Example: labelingest show images/a.jpg --in label_rows.jsonl --ontology ontology.json
    """
    from labelingest.cli.show import show

    raise typer.Exit(
        show(
            row,
            rows=rows,
            suffix=suffix,
            ontology=ontology,
            everything=everything,
            as_json=as_json,
        )
    )


@app.command()
def classes(
    ontology: Annotated[Path, typer.Argument(metavar="ONTOLOGY", help="Ontology JSON.")],
    namespace: Namespace = None,
    map: Map = None,
    as_json: AsJson = False,
) -> None:
    """Show which ontology object each class number means, and why.

    Example: labelingest classes ontology.json --map 7=car
    """
    from labelingest.cli.render import classes_as_json, print_classes, print_objects
    from labelingest.resolution.class_map import make_class_map
    from labelingest.resolution.ontology_json import load_ontology
    from labelingest.resolution.overrides import parse_overrides

    loaded = load_ontology(ontology)
    overrides = parse_overrides(map or [])
    unmappable = not overrides and not any(entry.external_ids for entry in loaded.objects)
    if unmappable and not as_json:
        print_objects(loaded, str(ontology))
    mapping = make_class_map(loaded, namespace=namespace, overrides=overrides)
    if as_json:
        sys.stdout.buffer.write(classes_as_json(loaded, mapping))
    else:
        print_classes(loaded, mapping)


app.command("formats")(formats)


@ontology_app.command("init")
def ontology_init(
    names: Annotated[
        Path,
        typer.Argument(
            metavar="data.yaml|classes.txt",
            help="Class names: `names:` of a YAML file, or a line each.",
        ),
    ],
    shape: Annotated[
        str,
        typer.Option(help="Shape of all objects: bounding_box, polygon or rotatable_bounding_box."),
    ],
    namespace: Annotated[str, typer.Option(help="Namespace of the external IDs.")] = "YOLO",
    out: Annotated[
        Path | None, typer.Option(help="File to write; standard output when not given.")
    ] = None,
    overwrite: ReplaceFile = False,
) -> None:
    """Write a starter ontology for the class names of a YOLO data set.

    Example: labelingest ontology init data.yaml --shape bounding_box --out ontology.json
    """
    import orjson

    from labelingest.cli.render import say
    from labelingest.model.ontology import Shape
    from labelingest.resolution.class_numbers import SUPPORTED_SHAPES
    from labelingest.resolution.starter import read_class_names, starter_ontology
    from labelingest.sinks.output_guard import Output, OutputGuard, OutputKind

    if shape not in SUPPORTED_SHAPES:
        raise ConfigError(f"shape {shape!r} is none of {', '.join(SUPPORTED_SHAPES)}")
    structure = starter_ontology(read_class_names(names), Shape(shape), namespace)
    text = orjson.dumps(structure, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    if out is None:
        sys.stdout.buffer.write(text)
        return
    guard = OutputGuard({"list of class names": names}, overwrite=overwrite)
    with guard.open(Output("out", str(out), OutputKind.ONTOLOGY)) as file:
        file.write(text)
    say(f"objects written to {out}: {len(structure['objects'])}; next: labelingest classes {out}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; turn exceptions into sentences and exit codes.

    Parameters
    ----------
    arguments
        What stands after the program's name; that of the process when None.
    """
    if arguments is None:
        speak_utf8()
    run_to_the_end(lambda: app(arguments))

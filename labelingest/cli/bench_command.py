"""The command that measures: bench, its saved results, their comparison, and data sets to measure on."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from labelingest.bench.synthetic.kinds import Kind as RowKind
from labelingest.cli.options import with_options
from labelingest.cli.run_commands import configured, exit_interrupted
from labelingest.errors import ConfigError
from labelingest.options import Command, Panel

if TYPE_CHECKING:
    from labelingest.bench.compare import Comparison
    from labelingest.bench.result import Result
    from labelingest.config import IngestConfig
    from labelingest.progress import Progress
    from labelingest.sinks.output_guard import GuardedOutput, OutputGuard

__all__ = ["TOO_SLOW", "bench"]

TOO_SLOW: Final = 5
"""Exit code of a measurement that is above the threshold."""
_ROUNDS_TO_COMPARE: Final = 3
"""Rounds of a result that is saved or compared: enough to tell noise from a change."""


def _option(help_text: str, panel: Panel, **more: Any) -> Any:
    return typer.Option(help=help_text, rich_help_panel=panel.value, **more)


Files = Annotated[
    int,
    _option("Data files to measure, spread over the folder.", Panel.MEASUREMENT, min=1),
]
Rounds = Annotated[
    int | None,
    _option(
        "Times that the files are converted; the fastest counts (default: 1, or 3 with --save or "
        "--compare).",
        Panel.MEASUREMENT,
        min=1,
    ),
]
OutFolder = Annotated[
    str | None,
    _option(
        "Folder for the temporary output (default: the system's temporary folder).",
        Panel.MEASUREMENT,
        metavar="FOLDER",
    ),
]
Save = Annotated[
    str | None,
    _option("File to keep the result in, as JSON.", Panel.MEASUREMENT, metavar="FILE"),
]
Compare = Annotated[
    str | None,
    _option(
        "Saved result to show beside this one, with ratios.", Panel.MEASUREMENT, metavar="FILE"
    ),
]
FailAbove = Annotated[
    str | None,
    _option(
        "With --compare: exit with code 5 if the whole, its peak memory, or a stage with a fifth "
        "of them is slower or larger by more than this percentage, as 10%, beyond the noise "
        "between rounds.",
        Panel.MEASUREMENT,
        metavar="PERCENT",
    ),
]
Generate = Annotated[
    int | None,
    _option(
        "Measure on a generated data set of N data files, instead of STORAGE_PATH.",
        Panel.GENERATED,
        metavar="N",
        min=1,
    ),
]
KindOfRows = Annotated[
    RowKind | None, _option("Rows of the generated label files (default: boxes).", Panel.GENERATED)
]
Seed = Annotated[
    int | None,
    _option(
        "Seed of the generated data (default: 0). The same options give the same files.",
        Panel.GENERATED,
        min=0,
    ),
]
Defects = Annotated[
    float | None,
    _option(
        "Share of the generated rows that are defective, from 0 to 1 (default: 0).",
        Panel.GENERATED,
        min=0.0,
        max=1.0,
    ),
]
Into = Annotated[
    str | None,
    _option(
        "Folder that keeps the generated data set: a new or an empty one (default: a temporary "
        "folder).",
        Panel.GENERATED,
        metavar="FOLDER",
    ),
]


@with_options(Command.BENCH)
def bench(
    ctx: typer.Context,
    files: Files = 20_000,
    rounds: Rounds = None,
    out_folder: OutFolder = None,
    save: Save = None,
    compare: Compare = None,
    fail_above: FailAbove = None,
    generate: Generate = None,
    kind: KindOfRows = None,
    seed: Seed = None,
    defects: Defects = None,
    into: Into = None,
    **options: Any,
) -> None:
    """Measure time and memory of each stage for your own folder, and what would be faster.

    Converts part of the folder with the options of `convert`, in one process and in one for each
    core, into a temporary folder. --out selects the kind of output; it is not written. The first of
    two runs measures the storage, the second reads the files from memory.

    Memory of a stage is what Python objects and arrays take in it at most, beyond what they took
    before; memory of C libraries does not count. It is measured in a run of its own, on any system.
    The peak of the process is its resident memory: on Linux that of the run, on macOS since the
    start of the process, not known on Windows.

    Example: labelingest bench coco128 --ontology coco.json --compare before.json --fail-above 10%
    """
    from labelingest.allocator import settle_memory
    from labelingest.bench.compare import threshold_from_text

    if fail_above is not None and compare is None:
        raise ConfigError("fail-above needs a saved result to compare with: add --compare FILE")
    threshold = None if fail_above is None else threshold_from_text(fail_above)
    settle_memory()
    try:
        with _folder(ctx.params) as data:
            config = configured(_config_type(), ctx.params)
            _bench(ctx.params, config, data or config.storage_path, threshold)
    except KeyboardInterrupt as interrupt:
        exit_interrupted(interrupt, None)


def _config_type() -> "type[IngestConfig]":
    from labelingest.config import IngestConfig

    return IngestConfig


def _bench(
    params: dict[str, Any], config: "IngestConfig", data: str, threshold: float | None
) -> None:
    """Measure, save, compare and print; exit with `TOO_SLOW` above the threshold."""
    from labelingest.bench.compare import compare
    from labelingest.bench.machine import this_machine
    from labelingest.bench.measure import measure
    from labelingest.bench.result import read_result, result_document, result_of
    from labelingest.cli.render_comparison import print_comparison, print_failures
    from labelingest.cli.render_measurement import print_measurement

    machine, compared = this_machine(), params["compare"]
    earlier = None if compared is None else read_result(compared)
    if earlier is not None and threshold is not None:
        _refuse_other_setup(earlier, config, compared)
    output = _saved_output(params["save"], config)
    rounds = params["rounds"] or (
        _ROUNDS_TO_COMPARE if params["save"] is not None or earlier is not None else 1
    )
    with _progress() as progress:
        measurement = measure(
            config,
            files=params["files"],
            rounds=rounds,
            out_folder=params["out_folder"],
            progress=progress,
        )
    measured = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    result = result_of(config, measurement, machine, data=data, measured=measured)
    document = result_document(result, config)
    if params["as_json"]:
        sys.stdout.buffer.write(document)
    else:
        print_measurement(measurement, config)
    failures = []
    if earlier is not None:
        comparison = compare(earlier, result)
        print_comparison(comparison, compared, earlier, to_stderr=bool(params["as_json"]))
        if threshold is not None:
            _refuse_obstacles(comparison, compared)
            failures = comparison.failures(threshold)
    if output is not None and not (failures and _is_same(params["save"], compared)):
        guard, guarded = output
        with guard.open(guarded) as file:
            file.write(document)
    if threshold is not None and failures:
        print_failures(failures, compared, threshold, is_kept=_is_same(params["save"], compared))
        raise typer.Exit(TOO_SLOW)


@contextmanager
def _progress() -> "Iterator[Callable[[Progress], None]]":
    from labelingest.cli.progress import ProgressLine

    with ProgressLine(quiet=False) as progress:
        yield progress


@contextmanager
def _folder(params: dict[str, Any]) -> Iterator[str]:
    """Make the data set that the options ask for, and put it into the place of the folder.

    Gives its recipe in words; an empty text for a folder of the user.
    """
    if params["generate"] is None:
        for name in ("kind", "seed", "defects", "into"):
            if params[name] is not None:
                raise ConfigError(
                    f"--{name} has no effect without --generate: add --generate 20000, or leave it out"
                )
        yield ""
        return
    if params["storage_path"] is not None:
        raise ConfigError(
            f"STORAGE_PATH {params['storage_path']!r} and --generate: one of them is measured; leave "
            "out the other"
        )
    from labelingest.bench.generated import Recipe, generated_folder
    from labelingest.cli.console import print_message

    recipe = Recipe(
        files=params["generate"],
        kind=(params["kind"] or RowKind.BOXES).value,
        seed=params["seed"] or 0,
        defects=params["defects"] or 0.0,
    )
    with _progress() as progress:
        making = generated_folder(recipe, params["into"], params["out_folder"], progress)
        generated = making.__enter__()
    try:
        if params["into"] is not None:
            print_message(
                f"{generated.root}: {generated.files:,} data files with {generated.rows:,} rows of "
                f"{generated.kind}; ontology {generated.ontology}"
            )
        params["storage_path"] = generated.root
        params["ontology"] = params["ontology"] or str(generated.ontology)
        yield str(recipe)
    finally:
        making.__exit__(None, None, None)


def _refuse_other_setup(earlier: "Result", config: "IngestConfig", path: str) -> None:
    """Refuse, before anything is measured, a result of another machine or of other options."""
    from labelingest.bench.compare import obstacles_of_setup
    from labelingest.bench.machine import this_machine
    from labelingest.bench.result import options_in

    obstacles = obstacles_of_setup(earlier, this_machine(), options_in(config))
    if obstacles:
        raise _other(path, obstacles)


def _refuse_obstacles(comparison: "Comparison", path: str) -> None:
    if comparison.obstacles:
        raise _other(path, comparison.obstacles)


def _other(path: str, obstacles: "list[str] | Any") -> ConfigError:
    return ConfigError(
        f"{path!r} cannot judge this run, which differs in {'; '.join(obstacles)}: save a result of "
        f"this one, with --save {path} in place of --compare and --fail-above"
    )


def _saved_output(
    path: str | None, config: "IngestConfig"
) -> "tuple[OutputGuard, GuardedOutput] | None":
    """Return where the result is saved, and refuse a place that it must not replace."""
    from labelingest.sinks.output_guard import GuardedOutput, OutputGuard, OutputKind
    from labelingest.storage import open_storage

    if path is None:
        return None
    storage = open_storage(config.storage_path, follow_symlinks=config.follow_symlinks)
    inputs = {"ontology": config.ontology, "config": config.file, "class list": config.class_list}
    guard = OutputGuard(inputs, {"storage path": storage}, overwrite=config.overwrite)
    guarded = GuardedOutput("save", path, OutputKind.MEASUREMENT)
    guard.admit(guarded)
    return guard, guarded


def _is_same(path: str | None, other: str | None) -> bool:
    from labelingest.storage.local.real_paths import real_path

    return path is not None and other is not None and real_path(path) == real_path(other)

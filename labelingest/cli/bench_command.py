"""The command that measures: bench, its saved results, their comparison, and data sets to measure on."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from labelingest.bench.synthetic.kinds import Kind as RowKind
from labelingest.cli.options import with_options
from labelingest.cli.runs import configured, exit_interrupted
from labelingest.errors import ConfigError
from labelingest.options import Command, Panel

if TYPE_CHECKING:
    from labelingest.bench.compare import Figure
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

    Converts part of the folder with the options of `convert`, in one process
    and in one for each core, into a temporary folder of this machine. --out
    selects the kind of output; it is not written. The first of two calls
    measures the storage, the second reads the files from memory.

    Memory of a stage is the most that Python objects and arrays take in it,
    beyond what they took before; memory of C libraries does not count. It is
    measured in a run of its own, on any system. The peak of the process is its
    resident memory: on Linux that of the first round, on macOS since the start
    of the process. On Windows it is not known.

    Example: labelingest bench drive --ontology drive.json --save before.json
    """
    from labelingest.allocator import settle_memory
    from labelingest.bench.compare import threshold_from_text
    from labelingest.config import IngestConfig

    if fail_above is not None and compare is None:
        raise ConfigError("fail-above needs a saved result to compare with: add --compare FILE")
    threshold = None if fail_above is None else threshold_from_text(fail_above)
    settle_memory()
    try:
        with _folder(ctx.params) as data:
            config = configured(IngestConfig, ctx.params)
            _bench(ctx.params, config, data or config.storage_path, threshold)
    except KeyboardInterrupt as interrupt:
        exit_interrupted(interrupt, into)


def _bench(
    params: dict[str, Any], config: "IngestConfig", data: str, threshold: float | None
) -> None:
    """Measure, print, compare and save; exit with `TOO_SLOW` above the threshold."""
    from labelingest.bench.result import result_document
    from labelingest.cli.render_comparison import print_failures
    from labelingest.cli.render_measurement import print_measurement

    save, compared = params["save"], params["compare"]
    earlier = _earlier(compared, config, threshold)
    output = _saved_output(save, config)
    result = _measured(params, config, data)
    document = result_document(result, config)
    if params["as_json"]:
        sys.stdout.buffer.write(document)
    else:
        print_measurement(result.measurement, config)
    failures: Sequence[Figure] = ()
    if earlier is not None:
        failures = _compared(earlier, result, params, threshold)
    # A result that fails is not what the next one has to reach.
    is_kept = bool(failures) and _is_same(save, compared)
    if output is not None and not is_kept:
        guard, guarded = output
        with guard.open(guarded) as file:
            file.write(document)
    if threshold is not None and failures:
        print_failures(failures, compared, threshold, is_kept=is_kept)
        raise typer.Exit(TOO_SLOW)


def _earlier(path: str | None, config: "IngestConfig", threshold: float | None) -> "Result | None":
    """Read the result to compare with; with a threshold, refuse one that cannot judge this run."""
    from labelingest.bench.compare import obstacles_of_setup
    from labelingest.bench.machine import this_machine
    from labelingest.bench.result import options_in, read_result

    if path is None:
        return None
    earlier = read_result(path)
    if threshold is not None:
        _refuse(obstacles_of_setup(earlier, this_machine(), options_in(config)), path)
    return earlier


def _measured(params: dict[str, Any], config: "IngestConfig", data: str) -> "Result":
    from labelingest.bench.machine import this_machine
    from labelingest.bench.measure import measure
    from labelingest.bench.result import result_of

    is_compared = params["save"] is not None or params["compare"] is not None
    with _progress() as progress:
        measurement = measure(
            config,
            files=params["files"],
            rounds=params["rounds"] or (_ROUNDS_TO_COMPARE if is_compared else 1),
            out_folder=params["out_folder"],
            progress=progress,
        )
    measured = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return result_of(config, measurement, this_machine(), data=data, measured=measured)


def _compared(
    earlier: "Result", result: "Result", params: dict[str, Any], threshold: float | None
) -> "Sequence[Figure]":
    """Print a result beside an earlier one; return the figures above the threshold."""
    from labelingest.bench.compare import compare
    from labelingest.cli.render_comparison import print_comparison, print_success

    comparison, path = compare(earlier, result), params["compare"]
    print_comparison(comparison, path, earlier, to_stderr=bool(params["as_json"]))
    if threshold is None:
        return ()
    _refuse(comparison.obstacles, path)
    failures = comparison.failures(threshold)
    if not failures:
        print_success(path, threshold, to_stderr=bool(params["as_json"]))
    return failures


def _refuse(obstacles: Sequence[str], path: str) -> None:
    """Refuse a threshold where ratios mean nothing."""
    if obstacles:
        raise ConfigError(
            f"{path!r} cannot judge this run, which differs in {'; '.join(obstacles)}: save a result "
            f"of this one, with --save {path} in place of --compare and --fail-above"
        )


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
    with ExitStack() as until_measured:
        with _progress() as progress:
            generated = until_measured.enter_context(
                generated_folder(recipe, params["into"], params["out_folder"], progress)
            )
        if params["into"] is not None:
            print_message(
                f"{generated.root}: {generated.files:,} data files with {generated.rows:,} rows of "
                f"{generated.kind}; ontology {generated.ontology}"
            )
        params["storage_path"] = generated.root
        params["ontology"] = params["ontology"] or str(generated.ontology)
        yield str(recipe)


def _saved_output(
    path: str | None, config: "IngestConfig"
) -> "tuple[OutputGuard, GuardedOutput] | None":
    """Return where the result is saved, and refuse a place that it must not replace."""
    from labelingest.sinks.output_guard import GuardedOutput, OutputGuard, OutputKind
    from labelingest.storage import open_storage

    if path is None:
        return None
    _refuse_place(path)
    storage = open_storage(config.storage_path, follow_symlinks=config.follow_symlinks)
    inputs = {"ontology": config.ontology, "config": config.file, "class list": config.class_list}
    guard = OutputGuard(inputs, {"storage path": storage}, overwrite=config.overwrite)
    guarded = GuardedOutput("save", path, OutputKind.MEASUREMENT)
    guard.admit(guarded)
    return guard, guarded


def _refuse_place(path: str) -> None:
    """Refuse a place in which no file can be made, before minutes of measuring are lost."""
    from pathlib import Path

    from labelingest.storage.urls import is_cloud

    if is_cloud(path):
        raise ConfigError(f"save {path!r}: results are files of this machine: give a local path")
    folder = Path(path).parent
    if not folder.is_dir():
        raise ConfigError(f"save {path!r}: there is no folder {str(folder)!r}: make it first")


def _is_same(path: str | None, other: str | None) -> bool:
    from labelingest.storage.local.real_paths import real_path

    return path is not None and other is not None and real_path(path) == real_path(other)

"""The start-up budget: modules and generated classes that a process loads before its work.

Counts, no seconds: `benchmarks/start_up.py` has those.
"""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pytest

from labelingest.pipeline.choose_engine import PRELOAD

ROOT: Final = Path(__file__).parents[2]

LOADS: Final = """
import atexit, json, re, sys
from enum import Enum

def tell():
    modules = sorted(name for name in sys.modules if name.startswith("labelingest."))
    generated = {"dataclasses": [], "pydantic models": [], "enums": [], "patterns": []}
    for name in modules:
        for key, value in [*vars(sys.modules[name]).items()]:
            if isinstance(value, re.Pattern):
                generated["patterns"].append(f"{name}.{key}")
            elif isinstance(value, type) and value.__module__ == name:
                for kind, is_kind in (
                    ("dataclasses", "__dataclass_fields__" in vars(value)),
                    ("pydantic models", hasattr(value, "__pydantic_core_schema__")),
                    ("enums", issubclass(value, Enum)),
                ):
                    if is_kind:
                        generated[kind].append(f"{name}.{key}")
    own = {*sys.stdlib_module_names, "labelingest", "__main__", "__mp_main__"}
    others = sorted({n.partition(".")[0] for n in sys.modules} - own)
    with open(sys.argv[0], "w") as file:
        json.dump({"modules": modules, "others": others, "generated": generated}, file)

atexit.register(tell)
"""
COMMAND: Final = """
from labelingest.cli.main import main
main(sys.argv[1:])
"""

HIDDEN: Final = {"cython_runtime", "org", "sitecustomize", "usercustomize"}
"""Names in `sys.modules` that are no packages, or belong to the installation."""

CURE: Final = (
    "Import what few calls need inside the function that needs it, names of annotations under "
    "TYPE_CHECKING, and look alternatives up when one is chosen (labelingest.formats.format.load). "
    "Classes of fields are msgspec.Struct; patterns of rare texts are compiled when first used. "
    "Raise a number only for what every such call needs."
)


@dataclass(frozen=True)
class Loaded:
    """What a process loaded."""

    modules: Sequence[str]
    others: Sequence[str]
    generated: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Budget:
    """What a process may load."""

    modules: int
    """Modules of the package."""
    others: frozenset[str]
    """Packages of others."""
    dataclasses: int = 0
    enums: int = 0
    patterns: int = 0
    """Compiled regular expressions of modules of the package."""
    without: tuple[str, ...] = ()
    """Packages and modules of the package that stay unloaded."""


KERNELS: Final = frozenset(["msgspec", "numpy", "orjson", "typing_extensions"])
"""Packages that every conversion needs."""
PARSER: Final = frozenset(
    [
        *("annotated_doc", "attr", "click", "markdown_it", "mdurl", "pygments", "rich"),
        *("shellingham", "typer"),
    ]
)
"""Packages by which Typer prints help."""
VALUES: Final = frozenset(
    ["annotated_types", "pydantic", "pydantic_core", "typing_extensions", "typing_inspection"]
)
"""Packages by which Typer converts the values of options."""
HELP: Final = Budget(
    modules=56,
    others=PARSER,
    dataclasses=2,
    enums=5,
    patterns=1,
    without=("config", "converter", "engines", "model", "pipeline", "problems.codes", "sinks"),
)


def loaded_by(folder: Path, script: str, *arguments: str) -> Loaded:
    file = folder / "loaded.json"
    setup = f"{LOADS}\nsys.argv[0] = {str(file)!r}\n{script}"
    command = [sys.executable, "-c", setup, *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert ran.returncode in (0, 1), ran.stderr
    content: dict[str, Any] = json.loads(file.read_text())
    return Loaded(**content)


def by_package(modules: Sequence[str]) -> str:
    packages = Counter(name.split(".")[1] for name in modules)
    return ", ".join(f"{package} {count}" for package, count in sorted(packages.items()))


def excess(loaded: Loaded, budget: Budget) -> list[str]:
    """Return what is over the budget, in sentences."""
    sentences = []
    if len(loaded.modules) > budget.modules:
        sentences.append(
            f"{len(loaded.modules)} modules of the package, {budget.modules} allowed: "
            f"{by_package(loaded.modules)}; {' '.join(loaded.modules)}"
        )
    new = {*loaded.others} - budget.others - HIDDEN
    new = {name for name in new if not name.startswith(("_", "pyximport"))}
    if new:
        sentences.append(f"packages of others: {', '.join(sorted(new))}")
    limits = {
        "dataclasses": budget.dataclasses,
        "pydantic models": 0,
        "enums": budget.enums,
        "patterns": budget.patterns,
    }
    sentences += [
        f"{len(names)} {kind}, {limits[kind]} allowed: {' '.join(names)}"
        for kind, names in loaded.generated.items()
        if len(names) > limits[kind]
    ]
    rooms = tuple(f"labelingest.{name}." for name in budget.without)
    unwanted = [name for name in loaded.modules if f"{name}.".startswith(rooms)]
    if rooms and unwanted:
        sentences.append(f"modules that such a call never needs: {' '.join(unwanted)}")
    return sentences


def check(loaded: Loaded, budget: Budget) -> None:
    sentences = excess(loaded, budget)
    assert not sentences, "\n".join(["over the budget of start-up:", *sentences, CURE])


@pytest.fixture(scope="module")
def boxes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("boxes")
    for name in ("images", "labels"):
        (folder / name).mkdir()
    for number in range(3):
        (folder / f"images/{number}.jpg").write_bytes(b"\xff\xd8\xff")
        (folder / f"labels/{number}.txt").write_text("0 0.5 0.5 0.25 0.125\n")
    car = {"id": "1", "name": "Car", "color": "#D33115", "shape": "bounding_box"}
    car |= {"featureNodeHash": "a1B2c3D4", "externalIds": {"YOLO": 0}}  # type: ignore[dict-item]
    (folder / "ontology.json").write_text(json.dumps({"objects": [car], "classifications": []}))
    return folder


def test_convert_of_boxes_stays_within_its_budget(boxes: Path, tmp_path: Path) -> None:
    arguments = [
        *("convert", str(boxes), "--ontology", str(boxes / "ontology.json")),
        *("--images", "images/{name}.jpg", "--labels", "labels/{name}.txt", "--workers", "1"),
        *("--out", str(tmp_path / "rows.jsonl")),
    ]
    check(
        loaded_by(tmp_path, COMMAND, *arguments),
        Budget(
            modules=266,
            others=KERNELS | {"parse"},
            dataclasses=23,
            enums=26,
            patterns=30,
            without=(
                *("bench", "config", "documents.decode", "engines.clusters", "folders", "metadata"),
                *(
                    "readers.encord",
                    "storage.cloud.cloud",
                    "writers.parquet",
                ),
            ),
        ),
    )
    assert (tmp_path / "rows.jsonl").read_bytes().count(b"\n") == 3


@pytest.mark.parametrize(
    ("arguments", "budget"),
    [
        pytest.param(["--version"], Budget(modules=12, others=frozenset()), id="version"),
        pytest.param(["--help"], HELP, id="help"),
        pytest.param(["folder", "--help"], replace(HELP, others=PARSER | VALUES), id="folder"),
    ],
)
def test_light_calls_stay_within_their_budget(
    arguments: list[str], budget: Budget, tmp_path: Path
) -> None:
    check(loaded_by(tmp_path, COMMAND, *arguments), budget)


def test_the_package_itself_loads_nothing(tmp_path: Path) -> None:
    loaded = loaded_by(tmp_path, "import labelingest")
    assert loaded.modules == ["labelingest._lazy", "labelingest.search_path"]
    check(loaded, Budget(modules=2, others=frozenset()))


def test_a_worker_process_loads_what_it_needs_alone(tmp_path: Path) -> None:
    script = f"import labelingest.engines.child, {PRELOAD}"
    check(
        loaded_by(tmp_path, script),
        Budget(
            modules=146,
            others=KERNELS,
            dataclasses=7,
            enums=19,
            patterns=12,
            without=("bench", "cli", "config", "folders", "options", "pairing", "pipeline.run"),
        ),
    )

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "labelingest"
LAYERS = [
    {"allocator", "columns", "crashes", "credentials", "progress", "search_path", "small_files"}
    | {"stopwatch"},
    {"problems"},
    {"documents", "encord", "errors", "geometry", "model"},
    {"formats"},
    {
        *("storage", "pairing", "readers", "resolution", "assembly", "media", "writers"),
        *("report", "engines", "fence"),
    },
    {"metadata", "sinks"},
    {"config", "converter"},
    {"pipeline"},
    {"folders"},
    {"cli"},
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
MODULES = [p for p in sorted(ROOT.rglob("*.py")) if p.parent != ROOT or p.stem in RANK]

HOT = (
    *("readers", "assembly", "geometry", "writers", "converter"),
    *("resolution/resolve.py", "columns/fingerprints.py"),
)
"""Packages and modules that run for every batch."""
NOT_HOT: dict[str, str] = {}
"""Modules of hot packages that may do input, output or logging → why."""
ONLY_IN = {
    "msgspec": {
        "encord/typed_rows.py",
        "readers/encord/read.py",
        "readers/encord/typed/label_rows.py",
        "readers/encord/typed/answers.py",
        "readers/encord/typed/payloads.py",
        "readers/encord/typed/types.py",
        "documents/decode.py",
        "readers/encord/typed/schema.py",
        "writers/label_rows.py",
    },
    "shapely": {"geometry/hulls.py", "geometry/simple_polygons.py"},
    "parse": {"pairing/rules.py"},
    "pydantic": {
        "config.py",
        "metadata/types.py",
        "metadata/schema_json.py",
        "resolution/ontology_json.py",
    },
    "PIL": {"media/image_size.py"},
    "yaml": {"resolution/starter.py"},
    "typer": {
        "cli/folder/commands.py",
        "cli/folder/options.py",
        "cli/group.py",
        "cli/integration.py",
        "cli/main.py",
        "cli/metadata.py",
        "cli/options.py",
    },
    "alembic": {
        "folders/state/migrate.py",
        "folders/state/migrations/env.py",
        "folders/state/migrations/versions/0001_first_tables.py",
        "folders/state/migrations/versions/0002_cloud.py",
        "folders/state/migrations/versions/0003_outputs.py",
    },
    "sqlalchemy": {
        "folders/state/",
        "folders/sync/",
        "folders/export.py",
        "folders/output_owner.py",
    },
    "distributed": {"engines/clusters.py"},
    "ray": {"engines/clusters.py"},
    "zstandard": {"sinks/json_lines.py"},
    "botocore": {"storage/cloud/raw_listing.py"},
    "obstore": {
        "storage/cloud/clients.py",
        "storage/cloud/cloud.py",
        "storage/cloud/listing.py",
        "storage/cloud/stream.py",
        "storage/cloud/raw_listing.py",  # for types
    },
}


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=[str(p.relative_to(ROOT)) for p in MODULES])
def test_imports_go_one_way(path: Path) -> None:
    own = path.relative_to(ROOT).parts[0].removesuffix(".py")
    ours = [name.split(".")[1] for name in imported(path) if name.startswith("labelingest.")]
    wrong = {name for name in ours if name != own and RANK[name] >= RANK[own]}
    assert not wrong, f"{own} may not import {wrong}"


def test_every_package_has_a_layer() -> None:
    packages = {p.name for p in ROOT.iterdir() if (p / "__init__.py").exists()}
    modules = {p.stem for p in ROOT.glob("*.py")} - {"__init__", "__main__"}
    assert packages | modules == set(RANK)


@pytest.mark.parametrize("path", MODULES, ids=[str(p.relative_to(ROOT)) for p in MODULES])
def test_each_library_is_used_in_its_place_only(path: Path) -> None:
    own = path.relative_to(ROOT).as_posix()
    tops = {name.split(".")[0] for name in imported(path)}
    misplaced = {
        top
        for top in tops & ONLY_IN.keys()
        if not any(
            own.startswith(door) if door.endswith("/") else own == door for door in ONLY_IN[top]
        )
    }
    assert not misplaced


def hot_modules(name: str) -> list[Path]:
    place = ROOT / name
    return [place] if place.suffix else sorted(place.rglob("*.py"))


@pytest.mark.parametrize("name", HOT)
def test_the_hot_path_does_no_input_no_output_and_no_logging(name: str) -> None:
    banned = {"logging", "pathlib", "os", "io", "shutil", "pydantic"}
    assert (ROOT / name).exists(), f"{name} has moved: correct HOT"
    wrong = [
        f"{path}: {library}"
        for path in hot_modules(name)
        if path.relative_to(ROOT).as_posix() not in NOT_HOT
        for library in imported(path)
        if library.split(".")[0] in banned
    ]
    assert not wrong, "hot modules are handed bytes: read, write and log in the caller"


def test_the_hot_path_is_looked_at_in_all_its_rooms() -> None:
    looked_at = {path.relative_to(ROOT).as_posix() for name in HOT for path in hot_modules(name)}
    assert "readers/encord/explain/points.py" in looked_at
    assert sum(path.startswith("readers/") for path in looked_at) > 30
    assert set(NOT_HOT) <= looked_at

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "labelingest"
LAYERS = [
    {"version"},
    # vocabulary: knows nothing of labels
    {
        *("_lazy", "allocator", "columns", "crashes", "credentials", "progress", "search_path"),
        *("small_files", "stopwatch"),
    },
    {"problems"},
    # nouns and kernels
    {"documents", "encord", "errors", "geometry", "media", "model"},
    {"class_lists", "formats"},
    {"options"},
    # stages
    {
        *("assembly", "engines", "fence", "pairing", "readers", "report", "resolution"),
        *("storage", "writers"),
    },
    # stages put together
    {"config", "converter", "evidence", "metadata", "sinks"},
    {"pipeline", "plain_config"},
    {"bench", "folders"},
    # surface
    {"cli"},
]
"""Floors of the house, lowest first: packages import from lower floors only.

Directions inside packages stand in `guards.SEALED`.
"""
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
MODULES = [p for p in sorted(ROOT.rglob("*.py")) if p.parent != ROOT or p.stem in RANK]

HOT = (
    *("readers", "assembly", "geometry", "writers", "converter"),
    *("columns", "documents", "encord", "resolution/resolve.py"),
)
"""Packages and modules that run for every batch."""
NOT_HOT = dict.fromkeys(
    ("columns/keys.py", "columns/text_page.py"),
    "its buffer of bytes becomes the text without a copy (io.BytesIO)",
)
"""Modules of hot packages that may do input, output or logging → why."""
ONLY_IN = {
    "msgspec": {
        *("documents/decode.py", "documents/list_entries.py", "encord/typed_rows.py"),
        *("bench/result.py", "writers/label_rows.py"),
        *("readers/encord/read.py", "readers/encord/typed"),
    },
    "shapely": {"geometry/hulls.py", "geometry/simple_polygons.py"},
    "parse": {"pairing/rules.py"},
    "pydantic": {
        *("config.py", "metadata/types.py", "metadata/schema_json.py"),
        "resolution/checked_ontology.py",
    },
    "PIL": {"bench/synthetic/data_set.py", "media/image_size.py"},
    "yaml": {"class_lists/read_yaml.py"},
    "typer": {"cli"},
    "alembic": {"folders/state/migrate.py", "folders/state/migrations"},
    "sqlalchemy": {"folders/state", "folders/sync", "folders/export.py", "folders/output_owner.py"},
    "distributed": {"engines/clusters.py"},
    "ray": {"engines/clusters.py"},
    "zstandard": {"sinks/json_lines.py"},
    "botocore": {"storage/cloud/raw_listing.py"},
    "obstore": {"storage/cloud"},
}
"""Library → its doors: folders and modules that may import it."""
ANYWHERE = {"msgspec.Struct", "msgspec.field", "msgspec.structs"}
"""Names that every module may import: the base of classes of fields, which cost no start-up."""


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=[str(p.relative_to(ROOT)) for p in MODULES])
def test_imports_go_one_way(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0].removesuffix(".py")
    packages = [name.split(".")[1] for name in imported(path) if name.startswith("labelingest.")]
    wrong = {name for name in packages if name != package and RANK[name] >= RANK[package]}
    assert not wrong, f"{package} may not import {wrong}"


def test_every_package_has_a_layer() -> None:
    packages = {p.name for p in ROOT.iterdir() if (p / "__init__.py").exists()}
    modules = {p.stem for p in ROOT.glob("*.py")} - {"__init__", "__main__"}
    assert packages | modules == set(RANK)


def is_free(name: str) -> bool:
    return name in ANYWHERE or name.startswith("msgspec.structs.")


@pytest.mark.parametrize("library", ONLY_IN)
def test_each_library_is_imported_through_its_doors_only(library: str) -> None:
    importers = {
        path.relative_to(ROOT)
        for path in ROOT.rglob("*.py")
        if any(name.split(".")[0] == library and not is_free(name) for name in imported(path))
    }
    doors = ONLY_IN[library]
    beside = [str(p) for p in importers if not any(p.is_relative_to(door) for door in doors)]
    assert not beside, f"only {sorted(doors)} may import {library}"
    unused = [door for door in doors if not any(p.is_relative_to(door) for p in importers)]
    assert not unused, f"{library} is not imported there any more: correct ONLY_IN"


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

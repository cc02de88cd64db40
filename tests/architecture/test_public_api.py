import subprocess
import sys

import pytest

import labelingest

PUBLIC = [
    "Conversion",
    "Converter",
    "IngestConfig",
    "LabelFile",
    "LabelIngestError",
    "Ontology",
    "PatternRule",
    "Problem",
    "ProblemCode",
    "Report",
    "SuffixRule",
    "check",
    "convert",
    "load_ontology",
    "make_class_map",
    "pair",
]


def test_the_public_names_are_these() -> None:
    assert labelingest.__all__ == PUBLIC
    assert len(PUBLIC) <= 16


def test_every_public_name_can_be_used_and_has_a_docstring() -> None:
    for name in PUBLIC:
        assert getattr(labelingest, name).__doc__


def test_importing_loads_nothing_else() -> None:
    script = "import labelingest, sys; print([m for m in ('numpy', 'pydantic', 'shapely', 'typer', 'PIL') if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


HEAVY = {"PIL", "msgspec", "numpy", "obstore", "orjson", "shapely", "sqlalchemy"}


@pytest.mark.parametrize(
    ("arguments", "absent"),
    [
        (["--help"], {*HEAVY, "pydantic"}),
        # Typer builds its parsers of a command's own options with pydantic.
        (["convert", "--help"], {*HEAVY, "labelingest.config"}),
        (["folder", "create", "--help"], {*HEAVY, "labelingest.config", "labelingest.folders"}),
    ],
)
def test_help_loads_none_of_the_heavy_libraries(arguments: list[str], absent: set[str]) -> None:
    script = (
        "import sys\n"
        "from labelingest.cli.commands import app\n"
        "print('pydantic' in sys.modules)\n"
        f"app({arguments!r}, standalone_mode=False)\n"
        f"print(sorted({absent!r} & sys.modules.keys()))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    lines = ran.stdout.splitlines()
    assert (lines[0], lines[-1]) == ("False", "[]")

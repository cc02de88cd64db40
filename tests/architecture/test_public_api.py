import subprocess
import sys

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


def test_help_loads_none_of_the_heavy_libraries() -> None:
    script = (
        "import sys\n"
        "from labelingest.cli.main import app\n"
        "app(['convert', '--help'], standalone_mode=False)\n"
        "print([m for m in ('numpy', 'shapely', 'PIL', 'orjson') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"

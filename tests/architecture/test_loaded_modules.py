"""Modules that answer light questions load nothing heavy, in a process of their own."""

import subprocess
import sys

import pytest

LOADS = """
import importlib, sys
importlib.import_module(sys.argv[1])
print(*(name for name in sys.modules if name.startswith("labelingest.")))
"""


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        pytest.param(
            "labelingest.folders.settings",
            ("engines", "sinks", "converter", "writers", "pairing.near_misses", "pipeline.run"),
            id="settings of a folder",
        ),
        pytest.param(
            "labelingest.folders.state.summary",
            ("engines", "sinks", "converter", "writers", "pipeline.worker", "folders.sync"),
            id="what a state knows of a folder",
        ),
        pytest.param(
            "labelingest.folders.sync.run",
            ("engines", "pipeline.run", "pipeline.discover", "pipeline.loop", "sinks.parquet"),
            id="a sync",
        ),
    ],
)
def test_a_module_does_not_load(module: str, unwanted: tuple[str, ...]) -> None:
    command = [sys.executable, "-c", LOADS, module]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert module in loaded
    rooms = [f"labelingest.{name}." for name in unwanted]
    assert not [name for name in loaded if f"{name}.".startswith(tuple(rooms))]

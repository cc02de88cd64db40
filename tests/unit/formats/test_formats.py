import re
import subprocess
import sys
from collections.abc import Mapping
from typing import Final

import pytest

from labelingest.config import IngestConfig
from labelingest.errors import ConfigError
from labelingest.formats import (
    FORMATS,
    Format,
    source_format,
    source_format_paired,
    source_names,
    target_format,
    target_names,
)
from labelingest.formats.format import load
from labelingest.options import OPTIONS
from labelingest.sinks import coco as coco_sink
from labelingest.sinks import encord as encord_sink
from labelingest.sinks import parquet as parquet_sink
from labelingest.sinks import yolo as yolo_sink
from labelingest.sinks.base import SinkModule
from labelingest.writers import coco, encord_json, parquet, yolo
from labelingest.writers.target import Target, TextTarget
from tests.contracts import kitti

PATHS: Final = {"storage_path": "data", "ontology": "ontology.json"}


def test_names_of_formats_are_different() -> None:
    assert len({format.name for format in FORMATS}) == len(FORMATS)


def test_a_name_is_looked_up_among_formats_that_are_read_or_written() -> None:
    assert target_format("coco").title == "COCO"
    with pytest.raises(ConfigError, match=r"'coco' is none of encord, yolo$"):
        source_format("coco")
    names = ", ".join(target_names())
    assert names.startswith("encord, yolo, coco, parquet")
    with pytest.raises(ConfigError, match=f"'voc' is none of {names}$"):
        target_format("voc")


def test_a_value_is_taken_where_a_name_is() -> None:
    value = Format(name="own", title="Own", noun="file", target="x", sink="y")
    assert target_format(value) is value


def test_each_way_of_pairing_belongs_to_one_format() -> None:
    assert source_format_paired(by_suffix=True).name == "encord"
    assert source_format_paired(by_suffix=False).name == "yolo"
    ways = [format.pairs_by_suffix for format in FORMATS if format.is_read]
    assert len(set(ways)) == len(ways)


def test_the_configuration_has_the_names_of_the_list() -> None:
    names_of = {"format": ["auto", *source_names()], "to": target_names()}
    for option, names in names_of.items():
        for name in names:
            config = IngestConfig(**PATHS, **{option: name})
            assert getattr(config, option) == name
        words = list(map(repr, names))
        expected = f"{option}: 'voc': expected {', '.join(words[:-1])} or {words[-1]}"
        with pytest.raises(ConfigError, match=f"^{re.escape(expected)}$"):
            IngestConfig(**PATHS, **{option: "voc"})


def test_options_of_one_format_name_a_format_that_is_read_or_written() -> None:
    assert {option.source for option in OPTIONS} == {"", "yolo"} <= {"", *source_names()}
    targets = {option.target for option in OPTIONS}
    assert targets == {"", "encord", "yolo", "coco"} <= {"", *target_names()}


TARGETS: Final[Mapping[str, Target]] = {
    "encord": encord_json,
    "yolo": yolo,
    "coco": coco,
    "parquet": parquet,
    "kitti": kitti,
}
"""Checked by mypy: each module has the functions of a target."""
TEXT_TARGETS: Final[Mapping[str, TextTarget]] = {
    "encord": encord_json,
    "yolo": yolo,
    "kitti": kitti,
}
SINKS: Final[Mapping[str, SinkModule]] = {
    "encord": encord_sink,
    "yolo": yolo_sink,
    "coco": coco_sink,
    "parquet": parquet_sink,
    "kitti": kitti,
}


@pytest.mark.parametrize("format", [*FORMATS, kitti.KITTI], ids=lambda format: str(format.name))
def test_a_format_names_modules_with_the_functions_of_its_kind(format: Format) -> None:
    tables = "TARGETS and SINKS" if format.is_columns else "TARGETS, TEXT_TARGETS and SINKS"
    assert format.name in TARGETS, f"enter the modules of {format.name!r} in {tables} above"
    assert load(format.target) is TARGETS[format.name]
    assert load(format.sink) is SINKS[format.name]
    assert (format.name in TEXT_TARGETS) is not format.is_columns
    assert format.is_read is hasattr(load(format.source), "make_source")


def test_the_list_of_formats_loads_nothing_heavy() -> None:
    code = (
        "import sys; import labelingest.formats.output_names; "
        "print(sorted({'numpy', 'pyarrow', 'msgspec', 'pydantic', 'orjson'} & sys.modules.keys()))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"

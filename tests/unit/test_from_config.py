import json
from enum import StrEnum
from pathlib import Path
from typing import get_args

import pytest

from labelingest.assembly.context import OutOfRange
from labelingest.config import IngestConfig
from labelingest.converter import ImageSizes, OnRowError
from labelingest.formats.yolo import YOLO
from labelingest.pipeline import from_config, run
from labelingest.pipeline.pairing_rule import rule_from_options
from labelingest.resolution.class_map import make_class_map
from labelingest.storage import MemoryStorage
from labelingest.writers.yolo_rows import YoloLayout
from tests.builders.yolo import ontology_dict, ontology_for


@pytest.mark.parametrize(
    ("field", "choices"),
    [
        ("on_row_error", OnRowError),
        ("out_of_range", OutOfRange),
        ("image_sizes", ImageSizes),
        ("yolo_layout", YoloLayout),
    ],
)
def test_a_configuration_has_the_choices_of_the_converter(
    field: str, choices: type[StrEnum]
) -> None:
    assert get_args(IngestConfig.model_fields[field].annotation) == tuple(map(str, choices))


def test_a_converter_has_the_options_of_its_configuration() -> None:
    config = IngestConfig(
        storage_path="data",
        ontology="ontology.json",
        on_row_error="skip-file",
        out_of_range="keep",
        snap_edges=True,
        duplicate_rows="drop",
        on_shape_mismatch="reject",
        image_sizes="never",
        to="yolo",
        yolo_layout="corners",
        yolo_confidence=True,
        max_label_bytes=77,
    )
    ontology = ontology_for()
    mapping = make_class_map(ontology, namespace=None, overrides=None)
    converter = from_config.make_converter(config, ontology, mapping, "yolo", "s3://bucket/")
    assert converter.on_row_error is OnRowError.SKIP_FILE
    assert converter.image_sizes is ImageSizes.NEVER
    assert converter.yolo_layout is YoloLayout.CORNERS
    assert converter.assembly.out_of_range is OutOfRange.KEEP
    assert converter.assembly.snap_edges
    assert (converter.assembly.drop_duplicates, converter.assembly.reject_shape_mismatch) == (
        True,
        True,
    )
    assert (converter.target_format, converter.yolo_confidence) == (YOLO, True)
    assert converter.most_bytes == 77
    assert from_config.output_target(config, converter, MemoryStorage({}), 0) is None
    target = from_config.output_target(
        config.model_copy(update={"out": "labels"}), converter, MemoryStorage({}), 0
    )
    assert target is not None
    assert (target.format, target.out, target.storage_url) == (YOLO, "labels", "s3://bucket/")
    assert target.class_numbers.tolist() == [0, 1, 2]


def test_a_run_makes_the_pairing_rule_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "a.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    (data / "a.jpg").touch()
    (tmp_path / "ontology.json").write_text(json.dumps(ontology_dict()))
    calls: list[str] = []

    def counting(
        *, format: str, suffix: str | None, images: tuple[str, ...], labels: str | None
    ) -> object:
        calls.append(format)
        return rule_from_options(format=format, suffix=suffix, images=images, labels=labels)

    monkeypatch.setattr(from_config, "rule_from_options", counting)
    report = run.check(
        IngestConfig(
            storage_path=data,
            ontology=tmp_path / "ontology.json",
            images="{name}.jpg",
            labels="{name}.txt",
        )
    )
    assert report.tally.label_rows == 1
    assert calls == ["auto"]

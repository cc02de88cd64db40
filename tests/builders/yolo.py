"""Builders for YOLO conversions: an ontology of a few shapes, and a converter for it."""

from collections.abc import Mapping
from typing import Any

from labelingest.assembly.context import AssemblyOptions
from labelingest.converter import Converter
from labelingest.model.ontology import Ontology
from labelingest.readers.yolo.layouts import YoloOptions
from labelingest.resolution.ontology_json import load_ontology

__all__ = [
    "SHAPES",
    "STORAGE_URL",
    "converter_for",
    "ontology_called_by_shapes",
    "ontology_dict",
    "ontology_for",
]

SHAPES: Mapping[int, str] = {0: "bounding_box", 1: "polygon", 2: "rotatable_bounding_box"}
STORAGE_URL = "s3://bucket/drive/"
_YOLO_OPTIONS = ("row_layout", "kpt_shape", "decided_by_evidence")
_CONVERTER_OPTIONS = ("on_row_error", "image_sizes")


def ontology_dict(shapes: Mapping[int, str] = SHAPES) -> dict[str, Any]:
    """Return an ontology with one object a class number, called `Class N`."""
    objects = [
        {
            "id": str(position),
            "name": f"Class {number}",
            "color": f"#{position:06X}",
            "shape": shape,
            "featureNodeHash": f"{position:08x}",
            "externalIds": {"YOLO": str(number)},
        }
        for position, (number, shape) in enumerate(shapes.items(), start=1)
    ]
    return {"objects": objects, "classifications": []}


def ontology_called_by_shapes() -> dict[str, Any]:
    """Return an ontology with one object a shape, called as the shape is."""
    structure = ontology_dict()
    for number, entry in enumerate(structure["objects"]):
        entry |= {
            "name": entry["shape"],
            "color": "#D33115",
            "featureNodeHash": f"a1B2c3D{number}",
        }
    return structure


def ontology_for(shapes: Mapping[int, str] = SHAPES) -> Ontology:
    """Return the same, loaded."""
    return load_ontology(ontology_dict(shapes))


def converter_for(
    shapes: Mapping[int, str] = SHAPES,
    overrides: Mapping[int, str | None] | None = None,
    **options: Any,
) -> Converter:
    """Return a converter; options are those of all stages, by name."""
    if isinstance(options.get("kpt_shape"), list):
        options["kpt_shape"] = tuple(options["kpt_shape"])
    yolo = {name: options.pop(name) for name in _YOLO_OPTIONS if name in options}
    rest = {name: options.pop(name) for name in _CONVERTER_OPTIONS if name in options}
    return Converter.from_ontology(
        ontology_for(shapes),
        storage_url=STORAGE_URL,
        overrides=overrides,
        yolo=YoloOptions(**yolo),
        assembly=AssemblyOptions(**options),
        **rest,
    )

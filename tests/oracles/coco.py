"""The official client's COCO exporter as an offline judge, and polygons with holes by Shapely."""

import sys
from collections.abc import Mapping, Sequence
from copy import deepcopy
from importlib import import_module
from types import ModuleType
from typing import Any

import shapely
from encord.objects import OntologyStructure

__all__ = ["area_and_box", "exported"]

_FOR_MASKS = ("cv2", "pycocotools", "pycocotools.mask")
"""What the exporter imports and needs for masks only."""


def exported(
    label_rows: Sequence[Mapping[str, Any]], ontology: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the COCO document that the official client makes of label rows without masks.

    Polygons with holes or several parts are masks to it.
    """
    structure = OntologyStructure.from_dict(deepcopy(dict(ontology)))
    rows = [deepcopy(dict(row)) for row in label_rows]
    exporter: Any = _exporter().CocoExporter(rows, structure)
    document: dict[str, Any] = exporter.export()
    return document


def _exporter() -> ModuleType:
    missing = [name for name in _FOR_MASKS if not _is_installed(name)]
    stand_ins = {name: ModuleType(name) for name in missing}
    if "pycocotools" in stand_ins:
        vars(stand_ins["pycocotools"])["mask"] = stand_ins["pycocotools.mask"]
    sys.modules.update(stand_ins)
    try:
        return import_module("encord.utilities.coco.exporter")
    finally:
        for name in missing:
            del sys.modules[name]


def _is_installed(name: str) -> bool:
    try:
        import_module(name)
    except ImportError:
        return False
    return True


def area_and_box(
    parts: Sequence[Sequence[Sequence[float]]], size: tuple[int, int]
) -> tuple[float, list[float]]:
    """Return area, and left, top, width and height, in pixels, of parts that do not overlap."""
    outlines = [_polygon(rings[0], size) for rings in parts]
    holes = [_polygon(ring, size) for rings in parts for ring in rings[1:]]
    area = sum(outline.area for outline in outlines) - sum(outline.area for outline in holes)
    left, top, right, bottom = shapely.GeometryCollection(outlines).bounds
    return area, [left, top, right - left, bottom - top]


def _polygon(ring: Sequence[float], size: tuple[int, int]) -> shapely.Polygon:
    points = zip(ring[::2], ring[1::2], strict=True)
    return shapely.Polygon([(x * size[0], y * size[1]) for x, y in points])

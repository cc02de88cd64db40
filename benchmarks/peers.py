"""One conversion by another library, as a process of its own: what its documentation says to do.

From the command line::

    python benchmarks/peers.py labelformat KIND FOLDER DATA.yaml OUT.json

Imports nothing of this project, and of the libraries only the one that is asked for.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

__all__ = ["PEERS"]


def _labelformat(kind: str, root: Path, names: Path, out: Path) -> None:
    if kind == "boxes":
        from labelformat.formats import COCOObjectDetectionOutput, YOLOv8ObjectDetectionInput

        boxes = YOLOv8ObjectDetectionInput(input_file=names, input_split="train")
        COCOObjectDetectionOutput(output_file=out).save(label_input=boxes)
        return
    from labelformat.formats import (
        COCOInstanceSegmentationOutput,
        YOLOv8InstanceSegmentationInput,
    )

    outlines = YOLOv8InstanceSegmentationInput(input_file=names, input_split="train")
    COCOInstanceSegmentationOutput(output_file=out).save(label_input=outlines)


def _supervision(kind: str, root: Path, names: Path, out: Path) -> None:
    from supervision import DetectionDataset

    read = DetectionDataset.from_yolo(
        images_directory_path=str(root / "images/train"),
        annotations_directory_path=str(root / "labels/train"),
        data_yaml_path=str(names),
        is_obb=kind == "rotated",
    )
    read.as_coco(annotations_path=str(out))


PEERS: Final[Mapping[str, Callable[[str, Path, Path, Path], None]]] = MappingProxyType(
    {"labelformat": _labelformat, "supervision": _supervision}
)
"""Package → what converts (kind, folder, names of the classes, output)."""


if __name__ == "__main__":
    PEERS[sys.argv[1]](sys.argv[2], *map(Path, sys.argv[3:6]))

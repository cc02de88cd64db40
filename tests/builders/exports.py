"""Data sets as annotation and training tools export them: a few images, labels, and all that lies beside."""

from typing import Any, Final

__all__ = ["EXPORTS"]

_IMAGE: Final = {"image": [64, 48]}
_BOX: Final = "0 0.5 0.5 0.2 0.2\n"
_ROBOFLOW: Final = {
    **{
        f"{split}/{kind}/yard_jpg.rf.{n}.{ending}": content
        for n, split in enumerate(("train", "valid", "test"))
        for kind, ending, content in (("images", "jpg", _IMAGE), ("labels", "txt", _BOX))
    },
    "data.yaml": "train: ../train/images\nval: ../valid/images\nnc: 1\nnames: ['car']\n"
    "roboflow:\n  workspace: yards\n  license: CC BY 4.0\n",
    "README.roboflow.txt": "yard - v1\nExported via roboflow.com\n",
    "README.dataset.txt": "# yard > v1\n",
}
_CVAT: Final = {
    "data.yaml": "names:\n  0: car\npath: .\ntrain: train.txt\n",
    "train.txt": "data/images/train/a.jpg\n",
    "images/train/a.jpg": _IMAGE,
    "labels/train/a.txt": _BOX,
}
_LABEL_STUDIO: Final = {
    "classes.txt": "car\n",
    "notes.json": '{"categories": [{"id": 0, "name": "car"}], "info": {"year": 2024}}',
    "images/1c2d3e4f-a.jpg": _IMAGE,
    "labels/1c2d3e4f-a.txt": _BOX,
}
_DARKNET: Final = {
    "obj.data": "classes = 1\ntrain = data/train.txt\nnames = data/obj.names\nbackup = backup/\n",
    "obj.names": "car\n",
    "train.txt": "data/obj_train_data/a.jpg\n",
    "obj_train_data/a.jpg": _IMAGE,
    "obj_train_data/a.txt": _BOX,
}
_ROBOFLOW_DARKNET: Final = {
    "README.roboflow.txt": "yard - v1\n",
    "train/_darknet.labels": "car\n",
    "train/a.jpg": _IMAGE,
    "train/a.txt": _BOX,
}
_ULTRALYTICS: Final = {
    "yard8.yaml": "path: ../datasets/yard8\ntrain: images/train\nval: images/val\n"
    "names:\n  0: car\n",
    "LICENSE": "AGPL-3.0\n",
    "README.md": "# Yard\n",
    "images/train/a.jpg": _IMAGE,
    "labels/train/a.txt": _BOX,
    "labels/train.cache": "\x80numpy",
    "labels.cache": "\x80numpy",
    "labels/classes.txt": "car\n",
    "labels/train/README.roboflow.txt": "yard - v1\n",
}
_LABELIMG: Final = {
    "a.jpg": _IMAGE,
    "a.txt": _BOX,
    "b.jpg": _IMAGE,
    "classes.txt": "car\n",
    "predefined_classes.txt": "car\n",
}

EXPORTS: Final[dict[str, dict[str, Any]]] = {
    "Roboflow": _ROBOFLOW,
    "CVAT": _CVAT,
    "Label Studio": _LABEL_STUDIO,
    "Darknet": _DARKNET,
    "Roboflow Darknet": _ROBOFLOW_DARKNET,
    "Ultralytics": _ULTRALYTICS,
    "labelImg": _LABELIMG,
}
"""Tool → files of an export, as `tests.builders.folders.make_folder` takes them."""

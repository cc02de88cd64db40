"""Folders of data files and sidecars from a description that fits into JSON."""

import base64
import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

__all__ = ["image_bytes", "make_folder", "ontology_of"]


def image_bytes(
    width: int, height: int, *, kind: str = "JPEG", orientation: int | None = None
) -> bytes:
    """Make an image of one colour."""
    stream = BytesIO()
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    Image.new("RGB", (width, height), "gray").save(stream, kind, exif=exif)
    return stream.getvalue()


def make_folder(root: Path, files: Mapping[str, Any]) -> Path:
    """Write files: text; or {"base64": …}, {"image": [w, h], "orientation": n, "keep": bytes} or
    {"link": target}."""
    for key, content in files.items():
        path = root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path.write_bytes(content.encode())
        elif "link" in content:
            path.symlink_to(content["link"])
        elif "base64" in content:
            path.write_bytes(base64.b64decode(content["base64"]))
        else:
            width, height = content["image"]
            image = image_bytes(width, height, orientation=content.get("orientation"))
            path.write_bytes(image[: content.get("keep")])
    return root


def ontology_of(**classes: tuple[int | None, str]) -> dict[str, Any]:
    """Make an ontology: name=(class number, shape)."""
    return {
        "objects": [
            {
                "id": str(position),
                "name": name,
                "color": "#D33115",
                "shape": shape,
                "featureNodeHash": f"{position:08x}",
                **({} if number is None else {"externalIds": {"YOLO": str(number)}}),
            }
            for position, (name, (number, shape)) in enumerate(classes.items(), 1)
        ],
        "classifications": [],
    }


def write_ontology(path: Path, **classes: tuple[int | None, str]) -> Path:
    """Write such an ontology to a file."""
    path.write_text(json.dumps(ontology_of(**classes)))
    return path

"""Companion files of a YOLO data set, by their names alone: what lies there besides images and labels.

Training and annotation tools write class lists, lists of images, a configuration and a README beside
images and labels, and earlier runs write label rows there, called `*.encord.json`. The module
refuses to know contents and to know what pairs: a name that is a companion's can still be the label
file of an image.

Case does not count, because tools and people write `Classes.txt`, `readme.md` and `data.YAML`. `README`
and `LICENSE` in capitals are taken with anything behind them, as `README_first.txt`. In other case
they are taken alone or before a dot: `license_plate_07.txt` is a label file whose image is missing.
Images, videos and audio files are never companions, also not `README.png`: people label them.
"""

import re
from typing import Final

from labelingest.encord.keys import SIDECAR_SUFFIX
from labelingest.model.kinds import DataKind, kind_of

__all__ = ["COMPANION_ENDINGS", "COMPANION_NAMES", "is_companion"]

COMPANION_NAMES: Final = frozenset(
    [
        *("data.yaml", "dataset.yaml", "config.yaml", "data.yml", "dataset.yml", "config.yml"),
        *("classes.txt", "labels.txt", "predefined_classes.txt", "_darknet.labels", "notes.json"),
        *("obj.data", "train.txt", "val.txt", "valid.txt", "test.txt", "trainval.txt"),
    ]
)
"""Names of companion files, in lower case."""
COMPANION_ENDINGS: Final = (".names", SIDECAR_SUFFIX)
"""Endings of companion files, in lower case: Darknet's class lists, and label rows."""

_DOCUMENT: Final = re.compile(
    r"(?:README|LICEN[CS]E).*|(?:readme|licen[cs]e)(?:\..*)?", re.DOTALL | re.ASCII
)
_LABELLED: Final = frozenset({DataKind.IMAGE, DataKind.VIDEO, DataKind.AUDIO})
"""Kinds of data that no companion file has."""


def is_companion(key: str) -> bool:
    """Return whether a file has the name of a companion file of a YOLO data set.

    Examples
    --------
    >>> is_companion("labels/classes.txt"), is_companion("README.roboflow.txt"), is_companion("a.txt")
    (True, True, False)
    """
    name = key[key.rfind("/") + 1 :]
    folded = name.encode().lower()  # of bytes: ASCII letters only
    lower = folded.decode()
    if lower in COMPANION_NAMES or lower.endswith(COMPANION_ENDINGS):
        return True
    is_document = _DOCUMENT.fullmatch(name) or _DOCUMENT.fullmatch(lower)
    return is_document is not None and kind_of(key) not in _LABELLED

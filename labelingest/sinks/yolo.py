r"""A tree of YOLO label files, where Ultralytics looks for them, and `data.yaml` with the names.

Ultralytics finds the label file of an image by its path: the last folder called `images` is
`labels` there, and the extension is `.txt`. So images that stand beside the tree's `labels`, in
their own `images`, have their labels.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Final

from labelingest.columns.types import Int64
from labelingest.model.ontology import OntologyObject
from labelingest.problems import printable
from labelingest.sinks.base import OutputTarget, UnfinishedOutput
from labelingest.sinks.tree import TreeKind, TreeSink

__all__ = ["NAMES", "data_yaml", "is_own_output", "label_file_of", "open_sink", "yolo_tree"]

NAMES: Final = "data.yaml"
"""Name of the file that says what class numbers mean."""
_LINE: Final = re.compile(r'#.*|names:(?: {})?|  [0-9]+: ".*"')


def open_sink(target: OutputTarget, unfinished: UnfinishedOutput | None = None) -> TreeSink:
    """Return the sink of a tree of label files."""
    return yolo_tree(target.out, target.ontology.objects, target.class_numbers, unfinished)


def is_own_output(file: BinaryIO, suffix: str) -> bool:
    """Return that no single file is an output: label files are in a folder."""
    return False


def yolo_tree(
    out: str | Path,
    objects: Sequence[OntologyObject],
    numbers: Int64,
    unfinished: UnfinishedOutput | None = None,
) -> TreeSink:
    """Return the sink of a tree of label files.

    Parameters
    ----------
    out
        The tree's folder: a path, or a URL of cloud storage.
    objects, numbers
        (o,) the ontology's objects and the class number of each; -1 for none.
    unfinished
        The unfinished tree of an interrupted run.
    """
    root = {NAMES: data_yaml(objects, numbers)}
    kind = TreeKind("label file", label_file_of, _is_ours, root, _is_as_written)
    return TreeSink(out, kind, unfinished)


def label_file_of(key: str) -> str:
    """Return the name of an image's label file.

    Examples
    --------
    >>> label_file_of("images/train/a.jpg"), label_file_of("train/images/a.b.png")
    ('labels/train/a.txt', 'train/labels/a.b.txt')
    >>> label_file_of("train/a.jpg")
    'labels/train/a.txt'
    """
    *folders, name = key.split("/")
    if "images" in folders:
        folders[len(folders) - 1 - folders[::-1].index("images")] = "labels"
    else:
        folders.insert(0, "labels")
    stem = name.rpartition(".")[0] or name
    return "/".join((*folders, f"{stem}.txt"))


def _is_ours(name: str) -> bool:
    return name.endswith(".txt") and "labels" in name.split("/")[:-1]


def _is_as_written(content: bytes) -> bool:
    """Return whether a `data.yaml` has only names: other lines were added by people."""
    lines = content.decode("utf-8", "replace").splitlines()
    return all(_LINE.fullmatch(line) for line in lines)


def data_yaml(objects: Sequence[OntologyObject], numbers: Int64) -> bytes:
    r"""Return the YAML that names class numbers, as Ultralytics and `ontology init` read it.

    Examples
    --------
    >>> from labelingest.model.ontology import Shape
    >>> car = OntologyObject("Car: \"fast\"", "#D33115", Shape.BOUNDING_BOX, "a1B2c3D4")
    >>> import numpy as np
    >>> print(data_yaml([car], np.array([0])).decode(), end="")
    # Written by labelingest, and replaced by its next run. To train, copy this file beside the
    # folder, and add path:, train: and val:
    names:
      0: "Car: \"fast\""
    """
    names = {n: entry.name for n, entry in zip(numbers.tolist(), objects, strict=True) if n >= 0}
    lines = [
        "# Written by labelingest, and replaced by its next run. To train, copy this file beside the",
        "# folder, and add path:, train: and val:",
    ]
    if names and len(names) <= max(names):
        lines.append(
            "# Ultralytics wants class numbers from 0 on without gaps: name the others too."
        )
    lines.append("names:" if names else "names: {}")
    lines += [f"  {number}: {_quoted(names[number])}" for number in sorted(names)]
    return ("\n".join(lines) + "\n").encode()


def _quoted(text: str) -> str:
    """Return a text in the double quotes of YAML, whose escapes are those of Python."""
    return '"' + printable(text.replace("\\", "\\\\").replace('"', '\\"')) + '"'

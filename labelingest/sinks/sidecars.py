"""A tree of Encord JSON sidecars: `KEY.encord.json` for every data file `KEY`."""

from pathlib import Path

from labelingest.encord.keys import SIDECAR_SUFFIX
from labelingest.sinks.base import UnfinishedOutput
from labelingest.sinks.tree import TreeKind, TreeSink

__all__ = ["sidecar_tree"]


def sidecar_tree(out: str | Path, unfinished: UnfinishedOutput | None = None) -> TreeSink:
    """Return the sink of a tree of sidecars.

    Examples
    --------
    >>> sidecar_tree(Path("labels")).kind.name_of("train/a.jpg")
    'train/a.jpg.encord.json'
    """
    return TreeSink(out, TreeKind("label row", _name_of, _is_ours), unfinished)


def _name_of(key: str) -> str:
    return key + SIDECAR_SUFFIX


def _is_ours(name: str) -> bool:
    return name.endswith(SIDECAR_SUFFIX)

"""Keys of a storage path that a run itself writes: its listing leaves them out."""

import os
from collections.abc import Iterable
from pathlib import Path

from labelingest.storage.unfinished_files import unfinished_names

__all__ = ["own_keys"]


def own_keys(root: Path, outputs: Iterable[str]) -> list[str]:
    """Return the keys and folders ("…/") below a storage path that a run itself writes.

    Unfinished outputs beside them are included: an interrupted run leaves them behind.

    Parameters
    ----------
    root
        The storage path, absolute.
    outputs
        Paths of the outputs.

    Examples
    --------
    >>> keys = own_keys(Path("/data"), ["/data/new/rows.jsonl", "/tmp/r.json"])
    >>> [key for key in keys if "tmp" not in key]
    ['new/rows.jsonl', 'new/rows.jsonl/']
    """
    keys = []
    real_root = Path(os.path.realpath(root))
    for value in outputs:
        # As it is written, since keys are logical, and where it leads, since files are not.
        path, real = Path(os.path.abspath(value)), Path(os.path.realpath(value))  # noqa: PTH100
        inside = {p.relative_to(r) for p, r in ((path, root), (real, real_root)) if _below(p, r)}
        for relative in sorted(inside):
            for name in (relative.name, *unfinished_names(relative.name)):
                key = relative.with_name(name).as_posix()
                keys += [key, f"{key}/"]
    return keys


def _below(path: Path, root: Path) -> bool:
    return path != root and path.is_relative_to(root)

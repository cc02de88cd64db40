"""Which files are a run's own outputs: kept out of its listing, and replaced.

Input is never written to, and nobody's work is replaced by accident. So an output that is there
already is replaced only if it looks like what an earlier run wrote: by its ending and its first
bytes, or, of a Parquet file, by what its footer says.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from labelingest.errors import ConfigError
from labelingest.sinks.lines import ZSTD, plain_head
from labelingest.storage.atomic import unfinished_names
from labelingest.writers.coco import HEAD
from labelingest.writers.parquet import written_by_labelingest

__all__ = ["own_keys"]

_ROW: Final = b'{"label_hash":"'
_OURS: Final[Mapping[str, Mapping[str, bytes]]] = {
    "out": {".jsonl": _ROW, ZSTD: _ROW, ".json": HEAD, ".parquet": b"PAR1"},
    "report": {".json": b'{\n  "storage_url": '},
    "problems": {".jsonl": b'{"code":"'},
    "failed_csv": {".csv": b"data_file,sidecar,"},
}
"""Output → how the name of its file ends → how the content begins then."""


def own_keys(root: Path, outputs: Mapping[str, str | None]) -> list[str]:
    """Return the keys and folders ("…/") below a storage path that a run itself writes.

    With what stands beside them while they are unfinished: an interrupted run leaves it there.

    Parameters
    ----------
    root
        The storage path, absolute.
    outputs
        What is written → its path; None where it is not asked for.

    Raises
    ------
    ConfigError
        An output would replace a file that no run wrote.

    Examples
    --------
    >>> keys = own_keys(Path("/data"), {"out": "/data/new/rows.jsonl", "report": "/tmp/r.json"})
    >>> [key for key in keys if "tmp" not in key]
    ['new/rows.jsonl', 'new/rows.jsonl/']
    """
    keys = []
    real_root = root.resolve()
    for name, value in outputs.items():
        if value is None:
            continue
        # As it is written, since keys are logical, and where it leads, since files are not.
        path, real = Path(os.path.abspath(value)), Path(value).resolve()  # noqa: PTH100
        inside = {p.relative_to(r) for p, r in ((path, root), (real, real_root)) if _below(p, r)}
        if real.is_file() and not _is_ours(name, real):
            where = " of the storage path" if inside else ""
            raise ConfigError(
                f"{name} {value!r} is a file{where} that no run wrote: choose another name, or "
                "remove it"
            )
        for relative in sorted(inside):
            for own in (relative.name, *unfinished_names(relative.name)):
                key = relative.with_name(own).as_posix()
                keys += [key, f"{key}/"]
    return keys


def _below(path: Path, root: Path) -> bool:
    return path != root and path.is_relative_to(root)


def _is_ours(name: str, path: Path) -> bool:
    beginning = _OURS[name].get(path.suffix)
    if beginning is None:
        return False
    try:
        with path.open("rb") as file:
            if path.suffix == ZSTD:
                return plain_head(file, len(beginning)) in (beginning, b"")
            head = file.read(len(beginning))
            if path.suffix == ".parquet" and head:
                return written_by_labelingest(file)
    except OSError:
        return False
    return head in (beginning, b"")

"""Outputs that are folders in cloud storage: a marker tells what is there, and whether it is complete.

A store renames no folder, so objects appear one by one. The marker appears before the first of them
and says "unfinished"; it says "complete" when all are there. What an earlier run wrote is removed at
the beginning: objects of two runs side by side would look complete. A run that fails removes its objects. A
killed run leaves them, under a marker that says "unfinished", and the next run starts from the
beginning and gives the same bytes.

As on this machine, objects are replaced only where a marker says that labelingest wrote them, and where
nothing else was added.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, cast

import orjson

from labelingest.errors import StorageError
from labelingest.model.kinds import is_junk
from labelingest.sinks.output_folder import MARKER
from labelingest.storage import open_storage
from labelingest.storage.base import ChangedError, list_all

if TYPE_CHECKING:
    from labelingest.storage.cloud.cloud import CloudStorage

__all__ = ["object_folder"]


@contextmanager
def object_folder(
    out: str,
    is_ours: "Callable[[CloudStorage, str], bool]",
    first_files: Mapping[str, bytes],
) -> "Iterator[CloudStorage]":
    """Open a folder in the cloud for writing; its marker says when it is complete.

    Parameters
    ----------
    out
        URL of the folder.
    is_ours
        Whether a name, relative to the folder, can be one that a run wrote there.
    first_files
        Name → content of files that the folder begins with.

    Raises
    ------
    StorageError
        The folder holds what no run wrote, another run writes to it, or the store refuses.
    """
    storage = cast("CloudStorage", open_storage(out))
    keys = _checked_keys(storage, is_ours)
    try:
        token = storage.put(MARKER, _marker("unfinished"), unless_changed=keys.pop(MARKER, ""))
    except ChangedError as error:
        raise _of_another_run(storage) from error
    try:
        storage.delete(list(keys))
        for name, content in first_files.items():
            storage.put(name, content)
        yield storage
        storage.put(MARKER, _marker("complete"), unless_changed=token)
    except ChangedError as error:
        raise _of_another_run(storage) from error
    except BaseException:
        with suppress(StorageError):
            _remove(storage, is_ours)
        raise


def _marker(state: str) -> bytes:
    about = {
        "format": "labelingest output 1",
        "state": state,
        "about": "labelingest wrote this folder, and its next run to the same place replaces it.",
    }
    return orjson.dumps(about, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _checked_keys(
    storage: "CloudStorage", is_ours: "Callable[[CloudStorage, str], bool]"
) -> dict[str, str]:
    """Return key → version token of all objects; refuse a folder with what no run wrote."""
    listing = list_all(storage)
    if listing.problems:
        raise StorageError(f"{storage.url!r} is not replaced: {listing.problems[0]}")
    keys = dict(zip(listing.keys, listing.token_column(), strict=True))
    names = (key for key in keys if key != MARKER)
    foreign = next((key for key in names if not (is_junk(key) or is_ours(storage, key))), None)
    if foreign is not None or (keys and MARKER not in keys):
        what = f"it holds {foreign!r}" if foreign else "labelingest did not write what is in it"
        raise StorageError(
            f"{storage.url!r} is not replaced: {what}; give a new folder, or move that away"
        )
    return keys


def _remove(storage: "CloudStorage", is_ours: "Callable[[CloudStorage, str], bool]") -> None:
    """Remove what a failed run wrote; the marker goes last."""
    storage.delete([key for key in _checked_keys(storage, is_ours) if key != MARKER])
    storage.delete([MARKER])


def _of_another_run(storage: "CloudStorage") -> StorageError:
    return StorageError(
        f"{storage.url!r} is being written by another run: wait for it, or choose another name"
    )

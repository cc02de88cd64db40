"""Answer for one file of a folder, named by its key or by its path.

1. A name that the listing has is a key.
2. Otherwise it is a path or URL, and the storage path is taken off its beginning.
3. A name that is neither is answered with the names nearest to it.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from labelingest.errors import ConfigError, StorageError
from labelingest.pairing.match import row_of
from labelingest.pairing.near_misses.one_file import FileAnswer, answer_for
from labelingest.pairing.near_misses.similar_keys import similar_keys
from labelingest.pairing.rules import SuffixRule
from labelingest.pipeline.discover import Paired
from labelingest.storage.local.local import LocalStorage
from labelingest.storage.urls import is_cloud, place_of

__all__ = ["explain_file", "key_for"]


def explain_file(paired: Paired, file: str, metadata_suffix: str | None = None) -> FileAnswer:
    """Return what became of one file, and why.

    Parameters
    ----------
    paired
        A listed and paired folder.
    file
        Key, path or URL of the file.
    metadata_suffix
        Suffix of metadata sidecars with which the folder was paired.

    Raises
    ------
    ConfigError
        The folder has no such file; the message names similar ones.
    """
    metadata = None if metadata_suffix is None else SuffixRule(metadata_suffix)
    key = key_for(paired, file)
    return answer_for(
        paired.listing, paired.pairs, paired.rule, key, metadata=metadata, place=paired.path
    )


def key_for(paired: Paired, file: str) -> str:
    """Return the key of a file that is named by its key, its path or its URL.

    Raises
    ------
    ConfigError
        The folder has no such file; the message names similar ones.
    """
    keys = paired.listing.keys
    candidates = list(dict.fromkeys(_candidates(paired, file)))
    for key in candidates:
        if row_of(keys, key) is not None:
            return key
    for key in candidates:
        for problem in paired.listing.problems:
            if problem.source and f"{key}/".startswith(f"{problem.source.rstrip('/')}/"):
                raise ConfigError(f"{file!r} could not be listed: {problem}")
    if any(_exists(paired, key) for key in candidates):
        raise ConfigError(
            f"{file!r} exists, but is not among the files of {paired.path!r}: outputs of runs, "
            "folders and special files are not"
        )
    similar = similar_keys(keys, candidates[-1])
    near = f"; similar: {', '.join(map(repr, similar))}" if similar else ""
    raise ConfigError(f"{paired.path!r} has no file {file!r}{near}")


def _candidates(paired: Paired, file: str) -> Iterator[str]:
    """Yield the keys that a name can mean, the likeliest first."""
    yield file
    yield from _below(f"{paired.path.rstrip('/')}/", file)
    if isinstance(paired.storage, LocalStorage):
        path = unquote(file.removeprefix("file://")) if file.startswith("file://") else file
        for place, name in (
            (paired.storage.root, os.path.normpath(Path.cwd() / path)),
            (os.path.realpath(paired.storage.root), os.path.realpath(path)),
        ):
            yield from _below(f"{place.rstrip('/')}/", name)
        yield from _below("./", f"./{os.path.normpath(path)}")
    elif is_cloud(file):
        name = place_of(file).url.removesuffix("/")
        yield from map(unquote, _below(paired.storage.url, name))


def _below(folder: str, name: str) -> Iterator[str]:
    if name.startswith(folder):
        yield name.removeprefix(folder)


def _exists(paired: Paired, key: str) -> bool:
    try:
        [version] = paired.storage.versions([key])
    except (StorageError, ConfigError, ValueError):
        return False
    return version is not None

"""Keys of a bucket that are unusable here: with empty, "." or ".." parts, or with control characters.

No file can be requested by such a name, on this machine or by the client, so a listing leaves the key
out and reports it. The file may have been spelt correctly before, or a rule may name it with the
correct spelling. So each unusable key hides two things: its own spelling without the faults, and the
folder around it, because a tool that joins names with one slash too many does so for a whole folder.
A file directly in the storage path hides only itself: one stray "/" would hide everything for ever.

The module does not know how a listing is made.
"""

import re
from collections.abc import Collection
from threading import Lock
from typing import Final

from labelingest.errors import ConfigError
from labelingest.problems import Problem, ProblemCode
from labelingest.storage.base import check_key

__all__ = [
    "UnusableKeys",
    "check_requestable",
    "is_requestable",
    "is_unusable",
    "names_hidden_by",
    "not_requestable",
]

_UNUSABLE: Final = re.compile(r"(?:^|/)\.{0,2}(?:/|\Z)|[\x00-\x1f\x7f\ud800-\udfff]")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_MOST: Final = 10_000
"""Keys that are reported by name; the others are one problem, which hides everything."""
_DETAIL: Final = (
    "left out: a key has no empty, '.' or '..' parts and no control characters; rename it"
)


def is_requestable(key: str) -> bool:
    r"""Return whether a client can request a key: it has no control characters.

    Examples
    --------
    >>> is_requestable("a/b.txt"), is_requestable("a\x01.txt")
    (True, False)
    """
    return not _CONTROL.search(key)


def not_requestable(key: str) -> str:
    """Return the sentence for a key that a client cannot request."""
    return f"key {key!r} is refused: keys of cloud storage have no control characters; rename it"


def check_requestable(key: str) -> None:
    """Refuse keys that no storage has, and keys that a client cannot request.

    Raises
    ------
    ConfigError
        `check_key` refuses the key, or it has control characters.
    """
    check_key(key)
    if not is_requestable(key):
        raise ConfigError(not_requestable(key))


def is_unusable(key: str) -> bool:
    r"""Return whether a key is unusable.

    Examples
    --------
    >>> [is_unusable(key) for key in ("a/b.txt", "a//b.txt", "./a", "a/../b", "/a", "a\x01", "")]
    [False, True, True, True, True, True, True]
    """
    return bool(_UNUSABLE.search(key))


def names_hidden_by(key: str) -> Collection[str]:
    r"""Return the names that an unusable key hides, each with all below it; "" hides everything.

    Examples
    --------
    >>> sorted(names_hidden_by("a//b.jpg")), sorted(names_hidden_by("d/../e.txt"))
    (['a', 'a/b.jpg'], ['d', 'd/e.txt', 'e.txt'])
    >>> sorted(names_hidden_by("/f.txt")), sorted(names_hidden_by("g\x01.txt"))
    (['f.txt'], ['g.txt'])
    >>> sorted(names_hidden_by("//")), sorted(names_hidden_by(""))
    ([], [''])
    """
    if not key:
        return {""}
    left_out: list[str] = []
    resolved: list[str] = []
    for part in _CONTROL.sub("", key).split("/"):
        if part == ".." and resolved:
            resolved.pop()
        if part not in {"", ".", ".."}:
            left_out.append(part)
            resolved.append(part)
    names = {"/".join(left_out), "/".join(resolved)}
    return {name for name in names | {name.rpartition("/")[0] for name in names} if name}


class UnusableKeys:
    """Unusable keys of a listing; threads may add keys at the same time."""

    def __init__(self) -> None:
        self._named: set[str] = set()
        self._others = 0
        self._lock = Lock()

    def add(self, key: str) -> None:
        """Add a key; a repeated key counts once, unless there are very many keys."""
        with self._lock:
            if key in self._named:
                return
            if len(self._named) < _MOST:
                self._named.add(key)
            else:
                self._others += 1

    def problems(self) -> list[Problem]:
        """Return the problems of the keys."""
        problems = [Problem(ProblemCode.UNUSABLE_KEY, key, _DETAIL) for key in sorted(self._named)]
        if self._others:
            detail = f"more keys than the {_MOST:,} that are named were {_DETAIL}"
            problems.append(Problem(ProblemCode.UNUSABLE_KEY, "", detail, count=self._others))
        return problems

"""Damage to one node of a decoded JSON document, chosen by a seed."""

import random
from collections.abc import Iterator
from copy import deepcopy
from typing import Any, Final

__all__ = ["corrupted", "nodes", "pointer_of"]

VALUES: Final[tuple[Any, ...]] = (
    *(None, True, False, "", "x", "0.5", "2026-13-45", 0, -1, 400, 2**53 + 1, 1e308, -0.5, 1.5),
    *(
        [],
        [None],
        [[]],
        {},
        {"0": {}},
        {"x": "y"},
        [[0, 10**4]],
        [[5, 2]],
        "aa/~+a==",
        "\ud83d\ude00",
        "a\ud83d",
        "\ude00b",
        10**30,
    ),
)


def nodes(document: Any) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of every node but the root."""
    waiting: list[tuple[Any, tuple[str | int, ...]]] = [(document, ())]
    while waiting:
        value, path = waiting.pop()
        children = value.items() if isinstance(value, dict) else enumerate(value)
        for key, child in children:
            yield (*path, key)
            if isinstance(child, dict | list):
                waiting.append((child, (*path, key)))


def pointer_of(path: tuple[str | int, ...]) -> str:
    """Return the JSON pointer of a path."""
    return "".join(f"/{str(key).replace('~', '~0').replace('/', '~1')}" for key in path)


def corrupted(document: Any, rng: random.Random) -> tuple[Any, tuple[str | int, ...], str]:
    """Return a copy with one node removed, doubled, replaced or moved; its path; what was done."""
    damaged = deepcopy(document)
    path = rng.choice(list(nodes(damaged)))
    parent: Any = damaged
    for key in path[:-1]:
        parent = parent[key]
    last: Any = path[-1]
    change = rng.choice(("removed", "doubled", "replaced", "replaced", "replaced", "renamed"))
    if change == "removed":
        del parent[last]
    elif change == "doubled" and isinstance(parent, list):
        parent.append(deepcopy(parent[last]))
    elif change == "renamed" and isinstance(parent, dict):
        parent[rng.choice(["99", "x", "AAAAAAAA", "-1", "\ud83d"])] = parent.pop(last)
    else:
        change = "replaced"
        parent[last] = deepcopy(rng.choice(VALUES))
    return damaged, path, change

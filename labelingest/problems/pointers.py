"""JSON pointers (RFC 6901) to the places of problems.

A pointer is a text built step by step, from that of the parent; so a sidecar without problems costs
no text. Hashes contain `/`: every step is escaped.
"""

from collections.abc import Iterable
from typing import Final

__all__ = ["child_pointer", "escaped_step", "pointer_of"]

_LONGEST_KEY: Final = 200
"""Characters of one key in a pointer: four times as many as any hash or attribute name needs."""
_LONGEST_POINTER: Final = 2000
"""Characters of a pointer: 254 levels of answers fit; 10,000 problems of a code take 20 MB."""


def escaped_step(step: str | int) -> str:
    """Return one step of a pointer: a key of an object or a position in a list.

    Examples
    --------
    >>> escaped_step("k3P/x0+~"), escaped_step(3)
    ('k3P~1x0+~0', '3')
    """
    return str(step).replace("~", "~0").replace("/", "~1")


def pointer_of(steps: Iterable[str | int]) -> str:
    """Return the pointer of the steps from the root of a document.

    Examples
    --------
    >>> pointer_of(["objects", 0, "a/b"]), pointer_of([])
    ('/objects/0/a~1b', '')
    """
    return "".join(f"/{escaped_step(step)}" for step in steps)


def child_pointer(parent: str, step: str | int) -> str:
    """Return the pointer of a child, shortened where keys are long.

    A key of more than 200 characters loses its middle, and a pointer of 2,000 ends: a key may be as
    long as its file, and each of thousands of problems below the key repeats the key.

    Examples
    --------
    >>> child_pointer("/object_answers", "k3P/x0+~")
    '/object_answers/k3P~1x0+~0'
    """
    if len(parent) > _LONGEST_POINTER:
        return parent if parent.endswith("/…") else f"{parent}/…"
    name = str(step)
    if len(name) > _LONGEST_KEY:
        half = _LONGEST_KEY // 2
        name = f"{name[:half]}…{name[-half:]}"
    return f"{parent}/{escaped_step(name)}"

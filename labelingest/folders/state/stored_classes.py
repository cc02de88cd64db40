"""Check the counts by class that a state keeps with a run, before they are used."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from labelingest.folders.state.stored_values import misfit

__all__ = ["misfit_of_classes"]


@dataclass
class _Classes:
    mapped: list[Any]
    unused: list[Any]
    unmapped: list[Any]
    unmapped_other_rows: int
    label_rows: int
    is_complete: bool


@dataclass
class _Mapped:
    number: int | None
    name: str
    feature_hash: str
    shape: str
    rows: int
    files: int
    archived: bool = False


@dataclass
class _Unused:
    name: str
    feature_hash: str
    numbers: list[int]


@dataclass
class _Unmapped:
    number: int
    rows: int
    files: int
    first: str


def misfit_of_classes(classes: Mapping[str, Any]) -> str | None:
    """Return in words where stored counts by class do not fit; None where they fit, or are empty.

    Examples
    --------
    >>> misfit_of_classes({"mapped": 7})
    'mapped: found 7, expected a list'
    """
    if not classes:
        return None
    why = misfit(_Classes, classes)
    for name, kind in (("mapped", _Mapped), ("unused", _Unused), ("unmapped", _Unmapped)):
        if why is None:
            why = next(filter(None, (misfit(kind, entry) for entry in classes[name])), None)
    return why

"""Print counts by class: rows and files of each, objects never used, numbers that are not mapped."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from labelingest.cli.console import Console, many, print_line

__all__ = ["print_class_counts"]

_MOST_CLASSES: Final = 12
"""Classes that are printed, those with most rows: a report stays on one screen."""
_MOST_UNUSED: Final = 8
"""Unused objects that are named."""
_MOST_UNMAPPED: Final = 5
"""Unmapped numbers that are printed, those with most rows."""


def print_class_counts(console: Console, classes: Mapping[str, Any]) -> None:
    """Print counts by class as `labelingest.model.class_table.ClassTable.as_dict` returns them."""
    lines = [*_used(classes["mapped"]), *_unused(classes["unused"]), *_unmapped(classes)]
    for place, line in enumerate(lines):
        print_line(console, "           " if place else "Classes    ", line)


def _used(mapped: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    used = [entry for entry in mapped if entry["rows"]]
    most = sorted(used, key=lambda entry: -int(entry["rows"]))[:_MOST_CLASSES]
    for entry in used:
        if entry in most:
            number = "" if entry["number"] is None else f"{entry['number']} "
            yield f"{number}{entry['name']}: {_counts(entry)}"
    if len(used) > len(most):
        rest = sum(int(entry["rows"]) for entry in used) - sum(int(e["rows"]) for e in most)
        yield f"… and {many(len(used) - len(most), 'class', 'classes')} with {many(rest, 'row')}"


def _unused(unused: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not unused:
        return
    names = []
    for entry in unused[:_MOST_UNUSED]:
        numbers = "/".join(map(str, entry["numbers"][:3]))
        names.append(f"{numbers} {entry['name']}" if numbers else str(entry["name"]))
    more = len(unused) - len(names)
    yield f"never used: {', '.join(names)}{f' and {more:,} more' if more else ''}"


def _unmapped(classes: Mapping[str, Any]) -> Iterator[str]:
    unmapped, other_rows = classes["unmapped"], int(classes["unmapped_other_rows"])
    most = sorted(unmapped, key=lambda entry: -int(entry["rows"]))[:_MOST_UNMAPPED]
    for entry in unmapped:
        if entry in most:
            yield f"not mapped: {entry['number']}: {_counts(entry)}, first {entry['first']}"
    rest = sum(int(entry["rows"]) for entry in unmapped if entry not in most) + other_rows
    if rest:
        yield f"not mapped: {many(rest, 'row')} with other numbers"


def _counts(entry: Mapping[str, Any]) -> str:
    return f"{many(entry['rows'], 'row')} in {many(entry['files'], 'file')}"

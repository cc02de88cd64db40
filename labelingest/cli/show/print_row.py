"""Print a label row on the terminal: its head, objects as a table, answers as a tree.

An unreadable value is `?`. Long lists are cut, followed by the count of the remaining entries.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from rich.text import Text
from rich.tree import Tree

from labelingest.cli.console import Console, open_console, print_columns, print_line
from labelingest.cli.show.answers import AnswersView, AnswerView
from labelingest.cli.show.geometry import PIXELS, describe_geometry
from labelingest.cli.show.label_row import LabelRowView, ObjectView, UnitView
from labelingest.cli.show.lenient_json import Ranges
from labelingest.problems import Problem, Severity, printable

__all__ = ["print_problems", "print_row"]

_SHOWN: Final = 20
"""Objects, objects with answers, classifications and problems that are shown of a long list."""
_SHOWN_WORDS: Final = 8
"""Ranges, sizes and types of media that are shown on one line."""
_WIDEST: Final = 100_000
"""Columns that a tree may have: rich would cut lines at the width of the terminal."""


def print_row(row: LabelRowView, source: str, *, everything: bool = False) -> None:
    """Print a label row on standard output.

    Parameters
    ----------
    row
        The contents of the row.
    source
        The file of the row.
    everything
        Whether long lists are printed whole.
    """
    console = open_console()
    for name, words in _head(row, source, everything=everything):
        if words:
            print_line(console, f"{name:<11}", words)
    most = None if everything else _SHOWN
    if row.objects:
        print_columns(console, _table(row, everything=everything))
        _print_rest(console, len(row.objects), most)
    if row.answers:
        _print_tree(console, "Answers", row.answers, with_frames=False, everything=everything)
    if row.classifications:
        _print_tree(
            console,
            "Classifications",
            row.classifications,
            with_frames=row.frames is not None,
            everything=everything,
        )


def print_problems(problems: Sequence[Problem], *, everything: bool = False) -> None:
    """Print the problems of a label row on standard output, a line each."""
    console = open_console()
    most = None if everything else _SHOWN
    for problem in problems[:most]:
        style = "red" if problem.severity is Severity.ERROR else "yellow"
        print_line(console, (f"{problem.severity} ", style), str(problem))
    _print_rest(console, len(problems), most)


def _print_rest(console: Console, count: int, most: int | None) -> None:
    if most is not None and count > most:
        print_line(console, f"… and {count - most:,} more: --all shows them")


def _head(row: LabelRowView, source: str, *, everything: bool) -> list[tuple[str, str]]:
    hashes = (("label", row.label_hash), ("data", row.data_hash), ("dataset", row.dataset_hash))
    links = _different(unit.link for unit in row.units)
    others = f" and {len(links) - 1:,} more" if len(links) > 1 else ""
    return [
        ("Label row", source),
        ("Title", row.title or ""),
        ("Link", f"{links[0]}{others}" if links else ""),
        ("Kind", _kind(row, everything=everything)),
        ("Status", row.label_status or "?"),
        ("Hashes", ", ".join(f"{name} {value}" for name, value in hashes if value)),
        ("Objects", _objects(row, everything=everything)),
        ("Spaces", f"{row.spaces:,}, whose labels are not shown" if row.spaces else ""),
    ]


def _kind(row: LabelRowView, *, everything: bool) -> str:
    types = _listed(_different(unit.mime_type for unit in row.units), everything=everything)
    sizes = _listed(_different(_size(unit) for unit in row.units), everything=everything)
    count = f"{len(row.units):,} data units" if len(row.units) > 1 else ""
    return ", ".join(_different((f"{row.kind or '?'} ({types or '?'})", count, sizes)))


def _size(unit: UnitView) -> str:
    return "" if unit.width is None else f"{unit.width} × {unit.height} {PIXELS}"


def _objects(row: LabelRowView, *, everything: bool) -> str:
    count = len({entry.object_hash for entry in row.objects})
    on = f", on frames {_ranges(row.frames, everything=everything)}" if row.frames else ""
    fractions = any(entry.geometry and entry.unit != PIXELS for entry in row.objects)
    note = "; the size in pixels is not known: fractions of width and height" if fractions else ""
    return f"{count:,}{on}{note}"


def _table(row: LabelRowView, *, everything: bool) -> list[list[str]]:
    """Return header and rows; columns without any text are left out."""
    audio = row.kind == "audio"
    columns: Mapping[str, Callable[[ObjectView], str]] = {
        "hash": lambda entry: entry.object_hash or "?",
        "class": lambda entry: entry.name or "?",
        "shape": lambda entry: entry.shape or "?",
        "frame": lambda entry: _frame(row, entry),
        "milliseconds" if audio else "characters": lambda entry: _place(
            entry, everything=everything
        ),
        "confidence": lambda entry: "" if entry.confidence is None else f"{entry.confidence:g}",
        "author": lambda entry: entry.created_by or "",
        # Last, as it may be long.
        "geometry": lambda entry: _geometry(entry, everything=everything),
    }
    visible = row.objects if everything else row.objects[:_SHOWN]
    cells = [[name, *map(words, visible)] for name, words in columns.items()]
    return [list(line) for line in zip(*(c for c in cells if any(c[1:])), strict=True)]


def _frame(row: LabelRowView, entry: ObjectView) -> str:
    if row.frames is None or entry.is_ranged:
        return ""
    return "?" if entry.frame is None else str(entry.frame)


def _place(entry: ObjectView, *, everything: bool) -> str:
    if not entry.is_ranged:
        return ""
    html = _listed(entry.html_ranges or [], everything=everything)
    return html or _ranges(entry.ranges or [], everything=everything) or "?"


def _geometry(entry: ObjectView, *, everything: bool) -> str:
    if entry.is_ranged:
        return ""
    if entry.geometry is None or entry.shape is None:
        return "?"
    return describe_geometry(entry.shape, entry.geometry, entry.unit or "", everything=everything)


def _print_tree(
    console: Console,
    title: str,
    elements: Sequence[AnswersView],
    *,
    with_frames: bool,
    everything: bool,
) -> None:
    tree = Tree(_label(title))
    most = None if everything else _SHOWN
    for entry in elements[:most]:
        frames = _on_frames(entry.frames, everything=everything) if with_frames else ""
        branch = tree.add(_label(f"{entry.hash} {entry.name or '?'}{frames}"))
        _grow(branch, entry.answers, everything=everything)
    console.rich.width = max(console.rich.width, _WIDEST)
    console.rich.print(tree)
    _print_rest(console, len(elements), most)


def _grow(branch: Tree, answers: Iterable[AnswerView], *, everything: bool) -> None:
    for answer in answers:
        label = f"{answer.attribute or '?'}: {_answer(answer)}"
        if answer.frames is not None:
            label += _on_frames(answer.frames, everything=everything)
        _grow(branch.add(_label(label)), answer.nested, everything=everything)


def _label(text: str) -> Text:
    return Text(printable(text), no_wrap=True, overflow="ignore")


def _answer(answer: AnswerView) -> str:
    """Return an answer for people: texts in quotes, to tell them from options."""
    value = answer.answer
    if isinstance(value, list):
        return ", ".join(option or "?" for option in value) or "none"
    return "?" if value is None else f'"{value}"' if isinstance(value, str) else str(value)


def _on_frames(frames: Ranges | None, *, everything: bool) -> str:
    if not frames:
        return " (frames ?)" if frames is None else " (the whole file)"
    is_single = len(frames) == 1 and frames[0][0] == frames[0][1]
    return f" (frame{'' if is_single else 's'} {_ranges(frames, everything=everything)})"


def _ranges(ranges: Ranges, *, everything: bool = False) -> str:
    """Return ranges for people.

    Examples
    --------
    >>> _ranges([(0, 0), (5, 7)])
    '0, 5–7'
    """
    words = [str(first) if first == last else f"{first}–{last}" for first, last in ranges]
    return _listed(words, everything=everything)


def _listed(words: Sequence[str], *, everything: bool) -> str:
    """Return the first words, and the number of the others."""
    visible = words if everything else words[:_SHOWN_WORDS]
    rest = f", … and {len(words) - len(visible):,} more" if len(words) > len(visible) else ""
    return ", ".join(visible) + rest


def _different(texts: Iterable[str | None]) -> list[str]:
    """Return the texts that are not empty, each once, in order."""
    return list(dict.fromkeys(text for text in texts if text))

"""A label row on the terminal: its head, objects as a table, answers as a tree.

What cannot be read is `?`. Long lists are cut, and the count of what is not shown stands below.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from labelingest.cli.console import open_console, print_columns, print_line
from labelingest.cli.show.answers import Answer, Answered
from labelingest.cli.show.geometry import PIXELS, in_words
from labelingest.cli.show.label_row import Drawn, LabelRow, Unit
from labelingest.cli.show.lenient_json import Ranges
from labelingest.problems import Problem, Severity, printable

__all__ = ["print_problems", "print_row"]

_SHOWN: Final = 20
"""Objects, objects with answers, classifications and problems that are shown of many."""
_SHOWN_WORDS: Final = 8
"""Ranges, sizes and types of media that stand on one line."""
_WIDEST: Final = 100_000
"""Columns that a tree may have: rich cuts off what is longer than the terminal is wide."""


def print_row(row: LabelRow, source: str, *, everything: bool = False) -> None:
    """Print a label row on standard output.

    Parameters
    ----------
    row
        What is in it.
    source
        The file it is from.
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
        _print_tree(console, "Answers", row.answers, on_frames=False, everything=everything)
    if row.classifications:
        _print_tree(
            console,
            "Classifications",
            row.classifications,
            on_frames=row.frames is not None,
            everything=everything,
        )


def print_problems(problems: Sequence[Problem], *, everything: bool = False) -> None:
    """Print what is wrong with a label row on standard output, a line each."""
    console = open_console()
    most = None if everything else _SHOWN
    for problem in problems[:most]:
        style = "red" if problem.severity is Severity.ERROR else "yellow"
        print_line(console, (f"{problem.severity} ", style), str(problem))
    _print_rest(console, len(problems), most)


def _print_rest(console: Console, count: int, most: int | None) -> None:
    if most is not None and count > most:
        print_line(console, f"… and {count - most:,} more: --all shows them")


def _head(row: LabelRow, source: str, *, everything: bool) -> list[tuple[str, str]]:
    hashes = (("label", row.label_hash), ("data", row.data_hash), ("dataset", row.dataset_hash))
    links = _different(unit.link for unit in row.units)
    others = f" and {len(links) - 1:,} more" if len(links) > 1 else ""
    return [
        ("Label row", source),
        ("Title", row.title or ""),
        ("Link", f"{links[0]}{others}" if links else ""),
        ("Kind", _kind(row, everything=everything)),
        ("Status", row.label_status or "?"),
        ("Hashes", ", ".join(f"{name} {found}" for name, found in hashes if found)),
        ("Objects", _objects(row, everything=everything)),
        ("Spaces", f"{row.spaces:,}, whose labels are not shown" if row.spaces else ""),
    ]


def _kind(row: LabelRow, *, everything: bool) -> str:
    types = _listed(_different(unit.mime_type for unit in row.units), everything=everything)
    sizes = _listed(_different(_size(unit) for unit in row.units), everything=everything)
    count = f"{len(row.units):,} data units" if len(row.units) > 1 else ""
    return ", ".join(_different((f"{row.kind or '?'} ({types or '?'})", count, sizes)))


def _size(unit: Unit) -> str:
    return "" if unit.width is None else f"{unit.width} × {unit.height} {PIXELS}"


def _objects(row: LabelRow, *, everything: bool) -> str:
    count = len({found.object_hash for found in row.objects})
    on = f", on frames {_ranges(row.frames, everything=everything)}" if row.frames else ""
    fractions = any(found.geometry and found.unit != PIXELS for found in row.objects)
    note = "; the size in pixels is not known: fractions of width and height" if fractions else ""
    return f"{count:,}{on}{note}"


def _table(row: LabelRow, *, everything: bool) -> list[list[str]]:
    """Return header and rows; columns without any text are left out."""
    audio = row.kind == "audio"
    columns: Mapping[str, Callable[[Drawn], str]] = {
        "hash": lambda found: found.object_hash or "?",
        "class": lambda found: found.name or "?",
        "shape": lambda found: found.shape or "?",
        "frame": lambda found: _frame(row, found),
        "milliseconds" if audio else "characters": lambda found: _place(
            found, everything=everything
        ),
        "confidence": lambda found: "" if found.confidence is None else f"{found.confidence:g}",
        "author": lambda found: found.created_by or "",
        # Last, as it may be long.
        "geometry": lambda found: _geometry(found, everything=everything),
    }
    shown = row.objects if everything else row.objects[:_SHOWN]
    cells = [[name, *map(words, shown)] for name, words in columns.items()]
    return [list(line) for line in zip(*(c for c in cells if any(c[1:])), strict=True)]


def _frame(row: LabelRow, found: Drawn) -> str:
    if row.frames is None or found.is_ranged:
        return ""
    return "?" if found.frame is None else str(found.frame)


def _place(found: Drawn, *, everything: bool) -> str:
    if not found.is_ranged:
        return ""
    html = _listed(found.html_ranges or [], everything=everything)
    return html or _ranges(found.ranges or [], everything=everything) or "?"


def _geometry(found: Drawn, *, everything: bool) -> str:
    if found.is_ranged:
        return ""
    if found.geometry is None or found.shape is None:
        return "?"
    return in_words(found.shape, found.geometry, found.unit or "", everything=everything)


def _print_tree(
    console: Console, title: str, answered: Sequence[Answered], *, on_frames: bool, everything: bool
) -> None:
    tree = Tree(_label(title))
    most = None if everything else _SHOWN
    for found in answered[:most]:
        where = _on_frames(found.frames, everything=everything) if on_frames else ""
        branch = tree.add(_label(f"{found.hash} {found.name or '?'}{where}"))
        _grow(branch, found.answers, everything=everything)
    console.width = max(console.width, _WIDEST)
    console.print(tree)
    _print_rest(console, len(answered), most)


def _grow(branch: Tree, answers: Iterable[Answer], *, everything: bool) -> None:
    for answer in answers:
        label = f"{answer.attribute or '?'}: {_answer(answer)}"
        if answer.frames is not None:
            label += _on_frames(answer.frames, everything=everything)
        _grow(branch.add(_label(label)), answer.nested, everything=everything)


def _label(text: str) -> Text:
    return Text(printable(text), no_wrap=True, overflow="ignore")


def _answer(answer: Answer) -> str:
    """Return an answer as people read it: texts in quotes, so that they are no options."""
    value = answer.answer
    if isinstance(value, list):
        return ", ".join(option or "?" for option in value) or "none"
    return "?" if value is None else f'"{value}"' if isinstance(value, str) else str(value)


def _on_frames(frames: Ranges | None, *, everything: bool) -> str:
    if not frames:
        return " (frames ?)" if frames is None else " (the whole file)"
    one = len(frames) == 1 and frames[0][0] == frames[0][1]
    return f" (frame{'' if one else 's'} {_ranges(frames, everything=everything)})"


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
    """Return the first words, and how many others there are."""
    shown = words if everything else words[:_SHOWN_WORDS]
    rest = f", … and {len(words) - len(shown):,} more" if len(words) > len(shown) else ""
    return ", ".join(shown) + rest


def _different(texts: Iterable[str | None]) -> list[str]:
    """Return texts that are not empty, each once, in their order."""
    return list(dict.fromkeys(text for text in texts if text))

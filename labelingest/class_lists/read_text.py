"""Read the class names of a text file: one name a line, or one number and name a line.

Numbers count only where all lines carry ascending ones. Names may begin with digits themselves
(`10 km/h`, `2 wheeler`): a number that only a blank separates from its name must begin the list at
0, or at 1 without gaps; and a list of units is no list of numbers.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from labelingest.class_lists.class_list import ClassList, UnreadableListError
from labelingest.model.ontology import class_number

__all__ = ["from_lines", "names_file_of"]

_COMMENT: Final = r"#(\s|$)"
"""Begin of a comment; `#7` is a name."""
_NUMBERED: Final = re.compile(
    r"""(?P<number>[0-9]+)
    (?:(?P<sign>[ ]*\t\s*|[ ]*[:;,=|][ \t]+|[.)][ \t]+)(?=\S)
     |(?P<close>[ ]*[:;,=|])(?=[^\s0-9])
     |(?P<blank>[ ]+)(?=\S))
    (?P<name>.*)""",
    re.VERBOSE | re.DOTALL,
)
"""A number, a sign or blanks, and a name; a digit directly after a sign may be of a decimal or time."""
_LABEL_ROW: Final = r"[0-9]+(?:[ \t]+[-+.0-9eE]+){4,}"
"""Row of a label file."""
_IMAGE_KEY: Final = r"(?i)\S.*\.(?:jpe?g|png|bmp|webp|tiff?)(?:\s+\S.*)?"
"""Path of an image, alone or with a label behind it."""
_NAMES_KEY: Final = r"(?i)\s*names\s*=\s*(?P<path>.*?)\s*"
"""Line of a Darknet `*.data` file that says where its class names are."""


class _Line(NamedTuple):
    """A line that holds a name."""

    line: int
    """1-based."""
    text: str


def from_lines(source: str, text: str) -> ClassList:
    r"""Read one name a line.

    Comments do not count; blank lines count for nothing at the end, or where all lines have numbers.

    Raises
    ------
    UnreadableListError
        A name is missing.

    Examples
    --------
    >>> from_lines("classes.txt", "tug\nvan\n").names
    {0: 'tug', 1: 'van'}
    >>> from_lines("classes.txt", "# classes\n0: tug\n3\tvan\n").names
    {0: 'tug', 3: 'van'}
    >>> from_lines("classes.txt", "10 km/h\n30 km/h\n").names
    {0: '10 km/h', 1: '30 km/h'}
    """
    lines = [
        _Line(number, line.strip())
        for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1)
        if not re.match(_COMMENT, line.lstrip())
    ]
    named_lines = [line for line in lines if line.text]
    if missing := _no_names(named_lines):
        return ClassList(source, {}, missing=missing)
    numbered = _numbered(named_lines)
    if numbered is None:
        _refuse_gaps(source, lines, named_lines[-1])
        numbered = dict(enumerate(named_lines))
    return ClassList(
        source,
        {number: line.text for number, line in numbered.items()},
        lines={number: line.line for number, line in numbered.items()},
    )


def _no_names(lines: Sequence[_Line]) -> str:
    """Return why lines are no class names; "" where they may be."""
    if not lines:
        return "holds no class name"
    if all(re.fullmatch(_LABEL_ROW, line.text) for line in lines):
        return "holds rows of a label file, no class names"
    if all(re.fullmatch(_IMAGE_KEY, line.text) for line in lines):
        return "holds names of images, no class names"
    return ""


def _refuse_gaps(source: str, lines: Sequence[_Line], last: _Line) -> None:
    """Refuse blank lines between names.

    Readers that skip blank lines and readers that count them number all names below differently:
    either reading mislabels data of the other kind.
    """
    for number, line in enumerate(lines):
        if line == last:
            return
        if not line.text:
            raise UnreadableListError(
                source,
                f"blank line, so the name of class number {number} is missing: write it on this "
                "line, or remove the line if it is not counted",
                line.line,
            )


def _numbered(lines: Sequence[_Line]) -> Mapping[int, _Line] | None:
    """Return class number → name, where all lines carry ascending numbers; else None."""
    matches = [_NUMBERED.fullmatch(line.text) for line in lines]
    numbers, names, has_blanks = [], [], False
    for match in matches:
        number = class_number(match["number"]) if match else None
        if match is None or number is None:
            return None
        numbers.append(number)
        names.append(match["name"].strip())
        has_blanks |= match["blank"] is not None
    is_ascending = all(before < after for before, after in pairwise(numbers))
    if not numbers or not is_ascending or (has_blanks and not _may_count(numbers, names)):
        return None
    return {
        number: _Line(line.line, name)
        for number, name, line in zip(numbers, names, lines, strict=True)
    }


def _may_count(numbers: Sequence[int], names: Sequence[str]) -> bool:
    """Whether numbers with only a blank behind them count, and are no part of their names."""
    if len(names) > 1 and len(set(names)) == 1:
        return False  # 0 km/h, 10 km/h
    is_counted = len(numbers) > 1 and list(numbers) == list(range(1, len(numbers) + 1))
    return numbers[0] == 0 or (is_counted and len(set(names)) == len(names))


def names_file_of(text: str) -> str:
    r"""Return the path that a Darknet `*.data` file gives for its class names; empty for none.

    Examples
    --------
    >>> names_file_of("classes = 2\nnames = data/obj.names\nbackup = backup/")
    'data/obj.names'
    """
    for line in text.splitlines():
        if match := re.fullmatch(_NAMES_KEY, line):
            return match["path"]
    return ""

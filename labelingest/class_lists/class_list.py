"""A class list: the names that a data set gives its class numbers, with their places in the file."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from labelingest.errors import ConfigError
from labelingest.problems import Problem, printable

__all__ = ["ClassList", "UnreadableListError"]


class ClassList(Struct, frozen=True):
    """Class names of a data set, as one file lists them.

    Examples
    --------
    >>> listed = ClassList("data.yaml", {0: "tug", 1: "van"}, lines={0: 3, 1: 4})
    >>> listed.names[1], listed.place(1)
    ('van', {'line': 4})
    """

    source: str
    """Key of the file in the storage path, or its path where the caller named it."""
    names: Mapping[int, str]
    """Class number → name, ascending; empty where the file has no class names."""
    lines: Mapping[int, int] = field(default_factory=dict)
    """Class number → 1-based line of its name; empty for JSON."""
    pointers: Mapping[int, str] = field(default_factory=dict)
    """Class number → JSON pointer of its name; empty for text."""
    missing: str = ""
    """Reason for the lack of names, as one sentence; empty where there are names."""
    class_count: int | None = None
    """Number of classes that the file declares beside the names (`nc`); None for no declaration."""
    kpt_shape: tuple[int, int] | None = None
    """Number of keypoints and of values for each, where the file declares them."""
    task: str | None = None
    """Task of the data set, such as `pose`, where the file declares one."""
    names_file: str = ""
    """Path that the file gives for its names instead of listing them; empty for none."""
    problems: Sequence[Problem] = ()
    """Defects of the list itself."""

    def place(self, number: int) -> dict[str, Any]:
        """Return line or pointer of the name of a class number, as fields of a problem."""
        if number in self.lines:
            return {"line": self.lines[number]}
        return {"pointer": self.pointers[number]} if number in self.pointers else {}


class UnreadableListError(ConfigError):
    """A class list cannot be read; the message begins with its place.

    Examples
    --------
    >>> raise UnreadableListError("data.yaml", "not YAML", 3, 7)
    Traceback (most recent call last):
    labelingest.class_lists.class_list.UnreadableListError: data.yaml:3:7: not YAML
    """

    def __init__(
        self, source: str, detail: str, line: int | None = None, column: int | None = None
    ) -> None:
        place = ":".join([printable(source), *(str(n) for n in (line, column) if n is not None)])
        super().__init__(f"{place}: {detail}")
        self.source = source
        self.detail = detail
        self.line = line
        self.column = column

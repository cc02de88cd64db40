"""One option as a plain value: its name, type, choices, default, help, and the commands that have it.

The value loads no library, so that `--help` answers at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

__all__ = [
    "FOLDER",
    "INSPECTION",
    "LABELS",
    "PAIRING",
    "REPORTS",
    "RUNS",
    "SYNCS",
    "Command",
    "Kind",
    "Option",
    "Panel",
]


class Kind(StrEnum):
    """The type of an option's value."""

    TEXT = "text"
    TEXTS = "texts"
    PATH = "path"
    FLAG = "flag"
    WHOLE = "whole number"
    NUMBER = "number"
    TWO_WHOLE = "two whole numbers"
    CLASS_MAP = "class map"


class Panel(StrEnum):
    """The headings under which `--help` and the reference group options."""

    GENERAL = "Options"
    FILES = "Files"
    METADATA = "Custom metadata"
    CLASSES = "Classes"
    CONVERSION = "Conversion"
    OUTPUT = "Output"
    REPORT = "Report"
    EXECUTION = "Execution"
    MEASUREMENT = "Measurement"
    GENERATED = "Generated data"
    SCHEDULE = "Schedule"
    STATE = "State"


class Command(StrEnum):
    """The commands that have options of the table."""

    CONVERT = "convert"
    CHECK = "check"
    BENCH = "bench"
    PAIR = "pair"
    DIALECT = "dialect"
    CLASSES = "classes"
    METADATA_CHECK = "metadata check"
    FOLDER_CREATE = "folder create"
    FOLDER_CONFIGURE = "folder configure"
    FOLDER_SYNC = "folder sync"
    FOLDER_APPLY = "folder apply"
    FOLDER_SERVE = "folder serve"


RUNS: Final = (Command.CONVERT, Command.CHECK, Command.BENCH)
"""Commands that convert label files."""
FOLDER: Final = (Command.FOLDER_CREATE, Command.FOLDER_CONFIGURE)
"""Commands that set up a synced folder."""
SYNCS: Final = (Command.FOLDER_SYNC, Command.FOLDER_APPLY, Command.FOLDER_SERVE)
"""Commands that sync folders."""
LABELS: Final = (*RUNS, *FOLDER)
"""Commands that say how labels are converted."""
INSPECTION: Final = (Command.PAIR, Command.DIALECT)
"""Commands that show what a folder holds."""
PAIRING: Final = (*LABELS, *INSPECTION)
"""Commands that say how files pair."""
REPORTS: Final = (Command.CONVERT, Command.CHECK, Command.METADATA_CHECK)
"""Commands that end with a report."""

_EXPECTED: Final[Mapping[Kind, str]] = {
    Kind.TEXT: "a text",
    Kind.TEXTS: "one text or a list of texts, as ['images/{name}.jpg']",
    Kind.PATH: "a path",
    Kind.FLAG: "true or false",
    Kind.WHOLE: "a whole number",
    Kind.NUMBER: "a number above 0",
    Kind.TWO_WHOLE: "two whole numbers, as [17, 3]",
    Kind.CLASS_MAP: "a table of class numbers and objects, as {7: 'car'}",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Option:
    """One option.

    Examples
    --------
    >>> layout = Option(
    ...     name="yolo_layout",
    ...     help="Row layout of YOLO output",
    ...     choices=("auto", "box", "polygon"),
    ...     default="auto",
    ...     default_text="from the shapes",
    ...     commands=(Command.CONVERT,),
    ... )
    >>> layout.flag, layout.help_text
    ('--yolo-layout', 'Row layout of YOLO output: auto (default: from the shapes), box or polygon.')
    """

    name: str
    """Name of the keyword argument, and key of a configuration file."""
    help: str
    """Purpose of the option, without choices, default and final period."""
    commands: Sequence[Command]
    """Commands that have the option."""
    panel: Panel = Panel.GENERAL
    kind: Kind = Kind.TEXT
    choices: Sequence[str] = ()
    """All permitted values of a closed set, in the order of `--help`; empty for open sets."""
    default: object = None
    """Value of `IngestConfig` without the option; None for no value."""
    default_text: str = ""
    """The default in words, where the value alone would not explain it."""
    note: str = ""
    """Further sentences of the help text."""
    lowest: int | None = None
    """Smallest permitted whole number."""
    highest: int | None = None
    """Largest permitted whole number; None for no limit."""
    metavar: str = ""
    """Placeholder of the value in `--help`; its type where empty."""
    flags: Sequence[str] = ()
    """Declarations for the command line, such as `--a/--no-a`; the dashed name where empty."""
    is_positional: bool = False
    """Whether the command line takes the value without a flag."""
    in_config: bool = True
    """Whether `IngestConfig` has the option; the others concern commands alone."""
    is_label_option: bool = False
    """Whether a synced folder stores the option among those of its labels."""
    is_output: bool = False
    """Whether the option names a file or folder that a run writes."""
    decides_result: bool = True
    """Whether an interrupted run is resumed only with the same value."""
    source: str = ""
    """Name of the only format of label files that the option concerns; empty for all formats."""
    target: str = ""
    """Name of the only output format that the option concerns; empty for all formats."""
    concerns_class_numbers: bool = False
    """Whether the option matters only where class numbers are read or written."""

    @property
    def flag(self) -> str:
        """The option's name on the command line."""
        if self.is_positional:
            return self.metavar
        return self.flags[0].partition("/")[0] if self.flags else f"--{self.name.replace('_', '-')}"

    @property
    def is_path(self) -> bool:
        """Whether the value is a path, relative to the configuration file that holds it."""
        return self.kind is Kind.PATH

    @property
    def expected(self) -> str:
        """The permitted values, for error messages."""
        words = _EXPECTED[self.kind]
        if self.lowest is None:
            return words
        return (
            f"{words} from {self.lowest} {'on' if self.highest is None else f'to {self.highest:,}'}"
        )

    @property
    def help_text(self) -> str:
        """The help with choices, default and note."""
        sentence = f"{self.help}{self._values()}."
        return f"{sentence} {self.note}" if self.note else sentence

    @property
    def default_words(self) -> str:
        """The default for people; empty for an option without one."""
        if self.default_text or self.default is None:
            return self.default_text
        if self.kind is Kind.FLAG:
            return "on" if self.default else ""
        return "" if self.default in ("", ()) else str(self.default)

    def _values(self) -> str:
        if not self.choices:
            return f" (default: {self.default_words})" if self.default_words else ""
        default = f"default: {self.default_text}" if self.default_text else "default"
        words = [f"{c} ({default})" if c == self.default else c for c in self.choices]
        return f": {', '.join(words[:-1])} or {words[-1]}"

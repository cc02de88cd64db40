"""A format as one value: what people call it, how it is read, and what it is written as.

The value holds light facts. The modules that do the work (source, target, sink) are named, and
loaded when they are first used: the command line's help needs the facts alone. A name is resolved
by `load`; a format from outside the package may hold the module or object itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

__all__ = ["Format", "Package", "load"]


class Package(NamedTuple):
    """An optional package that outputs with one suffix need."""

    suffix: str
    """Last suffix of the names of such outputs, as ".zst"."""
    name: str
    """Name by which Python imports the package."""
    extra: str
    """Extra of labelingest that installs the package."""

    @property
    def is_installed(self) -> bool:
        """Whether Python finds the package; nothing is imported."""
        return find_spec(self.name) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """Everything that the package has to know of a format.

    Examples
    --------
    >>> notes = Format(name="notes", title="Notes", noun="note", endings=(".txt",))
    >>> notes.is_written, notes.can_be_file, notes.can_be_folder
    (False, True, False)
    """

    name: str
    """Value of the options that choose the format, as "yolo"."""
    title: str
    """Name of the format in sentences, as "YOLO"."""
    noun: str
    """What the format makes of each data file, in the singular: "label file"."""
    heading: str = "Files"
    """What the report calls the data files that were written: "Label rows"."""

    source_title: str = ""
    """What sidecars of the format are in sentences: "YOLO label files"."""

    endings: Sequence[str] = ()
    """Endings of the name of an output that is one file, the usual one first; none: no such file."""
    can_be_folder: bool = False
    """Whether an output can be a folder with a file for each data file."""
    can_be_shards: bool = False
    """Whether an output can be a folder of numbered files, each with many data files."""
    is_resumable: bool = False
    """Whether an interrupted output can be continued: documents with an end cannot."""
    is_columns: bool = False
    """Whether the sink takes columns of all data files, instead of a text for each."""
    packages: Sequence[Package] = ()
    """Optional packages that some outputs need."""

    needs_class_numbers: bool = False
    """Whether labels name their classes by numbers, in either direction."""
    is_of_images: bool = False
    """Whether only labels of images can be written."""
    keeps_classifications: bool = False
    """Whether label rows are written with all that they hold, classifications included."""

    pairs_by_suffix: bool = False
    """Whether sidecars are found by a suffix of the data file's name; otherwise by patterns."""
    is_read_in_slices: bool = False
    """Whether a large sidecar is read slice by slice, and its size is limited by an option."""

    source: Any = None
    """Module with `make_source`, or its name; None for a format that is not read."""
    target: Any = None
    """Module with the functions of `labelingest.writers.target.Target`, or its name."""
    sink: Any = None
    """Module with the functions of `labelingest.sinks.base.SinkModule`, or its name."""

    @property
    def is_read(self) -> bool:
        """Whether sidecars can have the format."""
        return self.source is not None

    @property
    def is_written(self) -> bool:
        """Whether outputs can have the format."""
        return self.target is not None and self.sink is not None

    @property
    def can_be_file(self) -> bool:
        """Whether an output can be one file."""
        return bool(self.endings)

    def package_for(self, suffix: str) -> Package | None:
        """Return the optional package that an output with this suffix needs; None for none."""
        return next((package for package in self.packages if package.suffix == suffix), None)

    @property
    def sample_output(self) -> str:
        """Name of an output, for examples and measurements."""
        stem = f"{self.noun.replace(' ', '_')}s"
        return f"{stem}{self.endings[0]}" if self.endings else stem


def load(reference: Any) -> Any:
    """Return the module that a format names; an object that stands for one is returned as it is.

    Examples
    --------
    >>> load("labelingest.errors").__name__, load(42)
    ('labelingest.errors', 42)
    """
    return import_module(reference) if isinstance(reference, str) else reference

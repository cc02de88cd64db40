"""What goes into a conversion and what comes out: files, choices, results."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np
import orjson

from labelingest.columns.types import Bool, Int64
from labelingest.errors import ConfigError
from labelingest.model.batch_output import Labels
from labelingest.model.tally import Tally
from labelingest.problems import Problem
from labelingest.storage.base import check_key

__all__ = ["Conversion", "Counts", "ImageSizes", "LabelFile", "OnRowError"]


class OnRowError(StrEnum):
    """What a row that cannot be converted costs."""

    SKIP = "skip"
    """Itself; what is good in its file is converted."""
    SKIP_FILE = "skip-file"
    """Its file: no label row."""
    STOP = "stop"
    """The run: `SidecarError`."""


class ImageSizes(StrEnum):
    """Which image headers are read."""

    NEEDED = "needed"
    """Those of images with a label that cannot be converted without."""
    ALL = "all"
    """All: label rows then carry width and height, and sidecars that say another are named."""
    NEVER = "never"


class LabelFile(NamedTuple):
    """One data file with the content of its sidecar."""

    key: str
    """Key of the data file: its name in the label row, and what its identifiers are made from."""
    content: bytes
    """The sidecar, as stored."""
    size: tuple[int, int] | None = None
    """Width and height of the image in pixels, as displayed, where known."""
    mtime_ns: int = 0
    """Last change of the sidecar, nanoseconds since 1970 UTC: the date of labels that have none."""
    sidecar: str = ""
    """Key of the sidecar, for problems; the data file's when empty."""

    def check(self) -> None:
        """Refuse a file that cannot be one.

        Raises
        ------
        ConfigError
            Its key leads out of the storage path, or its size is not two positive integers.
        """
        check_key(self.key)
        if self.size is not None and not _is_size(self.size):
            raise ConfigError(f"size {self.size!r} of {self.key!r} is not width and height")


def _is_size(size: Sequence[Any]) -> bool:
    return len(size) == 2 and all(isinstance(n, int) and 0 < n < 2**31 for n in size)


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """What each file of a batch held."""

    seen: Int64
    """(u,) rows: annotations and classifications of its sidecar, good or not."""
    annotations: Int64
    """(u,) those that were written."""
    classifications: Int64
    """(u,) those that were kept."""

    def where(self, keep: Bool) -> "Counts":
        """Return the counts of the files where keep, (u,), is true."""
        return Counts(self.seen[keep], self.annotations[keep], self.classifications[keep])

    @classmethod
    def joined(cls, parts: "Sequence[Counts]") -> "Counts":
        """Return the counts of several batches as those of one."""
        return cls(
            np.concatenate([part.seen for part in parts]),
            np.concatenate([part.annotations for part in parts]),
            np.concatenate([part.classifications for part in parts]),
        )

    @classmethod
    def nothing(cls) -> "Counts":
        """Return the counts of one file of which nothing is known."""
        nothing = np.zeros(1, dtype=np.int64)
        return cls(nothing, nothing, nothing)


@dataclass(frozen=True, slots=True)
class Conversion:
    """What became of a batch."""

    label_rows: Sequence[bytes | None]
    """For each file, in the order given: its label row as JSON on one line, or its label file in
    the format asked for; None when it has none because its sidecar could not be read, or was
    skipped for its bad rows. Empty where the format is one file for all: then there are labels."""
    problems: Sequence[Problem]
    """In order of file, line and column."""
    tally: Tally
    written: Bool
    """For each file, whether it was converted."""
    counts: Counts
    """What each file holds."""
    labels: Labels | None = None
    """The labels of the files that were converted, as columns, for formats that are one file."""

    @classmethod
    def joined(cls, parts: "Sequence[Conversion]") -> "Conversion":
        """Return what became of several batches as of one."""
        labels = [part.labels for part in parts if part.labels is not None]
        return cls(
            [row for part in parts for row in part.label_rows],
            [problem for part in parts for problem in part.problems],
            Tally.sum(part.tally for part in parts),
            np.concatenate([part.written for part in parts]),
            Counts.joined([part.counts for part in parts]),
            Labels.joined(labels) if labels else None,
        )

    def as_dicts(self) -> list[dict[str, Any] | None]:
        """Return the label rows decoded.

        Raises
        ------
        ValueError
            What was written are no label rows.
        """
        if any(row is not None and not row.startswith(b"{") for row in self.label_rows):
            raise ValueError("YOLO label files are no label rows: use label_rows as they are")
        return [None if row is None else orjson.loads(row) for row in self.label_rows]

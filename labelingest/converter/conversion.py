"""Files that go into a conversion, and its result: label rows, problems and counts."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import orjson
from msgspec import Struct, field

from labelingest.columns.types import Bool, Int64
from labelingest.errors import ConfigError
from labelingest.model.batch_output import FileTexts, Labels
from labelingest.model.class_counts import FileClasses
from labelingest.model.tally import Tally
from labelingest.problems import Problem
from labelingest.storage.base import check_key

__all__ = ["Conversion", "Counts", "LabelFile"]


class LabelFile(NamedTuple):
    """One data file with the content of its sidecar."""

    key: str
    """Key of the data file: its name in the label row; identifiers are made from the key."""
    content: bytes
    """The sidecar, as stored."""
    size: tuple[int, int] | None = None
    """Width and height of the image in pixels, as displayed, where known."""
    mtime_ns: int = 0
    """Last change of the sidecar, nanoseconds since 1970 UTC: dates labels that have no date."""
    sidecar: str = ""
    """Key of the sidecar, for problems; the data file's when empty."""

    def check(self) -> None:
        """Refuse an impossible key or size.

        Raises
        ------
        ConfigError
            The key leads out of the storage path, or the size is not two positive integers.
        """
        check_key(self.key)
        if self.size is not None and not _is_size(self.size):
            raise ConfigError(f"size {self.size!r} of {self.key!r} is not width and height")


def _is_size(size: Sequence[Any]) -> bool:
    return len(size) == 2 and all(isinstance(n, int) and 0 < n < 2**31 for n in size)


class Counts(Struct, frozen=True, eq=False):
    """Counts of what each file of a batch contains."""

    seen: Int64
    """(u,) annotations and classifications in each sidecar, valid or not."""
    annotations: Int64
    """(u,) annotations that were converted."""
    classifications: Int64
    """(u,) classifications that were converted."""
    classes: FileClasses = field(default_factory=FileClasses.none)
    """Annotations that were converted, by class; none before all stages are through."""

    def where(self, keep: Bool) -> "Counts":
        """Return the counts of the files where keep, (u,), is true."""
        if keep.all():
            return self
        return Counts(
            self.seen[keep],
            self.annotations[keep],
            self.classifications[keep],
            self.classes.where(keep),
        )

    def tally(self) -> Tally:
        """Count the files as converted, with what they contain."""
        return Tally(
            label_rows=len(self.seen),
            empty_label_rows=int((self.seen == 0).sum()),
            annotations=int(self.annotations.sum()),
            classifications=int(self.classifications.sum()),
            classes=self.classes.total(),
        )

    @classmethod
    def joined(cls, parts: "Sequence[Counts]") -> "Counts":
        """Return the counts of several batches as those of one."""
        return cls(
            np.concatenate([part.seen for part in parts]),
            np.concatenate([part.annotations for part in parts]),
            np.concatenate([part.classifications for part in parts]),
            FileClasses.joined(
                [part.classes for part in parts], [len(part.seen) for part in parts]
            ),
        )

    @classmethod
    def nothing(cls) -> "Counts":
        """Return the counts of one file that could not be read."""
        nothing = np.zeros(1, dtype=np.int64)
        return cls(nothing, nothing, nothing)


class Conversion(Struct, frozen=True):
    """The result of a batch."""

    texts: Sequence[bytes]
    """(m,) the label row of each converted file as JSON on one line, or its label file in the output
    format. Empty where the output format is one file for all data files: `labels` has the columns
    then."""
    problems: Sequence[Problem]
    """Problems in order of file, line and column."""
    row_tally: Tally
    """Counts of rows and of failed files; `tally` counts the converted files too."""
    is_converted: Bool
    """(u,) whether each file was converted."""
    counts: Counts
    """(u,) counts of what each file contains."""
    labels: Labels | None = None
    """Labels of the converted files as columns, for output formats that are one file."""

    @property
    def label_rows(self) -> list[bytes | None]:
        """(u,) text of each file, None where there is none; empty where there are columns."""
        if self.labels is not None:
            return []
        texts = iter(self.texts)
        return [next(texts) if converted else None for converted in self.is_converted.tolist()]

    @property
    def tally(self) -> Tally:
        """Counts of the whole batch."""
        return Tally.sum((self.row_tally, self.counts.where(self.is_converted).tally()))

    @classmethod
    def joined(cls, parts: "Sequence[Conversion]") -> "Conversion":
        """Return the results of several batches as the result of one."""
        labels = [part.labels for part in parts if part.labels is not None]
        return cls(
            texts=FileTexts.from_texts(text for part in parts for text in part.texts),
            problems=[problem for part in parts for problem in part.problems],
            row_tally=Tally.sum(part.row_tally for part in parts),
            is_converted=np.concatenate([part.is_converted for part in parts]),
            counts=Counts.joined([part.counts for part in parts]),
            labels=Labels.joined(labels) if labels else None,
        )

    def as_dicts(self) -> list[dict[str, Any] | None]:
        """Return the label rows decoded.

        Raises
        ------
        ValueError
            The output format has no label rows.
        """
        if any(not text.startswith(b"{") for text in self.texts):
            raise ValueError("YOLO label files are no label rows: use label_rows as they are")
        return [None if row is None else orjson.loads(row) for row in self.label_rows]

"""Output of one batch: label rows or label files as texts, or labels as columns.

Converters make it and sinks put it in its place; output formats are named here because both know
them. It refuses to know how a format looks.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, overload

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from labelingest.columns.types import Bool, Int64
from labelingest.model.annotations import Annotations
from labelingest.model.units import DataUnits

__all__ = ["BatchOutput", "FileTexts", "Labels", "LargeLabels", "as_lines"]


@dataclass(frozen=True, slots=True, eq=False)
class FileTexts(Sequence[bytes]):
    r"""Texts of data files in one buffer, which a sink of lines writes as it is.

    Examples
    --------
    >>> texts = FileTexts.from_texts([b"{}", b'{"a":1}'])
    >>> texts[1], list(texts[:1]), texts.buffer
    (b'{"a":1}', [b'{}'], b'{}\n{"a":1}\n')
    """

    buffer: bytes
    """All texts in order, a line's end behind each."""
    offsets: Int64
    """(m + 1,) text i is buffer[offsets[i] : offsets[i + 1] - 1]."""

    @classmethod
    def from_texts(cls, texts: Iterable[bytes]) -> "FileTexts":
        """Put texts into one buffer."""
        texts = list(texts)
        offsets = np.zeros(len(texts) + 1, dtype=np.int64)
        np.cumsum([len(text) + 1 for text in texts], out=offsets[1:])
        return cls(b"\n".join((*texts, b"")) if texts else b"", offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __iter__(self) -> Iterator[bytes]:
        for begin, end in pairwise(self.offsets.tolist()):
            yield self.buffer[begin : end - 1]

    @overload
    def __getitem__(self, rows: int) -> bytes: ...

    @overload
    def __getitem__(self, rows: slice) -> "FileTexts": ...

    def __getitem__(self, rows: int | slice) -> "bytes | FileTexts":
        """Return the text of a row, or the texts of rows that follow each other."""
        if isinstance(rows, int):
            row = range(len(self))[rows]
            return self.buffer[self.offsets[row] : self.offsets[row + 1] - 1]
        chosen = range(len(self))[rows]
        if chosen.step != 1:
            raise ValueError("only rows that follow each other share a buffer")
        offsets = self.offsets[chosen.start : max(chosen.start, chosen.stop) + 1]
        return FileTexts(self.buffer[offsets[0] : offsets[-1]], offsets - offsets[0])


def as_lines(texts: Sequence[bytes]) -> bytes:
    r"""Return texts as lines; texts that have one buffer are not copied.

    Examples
    --------
    >>> as_lines([b"{}", b"{}"]), as_lines([])
    (b'{}\n{}\n', b'')
    """
    return (texts if isinstance(texts, FileTexts) else FileTexts.from_texts(texts)).buffer


class Labels(Struct, frozen=True, eq=False):
    """The labels of a batch, as columns."""

    units: DataUnits
    """(u,) the data units; one may have no annotation."""
    annotations: Annotations
    """(n,) their annotations."""

    @classmethod
    def none(cls) -> "Labels":
        """Return no labels, of no data units."""
        return cls(DataUnits.from_keys([], [], np.zeros(0, dtype=np.int64)), Annotations.none())

    @classmethod
    def joined(cls, parts: "Sequence[Labels]") -> "Labels":
        """Return the labels of several batches as those of one."""
        annotations = [part.annotations for part in parts]
        return cls(
            DataUnits.joined([part.units for part in parts]),
            Annotations.joined(annotations, [len(part.units) for part in parts]),
        )

    @classmethod
    def of_units(cls, units: DataUnits, annotations: Annotations, keep: Bool) -> "Labels":
        """Return the data units where keep, (u,), is true, with their annotations.

        Examples
        --------
        >>> keys, sidecars = ["a.jpg", "b.jpg"], ["a.txt", "b.txt"]
        >>> units = DataUnits.from_keys(keys, sidecars, np.zeros(2, np.int64))
        >>> second = np.ones(1, dtype=np.int32)
        >>> annotations = Annotations(
        ...     unit=second,
        ...     feature=second,
        ...     line=second,
        ...     confidence=second / 2,
        ...     coordinates=np.zeros(4),
        ...     offsets=np.array([0, 4]),
        ...     content=np.zeros(1, np.uint64),
        ... )
        >>> labels = Labels.of_units(units, annotations, np.array([False, True]))
        >>> labels.units.key, labels.annotations.unit.tolist()
        (['b.jpg'], [0])
        """
        if keep.all():
            return cls(units, annotations)
        remaining = annotations.of_units(keep)
        row_of = np.cumsum(keep, dtype=np.int32) - np.int32(1)
        return cls(units.where(keep), replace(remaining, unit=row_of[remaining.unit]))


class LargeLabels(Struct, frozen=True):
    """Labels of one data file that do not fit into memory: each call makes the same ones again."""

    pieces: Callable[[], Iterator[bytes]]
    """Pieces of the label row, without the line's end, or of the label file."""
    parts: Callable[[], Iterator[Labels]]
    """Columns of the one data unit, part by part, for a format that is one file; at least one part."""


class BatchOutput(Struct, frozen=True, eq=False):
    """Labels of a batch's data files as they go to a sink: one text for each, or columns."""

    keys: Sequence[str]
    """(m,) keys of the data files, in order."""
    texts: Sequence[bytes] = ()
    """(m,) the label row, on one line, or the label file of each; empty where there are columns.

    Usually `FileTexts`, which `as_lines` and slices do not take apart."""
    labels: Labels | None = None
    """Columns of the same data files, for a format that is one file."""
    packed: bytes | None = None
    """Texts joined, and compressed if the output is, as it takes them; replaces `texts`."""
    delivered: Any = None
    """What a worker tells of texts that are on their way already; replaces `texts` and `packed`."""
    large: LargeLabels | None = None
    """Labels of the only data file of the batch; replaces all of the above."""
    shard: int = 0
    """Number of the shard that the batch goes to, where the output has shards."""

    def columns_of(self, rows: slice) -> "BatchOutput":
        """Return the columns of data files that follow each other; each has one data unit.

        Raises
        ------
        ValueError
            There are no columns.
        """
        if self.labels is None:
            raise ValueError("the output is made of columns, and the batch has none")
        if rows == slice(0, len(self.keys)):
            return self
        chosen = np.zeros(len(self.keys), dtype=bool)
        chosen[rows] = True
        labels = Labels.of_units(self.labels.units, self.labels.annotations, chosen)
        return BatchOutput(self.keys[rows], labels=labels)

    @classmethod
    def joined(cls, parts: "Sequence[BatchOutput]") -> "BatchOutput":
        """Return the output of several batches, all made for the same target, as that of one.

        Batches are joined before they are delivered.
        """
        labels = [part.labels for part in parts if part.labels is not None]
        packed = [part.packed for part in parts if part.packed is not None]
        return cls(
            [key for part in parts for key in part.keys],
            [text for part in parts for text in part.texts],
            Labels.joined(labels) if labels else None,
            b"".join(packed) if packed else None,
            shard=max((part.shard for part in parts), default=0),
        )

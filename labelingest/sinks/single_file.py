"""Sinks that are one document: a function opens the file and says how it takes labels.

What is the same for all of them is here: used once, and nothing visible before the end.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from labelingest.errors import LabelIngestError, StorageError
from labelingest.fence import isolate_failures
from labelingest.model.batch_output import BatchOutput
from labelingest.model.blobs import Unread
from labelingest.problems import Problem

__all__ = ["FileSink", "Put"]

Put: TypeAlias = Callable[[BatchOutput], Callable[[], None]]
"""A function from a batch to the function that appends the batch to the document.

Nothing is written before, unless the labels come piece by piece: what it raises costs one file.
"""


@dataclass(slots=True)
class FileSink:
    """Writes labels to one file, replacing an older one of that name."""

    out: str
    """Name of the output: a path, or a URL of cloud storage."""
    open: Callable[[str], AbstractContextManager[Put]]
    """Opens the file, whole or not at all, and gives what writes into it."""
    _opened: AbstractContextManager[Put] | None = field(default=None, init=False, repr=False)
    _put: Put | None = field(default=None, init=False, repr=False)

    def __enter__(self) -> "FileSink":
        self._opened = self.open(self.out)
        self._put = self._opened.__enter__()
        return self

    def __exit__(self, *raised: Any) -> None:
        opened, self._opened, self._put = self._opened, None, None
        if opened is not None:
            opened.__exit__(*raised)

    def half(self) -> None:
        """Return no half: workers hand on columns as they are."""

    def refused(self, keys: Sequence[str]) -> dict[int, Problem]:
        """Refuse nothing: a file can hold the labels of any key."""
        return {}

    def put(self, batch: BatchOutput) -> list[tuple[int, Problem]]:
        """Append labels; those over which the format fails unexpectedly are refused."""
        put, refused = self._put, list[tuple[int, Problem]]()
        if put is None:
            raise ValueError("the sink is not open: use it as `with sink:`")
        if batch.large is not None:
            self._put_large(put, batch)
            return []

        def give_up(row: int, why: Unread) -> list[Callable[[], None]]:
            refused.append((row, Problem(why.code, batch.keys[row], why.detail)))
            return []

        writes = isolate_failures(
            lambda rows: [put(batch.columns_of(rows))],
            len(batch.keys),
            give_up,
            lambda parts: [write for part in parts for write in part],
        )
        for write in writes:
            write()
        return refused

    def _put_large(self, put: Put, batch: BatchOutput) -> None:
        try:
            put(batch)()
        except (LabelIngestError, OSError):
            raise
        except Exception as error:
            # Half of its labels are in the document by now: no other file may follow them.
            raise StorageError(
                f"{self.out!r} cannot be written: the labels of {batch.keys[0]!r} broke off; "
                "leave that file out, or give the process more memory"
            ) from error

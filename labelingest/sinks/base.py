"""What a sink must be able to do."""

from collections.abc import Sequence
from types import TracebackType
from typing import Protocol

from labelingest.model.labels import Made
from labelingest.problems import Problem

__all__ = ["Sink"]


class Sink(Protocol):
    """Takes labels in the order of their keys; nothing is visible before the block ends well.

    A sink is used once: `with sink: sink.put(…)`.
    """

    def __enter__(self) -> "Sink":
        """Make ready to take labels; raise StorageError where that cannot be."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Make everything visible, or nothing when the block ended by an exception."""
        ...

    def refused(self, keys: Sequence[str]) -> dict[int, Problem]:
        """Return position and problem of the data files whose labels it cannot hold.

        Asked before they are converted, so that nothing is counted that cannot be kept.
        """
        ...

    def put(self, made: Made) -> list[tuple[int, Problem]]:
        """Take labels of data files; return position and problem of each that it refuses."""
        ...

"""JSON Lines: one label row a line, ordered by key. The fast sink: one file, one stream."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from labelingest.problems import Problem
from labelingest.storage.atomic import whole_file

__all__ = ["JsonlSink"]


@dataclass(slots=True)
class JsonlSink:
    r"""Writes label rows to one file, replacing an older one of that name.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "rows.jsonl"
    >>> with JsonlSink(path) as sink:
    ...     sink.put(["a.jpg", "b.jpg"], [b"{}", b"{}"])
    []
    >>> path.read_text()
    '{}\n{}\n'
    """

    path: Path
    _opened: AbstractContextManager[BinaryIO] | None = field(default=None, repr=False)
    _file: BinaryIO | None = field(default=None, repr=False)

    def __enter__(self) -> "JsonlSink":
        self._opened = whole_file(self.path)
        self._file = self._opened.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        opened, self._opened, self._file = self._opened, None, None
        if opened is not None:
            opened.__exit__(kind, error, trace)

    def refused(self, keys: Sequence[str]) -> dict[int, Problem]:
        """Refuse nothing: a line can hold any label row."""
        return {}

    def put(self, keys: Sequence[str], label_rows: Sequence[bytes]) -> list[tuple[int, Problem]]:
        """Append label rows; a line can hold any of them."""
        if self._file is None:
            raise ValueError("the sink is not open: use it as `with sink:`")
        if label_rows:
            self._file.write(b"\n".join((*label_rows, b"")))
        return []

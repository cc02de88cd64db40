"""Converters that fail over certain files in a way that nobody foresaw: importable everywhere."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labelingest.converter import Converter, converter
from labelingest.model.blobs import Blobs
from labelingest.stopwatch import Stage

__all__ = ["OUT_OF_MEMORY", "POISON", "failing", "failing_everywhere", "traces"]

POISON = b"POISON"
"""A sidecar that holds it raises ValueError, with the content in its message."""
OUT_OF_MEMORY = b"MEMORY"
"""A sidecar that holds it asks for more memory than there can be."""


@dataclass(frozen=True)
class FailingSource:
    """Reads a batch as another does, unless one of its files is not to be read."""

    inner: Any

    def read(self, blobs: Blobs, *rest: Any) -> Any:
        contents = [blobs.get(row) for row in range(len(blobs))]
        if any(POISON in content for content in contents):
            raise ValueError(f"cannot read {contents!r}")
        if any(OUT_OF_MEMORY in content for content in contents):
            np.empty(1 << 62, dtype=np.uint8)
        return self.inner.read(blobs, *rest)

    @property
    def resolve_stage(self) -> Stage:
        stage: Stage = self.inner.resolve_stage
        return stage

    def resolve(self, *values: Any) -> Any:
        return self.inner.resolve(*values)

    def sizes_needed(self, *values: Any) -> Any:
        return self.inner.sizes_needed(*values)

    def assemble(self, *values: Any) -> Any:
        return self.inner.assemble(*values)


def failing(inner: Converter) -> Converter:
    """Return a converter that fails as its files say; it can be pickled."""
    object.__setattr__(inner, "_source", FailingSource(inner._source))
    return inner


def failing_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make all converters of this process such."""
    make_source = Converter._make_source
    monkeypatch.setattr(
        converter.Converter, "_make_source", lambda self: FailingSource(make_source(self))
    )


def traces(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    """Let traces go to a folder."""
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder

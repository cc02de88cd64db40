"""Label rows as the state knows them: their status, their file in the output, its name.

The folder writes one file per label row. The state keeps size, digest and version token of that
file, of the file before it, and of the file that is being written. This module refuses to know how
files are written (`labelingest.folders.output_files`) and what label rows contain.
"""

from enum import StrEnum
from operator import itemgetter
from typing import Final, NamedTuple

from sqlalchemy.engine import RowMapping

from labelingest.storage.base import Version

__all__ = [
    "FILE_COLUMNS",
    "LABEL_ROW_COLUMNS",
    "UNWRITTEN",
    "LabelRowEntry",
    "LabelStatus",
    "RowFile",
    "row_file",
]


class LabelStatus(StrEnum):
    """Status of a label row."""

    PENDING = "pending"
    """The label row is still to be made; a killed run may have written its file already."""
    MADE = "made"
    """The output holds the label row."""
    FAILED = "failed"
    """The sidecar cannot be converted: no file exists, and no run tries again until it changes."""
    REFUSED = "refused"
    """A foreign file blocks the label row's place in the output: every sync tries again."""


class LabelRowEntry(NamedTuple):
    """Entry of one label row, as known to the state: the columns of `label_rows`."""

    key: str
    """Key of the data file."""
    status: str
    """Status of the label row, one of `LabelStatus`."""
    sidecar: str
    """Key of its sidecar."""
    sidecar_token: str | None
    """Version token of the sidecar that was read."""
    sidecar_digest: str | None
    """Digest of the sidecar that was read; None where it is unknown."""
    data_token: str | None
    """Version token of the image whose size the label row needs; None where it needs none."""
    width: int | None
    """Width of that image in pixels."""
    height: int | None
    """Height of that image in pixels."""
    fingerprint: str | None
    """Fingerprint of the settings that the label row was made with; None where it is unfinished."""
    made_at: str | None
    """Time at which the label row was made."""


LABEL_ROW_COLUMNS: Final = LabelRowEntry._fields
"""Columns of `LabelRowEntry` in `label_rows`."""


class RowFile(NamedTuple):
    """File of one label row, as known to the state: the columns of `output_rows`."""

    size: int | None = None
    """Bytes of the file that the folder wrote last; None where it wrote none."""
    digest: str | None = None
    """Digest of that file; None where an earlier version wrote it and noted none."""
    token: str | None = None
    """Version token of that file; None where the storage has none."""
    old_digest: str | None = None
    """Digest of the file that it replaced."""
    old_token: str | None = None
    """Version token of the file that it replaced."""
    next_size: int | None = None
    """Bytes of the file that is being written: after a kill it may exist, or not."""
    next_digest: str | None = None
    """Digest of the file that is being written."""

    @property
    def exists(self) -> bool:
        """Whether the folder wrote a file, or may have."""
        return self != UNWRITTEN

    def with_next(self, size: int, digest: str) -> "RowFile":
        """Return the entry while another file is being written."""
        return self._replace(next_size=size, next_digest=digest)

    def without_next(self) -> "RowFile":
        """Return the entry when no file is being written."""
        return self._replace(next_size=None, next_digest=None)

    def replaced(self, size: int, digest: str, token: str) -> "RowFile":
        """Return the entry after another file has been written."""
        same = digest == self.digest
        old = (self.old_digest, self.old_token) if same else (self.digest, self.token)
        return RowFile(size, digest, token or None, *old)

    def has_digest(self, digest: str) -> bool:
        """Whether a file with this digest is one that the folder wrote last."""
        return digest in {self.digest, self.next_digest}

    def has_token(self, version: Version) -> bool:
        """Whether a file has the version that the folder wrote."""
        return self.token is not None and version.token == self.token


UNWRITTEN: Final = RowFile()
"""Entry of a label row without a file."""
FILE_COLUMNS: Final = RowFile._fields
"""Columns of `RowFile` in `output_rows`; queries select them as "file_size" and so on."""


_FILE: Final = itemgetter(*(f"file_{name}" for name in FILE_COLUMNS))


def row_file(row: RowMapping) -> RowFile:
    """Return the file of a label row from columns that a query selected as "file_…"."""
    return RowFile._make(_FILE(row))

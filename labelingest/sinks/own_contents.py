"""Recognise files that an earlier run wrote by a part of their content, and folders by their marker.

The module refuses to read: callers give it the first bytes of a file, or the last of a Parquet file.
An ending of a name alone says nothing, because people have JSON and CSV files of their own.
"""

import re
from io import BytesIO
from pathlib import PurePath
from typing import Final

from labelingest.encord.keys import SIDECAR_SUFFIX
from labelingest.formats import FORMATS
from labelingest.formats.format import Format, load
from labelingest.sinks.json_lines import ZSTD
from labelingest.sinks.output_guard import BEGINNINGS
from labelingest.sinks.shard_index import is_shard_name

__all__ = [
    "HEAD_BYTES",
    "OUTPUT_EXTENSIONS",
    "PARQUET",
    "SQLITE_ENDINGS",
    "SQLITE_MAGIC",
    "ZSTD",
    "is_name_below_marker",
    "is_own_head",
    "is_own_table",
]

PARQUET: Final = ".parquet"
OUTPUT_EXTENSIONS: Final = (
    *("json", "jsonl", "ndjson", "csv", "plan", "zst", "parquet", "sqlite", "sqlite3", "db"),
)
"""Extensions of files that a run may have written, apart from trees of label files."""
SQLITE_ENDINGS: Final = ("-wal", "-shm", "-journal")
"""Endings that SQLite adds to the name of a database for the files beside it."""
HEAD_BYTES: Final = 262_144
"""First bytes of a file that decide: a frame of zstd, and the tables of a state, begin within these."""

_STARTS: Final = tuple(start for starts in BEGINNINGS.values() for start in starts.values())
SQLITE_MAGIC: Final = b"SQLite format 3\0"
_STATE: Final = (b"alembic_version", b"label_rows", b"integrations")
"""Names of tables that only a state has together."""
_WRITTEN_BY: Final = re.compile(rb"written by.{0,9}labelingest", re.DOTALL)
_BELOW_MARKER: Final = re.compile(
    rf".*{re.escape(SIDECAR_SUFFIX)}|index\.json|data\.yaml|(?:.*/)?labels/.*\.txt", re.DOTALL
)


def is_own_head(key: str, head: bytes) -> bool:
    r"""Return whether a file with these first bytes was written by a run or a synced folder.

    Parameters
    ----------
    key
        Key of the file; compressed files and databases are told by its ending.
    head
        First bytes of the file: a line is enough, and `HEAD_BYTES` for the two that the ending tells.

    Examples
    --------
    >>> is_own_head("rows.jsonl", b'{"label_hash":"e1"}'), is_own_head("a.json", b'{"label": 1}')
    (True, False)
    >>> is_own_head("failed.csv", b"data_file,sidecar,code\n"), is_own_head("problems.jsonl", b"")
    (True, True)
    """
    if head.startswith(SQLITE_MAGIC):
        return all(name in head for name in _STATE)
    # A run without problems leaves an empty list; an empty text of another kind can be data.
    if head.startswith(_STARTS) or (not head and key.endswith(".jsonl")):
        return True
    return bool(head) and any(_is_of_format(other, key, head) for other in FORMATS)


def _is_of_format(format: Format, key: str, head: bytes) -> bool:
    """Return whether a file begins as the output of a format; Parquet tells that at its end."""
    suffix = PurePath(key).suffix
    package = format.package_for(suffix)
    if suffix == PARQUET or not key.endswith(tuple(format.endings)):
        return False
    if package is not None and not package.is_installed:
        return False
    is_own: bool = load(format.sink).is_own_output(BytesIO(head), suffix)
    return is_own


def is_own_table(tail: bytes) -> bool:
    """Return whether a Parquet file with these last bytes was written by a run."""
    return tail.endswith(b"PAR1") and _WRITTEN_BY.search(tail) is not None


def is_name_below_marker(name: str) -> bool:
    """Return whether a run writes files of this name, relative to a folder that it marks.

    Examples
    --------
    >>> is_name_below_marker("train/a.jpg.encord.json"), is_name_below_marker("train/a.jpg")
    (True, False)
    """
    return _BELOW_MARKER.fullmatch(name) is not None or is_shard_name(name)

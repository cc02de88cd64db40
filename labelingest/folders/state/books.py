"""Books of a run: the outcome of every key of its listing, and of every row that it read.

Keys are those of the whole listing, also where nothing changed since an earlier run: that run
paired the files, and its books hold as long as listing and settings have the same digest. Rows are
those of the files that the run itself converted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from labelingest.folders.state.label_rows import LabelStatus
from labelingest.folders.state.problems import Part, of_present_items
from labelingest.folders.state.stored_values import read_stored
from labelingest.folders.state.tables import label_rows, problems, runs
from labelingest.model.failed_files import FailedFiles
from labelingest.model.pairs import Outcome
from labelingest.model.tally import Tally
from labelingest.problems import Severity

__all__ = ["Books", "last_books", "outcomes_of", "read_books"]

_IGNORED: Final = Outcome.IGNORED.name.lower()


@dataclass(frozen=True, slots=True)
class Books:
    """Books of one run.

    Examples
    --------
    >>> books = Books("digest", {"paired": 2, "sidecar": 2, "unlabelled": 1}, {"image": 1})
    >>> books.keys_seen, books.of_run
    (5, 0)
    """

    digest: str
    """Digest of the listing and the settings that the books are about."""
    keys: Mapping[str, int]
    """Outcome → number of keys of the listing."""
    unlabelled: Mapping[str, int] = field(default_factory=dict)
    """Kind → number of data files without label sidecar."""
    not_paired: int = 0
    """Number of files and places with an error of the listing or of pairing."""
    class_lists: Mapping[str, Any] = field(default_factory=dict)
    """Class lists of the label files, as the report of `convert` has them; empty where none is
    compared."""
    left_out: int = 0
    """Number of keys in outputs of other folders, which are left out before pairing; counted as
    ignored."""
    of_run: int = 0
    """Number of the run that paired the files; 0 before a run has taken the books."""
    files_with_errors: int | None = None
    """Number of files with an error at the end of the run: not paired, not converted, or converted in
    part; None before that."""
    not_converted: int = 0
    """Number of those among them that were paired and not converted."""
    rows: Mapping[str, Any] = field(default_factory=dict)
    """Counts of rows of the files that the run converted, as in the report of `convert`; empty where
    it converted none."""

    @property
    def keys_seen(self) -> int:
        """Number of keys of the listing."""
        return sum(self.keys.values())

    @property
    def failed(self) -> FailedFiles | None:
        """Files with errors; None before the run has ended."""
        if self.files_with_errors is None:
            return None
        return FailedFiles(self.files_with_errors, self.not_paired, self.not_converted)

    def taken_by(self, run: int, left_out: int) -> Self:
        """Return the books for a run that made them or takes them over, with the keys it left out."""
        ignored = self.keys[_IGNORED] + left_out - self.left_out
        keys = {**self.keys, _IGNORED: ignored}
        return replace(self, keys=keys, left_out=left_out, of_run=self.of_run or run, rows={})

    def closed(self, connection: Connection, folder_id: int, tally: Tally | None) -> Self:
        """Return the books at the end of a run.

        Parameters
        ----------
        connection, folder_id
            Connection in a transaction, and number of the folder in the state.
        tally
            Counts of the rows that the run read; None where it converted nothing.
        """
        total, not_converted = _count_failed(connection, folder_id, self.not_paired)
        return replace(
            self,
            files_with_errors=total,
            not_converted=not_converted,
            rows={} if tally is None else tally.as_dict(),
        )

    def to_json(self) -> str:
        """Return the books as JSON for the state."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return orjson.dumps(values).decode()

    def to_wire(self) -> dict[str, Any]:
        """Return the books by their names in JSON; outcomes and rows as the report of `convert` has them."""
        return {
            "ofRun": self.of_run,
            "keys": {"seen": self.keys_seen, **self.keys},
            "unlabelled": dict(self.unlabelled),
            "classLists": dict(self.class_lists),
            "filesWithErrors": None if self.failed is None else self.failed.as_dict(),
            "rows": dict(self.rows),
        }


def outcomes_of(keys: Mapping[str, int]) -> dict[Outcome, int]:
    """Return outcome → number of keys, in the order of outcomes.

    Examples
    --------
    >>> outcomes_of({"sidecar": 1, "paired": 1})[Outcome.PAIRED]
    1
    """
    return {outcome: keys.get(outcome.name.lower(), 0) for outcome in Outcome}


def read_books(text: str | None, what: str) -> Books | None:
    """Return the books that a state keeps; None where it keeps none.

    Raises
    ------
    StorageError
        The text does not fit: the state is damaged.
    """
    return None if text is None else read_stored(Books, text, what)


def last_books(connection: Connection, folder_id: int, digest: str = "") -> Books | None:
    """Return the newest books of a folder; None where no run has any.

    Parameters
    ----------
    connection, folder_id
        Connection in a transaction, and number of the folder in the state.
    digest
        Digest of listing and settings that the books must be about; "" for any. Newer runs may have
        seen another listing, and failed.
    """
    query = (
        sa.select(runs.c.id, runs.c.books)
        .where(runs.c.folder_id == folder_id, runs.c.books.is_not(None))
        .order_by(runs.c.id.desc())
        .limit(1)
    )
    if digest:
        # Their first value, as `Books.to_json` writes it.
        query = query.where(runs.c.books.like(f'{{"digest":"{digest}"%'))
    row = connection.execute(query).first()
    return None if row is None else read_books(row.books, f"the books of run {row.id}")


def _count_failed(connection: Connection, folder_id: int, not_paired: int) -> tuple[int, int]:
    """Return how many files of a folder have an error now, and how many of them were not converted.

    Parameters
    ----------
    not_paired
        Number of errors of listing and pairing, each of another file: the state keeps the first.
    """
    of_folder = (problems.c.folder_id == folder_id) & (problems.c.severity == Severity.ERROR.value)
    of_listing = sa.select(problems.c.source).where(of_folder, problems.c.key == "")
    of_files = sa.select(problems.c.key).where(of_folder, problems.c.key != "", of_present_items())
    has_no_row = sa.exists().where(
        label_rows.c.folder_id == folder_id,
        label_rows.c.key == problems.c.key,
        label_rows.c.status != LabelStatus.MADE.value,
    )
    without_row = of_files.where(problems.c.part == Part.LABEL.value, has_no_row).distinct()
    of_listing_stored, different, not_converted = (
        connection.scalar(sa.select(sa.func.count()).select_from(query.subquery())) or 0
        for query in (of_listing, sa.union(of_listing, of_files), without_row)
    )
    return different + not_paired - of_listing_stored, not_converted

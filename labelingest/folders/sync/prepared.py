"""The changes that a comparison prepared, as one value: a plan, and the rows behind its counts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy.engine import Connection

from labelingest.folders.state.books import Books
from labelingest.folders.sync.changes import iterate_changes
from labelingest.folders.sync.class_lists import FolderLists
from labelingest.folders.sync.companions import LookedAt
from labelingest.folders.sync.compare_contents import ContentComparison
from labelingest.folders.sync.plan import Plan
from labelingest.folders.sync.row_layout import FirstLayout
from labelingest.problems import Problem

__all__ = ["PreparedChanges"]


@dataclass(frozen=True, slots=True)
class PreparedChanges:
    """Changes of one folder, ready to be saved or applied.

    The rows are in temporary tables of the connection: `changes` has one row for each data file with
    a change, `scanned_files` those data files with their sidecars, and `output_listing` the listing
    of the output where the run verifies it. The tables live as long as the connection.
    """

    connection: Connection
    """Connection that owns the temporary tables."""
    folder_id: int
    """Folder that the changes are about."""
    plan: Plan
    """Counts of the changes, and what the plan was made for."""
    books: Books
    """Outcome of every key of the listing."""
    has_books: bool = False
    """Whether a run has kept books of this listing with these settings, and its problems with them."""
    lists: FolderLists = field(default_factory=FolderLists)
    """Class lists beside the ontology; empty where the folder is in step and nothing was compared."""
    first_layout: FirstLayout = field(default_factory=FirstLayout)
    """Row layout that the comparison decided; empty where the folder has one."""
    looked_at: LookedAt = field(default_factory=LookedAt)
    """Files that were looked at, because a run may have written them."""
    problems: Sequence[Problem] = ()
    """Problems of listing and pairing; empty where the folder is in step and nothing was paired."""
    contents: ContentComparison | None = None
    """Comparison of contents, with the counts of its reads; None where contents were not compared."""
    is_mass_delete: bool = False
    """Whether the changes have deletions that only the permission of a mass deletion allows."""

    def rows(self) -> Iterator[dict[str, str]]:
        """Yield key and reasons of each change, ordered by key."""
        return iterate_changes(self.connection) if self.plan.changes else iter(())

"""Compare a listing with the state: what is to be done becomes prepared changes.

1. The digest of the listing equals that of the last complete sync: nothing is to be done.
2. Pair the files (`scan.py`), refuse patterns that pair nothing (`unpaired.py`).
3. Compare class lists with the ontology (`class_lists.py`); the caller refuses those that disagree.
   Companion files that contents tell are set apart (`companions.py`).
4. Decide the row layout of a folder that has none yet (`row_layout.py`).
5. Let the database find the differences (`changes.py`).
6. Add differences that sizes and times do not tell (`compare_contents.py`) and label rows that are
   missing from the output or changed there (`missing_outputs.py`), where the options ask for them.
7. Withhold deletions that look like an accident (`guard.py`).

The comparison writes nothing but the temporary tables of its connection.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.engine import Connection

from labelingest.folders.converter import make_folder_converter
from labelingest.folders.locations import Places
from labelingest.folders.state.books import last_books
from labelingest.folders.state.clock import now
from labelingest.folders.state.database_files import database_files
from labelingest.folders.state.folders import FolderRecord
from labelingest.folders.state.tables import items, label_rows
from labelingest.folders.sync.changes import count_changes, count_first_changes, find_changes
from labelingest.folders.sync.class_lists import compare_folder_lists
from labelingest.folders.sync.companions import set_lists_apart, set_outputs_apart
from labelingest.folders.sync.compare_contents import ContentComparison
from labelingest.folders.sync.fingerprints import (
    Fingerprints,
    label_fingerprint,
    listing_digest,
)
from labelingest.folders.sync.guard import withhold_deletions
from labelingest.folders.sync.missing_outputs import add_differences
from labelingest.folders.sync.options import SyncOptions
from labelingest.folders.sync.plan import Plan
from labelingest.folders.sync.prepared import PreparedChanges
from labelingest.folders.sync.row_layout import FirstLayout, decide_folder_layout
from labelingest.folders.sync.scan import Scan, scan
from labelingest.folders.sync.second_listing import needs_second_listing
from labelingest.folders.sync.skip_unchanged import has_entries, is_new
from labelingest.folders.sync.unpaired import FolderBefore, refuse_unpaired
from labelingest.model.blobs import Unread
from labelingest.model.listing import Listing
from labelingest.pairing.limits import refuse_too_many
from labelingest.pipeline.worker import Worker

__all__ = ["Comparison"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Comparison of one folder's listing with the state."""

    record: FolderRecord
    places: Places
    fingerprints: Fingerprints
    options: SyncOptions
    list_again: Callable[[], Listing]
    """Lists the storage path a second time."""

    def prepare(
        self, connection: Connection, listing: Listing, *, needs_rows: bool = True
    ) -> PreparedChanges:
        """Find what is to be done.

        Parameters
        ----------
        connection
            Connection in a transaction; its temporary tables get the changes.
        listing
            Listing of the storage path.
        needs_rows
            Whether the changes are needed as rows; where not, those of a new folder are counted only.
        """
        record, plan = self.record, self._plan(listing)
        is_same = plan.digest == record.digest
        books = last_books(connection, record.id, plan.digest) if is_same else None
        if books is not None and not self._looks_further:
            same_plan = replace(plan, books=books.keys)
            return PreparedChanges(connection, record.id, same_plan, books, has_books=True)
        inputs = database_files(connection.engine).values()
        scanned = scan(listing, record.settings, inputs=[*inputs])
        if not plan.allow_mass_delete:
            self._refuse_unpaired(connection, scanned)
        prepared, scanned = self._look_beside(connection, plan, scanned)
        first = decide_folder_layout(record.settings, self.places.storage, scanned, prepared.lists)
        prepared = replace(prepared, first_layout=first, has_books=books is not None)
        if first.layout is None:
            return self._prepare_files(prepared, scanned, needs_rows=needs_rows)
        decided = self._with_layout(first)
        digest = listing_digest(listing, decided.record.settings, decided.fingerprints.labels)
        plan = replace(prepared.plan, digest=digest)
        prepared = replace(prepared, plan=plan, books=replace(prepared.books, digest=digest))
        return decided._prepare_files(prepared, scanned, needs_rows=needs_rows)

    def _look_beside(
        self, connection: Connection, plan: Plan, scanned: Scan
    ) -> tuple[PreparedChanges, Scan]:
        """Compare class lists, and set companion files apart that contents tell."""
        record, storage = self.record, self.places.storage
        lists = compare_folder_lists(connection, record.id, record.settings, storage, scanned)
        scanned = set_lists_apart(scanned, record.settings, lists)
        scanned, looked_at = set_outputs_apart(
            connection, record.id, scanned, record.settings, storage
        )
        refuse_too_many(scanned.outcome, record.settings.storage_path, self.options.most_data_files)
        prepared = self._prepared(connection, plan, scanned)
        books = replace(prepared.books, class_lists=lists.class_lists.as_dict())
        problems = (*scanned.problems, *lists.class_lists.problems)
        prepared = replace(
            prepared, books=books, lists=lists, looked_at=looked_at, problems=problems
        )
        return prepared, scanned

    def _with_layout(self, first: FirstLayout) -> "Comparison":
        """Return the comparison for settings with the layout that was decided."""
        settings = first.settings(self.record.settings)
        urls = (self.places.storage.url, self.places.output.url)
        fingerprints = replace(self.fingerprints, labels=label_fingerprint(settings, *urls))
        record = replace(self.record, settings=settings)
        return replace(self, record=record, fingerprints=fingerprints)

    def _prepare_files(
        self, prepared: PreparedChanges, scanned: Scan, *, needs_rows: bool
    ) -> PreparedChanges:
        """Compare the files of a listing with the state, once all settings are known."""
        connection, record = prepared.connection, self.record
        if not needs_rows and is_new(connection, record.id):
            counts = count_first_changes(scanned, record.settings)
            return replace(prepared, plan=replace(prepared.plan, changes=counts))
        return self._compare(prepared, scanned)

    def _prepared(self, connection: Connection, plan: Plan, scanned: Scan) -> PreparedChanges:
        """Return no changes yet, with the books of a scan."""
        books = scanned.books(plan.digest)
        return PreparedChanges(connection, self.record.id, replace(plan, books=books.keys), books)

    def _refuse_unpaired(self, connection: Connection, scanned: Scan) -> None:
        before = FolderBefore(
            self.record.name,
            has_items=has_entries(connection, items, self.record.id),
            has_rows=has_entries(connection, label_rows, self.record.id),
            rule_changes=False,
        )
        refuse_unpaired(scanned, self.record.settings, self.places.storage, before)

    def _compare(self, prepared: PreparedChanges, scanned: Scan) -> PreparedChanges:
        """Fill the temporary tables, and count their changes."""
        connection, plan, record = prepared.connection, prepared.plan, self.record
        storage, output, settings = self.places.storage, self.places.output, record.settings
        contents = None
        find_changes(
            connection,
            record.id,
            scanned,
            settings,
            self.fingerprints,
            load_all=plan.verify_output or self._compares_contents,
        )
        if self._compares_contents:
            contents = ContentComparison(
                connection, record.id, storage, settings, self._image_sizes
            )
            contents.add_differences()
        if plan.verify_output:
            add_differences(connection, record.id, output)
        withheld = withhold_deletions(
            connection,
            record.id,
            scanned,
            settings,
            allow_mass_delete=plan.allow_mass_delete,
            list_again=self.list_again if needs_second_listing(storage) else None,
        )
        plan = replace(
            plan,
            changes=count_changes(connection),
            withheld=dict(withheld.counts),
            why_withheld=withheld.why,
        )
        return replace(prepared, plan=plan, contents=contents, is_mass_delete=withheld.is_meant)

    def _plan(self, listing: Listing) -> Plan:
        """Return the plan for a listing, still without changes."""
        record, options = self.record, self.options
        return Plan(
            folder=record.name,
            made_at=now(),
            keys=len(listing),
            digest=listing_digest(listing, record.settings, self.fingerprints.labels),
            generation=record.generation,
            allow_mass_delete=options.allow_mass_delete or record.settings.allow_mass_delete,
            verify_output=options.verify_output,
            checksum=options.checksum,
        )

    @property
    def _looks_further(self) -> bool:
        """Whether more is compared than the listing tells."""
        return self.options.verify_output or self._compares_contents

    @property
    def _compares_contents(self) -> bool:
        return self.options.checksum or self.record.settings.checksum

    def _image_sizes(self, keys: Sequence[str]) -> Sequence[tuple[int, int] | Unread | None]:
        storage = self.places.storage
        converter = make_folder_converter(self.record.settings, storage.url)
        return Worker(storage, converter).image_sizes(keys).each()

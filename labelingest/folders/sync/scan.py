"""Scan a listing: find data files, and the sidecars that belong to them.

The scan lives in memory: it yields rows for the database while the database takes them. Places that
could not be listed make the listing incomplete, and nothing that may be there is deleted.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Final

import numpy as np

from labelingest.columns.types import Int64, UInt8
from labelingest.folders.settings import FolderSettings
from labelingest.folders.state.books import Books
from labelingest.model.listing import Listing
from labelingest.model.pairs import Outcome, Pairs
from labelingest.pairing.file_kinds import KINDS, kind_numbers
from labelingest.pairing.limits import long_names
from labelingest.pairing.pair import pair, pair_nothing, with_companions
from labelingest.pairing.rules import SuffixRule
from labelingest.pipeline.companions import given_rows, marked_rows
from labelingest.problems import Problem, Severity
from labelingest.storage.urls import is_cloud

__all__ = ["Scan", "is_complete", "scan", "scan_with_companions"]

_NONE: Final = -1
_AT_ONCE: Final = 16_384
"""Rows whose texts are in memory together."""
_DATA: Final = (Outcome.PAIRED, Outcome.UNLABELLED, Outcome.AMBIGUOUS)


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """Data files of a listing; they and their sidecars are rows of the listing."""

    listing: Listing
    """Listing of the storage path."""
    pairs: Pairs
    """Its pairs, and the outcome of each key."""
    data: Int64
    """(n,) rows of the data files; ascending."""
    sidecar: Int64
    """(n,) rows of their label sidecars; -1 for none."""
    metadata: Int64
    """(n,) rows of their metadata sidecars; -1 for none."""
    kind: UInt8
    """(n,) kinds of the data files: positions in `labelingest.folders.state.items.KIND_NAMES`."""

    @property
    def outcome(self) -> UInt8:
        """Return (k,) `labelingest.model.pairs.Outcome` of each key of the listing."""
        return self.pairs.outcome

    @property
    def problems(self) -> Sequence[Problem]:
        """Return the problems of the listing, of names and of pairing."""
        names = long_names(self.listing.keys, self.outcome)
        return (*self.listing.problems, *names, *self.pairs.problems)

    @property
    def failed(self) -> int:
        """Return the number of files and places with an error of the listing or of pairing."""
        places = sum(problem.severity is Severity.ERROR for problem in self.listing.problems)
        return self.pairs.failed + places

    def labelled(self) -> tuple[Int64, Int64]:
        """Return (m,) rows of the label sidecars, and of their data files."""
        has_sidecar = self.sidecar != _NONE
        if has_sidecar.all():
            return self.sidecar, self.data
        return self.sidecar[has_sidecar], self.data[has_sidecar]

    @property
    def sidecars(self) -> int:
        """Number of data files with a label sidecar."""
        return int(np.count_nonzero(self.sidecar != _NONE))

    @property
    def metadata_sidecars(self) -> int:
        """Number of data files with a metadata sidecar."""
        return int(np.count_nonzero(self.metadata != _NONE))

    def books(self, digest: str) -> Books:
        """Return the books of the listing, whose digest with the settings is given."""
        counts = np.bincount(self.outcome, minlength=len(Outcome)).tolist()
        unlabelled = self.kind[self.outcome[self.data] == Outcome.UNLABELLED]
        kinds = np.bincount(unlabelled, minlength=len(KINDS)).tolist()
        return Books(
            digest=digest,
            not_paired=self.failed,
            keys={outcome.name.lower(): counts[outcome] for outcome in Outcome},
            unlabelled={kind.value: n for kind, n in sorted(zip(KINDS, kinds, strict=True)) if n},
        )

    def rows(self, places: Int64) -> Iterator[tuple[Any, ...]]:
        """Yield rows of the table `scanned_files`.

        Parameters
        ----------
        places
            (m,) positions in `data`.
        """
        listing, keys, tokens = self.listing, self.listing.keys.take, self.listing.take_tokens
        for start in range(0, len(places), _AT_ONCE):
            part = places[start : start + _AT_ONCE]
            data, sidecar, metadata = self.data[part], self.sidecar[part], self.metadata[part]
            yield from zip(
                keys(data),
                self.kind[part].tolist(),
                listing.size[data].tolist(),
                listing.mtime_ns[data].tolist(),
                tokens(data),
                _texts(keys, sidecar),
                _numbers(listing.size, sidecar),
                _numbers(listing.mtime_ns, sidecar),
                _texts(tokens, sidecar),
                _texts(keys, metadata),
                _numbers(listing.size, metadata),
                _texts(tokens, metadata),
                strict=False,  # columns without any value are endless
            )

    def versions(self, places: Int64, *, metadata: bool) -> list[tuple[str | None, ...]]:
        """Return the versions of data files and their sidecars, for comparison with the state.

        A version holds key and token of the data file, key and token of its label sidecar and, with
        `metadata`, the token of its metadata sidecar.
        """
        keys, tokens = self.listing.keys.take, self.listing.take_tokens
        data, sidecar = self.data[places], self.sidecar[places]
        columns = [keys(data), tokens(data), _texts(keys, sidecar), _texts(tokens, sidecar)]
        if metadata:
            columns.append(_texts(tokens, self.metadata[places]))
        return list(zip(*columns, strict=False))


def _texts(take: Callable[[Int64], list[str]], rows: Int64) -> Any:
    """Return the texts of rows; None where a row is -1."""
    present = np.flatnonzero(rows != _NONE)
    if not len(present):
        return repeat(None)
    if len(present) == len(rows):
        return take(rows)
    texts: list[str | None] = [None] * len(rows)
    for place, text in zip(present.tolist(), take(rows[present]), strict=True):
        texts[place] = text
    return texts


def _numbers(column: Int64, rows: Int64) -> Any:
    """Return the numbers of rows; a number of row -1 means nothing."""
    return repeat(None) if (rows == _NONE).all() else column[rows].tolist()


def is_complete(listing: Listing) -> bool:
    """Whether no error may hide files; links that are not followed on purpose are no errors.

    Examples
    --------
    >>> from labelingest.problems import ProblemCode
    >>> is_complete(Listing.from_entries([]))
    True
    >>> is_complete(Listing.from_entries([], [Problem(ProblemCode.UNREADABLE_FOLDER, "a", "denied")]))
    False
    """
    return not any(problem.severity is Severity.ERROR for problem in listing.hiding)


def scan(listing: Listing, settings: FolderSettings, *, inputs: Sequence[str] = ()) -> Scan:
    """Pair the files of a listing by the rules of a folder's settings.

    Parameters
    ----------
    listing, settings
        Listing and settings of the folder.
    inputs
        Paths of files that a sync reads and writes beside, as its state: they are companion files,
        and so are the files that the settings come from.
    """
    rule, metadata = settings.rule, settings.metadata_rule
    pairs = pair_nothing(listing, metadata) if rule is None else pair(listing, rule, metadata)
    companions = marked_rows(listing.keys, pairs.outcome)
    if not is_cloud(settings.storage_path):
        paths = (*settings.files.values(), *inputs)
        companions = np.union1d(companions, given_rows(settings.storage_path, listing.keys, paths))
    return _scan_of(listing, settings, with_companions(listing, pairs, companions, rule, metadata))


def scan_with_companions(scanned: Scan, settings: FolderSettings, rows: Int64) -> Scan:
    """Return a scan with more companion files, which are told by their contents.

    Parameters
    ----------
    scanned, settings
        A scan, and the settings of its folder.
    rows
        Rows of the listing that are companion files unless they pair, ascending.
    """
    pairs = with_companions(
        scanned.listing, scanned.pairs, rows, settings.rule, settings.metadata_rule
    )
    if pairs is scanned.pairs:
        return scanned
    return _scan_of(scanned.listing, settings, pairs)


def _scan_of(listing: Listing, settings: FolderSettings, pairs: Pairs) -> Scan:
    data, sidecar = _data_of(pairs)
    return Scan(
        listing=listing,
        pairs=pairs,
        data=data,
        sidecar=sidecar,
        metadata=_metadata_of(listing, settings.metadata_rule, data, pairs.outcome),
        kind=kind_numbers(listing.keys, data),
    )


def _data_of(pairs: Pairs) -> tuple[Int64, Int64]:
    """Return (n,) rows of the data files, ascending, and of their label sidecars; -1 for none."""
    data = np.flatnonzero(np.isin(pairs.outcome, _DATA))
    if np.array_equal(data, pairs.data):
        return pairs.data, pairs.sidecar
    sidecar = np.full(len(data), _NONE, dtype=np.int64)
    sidecar[np.searchsorted(data, pairs.data)] = pairs.sidecar
    return data, sidecar


def _metadata_of(
    listing: Listing, metadata: SuffixRule | None, data: Int64, outcome: UInt8
) -> Int64:
    """Return (n,) rows of the metadata sidecars of data files; -1 for none."""
    if metadata is None or not (outcome == Outcome.METADATA_SIDECAR).any():
        return np.broadcast_to(np.int64(_NONE), len(data))  # takes no memory
    sidecar = np.full(len(data), _NONE, dtype=np.int64)
    pairs = pair(listing, metadata)
    is_data = np.isin(outcome[pairs.data], _DATA)
    is_data &= outcome[pairs.sidecar] == Outcome.METADATA_SIDECAR
    sidecar[np.searchsorted(data, pairs.data[is_data])] = pairs.sidecar[is_data]
    return sidecar

"""Check all metadata sidecars of a storage path in batches; no other file is read.

1. List. A key that ends with the suffix is a metadata sidecar, junk of systems aside.
2. A sidecar without its data file is an orphan: it is reported, not read. A metadata sidecar is not
   the data file of another.
3. The other sidecars are fetched in batches, in order of keys, and checked one by one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import Any, Final

from labelingest.columns.types import Int64
from labelingest.fence import result_or_reason
from labelingest.metadata.check import (
    MAX_METADATA,
    MetadataResult,
    check_metadata,
    too_large_metadata,
)
from labelingest.metadata.schema import MetadataSchema
from labelingest.model.blobs import Unread
from labelingest.model.listing import Listing
from labelingest.pairing.pair import pair_metadata
from labelingest.pairing.rules import SuffixRule
from labelingest.problems import Problem, ProblemCode
from labelingest.problems.log import LoggedReport, ProblemLog
from labelingest.storage.base import Storage, list_all

__all__ = ["MetadataReport", "check_folder"]

_BATCH_FILES: Final = 1_000
_BATCH_BYTES: Final = 16_000_000


@dataclass(slots=True)
class MetadataReport(LoggedReport):
    """Report of a check of metadata sidecars.

    Every key of the listing is a sidecar with its data file, an orphan or another file. Every
    sidecar is accepted or refused as a whole; every value of an accepted one is kept or dropped.
    """

    storage_url: str
    suffix: str
    keys_seen: int = 0
    """Number of keys in the listing."""
    orphans: int = 0
    """Number of metadata sidecars whose data file is missing."""
    others: int = 0
    """Number of files that are no metadata sidecars."""
    accepted: int = 0
    """Number of sidecars that are objects of JSON."""
    refused: int = 0
    """Number of sidecars of which nothing is kept."""
    values_seen: int = 0
    """Number of values in the accepted sidecars."""
    values_kept: int = 0
    log: ProblemLog = field(default_factory=ProblemLog)
    seconds: float = 0.0

    @property
    def sidecars(self) -> int:
        """Number of sidecars with their data file."""
        return self.keys_seen - self.orphans - self.others

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "storage_url": self.storage_url,
            "suffix": self.suffix,
            "keys": {
                "seen": self.keys_seen,
                "metadata_sidecar": self.sidecars,
                "orphan_sidecar": self.orphans,
                "other": self.others,
            },
            "sidecars": {"taken": self.accepted, "refused": self.refused},
            "values": {
                "seen": self.values_seen,
                "kept": self.values_kept,
                "dropped": self.values_seen - self.values_kept,
            },
            "problems": self.log.as_dict(),
            "seconds": self.seconds,
        }


def check_folder(
    storage: Storage,
    rule: SuffixRule,
    schema: MetadataSchema | None = None,
    *,
    log: ProblemLog | None = None,
    on_listed: Callable[[int], None] | None = None,
    on_checked: Callable[[int, int], None] | None = None,
) -> MetadataReport:
    """Check the metadata sidecars of a storage path.

    Parameters
    ----------
    storage, rule
        The storage path, and the rule by which metadata sidecars are named.
    schema
        Schema that values are checked against; None accepts all values.
    log
        Log that receives the problems; None makes a new one.
    on_listed
        Called with the number of files listed so far.
    on_checked
        Called with the number of sidecars checked so far, and the number of all.

    Raises
    ------
    StorageError
        The storage path cannot be listed.

    Examples
    --------
    >>> from labelingest.storage.memory import MemoryStorage
    >>> storage = MemoryStorage({"a.dcm": b"", "a.dcm.metadata.json": b'{"site": 1}', "b.txt": b""})
    >>> schema = MetadataSchema().add("site", "varchar")
    >>> report = check_folder(storage, SuffixRule(".metadata.json"), schema)
    >>> report.keys_seen, report.sidecars, report.accepted, report.values_seen, report.values_kept
    (3, 1, 1, 1, 0)
    >>> print(report.log.first[0])
    a.dcm.metadata.json#/site: wrong-type: found a number (1), expected text
    """
    started = perf_counter()
    report = MetadataReport(storage.url, rule.suffix, log=ProblemLog() if log is None else log)
    listing = list_all(storage, on_listed=on_listed)
    report.log.add(listing.problems, {})
    sidecars, orphans = pair_metadata(listing.keys, rule)
    report.keys_seen = len(listing)
    report.orphans = len(orphans)
    report.others = len(listing) - len(sidecars) - len(orphans)
    for rows in _batches(orphans, listing.size):
        report.log.add(_orphan_problems(listing.keys.take(rows), rule.suffix), {})
    checked_count = 0
    for rows in _batches(sidecars, listing.size):
        _check_batch(storage, listing, rows, schema, report)
        checked_count += len(rows)
        if on_checked is not None:
            on_checked(checked_count, len(sidecars))
    report.seconds = perf_counter() - started
    return report


def _orphan_problems(orphans: Sequence[str], suffix: str) -> list[Problem]:
    return [
        Problem(
            ProblemCode.ORPHAN_SIDECAR,
            key,
            f"there is no data file for it: {key.removesuffix(suffix)!r} does not exist",
        )
        for key in orphans
    ]


def _batches(rows: Int64, size: Int64) -> Iterator[Int64]:
    """Yield rows in batches of bounded files and bytes; files that are not read count no bytes."""
    start, weight = 0, 0
    for position, size_bytes in enumerate(size[rows].tolist()):
        more = 0 if size_bytes > MAX_METADATA else size_bytes
        if position > start and (position - start >= _BATCH_FILES or weight + more > _BATCH_BYTES):
            yield rows[start:position]
            start, weight = position, 0
        weight += more
    if start < len(rows):
        yield rows[start:]


def _check_batch(
    storage: Storage,
    listing: Listing,
    rows: Int64,
    schema: MetadataSchema | None,
    report: MetadataReport,
) -> None:
    """Fetch the sidecars of one batch, and check each."""
    sizes = listing.size[rows]
    small = rows[sizes <= MAX_METADATA]
    blobs = storage.fetch(listing.keys.take(small), sizes=listing.size[small], tokens=False)
    problems: list[Problem] = []
    data_files: dict[str, str] = {}
    fetched = 0
    for key, size in zip(listing.keys.take(rows), sizes.tolist(), strict=True):
        data_files[key] = key.removesuffix(report.suffix)
        if size > MAX_METADATA:
            problems.append(Problem(ProblemCode.FILE_TOO_LARGE, key, too_large_metadata(size)))
            report.refused += 1
            continue
        result: MetadataResult | Unread | None = blobs.unread.get(fetched)
        if result is None:
            result = result_or_reason(partial(check_metadata, blobs.get(fetched), key, schema))
        fetched += 1
        if isinstance(result, Unread):
            problems.append(Problem(result.code, key, result.detail))
            report.refused += 1
            continue
        problems += result.problems
        report.accepted += result.value is not None
        report.refused += result.value is None
        report.values_seen += result.keys_seen
        report.values_kept += len(result.value or ())
    report.log.add(problems, data_files)

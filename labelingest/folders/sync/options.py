"""Options of one sync."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from labelingest.folders.sync.plan import Plan
from labelingest.pairing.limits import MAX_DATA_FILES
from labelingest.progress import Progress

__all__ = ["SCHEDULE", "SyncOptions"]

SCHEDULE: Final = "schedule"
"""Trigger of a scheduled run: such a run moves the schedule."""


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """Options of one sync, or of the plan of one."""

    trigger: str = "manual"
    """Cause of the run: "manual", "schedule" or "plan"."""
    allow_mass_delete: bool = False
    """Whether the run makes deletions that look like an accident."""
    verify_output: bool = False
    """Whether the run also lists the output and rebuilds label rows that are missing or changed."""
    checksum: bool = False
    """Whether the run compares contents too; the folder's settings may ask for that as well."""
    most_data_files: int = MAX_DATA_FILES
    """Data files that the folder may have."""
    plan: Plan | None = None
    """Plan that the run carries out; None for all changes."""
    progress: Callable[[Progress], None] | None = None
    """Called with the progress of listing and of applying."""
    cancelled: Callable[[], bool] = field(default=lambda: False)
    """Called after each page of the listing and each batch; True ends the run."""

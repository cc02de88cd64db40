"""Options of one sync."""

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Final

from labelingest.errors import ConfigError
from labelingest.folders.sync.plan import Plan
from labelingest.options.execution import MOST_WORKERS
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
    workers: int | None = None
    """Worker processes, or workers of the executor; None for one per core, and one process for few
    changes."""
    engine: str | None = None
    """URL of a cluster that converts; None for this machine or the executor."""
    executor: Executor | None = None
    """Executor of the caller that converts, anything with the interface of `concurrent.futures`."""
    plan: Plan | None = None
    """Plan that the run carries out; None for all changes."""
    progress: Callable[[Progress], None] | None = None
    """Called with the progress of listing and of applying."""
    cancelled: Callable[[], bool] = field(default=lambda: False)
    """Called after each page of the listing and each batch; True ends the run."""

    def __post_init__(self) -> None:
        if self.engine is not None:
            from labelingest.pipeline.choose_engine import check_engines

            check_engines(self, self.executor)
        if self.engine is not None and self.workers is not None:
            raise ConfigError(
                "workers: are processes of this machine, and the cluster of engine has its own; leave "
                "out one of the two"
            )
        if self.workers is not None and not 1 <= self.workers <= MOST_WORKERS:
            raise ConfigError(f"workers: {self.workers} is no number from 1 to {MOST_WORKERS:,}")

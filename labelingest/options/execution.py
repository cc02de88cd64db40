"""Options of the execution: processes, cluster, batches and resuming."""

from collections.abc import Sequence
from typing import Final

from labelingest.options.option import (
    RUNS,
    SYNCS,
    Command,
    Kind,
    Option,
    Panel,
)

__all__ = ["EXECUTION_OPTIONS", "MOST_BATCH_BYTES", "MOST_WORKERS"]

MOST_BATCH_BYTES: Final = 2**40
"""Bytes of label files in one batch, at most: more than any machine holds in memory."""
MOST_WORKERS: Final = 4096
"""Worker processes of one machine, at most."""
EXECUTION_OPTIONS: Final[Sequence[Option]] = (
    Option(
        name="workers",
        kind=Kind.WHOLE,
        lowest=1,
        highest=MOST_WORKERS,
        help="Worker processes",
        default_text="one per core; one process for few files",
        panel=Panel.EXECUTION,
        decides_result=False,
        commands=(Command.CONVERT, Command.CHECK, *SYNCS),
    ),
    Option(
        name="engine",
        metavar="URL",
        help="Cluster to convert on instead: dask://HOST:PORT or ray://HOST:PORT",
        panel=Panel.EXECUTION,
        decides_result=False,
        commands=(Command.CONVERT, Command.CHECK, *SYNCS),
    ),
    Option(
        name="batch_bytes",
        kind=Kind.WHOLE,
        lowest=1,
        highest=MOST_BATCH_BYTES,
        default=400_000,
        help="Bytes of label files converted together",
        note="Label rows do not depend on it; compressed files and the resuming of a run do.",
        panel=Panel.EXECUTION,
        commands=RUNS,
    ),
    Option(
        name="restart",
        kind=Kind.FLAG,
        default=False,
        help="Start over instead of resuming an interrupted run",
        panel=Panel.EXECUTION,
        decides_result=False,
        commands=(Command.CONVERT,),
    ),
)

"""A folder from end to end: list → pair → convert in batches → sink → report.

The only place that knows the order of the stages around a batch; the order inside a batch is
`labelingest.converter`'s::

    run.py        convert and check: what users call
    discover.py     listing and pairing, by the rule given or by what the files make plain
    worker.py       the unit of work, and the worker that does it
    choose_engine.py     which engine does the jobs
    loop.py       the loop: results in order, to the sink and to the report
    resume.py       what stays of an interrupted run, and when the next goes on with it
    progress.py   how far a run is
    profile.py    where the time of a run goes

The names below are loaded when first used: a worker process needs `worker` alone.
"""

from typing import TYPE_CHECKING

from labelingest._lazy import lazy_names

if TYPE_CHECKING:
    from labelingest.pipeline.discover import Paired, pair_folder
    from labelingest.pipeline.pairing_rule import as_flags
    from labelingest.pipeline.run import check, convert
    from labelingest.pipeline.worker import Job, JobResult, Worker

__all__ = [
    "Job",
    "JobResult",
    "Paired",
    "Worker",
    "as_flags",
    "check",
    "convert",
    "pair_folder",
]

__getattr__ = lazy_names(
    __name__,
    {
        **dict.fromkeys(("Job", "JobResult", "Worker"), "worker"),
        **dict.fromkeys(("Paired", "pair_folder"), "discover"),
        "as_flags": "pairing_rule",
        **dict.fromkeys(("check", "convert"), "run"),
    },
)

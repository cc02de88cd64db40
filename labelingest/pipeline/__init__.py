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

from importlib import import_module
from typing import TYPE_CHECKING, Any

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

_HOMES = {
    **dict.fromkeys(("Job", "JobResult", "Worker"), "worker"),
    **dict.fromkeys(("Paired", "pair_folder"), "discover"),
    "as_flags": "pairing_rule",
    **dict.fromkeys(("check", "convert"), "run"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'labelingest.pipeline' has no attribute {name!r}")
    return getattr(import_module(f"labelingest.pipeline.{_HOMES[name]}"), name)

"""A folder from end to end: list → pair → convert in batches → put → report.

The order of the stages around a batch; the order inside a batch is in
`labelingest.converter.converter.Converter.convert_batch`::

    run.py             convert and check: what users call
    from_config.py     pairing rule, converter and output target of a configuration
    pairing_rule.py    the pairing rule of plain options, without loading anything else
    discover.py        listing and pairing
    worker.py          the unit of work, and the worker that converts it
    choose_engine.py   the engine that runs the jobs
    loop.py            the loop over jobs: results in order, to the sink and to the report
    resume.py          the journal of a run, and the resumption of an interrupted one
    report_files.py    the report, and the files beside the labels
    profile.py         the time that each stage of a run takes

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

"""A folder from end to end: list → pair → convert in batches → sink → report.

The only place that knows the order of the stages around a batch; the order inside a batch is
`labelingest.converter`'s::

    run.py        convert and check: what users call
    folder.py     listing and pairing, by the rule given or by what the files make plain
    jobs.py       the unit of work, and the worker that does it
    progress.py   how far a run is
"""

from labelingest.pipeline.folder import Paired, as_flags, given_rule, pair_folder
from labelingest.pipeline.jobs import Job, JobResult, Worker
from labelingest.pipeline.progress import Progress
from labelingest.pipeline.run import check, convert

__all__ = [
    "Job",
    "JobResult",
    "Paired",
    "Progress",
    "Worker",
    "as_flags",
    "check",
    "convert",
    "given_rule",
    "pair_folder",
]

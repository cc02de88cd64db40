"""Images without label file as part of an output: jobs of their own, after those of the pairs.

Only a format that lists images beside labels has a place for them, as COCO does. They are images
without annotations there, not images labelled as empty: the report counts them apart.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

import numpy as np

from labelingest.columns.types import Int32
from labelingest.converter import Counts, ImageSizes
from labelingest.fence import isolate_failures
from labelingest.model.annotations import Annotations
from labelingest.model.batch_output import BatchOutput, Labels
from labelingest.model.blobs import Unread
from labelingest.model.kinds import DataKind, kind_of
from labelingest.model.pairs import Outcome
from labelingest.model.tally import Tally
from labelingest.model.units import DataUnits
from labelingest.pipeline.worker import Job, JobResult, Worker
from labelingest.problems import Problem, ProblemCode

if TYPE_CHECKING:  # listing and pairing are not loaded in every worker process
    from labelingest.pipeline.discover import Paired

__all__ = ["cut_unlabelled_jobs", "list_images"]

_FILES: Final = 1024
"""Images of one job."""


def cut_unlabelled_jobs(paired: "Paired") -> Iterator[Job]:
    """Yield the images of a folder that have no label file, in the order of their keys."""
    keys = paired.listing.keys
    rows = np.flatnonzero(paired.pairs.outcome == Outcome.UNLABELLED)
    for start in range(0, len(rows), _FILES):
        names = [
            key for key in keys.take(rows[start : start + _FILES]) if kind_of(key) is DataKind.IMAGE
        ]
        nothing = np.zeros(len(names), dtype=np.int64)
        # Each image is its own source of problems.
        yield Job(names, names, nothing, nothing, work=list_images)


def list_images(worker: Worker, job: Job) -> JobResult:
    """Return the images of a job as data units without labels; their headers tell their sizes.

    An image whose header cannot be read is left out, with a problem.
    """

    def give_up(row: int, why: Unread) -> JobResult:
        problem = Problem(why.code, job.data[row], why.detail)
        return _result([], np.zeros((0, 2), dtype=np.int32), [problem])

    return isolate_failures(
        lambda rows: _listed(worker, job.part(rows)), len(job.data), give_up, JobResult.joined
    )


def _listed(worker: Worker, job: Job) -> JobResult:
    sides = np.full((len(job.data), 2), -1, dtype=np.int32)
    unread: Mapping[int, Unread] = {}
    wants_sizes = worker.converter.image_sizes is not ImageSizes.NEVER
    if wants_sizes:
        headers = worker.image_sizes(job.data)
        sides, unread = headers.sides, headers.unread
    problems = [Problem(why.code, job.data[row], why.detail) for row, why in sorted(unread.items())]
    rows = [row for row in range(len(job.data)) if row not in unread]
    keys, sides = [job.data[row] for row in rows], sides[rows]
    if wants_sizes:
        detail = "its header tells no size: it is in the output without width and height"
        problems += [
            Problem(ProblemCode.IMAGE_SIZE_UNKNOWN, keys[row], detail)
            for row in np.flatnonzero(sides[:, 0] < 0).tolist()
        ]
    return _result(keys, sides, problems)


def _result(keys: list[str], sides: Int32, problems: list[Problem]) -> JobResult:
    """Return the result for images with a width and a height in pixels, (n, 2), -1 for none."""
    units = DataUnits.from_keys(keys, keys, np.zeros(len(keys), dtype=np.int64))
    units = units.with_sizes(sides[:, 0], sides[:, 1])
    nothing = np.zeros(0, dtype=np.int64)
    return JobResult(
        output=BatchOutput(keys, labels=Labels(units, Annotations.none())),
        counts=Counts(nothing, nothing, nothing),
        problems=problems,
        data_files={problem.source: problem.source for problem in problems},
        row_tally=Tally(unlabelled_images=len(keys)),
    )

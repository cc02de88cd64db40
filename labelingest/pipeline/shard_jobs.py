"""Jobs of outputs in shards: cut where a shard ends, or joined so that each is one shard.

A job that is a whole shard is converted batch by batch, in the batches of any other run, and its worker
writes it: label rows leave no worker, memory is that of one batch, and the bytes are the same.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby

import numpy as np
from msgspec.structs import replace

from labelingest.engines.base import Engine
from labelingest.engines.serial import SerialEngine
from labelingest.fence import result_or_reason
from labelingest.model.batch_output import BatchOutput
from labelingest.model.blobs import Unread
from labelingest.pipeline.worker import Job, JobResult, Worker
from labelingest.sinks.shard_places import ShardHalf, ShardWriter

__all__ = ["are_by_workers", "cut_at_shards", "whole_shards", "without_files"]


def are_by_workers(engine: Engine, files: int, shard_rows: int) -> bool:
    """Return whether workers write whole shards: there must be some for each of them."""
    workers = getattr(engine, "workers", 2)
    return not isinstance(engine, SerialEngine) and files >= 2 * workers * shard_rows


def cut_at_shards(jobs: Iterable[Job], shard_rows: int) -> Iterator[Job]:
    """Cut jobs where a shard ends, and give each the number of its shard."""
    files = 0
    for job in jobs:
        start = 0
        while start < len(job.data):
            end = min(start + shard_rows - files % shard_rows, len(job.data))
            yield replace(job.part(slice(start, end)), shard=files // shard_rows)
            files, start = files + end - start, end


def without_files(jobs: Iterable[Job], files: int) -> Iterator[Job]:
    """Leave out the jobs of the first data files, which an interrupted run has converted."""
    for job in jobs:
        if files <= 0:
            yield job
        files -= len(job.data)


def whole_shards(jobs: Iterable[Job], files: int, shard_rows: int) -> Iterator[Job]:
    """Join the jobs of each shard; those of a shard that was begun batch by batch stay apart.

    Parameters
    ----------
    jobs
        The jobs that are left, cut at shards.
    files, shard_rows
        Data files before those jobs, and data files in each shard.
    """
    for shard, group in groupby(jobs, key=lambda job: job.shard):
        if files % shard_rows and shard == files // shard_rows:
            yield from group
        else:
            yield _joined(list(group))


def _joined(parts: Sequence[Job]) -> Job:
    ends = np.cumsum([len(part.data) for part in parts]).tolist()
    return Job(
        [key for part in parts for key in part.data],
        [key for part in parts for key in part.sidecars],
        np.concatenate([part.sizes for part in parts]),
        np.concatenate([part.mtime_ns for part in parts]),
        fetched={key: file for part in parts for key, file in part.fetched.items()},
        work=partial(_convert_shard, ends=ends),
        shard=parts[0].shard,
    )


def _convert_shard(worker: Worker, job: Job, *, ends: Sequence[int]) -> JobResult:
    """Convert a shard batch by batch, and write it."""
    half = worker.half
    if not isinstance(half, ShardHalf):
        raise TypeError("a job that is a shard needs the half of an output in shards")
    alone = replace(worker, half=None)
    results, start = [], 0
    with half.open(job.shard) as writer:
        for end in ends:
            part = replace(job.part(slice(start, end)), work=None)
            results.append(_written(alone, part, writer))
            start = end
    joined = JobResult.joined(results)
    output = BatchOutput(joined.output.keys, delivered=writer.delivery(), shard=job.shard)
    return replace(joined, output=output)


def _written(worker: Worker, job: Job, writer: ShardWriter) -> JobResult:
    """Convert one batch, and write its label rows; a large label row that breaks off costs its file."""
    result = worker(job)
    if result.deferred is None:
        writer.put(result.output)
    else:
        result = worker.convert_large(job)
        answer = result_or_reason(partial(writer.put, result.output))
        if isinstance(answer, Unread):
            result = worker.give_up(job, 0, answer)
            writer.put(result.output)
    return replace(result, output=BatchOutput(result.output.keys))

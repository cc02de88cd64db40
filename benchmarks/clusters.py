"""Do two workers of a cluster pay, and what passes through the command?

From the command line::

    python -m benchmarks.clusters --files 20000 --kind boxes --shard-rows 500

starts a Dask scheduler with two worker processes and moto's server for S3, both on this machine. It
converts one data set in turns: to one file and to shards in one process, to shards in a folder that the
workers share, and to shards in the cloud. For each it prints the median seconds, the processor time of
the command alone (a command that receives no label rows needs little), and the rate.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks.compare import data_folder
from benchmarks.data_sets import data_set
from benchmarks.spent import Spent, spend
from labelingest.bench.synthetic.kinds import Kind
from tests.builders.cloud_servers import BUCKET, CREDENTIALS, moto_server

_PATIENCE = 60.0
"""Seconds for the workers to start."""


@contextmanager
def dask_cluster(place: Path) -> Iterator[str]:
    """Run a scheduler and two workers; yield the engine's address."""
    file = place / "scheduler.json"
    program = [sys.executable, "-m"]
    quiet = ["--no-dashboard", "--host", "127.0.0.1", "--scheduler-file", str(file)]
    scheduler = [*program, "distributed.cli.dask_scheduler", *quiet, "--port", "0"]
    workers = [*program, "distributed.cli.dask_worker", *quiet, "--nworkers", "2"]
    workers += ["--nthreads", "1", "--local-directory", str(place)]
    null = subprocess.DEVNULL
    with (
        subprocess.Popen(scheduler, stdout=null, stderr=null) as first,
        subprocess.Popen(workers, stdout=null, stderr=null) as second,
    ):
        try:
            yield _address(file)
        finally:
            second.terminate()
            second.wait()
            first.terminate()


def _address(file: Path) -> str:
    from distributed import Client

    deadline = time.monotonic() + _PATIENCE
    while not (file.exists() and file.stat().st_size):
        if time.monotonic() > deadline:
            raise RuntimeError("no Dask scheduler started")
        time.sleep(0.05)
    with Client(scheduler_file=str(file), set_as_default=False) as client:  # type: ignore[no-untyped-call]
        client.wait_for_workers(2, timeout=_PATIENCE)
        address: str = client.scheduler.address
    return address.replace("tcp://", "dask://")


def compare(data: Path, place: Path, shard_rows: int, rounds: int) -> dict[str, list[Spent]]:
    """Convert a data set in turns; return what the commands cost."""
    shards = ["--shard-rows", str(shard_rows)]
    with ExitStack() as opened:
        store = opened.enter_context(moto_server())
        endpoint = {"AWS_ENDPOINT_URL": f"http://{store}", "AWS_ALLOW_HTTP": "true"}
        os.environ |= {**CREDENTIALS, **endpoint}  # workers open clients of their own
        engine = opened.enter_context(dask_cluster(place))
        bucket = f"s3://{BUCKET}/shards/"
        ways = {
            "one process, one file": ["--workers", "1", "--out", str(place / "rows.jsonl")],
            "one process, shards": ["--workers", "1", "--out", str(place / "one"), *shards],
            "two processes, shards": ["--workers", "2", "--out", str(place / "two"), *shards],
            "two Dask workers, one file": ["--engine", engine, "--out", str(place / "d.jsonl")],
            "two Dask workers, shards": ["--engine", engine, "--out", str(place / "dask"), *shards],
            "one process, shards in S3": ["--workers", "1", "--out", bucket, *shards],
            "two Dask workers, shards in S3": ["--engine", engine, "--out", bucket, *shards],
        }
        spent: dict[str, list[Spent]] = {way: [] for way in ways}
        for _ in range(rounds):
            for way, options in ways.items():
                spent[way].append(_convert(data, options))
    return spent


def _convert(data: Path, options: Sequence[str]) -> Spent:
    command = [sys.executable, "-m", "labelingest", "convert", str(data), "--quiet", "--restart"]
    spent = spend([*command, "--ontology", str(data / "ontology.json"), *options])
    if spent.code:
        raise RuntimeError(spent.stderr)
    return spent


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description="Two workers of a cluster beside one process")
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--kind", choices=[kind.value for kind in Kind], default=Kind.BOXES.value)
    parser.add_argument("--shard-rows", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="Folder for the data sets, which stay there")
    options = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="labelingest-clusters-"))
    try:
        with data_folder(options.keep) as folder:
            generated = data_set(folder, options.files, options.kind)
            data = Path(generated.root)
            spent = compare(data, place, options.shard_rows, options.rounds)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    table = Table("way", "seconds", "processor time of the command", "files/s")
    for way, runs in spent.items():
        seconds = median(run.seconds for run in runs)
        cpu = median(run.cpu_seconds for run in runs)
        table.add_row(way, f"{seconds:.2f}", f"{cpu:.2f}", f"{options.files / seconds:,.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()

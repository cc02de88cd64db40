"""Clusters of two real workers on this machine: the same bytes as one process."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from labelingest import IngestConfig, convert
from labelingest.bench.synthetic.data_set import generate
from labelingest.bench.synthetic.kinds import Kind
from labelingest.engines import check_engine, open_engine
from labelingest.errors import ConfigError, EngineError, SidecarError
from labelingest.search_path import own_entries
from tests.builders.engines import (
    Fatal,
    die_while_there_is_a_cause,
    import_colors,
    refuse_odd,
    square,
    where,
)

FILES = 600


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    generate(root, FILES, Kind.MIXED, defects=0.01)
    return root


def converted(data: Path, place: Path, executor: Executor | None = None, **options: Any) -> bytes:
    """Return everything that a run writes."""
    place.mkdir()
    config = IngestConfig(
        storage_path=data,
        ontology=data / "ontology.json",
        out=place / "rows.jsonl",
        problems=place / "problems.jsonl",
        failed_csv=place / "failed.csv",
        **{"batch_bytes": 5000, **options},
    )
    report = convert(config, executor=executor)
    assert report.balance()
    assert report.tally.label_rows == FILES
    return b"\0".join(path.read_bytes() for path in sorted(place.iterdir()))


@pytest.fixture(scope="module")
def serial(data: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return converted(data, tmp_path_factory.mktemp("serial") / "out", workers=1)


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a scheduler with two worker processes, over TCP."""
    pytest.importorskip("distributed", reason="pip install 'labelingest[dask]'")
    place = tmp_path_factory.mktemp("dask")
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--no-dashboard"]
    found = place / "scheduler.json"
    scheduler = [*command, "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(found)]
    command = [sys.executable, "-m", "distributed.cli.dask_worker", "--no-dashboard"]
    workers = [*command, "--nworkers", "2", "--nthreads", "1", "--local-directory", str(place)]
    workers += ["--host", "127.0.0.1", "--scheduler-file", str(found)]
    with (
        (place / "log").open("wb") as log,
        subprocess.Popen(scheduler, stderr=log, stdout=log) as first,
        subprocess.Popen(workers, stderr=log, stdout=log) as second,
    ):
        yield address_in(found)
        second.terminate()
        second.wait(60)
        first.terminate()


def address_in(file: Path) -> str:
    """Wait for two workers, and return where their scheduler is."""
    distributed = pytest.importorskip("distributed")
    deadline = monotonic() + 60
    while not (file.exists() and file.stat().st_size):
        assert monotonic() < deadline, "no scheduler"
    with distributed.Client(scheduler_file=str(file), timeout=60, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60)
        address: str = client.scheduler.address
    return address.replace("tcp://", "dask://")


@pytest.fixture(scope="module")
def ray(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a cluster with two workers, on the machine that runs it."""
    pytest.importorskip("ray", reason="pip install 'labelingest[ray]'")
    # Sockets have short names at most, so not pytest's folder.
    place = Path("/tmp") / f"ray-{os.getpid()}"
    command = [str(Path(sys.executable).with_name("ray")), "start", "--head", "--num-cpus", "2"]
    options = ["--port", "0", "--include-dashboard=false", "--temp-dir", str(place), "--block"]
    options += ["--disable-usage-stats", "--object-store-memory", "100000000"]
    said = tmp_path_factory.mktemp("ray") / "log"
    with (
        said.open("wb") as log,
        # Its workers know the functions of the tests.
        subprocess.Popen(
            [*command, *options],
            stderr=log,
            stdout=log,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(own_entries())},
        ) as head,
        pytest.MonkeyPatch.context() as patched,
    ):
        while b"Ray runtime started" not in said.read_bytes():
            if head.poll() is not None:
                pytest.skip(f"Ray does not start here: {said.read_text()[-500:]}")
        patched.setenv("RAY_TMPDIR", str(place))
        yield "ray://auto"
        head.terminate()
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(params=["dask", "ray"])
def cluster(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


def test_a_cluster_gives_the_bytes_of_one_process(
    data: Path, tmp_path: Path, serial: bytes, cluster: str
) -> None:
    assert converted(data, tmp_path / "out", engine=cluster) == serial


@pytest.mark.parametrize("shard_rows", [None, 40])
def test_a_cluster_writes_shards_and_trees_itself(
    data: Path, tmp_path: Path, cluster: str, shard_rows: int | None
) -> None:
    """The command sees a shared path here, as the workers do."""
    contents = []
    for engine in (None, cluster):
        out = tmp_path / ("serial" if engine is None else "cluster")
        config = IngestConfig(
            storage_path=data,
            ontology=data / "ontology.json",
            out=out,
            shard_rows=shard_rows,
            batch_bytes=5000,
            **({"workers": 1} if engine is None else {"engine": engine}),
        )
        assert convert(config).balance()
        paths = [path for path in sorted(out.rglob("*")) if path.is_file()]
        contents.append({path.relative_to(out): path.read_bytes() for path in paths})
    assert contents[0] == contents[1]


def test_a_cluster_gives_results_in_the_order_of_items(cluster: str) -> None:
    assert list(open_engine(cluster).map(square, range(50))) == [n * n for n in range(50)]


def test_a_cluster_works_in_other_processes(cluster: str) -> None:
    assert os.getpid() not in {pid for pid, _ in open_engine(cluster).map(where, range(10))}


def test_a_cluster_runs_nothing_of_the_current_folder(
    cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = tmp_path / "ran"
    for name in ("colorsys", "labelingest", "tests", "this"):
        (tmp_path / f"{name}.py").write_text(f"open({str(trace)!r}, 'a').write({name!r})\n")
    monkeypatch.chdir(tmp_path)
    assert list(open_engine(cluster).map(import_colors, range(4))) == ["colorsys"] * 4
    assert not trace.exists()
    assert Path.cwd() == tmp_path


def test_an_exception_comes_back_from_a_cluster_as_it_was_raised(cluster: str) -> None:
    with closing(open_engine(cluster).map(refuse_odd, [0, 2, 5, 6])) as results:
        assert [next(results), next(results)] == [0, 2]
        with pytest.raises(KeyError, match="5 is odd"):
            next(results)


def test_a_lost_worker_of_a_cluster_changes_nothing(cluster: str, tmp_path: Path) -> None:
    for number in (0, 7):
        (tmp_path / f"{number}-0").touch()
    items = [Fatal(number, str(tmp_path)) for number in range(10)]
    assert list(open_engine(cluster).map(die_while_there_is_a_cause, items)) == list(range(10))
    assert list(tmp_path.iterdir()) == []


def test_an_item_that_kills_every_worker_of_a_cluster_ends_the_run(
    cluster: str, tmp_path: Path
) -> None:
    for cause in range(20):
        (tmp_path / f"1-{cause}").touch()
    items = [Fatal(number, str(tmp_path)) for number in range(3)]
    with pytest.raises(EngineError, match="the executor failed"):
        list(open_engine(cluster).map(die_while_there_is_a_cause, items))


def test_rows_that_stop_a_run_stop_it_on_a_cluster(
    data: Path, tmp_path: Path, cluster: str
) -> None:
    with pytest.raises(SidecarError):
        converted(data, tmp_path / "out", engine=cluster, on_row_error="stop")
    assert not (tmp_path / "out/rows.jsonl").exists()


def test_the_executor_of_a_dask_client_gives_the_bytes_of_one_process(
    data: Path, tmp_path: Path, serial: bytes, dask: str
) -> None:
    distributed = pytest.importorskip("distributed")
    address = dask.replace("dask://", "tcp://")
    with distributed.Client(address, set_as_default=False) as client:
        assert converted(data, tmp_path / "out", client.get_executor()) == serial


def test_a_pool_of_the_caller_gives_the_bytes_of_one_process(
    data: Path, tmp_path: Path, serial: bytes
) -> None:
    with ThreadPoolExecutor(3) as threads:
        assert converted(data, tmp_path / "threads", threads) == serial
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        assert converted(data, tmp_path / "processes", processes) == serial


@pytest.mark.parametrize("workers", [2, 5])
@pytest.mark.parametrize("batch_bytes", [700, 5000, 400_000])
def test_workers_and_batches_change_no_byte(
    data: Path, tmp_path: Path, serial: bytes, workers: int, batch_bytes: int
) -> None:
    done = converted(data, tmp_path / "out", workers=workers, batch_bytes=batch_bytes)
    assert done == serial


@pytest.mark.parametrize("engine", ["dask", "ray"])
def test_a_missing_package_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    monkeypatch.setattr("labelingest.engines.clusters.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=rf"pip install 'labelingest\[{engine}\]'$"):
        check_engine(f"{engine}://127.0.0.1:1")

"""What every engine does: results in order, work ahead bounded, exceptions as they were raised."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack, closing
from multiprocessing import get_context
from pathlib import Path

import pytest

from labelingest.engines.base import Engine
from labelingest.engines.clusters import DaskEngine
from labelingest.engines.executors import ExecutorEngine
from labelingest.engines.processes import ProcessEngine
from labelingest.engines.serial import SerialEngine
from labelingest.errors import EngineError, SidecarError
from labelingest.problems import Problem, ProblemCode
from tests.builders.engines import (
    Fatal,
    die_while_there_is_a_cause,
    refuse_odd,
    square,
    where,
)

Make = Callable[[ExitStack], Engine]


def on_threads(stack: ExitStack) -> Engine:
    return ExecutorEngine(stack.enter_context(ThreadPoolExecutor(3)), in_flight=6)


def on_processes(stack: ExitStack) -> Engine:
    pool = ProcessPoolExecutor(2, mp_context=get_context("spawn"))
    return ExecutorEngine(stack.enter_context(pool), in_flight=4)


ENGINES: dict[str, Make] = {
    "serial": lambda stack: SerialEngine(),
    "one process": lambda stack: ProcessEngine(1),
    "two processes": lambda stack: ProcessEngine(2),
    "five processes": lambda stack: ProcessEngine(5),
    "threads of the caller": on_threads,
    "processes of the caller": on_processes,
}


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with ExitStack() as stack:
        yield ENGINES[request.param](stack)


def test_results_come_in_the_order_of_items(engine: Engine) -> None:
    numbers = list(range(200))
    assert list(engine.map(square, numbers)) == [n * n for n in numbers]


def test_no_items_give_no_results(engine: Engine) -> None:
    assert list(engine.map(square, [])) == []


def test_an_exception_comes_where_its_result_would_be(engine: Engine) -> None:
    results = engine.map(refuse_odd, [0, 2, 4, 5, 6])
    assert [next(results) for _ in range(3)] == [0, 2, 4]
    with pytest.raises(KeyError, match="5 is odd"):
        next(results)


def test_items_are_taken_as_results_are_asked_for(engine: Engine) -> None:
    numbers = []

    def items() -> Iterator[int]:
        for number in range(1000):
            numbers.append(number)
            yield number

    with closing(engine.map(square, items())) as results:
        for _ in range(10):
            next(results)
    assert len(numbers) <= 10 + 4 * 5 + 1


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_a_lost_worker_changes_nothing(tmp_path: Path, workers: int) -> None:
    for number in (0, 3, 3, 17):
        (tmp_path / f"{number}-{len(list(tmp_path.iterdir()))}").touch()
    items = [Fatal(number, str(tmp_path)) for number in range(20)]
    results = list(ProcessEngine(workers).map(die_while_there_is_a_cause, items))
    assert results == list(range(20))
    assert list(tmp_path.iterdir()) == []


def test_an_item_that_costs_one_worker_after_the_other_ends_the_run(tmp_path: Path) -> None:
    for cause in range(10):
        (tmp_path / f"3-{cause}").touch()
    items = [Fatal(number, str(tmp_path)) for number in range(9)]
    results: list[int] = []
    with pytest.raises(
        EngineError, match=r"3 worker processes were lost .* by signal 9: if memory"
    ):
        results.extend(ProcessEngine(2).map(die_while_there_is_a_cause, items))
    assert len(list(tmp_path.iterdir())) == 10 - 3


def test_a_pool_of_the_caller_that_breaks_is_said(tmp_path: Path) -> None:
    (tmp_path / "3-0").touch()
    items = [Fatal(number, str(tmp_path)) for number in range(9)]
    with (
        ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool,
        pytest.raises(EngineError, match="the executor failed: BrokenProcessPool"),
    ):
        list(ExecutorEngine(pool, in_flight=4).map(die_while_there_is_a_cause, items))


@pytest.mark.parametrize("workers", [1, 3])
def test_workers_are_gone_when_the_results_are_no_longer_wanted(workers: int) -> None:
    with closing(ProcessEngine(workers).map(where, range(100))) as results:
        pids = {next(results)[0] for _ in range(60)}
    assert 1 <= len(pids) <= workers
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_workers_are_not_in_the_process_group_of_the_terminal() -> None:
    [(pid, group)] = ProcessEngine(1).map(where, [None])
    assert group == pid != os.getpgid(0)


def test_an_exception_with_values_of_its_own_comes_back_whole() -> None:
    [outcome] = list(ProcessEngine(1).map(_problem, [None]))
    assert outcome == "a.txt:1: unknown-class: no object for 7"
    with pytest.raises(SidecarError) as caught:
        list(ProcessEngine(1).map(_raise_problem, [None]))
    assert [problem.line for problem in caught.value.problems] == [1]


def _problem(_: object) -> str:
    return str(Problem(ProblemCode.UNKNOWN_CLASS, "a.txt", "no object for 7", line=1))


def _raise_problem(_: object) -> None:
    raise SidecarError([Problem(ProblemCode.UNKNOWN_CLASS, "a.txt", "no object for 7", line=1)])


def test_a_result_that_cannot_be_sent_is_said() -> None:
    with pytest.raises(EngineError, match="a worker cannot send back"):
        list(ProcessEngine(1).map(_unsendable, [None]))


def _unsendable(_: object) -> object:
    return lambda: None


SCRIPT = """
from labelingest.engines.processes import ProcessEngine
print(list(ProcessEngine(2).map(abs, [-1, -2])))
"""


def test_a_script_without_a_guard_starts_no_copy_of_itself(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    ran = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("[1, 2]\n", "")


def test_no_scheduler_at_an_address_is_said() -> None:
    pytest.importorskip("distributed")
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        with pytest.raises(EngineError, match=f"no Dask scheduler answers at .*:{port}"):
            list(DaskEngine(f"dask://127.0.0.1:{port}", patience=0.5).map(square, [1]))


def test_a_scheduler_without_workers_is_said() -> None:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=0, dashboard_address=None) as cluster:
        address = cluster.scheduler_address.removeprefix("tcp://")
        with pytest.raises(EngineError, match="has no workers: start some"):
            list(DaskEngine(f"dask://{address}", patience=0.5).map(square, [1]))

"""Opening a state by processes that are killed on the way, and by several at once."""

import os
import signal
from itertools import count
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Engine

from labelingest.folders import State
from labelingest.folders.state.database import HEAD
from labelingest.folders.state.tables import METADATA
from tests.builders.processes import KILLED, PROCESSES, ended


def open_and_be_killed(url: str, moment: int) -> None:
    """Open a state, and be killed before the statement or commit of that number."""
    numbers = count()

    def die(*_: Any) -> None:
        if next(numbers) == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    for name in ("before_cursor_execute", "commit"):
        event.listen(Engine, name, die)
    State(url).close()


def tables(url: str) -> set[str]:
    """Return the tables of a database, past everything of ours."""
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    try:
        return set(sa.inspect(engine).get_table_names())
    finally:
        engine.dispose()


def test_an_opening_that_is_killed_anywhere_leaves_nothing_and_the_next_makes_the_state(
    database_url: str,
) -> None:
    for moment in count():
        code = ended(open_and_be_killed, database_url, moment)
        if code == 0:
            break
        assert code == KILLED
        # Killed before its last commit: to the next it is a new database again.
        assert tables(database_url) == set()
    assert moment > len(METADATA.tables)
    assert tables(database_url) == {*METADATA.tables, "alembic_version"}
    State(database_url).close()


def open_together(url: str, barrier: Barrier) -> None:
    barrier.wait(60)
    State(url).close()


@pytest.mark.parametrize("attempt", range(3))
def test_processes_that_open_a_new_state_at_once_make_it_once(
    tmp_path: Path, database_url: str, attempt: int
) -> None:
    barrier = PROCESSES.Barrier(4)
    opening = [
        PROCESSES.Process(target=open_together, args=(database_url, barrier)) for _ in range(4)
    ]
    for process in opening:
        process.start()
    for process in opening:
        process.join(60)
    assert [process.exitcode for process in opening] == [0] * 4
    with State(database_url) as state, state.read() as connection:
        versions = connection.scalars(sa.text("SELECT version_num FROM alembic_version")).all()
    assert versions == [HEAD]

"""Syncs whose label files are converted by workers, which write label rows ahead."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from labelingest.errors import ConfigError, EngineError
from labelingest.folders import FolderSettings, Status, SyncedFolder
from labelingest.folders.output_owner import MARKER
from labelingest.folders.staged_rows import StagingHalf
from labelingest.folders.state.database import State
from labelingest.folders.state.tables import label_rows, output_rows, problems
from labelingest.folders.sync import apply as apply_module
from labelingest.model.batch_output import BatchOutput
from labelingest.model.kinds import TEMPORARY_PREFIX
from labelingest.progress import Progress
from labelingest.storage import LocalStorage
from labelingest.storage.local.staging import stage
from tests.builders.synced import BOX, ONTOLOGY, OTHER_BOX, YOLO, World, contents, on_sqlite

OF_ITS_TIME = {"folder_id", "made_at", "token", "data_token", "fingerprint"}


@pytest.fixture
def world(tmp_path: Path, state_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(apply_module, "_FILES", 3)
    with State(state_url) as state:
        yield World(tmp_path, state)


def local_folder(world: World, name: str) -> SyncedFolder:
    """Create a folder whose output is a real folder, without counters before it."""
    settings = FolderSettings(
        str(world.data),
        str(world.rows.parent / name),
        format="yolo",
        ontology=ONTOLOGY,
        options=YOLO,
    )
    return SyncedFolder.create(name, settings, state=world.state)


def entries(folder: SyncedFolder) -> dict[str, Any]:
    """Return what the state knows of a folder's label rows, and does not depend on the time."""
    with folder.state.read() as connection:
        return {
            table.name: [
                tuple(row)
                for row in connection.execute(
                    sa.select(*(c for c in table.columns if c.name not in OF_ITS_TIME))
                    .where(table.c.folder_id == folder.record.id)
                    .order_by(*table.primary_key)
                )
            ]
            for table in (label_rows, output_rows, problems)
        }


def unfinished(folder: SyncedFolder) -> list[str]:
    """Return the temporary files in an output."""
    return [
        path.name
        for path in Path(folder.settings.output).rglob("*")
        if path.name.startswith(TEMPORARY_PREFIX)
    ]


def fill(world: World) -> None:
    for number in range(20):
        world.labelled(f"a/{number:02}", BOX)
    world.image("b.jpg")
    world.write("b.txt", b"PK\x03\x04\x00\x00")
    world.labelled("c", f"{BOX}\n9 .5 .5 .1 .1")


def test_workers_and_executors_make_what_one_process_makes(world: World) -> None:
    fill(world)
    alone, workers, executor = (local_folder(world, name) for name in ("one", "two", "three"))
    runs = [alone.sync(workers=1), workers.sync(workers=2)]
    with ThreadPoolExecutor(2) as pool:
        runs.append(executor.sync(executor=pool))
    assert [run.status for run in runs] == [Status.DONE] * 3
    assert runs[0].counters.label_rows_made == runs[1].counters.label_rows_made == 21
    assert runs[0].books is not None
    assert runs[1].books is not None
    assert runs[0].books.rows == runs[1].books.rows
    expected = contents(Path(alone.settings.output))
    for folder in (workers, executor):
        assert contents(Path(folder.settings.output)) == expected
        assert entries(folder) == entries(alone)
        assert not folder.sync().counters.files_read
    assert len(expected) == 21


@on_sqlite
def test_an_output_that_a_worker_does_not_see_gets_label_rows_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(world)
    monkeypatch.setattr(StagingHalf, "_is_reachable", lambda half: False)
    with ThreadPoolExecutor(2) as pool:
        folder = local_folder(world, "rows")
        assert folder.sync(executor=pool).counters.label_rows_made == 21
    assert len(contents(Path(folder.settings.output))) == 21


def test_a_worker_knows_the_output_by_its_marker(tmp_path: Path) -> None:
    output = LocalStorage(str(tmp_path / "rows"))
    output.put(MARKER, b"ours")
    batch = BatchOutput(["a.jpg"], [b"{}"])
    delivered = StagingHalf(output, MARKER, b"ours").deliver(batch).delivered
    assert list(delivered.sizes) == [2]
    assert StagingHalf(output, MARKER, b"of another folder").deliver(batch) is batch


@on_sqlite
def test_what_was_written_ahead_goes_when_the_sync_is_cancelled(world: World) -> None:
    fill(world)
    folder, batches = local_folder(world, "rows"), list[Progress]()

    def note(progress: Progress) -> None:
        if progress.stage == "convert":
            batches.append(progress)

    run = folder.sync(workers=2, progress=note, cancelled=lambda: len(batches) > 2)
    assert run.status is Status.CANCELLED
    assert 0 < run.counters.label_rows_made < 21
    assert unfinished(folder) == []
    folder.sync(workers=2)
    assert len(contents(Path(folder.settings.output))) == 21


@on_sqlite
def test_what_a_killed_run_wrote_ahead_goes_also_where_its_label_file_is_invalid_now(
    world: World,
) -> None:
    world.labelled("a", BOX)
    folder = local_folder(world, "rows")
    half = StagingHalf(LocalStorage(folder.settings.output), MARKER, b"")
    stage(half.output, ["a.jpg.encord.json"], [b"{}"])
    assert len(unfinished(folder)) == 1
    world.write("a.txt", b"PK\x03\x04\x00\x00")
    folder.sync()
    assert unfinished(folder) == []


@on_sqlite
def test_a_foreign_file_is_not_replaced_by_what_a_worker_wrote(world: World) -> None:
    fill(world)
    folder = local_folder(world, "rows")
    folder.sync(workers=2)
    foreign = Path(folder.settings.output) / "a/03.jpg.encord.json"
    foreign.write_bytes(b"mine")
    for number in range(20):
        world.write(f"a/{number:02}.txt", OTHER_BOX)
    run = folder.sync(workers=2)
    assert run.counters.label_rows_made == 19
    assert foreign.read_bytes() == b"mine"
    assert unfinished(folder) == []
    assert "output-name-refused" in {problem.code for problem in folder.problems()}


@on_sqlite
def test_a_file_that_changes_before_it_has_its_name_ends_the_run_and_the_next_one_writes_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.labelled("a")
    folder, begin = local_folder(world, "rows"), apply_module.Applying._begin

    def disturb(applying: apply_module.Applying, files: Any) -> None:
        begin(applying, files)
        [path] = Path(folder.settings.output).glob(f"{TEMPORARY_PREFIX}*")
        path.write_bytes(b"of another run")

    monkeypatch.setattr(apply_module.Applying, "_begin", disturb)
    with pytest.raises(OSError, match="another process changed or removed it"):
        folder.sync()
    monkeypatch.undo()
    assert unfinished(folder) == []
    folder.sync()
    assert b"of another run" not in contents(Path(folder.settings.output)).values()


@on_sqlite
def test_engines_that_contradict_each_other_are_refused(world: World) -> None:
    fill(world)
    folder = local_folder(world, "rows")
    with ThreadPoolExecutor(1) as pool, pytest.raises(ConfigError, match="engine and executor"):
        folder.sync(engine="dask://10.0.0.1:8786", executor=pool)
    with pytest.raises(ConfigError, match="no number from 1"):
        folder.sync(workers=0)
    with pytest.raises(ConfigError, match="'spark://x' is not known"):
        folder.sync(engine="spark://x")


@on_sqlite
def test_an_executor_that_fails_ends_the_run_without_unfinished_files(world: World) -> None:
    fill(world)
    folder = local_folder(world, "rows")
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    with pytest.raises(EngineError, match="the executor failed"):
        folder.sync(executor=pool)
    assert unfinished(folder) == []
    assert folder.activity()[0].status is Status.ERROR

"""What is left out of a comparison changes nothing: neither what is unchanged, nor a whole new folder."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Connection

from labelingest.columns.keys import Keys
from labelingest.folders import FolderSettings, State
from labelingest.folders.state.folders import FolderRecord, enter_folder
from labelingest.folders.state.tables import items, label_rows
from labelingest.folders.sync.changes import (
    count_changes,
    count_first_changes,
    find_changes,
    iterate_changes,
)
from labelingest.folders.sync.fingerprints import Fingerprints
from labelingest.folders.sync.scan import Scan, scan
from labelingest.folders.sync.skip_unchanged import Candidates
from labelingest.model.listing import Listing
from tests.builders.synced import ONTOLOGY, YOLO

NAMES = ["a", "a b", "a!", "b/a", "b/é", "c", "𝄞", "ÿ"]
PRINTS = Fingerprints("labels", "schema")
Files = dict[str, str | None]
"""Ending of a file → its token; None where there is no such file."""

ENDINGS = (".jpg", ".txt", ".jpg.metadata.json")
LISTED = st.fixed_dictionaries({e: st.sampled_from(["1", "1", "2", None]) for e in ENDINGS})
CHANGED = st.dictionaries(st.sampled_from(ENDINGS), st.sampled_from(["1", "2", None]), max_size=1)
STORED = st.sampled_from(
    [
        *[{}] * 3,
        *({"deleted_at": "2026-01-01"}, {"metadata_schema": "older"}, {"fingerprint": "older"}),
        *({"data_token": "1"}, {"data_token": "2"}, {"sidecar_token": None}, {"sidecar": "a.text"}),
        {"fingerprint": None},
    ]
)
WORLDS = st.tuples(
    st.dictionaries(st.sampled_from(NAMES), st.tuples(LISTED, CHANGED, STORED)),
    st.booleans(),
    st.sampled_from([None, False, False, True]),
)
"""By name: the files, which of them were others before, and what else is not as it should be in the
state. Then whether the store gives tokens, and whether metadata is paused; None where there is none."""


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    with State(f"sqlite:///{tmp_path_factory.mktemp('state')}/state.sqlite") as state:
        yield state


@pytest.fixture(scope="module")
def folders(state: State) -> dict[bool | None, FolderRecord]:
    """Return folders by whether their metadata is paused."""
    return {
        paused: enter_folder(
            state,
            f"metadata {paused}",
            FolderSettings(
                "/data",
                "/rows",
                format="yolo",
                ontology=ONTOLOGY,
                options=YOLO,
                metadata_suffix=None if paused is None else ".metadata.json",
                metadata_paused=bool(paused),
            ),
        )
        for paused in (None, False, True)
    }


def listing_of(files: dict[str, Files], *, tokens: bool) -> Listing:
    rows = sorted(
        (f"{name}{ending}".encode(), token)
        for name, endings in files.items()
        for ending, token in endings.items()
        if token is not None
    )
    keys, texts = [key for key, _ in rows], [token for _, token in rows]
    sizes = np.array([int(token) for token in texts], dtype=np.int64)
    return Listing(
        Keys.from_texts(keys), sizes, sizes * 0, tokens=Keys.from_texts(texts) if tokens else None
    )


def enter(
    connection: Connection, folder_id: int, name: str, files: Files, stored: Any, *, tokens: bool
) -> None:
    """Write to the state that a file is in step, but for what is given otherwise."""
    identity = {"folder_id": folder_id, "key": f"{name}.jpg"}
    columns = {
        **dict.fromkeys(("kind", "size", "mtime_ns"), 0),
        **dict.fromkeys(("added_at", "updated_at"), "2026-01-01"),
        "token": files[".jpg"],
        "metadata_token": files[".jpg.metadata.json"],
        "metadata_schema": PRINTS.schema,
        "status": "made",
        "sidecar": f"{name}.txt",
        "sidecar_token": files[".txt"],
        "fingerprint": PRINTS.labels,
        **stored,
    }
    if not tokens:
        columns |= {k: spelt(v) for k, v in columns.items() if k.endswith("token")}
    for table, ending in ((items, ".jpg"), (label_rows, ".txt")):
        if files[ending] is not None:
            values = {k: v for k, v in columns.items() if k in table.c}
            connection.execute(table.insert().values(**identity, **values))


def spelt(token: str | None) -> str | None:
    """Return the token of a file whose size and time are all there is to go by."""
    return None if token is None else f"{token}:0"


@settings(max_examples=200, deadline=None)
@given(WORLDS, st.integers(1, 4))
def test_the_changes_are_those_of_loading_and_comparing_everything(
    state: State, folders: dict[bool | None, FolderRecord], world: Any, at_once: int
) -> None:
    entries, tokens, paused = world
    folder = folders[paused]
    files = {name: endings for name, (endings, _, _) in entries.items()}
    scanned = scan(listing_of(files, tokens=tokens), folder.settings)
    everything = Candidates(np.arange(len(scanned.data)), [f"{name}.jpg" for name in sorted(NAMES)])
    with (
        state.connection() as connection,
        connection.begin() as transaction,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, (endings, changed, stored) in entries.items():
            enter(connection, folder.id, name, endings | changed, stored, tokens=tokens)
        patch.setattr("labelingest.folders.sync.skip_unchanged._AT_ONCE", at_once)
        changes = changes_of(connection, folder, scanned)
        patch.setattr("labelingest.folders.sync.changes.find_candidates", lambda *_: everything)
        assert changes == changes_of(connection, folder, scanned)
        transaction.rollback()


def changes_of(connection: Connection, folder: FolderRecord, scanned: Scan) -> list[dict[str, str]]:
    find_changes(connection, folder.id, scanned, folder.settings, PRINTS)
    return list(iterate_changes(connection))


@settings(deadline=None)
@given(WORLDS)
def test_what_a_new_folder_is_counted_to_change_is_what_is_found(
    state: State, folders: dict[bool | None, FolderRecord], world: Any
) -> None:
    entries, tokens, paused = world
    folder = folders[paused]
    files = {name: endings for name, (endings, _, _) in entries.items()}
    scanned = scan(listing_of(files, tokens=tokens), folder.settings)
    with state.connection() as connection, connection.begin():
        find_changes(connection, folder.id, scanned, folder.settings, PRINTS)
        counted = count_changes(connection)
    assert count_first_changes(scanned, folder.settings) == counted
    assert list(count_first_changes(scanned, folder.settings)) == list(counted)


def test_nothing_is_loaded_of_a_folder_in_step_and_only_what_differs_of_another(
    state: State, folders: dict[bool | None, FolderRecord]
) -> None:
    folder = folders[None]
    in_step: Files = {".jpg": "1", ".txt": "1", ".jpg.metadata.json": None}
    files = dict.fromkeys("abcd", in_step)
    for change, loaded, missed in (
        ({}, [], []),
        ({"b": in_step | {".txt": "2"}}, ["b.jpg"], []),
        ({"b": {}, "e": in_step}, ["e.jpg"], ["b.jpg"]),
    ):
        scanned = scan(listing_of(files | change, tokens=True), folder.settings)
        with state.connection() as connection, connection.begin() as transaction:
            for name in files:
                enter(connection, folder.id, name, in_step, {}, tokens=True)
            find_changes(connection, folder.id, scanned, folder.settings, PRINTS)
            for table, keys in (("scanned_files", loaded), ("missed", missed)):
                query = sa.text(f"SELECT key FROM {table} ORDER BY key")
                assert connection.scalars(query).all() == keys
            transaction.rollback()

"""Folders of a state: enter, find by name, change, hide, remove."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping
from sqlalchemy.exc import IntegrityError

from labelingest.errors import ConfigError, LabelIngestError
from labelingest.folders.settings import FolderSettings
from labelingest.folders.state.clock import later, now, seconds_between
from labelingest.folders.state.database import State
from labelingest.folders.state.lock import refuse_held
from labelingest.folders.state.stored_values import damaged, is_moment, json_object, misfit
from labelingest.folders.state.tables import (
    class_lists,
    folders,
    items,
    label_rows,
    locks,
    output_rows,
    problems,
    runs,
    written_files,
)
from labelingest.problems import is_utf8

__all__ = [
    "FolderRecord",
    "change_folder",
    "change_settings",
    "check_name",
    "enter_folder",
    "find_folder",
    "list_folders",
    "refuse_taken_name",
    "remove_folder",
]

_MOST_CHARACTERS: Final = 128
"""Characters of the longest name: a line of a terminal holds it."""
_SHORTEST: Final = 1.0
"""Seconds between scheduled syncs, at least: a schedule of zero would never end."""
_CLOCKS_APART: Final = 300.0
"""Seconds by which the clocks of machines that share a state may differ."""
_OF_FOLDER: Final = (
    *(problems, class_lists, written_files, output_rows, label_rows, items, locks, runs),
)
"""Tables with entries of folders, each before the tables that it refers to."""


@dataclass(frozen=True, slots=True)
class FolderRecord:
    """A folder as the state has it; times are ISO 8601 in UTC."""

    id: int
    """Number of the folder in the state; never given to another folder."""
    name: str
    """Name of the folder, unique in the state."""
    settings: FolderSettings
    """Settings of the folder."""
    created_at: str
    """Time at which the folder was created."""
    deleted_at: str | None
    """Time at which the folder was deleted; None while it is present."""
    due_at: str | None
    """Time at which the next scheduled sync is due; None without a schedule."""
    generation: int
    """Number that rises whenever items or label rows change."""
    digest: str | None
    """Digest of listing and settings when the folder was last in step; None where it may not be."""
    splits: Sequence[str]
    """Keys of the last listing, between which the next listing is cut into parts."""
    identity: str
    """Identity of the folder in the marker of its output; empty before the output has one."""
    marker_token: str | None
    """Version token of the marker when the folder last read it."""

    def is_due(self, moment: str) -> bool:
        """Whether a scheduled sync is due at a moment.

        A due time further ahead than the schedule allows came from a wrong clock, and is due. So is
        a schedule without a due time.
        """
        hours = self.settings.auto_sync_hours
        if hours is None:
            return False
        if self.due_at is None:
            return True  # the state was changed by hand
        ahead = seconds_between(moment, self.due_at)
        return not 0 < ahead <= hours * 3600 + _CLOCKS_APART

    def next_due(self, moment: str) -> str | None:
        """Return the next moment of the schedule after the end of a scheduled sync."""
        hours, due = self.settings.auto_sync_hours, self.due_at
        if hours is None:
            return None
        seconds = max(hours * 3600, _SHORTEST)
        latest = later(moment, seconds)
        if due is None:
            return latest
        behind = seconds_between(due, moment)
        if behind < 0:
            # A wrong clock set it, or the folder is not due yet.
            return latest if self.is_due(moment) else due
        following = later(due, (behind // seconds + 1) * seconds)
        # The sum is inexact after very many missed moments.
        return following if 0 < seconds_between(moment, following) <= seconds else latest


def _record(row: RowMapping) -> FolderRecord:
    what = f"the settings of the folder {row['name']!r}"
    values = dict(row)
    values["identity"] = values["identity"] or ""
    try:
        values["splits"] = json_object(values["splits"] or "[]")
        values["settings"] = FolderSettings.from_json(values["settings"])
    except ValueError as error:
        raise damaged(what, str(error)) from error
    why = misfit(FolderRecord, values)
    if values["due_at"] is not None and not is_moment(values["due_at"]):
        why = f"due_at: found {values['due_at']!r}, expected a time"
    if why is not None:
        raise damaged(what, why)
    return FolderRecord(**values)


def enter_folder(state: State, name: str, settings: FolderSettings) -> FolderRecord:
    """Enter a new folder; with a schedule, its first sync is due at once.

    Raises
    ------
    ConfigError
        The name is taken, or cannot be a name.
    """
    check_name(name)
    moment = now()
    with state.write() as connection:
        existing = _find(connection, name)
        if existing is not None:
            raise _taken(name, deleted=existing.deleted_at is not None)
        try:
            connection.execute(
                folders.insert().values(
                    name=name,
                    settings=settings.to_json(),
                    created_at=moment,
                    due_at=None if settings.auto_sync_hours is None else moment,
                    generation=0,
                    identity=str(uuid4()),
                )
            )
        except IntegrityError as error:  # two came at the same moment
            raise _taken(name) from error
    return find_folder(state, name)


def refuse_taken_name(state: State, name: str) -> None:
    """Refuse a name that another folder has, or that cannot be a name.

    Raises
    ------
    ConfigError
        The name is taken, or cannot be a name.
    """
    check_name(name)
    with state.read() as connection:
        existing = _find(connection, name)
    if existing is not None:
        raise _taken(name, deleted=existing.deleted_at is not None)


def _taken(name: str, *, deleted: bool = False) -> ConfigError:
    hint = (
        f"it is deleted: labelingest folder restore {name!r} brings it back"
        if deleted
        else "choose another, or see labelingest folder show"
    )
    return ConfigError(f"there is a folder {name!r} already; {hint}")


def check_name(name: str) -> None:
    """Refuse a text that cannot name a folder or an integration.

    Raises
    ------
    ConfigError
        The text is empty, too long or not printable.

    Examples
    --------
    >>> check_name("")
    Traceback (most recent call last):
    labelingest.errors.ConfigError: name '': expected 1 to 128 printable characters, as 'drive-7'
    """
    if not name.isprintable() or not 0 < len(name) <= _MOST_CHARACTERS:
        raise ConfigError(
            f"name {name!r}: expected 1 to {_MOST_CHARACTERS} printable characters, as 'drive-7'"
        )


def find_folder(state: State, name: str, *, deleted: bool = False) -> FolderRecord:
    """Return the folder with a name.

    Parameters
    ----------
    state, name
        State, and name of the folder in it.
    deleted
        Whether a deleted folder is returned too.

    Raises
    ------
    ConfigError
        No folder has the name, or the folder is deleted.
    """
    with state.read() as connection:
        record = _find(connection, name)
        names = connection.scalars(
            sa.select(folders.c.name).where(folders.c.deleted_at.is_(None)).order_by("name")
        ).all()
    if record is None:
        near = get_close_matches(name, names, n=1)
        available = (
            f"did you mean {near[0]!r}?"
            if near
            else f"there are {', '.join(map(repr, names[:10]))}"
            if names
            else "there are none yet; labelingest folder create makes one"
        )
        raise ConfigError(f"there is no folder {name!r} in {state.url}: {available}")
    if record.deleted_at and not deleted:
        raise ConfigError(
            f"the folder {name!r} was deleted at {record.deleted_at}: "
            f"labelingest folder restore {name!r} brings it back"
        )
    return record


def _find(connection: Connection, name: str) -> FolderRecord | None:
    if not is_utf8(name):
        return None  # no database keeps such a name
    row = connection.execute(sa.select(folders).where(folders.c.name == name)).mappings().first()
    return None if row is None else _record(row)


def list_folders(
    state: State,
    *,
    deleted: bool = False,
    on_damaged: Callable[[str, Exception], None] | None = None,
) -> list[FolderRecord]:
    """Return the folders of a state, ordered by name.

    Parameters
    ----------
    state
        State with the folders.
    deleted
        Whether deleted folders are returned too.
    on_damaged
        Called with name and exception of each folder that cannot be read; None lets the exception
        pass.
    """
    query = sa.select(folders).order_by(folders.c.name)
    if not deleted:
        query = query.where(folders.c.deleted_at.is_(None))
    with state.read() as connection:
        rows = connection.execute(query).mappings().all()
    records = []
    for row in rows:
        try:
            records.append(_record(row))
        except (LabelIngestError, ValueError, TypeError, KeyError) as error:
            if on_damaged is None:
                raise
            on_damaged(str(row["name"]), error)
    return records


def change_settings(
    state: State, record: FolderRecord, change: Callable[[FolderSettings], FolderSettings]
) -> FolderRecord:
    """Change the current settings in the state, whichever process wrote them; return the folder."""
    # Locked until the end, but not for runs, whose rows refer to it.
    query = sa.select(folders).where(folders.c.id == record.id).with_for_update(key_share=True)
    with state.write() as connection:
        before = _record(connection.execute(query).mappings().one())
        settings = change(before.settings)
        values = {
            "settings": settings.to_json(),
            "due_at": _due(before, settings.auto_sync_hours),
        }
        if before.settings.decided_layout is not None and settings.decided_layout is None:
            values["digest"] = None  # the next sync decides again, whatever it lists
        connection.execute(folders.update().where(folders.c.id == record.id).values(values))
    return find_folder(state, record.name, deleted=True)


def _due(before: FolderRecord, hours: float | None) -> str | None:
    """Return the due time of a folder whose schedule changes now."""
    if hours is None:
        return None
    latest = later(now(), hours * 3600)
    due = before.due_at
    if hours != before.settings.auto_sync_hours or due is None:
        return latest
    return due if seconds_between(due, latest) > 0 else latest


def change_folder(state: State, record: FolderRecord, **values: Any) -> FolderRecord:
    """Write columns of a folder; return the changed folder."""
    with state.write() as connection:
        connection.execute(folders.update().where(folders.c.id == record.id).values(**values))
    return find_folder(state, record.name, deleted=True)


def remove_folder(state: State, record: FolderRecord) -> None:
    """Remove a folder with all its entries from the state; no file is touched.

    Raises
    ------
    LockedError
        A living process syncs the folder.
    """
    of_folder = folders.c.id == record.id
    with state.write() as connection:
        # A process that begins a run waits from here on, and then finds no folder.
        connection.execute(sa.select(folders.c.id).where(of_folder).with_for_update())
        refuse_held(connection, state.url, record.id, record.name)
        for table in _OF_FOLDER:
            connection.execute(table.delete().where(table.c.folder_id == record.id))
        connection.execute(folders.delete().where(of_folder))

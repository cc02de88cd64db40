"""Integrations: named options to reach cloud storage, shared by the folders of a state.

An integration holds endpoint, region, profile and the like, and never a secret: secrets come from
the environment of the process that syncs, or from the provider's own files.
"""

from collections.abc import Mapping
from dataclasses import asdict

import orjson
import sqlalchemy as sa

from labelingest.errors import ConfigError
from labelingest.folders.settings import refuse_undecodable
from labelingest.folders.state.database import State, upsert
from labelingest.folders.state.folders import check_name, list_folders
from labelingest.folders.state.stored_values import read_stored
from labelingest.folders.state.tables import integrations
from labelingest.storage.cloud.connections import Connection

__all__ = ["find_integration", "list_integrations", "remove_integration", "set_integration"]


def set_integration(state: State, name: str, connection: Connection) -> None:
    """Make an integration, or replace it for all folders that name it.

    Raises
    ------
    ConfigError
        The text cannot be a name.
    """
    check_name(name)
    refuse_undecodable("integration", asdict(connection))
    text = orjson.dumps(asdict(connection)).decode()
    with state.write() as database:
        insert = upsert(database, integrations).values(name=name, connection=text)
        database.execute(
            insert.on_conflict_do_update(index_elements=["name"], set_={"connection": text})
        )


def find_integration(state: State, name: str) -> Connection:
    """Return the connection of an integration.

    Raises
    ------
    ConfigError
        No integration has the name.
    """
    by_name = list_integrations(state)
    if name not in by_name:
        names = f"there are {', '.join(map(repr, by_name))}" if by_name else "there are none yet"
        raise ConfigError(
            f"there is no integration {name!r} in {state.url}: {names}; "
            f"labelingest integration set {name!r} makes it"
        )
    return by_name[name]


def list_integrations(state: State) -> Mapping[str, Connection]:
    """Return the integrations of a state: name → connection, ordered by name."""
    query = sa.select(integrations).order_by(integrations.c.name)
    with state.read() as database:
        return {
            row.name: read_stored(
                Connection, row.connection, f"the options of integration {row.name!r}"
            )
            for row in database.execute(query)
        }


def remove_integration(state: State, name: str) -> None:
    """Remove an integration that no folder names.

    Raises
    ------
    ConfigError
        No integration has the name, or a folder names it.
    """
    find_integration(state, name)
    users = [
        record.name
        for record in list_folders(state, deleted=True)
        if name in {record.settings.integration, record.settings.output_integration}
    ]
    if users:
        raise ConfigError(
            f"the integration {name!r} is that of {', '.join(map(repr, users))}: give them another "
            "with labelingest folder configure, or purge them"
        )
    with state.write() as database:
        database.execute(integrations.delete().where(integrations.c.name == name))

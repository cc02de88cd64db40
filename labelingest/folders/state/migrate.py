"""Brings the schema of a state up to date, with Alembic; loaded only when there is something to do."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy.engine import Connection

__all__ = ["migrate"]


def migrate(connection: Connection) -> None:
    """Run the migrations that a state lacks, in the transaction of the connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")

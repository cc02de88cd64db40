"""The first tables: folders, items, label rows, problems, runs, locks."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

# Written out, not taken from the tables of the program: those go on, this stays as it is.
_KEY = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables."""
    _make_folders_and_items()
    _make_label_rows_and_problems()
    _make_runs_and_locks()


def _make_folders_and_items() -> None:
    op.create_table(
        "folders",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("deleted_at", sa.Text),
        sa.Column("due_at", sa.Text),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("digest", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "items",
        _folder(),
        sa.Column("key", _KEY, primary_key=True),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("mtime_ns", sa.BigInteger, nullable=False),
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("width", sa.Integer),
        sa.Column("height", sa.Integer),
        sa.Column("metadata", sa.Text),
        sa.Column("metadata_token", sa.Text),
        sa.Column("metadata_schema", sa.Text),
        sa.Column("added_at", sa.Text, nullable=False),
        sa.Column("updated_at", sa.Text, nullable=False),
        sa.Column("deleted_at", sa.Text),
        sqlite_with_rowid=False,
    )


def _make_label_rows_and_problems() -> None:
    op.create_table(
        "label_rows",
        _folder(),
        sa.Column("key", _KEY, primary_key=True),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("sidecar", sa.Text, nullable=False),
        sa.Column("sidecar_token", sa.Text),
        sa.Column("data_token", sa.Text),
        sa.Column("width", sa.Integer),
        sa.Column("height", sa.Integer),
        sa.Column("fingerprint", sa.Text),
        sa.Column("made_at", sa.Text),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "problems",
        _folder(),
        sa.Column("key", _KEY, primary_key=True),
        sa.Column("part", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("line", sa.Integer),
        sa.Column("column", sa.Integer),
        sa.Column("pointer", sa.Text),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )


def _make_runs_and_locks() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("folder_id", sa.Integer, sa.ForeignKey("folders.id"), nullable=False),
        sa.Column("trigger", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("started_at", sa.Text, nullable=False),
        sa.Column("ended_at", sa.Text),
        sa.Column("counters", sa.Text, nullable=False),
        sa.Column("message", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_runs_folder_id", "runs", ["folder_id"])
    op.create_table(
        "locks",
        _folder(),
        sa.Column("run_id", sa.Integer, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("space", sa.Text, nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("born", sa.Text, nullable=False),
        sa.Column("since", sa.Text, nullable=False),
        sa.Column("heartbeat", sa.Text, nullable=False),
    )


def _folder() -> sa.Column[int]:
    return sa.Column(
        "folder_id",
        sa.Integer,
        sa.ForeignKey("folders.id"),
        primary_key=True,
        nullable=False,
        autoincrement=False,
    )

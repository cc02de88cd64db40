"""Class lists of folders: what each file said when it was last read."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"

_KEY = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "class_lists",
        sa.Column(
            "folder_id",
            sa.Integer,
            sa.ForeignKey("folders.id"),
            primary_key=True,
            nullable=False,
            autoincrement=False,
        ),
        sa.Column("key", _KEY, primary_key=True),
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )

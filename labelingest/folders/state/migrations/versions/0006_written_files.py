"""Files of storage paths that were looked at: whether a run wrote them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"

_KEY = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "written_files",
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
        sa.Column("is_written", sa.SmallInteger, nullable=False),
        sqlite_with_rowid=False,
    )

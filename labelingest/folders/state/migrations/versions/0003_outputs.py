"""Files that a folder wrote to its output, the owner of the output, and digests of sidecars.

Label rows of earlier versions have no row in the new table: a sync that claims the output finds
those of their files that the output has.
"""

from uuid import uuid4

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"

_KEY = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Make table and columns; give every folder an identity."""
    op.create_table(
        "output_rows",
        sa.Column(
            "folder_id",
            sa.Integer,
            sa.ForeignKey("folders.id"),
            primary_key=True,
            nullable=False,
            autoincrement=False,
        ),
        sa.Column("key", _KEY, primary_key=True),
        sa.Column("size", sa.BigInteger),
        sa.Column("digest", sa.Text),
        sa.Column("token", sa.Text),
        sa.Column("old_digest", sa.Text),
        sa.Column("old_token", sa.Text),
        sa.Column("next_size", sa.BigInteger),
        sa.Column("next_digest", sa.Text),
        sqlite_with_rowid=False,
    )
    for table, column in (
        *(("folders", "identity"), ("folders", "marker_token")),
        *(("label_rows", "sidecar_digest"), ("items", "metadata_digest")),
    ):
        op.add_column(table, sa.Column(column, sa.Text))
    _give_identities(op.get_bind())


def _give_identities(connection: sa.Connection) -> None:
    folders = sa.table("folders", sa.column("id", sa.Integer), sa.column("identity", sa.Text))
    for number in connection.scalars(sa.select(folders.c.id)).all():
        identified = folders.update().where(folders.c.id == number).values(identity=str(uuid4()))
        connection.execute(identified)

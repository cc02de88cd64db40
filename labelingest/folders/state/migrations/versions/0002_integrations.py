"""Integrations: how cloud storage is reached."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "integrations",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("connection", sa.Text, nullable=False),
    )

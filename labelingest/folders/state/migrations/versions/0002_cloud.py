"""Cloud storage: how it is reached, and between which keys it is listed in parts."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table and the column."""
    op.create_table(
        "integrations",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("connection", sa.Text, nullable=False),
    )
    op.add_column("folders", sa.Column("splits", sa.Text))

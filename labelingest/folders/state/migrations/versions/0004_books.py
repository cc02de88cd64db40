"""Books of a run, and the reason why an item is hidden.

Runs of earlier versions have no books, and items that they hid have no reason.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("runs", sa.Column("books", sa.Text))
    op.add_column("items", sa.Column("deleted_why", sa.Text))

"""Environment of the migrations: Alembic runs them on the connection that `migrate` hands over."""

from alembic import context

from labelingest.folders.state.tables import METADATA

# Imported by anything but Alembic, it does nothing.
if hasattr(context, "config"):
    context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
    with context.begin_transaction():
        context.run_migrations()

"""What Alembic runs for each migration: on the connection that `migrations.py` hands over."""

from alembic import context

from app.adapters.outbound.sql.all_tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
context.run_migrations()

"""Alembic's environment: the connection is handed in by ``gateway.store.schema``; there is no ini file."""

from __future__ import annotations

from alembic import context

from gateway.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()

"""Migrations make exactly the tables that the code declares, and nothing but a new migration may change that."""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from gateway.store import schema
from gateway.store.tables import metadata


def test_the_migrations_make_the_declared_tables(tmp_path: Path) -> None:
    path = tmp_path / "x" / "gateway.db"
    assert schema.revision(path) == ""
    assert schema.upgrade(path) == schema.HEAD
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_an_upgrade_of_a_current_store_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    schema.upgrade(path)
    before = path.read_bytes()
    assert schema.upgrade(path) == schema.HEAD
    assert path.read_bytes() == before


def test_the_names_of_the_revisions_are_in_order() -> None:
    files = sorted((schema.MIGRATIONS / "versions").glob("*.py"))
    assert files and files[-1].name.startswith(schema.HEAD)

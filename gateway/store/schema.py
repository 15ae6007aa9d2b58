"""Bring a store to the newest schema (Alembic), and tell which revision it has."""

from __future__ import annotations

import sqlite3
from pathlib import Path

DATABASE = "gateway.db"  # the store's file in a node's data folder
HEAD = "0011"
MIGRATIONS = Path(__file__).parent / "migrations"


def revision(path: Path) -> str:
    """The store's schema revision; empty when the file has none yet. Cheap: no SQLAlchemy is imported."""
    if not path.exists():
        return ""
    connection = sqlite3.connect(path)
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError:
        return ""
    finally:
        connection.close()
    return str(row[0]) if row else ""


def upgrade(path: Path) -> str:
    """Create or migrate the SQLite file; returns the revision reached."""
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine

    path.parent.mkdir(parents=True, exist_ok=True)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = create_engine(f"sqlite:///{path}")
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()
    path.chmod(0o600)  # the journal's files beside it take the same mode
    return revision(path)

"""Reports to collectors of case data: how far each case has been reported to whom, and each collector's running number."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "reported",
        sa.Column("collector", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("collector", "case_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "collector",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("case_updated", "case_file", ["role", "updated_ms"])


def downgrade() -> None:
    op.drop_index("case_updated", "case_file")
    op.drop_table("collector")
    op.drop_table("reported")

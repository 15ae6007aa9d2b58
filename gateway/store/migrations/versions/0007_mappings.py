"""The version of the mapping that made a message, and every version that ever made one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("message", sa.Column("mapping", sa.String(160), nullable=False, server_default=""))
    op.create_table(
        "mapping",
        sa.Column("id", sa.String(160), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    op.drop_table("mapping")
    op.drop_column("message", "mapping")

"""A person's words on unclear outcomes, and what an attempt to deliver brought."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("delivery", sa.Column("tried_ms", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("delivery", sa.Column("said", sa.String(length=256), nullable=False, server_default=""))
    op.create_table(
        "confirmation",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("message", sa.String(length=26), nullable=False),
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.Column("word", sa.String(length=16), nullable=False),
        sa.Column("operator", sa.String(length=32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("leaf", sa.BigInteger(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("confirmation_case", "confirmation", ["case_id"])


def downgrade() -> None:
    op.drop_table("confirmation")
    op.drop_column("delivery", "said")
    op.drop_column("delivery", "tried_ms")

"""Reports are found by the day on which they were made."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_index("message_made", "message", ["direction", "created_ms"])


def downgrade() -> None:
    op.drop_index("message_made", "message")

"""Messages sealed end to end: their key and enclosure, under the case's own key."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("message", sa.Column("secret", sa.LargeBinary()))


def downgrade() -> None:
    with op.batch_alter_table("message") as batch:
        batch.drop_column("secret")

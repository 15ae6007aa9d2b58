"""The register of e-certificates that we issued: versions, permits, acts, annotated copies."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "certificate",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("series", sa.String(length=128), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("identifier", sa.String(length=160), nullable=False),
        sa.Column("type_code", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("platform", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.Column("holder", sa.LargeBinary(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("valid_from", sa.String(length=10), nullable=False),
        sa.Column("valid_to", sa.String(length=10), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("file", sa.String(length=64), nullable=False),
        sa.Column("file_size", sa.BigInteger(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("updated_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("certificate_identifier", "certificate", ["identifier"], unique=True)
    op.create_index("certificate_series", "certificate", ["series", "version"], unique=True)
    op.create_index("certificate_token", "certificate", ["token"], unique=True)
    op.create_index("certificate_holder", "certificate", ["holder", "type_code"])
    op.create_index("certificate_term", "certificate", ["state", "valid_to"])
    op.create_index("certificate_file", "certificate", ["file"])
    op.create_table(
        "certificate_permit",
        sa.Column("certificate", sa.String(length=26), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("valid_from", sa.String(length=10), nullable=False),
        sa.Column("valid_to", sa.String(length=10), nullable=False),
        sa.PrimaryKeyConstraint("certificate", "id"),
    )
    _acts()
    _copies()


def _acts() -> None:
    op.create_table(
        "certificate_event",
        sa.Column("certificate", sa.String(length=26), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("event", sa.String(length=16), nullable=False),
        sa.Column("permit", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("leaf", sa.BigInteger(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("certificate", "n"),
    )
    op.create_index("certificate_act", "certificate_event", ["id"], unique=True)


def _copies() -> None:
    op.create_table(
        "certificate_copy",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("certificate", sa.String(length=26), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("relying_party", sa.String(length=64), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("file", sa.String(length=64), nullable=False),
        sa.Column("file_size", sa.BigInteger(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("certificate_copies", "certificate_copy", ["certificate"])


def downgrade() -> None:
    for table in ("certificate_copy", "certificate_event", "certificate_permit", "certificate"):
        op.drop_table(table)

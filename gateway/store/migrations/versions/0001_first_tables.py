"""The first tables: ledger, cases, delivery, partners and materials."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    _ledger()
    _cases()
    _messages()
    _delivery()
    _parties()


def downgrade() -> None:
    for table in (
        "leaf", "node", "checkpoint", "case_file", "case_event", "message", "alias", "blind", "delivery", "destination",
        "idempotency", "nonce", "peer", "part", "case_part", "part_sent",
    ):  # fmt: skip
        op.drop_table(table)


def _ledger() -> None:
    op.create_table(
        "checkpoint",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("time_ms", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("size"),
    )
    op.create_table(
        "leaf",
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("message", sa.String(length=160), nullable=False),
        sa.PrimaryKeyConstraint("idx"),
    )
    op.create_table(
        "node",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "idx"),
        sqlite_with_rowid=False,
    )


def _cases() -> None:
    op.create_table(
        "alias",
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("platform", sa.String(length=64), nullable=False),
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("number", "platform"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "blind",
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("value", "case_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "case_event",
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("event", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("by", sa.String(length=32), nullable=False),
        sa.Column("message", sa.String(length=160), nullable=False),
        sa.Column("act_ms", sa.BigInteger(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "n"),
    )
    op.create_table(
        "case_file",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("counterpart", sa.String(length=32), nullable=False),
        sa.Column("platform", sa.String(length=32), nullable=False),
        sa.Column("agreement", sa.String(length=128), nullable=False),
        sa.Column("agreement_version", sa.Integer(), nullable=False),
        sa.Column("clause", sa.String(length=128), nullable=False),
        sa.Column("item", sa.String(length=128), nullable=False),
        sa.Column("item_name", sa.String(length=256), nullable=False),
        sa.Column("purpose", sa.String(length=128), nullable=False),
        sa.Column("legal_basis", sa.String(length=256), nullable=False),
        sa.Column("case_number", sa.String(length=64), nullable=False),
        sa.Column("local_number", sa.String(length=64), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("seq_out", sa.Integer(), nullable=False),
        sa.Column("seq_in", sa.Integer(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("updated_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("case_created", "case_file", ["created_ms"], unique=False)
    op.create_index("case_number", "case_file", ["case_number"], unique=False)
    op.create_index("case_state", "case_file", ["state"], unique=False)


def _messages() -> None:
    op.create_table(
        "message",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.Column("direction", sa.String(length=16), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("act", sa.String(length=160), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("header", sa.LargeBinary(), nullable=True),
        sa.Column("parts", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("original", sa.LargeBinary(), nullable=True),
        sa.Column("frozen", sa.LargeBinary(), nullable=True),
        sa.Column("leaf", sa.BigInteger(), nullable=True),
        sa.Column("sent_leaf", sa.BigInteger(), nullable=True),
        sa.Column("proof", sa.LargeBinary(), nullable=True),
        sa.Column("receipt", sa.LargeBinary(), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("problem", sa.String(length=16), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("message_case", "message", ["case_id"], unique=False)


def _delivery() -> None:
    op.create_table(
        "delivery",
        sa.Column("message", sa.String(length=26), nullable=False),
        sa.Column("destination", sa.String(length=64), nullable=False),
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.Column("turn", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("next_ms", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.String(length=256), nullable=False),
        sa.Column("done_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("message"),
    )
    op.create_index("delivery_case", "delivery", ["case_id", "destination", "state"], unique=False)
    op.create_index("delivery_due", "delivery", ["destination", "state", "next_ms"], unique=False)
    op.create_table(
        "destination",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("next_ms", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.String(length=256), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "idempotency",
        sa.Column("party", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("message", sa.String(length=26), nullable=False),
        sa.PrimaryKeyConstraint("party", "key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "nonce",
        sa.Column("caller", sa.String(length=64), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("caller", "nonce"),
        sqlite_with_rowid=False,
    )


def _parties() -> None:
    op.create_table(
        "part",
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("sm3", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "sm3"),
    )
    op.create_table(
        "case_part",
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.Column("sm3", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "sm3", "owner"),
        sqlite_with_rowid=False,
    )
    op.create_index("case_part_file", "case_part", ["sm3", "owner"], unique=False)
    op.create_table(
        "part_sent",
        sa.Column("peer", sa.String(length=64), nullable=False),
        sa.Column("sm3", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("peer", "sm3"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "peer",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("cause", sa.String(length=256), nullable=False),
        sa.Column("held", sa.Text(), nullable=False),
        sa.Column("held_size", sa.BigInteger(), nullable=False),
        sa.Column("held_key", sa.String(length=64), nullable=False),
        sa.Column("held_signature", sa.LargeBinary(), nullable=False),
        sa.Column("told", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    # ### end Alembic commands ###

"""The tables, once for every engine (SQLAlchemy Core); migrations and the DDL are made from them.

Only the plain subset that SQLite, PostgreSQL and what speaks its wire share: no serial columns, no JSON
operators, no partial indexes. Columns named ``*_ms`` are milliseconds since 1970 (UTC). Columns that hold
personal data are ciphertext (``sealed`` = SM4-GCM under the case's own key, see ``vault``).
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text

metadata = MetaData()

leaf = Table(
    "leaf",
    metadata,
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("salt", LargeBinary, nullable=False),
    Column("entry", LargeBinary, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("message", String(160), nullable=False),
)

node = Table(
    "node",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

checkpoint = Table(
    "checkpoint",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("text", Text, nullable=False),
    Column("key", String(64), nullable=False),
    Column("signature", LargeBinary, nullable=False),
)

checkpoint_time = Table(
    "checkpoint_time",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),  # of the checkpoint that was stamped
    Column("at_ms", BigInteger, nullable=False),
    Column("token", LargeBinary, nullable=False),  # the authority's time stamp, DER
)

case_file = Table(
    "case_file",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("role", String(16), nullable=False),  # collecting 收件地 | handling 办理地
    Column("state", String(32), nullable=False),
    Column("counterpart", String(32), nullable=False),
    Column("platform", String(32), nullable=False),
    Column("agreement", String(128), nullable=False),
    Column("agreement_version", Integer, nullable=False),
    Column("clause", String(128), nullable=False),
    Column("item", String(128), nullable=False),
    Column("item_name", String(256), nullable=False),
    Column("purpose", String(128), nullable=False),
    Column("legal_basis", String(256), nullable=False),
    Column("case_number", String(64), nullable=False),
    Column("local_number", String(64), nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("seq_out", Integer, nullable=False),
    Column("seq_in", Integer, nullable=False),
    Column("events", Integer, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    Index("case_number", "case_number"),
    Index("case_state", "state"),
    Index("case_created", "created_ms"),
    Index("case_updated", "role", "updated_ms"),
)

case_event = Table(
    "case_event",
    metadata,
    Column("case_id", String(64), primary_key=True),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("event", String(32), nullable=False),
    Column("state", String(32), nullable=False),
    Column("by", String(32), nullable=False),
    Column("message", String(160), nullable=False),
    Column("act_ms", BigInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)

message = Table(
    "message",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("case_id", String(64), nullable=False),
    Column("direction", String(16), nullable=False),  # out, in (between gateways) | platform_in, platform_out
    Column("type", String(32), nullable=False),
    Column("act", String(160), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("header", LargeBinary),
    Column("parts", LargeBinary, nullable=False),  # JSON: the files it names
    Column("sealed", LargeBinary, nullable=False),  # the canonical body
    Column("secret", LargeBinary),  # sealed key and enclosure of a message that travels sealed end to end
    Column("original", LargeBinary),  # sealed bytes as the local platform sent them
    Column("frozen", LargeBinary),  # sealed bytes of a platform request, as first sent; at the stamper: numbers spent
    Column("leaf", BigInteger),  # our entry for taking it in: platform, accepted or refused
    Column("sent_leaf", BigInteger),  # our entry for sending it on
    Column("proof", LargeBinary),  # JSON: the sender's proof, with its checkpoint
    Column("receipt", LargeBinary),  # JSON: the far side's receipt or signed refusal
    Column("status", String(16), nullable=False),
    Column("problem", String(16), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column(
        "mapping", String(160), nullable=False, server_default=""
    ),  # what made body or frozen bytes; a key of mapping
    Index("message_case", "case_id"),
    Index("message_made", "direction", "created_ms"),
)

mapping = Table(  # every version of a platform's profile that ever made a message here
    "mapping",
    metadata,
    Column("id", String(160), primary_key=True),
    Column("data", LargeBinary, nullable=False),  # the profile and the files it names
    Column("since_ms", BigInteger, nullable=False),
)

delivery = Table(
    "delivery",
    metadata,
    Column("message", String(26), primary_key=True),
    Column("destination", String(64), nullable=False),  # peer:<party> | platform:<id> | stamper | sharing
    Column("case_id", String(64), nullable=False),
    Column("turn", BigInteger, nullable=False),  # order of owing: a case's messages go out in this order
    Column("state", String(16), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("next_ms", BigInteger, nullable=False),
    Column("cause", String(256), nullable=False),
    Column("done_ms", BigInteger, nullable=False),
    Column("tried_ms", BigInteger, nullable=False, server_default="0"),  # when a platform was last called with it …
    Column("said", String(256), nullable=False, server_default=""),  # … and what that brought, if it brought no end
    Index("delivery_due", "destination", "state", "next_ms"),
    Index("delivery_case", "case_id", "destination", "state"),
)

reported = Table(  # how far a case has been reported to a collector of case data (办件归集)
    "reported",
    metadata,
    Column("collector", String(32), primary_key=True),
    Column("case_id", String(64), primary_key=True),
    Column("events", Integer, nullable=False),
    sqlite_with_rowid=False,
)

collector = Table(
    "collector",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("sequence", BigInteger, nullable=False),  # of its last report
)

confirmation = Table(  # a person's words on unclear outcomes (人工确认)
    "confirmation",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("message", String(26), nullable=False),
    Column("case_id", String(64), nullable=False),
    Column("word", String(16), nullable=False),  # there | not_there
    Column("operator", String(32), nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # the statement whose digest the leaf holds
    Column("leaf", BigInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Index("confirmation_case", "case_id"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("party", String(64), primary_key=True),
    Column("key", String(160), primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("message", String(26), nullable=False),
    sqlite_with_rowid=False,
)

nonce = Table(
    "nonce",
    metadata,
    Column("caller", String(64), primary_key=True),
    Column("nonce", String(64), primary_key=True),
    Column("expires_ms", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

alias = Table(
    "alias",
    metadata,
    Column("number", String(64), primary_key=True),  # either side's number for a case
    Column("platform", String(64), primary_key=True),
    Column("case_id", String(64), nullable=False),
    sqlite_with_rowid=False,
)

part = Table(
    "part",
    metadata,
    Column("owner", String(64), primary_key=True),  # platform:<id> | peer:<party>
    Column("sm3", String(64), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)

case_part = Table(
    "case_part",
    metadata,
    Column("case_id", String(64), primary_key=True),
    Column("sm3", String(64), primary_key=True),
    Column("owner", String(64), primary_key=True),
    Index("case_part_file", "sm3", "owner"),
    sqlite_with_rowid=False,
)

destination = Table(
    "destination",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("attempt", Integer, nullable=False),
    Column("next_ms", BigInteger, nullable=False),
    Column("cause", String(256), nullable=False),
)

part_sent = Table(
    "part_sent",
    metadata,
    Column("peer", String(64), primary_key=True),
    Column("sm3", String(64), primary_key=True),
    sqlite_with_rowid=False,
)

peer = Table(
    "peer",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("state", String(16), nullable=False),  # active | paused
    Column("cause", String(256), nullable=False),
    Column("held", Text, nullable=False),  # text of the last checkpoint of theirs that we hold
    Column("held_size", BigInteger, nullable=False),
    Column("held_key", String(64), nullable=False),
    Column("held_signature", LargeBinary, nullable=False),
    Column("told", BigInteger, nullable=False),  # size of ours that they said they hold
)

card = Table(  # every version of every party's card that was ever held, ours among them
    "card",
    metadata,
    Column("party", String(32), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),  # the signed card
    Column("leaf", BigInteger, nullable=False),  # our entry for taking it in
    Column("at_ms", BigInteger, nullable=False),
)

card_told = Table(  # the newest card of ours that a partner holds
    "card_told",
    metadata,
    Column("peer", String(32), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("proof", LargeBinary),  # JSON: its ledger's proof of having taken it in; none where it fetched by itself
    Column("at_ms", BigInteger, nullable=False),
)

blind = Table(
    "blind",
    metadata,
    Column("value", LargeBinary, primary_key=True),  # HMAC-SM3 of an identity number
    Column("case_id", String(64), primary_key=True),
    sqlite_with_rowid=False,
)

certificate = Table(  # every version of every certificate that we issued (电子证照), by an id of ours
    "certificate",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("series", String(128), nullable=False),  # identifier without version and check character
    Column("version", Integer, nullable=False),
    Column("identifier", String(160), nullable=False),
    Column("type_code", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("platform", String(32), nullable=False),  # who had it issued
    Column("case_id", String(64), nullable=False),  # whose result it is, if any
    Column("holder", LargeBinary, nullable=False),  # HMAC-SM3 of the holder's code
    Column("token", LargeBinary, nullable=False),  # SM3 of the token in its QR code
    Column("valid_from", String(10), nullable=False),  # a date; valid_to: the last day, none if empty
    Column("valid_to", String(10), nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # what it is printed from
    Column("file", String(64), nullable=False),  # SM3 of the OFD; empty while it has no stamp
    Column("file_size", BigInteger, nullable=False),
    Column("events", Integer, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    Index("certificate_identifier", "identifier", unique=True),
    Index("certificate_series", "series", "version", unique=True),
    Index("certificate_token", "token", unique=True),
    Index("certificate_holder", "holder", "type_code"),
    Index("certificate_term", "state", "valid_to"),
    Index("certificate_file", "file"),
)

certificate_permit = Table(  # the permits on one certificate, each with a life of its own
    "certificate_permit",
    metadata,
    Column("certificate", String(26), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("n", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("valid_from", String(10), nullable=False),
    Column("valid_to", String(10), nullable=False),
)

certificate_event = Table(
    "certificate_event",
    metadata,
    Column("certificate", String(26), primary_key=True),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("id", String(26), nullable=False),  # of the act; the ledger's leaf bears it
    Column("event", String(16), nullable=False),
    Column("permit", String(64), nullable=False),  # the one it concerns; empty: the whole certificate
    Column("state", String(16), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("by", String(64), nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # the statement whose digest the leaf holds
    Column("leaf", BigInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Index("certificate_act", "id", unique=True),
)

certificate_copy = Table(  # annotated copies (加注件) for relying parties
    "certificate_copy",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("certificate", String(26), nullable=False),
    Column("state", String(16), nullable=False),  # stamping | valid | dropped
    Column("relying_party", String(64), nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # the annotation
    Column("file", String(64), nullable=False),
    Column("file_size", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Index("certificate_copies", "certificate"),
)

use_code = Table(  # use codes (用证码): one certificate, one case, one item, one requester, once
    "use_code",
    metadata,
    Column("digest", LargeBinary, primary_key=True),  # SM3 of the code; the code itself is nowhere
    Column("id", String(26), nullable=False),
    Column("state", String(16), nullable=False),
    Column("platform", String(32), nullable=False),  # the requester
    Column("source", String(32), nullable=False),
    Column("case_number", String(64), nullable=False),
    Column("item", String(128), nullable=False),
    Column("type_code", String(64), nullable=False),
    Column("identifier", String(160), nullable=False),
    Column("holder", LargeBinary, nullable=False),  # HMAC-SM3 of the holder's code
    Column("expires_ms", BigInteger, nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # holder, cause, the source's own ticket
    Column("status", String(16), nullable=False),  # how the certificate stood when it was fetched …
    Column("status_ms", BigInteger, nullable=False),  # … and when that was
    Column("seen", LargeBinary, nullable=False),  # sealed: what the file says
    Column("file", String(64), nullable=False),  # SM3 of the OFD
    Column("file_size", BigInteger, nullable=False),
    Column("reason", String(64), nullable=False),  # why it failed
    Column("message", String(26), nullable=False),  # the application that it was spent on
    Column("material", String(256), nullable=False),  # in whose place it stands
    Column("filled", Integer, nullable=False),  # fields of the form that it filled
    Column("attempts", Integer, nullable=False),  # to bring a certificate that a case waits for, in vain
    Column("created_ms", BigInteger, nullable=False),
    Index("use_code_message", "message"),
    Index("use_code_id", "id", unique=True),
)

certificate_use = Table(  # who asked what about whom, for what, and what was answered (谁查了谁)
    "certificate_use",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("act", String(16), nullable=False),  # query | authorise | fetch | verify | use
    Column("platform", String(32), nullable=False),
    Column("case_number", String(64), nullable=False),
    Column("item", String(128), nullable=False),
    Column("type_code", String(64), nullable=False),
    Column("holder", LargeBinary, nullable=False),  # HMAC-SM3 of the holder's code; empty where none was named
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("asked", LargeBinary, nullable=False),  # sealed: the statement whose digest the leaf holds
    Column("leaf", BigInteger, nullable=False),
    Column("outcome", String(32), nullable=False),  # empty until it is known
    Column("answered", LargeBinary, nullable=False),  # sealed likewise
    Column("answer_leaf", BigInteger),
    Column("at_ms", BigInteger, nullable=False),
    Index("certificate_use_holder", "holder"),
    Index("certificate_use_case", "case_number"),
)

inquiry = Table(  # questions about certificates between gateways (证照查验)
    "inquiry",
    metadata,
    Column("id", String(26), primary_key=True),  # of the message that asks
    Column("side", String(8), nullable=False),  # asked by us | heard by us
    Column("counterpart", String(32), nullable=False),
    Column("platform", String(32), nullable=False),  # who asked here, or who had the certificate issued
    Column("certificate", String(26), nullable=False),  # of ours; empty: somebody else's, or none
    Column("agreement", String(128), nullable=False),
    Column("agreement_version", Integer, nullable=False),
    Column("purpose", String(256), nullable=False),
    Column("state", String(16), nullable=False),  # pending | answered | refused
    Column("outcome", String(16), nullable=False),
    Column("problem", String(16), nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("question", LargeBinary, nullable=False),  # sealed: who scanned what, where, for what
    Column("answer", LargeBinary, nullable=False),  # sealed; empty while there is none
    Column("leaf", BigInteger, nullable=False),  # our entry for taking the question in
    Column("created_ms", BigInteger, nullable=False),
    Column("answered_ms", BigInteger, nullable=False),
    Index("inquiry_certificate", "certificate", "leaf"),
    Index("inquiry_platform", "platform", "side", "leaf"),
)

"""One act on a certificate of ours: the table's word, a row of its history, a statement, and the ledger's leaf over that.

The statement (陈述) is what a third party can be shown: the answer to every act carries it with the leaf's proof, and
``entry_digest("certificate", act id, SM3(statement))`` is the leaf. It names no holder.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from gateway.core import ecert
from gateway.core.ecert import By, Event, Standing, State
from gateway.flow import issued
from gateway.flow.accept import spend_nonce
from gateway.flow.issued import Issued, Step
from gateway.ledger.checkpoint import entry_digest
from gateway.problems import Refused
from gateway.store.journal import Reader, Tx
from gateway.store.vault import Vault
from schemas.canonical import Result, ResultDocument
from signing.sm3 import sm3

FORMAT = "tongban/v1/certificate-act"
ISSUE = "issue"
CODES: dict[str, str] = {"late": "TB-7004", "not-yours": "TB-7004", "reason-needed": "TB-7010", "expired": "TB-7014"}
# How a certificate that is not valid is refused where a valid one is wanted: never by one word for all.
NOT_VALID: dict[Standing, str] = {
    Standing.STAMPING: "TB-7006",
    Standing.DROPPED: "TB-7001",
    Standing.EXPIRED: "TB-7014",
    Standing.LAPSED: "TB-7019",
    Standing.SUSPENDED: "TB-7015",
    Standing.REVOKED: "TB-7016",
    Standing.WITHDRAWN: "TB-7016",
    Standing.CANCELLED: "TB-7016",
    Standing.SUPERSEDED: "TB-7017",
    Standing.NOT_YET: "TB-7018",
}


class Statement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What was done to which certificate. ``file``: SM3 of the OFD that the act made; ``state``: after it; ``fields``: names of
    those that were given to the relying party, under the line of the agreement that is named."""

    format: str
    act: str
    identifier: str
    event: str
    state: str
    by: str
    at_ms: int
    permit: str = ""
    reason: str = ""
    note: str = ""
    file: str = ""
    case: str = ""
    supersedes: str = ""
    relying_party: str = ""
    expires_ms: int = 0
    agreement: str = ""
    agreement_version: int = 0
    clause: str = ""
    use: str = ""
    purpose: str = ""
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who acts. ``owner``: namespace of numbers and nonces; ``platform``: whose certificates it may act on, all if empty."""

    owner: str
    platform: str
    nonce: str = ""
    until_ms: int = 0


@dataclass(frozen=True, slots=True)
class Once:
    """The caller's own number for an act and the digest of what was said, so that a repetition is one and another is not."""

    caller: Caller
    number: str
    fingerprint: bytes

    @property
    def key(self) -> str:
        """As the store knows it."""
        return f"certificate:{self.number}"

    def known(self, tx: Reader) -> str | None:
        """The act that this number already stands for; ``Refused('TB-5003')`` if it said something else."""
        row = tx.one("SELECT digest, message FROM idempotency WHERE party = ? AND key = ?", self.caller.owner, self.key)
        if row is not None and row[0] != self.fingerprint:
            raise Refused("TB-5003")
        return None if row is None else str(row[1])

    def begin(self, tx: Tx) -> str | None:
        """Spend the request's nonce; the act that a repetition repeats."""
        spend_nonce(tx, self.caller.owner, self.caller.nonce, self.caller.until_ms)
        return self.known(tx)

    def end(self, tx: Tx, act: str) -> None:
        """From now on the number stands for this act."""
        tx.run(
            "INSERT INTO idempotency (party, key, digest, message) VALUES (?,?,?,?)",
            self.caller.owner, self.key, self.fingerprint, act,
        )  # fmt: skip


def statement(row: Issued, event: str, state: State, at_ms: int, by: str, act: str) -> Statement:
    """What every statement says."""
    return Statement(
        format=FORMAT, act=act, identifier=row.identifier, event=str(event), state=state.value, by=by, at_ms=at_ms
    )


def enact(tx: Tx, vault: Vault, row: Issued, said: Statement) -> None:
    """Record an act and put its statement into the ledger. What it does to the state was decided before."""
    count = tx.one("SELECT events FROM certificate WHERE id = ?", row.id)
    data = encode(said)
    leaf = tx.leaf("certificate", said.act, entry_digest("certificate", said.act, sm3(data)))
    step = Step(
        1 if count is None else int(count[0]) + 1, said.act, said.event, said.permit, said.state, said.reason, said.by,
        leaf, said.at_ms,
    )  # fmt: skip
    sealed = vault.seal(vault.unwrap(row.wrapped_key), data, issued.statement_label(said.act))
    issued.record(tx, step, row.id, sealed)


def state_after(tx: Reader, row: Issued, event: Event, by: By, reason: str, at_ms: int, permit: str = "") -> State:
    """The table's word on an act on the whole certificate, or on one of its permits. Raises ``Refused``."""
    state, term = State(row.state), row.term
    if permit:
        if event not in ecert.OF_A_PERMIT:
            raise Refused("TB-7004", f"“{ecert.ACTS[event][0]}”不能只对一项许可作出")
        if state not in (State.VALID, State.SUSPENDED):
            raise _refusal(ecert.NotAllowed(state, event, "late"))
        one = next((found for found in issued.permits(tx, row.id) if found.id == permit), None)
        if one is None:
            raise Refused("TB-7009")
        state, term = State(one.state), one.term
    outcome = ecert.advance(state, event, by, reason=reason, in_term=not term.over(issued.day(at_ms)))
    if isinstance(outcome, ecert.NotAllowed):
        raise _refusal(outcome)
    return outcome.next


def found_for(tx: Reader, caller: Caller, identifier: str) -> Issued:
    """The certificate that a caller may act on; another platform's is none (``TB-7001``)."""
    row = issued.by_identifier(tx, identifier)
    if row is None or caller.platform not in ("", row.platform):
        raise Refused("TB-7001")
    return row


def must_be_valid(tx: Reader, row: Issued, at_ms: int) -> None:
    """Refuse, each by its own code, what is not valid at a time."""
    stood = issued.stands(tx, row, at_ms)
    standing = Standing.STAMPING if stood is None else stood.standing
    if standing not in ecert.GOOD:
        raise Refused(NOT_VALID[standing], ecert.NAMES[standing][0])


def identified(tx: Reader, platform: str, result: Result, at_ms: int) -> Result:
    """A result whose documents are certificates of ours names them; one that is not valid is no result (refused)."""
    return msgspec.structs.replace(
        result, documents=[_identified(tx, platform, one, at_ms) for one in result.documents]
    )  # fmt: skip


def _identified(tx: Reader, platform: str, document: ResultDocument, at_ms: int) -> ResultDocument:
    row = issued.by_file(tx, document.document.sm3)
    if row is None or row.platform != platform:
        return document
    if document.identifier not in ("", row.identifier):
        raise Refused("TB-7003", f"{document.name}：证照标识与文件不符")
    must_be_valid(tx, row, at_ms)
    return msgspec.structs.replace(document, identifier=row.identifier)


def statement_of(tx: Reader, vault: Vault, act: str) -> tuple[bytes, int] | None:
    """A recorded statement's bytes and its leaf."""
    row = tx.one(
        "SELECT e.sealed, e.leaf, c.wrapped_key FROM certificate_event e JOIN certificate c ON c.id = e.certificate "
        "WHERE e.id = ?", act,
    )  # fmt: skip
    if row is None:
        return None
    return vault.open(vault.unwrap(row[2]), row[0], issued.statement_label(act)), int(row[1])


def told(tx: Reader, vault: Vault, row: Issued, at_ms: int) -> dict[str, Any]:
    """How a certificate stood at a time, in words and codes, for its issuer; no word of its holder."""
    stood = issued.stands(tx, row, at_ms)
    if stood is None:
        raise Refused("TB-7001")
    names = {one.id: one.name for one in issued.metadata(vault, row).permits}
    return {
        "identifier": row.identifier, "version": row.version, "type": row.type_code, **words(stood.standing),
        "valid_from": row.valid_from, "valid_to": row.valid_to or None,
        "latest": (issued.newest(tx, row.series, stamped=True) or row).identifier,
        "permits": [{"id": one, "name": names[one], **words(standing)} for one, standing in stood.permits.items()],
        "file": {"sm3": row.file, "size": row.file_size} if row.file else None,
        "history": [
            {"event": one.event, "permit": one.permit, "state": one.state, "reason": one.reason, "at_ms": one.at_ms}
            for one in issued.history(tx, row.id)
        ],
    }  # fmt: skip


def words(standing: Standing) -> dict[str, str]:
    """A standing as its word, its code and its names."""
    zh, en = ecert.NAMES[standing]
    return {"status": standing.value, "status_code": ecert.STATUS_CODES[standing], "text": zh, "text_en": en}


def encode(said: Statement) -> bytes:
    """The statement's bytes, one form for one statement."""
    return msgspec.json.encode(said, order="sorted")


def _refusal(outcome: ecert.NotAllowed) -> Refused:
    return Refused(CODES[outcome.reason], outcome.zh)

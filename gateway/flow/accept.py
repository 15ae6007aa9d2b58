"""Accept what a local platform says about a case (收件, 补正, 受理, 决定 …): one transaction, committed before it is answered.

The collecting side's platform hands in applications, corrections, arrivals and deliveries; the handling side's platform
reports what it did. Each act becomes one message to the other side. Which power lets which side do what is the case
table's word; whether a case may go there at all is the agreement's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from adapters.base import Act
from agreements.match import Refusal, Route
from gateway.core import case as machine
from gateway.exchange.message import PartRef
from gateway.flow import casefile, post, unclear
from gateway.flow.casefile import CaseFile
from gateway.flow.spend import spend
from gateway.ledger.checkpoint import entry_digest
from gateway.problems import CODES, Refused
from gateway.store.journal import IntegrityError, Tx, Work
from gateway.store.vault import Vault
from schemas import codec
from schemas.canonical import Application, Correction
from signing.sm3 import sm3

COLLECTING, HANDLING = machine.Actor.COLLECTING, machine.Actor.HANDLING


@dataclass(frozen=True, slots=True)
class Deed:
    """An authenticated act of a local platform. ``original`` are its bytes; ``nonce`` is spent in the same transaction.

    ``fingerprint`` is the digest of what the platform said, in canonical form: a repetition has the same, whatever the
    gateway added to the body since (a stamp). ``mapping`` names the version of the mapping that made the canonical form.
    """

    platform: str
    act: Act
    canonical: bytes
    fingerprint: bytes
    original: bytes
    nonce: str = ""
    nonce_until_ms: int = 0
    mapping: str = ""

    @property
    def owner(self) -> str:
        """The namespace of this platform's idempotency keys, nonces and uploads."""
        return f"platform:{self.platform}"


def deed_of(platform: str, act: Act, original: bytes, nonce: str = "", until_ms: int = 0, mapping: str = "") -> Deed:
    """The deed of an authenticated platform; its translator has checked the body."""
    canonical = codec.canonical(act.body)
    return Deed(platform, act, canonical, sm3(act.type.encode(), b"\n", canonical), original, nonce, until_ms, mapping)


class Taken(NamedTuple):
    """What the platform is told: our message id, the case, the ledger leaf that proves it, and whether it is a repetition."""

    message: str
    case: CaseFile
    leaf: int
    received_ms: int
    duplicate: bool


def accept(
    deed: Deed, route: Route | Refusal | None, *, party: str, vault: Vault, new_id: Callable[[], str], via: str = ""
) -> Work[Taken]:
    """The work that takes a deed in. ``route`` is the agreement's decision for an application, None for other acts.

    ``via``: a destination that works on the message before it goes to the partner.
    """

    def work(tx: Tx) -> Taken:
        spend_nonce(tx, deed.owner, deed.nonce, deed.nonce_until_ms)
        known = _repeated(tx, deed)
        if known is not None:
            return known
        message = new_id()
        if isinstance(deed.act.body, Application):
            case = _new_case(deed, deed.act.body, _allowed(route), party, vault, message, new_id, tx.now_ms)
            casefile.open_case(tx, case)
            casefile.record(
                tx,
                case.id,
                1,
                machine.Event.COLLECT,
                machine.State.COLLECTED,
                COLLECTING,
                message,
                _at_ms(deed.act.body),
            )
            for number in _identity_numbers(deed.act.body):
                tx.run("INSERT INTO blind (value, case_id) VALUES (?,?)", vault.blind(number), case.id)
        else:
            case = _known_case(tx, deed)
            _apply(tx, case, deed.act, message)
        parts = post.parts_of(deed.act.body)
        _bind_parts(tx, deed, case, parts)
        if isinstance(deed.act.body, Application | Correction):
            spend(tx, vault, party, case, deed.act.body, message)
        leaf = tx.leaf("platform", message, entry_digest("platform", message, sm3(deed.original)))
        key = vault.unwrap(case.wrapped_key)
        post.put(
            tx, id=message, case_id=case.id, direction=post.OUT, type=deed.act.type, act=deed.act.id, leaf=leaf, parts=parts,
            sealed=vault.seal(key, deed.canonical, post.body_label(message)),
            original=vault.seal(key, deed.original, post.original_label(message)), mapping=deed.mapping,
        )  # fmt: skip
        post.queue(tx, message, via or f"peer:{case.counterpart}", case.id)
        tx.run(
            "INSERT INTO idempotency (party, key, digest, message) VALUES (?,?,?,?)",
            deed.owner, key_of(deed), deed.fingerprint, message,
        )  # fmt: skip
        return Taken(message, case, leaf, tx.now_ms, False)

    return work


def refuse(deed: Deed, refused: Refused, message: str) -> Work[int]:
    """A signed refusal of an authenticated act: its leaf's index. The refused bytes are not kept, only their digest."""

    def work(tx: Tx) -> int:
        digest = sm3(sm3(deed.original), refused.code.encode())
        return tx.leaf("refused", message, entry_digest("refused", message, digest))

    return work


def spend_nonce(tx: Tx, caller: str, nonce: str, until_ms: int) -> None:
    """Use a nonce up, once and for ever within its window; raises ``Refused`` on a replay."""
    if not nonce:
        return
    try:
        tx.run("INSERT INTO nonce (caller, nonce, expires_ms) VALUES (?,?,?)", caller, nonce, until_ms)
    except IntegrityError:
        raise Refused("TB-2005") from None


def key_of(deed: Deed) -> str:
    """What makes two deeds the same: the case number for an application, the platform's act id for the rest."""
    body = deed.act.body
    return f"case:{body.case_number}" if isinstance(body, Application) else f"act:{deed.act.id}"


def _repeated(tx: Tx, deed: Deed) -> Taken | None:
    row = tx.one(
        "SELECT i.digest, m.id, m.case_id, m.leaf, m.created_ms FROM idempotency i JOIN message m ON m.id = i.message "
        "WHERE i.party = ? AND i.key = ?",
        deed.owner, key_of(deed),
    )  # fmt: skip
    if row is None:
        return None
    digest, message, case_id, leaf, created_ms = row
    if digest != deed.fingerprint:
        raise Refused("TB-5003")
    case = casefile.load(tx, case_id)
    return None if case is None else Taken(message, case, leaf, created_ms, True)


def _allowed(route: Route | Refusal | None) -> Route:
    if isinstance(route, Route):
        return route
    if route is None:
        raise Refused("TB-4101")
    raise Refused(CODES.get(route.code, "TB-4101"), route.zh, route.clause)


def _new_case(
    deed: Deed,
    application: Application,
    route: Route,
    party: str,
    vault: Vault,
    message: str,
    new_id: Callable[[], str],
    now_ms: int,
) -> CaseFile:
    _, wrapped = vault.new_key()
    return CaseFile(
        id=f"{party}/{new_id()}", role=COLLECTING.value, state=machine.State.COLLECTED.value, counterpart=route.handling,
        platform=deed.platform, agreement=route.agreement, agreement_version=route.version, clause=route.clause,
        item=application.item, item_name=application.item_name, purpose=application.purpose,
        legal_basis=application.legal_basis, case_number=application.case_number, local_number="", wrapped_key=wrapped,
        seq_out=0, seq_in=0, events=1, created_ms=now_ms, updated_ms=now_ms,
    )  # fmt: skip


def _known_case(tx: Tx, deed: Deed) -> CaseFile:
    case = casefile.find(tx, deed.platform, deed.act.case)
    if case is None:
        raise Refused("TB-5001")
    if deed.act.local_number and deed.act.local_number != case.local_number:
        casefile.name(tx, case, deed.act.local_number)
        tx.run("UPDATE case_file SET local_number = ? WHERE id = ?", deed.act.local_number, case.id)
    return case


def _apply(tx: Tx, case: CaseFile, act: Act, message: str) -> None:
    by = machine.Actor(case.role)
    event = event_of(act.type, act.body)
    if by is COLLECTING and machine.moves_on_receipt(act.type):
        casefile.check(case, event, by)  # our copy moves when the handling side's receipt is in
        _one_at_a_time(tx, case, act.type)
    else:
        casefile.move(tx, case, event, by, message, _at_ms(act.body))
        if by is HANDLING:
            unclear.acted(tx, case)


def _one_at_a_time(tx: Tx, case: CaseFile, type_: str) -> None:
    """A second correction while the first is unanswered could be taken for the answer to a later request."""
    under_way = tx.one(
        "SELECT 1 FROM message m JOIN delivery d ON d.message = m.id WHERE m.case_id = ? AND m.type = ? "
        "AND m.direction = 'out' AND d.destination NOT LIKE 'platform:%' AND d.state NOT IN ('delivered','refused','given_up')",
        case.id, type_,
    )  # fmt: skip
    if under_way is not None:
        raise Refused("TB-5006", f"{case.state} × {type_}", early=True)


def event_of(type_: str, body: Any) -> machine.Event:
    """The case event that a message of this type and outcome causes."""
    return machine.EVENT_OF_MESSAGE[(type_, getattr(body, "outcome", ""))]


def _bind_parts(tx: Tx, deed: Deed, case: CaseFile, parts: tuple[PartRef, ...]) -> None:
    """Every file the act names must have been uploaded whole by this platform; it belongs to the case from now on."""
    for part in parts:
        if not post.has_part(tx, deed.owner, part):
            raise Refused("TB-6003", part.name)
        post.bind_part(tx, case.id, deed.owner, part.sm3)


def _identity_numbers(application: Application) -> set[str]:
    people = (application.applicant.party, application.applicant.agent)
    return {person.id_number for person in people if person is not None}


def _at_ms(body: Any) -> int:
    at = body.collected_at if isinstance(body, Application) else body.at
    return at_ms(at)


def at_ms(at: datetime) -> int:
    """A time as milliseconds since 1970."""
    return int(at.astimezone(UTC).timestamp() * 1000)


def with_body(deed: Deed, body: Any) -> Deed:
    """The same deed with another canonical body (a result that has been stamped)."""
    act = deed.act
    changed = Act(act.type, act.case, act.id, body, act.local_number, act.parts)
    return replace(deed, act=changed, canonical=codec.encode(body))

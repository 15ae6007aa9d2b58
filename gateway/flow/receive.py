"""Receive a partner's messages: each judged on its own, recorded with its answer in the group's one transaction.

First everything is read and judged, then everything is written, so a refusal leaves nothing half-done. A message id seen
before gets its first answer again; the same id with another digest is a conflict. What comes too early (a gap in the
sequence, a state that its sender's other message has yet to bring about) is answered ``retry_later`` and stays with its
sender, which holds back that one case only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from agreements.match import Refusal, Route
from gateway.core import case as machine
from gateway.exchange.message import Header
from gateway.exchange.sealing import Content
from gateway.exchange.wire import Status
from gateway.flow import casefile, post
from gateway.flow.accept import COLLECTING, HANDLING, at_ms, event_of
from gateway.flow.casefile import CaseFile
from gateway.ledger.checkpoint import SignedCheckpoint, entry_digest
from gateway.problems import CODES, Refused
from gateway.store.journal import Tx, Work
from gateway.store.vault import Vault
from schemas.canonical import Application, Correction
from signing.sm3 import sm3


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message whose sender's proof holds. ``content`` in clear; ``body`` is its canonical struct, or the refusal it earned
    when it was opened or decoded. ``complete``: all its parts were here when it was judged.

    ``route`` is our own agreement's decision on an application; ``verdict`` a refusal that needed more than the store
    to find (a result whose stamp is bad).
    """

    header: Header
    header_bytes: bytes
    digest: bytes
    content: Content
    body: Any
    proof: bytes
    complete: bool
    route: Route | Refusal | None = None
    verdict: Refused | None = None


class Answered(NamedTuple):
    """``status`` as on the wire; ``leaf`` proves a receipt or a refusal; ``stored`` when it is an answer given before."""

    id: str
    status: Status
    leaf: int | None = None
    problem: Refused | None = None
    missing: tuple[str, ...] = ()
    expected: int = 0
    stored: bool = False


def receive(incoming: Incoming, *, platform: Callable[[str], str], vault: Vault) -> Work[Answered]:
    """The work that takes one message in. ``platform``: item -> the local platform that a new case goes to ("" = none)."""
    header = incoming.header

    def work(tx: Tx) -> Answered:
        before = answered_before(tx, incoming)
        if before is not None:
            return before
        try:
            case = _judge(tx, incoming)
            missing = _missing_parts(tx, header)
            if missing:
                return Answered(header.id, "awaiting_parts", missing=missing)
            if not incoming.complete:
                raise Refused("TB-6006", early=True)  # the last part came meanwhile, and nobody has looked at it
            if incoming.verdict is not None:
                raise incoming.verdict
            if isinstance(incoming.body, Application):
                case = _new_case(tx, incoming, platform(header.item), vault)
        except Refused as refused:
            if refused.extra.get("early"):
                return Answered(
                    header.id, "retry_later", problem=refused, expected=int(str(refused.extra.get("seq", 0)))
                )
            return refuse(tx, incoming, refused, vault)
        return _take(tx, incoming, case, vault)

    return work


def observe(sender: str, checkpoint: SignedCheckpoint, size: int, told: int) -> Work[None]:
    """Log the partner's checkpoint as a leaf of ours and remember it as the last one held; ``told``: ours they hold."""
    origin = checkpoint.text.split("\n", 2)[1]

    def work(tx: Tx) -> None:
        tx.leaf("observed", origin, entry_digest("observed", origin, sm3(checkpoint.text.encode())))
        tx.run("UPDATE peer SET told = ? WHERE id = ? AND told < ?", told, sender, told)
        tx.run(
            "UPDATE peer SET held = ?, held_key = ?, held_signature = ?, held_size = ? WHERE id = ? AND held_size <= ?",
            checkpoint.text, checkpoint.key, checkpoint.signature, size, sender, size,
        )  # fmt: skip

    return work


def answered_before(tx: Tx, incoming: Incoming) -> Answered | None:
    """The answer that this message id has had; None for a new one. The same id with another digest is a conflict."""
    row = tx.one("SELECT header, status, problem, leaf FROM message WHERE id = ?", incoming.header.id)
    if row is None:
        return None
    header, status, problem, leaf = row
    if header != incoming.header_bytes:
        return Answered(incoming.header.id, "refused", problem=Refused("TB-5003"))
    if status == "refused":
        return Answered(incoming.header.id, "refused", leaf, Refused(problem), stored=True)
    return Answered(incoming.header.id, "receipt", leaf, stored=True)


def _judge(tx: Tx, incoming: Incoming) -> CaseFile | None:
    """Everything that can be said without writing; the case, or None for an application."""
    header = incoming.header
    if header.expires < tx.now_ms:
        raise Refused("TB-5005")
    case = casefile.load(tx, header.case)
    if case is not None and case.counterpart != header.sender:
        raise Refused("TB-5001")
    expected = 1 if case is None else case.seq_in + 1
    if header.seq > expected:
        raise Refused("TB-5006", early=True, seq=expected)
    if header.seq < expected:
        raise Refused("TB-5003", "seq")
    if isinstance(incoming.body, Refused):
        raise incoming.body
    if isinstance(incoming.body, Application | Correction) and not certificates_whole(incoming.body):
        raise Refused("TB-1005", "certificates")
    if isinstance(incoming.body, Application):
        _judge_application(incoming, case)
        return None
    if case is None:
        raise Refused("TB-5001")
    if (header.agreement, header.agreement_version) != (case.agreement, case.agreement_version):
        raise Refused("TB-4110")
    casefile.check(case, event_of(header.type, incoming.body), _sender_side(case))
    return case


def _judge_application(incoming: Incoming, case: CaseFile | None) -> None:
    header, route = incoming.header, incoming.route
    if case is not None:
        raise Refused("TB-5003")
    if not header.case.startswith(header.sender + "/"):
        raise Refused("TB-2009")
    if isinstance(route, Refusal):
        raise Refused(CODES.get(route.code, "TB-4101"), route.zh, route.clause)
    if route is None or (route.agreement, route.version) != (header.agreement, header.agreement_version):
        raise Refused("TB-4110")


def certificates_whole(body: Application | Correction) -> bool:
    """Whether each certificate in a material's place is there as a file, or said not to be had: none is still to come."""
    files = {one.certificate_identifier for one in body.materials}
    return all(
        one.outcome == "failed" or (one.outcome == "verified" and one.identifier in files) for one in body.certificates
    )


def _missing_parts(tx: Tx, header: Header) -> tuple[str, ...]:
    owner = f"peer:{header.sender}"
    return tuple(part.sm3 for part in header.parts if not post.has_part(tx, owner, part))


def _new_case(tx: Tx, incoming: Incoming, platform: str, vault: Vault) -> CaseFile:
    header, application, route = incoming.header, incoming.body, incoming.route
    assert isinstance(route, Route)  # noqa: S101 - _judge_application made sure
    _, wrapped = vault.new_key()
    case = CaseFile(
        id=header.case, role=HANDLING.value, state=machine.State.RECEIVED_THERE.value, counterpart=header.sender,
        platform=platform, agreement=route.agreement, agreement_version=route.version, clause=route.clause,
        item=header.item, item_name=application.item_name, purpose=header.purpose, legal_basis=header.legal_basis,
        case_number=application.case_number, local_number="", wrapped_key=wrapped, seq_out=0, seq_in=0, events=1,
        created_ms=tx.now_ms, updated_ms=tx.now_ms,
    )  # fmt: skip
    casefile.open_case(tx, case)
    people = (application.applicant.party, application.applicant.agent)
    for number in {person.id_number for person in people if person is not None}:
        tx.run("INSERT INTO blind (value, case_id) VALUES (?,?)", vault.blind(number), case.id)
    event, state = machine.Event.RECEIVE, machine.State.RECEIVED_THERE
    casefile.record(tx, case.id, 1, event, state, COLLECTING, header.id, at_ms(application.collected_at))
    return case


def _take(tx: Tx, incoming: Incoming, case: CaseFile | None, vault: Vault) -> Answered:
    header = incoming.header
    assert case is not None  # noqa: S101 - _judge and _new_case give one or refuse
    if not isinstance(incoming.body, Application):
        event = event_of(header.type, incoming.body)
        casefile.move(tx, case, event, _sender_side(case), header.id, at_ms(incoming.body.at))
    owner, content = f"peer:{header.sender}", incoming.content
    if content.key:
        _put_opened_parts(tx, owner, incoming)
    for part in content.enclosure.parts:
        post.bind_part(tx, case.id, owner, part.sm3)
    casefile.learn_number(tx, case, content.enclosure.alias)
    tx.run("UPDATE case_file SET seq_in = ? WHERE id = ?", header.seq, case.id)
    leaf = tx.leaf("accepted", header.id, entry_digest("accepted", header.id, incoming.digest))
    key = vault.unwrap(case.wrapped_key)
    post.put(
        tx, id=header.id, case_id=case.id, direction=post.IN, type=header.type, act=header.key, seq=header.seq,
        header=incoming.header_bytes, parts=content.enclosure.parts, proof=incoming.proof, leaf=leaf,
        sealed=vault.seal(key, content.body, post.body_label(header.id)),
        secret=vault.seal(key, content.secret, post.secret_label(header.id)) if content.secret else None,
    )  # fmt: skip
    if case.platform:
        post.queue(tx, header.id, f"platform:{case.platform}", case.id)
    return Answered(header.id, "receipt", leaf)


def _put_opened_parts(tx: Tx, owner: str, incoming: Incoming) -> None:
    """The files count under their own digests from now on; what they came in has done its work."""
    for outer, inner in zip(incoming.header.parts, incoming.content.enclosure.parts, strict=True):
        post.register_part(tx, owner, inner.sm3, inner.size)
        tx.run("DELETE FROM part WHERE owner = ? AND sm3 = ?", owner, outer.sm3)


def refuse(tx: Tx, incoming: Incoming, refused: Refused, vault: Vault) -> Answered:
    """A refusal is final for this message id and uses up its place in the sequence; it is a leaf like a receipt."""
    header = incoming.header
    digest = sm3(incoming.digest, refused.code.encode())
    leaf = tx.leaf("refused", header.id, entry_digest("refused", header.id, digest))
    key, _ = vault.new_key()  # nobody keeps this key: the refused body is not for reading
    post.put(
        tx, id=header.id, case_id=header.case, direction=post.IN, type=header.type, act=header.key, seq=header.seq,
        header=incoming.header_bytes, proof=incoming.proof, leaf=leaf, status="refused", problem=refused.code,
        sealed=vault.seal(key, b"", post.body_label(header.id)),
    )  # fmt: skip
    case = casefile.load(tx, header.case)
    if case is not None and case.counterpart == header.sender and header.seq == case.seq_in + 1:
        tx.run("UPDATE case_file SET seq_in = ? WHERE id = ?", header.seq, case.id)
    return Answered(header.id, "refused", leaf, refused)


def _sender_side(case: CaseFile) -> machine.Actor:
    """The side that the other party of this case stands on."""
    return HANDLING if case.role == COLLECTING.value else COLLECTING

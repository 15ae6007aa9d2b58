"""The evidence package of a case, made from a node's store (证据包导出): what both sides said, proved, without the node.

Of the case come: both cards with their roots, revocation lists, the agreement, every message that left or arrived with both
ledgers' proofs, the local platform's acts as digests with the mapping that made each message, results with their stamps, the
walk as this node saw it. What says more than that stays a digest unless it is asked for (P09): the applicant's materials, and
the local platform's originals, which may hold files and fields that went to nobody. The body of a message we refused is not
kept, so of it only the header and our signed refusal are there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from agreements import load as agreements
from gateway.config import Config, ConfigError
from gateway.core.case import EVENT_OF_MESSAGE
from gateway.exchange.message import PartRef
from gateway.exchange.trail import naming
from gateway.flow import casefile, post, show
from gateway.flow.casefile import CaseFile
from gateway.flow.confirm import statement_bytes
from gateway.flow.freeze import as_sent, read_content
from gateway.ground import Ground, ground
from gateway.ids import now_ms
from gateway.ledger.checkpoint import LedgerProof, Proof, SignedCheckpoint, checkpoint_of, entry_digest, parse_text
from gateway.ledger.records import (
    FORMAT,
    AgreementRecord,
    CardRecord,
    CertificateRecord,
    ConsistencyRecord,
    CrlRecord,
    DocumentRecord,
    Manifest,
    MessageRecord,
    OriginalRecord,
    PartyNote,
    ProofRecord,
    Record,
    Refusal,
    StampRecord,
    TimelineRecord,
    TimestampRecord,
    Told,
    build,
)
from gateway.problems import Refused
from gateway.store.beside import snapshot
from gateway.store.head import Head
from gateway.store.journal import Reader
from gateway.store.parts import Parts
from gateway.store.schema import DATABASE
from gateway.store.vault import Vault
from gateway.timestamping import anchors
from signing import certs
from signing.sm3 import sm3

OWN_LIST = Path("certs") / "ca.crl"
RESULTS = frozenset({"result", "stamp", "applicant-signature"})


@dataclass(frozen=True)
class _Desk:
    """What one export works with."""

    config: Config
    base: Path
    found: Ground
    connection: sqlite3.Connection
    head: Head
    vault: Vault
    parts: Parts
    case: CaseFile
    key: bytes
    disclose: bool
    with_originals: bool

    @property
    def party(self) -> str:
        return self.config.node.party

    @property
    def reader(self) -> Reader:
        return Reader(self.connection)

    @property
    def revoked(self) -> frozenset[str]:
        """The keys that either side has revoked."""
        held = (self.found.card, *(trail[-1].card for trail in self.found.peer_cards.values()))
        return frozenset(one.id for card in held for one in card.revoked)

    def prove(self, leaf: int) -> LedgerProof:
        """The proof of our leaf as it was first given out; under the newest checkpoint where that key is revoked."""
        proof = self.head.prove_stored(self.connection, leaf)
        newest = self.head.checkpoint
        if newest is None or proof.checkpoint.key not in self.revoked:
            return proof
        return self.head.prove_under(self.connection, leaf, newest)


def export_case(
    config: Config,
    base: Path,
    case_id: str,
    *,
    with_materials: bool = False,
    with_originals: bool = False,
    disclose: bool = True,
) -> bytes:
    """The signed package. ``with_originals``: with the bytes that our platform sent, for whoever must check a seal over them.
    ``disclose``: with the keys of sealed messages, so that who has the package can read and check them; without, it proves
    that they were said and not what, and has neither materials nor originals. Raises ``ConfigError`` for keys or files,
    ``Refused('TB-5001')`` for an unknown case."""
    data = base / config.node.data
    connection = snapshot(data / DATABASE)
    try:
        case = casefile.load(Reader(connection), case_id)
        if case is None:
            raise Refused("TB-5001")
        found = ground(config, base)
        vault = found.ring.vault()
        head = Head(found.card.origin)
        head.restore(connection)
        key, parts = vault.unwrap(case.wrapped_key), Parts(data / "parts", vault)
        desk = _Desk(
            config, base, found, connection, head, vault, parts, case, key, disclose, disclose and with_originals
        )
        records = list(_records(desk, now_ms(), with_materials))
        records += _time_stamps(desk, records)
        records += _consistency(desk, records)
    finally:
        connection.close()
    signer = found.ring.signer("direct")
    return build(records, lambda head_bytes: (signer.key_id, signer.sign(head_bytes)))


def _records(desk: _Desk, made_at_ms: int, with_materials: bool) -> Iterator[Record]:
    case = desk.case
    names = {desk.party: desk.found.card.name}
    partner = desk.found.partners.get(case.counterpart)
    names[case.counterpart] = partner.name if partner is not None else case.counterpart
    collecting, handling = desk.party, case.counterpart
    if case.role != "collecting":
        collecting, handling = handling, collecting
    yield Manifest(
        format=FORMAT, case=case.id, made_by=desk.party, made_at=made_at_ms,
        parties=[PartyNote(collecting, names[collecting], "collecting"), PartyNote(handling, names[handling], "handling")],
    )  # fmt: skip
    rows = desk.reader.all(
        "SELECT id, type, direction, header, original, leaf, sent_leaf, proof, receipt, status, problem, mapping "
        "FROM message WHERE case_id = ? AND direction IN ('in','out') ORDER BY created_ms, id",
        case.id,
    )  # fmt: skip
    messages = [_Row(*row) for row in rows]
    said, agreement = [record for one in messages for record in _message(desk, one)], _agreement(desk)
    said += _words(desk)
    yield from _trust(desk, _keys(said) | _agreement_keys(agreement))
    yield agreement
    yield from said
    said_by_others = [proof for proof in _proofs(said) if proof.checkpoint.key in desk.revoked]
    yield from _observed(desk, said_by_others)
    sent = {one.id for one in messages if one.header is not None and one.status != "refused"}
    if desk.disclose:
        yield from _documents(desk, [one for one in messages if one.id in sent], with_materials)
    yield TimelineRecord(entries=[_told(entry, sent) for entry in show.timeline(desk.reader, case.id)])


class _Row(msgspec.Struct, frozen=True):
    """One stored message."""

    id: str
    type: str
    direction: str
    header: bytes | None
    original: bytes | None
    leaf: int | None
    sent_leaf: int | None
    proof: bytes | None
    receipt: bytes | None
    status: str
    problem: str
    mapping: str


# --- who, and on what grounds ----------------------------------------------------------------------------------------


def _trust(desk: _Desk, used: frozenset[str]) -> Iterator[Record]:
    """Cards as published (of earlier ones those that named the keys used), the roots that they name, and the revocation
    lists that we hold."""
    peer = next((one for one in desk.config.peer if one.id == desk.case.counterpart), None)
    listed = [(desk.party, naming(desk.found.cards, used), desk.base / OWN_LIST)]
    if peer is not None:
        crl = desk.base / peer.crl if peer.crl else desk.base / "-"
        listed.append((peer.id, naming(desk.found.peer_cards[peer.id], used), crl))
    named = [key for _, held, _ in listed for one in held for key in one.card.keys]
    roots = dict.fromkeys(key.certificate for key in named if key.use == "seal-anchor")
    if desk.config.tsa.url:
        roots |= dict.fromkeys(one.der for one in anchors(desk.config.tsa, desk.base))
    yield from (CertificateRecord(der=der) for der in roots)
    for party, held, crl in listed:
        if crl.is_file():
            yield CrlRecord(der=crl.read_bytes())
        yield from (CardRecord(party=party, card=one.data) for one in held)


def _keys(records: Sequence[Record]) -> frozenset[str]:
    """The checkpoint keys that the proofs of these records are signed with."""
    return frozenset(proof.checkpoint.key for proof in _proofs(records))


def _agreement_keys(agreement: AgreementRecord) -> frozenset[str]:
    """The keys that signed the agreement, perhaps long ago."""
    found = (certs.parse(one.certificate).public_key for one in agreements.parse(agreement.file).signatures)
    return frozenset(public.thumbprint for public in found if public is not None)


def _agreement(desk: _Desk) -> AgreementRecord:
    wanted = (desk.case.agreement, desk.case.agreement_version)
    for one in desk.config.agreement:
        data = (desk.base / one.file).read_bytes()
        found = agreements.parse(data).agreement
        if (found.id, found.version) == wanted:
            return AgreementRecord(id=found.id, version=found.version, file=data)
    zh, en = "本节点没有该办件所依据的协议版本", "the agreement version of this case is not configured here"
    raise ConfigError(f"{wanted[0]} v{wanted[1]}", zh, en)


# --- what was said ---------------------------------------------------------------------------------------------------


def _platform(desk: _Desk, one: _Row) -> Iterator[Record]:
    """What our platform said: that it did, what made a message of it, and the very bytes where they are asked for."""
    if one.direction != post.OUT or one.original is None or one.leaf is None:
        return
    said = desk.vault.open(desk.key, one.original, post.original_label(one.id))
    yield ProofRecord(party=desk.party, kind="platform", id=one.id, digest=sm3(said).hex(), proof=desk.prove(one.leaf))
    if one.mapping or desk.with_originals:
        data = said if desk.with_originals else None
        yield OriginalRecord(party=desk.party, id=one.id, mapping=one.mapping, data=data)


def _words(desk: _Desk) -> Iterator[ProofRecord]:
    """What a person said of an unclear outcome (人工确认), as digests: names and reasons stay here."""
    rows = desk.reader.all("SELECT id, sealed, leaf FROM confirmation WHERE case_id = ? ORDER BY leaf", desk.case.id)
    for id_, sealed, leaf in rows:
        digest = sm3(statement_bytes(desk.vault, desk.case, id_, sealed)).hex()
        yield ProofRecord(party=desk.party, kind="confirmation", id=id_, digest=digest, proof=desk.prove(leaf))


def _message(desk: _Desk, one: _Row) -> Iterator[Record]:
    yield from _platform(desk, one)
    if one.header is None or one.type not in _KNOWN:
        return  # not frozen yet: it has not been said to anybody
    if one.direction == post.IN and one.status == "refused":
        if one.leaf is not None:
            answer = Refusal(one.problem, desk.prove(one.leaf))
            yield MessageRecord(header=one.header, body=b"", withheld=True, sender=_proof(one.proof), refusal=answer)
        return
    content = read_content(desk.reader, one.id, desk.key, desk.vault)
    bare = MessageRecord(
        header=one.header, body=as_sent(one.header, content), key=content.key if desk.disclose else b""
    )
    leaf = one.sent_leaf if one.direction == post.OUT else one.leaf
    if leaf is None:
        raise ConfigError(
            one.id, "报文没有账本条目，数据库已损坏", "the message has no ledger entry: the store is damaged"
        )
    ours = desk.prove(leaf)
    if one.direction == post.IN:
        yield replace(bare, sender=_proof(one.proof), receipt=ours)
    elif one.problem:
        refusal = _proof(one.receipt)
        yield replace(bare, sender=ours, refusal=Refusal(one.problem, refusal) if refusal else None)
    else:
        yield replace(bare, sender=ours, receipt=_proof(one.receipt))


_KNOWN = frozenset(type_ for type_, _ in EVENT_OF_MESSAGE)


def _proof(data: bytes | None) -> LedgerProof | None:
    return None if data is None else msgspec.json.decode(data, type=LedgerProof)


def _told(entry: show.Entry, sent: set[str]) -> Told:
    """A line of the walk; an act whose message has not left yet stands without it."""
    known = entry.message in sent
    return Told(
        at=entry.at_ms, event=entry.event, by=entry.by, state=entry.state, message=entry.message if known else "",
        note="" if known else "尚未发出 not sent yet",
    )  # fmt: skip


def _time_stamps(desk: _Desk, records: Sequence[Record]) -> Iterator[TimestampRecord]:
    """For each of our checkpoints in the package the first time stamp that covers it, if one does yet."""
    done = 0
    for size in _sizes(desk, records):
        row = desk.reader.one(
            "SELECT t.size, token, text, key, signature FROM checkpoint_time t JOIN checkpoint c ON c.size = t.size "
            "WHERE t.size >= ? ORDER BY t.size LIMIT 1",
            size,
        )
        if row is not None and row[0] > done:
            done, token, *signed = row
            yield TimestampRecord(token=token, checkpoint=SignedCheckpoint(*signed))


def _consistency(desk: _Desk, records: Sequence[Record]) -> Iterator[ConsistencyRecord]:
    """That each of our checkpoints in the package extends the one before it."""
    for old, new in pairwise(_sizes(desk, records)):
        path = desk.head.consistency(desk.connection, old, new)
        yield ConsistencyRecord(origin=desk.found.card.origin, old=old, new=new, path=path)


def _sizes(desk: _Desk, records: Sequence[Record]) -> list[int]:
    """The sizes of our ledger at the checkpoints in the package."""
    stated = [checkpoint_of(proof) for proof in _proofs(records)]
    stated += [
        parse_text(one.checkpoint.text.encode())
        for one in records
        if isinstance(one, TimestampRecord) and one.checkpoint
    ]
    return sorted({one.size for one in stated if one is not None and one.origin == desk.found.card.origin})


def _proofs(records: Sequence[Record]) -> list[LedgerProof]:
    """All ledger proofs of these records."""
    found: list[Proof | None] = [one.proof for one in records if isinstance(one, ProofRecord)]
    for one in records:
        if isinstance(one, MessageRecord):
            found += [one.sender, one.receipt, one.refusal.proof if one.refusal else None]
    return [proof for proof in found if isinstance(proof, LedgerProof)]


def _observed(desk: _Desk, proofs: Sequence[LedgerProof]) -> Iterator[ProofRecord]:
    """That our ledger saw these checkpoints when it did: what their keys signed before they were revoked still counts."""
    for text in dict.fromkeys(proof.checkpoint.text for proof in proofs):
        origin, digest = text.split("\n", 2)[1], sm3(text.encode())
        row = desk.reader.one(
            "SELECT idx FROM leaf WHERE kind = 'observed' AND entry = ?", entry_digest("observed", origin, digest)
        )
        if row is not None:
            yield ProofRecord(
                party=desk.party, kind="observed", id=origin, digest=digest.hex(), proof=desk.prove(row[0])
            )


# --- documents -------------------------------------------------------------------------------------------------------


def _documents(desk: _Desk, messages: Sequence[_Row], with_materials: bool) -> Iterator[Record]:
    """Results and stamps with their bytes; materials only when asked for."""
    done: set[str] = set()
    for one in messages:
        for part in read_content(desk.reader, one.id, desk.key, desk.vault).enclosure.parts:
            if part.sm3 in done or not (with_materials or part.role in RESULTS):
                continue
            done.add(part.sm3)
            data = _bytes(desk, one, part)
            if data is None:
                continue  # the verifier says that it is missing
            if part.role == "stamp":
                yield StampRecord(sm3=part.sm3, data=data)
            else:
                yield DocumentRecord(
                    sm3=part.sm3, data=data, name=part.name, media_type=part.media_type, role=part.role
                )


def _bytes(desk: _Desk, one: _Row, part: PartRef) -> bytes | None:
    like = "platform:%" if one.direction == post.OUT else f"peer:{desk.case.counterpart}"
    owners: list[Any] = desk.reader.all("SELECT owner FROM part WHERE sm3 = ? AND owner LIKE ?", part.sm3, like)
    for (owner,) in owners:
        try:
            data = b"".join(desk.parts.read(owner, part.sm3))
        except Refused:
            continue
        if sm3(data).hex() == part.sm3:
            return data
    return None

"""Two small cities with keys, cards and ledgers: everything in them but SM2's nonces is fixed, so vectors can be compared.

They use the same wire forms as the gateways (``gateway.exchange``) and keep their ledgers in dictionaries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec

from gateway.exchange import card as cards
from gateway.exchange.message import Header, PartRef, encode_header
from gateway.ledger import tree
from gateway.ledger.checkpoint import (
    Checkpoint,
    DirectProof,
    LedgerProof,
    SignedCheckpoint,
    direct_bytes,
    entry_digest,
    text,
)
from gateway.ledger.evidence import AgreementView, Checks, Pool
from gateway.ledger.records import (
    FORMAT,
    AgreementRecord,
    CardRecord,
    CertificateRecord,
    ConsistencyRecord,
    DocumentRecord,
    Manifest,
    MessageRecord,
    PartyNote,
    Record,
    Refusal,
    StampRecord,
    TimelineRecord,
    Told,
    build,
)
from signing import certs, issue
from signing.path import check_path
from signing.policy import PathPolicy
from signing.providers import open_provider
from signing.sm2 import Signer
from signing.sm3 import sm3

A, B = "420104.11420104MB0000000X", "360113.11360113MB0000000Y"
CASE = f"{A}/01J00000000000000000000000"
T0 = 1_767_225_600_000  # 2026-01-01T00:00:00Z
NOT_BEFORE = datetime(2025, 1, 1, tzinfo=UTC)
POLICY = PathPolicy(usage="sign", revocation="if-present")
STAMP = b"stamp over " + sm3(b"result document")


@lru_cache(maxsize=1)
def provider() -> Any:
    return open_provider("auto")


@lru_cache(maxsize=64)
def signer(name: str) -> Signer:
    """A key whose scalar is the SM3 of its name: the same in every run."""
    return Signer(provider(), provider().load(int.from_bytes(sm3(name.encode())) >> 1))


@lru_cache(maxsize=8)
def root(name: str) -> bytes:
    return issue.build_root(
        signer(f"{name} root"), subject=(("C", "CN"), ("CN", f"{name} 样章·测试无效 CA")), serial=1,
        not_before=NOT_BEFORE, not_after=NOT_BEFORE + timedelta(days=7300),
    )  # fmt: skip


@lru_cache(maxsize=64)
def certificate(name: str, use: str) -> bytes:
    authority = issue.Authority(signer(f"{name} root"), certs.parse(root(name)))
    return issue.build_certificate(
        authority, subject=(("C", "CN"), ("CN", f"{name} {use}")), public_key=signer(f"{name} {use}").public,
        serial=2 + ("identity", "checkpoint", "direct").index(use), not_before=NOT_BEFORE,
        not_after=NOT_BEFORE + timedelta(days=1460), profile=use,
    )  # fmt: skip


@dataclass
class City:
    """One party: its ledger and the signed forms it makes."""

    party: str
    name: str
    since_ms: int = T0 - 86_400_000
    frontier: tree.Frontier = field(default_factory=tree.Frontier)
    nodes: dict[tuple[int, int], bytes] = field(default_factory=dict)
    salts: list[bytes] = field(default_factory=list)
    leaves: list[tuple[str, str, bytes]] = field(default_factory=list)
    checkpoints: list[SignedCheckpoint] = field(default_factory=list)

    @property
    def origin(self) -> str:
        return f"{self.party}/1"

    def signer(self, use: str) -> Signer:
        return signer(f"{self.name} {use}")

    def card(self) -> bytes:
        keys = tuple(
            cards.CardKey(use, self.signer(use).key_id, certificate(self.name, use), self.since_ms)
            for use in ("checkpoint", "direct")
        )
        card = cards.Card(
            party=self.party, name=self.name, division=self.party[:6], version=1, issued_ms=self.since_ms,
            endpoint="https://gateway.example.invalid", body_limit=1 << 20, part_limit=1 << 30, origin=self.origin,
            keys=keys,
        )  # fmt: skip
        return cards.sign(card, self.signer("identity"), certificate(self.name, "identity"))

    def get(self, level: int, index: int) -> bytes:
        return self.nodes[level, index]

    def commit(self, entries: Sequence[tuple[str, str, bytes]], at_ms: int) -> list[LedgerProof]:
        """Append (kind, id, digest) entries as one commit under one checkpoint; their proofs."""
        first = self.frontier.size
        salts = [sm3(f"{self.party} salt {first + n}".encode()) for n in range(len(entries))]
        leaves = [tree.leaf_hash(s, entry_digest(*entry)) for s, entry in zip(salts, entries, strict=True)]
        self.frontier, nodes = tree.append(self.frontier, leaves)
        self.nodes.update({(level, index): node for level, index, node in nodes})
        self.salts += salts
        self.leaves += entries
        checkpoint = self.checkpoint(at_ms)
        self.checkpoints.append(checkpoint)
        size = self.frontier.size
        return [
            LedgerProof(i, self.salts[i], tree.inclusion_path(i, size, self.get), checkpoint)
            for i in range(first, size)
        ]

    def checkpoint(self, at_ms: int) -> SignedCheckpoint:
        data = text(Checkpoint(self.origin, self.frontier.size, tree.root(self.frontier), at_ms))
        key = self.signer("checkpoint")
        return SignedCheckpoint(data.decode(), key.key_id, key.sign(data))

    def direct(self, kind: str, message: str, digest: bytes, at_ms: int) -> DirectProof:
        salt = sm3(f"{self.party} direct {message}".encode())
        key = self.signer("direct")
        leaf = tree.leaf_hash(salt, entry_digest(kind, message, digest))
        return DirectProof(salt, at_ms, key.key_id, key.sign(direct_bytes(leaf, at_ms)))


@dataclass
class Story:
    """A case in the making: each ``say`` is one message with its sender's proof and its receiver's answer."""

    a: City = field(default_factory=lambda: City(A, "硚口"))
    b: City = field(default_factory=lambda: City(B, "红谷滩"))
    records: list[MessageRecord] = field(default_factory=list)
    sequence: dict[str, int] = field(default_factory=lambda: {A: 0, B: 0})
    clock: int = T0

    def header(self, sender: str, type_: str, body: bytes, parts: Sequence[PartRef] = (), **changes: Any) -> bytes:
        to = B if sender == A else A
        self.sequence[sender] += 1
        self.clock += 60_000
        header = Header(
            id=f"01J0000000000000000000{len(self.records):04d}", type=type_, sender=sender, to=to, agreement="硚口-红谷滩-1",
            agreement_version=1, item="内资公司设立", case=CASE, seq=self.sequence[sender], seen=self.sequence[to],
            key=f"{type_}-{self.sequence[sender]}", created=self.clock, expires=self.clock + 86_400_000,
            body=sm3(body).hex(), body_size=len(body), parts=tuple(parts),
        )  # fmt: skip
        return encode_header(msgspec.structs.replace(header, **changes))

    def say(
        self, sender: str, type_: str, body: dict[str, Any] | None = None, *, parts: Sequence[PartRef] = (),
        refused: str = "", answered: bool = True, **changes: Any,
    ) -> MessageRecord:  # fmt: skip
        data = msgspec.json.encode(body or {"at": "2026-01-01T00:00:00Z"}, order="sorted")
        header = self.header(sender, type_, data, parts, **changes)
        ours, theirs = (self.a, self.b) if sender == A else (self.b, self.a)
        message, digest = msgspec.json.decode(header)["id"], sm3(header)
        [sent] = ours.commit([("sent", message, digest)], self.clock)
        receipt = refusal = None
        if refused:
            [proof] = theirs.commit([("refused", message, sm3(digest, refused.encode()))], self.clock + 500)
            refusal = Refusal(refused, proof)
        elif answered:
            [receipt] = theirs.commit([("accepted", message, digest)], self.clock + 500)
        record = MessageRecord(header=header, body=data, sender=sent, receipt=receipt, refusal=refusal)
        self.records.append(record)
        return record


def result_body() -> dict[str, Any]:
    document = {"name": "营业执照", "sm3": sm3(b"result document").hex(), "role": "result"}
    stamp = {"name": "签章", "sm3": sm3(STAMP).hex(), "role": "stamp"}
    return {"at": "2026-01-01T00:00:00Z", "documents": [{"document": document, "name": "营业执照", "stamp": stamp}]}


def whole_walk() -> Story:
    """One case from application to delivery, with a correction and a stamped result."""
    story = Story()
    material = PartRef(sm3(b"material").hex(), 8, "application/pdf", "章程", "material")
    parts = [
        PartRef(sm3(b"result document").hex(), 15, "application/ofd", "营业执照", "result"),
        PartRef(sm3(STAMP).hex(), len(STAMP), "application/octet-stream", "签章", "stamp"),
    ]
    story.say(A, "application", parts=[material])
    story.say(B, "correction_request")
    story.say(A, "correction")
    story.say(B, "acceptance", {"outcome": "accepted"})
    story.say(B, "step")
    story.say(B, "decision", {"outcome": "granted"})
    story.say(B, "result", result_body(), parts=parts)
    story.say(A, "arrival")
    story.say(A, "delivery")
    return story


def timeline(story: Story) -> list[Told]:
    """The collecting side's own story of ``whole_walk``."""
    ids = [msgspec.json.decode(record.header)["id"] for record in story.records]
    rows = [
        ("collect", "collecting", "collected", 0), ("forward", "collecting", "forwarded", 0),
        ("received_there", "handling", "received_there", 0), ("request_correction", "handling", "correction_requested", 1),
        ("correct", "collecting", "received_there", 2), ("accept", "handling", "accepted", 3),
        ("step", "handling", "in_review", 4), ("decide_grant", "handling", "granted", 5),
        ("issue_result", "handling", "result_issued", 6), ("arrive_at_window", "collecting", "at_window", 7),
        ("deliver", "collecting", "delivered", 8),
    ]  # fmt: skip
    return [Told(T0 + 60_000 * n, event, by, state, ids[m]) for n, (event, by, state, m) in enumerate(rows)]


def agreement_file() -> bytes:
    return "协议 硚口-红谷滩-1 第 1 版\n".encode()


def records(story: Story) -> list[Record]:
    """All that belongs into the package of a story, made by the collecting side."""
    manifest = Manifest(
        format=FORMAT, case=CASE, made_by=A, made_at=T0 + 86_400_000,
        parties=[PartyNote(A, "硚口", "collecting"), PartyNote(B, "红谷滩", "handling")],
    )  # fmt: skip
    listed: list[Record] = [manifest]
    for city in (story.a, story.b):
        listed += [CertificateRecord(der=root(city.name)), CardRecord(party=city.party, card=city.card())]
        size = city.frontier.size
        if len(city.checkpoints) > 1:
            path = tree.consistency_path(1, size, city.get)
            listed.append(ConsistencyRecord(origin=city.origin, old=1, new=size, path=path))
    listed.append(AgreementRecord(id="硚口-红谷滩-1", version=1, file=agreement_file()))
    listed += story.records
    listed.append(
        DocumentRecord(sm3=sm3(b"result document").hex(), data=b"result document", name="营业执照", role="result")
    )
    listed.append(StampRecord(sm3=sm3(STAMP).hex(), data=STAMP))
    return listed


def package(story: Story | None = None) -> bytes:
    """The signed package of a story (``whole_walk`` if none is given, then with its timeline)."""
    told = story is None
    story = story or whole_walk()
    listed = records(story)
    if told:
        listed.append(TimelineRecord(entries=timeline(story)))
    return seal(story.a, listed)


def seal(city: City, listed: Sequence[Record]) -> bytes:
    key = city.signer("direct")
    return build(listed, lambda data: (key.key_id, key.sign(data)))


def checks(*, anchored: bool = False, **changes: Any) -> Checks:
    """Real SM2 and real chains; stamps and agreement files stand in for the rooms that own them."""

    def chain(certificate: bytes, pool: Pool, at_ms: int) -> Any:
        held = [root("硚口"), root("红谷滩")] if anchored else pool.certificates
        anchors = [certs.parse(der) for der in held]
        at = datetime.fromtimestamp(at_ms / 1000, UTC)
        return check_path(certs.parse(certificate), [], anchors, at, provider(), policy=POLICY).reasons

    def stamp(data: bytes, document: bytes, pool: Pool, at_ms: int, announced: Any) -> Any:
        good = data == b"stamp over " + sm3(document)
        return (
            [] if good else [issue_rejected("stamp-document", "签章不是对该文件所加", "the stamp is for another file")]
        )

    def agreement(file: bytes, pool: Pool, identities: Any) -> AgreementView | None:
        return AgreementView("硚口-红谷滩-1", 1, [A, B], []) if file == agreement_file() else None

    made = {"provider": provider(), "anchored": anchored, "chain": chain, "stamp": stamp, "agreement": agreement}
    return Checks(**{**made, **changes})


def issue_rejected(code: str, zh: str, en: str) -> Any:
    from signing.errors import Rejected

    return Rejected(code, zh, en)

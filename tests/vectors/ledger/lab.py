"""Two small cities with keys, cards and ledgers: everything in them but SM2's nonces is fixed, so vectors can be compared.

They use the same wire forms as the gateways (``gateway.exchange``), real laboratory certificates, a real seal and the
sample agreement, and keep their ledgers in dictionaries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import count
from typing import Any

import msgspec

from agreements import samples, signatures
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
from gateway.ledger.checks import Checks
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
    Told,
    build,
)
from gateway.ledger.trust import compose
from signing import certs
from signing.issue import Authority, build_certificate, build_root
from signing.lab import LabPki, build_lab_pki, lab_name
from signing.policy import CRL_IF_PRESENT
from signing.providers import open_provider
from signing.sm2 import Signer
from signing.sm3 import sm3
from signing.stamper import LocalStamper
from signing.timestamp_build import build_token

A, B = samples.lab_party("420104"), samples.lab_party("360113")
NAMES = {A: "武汉市硚口区", B: "南昌市红谷滩区"}
CASE = f"{A}/01J00000000000000000000000"
T0 = 1_767_225_600_000  # 2026-01-01T00:00:00Z
CERTIFIED = datetime(2025, 12, 1, tzinfo=UTC)
YEAR = timedelta(days=365)
UNTIL = CERTIFIED + 10 * YEAR
DOCUMENT = b"result document"
ORIGINAL = '<sqr bz="样章·测试无效"><xm>测试申请人甲</xm></sqr>'.encode()
MAPPING = "qiaokou@1#0123456789abcdef"


@lru_cache(maxsize=1)
def provider() -> Any:
    return open_provider("auto")


@lru_cache(maxsize=64)
def signer(name: str) -> Signer:
    """A key whose scalar is half the SM3 of its name: the same in every run."""
    return Signer(provider(), provider().load(int.from_bytes(sm3(name.encode())) >> 1))


@lru_cache(maxsize=8)
def pki(party: str) -> LabPki:
    roles = ("root", "identity", "checkpoint", "direct", "seal-maker", "seal-signer")
    return build_lab_pki(
        NAMES[party], party[:6], {role: signer(f"{party} {role}") for role in roles}, count(1), at=CERTIFIED,
        until=UNTIL, seal_name=f"{NAMES[party]}行政审批局",
    )  # fmt: skip


@lru_cache(maxsize=4)
def stamp(document: bytes = DOCUMENT) -> bytes:
    """The handling place's stamp over a document, made a minute before the story begins."""
    made = pki(B)
    certificate = certs.parse(made.certificates["seal-signer"])
    anchors = [certs.parse(made.root)]
    stamper = LocalStamper(signer(f"{B} seal-signer"), certificate, made.seal, anchors, CRL_IF_PRESENT)
    stamped = stamper.stamp(sm3(document), sm3(document).hex(), datetime.fromtimestamp(T0 / 1000 - 60, UTC))
    assert isinstance(stamped, bytes), stamped
    return stamped


@lru_cache(maxsize=4)
def agreement_file(*parties: str) -> bytes:
    """The sample agreement with one item, signed by the parties given (both if none is)."""
    listed = samples.items()[:1]
    data = samples.render(A, B, name_a=NAMES[A], name_b=NAMES[B], listed=listed, in_force=date(2026, 1, 1))
    for party in parties or (A, B):
        certificate = pki(party).certificates["identity"]
        data = signatures.sign(data, party, signer(f"{party} identity"), certificate, CERTIFIED)
    return data


@dataclass
class City:
    """One party: its ledger and the signed forms it makes."""

    party: str
    since_ms: int = T0 - 86_400_000
    frontier: tree.Frontier = field(default_factory=tree.Frontier)
    nodes: dict[tuple[int, int], bytes] = field(default_factory=dict)
    salts: list[bytes] = field(default_factory=list)
    entries: list[tuple[str, str, bytes]] = field(default_factory=list)
    checkpoints: list[SignedCheckpoint] = field(default_factory=list)

    @property
    def origin(self) -> str:
        return f"{self.party}/1"

    def signer(self, use: str) -> Signer:
        return signer(f"{self.party} {use}")

    def card(self) -> bytes:
        made = pki(self.party)
        certificates = {"checkpoint": made.certificates["checkpoint"], "direct": made.certificates["direct"]}
        keys = [cards.CardKey(use, self.signer(use).key_id, der, self.since_ms) for use, der in certificates.items()]
        keys.append(cards.CardKey("seal-anchor", self.signer("root").key_id, made.root, self.since_ms))
        card = cards.Card(
            party=self.party, name=NAMES[self.party], division=self.party[:6], version=1, issued_ms=self.since_ms,
            endpoint="https://gateway.example.invalid", body_limit=1 << 20, part_limit=1 << 30, origin=self.origin,
            keys=tuple(keys),
        )  # fmt: skip
        return cards.sign(card, self.signer("identity"), made.certificates["identity"])

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
        self.entries += entries
        self.checkpoints.append(self.checkpoint(at_ms))
        size = self.frontier.size
        return [
            LedgerProof(i, self.salts[i], tree.inclusion_path(i, size, self.get), self.checkpoints[-1])
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

    a: City = field(default_factory=lambda: City(A))
    b: City = field(default_factory=lambda: City(B))
    records: list[MessageRecord] = field(default_factory=list)
    sequence: dict[str, int] = field(default_factory=lambda: {A: 0, B: 0})
    clock: int = T0

    def header(self, sender: str, type_: str, body: bytes, parts: Sequence[PartRef] = (), **changes: Any) -> bytes:
        to = B if sender == A else A
        self.sequence[sender] += 1
        self.clock += 60_000
        header = Header(
            id=f"01J0000000000000000000{len(self.records):04d}", type=type_, sender=sender, to=to,
            agreement=samples.AGREEMENT_ID, agreement_version=1, item="QX-TB-001", case=CASE, seq=self.sequence[sender],
            seen=self.sequence[to], key=f"{type_}-{self.sequence[sender]}", created=self.clock,
            expires=self.clock + 86_400_000, body=sm3(body).hex(), body_size=len(body), parts=tuple(parts),
        )  # fmt: skip
        return encode_header(msgspec.structs.replace(header, **changes))

    def say(
        self, sender: str, type_: str, body: dict[str, Any] | None = None, *, parts: Sequence[PartRef] = (),
        refused: str = "", answered: bool = True, **changes: Any,
    ) -> MessageRecord:  # fmt: skip
        data = msgspec.json.encode(body or {"at": "2026-01-01T00:00:00Z"}, order="sorted")
        header = self.header(sender, type_, data, parts, **changes)
        ours, theirs = (self.a, self.b) if sender == A else (self.b, self.a)
        message, digest = message_id(header), sm3(header)
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


def platform_said(story: Story, n: int = 0, data: bytes = ORIGINAL) -> tuple[ProofRecord, OriginalRecord]:
    """What A's platform said, of which message ``n`` was made; to be asked for before ``records``, as the ledger grows."""
    message = message_id(story.records[n].header)
    story.clock += 1000
    [proof] = story.a.commit([("platform", message, sm3(data))], story.clock)
    proved = ProofRecord(party=A, kind="platform", id=message, digest=sm3(data).hex(), proof=proof)
    return proved, OriginalRecord(party=A, id=message, mapping=MAPPING, data=data)


def message_id(header: bytes) -> str:
    return str(msgspec.json.decode(header)["id"])


def result_body(stamped: bytes) -> dict[str, Any]:
    document = {"name": "营业执照", "sm3": sm3(DOCUMENT).hex(), "role": "result"}
    seal = {"name": "签章", "sm3": sm3(stamped).hex(), "role": "stamp"}
    return {"at": "2026-01-01T00:00:00Z", "documents": [{"document": document, "name": "营业执照", "stamp": seal}]}


def say_result(story: Story, stamped: bytes | None = None, **how: Any) -> MessageRecord:
    """The handling place issues the one result, with its stamp as a part."""
    data = stamp() if stamped is None else stamped
    parts = [
        PartRef(sm3(DOCUMENT).hex(), len(DOCUMENT), "application/ofd", "营业执照", "result"),
        PartRef(sm3(data).hex(), len(data), "application/octet-stream", "签章", "stamp"),
    ]
    return story.say(B, "result", result_body(data), parts=parts, **how)


def granted() -> Story:
    """A case up to the grant, with a correction on the way."""
    story = Story()
    material = PartRef(sm3(b"material").hex(), 8, "application/pdf", "章程", "material")
    story.say(A, "application", parts=[material])
    story.say(B, "correction_request")
    story.say(A, "correction")
    story.say(B, "acceptance", {"outcome": "accepted"})
    story.say(B, "step")
    story.say(B, "decision", {"outcome": "granted"})
    return story


def whole_walk() -> Story:
    """One case from application to delivery, with a correction and a stamped result."""
    story = granted()
    say_result(story)
    story.say(A, "arrival")
    story.say(A, "delivery")
    return story


def timeline(story: Story) -> list[Told]:
    """The collecting side's own story of ``whole_walk``."""
    ids = [message_id(record.header) for record in story.records]
    rows = [
        ("collect", "collecting", "collected", 0), ("forward", "collecting", "forwarded", 0),
        ("received_there", "handling", "received_there", 0), ("request_correction", "handling", "correction_requested", 1),
        ("correct", "collecting", "received_there", 2), ("accept", "handling", "accepted", 3),
        ("step", "handling", "in_review", 4), ("decide_grant", "handling", "granted", 5),
        ("issue_result", "handling", "result_issued", 6), ("arrive_at_window", "collecting", "at_window", 7),
        ("deliver", "collecting", "delivered", 8),
    ]  # fmt: skip
    return [Told(T0 + 60_000 * n, event, by, state, ids[m]) for n, (event, by, state, m) in enumerate(rows)]


def manifest() -> Manifest:
    roles = [PartyNote(A, NAMES[A], "collecting"), PartyNote(B, NAMES[B], "handling")]
    return Manifest(format=FORMAT, case=CASE, made_by=A, made_at=T0 + 86_400_000, parties=roles)


def records(story: Story) -> list[Record]:
    """All that belongs into the package of a story, made by the collecting side."""
    listed: list[Record] = [manifest()]
    for city in (story.a, story.b):
        made = pki(city.party)
        listed += [CertificateRecord(der=made.root), CrlRecord(der=made.crl)]
        listed.append(CardRecord(party=city.party, card=city.card()))
        size = city.frontier.size
        if len(city.checkpoints) > 1:
            path = tree.consistency_path(1, size, city.get)
            listed.append(ConsistencyRecord(origin=city.origin, old=1, new=size, path=path))
    listed.append(AgreementRecord(id=samples.AGREEMENT_ID, version=1, file=agreement_file()))
    listed += story.records
    if any(b'"type":"result"' in record.header for record in story.records):
        digest, stamped = sm3(DOCUMENT).hex(), stamp()
        listed.append(DocumentRecord(sm3=digest, data=DOCUMENT, name="营业执照", role="result"))
        listed.append(StampRecord(sm3=sm3(stamped).hex(), data=stamped))
    return listed


def seal(listed: Sequence[Record], key: Signer | None = None) -> bytes:
    """A package signed by its maker, the collecting side."""
    maker = key or City(A).signer("direct")
    return build(listed, lambda data: (maker.key_id, maker.sign(data)))


def package(story: Story | None = None) -> bytes:
    """The signed package of a story (``whole_walk`` if none is given, then with its timeline)."""
    if story is not None:
        return seal(records(story))
    story = whole_walk()
    return seal([*records(story), TimelineRecord(entries=timeline(story))])


def checks(*, anchored: bool = False, now_ms: int = T0 + 2 * 86_400_000, tsa: bool = False) -> Checks:
    """The real checks of the command, with both roots given from outside if ``anchored``, and the authority's if ``tsa``."""
    anchors = [pki(A).root, pki(B).root] if anchored else []
    clocks = [tsa_root().certificate.der] if tsa else []
    return compose(provider(), anchors, now_ms=now_ms, tsa_anchors=clocks)


@lru_cache(maxsize=2)
def tsa_root(name: str = "authority") -> Authority:
    """The root of a time-stamp authority; its certificates outlive those of the parties by ten years."""
    key = signer(f"{name} root")
    root = build_root(
        key, subject=lab_name("时间戳", f"{name} root"), serial=1, not_before=CERTIFIED, not_after=UNTIL + 10 * YEAR
    )
    return Authority(key, certs.parse(root))


def tsa(name: str = "authority", until: datetime = UNTIL + 5 * YEAR) -> Authority:
    """An authority that gives time stamps."""
    key, root = signer(f"{name} tsa"), tsa_root(name)
    data = build_certificate(
        root, subject=lab_name("时间戳", f"{name} tsa"), public_key=key.public, serial=2, not_before=CERTIFIED,
        not_after=until, profile="tsa",
    )  # fmt: skip
    return Authority(key, certs.parse(data))


def token(data: bytes, at_ms: int, by: Authority | None = None) -> bytes:
    """A time stamp over these bytes."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return build_token(sm3(data), by or tsa(), at=at, serial=at_ms)

"""Evidence packages verified offline (证据包离线核验): bytes in, a report out, nothing fetched, nothing believed unproved.

``verify`` is the numbered list. What needs more than SM2 over known keys (certificate chains, stamps, agreement files) is
handed in as ``Checks``. "Bad" and "cannot tell" are kept apart: ok is False when anything is bad, None when something is
missing, True when all that the package claims is proved.
Grades: ``full`` = every message is proved by both sides; ``one-sided`` = some answer or proof is not there yet; ``partial``
= something that the messages name is missing; ``broken`` = something is bad. ``trust``: ``anchored`` when the parties'
certificates lead to anchors given from outside, ``as-packaged`` when they rest on the package's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from gateway.ledger import tree
from gateway.ledger.certificates import certificates_used
from gateway.ledger.checkpoint import (
    Checkpoint,
    DirectProof,
    LedgerProof,
    Proof,
    check_proof,
    checkpoint_of,
    entry_digest,
    parse_text,
    stamped_bytes,
)
from gateway.ledger.checks import Checks, Pool, Reason
from gateway.ledger.keybook import KeyBook, read_cards
from gateway.ledger.messages import Message, Stamped, check_order, check_sequences, read_messages
from gateway.ledger.originals import Origin, check_originals
from gateway.ledger.package import Finding, Package, read
from gateway.ledger.records import signed_bytes
from gateway.ledger.report import SECTIONS, EvidenceReport
from gateway.ledger.revocation import Held, doubts
from gateway.ledger.story import check_story
from gateway.ledger.times import Times, Use
from signing import sm2
from signing.errors import Rejected
from signing.sm3 import sm3


def verify(data: bytes, checks: Checks) -> EvidenceReport:
    """Verify a package. Never raises on any input.

    1. form of the file; 2. cards and keys; 3. agreements; 4. messages: header, body, case, sequence; 5. senders' proofs,
    the platforms' originals; 6. receipts and refusals; 7. time stamps, checkpoints agree; 8. the order of events;
    9. documents and stamps; 10. the story told; 11. the whole, signed by its maker; no signature by a key that was revoked
    before; 12. certificate chains of all keys used, at the times of their use, and again when those signatures are proved
    to have existed: now, where no time stamp proves an earlier time.
    """
    package, findings = read(data)
    book, about_cards = read_cards(package.cards, checks.provider)
    run = _Run(package, checks, book, [*findings, *about_cards])
    run.counts["form"] = package.readable
    run.counts["parties"] = len(book.identities)
    run.agreements()
    run.headers()
    for message in run.read:
        run.sender(message)
        run.answer(message)
    run.other_proofs()
    run.platforms()
    run.time_stamps()
    run.checkpoints()
    run.order()
    run.documents()
    run.story()
    run.whole()
    run.findings += doubts(run.held, run.book.revoked, run.times)
    run.chains()
    return run.report()


@dataclass(slots=True)
class _Run:
    """The state of one verification."""

    package: Package
    checks: Checks
    book: KeyBook
    findings: list[Finding]
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SECTIONS, 0))
    read: list[Message] = field(default_factory=list)
    seen: dict[tuple[str, int], tuple[Checkpoint, int]] = field(default_factory=dict)
    used: dict[bytes, set[Use]] = field(default_factory=dict)
    origins: list[Origin] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    times: Times = field(default_factory=Times)
    signatures: dict[tuple[str, str, str, bytes, bytes], bool] = field(default_factory=dict)
    one_sided: bool = False
    partial: bool = False
    state: str = ""

    def add(
        self, section: str, code: str, zh: str, en: str, line: int = 0, message: str = "", *, bad: bool = True
    ) -> None:
        self.findings.append(Finding(section, code, zh, en, line, message, bad))

    def reasons(self, section: str, reasons: Sequence[Reason], line: int, message: str = "") -> None:
        for reason in reasons:
            bad = isinstance(reason, Rejected)
            self.add(section, reason.code, reason.zh, reason.en, line, message, bad=bad)

    @property
    def made_at(self) -> int:
        return self.package.manifest.made_at if self.package.manifest else 0

    @property
    def pool(self) -> Pool:
        return Pool(
            [record.der for _, record in self.package.certificates], [record.der for _, record in self.package.crls]
        )

    def agreements(self) -> None:
        for line, record in self.package.agreements:
            self.counts["agreements"] += 1
            view = self.checks.agreement(record.file, self.pool, self.book.key_ids(), self.made_at)
            if view is None:
                self.add("agreements", "agreement-malformed", "协议文件读不出", "the agreement cannot be read", line)
            elif (view.id, view.version) != (record.id, record.version):
                zh, en = "协议文件与所标编号、版本不符", "the agreement file is not the one it is said to be"
                self.add("agreements", "agreement-other", zh, en, line)
            else:
                self.reasons("agreements", view.reasons, line)

    def headers(self) -> None:
        case = self.package.manifest.case if self.package.manifest else ""
        self.read, findings = read_messages(self.package.messages, case)
        self.findings.extend(findings)
        self.counts["messages"] = len(self.package.messages)
        known = {(record.id, record.version) for _, record in self.package.agreements}
        for header in {(m.head.agreement, m.head.agreement_version): m for m in self.read}.values():
            if (header.head.agreement, header.head.agreement_version) not in known:
                self.partial = True
                zh, en = "包内没有该报文所依据的协议版本", "the agreement this message rests on is not in the package"
                self.add("agreements", "agreement-missing", zh, en, header.line, header.head.id, bad=False)
        for finding in check_sequences(self.read, self.package.manifest):
            self.partial |= not finding.bad
            self.findings.append(finding)

    def sender(self, message: Message) -> None:
        if message.record.sender is None:
            self.one_sided = True
            zh, en = "没有发送方账本证明", "there is no sender's proof"
            self.add("proofs", "sender-proof-missing", zh, en, message.line, message.head.id, bad=False)
            return
        self.counts["proofs"] += 1
        entry = entry_digest("sent", message.head.id, message.digest)
        self.proof("proofs", entry, message.record.sender, message.head.sender, message.line, message.head.id)

    def answer(self, message: Message) -> None:
        record, head = message.record, message.head
        if record.receipt is None and record.refusal is None:
            self.one_sided = True
            zh, en = "没有对方的签收回执或拒收回执", "there is neither receipt nor refusal from the other side"
            self.add("receipts", "receipt-missing", zh, en, message.line, head.id, bad=False)
        if record.receipt is not None and record.refusal is not None:
            zh, en = "同一报文既有签收又有拒收", "the message was both received and refused"
            self.add("receipts", "receipt-and-refusal", zh, en, message.line, head.id)
        if record.receipt is not None:
            self.counts["receipts"] += 1
            entry = entry_digest("accepted", head.id, message.digest)
            self.proof("receipts", entry, record.receipt, head.to, message.line, head.id)
        if record.refusal is not None:
            self.counts["receipts"] += 1
            refused = sm3(message.digest, record.refusal.code.encode())
            entry = entry_digest("refused", head.id, refused)
            self.proof("receipts", entry, record.refusal.proof, head.to, message.line, head.id)

    def other_proofs(self) -> None:
        for line, record in self.package.proofs:
            self.counts["proofs"] += 1
            try:
                entry = entry_digest(record.kind, record.id, bytes.fromhex(record.digest))
            except ValueError:
                self.add("proofs", "proof-form", "账本条目不合格式", "the ledger entry is malformed", line, record.id)
            else:
                self.proof("proofs", entry, record.proof, record.party, line, record.id)

    def platforms(self) -> None:
        self.counts["originals"] = sum(record.data is not None for _, record in self.package.originals)
        self.origins, findings = check_originals(self.package.originals, self.package.proofs, self.read)
        self.findings += findings

    def proof(self, section: str, entry: bytes, proof: Proof, party: str, line: int, message: str) -> None:
        """Check one proof as ``party``'s; note the checkpoint and when its key was used."""
        use, key = ("direct", proof.key) if isinstance(proof, DirectProof) else ("checkpoint", proof.checkpoint.key)
        reason = check_proof(entry, proof, verify=lambda k, data, sig: self.signed(party, use, k, data, sig))
        if reason is not None:
            if not reason.bad and self.book.belongs_to_another(party, key):
                zh, en = "签名密钥属于另一当事方", "the signing key is another party's"
                self.add(section, "wrong-signer", zh, en, line, message)
            else:
                self.add(section, reason.code, reason.zh, reason.en, line, message, bad=reason.bad)
            return
        used = (
            Use(proof.time_ms)
            if isinstance(proof, DirectProof)
            else self.checkpoint(section, _parsed(proof), party, line, message)
        )
        known = self.book.find(party, use, key)
        if known is not None:
            self.used.setdefault(known.certificate, set()).add(used)
            text = proof.checkpoint.text if isinstance(proof, LedgerProof) else ""
            self.held.append(Held(section, line, message, party, key, used, entry, text))
            if known.early(used.at_ms):
                zh, en = "签名早于该密钥的启用时间", "the signature is older than the key's first day of use"
                self.add(section, "key-not-yet-valid", zh, en, line, message)
            if known.late(used.at_ms):
                zh, en = "签名晚于该密钥的停用时间", "the signature is newer than the key's last day of use"
                self.add(section, "key-retired", zh, en, line, message)

    def checkpoint(self, section: str, checkpoint: Checkpoint, party: str, line: int, message: str) -> Use:
        if not checkpoint.origin.startswith(party + "/"):
            zh, en = "检查点不是该当事方账本的", "the checkpoint is of another party's ledger"
            self.add(section, "wrong-origin", zh, en, line, message)
        known, _ = self.seen.setdefault((checkpoint.origin, checkpoint.size), (checkpoint, line))
        if known.root != checkpoint.root:
            zh = f"同一账本在 {checkpoint.size} 条时有两个不同的根：账本分叉"
            en = f"one ledger has two different roots at size {checkpoint.size}: a split view"
            self.add("checkpoints", "split-view", zh, en, line, message)
        return Use(checkpoint.time_ms, checkpoint.origin, checkpoint.size)

    def time_stamps(self) -> None:
        """Those over the whole, last first, then those over checkpoints, as of when the whole was there."""
        pool, now_ms = self.pool, self.checks.now_ms
        judge = self.checks.timestamp
        self.times.seal(self.package.sealed, lambda token, digest, at: judge(token, digest, pool, at), now_ms)
        for line, record in self.package.stamped:
            signed = record.checkpoint
            checkpoint = parse_text(signed.text.encode()) if signed is not None else None
            if signed is None or checkpoint is None:
                zh, en = "时间戳所盖的检查点文本不合格式", "the time-stamped checkpoint is malformed"
                self.add("times", "wrong-checkpoint-form", zh, en, line)
                continue
            party = checkpoint.origin.partition("/")[0]
            if self.signed(party, "checkpoint", signed.key, signed.text.encode(), signed.signature) is not True:
                zh, en = "时间戳所盖的检查点签名不成立", "the time-stamped checkpoint is not signed by its party"
                self.add("times", "stamped-checkpoint", zh, en, line)
                continue
            self.checkpoint("times", checkpoint, party, line, "")
            view = judge(record.token, sm3(stamped_bytes(signed)), pool, self.times.whole_ms or now_ms)
            self.times.fix(line, checkpoint.origin, checkpoint.size, view)
        for note in self.times.notes:
            self.counts["times"] += 1
            self.reasons("times", note.broken, note.line)

    def signed(self, party: str, use: str, key: str, data: bytes, signature: bytes) -> bool | None:
        """Whether the party's key signed the data; one SM2 verification for each distinct checkpoint."""
        known = self.book.find(party, use, key)
        if known is None:
            return None
        question = (party, use, key, data, signature)
        if question not in self.signatures:
            self.signatures[question] = sm2.verify(
                self.checks.provider, known.public, data, signature, signer_id=sm2.DEFAULT_ID
            )
        return self.signatures[question]

    def checkpoints(self) -> None:
        """Sizes and times rise together, and the consistency paths that the package carries hold."""
        self.counts["checkpoints"] = len(self.seen)
        by_origin: dict[str, list[tuple[Checkpoint, int]]] = {}
        for (origin, _), entry in sorted(self.seen.items()):
            by_origin.setdefault(origin, []).append(entry)
        for entries in by_origin.values():
            for (older, _), (newer, line) in pairwise(entries):
                if newer.time_ms < older.time_ms:
                    zh, en = "账本变长而时间倒退", "the ledger grew while its time went back"
                    self.add("checkpoints", "checkpoint-time", zh, en, line)
        for line, record in self.package.consistency:
            old, new = self.seen.get((record.origin, record.old)), self.seen.get((record.origin, record.new))
            if old is None or new is None:
                zh, en = "一致性证明所指的检查点不在包内", "the consistency path's checkpoints are not in the package"
                self.add("checkpoints", "checkpoint-missing", zh, en, line, bad=False)
            elif not tree.check_consistency(record.old, record.new, old[0].root, new[0].root, record.path):
                zh, en = "一致性证明不成立：账本被改写", "the consistency path fails: the ledger was rewritten"
                self.add("checkpoints", "wrong-consistency", zh, en, line)
            else:
                self.times.link(record.origin, record.old, record.new)

    def chains(self) -> None:
        """Each certificate at the first and the last moment its key was used, then when its last use is proved."""
        manifest = self.package.manifest
        if self.checks.anchored and manifest:
            for identity in self.book.identities:
                self.used.setdefault(identity.certificate, set()).add(Use(manifest.made_at))
        for certificate, uses in self.used.items():
            self.counts["chains"] += 1
            last = max(use.at_ms for use in uses)
            for at_ms in sorted({min(use.at_ms for use in uses), last}):
                reasons = self.checks.chain(certificate, self.pool, at_ms, at_ms)
                if reasons:
                    self.reasons("chains", reasons, 0)
                    break
            else:
                self.proved(certificate, uses, last)

    def proved(self, certificate: bytes, uses: set[Use], last_ms: int) -> None:
        """Rows L08 and L12: a certificate that has expired or was revoked since is no proof by its signer's own clock."""
        now_ms = self.checks.now_ms
        at_ms = max(now_ms if (bound := self.times.bound(use)) is None else bound for use in uses)
        for reason in self.checks.chain(certificate, self.pool, max(at_ms, last_ms), last_ms)[:1]:
            zh = f"签名之后证书失效，无可信时间证明签名更早（{reason.zh}）"
            en = f"the certificate ended after the signature, which no trusted time proves to be older ({reason.en})"
            self.add("chains", "not-proved-in-time", zh, en, bad=False)

    def order(self) -> None:
        if any(finding.code == "message-missing" for finding in self.findings):
            return  # what is not here may be what makes the rest right
        if any(message.content is None for message in self.read):
            self.partial = True
            return  # what is sealed may say anything
        self.counts["order"] = len(self.read)
        self.state, findings = check_order(self.read)
        self.findings.extend(findings)

    def documents(self) -> None:
        named = {digest for message in self.read for digest in message.names}
        files: dict[str, bytes] = {}
        for line, record in self.package.documents:
            self.counts["documents"] += 1
            if sm3(record.data).hex() != record.sm3:
                zh, en = "文件内容与其摘要不符", "the document's bytes do not have its digest"
                self.add("documents", "document-digest", zh, en, line)
            elif record.sm3 not in named:
                zh, en = "没有报文提到该文件", "no message names this document"
                self.add("documents", "document-unknown", zh, en, line)
            else:
                files[record.sm3] = record.data
            for message in self.read:
                if record.sm3 in message.names and not message.travelled(record.sm3, record.data):
                    zh, en = "文件与报文所带的密文不符", "the document is not what travelled sealed with the message"
                    self.add("documents", "document-sealed", zh, en, line, message.head.id)
        for message in self.read:
            if message.record.refusal is not None:  # refused, perhaps for its very stamp: nothing rests on it
                continue
            for stamped in message.stamped:
                self.stamped(message, stamped, files)
            if message.unstamped:
                zh, en = "结果文件没有电子签章", "a result document carries no stamp"
                self.add("stamps", "document-unstamped", zh, en, message.line, message.head.id, bad=False)

    def stamped(self, message: Message, stamped: Stamped, files: dict[str, bytes]) -> None:
        document, stamp = files.get(stamped.document), files.get(stamped.stamp)
        if document is None or stamp is None:
            self.partial = True
            zh, en = "结果文件或其签章不在包内，无法核验", "the result document or its stamp is not in the package"
            self.add("stamps", "document-missing", zh, en, message.line, message.head.id, bad=False)
            return
        self.counts["stamps"] += 1
        anchors = self.book.certificates(message.head.sender, "seal-anchor")
        trusted_ms = self.trusted(message)
        reasons = self.checks.stamp(stamp, document, self.pool, message.head.created, trusted_ms, anchors)
        self.reasons("stamps", reasons, message.line, message.head.id)

    def trusted(self, message: Message) -> int | None:
        """When a message was there at the latest, not by its sender's word: the receiver's ledger, or an authority."""
        found = [] if self.times.whole_ms is None else [self.times.whole_ms]
        receipt = message.record.receipt
        if isinstance(receipt, LedgerProof) and (checkpoint := checkpoint_of(receipt)) is not None:
            found.append(checkpoint.time_ms)
        return min(found, default=None)

    def story(self) -> None:
        for line, record in self.package.timelines:
            self.counts["story"] += len(record.entries)
            for finding in check_story(record.entries, self.read, line):
                self.partial |= not finding.bad
                self.findings.append(finding)

    def whole(self) -> None:
        end, manifest = self.package.end, self.package.manifest
        if end is None or manifest is None:
            return
        self.counts["seal"] = 1
        if sm3(self.package.head).hex() != end.digest:
            zh, en = "证据包内容与结束行的摘要不符，曾被改动", "the package's bytes do not have the end line's digest"
            self.add("seal", "package-altered", zh, en)
        signed = self.signed(manifest.made_by, "direct", end.key, signed_bytes(self.package.head), end.signature)
        if not end.key:
            zh, en = "证据包没有制作方签名", "the package is not signed by its maker"
            self.add("seal", "package-unsigned", zh, en, bad=False)
        elif signed is None and manifest.made_by in self.book.key_ids():
            self.add(
                "seal", "wrong-signer", "证据包不是由制作方的密钥签名", "the package is not signed by its maker's key"
            )
        elif signed is None:
            zh, en = "包内没有制作方的名片，签名无法判断", "the maker's card is not in the package: cannot tell"
            self.add("seal", "unknown-key", zh, en, bad=False)
        elif not signed:
            self.add("seal", "wrong-signature", "制作方签名不符", "the maker's signature does not match")
        elif known := self.book.find(manifest.made_by, "direct", end.key):
            self.used.setdefault(known.certificate, set()).add(Use(manifest.made_at))
            self.held.append(Held("seal", 0, "", manifest.made_by, end.key, Use(manifest.made_at)))

    def report(self) -> EvidenceReport:
        if not self.package.messages:
            self.partial = True
            self.add("messages", "no-messages", "包内没有报文", "there are no messages in the package", bad=False)
        bad = any(finding.bad for finding in self.findings)
        ok = False if bad else (None if self.findings else True)
        grade = "broken" if bad else "partial" if self.partial else "one-sided" if self.one_sided else "full"
        manifest = self.package.manifest
        return EvidenceReport(
            ok=ok,
            grade=grade,
            trust="anchored" if self.checks.anchored else "as-packaged",
            case=manifest.case if manifest else "",
            messages=len(self.package.messages),
            state=self.state,
            reasons=tuple(self.findings),
            counts=self.counts,
            identities=tuple(self.book.identities),
            times=tuple(self.times.notes),
            fixed_ms=self.times.whole_ms,
            certificates=certificates_used(self.read),
            origins=tuple(self.origins),
        )


def _parsed(proof: LedgerProof) -> Checkpoint:
    checkpoint = checkpoint_of(proof)
    assert checkpoint is not None  # noqa: S101 - check_proof has parsed it
    return checkpoint

"""Scanning a certificate that another place issued (扫码查验, W7): the inspector's side asks, the issuer's side answers and knows.

Asked: the local platform's question becomes a message to the issuer's gateway, tried again until it is there. Heard: the issuer
looks the token up, asks its own agreements what this party may see, writes down who scanned what, where and for what, and owes
the answer, all in the transaction that takes the question in. Nothing of the certificate leaves that the line does not name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from agreements.match import Refusal
from agreements.model import EVERYTHING
from agreements.release import Release
from gateway.flow import inquiries, issued, post, receive
from gateway.flow.agreed import Agreed
from gateway.flow.disclosure import visible
from gateway.flow.inquiries import ASKED, HEARD, PENDING, Inquiry
from gateway.flow.issued import Issued
from gateway.flow.receive import Answered, Incoming
from gateway.ledger.checkpoint import entry_digest
from gateway.problems import CODES, Refused
from gateway.public import token
from gateway.public.register import HIDDEN
from gateway.store.journal import Tx, Work
from gateway.store.vault import Vault
from schemas import codec
from schemas.errors import Invalid
from schemas.inquiry import CertificateAnswer, CertificateQuery, SeenField, SeenPermit
from signing.ecert import Metadata
from signing.sm3 import sm3

QUERY, ANSWER = "certificate_query", "certificate_answer"


@dataclass(frozen=True)
class Scans:
    """Both sides."""

    party: str
    vault: Vault
    agreed: Agreed
    new_id: Callable[[], str]

    # --- asked by us -------------------------------------------------------------------------------------------------

    def ask(
        self, platform: str, issuer: str, query: CertificateQuery, original: bytes, spend: Callable[[Tx], None]
    ) -> Work[str]:
        """The work that takes a platform's question; the inquiry's id. ``spend`` uses up the nonce of its call. About our own
        certificates we answer at once."""
        allowed = self.agreed.may_scan(issuer, query.purpose, query.at) if issuer != self.party else None

        def work(tx: Tx) -> str:
            spend(tx)
            if isinstance(allowed, Refusal):
                raise Refused(CODES.get(allowed.code, "TB-4101"), allowed.zh, allowed.clause)
            id_ = self.new_id()
            leaf = tx.leaf("platform", id_, entry_digest("platform", id_, sm3(original)))
            if allowed is None:  # it is ours
                self._hear(tx, id_, self.party, "", 0, query, leaf, platform)
                return id_
            key, wrapped = self.vault.new_key()
            inquiries.insert(tx, self._row(
                tx, id_, ASKED, issuer, platform, "", allowed.agreement, allowed.version, query, wrapped, leaf
            ))  # fmt: skip
            post.put(
                tx, id=id_, case_id=id_, direction=post.OUT, type=QUERY, act=id_, leaf=leaf,
                sealed=self.vault.seal(key, codec.encode(query), post.body_label(id_)),
            )  # fmt: skip
            post.queue(tx, id_, f"peer:{issuer}", id_)
            return id_

        return work

    # --- messages of a partner ---------------------------------------------------------------------------------------

    def take(self, incoming: Incoming) -> Work[Answered]:
        """The work that takes a partner's question or answer in, with its answer on the wire."""
        takes: Mapping[type, Callable[[Tx, Incoming], int]] = {
            CertificateQuery: self._take_query, CertificateAnswer: self._take_answer,
        }  # fmt: skip

        def work(tx: Tx) -> Answered:
            before = receive.answered_before(tx, incoming)
            if before is not None:
                return before
            try:
                if incoming.header.expires < tx.now_ms:
                    raise Refused("TB-5005")
                if isinstance(incoming.body, Refused):
                    raise incoming.body
                if incoming.header.parts:
                    raise Refused("TB-1005", "parts")
                return Answered(incoming.header.id, "receipt", takes[type(incoming.body)](tx, incoming))
            except Refused as refused:  # of all that is judged before anything is written
                return receive.refuse(tx, incoming, refused, self.vault)

        return work

    def _take_query(self, tx: Tx, incoming: Incoming) -> int:
        header, query = incoming.header, incoming.body
        if self.agreed.book.version(header.agreement, header.agreement_version) is None:
            raise Refused("TB-4101")
        if header.purpose != query.purpose:
            raise Refused("TB-1005", "purpose")
        leaf = self._accepted(tx, incoming)
        row, answer = self._hear(tx, header.id, header.sender, header.agreement, header.agreement_version, query, leaf)
        self._keep(tx, incoming, row, leaf)
        id_ = self.new_id()
        post.put(
            tx, id=id_, case_id=row.id, direction=post.OUT, type=ANSWER, act=id_, leaf=None,
            sealed=self.vault.seal(self.vault.unwrap(row.wrapped_key), codec.encode(answer), post.body_label(id_)),
        )  # fmt: skip
        post.queue(tx, id_, f"peer:{header.sender}", row.id)
        return leaf

    def _take_answer(self, tx: Tx, incoming: Incoming) -> int:
        answer = incoming.body
        row = inquiries.load(tx, answer.query)
        if row is None or row.side != ASKED or row.counterpart != incoming.header.sender:
            raise Refused("TB-7043")
        if row.state != PENDING:
            raise Refused("TB-5002", row.state)
        leaf = self._accepted(tx, incoming)
        self._keep(tx, incoming, row, leaf)
        key = self.vault.unwrap(row.wrapped_key)
        inquiries.answer(tx, row.id, inquiries.seal(self.vault, key, row.id, ANSWER, answer), answer.outcome)
        return leaf

    def _accepted(self, tx: Tx, incoming: Incoming) -> int:
        id_ = incoming.header.id
        return tx.leaf("accepted", id_, entry_digest("accepted", id_, incoming.digest))

    def _keep(self, tx: Tx, incoming: Incoming, row: Inquiry, leaf: int) -> None:
        """The message as it came, under the inquiry's key."""
        header, content, key = incoming.header, incoming.content, self.vault.unwrap(row.wrapped_key)
        post.put(
            tx, id=header.id, case_id=row.id, direction=post.IN, type=header.type, act=header.key,
            header=incoming.header_bytes, proof=incoming.proof, leaf=leaf,
            sealed=self.vault.seal(key, content.body, post.body_label(header.id)),
            secret=self.vault.seal(key, content.secret, post.secret_label(header.id)) if content.secret else None,
        )  # fmt: skip

    # --- what the issuer says ----------------------------------------------------------------------------------------

    def _hear(
        self, tx: Tx, id_: str, who: str, agreement: str, version: int, query: CertificateQuery, leaf: int, platform: str = "",
    ) -> tuple[Inquiry, CertificateAnswer]:  # fmt: skip
        """Write down that somebody scanned, and what is answered. ``platform``: which of ours it was, if it was ours."""
        found = issued.by_token(tx, token.digest(query.token))
        if found is not None and found.state in HIDDEN:
            found = None
        at = datetime.fromtimestamp(tx.now_ms // 1000, UTC)
        answer, release = CertificateAnswer(query=id_, outcome="unknown", at=at), None
        if found is not None:
            release = self._release(who, found, query.purpose, at, platform)
            answer = _sendable(self._answer(tx, id_, found, release, at))
        if isinstance(release, Release) and who != self.party:  # what it releases travels as its own agreement says
            agreement, version = release.agreement, release.version
        key, wrapped = self.vault.new_key()
        row = self._row(
            tx, id_, HEARD, who, found.platform if found else "", found.id if found else "", agreement, version, query, wrapped,
            leaf,
        )  # fmt: skip
        inquiries.insert(tx, row)
        inquiries.answer(tx, id_, inquiries.seal(self.vault, key, id_, ANSWER, answer), answer.outcome)
        return row, answer

    def _release(self, who: str, found: Issued, purpose: str, at: datetime, platform: str) -> Release | Refusal:
        """What may be seen: of our own platforms the one that had it issued sees all, any other what the public sees."""
        if who != self.party:
            return self.agreed.release(who, found.type_code, purpose, at)
        return Release("", 0, "", (EVERYTHING,) if found.platform == platform else (), "scan", purpose)

    def _answer(self, tx: Tx, id_: str, found: Issued, release: Release | Refusal, at: datetime) -> CertificateAnswer:
        """What one line grants of a certificate."""
        if isinstance(release, Refusal):
            return CertificateAnswer(
                query=id_, outcome="withheld", at=at, code=CODES.get(release.code, "TB-4101"), clause=release.clause[:200].strip(),
                reason=release.zh[:200], reason_en=release.en[:200],
            )  # fmt: skip
        of, stood = issued.metadata(self.vault, found), issued.stands(tx, found, tx.now_ms)
        assert stood is not None  # noqa: S101 - it was made before it was asked about
        return CertificateAnswer(
            query=id_, outcome="released", at=at, standing=stood.standing.value, type_name=of.type_name,
            issuer=of.issuer_name, valid_from=of.valid_from, valid_to=of.valid_to, fields=tuple(_seen(of, release)),
            permits=tuple(
                SeenPermit(one.name, stood.permits[one.id].value, one.valid_from, one.valid_to) for one in of.permits
            ),
            clause=release.clause,
        )  # fmt: skip

    def _row(
        self, tx: Tx, id_: str, side: str, who: str, platform: str, certificate: str, agreement: str, version: int,
        query: CertificateQuery, wrapped: bytes, leaf: int,
    ) -> Inquiry:  # fmt: skip
        question = inquiries.seal(self.vault, self.vault.unwrap(wrapped), id_, QUERY, query)
        return Inquiry(
            id_, side, who, platform, certificate, agreement, version, query.purpose, PENDING, "", "", wrapped, question, b"",
            leaf, tx.now_ms, 0,
        )  # fmt: skip


def _sendable(answer: CertificateAnswer) -> CertificateAnswer:
    """The answer; without what stands on the certificate if that has a form that no message may have."""
    try:
        codec.encode(answer)
    except Invalid as invalid:
        return CertificateAnswer(
            query=answer.query, outcome="withheld", at=answer.at, standing=answer.standing, code="TB-1005",
            reason=invalid.zh[:200], reason_en=invalid.en[:200],
        )  # fmt: skip
    return answer


def _seen(of: Metadata, release: Release) -> list[SeenField]:
    return [SeenField(one.name, one.label, one.value) for one in visible(of, release)]

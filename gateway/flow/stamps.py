"""Result documents and their stamps: stamped by the place that issues them, verified before the other side stores them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from gateway.flow.recognition import Recognition
from gateway.flow.statuses import Online, Questions, questions
from gateway.problems import Refused
from gateway.store.parts import Parts
from schemas.canonical import Material, Result, ResultDocument
from signing.errors import Malformed
from signing.ocsp import Answer
from signing.providers import Provider
from signing.sm3 import sm3
from signing.stamper import Stamper
from signing.timestamp import TimeTrust
from signing.verify import verify_stamp

STAMP_TYPE = "application/vnd.gbt38540.stamp"
MAX_STAMP = 1 << 20

# The first reason of a report that stands here gives the refusal its code; anything else about trust is TB-3003.
CODE_OF_REASON = {
    "format": "TB-3001",
    "malformed": "TB-3001",
    "stamp-signature": "TB-3002",
    "seal-signature": "TB-3010",
    "seal-expired": "TB-3004",
    "seal-not-yet-valid": "TB-3004",
    "seal-revoked": "TB-3005",
    "signer-revoked-before-stamping": "TB-3005",
    "seal-maker-revoked": "TB-3005",
    "not-in-certificate-list": "TB-3006",
    "document-digest": "TB-3007",
}


@dataclass(frozen=True)
class Stamps:
    """Stamps what is ours and judges what is not, each party's by what is ``recognised`` of that party.

    ``stamper`` stamps at once, here; ``elsewhere``: results are stamped by another system before they leave. ``times``: whose
    time stamps on them are believed. ``online``: where the status of certificates is asked for; nowhere if None.
    """

    stamper: Stamper | None
    elsewhere: bool
    parts: Parts
    provider: Provider
    recognised: Recognition
    now_ms: Callable[[], int]
    times: TimeTrust | None = None
    online: Online | None = None

    def stamp(self, owner: str, result: Result) -> Result:
        """The result with a stamp on each document that came without one; unchanged when nobody stamps here."""
        if self.stamper is None:
            return result
        return msgspec.structs.replace(
            result, documents=[one if one.stamp else self._stamped(owner, one) for one in result.documents]
        )

    def _stamped(self, owner: str, document: ResultDocument) -> ResultDocument:
        assert self.stamper is not None  # noqa: S101 - the caller looked
        digest = bytes.fromhex(document.document.sm3)
        data = self.stamper.stamp(digest, document.document.sm3, self._now())
        if not isinstance(data, bytes):
            raise Refused(CODE_OF_REASON.get(data.code, "TB-3003"), data.zh)
        stamp = stamp_material(document, data)
        self.parts.store(owner, stamp.sm3, data)
        return msgspec.structs.replace(document, stamp=stamp)

    async def verdict(self, sender: str, result: Result) -> Refused | None:
        """``judge`` in a thread, after the sender's responder was asked where one is set."""
        statuses: Sequence[Answer] = ()
        if self.online is not None and sender in self.online.responders:
            statuses = await self.online.about(sender, await asyncio.to_thread(self._questions, sender, result))
        return await asyncio.to_thread(self.judge, sender, result, statuses)

    def _questions(self, sender: str, result: Result) -> Questions:
        known = self.recognised(sender, self._now())
        return questions(self._brought(sender, result), known.anchors, self.provider)

    def _brought(self, sender: str, result: Result) -> Iterator[bytes]:
        for document in result.documents:
            if document.stamp is not None and document.stamp.size <= MAX_STAMP:
                yield self._read(sender, document.stamp)

    def _read(self, sender: str, stamp: Material) -> bytes:
        return b"".join(self.parts.read(f"peer:{sender}", stamp.sm3))

    def judge(self, sender: str, result: Result, statuses: Sequence[Answer] = ()) -> Refused | None:
        """None when every document bears a stamp of its issuer that holds now; otherwise the refusal it earns.

        ``Refused`` with ``early`` set: it cannot be told now (a revocation list is missing), so it is for later.
        """
        for document in result.documents:
            refused = self._judge(sender, document, statuses)
            if refused is not None:
                return refused
        return None

    def _judge(self, sender: str, document: ResultDocument, statuses: Sequence[Answer]) -> Refused | None:
        if document.stamp is None:
            return Refused("TB-3008", document.name)
        if document.stamp.size > MAX_STAMP:
            return Refused("TB-3001", document.name)
        at = self._now()
        known = self.recognised(sender, at)
        if known.unknown is not None:
            return Refused("TB-3009", known.unknown.zh, early=True)
        try:
            report = verify_stamp(
                self._read(sender, document.stamp),
                bytes.fromhex(document.document.sm3),
                at=at,
                anchors=known.anchors,
                provider=self.provider,
                crls=known.crls,
                statuses=statuses,
                policy=known.policy,
                times=self.times,
            )
        except Malformed as error:
            return Refused("TB-3001", error.zh)
        if report.ok is True:
            return None
        reason = report.reasons[0]
        if report.ok is None:
            return Refused("TB-3009", reason.zh, early=True)
        return Refused(CODE_OF_REASON.get(reason.code, "TB-3003"), f"{document.name}：{reason.zh}")

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.now_ms() / 1000, UTC)


def stamp_material(document: ResultDocument, stamp: bytes) -> Material:
    """How a result names the stamp on one of its documents."""
    digest = sm3(stamp).hex()
    return Material(
        name=f"{document.name}电子签章", sm3=digest, size=len(stamp), media_type=STAMP_TYPE,
        file_name=f"{digest[:16]}.es", role="stamp",
    )  # fmt: skip

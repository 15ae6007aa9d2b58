"""The desk where local platforms are served: take an act in, answer with a signed receipt or a signed refusal."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from agreements.match import Refusal, Route
from agreements.oneform import OneForm
from gateway.flow import bundles, outbox, post
from gateway.flow.accept import Deed, Taken, accept, key_of, refuse, with_body
from gateway.flow.agreed import Agreed
from gateway.flow.certificate_acts import identified
from gateway.flow.contents import Contents
from gateway.flow.signatures import Signatures
from gateway.flow.stamps import Stamps
from gateway.problems import Refused, of_reason
from gateway.store.journal import Journal, Tx
from gateway.store.parts import Parts
from gateway.store.vault import Vault
from schemas.applicant_signature import ROLE
from schemas.canonical import Application, Correction, Result
from schemas.divisions import Divisions, check_application
from signing.sm3 import sm3

RECEIPT_ZH = "收件回执：已收件并存证，将转递办理地。本回执不代表受理。"
RECEIPT_EN = "Receipt: collected and recorded, to be forwarded to the handling place. This is not an acceptance."


@dataclass(frozen=True)
class Desk:
    """All that taking an act in needs. ``wake`` tells a destination's loop that there is work; ``forms``: by the code that each
    is handed in under."""

    party: str
    journal: Journal
    vault: Vault
    parts: Parts
    agreed: Agreed
    stamps: Stamps
    signatures: Signatures
    contents: Contents
    divisions: Divisions
    new_id: Callable[[], str]
    now_ms: Callable[[], int]
    wake: Callable[[str], None]
    forms: Mapping[str, OneForm] = field(default_factory=dict)

    async def take(self, deed: Deed) -> dict[str, str]:
        """Take the deed in, durably; the receipt's fields. Raises ``Refused``, with the refusal's proof attached."""
        body = deed.act.body
        form = self.forms.get(body.item) if isinstance(body, Application) else None
        try:
            deeds = [deed] if form is None else bundles.parts_of(deed, form)
            taken, receipts = await self._take(deeds)
        except Refused as refused:
            if not refused.code.startswith("TB-9") and not refused.extra.get("early"):
                await self._sign_refusal(deed, refused)
            raise
        for one, its in zip(deeds, taken, strict=True):
            self.wake(self._via(one) or f"peer:{its.case.counterpart}")
        first = taken[0]
        told = {
            "case_id": first.case.id,
            "case_number": first.case.case_number,
            "message_id": first.message,
            "received_at": datetime.fromtimestamp(first.received_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "receipt": base64.b64encode(receipts[0]).decode(),
            "text": RECEIPT_ZH,
            "text_en": RECEIPT_EN,
        }
        return told if form is None else told | bundles.receipt(body.case_number, receipts)

    async def _take(self, deeds: Sequence[Deed]) -> tuple[list[Taken], list[bytes]]:
        """All of them, or none; each with its proof."""
        judged = [await self._judge(one) for one in deeds]
        works = [
            accept(one, route, party=self.party, vault=self.vault, new_id=self.new_id, via=self._via(one))
            for one, route in judged
        ]
        commit = await self.journal.submit(bundles.together(works))
        taken: list[Taken] = commit.only()
        proofs = (self.journal.prove(one.leaf) if one.duplicate else commit.prove(one.leaf) for one in taken)
        return taken, [msgspec.json.encode(proof) for proof in proofs]

    async def _judge(self, deed: Deed) -> tuple[Deed, Route | Refusal | None]:
        """What needs no transaction: the deed as it will be taken, and the agreement's decision."""
        route = None
        body = deed.act.body
        if isinstance(body, Application):
            invalid = check_application(body, self.divisions)
            if invalid is not None:
                raise Refused(of_reason(invalid.code), f"{invalid.path} {invalid.zh}".strip())
            route = self.agreed.route(body, self.now_ms())
        if deed.act.parts:
            await self._keep_parts(deed)
        known = self._known(deed)
        if not known and (refused := await self.contents.judge(deed.owner, body)):
            raise refused
        if isinstance(body, Application):
            await self._judge_signatures(deed, body, route)
        if isinstance(body, Result) and not known:
            named = identified(self.journal.read(), deed.platform, body, self.now_ms())
            stamped = await asyncio.to_thread(self.stamps.stamp, deed.owner, named)
            await self._own_parts(deed, [d.stamp.sm3 for d in stamped.documents if d.stamp], stamped)
            deed = with_body(deed, stamped)
        return deed, route

    async def _judge_signatures(self, deed: Deed, application: Application, route: Route | Refusal | None) -> None:
        """A file that has not come whole is the acceptance's affair, and has its own code."""
        files = [one for one in application.materials if one.role == ROLE]
        reader = self.journal.read()
        here = [reader.one("SELECT 1 FROM part WHERE owner = ? AND sm3 = ?", deed.owner, one.sm3) for one in files]
        if all(here):
            refused = await self.signatures.judge(deed.owner, application, route)
            if refused is not None:
                raise refused

    def _via(self, deed: Deed) -> str:
        """A result that lacks stamps goes to the stamping system first, where there is one; an application that names
        certificates to where they come from."""
        body = deed.act.body
        if isinstance(body, Application | Correction) and body.certificates:
            return outbox.SHARING
        unstamped = isinstance(body, Result) and any(one.stamp is None for one in body.documents)
        return outbox.STAMPER if unstamped and self.stamps.elsewhere else ""

    def _known(self, deed: Deed) -> bool:
        """A repetition is not looked at or stamped a second time: its first answer stands."""
        row = self.journal.read().one("SELECT 1 FROM idempotency WHERE party = ? AND key = ?", deed.owner, key_of(deed))
        return row is not None

    async def _keep_parts(self, deed: Deed) -> None:
        for part in deed.act.parts:
            if sm3(part.data).hex() != part.sm3 or len(part.data) != part.size:
                raise Refused("TB-6002", part.file_name)
            await asyncio.to_thread(self.parts.store, deed.owner, part.sm3, part.data)
        await self._register(deed.owner, {part.sm3: part.size for part in deed.act.parts})

    async def _own_parts(self, deed: Deed, stamps: list[str], result: Result) -> None:
        sizes = {d.stamp.sm3: d.stamp.size for d in result.documents if d.stamp}
        await self._register(deed.owner, {digest: sizes[digest] for digest in stamps})

    async def _register(self, owner: str, sizes: dict[str, int]) -> None:
        def work(tx: Tx) -> None:
            for digest, size in sizes.items():
                post.register_part(tx, owner, digest, size)

        (await self.journal.submit(work)).only()

    async def _sign_refusal(self, deed: Deed, refused: Refused) -> None:
        """An authenticated act is refused with proof, so nobody can say later that it was never answered."""
        message = self.new_id()
        commit = await self.journal.submit(refuse(deed, refused, message))
        leaf: int = commit.only()
        refused.extra["message_id"] = message
        refused.extra["receipt"] = base64.b64encode(msgspec.json.encode(commit.prove(leaf))).decode()

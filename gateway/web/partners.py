"""The exchange listener, for partners' gateways: card, batches, outcomes, parts, checkpoint, proof, consistency."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import msgspec
from aiohttp import web

from gateway import problems
from gateway.exchange import message as wireform
from gateway.exchange import request as signed
from gateway.exchange import sealing, wire
from gateway.exchange.card import MAX_SIZE, public_keys
from gateway.exchange.client import CardTaken
from gateway.exchange.sealing import Content
from gateway.exchange.trust import PAUSING, Partner
from gateway.flow.accept import spend_nonce
from gateway.flow.agreed import Agreed
from gateway.flow.cards import Cards
from gateway.flow.contents import Contents
from gateway.flow.post import brings_what_it_names
from gateway.flow.receive import Answered, Incoming, observe, receive
from gateway.flow.scans import Scans
from gateway.flow.signatures import Signatures
from gateway.flow.stamps import Stamps
from gateway.flow.unseal import Opener
from gateway.ledger.checkpoint import LedgerProof, check_proof, entry_digest, parse_text
from gateway.ops import metrics
from gateway.problems import Refused, of_reason
from gateway.store.journal import Commit, Journal, Reader, Work
from gateway.store.vault import Vault
from gateway.web.guard import TRACE, read_body
from gateway.web.uploads import Uploads, content_range, digest_of
from schemas import codec
from schemas.canonical import Application, Result
from schemas.errors import Invalid
from signing.errors import Malformed
from signing.sm2 import PublicKey
from signing.sm3 import sm3

NOBODY = "0" * 26
BATCH_LINES = 256  # messages in one batch: a longer one would hold the event loop too long


class _Proved(NamedTuple):
    """A message that provably comes from the partner; ``proof`` as JSON, to be stored."""

    header: wireform.Header
    line: wire.Line
    digest: bytes
    proof: bytes


@dataclass(frozen=True)
class Partners:
    """Handlers of the exchange listener. ``platform``: item -> the local platform that its new cases go to."""

    party: str
    cards: Cards
    partners: Mapping[str, Partner]
    journal: Journal
    vault: Vault
    agreed: Agreed
    stamps: Stamps
    signatures: Signatures
    contents: Contents
    uploads: Uploads
    opener: Opener
    scans: Scans
    platform: Callable[[str], str]
    batch_limit: int
    range_limit: int
    window_ms: int
    now_ms: Callable[[], int]
    wake: Callable[[str], None]
    heard: Callable[[str], None]
    connected: Callable[[web.Request], str | None]

    def routes(self) -> list[web.RouteDef]:
        """The listener's paths (contract)."""
        return [
            web.get("/.well-known/tongban/card", self.get_card),
            web.post("/exchange/v1/messages", self.post_messages),
            web.get("/exchange/v1/messages/{id}", self.get_outcome),
            web.head("/exchange/v1/parts/{sm3}", self.head_part),
            web.put("/exchange/v1/parts/{sm3}", self.put_part),
            web.get("/exchange/v1/card", self.get_next_card),
            web.put("/exchange/v1/card", self.put_card),
            web.get("/exchange/v1/checkpoint", self.get_checkpoint),
            web.get("/exchange/v1/proof", self.get_proof),
            web.get("/exchange/v1/consistency", self.get_consistency),
        ]

    # --- cards -------------------------------------------------------------------------------------------------------

    async def get_card(self, request: web.Request) -> web.Response:
        """Our signed card, for anybody; with ``after`` the furthest that may follow that version."""
        return web.Response(body=self.cards.after(_after(request)).data, content_type="application/json")

    async def get_next_card(self, request: web.Request) -> web.Response:
        """The same for a partner, who says by asking which one it holds."""
        partner, after = await self._caller(request, paused=True), _after(request)
        await self.cards.fetched(partner.id, after)
        self.heard(partner.id)
        return web.Response(body=self.cards.after(after).data, content_type="application/json")

    async def put_card(self, request: web.Request) -> web.Response:
        """A partner's next card, taken from a paused partner too: a revocation must always arrive. The call is signed by
        a direct key of the card that it brings, for the one that we know may be the revoked one; where none is left it is
        unsigned, for a card proves itself, and our ledger's proof is not shown."""
        data = await read_body(request, MAX_SIZE)
        partner = self._registered(request.headers.get(signed.PARTY, ""), request)
        card = self.cards.offered(partner, data)
        revoked = {one.id for one in card.revoked}
        keys = {id_: key for id_, key in public_keys(card, "direct").items() if id_ not in revoked}
        unsigned = signed.SIGNATURE not in request.headers
        reason = None if unsigned else self._signature(request, data, partner, partner.direct_keys | keys)
        if reason is not None:
            raise Refused(of_reason(reason))
        try:
            version, proof = await self.cards.take(partner, data)
        except Refused as refused:
            if "held" in refused.extra:
                return _holding(request, refused, partner.card.version)
            raise
        if not unsigned:  # anybody may carry a card: that is no sign of life
            self.heard(partner.id)
        return web.Response(
            body=msgspec.json.encode(CardTaken(version, None if unsigned else proof)), content_type="application/json"
        )

    # --- a batch -----------------------------------------------------------------------------------------------------

    async def post_messages(self, request: web.Request) -> web.Response:
        """Take a batch: believe its checkpoint or refuse the whole call; then answer each message on its own."""
        data = await read_body(request, self.batch_limit)
        try:
            head, lines = wire.decode_batch(data)
        except (msgspec.MsgspecError, ValueError):
            raise Refused("TB-1001") from None
        if len(lines) > BATCH_LINES:
            raise Refused("TB-1002", f"> {BATCH_LINES}")
        partner, held = self._partner(head.sender, request), self._held(head.sender)
        await self._know(partner, head.card)
        try:
            checkpoint = partner.check_head(head, self.party, held)
        except Refused as refused:
            if refused.code == "TB-2012":
                return _holding(request, refused, 0 if held is None else held.size)
            if refused.code in PAUSING:
                await self._pause(partner.id, refused.code)
            raise
        incoming = await self._read(partner, [self._proved(partner, line, head) for line in lines])
        works: list[Work[Any]] = [
            observe(partner.id, head.checkpoint, checkpoint.size, head.held.size if head.held else 0)
        ]
        works += [self._work(one) for one in incoming]
        commit = await self.journal.submit(*works)
        answers = [self._answer(result, commit, request[TRACE]) for result in commit.results[1:]]
        for answer in answers:
            metrics.TAKEN.labels("peer", answer.status).inc()
        await self._drop_sealed_parts(partner.id, incoming, answers)
        self.wake("platform")
        self.heard(partner.id)
        reply = self._head(partner.id, commit, head.held)
        return web.Response(body=wire.encode(reply, answers), content_type=wire.CONTENT_TYPE)

    def _proved(self, partner: Partner, line: wire.Line, head: wire.BatchHead) -> _Proved | Refused:
        """One message whose sender's proof holds for the bytes that came."""
        try:
            header = wireform.decode_header(line.header)
        except (msgspec.MsgspecError, ValueError):
            return Refused("TB-1001", "header")
        digest = wireform.digest(line.header)
        proof = wire.proof(line.proof, head.checkpoint)
        try:
            reason = check_proof(entry_digest("sent", header.id, digest), proof, verify=partner.verify)
        except ValueError:
            return Refused("TB-2006", id=header.id)
        if reason is not None:
            return Refused("TB-2006", reason.zh, id=header.id)
        if header.sender != partner.id or header.to != self.party or header.hops:
            return Refused("TB-2009", id=header.id)
        if len(line.body) != header.body_size or sm3(line.body).hex() != header.body:
            return Refused("TB-6002", "body", id=header.id)
        return _Proved(header, line, digest, msgspec.json.encode(proof))

    async def _read(self, partner: Partner, proved: Sequence[_Proved | Refused]) -> list[Incoming | Refused]:
        """What the messages say: opened if they are sealed, each body parsed once."""
        sound = [one for one in proved if isinstance(one, _Proved)]
        contents = await self.opener.contents([(one.header, one.line.body) for one in sound])
        read = iter(await asyncio.gather(*map(partial(self._incoming, partner), sound, contents)))
        return [next(read) if isinstance(one, _Proved) else one for one in proved]

    async def _incoming(self, partner: Partner, one: _Proved, content: Content | Refused) -> Incoming:
        """One message with what needs more than the store to judge it: parts decrypted, agreement asked, stamps verified."""
        header, complete = one.header, self._all_here(one.header)
        body: Any = content
        if isinstance(content, Refused):
            content = sealing.clear(header, b"")
        else:
            body = self._body(header, content)
        route = self.agreed.judge(header, body, self.now_ms()) if isinstance(body, Application) else None
        verdict = None
        if complete and not isinstance(body, Refused) and not self._known(header.id):
            refused = await self.opener.open_parts(f"peer:{partner.id}", header, content)
            verdict = await self._verdict(partner, body, route) if refused is None else None
            body = refused or body
        if verdict is not None and content.key:
            verdict = _tight_lipped(verdict)
        return Incoming(header, one.line.header, one.digest, content, body, one.proof, complete, route, verdict)

    async def _verdict(self, partner: Partner, body: Any, route: Any) -> Refused | None:
        """What is wrong with the files, signatures and stamps that a body brings, its files being here."""
        owner = f"peer:{partner.id}"
        refused = await self.contents.judge(owner, body)
        if refused is not None:
            return refused
        if isinstance(body, Application):
            return await self.signatures.judge(owner, body, route)
        if isinstance(body, Result):
            return await self.stamps.verdict(partner.id, body)
        return None

    def _body(self, header: wireform.Header, content: Content) -> Any:
        """The canonical body, or the refusal it earns; what cannot be read of a sealed body is not told to those on the way."""
        if header.sealed is None and (bare := self.agreed.not_sealed(header.agreement, header.agreement_version)):
            return Refused(of_reason(bare.code), bare.zh, bare.clause)
        body = _decode(header, content.body)
        if not isinstance(body, Refused) and not brings_what_it_names(body, content.enclosure.parts):
            body = Refused("TB-6015")
        return _tight_lipped(body) if isinstance(body, Refused) and content.key else body

    def _known(self, message: str) -> bool:
        return self.journal.read().one("SELECT 1 FROM message WHERE id = ?", message) is not None

    def _work(self, incoming: Incoming | Refused) -> Work[Answered]:
        if isinstance(incoming, Refused):
            return _unproved(incoming)
        if incoming.header.type in wireform.WITHOUT_CASE:
            return self.scans.take(incoming)
        return receive(incoming, platform=self.platform, vault=self.vault)

    def _answer(self, result: Any, commit: Commit, trace: str) -> wire.Answer:
        if isinstance(result, BaseException):
            problem = result if isinstance(result, Refused) else Refused("TB-9002")
            return wire.Answer(id=NOBODY, status="retry_later", problem=_trouble(problem, trace))
        answered: Answered = result
        trouble = _trouble(answered.problem, trace) if answered.problem is not None else None
        spot, checkpoint = None, None
        if answered.leaf is not None:
            proof = self._prove(answered.leaf) if answered.stored else commit.prove(answered.leaf)
            spot, checkpoint = wire.place(proof), proof.checkpoint if answered.stored else None
        return wire.Answer(
            id=answered.id, status=answered.status, proof=spot, checkpoint=checkpoint, problem=trouble,
            missing=list(answered.missing), expected=answered.expected,
        )  # fmt: skip

    async def _drop_sealed_parts(
        self, sender: str, incoming: Sequence[Incoming | Refused], answers: Sequence[wire.Answer]
    ) -> None:
        """The sealed forms of parts that have been opened and kept are of no more use."""
        digests = [
            part.sm3
            for one, answer in zip(incoming, answers, strict=True)
            if isinstance(one, Incoming) and one.content.key and answer.status == "receipt"
            for part in one.header.parts
        ]
        if digests:
            await asyncio.to_thread(self.uploads.discard, f"peer:{sender}", digests)

    def _head(self, sender: str, commit: Commit, theirs: wire.Held | None) -> wire.BatchHead:
        """Our side of the answer: our checkpoint, theirs that we hold now, and the way from the one they said they hold."""
        held = self._held(sender)
        now = parse_text(commit.checkpoint.text.encode())
        base = theirs.size if theirs is not None else 0
        size = now.size if now is not None else 0
        return wire.BatchHead(
            sender=self.party, to=sender, checkpoint=commit.checkpoint,
            held=None if held is None else wire.Held(held.size, held.root.hex()), base=base,
            consistency=self.journal.consistency(base, size) if 0 < base < size else [], card=self.cards.card.version,
        )  # fmt: skip

    def _prove(self, leaf: int) -> LedgerProof:
        """Our proof of an old leaf: byte for byte as first given, unless the key that signed it has been revoked since:
        then the same leaf is proved under the newest checkpoint."""
        proof = self.journal.prove(leaf)
        newest = self.journal.head.checkpoint
        if newest is None or all(one.id != proof.checkpoint.key for one in self.cards.card.revoked):
            return proof
        return self.journal.prove_under(leaf, newest)

    async def _know(self, partner: Partner, version: int) -> None:
        """A partner that names a newer card of its own is judged by that one; until it is here nothing is accepted."""
        if version > partner.card.version:
            await self.cards.fetch(partner)
            if version > partner.card.version:
                raise Refused("TB-2018")

    def _registered(self, party: str, request: web.Request) -> Partner:
        partner = self.partners.get(party)
        if partner is None:
            raise Refused("TB-2003")
        if self.connected(request) not in (None, party):
            raise Refused("TB-2014")
        if not partner.vouched():
            raise Refused("TB-2019")
        return partner

    def _partner(self, party: str, request: web.Request) -> Partner:
        partner = self._registered(party, request)
        row = self.journal.read().one("SELECT state FROM peer WHERE id = ?", party)
        if row is not None and row[0] == "paused":
            raise Refused("TB-2010")
        return partner

    def _held(self, party: str) -> Any:
        row = self.journal.read().one("SELECT held FROM peer WHERE id = ?", party)
        return parse_text(row[0].encode()) if row is not None and row[0] else None

    def _all_here(self, header: wireform.Header) -> bool:
        return all(self.uploads.known(f"peer:{header.sender}", part.sm3) == part.size for part in header.parts)

    async def _pause(self, party: str, code: str) -> None:
        await self.journal.submit(
            lambda tx: tx.run("UPDATE peer SET state = 'paused', cause = ? WHERE id = ?", code, party)
        )

    # --- signed calls ------------------------------------------------------------------------------------------------

    async def _caller(self, request: web.Request, body: bytes = b"", *, paused: bool = False) -> Partner:
        """Who signed this call. A signature that no key we know made may be a newer key's: its card is asked for first."""
        party = request.headers.get(signed.PARTY, "")
        partner = self._registered(party, request) if paused else self._partner(party, request)
        reason = self._signature(request, body, partner, partner.direct_keys)
        if reason == "bad-signature" and partner.exposed:
            await self._pause(partner.id, "TB-2013")
            raise Refused("TB-2013")
        if reason == "bad-signature":
            await self.cards.fetch(partner)
            reason = self._signature(request, body, partner, partner.direct_keys)
        if reason is not None:
            raise Refused(of_reason(reason))
        return partner

    def _signature(
        self, request: web.Request, body: bytes, partner: Partner, keys: Mapping[str, PublicKey]
    ) -> str | None:
        return signed.check(
            request.headers, request.method, request.raw_path, body, self.now_ms(), self.window_ms, self.party, keys,
            partner.provider,
        )  # fmt: skip

    async def head_part(self, request: web.Request) -> web.Response:
        """How far a part of this sender is; nobody learns what others have brought."""
        partner = await self._caller(request)
        return await self.uploads.head(f"peer:{partner.id}", digest_of(request))

    async def put_part(self, request: web.Request) -> web.Response:
        """One range of a part."""
        data = await read_body(request, self.range_limit)
        partner = await self._caller(request, data)
        nonce, until = request.headers[signed.NONCE], self.now_ms() + 2 * self.window_ms
        (await self.journal.submit(lambda tx: spend_nonce(tx, f"peer:{partner.id}", nonce, until))).only()
        return await self.uploads.put(f"peer:{partner.id}", digest_of(request), content_range(request), data)

    async def get_outcome(self, request: web.Request) -> web.Response:
        """What became of a message, by its id (which is its idempotency key): the stored answer, or 404."""
        partner = await self._caller(request)
        row = self.journal.read().one(
            "SELECT header, status, problem, leaf FROM message WHERE id = ? AND direction = 'in'",
            request.match_info["id"],
        )
        if row is None or wireform.decode_header(row[0]).sender != partner.id:
            raise Refused("TB-5001")
        proof = self._prove(row[3])
        status: wire.Status = "refused" if row[1] == "refused" else "receipt"
        trouble = _trouble(Refused(row[2]), request[TRACE]) if row[2] else None
        answer = wire.Answer(
            id=request.match_info["id"],
            status=status,
            proof=wire.place(proof),
            checkpoint=proof.checkpoint,
            problem=trouble,
        )
        return web.Response(body=msgspec.json.encode(answer), content_type="application/json")

    async def get_checkpoint(self, request: web.Request) -> web.Response:
        """Our newest checkpoint."""
        await self._caller(request)
        return web.Response(body=msgspec.json.encode(self.journal.head.checkpoint), content_type="application/json")

    async def get_proof(self, request: web.Request) -> web.Response:
        """The proof of our entry for a message of this caller: the same bytes as in the first answer."""
        partner = await self._caller(request)
        row = self.journal.read().one(
            "SELECT header, leaf FROM message WHERE id = ? AND direction = 'in'", request.query.get("message", "")
        )
        if row is None or row[1] is None or wireform.decode_header(row[0]).sender != partner.id:
            raise Refused("TB-5001")
        return web.Response(body=msgspec.json.encode(self._prove(row[1])), content_type="application/json")

    async def get_consistency(self, request: web.Request) -> web.Response:
        """The path between two sizes of our ledger."""
        await self._caller(request)
        old, new = request.query.get("from", ""), request.query.get("to", "")
        if not (old.isdecimal() and new.isdecimal() and len(old) < 16 and len(new) < 16):
            raise Refused("TB-1005")
        if not int(old) <= int(new) <= self.journal.head.size:
            raise Refused("TB-1005")
        path = self.journal.consistency(int(old), int(new))
        return web.Response(body=msgspec.json.encode({"path": path}), content_type="application/json")


def _tight_lipped(refused: Refused) -> Refused:
    """The same refusal without its detail, which may name what was sealed."""
    return Refused(refused.code, "", refused.clause, **refused.extra)


def _unproved(refused: Refused) -> Work[Answered]:
    """What does not come provably from the partner is answered without a leaf and leaves no trace in the store."""

    def work(_: Reader) -> Answered:
        return Answered(str(refused.extra.get("id", NOBODY)), "refused", problem=refused)

    return work


def _decode(header: wireform.Header, body: bytes) -> Any:
    try:
        return codec.decode(header.type, body)
    except Invalid as invalid:
        return Refused(of_reason(invalid.code), f"{invalid.path} {invalid.zh}".strip())
    except Malformed as error:
        return Refused("TB-1001", error.zh)


def _trouble(refused: Refused, trace: str) -> wire.Trouble:
    document = problems.document(refused, trace)
    return msgspec.convert({k: v for k, v in document.items() if k in wire.Trouble.__struct_fields__}, wire.Trouble)


def _after(request: web.Request) -> int:
    text = request.query.get("after", "0")
    if not (text.isdecimal() and len(text) < 16):
        raise Refused("TB-1005", "after")
    return int(text)


def _holding(request: web.Request, refused: Refused, held: int) -> web.Response:
    """The caller goes on from something (a checkpoint, a card) that is not the one we hold: say which one we hold."""
    document = problems.document(refused, request[TRACE]) | {"held": held}
    return web.Response(status=409, body=msgspec.json.encode(document), content_type="application/problem+json")

"""Deliver to a partner: freeze, bring the parts, send one batch under one checkpoint, settle every answer.

A crash before the freeze commits finds the message queued; after it, frozen: the same bytes go again and the partner
answers a repetition with its first receipt. An unclear call is asked about, message by message, before anything is resent.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

import msgspec
import structlog

from gateway.config import Delivery
from gateway.core import case as machine
from gateway.core.delivery import Event, State
from gateway.exchange import client as calls
from gateway.exchange import wire
from gateway.exchange.trust import PAUSING, Partner, agree
from gateway.flow import casefile, inquiries, outbox
from gateway.flow.cards import Cards
from gateway.flow.freeze import Carried, Frozen, freeze, thaw
from gateway.flow.notes import Note, note
from gateway.flow.outbox import Due
from gateway.flow.receive import observe
from gateway.flow.seal import Sealer, owner_of, portion
from gateway.ledger.checkpoint import Checkpoint, LedgerProof, SignedCheckpoint, check_proof, entry_digest, parse_text
from gateway.problems import Refused
from gateway.store.journal import Commit, Journal, Tx, Work
from gateway.store.vault import Vault
from signing.errors import Rejected
from signing.sm3 import sm3

log = structlog.get_logger("peer")
PARTS_AT_ONCE = 4
OUR_KEY = frozenset({"TB-2002", "TB-2007", "TB-2018"})  # a partner that says so may not have our newest card


@dataclass(frozen=True)
class ToPeer:
    """The round of one partner's loop."""

    party: str
    partner: Partner
    client: calls.PeerClient
    journal: Journal
    vault: Vault
    sealer: Sealer
    settings: Delivery
    jitter: Callable[[], float]
    note: Note
    now_ms: Callable[[], int]
    cards: Cards

    @property
    def destination(self) -> str:
        """This partner's name in the outbox."""
        return f"peer:{self.partner.id}"

    def owes(self) -> bool:
        """Whether the partner has still to get our newest card."""
        return self.cards.owed(self.partner.id)

    async def deliver(self, due: Sequence[Due]) -> bool:
        """One round: bring our card, also to a paused partner; ask about what is unclear, freeze what is queued, send what
        is ready."""
        state = self.journal.read().one("SELECT state FROM peer WHERE id = ?", self.partner.id)
        if state is not None and state[0] == "paused":
            return await self._tell() and await self._rest("paused")
        if not self.partner.vouched():
            return await self._rest("TB-2019")
        unclear = [one for one in due if one.state is State.UNKNOWN]
        if unclear and not await self._ask(unclear):
            return False
        queued = [one.message for one in due if one.state is State.QUEUED]
        ready = [one.message for one in due if one.state in (State.FROZEN, State.AWAITING_PARTS)]
        if not queued and not ready:
            return await self._tell()
        frozen, commit = await self._freeze(queued)
        frozen += [thaw(self.journal.read(), message, self.vault) for message in ready]
        if not frozen:
            return True  # nothing can go as things are; it waits with its reason
        await self._again_waiting([one.message for one in due if one.state is State.AWAITING_PARTS])
        portion, missing = self._portion(frozen)
        if not await self._tell():
            return False
        if not await self._bring_parts(missing):
            return False
        return await self._send(portion, commit)

    async def _tell(self) -> bool:
        """Our newest card goes before any message."""
        failed = await self.cards.tell(self.partner)
        return failed is None or await self._rest(failed.reason)

    async def _freeze(self, queued: Sequence[str]) -> tuple[list[Frozen], Commit]:
        ready = await self.sealer.prepare(self.journal.read(), queued, self.now_ms())
        works: list[Work[Frozen]] = [
            freeze(message, party=self.party, vault=self.vault, expires_ms=self.settings.expires_ms, sealed=how)
            if not isinstance(how, Rejected | Refused)
            else _cannot(how)
            for message, how in ready.items()
        ]
        commit = await self.journal.submit(*works)
        done: list[Frozen] = []
        for message, result in zip(ready, commit.results, strict=True):
            if isinstance(result, Frozen):
                done.append(result)
            else:
                cause = _cause(result)
                log.error("cannot be frozen", message=message, cause=cause)
                await self.journal.submit(self._later(message, Event.TEMPORARY, cause))
        return done, commit

    async def _again_waiting(self, messages: Sequence[str]) -> None:
        """Messages that waited for parts are asked about by sending them again: same bytes, same answer or better."""
        works: list[Work[None]] = []
        for message in messages:
            works += [_step(message, Event.PARTS_SENT), _step(message, Event.NOT_THERE)]
        if works:
            await self.journal.submit(*works)

    # --- parts -------------------------------------------------------------------------------------------------------

    def _portion(self, frozen: Sequence[Frozen]) -> tuple[list[Frozen], list[Carried]]:
        """What goes in this round, and the files it needs brought first: large ones must not hold the others back; what
        is left stays frozen and is due again at once.
        """
        reader, wanted, seen = self.journal.read(), dict[str, list[Carried]](), set[str]()
        for one in frozen:
            wanted[one.id] = [
                carried
                for carried in one.parts
                if carried.part.sm3 not in seen
                and not reader.one(
                    "SELECT 1 FROM part_sent WHERE peer = ? AND sm3 = ?", self.partner.id, carried.part.sm3
                )
            ]
            seen |= {carried.part.sm3 for carried in wanted[one.id]}
        now = set(portion({id_: sum(one.part.size for one in parts) for id_, parts in wanted.items()}))
        chosen = [one for one in frozen if one.id in now]
        return chosen, [carried for one in chosen for carried in wanted[one.id]]

    async def _bring_parts(self, missing: Sequence[Carried]) -> bool:
        """Bring files that are not over there yet, a few side by side; False when one could not be brought."""
        turns = asyncio.Semaphore(PARTS_AT_ONCE)

        async def bring(carried: Carried) -> calls.Unreachable | calls.Denied | None:
            async with turns:
                outcome = await self.client.send_part(carried.part, self._reading(carried))
                if outcome is None:
                    await self.journal.submit(self._part_is_there(carried.part.sm3))
                return outcome

        failed = [outcome for outcome in await asyncio.gather(*map(bring, missing)) if outcome is not None]
        if failed:
            log.warning("part not brought", peer=self.partner.id, outcome=str(failed[0]))
            return await self._rest("parts")
        return True

    def _reading(self, carried: Carried) -> Callable[[int], AsyncIterator[bytes]]:
        owner = owner_of(self.journal.read(), carried.source.sm3)

        async def read(start: int) -> AsyncIterator[bytes]:
            segments = self.sealer.read(owner, carried, start)
            while (segment := await asyncio.to_thread(next, segments, None)) is not None:
                yield segment

        return read

    def _part_is_there(self, digest: str) -> Work[None]:
        def work(tx: Tx) -> None:
            if tx.one("SELECT 1 FROM part_sent WHERE peer = ? AND sm3 = ?", self.partner.id, digest) is None:
                tx.run("INSERT INTO part_sent (peer, sm3) VALUES (?,?)", self.partner.id, digest)

        return work

    # --- the batch ---------------------------------------------------------------------------------------------------

    async def _send(self, frozen: Sequence[Frozen], commit: Commit) -> bool:
        signed = commit.checkpoint
        lines = [wire.Line(one.header, one.body, wire.place(self._prove(one, commit, signed))) for one in frozen]
        outcome = await self.client.send(self._head(signed), lines)
        if isinstance(outcome, calls.Unreachable):
            return await self._rest(outcome.reason)
        if isinstance(outcome, calls.Denied):
            return await self._denied(outcome)
        if isinstance(outcome, calls.Unclear):
            await self.journal.submit(*[self._later(one.id, Event.UNCLEAR, outcome.reason) for one in frozen])
            return await self._rest(outcome.reason)
        head, answers = outcome
        return await self._settle(frozen, head, answers)

    def _prove(self, one: Frozen, commit: Commit, signed: SignedCheckpoint) -> LedgerProof:
        try:
            return commit.prove(one.leaf)
        except KeyError:
            return self.journal.prove_under(one.leaf, signed)

    def _head(self, signed: SignedCheckpoint) -> wire.BatchHead:
        row = self.journal.read().one("SELECT held, told FROM peer WHERE id = ?", self.partner.id)
        held, told = ("", 0) if row is None else row
        found = parse_text(held.encode()) if held else None
        size = _size(signed)
        base = told if told <= size else 0
        return wire.BatchHead(
            sender=self.party,
            to=self.partner.id,
            checkpoint=signed,
            held=None if found is None else wire.Held(found.size, found.root.hex()),
            base=base,
            consistency=self.journal.consistency(base, size) if 0 < base < size else [],
            card=self.cards.card.version,
        )

    async def _denied(self, outcome: calls.Denied) -> bool:
        if outcome.code == "TB-2012" and outcome.held is not None:
            held = outcome.held  # they hold another checkpoint of ours than we thought: prove from that one
            await self.journal.submit(lambda tx: tx.run("UPDATE peer SET told = ? WHERE id = ?", held, self.partner.id))
            return True
        log.warning("batch denied", peer=self.partner.id, code=outcome.code)
        if outcome.code in OUR_KEY:
            await self.cards.unknown(self.partner.id)
        return await self._rest(outcome.code)

    # --- settling ----------------------------------------------------------------------------------------------------

    async def _settle(self, frozen: Sequence[Frozen], head: wire.BatchHead, answers: Sequence[wire.Answer]) -> bool:
        try:
            checkpoint = await self._believed(head)
        except Refused as refused:
            return await self._distrust(refused)
        by_id = {answer.id: answer for answer in answers}
        told = head.held.size if head.held is not None else 0
        works: list[Work[object]] = [observe(self.partner.id, head.checkpoint, checkpoint.size, told)]
        works.append(lambda tx: outbox.answers(tx, self.destination))
        for one in frozen:
            answer = by_id.get(one.id)
            works.append(
                self._later(one.id, Event.UNCLEAR, "unanswered")
                if answer is None
                else self._settled(one, answer, head.checkpoint)
            )
        commit = await self.journal.submit(*works)
        for result in commit.results:
            if isinstance(result, BaseException):
                log.warning("not settled", peer=self.partner.id, cause=_cause(result))
        self.note.wake()
        return True

    async def _believed(self, head: wire.BatchHead) -> Checkpoint:
        """The checkpoint of an answer. Two batches may cross, and an answer then proves from another size than the one we
        hold by now: the missing path is asked for."""
        row = self.journal.read().one("SELECT held FROM peer WHERE id = ?", self.partner.id)
        held = parse_text(row[0].encode()) if row and row[0] else None
        if head.card > self.partner.card.version:
            await self.cards.fetch(self.partner)
        try:
            return self.partner.check_head(head, self.party, held)
        except Refused as refused:
            found = refused.extra.get("found")
            if not isinstance(found, Checkpoint) or held is None:
                raise
        path = await self.client.consistency(*sorted((held.size, found.size)))
        if isinstance(path, calls.Unreachable):
            raise Refused("TB-2012", path.reason)
        agree(held, found, path)
        return found

    def _settled(self, one: Frozen, answer: wire.Answer, checkpoint: SignedCheckpoint) -> Work[None]:
        """The work for one answer. An answer whose proof does not hold is no answer."""
        if answer.status == "retry_later":
            return self._later(one.id, Event.TEMPORARY, answer.problem.code if answer.problem else "later")
        if answer.status == "awaiting_parts":
            return self._needs_parts(one.id, answer.missing)
        code = answer.problem.code if answer.problem else "TB-5002"
        detail = f"{code} {answer.problem.detail}" if answer.problem else code
        if answer.status == "refused" and answer.proof is None:
            return self._later(one.id, Event.EXHAUSTED, detail)  # nobody signed this refusal: an operator looks at it
        receipt = self.proof_of(one.id, one.digest, answer, checkpoint)
        if receipt is None:
            return self._later(one.id, Event.UNCLEAR, "proof")
        if answer.status == "refused":
            return self._is_refused(one.id, code, detail, receipt)
        return self._is_received(one.id, receipt)

    def proof_of(
        self, message: str, digest: bytes, answer: wire.Answer, checkpoint: SignedCheckpoint | None
    ) -> LedgerProof | None:
        """The receipt's (or signed refusal's) proof, if it holds under a checkpoint of this partner."""
        signed = answer.checkpoint or checkpoint
        if answer.proof is None or signed is None:
            return None
        kind, content = "accepted", digest
        if answer.status == "refused":
            kind, content = "refused", sm3(digest, (answer.problem.code if answer.problem else "").encode())
        proof = wire.proof(answer.proof, signed)
        reason = check_proof(entry_digest(kind, message, content), proof, verify=self.partner.verify)
        if reason is not None:
            log.warning("receipt does not hold", peer=self.partner.id, message=message, reason=reason.code)
            return None
        return proof

    def _is_received(self, message: str, receipt: LedgerProof) -> Work[None]:
        stored = msgspec.json.encode(receipt)

        def work(tx: Tx) -> None:
            outbox.move(tx, message, Event.RECEIPT)
            tx.run("UPDATE message SET receipt = ? WHERE id = ?", stored, message)
            row = tx.one("SELECT type, case_id FROM message WHERE id = ?", message)
            case = casefile.load(tx, row[1]) if row is not None else None
            event = machine.EVENT_OF_RECEIPT.get(row[0]) if row is not None else None
            if row is None or case is None or event is None:
                return
            by = machine.Actor.HANDLING if row[0] == "application" else machine.Actor.COLLECTING
            if isinstance(machine.advance(machine.State(case.state), event, by), machine.Moved):
                casefile.move(tx, case, event, by, message, tx.now_ms)
            note(tx, self.note, case, message)

        return work

    def _is_refused(self, message: str, code: str, detail: str, receipt: LedgerProof) -> Work[None]:
        def work(tx: Tx) -> None:
            outbox.move(tx, message, Event.REFUSAL, cause=detail)
            stored = msgspec.json.encode(receipt)
            tx.run("UPDATE message SET receipt = ?, problem = ? WHERE id = ?", stored, code, message)
            row = tx.one("SELECT type, case_id FROM message WHERE id = ?", message)
            event = machine.EVENT_OF_REFUSAL.get(row[0]) if row else None
            case = casefile.load(tx, row[1]) if row else None
            if case is None:
                inquiries.refuse(tx, message, code)
                return
            if event is not None:
                casefile.move(tx, case, event, machine.Actor.HANDLING, message, tx.now_ms)
            note(tx, self.note, case, message)

        return work

    def _needs_parts(self, message: str, missing: Sequence[str]) -> Work[None]:
        def work(tx: Tx) -> None:
            outbox.move(tx, message, Event.NEEDS_PARTS)
            for digest in missing:
                tx.run("DELETE FROM part_sent WHERE peer = ? AND sm3 = ?", self.partner.id, digest)

        return work

    # --- after an unclear call ---------------------------------------------------------------------------------------

    async def _ask(self, unclear: Sequence[Due]) -> bool:
        works: list[Work[object]] = []
        for one in unclear:
            answer = await self.client.ask(one.message)
            if isinstance(answer, calls.Unreachable):
                return await self._rest(answer.reason)
            if answer is None:
                works.append(_step(one.message, Event.NOT_THERE))
                continue
            frozen = thaw(self.journal.read(), one.message, self.vault)
            works.append(self._settled(frozen, answer, answer.checkpoint or _NO_CHECKPOINT))
        await self.journal.submit(*works)
        self.note.wake()
        return True

    async def _rest(self, cause: str) -> bool:
        jitter = self.jitter()
        await self.journal.submit(lambda tx: outbox.rest(tx, self.destination, cause, self.settings, jitter))
        return False

    def _later(self, message: str, event: Event, cause: str) -> Work[None]:
        jitter = self.jitter()

        def work(tx: Tx) -> None:
            outbox.later(tx, message, event, cause, self.settings, jitter)

        return work

    async def _distrust(self, refused: Refused) -> bool:
        """The partner's ledger does not hold together: believe nothing of this answer; what is in PAUSING pauses it."""
        log.error("partner's checkpoint refused", peer=self.partner.id, code=refused.code)
        if refused.code in PAUSING:
            code, partner = refused.code, self.partner.id
            await self.journal.submit(
                lambda tx: tx.run("UPDATE peer SET state = 'paused', cause = ? WHERE id = ?", code, partner)
            )
        return await self._rest(refused.code)


_NO_CHECKPOINT = SignedCheckpoint(text="", key="", signature=b"")


def _size(signed: SignedCheckpoint) -> int:
    found = parse_text(signed.text.encode())
    return 0 if found is None else found.size


def _cannot(why: Rejected | Refused) -> Work[Frozen]:
    """A message that cannot be sealed now stays queued with the reason; nothing of it leaves in clear."""

    def work(_: Tx) -> Frozen:
        raise why if isinstance(why, Refused) else Refused("TB-2102", why.code)

    return work


def _cause(result: object) -> str:
    """What a log line may say of a failed work: our code or the kind of error, never what it was about."""
    return result.code if isinstance(result, Refused) else type(result).__name__


def _step(message: str, event: Event) -> Work[None]:
    def work(tx: Tx) -> None:
        outbox.move(tx, message, event)

    return work

"""Have documents stamped elsewhere: what came unstamped is owed to the stamping system first, and goes on from there.

Its delivery runs by the same table as any other: the intent is stored (``unknown``) before the first call, and after any
unclear end, a crash or a time-out the system is asked by the order's number before it is given the order again. The number
is made of the message and the document's digest, so that it is the same over all retries, and the stamp is one. What comes
back is judged before it is used; a stamp that is not ours parks the message with its reason, and nothing is lost: when a person
lets it go on, it is ordered under the next number, because the first one is spent. How many were spent stands in ``frozen``.
What is stamped, and what becomes of it, is for its ``Kind`` to say: results here, certificates in ``certificates_to_stamp``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import msgspec
import structlog

from gateway.config import Delivery
from gateway.core.delivery import Event, State
from gateway.flow import casefile, outbox, post
from gateway.flow.casefile import CaseFile
from gateway.flow.outbox import Due
from gateway.flow.post import register_part
from gateway.flow.stamps import stamp_material
from gateway.problems import Refused
from gateway.stamping.external import Expected, Stamping
from gateway.stamping.family import Order, Unstamped
from gateway.stamping.obtain import obtain
from gateway.store.journal import Journal, Reader, Tx, Work
from gateway.store.parts import Parts
from gateway.store.vault import Vault
from schemas import codec
from schemas.canonical import Result, ResultDocument
from signing.sm3 import sm3

log = structlog.get_logger("stamper")
DOMAIN: Final = "tongban/v1/stamp"
RESULT: Final = "result"
Spent = Mapping[str, int]
"""Document digest (hex) -> how many numbers were spent on stamps that could not be used."""


class Kind(Protocol):
    """What one type of message has to be stamped."""

    async def orders(self, message: str, spent: Spent) -> Sequence[Order]:
        """An order for each document of the message that lacks its stamp. ``Refused`` when a person has to look."""

    async def stamped(self, message: str, stamps: Mapping[str, bytes]) -> None:
        """All of them came, by document digest: put them where they belong, durably, and settle the delivery."""


@dataclass(frozen=True, slots=True)
class Missing:
    """The first document (its SM3, hex) of a message that has no stamp, and why."""

    digest: str
    why: Unstamped


@dataclass(frozen=True)
class ToStamper:
    """The round of the stamping system's loop. ``kinds``: by type of message."""

    stamping: Stamping
    expected: Expected
    journal: Journal
    settings: Delivery
    jitter: Callable[[], float]
    now_ms: Callable[[], int]
    kinds: Mapping[str, Kind]

    def owes(self) -> bool:
        """Documents are all that a stamper gets."""
        return False

    async def deliver(self, due: Sequence[Due]) -> bool:
        """One round: intents stored, every document of every message stamped side by side, each message settled."""
        intended = await self.journal.submit(*[_intend(one) for one in due])
        going = [one for one, done in zip(due, intended.results, strict=True) if done is None]
        outcomes = await asyncio.gather(*[self._tried(one) for one in going])
        for one, outcome in zip(going, outcomes, strict=True):
            await self._settle(one, outcome)
        absent = bool(outcomes) and all(isinstance(one, Missing) and one.why.kind == "unsent" for one in outcomes)
        if absent:
            jitter = self.jitter()
            await self.journal.submit(
                lambda tx: outbox.rest(tx, outbox.STAMPER, "no connection", self.settings, jitter),
            )
        return not absent

    async def _tried(self, one: Due) -> dict[str, bytes] | Missing:
        try:
            return await self._obtain(one)
        except Refused as refused:  # a file that is not here, a case that is gone: a person has to look
            return Missing("", Unstamped("refused", refused.code))

    async def _obtain(self, one: Due) -> dict[str, bytes] | Missing:
        """The judged stamps of a message's documents by document digest, or the first that is missing."""
        stamps: dict[str, bytes] = {}
        for order in await self.kinds[one.type].orders(one.message, _spent(self.journal.read(), one.message)):
            digest = order.digest.hex()
            if digest in stamps:
                continue
            asked_first = one.state is State.UNKNOWN
            found = await obtain(self.stamping, self.expected, order, asked_first=asked_first, now=self._now)
            if isinstance(found, Unstamped):
                return Missing(digest, found)
            stamps[digest] = found
        return stamps

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.now_ms() / 1000, UTC)

    async def _settle(self, one: Due, outcome: dict[str, bytes] | Missing) -> None:
        if isinstance(outcome, Missing):
            why = outcome.why
            log.warning("not stamped", message=one.message, kind=why.kind, reason=why.reason.split()[0])
            await self.journal.submit(self._waits(one, outcome))
            return
        await self.kinds[one.type].stamped(one.message, outcome)

    def _waits(self, one: Due, missing: Missing) -> Work[Any]:
        jitter, why = self.jitter(), missing.why

        def work(tx: Tx) -> None:
            if why.kind == "unusable":
                spent = _spent(tx, one.message)
                spent[missing.digest] = spent.get(missing.digest, 0) + 1
                tx.run("UPDATE message SET frozen = ? WHERE id = ?", msgspec.json.encode(spent), one.message)
            if why.kind in ("refused", "unusable") or one.attempt + 1 >= self.settings.attempts:
                outbox.move(tx, one.message, Event.EXHAUSTED, why.reason)
            else:
                outbox.later(tx, one.message, Event.UNCLEAR, why.reason, self.settings, jitter)

        return work


@dataclass(frozen=True)
class Results:
    """``Kind`` of results. ``wake``: tells a partner's loop that a message is ready for it."""

    journal: Journal
    vault: Vault
    parts: Parts
    wants_file: bool
    wake: Callable[[str], None]

    async def orders(self, message: str, spent: Spent) -> Sequence[Order]:
        """See ``Kind``."""
        case, body, _ = self._load(self.journal.read(), message)
        lacking = {one.document.sm3: one for one in body.documents if one.stamp is None}
        return [
            await asyncio.to_thread(self._order, message, case, one, spent.get(digest, 0))
            for digest, one in lacking.items()
        ]

    def _order(self, message: str, case: CaseFile, document: ResultDocument, spent: int) -> Order:
        digest = document.document.sm3
        data = b""
        if self.wants_file:
            data = b"".join(self.parts.read(f"platform:{case.platform}", digest))
        number = order_id(message, digest, spent)
        return Order(number, bytes.fromhex(digest), document.name, digest, RESULT, data)

    async def stamped(self, message: str, stamps: Mapping[str, bytes]) -> None:
        """See ``Kind``."""
        case, _, _ = self._load(self.journal.read(), message)
        for stamp in stamps.values():
            await asyncio.to_thread(self.parts.store, f"platform:{case.platform}", sm3(stamp).hex(), stamp)
        (await self.journal.submit(self._goes_on(message, stamps))).only()
        self.wake(f"peer:{case.counterpart}")

    def _goes_on(self, message: str, stamps: Mapping[str, bytes]) -> Work[None]:
        """The body gets its stamps and the message goes on to the partner, in one transaction."""

        def work(tx: Tx) -> None:
            case, body, key = self._load(tx, message)
            owner = f"platform:{case.platform}"
            documents = [_with_stamp(one, stamps) for one in body.documents]
            for stamp in stamps.values():
                register_part(tx, owner, sm3(stamp).hex(), len(stamp))
                post.bind_part(tx, case.id, owner, sm3(stamp).hex())
            changed = msgspec.structs.replace(body, documents=documents)
            sealed = self.vault.seal(key, codec.encode(changed), post.body_label(message))
            parts = msgspec.json.encode(post.parts_of(changed))
            tx.run("UPDATE message SET sealed = ?, parts = ?, frozen = NULL WHERE id = ?", sealed, parts, message)
            outbox.hand_over(tx, message, f"peer:{case.counterpart}")
            outbox.answers(tx, outbox.STAMPER)

        return work

    def _load(self, tx: Reader, message: str) -> tuple[CaseFile, Result, bytes]:
        row = tx.one("SELECT case_id, sealed FROM message WHERE id = ?", message)
        case = casefile.load(tx, row[0]) if row is not None else None
        if row is None or case is None:
            raise Refused("TB-5001")
        key = self.vault.unwrap(case.wrapped_key)
        body = codec.decode("result", self.vault.open(key, row[1], post.body_label(message)))
        assert isinstance(body, Result)  # noqa: S101 - nothing else is owed to the stamper
        return case, body, key


def order_id(message: str, digest: str, spent: int = 0, purpose: str = RESULT) -> str:
    """Our number for one stamp: the same for the same document of the same message, over all retries and restarts, until a
    stamp that cannot be used has spent it."""
    return sm3("\n".join((DOMAIN, message, digest, purpose, str(spent))).encode()).hex()[:32]


def _spent(tx: Reader, message: str) -> dict[str, int]:
    """Document digest -> how many numbers were spent on stamps that could not be used."""
    row = tx.one("SELECT frozen FROM message WHERE id = ?", message)
    return msgspec.json.decode(row[0], type=dict[str, int]) if row is not None and row[0] is not None else {}


def _intend(one: Due) -> Work[None]:
    """The intent, stored before anything is sent: from here on, a crash is met by asking."""

    def work(tx: Tx) -> None:
        if one.state is State.QUEUED:
            outbox.move(tx, one.message, Event.FREEZE)
        if one.state in (State.QUEUED, State.FROZEN):
            outbox.move(tx, one.message, Event.ATTEMPT)

    return work


def _with_stamp(document: ResultDocument, stamps: Mapping[str, bytes]) -> ResultDocument:
    if document.stamp is not None:
        return document
    return msgspec.structs.replace(document, stamp=stamp_material(document, stamps[document.document.sm3]))

"""Deliver to a local platform: translate and freeze in one transaction, then one attempt, then settle.

The delivery is marked ``unknown`` in the very transaction that freezes it: a crash while the call is under way is met as
what it is, an attempt without an answer. A platform that can be asked is asked; for one that cannot, a person decides
(待人工确认); nothing is re-sent by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
import structlog

from adapters import base as adapter
from adapters.base import Untranslatable, Wire
from adapters.inlined import MAX_FILES
from adapters.registry import Platform
from gateway.config import Delivery
from gateway.core.delivery import Event, State
from gateway.flow import casefile, outbound, outbox, post, unclear
from gateway.flow.outbox import Due
from gateway.problems import Refused
from gateway.store.journal import Journal, Tx, Work
from gateway.store.parts import Parts
from gateway.store.vault import Vault

log = structlog.get_logger("platform")


class Ready(NamedTuple):
    """Frozen platform bytes, and how often they have been tried."""

    message: str
    attempt: int
    wire: Wire


@dataclass(frozen=True)
class ToPlatform:
    """The round of one platform's loop. ``names``: party id -> name, for the platform's screen."""

    platform: Platform
    journal: Journal
    vault: Vault
    settings: Delivery
    jitter: Callable[[], float]
    names: dict[str, str]
    parts: Parts

    @property
    def destination(self) -> str:
        """This platform's name in the outbox."""
        return f"platform:{self.platform.id}"

    def owes(self) -> bool:
        """Messages are all that a platform gets."""
        return False

    async def deliver(self, due: Sequence[Due]) -> bool:
        """One round: what is unclear is asked about first; the rest is frozen, sent side by side, settled together."""
        asked = [one for one in due if one.state is State.UNKNOWN]
        unsaid = [one for one in due if one.state is State.QUEUED and one.type in self.platform.silent]
        if unsaid:
            await self.journal.submit(*[_moves(one.message, "no word for it", Event.DROP) for one in unsaid])
        fresh = [one for one in due if one.state is not State.UNKNOWN and one not in unsaid]
        again = await self._ask(asked) if asked else []
        ready = await self._freeze(fresh) if fresh else []
        sends = ready + again
        if not sends:
            return True
        outcomes = await asyncio.gather(*[self._send(one) for one in sends])
        await self._settle(list(zip(sends, outcomes, strict=True)))
        return not all(map(_absent, outcomes))

    async def _send(self, one: Ready) -> adapter.Outcome:
        """One attempt, with the files inside where this platform cannot fetch them."""
        inlined = self.platform.inlined
        wanted = inlined.wanted(one.wire) if inlined is not None else ()
        if inlined is None or not wanted:
            return await self.platform.channel.send(one.wire)
        named = "SELECT k.sm3, p.owner, p.size FROM message m JOIN case_part k ON k.case_id = m.case_id " \
                "JOIN part p ON p.owner = k.owner AND p.sm3 = k.sm3 WHERE m.id = ?"  # fmt: skip
        here = {sm3: (owner, size) for sm3, owner, size in self.journal.read().all(named, one.message) if sm3 in wanted}
        if sum(size for _, size in here.values()) > MAX_FILES:
            return adapter.Refused(
                "files-too-large", "文件太大，放不进这个平台的报文", "the files do not fit into a message"
            )
        if len(here) < len(wanted):
            return adapter.Temporary("file-missing")
        try:
            files = {sm3: await asyncio.to_thread(self._content, owner, sm3) for sm3, (owner, _) in here.items()}
        except Refused:
            return adapter.Temporary("file-missing")
        return await self.platform.channel.send(await asyncio.to_thread(inlined.filled, one.wire, files))

    def _content(self, owner: str, digest: str) -> bytes:
        return b"".join(self.parts.read(owner, digest))

    # --- freezing ----------------------------------------------------------------------------------------------------

    async def _freeze(self, due: Sequence[Due]) -> list[Ready]:
        commit = await self.journal.submit(*[self._freezing(one) for one in due])
        ready: list[Ready] = []
        for one, result in zip(due, commit.results, strict=True):
            if isinstance(result, Ready):
                ready.append(result)
            else:
                await self._stuck(one.message, result)
        return ready

    def _freezing(self, one: Due) -> Work[Ready]:
        def work(tx: Tx) -> Ready:
            case, row = outbound.load(tx, one.message)
            key = self.vault.unwrap(case.wrapped_key)
            if one.state is State.QUEUED:
                said = outbound.outbound(tx, case, row, self.vault, self.names)
                wire = self.platform.translator.outbound(said)
                frozen = self.vault.seal(key, msgspec.msgpack.encode(wire), post.frozen_label(one.message))
                made_by = self.platform.mapping
                tx.run("UPDATE message SET frozen = ?, mapping = ? WHERE id = ?", frozen, made_by, one.message)
                outbox.move(tx, one.message, Event.FREEZE)
            else:
                wire = self._thaw(row.frozen, key, one.message)
            outbox.move(tx, one.message, Event.ATTEMPT)
            return Ready(one.message, one.attempt, wire)

        return work

    def _thaw(self, frozen: bytes | None, key: bytes, message: str) -> Wire:
        assert frozen is not None  # noqa: S101 - only what is queued has none
        return msgspec.msgpack.decode(self.vault.open(key, frozen, post.frozen_label(message)), type=Wire)

    async def _stuck(self, message: str, result: object) -> None:
        """What cannot be translated is parked with its reason; its neighbours flow on."""
        cause = f"{result.code} {result.path}" if isinstance(result, Untranslatable) else type(result).__name__
        log.error("cannot be translated", message=message, cause=cause)
        await self.journal.submit(_moves(message, cause, Event.EXHAUSTED))

    # --- asking ------------------------------------------------------------------------------------------------------

    async def _ask(self, asked: Sequence[Due]) -> list[Ready]:
        answers = await asyncio.gather(*[self.platform.channel.ask(one.message) for one in asked])
        works: list[Work[Any]] = []
        again: list[Ready] = []
        for one, answer in zip(asked, answers, strict=True):
            if isinstance(answer, adapter.Accepted):
                works.append(self._accepted(one.message, answer))
            elif isinstance(answer, adapter.NotThere):
                works.append(_moves(one.message, "not there", Event.NOT_THERE, Event.ATTEMPT))
                case, row = outbound.load(self.journal.read(), one.message)
                again.append(
                    Ready(one.message, one.attempt, self._thaw(row.frozen, self.vault.unwrap(case.wrapped_key), row.id))
                )
            elif isinstance(answer, adapter.CannotAsk):
                works.append(unclear.cannot_be_asked(one.message))
            else:
                works.append(self._later(one.message, Event.TEMPORARY, answer.reason))
        await self.journal.submit(*works)
        return again

    # --- settling ----------------------------------------------------------------------------------------------------

    async def _settle(self, done: Sequence[tuple[Ready, adapter.Outcome]]) -> None:
        works: list[Work[Any]] = []
        for one, outcome in done:
            if isinstance(outcome, adapter.Accepted):
                works.append(self._accepted(one.message, outcome))
            elif isinstance(outcome, adapter.Refused):
                works.append(_moves(one.message, f"{outcome.code} {outcome.zh}", Event.REFUSAL))
            elif one.attempt + 1 >= self.settings.attempts or (isinstance(outcome, adapter.Temporary) and outcome.park):
                works.append(_moves(one.message, outcome.reason, Event.EXHAUSTED))
            elif isinstance(outcome, adapter.Temporary):
                works.append(self._not_taken(one.message, outcome.reason))
            else:
                works.append(self._later(one.message, Event.UNCLEAR, outcome.reason))
        if all(_absent(outcome) for _, outcome in done):
            works.append(
                self._rest(next(outcome.reason for _, outcome in done if isinstance(outcome, adapter.Temporary)))
            )
        else:
            works.append(lambda tx: outbox.answers(tx, self.destination))
        await self.journal.submit(*works)

    def _rest(self, why: str) -> Work[Any]:
        """Nobody is there: the whole platform rests, so that a long queue does not knock at a dead door one by one."""
        jitter = self.jitter()
        return lambda tx: outbox.rest(tx, self.destination, why, self.settings, jitter)

    def _accepted(self, message: str, outcome: adapter.Accepted) -> Work[None]:
        def work(tx: Tx) -> None:
            outbox.move(tx, message, Event.RECEIPT)
            if not outcome.reference:
                return
            case, row = outbound.load(tx, message)
            if row.type == "application" and not case.local_number:
                casefile.name(tx, case, outcome.reference)
                tx.run("UPDATE case_file SET local_number = ? WHERE id = ?", outcome.reference, case.id)

        return work

    def _not_taken(self, message: str, cause: str) -> Work[None]:
        """Surely nothing happened there: back to frozen, and again after a while."""
        jitter = self.jitter()

        def work(tx: Tx) -> None:
            outbox.move(tx, message, Event.NOT_THERE)
            outbox.later(tx, message, Event.TEMPORARY, cause, self.settings, jitter)

        return work

    def _later(self, message: str, event: Event, cause: str) -> Work[None]:
        jitter = self.jitter()

        def work(tx: Tx) -> None:
            outbox.later(tx, message, event, cause, self.settings, jitter)

        return work


def _absent(outcome: adapter.Outcome) -> bool:
    return isinstance(outcome, adapter.Temporary) and outcome.absent


def _moves(message: str, cause: str, *events: Event) -> Work[None]:
    def work(tx: Tx) -> None:
        for event in events:
            outbox.move(tx, message, event, cause)

    return work

"""Certificates instead of paper (免证办) for the local platforms: query, authorise, fetch, verify.

Each act is on record with its cause before anything is asked anywhere, and its answer beside it before it is given. The use
code that a platform gets is ours, whatever the source's dialect: random, stored as a digest, good once, for this requester,
item and case.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

import structlog

from adapters.sharing.base import Cause, Found, Granted, HolderKey, No
from agreements.release import Release
from gateway.core.use_code import Event, State
from gateway.flow import shared
from gateway.flow.agreed import Agreed
from gateway.flow.post import register_part
from gateway.flow.shared import Asked, Secret, Told, UseCode
from gateway.problems import Refused
from gateway.sharing.bound import Bound
from gateway.sharing.getting import OWN, Getting, Got, Source, unfit
from gateway.sharing.guests import Guests
from gateway.sharing.judge import Seen, Unfit, Wanted, fill, judge, not_valid
from gateway.sharing.questions import Authorise, Fetch, Query, Verify
from gateway.store.journal import Journal, Tx, Work
from gateway.store.parts import Parts
from gateway.store.vault import Vault
from signing.ecert_reasons import WORDS
from signing.sm3 import sm3

log = structlog.get_logger("sharing")
OFD = "application/ofd"
MAX_FILE = 32 << 20
T = TypeVar("T")
Guard = Callable[[Tx], None]
"""What has to hold in the transaction that records a question: the caller's nonce is spent once."""


@dataclass(frozen=True)
class Shares:
    """The four acts. ``bound``: how often one platform may ask about holders; ``fetch`` names a code that was asked for.
    ``new_code``: at least 128 random bits as text; ``code_ms``: how long one lives."""

    party: str
    journal: Journal
    vault: Vault
    parts: Parts
    agreed: Agreed
    getting: Getting
    guests: Guests
    bound: Bound
    new_id: Callable[[], str]
    new_code: Callable[[], str]
    code_ms: int

    # --- 查询 ---------------------------------------------------------------------------------------------------------

    async def query(self, platform: str, asked: Query, guard: Guard) -> dict[str, Any]:
        """What a holder has of one type, wherever it is; a source that does not answer is named."""
        holder, cause = asked.holder.key, asked.why.cause
        record = await self._ask(platform, "query", cause, holder, asked.type_code, guard)
        release = await self._granted(record, platform, asked.type_code, cause)
        found, away = await self._search(holder, asked.type_code, cause, record, release)
        await self._answered(record, Told("ok", tuple(one.identifier for _, one in found)))
        return {
            "record": record,
            "certificates": [_shown(one, release) | {"source": source.id} for source, one in found],
            "unavailable": away,
        }

    async def _search(
        self, holder: HolderKey, type_code: str, cause: Cause, record: str, release: Release | None, only: str = ""
    ) -> tuple[list[tuple[Source, Found]], list[str]]:
        """All that the sources have, and those that could not be asked; a certificate of somebody else refuses the whole. A
        guest asks our own register only: the accounts at other platforms are ours. ``only``: the one source that is meant."""
        served = [one for one in self.getting.sources.values() if one.serves(type_code) and only in ("", one.id)]
        sources = served if release is None else [one for one in served if one.id == OWN]
        if not sources:
            raise await self._no(record, Unfit("TB-7031", "no-source-for-type"))
        answers = await asyncio.gather(*[one.port.query(holder, type_code, cause) for one in sources])
        nothing = [answer for answer in answers if isinstance(answer, No)]
        if len(nothing) == len(sources):
            raise await self._no(record, unfit(next((one for one in nothing if one.again), nothing[0])))
        found = [
            (source, one)
            for source, answer in zip(sources, answers, strict=True)
            for one in (() if isinstance(answer, No) else answer)
            if one.type_code == type_code
        ]
        if any(_of_another(one.holder_code, holder) for _, one in found):
            raise await self._no(record, Unfit("TB-7025", "another-holder"))
        return found, [source.id for source, answer in zip(sources, answers, strict=True) if isinstance(answer, No)]

    # --- 授权 ---------------------------------------------------------------------------------------------------------

    async def authorise(self, platform: str, asked: Authorise, guard: Guard) -> dict[str, Any]:
        """A use code for one of the holder's certificates."""
        holder, cause = asked.holder.key, asked.why.cause
        record = await self._ask(platform, "authorise", cause, holder, asked.type_code, guard, asked.identifier)
        release = await self._granted(record, platform, asked.type_code, cause)
        found, away = await self._search(holder, asked.type_code, cause, record, release, asked.source)
        source, one = next((pair for pair in found if pair[1].identifier == asked.identifier), (None, None))
        if source is None or one is None:
            raise await self._no(record, Unfit("TB-7028" if away else "TB-7030", "not-found"))
        wrong = not_valid(one.status)
        if wrong is not None:
            raise await self._no(record, wrong)
        granted = await source.port.authorise(holder, asked.identifier, asked.type_code, cause)
        if isinstance(granted, No):
            raise await self._no(record, unfit(granted))
        code = self.new_code()
        await self._answered(
            record,
            Told("ok", (one.identifier,), one.status),
            self._new(platform, asked, source, granted, code, release),
        )
        row = shared.by_code(self.journal.read(), code)
        assert row is not None  # noqa: S101 - just committed
        until = datetime.fromtimestamp(row.expires_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"record": record, "use_code": code, "expires_at": until, **_shown(one, release)}

    def _new(
        self, platform: str, asked: Authorise, source: Source, granted: Granted, code: str, release: Release | None
    ) -> Callable[[Tx], None]:
        def work(tx: Tx) -> None:
            _, wrapped = self.vault.new_key()
            id, why = self.new_id(), asked.why
            limited = release is not None and not release.whole
            secret = Secret(asked.holder.key, why.cause, granted.ticket, limited)
            shared.insert(
                tx,
                UseCode(
                    digest=sm3(code.encode()), id=id, state="issued", platform=platform, source=source.id,
                    case_number=why.case_number, item=why.item, type_code=asked.type_code, identifier=asked.identifier,
                    holder=self.vault.blind(asked.holder.key.code), expires_ms=tx.now_ms + self.code_ms, wrapped_key=wrapped,
                    sealed=shared.seal_secret(self.vault, id, wrapped, secret), status="", status_ms=0, seen=b"", file="",
                    file_size=0, reason="", message="", material="", filled=0, attempts=0, created_ms=tx.now_ms,
                ),
            )  # fmt: skip

        return work

    # --- 取证 ---------------------------------------------------------------------------------------------------------

    async def fetch(self, platform: str, asked: Fetch, guard: Guard) -> dict[str, Any]:
        """The certificate of a use code, once: its file, how it stands, and the form fields that it fills."""
        row = self._code(platform, asked)
        secret = shared.secret(self.vault, row)
        cause = replace(secret.cause, clerk=asked.clerk, clerk_no=asked.clerk_no)
        record = self.new_id()

        def begin(tx: Tx) -> None:
            guard(tx)
            shared.ask(
                tx, self.vault, record,
                Asked("fetch", self.party, platform, cause, secret.holder, row.type_code, row.identifier),
            )  # fmt: skip

        (await self.journal.submit(begin)).only()
        release = await self._granted(record, platform, row.type_code, cause)
        await self._tried(record, lambda tx: shared.move(tx, self._again(tx, asked), Event.FETCH))
        got = await self.getting.get(row, secret)
        if isinstance(got, Unfit):
            raise await self._no(record, got, None if got.later else self._failing(asked, got))
        return await self._released(platform, asked, record, got, release)

    def _code(self, platform: str, asked: Fetch) -> UseCode:
        """The row of a code that this platform holds for this case and item; the code of another is no code (A06)."""
        row = shared.by_code(self.journal.read(), asked.use_code)
        if row is None or row.platform != platform:
            raise Refused("TB-7021")
        if (row.case_number, row.item) != (asked.case_number, asked.item):
            raise Refused("TB-7024")
        return row

    def _again(self, tx: Tx, asked: Fetch) -> UseCode:
        row = shared.by_code(tx, asked.use_code)
        if row is None:
            raise Refused("TB-7021")
        return row

    def _failing(self, asked: Fetch, why: Unfit) -> Callable[[Tx], None]:
        """The code is worth nothing any more; one that a case took meanwhile is that case's affair."""

        def work(tx: Tx) -> None:
            row = self._again(tx, asked)
            if row.state == State.FETCHING:
                shared.failed(tx, row, why.code)

        return work

    async def _released(
        self, platform: str, asked: Fetch, record: str, got: Got, release: Release | None
    ) -> dict[str, Any]:
        """Of two that fetch at once, one commits; the other is told that the code is used. A guest gets the fields that its
        line grants, and the file only where that is everything."""
        file = got.file if release is None or release.whole else b""
        digest, owner = sm3(file).hex() if file else "", f"platform:{platform}"
        if file:
            await asyncio.to_thread(self.parts.store, owner, digest, file)

        def work(tx: Tx) -> int:
            if file:
                register_part(tx, owner, digest, len(file))
            row = self._again(tx, asked)
            reached = shared.arrived(tx, self.vault, row, got.seen, got.status, digest, len(file))
            if reached is not State.HELD:  # a case took the code meanwhile
                raise Refused("TB-7022")
            told = Told("ok", (got.seen.identifier,), got.status, tx.now_ms, digest, findings=got.seen.findings)
            shared.answer(tx, self.vault, record, told)
            return tx.now_ms

        at = datetime.fromtimestamp(await self._tried(record, work) / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        surface = {name: text for name, text in got.seen.surface.items() if release is None or release.shows(name)}
        return {
            "record": record, "identifier": got.seen.identifier, "type_code": got.seen.type_code,
            "type_name": got.seen.type_name, "status": got.status, "status_at": at, "verified": True,
            "findings": _worded(got.seen.findings),
            "surface": surface, "form": fill(self.agreed.fills(asked.item, got.seen.type_code), surface),
            "sm3": digest, "size": len(file), "media_type": OFD, "file": base64.b64encode(file).decode(),
        }  # fmt: skip

    # --- 验真 ---------------------------------------------------------------------------------------------------------

    async def verify(self, platform: str, asked: Verify, guard: Guard) -> dict[str, Any]:
        """Whether an uploaded file is a certificate that holds, by the seals that any source's certificates bear."""
        holder = asked.holder.key if asked.holder is not None else None
        owner, cause = f"platform:{platform}", asked.why.cause
        row = self.journal.read().one("SELECT size FROM part WHERE owner = ? AND sm3 = ?", owner, asked.sm3)
        if row is None:
            raise Refused("TB-6004")
        if row[0] > MAX_FILE:
            raise Refused("TB-1002")
        record = await self._ask(platform, "verify", cause, holder, "", guard, asked.sm3)
        file = await asyncio.to_thread(lambda: b"".join(self.parts.read(owner, asked.sm3)))
        judged, said = await self._judged(file, Wanted(holder_code=holder.code if holder else ""), cause)
        if isinstance(judged, Unfit):
            await self._answered(record, Told("no", reason=judged.reason))
            return {"record": record, "ok": None if judged.later else False, "reason": judged.reason}
        await self._answered(record, Told("ok", (judged.identifier,), findings=judged.findings))
        return {
            "record": record, "ok": True, "identifier": judged.identifier, "type_code": judged.type_code,
            "type_name": judged.type_name, "source_says": said, "findings": _worded(judged.findings),
        }  # fmt: skip

    async def _judged(self, file: bytes, wanted: Wanted, cause: Cause) -> tuple[Seen | Unfit, bool | None]:
        """By each source's anchors, until one knows the seal; and what that source itself says of the file."""
        at = datetime.fromtimestamp(self.getting.now_ms() / 1000, UTC)
        verdict: Seen | Unfit = Unfit("TB-7031", "no-source")
        for source in self.getting.sources.values():
            judged = await asyncio.to_thread(
                judge, file, wanted, at, source.known(), self.getting.provider, source.identifier
            )
            if isinstance(judged, Seen):
                said = await source.port.verify(file, cause)
                return judged, None if isinstance(said, No) else said.ok
            verdict = judged
        return verdict, None

    # --- the record ---------------------------------------------------------------------------------------------------

    async def _ask(
        self,
        platform: str,
        act: str,
        cause: Cause,
        holder: HolderKey | None,
        type_code: str,
        guard: Guard,
        what: str = "",
    ) -> str:
        record = self.new_id()

        def work(tx: Tx) -> None:
            guard(tx)  # first: a question that somebody else repeats is not counted
            self.bound.take(platform, tx.now_ms)
            shared.ask(tx, self.vault, record, Asked(act, self.party, platform, cause, holder, type_code, what))

        (await self.journal.submit(work)).only()
        return record

    async def _granted(self, record: str, platform: str, type_code: str, cause: Cause) -> Release | None:
        """What a guest may see; None for our own platforms. A refusal is on record like any other answer."""
        try:
            return self.guests.release(platform, type_code, "fetch", cause.purpose)
        except Refused as refused:
            await self._answered(record, Told(refused.code, reason=refused.clause))
            raise

    async def _answered(self, record: str, told: Told, also: Callable[[Tx], None] | None = None) -> None:
        def work(tx: Tx) -> None:
            if also is not None:
                also(tx)
            shared.answer(tx, self.vault, record, told)

        (await self.journal.submit(work)).only()

    async def _tried(self, record: str, work: Work[T]) -> T:
        """What a change of the use code brings; a refusal is put on record before it is raised."""
        outcome = (await self.journal.submit(work)).results[0]
        if isinstance(outcome, Refused):
            raise await self._no(record, Unfit(outcome.code, "use-code"))
        if isinstance(outcome, BaseException):
            raise outcome
        return cast(T, outcome)

    async def _no(self, record: str, why: Unfit, also: Callable[[Tx], None] | None = None) -> Refused:
        """Put the refusal on record; the exception to raise."""
        log.info("no certificate", record=record, code=why.code, reason=why.reason)
        await self._answered(record, Told(why.code, reason=why.reason), also)
        return Refused(why.code, why.reason)


def _of_another(told: str, holder: HolderKey) -> bool:
    """Whether a list names another holder; a masked code tells nothing, and the file is judged in any case."""
    return bool(told) and "*" not in told and told.upper() != holder.code


def _worded(findings: tuple[str, ...]) -> list[dict[str, str]]:
    """Findings for people; the certificate was taken all the same."""
    return [{"code": code, "text": WORDS[code][0], "text_en": WORDS[code][1]} for code in findings]


def _shown(one: Found, release: Release | None) -> dict[str, str]:
    number = one.number if release is None or release.shows("ZZBH") else ""
    return {
        "identifier": one.identifier, "type_code": one.type_code, "type_name": one.type_name, "number": number,
        "status": one.status,
    }  # fmt: skip

"""Certificates issued by this node, and all that happens to them afterwards: each act one transaction with its ledger leaf.

The file is made and, where the seal is at hand, stamped before the transaction: it counts only once its row is there, and what
an act leaves behind whose transaction is refused, nobody can ask for and housekeeping removes. Where a system elsewhere stamps,
the transaction stores the prepared file and owes it to that system (``certificates_to_stamp``).
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from agreements.refuse import Refusal
from gateway.core.ecert import By, Event, State
from gateway.flow import certificate_acts as acts
from gateway.flow import issued, outbox
from gateway.flow.accept import spend_nonce
from gateway.flow.agreed import Agreed
from gateway.flow.certificate_acts import Caller, Once
from gateway.flow.certificate_entry import Entry, Made, case_of, owners, take_back
from gateway.flow.certificate_orders import Change, Content, Disclose, Issue
from gateway.flow.disclosure import visible
from gateway.flow.issued import OWNER, Issued, Sheet
from gateway.flow.press import Press
from gateway.ids import ALPHABET
from gateway.ledger.checkpoint import entry_digest
from gateway.problems import CODES, Refused
from gateway.public import token
from gateway.store.journal import Journal, Reader, Tx, Work
from gateway.store.parts import Parts
from gateway.store.vault import Vault
from gateway.weaklocks import WeakLocks
from signing import ecert_id
from signing.ecert import Annotation, Metadata
from signing.sm3 import sm3

SERIAL = 20  # digits and capitals of a serial number of ours, as provincial guides ask


@dataclass(frozen=True)
class Certificates:
    """All that issuing takes. ``page``: the address that QR codes lead to, before ``/v/``; ``random``: n random bytes;
    ``wake``: tells a destination's loop that there is work."""

    press: Press
    agreed: Agreed
    page: str
    journal: Journal
    vault: Vault
    parts: Parts
    new_id: Callable[[], str]
    random: Callable[[int], bytes]
    now_ms: Callable[[], int]
    wake: Callable[[str], None]
    locks: WeakLocks = field(default_factory=WeakLocks)

    @property
    def _entry(self) -> Entry:
        return Entry(self.vault, self.new_id)

    # --- issuing -----------------------------------------------------------------------------------------------------

    async def issue(self, order: Issue, once: Once) -> dict[str, Any]:
        """A new certificate, or the one that this number already stands for."""

        async def prepare() -> Work[str]:
            case = case_of(self.journal.read(), once.caller.platform, order.case)
            serial, platform = order.serial or self._serial(), once.caller.platform
            row, sheet, made = await self._print(order.type, order.content, serial, 1, platform, case)

            def work(tx: Tx) -> str:
                if issued.newest(tx, row.series) is not None:
                    raise Refused("TB-7005", "这个流水号已用过")
                return self._entry.sheet(tx, row, sheet, made, once.caller.owner)

            return work

        return await self._once(once, prepare)

    async def _reissue(self, identifier: str, order: Change, once: Once) -> dict[str, Any]:
        """The next version (换发); the one before holds until the new one is stamped."""

        async def prepare() -> Work[str]:
            assert order.content is not None  # noqa: S101 - the order's shape says so
            old, version = self._reissuable(self.journal.read(), identifier, order, once)
            if self.vault.blind(order.content.holder.code) != old.holder:
                raise Refused("TB-7003", "换发不能更换持证主体")
            serial = ecert_id.parse(identifier).serial
            row, sheet, made = await self._print(
                old.type_code, order.content, serial, version, old.platform, old.case_id
            )

            def work(tx: Tx) -> str:
                before, _ = self._reissuable(tx, identifier, order, once)
                self._record(tx, before, order, State(before.state), once)
                return self._entry.sheet(tx, row, sheet, made, once.caller.owner, before)

            return work

        return await self._once(once, prepare)

    def _reissuable(self, tx: Reader, identifier: str, order: Change, once: Once) -> tuple[Issued, int]:
        """The certificate, and the version that comes after it."""
        old = acts.found_for(tx, once.caller, identifier)
        latest = issued.newest(tx, old.series) or old
        if latest.version != old.version and latest.state != State.DROPPED:
            raise Refused("TB-7005", "该证照已有更新的版本")
        acts.state_after(tx, old, Event.REISSUE, By.ISSUER, order.reason, self.now_ms())
        return old, latest.version + 1

    # --- the rest of its life ----------------------------------------------------------------------------------------

    async def act(self, identifier: str, order: Change, once: Once) -> dict[str, Any]:
        """What an issuer orders: suspend, resume, revoke … the whole or one permit, re-issue, annotate."""
        if order.event is Event.REISSUE:
            return await self._reissue(identifier, order, once)
        if order.event is Event.ANNOTATE:
            return await self._annotate(identifier, order, once)

        def work(tx: Tx) -> str:
            row = acts.found_for(tx, once.caller, identifier)
            state = acts.state_after(tx, row, order.event, By.ISSUER, order.reason, tx.now_ms, order.permit)
            if order.event is Event.DROP:
                take_back(tx, row)
            return self._record(tx, row, order, state, once)

        return await self._once(once, _ready(work))

    async def _annotate(self, identifier: str, order: Change, once: Once) -> dict[str, Any]:
        """A copy for a relying party (加注件), stamped again; it never outlives the certificate."""

        async def prepare() -> Work[str]:
            assert order.copy is not None  # noqa: S101 - the order's shape says so
            copy, now_ms = order.copy, self.now_ms()
            expires_ms = int(copy.expires.timestamp() * 1000)
            row = self._copied(self.journal.read(), identifier, once, expires_ms, now_ms)
            sheet, until = issued.sheet(self.vault, row), issued.moment(expires_ms)
            note = Annotation(
                self.press.issuer_name, issued.moment(now_ms), copy.reason, copy.relying_party, until
            )  # fmt: skip
            marked = replace(sheet.metadata, annotation=note)
            made = await asyncio.to_thread(self._make, marked, sheet.pictures, [OWNER], now_ms)

            def work(tx: Tx) -> str:
                found = self._copied(tx, identifier, once, expires_ms, tx.now_ms)
                return self._entry.copy(tx, found, made, note, once.caller.owner)

            return work

        return await self._once(once, prepare)

    async def release(self, identifier: str, order: Disclose, once: Once) -> dict[str, Any]:
        """What a partner may see of it, by a line of an agreement, with that on record; of ``verify`` no field at all."""

        def work(tx: Tx) -> str:
            row = acts.found_for(tx, once.caller, identifier)
            acts.must_be_valid(tx, row, tx.now_ms)
            state = acts.state_after(tx, row, Event.RELEASE, By.ISSUER, "", tx.now_ms)
            granted = self.agreed.release(order.to, row.type_code, order.purpose, issued.moment(tx.now_ms), order.use)
            if isinstance(granted, Refusal):
                raise Refused(CODES[granted.code], granted.zh, granted.clause)
            shown = visible(issued.metadata(self.vault, row), granted) if order.use == "fetch" else []
            said = msgspec.structs.replace(
                acts.statement(row, Event.RELEASE, state, tx.now_ms, once.caller.owner, self.new_id()),
                relying_party=order.to, agreement=granted.agreement, agreement_version=granted.version, clause=granted.clause,
                use=order.use, purpose=order.purpose, fields=tuple(one.name for one in shown),
            )  # fmt: skip
            acts.enact(tx, self.vault, row, said)
            return said.act

        told = await self._once(once, _ready(work))
        said = msgspec.json.decode(base64.b64decode(told["statement"]), type=acts.Statement)
        row = self.find(once.caller, identifier)
        fields = [one for one in visible(issued.metadata(self.vault, row), None) if one.name in said.fields]
        return told | {"clause": said.clause, "agreement": said.agreement, "fields": msgspec.to_builtins(fields)}

    def _copied(self, tx: Reader, identifier: str, once: Once, expires_ms: int, at_ms: int) -> Issued:
        row = acts.found_for(tx, once.caller, identifier)
        acts.must_be_valid(tx, row, at_ms)
        last = row.term.end
        if expires_ms <= at_ms or (last is not None and expires_ms > issued.end_of(last)):
            raise Refused("TB-7008")
        return row

    # --- what is told ------------------------------------------------------------------------------------------------

    def answer(self, act: str) -> dict[str, Any]:
        """What is told of an act: its statement with the proof of its leaf, both Base64, and where the certificate stands."""
        reader = self.journal.read()
        found = acts.statement_of(reader, self.vault, act)
        assert found is not None  # noqa: S101 - it was committed
        said, leaf = found
        row = issued.by_identifier(reader, msgspec.json.decode(said, type=acts.Statement).identifier)
        assert row is not None  # noqa: S101 - so was this
        return {
            "act": act,
            **self.status(row, self.now_ms()),
            "statement": base64.b64encode(said).decode(),
            "receipt": base64.b64encode(msgspec.json.encode(self.journal.prove(leaf))).decode(),
        }

    def find(self, caller: Caller, identifier: str) -> Issued:
        """A certificate that this caller may see."""
        return acts.found_for(self.journal.read(), caller, identifier)

    def status(self, row: Issued, at_ms: int) -> dict[str, Any]:
        """How a certificate stood at a time, for its issuer."""
        return acts.told(self.journal.read(), self.vault, row, at_ms)

    def file(self, row: Issued, copy: str = "") -> tuple[Iterator[bytes], int]:
        """The OFD of a certificate, or of a copy by the act that made it, in pieces, and its size."""
        digest, size = row.file, row.file_size
        if copy:
            found = self.journal.read().one(
                "SELECT file, file_size FROM certificate_copy WHERE id = ? AND certificate = ?", copy, row.id
            )
            if found is None:
                raise Refused("TB-7001")
            digest, size = found
        if not digest:
            raise Refused("TB-7006")
        return self.parts.read(OWNER, digest), size

    async def refuse(self, caller: Caller, said: bytes, refused: Refused) -> None:
        """An authenticated order is refused with proof, so nobody can say later that it was never answered. Its nonce is spent
        by that: sent again, it is a replay, which leaves no trace."""
        message, digest = self.new_id(), sm3(sm3(said), refused.code.encode())

        def work(tx: Tx) -> int:
            spend_nonce(tx, caller.owner, caller.nonce, caller.until_ms)
            return tx.leaf("refused", message, entry_digest("refused", message, digest))

        commit = await self.journal.submit(work)
        proof = msgspec.json.encode(commit.prove(commit.only()))
        refused.extra |= {"message_id": message, "receipt": base64.b64encode(proof).decode()}

    # --- inside ------------------------------------------------------------------------------------------------------

    async def _once(self, once: Once, prepare: Callable[[], Awaitable[Work[str]]]) -> dict[str, Any]:
        """Do what a number stands for once, however often it is said; two who say it at a time wait for each other."""
        async with self.locks[(once.caller.owner, once.number)]:
            known = once.known(self.journal.read())
            work = await prepare() if known is None else None

            def whole(tx: Tx) -> str:
                before = once.begin(tx)
                if before is not None:
                    return before
                assert work is not None  # noqa: S101 - nobody else could have said it
                act = work(tx)
                once.end(tx, act)
                return act

            act: str = (await self.journal.submit(whole)).only()
        self.wake(outbox.STAMPER)
        return self.answer(act)

    async def _print(
        self, type_code: str, content: Content, serial: str, version: int, platform: str, case: str
    ) -> tuple[Issued, Sheet, Made]:
        """The row, the sheet and the file of a new version."""
        now_ms = self.now_ms()
        secret = token.make(self.random(token.RANDOM_BYTES))
        url = f"{self.page}/v/{secret}"
        metadata = self.press.compose(type_code, content, serial, version, url, issued.day(now_ms))
        sheet, identifier = Sheet(metadata, content.pictures), ecert_id.parse(metadata.identifier)
        _, wrapped = self.vault.new_key()
        begin, end = issued.dates(metadata)
        own = self.new_id()
        row = Issued(
            id=own, series=identifier.series, version=version, identifier=metadata.identifier, type_code=type_code,
            state=State.STAMPING.value, platform=platform, case_id=case, holder=self.vault.blind(metadata.holder.code),
            token=token.digest(secret), valid_from=begin, valid_to=end, wrapped_key=wrapped,
            sealed=issued.seal_sheet(self.vault, wrapped, own, sheet), file="", file_size=0, events=0, created_ms=now_ms,
            updated_ms=now_ms,
        )  # fmt: skip
        made = await asyncio.to_thread(self._make, metadata, sheet.pictures, owners(row), now_ms)
        return replace(row, state=made.state.value), sheet, made

    def _make(self, metadata: Metadata, pictures: Mapping[str, bytes], keepers: list[str], now_ms: int) -> Made:
        """The file: stamped and on disk where the seal is at hand, else prepared."""
        prepared = self.press.prepare(metadata, pictures, now_ms)
        if self.press.stamper is None:
            return Made(prepared=prepared)
        data = self.press.stamp(prepared, now_ms)
        digest = sm3(data).hex()
        for owner in keepers:
            self.parts.store(owner, digest, data)
        return Made(digest, len(data))

    def _record(self, tx: Tx, row: Issued, order: Change, state: State, once: Once) -> str:
        said = acts.statement(row, order.event, state, tx.now_ms, once.caller.owner, self.new_id())
        said = msgspec.structs.replace(said, reason=order.reason, note=order.note, permit=order.permit)
        acts.enact(tx, self.vault, row, said)
        return said.act

    def _serial(self) -> str:
        return "".join(ALPHABET[byte & 31] for byte in self.random(SERIAL))


def _ready(work: Work[str]) -> Callable[[], Awaitable[Work[str]]]:
    """Work that needs nothing made before it."""

    async def prepare() -> Work[str]:
        return work

    return prepare

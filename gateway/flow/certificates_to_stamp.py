"""Certificates and copies that a system elsewhere stamps: what it is asked for, and what happens when the stamp has come.

The prepared file lies sealed in its message from the transaction that made the certificate, so that the stamp of a retry, or
of the day after a crash, is over the same digest. A certificate that was given up meanwhile stays so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from gateway.core import delivery
from gateway.core.ecert import By, Event, Standing, State
from gateway.flow import certificate_acts as acts
from gateway.flow import issued, outbox, post
from gateway.flow.certificate_entry import COPY, TYPE, Entry, bind, keep_file, owners
from gateway.flow.issued import Issued
from gateway.flow.press import finish
from gateway.flow.to_stamper import Spent, order_id
from gateway.problems import Refused
from gateway.stamping.family import Order
from gateway.store.journal import Journal, Reader, Tx
from gateway.store.parts import Parts
from gateway.store.vault import Vault
from signing.ofd.sign import Prepared
from signing.sm3 import sm3


@dataclass(frozen=True)
class CertificatesToStamp:
    """``to_stamper.Kind`` of messages of the type ``certificate``."""

    journal: Journal
    vault: Vault
    parts: Parts
    new_id: Callable[[], str]

    async def orders(self, message: str, spent: Spent) -> Sequence[Order]:
        """One order: a stamp over the digest of the prepared file's Signature.xml."""
        _, _, prepared = self._load(self.journal.read(), message)
        digest = prepared.digest.hex()
        number = order_id(message, digest, spent.get(digest, 0), TYPE)
        data = prepared.files[prepared.place]
        return [Order(number, prepared.digest, "电子证照", prepared.property_info, TYPE, data)]

    async def stamped(self, message: str, stamps: Mapping[str, bytes]) -> None:
        """The finished file into the register, the certificate into force, the version before out of it."""
        row, what, prepared = self._load(self.journal.read(), message)
        data = await asyncio.to_thread(finish, prepared, stamps[prepared.digest.hex()])
        digest = sm3(data).hex()
        for owner in owners(row):
            await asyncio.to_thread(self.parts.store, owner, digest, data)

        def work(tx: Tx) -> None:
            state = tx.one("SELECT state FROM delivery WHERE message = ?", message)
            if state is None or delivery.State(state[0]) in delivery.DONE:
                return  # given up while the stamp was on its way
            outbox.move(tx, message, delivery.Event.RECEIPT)
            outbox.answers(tx, outbox.STAMPER)
            kind, _, own = what.partition(":")
            if kind == COPY:
                self._copy(tx, row, own, digest, len(data))
            else:
                self._sheet(tx, row, digest, len(data))

        (await self.journal.submit(work)).only()

    def _sheet(self, tx: Tx, stale: Issued, digest: str, size: int) -> None:
        row = issued.by_id(tx, stale.id) or stale
        old, entry = issued.before(tx, row), Entry(self.vault, self.new_id)
        event, reason = Event.STAMP, ""
        if old is not None:
            try:
                entry.supersede(tx, old)
            except Refused:  # it was revoked or suspended meanwhile: what was to take its place does not
                event, reason = Event.DROP, "other-legal"
        by = By.NODE if event is Event.STAMP else By.ISSUER
        state = acts.state_after(tx, row, event, by, reason, tx.now_ms)
        if event is Event.STAMP:
            keep_file(tx, row, digest, size)
        said = acts.statement(row, event, state, tx.now_ms, "node", self.new_id())
        file = digest if event is Event.STAMP else ""
        acts.enact(tx, self.vault, row, msgspec.structs.replace(said, file=file, reason=reason, case=row.case_id))

    def _copy(self, tx: Tx, row: Issued, own: str, digest: str, size: int) -> None:
        """The copy is a copy of what holds: where the certificate was revoked meanwhile, there is none."""
        stood = issued.stands(tx, row, tx.now_ms)
        good = stood is not None and stood.standing is Standing.VALID
        state = State.VALID if good else State.DROPPED
        tx.run(
            "UPDATE certificate_copy SET state = ?, file = ?, file_size = ? WHERE id = ?",
            state.value, digest if good else "", size if good else 0, own,
        )  # fmt: skip
        if good:
            bind(tx, row, digest, size)
            said = acts.statement(row, Event.STAMP, State(row.state), tx.now_ms, "node", self.new_id())
            acts.enact(tx, self.vault, row, msgspec.structs.replace(said, file=digest))

    def _load(self, tx: Reader, message: str) -> tuple[Issued, str, Prepared]:
        found = tx.one("SELECT case_id, act, sealed FROM message WHERE id = ?", message)
        row = issued.by_id(tx, found[0]) if found is not None else None
        if found is None or row is None:
            raise Refused("TB-7001")
        clear = self.vault.open(self.vault.unwrap(row.wrapped_key), found[2], post.body_label(message))
        return row, str(found[1]), msgspec.msgpack.decode(clear, type=Prepared)

"""Bring the certificates that an application or a correction names in place of materials; then it goes on, complete.

The case was collected before this begins. A sharing platform that is away makes the application wait here, however long, and the
window is told; nothing has to be entered again. Each certificate is stored as soon as it is here, so that a crash or another
one's delay costs no second one. One that is not to be had for good (revoked meanwhile, not its holder's, a seal that does not
hold) is named in the application with the reason: the case goes on, and the handling place asks for a correction.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog

from gateway.config import Delivery
from gateway.core.delivery import Event, State
from gateway.core.use_code import State as Code
from gateway.flow import casefile, outbox, post, shared
from gateway.flow.agreed import Agreed
from gateway.flow.casefile import CaseFile
from gateway.flow.notes import Note, note
from gateway.flow.outbox import Due
from gateway.flow.post import register_part
from gateway.flow.shared import Told, UseCode
from gateway.problems import Refused
from gateway.sharing.getting import Getting, Got
from gateway.sharing.judge import Seen, Unfit, fill
from gateway.store.journal import Journal, Reader, Tx, Work
from gateway.store.parts import Parts
from gateway.store.vault import Vault
from schemas import codec
from schemas.canonical import Application, CertificateReference, Correction, Material
from signing.sm3 import sm3

log = structlog.get_logger("sharing")
OFD = "application/ofd"
MAX_FIELDS = 200  # of a form
Named = Application | Correction


@dataclass(frozen=True)
class ToSharing:
    """The round of the loop. ``wake``: tells a partner's loop that an application is ready for it."""

    getting: Getting
    agreed: Agreed
    journal: Journal
    vault: Vault
    parts: Parts
    settings: Delivery
    notes: Note
    jitter: Callable[[], float]
    wake: Callable[[str], None]

    def owes(self) -> bool:
        """Applications are all that waits here."""
        return False

    async def deliver(self, due: Sequence[Due]) -> bool:
        """One round: every certificate of every application, side by side; each application settled by itself."""
        intended = await self.journal.submit(*[_intend(one) for one in due])
        going = [one for one, done in zip(due, intended.results, strict=True) if done is None]
        outcomes = await asyncio.gather(*[self._one(one) for one in going], return_exceptions=True)
        for one, outcome in zip(going, outcomes, strict=True):
            if isinstance(outcome, Exception):  # a defect of one message must not keep the others
                log.error("not completed", message=one.message, cause=type(outcome).__name__)
                await self.journal.submit(self._waits(one, Unfit("TB-9002", type(outcome).__name__, later=True)))
        return True

    async def _one(self, one: Due) -> None:
        owed = [row for row in shared.of_message(self.journal.read(), one.message) if row.state == Code.OWED]
        waits = [why for why in await asyncio.gather(*[self._obtain(row) for row in owed]) if why is not None]
        if waits:
            log.warning("certificate waits", message=one.message, code=waits[0].code, reason=waits[0].reason)
            await self.journal.submit(self._waits(one, waits[0]))
            self.notes.wake()
            return
        counterpart = (await self.journal.submit(self._completed(one))).only()
        self.wake(f"peer:{counterpart}")
        self.notes.wake()

    # --- one certificate ---------------------------------------------------------------------------------------------

    async def _obtain(self, row: UseCode) -> Unfit | None:
        """Bring and store one; None when it is settled either way, else why it has to wait."""
        got = await self.getting.get(row, shared.secret(self.vault, row))
        if isinstance(got, Unfit) and got.later:
            return got
        if isinstance(got, Got):
            digest = sm3(got.file).hex()
            await asyncio.to_thread(self.parts.store, f"platform:{row.platform}", digest, got.file)
        (await self.journal.submit(self._settled(row, got))).only()
        return None

    def _settled(self, row: UseCode, got: Got | Unfit) -> Work[None]:
        def work(tx: Tx) -> None:
            if isinstance(got, Unfit):
                shared.failed(tx, row, got.code)
                shared.answer(tx, self.vault, row.id, Told(got.code, reason=got.reason))
                return
            digest, size = sm3(got.file).hex(), len(got.file)
            register_part(tx, f"platform:{row.platform}", digest, size)
            shared.arrived(tx, self.vault, row, got.seen, got.status, digest, size)
            told = Told("ok", (got.seen.identifier,), got.status, tx.now_ms, digest, findings=got.seen.findings)
            shared.answer(tx, self.vault, row.id, told)

        return work

    # --- the application ---------------------------------------------------------------------------------------------

    def _completed(self, one: Due) -> Work[str]:
        """The body gets its certificates and the message goes on to the partner, in one transaction."""

        def work(tx: Tx) -> str:
            case, body, key = self._load(tx, one.message)
            rows = shared.of_message(tx, one.message)
            changed = self._complete(tx, body, rows)
            for row in rows:
                if row.state == Code.USED:
                    post.bind_part(tx, case.id, f"platform:{case.platform}", row.file)
            sealed = self.vault.seal(key, codec.encode(changed), post.body_label(one.message))
            parts = msgspec.json.encode(post.parts_of(changed))
            tx.run("UPDATE message SET sealed = ?, parts = ?, frozen = NULL WHERE id = ?", sealed, parts, one.message)
            outbox.hand_over(tx, one.message, f"peer:{case.counterpart}")
            if one.attempt or any(row.state == Code.FAILED for row in rows):
                note(tx, self.notes, case, one.message)
            return case.counterpart

        return work

    def _complete(self, tx: Tx, body: Named, rows: Sequence[UseCode]) -> Named:
        by_code = {row.digest: row for row in rows}
        form, materials, references = dict(body.form), list(body.materials), []
        for reference in body.certificates:
            row = by_code[sm3(reference.use_code.encode())]
            if row.state == Code.FAILED:
                references.append(_failed(reference, row))
                continue
            seen = shared.seen(self.vault, row)
            filled = self._fill(row, seen, form)
            tx.run("UPDATE use_code SET filled = ? WHERE digest = ?", len(filled), row.digest)
            references.append(_verified(reference, row, seen, filled))
            materials.append(_material(reference, row))
        return msgspec.structs.replace(body, form=form, materials=materials, certificates=references)

    def _fill(self, row: UseCode, seen: Seen, form: dict[str, str]) -> list[str]:
        """Put what the certificate says into fields that are empty. What the window had typed stays; a field with the very
        text of the certificate was filled by it too."""
        told = fill(self.agreed.fills(row.item, row.type_code), seen.surface)
        for field, text in told.items():
            if not form.get(field) and len(form) < MAX_FIELDS:
                form[field] = text
        return [field for field, text in told.items() if form.get(field) == text]

    def _waits(self, one: Due, why: Unfit) -> Work[Any]:
        jitter = self.jitter()

        def work(tx: Tx) -> None:
            if one.attempt + 1 >= self.settings.attempts:
                outbox.move(tx, one.message, Event.EXHAUSTED, f"{why.code} {why.reason}")
                return
            tx.run("UPDATE use_code SET attempts = attempts + 1 WHERE message = ? AND state = 'owed'", one.message)
            outbox.later(tx, one.message, Event.UNCLEAR, f"{why.code} {why.reason}", self.settings, jitter)
            if one.attempt == 0:
                note(tx, self.notes, self._load(tx, one.message)[0], one.message)

        return work

    def _load(self, tx: Reader, message: str) -> tuple[CaseFile, Named, bytes]:
        row = tx.one("SELECT case_id, type, sealed FROM message WHERE id = ?", message)
        case = casefile.load(tx, row[0]) if row is not None else None
        if row is None or case is None:
            raise Refused("TB-5001")
        key = self.vault.unwrap(case.wrapped_key)
        body = codec.decode(row[1], self.vault.open(key, row[2], post.body_label(message)))
        assert isinstance(body, Application | Correction)  # noqa: S101 - nothing else waits for certificates
        return case, body, key


def _intend(one: Due) -> Work[None]:
    """Mark the attempt. A crash from here on is met by asking again: nothing is taken that is not stored."""

    def work(tx: Tx) -> None:
        if one.state is State.QUEUED:
            outbox.move(tx, one.message, Event.FREEZE)
        if one.state in (State.QUEUED, State.FROZEN):
            outbox.move(tx, one.message, Event.ATTEMPT)

    return work


def _verified(reference: CertificateReference, row: UseCode, seen: Seen, filled: list[str]) -> CertificateReference:
    """What was remarked on in one that was taken goes along as its reason."""
    at = datetime.fromtimestamp(row.status_ms // 1000, UTC)
    return msgspec.structs.replace(
        reference, outcome="verified", identifier=row.identifier, status=row.status, status_at=at,
        reason=" ".join(seen.findings), filled=filled,
    )  # fmt: skip


def _failed(reference: CertificateReference, row: UseCode) -> CertificateReference:
    at = datetime.fromtimestamp(row.status_ms // 1000, UTC)
    return msgspec.structs.replace(
        reference, outcome="failed", identifier=row.identifier, status_at=at, reason=row.reason
    )


def _material(reference: CertificateReference, row: UseCode) -> Material:
    """The certificate's file in the place of the material."""
    return Material(
        reference.name, row.file, row.file_size, OFD, f"{row.identifier}.ofd", certificate_identifier=row.identifier
    )

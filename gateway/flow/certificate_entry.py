"""How a certificate and its copies enter the register: stamped here, or owed to the stamping system first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from gateway.core import case as machine
from gateway.core import delivery
from gateway.core.ecert import By, Event, State
from gateway.flow import casefile, issued, outbox, post
from gateway.flow.certificate_acts import ISSUE, enact, state_after, statement
from gateway.flow.issued import OWNER, Issued, Sheet
from gateway.problems import Refused
from gateway.store.journal import Reader, Tx
from gateway.store.vault import Vault
from signing.ecert import Annotation
from signing.ofd.sign import Prepared

TYPE = "certificate"  # of the message that carries a prepared file to the stamping system
SHEET, COPY = "certificate", "copy"  # what that file is
_NEVER_LEFT = frozenset({delivery.State.QUEUED.value, delivery.State.HELD.value})


@dataclass(frozen=True, slots=True)
class Made:
    """A file for the register: stamped (``digest``, ``size``), or ``prepared`` for a stamp from elsewhere."""

    digest: str = ""
    size: int = 0
    prepared: Prepared | None = None

    @property
    def state(self) -> State:
        """The state in which it enters."""
        return State.VALID if self.prepared is None else State.STAMPING


@dataclass(frozen=True)
class Entry:
    """Writes inside a flow's transaction."""

    vault: Vault
    new_id: Callable[[], str]

    def sheet(self, tx: Tx, row: Issued, sheet: Sheet, made: Made, by: str, supersedes: Issued | None = None) -> str:
        """A new version; the act that issued it. The version before gives way to one that is stamped."""
        issued.insert(tx, row, sheet.metadata)
        said = statement(row, ISSUE, made.state, tx.now_ms, by, self.new_id())
        said = msgspec.structs.replace(
            said, file=made.digest, case=row.case_id, supersedes=supersedes.identifier if supersedes else ""
        )
        enact(tx, self.vault, row, said)
        if made.prepared is not None:
            self._owe(tx, row, f"{SHEET}:{row.id}", made.prepared)
        else:
            keep_file(tx, row, made.digest, made.size)
            if supersedes is not None:
                self.supersede(tx, supersedes)
        return said.act

    def copy(self, tx: Tx, row: Issued, made: Made, note: Annotation, by: str) -> str:
        """An annotated copy; the act that made it. It bears the act's id."""
        expires_ms = int(note.expires.timestamp() * 1000)
        said = statement(row, Event.ANNOTATE, State(row.state), tx.now_ms, by, self.new_id())
        said = msgspec.structs.replace(
            said, file=made.digest, relying_party=note.relying_party, expires_ms=expires_ms
        )  # fmt: skip
        key = self.vault.unwrap(row.wrapped_key)
        tx.run(
            "INSERT INTO certificate_copy (id, certificate, state, relying_party, expires_ms, sealed, file, file_size, "
            "created_ms) VALUES (?,?,?,?,?,?,?,?,?)",
            said.act, row.id, made.state.value, note.relying_party, expires_ms,
            self.vault.seal(key, msgspec.json.encode(note), issued.sheet_label(said.act)), made.digest, made.size, tx.now_ms,
        )  # fmt: skip
        enact(tx, self.vault, row, said)
        if made.prepared is not None:
            self._owe(tx, row, f"{COPY}:{said.act}", made.prepared)
        else:
            bind(tx, row, made.digest, made.size)
        return said.act

    def supersede(self, tx: Tx, old: Issued) -> None:
        """The version before, now that a newer one is stamped. ``Refused`` when it no longer stood: then neither does this."""
        fresh = issued.by_id(tx, old.id) or old
        state = state_after(tx, fresh, Event.SUPERSEDE, By.NODE, "", tx.now_ms)
        enact(tx, self.vault, fresh, statement(fresh, Event.SUPERSEDE, state, tx.now_ms, "node", self.new_id()))

    def _owe(self, tx: Tx, row: Issued, what: str, prepared: Prepared) -> None:
        """The prepared file is owed to the stamping system; these very bytes, whatever is configured later."""
        message, key = self.new_id(), self.vault.unwrap(row.wrapped_key)
        sealed = self.vault.seal(key, msgspec.msgpack.encode(prepared), post.body_label(message))
        post.put(tx, id=message, case_id=row.id, direction="stamp", type=TYPE, act=what, sealed=sealed, leaf=None)
        post.queue(tx, message, outbox.STAMPER, row.id)


def keep_file(tx: Tx, row: Issued, digest: str, size: int) -> None:
    """The certificate's own file is there; the case whose result it is has it too."""
    bind(tx, row, digest, size)
    tx.run("UPDATE certificate SET file = ?, file_size = ? WHERE id = ?", digest, size, row.id)
    if row.case_id:
        owner = f"platform:{row.platform}"
        post.register_part(tx, owner, digest, size)
        post.bind_part(tx, row.case_id, owner, digest)


def bind(tx: Tx, row: Issued, digest: str, size: int) -> None:
    """A file belongs to the certificate from now on, and stays."""
    post.register_part(tx, OWNER, digest, size)
    post.bind_part(tx, row.id, OWNER, digest)


def take_back(tx: Tx, row: Issued) -> None:
    """What was owed to the stamping system for a certificate that is given up goes there no more."""
    rows = tx.all(
        "SELECT d.message, d.state FROM delivery d JOIN message m ON m.id = d.message WHERE m.case_id = ? AND m.type = ? "
        "AND d.state NOT IN ('delivered','refused','given_up')", row.id, TYPE,
    )  # fmt: skip
    for message, state in rows:
        event = delivery.Event.DROP if state in _NEVER_LEFT else delivery.Event.REFUSED_HENCEFORTH
        outbox.move(tx, message, event, "given up")


def owners(row: Issued) -> list[str]:
    """Under whose names the certificate's file lies."""
    return [OWNER, f"platform:{row.platform}"] if row.case_id else [OWNER]


def case_of(tx: Reader, platform: str, number: str) -> str:
    """The id of the case whose result a certificate is to be; "" for none. ``Refused`` where it can have no result now."""
    if not number:
        return ""
    case = casefile.find(tx, platform, number)
    if case is None:
        raise Refused("TB-5001")
    casefile.check(case, machine.Event.ISSUE_RESULT, machine.Actor(case.role))
    return case.id

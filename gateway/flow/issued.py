"""The register of certificates that we issued (电子证照登记) as rows: find one, its permits, its history, how it stood when.

All reads take a ``Reader`` and decrypt nothing, but ``metadata``: who asks how a certificate stands learns no more than that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime, time, timedelta
from itertools import count

import msgspec

from agreements.calendar import CHINA, china_date
from gateway.core import ecert
from gateway.core.ecert import Standing, State, Term
from gateway.store.journal import Reader, Row, Tx
from gateway.store.vault import Vault
from signing.ecert import Metadata

OWNER = "certificate"  # under which the OFDs lie among the parts
PAGE = 500
MAX_HELD = 256  # certificates of one holder and type that one question can bring


@dataclass(frozen=True, slots=True)
class Issued:
    """One row: one version of one certificate. ``file``: SM3 (hex) of its OFD, empty until it is stamped."""

    id: str
    series: str
    version: int
    identifier: str
    type_code: str
    state: str
    platform: str
    case_id: str
    holder: bytes
    token: bytes
    valid_from: str
    valid_to: str
    wrapped_key: bytes
    sealed: bytes
    file: str
    file_size: int
    events: int
    created_ms: int
    updated_ms: int

    @property
    def term(self) -> Term:
        """Its dates."""
        return _term(self.valid_from, self.valid_to)


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a certificate is printed from: what stands on it, and the pictures that it brought along (a photograph)."""

    metadata: Metadata
    pictures: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PermitRow:
    """One of its permits. Its name and number stand in the sealed metadata under the same id."""

    id: str
    state: str
    valid_from: str
    valid_to: str

    @property
    def term(self) -> Term:
        """Its dates."""
        return _term(self.valid_from, self.valid_to)


@dataclass(frozen=True, slots=True)
class Step:
    """One act on it. ``permit``: the one it concerned, empty for the whole; ``leaf``: our ledger's entry for it."""

    n: int
    id: str
    event: str
    permit: str
    state: str
    reason: str
    by: str
    leaf: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Stood:
    """How a certificate stood at a time, and each of its permits by id."""

    standing: Standing
    permits: dict[str, Standing]


_NAMES = tuple(one.name for one in fields(Issued))
_COLUMNS = ", ".join(_NAMES)


def by_token(tx: Reader, digest: bytes) -> Issued | None:
    """The certificate whose QR code holds the token of this SM3 digest."""
    return _one(tx, "token = ?", digest)


def by_identifier(tx: Reader, text: str) -> Issued | None:
    """The certificate of this identifier (电子证照标识), as issued, version and check character included."""
    return _one(tx, "identifier = ?", text)


def by_id(tx: Reader, certificate: str) -> Issued | None:
    """The certificate of this id of ours."""
    return _one(tx, "id = ?", certificate)


def by_file(tx: Reader, digest: str) -> Issued | None:
    """The certificate whose OFD has this SM3 (hex)."""
    return _one(tx, "file = ?", digest)


def by_holder(tx: Reader, blind: bytes, type_code: str = "") -> list[Issued]:
    """What a holder (``vault.blind`` of the holder's code) has of a type, or of all; newest first, whatever its state."""
    rows = tx.all(
        f"SELECT {_COLUMNS} FROM certificate WHERE holder = ? AND (? = '' OR type_code = ?) "
        "ORDER BY created_ms DESC, id DESC LIMIT ?",
        blind, type_code, type_code, MAX_HELD,
    )  # fmt: skip
    return [Issued(*row) for row in rows]


def newest_first(tx: Reader, type_code: str = "", blind: bytes | None = None) -> Iterator[Issued]:
    """All that were issued, of a type, of a holder; newest first, read in pages."""
    for page in count():
        rows = tx.all(
            f"SELECT {_COLUMNS} FROM certificate WHERE (? = '' OR type_code = ?) AND (? IS NULL OR holder = ?) "
            "ORDER BY created_ms DESC, id DESC LIMIT ? OFFSET ?",
            type_code, type_code, blind, blind, PAGE, page * PAGE,
        )  # fmt: skip
        yield from (Issued(*row) for row in rows)
        if len(rows) < PAGE:
            return


def newest(tx: Reader, series: str, stamped: bool = False) -> Issued | None:
    """The newest version of a series; ``stamped``: of those that are, or were, certificates."""
    never = " AND state NOT IN ('stamping','dropped')" if stamped else ""
    return _one(tx, f"series = ?{never} ORDER BY version DESC LIMIT 1", series)


def before(tx: Reader, row: Issued) -> Issued | None:
    """The version before it that was stamped; None for the first."""
    return _one(
        tx, f"series = ? AND version < {row.version} AND state != 'dropped' ORDER BY version DESC LIMIT 1", row.series
    )


def permits(tx: Reader, certificate: str) -> list[PermitRow]:
    """The permits that a certificate carries, in its order; none for a plain one."""
    rows = tx.all(
        "SELECT id, state, valid_from, valid_to FROM certificate_permit WHERE certificate = ? ORDER BY n", certificate
    )
    return [PermitRow(*row) for row in rows]


def history(tx: Reader, certificate: str) -> list[Step]:
    """Every act on it, oldest first; of very many the newest ``PAGE``."""
    rows = tx.all(
        "SELECT n, id, event, permit, state, reason, by, leaf, at_ms FROM certificate_event "
        "WHERE certificate = ? ORDER BY n DESC LIMIT ?", certificate, PAGE,
    )  # fmt: skip
    return [Step(*row) for row in reversed(rows)]


def stands(tx: Reader, found: Issued, at_ms: int) -> Stood | None:
    """How it stood at a time (ms since 1970), permits and all, by its history; None before it was made."""
    moves = tx.all(
        "SELECT permit, state, at_ms FROM certificate_event WHERE certificate = ? AND event NOT IN ('release','annotate') "
        "ORDER BY n", found.id,
    )  # fmt: skip
    state = _state_at(moves, "", at_ms)
    if state is None:
        return None
    today = day(at_ms)
    alone = {
        one.id: ecert.standing(_state_at(moves, one.id, at_ms) or State.VALID, one.term, today)
        for one in permits(tx, found.id)
    }
    own = ecert.of_sheet(ecert.standing(state, found.term, today), list(alone.values()))
    return Stood(own, {name: ecert.of_permit(one, own) for name, one in alone.items()})


def sheet(vault: Vault, found: Issued) -> Sheet:
    """What it is printed from: opened under its own key."""
    key = vault.unwrap(found.wrapped_key)
    return _SHEET.decode(vault.open(key, found.sealed, sheet_label(found.id)))


def metadata(vault: Vault, found: Issued) -> Metadata:
    """What stands on it."""
    return sheet(vault, found).metadata


# --- writing: inside a flow's transaction ----------------------------------------------------------------------------


def insert(tx: Tx, row: Issued, of: Metadata) -> None:
    """A new version and its permits."""
    values = tuple(getattr(row, name) for name in _NAMES)
    tx.run(f"INSERT INTO certificate ({_COLUMNS}) VALUES ({','.join('?' * len(values))})", *values)
    for n, permit in enumerate(of.permits):
        tx.run(
            "INSERT INTO certificate_permit (certificate, id, n, state, valid_from, valid_to) VALUES (?,?,?,?,?,?)",
            row.id, permit.id, n, State.VALID.value, permit.valid_from.isoformat(), _text(permit.valid_to),
        )  # fmt: skip


def record(tx: Tx, step: Step, certificate: str, sealed: bytes) -> None:
    """One act, and the state that it leads to."""
    tx.run(
        "INSERT INTO certificate_event (certificate, n, id, event, permit, state, reason, by, sealed, leaf, at_ms) "
        "VALUES (?,?,?,?,?,?,?,?,?,?,?)",
        certificate, step.n, step.id, step.event, step.permit, step.state, step.reason, step.by, sealed, step.leaf,
        step.at_ms,
    )  # fmt: skip
    tx.run("UPDATE certificate SET events = ?, updated_ms = ? WHERE id = ?", step.n, step.at_ms, certificate)
    if step.permit:
        tx.run(
            "UPDATE certificate_permit SET state = ? WHERE certificate = ? AND id = ?",
            step.state, certificate, step.permit,
        )  # fmt: skip
    else:
        tx.run("UPDATE certificate SET state = ? WHERE id = ?", step.state, certificate)


def seal_sheet(vault: Vault, wrapped_key: bytes, certificate: str, of: Sheet) -> bytes:
    """The sheet as a row holds it."""
    return vault.seal(vault.unwrap(wrapped_key), msgspec.json.encode(of), sheet_label(certificate))


def sheet_label(certificate: str) -> bytes:
    """Associated data that binds a sealed sheet to its certificate."""
    return b"certificate:" + certificate.encode()


def statement_label(act: str) -> bytes:
    """Associated data that binds an act's sealed statement to it."""
    return b"certificate-act:" + act.encode()


def dates(of: Metadata) -> tuple[str, str]:
    """First and last day of validity as a row holds them."""
    return of.valid_from.isoformat(), _text(of.valid_to)


_SHEET = msgspec.json.Decoder(Sheet)


def _one(tx: Reader, where: str, value: object) -> Issued | None:
    row = tx.one(f"SELECT {_COLUMNS} FROM certificate WHERE {where}", value)
    return None if row is None else Issued(*row)


def _state_at(moves: Sequence[Row], permit: str, at_ms: int) -> State | None:
    return ecert.state_at([(ms, State(state)) for of, state, ms in moves if of == permit], at_ms)


def _term(begin: str, end: str) -> Term:
    return Term(date.fromisoformat(begin), date.fromisoformat(end) if end else None)


def _text(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def day(at_ms: int) -> date:
    """The day in China at a time (ms since 1970)."""
    return china_date(moment(at_ms))


def moment(at_ms: int) -> datetime:
    """A time (ms since 1970) as a value, UTC."""
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def end_of(last: date) -> int:
    """When a day has ended in China (ms since 1970)."""
    return int(datetime.combine(last + timedelta(days=1), time(), CHINA).timestamp() * 1000)

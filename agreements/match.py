"""The decision: may this party send this item there, in this way, for this purpose, and by when must whom do what.

``decide`` answers with a :class:`Route` or a :class:`Refusal` that names the clause; both are values. It needs a
:class:`Book`, the agreements a node holds with who has validly signed each, indexed once. A new case goes under the
newest version that is in force and signed by all; a case that was collected under an older version ends under it
(``Book.version``).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

import msgspec

from agreements.calendar import Calendar, Calendars, china_date
from agreements.model import RANK, STARTS, Agreement, ClockRule, Item, Line, Power, Starts
from agreements.refuse import Refusal, Refusals
from schemas.divisions import Divisions
from schemas.errors import Invalid
from schemas.fields import Mode

__all__ = ["Book", "Deadline", "Held", "Refusal", "Request", "Route", "deadline", "decide", "out_of_force"]


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked. ``sender`` is a party id, ``handling`` a division code; ``agreement``/``version`` if one is
    named."""

    sender: str
    item: str
    item_version: int
    mode: Mode
    handling: str
    purpose: str
    act: Power = "collect"
    agreement: str = ""
    version: int = 0


def rule_text(days: int, unit: str, starts: Starts) -> tuple[str, str]:
    """A clock's rule in words, Chinese and English."""
    zh_unit, en_unit = ("个工作日", "working days") if unit == "working" else ("日", "days")
    zh, en = STARTS[starts]
    return f"自{zh}之日起{days}{zh_unit}内（当日不计）", f"within {days} {en_unit} from {en}, that day not counted"


class Deadline(msgspec.Struct, frozen=True):
    """One clock of a route. ``due`` is None until its start has happened; ``estimated`` as in the calendar."""

    days: int
    unit: str
    starts: Starts
    clause: str
    source: str
    due: date | None = None
    estimated: bool = False

    @property
    def rule(self) -> tuple[str, str]:
        """The rule in words, Chinese and English."""
        return rule_text(self.days, self.unit, self.starts)


class Route(msgspec.Struct, frozen=True):
    """Yes, under this line. ``alias`` is the retired division code the request used, or ``""``.
    ``signatures``: of which means one applicant's signature is demanded, none if empty."""

    agreement: str
    version: int
    clause: str
    power: Power
    mode: Mode
    collecting: str
    handling: str
    item: str
    item_name: str
    item_version: int
    deadlines: dict[str, Deadline]
    alias: str = ""
    signatures: tuple[str, ...] = ()


class Held(msgspec.Struct, frozen=True):
    """An agreement as a node holds it: ``signed_by`` are the parties whose signature was found good."""

    agreement: Agreement
    signed_by: frozenset[str]
    digest: str = ""

    @property
    def complete(self) -> bool:
        """Signed by every party."""
        return all(party.id in self.signed_by for party in self.agreement.parties)


class _Entry(NamedTuple):
    """One permission, ready to be read: sender -> handling party for one item and mode under one line."""

    held: Held
    line: Line
    handling: str
    purposes: frozenset[str]
    items: dict[int, Item]


def _directions(line: Line) -> Iterable[tuple[str, str]]:
    """(collecting party, handling party) pairs that a line allows."""
    for collecting in line.collecting:
        for handling in line.handling:
            if collecting != handling:
                yield collecting, handling
                if line.direction == "mutual":
                    yield handling, collecting


class Book:
    """The agreements a node holds. Build it once per change; ``decide`` then looks up, it does not search."""

    def __init__(self, held: Iterable[Held], divisions: Divisions | None = None) -> None:
        self.held = tuple(sorted(held, key=lambda h: (h.agreement.id, -h.agreement.version)))
        self.divisions = divisions
        self._entries: dict[tuple[str, str, str, str], list[_Entry]] = {}
        self._by_id: dict[str, list[Held]] = {}
        for held_one in self.held:
            self._by_id.setdefault(held_one.agreement.id, []).append(held_one)
            self._index(held_one)

    def _index(self, held: Held) -> None:
        agreement = held.agreement
        divisions = {party.id: party.division for party in agreement.parties}
        purposes = frozenset(agreement.purposes)
        by_code: dict[str, dict[int, Item]] = {}
        for item in agreement.items:
            by_code.setdefault(item.code, {})[item.version] = item
        for line in agreement.lines:
            for collecting, handling in _directions(line):
                for code in line.items:
                    key = (collecting, divisions[handling], code, line.mode)
                    entry = _Entry(held, line, handling, purposes, by_code[code])
                    self._entries.setdefault(key, []).append(entry)

    def entries(self, request: Request, division: str) -> list[_Entry]:
        """Every permission for sender, place, item and mode, newest version first within an agreement."""
        return self._entries.get((request.sender, division, request.item, request.mode), [])

    def version(self, agreement: str, version: int) -> Held | None:
        """One version, in force or not: a case ends under the version it was collected under."""
        return next((h for h in self._by_id.get(agreement, ()) if h.agreement.version == version), None)

    def not_sealed(self, agreement: str, version: int) -> Refusal | None:
        """Why nothing may travel unsealed under this version; None if it may, or if it is not held here."""
        held = self.version(agreement, version)
        if held is None or held.agreement.confidentiality == "transport":
            return None
        return Refusals(held.agreement).not_sealed()

    def current(self, agreement: str, today: date) -> Held | None:
        """The newest version whose term has begun and that all have signed: it replaces the older ones."""
        for held in self._by_id.get(agreement, ()):
            if held.agreement.in_force <= today and held.complete:
                return held
        return None


def deadline(rule: ClockRule, days: int, happened: date | None, calendar: Calendar, *, fixed: bool = True) -> Deadline:
    """The clock with its due day, if its start ``happened``; not ``fixed`` marks the day as estimated."""
    if happened is None:
        return Deadline(days, rule.unit, rule.starts, rule.clause, rule.source)
    due = (
        calendar.add_working_days(happened, days)
        if rule.unit == "working"
        else calendar.add_calendar_days(happened, days)
    )
    estimated = due.estimated or not fixed
    return Deadline(days, rule.unit, rule.starts, rule.clause, rule.source, due.day, estimated)


def _deadlines(entry: _Entry, item: Item, today: date, calendar: Calendar) -> dict[str, Deadline]:
    """At collection only *collected* has happened; receipt there follows within minutes, so its day is an estimate."""
    clocks = entry.held.agreement.clocks
    result = {}
    for name, rule in (("notify", clocks.notify), ("decide", clocks.decide), ("deliver", clocks.deliver)):
        days = item.decide_days if name == "decide" and item.decide_days else rule.days
        started = today if rule.starts in ("collected", "received_there") else None
        result[name] = deadline(rule, days, started, calendar, fixed=rule.starts == "collected")
    return result


def out_of_force(held: Held, today: date, book: Book) -> Refusal | None:
    """Why nothing may be done under an agreement on a day; None if it is in force, signed by all and the newest."""
    agreement = held.agreement
    say = Refusals(agreement)
    if today < agreement.in_force:
        return say.not_in_force()
    if not held.complete:
        return say.not_signed(held.signed_by)
    if book.current(agreement.id, today) is not held:
        return say.superseded()
    if today > agreement.expires:
        return say.expired()
    return None


def _flaw(entry: _Entry, request: Request, today: date, book: Book) -> Refusal | None:
    """Why this permission does not carry this request; None if it does. In the order a person would ask."""
    flaw = out_of_force(entry.held, today, book)
    if flaw is not None:
        return flaw
    say = Refusals(entry.held.agreement)
    if request.item_version not in entry.items:
        return say.item_version(sorted(entry.items))
    if RANK[request.act] > RANK[entry.line.power]:
        return say.power(entry.line, request.act)
    if request.purpose not in entry.purposes:
        return say.purpose()
    return None


def _wanted(request: Request, held: Held) -> bool:
    """Whether the request names no agreement, or this one."""
    agreement = held.agreement
    return request.agreement in ("", agreement.id) and request.version in (0, agreement.version)


def _place(request: Request, book: Book) -> tuple[str, str] | Refusal:
    """(division that answers today, retired alias or "")."""
    if book.divisions is None:
        return request.handling, ""
    resolved = book.divisions.resolve(request.handling)
    if isinstance(resolved, Invalid):
        return Refusal("unknown-division", "", resolved.zh, resolved.en)
    return resolved.division.code, resolved.alias


def decide(request: Request, book: Book, now: datetime, calendars: Calendars) -> Route | Refusal:
    """The decision at ``now`` (aware). Pure: same arguments, same answer. A few microseconds."""
    place = _place(request, book)
    if isinstance(place, Refusal):
        return place
    division, alias = place
    today = china_date(now)
    flaws: list[Refusal] = []
    for entry in book.entries(request, division):
        if not _wanted(request, entry.held):
            continue
        flaw = _flaw(entry, request, today, book)
        if flaw is not None:
            flaws.append(flaw)
            continue
        agreement, line, item = entry.held.agreement, entry.line, entry.items[request.item_version]
        return Route(
            agreement.id, agreement.version, line.clause, line.power, line.mode, request.sender, entry.handling,
            item.code, item.name, item.version, _deadlines(entry, item, today, calendars.of(division)), alias,
            tuple(item.signatures),
        )  # fmt: skip
    return _explain(request, book, division, today, flaws)


def _explain(request: Request, book: Book, division: str, today: date, flaws: list[Refusal]) -> Refusal:
    """No permission carried it: the refusal that came nearest, of all agreements asked."""
    for held in book.held:
        if _wanted(request, held) and held is (book.current(held.agreement.id, today) or held):
            refusal = Refusals(held.agreement).uncovered(request.sender, division, request.item, request.mode)
            if refusal is not None:
                flaws.append(refusal)
    if flaws:
        return max(flaws, key=lambda refusal: refusal.nearness)
    zh, en = "与该办理地之间没有通办协议", "no agreement with the handling place"
    return Refusal("no-agreement-with-place", "", zh, en)

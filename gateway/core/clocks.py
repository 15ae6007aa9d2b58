"""Terms (时限): which clock runs in which state, at whose desk the case lies, and how many days are left.

Three clocks come from item and agreement, as settings with their sources: *notify* (default 5 working days from
receipt), *decide* (from acceptance, by the handling place's calendar), *deliver* (10 working days after a grant). Two
come with their own notices: *correction* and *special*; while one of these runs, the clock behind it stands still. The
starting day is not counted; a term that ends today has no days left and is not overdue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from gateway.core.case import Effect, State
from gateway.core.labels import LABELS

IsWorkingDay = Callable[[date], bool]
MAX_DAYS = 3660  # no term is longer; keeps a hostile number from spinning


class Clock(StrEnum):
    NOTIFY = "notify"
    CORRECTION = "correction"
    DECIDE = "decide"
    SPECIAL = "special"
    DELIVER = "deliver"


class Desk(StrEnum):
    WINDOW = "window"  # 收件窗口
    GATEWAY = "gateway"  # on its way between the gateways
    HANDLING = "handling"  # 办理部门
    APPLICANT = "applicant"  # 申请人
    NOBODY = "nobody"


class Level(StrEnum):
    NORMAL = "normal"
    YELLOW = "yellow"  # 即将超期
    RED = "red"  # 超期


@dataclass(frozen=True, slots=True)
class Rule:
    """A term's length. ``working`` False counts calendar days. ``source`` is the clause that sets it."""

    days: int
    working: bool = True
    source: str = ""


@dataclass(frozen=True, slots=True)
class Term:
    """A clock of one case: running until ``due``, or standing still with ``left`` days, or stopped (both None)."""

    clock: Clock
    rule: Rule
    due: date | None = None
    left: int | None = None


# state: (whose desk, the clock that runs there)
DESKS: dict[State, tuple[Desk, Clock | None]] = {
    State.COLLECTED: (Desk.WINDOW, None),
    State.FORWARDED: (Desk.GATEWAY, None),
    State.REFUSED_THERE: (Desk.WINDOW, None),
    State.RECEIVED_THERE: (Desk.HANDLING, Clock.NOTIFY),
    State.CORRECTION_REQUESTED: (Desk.APPLICANT, Clock.CORRECTION),
    State.NOT_ACCEPTED: (Desk.WINDOW, None),
    State.ACCEPTED: (Desk.HANDLING, Clock.DECIDE),
    State.DEEMED_ACCEPTED: (Desk.HANDLING, Clock.DECIDE),
    State.IN_REVIEW: (Desk.HANDLING, Clock.DECIDE),
    State.SPECIAL_PROCEDURE: (Desk.HANDLING, Clock.SPECIAL),
    State.GRANTED: (Desk.HANDLING, Clock.DELIVER),
    State.DENIED: (Desk.WINDOW, Clock.DELIVER),
    State.RESULT_ISSUED: (Desk.WINDOW, Clock.DELIVER),
    State.AT_WINDOW: (Desk.APPLICANT, Clock.DELIVER),
    State.DELIVERED: (Desk.WINDOW, None),
    State.CLOSED: (Desk.NOBODY, None),
    State.TRANSFERRED: (Desk.NOBODY, None),
    State.WITHDRAWN: (Desk.NOBODY, None),
    State.CORRECTION_LAPSED: (Desk.NOBODY, None),
    State.TERMINATED: (Desk.NOBODY, None),
    State.CORRECTED: (Desk.HANDLING, Clock.DELIVER),
    State.REVOKED: (Desk.NOBODY, None),
    State.CANCELLED: (Desk.NOBODY, None),
    State.RETURNED: (Desk.HANDLING, Clock.DELIVER),
}
DESK_NAMES: dict[Desk, tuple[str, str]] = {
    Desk.WINDOW: ("收件窗口", "the collecting window"),
    Desk.GATEWAY: ("转递途中", "on its way between the gateways"),
    Desk.HANDLING: ("办理部门", "the handling department"),
    Desk.APPLICANT: ("申请人", "the applicant"),
    Desk.NOBODY: ("已结束，无需办理", "nobody: the case has ended"),
}
CLOCK_NAMES: dict[Clock, tuple[str, str]] = {
    Clock.NOTIFY: ("受理告知时限", "notice of acceptance"),
    Clock.CORRECTION: ("补正时限", "correction"),
    Clock.DECIDE: ("决定时限", "decision"),
    Clock.SPECIAL: ("特别程序时限", "special procedure"),
    Clock.DELIVER: ("送达时限", "delivery"),
}
_STARTS = {
    Effect.START_NOTIFY: Clock.NOTIFY,
    Effect.START_CORRECTION: Clock.CORRECTION,
    Effect.START_DECIDE: Clock.DECIDE,
    Effect.START_SPECIAL_LIMIT: Clock.SPECIAL,
    Effect.START_DELIVER: Clock.DELIVER,
}
_STOPS = {
    Effect.STOP_NOTIFY: Clock.NOTIFY,
    Effect.STOP_CORRECTION: Clock.CORRECTION,
    Effect.STOP_DECIDE: Clock.DECIDE,
    Effect.STOP_SPECIAL_LIMIT: Clock.SPECIAL,
    Effect.STOP_DELIVER: Clock.DELIVER,
}


def due_date(start: date, days: int, is_working_day: IsWorkingDay | None = None) -> date:
    """The last day of a term that starts on ``start``, which is not counted. None for the function: calendar days."""
    if not 0 <= days <= MAX_DAYS:
        raise ValueError(f"a term of {days} days")
    if is_working_day is None:
        return start + timedelta(days=days)
    day = start
    while days > 0:
        day += timedelta(days=1)
        days -= is_working_day(day)
    return day


def days_left(today: date, due: date, is_working_day: IsWorkingDay | None = None) -> int:
    """Days after today up to and with ``due``: 0 on the last day, negative once it is over (each counted day once)."""
    if is_working_day is None:
        return (due - today).days
    first, last, sign = (today, due, 1) if today <= due else (due, today, -1)
    span = min((last - first).days, MAX_DAYS * 2)
    return sign * sum(is_working_day(first + timedelta(days=n)) for n in range(1, span + 1))


def overdue(today: date, due: date) -> bool:
    """Whether the term's last day has passed."""
    return today > due


def level(today: date, due: date, is_working_day: IsWorkingDay | None = None, warn: int = 2) -> Level:
    """RED (红牌) once overdue, YELLOW (黄牌, 即将超期) from ``warn`` days before the end, else NORMAL."""
    if overdue(today, due):
        return Level.RED
    return Level.YELLOW if days_left(today, due, is_working_day) <= warn else Level.NORMAL


def wind(
    terms: Mapping[Clock, Term],
    effects: Iterable[Effect],
    today: date,
    rules: Mapping[Clock, Rule],
    is_working_day: IsWorkingDay,
) -> dict[Clock, Term]:
    """The clocks of a case after the effects of one event. A clock without a rule is not started."""
    now = dict(terms)
    for effect in effects:
        if (clock := _STARTS.get(effect)) and (rule := rules.get(clock)):
            now[clock] = Term(clock, rule, due=due_date(today, rule.days, is_working_day if rule.working else None))
        elif clock := _STOPS.get(effect):
            now.pop(clock, None)
        elif (term := now.get(Clock.DECIDE)) is not None:
            now[Clock.DECIDE] = _paused_or_resumed(term, effect, today, is_working_day)
    return now


def _paused_or_resumed(term: Term, effect: Effect, today: date, is_working_day: IsWorkingDay) -> Term:
    """Standing still keeps the days that were left; a term already overdue stays due on the day it was."""
    counted = is_working_day if term.rule.working else None
    if effect is Effect.PAUSE_DECIDE and term.due is not None and not overdue(today, term.due):
        return replace(term, due=None, left=days_left(today, term.due, counted))
    if effect is Effect.RESUME_DECIDE and term.left is not None:
        return replace(term, due=due_date(today, term.left, counted), left=None)
    return term


@dataclass(frozen=True, slots=True)
class Why:
    """Where a case lies and what it waits for (``case why``); ``left`` None where no clock runs or no end is known."""

    desk: Desk
    clock: Clock | None
    due: date | None
    left: int | None
    level: Level
    zh: str
    en: str


def why(
    state: State, today: date, due: date | None = None, is_working_day: IsWorkingDay | None = None, clause: str = ""
) -> Why:
    """Whose desk, which clock, days left, and the clause that sets it, as sentences."""
    desk, clock = DESKS[state]
    zh = f"{LABELS[state][0]}，在{DESK_NAMES[desk][0]}" if desk is not Desk.NOBODY else LABELS[state][0]
    en = f"{LABELS[state][1]}, with {DESK_NAMES[desk][1]}" if desk is not Desk.NOBODY else LABELS[state][1]
    if clock is None or due is None:
        return Why(desk, clock, None, None, Level.NORMAL, zh + "。", en + ".")
    left, card = days_left(today, due, is_working_day), level(today, due, is_working_day)
    unit_zh, unit_en = ("个工作日", "working days") if is_working_day else ("日", "days")
    name_zh, name_en = CLOCK_NAMES[clock]
    if card is Level.RED:
        count_zh, count_en = f"已超期 {-left} {unit_zh}", f"{-left} {unit_en} overdue"
    else:
        count_zh, count_en = f"还剩 {left} {unit_zh}", f"{left} {unit_en} left"
    by_zh, by_en = (f"（{clause}）", f" ({clause})") if clause else ("", "")
    zh = f"{zh}；{name_zh}{by_zh}至 {due.isoformat()}，{count_zh}。"
    en = f"{en}; {name_en}{by_en} due {due.isoformat()}, {count_en}."
    return Why(desk, clock, due, left, card, zh, en)

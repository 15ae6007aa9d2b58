"""The clocks of a case, wound from its recorded events: dates, pauses, restarts, and the words for them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from importlib import resources
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from agreements import load, samples
from agreements.calendar import CHINA, Calendar
from agreements.model import Agreement
from gateway.core.clocks import Clock
from gateway.flow import why
from gateway.flow.casefile import CaseFile
from gateway.store import schema
from gateway.store.journal import Reader

CASE = "420104.11420104000000000X/01J00000000000000000000000"
CALENDAR = Calendar.from_csv((resources.files("schemas") / "data" / "holidays-cn.csv").read_bytes())
A, B = samples.lab_party("420104"), samples.lab_party("360113")
AGREEMENT = load.parse(samples.render(A, B)).agreement
MONDAY = date(2026, 3, 2)  # a plain week without holidays follows

Step = tuple[str, str, str, date]


def ms(day: date, hour: int = 10) -> int:
    return int(datetime(day.year, day.month, day.day, hour, tzinfo=CHINA).timestamp() * 1000)


@pytest.fixture
def store(tmp_path: Path) -> sqlite3.Connection:
    schema.upgrade(tmp_path / "g.db")
    return sqlite3.connect(tmp_path / "g.db", isolation_level=None)


def case(state: str, item: str = "QX-TB-001") -> CaseFile:
    return CaseFile(
        CASE, "handling", state, A, "hall", AGREEMENT.id, 1, "第三条", item, "事项", "", "", "N", "", b"", 0, 0, 0, 0, 0
    )


def lived(store: sqlite3.Connection, steps: Sequence[Step]) -> str:
    """Record events (event, state after it, by, day); the last state. The message of event n is ``m<n>``."""
    for n, (event, state, by, day) in enumerate(steps, 1):
        store.execute(
            "INSERT INTO case_event (case_id, n, event, state, by, message, act_ms, at_ms) VALUES (?,?,?,?,?,?,?,?)",
            (CASE, n, event, state, by, f"m{n}", ms(day), ms(day)),
        )
    return steps[-1][1]


def explained(
    store: sqlite3.Connection, steps: Sequence[Step], today: date, *, item: str = "QX-TB-001",
    bodies: Mapping[str, Any] = {}, agreement: Agreement | None = AGREEMENT,
) -> why.Explained:  # fmt: skip
    found = {"m1": SimpleNamespace(item_version=1), **bodies}
    state = lived(store, steps)
    return why.explain(Reader(store), case(state, item), agreement, CALENDAR, found.get, ms(today))


RECEIVED = ("receive", "received_there", "collecting", MONDAY)
ACCEPTED = ("accept", "accepted", "handling", MONDAY + timedelta(days=1))


def test_the_day_of_receipt_is_not_counted(store: sqlite3.Connection) -> None:
    found = explained(store, [RECEIVED], MONDAY).running
    assert found is not None and (found.clock, found.days, found.left) == (Clock.NOTIFY, 5, 5)
    assert found.due == MONDAY + timedelta(days=7)
    assert found.clause == AGREEMENT.clocks.notify.clause and found.source == AGREEMENT.clocks.notify.source


def test_holidays_do_not_count(store: sqlite3.Connection) -> None:
    eve = date(2026, 9, 30)
    found = explained(store, [("receive", "received_there", "collecting", eve)], eve).running
    assert found is not None
    assert CALENDAR.working_days_until(eve, found.due) == 5 and found.due > date(2026, 10, 8)


def test_a_term_that_has_passed_is_said_to_be_overdue(store: sqlite3.Connection) -> None:
    found = explained(store, [RECEIVED], MONDAY + timedelta(days=9))
    assert found.running is not None and found.running.left == -2
    assert "已超期 2 个工作日" in found.why.zh and "2 working days overdue" in found.why.en


def test_the_decision_counts_from_acceptance_with_the_items_own_limit(store: sqlite3.Connection) -> None:
    assert AGREEMENT.item("QX-TB-007", 1).decide_days == 30  # type: ignore[union-attr]
    found = explained(store, [RECEIVED, ACCEPTED], MONDAY + timedelta(days=1), item="QX-TB-007").running
    assert found is not None and (found.clock, found.days, found.left) == (Clock.DECIDE, 30, 30)


def test_a_correction_has_the_notices_own_last_day(store: sqlite3.Connection) -> None:
    due = MONDAY + timedelta(days=20)
    steps = [RECEIVED, ("request_correction", "correction_requested", "handling", MONDAY)]
    found = explained(store, steps, MONDAY, bodies={"m2": SimpleNamespace(due=due, number="补1")}).running
    assert found is not None and (found.clock, found.due, found.working) == (Clock.CORRECTION, due, False)
    assert found.source == "补正通知书 补1" and found.clause == ""


def test_after_a_correction_the_notice_term_begins_anew(store: sqlite3.Connection) -> None:
    later = MONDAY + timedelta(days=9)
    steps = [
        RECEIVED, ("request_correction", "correction_requested", "handling", MONDAY),
        ("correct", "received_there", "collecting", later),
    ]  # fmt: skip
    body = {"m2": SimpleNamespace(due=later, number="补1")}
    found = explained(store, steps, later, bodies=body).running
    assert found is not None and (found.clock, found.left) == (Clock.NOTIFY, 5)


def test_a_special_procedure_stops_the_decision_and_runs_its_own_term(store: sqlite3.Connection) -> None:
    begin, end = MONDAY + timedelta(days=3), MONDAY + timedelta(days=21)
    special = SimpleNamespace(limit_days=7, legal_basis="行政许可法第四十五条")
    steps = [RECEIVED, ACCEPTED, ("start_special", "special_procedure", "handling", begin)]
    found = explained(store, steps, begin, bodies={"m3": special}).running
    assert found is not None and (found.clock, found.days, found.source) == (Clock.SPECIAL, 7, "行政许可法第四十五条")
    store.execute("DELETE FROM case_event")
    whole = AGREEMENT.clocks.decide.days
    used = CALENDAR.working_days_until(MONDAY + timedelta(days=1), begin)
    steps.append(("end_special", "in_review", "handling", end))
    found = explained(store, steps, end, bodies={"m3": special}).running
    assert found is not None and (found.clock, found.left) == (Clock.DECIDE, whole - used)


def test_a_grant_starts_delivery_and_the_end_stops_all(store: sqlite3.Connection) -> None:
    steps: list[Step] = [RECEIVED, ACCEPTED, ("decide_grant", "granted", "handling", MONDAY + timedelta(days=2))]
    found = explained(store, steps, MONDAY + timedelta(days=2)).running
    assert found is not None and (found.clock, found.days) == (Clock.DELIVER, AGREEMENT.clocks.deliver.days)
    store.execute("DELETE FROM case_event")
    day = MONDAY + timedelta(days=3)
    steps += [("issue_result", "result_issued", "handling", day), ("deliver", "delivered", "handling", day)]
    assert explained(store, steps, day).running is None


def test_a_term_by_collection_begins_on_the_day_of_collection(store: sqlite3.Connection) -> None:
    clocks = msgspec.structs.replace(
        AGREEMENT.clocks, notify=msgspec.structs.replace(AGREEMENT.clocks.notify, starts="collected")
    )
    store.execute(
        "INSERT INTO case_event (case_id, n, event, state, by, message, act_ms, at_ms) VALUES (?,1,'receive',"
        "'received_there','collecting','m1',?,?)",
        (CASE, ms(MONDAY), ms(MONDAY + timedelta(days=2))),
    )
    for agreement, left in ((AGREEMENT, 5), (msgspec.structs.replace(AGREEMENT, clocks=clocks), 3)):
        found = why.explain(
            Reader(store), case("received_there"), agreement, CALENDAR, lambda _: None, ms(MONDAY + timedelta(days=2))
        )
        assert found.running is not None and found.running.left == left


def test_a_calendar_term_that_ends_on_a_day_off_moves_on(store: sqlite3.Connection) -> None:
    rule = msgspec.structs.replace(AGREEMENT.clocks.notify, days=5, unit="calendar")
    agreement = msgspec.structs.replace(AGREEMENT, clocks=msgspec.structs.replace(AGREEMENT.clocks, notify=rule))
    found = explained(store, [RECEIVED], MONDAY, agreement=agreement).running
    assert found is not None and found.due == MONDAY + timedelta(days=7), "Saturday the 7th moves to Monday the 9th"


def test_beyond_the_table_of_holidays_the_day_is_an_estimate(store: sqlite3.Connection) -> None:
    far = date(2049, 3, 1)
    found = explained(store, [("receive", "received_there", "collecting", far)], far).running
    assert found is not None and found.estimated


def test_receipt_counts_by_the_receivers_checkpoint_not_by_when_the_answer_was_read(store: sqlite3.Connection) -> None:
    text = f"tongban/v1/checkpoint\n{B}/1\n1\n{'0' * 64}\n{ms(MONDAY)}\n"
    proof = {
        "type": "ledger", "index": 0, "salt": b"", "path": [], "checkpoint": {"text": text, "key": "k", "signature": b""},
    }  # fmt: skip
    store.execute(
        "INSERT INTO message (id, case_id, direction, type, act, seq, parts, sealed, receipt, status, problem, created_ms) "
        "VALUES ('m3', ?, 'out', 'application', 'a', 1, x'5b5d', x'', ?, 'taken', '', 0)",
        (CASE, msgspec.json.encode(proof)),
    )
    late = MONDAY + timedelta(days=4)
    steps: list[Step] = [
        ("collect", "collected", "collecting", MONDAY), ("forward", "forwarded", "collecting", MONDAY),
        ("received_there", "received_there", "handling", late),
    ]  # fmt: skip
    found = explained(store, steps, MONDAY).running
    assert found is not None and found.left == 5


def test_without_the_agreement_nothing_is_guessed(store: sqlite3.Connection) -> None:
    found = explained(store, [RECEIVED], MONDAY, agreement=None)
    assert (found.known, found.running) == (False, None)
    assert datetime.now(UTC)  # the sentence has no date
    assert "剩" not in found.why.zh

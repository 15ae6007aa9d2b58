"""The demo's own checks are checked: whatever they would have to notice, they notice."""

from __future__ import annotations

import copy
import json
from datetime import date
from typing import Any

import pytest

from gateway.core.clocks import Clock, Rule, Term
from gateway.demo import ground
from gateway.demo.checks import compare
from gateway.demo.walk import Clocked, _note
from gateway.demo.watch import Snapshot, panel


def window() -> dict[str, Any]:
    sent = [{"lsh": "1-SB"}, {"lsh": "e-DD", "lx": "DD"}, {"lsh": "e-SD", "lx": "SD"}]
    return {
        "events": [{"lx": lx} for lx in ("SH", "SLTZ", "HJ", "JD", "CJ")],
        "receipts": [{"sent": json.dumps(one)} for one in sent],
    }


def hall() -> dict[str, Any]:
    return {
        "plan": [[kind, "done", ""] for kind in ("SLTZ", "BLHJ", "BLJD", "BLJG")],
        "received": [["1", "SubmitCase", 1], ["2", "Notify:DJ", 1], ["3", "Notify:SD", 3]],
        "materials": [["a", "b", 1, "ok"]],
    }


def test_two_equal_stories_are_found_equal() -> None:
    """A message repeated on the wire and recognised (times 3) is no duplicate."""
    assert compare("1", window(), hall()) == ([], [])


def test_a_case_that_never_arrived_is_lost() -> None:
    lost, doubled = compare("1", window(), {})
    assert len(lost) == 1 and not doubled


@pytest.mark.parametrize("kind", ["SLTZ", "HJ", "JD", "CJ"])
def test_an_act_the_window_never_heard_of_is_lost(kind: str) -> None:
    told = window()
    told["events"] = [event for event in told["events"] if event["lx"] != kind]
    lost, doubled = compare("1", told, hall())
    assert [fault.zh for fault in lost] == [f"{kind} 没有到达对方"] and not doubled


def test_an_act_told_twice_is_doubled() -> None:
    told = window()
    told["events"].append({"lx": "JD"})
    assert [len(found) for found in compare("1", told, hall())] == [0, 1]


def test_a_delivery_the_hall_has_twice_is_doubled_and_one_it_lacks_is_lost() -> None:
    twice, never = hall(), hall()
    twice["received"].append(["4", "Notify:SD", 1])
    never["received"].pop()
    assert [len(found) for found in compare("1", window(), twice)] == [0, 1]
    assert [len(found) for found in compare("1", window(), never)] == [1, 0]


def test_a_material_that_did_not_arrive_is_lost() -> None:
    short = copy.deepcopy(hall())
    short["materials"][0][3] = ""
    assert [len(found) for found in compare("1", window(), short)] == [1, 0]


def test_an_open_plan_is_not_yet_lost() -> None:
    early = hall()
    early["plan"][-1][1] = "open"
    told = window()
    told["events"].pop()
    assert compare("1", told, early) == ([], [])


def test_a_demo_is_over_only_when_nothing_is_owed() -> None:
    ended = {"finished": 1, "collected": 1, "cases": 1}
    figures = {"deliveries": {"delivered": 4}, "ledger": 9}
    assert Snapshot(1, 1.0, ended, {"finished": 1}, figures, figures).over
    owing = {"deliveries": {"delivered": 4, "frozen": 1}, "ledger": 9}
    assert not Snapshot(1, 1.0, ended, {"finished": 1}, figures, owing).over
    assert not Snapshot(1, 1.0, ended, {"finished": 0}, figures, figures).over
    assert not Snapshot(
        1, 1.0, ended, {"finished": 1}, {}, figures
    ).over  # a gateway that does not answer is not at rest
    panel(Snapshot(0, 0.0))


def test_a_clock_that_moved_keeps_its_first_day() -> None:
    found: dict[Clock, Clocked] = {}
    rule, day = Rule(20), date(2026, 11, 20)
    one = {Clock.DECIDE: Term(Clock.DECIDE, rule, due=date(2026, 12, 18))}
    _note(found, {}, one, day)
    paused = {Clock.DECIDE: Term(Clock.DECIDE, rule, left=18)}
    _note(found, one, paused, date(2026, 11, 24))
    later = {Clock.DECIDE: Term(Clock.DECIDE, rule, due=date(2026, 12, 25))}
    _note(found, paused, later, date(2026, 12, 1))
    _note(found, later, {}, date(2026, 12, 2))
    clocked = found[Clock.DECIDE]
    assert (clocked.started, clocked.due, clocked.stopped) == (day, date(2026, 12, 25), date(2026, 12, 2))


def test_a_folder_is_claimed_once_empty_or_ours(tmp_path: Any) -> None:
    ground.claim(tmp_path / "new")
    (tmp_path / "new" / "story.html").write_text("old")
    ground.claim(tmp_path / "new")
    assert [path.name for path in (tmp_path / "new").iterdir()] == [ground.NOTE]
    (tmp_path / "file").write_text("")
    for other in (tmp_path, tmp_path / "file"):
        with pytest.raises(ground.NotOurs):
            ground.claim(other)

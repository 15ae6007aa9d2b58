"""The decision: every reason to refuse has its test, its clause and a sentence; a yes has its deadlines."""

from __future__ import annotations

import timeit
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agreements import samples
from agreements.calendar import Calendars
from agreements.match import Book, Held, Refusal, Request, Route, deadline, decide
from agreements.refuse import NEARNESS
from tests.unit.agreements.places import CALENDAR, CALENDARS, DIVISIONS, NOW, A, B, agreement, book, held, request


def route(wanted: Request, chosen: Book | None = None, now: datetime = NOW, calendars: Calendars = CALENDARS) -> Route:
    answer = decide(wanted, chosen or book(), now, calendars)
    assert isinstance(answer, Route), answer
    return answer


def refusal(wanted: Request, chosen: Book | None = None, now: datetime = NOW) -> Refusal:
    answer = decide(wanted, chosen or book(), now, CALENDARS)
    assert isinstance(answer, Refusal), answer
    assert answer.code in NEARNESS and answer.en and any("\u4e00" <= x <= "\u9fff" for x in answer.zh)
    return answer


def at(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, 2, tzinfo=UTC)


def one_way(text: str) -> str:
    return text.replace('direction = "mutual"', 'direction = "one_way"')


def test_a_case_from_qiaokou_goes_to_honggutan_by_its_clause() -> None:
    answer = route(request())
    assert (answer.agreement, answer.version, answer.clause) == (samples.AGREEMENT_ID, 1, "第三条第一款")
    assert (answer.collecting, answer.handling, answer.power, answer.mode) == (A, B, "collect", "collect_elsewhere")
    assert (answer.item, answer.item_name, answer.item_version, answer.alias) == (
        "QX-TB-001",
        "个体工商户设立登记",
        1,
        "",
    )


def test_and_back_because_the_line_is_mutual() -> None:
    assert route(request(sender=B, handling="420104")).handling == A


def test_the_three_clocks_at_collection() -> None:
    clocks = route(request()).deadlines
    assert (clocks["notify"].due, clocks["notify"].estimated) == (date(2026, 1, 12), True)
    assert (clocks["decide"].due, clocks["deliver"].due) == (None, None)
    assert [clocks[name].clause for name in ("notify", "decide", "deliver")] == [f"第四条第{n}项" for n in "一二三"]
    assert clocks["decide"].rule == (
        "自受理之日起20个工作日内（当日不计）", "within 20 working days from acceptance, that day not counted",
    )  # fmt: skip
    counted = route(request(), book(held(lambda t: t.replace('starts = "received_there"', 'starts = "collected"'))))
    assert (counted.deadlines["notify"].due, counted.deadlines["notify"].estimated) == (date(2026, 1, 12), False)


def test_an_items_own_limit_goes_before_the_clock() -> None:
    assert route(request(item="QX-TB-007")).deadlines["decide"].days == 30
    assert route(request(item="QX-TB-001")).deadlines["decide"].days == 20


def test_the_calendar_is_that_of_the_handling_place() -> None:
    local = Calendars(CALENDAR, {"360000": CALENDAR.with_changes(off=[date(2026, 1, 6)])})
    assert route(request(), calendars=local).deadlines["notify"].due == date(2026, 1, 13)
    elsewhere = Calendars(CALENDAR, {"420000": CALENDAR.with_changes(off=[date(2026, 1, 6)])})
    assert route(request(), calendars=elsewhere).deadlines["notify"].due == date(2026, 1, 12)


def test_a_clock_runs_from_the_day_its_start_happened() -> None:
    clocks = agreement().clocks
    running = deadline(clocks.decide, 20, date(2026, 2, 10), CALENDAR)
    assert (running.due, running.estimated) == (CALENDAR.add_working_days(date(2026, 2, 10), 20).day, False)
    assert deadline(clocks.decide, 20, None, CALENDAR).due is None
    assert deadline(clocks.decide, 20, date(2026, 12, 20), CALENDAR).estimated
    days = held(
        lambda t: t.replace('days = 10\nunit = "working"', 'days = 10\nunit = "calendar"')
    ).agreement.clocks.deliver
    assert deadline(days, 10, date(2026, 1, 7), CALENDAR).due == date(2026, 1, 19)
    assert "10日" in deadline(days, 10, None, CALENDAR).rule[0]


def test_A01_item_not_in_agreement() -> None:
    answer = refusal(request(item="QX-TB-099"))
    assert answer.code == "item-not-in-agreement" and answer.clause.endswith("第二条")


def test_A02_agreement_expired() -> None:
    answer = refusal(request(), now=at(2031, 1, 1))
    assert answer.code == "agreement-expired" and answer.clause.endswith("第六条") and "2030-12-31" in answer.zh
    assert route(request(), now=at(2030, 12, 31))


def test_A02_agreement_not_yet_in_force() -> None:
    answer = refusal(request(), now=at(2023, 12, 31))
    assert answer.code == "agreement-not-in-force" and answer.clause.endswith("第六条")
    assert route(request(), now=datetime(2023, 12, 31, 16, tzinfo=UTC))  # midnight in China


@pytest.mark.parametrize(("signed_by", "missing"), [({A}, "红谷滩"), ({B}, "硚口"), (set(), "硚口")])
def test_A02_agreement_signed_by_one_side_or_none(signed_by: set[str], missing: str) -> None:
    answer = refusal(request(), book(held(signed_by=frozenset(signed_by))))
    assert answer.code == "agreement-not-signed-by-both" and answer.clause.endswith("第七条") and missing in answer.zh


def test_A02_a_superseded_version_is_refused_and_the_new_one_carries() -> None:
    versions = book(held(), held(version=2, in_force=date(2026, 1, 1)))
    assert route(request(), versions).version == 2
    assert refusal(request(agreement=samples.AGREEMENT_ID, version=1), versions).code == "agreement-superseded"
    before = at(2025, 12, 31)
    assert route(request(), versions, before).version == 1
    assert refusal(request(version=2), versions, before).code == "agreement-not-in-force"


def test_a_new_version_that_one_side_has_not_signed_replaces_nothing() -> None:
    versions = book(held(), held(version=2, signed_by=frozenset({A})))
    assert route(request(), versions).version == 1


def test_an_item_dropped_by_the_new_version_is_refused_by_it() -> None:
    fewer = held(version=2, listed=samples.items()[1:])
    answer = refusal(request(), book(held(), fewer))
    assert answer.code == "item-not-in-agreement" and "第2版" in answer.clause


def test_a_case_ends_under_the_version_it_was_collected_under() -> None:
    versions = book(held(), held(version=2))
    old = versions.version(samples.AGREEMENT_ID, 1)
    assert old is not None and old.agreement.version == 1
    assert versions.version(samples.AGREEMENT_ID, 3) is None and versions.version("x", 1) is None


def test_A04_wrong_direction() -> None:
    assert route(request(), book(held(one_way)))
    answer = refusal(request(sender=B, handling="420104"), book(held(one_way)))
    assert answer.code == "wrong-direction" and answer.clause.endswith("第三条")


def test_A04_a_party_cannot_hand_in_for_itself() -> None:
    assert refusal(request(handling="420104")).code == "no-agreement-with-place"


def test_no_agreement_with_place() -> None:
    answer = refusal(request(handling="360123"))
    assert (answer.code, answer.clause) == ("no-agreement-with-place", "")
    assert refusal(request(sender=samples.lab_party("430602"))).code == "no-agreement-with-place"
    assert refusal(request(agreement="other")).code == "no-agreement-with-place"
    assert refusal(request(), Book([], DIVISIONS)).code == "no-agreement-with-place"


def test_mode_not_agreed() -> None:
    answer = refusal(request(mode="full_online"))
    assert answer.code == "mode-not-agreed" and "异地代收代办" in answer.zh


def test_item_version_unknown() -> None:
    answer = refusal(request(item_version=2))
    assert answer.code == "item-version-unknown" and answer.clause.endswith("第二条")


def test_A14_purpose_not_agreed() -> None:
    for purpose in ("营销", "", samples.PURPOSE + " "):
        answer = refusal(request(purpose=purpose))
        assert answer.code == "purpose-not-agreed" and answer.clause.endswith("第五条")
        assert "营销" not in answer.zh


@pytest.mark.parametrize(
    ("power", "allowed"), [("collect", 1), ("accept", 2), ("decide", 3)]
)  # fmt: skip
def test_a_window_does_no_more_than_its_power(power: str, allowed: int) -> None:
    chosen = book(held(lambda t: t.replace('power = "collect"', f'power = "{power}"')))
    acts: Any = ("collect", "accept", "decide")
    for act in acts[:allowed]:
        assert route(request(act=act), chosen).power == power
    for act in acts[allowed:]:
        answer = refusal(request(act=act), chosen)
        assert answer.code == "power-exceeded" and "第三条第一款" in answer.clause


@pytest.mark.parametrize("code", ["420104000000", "3601", "999999", "110100", "36011３"])
def test_A07_unknown_and_tricky_divisions(code: str) -> None:
    assert refusal(request(handling=code)).code == "unknown-division"


def test_A07_a_retired_code_finds_its_successor_and_says_so() -> None:
    party = samples.lab_party("330105")
    text = samples.render(A, party, name_b="杭州市拱墅区")
    from agreements.load import parse

    chosen = Book([Held(parse(text).agreement, frozenset({A, party}))], DIVISIONS)
    answer = route(request(handling="330103"), chosen)
    assert (answer.handling, answer.alias) == (party, "330103")


def test_of_two_agreements_the_one_that_carries_decides() -> None:
    old = held(id="TB-OLD", expires=date(2025, 1, 1))
    assert route(request(), book(old, held())).agreement == samples.AGREEMENT_ID
    assert refusal(request(purpose="x"), book(old, held())).code == "purpose-not-agreed"


def test_in_a_circle_each_pair_works_and_a_stranger_does_not() -> None:
    third = samples.lab_party("430602")
    party = f'[[party]]\nid = "{third}"\nname = "岳阳市岳阳楼区"\ndivision = "430602"\n\n[[line]]'

    def circle(text: str) -> str:
        all_three = f'["{A}", "{B}", "{third}"]'
        text = text.replace("[[line]]", party, 1).replace(f'handling = ["{B}"]', f"handling = {all_three}")
        return text.replace(f'collecting = ["{A}"]', f"collecting = {all_three}").replace('"mutual"', '"one_way"')

    chosen = book(held(circle, signed_by=frozenset({A, B, third})))
    members = {A: "420104", B: "360113", third: "430602"}
    for sender in members:
        for party_id, division in members.items():
            answer = decide(request(sender=sender, handling=division), chosen, NOW, CALENDARS)
            assert isinstance(answer, Route) is (sender != party_id)
    assert refusal(request(sender=samples.lab_party("360123")), chosen).code == "no-agreement-with-place"
    two_of_three = book(held(circle))
    answer_two = refusal(request(), two_of_three)
    assert answer_two.code == "agreement-not-signed-by-both" and "岳阳楼" in answer_two.zh


def test_every_code_of_the_table_has_been_seen() -> None:
    seen = {
        refusal(request(handling="999999")).code,
        refusal(request(handling="360123")).code,
        refusal(request(), now=at(2020, 1, 1)).code,
        refusal(request(version=1), book(held(), held(version=2))).code,
        refusal(request(item="x")).code,
        refusal(request(sender=B, handling="420104"), book(held(one_way))).code,
        refusal(request(mode="joint")).code,
        refusal(request(), now=at(2040, 1, 1)).code,
        refusal(request(), book(held(signed_by=frozenset({A})))).code,
        refusal(request(item_version=9)).code,
        refusal(request(act="decide")).code,
        refusal(request(purpose="x")).code,
    }
    assert seen == set(NEARNESS)


@given(
    st.sampled_from([A, B, samples.lab_party("430602"), "x"]),
    st.sampled_from(["QX-TB-001", "QX-TB-013", "x"]),
    st.integers(0, 2),
    st.sampled_from(["collect_elsewhere", "joint"]),
    st.sampled_from(["360113", "420104", "999999", "330103"]),
    st.sampled_from([samples.PURPOSE, "x"]),
    st.sampled_from(["collect", "decide"]),
    st.datetimes(datetime(2023, 1, 1), datetime(2032, 1, 1)),  # noqa: DTZ001
)
def test_a_yes_only_when_every_condition_holds(sender, item, version, mode, handling, purpose, act, when) -> None:  # type: ignore[no-untyped-def]
    now = when.replace(tzinfo=UTC)
    today = (now + timedelta(hours=8)).date()
    wanted = Request(sender, item, version, mode, handling, purpose, act)
    expected = (
        (sender, handling) in {(A, "360113"), (B, "420104")}
        and item != "x"
        and version == 1
        and mode == "collect_elsewhere"
        and purpose == samples.PURPOSE
        and act == "collect"
        and date(2024, 1, 1) <= today <= date(2030, 12, 31)
    )
    answer = decide(wanted, book(), now, CALENDARS)
    assert isinstance(answer, Route) is expected
    assert decide(wanted, book(), now, CALENDARS) == answer


def test_the_decision_takes_microseconds() -> None:
    chosen, wanted = book(), request()
    best = min(timeit.repeat(lambda: decide(wanted, chosen, NOW, CALENDARS), number=500, repeat=7)) / 500
    assert best < 15e-6 * 3, f"{best * 1e6:.1f} µs"  # a factor of three for a busy machine

"""The front-exchange database against a simulated city that knows nothing of us but the tables: one contract, three databases.

F11 of the attack catalogue: values that are SQL, contents that are too large, rows changed after they were read, duplicate flags
that were reset; each by its own test.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from structlog.testing import capture_logs

from adapters import samples
from adapters.base import Accepted, Act, CannotAsk, NotThere, Problem, Refused, Temporary, Untranslatable, Wire
from adapters.front_db import channel
from adapters.front_db.database import Trouble
from adapters.front_db.translate import PAGE, read_words, types_of
from adapters.profile import compile_profile
from signing.sm3 import sm3
from tests.contract import front_support
from tests.contract.front_support import CASE, Desk, Place, front_hall, opened
from tests.unit.adapters.support import PROFILES, toml

Opened = Callable[..., channel.FrontDb]
in_a_file = pytest.mark.parametrize("place", ["sqlite"], indirect=True)


# --- ours to the platform ---------------------------------------------------------------------------------------------


async def test_an_application_becomes_a_row_that_the_city_reads(hall: front_hall.Hall, front: channel.FrontDb) -> None:
    wire = front.translator.outbound(samples.outbound("application"))
    assert await front.ask(wire.id) == NotThere()
    assert await front.send(wire) == Accepted()
    [(type_, document)] = hall.take()
    assert (type_, document.findtext("Body/Proposer/Name")) == ("10", "测试甲")
    assert document.findtext("Body/Form/Item[2]/Value") == "测试大道𠀀号"
    assert [one.text for one in document.findall("Body/Window/Originals")] == ["居民身份证", "户口簿"]
    assert hall.waiting() == []


async def test_the_same_row_twice_is_once_and_another_under_its_id_is_refused(
    hall: front_hall.Hall, front: channel.FrontDb
) -> None:
    wire = front.translator.outbound(samples.outbound("application"))
    assert [await front.send(wire), await front.send(wire), await front.ask(wire.id)] == [Accepted()] * 3
    assert len(hall.waiting()) == 1
    other = front.translator.outbound(samples.outbound("withdrawal"))
    assert isinstance(await front.send(other), Refused)


async def test_what_is_sent_side_by_side_is_one_transaction_and_each_has_its_own_answer(
    hall: front_hall.Hall, front: channel.FrontDb, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups: list[int] = []
    whole = channel.FrontDb._written

    async def counted(self: channel.FrontDb, wires: Any) -> Any:
        groups.append(len(wires))
        return await whole(self, wires)

    monkeypatch.setattr(channel.FrontDb, "_written", counted)
    wires = [Wire(id=f"M{n}", operation="10", body=b"<Case/>") for n in range(PAGE + 20)]
    taken = Wire(id="M7", operation="10", body=b"<Other/>")
    too_long = Wire(id="M" * 65, operation="10", body=b"<Case/>")
    bad = taken if "sqlite" in hall.db.__class__.__name__.lower() else too_long  # SQLite keeps to no lengths
    found = await asyncio.gather(*[front.send(one) for one in [*wires, bad, *wires[:3]]])
    assert found[: PAGE + 20] == [Accepted()] * (PAGE + 20) and found[-3:] == [Accepted()] * 3
    assert isinstance(found[PAGE + 20], Refused)
    assert sorted(groups, reverse=True) == [PAGE, 24]
    assert hall.db.execute("SELECT count(*) FROM provinceinfo").fetchone() == (PAGE + 20,)


async def test_a_group_with_one_that_the_database_cannot_bear_is_sent_one_by_one(
    front: channel.FrontDb, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = channel.FrontDb._written

    async def unbearable(self: channel.FrontDb, wires: Any) -> Any:
        if any(one.id == "M1" for one in wires):
            raise Trouble("cut", "1153")
        return await whole(self, wires)

    monkeypatch.setattr(channel.FrontDb, "_written", unbearable)
    found = await asyncio.gather(*[front.send(Wire(id=f"M{n}", operation="10", body=b"<Case/>")) for n in range(3)])
    assert found == [Accepted(), Temporary("front database: cut 1153"), Accepted()]


async def test_a_table_that_is_locked_is_temporary_and_logged_once(
    place: Place, hall: front_hall.Hall, another: Opened, desk: Desk
) -> None:
    front = another(connect_timeout_ms=60_000 if place.server else 50, timeout_ms=500, can_ask=False)
    wire = front.translator.outbound(samples.outbound("application"))
    hall.step(CASE)
    place.lock()
    with capture_logs() as logs:
        assert isinstance(await front.send(wire), Temporary)
        assert await front.poll(desk) == 0
        assert [(one["event"], one["platform"]) for one in logs] == [("front database", "fz")]
        place.unlock()
        for _ in range(100):
            if await front.poll(desk):
                break
    assert len(desk.acts) == 1 and logs[-1]["event"] == "front database answers again"
    assert await front.ask(wire.id) == CannotAsk()


async def test_names_may_be_words_of_sql(place: Place, another: Opened, desk: Desk) -> None:
    mark, text = {"postgresql": '"'}.get(place.kind, "`"), front_support.TEXT[place.kind]
    place.store.execute("DROP TABLE provinceinfo")
    columns = f"#key# VARCHAR(64) PRIMARY KEY, type VARCHAR(8), #Select# {text}, #order# VARCHAR(32), #to# VARCHAR(16)"
    place.store.execute(f"CREATE TABLE #table# ({columns})".replace("#", mark))
    try:
        if place.server:
            place.store.execute("GRANT SELECT, INSERT ON #table# TO tongban".replace("#", mark))
        words = {
            'id = "unid"\ntype = "type"\ncontent = "content"\norder = "createtime"': 'id = "key"\ntype = "type"\n'
            'content = "Select"\norder = "order"',
            '"provinceinfo"': '"table"',
            '{ toareacode = "tongban" }': '{ to = "tongban" }',
            '{ fromareacode = "tongban", toareacode = "{division}" }': '{ to = "350100" }',
        }
        front = another(profile=front_support.profile(*words.items()))
        assert [await front.send(front_support.ONE), await front.ask("M1")] == [Accepted()] * 2
        given = ("r", "80", "<Case/>", "2026", "tongban")
        place.store.execute("INSERT INTO #table# VALUES (?, ?, ?, ?, ?)".replace("#", mark), given)
        assert await front.poll(desk) == 1 and await front.reach() is None
    finally:
        place.store.execute("DROP TABLE #table#".replace("#", mark))


@in_a_file
async def test_who_looks_slowly_looks_seldom(front: channel.FrontDb, desk: Desk) -> None:
    assert front.pause_ms == 500
    front._look_ms = 300
    assert front.pause_ms == 2700
    await front.poll(desk)
    assert front._look_ms < 300 or front.pause_ms == 9 * front._look_ms


async def test_a_slow_database_keeps_no_other_platform_waiting(
    place: Place, another: Opened, tmp_path: Path, desk: Desk
) -> None:
    (tmp_path / "other").mkdir()
    other = front_support.in_file(tmp_path / "other")
    front, quick = another(connect_timeout_ms=60_000, timeout_ms=60_000), other.front()
    wire = front.translator.outbound(samples.outbound("application"))
    place.lock()
    slow = [asyncio.create_task(front.send(wire)), asyncio.create_task(front.poll(desk))]
    for _ in range(20):
        assert await quick.send(wire) == Accepted()
        other.hall().step(CASE)
        assert await quick.poll(desk) == 1
    assert not any(one.done() for one in slow)
    place.unlock()
    assert await asyncio.gather(*slow) == [Accepted(), 0]
    await quick.close()
    other.store.close()


async def test_closing_waits_for_no_database(place: Place, another: Opened) -> None:
    front = another(connect_timeout_ms=2000 if place.server else 500, timeout_ms=600_000)
    place.lock()
    waiting = asyncio.create_task(front.send(Wire(id="M1", operation="10", body=b"<Case/>")))
    await asyncio.sleep(0.1)
    await front.close()
    with suppress(asyncio.CancelledError):
        await waiting
    place.unlock()
    assert place.hall().waiting() == []


# --- the platform's to us ---------------------------------------------------------------------------------------------


async def test_rows_are_taken_in_the_order_of_their_time_and_acknowledged(
    hall: front_hall.Hall, front: channel.FrontDb, desk: Desk
) -> None:
    rows = [hall.accept(CASE), hall.step(CASE), hall.decide(CASE)]
    assert await front.poll(desk) == 3
    assert [act.type for act in desk.acts] == ["acceptance", "step", "decision"]
    assert all(act.local_number.startswith("FZ") and act.case == CASE for act in desk.acts)
    for row in rows:
        state, content = hall.answer_of(row) or ("", "")
        assert (state, ElementTree.fromstring(content).findtext("UnionSN")) == ("1", CASE)
    assert await front.poll(desk) == 0
    assert len(desk.acts) == 3


async def test_hundreds_of_rows_come_page_by_page_in_order(
    hall: front_hall.Hall, front: channel.FrontDb, desk: Desk
) -> None:
    hall.db.execute("BEGIN")
    for n in range(2 * PAGE + 50):
        hall.step(CASE, name=f"环节{n}")
    hall.db.execute("COMMIT")
    assert await front.poll(desk) == 2 * PAGE + 50
    assert [act.body.name for act in desk.acts] == [f"环节{n}" for n in range(2 * PAGE + 50)]


async def test_rows_of_other_types_and_other_receivers_are_left_alone(
    hall: front_hall.Hall, front: channel.FrontDb, desk: Desk
) -> None:
    foreign = hall.row("25", "<Case/>")
    hall.db.execute("INSERT INTO provinceinfo VALUES ('other', '80', '<Case/>', '2000', '', '', 'somebody', '')")
    assert await front.poll(desk) == 0
    assert hall.answer_of(foreign) is None and hall.answer_of("other") is None


async def test_a_case_that_has_to_wait_waits_in_order_and_holds_up_no_other(
    hall: front_hall.Hall, front: channel.FrontDb, desk: Desk
) -> None:
    hall.db.execute("BEGIN")
    early = [hall.step("case-a", name=f"甲{n}") for n in range(PAGE + 20)]
    other = hall.step("case-b", name="乙")
    hall.db.execute("COMMIT")
    desk.answers = lambda act: Problem({"code": "TB-5006"}, busy=True) if act.case == "case-a" else None
    assert await front.poll(desk) == 1
    assert [act.body.name for act in desk.acts] == ["乙"] and hall.answer_of(other) is not None
    assert not any(hall.answer_of(row) for row in early)
    desk.answers = lambda act: None
    assert await front.poll(desk) == PAGE + 20
    assert [act.body.name for act in desk.acts[1:]] == [f"甲{n}" for n in range(PAGE + 20)]


async def test_a_refusal_of_the_gateway_stands_in_the_table(
    hall: front_hall.Hall, front: channel.FrontDb, desk: Desk
) -> None:
    desk.answers = lambda act: Problem({"code": "TB-5001", "title": "没有这个办件", "trace_id": "t1"})
    row = hall.step("nobody")
    assert await front.poll(desk) == 1
    state, content = hall.answer_of(row) or ("", "")
    answer = ElementTree.fromstring(content)
    assert (state, answer.findtext("code"), answer.findtext("Text"), answer.findtext("TraceId")) == (
        "9",
        "TB-5001",
        "没有这个办件",
        "t1",
    )


async def test_F11_a_row_that_changed_after_it_was_read_is_not_acknowledged(
    hall: front_hall.Hall, front: channel.FrontDb, desk: Desk
) -> None:
    """F11: it comes again, and the gateway refuses other words under the same id."""
    row = hall.step(CASE, serial="S1")

    def change(act: Act) -> Problem | None:
        hall.db.execute("UPDATE provinceinfo SET content = replace(content, '审查', '复核') WHERE unid = ?", (row,))
        return None

    desk.answers = change
    assert await front.poll(desk) == 0
    assert hall.answer_of(row) is None
    desk.answers = lambda act: None if act.body.name == "审查" else Problem({"code": "TB-5003"})
    assert await front.poll(desk) == 1
    assert (hall.answer_of(row) or ("",))[0] == "9"


async def test_two_readers_acknowledge_a_row_once(
    place: Place, hall: front_hall.Hall, front: channel.FrontDb, another: Opened
) -> None:
    second = another()
    hall.db.execute("BEGIN")
    for _ in range(80):
        hall.step(CASE)
    hall.db.execute("COMMIT")
    one, two = Desk(), Desk()
    done = await asyncio.gather(front.poll(one), second.poll(two))
    assert sum(done) == 80
    assert hall.db.execute("SELECT count(*) FROM provinceinfosync").fetchone() == (80,)
    assert {act.id for act in one.acts} | {act.id for act in two.acts} == {act.id for act in (*one.acts, *two.acts)}


async def test_a_crash_between_taking_and_acknowledging_reads_the_row_again(
    hall: front_hall.Hall, front: channel.FrontDb, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = hall.step(CASE)

    async def lost(self: Any, told: Any) -> tuple[int, int]:
        raise Trouble("cut")

    with monkeypatch.context() as patched:
        patched.setattr(channel.FrontDb, "_acknowledge", lost)
        assert await front.poll(desk) == 0
    assert await front.poll(desk) == 1
    assert [act.id for act in desk.acts] == [desk.acts[0].id] * 2, "the same act: the gateway knows it by its id"
    assert hall.answer_of(row) is not None


async def test_where_there_is_a_column_the_digest_of_what_was_read_is_kept(
    hall: front_hall.Hall, another: Opened, desk: Desk
) -> None:
    hall.db.execute("ALTER TABLE provinceinfosync ADD COLUMN sm3 VARCHAR(64)")
    text = (PROFILES / "fujian_front.toml").read_text("utf-8").replace('refused = "9"', 'refused = "9"\ndigest = "sm3"')
    row = hall.step(CASE)
    assert await another(profile=text.encode()).poll(desk) == 1
    [(kept,)] = hall.db.execute("SELECT sm3 FROM provinceinfosync WHERE unid = ?", (row,)).fetchall()
    assert kept == sm3(desk.originals[0]).hex()


@pytest.mark.parametrize(
    ("table", "name"), [("come", "table"), ("come", "id"), ("go", "content"), ("ack", "state"), ("ack", "digest")]
)
def test_a_name_that_is_no_identifier_is_refused(table: str, name: str) -> None:
    data = toml("fujian_front")
    data["front"][table][name] = "x; DROP TABLE provinceinfo --"
    with pytest.raises(Untranslatable) as caught:
        read_words(compile_profile(data))
    assert caught.value.code == "front-name"


def test_every_row_type_of_the_profile_is_read() -> None:
    assert types_of(compile_profile(toml("fujian_front"))) == ("99", "80", "81", "82", "85")


@in_a_file
async def test_a_file_that_is_not_there_is_temporary_and_is_not_made(tmp_path: Path, place: Place, desk: Desk) -> None:
    gone = opened(f"sqlite://{tmp_path / 'none.db'}").channel
    assert isinstance(gone, channel.FrontDb)
    wire = gone.translator.outbound(samples.outbound("application"))
    found = await gone.send(wire)
    assert found == await gone.ask(wire.id) and isinstance(found, Temporary) and found.absent
    assert await gone.poll(desk) == 0 and (await gone.reach() or ("",))[0].startswith("连不上数据库")
    assert not (tmp_path / "none.db").exists()
    await gone.close()

"""The front-exchange database against a simulated city that knows nothing of us but the tables: one contract, three databases.

F11 of the attack catalogue: values that are SQL, contents that are too large, rows changed after they were read, duplicate flags
that were reset; each by its own test.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
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


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """A front database of each kind, empty."""
    if request.param == "sqlite":
        found = front_support.in_file(tmp_path)
    else:
        name = {"postgresql": "postgres_server", "mariadb": "mariadb_server"}[request.param]
        found = front_support.on_server(request.getfixturevalue(name))
    yield found
    found.store.close()


@pytest.fixture
async def another(place: Place) -> AsyncIterator[Opened]:
    """Opens the front database as the gateway does, as often as asked."""
    fronts: list[channel.FrontDb] = []

    def open_(**settings: Any) -> channel.FrontDb:
        fronts.append(place.front(**settings))
        return fronts[-1]

    yield open_
    for one in fronts:
        await one.close()


@pytest.fixture
def front(another: Opened) -> channel.FrontDb:
    return another()


@pytest.fixture
def hall(place: Place) -> front_hall.Hall:
    return place.hall()


@pytest.fixture
def desk() -> Desk:
    return Desk()


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


BAD = [
    "no xml", "", None, '<?xml version="1.0" encoding="UTF-7"?><Case/>', "<!DOCTYPE a><Case/>", "<Other/>",
    "<Case><Body/></Case>", "<Case>" * 200, "<Case>" + "x" * 200_000 + "</Case>",
    "<Case><Body><Node><Time>24:00</Time></Node></Body></Case>",
]  # fmt: skip


async def test_X01_poison_rows_are_refused_in_the_table_and_their_neighbours_flow(
    hall: front_hall.Hall, another: Opened, desk: Desk
) -> None:
    """X01, X07, X08, and F11 for a content that is too large: a document that is none holds up nobody, and is logged by digest."""
    front = another(max_message_bytes=100_000)
    poison, sound = [], [hall.step(CASE)]
    for bad in BAD:
        poison.append(hall.row("80", bad))
        sound.append(hall.step(CASE))
    with capture_logs() as logs:
        assert await front.poll(desk) == len(poison) + len(sound)
    assert len(desk.acts) == len(sound)
    assert {(hall.answer_of(row) or ("",))[0] for row in sound} == {"1"}
    for row in poison:
        state, content = hall.answer_of(row) or ("", "")
        assert state == "9" and ElementTree.fromstring(content).findtext("code")
    digests = [sm3(bad.encode()).hex() if bad is not None and len(bad) < 100_000 else "" for bad in BAD]
    assert [(one["event"], one["digest"]) for one in logs] == [("row taken as refused", digest) for digest in digests]
    assert all(one["code"] for one in logs)


@in_a_file
@pytest.mark.parametrize("bad", ["5", "x'0001'", "x'ff'", "CAST(x'3c436173653eff3c2f436173653e' AS TEXT)", "2.5"])
async def test_X08_what_is_no_text_in_a_text_column_is_one_rows_trouble(
    bad: str, hall: front_hall.Hall, front: channel.FrontDb, desk: Desk
) -> None:
    """X08: SQLite keeps any value in any column, and any bytes as text."""
    hall.row("80", "", unid="bad", at="2000")
    hall.db.execute(f"UPDATE provinceinfo SET content = {bad} WHERE unid = 'bad'")
    hall.step(CASE)
    assert await front.poll(desk) == 2
    assert len(desk.acts) == 1


@in_a_file
async def test_X08_a_row_without_a_usable_id_is_passed_over_and_logged_once(
    hall: front_hall.Hall, front: channel.FrontDb, desk: Desk
) -> None:
    """X08: an id that is NULL or no text cannot be acknowledged; its neighbours can."""
    for bad in ("NULL", "CAST(x'ff' AS TEXT)"):
        hall.row("80", "<Case/>", unid="bad", at="2000")
        hall.db.execute(f"UPDATE provinceinfo SET unid = {bad} WHERE unid = 'bad'")
    hall.step(CASE)
    with capture_logs() as logs:
        assert [await front.poll(desk), await front.poll(desk)] == [1, 0]
    assert [one["event"] for one in logs] == ["a row has no usable id"]


async def test_F11_values_that_are_sql_are_values(hall: front_hall.Hall, front: channel.FrontDb, desk: Desk) -> None:
    """F11: ids, contents and everything we write stand as they are, whatever a database would make of them."""
    evil = [
        "'); DROP TABLE provinceinfo; --",
        "\\'; DELETE FROM provinceinfo; --",
        "%s %(x)s $1 ? {}",
        "\\",
        "縗' OR 1=1 --",
        "\"`'",
    ]
    for text in evil:
        sent = Wire(id=text, operation="10", body=text.encode())
        assert [await front.send(sent), await front.ask(text)] == [Accepted(), Accepted()]
        assert ("10", text) in [(type_, content) for unid, type_, content in hall.waiting() if unid == text]
        came = hall.row("80", text, unid=f"in{text}")
        step = hall.step(CASE, name=text)
        assert await front.poll(desk) == 2
        assert desk.acts[-1].body.name == text
        assert [(hall.answer_of(one) or ("",))[0] for one in (came, step)] == ["9", "1"]
    assert await front.ask("' OR '1'='1") == NotThere()


async def test_F11_a_flag_that_is_reset_brings_the_same_act_again(
    hall: front_hall.Hall, front: channel.FrontDb, desk: Desk
) -> None:
    """F11: where somebody deletes the acknowledgement, the row comes again, with the id by which the gateway knows it."""
    row = hall.step(CASE)
    assert await front.poll(desk) == 1
    hall.db.execute("DELETE FROM provinceinfosync")
    assert await front.poll(desk) == 1
    assert [act.id for act in desk.acts] == [desk.acts[0].id] * 2 and desk.originals[0] == desk.originals[1]
    assert hall.answer_of(row) is not None


async def test_F11_large_contents_are_read_a_few_at_a_time_in_order(
    hall: front_hall.Hall, front: channel.FrontDb, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F11: a hundred contents of the largest size would be more than there is memory for."""
    monkeypatch.setattr(channel, "MAX_BYTES", 1500)
    for n in range(9):
        hall.step(CASE, name=f"环节{n}" + "长" * 20)
    pages: list[int] = []
    whole = channel.FrontDb._read

    async def counted(self: channel.FrontDb, left: int) -> Any:
        found = await whole(self, left)
        pages.append(len(found[0]))
        return found

    monkeypatch.setattr(channel.FrontDb, "_read", counted)
    assert await front.poll(desk) == 9
    assert [act.body.name[2] for act in desk.acts] == [str(n) for n in range(9)]
    assert max(pages) < 4


async def test_an_acknowledgement_that_the_table_refuses_is_logged_once_and_holds_up_nobody(
    place: Place, hall: front_hall.Hall, front: channel.FrontDb, desk: Desk
) -> None:
    place.store.execute("DROP TABLE provinceinfosync")
    tables = front_support.front_stores.TABLES.format(text=front_support.TEXT[place.kind]).replace(
        "etype VARCHAR(8)", "etype VARCHAR(8), CHECK (type <> '9')"
    )
    place.store.execute(tables.split(";")[1].strip())
    if place.server:
        place.store.execute("GRANT SELECT, INSERT ON provinceinfosync TO tongban")
    poison, sound = hall.row("80", "<Case/>"), hall.step(CASE)
    with capture_logs() as logs:
        assert [await front.poll(desk), await front.poll(desk), await front.poll(desk)] == [1, 0, 0]
    assert hall.answer_of(sound) is not None and hall.answer_of(poison) is None
    [line] = [one for one in logs if one["event"] == "a row cannot be acknowledged"]
    assert line["digest"] == sm3(b"<Case/>").hex() and line["code"] and line["log_level"] == "error"


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


@in_a_file
async def test_hundreds_of_rows_a_second_and_core(hall: front_hall.Hall, front: channel.FrontDb, desk: Desk) -> None:
    hall.db.execute("BEGIN")
    for _ in range(500):
        hall.step(CASE)
    hall.db.execute("COMMIT")
    began = time.process_time()
    assert await front.poll(desk) == 500
    assert time.process_time() - began < 2.0

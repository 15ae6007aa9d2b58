"""The front-exchange database against a simulated city that knows nothing of us but the tables."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from adapters import samples
from adapters.base import Accepted, Act, CannotAsk, NotThere, Problem, Refused, Temporary, Untranslatable
from adapters.front_db import channel
from adapters.front_db.translate import PAGE, read_words, types_of
from adapters.profile import compile_profile
from adapters.registry import Platform, PlatformSettings, open_platform
from gateway.demo import world
from signing.sm3 import sm3
from tests.unit.adapters.support import PROFILES, PROVIDER, toml

sys.path.insert(0, str(Path(world.__file__).parent / "platforms"))
import front_hall

CASE = "420104.11420104MB0000000X/0195-1"


class Desk:
    """What the gateway does with acts: remembers them, or does as told."""

    def __init__(self) -> None:
        self.acts: list[Act] = []
        self.originals: list[bytes] = []
        self.answers: Callable[[Act], Problem | None] = lambda act: None

    def __call__(self, original: bytes) -> Any:
        self.originals.append(original)
        return self

    async def accept(self, act: Act) -> dict[str, str] | Problem:
        found = self.answers(act)
        if found is None:
            self.acts.append(act)
        return found or {"case_id": act.case, "message_id": f"M{len(self.acts)}", "received_at": "t", "text": "已收件"}


@pytest.fixture
def hall(tmp_path: Path) -> front_hall.Hall:
    return front_hall.Hall(str(tmp_path / "front.db"))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def opened(path: Path, **settings: Any) -> Platform:
    given = PlatformSettings(id="fz", profile="fujian_front", base_url=f"sqlite://{path}", **settings)
    data = (PROFILES / "fujian_front.toml").read_bytes()
    return open_platform(given, data, {}, lambda: None, PROVIDER, lambda: "", lambda: 1_740_965_400_000)  # type: ignore[arg-type,return-value]


@pytest.fixture
def front(hall: front_hall.Hall, tmp_path: Path) -> channel.FrontDb:
    found = opened(tmp_path / "front.db").channel
    assert isinstance(found, channel.FrontDb)
    return found


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


async def test_a_database_that_is_away_or_locked_is_temporary(
    hall: front_hall.Hall, tmp_path: Path, desk: Desk
) -> None:
    gone = opened(tmp_path / "none.db").channel
    wire = gone.translator.outbound(samples.outbound("application"))
    assert await gone.send(wire) == await gone.ask(wire.id)
    assert await gone.poll(desk) == 0
    assert isinstance(await gone.send(wire), Temporary) and (await gone.send(wire)).absent
    assert not (tmp_path / "none.db").exists()
    front = opened(tmp_path / "front.db", connect_timeout_ms=50, can_ask=False).channel
    hall.step(CASE)
    hall.db.execute("BEGIN EXCLUSIVE")
    assert isinstance(await front.send(wire), Temporary)
    assert await front.poll(desk) == 0
    hall.db.execute("ROLLBACK")
    assert await front.send(wire) == Accepted()
    assert await front.ask(wire.id) == CannotAsk()
    await front.close()


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
    "no xml", "", None, 5, b"\x00\x01", '<?xml version="1.0" encoding="UTF-7"?><Case/>', "<!DOCTYPE a><Case/>", "<Other/>",
    "<Case><Body/></Case>", "<Case>" * 200, "<Case>" + "x" * 20_000_000 + "</Case>",
    "<Case><Body><Node><Time>24:00</Time></Node></Body></Case>",
]  # fmt: skip


@pytest.mark.parametrize("bad", BAD, ids=[f"bad{n}" for n in range(len(BAD))])
async def test_X01_a_poison_row_is_refused_in_the_table_and_its_neighbours_flow(
    bad: Any, hall: front_hall.Hall, front: channel.FrontDb, desk: Desk
) -> None:
    """X01, X07, X08: a document that is none holds up nobody."""
    before, poison, after = hall.step(CASE), hall.row("80", bad), hall.step(CASE)
    assert await front.poll(desk) == 3
    assert len(desk.acts) == 2
    assert [(hall.answer_of(row) or ("",))[0] for row in (before, poison, after)] == ["1", "9", "1"]
    content = (hall.answer_of(poison) or ("", ""))[1]
    assert ElementTree.fromstring(content).findtext("code")


async def test_X08_bytes_that_are_no_characters_are_one_rows_trouble(
    hall: front_hall.Hall, front: channel.FrontDb, desk: Desk
) -> None:
    """X08: a text column that holds other bytes."""
    hall.row("80", "", unid="bad", at="2000")
    hall.db.execute(
        "UPDATE provinceinfo SET content = CAST(x'3c436173653eff3c2f436173653e' AS TEXT) WHERE unid = 'bad'"
    )
    hall.step(CASE)
    assert await front.poll(desk) == 2
    assert len(desk.acts) == 1


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
    early = [hall.step("case-a", name=f"甲{n}") for n in range(PAGE + 20)]
    other = hall.step("case-b", name="乙")
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


async def test_a_row_that_changed_after_it_was_read_is_not_acknowledged(
    hall: front_hall.Hall, front: channel.FrontDb, desk: Desk
) -> None:
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
    hall: front_hall.Hall, front: channel.FrontDb, tmp_path: Path
) -> None:
    second = opened(tmp_path / "front.db").channel
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

    def lost(self: Any, told: Any) -> int:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patched:
        patched.setattr(channel.FrontDb, "_acknowledge", lost)
        assert await front.poll(desk) == 0
    assert await front.poll(desk) == 1
    assert [act.id for act in desk.acts] == [desk.acts[0].id] * 2, "the same act: the gateway knows it by its id"
    assert hall.answer_of(row) is not None


async def test_where_there_is_a_column_the_digest_of_what_was_read_is_kept(
    hall: front_hall.Hall, tmp_path: Path, desk: Desk
) -> None:
    hall.db.execute("ALTER TABLE provinceinfosync ADD COLUMN sm3 VARCHAR(64)")
    text = (PROFILES / "fujian_front.toml").read_text("utf-8").replace('refused = "9"', 'refused = "9"\ndigest = "sm3"')
    given = PlatformSettings(id="fz", profile="x", base_url=f"sqlite://{tmp_path / 'front.db'}")
    platform = open_platform(given, text.encode(), {}, lambda: None, PROVIDER, str, lambda: 0)  # type: ignore[arg-type,return-value]
    row = hall.step(CASE)
    assert platform.inbox is not None and await platform.inbox.poll(desk) == 1
    [(kept,)] = hall.db.execute("SELECT sm3 FROM provinceinfosync WHERE unid = ?", (row,))
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


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "sqlite:relative.db", "sqlite://host/x"])
def test_an_address_that_is_no_path_is_refused(url: str) -> None:
    given = PlatformSettings(id="fz", profile="fujian_front", base_url=url)
    with pytest.raises(Untranslatable):
        open_platform(given, (PROFILES / "fujian_front.toml").read_bytes(), {}, lambda: None, PROVIDER, str, int)  # type: ignore[arg-type,return-value]


def test_every_row_type_of_the_profile_is_read() -> None:
    assert types_of(compile_profile(toml("fujian_front"))) == ("99", "80", "81", "82", "85")


async def test_hundreds_of_rows_a_second_and_core(hall: front_hall.Hall, front: channel.FrontDb, desk: Desk) -> None:
    hall.db.execute("BEGIN")
    for _ in range(500):
        hall.step(CASE)
    hall.db.execute("COMMIT")
    began = time.process_time()
    assert await front.poll(desk) == 500
    assert time.process_time() - began < 2.0

"""Front databases with rows that are no messages, or are meant to do harm; each by its row of the attack catalogue (X, F11)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest
from structlog.testing import capture_logs

from adapters.base import Accepted, NotThere, Refused, Wire
from adapters.front_db import channel
from signing.sm3 import sm3
from tests.contract import front_support
from tests.contract.front_support import CASE, Desk, Place, front_hall

Opened = Callable[..., channel.FrontDb]
in_a_file = pytest.mark.parametrize("place", ["sqlite"], indirect=True)

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


async def test_X08_a_document_of_another_encoding_is_refused_and_its_neighbours_are_sent(
    front: channel.FrontDb,
) -> None:
    """X08: frozen when the profile still said bytes."""
    other = Wire(id="M1", operation="10", body="<Case>测试</Case>".encode("gb18030"))
    found = await asyncio.gather(front.send(other), front.send(Wire(id="M2", operation="10", body=b"<Case/>")))
    assert isinstance(found[0], Refused) and found[1] == Accepted()

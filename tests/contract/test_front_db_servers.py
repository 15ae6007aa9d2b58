"""Front databases on real servers: what is refused at the door, connections that are cut at each step, a server that dies in the
middle, columns of other types, TLS. Nothing of the password gets anywhere."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from adapters.base import Accepted, NotThere, Refused, Temporary, Unclear, Untranslatable, Wire
from adapters.front_db import address, channel, database
from adapters.front_db.database import Trouble
from tests.contract.front_servers import PASSWORD, Server
from tests.contract.front_support import CASE, ONE, Desk, Place, fronted, profile

KILL = {
    "postgresql": "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE usename = 'tongban'",
    "mariadb": "KILL USER tongban",
}


@pytest.fixture
def place(on_server: Place) -> Place:
    return on_server


def server_of(place: Place) -> Server:
    assert place.server is not None
    return place.server


# --- at the door ------------------------------------------------------------------------------------------------------


async def refused_for(place: Place, reason: str, **settings: Any) -> str:
    """Everything says the same, rests the whole platform and shows no secret; the code that the database gives."""
    with capture_logs() as logs:
        async with fronted(place, **settings) as front:
            sent, asked = await front.send(ONE), await front.ask("M1")
            assert [await front.poll(Desk()), await front.poll(Desk())] == [0, 0]
            said = await front.reach()
    assert isinstance(sent, Temporary) and sent == asked and sent.absent
    assert sent.reason.startswith(f"front database: {reason}")
    assert said is not None and said[1].startswith(database.REASONS[reason][1])
    assert [(one["event"], one["reason"]) for one in logs] == [("front database", reason)], "logged once"
    assert PASSWORD not in f"{logs} {said} {sent} {front.database!r}" and "WRONG" not in f"{logs} {said} {sent}"
    return sent.reason.rpartition(" ")[2]


async def test_the_sql_of_the_how_to_makes_tables_and_a_user_that_suffice(place: Place, root: Path) -> None:
    """docs/howto/rows-and-files.md, word for word."""
    page = (root / "docs" / "howto" / "rows-and-files.md").read_text("utf-8")
    block = next(
        one for one in re.findall(r"```sql\n-- (.*?)```", page, re.DOTALL) if one.lower().startswith(place.kind)
    )
    for table in ("provinceinfo", "provinceinfosync"):
        place.store.execute(f"DROP TABLE {table}")
    for statement in block.partition("\n")[2].replace("tongban", "how_to").split(";"):
        if statement.strip():
            place.store.execute(statement.strip())
    hall, desk = place.hall(), Desk()
    hall.step(CASE)
    async with fronted(place, url=place.url.replace("tongban@", "how_to@"), secret=b"change-me") as front:
        assert await front.reach() is None
        assert [await front.send(ONE), await front.ask("M1"), await front.send(ONE)] == [Accepted()] * 3
        assert await front.poll(desk) == 1
    for table in ("provinceinfo", "provinceinfosync"):
        place.store.execute(f"DROP TABLE {table}")
    place.store.execute("DROP USER how_to")


async def test_a_wrong_password_is_named_and_shown_nowhere(place: Place) -> None:
    code = await refused_for(place, "login-refused", secret=b"WRONG")
    assert code == {"postgresql": "28P01", "mariadb": "1045"}[place.kind]
    await refused_for(place, "login-refused", secret=b"")


async def test_a_table_that_is_missing_is_named(place: Place) -> None:
    place.store.execute("DROP TABLE provinceinfosync")
    async with fronted(place) as front:
        assert (await front.reach() or ("",))[0].startswith("缺少方案所写的表或列")
        assert await front.send(ONE) == Accepted(), "its own table is there"
    hidden = "no-table" if place.kind == "postgresql" else "no-rights"  # MariaDB does not tell who may not know
    await refused_for(place, hidden, profile=profile(('table = "provinceinfo"', 'table = "elsewhere"')))
    await refused_for(place, "no-table", profile=profile(('content = "content"\norder', 'content = "none"\norder')))


async def test_a_right_or_a_database_that_is_missing_is_named(place: Place) -> None:
    user = "tongban" if place.kind == "postgresql" else "tongban@'%'"
    place.store.execute(f"REVOKE SELECT, INSERT ON provinceinfo FROM {user}")
    if place.kind == "mariadb":  # where nothing is granted on any table, not even the database may be entered
        place.store.execute("FLUSH PRIVILEGES")
    await refused_for(place, "no-rights")
    await refused_for(
        place, "no-database" if place.kind == "postgresql" else "no-rights", url=place.url.replace("/front", "/none")
    )


async def test_a_server_that_is_not_there_is_named(place: Place) -> None:
    await refused_for(place, "no-connection", url=f"{place.kind}://tongban@/front?socket=/nowhere")
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        await refused_for(
            place, "no-connection", url=f"{place.kind}://tongban@127.0.0.1:{nobody.getsockname()[1]}/front"
        )


async def test_a_server_that_says_nothing_or_nonsense_is_temporary(place: Place) -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1 << 16)

    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x05\x00\x00\x00\xffHTTP/1.1 400 Bad Request\r\n\r\n" * 10)
        await writer.drain()
        writer.close()

    for answer in (mute, nonsense):
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        url = f"{place.kind}://tongban@127.0.0.1:{server.sockets[0].getsockname()[1]}/front"
        async with fronted(place, url=url, connect_timeout_ms=300, timeout_ms=300) as front:
            assert isinstance(await front.send(ONE), Temporary)
            assert await front.poll(Desk()) == 0
        server.close()


# --- TLS --------------------------------------------------------------------------------------------------------------


async def test_without_tls_nothing_of_the_login_is_sent(place: Place) -> None:
    """A server (or who stands before it) that offers no TLS where it is demanded learns neither user nor password."""
    heard: list[bytes] = []

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if place.kind == "mariadb":  # a greeting without the flag for TLS, asking for the password in clear
            body = (
                b"\x0a10.11.0\x00"
                + struct.pack("<I", 1)
                + b"12345678\x00"
                + struct.pack("<HBHHB", 0xF7FF & ~0x800, 45, 2, 8, 21)
            )
            body += b"\x00" * 10 + b"123456789012\x00" + b"mysql_clear_password\x00"
            writer.write(len(body).to_bytes(3, "little") + b"\x00" + body)
        while data := await reader.read(1 << 16):
            heard.append(data)
            if place.kind == "postgresql":
                writer.write(b"N")
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    url = f"{place.kind}://tongban@127.0.0.1:{server.sockets[0].getsockname()[1]}/front?tls=on"
    await refused_for(place, "tls-refused", url=url)
    server.close()
    assert b"tongban" not in b"".join(heard) and PASSWORD.encode() not in b"".join(heard)


@asynccontextmanager
async def secured(server: Server) -> AsyncIterator[int]:
    """TLS before a PostgreSQL that was built without it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server.certificate, server.folder / "server.key")

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(8)
        writer.write(b"S")
        try:
            await writer.start_tls(context)
            inner = await asyncio.open_connection("127.0.0.1", server.port)
            await asyncio.gather(carry(reader, inner[1]), carry(inner[0], writer))
        except (OSError, asyncio.IncompleteReadError):
            writer.close()

    listening = await asyncio.start_server(relay, "127.0.0.1", 0)
    yield int(listening.sockets[0].getsockname()[1])
    listening.close()


async def test_tls_is_checked_against_the_named_authority_and_the_name(place: Place) -> None:
    server = server_of(place)
    if place.kind == "mariadb":
        await certified(place, server.port)
    else:
        async with secured(server) as port:
            await certified(place, port)


async def certified(place: Place, port: int) -> None:
    at, authority = f"{place.kind}://tongban@localhost:{port}/front?tls=on", server_of(place).certificate
    async with fronted(place, url=f"{at}&ca={authority}") as front:
        assert await front.send(ONE) == Accepted()
        assert await front.reach() is None
    await refused_for(place, "tls-refused", url=at)
    await refused_for(place, "tls-refused", url=f"{at}&ca={authority}".replace("localhost", "127.0.0.1"))


# --- cut ----------------------------------------------------------------------------------------------------------------


class Cut:
    """A connection that really is killed before its n-th step, or whose n-th answer is lost after it was done."""

    def __init__(self, inner: Any, place: Place, steps: list[int], answer_lost: bool) -> None:
        self.inner, self.place, self.steps, self.answer_lost = inner, place, steps, answer_lost

    async def _step(self, work: Any) -> Any:
        self.steps[0] -= 1
        if self.steps[0] == 0 and not self.answer_lost:
            await asyncio.to_thread(self.place.store.execute, KILL[self.place.kind])
        found = await work
        if self.steps[0] == 0 and self.answer_lost:
            raise Trouble("cut", "lost")
        return found

    async def begin(self) -> None:
        await self._step(self.inner.begin())

    async def commit(self) -> None:
        await self._step(self.inner.commit())

    async def rows(self, sql: str, values: Sequence[object]) -> Any:
        return await self._step(self.inner.rows(sql, values))

    async def insert(self, sql: str, rows: Sequence[Sequence[object]]) -> Any:
        return await self._step(self.inner.insert(sql, rows))

    def cut(self) -> None:
        self.inner.cut()


def cutting(front: channel.FrontDb, place: Place, step: int, answer_lost: bool) -> None:
    steps, connect = [step], front.database._connect

    async def connected() -> Any:
        return Cut(await connect(), place, steps, answer_lost)

    front.database._connect = connected  # type: ignore[method-assign]


@pytest.mark.parametrize("answer_lost", [False, True], ids=["killed before", "answer lost after"])
@pytest.mark.parametrize("step", [1, 2, 3])
async def test_a_connection_cut_at_each_step_of_a_send_leaves_the_row_once(
    step: int, answer_lost: bool, place: Place
) -> None:
    """begin, insert, commit; asked about where it is not clear, sent again where it is not there."""
    async with fronted(place) as front:
        cutting(front, place, step, answer_lost)
        first = await front.send(ONE)
        assert isinstance(first, Unclear if step == 3 else Temporary)
        if isinstance(first, Unclear):
            assert await front.ask("M1") == (Accepted() if answer_lost else NotThere())
        assert await front.send(ONE) == Accepted()
    assert place.store.execute("SELECT unid FROM provinceinfo").fetchall() == [("M1",)]


@pytest.mark.parametrize("answer_lost", [False, True], ids=["killed before", "answer lost after"])
@pytest.mark.parametrize("step", range(1, 7))
async def test_a_connection_cut_at_each_step_of_a_poll_acknowledges_each_row_once(
    step: int, answer_lost: bool, place: Place
) -> None:
    """Look, contents; begin, contents again, acknowledge, commit."""
    hall, desk = place.hall(), Desk()
    rows = [hall.step(CASE, name=f"环节{n}") for n in range(3)]
    async with fronted(place) as front:
        cutting(front, place, step, answer_lost)
        for _ in range(3):
            await front.poll(desk)
        assert await front.poll(desk) == 0
    assert all((hall.answer_of(row) or ("",))[0] == "1" for row in rows)
    assert place.store.execute("SELECT count(*) FROM provinceinfosync").fetchone() == (3,)
    assert len({act.id for act in desk.acts}) == 3 and [act.body.name for act in desk.acts][:3] == [
        f"环节{n}" for n in range(3)
    ]


async def test_a_connection_that_died_while_nobody_used_it_is_nobodys_trouble(place: Place) -> None:
    async with fronted(place) as front:
        assert await front.send(ONE) == Accepted()
        place.store.execute(KILL[place.kind])
        assert await front.send(Wire(id="M2", operation="10", body=b"<Case/>")) == Accepted()


async def test_a_table_that_is_altered_meanwhile_is_nobodys_trouble(place: Place) -> None:
    hall, desk = place.hall(), Desk()
    change = {"postgresql": "ALTER TABLE provinceinfo ALTER COLUMN content TYPE VARCHAR(90000)",
              "mariadb": "ALTER TABLE provinceinfo MODIFY content MEDIUMTEXT"}[place.kind]  # fmt: skip
    async with fronted(place) as front:
        for statement in ("SELECT 1", change, "ALTER TABLE provinceinfo ADD COLUMN more VARCHAR(9)"):
            place.store.execute(statement)
            hall.step(CASE)
            with capture_logs() as logs:
                assert await front.poll(desk) == 1
                assert await front.send(Wire(id=f"M{len(desk.acts)}", operation="10", body=b"<Case/>")) == Accepted()
            assert logs == []


@pytest.mark.long
async def test_a_server_that_dies_in_the_middle_has_each_row_once(place: Place) -> None:
    """A real crash while hundreds are sent, and the server started again: what was accepted is there, and nothing twice."""
    server = server_of(place)
    wires = [Wire(id=f"M{n}", operation="10", body=b"<Case/>") for n in range(600)]
    open_ = {one.id: one for one in wires}
    accepted: set[str] = set()
    hall, desk = place.hall(), Desk()
    for n in range(250):
        hall.step(CASE, name=f"环节{n}")
    place.store.close()

    async def attempt(front: channel.FrontDb, wire: Wire) -> None:
        outcome = await front.send(wire)
        if isinstance(outcome, Unclear):
            answer = await front.ask(wire.id)
            outcome = Accepted() if isinstance(answer, Accepted) else Temporary("asked")
        if isinstance(outcome, Accepted):
            accepted.add(open_.pop(wire.id).id)
        assert not isinstance(outcome, Refused)

    async with fronted(place) as front:
        for round_ in range(1000):
            some = list(open_.values())[:40]
            if not some and round_ > 12:
                break
            work = asyncio.gather(front.poll(desk), *[attempt(front, one) for one in some])
            if round_ in (3, 9):
                await asyncio.sleep(0.02)
                await asyncio.to_thread(server.crash)
                await work
                assert await front.reach() is not None
                await asyncio.to_thread(server.begin)
            else:
                await work
        while await front.poll(desk):
            pass
    place.store = server.admin("front")
    ids = [
        row[0] for row in place.store.execute("SELECT unid FROM provinceinfo WHERE toareacode = '350100'").fetchall()
    ]
    assert sorted(ids) == sorted(one.id for one in wires) and accepted == set(ids)
    assert place.store.execute("SELECT count(*) FROM provinceinfosync").fetchone() == (250,)
    assert len({act.id for act in desk.acts}) == 250


# --- addresses ------------------------------------------------------------------------------------------------------------


async def test_a_driver_that_is_not_installed_is_named(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "find_spec", lambda name: None)
    with pytest.raises(Untranslatable) as caught:
        place.front()
    assert caught.value.code == "extra-missing" and "tongban[" in caught.value.zh and "tongban[" in caught.value.en

"""Front databases on real servers: columns of other types and encodings, and what a session of ours must not let through."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

import pytest

from adapters import samples
from adapters.base import Accepted, Refused, Wire
from tests.contract import front_support
from tests.contract.front_servers import Server
from tests.contract.front_support import CASE, ONE, Desk, Place, fronted, profile


@pytest.fixture
def place(on_server: Place) -> Place:
    return on_server


# --- columns ----------------------------------------------------------------------------------------------------------------

TYPED = {
    "postgresql": (
        "CREATE TABLE provinceinfo (unid BIGINT PRIMARY KEY, type SMALLINT NOT NULL, content JSONB, createtime TIMESTAMPTZ,"
        " fromareacode UUID, toareacode VARCHAR(16))",
        "CREATE TABLE provinceinfosync (unid BIGINT PRIMARY KEY, type NUMERIC, updatetime TIMESTAMP, content TEXT, fromareacode"
        " VARCHAR(16), etype CHAR(8))",
    ),
    "mariadb": (
        "CREATE TABLE provinceinfo (unid BIGINT PRIMARY KEY, type SMALLINT NOT NULL, content JSON, createtime TIMESTAMP(3),"
        " fromareacode CHAR(36), toareacode VARCHAR(16))",
        "CREATE TABLE provinceinfosync (unid BIGINT PRIMARY KEY, type DECIMAL(3), updatetime DATETIME(3), content MEDIUMTEXT,"
        " fromareacode VARCHAR(16), etype CHAR(8))",
    ),
}


def recreate(place: Place, statements: Sequence[str]) -> None:
    for table in ("provinceinfo", "provinceinfosync"):
        place.store.execute(f"DROP TABLE {table}")
    for statement in statements:
        place.store.execute(statement)
    for table in ("provinceinfo", "provinceinfosync"):
        place.store.execute(f"GRANT SELECT, INSERT ON {table} TO tongban")


async def test_numbers_times_and_json_are_columns_too(place: Place) -> None:
    """Ids that are numbers, times that are times (in Beijing), a content of the database's own JSON type."""
    recreate(place, TYPED[place.kind])
    place.store.execute(
        "INSERT INTO provinceinfo (unid, type, content, createtime, toareacode) VALUES "
        "(12, 80, '{\"a\": 1}', '2026-01-02 03:04:05+08', 'tongban'), (9, 80, '[]', '2026-01-02 03:04:06+08', 'tongban')".replace(
            "+08", "+08" if place.kind == "postgresql" else ""
        )
    )
    json = profile(
        ('content = "xml"', 'content = "json"'),
        ('fromareacode = "tongban", toareacode = "{division}"', 'toareacode = "350100"'),
    )
    desk = Desk()
    async with fronted(place, profile=json) as front:
        assert await front.poll(desk) == 2
        assert desk.originals == [b'{"a": 1}', b"[]"], "in the order of time"
        assert [
            await front.send(Wire(id="77", operation="10", body=b'{"b":"\xe6\xb5\x8b"}')),
            await front.ask("77"),
        ] == [Accepted()] * 2
    answers = place.store.execute("SELECT unid, type, etype FROM provinceinfosync ORDER BY unid").fetchall()
    assert [(int(unid), int(type_), etype.strip()) for unid, type_, etype in answers] == [(9, 9, "TB"), (12, 9, "TB")]
    seconds = {"postgresql": "EXTRACT(EPOCH FROM createtime)::bigint", "mariadb": "UNIX_TIMESTAMP(createtime)"}[
        place.kind
    ]
    [(epoch, content)] = place.store.execute(f"SELECT {seconds}, content FROM provinceinfo WHERE unid = 77").fetchall()
    assert int(epoch) == 1_740_965_400 and "测" in content


async def test_documents_in_columns_of_bytes_keep_their_encoding(place: Place) -> None:
    kind = {"postgresql": "BYTEA", "mariadb": "LONGBLOB"}[place.kind]
    recreate(place, [one.strip() for one in front_support.front_stores.TABLES.format(text=kind).split(";")])
    desk = Desk()
    document = place.hall().area and "<?xml version='1.0' encoding='GB18030'?><Case><Body/>丁𠀀</Case>".encode(
        "gb18030"
    )
    place.store.execute(
        "INSERT INTO provinceinfo (unid, type, content, createtime, toareacode) VALUES ('r', '80', ?, '2026', 'tongban')",
        (document,),
    )
    async with fronted(place, profile=profile(('column = "text"', 'column = "bytes"'))) as front:
        wire = front.translator.outbound(samples.outbound("application"))
        assert [await front.send(wire), await front.ask(wire.id), await front.send(wire)] == [Accepted()] * 3
        assert await front.poll(desk) == 1
    assert desk.originals == [document]
    [(content,)] = place.store.execute("SELECT content FROM provinceinfo WHERE unid = ?", (wire.id,)).fetchall()
    assert bytes(content) == wire.body and "测试大道𠀀号".encode("gb18030") in bytes(content)


# --- what a session must not let through -------------------------------------------------------------------------------------


@pytest.fixture
def careless(mariadb_server: Server) -> Iterator[Place]:
    """A MariaDB that cuts off what does not fit, and knows no backslash."""
    admin = mariadb_server.admin()
    admin.execute("SET GLOBAL sql_mode = 'NO_BACKSLASH_ESCAPES'")
    found = front_support.on_server(mariadb_server)
    yield found
    found.store.close()
    admin.execute("SET GLOBAL sql_mode = DEFAULT")
    admin.close()


@pytest.mark.parametrize(
    ("text", "body"),
    [("TEXT", b"<Case>" + b"x" * 70_000 + b"</Case>"), ("LONGTEXT CHARACTER SET utf8mb3", "<Case>𠀀</Case>".encode())],
)
async def test_F11_what_does_not_fit_is_refused_and_not_cut_off(text: str, body: bytes, careless: Place) -> None:
    """F11: a server that is not strict would store half of it and say yes."""
    recreate(careless, [one.strip() for one in front_support.front_stores.TABLES.format(text=text).split(";")])
    async with fronted(careless) as front:
        found = await asyncio.gather(front.send(ONE), front.send(Wire(id="M2", operation="10", body=body)))
    assert found[0] == Accepted() and isinstance(found[1], Refused) and found[1].code == "row-refused"
    assert careless.store.execute("SELECT unid FROM provinceinfo").fetchall() == [("M1",)]


async def test_F11_values_are_values_where_a_backslash_is_no_escape(careless: Place) -> None:
    """F11: the server's own mode must not turn our quotes around, in text or in bytes."""
    recreate(careless, [one.strip() for one in front_support.front_stores.TABLES.format(text="LONGBLOB").split(";")])
    evil = "\\'; DROP TABLE provinceinfo; -- "
    for column in ("text", "bytes"):
        async with fronted(careless, profile=profile(('column = "text"', f'column = "{column}"'))) as front:
            wire = Wire(id=f"{evil}{column}", operation="10", body=evil.encode())
            assert [await front.send(wire), await front.ask(wire.id)] == [Accepted(), Accepted()]
    assert careless.store.execute("SELECT count(*) FROM provinceinfo").fetchone() == (2,)


async def test_F11_text_of_other_encodings_arrives_as_it_was_meant(careless: Place) -> None:
    """F11: columns in GBK; the database converts, and half a character hides no quote."""
    recreate(
        careless,
        [one.strip() for one in front_support.front_stores.TABLES.format(text="LONGTEXT CHARACTER SET gbk").split(";")],
    )
    hall, desk = careless.hall(), Desk()
    hall.step(CASE, name="縗' OR 1=1 --")
    async with fronted(careless) as front:
        assert await front.poll(desk) == 1
        assert await front.send(Wire(id="M1", operation="10", body="<Case>縗'</Case>".encode())) == Accepted()
    assert desk.acts[0].body.name == "縗' OR 1=1 --"

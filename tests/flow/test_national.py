"""G3: cases are reported to a collector by the place that handles them, once, and what it holds is reconciled."""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.compose import Node
from gateway.demo import world as worlds
from gateway.flow import recon as recon_flow
from gateway.flow import reporting
from gateway.ids import Ids
from gateway.store.beside import snapshot
from gateway.store.journal import Reader
from schemas import canonical as c
from tests.flow import nodes, resting, walks
from tests.flow.certificates import serve
from tests.flow.resting import ask, told
from tests.flow.walks import Pair
from tests.unit.adapters.support import PROFILES

sys.path.insert(0, str(Path(worlds.__file__).parent / "platforms"))
from collection import TABLES, Collection

NUMBER = "42010420260000{:02d}"


@dataclass
class Places:
    """Both gateways, each with a collection database of its own."""

    pair: Pair
    at_a: Collection
    at_b: Collection

    async def reported(self, seconds: float = 30.0) -> None:
        """Wait until nothing is left to be reported anywhere."""
        for node in (self.pair.a, self.pair.b):
            await self.pair.until(lambda node=node: quiet(node), seconds)  # type: ignore[misc]


def quiet(node: Node) -> bool:
    reader = node.journal.read()
    open_ = reader.one("SELECT count(*) FROM delivery WHERE destination = 'platform:nation' AND state <> 'delivered'")
    left = reader.one(
        "SELECT count(*) FROM case_file c LEFT JOIN reported r ON r.case_id = c.id WHERE c.role = 'handling' "
        "AND c.events > coalesce(r.events, 0)"
    )
    return open_ == (0,) and left == (0,)


def prepared(made: worlds.World, both: bool = True) -> worlds.World:
    """A world whose places report to collection databases beside them."""
    for side in (made.a, made.b) if both else ():
        configured(side)
    return made


def configured(side: worlds.Side) -> None:
    text = side.config.read_text()
    where = side.folder / "collection.db"
    Collection(str(where)).close()
    profile = (PROFILES / "national.toml").read_text("utf-8").replace("every_ms = 2000", "every_ms = 100")
    (side.folder / "own.toml").write_text(profile, "utf-8")
    told = f'[[national]]\nid = "nation"\nprofile = "own.toml"\nbase_url = "sqlite://{where}"\n'
    side.config.write_text(f"{text}\n{told}")


@asynccontextmanager
async def running(made: worlds.World) -> AsyncIterator[Places]:
    """Both gateways as they are served, with all their loops; no local platform is there."""
    async with nodes.running(made.a, made.b) as (a, b):
        theirs = [Collection(str(side.folder / "collection.db")) for side in (made.a, made.b)]
        yield Places(Pair(made, a.node, b.node), *theirs)
        for one in theirs:
            one.close()


def recon(side: worlds.Side, *words: str, code: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = told(side.folder, "recon", *words, exit_code=code)
    return found


# --- who reports, and what --------------------------------------------------------------------------------------------


async def test_G3_only_the_handling_place_reports_a_case_and_it_is_counted_once(places: worlds.World) -> None:
    async with running(prepared(places)) as there:
        pair = there.pair
        case = await walks.walk(pair, NUMBER.format(1))
        await there.reported()
        number = pair.b.config.node.party[:6] + case.rpartition("/")[2]
        assert there.at_b.cases() == {number: 1} and there.at_a.counts() == {}
        assert {name: len(there.at_b.rows(name)) for name in TABLES} == {
            "up_pro_accept": 1, "up_pro_material": 1, "up_pro_special_procedure": 0, "up_pro_process": 8, "up_pro_result": 2,
        }  # fmt: skip
        row = there.at_b.rows("up_pro_accept")[0]
        assert (row["applyer_name"], row["applyer_page_code"]) == (walks.NAME, walks.CITIZEN)
        assert (row["org_code"], row["org_name"]) == (pair.b.config.node.party.partition(".")[2], "红谷滩区行政审批局")
        process = [
            (one["event_name"], one["process_name"], one["handle_user_name"])
            for one in there.at_b.rows("up_pro_process")
        ]
        assert process == [
            ("01", "接收", "系统"), ("02", "通知补正", "办理员乙"), ("03", "补正", "窗口员甲"), ("04", "受理", "办理员乙"),
            ("07", "审查", "办理员丙"), ("10", "准予决定", "办理员丁"), ("12", "出具结果", "系统"), ("13", "送达", "系统"),
        ]  # fmt: skip
        results = there.at_b.rows("up_pro_result")
        assert [(one["result_type"], one["cd_operation"], one["result_cetr_no"]) for one in results] == [
            ("01", "I", None), ("08", "U", "证2026-1"),
        ]  # fmt: skip
        batches = [one["cd_batch"].partition("-")[2] for one in there.at_b.rows("up_pro_process")]
        assert batches == [f"{n:010d}" for n in range(1, 9)], "numbered without gaps"
        agreed = await asyncio.to_thread(recon, pair.world.b, "run")
        assert agreed["differences"] == 0 and sum(one["ours"] for one in agreed["days"]) == 12
        assert (await asyncio.to_thread(recon, pair.world.a, "run"))["days"] == []


async def test_a_collector_that_is_configured_later_is_told_of_all_cases_that_there_are(places: worlds.World) -> None:
    async with running(places) as there:
        await walks.walk(there.pair, NUMBER.format(1))
        await two(there.pair)
    configured(places.b)
    async with running(places) as there:
        await there.reported()
        assert len(there.at_b.cases()) == 1, "the other has not been accepted yet"
        assert len(there.at_b.rows("up_pro_process")) == 9
        assert (await asyncio.to_thread(recon, places.b, "run"))["differences"] == 0


async def test_a_collector_that_is_away_holds_nothing_up_and_gets_everything_when_it_is_back(
    places: worlds.World,
) -> None:
    prepared(places)
    where = places.b.folder / "collection.db"
    where.rename(where.with_suffix(".away"))
    async with nodes.running(places.a, places.b) as (a, b):
        await walks.walk(Pair(places, a.node, b.node), NUMBER.format(1))
        assert (await asyncio.to_thread(recon, places.b, "run", code=2))["ok"] is None
        where.with_suffix(".away").rename(where)
        b.node.loops["platform:nation"].wake(urgent=True)
        await nodes.until(lambda: quiet(b.node), 30)
    theirs = Collection(str(where))
    assert list(theirs.cases().values()) == [1]
    theirs.close()


async def test_a_case_that_cannot_be_reported_holds_up_no_other_and_pages_lose_none(
    places: worlds.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared(places)
    monkeypatch.setattr(reporting, "LOOK", 2)
    monkeypatch.setattr(reporting, "PAGE", 1)
    async with nodes.running(places.a, places.b) as (a, b):
        pair = Pair(places, a.node, b.node)
        cases = [await walks.collect(pair, NUMBER.format(n)) for n in range(1, 6)]
        await nodes.until(lambda: b.one("SELECT count(*) FROM case_file") == 5 and quiet(b.node), 30)
        key = b.one("SELECT wrapped_key FROM case_file WHERE id = ?", cases[1])
        await b.node.journal.submit(
            lambda tx: tx.run("UPDATE case_file SET wrapped_key = x'00' WHERE id = ?", cases[1]),
            lambda tx: tx.run("DELETE FROM reported"),
            lambda tx: tx.run("DELETE FROM message WHERE direction = 'report'"),
            lambda tx: tx.run("DELETE FROM delivery WHERE destination = 'platform:nation'"),
        )
        again = reporting.Reporting(
            "nation",
            b.node.reporting[0].collecting,
            b.node.journal,
            b.node.ring.vault(),
            "360113.X",
            "B",
            {},
            Ids(),
            str,
        )
        while await again.feed():
            pass
        told = "SELECT count(DISTINCT case_id) FROM message WHERE direction = 'report'"
        assert b.one(told) == 4
        await b.node.journal.submit(
            lambda tx: tx.run("UPDATE case_file SET wrapped_key = ? WHERE id = ?", key, cases[1])
        )
        await again.feed()
        assert b.one(told) == 5


async def test_a_guests_cases_are_reported_as_its_own(places: worlds.World) -> None:
    """A local platform that has become another party's gets no new cases of ours; that party handles what it has, and is named."""
    prepared(places)
    async with running(places) as there:
        case = await walks.collect(there.pair, NUMBER.format(1))
        await there.pair.stands(there.pair.b, case, "received_there")
    guest = "360124.11360124MB0000000X"
    text = places.b.config.read_text().replace('id = "hall"', f'id = "hall"\nparty = "{guest}"')
    places.b.config.write_text(text)
    async with running(places) as there:
        await there.pair.act(there.pair.b, "acceptance", case, walks.acceptance())
        await there.reported()
        row = there.at_b.rows("up_pro_accept")[0]
        assert (row["org_code"], str(row["project_no"])[:6]) == ("11360124MB0000000X", "360124")


# --- reconciliation ---------------------------------------------------------------------------------------------------


async def two(pair: Pair) -> None:
    """A second case, collected and received there."""
    await walks.collect(pair, NUMBER.format(2))
    await pair.until(lambda: pair.b.journal.read().one("SELECT count(*) FROM case_file") == (2,))
    await pair.settled()


@pytest.fixture(scope="module")
def lived(template: worlds.World, tmp_path_factory: pytest.TempPathFactory) -> worlds.World:
    """A world in which one case was walked, another collected, and all was reported."""

    async def live(made: worlds.World) -> None:
        async with running(prepared(made)) as there:
            await walks.walk(there.pair, NUMBER.format(1))
            await two(there.pair)
            await there.reported()

    made = nodes.copy_world(template, tmp_path_factory.mktemp("national") / "w")
    asyncio.run(live(made))
    return made


@pytest.fixture
def moved(lived: worlds.World, tmp_path: Path) -> worlds.World:
    """This test's own copy of it, at rest."""
    made = nodes.copy_world(lived, tmp_path / "w")
    for side in (made.a, made.b):
        side.config.write_text(side.config.read_text().replace(str(lived.root), str(made.root)))
    return made


@pytest.fixture
def b(moved: worlds.World) -> Path:
    """B's folder."""
    return moved.b.folder


DOCTORED: list[tuple[str, str, str, tuple[str, ...]]] = [
    ("a row is gone", "DELETE FROM up_pro_accept", "missing", ()),
    ("a name was changed", "UPDATE up_pro_accept SET applyer_name = '别人'", "differs", ("applyer_name",)),
    ("a result was cleared", "UPDATE up_pro_result SET result_cetr_no = NULL WHERE cd_operation = 'U'", "differs",
     ("result_cetr_no",)),
    ("a case is counted twice",
     "INSERT INTO up_pro_accept SELECT 'x', project_no, data_source, cd_operation, cd_batch, cd_time, tenant_id, audit_status, "
     "accept_date, accept_doc_no, address, apply_date, apply_type, applyer_name, applyer_page_code, applyer_page_type, "
     "applyer_type, catalog_code, local_catalog_code, task_code, local_task_code, task_handle_item, task_name, task_version, "
     "contact_name, "
     "contact_type, contact_code, contact_mobile, handle_user_name, legal, org_code, org_name, project_name, project_type, "
     "promise_date, zip_code FROM up_pro_accept", "doubled", ()),
    ("a row that nobody reported",
     "INSERT INTO up_pro_process (row_guid, project_no, data_source, cd_operation, cd_time, event_name, process_name, "
     "handle_user_name, handle_explain, event_start_time, event_end_time) SELECT 'y', 'nobody', '001', 'I', cd_time, '01', 'p', "
     "'h', 'e', cd_time, cd_time FROM up_pro_accept", "foreign", ()),
]  # fmt: skip


@pytest.mark.parametrize(("what", "sql", "kind", "columns"), DOCTORED, ids=[one[0] for one in DOCTORED])
def test_a_doctored_collector_is_found(b: Path, what: str, sql: str, kind: str, columns: tuple[str, ...]) -> None:
    assert told(b, "recon", "run")["differences"] == 0
    theirs = Collection(str(b / "collection.db"))
    assert theirs.db.execute(sql).rowcount == 1
    found = told(b, "recon", "diff", exit_code=1)
    assert [(one["kind"], tuple(one["columns"])) for one in found["list"]] == [(kind, columns)]
    one = found["list"][0]
    assert one["day"] and (one["case_number"] == NUMBER.format(1) or kind == "foreign")
    assert resting.run(b, "recon", "diff").exit_code == 1 and told(b, "recon", "run", exit_code=1)["kinds"][kind] == 1
    theirs.close()


def test_what_is_missing_is_queued_again_once_and_then_both_sides_agree(moved: worlds.World, b: Path) -> None:
    theirs = Collection(str(b / "collection.db"))
    theirs.db.execute("DELETE FROM up_pro_accept")
    theirs.db.execute("DELETE FROM up_pro_process WHERE event_name IN ('04', '07')")
    first = told(b, "recon", "run", "--again", exit_code=1)
    assert (first["kinds"]["missing"], first["queued"]) == (3, 2)
    second = told(b, "recon", "run", "--again")
    assert (second["differences"], second["queued"], second["waiting"]) == (0, 0, 2), "they wait to go, and once only"

    async def deliver() -> None:
        async with running(moved) as there:
            await there.reported()

    asyncio.run(deliver())
    assert told(b, "recon", "run")["differences"] == 0 and len(theirs.cases()) == 1
    theirs.close()


def test_a_row_of_a_report_made_while_we_looked_is_no_difference(b: Path) -> None:
    message = ask(b, "SELECT id FROM message WHERE direction = 'report'")[0][0]
    there = recon_flow.Difference("foreign", "2026-01-01", "x", "", "up_pro_process", f"{message}-0")
    reader = Reader(snapshot(b / "data" / "gateway.db"))
    assert recon_flow.just_made(reader, there)
    assert not recon_flow.just_made(reader, recon_flow.Difference("foreign", "2026-01-01", "x", "", "t", "nobody-0"))
    assert not recon_flow.just_made(
        reader, recon_flow.Difference("missing", "2026-01-01", "x", "", "t", f"{message}-0")
    )


def test_days_are_asked_about_by_themselves(b: Path) -> None:
    assert told(b, "recon", "run", "--from", "2020-01-01", "--to", "2020-01-02")["days"] == []
    assert resting.really("recon", "run", "--collector", "x", "--config", b / "tongban.toml").returncode == 64
    assert resting.really("recon", "run", "--from", "soon", "--config", b / "tongban.toml").returncode == 64


def test_a_report_that_the_tables_cannot_hold_is_held_and_found(b: Path) -> None:
    message = ask(b, "SELECT message FROM delivery WHERE destination = 'platform:nation' ORDER BY message LIMIT 1")[0][
        0
    ]
    resting.edit(b, "UPDATE delivery SET state = 'parked' WHERE message = ?", message)
    theirs = Collection(str(b / "collection.db"))
    theirs.db.execute("DELETE FROM up_pro_process WHERE row_guid = ?", (f"{message}-0",))
    found = told(b, "recon", "diff", exit_code=1)
    assert [(one["kind"], one["message"]) for one in found["list"]] == [("stuck", message)]
    theirs.close()


def test_an_event_that_no_report_tells_of_is_found(b: Path) -> None:
    message = ask(b, "SELECT id FROM message WHERE direction = 'report' ORDER BY id LIMIT 1")[0][0]
    for table in ("message", "delivery"):
        resting.edit(b, f"DELETE FROM {table} WHERE {'id' if table == 'message' else 'message'} = ?", message)
    kinds = {one["kind"] for one in told(b, "recon", "diff", exit_code=1)["list"]}
    assert kinds == {"unreported", "foreign"}


# --- kills ------------------------------------------------------------------------------------------------------------


async def killed(made: worlds.World, cases: int, kills: int) -> None:
    """B is a process that is killed again and again while it reports; what it reported is whole, once."""
    async with nodes.running(made.a, made.b) as (a, b):
        pair = Pair(made, a.node, b.node)
        ids = [await walks.collect(pair, NUMBER.format(n)) for n in range(1, cases + 1)]
        for case in ids:
            await pair.stands(pair.b, case, "received_there")
            await pair.act(pair.b, "acceptance", case, walks.acceptance())
            await pair.act(pair.b, "step", case, c.Step("审查", "办理员丙", "", walks.now()))
        await pair.settled()
    configured(made.b)
    theirs = Collection(str(made.b.folder / "collection.db"))
    for _ in range(kills):
        process = await serve(made.b)
        await asyncio.sleep(random.uniform(0.0, 0.4))
        await process.kill()
    process = await serve(made.b)
    try:
        async with asyncio.timeout(60):
            while len(theirs.rows("up_pro_process")) < cases * 3:
                await asyncio.sleep(0.05)
        async with asyncio.timeout(60):
            while ask(
                made.b.folder, "SELECT 1 FROM delivery WHERE destination = 'platform:nation' AND state <> 'delivered'"
            ):
                await asyncio.sleep(0.05)
        assert set(theirs.cases().values()) == {1} and len(theirs.cases()) == cases
        assert len(theirs.rows("up_pro_process")) == cases * 3
        found = await asyncio.to_thread(recon, made.b, "run")
        assert (found["differences"], found["waiting"], found["behind"]) == (0, 0, 0), json.dumps(found)
        sequences = sorted(one["cd_batch"].partition("-")[2] for one in theirs.rows("up_pro_process"))
        assert sequences == [f"{n:010d}" for n in range(1, cases * 3 + 1)]
    finally:
        await process.kill()
        theirs.close()


@pytest.mark.processes
async def test_G3_four_cases_through_a_kill_are_reconciled_to_no_difference(places: worlds.World) -> None:
    await killed(places, 4, 1)


@pytest.mark.long
@pytest.mark.processes
async def test_G3_twenty_cases_through_many_kills_are_reconciled_to_no_difference(places: worlds.World) -> None:
    await killed(places, 20, 8)

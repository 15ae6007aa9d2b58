"""``national_push`` against a collection database that knows nothing of us: each report whole, once, and what stands there told."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from adapters import samples
from adapters.base import Accepted, CannotAsk, NotThere, Refused, Temporary, Untranslatable, Wire
from adapters.front_db.database import Trouble
from adapters.national_push.translate import rows_of
from adapters.registry import Platform, PlatformSettings, open_platform
from gateway.cli import root
from tests.contract import front_servers, front_support
from tests.unit.adapters.support import PROFILES, PROVIDER, ROOT, signer

sys.path.insert(0, str(ROOT / "gateway" / "demo" / "platforms"))
from collection import TABLES, Collection

TOML = (PROFILES / "national.toml").read_bytes()
TOLD = ("receive", "accept", "step", "start_special", "end_special", "decide_grant", "issue_result")


def reach(url: str, secrets: dict[str, bytes] | None = None, text: bytes = TOML, **settings: Any) -> Platform:
    given = PlatformSettings(id="n", profile="national", base_url=url, **settings)
    return open_platform(given, text, {}, signer, PROVIDER, lambda: "n" * 16, lambda: 0, secrets)


def opened(path: Path, text: bytes = TOML, **settings: Any) -> Platform:
    return reach(f"sqlite://{path}", None, text, **settings)


def wire(platform: Platform, event: str = "accept", number: int = 1, **changes: Any) -> Wire:
    out = samples.report(event)
    if case := changes.pop("case", ""):
        changes["number"] = case
    body = msgspec.structs.replace(out.body, **changes)
    return platform.translator.outbound(msgspec.structs.replace(out, id=f"M{number:025d}", body=body))


KINDS = ["sqlite", "sqlite-no-key", "postgresql", "mariadb"]


@pytest.fixture(params=KINDS)
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[Platform, Collection]]:
    """A collection database of each kind, and ours with no more rights than docs/howto/national.md asks for."""
    if request.param.startswith("sqlite"):
        theirs = Collection(str(tmp_path / "c.db"), keyed=request.param == "sqlite")
        platform = opened(tmp_path / "c.db")
    else:
        name, moment = {"postgresql": ("postgres_server", "TIMESTAMP"), "mariadb": ("mariadb_server", "DATETIME")}[
            request.param
        ]
        front = front_support.on_server(request.getfixturevalue(name))
        for table in TABLES:
            front.store.execute(f"DROP TABLE IF EXISTS {table}")
        theirs = Collection(front.store, moment=moment)
        for table in TABLES:
            front.store.execute(f"GRANT SELECT, INSERT ON {table} TO tongban")
        platform = reach(front.url, {"password": front_servers.PASSWORD.encode()})
    yield platform, theirs
    await platform.channel.close()
    theirs.close()


async def test_G3_a_case_fills_every_table_and_is_counted_once(place: tuple[Platform, Collection]) -> None:
    platform, theirs = place
    for number, event in enumerate(TOLD):
        change = "update" if event == "issue_result" else "insert"
        assert await platform.channel.send(wire(platform, event, number, change=change)) == Accepted()
    assert {name: len(theirs.rows(name)) for name in TABLES} == {
        "up_pro_accept": 1, "up_pro_material": 2, "up_pro_process": 7, "up_pro_special_procedure": 1, "up_pro_result": 2,
    }  # fmt: skip
    row = theirs.rows("up_pro_accept")[0]
    assert (row["project_no"], row["applyer_name"], row["accept_doc_no"]) == (
        "36011301950000000000000000000001", "测试甲", "测受字1号",
    )  # fmt: skip
    assert row["cd_batch"] == "20250303-0000000001" and row["cd_time"] == "2025-03-03 09:30:00", "Beijing time"
    assert [one["cd_operation"] for one in theirs.rows("up_pro_result")] == ["I", "U"]
    assert theirs.rows("up_pro_result")[1]["result_cetr_no"] == "测果字1号"


async def test_a_report_sent_again_is_the_same_rows_also_where_the_tables_have_no_key(
    place: tuple[Platform, Collection],
) -> None:
    platform, theirs = place
    assert await asyncio.gather(*[platform.channel.send(wire(platform)) for _ in range(5)]) == [Accepted()] * 5
    assert await platform.channel.send(wire(platform)) == Accepted()
    assert theirs.cases() == {"36011301950000000000000000000001": 1} and len(theirs.rows("up_pro_material")) == 2


async def test_what_is_asked_is_whether_the_report_stands_there(
    place: tuple[Platform, Collection], tmp_path: Path
) -> None:
    platform, _ = place
    report = wire(platform)
    assert await platform.channel.ask(report.id) == NotThere()
    await platform.channel.send(report)
    assert await platform.channel.ask(report.id) == Accepted()
    assert await opened(tmp_path / "c.db", can_ask=False).channel.ask(report.id) == CannotAsk()
    assert platform.reach is not None and await platform.reach() is None


async def test_F11_a_report_whose_row_is_refused_is_refused_whole_and_its_neighbours_are_written(
    place: tuple[Platform, Collection], request: pytest.FixtureRequest
) -> None:
    platform, theirs = place
    if "sqlite" in request.node.name:  # which holds no lengths
        theirs.db.execute(
            "CREATE TRIGGER no BEFORE INSERT ON up_pro_process WHEN length(new.handle_user_name) > 100 "
            "BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    wires = [wire(platform, "accept", number, case=f"case-{number}") for number in (1, 2)]
    bad = wire(platform, "accept", 3, case="bad", officer="长" * 101)
    outcomes = await asyncio.gather(*[platform.channel.send(one) for one in (wires[0], bad, wires[1])])
    assert outcomes[0] == outcomes[2] == Accepted() and isinstance(outcomes[1], Refused), outcomes
    assert theirs.cases() == {"case-1": 1, "case-2": 1} and len(theirs.rows("up_pro_process")) == 2


HOSTILE = ("'; DROP TABLE up_pro_accept; --", "\\' OR 1=1 #", "%s ? $1 :x", "𠀀㐀龥", "a\u200bb")


async def test_F11_N08_values_are_never_sql_and_rare_characters_stay(place: tuple[Platform, Collection]) -> None:
    platform, theirs = place
    for _ in range(2):
        for number, text in enumerate(HOSTILE):
            report = wire(platform, "step", number, opinion=text, officer=text, sequence=f"{number:010d}")
            assert await platform.channel.send(report) == Accepted()
    rows = theirs.rows("up_pro_process")
    assert [(row["handle_explain"], row["handle_user_name"]) for row in rows] == [(text, text) for text in HOSTILE]
    assert theirs.cases() == {}


async def test_other_words_under_the_same_key_are_refused(place: tuple[Platform, Collection]) -> None:
    platform, theirs = place
    await platform.channel.send(wire(platform))
    outcome = await platform.channel.send(wire(platform, officer="别人"))
    assert isinstance(outcome, Refused) and outcome.code == "row-differs"
    assert len(theirs.rows("up_pro_process")) == 1


async def test_a_database_that_is_away_or_lacks_a_table_is_told_and_tried_again(tmp_path: Path) -> None:
    gone = opened(tmp_path / "none.db")
    outcome = await gone.channel.send(wire(gone))
    assert isinstance(outcome, Temporary) and outcome.absent
    assert isinstance(await gone.channel.ask("x"), Temporary)
    assert gone.reach is not None and await gone.reach() is not None
    assert gone.collecting is not None
    with pytest.raises(Trouble):
        await gone.collecting.held("2025-03-01", "2025-03-31")
    Collection(str(tmp_path / "half.db")).db.execute("DROP TABLE up_pro_process")
    half = opened(tmp_path / "half.db")
    outcome = await half.channel.send(wire(half))
    assert isinstance(outcome, Temporary) and outcome.absent
    found = await half.reach() if half.reach else None
    assert found is not None and "表" in found[0]
    assert Collection(str(tmp_path / "half.db")).rows("up_pro_accept") == [], "a report is whole or not at all"


async def test_a_locked_database_holds_nothing_up_for_ever(tmp_path: Path) -> None:
    theirs = Collection(str(tmp_path / "c.db"))
    platform = opened(tmp_path / "c.db", connect_timeout_ms=200)
    theirs.db.execute("BEGIN IMMEDIATE")
    outcome = await platform.channel.send(wire(platform))
    assert isinstance(outcome, Temporary)
    theirs.db.execute("ROLLBACK")
    assert await platform.channel.send(wire(platform)) == Accepted()
    assert platform.reach is not None and await platform.reach() is None


async def test_what_stands_there_is_told_for_days_and_ours_alone(place: tuple[Platform, Collection]) -> None:
    platform, theirs = place
    report = wire(platform)
    await platform.channel.send(report)
    theirs.db.execute(
        "INSERT INTO up_pro_process SELECT 'other-1', project_no, '002', cd_operation, cd_batch, cd_time, tenant_id, "
        "audit_status, event_name, process_name, handle_user_name, handle_explain, event_start_time, event_end_time "
        "FROM up_pro_process"
    )
    assert platform.collecting is not None
    held = await platform.collecting.held("2025-03-03", "2025-03-03")
    assert sorted((one.table, *sorted(one.values.items())) for one in held) == sorted(
        (one.table, *sorted(one.values.items())) for one in rows_of(report.body)
    )
    assert await platform.collecting.held("2025-03-04", "2025-03-05") == []


# --- profiles ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b'key = "row_guid"', b'key = "row guid"', "national-name"),
        (b'target = "process_name"', b'target = "process name;--"', "target-unreadable"),
        (b'receive = ["up_pro_process"]', b'receive = ["up_nothing"]', "national-table"),
        (b"once = true", b"onec = true", "national-unreadable"),
    ],
)
def test_a_profile_with_names_that_are_none_is_refused_when_opened(
    tmp_path: Path, old: bytes, new: bytes, code: str
) -> None:
    assert old in TOML
    with pytest.raises(Exception) as caught:
        opened(tmp_path / "c.db", TOML.replace(old, new, 1))
    assert code in f"{getattr(caught.value, 'code', '')} {caught.value}"


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"step": ""}, "column-missing", "up_pro_process.process_name"),
        ({"opinion": "长" * 2001}, "column-too-long", "up_pro_process.handle_explain"),
        ({"event": "collect"}, "type-not-mapped", ""),
        ({"acceptance": None}, "column-missing", "up_pro_accept.accept_date"),
    ],
)
def test_a_row_that_the_table_could_not_hold_is_held_here(
    tmp_path: Path, changes: dict[str, Any], code: str, path: str
) -> None:
    with pytest.raises(Untranslatable) as caught:
        wire(opened(tmp_path / "c.db"), **changes)
    assert (caught.value.code, caught.value.path) == (code, path)


def test_frozen_bytes_that_are_no_rows_are_refused() -> None:
    for bad in (b"", b"[]", b"{}", b'[{"table":"a;b","values":{}}]', b'[{"table":"a","values":{"x y":"1"}}]'):
        with pytest.raises(Untranslatable):
            rows_of(bad)


def test_the_simulator_makes_the_published_columns(tmp_path: Path) -> None:
    Collection(str(tmp_path / "c.db"))
    db = sqlite3.connect(tmp_path / "c.db")
    columns = {name: {row[1] for row in db.execute(f"PRAGMA table_info({name})")} for name in TABLES}
    for row in rows_of(wire(opened(tmp_path / "c.db"), "not_accept").body):
        assert row.values.keys() <= columns[row.table]


@pytest.mark.parametrize("words", [("kit", "run", "--base-url", "sqlite:///x"), ("kit", "serve")], ids=" ".join)
def test_a_collector_is_nothing_that_the_kit_could_play_or_try(words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(root, [*words, "--profile", "national"])
    assert result.exit_code == 65 and "recon" in result.output, result.output

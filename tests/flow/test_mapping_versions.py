"""A message keeps which version of the mapping made it; a changed profile is tried on real messages and changes none."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from click.testing import CliRunner

from adapters.differences import Difference, differences, masked
from adapters.mapping_version import PROFILE, unpack
from gateway.cli import root as command
from gateway.demo import world
from gateway.flow import outbound, post
from signing.sm3 import sm3
from tests.flow.nodes import Running, Window, running, until
from tests.flow.resting import NAMED
from tests.scan import scan
from tests.unit.adapters.support import PROFILES

PEOPLE = ("测试申请人甲",)


def tongban(node: Running, *words: object, code: int = 0) -> Any:
    """A command of the node at rest or running; nothing personal unless revealed."""
    given = [str(one) for one in (*words, "--config", node.side.folder / "tongban.toml", "--json")]
    result = CliRunner(env={"LANG": "zh_CN.UTF-8"}).invoke(command, given, catch_exceptions=False)
    assert result.exit_code == code, result.output
    if "--reveal" not in given:
        assert scan(result.output.encode(), named=(*NAMED, *PEOPLE)) == set()
    return json.loads(result.output.splitlines()[-1])


def papers(window: Window) -> dict[str, Any]:
    message = window.papers()
    message["sqr"] = message["sqr"] | {"xm": PEOPLE[0]}
    return message


def changed(tmp_path: Path, old: str, new: str, name: str = "qiaokou") -> str:
    text = (PROFILES / f"{name}.toml").read_text("utf-8")
    assert old in text
    folder = tmp_path / f"{name}-changed"
    folder.mkdir(exist_ok=True)
    for beside in PROFILES.glob("*.xsd"):
        (folder / beside.name).write_bytes(beside.read_bytes())
    (folder / f"{name}.toml").write_text(text.replace(old, new, 1), "utf-8")
    return str(folder / f"{name}.toml")


async def test_K10_a_message_keeps_its_original_bytes_and_the_version_that_made_it(a: Running, window: Window) -> None:
    """K10: what was signed is what is kept; the mapping that made the canonical form is named and kept beside it."""
    message = papers(window)
    answer = (await window.hand_in(message)).json
    case, row = outbound.load(a.node.journal.read(), answer["lsh"])
    version = a.node.platforms["window"].mapping
    assert row.mapping == version and version.startswith("qiaokou@1#")
    assert tongban(a, "msg", "show", row.id)["mapping"] == version
    assert row.original is not None
    key = a.node.desk.vault.unwrap(case.wrapped_key)
    original = a.node.desk.vault.open(key, row.original, post.original_label(row.id))
    assert original == json.dumps(message, ensure_ascii=False).encode()
    [(data,)] = a.rows("SELECT data FROM mapping WHERE id = ?", version)
    assert unpack(data) == {PROFILE: (PROFILES / "qiaokou.toml").read_bytes()}
    leaf = a.one("SELECT entry FROM leaf WHERE message = ? AND kind = 'platform'", row.id)
    assert leaf is not None and sm3(original)


async def test_K10_replay_by_the_old_version_gives_the_same_and_by_a_new_one_shows_what_differs(
    places: world.World, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """K10: replay may use the old mapping or the new; neither changes a row."""
    async with running(places.a, deliver=False) as (a,):
        window = Window(a, session, json.loads(a.side.platform_config.read_bytes()))
        message = (await window.hand_in(papers(window))).json["lsh"]
        store = a.side.folder / "data" / "gateway.db"
        before = sm3(_dump(store))
        assert tongban(a, "map", "replay", message)["same"]
        moved = changed(tmp_path, 'target = "purpose", source = "yt"', 'target = "purpose", source = "sxmc"')
        found = tongban(a, "map", "replay", message, "--profile", moved, code=1)
        assert [(one["path"], one["kind"]) for one in found["differences"]] == [("body.purpose", "changed")]
        assert found["made_by"].startswith("qiaokou@1#")
        shown = tongban(a, "map", "replay", message, "--profile", moved, "--reveal", "--reason", "核对新方案", code=1)
        assert shown["output"]["body"]["applicant"]["party"]["name"] == PEOPLE[0]
        assert shown["differences"][0]["old"] != shown["differences"][0]["new"]
        assert sm3(_dump(store)) == before


async def test_a_shadow_run_over_real_messages_names_fields_and_refusals(
    a: Running, window: Window, tmp_path: Path
) -> None:
    for _ in range(3):
        assert (await window.hand_in(papers(window))).status == 200
    same = tongban(a, "map", "shadow", "qiaokou")
    assert (same["compared"], same["differ"]) == (3, 0)
    lost = changed(tmp_path, '  { target = "applicant.agent", source = "dlr", use = "person" },\n', "")
    assert tongban(a, "map", "shadow", lost, "--last", "2")["compared"] == 2
    renamed = changed(tmp_path, 'target = "mobile", source = "sjh"', 'target = "mobile", source = "dh"')
    found = tongban(a, "map", "shadow", renamed, code=1)
    assert found["fields"] == {"removed body.applicant.party.mobile": 3}
    stricter = changed(tmp_path, 'source = "bldq", codec = "division:12"', 'source = "bldq", codec = "division:9"')
    refused = tongban(a, "map", "shadow", stricter, code=1)
    assert {one["after"] for one in refused["messages"]} == {"value-form bldq"}
    assert {one["before"] for one in refused["messages"]} == {""}


async def test_a_message_from_before_versions_is_compared_with_what_was_made_then(a: Running, window: Window) -> None:
    message = (await window.hand_in(papers(window))).json["lsh"]
    await a.node.journal.submit(lambda tx: tx.run("UPDATE message SET mapping = '' WHERE id = ?", message))
    assert tongban(a, "map", "replay", message, code=2)["made_by"] == ""
    assert tongban(a, "map", "replay", message, "--profile", "qiaokou")["same"]
    assert tongban(a, "map", "shadow", "qiaokou")["differ"] == 0


async def test_what_was_told_to_a_platform_is_compared_too(places: Any, session: Any, tmp_path: Path) -> None:
    async with running(places.a, places.b) as (a, b):
        window = Window(a, session, json.loads(a.side.platform_config.read_bytes()))
        await window.hand_in(papers(window))
        await until(lambda: b.one("SELECT count(*) FROM message WHERE frozen IS NOT NULL"), 20)
        assert b.one("SELECT mapping FROM message WHERE frozen IS NOT NULL").startswith("honggutan@1#")
        assert set(unpack(b.one("SELECT data FROM mapping"))) == {PROFILE, "honggutan.xsd"}
        assert tongban(b, "map", "shadow", "honggutan")["compared"] == 1
        other = changed(
            tmp_path, 'target = "BJXX.YT", source = "purpose"', 'target = "BJXX.YT", source = "item_name"', "honggutan"
        )
        found = tongban(b, "map", "shadow", other, code=1)
        assert found["fields"] == {"changed BJXX.YT": 1}


async def test_wrong_names_are_told(a: Running) -> None:
    tongban(a, "map", "replay", "0" * 26, code=1)
    config = a.side.folder / "tongban.toml"
    done = CliRunner().invoke(command, ["map", "shadow", "no-such", "--config", str(config)])
    assert done.exit_code == 65


def _dump(store: Path) -> bytes:
    """Every row of cases, messages and the ledger; deliveries go on meanwhile."""
    kept = ("case_file", "case_event", "message", "mapping", "leaf", "idempotency")
    with sqlite3.connect(store) as connection:
        rows = {table: connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in kept}
    return repr(rows).encode()


# --- differences ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [({"a": 1}, {"a": 1}, []), ({"a": 1}, {"a": True}, [("a", "changed")]), ({"a": 1}, {}, [("a", "removed")]),
     ({}, {"a": {"b": 1}}, [("a", "added")]), ([1, 2], [1], [("[1]", "removed")]),
     ({"a": [{"b": 1}]}, {"a": [{"b": 2}]}, [("a[0].b", "changed")]),
     ("x", {"y": 1}, [("", "changed")]), (None, "", [("", "changed")])],
)  # fmt: skip
def test_differences_by_path(old: Any, new: Any, expected: list[tuple[str, str]]) -> None:
    assert [(one.path, one.kind) for one in differences(old, new)] == expected


def test_a_difference_does_not_show_its_values_and_names_that_people_wrote_are_masked() -> None:
    assert "甲" not in repr(Difference("a", "changed", "甲", "乙"))
    assert masked("body.form.张三的地址", frozenset({"body", "form"})) == "body.form.*"
    assert masked("a[3].b", frozenset({"a", "b"})) == "a[3].b"
    assert len(differences(list(range(1000)), [])) == 200
    assert msgspec.json.encode(differences({"a": 1}, {}))

"""``tongban ecert list|status`` and an issuer's acts from the command line, against a running node."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway import config
from gateway.demo import world
from gateway.flow import operators
from gateway.ops.doctor import examine
from gateway.ops.patient import Patient
from signing.sm3 import sm3
from tests.flow.certificates import COMPANY, YEAR, building, content, events, issue, issuing, order, status
from tests.flow.nodes import Running, Window, running
from tests.flow.test_certificates import read

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def a(places: world.World) -> AsyncIterator[Running]:
    issuing(places.a)
    async with running(places.a) as (node,):
        yield node


pytestmark = pytest.mark.processes


async def run(a: Running, *arguments: str, lang: str = "zh_CN") -> tuple[int, str]:
    """The exit code and what was printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.cli", "ecert", arguments[0], "--config", str(a.side.config), *arguments[1:],
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env=os.environ | {"PYTHONPATH": str(ROOT), "LANG": lang},
    )  # fmt: skip
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


async def told(a: Running, *arguments: str, code: int = 0) -> dict[str, Any]:
    """The JSON object."""
    ended, out = await run(a, *arguments, "--json")
    assert ended == code, out
    found: dict[str, Any] = json.loads(out.strip().splitlines()[-1])
    assert COMPANY not in out
    return found


async def test_an_operator_sees_and_changes_what_the_node_issued(a: Running, window: Window) -> None:
    name = (await issue(window))["identifier"]
    seen = await told(a, "status", name)
    assert (seen["status"], seen["check_char"], seen["seal"], seen["reasons"]) == ("valid", "ok", True, [])
    stopped = await told(a, "suspend", name, "--reason", "investigation", "--operator", "li")
    assert (stopped["ok"], stopped["status"]) == (True, "suspended")
    assert (await told(a, "status", name, code=1))["status_code"] == "02"
    again = await told(a, "resume", name, "--reason", "cleared", "--operator", "li")
    assert again["status"] == "valid" and events(a, name)[-1] == ("resume", "", "valid", "cleared", "operator:li")
    assert (await told(a, "revoke", name, "--reason", "not-renewed", code=1))["code"] == "TB-7010"
    assert (await told(a, "revoke", name, "--reason", "fraud"))["status"] == "revoked"
    early = datetime.fromtimestamp(seen["history"][0]["at_ms"] / 1000 + 0.001, UTC).isoformat()
    assert (await told(a, "status", name, "--at", early))["status"] == "valid", "as it stood then"
    assert (await told(a, "status", name, "--at", "2020-01-01", code=1))["code"] == "TB-7001"
    code, words = await run(a, "status", name)
    assert code == 1 and "已撤销" in words and "以欺骗、贿赂等不正当手段取得" in words


async def test_W9_one_permit_is_revoked_reissued_and_annotated(a: Running, window: Window, tmp_path: Path) -> None:
    name = (await issue(window, building()))["identifier"]
    after = await told(a, "revoke", name, "--reason", "not-qualified", "--permit", "zd")
    assert {one["id"]: one["status"] for one in after["permits"]} == {"sg": "valid", "zd": "revoked", "yj": "valid"}
    values, out = tmp_path / "values.json", tmp_path / "copy.ofd"
    values.write_text(json.dumps(building()["content"], ensure_ascii=False))
    second = await told(a, "reissue", name, "--values", str(values), "--reason", "change")
    assert second["version"] == 2 and (await told(a, "status", name, code=1))["status"] == "superseded"
    until = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    arguments = ("--for", "汉川市城管局", "--why", "核对许可", "--until", until, "-o", str(out))
    assert (await told(a, "annotate", second["identifier"], *arguments))["out"] == str(out)
    printed = read(a, out.read_bytes())
    assert printed.annotation is not None and printed.annotation.relying_party == "汉川市城管局"
    assert out.stat().st_mode & 0o777 == 0o600
    by_file = await told(a, "status", str(out))
    assert (by_file["identifier"], by_file["version"]) == (second["identifier"], 2)
    nowhere = ("status", str(out), "--config", str(tmp_path / "none.toml"))
    assert (await told(a, *nowhere, code=2))["reasons"][0]["code"] == "no-register"
    (tmp_path / "no.ofd").write_bytes(b"not an OFD")
    assert (await run(a, "status", str(tmp_path / "no.ofd")))[0] == 65


async def test_a_list_by_standing_and_by_holder(a: Running, window: Window) -> None:
    old = await issue(
        window, order("o", content=content(valid_from="2020-01-01", valid_to="2020-12-31", issued="2020-01-01"))
    )
    new = await issue(window, order("n"))
    assert [one["identifier"] for one in (await told(a, "list"))["certificates"]] == [
        new["identifier"],
        old["identifier"],
    ]
    assert [one["status"] for one in (await told(a, "list", "--status", "expired"))["certificates"]] == ["expired"]
    assert len((await told(a, "list", "--holder", COMPANY, "--type", new["type"]))["certificates"]) == 2
    assert (await told(a, "list", "--holder", "0" * 18))["certificates"] == []
    assert (await run(a, "list", "--status", "bad"))[0] == 64


async def test_without_a_running_node_it_cannot_be_told(a: Running, window: Window) -> None:
    name = (await issue(window))["identifier"]
    text = a.side.config.read_text()
    admin = f'"127.0.0.1:{a.ports["admin"]}"'
    a.side.config.write_text(text.replace(f"admin = {admin}", 'admin = "127.0.0.1:1"'))
    assert (await told(a, "suspend", name, "--reason", "investigation", code=2))["ok"] is None
    assert (await told(a, "list"))["certificates"][0]["identifier"] == name, "reads need none"


async def test_who_only_reaches_the_admin_port_changes_nothing(
    a: Running, window: Window, session: aiohttp.ClientSession
) -> None:
    name = (await issue(window))["identifier"]
    target, body = f"/admin/v1/certificates/{name}/events", b'{"id":"1","event":"revoke","reason":"fraud"}'
    vault, now = a.node.ring.vault(), int(datetime.now(UTC).timestamp() * 1000)
    shown = operators.Call("POST", target, sm3(body))
    good = operators.header(vault, shown, "li", now, secrets.token_hex(16))
    bad = {
        "": "TB-2001",
        good[:-1] + ("0" if good[-1] != "0" else "1"): "TB-2002",
        good.replace("li ", "wang "): "TB-2002",
        operators.header(vault, operators.Call("POST", target, sm3(body + b" ")), "li", now, "a" * 32): "TB-2002",
        operators.header(vault, shown, "li", now - 3_600_000, "a" * 32): "TB-2004",
    }
    for value, code in bad.items():
        async with session.post(a.url("admin", target), data=body, headers={operators.HEADER: value}) as reply:
            assert (reply.status, (await reply.json())["code"]) == (401, code)
    async with session.get(a.url("admin", f"/admin/v1/certificates/{name}/file")) as reply:
        assert reply.status == 401
    assert (await status(window, name))["status"] == "valid"
    async with session.post(a.url("admin", target), data=body, headers={operators.HEADER: good}) as reply:
        assert reply.status == 200
    async with session.post(a.url("admin", target), data=body, headers={operators.HEADER: good}) as reply:
        assert (await reply.json())["code"] == "TB-2005"


def checks(a: Running, days: int = 0) -> dict[str, str]:
    patient = Patient(config.load(a.side.config), a.side.folder, datetime.now(UTC) + timedelta(days=days))
    return {one.name: one.level for one in examine(patient, outside=False) if one.name.startswith("e-certificates")}


async def test_the_doctor_looks_at_templates_stamps_and_terms(a: Running, window: Window) -> None:
    await issue(window)
    assert checks(a) == {
        "e-certificates templates": "ok",
        "e-certificates scan": "warn",
        "e-certificates register": "ok",
    }
    assert checks(a, (YEAR - datetime.now(UTC).date()).days - 5)["e-certificates register"] == "warn"
    (await a.node.journal.submit(lambda tx: tx.run("UPDATE certificate SET state = 'stamping'"))).only()
    assert checks(a, 2)["e-certificates register"] == "fail"
    folder = a.side.folder / "templates"
    folder.mkdir()
    a.side.config.write_text(a.side.config.read_text() + 'templates = "templates"\n')
    assert checks(a)["e-certificates templates"] == "fail"
    (folder / "x.toml").write_text("colour = 1\n")
    assert checks(a)["e-certificates templates"] == "fail"


WITHOUT = {
    "stamp": ('uri = "local:"', 'uri = ""'),
    "page": ('[public]\nurl = "https://zz.example.gov.cn"', "[public]"),
    "a credit code": ('issuer_code = "1', 'issuer_code = "x'),
}


@pytest.mark.parametrize("what", WITHOUT)
def test_a_node_without_stamp_or_page_cannot_be_set_to_issue(places: world.World, what: str) -> None:
    issuing(places.a)
    text = places.a.config.read_text()
    config.parse(text.encode())
    with pytest.raises(config.ConfigError):
        config.parse(text.replace(*WITHOUT[what]).encode())

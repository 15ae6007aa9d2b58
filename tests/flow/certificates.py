"""What tests of certificates share: a node that issues them, and orders as a local platform writes them."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from agreements import samples
from agreements.calendar import china_date
from gateway.demo import world
from signing.sm3 import sm3
from tests.flow.nodes import Reply, Running, Window
from tests.flow.test_intake import proof_holds

WASTE, PERMITS = "TONGBANLAB00000000003", "TONGBANLAB00000000002"
COMPANY = samples.lab_party("420112")[7:]
PAGE = "https://zz.example.gov.cn"
TODAY = china_date(datetime.now(UTC))
YEAR = TODAY + timedelta(days=365)
TRIP = {"CPH": "鄂A00001", "GDMC": "试验工地", "YSLX": "硚口—汉川", "XNCS": "试验消纳场", "HZL": "1000"}
SITE = {"XMMC": "试验楼", "XMDM": "2026-420104-47-01-000001", "JSDZ": "试验大道一百零一号"}


def issuing(side: world.Side, more: str = "") -> None:
    """Let a node issue certificates."""
    own = f'\n[public]\nurl = "{PAGE}"\n\n[certificates]\nissuer_name = "试验城管局"\nissuer_code = "{side.place.party[7:]}"\n'
    side.config.write_text(side.config.read_text() + own + more)


def content(**changes: Any) -> dict[str, Any]:
    """A waste transport permit of one year."""
    holder = {"name": "试验渣土运输有限公司", "code": COMPANY, "code_type": "001"}
    return {
        "holder": holder, "number": "渣运〔2026〕1号", "valid_from": TODAY.isoformat(), "valid_to": YEAR.isoformat(),
        "fields": TRIP, **changes,
    }  # fmt: skip


def order(number: str = "n-1", **changes: Any) -> dict[str, Any]:
    return {"id": number, "type": WASTE, "content": content()} | changes


def building(number: str = "b-1", short: int = 10) -> dict[str, Any]:
    """One certificate with three permits (W9), the last of which ends after ``short`` days."""
    permits = [
        {"id": name, "name": label, "number": f"{name}-1", "valid_from": TODAY.isoformat(), "valid_to": until}
        for name, label, until in (
            ("sg", "施工许可", None), ("zd", "占道许可", YEAR.isoformat()),
            ("yj", "夜间施工许可", (TODAY + timedelta(days=short)).isoformat()),
        )
    ]  # fmt: skip
    return {"id": number, "type": PERMITS, "content": content(fields=SITE, permits=permits, valid_to=None)}


async def say(window: Window, path: str, said: Any, **bend: Any) -> Reply:
    body = said if isinstance(said, bytes) else json.dumps(said, ensure_ascii=False).encode()
    where = f"/platform/v1/certificates{path}"
    return await window.call("POST", where, body, {"content-type": "application/json"}, **bend)


async def issue(window: Window, said: dict[str, Any] | None = None) -> dict[str, Any]:
    reply = await say(window, "", said or order())
    assert reply.status == 200, reply.body
    return reply.json


async def act(window: Window, identifier: str, number: str, event: str, reason: str = "", **more: Any) -> Reply:
    return await say(window, f"/{identifier}/events", {"id": number, "event": event, "reason": reason, **more})


async def status(window: Window, identifier: str) -> dict[str, Any]:
    reply = await window.call("GET", f"/platform/v1/certificates/{identifier}")
    assert reply.status == 200, reply.body
    return reply.json


async def file(window: Window, identifier: str, copy: str = "") -> Reply:
    return await window.call("GET", f"/platform/v1/certificates/{identifier}/file" + (f"?copy={copy}" if copy else ""))


def proved(node: Running, answer: dict[str, Any]) -> dict[str, Any]:
    """Assert that an answer's statement is a leaf of this node's ledger, and a changed one is not; what it says."""
    data = base64.b64decode(answer["statement"])
    assert proof_holds(node, "certificate", answer["act"], sm3(data), answer["receipt"])
    assert not proof_holds(node, "certificate", answer["act"], sm3(data + b" "), answer["receipt"])
    found: dict[str, Any] = json.loads(data)
    return found


def events(node: Running, identifier: str) -> list[tuple[Any, ...]]:
    """A certificate's history: event, permit, state, reason, by whom."""
    return node.rows(
        "SELECT e.event, e.permit, e.state, e.reason, e.by FROM certificate_event e "
        "JOIN certificate c ON c.id = e.certificate WHERE c.identifier = ? ORDER BY e.n", identifier,
    )  # fmt: skip


class Process:
    """``tongban serve`` as a process of its own, seen as a ``Running`` is where a window needs it."""

    def __init__(self, side: world.Side, process: asyncio.subprocess.Process, ports: dict[str, int]) -> None:
        self.side, self.process, self.ports = side, process, ports

    def url(self, listener: str, path: str) -> str:
        return f"http://127.0.0.1:{self.ports[listener]}{path}"

    async def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()


async def serve(side: world.Side) -> Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.cli", "serve", "--config", str(side.config),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert process.stdout is not None
    async with asyncio.timeout(20):
        ready = json.loads(await process.stdout.readline())
    return Process(side, process, {name: port for name, port in ready.items() if isinstance(port, int)})

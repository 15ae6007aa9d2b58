"""One transport permit, three jurisdictions, three gateways as processes (W7): issued, scanned on the way, revoked, stopped."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest

from signing import ecert_data
from signing.ofd import custom as ofd_custom
from signing.ofd import package
from tests.flow import waste
from tests.flow.certificates import PAGE, TRIP, act, file, issue
from tests.flow.nodes import PROVIDER, Running, Window
from tests.flow.waste import PURPOSE, Process
from tests.scan import scan

SCAN = "/platform/v1/certificates/scan"


@pytest.mark.processes
async def test_W7_one_permit_in_three_places(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    key = PROVIDER.generate()
    sides = waste.build(tmp_path, key.public.point.hex())
    settings = {"private_key": f"{key.d:064x}", "app_id": "qk-window", "items": []}

    async with waste.processes(*sides.values()) as running:
        out, through, to = (Window(cast(Running, one), session, settings) for one in running)
        made = await issue(out)
        data = (await file(out, made["identifier"])).body
        qr = ecert_data.read(ofd_custom.custom_data(package.open_package(data))).metadata.url
        assert qr.startswith(PAGE)

        began = time.monotonic()
        for inspector, officer in ((through, "DXH-01"), (to, "HC-07")):
            told = await scanned(inspector, qr, officer)
            assert (told["state"], told["standing"], told["valid"]) == ("answered", "valid", True), told
            shown = {one["name"]: one["value"] for one in told["fields"]}
            assert shown == {
                "ZZBH": "渣运〔2026〕1号",
                "CZZT": "试验渣土运输有限公司",
                "CPH": TRIP["CPH"],
                "YSLX": TRIP["YSLX"],
            }
        seen = await heard(out)
        assert time.monotonic() - began < 30
        assert [(one["officer"], one["by"][:6], one["identifier"]) for one in seen] == [
            ("DXH-01", "420112", made["identifier"]), ("HC-07", "420984", made["identifier"]),
        ]  # fmt: skip
        assert (await page(session, running[0], qr))["verdict"] == "valid"

        assert (await act(out, made["identifier"], "r-1", "revoke", "fraud")).status == 200
        for inspector in (through, to, out):
            told = await scanned(inspector, qr, "Z")
            assert (told["standing"], told["valid"], told["text"]) == ("revoked", False, "已撤销")
        assert (await page(session, running[0], qr))["verdict"] == "revoked"
        assert len(await heard(out)) == 5

    for side in sides.values():
        written = (side.folder / "log").read_bytes()
        assert b"serving" in written
        assert not scan(written, "log", ("试验渣土运输有限公司", TRIP["CPH"], qr.rpartition("/")[2]))


async def scanned(window: Window, qr: str, officer: str) -> dict[str, Any]:
    body = {"qr": qr, "purpose": PURPOSE, "place": "测试路检查点", "officer": officer}
    reply = await window.call("POST", SCAN, json.dumps(body).encode(), {"content-type": "application/json"})
    assert reply.status == 200, reply.body
    return reply.json


async def heard(window: Window) -> list[dict[str, Any]]:
    reply = await window.call("GET", f"{SCAN}s?after=0")
    found: list[dict[str, Any]] = reply.json["scans"]
    return found


async def page(session: aiohttp.ClientSession, issuer: Process, qr: str) -> dict[str, Any]:
    """What anybody sees who scans it."""
    url = issuer.url("public", qr.removeprefix(PAGE))
    async with session.get(url, headers={"Accept": "application/json"}) as answer:
        told: dict[str, Any] = json.loads(await answer.read())
        return told

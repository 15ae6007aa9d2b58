"""The public pages of a running node, and the same from a snapshot on a machine that has nothing else (G2)."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from gateway.core.ecert import State
from gateway.demo import world
from tests.flow import issuing
from tests.flow.nodes import Running, running
from tests.scan import scan, scan_files
from tests.unit.public.shown import NAME, NUMBER, metadata

JSON = {"Accept": "application/json"}


@pytest.fixture
async def node(places: world.World) -> AsyncIterator[Running]:
    issuing.with_public(places.a)
    async with running(places.a) as (one,):
        yield one


async def scanned(session: aiohttp.ClientSession, url: str) -> dict[str, object]:
    async with session.get(url, headers=JSON) as answer:
        told: dict[str, object] = json.loads(await answer.read())
        return told


async def test_a_page_shows_what_was_done_a_moment_ago(node: Running, session: aiohttp.ClientSession) -> None:
    journal, vault = node.node.journal, node.node.desk.vault
    certificate, token = await issuing.put(journal, vault, metadata())
    url = node.url("public", f"/v/{token}")
    assert (await scanned(session, url))["verdict"] == "valid"
    await issuing.move(journal, certificate, State.REVOKED, "2")
    told = await scanned(session, url)
    assert told["verdict"] == "lapsed"
    assert [one["status"] for one in told["certificate"]["permits"]] == ["expired", "revoked"]  # type: ignore[index]
    await issuing.move(journal, certificate, State.SUSPENDED)
    assert (await scanned(session, url))["verdict"] == "suspended"
    await issuing.move(journal, certificate, State.STAMPING)
    assert (await scanned(session, url))["verdict"] == "unknown", "nobody has been handed one that has no stamp yet"


async def test_nothing_is_listened_on_unless_it_is_asked_for(a: Running) -> None:
    assert "public" not in a.ports


async def test_P01_P02_who_scans_what_leaves_no_trace(
    log_file: Path, node: Running, session: aiohttp.ClientSession
) -> None:
    _, token = await issuing.put(node.node.journal, node.node.desk.vault, metadata())
    for path in (f"/v/{token}", f"/v/{token}x", f"/v/{NUMBER}", "/v/;"):
        async with session.get(node.url("public", path)) as answer:
            body = await answer.read()
            assert not scan(body + repr(answer.headers).encode(), "page", (NAME, NUMBER, token))
    async with session.get(node.url("admin", "/metrics")) as answer:
        figures = await answer.text()
    assert 'listener="public",status="404"' in figures
    written = figures + log_file.read_text()
    assert token not in written
    assert not scan(written.encode(), "log", (NAME, NUMBER))
    assert not list(scan_files([issuing.store(node.side)], (NAME, NUMBER, token)))


# --- alone, on a machine of a DMZ ------------------------------------------------------------------------------------


async def tongban(*arguments: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.cli", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


@pytest.mark.processes
async def test_G2_a_dmz_serves_the_pages_without_keys_or_store(
    node: Running, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    journal, vault = node.node.journal, node.node.desk.vault
    certificate, token = await issuing.put(journal, vault, metadata())
    dmz = tmp_path / "dmz"
    dmz.mkdir()
    file, card = dmz / "status", dmz / "card.json"
    shutil.copy(node.side.folder / "card.json", card)
    fingerprint = (node.side.folder / "fingerprint").read_text()
    make = ("public", "snapshot", "-o", str(file), "--config", str(node.side.config), "--json")
    serve = ("public", "serve", "--snapshot", str(file), "--card", str(card), "--listen", "127.0.0.1:0")
    assert (await tongban(*serve, "--fingerprint", fingerprint))[0] == 65, "there is none yet"
    code, out, err = await tongban(*make)
    assert (code, json.loads(out)["entries"]) == (0, 1), err
    assert (await tongban(*serve, "--fingerprint", "0" * 32))[0] == 1, "another identity"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.cli", *serve, "--fingerprint", fingerprint, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        url = f"http://127.0.0.1:{json.loads(await process.stdout.readline())['public']}/v/"
        told = await scanned(session, url + token)
        assert (told["verdict"], told["stale"], told["sample"]) == ("valid", False, True)
        await issuing.move(journal, certificate, State.REVOKED)
        assert (await tongban(*make))[0] == 0
        async with asyncio.timeout(5):
            while (await scanned(session, url + token))["verdict"] != "revoked":
                await asyncio.sleep(0.1)
        assert (await scanned(session, url + "x"))["verdict"] == "unknown"
    finally:
        process.terminate()
        await process.wait()
    assert sorted(one.name for one in dmz.iterdir()) == ["card.json", "status"]
    assert not scan(file.read_bytes(), "snapshot", (NAME, NUMBER, token))

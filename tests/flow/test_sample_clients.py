"""The sample clients of docs/clients, as processes, against a real gateway's door: each scheme, taken and refused."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.demo import world
from signing.keys import private_to_pem
from tests.contract import bouncy_castle
from tests.flow.nodes import PROVIDER, Running, Window, running
from tests.flow.test_signed_schemes import BODY_KEY, SECRET, Hall, behind

pytestmark = pytest.mark.processes

CLIENTS = Path(__file__).resolve().parents[2] / "docs" / "clients"
PROFILES = {"sm2": "qiaokou", "hmac": "wuhan", "tif": "hubei", "jwt": "yueyang", "yibao": "xiamen_yibao"}
SLOW = pytest.mark.long


def command(client: str) -> list[str]:
    """How it is started; a skip that names what is missing."""
    if client == "python":
        return [sys.executable, "-I", str(CLIENTS / "client.py")]
    if client == "java":
        return bouncy_castle.command(CLIENTS / "Client.java")
    for tool in ("bash", "curl", "openssl"):
        if shutil.which(tool) is None:
            pytest.skip(f"no {tool} is installed")
    return ["bash", str(CLIENTS / "client.sh")]


CASES = [
    *[pytest.param("python", scheme) for scheme in PROFILES],
    *[
        pytest.param("shell", scheme, marks=[] if scheme in ("sm2", "hmac") else SLOW)
        for scheme in PROFILES
        if scheme != "yibao"
    ],
    *[pytest.param("java", scheme, marks=[] if scheme == "sm2" else SLOW) for scheme in PROFILES],
]


async def run(client: str, folder: Path, settings: dict[str, str], *arguments: str) -> tuple[int, list[str]]:
    """Exit code and lines of one call. Only what it needs is in its environment."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TONGBAN_BCPROV_JAR") if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        *command(client),
        *arguments,
        env=kept | settings,
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 120)
    assert not err or client == "java", err.decode()
    return process.returncode or 0, out.decode().splitlines()


def settings_of(a: Running, scheme: str, folder: Path, known: dict[str, Any]) -> dict[str, str]:
    """The files and variables that docs/clients/README.md names."""
    private = PROVIDER.load(int(known["private_key"], 16))
    (folder / "key.pem").write_bytes(private_to_pem(private, None))
    (folder / "secret").write_text(SECRET + "\n", "utf-8")
    (folder / "body.key").write_text(BODY_KEY, "utf-8")
    return {
        "TB_SCHEME": scheme, "TB_GATEWAY": a.url("platform", ""), "TB_APP": known["app_id"], "TB_KEY_FILE": "key.pem",
        "TB_SECRET_FILE": "secret", "TB_BODY_KEY_FILE": "body.key",
    }  # fmt: skip


@pytest.mark.parametrize(("client", "scheme"), CASES)
async def test_a_sample_client_hands_a_case_in_and_asks_about_it(
    client: str, scheme: str, places: world.World, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    name, folder = PROFILES[scheme], tmp_path / "client"
    folder.mkdir()
    known = behind(places.a, name) if scheme != "sm2" else json.loads(places.a.platform_config.read_bytes())
    async with running(places.a) as (a,):
        case, number = papers(a, session, known, scheme)
        (folder / "case.json").write_text(case, "utf-8")
        settings = settings_of(a, scheme, folder, known)
        code, said = await run(client, folder, settings, "POST", "/platform/v1/cases", "case.json")
        assert (code, said[0]) == (0, "200"), said
        assert json.loads(said[1])
        assert a.one("SELECT count(*) FROM case_file") == 1
        if client == "java":
            return
        code, said = await run(client, folder, settings, "GET", f"/platform/v1/cases/{number}")
        assert (code, said[0], json.loads(said[1])["case_number"]) == (0, "200", number)
        code, said = await run(client, folder, settings, "GET", "/platform/v1/certificates/scans?wait=0&after=0")
        assert (code, said[0], json.loads(said[1])["scans"]) == (0, "200", [])
        (folder / "secret").write_text("another secret that nobody has given out", "utf-8")
        (folder / "key.pem").write_bytes(private_to_pem(PROVIDER.generate(), None))
        code, said = await run(client, folder, settings, "GET", f"/platform/v1/cases/{number}")
        assert (code, said[0], json.loads(said[1])["code"]) == (1, "401", "TB-2002")


def papers(a: Running, session: aiohttp.ClientSession, known: dict[str, Any], scheme: str) -> tuple[str, str]:
    """An application in the platform's words, and its number."""
    if scheme == "sm2":
        message = Window(a, session, known).papers()
        return json.dumps(message, ensure_ascii=False), message["bjbh"]
    hall = Hall(a, session, known)
    message = hall.case(1)
    return json.dumps(message, ensure_ascii=False), message[hall.words.names["case"]]

"""A case whose handling place is reached by a front-exchange database, or a shared folder: two real gateways, and a city that
only knows tables, or files."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import asyncssh
import pytest

from gateway import config
from gateway.demo import world
from gateway.ops import reach_checks
from gateway.ops.patient import Patient
from tests.contract import front_servers, front_support
from tests.contract.sftp_support import openssh
from tests.flow.nodes import PLATFORMS, Window, running, until

assert PLATFORMS
import file_hall  # noqa: E402  (nodes puts the simulators on the path)
import front_hall  # noqa: E402


def behind(side: world.Side, profile: str, url: str, more: str = "") -> None:
    """The same node with another platform."""
    text = side.config.read_text("utf-8")
    address = next(line for line in text.splitlines() if line.startswith("base_url") and "/soap" in line)
    text = text.replace(address, f'base_url = "{url}"\n{more}')
    side.config.write_text(text.replace('profile = "honggutan"', f'profile = "{profile}"'), "utf-8")


async def test_a_case_goes_through_a_front_database_and_its_acts_come_back(
    places: world.World, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    database = tmp_path / "front.db"
    hall = front_hall.Hall(str(database))
    hall.clock = front_hall.datetime.now(front_hall.BEIJING)
    behind(places.b, "fujian_front", f"sqlite://{database}")
    async with running(places.a, places.b) as (a, b):
        window = Window(a, session, json.loads(a.side.platform_config.read_bytes()))
        case = (await window.hand_in(window.papers())).json["tbbh"]
        await until(lambda: hall.work(), 20)

        def state(node: Any) -> str:
            return str(node.one("SELECT state FROM case_file WHERE id = ?", case))

        await until(lambda: state(a) == state(b) == "granted", 20)
        events = [row[0] for row in a.rows("SELECT event FROM case_event WHERE case_id = ? ORDER BY n", case)]
        assert events[-3:] == ["accept", "step", "decide_grant"]
        kept = b.rows("SELECT mapping FROM message WHERE direction = 'out' AND original IS NOT NULL")
        assert {row[0].partition("@")[0] for row in kept} == {"fujian_front"} and len(kept) == 3
        poison = hall.row("80", "<Case/>")
        later = hall.step("no-such-case")
        await until(lambda: hall.answer_of(later), 10)
        assert (hall.answer_of(poison) or ("",))[0] == "9"
        assert "TB-5001" in (hall.answer_of(later) or ("", ""))[1]


def seen(side: world.Side) -> tuple[str, str]:
    """What the doctor says of the platform."""
    patient = Patient(config.load(side.config), side.folder, datetime.now(UTC))
    [found] = reach_checks.platform(patient, 0)
    return found.level, f"{found.zh} {found.en}"


async def test_a_case_goes_through_a_postgresql_once_the_doctor_is_content(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    server = await asyncio.to_thread(front_servers.postgres)
    try:
        place = await asyncio.to_thread(front_support.on_server, server)
        behind(places.b, "fujian_front", place.url, 'secrets = { password = { file = "front.password" } }')
        password = places.b.folder / "front.password"
        password.write_text("WRONG\n", "utf-8")
        level, said = await asyncio.to_thread(seen, places.b)
        assert level == "fail" and "28P01" in said and "数据库拒绝登录" in said and "WRONG" not in said
        password.write_text(f"{front_servers.PASSWORD}\n", "utf-8")
        assert (await asyncio.to_thread(seen, places.b))[0] == "ok"
        hall = place.hall()
        hall.clock = front_hall.datetime.now(front_hall.BEIJING)
        async with running(places.a, places.b) as (a, b):
            window = Window(a, session, json.loads(a.side.platform_config.read_bytes()))
            case = (await window.hand_in(window.papers())).json["tbbh"]
            await until(lambda: hall.work(), 20)
            await until(lambda: a.one("SELECT state FROM case_file WHERE id = ?", case) == "granted", 20)
            kept = b.rows("SELECT mapping FROM message WHERE direction = 'out' AND original IS NOT NULL")
            assert {row[0].partition("@")[0] for row in kept} == {"fujian_front"} and len(kept) == 3
        place.store.close()
    finally:
        await asyncio.to_thread(server.stop)


async def test_a_case_goes_through_a_shared_folder_and_its_acts_come_back(
    places: world.World, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    hall = file_hall.Hall(tmp_path / "files")
    behind(places.b, "hanzhong_files", f"file://{tmp_path / 'files'}")
    async with running(places.a, places.b) as (a, b):
        window = Window(a, session, json.loads(a.side.platform_config.read_bytes()))
        case = (await window.hand_in(window.papers())).json["tbbh"]
        await until(lambda: hall.work(), 20)
        await until(lambda: a.one("SELECT state FROM case_file WHERE id = ?", case) == "granted", 20)
        kept = b.rows("SELECT mapping FROM message WHERE direction = 'out' AND original IS NOT NULL")
        assert {row[0].partition("@")[0] for row in kept} == {"hanzhong_files"} and len(kept) == 3
        later = hall.step("no-such-case")
        await until(lambda: hall.answer_of(later), 10)
        assert hall.answer_of(later)[1]["jg"] == "TB-5001"  # type: ignore[index]


@pytest.mark.long
@pytest.mark.processes
async def test_a_case_goes_over_sftp_once_the_doctor_is_content_and_a_cut_line_is_taken_up_again(
    places: world.World, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    hall = file_hall.Hall(tmp_path / "files")
    async with openssh(tmp_path / "server") as server:
        key = places.b.folder / "hall.key"
        key.write_bytes(asyncssh.generate_private_key("ssh-ed25519").export_private_key())
        login = f'host_keys = ["{server.host_key}"]\nsecrets = {{ key = {{ file = "hall.key" }} }}'
        behind(places.b, "hanzhong_files", server.url(tmp_path / "files"), login)
        level, said = await asyncio.to_thread(seen, places.b)
        assert level == "fail" and "登录被拒绝" in said and "login-refused" in said
        key.write_bytes(server.key)
        assert (await asyncio.to_thread(seen, places.b))[0] == "ok"
        async with running(places.a, places.b) as (a, b):
            window = Window(a, session, json.loads(a.side.platform_config.read_bytes()))
            case = (await window.hand_in(window.papers())).json["tbbh"]
            await until(lambda: hall.work(), 60)
            server.cut()
            await until(lambda: a.one("SELECT state FROM case_file WHERE id = ?", case) == "granted", 60)
            kept = b.rows("SELECT mapping FROM message WHERE direction = 'out' AND original IS NOT NULL")
            assert {row[0].partition("@")[0] for row in kept} == {"hanzhong_files"} and len(kept) == 3

"""Platforms of other schemes at the door of a real gateway: a case taken once, every replay refused, also after a restart."""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.demo import world
from gateway.flow import casefile, post
from tests.flow.nodes import PLATFORMS, Reply, Running, running

assert PLATFORMS
import signed_hall_words  # noqa: E402  (nodes puts the simulators on the path)
from signed_speech import SPEECHES  # noqa: E402

SECRET, BODY_KEY = "flow-secret-that-opens-nothing-000004", "3c" * 16
NAMES = ["hubei", "wuhan", "yueyang", "xiamen_yibao"]


def behind(side: world.Side, name: str) -> dict[str, Any]:
    """The same node with another platform; what that platform has to know."""
    settings: dict[str, Any] = json.loads(side.platform_config.read_bytes())
    (side.folder / "hall.secret").write_text(SECRET + "\n", "utf-8")
    (side.folder / "hall.key").write_text(BODY_KEY, "utf-8")
    kept = 'app_id = "hall"\nsecrets = { secret = { file = "hall.secret" }, body_key = { file = "hall.key" } }'
    text = side.config.read_text("utf-8").replace('profile = "qiaokou"', f'profile = "{name}"')
    side.config.write_text(text.replace('app_id = "qk-window"', kept), "utf-8")
    return settings | {
        "platform": name,
        "app_id": "hall",
        "gateway_app_id": "tongban",
        "secret": SECRET,
        "body_key": BODY_KEY,
    }


class Hall:
    """The platform: requests proved as the simulator does it, which can be sent again as they are."""

    def __init__(self, gateway: Running, session: aiohttp.ClientSession, settings: dict[str, Any]) -> None:
        self.gateway, self.session, self.settings = gateway, session, settings
        self.words = signed_hall_words.WORDS[settings["platform"]]
        self.speech = SPEECHES[settings["platform"]](settings)

    def request(self, method: str, path: str, body: bytes = b"") -> dict[str, Any]:
        now_ms = time.time_ns() // 1_000_000
        headers = {"host": f"127.0.0.1:{self.gateway.ports['platform']}"} | (
            {"content-type": "application/json"} if body else {}
        )
        sent = self.speech.close(body, now_ms) if method == "POST" else body
        headers |= self.speech.prove(method, path, headers, sent, now_ms, secrets.token_hex(16))
        return {"method": method, "url": self.gateway.url("platform", path), "data": sent or None, "headers": headers}

    async def send(self, request: dict[str, Any]) -> Reply:
        async with self.session.request(**request) as answer:
            return Reply(answer.status, dict(answer.headers), await answer.read())

    def case(self, number: int) -> dict[str, Any]:
        """A sound application of an agreed item."""
        message = signed_hall_words.application(self.words, self.settings, number, 1000)[0]
        body, names = message[self.words.names["body"]], self.words.names
        body[names["item"]] = self.settings["items"][0]["code"]
        body[names["materials"]] = []
        return dict(message)

    def posted(self, number: int) -> dict[str, Any]:
        return self.request("POST", "/platform/v1/cases", json.dumps(self.case(number), ensure_ascii=False).encode())


def original(a: Running, number: str) -> bytes:
    """What is kept of the platform's message: what it said, not the envelope that it came in."""
    vault, case = a.node.desk.vault, casefile.find(a.node.journal.read(), "window", number)
    assert case is not None
    ((message, sealed),) = a.rows("SELECT id, original FROM message WHERE case_id = ?", case.id)
    return bytes(vault.open(vault.unwrap(case.wrapped_key), sealed, post.original_label(message)))


async def refused_again(hall: Hall, requests: list[dict[str, Any]]) -> None:
    """J11: each of them was good once."""
    for request in requests:
        reply = await hall.send(request)
        assert reply.status == 409, (request["method"], reply)
        if reply.body:
            assert reply.json["code"] == "TB-2005"


@pytest.mark.parametrize("name", NAMES)
async def test_J11_a_case_is_taken_and_every_replay_refused(
    name: str, places: world.World, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """In the same process, by another connection at the same time, after a restart, and from a copy of the store."""
    settings = behind(places.a, name)
    async with running(places.a) as (a,):
        hall = Hall(a, session, settings)
        first = hall.posted(1)
        reply = await hall.send(first)
        assert reply.status == 200, reply.body
        case = reply.json
        assert hall.words.said.items() <= case.items() and case[hall.words.receipt]
        number = hall.case(1)[hall.words.names["case"]]
        kept = json.loads(original(a, number))
        assert kept.keys() == hall.case(1).keys() and kept[hall.words.names["case"]] == number
        asked = hall.request("GET", f"/platform/v1/cases/{number}")
        looked = hall.request("HEAD", f"/platform/v1/materials/{'0' * 64}")
        assert (await hall.send(asked)).json["case_number"] == number
        assert (await hall.send(looked)).status == 200
        await refused_again(hall, [first, asked, looked])
        second = hall.posted(2)
        replies = await asyncio.gather(*(hall.send(second) for _ in range(10)))
        assert sorted(reply.status for reply in replies) == [200] + [409] * 9
        assert a.one("SELECT count(*) FROM case_file") == 2
    if name != "yueyang":
        return
    copied = replace(places.a, folder=Path(shutil.copytree(places.a.folder, tmp_path / "other")))
    for side in (places.a, copied):
        async with running(side) as (again,):
            await refused_again(Hall(again, session, settings), [first, asked, second])


@pytest.mark.parametrize("name", NAMES)
async def test_what_is_not_proved_is_refused_and_leaves_nothing(
    name: str, places: world.World, session: aiohttp.ClientSession
) -> None:
    settings = behind(places.a, name)
    async with running(places.a) as (a,):
        hall, stranger = (
            Hall(a, session, settings),
            Hall(a, session, settings | {"secret": "x" * 40, "private_key": "17" * 32}),
        )
        bare = hall.posted(1)
        bare["headers"] = {"host": bare["headers"]["host"]}
        (await hall.send(bare)).refused("TB-2001", 401)
        (await hall.send(stranger.posted(1))).refused("TB-2002", 401)
        moved = hall.posted(1)
        moved["url"] = a.url("platform", "/platform/v1/cases/1/events")
        (await hall.send(moved)).refused("TB-2002", 401)
        nobody = Hall(a, session, settings | {"app_id": "nobody"})
        (await hall.send(nobody.posted(1))).refused("TB-2003", 401)
        long = hall.posted(1)
        last = list(long["headers"])[-1]
        long["headers"][last] = "Bearer " + "A." * (1 << 20)
        async with session.request(**long) as answer:  # J15: not even a proof is looked at
            assert answer.status in (400, 401, 431)
        if name == "xiamen_yibao":  # its headers right, its body in the clear
            clear = json.dumps(hall.case(1)).encode()
            path, headers = "/platform/v1/cases", {"host": bare["headers"]["host"], "content-type": "application/json"}
            proof = hall.speech.prove("POST", path, headers, clear, time.time_ns() // 1_000_000, secrets.token_hex(16))
            sent = {"method": "POST", "url": a.url("platform", path), "data": clear, "headers": headers | proof}
            (await hall.send(sent)).refused("TB-2002", 401)
        for table in ("case_file", "message", "nonce"):
            assert a.one(f"SELECT count(*) FROM {table}") == 0
        assert (await hall.send(hall.posted(1))).status == 200

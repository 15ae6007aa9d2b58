"""The door of a running node for platforms that call by their own paths: who may, what is refused, whose files these are."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from gateway.demo import world
from gateway.demo.platforms import simkit
from tests.contract.platform_support import site
from tests.flow.nodes import Running, running
from tests.flow.test_union import OURS, THEIRS, at, becomes_city, project

OTHER = "token-of-another-city-01"
PAPER = simkit.pdf("PAPER", 300_000)


class Caller:
    """A city that calls by hand."""

    def __init__(self, node: Running, session: aiohttp.ClientSession, settings: dict[str, Any]) -> None:
        self.node, self.session, self.settings = node, session, settings

    async def call(
        self,
        name: str,
        body: Any,
        platform: str = "city",
        token: str | None = THEIRS,
        method: str = "POST",
        **more: Any,
    ) -> tuple[int, Any, dict[str, str]]:
        """Status, body, headers."""
        url = self.node.url("platform", f"/platform/v1/union/{platform}/rest/unionProject/{name}")
        data = body if isinstance(body, bytes | None) else json.dumps(body, ensure_ascii=False).encode()
        headers = {**({} if token is None else {"token": token}), **more}
        async with self.session.request(method, url, data=data, headers=headers) as reply:
            said = await reply.read()
            plain = json.loads(said) if "json" in reply.headers.get("Content-Type", "") else said
            return reply.status, plain, dict(reply.headers)

    async def collect(self, **changes: Any) -> Any:
        """Push a case without papers."""
        params = {**project(self.settings), "materiallist": [], **changes}
        return (await self.call("pushProject", {"params": params}))[1]["custom"]

    async def get(
        self, guid: str, platform: str = "city", token: str = THEIRS, **more: Any
    ) -> tuple[int, Any, dict[str, str]]:
        return await self.call(f"getAttach?attachguid={guid}", None, platform, token, "GET", **more)

    async def listed(self, number: str, platform: str = "city", token: str = THEIRS) -> Any:
        asked = {"params": {"projectguid": number}}
        return (await self.call("getMaterialDetail", asked, platform, token))[1]["custom"]


async def _detail(request: web.Request) -> web.Response:
    files = [{"filename": "申请书.pdf", "length": len(PAPER), "attachguid": "G1"}]
    return web.json_response({"status": {"code": 1}, "custom": {"code": 1, "filelist": files}})


async def _attach(request: web.Request) -> web.Response:
    return web.Response(body=PAPER)


@pytest.fixture
async def caller(places: world.World, session: aiohttp.ClientSession) -> AsyncIterator[Caller]:
    """A node with two cities, each with one paper."""
    becomes_city(places.a)
    papers = web.Application()
    papers.router.add_post("/rest/unionProject/getMaterialDetail", _detail)
    papers.router.add_get("/rest/unionProject/getAttach", _attach)
    (places.a.folder / "other.txt").write_text(OTHER)
    text = places.a.config.read_text("utf-8")
    second = (
        '\n[[platform]]\nid = "second"\nprofile = "zhengzhou"\nbase_url = "http://127.0.0.1:9"\n'
        'secrets = { token = { file = "token.txt" }, their_token = { file = "other.txt" } }\n'
    )
    places.a.config.write_text(text + second, "utf-8")
    settings = json.loads(Path(places.a.platform_config).read_bytes())
    async with site(papers) as url:
        at(places.a, url)
        async with running(places.a, deliver=False) as (node,):
            yield Caller(node, session, settings)


async def test_A_nobody_is_let_in_without_the_token_of_that_very_platform(caller: Caller) -> None:
    """J04: whoever fails hears the same, also of a platform that is not there."""
    asked = {"params": {"projectguid": "1"}}
    heard = []
    tried: list[tuple[str, str | None]] = [
        ("city", None), ("city", ""), ("city", "x"), ("city", OURS), ("city", OTHER), ("nowhere", THEIRS), ("city", THEIRS + " "),
    ]  # fmt: skip
    for platform, token in tried[:-1]:
        status, said, _ = await caller.call("getMaterialDetail", asked, platform, token)
        heard.append((status, {key: value for key, value in said.items() if key != "trace_id"}))
    assert all(one == heard[0] for one in heard) and heard[0][0] == 401
    url = caller.node.url("platform", "/platform/v1/union/city/rest/unionProject/getMaterialDetail")
    twice = [("token", THEIRS), ("token", THEIRS)]
    async with caller.session.post(url, json=asked, headers=twice) as reply:
        assert reply.status == 401, "two tokens are none"
    assert (await caller.call("getMaterialDetail", asked))[0] == 200


async def test_paths_that_are_none(caller: Caller) -> None:
    for name, method in (("getPushState", "POST"), ("nothing", "POST"), ("getAttach", "GET"), ("pushProject", "GET")):
        assert (await caller.call(name, {"params": {}} if method == "POST" else None, method=method))[0] == 404
    status, _, _ = await caller.call("getAttach?attachguid=a&attachguid=b", None, method="GET")
    assert status == 404


ROWS: list[tuple[str, bytes, str]] = [
    ("N01 a key twice", b'{"params":{"rowguid":"1","rowguid":"2"}}', "TB-1003"),
    ("N01 a key twice outside", b'{"params":{},"params":{}}', "TB-1003"),
    ("N02 NaN", b'{"params":{"rowguid":NaN}}', "TB-1003"), ("N02 beyond", b'{"params":{"a":1e999}}', "TB-1003"),
    ("N02 minus zero", b'{"params":{"a":-0}}', "TB-1003"), ("N02 many digits", b'{"params":{"a":' + b"9" * 5000 + b"}}", "TB-1003"),
    ("N03 deep", b'{"params":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "TB-1003"),
    ("N04 a lone surrogate", b'{"params":{"rowguid":"\\ud800"}}', ""), ("N04 NUL", b'{"params":{"rowguid":"a\\u0000"}}', ""),
    ("N04 a mark", b'\xef\xbb\xbf{"params":{}}', ""), ("N04 UTF-16", '{"params":{}}'.encode("utf-16"), ""),
    ("N04 overlong", b'{"params":{"rowguid":"\xc0\xaf"}}', ""), ("N04 a record separator", b'{"params":{}}\x1e[]', ""),
    ("N05 more", b'{"params":{}}{}', "TB-1003"), ("N05 a comment", b'{"params":{}/**/}', "TB-1003"),
    ("N05 quotes", b"{'params':{}}", "TB-1003"), ("N05 a comma", b'{"params":{},}', "TB-1003"), ("N05 nothing", b"", "TB-1003"),
    ("N07 a list", b"[]", ""), ("N07 params a list", b'{"params":[]}', ""), ("N07 null", b'{"params":null}', ""),
    ("N07 a number for an id", b'{"params":{"rowguid":1,"projectguid":"1"}}', ""),
    ("N07 materials a word", b'{"params":{"rowguid":"1","projectguid":"1","materiallist":"x"}}', ""),
    ("N08 names of other worlds", b'{"__proto__":{"params":{}},"constructor":1,"$ref":"#"}', ""),
]  # fmt: skip


async def test_N_what_is_no_clean_message_is_refused_in_the_familys_words(caller: Caller) -> None:
    for name, body, code in ROWS:
        status, said, _ = await caller.call("pushProject", body)
        assert status == 200 and said["custom"]["code"] == 0, name
        assert said["custom"]["errcode"].startswith(code or "TB-") and said["custom"]["text"], name
    keys = json.dumps({"params": {f"k{number}": 1 for number in range(60_000)}}).encode()
    assert (await caller.call("pushProject", keys))[1]["custom"]["code"] == 0, "N06"
    big = b'{"params":{"rowguid":"' + b"a" * (2 << 20) + b'"}}'
    # who is refused for the length that it states may be cut off while it still sends: last, for its connection is gone
    with suppress(aiohttp.ClientError):
        assert (await caller.call("pushProject", big))[0] == 413, "N06"
    assert caller.node.one("SELECT count(*) FROM case_file") == 0


async def test_N09_what_no_rule_reads_does_not_pass_and_our_own_words_are_not_believed(caller: Caller) -> None:
    forged = [
        {"@id": "x", "@name": "a.pdf", "@size": 10, "@sm3": "0" * 64, "@ending": "pdf", "taskmaterialname": "章程"}
    ]
    said = await caller.collect(**{"@files": forged, "extra": "EXTRA", "__proto__": {"a": 1}})
    assert said["code"] == 1
    assert caller.node.one("SELECT parts FROM message WHERE type = 'application'") == b"[]"


async def test_C_the_same_case_twice_is_one_and_another_under_its_number_is_refused(caller: Caller) -> None:
    first, again = await caller.collect(), await caller.collect()
    assert (first["code"], first["taskguid"]) == (1, again["taskguid"])
    other = await caller.collect(applyername="测试乙")
    assert (other["code"], other["errcode"]) == (0, "TB-5003")
    refused = await caller.collect(projectguid="4101002026112000009", task_id="360113-9999")
    assert refused["code"] == 0 and refused["errcode"].startswith("TB-4")
    assert "测试甲" not in json.dumps(refused, ensure_ascii=False)


async def test_A06_a_file_is_given_to_the_platform_of_its_case_alone(caller: Caller) -> None:
    material = {"taskmaterialguid": "M1", "taskmaterialname": "申请书"}
    assert (await caller.collect(materiallist=[material]))["code"] == 1
    number = project(caller.settings)["projectguid"]
    (one,) = (await caller.listed(number))["filelist"]
    assert (one["filename"], one["length"]) == ("申请书.pdf", len(PAPER)) and len(one["attachguid"]) == 64
    assert (await caller.listed(number))["filelist"] == [one], "it has one name"
    guid = one["attachguid"]
    status, content, headers = await caller.get(guid)
    assert (status, content, headers["Content-Length"]) == (200, PAPER, str(len(PAPER)))
    status, content, headers = await caller.get(guid, Range="bytes=299000-")
    assert (status, content, headers["Content-Range"]) == (
        206,
        PAPER[299_000:],
        f"bytes 299000-{len(PAPER) - 1}/{len(PAPER)}",
    )
    assert (await caller.get(guid, Range="bytes=300000-"))[0] == 416
    foreign = await caller.get(guid, "second", OTHER)
    absent = await caller.get("0" * 64, "second", OTHER)
    assert foreign[0] == absent[0] == 404
    assert {**foreign[1], "trace_id": ""} == {**absent[1], "trace_id": ""}, "another's file is no file"
    for bad in ("", "x", guid.upper(), guid + "0", simkit.sm3(PAPER).hex()):
        assert (await caller.get(bad))[0] == 404, bad
    mine, theirs = await caller.listed("nowhere", "second", OTHER), await caller.listed(number, "second", OTHER)
    assert {**mine, "traceid": ""} == {**theirs, "traceid": ""} and theirs["errcode"] == "TB-5001"

"""suds and npm soap as clients of our doors, and npm soap as the server that our channels call."""

from __future__ import annotations

import asyncio
import json
import sys
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web

from adapters import samples
from adapters.base import Accepted, NotThere, Refused
from adapters.soap.translate import Words
from adapters.soap.wsdl import Described, build_wsdl
from schemas.xml import parse_text
from tests.contract import foreign_packages as foreign
from tests.contract.platform_support import Door, site
from tests.unit.adapters.support import LICENCE, OUR_LICENCE, OUR_UNIT, UNIT, XSD, open_test, profile
from tests.unit.adapters.test_package import SLXX, TEN, opened, package
from tests.unit.adapters.test_package import request as record_of

pytestmark = pytest.mark.processes
NS = "urn:tongban:sample:honggutan:v1"
HEADER = {"name": "JQXX", "namespace": NS, "values": {"DWBM": UNIT, "XKZ": LICENCE}}
HEAD = {"LSH": "Z1", "TBBH": "420104.X/1", "YWLSH": "HGT1"}
STEP = {"BWT": HEAD, "HJMC": "审查", "RY": "测试员", "YJ": "好", "SJ": "2026-01-01T09:30:00"}


async def run(command: list[str], order: dict[str, Any], **environment: str) -> list[Any]:
    """What a foreign client says to an order."""
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", **environment},
    )  # fmt: skip
    out, error = await process.communicate(json.dumps(order).encode())
    assert process.returncode == 0, error.decode()[-2000:]
    said: list[Any] = json.loads(out)
    return said


@pytest.fixture(scope="session")
def npm() -> dict[str, str]:
    try:
        return {"NODE_PATH": str(foreign.node_modules(foreign.NPM_SOAP))}
    except foreign.Missing as missing:
        pytest.skip(f"npm soap: {missing}")


@pytest.fixture(scope="session")
def suds() -> dict[str, str]:
    try:
        return {"PYTHONPATH": str(foreign.suds())}
    except foreign.Missing as missing:
        pytest.skip(f"suds: {missing}")


@asynccontextmanager
async def doorway(door: Door) -> AsyncIterator[str]:
    """The address of a door's WSDL."""
    app = web.Application(client_max_size=1 << 24)
    app.router.add_post("/soap", door.post)
    app.router.add_get("/soap", door.get)
    async with site(app) as base:
        door.url = f"{base}/soap"
        yield f"{door.url}?wsdl"


SUDS = [sys.executable, str(foreign.SUDS / "client.py")]
NPM = ["node", str(foreign.NPM_SOAP / "client.js")]


async def test_suds_reports_a_step_and_reads_a_refusal(suds: dict[str, str]) -> None:
    door = Door()
    async with doorway(door) as wsdl:
        bad = {**STEP, "SJ": "gestern"}
        order = {"wsdl": wsdl, "header": HEADER, "calls": [["BLHJ", STEP], ["BLHJ", bad], ["BJCX", {"TBBH": "X"}]]}
        good, refused, found = await run(SUDS, order, **suds)
    assert (good["JG"], good["SM"]) == ("0", "已收到")
    assert refused["code"] == "soap:Client" and "SJ" in refused["fault"]
    assert (found["JG"], found["ZT"]) == ("0", "accepted")
    assert [(act.type, act.body.opinion) for act in door.backend.acts] == [("step", "好")]


@pytest.mark.parametrize("soap12", [False, True])
async def test_npm_soap_reports_a_step_and_reads_a_refusal_in_both_versions(soap12: bool, npm: dict[str, str]) -> None:
    door = Door()
    async with doorway(door) as wsdl:
        order = {"wsdl": wsdl, "soap12": soap12, "header": HEADER, "calls": [["BLHJ", STEP], ["BJCX", {"TBBH": "X"}]]}
        good, found = await run(NPM, order, **npm)
        wrong = {**HEADER, "values": {"DWBM": UNIT, "XKZ": "wrong"}}
        (refused,) = await run(NPM, {**order, "header": wrong, "calls": [["BLHJ", STEP]]}, **npm)
    assert (good["JG"], good["SM"], found["ZT"]) == ("0", "已收到", "accepted")
    assert "单位或许可证不符" in json.dumps(refused, ensure_ascii=False)
    assert [(act.type, act.body.name) for act in door.backend.acts] == [("step", "审查")]


async def test_npm_soap_sends_a_result_file_as_an_mtom_part(npm: dict[str, str]) -> None:
    door, data = Door(), bytes(range(256)) * 40
    include = '<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="cid:f1"/>'
    paper = {"MC": "证书", "GS": "application/pdf", "WJM": "a.pdf", "NR": {"$xml": include}}
    result = {"BWT": HEAD, "BH": "JG1", "MC": "证书", "WJ": [{"MC": "证书", "ZW": paper}], "SJ": "2026-01-01T09:30:00"}
    part = {"type": "application/pdf", "id": "f1", "body": b64encode(data).decode()}
    async with doorway(door) as wsdl:
        order = {"wsdl": wsdl, "header": HEADER, "attachment": [part], "calls": [["BLJG", result]]}
        (said,) = await run(NPM, order, **npm)
    assert said.get("JG") == "0", said
    assert door.said.count(b"Content-ID:") == 2 and data in door.said
    assert door.backend.acts[0].parts[0].data == data


@pytest.mark.parametrize("style", ["document", "rpc"])
@pytest.mark.parametrize("client", ["suds", "npm"])
async def test_both_call_the_ten_operations_in_both_styles(
    client: str, style: str, request: pytest.FixtureRequest
) -> None:
    environment = request.getfixturevalue(client)
    door = Door(opened(style=style)[1])
    async with doorway(door) as wsdl:
        calls = [[name, {"sqzcm": LICENCE, "information": package(record_of(name))}] for name in TEN]
        calls.append(["ZAGL_QCFKJSFW", {"sqzcm": "wrong", "information": package(SLXX)}])
        said = await run(SUDS if client == "suds" else NPM, {"wsdl": wsdl, "calls": calls}, **environment)
    texts = [one["return"] if isinstance(one, dict) else one for one in said]
    *codes, wrong = [parse_text(text) for text in texts]
    assert [one.find("DATA/RECORD").get("code") for one in codes] == ["0"] * 10  # type: ignore[union-attr]
    assert wrong.findtext("DATA/CODE") == "-50"


# --- npm soap as the server -------------------------------------------------------------------------------------------


@asynccontextmanager
async def foreign_server(order: dict[str, Any], npm: dict[str, str]) -> AsyncIterator[str]:
    """Its base address."""
    process = await asyncio.create_subprocess_exec(
        "node", str(foreign.NPM_SOAP / "server.js"), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", **npm},
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None
    try:
        process.stdin.write(json.dumps(order).encode() + b"\n\n")
        line = await asyncio.wait_for(process.stdout.readline(), 20)
        yield f"http://127.0.0.1:{json.loads(line)['port']}"
    finally:
        process.terminate()
        await process.wait()


async def seen(base: str) -> list[Any]:
    async with aiohttp.ClientSession() as session, session.get(f"{base}/seen") as answer:
        found: list[Any] = json.loads(await answer.read())
    return found


async def test_our_channel_calls_a_foreign_server_document_literal(npm: dict[str, str]) -> None:
    text = profile("honggutan").text
    words = msgspec.convert(text.soap, Words)
    names = (*dict.fromkeys(text.send.operations.values()), "QueryCase")
    wsdl = build_wsdl(Described(words, names, "", words.credential), XSD, "http://127.0.0.1/soap").decode()
    replies: dict[str, Any] = {name: {"value": {"JG": "0", "YWLSH": "N1", "SM": "已收到"}} for name in names}
    replies["QueryCase"] = {"when": {"LSH": "known"}, "value": {"JG": "0", "YWLSH": "N1"}, "otherwise": {"JG": "4"}}
    order = {"wsdl": wsdl, "service": words.service, "port": f"{words.service}Port", "replies": replies}
    async with foreign_server(order, npm) as base:
        # It answers in UTF-8 under the charset it was asked in: with such a partner the encoding is set to UTF-8.
        utf8 = (b'encoding = "gbk"', b'encoding = "utf-8"')
        platform = open_test("honggutan", f"{base}/soap", timeout_ms=5000, change=utf8)
        sent = await platform.channel.send(platform.translator.outbound(samples.outbound("application")))
        answers = [await platform.channel.ask(one) for one in ("known", "other")]
        await platform.channel.close()
        first, *_ = await seen(base)
    assert (sent, answers) == (Accepted("N1"), [Accepted("N1"), NotThere()])
    assert first["given"]["SQRXX"]["XM"] == "测试甲" and "𠀀" in json.dumps(first, ensure_ascii=False)
    assert first["headers"]["JQXX"] == {"DWBM": OUR_UNIT, "XKZ": OUR_LICENCE}


@pytest.mark.parametrize("style", ["document", "rpc"])
async def test_our_channel_calls_a_foreign_server_with_packages(style: str, npm: dict[str, str]) -> None:
    translator, service = opened(style=style)
    wsdl = service.wsdl("http://127.0.0.1/soap").decode()
    replies = {
        name: {
            "when": {"sqzcm": OUR_LICENCE}, "value": {"return": '<PACKAGE><DATA><RECORD no="1" code="0"/></DATA></PACKAGE>'},
            "otherwise": {"return": "<PACKAGE><DATA><CODE>-50</CODE><MSG>授权码错误</MSG></DATA></PACKAGE>"},
        } for name in TEN
    }  # fmt: skip
    name = translator.words.service
    order = {"wsdl": wsdl, "service": name, "port": f"{name}Port", "replies": replies}
    async with foreign_server(order, npm) as base:
        platform = open_test("gongan", f"{base}/soap", timeout_ms=5000)
        wire = platform.translator.outbound(samples.outbound("decision"))
        sent = await platform.channel.send(wire)
        object.__setattr__(platform.channel, "licence", "wrong")
        refused = await platform.channel.send(wire)
        await platform.channel.close()
        first, *_ = await seen(base)
    assert sent == Accepted() and refused == Refused("-50", "授权码错误", "授权码错误")
    assert parse_text(first["given"]["information"]).findtext("PACKAGEHEAD/YWXTBH") == "420104202503030001"

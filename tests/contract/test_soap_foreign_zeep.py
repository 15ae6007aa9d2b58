"""zeep and curl as clients of our SOAP door: they read the WSDL we serve and are answered what they understand."""

from __future__ import annotations

import asyncio
import json
import shutil
from base64 import b64decode
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import zeep
from aiohttp import web
from zeep.exceptions import Fault

from adapters.base import Problem
from adapters.soap.fault import read_fault
from schemas.xml import parse_xml
from tests.contract.platform_support import Door, site
from tests.unit.adapters.support import LICENCE, ROOT, UNIT

NS = "urn:tongban:sample:honggutan:v1"
HEAD = {"LSH": "Z1", "TBBH": "420104.X/1", "YWLSH": "HGT1"}
AT = datetime(2026, 1, 1, 9, 30)  # noqa: DTZ001 - the platform writes local times without a zone


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    opened = Door()
    app = web.Application(client_max_size=1 << 24)
    app.router.add_post("/platform/v1/soap/honggutan", opened.post)
    app.router.add_get("/platform/v1/soap/honggutan", opened.get)
    async with site(app) as base:
        opened.url = f"{base}/platform/v1/soap/honggutan"
        yield opened


async def call(door: Door, name: str, licence: str = LICENCE, **fields: Any) -> Any:
    """One call by zeep, which is synchronous: in a thread, from the WSDL on."""

    def run() -> Any:
        client = zeep.Client(f"{door.url}?wsdl")
        shown = client.get_element(f"{{{NS}}}JQXX")(DWBM=UNIT, XKZ=licence)
        return client.service[name](**fields, _soapheaders=[shown])

    return await asyncio.to_thread(run)


async def test_zeep_reports_an_acceptance(door: Door) -> None:
    fields = {"BWT": HEAD, "SLJG": "SL", "WH": "测受1号", "DW": "测试审批局", "RY": "测试员", "SJ": AT}
    answer = await call(door, "SLTZ", **fields)
    assert (answer.JG, answer.TBBH, answer.SM) == ("0", "420104.X/1", "已收到")
    (act,) = door.backend.acts
    assert (act.type, act.id, act.local_number, act.body.unit) == ("acceptance", "Z1", "HGT1", "测试审批局")
    assert act.body.at == datetime(2026, 1, 1, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize("port", ["HonggutanTongbanPort", "HonggutanTongbanPort12"])
async def test_zeep_speaks_both_versions_with_ws_addressing(port: str, door: Door) -> None:
    def run() -> Any:
        client = zeep.Client(f"{door.url}?wsdl")  # our WSDL names actions, so zeep addresses its messages
        shown = client.get_element(f"{{{NS}}}JQXX")(DWBM=UNIT, XKZ=LICENCE)
        service = client.bind("HonggutanTongban", port)
        fields = {"BWT": HEAD, "HJMC": "审查", "RY": "测试员", "SJ": AT}
        assert service.BLHJ(**fields, _soapheaders=[shown]).JG == "0"
        wrong = client.get_element(f"{{{NS}}}JQXX")(DWBM=UNIT, XKZ="wrong")
        with pytest.raises(Fault) as caught:
            service.BLHJ(**fields, _soapheaders=[wrong])
        return caught.value

    fault = await asyncio.to_thread(run)
    assert fault.code.rpartition(":")[2] == ("Sender" if port.endswith("12") else "Client")
    assert fault.message == "单位或许可证不符"
    assert b"MessageID" in door.said
    assert [act.type for act in door.backend.acts] == ["step"]


async def test_zeep_sends_a_result_with_its_document(door: Door) -> None:
    document = {
        "MC": "证书",
        "ZW": {"MC": "证书", "GS": "image/svg+xml", "WJM": "a.svg", "NR": b"<svg>\xe6\xa0\xb7</svg>"},
    }
    await call(door, "BLJG", BWT=HEAD, BH="JG1", MC="证书", WJ=[document], YXQQ=AT.date(), SJ=AT)
    (act,) = door.backend.acts
    assert act.parts[0].data == b"<svg>\xe6\xa0\xb7</svg>"
    assert act.body.documents[0].document.sm3 == act.parts[0].sm3


async def test_zeep_names_several_corrections(door: Door) -> None:
    reasons = [
        {"LB": "CL", "MC": "章程", "WT": "缺签字", "BF": "补签"},
        {"LB": "ZD", "MC": "场所", "WT": "不详", "BF": "写明"},
    ]
    await call(door, "BZTZ", BWT=HEAD, WH="1号", BZ=reasons, QX=AT.date(), RY="测试员", SJ=AT)
    assert [reason.kind for reason in door.backend.acts[0].body.reasons] == ["material", "field"]


async def test_zeep_fetches_a_material_in_pieces(door: Door) -> None:
    data = bytes(range(256)) * 5000
    door.backend.materials["0" * 64] = data
    fetched = b""
    while len(fetched) < len(data):
        piece = await call(door, "CLHQ", TBBH="420104.X/1", ZY="0" * 64, QSWZ=len(fetched), CD=1 << 20)
        assert len(data) == piece.ZCD
        fetched += piece.NR
    assert fetched == data


async def test_zeep_asks_where_a_case_stands(door: Door) -> None:
    answer = await call(door, "BJCX", TBBH="420104.X/1")
    assert (answer.JG, answer.ZT, answer.SM) == ("0", "accepted", "已受理")


async def test_zeep_reads_our_faults(door: Door) -> None:
    fields = {"BWT": HEAD, "HJMC": "审查", "RY": "测试员", "SJ": AT}
    with pytest.raises(Fault) as caught:
        await call(door, "BLHJ", licence="wrong", **fields)
    assert (caught.value.code, caught.value.message) == ("soap:Client", "单位或许可证不符")
    door.backend.problem = Problem({"code": "TB-5002", "title": "办件已办结", "title_en": "closed"}, busy=True)
    with pytest.raises(Fault) as caught:
        await call(door, "BLHJ", **fields)
    assert caught.value.code == "soap:Server"
    assert "办件已办结" in str(caught.value.message)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("name", ["SLTZ in GBK", "UTF-8", "GBK said by HTTP alone", "X01 a harmless DOCTYPE"])
async def test_curl(name: str, door: Door, tmp_path: Path) -> None:
    vectors = json.loads((ROOT / "tests" / "vectors" / "soap" / "vectors.json").read_text("utf-8"))
    vector = next(one for one in vectors if one["name"] == name)
    body = tmp_path / "body.xml"
    body.write_bytes(b64decode(vector["body"]))
    process = await asyncio.create_subprocess_exec(
        "curl", "-sS", "--noproxy", "*", "-w", "\n%{http_code}", "--data-binary", f"@{body}",
        "-H", f"Content-Type: {vector['content_type']}", "-H", 'SOAPAction: ""', door.url, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate()
    said, _, status = out.rpartition(b"\n")
    answer = parse_xml(said)[-1][0]
    if vector["expect"] == "ok":
        assert (status, answer.findtext(f"{{{NS}}}JG")) == (b"200", "0")
    else:
        fault = read_fault(answer)
        assert fault is not None
        assert (status, fault.code) == (b"500", vector["expect"])

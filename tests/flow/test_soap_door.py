"""The handling side's SOAP door of a real gateway, called by foreign clients: zeep from the served WSDL, and raw bytes."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from datetime import datetime
from typing import Any

import aiohttp
import pytest
import zeep
from zeep.exceptions import Fault

from gateway.demo import world
from tests.flow.nodes import Running, Window, running, until

NS = "urn:tongban:sample:honggutan:v1"
AT = datetime(2026, 11, 20, 9, 30)  # noqa: DTZ001 - the platform writes local times without a zone


def licence_of(side: world.Side) -> str:
    return re.findall(r'^licence = "(.+)"', side.config.read_text(), re.MULTILINE)[0]


async def call(b: Running, name: str, licence: str = "", **fields: Any) -> Any:
    """One call by zeep, which is synchronous: in a thread, from the WSDL on."""
    shown_licence = licence or licence_of(b.side)

    def run() -> Any:
        client = zeep.Client(b.url("platform", "/platform/v1/soap/honggutan?wsdl"))
        shown = client.get_element(f"{{{NS}}}JQXX")(DWBM=world.UNIT, XKZ=shown_licence)
        return client.service[name](**fields, _soapheaders=[shown])

    return await asyncio.to_thread(run)


def acceptance(case: str, number: str = "Z1") -> dict[str, Any]:
    head = {"LSH": number, "TBBH": case, "YWLSH": "HGT-1"}
    return {"BWT": head, "SLJG": "SL", "WH": "测受1号", "DW": "测试审批局", "RY": "测试员", "SJ": AT}


async def post(b: Running, session: aiohttp.ClientSession, body: bytes, content_type: str) -> tuple[int, str]:
    url = b.url("platform", "/platform/v1/soap/honggutan")
    async with session.post(url, data=body, headers={"Content-Type": content_type, "SOAPAction": '""'}) as answer:
        return answer.status, (await answer.read()).decode(answer.charset or "utf-8")


async def test_zeep_accepts_a_case_at_the_gateway_and_the_window_side_hears_of_it(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    async with running(places.a, places.b) as (a, b):
        window = Window(a, session, json.loads(places.a.platform_config.read_bytes()))
        case = (await window.hand_in(window.papers())).json["tbbh"]
        await until(lambda: b.one("SELECT 1 FROM case_file"))
        first = await call(b, "SLTZ", **acceptance(case))
        again = await call(b, "SLTZ", **acceptance(case))
        assert (first.JG, again.JG) == ("0", "0")
        await until(lambda: a.one("SELECT state FROM case_file") == "accepted")
        assert b.one("SELECT count(*) FROM message WHERE type = 'acceptance'") == 1
        assert a.one("SELECT local_number FROM case_file") == "HGT-1"


async def test_a_fault_names_number_reason_action_and_trace(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    async with running(places.b) as (b,):
        with pytest.raises(Fault) as unknown:
            await call(b, "SLTZ", **acceptance("420104.11420104000000000X/00000000000000000000000000"))
        assert "TB-5001" in (told := zeep_text(unknown.value)) and "没有这个办件" in told
        with pytest.raises(Fault) as stranger:
            await call(b, "SLTZ", licence="0" * 32, **acceptance("x"))
        assert "TB-2003" in zeep_text(stranger.value)


BAD = {
    "X01 doctype": (b'<!DOCTYPE a [<!ENTITY x "y">]>%s', "text/xml; charset=utf-8", "TB-1004"),
    "X08 utf-7": (b'<?xml version="1.0" encoding="utf-7"?>%s', "text/xml", "TB-1007"),
    "X09 another charset than declared": (
        b'<?xml version="1.0" encoding="utf-8"?>%s',
        "text/xml; charset=gbk",
        "TB-1007",
    ),
    "broken gbk": (b'<?xml version="1.0" encoding="GBK"?>%s\xff\xff', "text/xml; charset=GBK", "TB-1007"),
    "no xml": (b"not xml", "text/xml", "TB-1004"),
    "X07 nesting": (b"<a>" * 5000, "text/xml", "TB-1004"),
}
ENVELOPE = b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body/></s:Envelope>'


@pytest.mark.parametrize("name", BAD)
async def test_a_request_that_cannot_be_read_is_a_fault_in_chinese(
    places: world.World, session: aiohttp.ClientSession, name: str
) -> None:
    body, content_type, code = BAD[name]
    async with running(places.b) as (b,):
        status, text = await post(b, session, body.replace(b"%s", ENVELOPE), content_type)
    assert status == 500 and "Traceback" not in text
    assert f"<code>{code}</code>" in text, text
    assert re.search(r"<trace_id>[0-9a-f]{16}</trace_id>", text) and "<action>" in text
    assert re.search(r"<zh>[^<]*[\u4e00-\u9fff]", text)


async def test_X15_a_packed_request_is_not_unpacked(places: world.World, session: aiohttp.ClientSession) -> None:
    async with running(places.b) as (b,):
        headers = {"Content-Type": "text/xml", "Content-Encoding": "gzip"}
        url = b.url("platform", "/platform/v1/soap/honggutan")
        async with session.post(url, data=gzip.compress(b" " * (1 << 20) + ENVELOPE), headers=headers) as answer:
            assert answer.status == 415
            assert (await answer.json())["code"] == "TB-1008"


async def test_xml_that_is_not_valid_by_its_schema_is_told_with_path_and_reason(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    async with running(places.b) as (b,):
        header = f'<JQXX xmlns="{NS}"><DWBM>{world.UNIT}</DWBM><XKZ>{licence_of(places.b)}</XKZ></JQXX>'
        body = (
            '<?xml version="1.0" encoding="GBK"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">'
            f'<s:Header>{header}</s:Header><s:Body><SLTZ xmlns="{NS}">'
            "<BWT><LSH>1</LSH><TBBH>x</TBBH><YWLSH>y</YWLSH></BWT><SLJG>也许</SLJG></SLTZ></s:Body></s:Envelope>"
        )
        status, text = await post(b, session, body.encode("gbk"), "text/xml; charset=GBK")
    assert status == 500 and "<code>TB-1006</code>" in text, text
    assert "SLJG" in text and re.search(r"<zh>[^<]*[\u4e00-\u9fff]", text)


def zeep_text(fault: Fault) -> str:
    """All text of a fault as zeep holds it."""
    detail = fault.detail
    return str(fault.message) + ("".join(detail.itertext()) if detail is not None else "")

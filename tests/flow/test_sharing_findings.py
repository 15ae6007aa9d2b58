"""A certificate from another platform whose identifier is not after GB/T 36904: taken with a finding that is kept and told, or
refused where the platform's section says so (the facts know a documented identifier whose check character does not fit)."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import aiohttp
import pytest

from agreements.check import HEAD
from gateway.demo import world
from gateway.flow.export import export_case
from signing import ecert_id
from signing.ecert import Metadata
from signing.sm3 import sm3
from tests.contract.command import tongban
from tests.flow.sharing_support import card, why
from tests.flow.test_no_upload import NAME, arrived, papers, two
from tests.flow.test_sharing import CASE, asking, record

pytestmark = pytest.mark.processes
FINDING = "ecert-id-check"


def odd() -> Metadata:
    """Our card under an identifier with another check character."""
    mine = card()
    right = ecert_id.parse(mine.identifier)
    return replace(mine, identifier=str(replace(right, check="0" if right.check != "0" else "1")))


async def test_a_check_character_that_does_not_fit_is_kept_and_told(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    mine, right = odd(), card("0000000002")
    async with asking(places, session, "guangdong", mine, right) as (a, window, there):
        got = (await window.fetch(CASE, await window.code(CASE, mine))).json
        (finding,) = got["findings"]
        assert finding["code"] == FINDING and "校验位" in finding["text"] and finding["text_en"]
        assert got["identifier"] == mine.identifier and got["file"]
        assert set(got["surface"]) == HEAD | {"DZ"}, "what `agreement check` takes for the head is what there is"
        assert record(a)[-1]["answered"]["findings"] == [FINDING]
        assert (await window.fetch(CASE, await window.code(CASE, right))).json["findings"] == []
        assert "findings" not in record(a)[-1]["answered"]
        file = (there.folder / "0.ofd").read_bytes()
        await window.window.upload(file)
        verified = (await window.post("verify", {"why": why(CASE), "sm3": sm3(file).hex()})).json
        assert verified["ok"] is True and [one["code"] for one in verified["findings"]] == [FINDING]


async def test_a_platforms_section_may_refuse_it(places: world.World, session: aiohttp.ClientSession) -> None:
    mine, right = odd(), card("0000000002")
    settings = 'identifier = "reject"\n'
    async with asking(places, session, "guangdong", mine, right, settings=settings) as (_, window, there):
        code = await window.code(CASE, mine)
        assert (await window.fetch(CASE, code)).refused("TB-7027", 422)["detail"] == FINDING
        assert (await window.fetch(CASE, await window.code(CASE, right))).status == 200
        file = (there.folder / "0.ofd").read_bytes()
        await window.window.upload(file)
        refused = (await window.post("verify", {"why": why(CASE), "sm3": sm3(file).hex()})).json
        assert (refused["ok"], refused["reason"]) == (False, FINDING)


async def test_the_handling_place_and_the_evidence_name_the_finding(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    mine = odd()
    async with two(places, session, mine) as (a, b, window, _):
        made = papers(window)
        made |= {"zz": [{"mc": NAME, "zzlx": mine.type_code, "yzm": await window.code(made["bjbh"], mine)}]}
        receipt = await window.window.hand_in(made)
        assert receipt.status == 200, receipt.body
        (reference,) = (await arrived(b, receipt.json["tbbh"])).certificates
        assert (reference.outcome, reference.reason) == ("verified", FINDING)
        (use,) = [one for one in record(a) if one["asked"]["act"] == "use"]
        assert use["answered"]["findings"] == [FINDING]
        package = await asyncio.to_thread(export_case, a.node.config, places.a.folder, receipt.json["tbbh"])
        (places.a.folder / "case.jsonl").write_bytes(package)
        assert FINDING in tongban("evidence", "verify", str(places.a.folder / "case.jsonl")).stdout

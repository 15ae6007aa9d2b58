"""F04 on the way in: files that are not what they are said to be are refused by both gateways, and nothing is lost meanwhile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.demo import world
from gateway.ops import metrics
from signing.sm3 import sm3
from tests.flow.clamd import WORD, clamd
from tests.flow.nodes import Running, Window, running, until
from tests.unit.core.test_content import MZ, PDF

HTML = b"<!DOCTYPE html><script>alert(1)</script>"
OPEN = "\n[content]\nrefuse = []\n"


def material(data: bytes, media_type: str = "application/pdf", name: str = "a.pdf") -> dict[str, Any]:
    return {"mc": "申请书", "zy": sm3(data).hex(), "dx": len(data), "gs": media_type, "wjm": name}


def settle(side: world.Side, text: str) -> None:
    side.config.write_text(side.config.read_text() + text)


@pytest.mark.parametrize(
    ("data", "media_type", "name", "code"),
    [
        (MZ, "application/pdf", "a.pdf", "TB-6012"),
        (HTML, "image/png", "a.png", "TB-6011"),
        (PDF, "image/png", "a.png", "TB-6011"),
        (PDF, "application/pdf", "a.pdf.exe", "TB-6012"),
        (PDF.replace(b"/Catalog", b"/S/Launch"), "application/pdf", "a.pdf", "TB-6012"),
    ],
)
async def test_F04_what_is_not_what_it_is_said_to_be_is_refused_with_proof(
    a: Running, window: Window, data: bytes, media_type: str, name: str, code: str
) -> None:
    assert (await window.upload(data)).status == 201
    refusal = (await window.hand_in(window.papers(cl=[material(data, media_type, name)]))).refused(code, 422)
    assert "申请书" in refusal["detail"] and refusal["receipt"]
    assert a.one("SELECT count(*) FROM case_file") == 0
    assert (await window.hand_in(window.papers(cl=[]))).status == 200, "the platform goes on"


async def test_F04_a_sound_file_and_one_that_is_only_noted_are_taken(a: Running, window: Window) -> None:
    before = metrics.CONTENT.labels("trailing")._value.get()
    for data in (PDF, PDF + b"more"):
        await window.upload(data)
        assert (await window.hand_in(window.papers(cl=[material(data)]))).status == 200
    assert metrics.CONTENT.labels("trailing")._value.get() == before + 1


async def test_a_repetition_gets_its_first_answer(places: world.World, session: aiohttp.ClientSession) -> None:
    """Stricter settings do not take back what was accepted."""
    settings = json.loads(places.a.platform_config.read_bytes())
    before = places.a.config.read_text()
    settle(places.a, OPEN)
    async with running(places.a, deliver=False) as (a,):
        window = Window(a, session, settings)
        await window.upload(HTML)
        papers = window.papers(cl=[material(HTML)])
        first = (await window.hand_in(papers)).json
    places.a.config.write_text(before)
    async with running(places.a, deliver=False) as (a,):
        again = (await Window(a, session, settings).hand_in(papers)).json
        assert again["tbbh"] == first["tbbh"]


async def test_F04_the_handling_place_looks_for_itself(places: world.World, session: aiohttp.ClientSession) -> None:
    settle(places.a, OPEN)
    async with running(places.a, places.b) as (a, b):
        window = Window(a, session, json.loads(places.a.platform_config.read_bytes()))
        await window.upload(MZ)
        case = (await window.hand_in(window.papers(cl=[material(MZ)]))).json["tbbh"]
        await until(lambda: a.one("SELECT state FROM case_file WHERE id = ?", case) == "refused_there")
        assert b.one("SELECT count(*) FROM case_file") == 0


async def test_F04_a_scanner_has_the_last_word_and_its_outage_loses_nothing(
    places: world.World, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    socket, infected = tmp_path / "clamd", PDF.replace(b"1 0 obj", WORD)
    settle(places.a, f'\n[content]\nscanner = "unix:{socket}"\nscanner_timeout_ms = 5000\n')
    async with running(places.a, deliver=False) as (a,):
        scanner = a.node.desk.contents.scanner
        window = Window(a, session, json.loads(places.a.platform_config.read_bytes()))
        for data in (PDF, infected):
            assert (await window.upload(data)).status == 201
        papers = window.papers(cl=[material(PDF)])
        waiting = (await window.hand_in(papers)).refused("TB-6014", 503)
        assert "receipt" not in waiting, "what may come again is not refused for ever"
        assert a.one("SELECT count(*) FROM part") == 2
        assert scanner is not None
        scanner._rests_until = 0.0
        async with clamd(socket) as made:
            assert (await window.hand_in(papers)).status == 200 and made.seen == [PDF]
            (await window.hand_in(window.papers(cl=[material(infected)]))).refused("TB-6013", 422)
            made.mode = "limit"
            large = PDF + b"larger than the scanner takes"
            await window.upload(large)
            assert (await window.hand_in(window.papers(cl=[material(large)]))).status == 200


async def test_F04_an_outage_may_be_taken_with_a_note(
    places: world.World, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    settle(places.a, f'\n[content]\nscanner = "unix:{tmp_path / "none"}"\nscanner_down = "take"\n')
    before = metrics.CONTENT.labels("not-scanned")._value.get()
    async with running(places.a, deliver=False) as (a,):
        window = Window(a, session, json.loads(places.a.platform_config.read_bytes()))
        await window.upload(PDF)
        assert (await window.hand_in(window.papers(cl=[material(PDF)]))).status == 200
    assert metrics.CONTENT.labels("not-scanned")._value.get() == before + 1


async def test_F05_a_part_that_is_missing_or_of_another_size_refuses_the_whole_act(a: Running, window: Window) -> None:
    """A digest that does not match is refused at the upload (test_parts); an upload that nothing names is no part of a case."""
    absent = material(b"never uploaded")
    (await window.hand_in(window.papers(cl=[absent]))).refused("TB-6003", 422)
    assert (await window.upload(PDF)).status == 201
    for size in (len(PDF) - 1, len(PDF) + 1):
        (await window.hand_in(window.papers(cl=[material(PDF) | {"dx": size}]))).refused("TB-6003", 422)
    (await window.hand_in(window.papers(cl=[material(PDF), absent]))).refused("TB-6003", 422)
    assert a.one("SELECT count(*) FROM case_file") == 0 and a.one("SELECT count(*) FROM case_part") == 0
    assert (await window.hand_in(window.papers(cl=[]))).status == 200
    assert a.one("SELECT count(*) FROM case_part") == 0, "the extra upload belongs to no case"

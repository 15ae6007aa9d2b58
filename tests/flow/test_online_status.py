"""The online status of the certificates behind a stamp (OCSP): good, revoked, unreachable, garbage; no case waits for it (C04)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from aiohttp import web

from gateway import config, lab
from gateway.demo import world
from gateway.keys import keyring
from gateway.ops.doctor import examine
from gateway.ops.patient import Patient
from signing import certs, ocsp
from signing.ocsp_build import Said, build_failure, build_response
from signing.sm2 import Signer
from tests.flow.nodes import PROVIDER, Running, running, until
from tests.flow.test_recognition import issued
from tests.flow.test_results import DAY, NOW, OTHER, Forge, act, granted, result, state

HOUR = timedelta(hours=1)
TIMEOUT_MS = 400


@dataclass
class Responder:
    """B's authority online; ``instead``: what it does in place of answering."""

    root: Signer
    url: str = ""
    revoked: dict[int, datetime] = field(default_factory=dict)
    instead: Callable[[ocsp.Request], Awaitable[bytes]] | None = None
    asked: list[int] = field(default_factory=list)

    def good(self, request: ocsp.Request, by: Signer | None = None) -> bytes:
        now = datetime.now(UTC).replace(microsecond=0)
        said = [Said(one, now, now + HOUR, self.revoked.get(one.serial)) for one in request.ids]
        return build_response(by or self.root, said, produced_at=now, nonce=request.nonce)

    async def handle(self, request: web.Request) -> web.Response:
        question = ocsp.parse_request(await request.read())
        self.asked += [one.serial for one in question.ids]
        body = self.good(question) if self.instead is None else await self.instead(question)
        return web.Response(body=body, content_type="application/ocsp-response")


@pytest.fixture
async def responder(places: world.World) -> AsyncIterator[Responder]:
    """B's responder, in A's configuration."""
    passphrase = (places.b.folder / "keys" / lab.PASSPHRASE).read_bytes().strip()
    made = Responder(keyring.Keyring(places.b.folder / "lab", passphrase, PROVIDER).signer("ca"))
    app = web.Application()
    app.router.add_post("/", made.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    configure(places, made.url)
    yield made
    await runner.cleanup()


def configure(places: world.World, url: str, more: str = "") -> None:
    text = places.a.config.read_text("utf-8").replace("[[peer]]\n", f'[[peer]]\nocsp = "{url}"\n')
    places.a.config.write_text(f"{text}\n[revocation]\nocsp_timeout_ms = {TIMEOUT_MS}\n{more}", "utf-8")


def delivered(node: Running, message: str) -> str:
    return str(node.one("SELECT state FROM delivery WHERE message = ?", message))


def serials(forge: Forge) -> set[int]:
    return {certs.parse(der).serial for der in (forge.signer_der, forge.maker_der)}


async def test_C04_what_the_responder_says_counts_and_is_kept(
    places: world.World, session: aiohttp.ClientSession, responder: Responder
) -> None:
    forge = Forge(places.b)
    async with running(places.a, places.b) as (a, b):
        case = await granted(a, b, session)
        for id_, stamp in (("s3", forge.stamp(forge.seal(), OTHER)), ("s4", forge.stamp(forge.seal()))):
            assert state(a, case) == "granted"
            body, files = result(stamp)
            told = await act(b, "result", case, id_, body, *files)
            await until(lambda told=told: delivered(b, told["message_id"]) in ("refused", "delivered"))  # type: ignore[misc]
        assert state(a, case) == "result_issued"
    assert sorted(responder.asked) == sorted(serials(forge)), "once for the signer, once for the seal's maker"


@pytest.mark.parametrize(
    ("whose", "when", "expected"),
    [
        ("signer_der", -DAY, ("TB-3005", "granted")), ("maker_der", -DAY, ("TB-3005", "granted")),
        ("signer_der", -DAY / 4, ("", "granted")), ("maker_der", -DAY / 4, ("", "result_issued")),
    ],
    ids=["signer before stamping", "maker before stamping", "signer after: cannot tell", "maker after"],
)  # fmt: skip
async def test_C04_a_certificate_that_is_revoked_online_only(
    places: world.World, session: aiohttp.ClientSession, responder: Responder, whose: str, when: timedelta,
    expected: tuple[str, str],
) -> None:  # fmt: skip
    forge = Forge(places.b)
    responder.revoked = {certs.parse(getattr(forge, whose)).serial: NOW + when}
    assert (await issued(places, session, forge.stamp(forge.seal(), at=NOW - DAY / 2)))[:2] == expected


async def stall(_request: ocsp.Request) -> bytes:
    await asyncio.sleep(10)
    return b""


async def garbage(_request: ocsp.Request) -> bytes:
    return b"\x30\x03\x0a\x01\x00 nonsense"


async def later(_request: ocsp.Request) -> bytes:
    return build_failure("tryLater")


@pytest.mark.parametrize(
    "instead", [stall, garbage, later, None], ids=["stalls", "garbage", "try later", "nobody there"]
)
async def test_C04_without_an_answer_the_lists_alone_decide_and_nobody_waits(
    places: world.World, session: aiohttp.ClientSession, responder: Responder,
    instead: Callable[[ocsp.Request], Awaitable[bytes]] | None,
) -> None:  # fmt: skip
    forge, responder.instead = Forge(places.b), instead
    if instead is None:
        places.a.config.write_text(places.a.config.read_text("utf-8").replace(responder.url, "http://127.0.0.1:1/"))
    start = time.monotonic()
    assert (await issued(places, session, forge.stamp(forge.seal())))[:2] == ("", "result_issued")
    assert time.monotonic() - start < 25


async def test_C04_the_lists_still_refuse_where_nobody_answers(
    places: world.World, session: aiohttp.ClientSession, responder: Responder
) -> None:
    forge, responder.instead = Forge(places.b), garbage
    lists = lab.revoke(places.b.folder, PROVIDER, "seal", NOW - 2 * DAY, NOW)
    (places.a.folder / "peer.crl").write_bytes(lists.read_bytes())
    assert (await issued(places, session, forge.stamp(forge.seal())))[:2] == ("TB-3005", "granted")


async def test_C04_an_answer_by_another_clears_nobody(
    places: world.World, session: aiohttp.ClientSession, responder: Responder
) -> None:
    """Signed by a key that is not the authority's: it is an answer, and nothing can be told by it."""

    async def forged(request: ocsp.Request) -> bytes:
        return responder.good(request, Signer(PROVIDER, PROVIDER.generate()))

    forge, responder.instead = Forge(places.b), forged
    assert await issued(places, session, forge.stamp(forge.seal())) == ("", "granted", 1)


@pytest.mark.parametrize(("answers", "expected"), [(True, "result_issued"), (False, "granted")])
async def test_where_news_is_required_an_answer_is_news(
    places: world.World, session: aiohttp.ClientSession, responder: Responder, answers: bool, expected: str
) -> None:
    places.a.config.write_text(places.a.config.read_text("utf-8") + "required = true\n", "utf-8")
    forge, responder.instead = Forge(places.b), None if answers else garbage
    assert (await issued(places, session, forge.stamp(forge.seal())))[1] == expected


def seen(side: world.Side) -> tuple[str, str]:
    found = examine(Patient(config.load(side.config), side.folder, datetime.now(UTC)), deep=False)
    check = next(one for one in found if one.name.startswith("online status"))
    return check.level, check.en.partition(" ")[2]


async def test_the_doctor_asks_the_responder(places: world.World, responder: Responder) -> None:
    async def forged(request: ocsp.Request) -> bytes:
        return responder.good(request, Signer(PROVIDER, PROVIDER.generate()))

    assert await asyncio.to_thread(seen, places.a) == ("ok", "answers, signature good")

    async def another(request: ocsp.Request) -> bytes:
        now = datetime.now(UTC).replace(microsecond=0)
        said = [Said(replace(one, serial=one.serial + 1), now, now + HOUR) for one in request.ids]
        return build_response(responder.root, said, produced_at=now, nonce=request.nonce)

    for instead, level, words in (
        (later, "warn", "tryLater"),
        (garbage, "warn", "unreadable"),
        (forged, "fail", "may not answer"),
        (another, "fail", ""),
    ):
        responder.instead = instead
        found = await asyncio.to_thread(seen, places.a)
        assert found[0] == level and words in found[1], found
    places.a.config.write_text(places.a.config.read_text("utf-8") + "required = true\n", "utf-8")
    responder.instead = stall
    assert (await asyncio.to_thread(seen, places.a))[0] == "fail", "news is required, and there is none"

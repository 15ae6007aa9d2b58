"""The status client against a responder that answers, lies, stalls, is away: a value in bounded time, kept as long as it may be."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.ops.ocsp import REST, Asking, StatusClient
from signing import ocsp
from signing.certs import Certificate
from signing.errors import Indeterminate
from signing.ocsp import Answer, identify
from signing.ocsp_build import Said, build_failure, build_response
from signing.path import check_path
from signing.policy import PathPolicy
from tests import pki
from tests.pki import DAY

HOUR = timedelta(hours=1)
POLICY = PathPolicy(usage="any", revocation="require")
ROOT = pki.root()
Reply = Callable[[ocsp.Request], Awaitable[web.Response]]


class Responder:
    """Answers as told, and counts."""

    def __init__(self) -> None:
        self.calls = 0
        self.revoked: datetime | None = None
        self.reply: Callable[[ocsp.Request], bytes | int] = self.good
        self.now = DAY

    def good(self, asked: ocsp.Request) -> bytes:
        said = [Said(asked.ids[0], self.now, self.now + HOUR, self.revoked)]
        return build_response(ROOT.signer, said, produced_at=self.now, nonce=asked.nonce)

    async def handle(self, request: web.Request) -> web.Response:
        self.calls += 1
        assert request.content_type == "application/ocsp-request"
        answer = self.reply(ocsp.parse_request(await request.read()))
        if isinstance(answer, int):
            return web.Response(status=answer, headers={"Location": "http://127.0.0.1:1/"})
        await asyncio.sleep(0.01)
        return web.Response(body=answer, content_type="application/ocsp-response")


@pytest.fixture
async def place() -> AsyncIterator[tuple[Responder, Asked]]:
    responder = Responder()
    app = web.Application()
    app.router.add_post("/", responder.handle)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        yield responder, client(session, responder, str(server.make_url("/")))


@dataclass
class Asked:
    """A client that asks one responder."""

    client: StatusClient
    url: str

    async def ask(self, certificate: Certificate, issuer: Certificate) -> Answer | Indeterminate:
        return await self.client.ask(self.url, certificate, issuer)


def client(session: aiohttp.ClientSession, responder: Responder, url: str) -> Asked:
    asking = Asking(
        policy=POLICY, provider=pki.PROVIDER, now=lambda: responder.now,
        new_nonce=lambda: responder.calls.to_bytes(16, "big"), timeout=aiohttp.ClientTimeout(total=0.5),
    )  # fmt: skip
    return Asked(StatusClient(session, asking), url)


async def judged(asked: Asked, name: str = "end") -> tuple[bool | None, list[str]]:
    leaf = pki.leaf(name)
    answer = await asked.ask(leaf, ROOT.certificate)
    statuses = [answer] if isinstance(answer, Answer) else []
    report = check_path(leaf, [], [ROOT.certificate], DAY, pki.PROVIDER, statuses=statuses, policy=POLICY)
    codes = [] if isinstance(answer, Answer) else [answer.code]
    return report.ok, codes + [reason.code for reason in report.reasons]


async def test_a_good_answer_is_asked_for_once_and_again_when_due(place: tuple[Responder, Asked]) -> None:
    responder, asked = place
    assert await judged(asked) == await judged(asked) == (True, [])
    assert responder.calls == 1
    assert await judged(asked, "another") == (True, []) and responder.calls == 2
    responder.now = DAY + HOUR + timedelta(seconds=1)
    assert isinstance(await asked.ask(pki.leaf("end"), ROOT.certificate), Answer) and responder.calls == 3


async def test_many_who_ask_at_once_ask_once(place: tuple[Responder, Asked]) -> None:
    responder, asked = place
    assert await asyncio.gather(*(judged(asked) for _ in range(20))) == [(True, [])] * 20
    assert responder.calls == 1


async def test_a_revoked_certificate_is_revoked(place: tuple[Responder, Asked]) -> None:
    responder, asked = place
    responder.revoked = DAY - HOUR
    assert await judged(asked) == (False, ["revoked"])


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (lambda _: b"nonsense", "ocsp-unreadable"),
        (lambda _: b"", "ocsp-unreadable"),
        (lambda _: bytes(ocsp.MAX_BYTES + 1), "ocsp-unreachable"),
        (lambda _: 500, "ocsp-unreachable"),
        (lambda _: 302, "ocsp-unreachable"),
    ],
    ids=["nonsense", "empty", "too large", "500", "redirect"],
)
async def test_C04_a_bad_reply_is_a_value_and_the_responder_rests(
    place: tuple[Responder, Asked], reply: Callable[[ocsp.Request], bytes | int], code: str
) -> None:
    responder, asked = place
    responder.reply = reply
    assert await judged(asked) == await judged(asked) == (None, [code, "crl-missing"])
    assert responder.calls == 1
    responder.reply = responder.good
    responder.now += REST
    assert await judged(asked) == (True, [])


def signed(wanted: ocsp.CertId, nonce: bytes | None, by: pki.Signer = ROOT.signer) -> bytes:
    return build_response(by, [Said(wanted, DAY, DAY + HOUR)], produced_at=DAY, nonce=nonce)


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (lambda _: build_failure("tryLater"), "ocsp-status"),
        (lambda asked: signed(asked.ids[0], None), "ocsp-nonce"),
        (lambda asked: signed(asked.ids[0], asked.nonce, pki.signer("x")), "ocsp-responder"),
        (lambda asked: signed(identify(pki.leaf("b"), ROOT.certificate), asked.nonce), "ocsp-other-certificate"),
    ],
    ids=["try later", "no nonce", "stranger", "another certificate"],
)  # fmt: skip
async def test_C04_what_tells_nothing_is_not_kept(
    place: tuple[Responder, Asked], reply: Callable[[ocsp.Request], bytes], code: str
) -> None:
    responder, asked = place
    responder.reply = reply
    assert await judged(asked) == (None, [code])
    responder.reply = responder.good
    assert await judged(asked) == (True, []) and responder.calls == 2


async def test_a_responder_that_stalls_or_is_away_costs_bounded_time() -> None:
    async def stall(_: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    app = web.Application()
    app.router.add_post("/", stall)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        for url in (str(server.make_url("/")), "http://127.0.0.1:1/"):
            asked = client(session, Responder(), url)
            start = time.monotonic()
            answers = [await asked.ask(pki.leaf("end"), ROOT.certificate) for _ in range(10)]
            assert time.monotonic() - start < 20
            assert {answer.code for answer in answers if isinstance(answer, Indeterminate)} == {"ocsp-unreachable"}

"""Row S25 at the exchange door: a partner's key that used a nonce twice is believed no more, and exchange pauses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest

from gateway.demo import world
from gateway.exchange import request as signed
from gateway.ids import now_ms
from gateway.ledger.checkpoint import SignedCheckpoint
from gateway.ops import alarms, metrics
from signing import curve, sm2
from signing.providers.around import Around
from signing.sm2 import N, PrivateKey
from tests.flow.nodes import PROVIDER, Reply, running
from tests.flow.test_exchange import Sender


class Stuck(Around):
    """A provider whose generator has died: every nonce is the same."""

    def sign_digest(self, private: PrivateKey, e: bytes) -> tuple[int, int]:
        point = curve.ladder(4711, curve.GX, curve.GY)
        assert point is not None
        r = (int.from_bytes(e, "big") + point[0]) % N
        return r, (4711 - r * private.d) * pow(1 + private.d, -1, N) % N


@pytest.fixture
async def sender(places: world.World, session: aiohttp.ClientSession) -> Any:
    async with running(places.a, places.b, deliver=False) as (a, b):
        yield Sender(a, b, session)


@pytest.fixture(autouse=True)
def counted() -> Iterator[None]:
    """Exactly one alarm in each of these tests."""
    before = raised()
    yield
    assert raised() == before + 1


def raised() -> int:
    from prometheus_client import generate_latest

    return alarms.counts(generate_latest(metrics.REGISTRY)).get("nonce-reused", 0)


def stuck(signer: sm2.Signer) -> Any:
    """Signs as a partner's broken software would: with nothing that keeps a bad signature inside."""
    return lambda message: sm2.sign(Stuck(PROVIDER), signer.private, message, signer_id=sm2.DEFAULT_ID)


async def test_S25_two_checkpoints_with_one_nonce_pause_the_partner(sender: Sender) -> None:
    signer = sender.a.node.journal.head._signer()
    first, second = [(await sender.frozen())[1].checkpoint for _ in range(2)]
    bad = [SignedCheckpoint(one.text, one.key, stuck(signer)(one.text.encode())) for one in (first, second)]
    assert (await sender.post(sender.head(bad[0]))).status == 200
    assert (await sender.post(sender.head(bad[0]))).status == 200, "the same checkpoint again is no reuse"
    (await sender.post(sender.head(bad[1]))).refused("TB-2013", 403)
    (await sender.post(sender.head(second))).refused("TB-2010", 403)
    assert sender.b.one("SELECT state FROM peer") == "paused"
    assert sender.b.one("SELECT cause FROM peer") == "TB-2013"


async def test_S25_two_signed_calls_with_one_nonce_pause_the_partner(sender: Sender) -> None:
    a, b = sender.a.node.desk.party, sender.b.node.desk.party
    path = "/exchange/v1/checkpoint"
    signer = sender.a.node.loops[f"peer:{b}"]._round.client._signer()  # type: ignore[attr-defined]

    class Broken:
        sign = staticmethod(stuck(signer))

    async def call(nonce: str, by: Any) -> Reply:
        headers = signed.sign(by, "GET", path, b"", now_ms(), nonce, a, b)
        async with sender.session.get(sender.b.url("exchange", path), headers=headers) as answer:
            return Reply(answer.status, dict(answer.headers), await answer.read())

    assert (await call("ab" * 16, Broken)).status == 200
    (await call("cd" * 16, Broken)).refused("TB-2013", 403)
    (await call("ef" * 16, signer)).refused("TB-2010", 403)
    assert sender.b.one("SELECT cause FROM peer") == "TB-2013"

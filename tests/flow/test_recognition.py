"""F1: seals recognised across provinces: B's by B's anchors only, its withdrawn twin refused, C23."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

import aiohttp
import pytest

from gateway.demo import world
from gateway.exchange import withdrawn
from gateway.exchange.withdrawn import SealList, WithdrawnSeal
from signing.seal_build import build_seal, build_stamp, build_stamp_tbs
from signing.seal_picture import round_seal
from signing.sm3 import sm3
from tests.flow.nodes import PROVIDER, running, until
from tests.flow.test_results import DAY, DOCUMENT, NOW, Forge, act, granted, result, state

SEAL = "36011300000001"


def listed(places: world.World, *seals: tuple[str, datetime], use: str = "direct", days: int = 30) -> None:
    """B's list, signed by one of B's keys, in A's configuration."""
    now = time.time_ns() // 1_000_000
    made = SealList(
        party=places.b.place.party, number=1, issued_ms=now, next_ms=now + days * 86_400_000,
        seals=tuple(WithdrawnSeal(id=id_, at_ms=int(at.timestamp() * 1000)) for id_, at in seals),
    )  # fmt: skip
    (places.a.folder / "peer.seals").write_bytes(withdrawn.sign(made, world._ring(places.b, PROVIDER).signer(use)))
    config = places.a.config.read_text()
    if "seals_withdrawn" not in config:
        places.a.config.write_text(config.replace("[[peer]]\n", '[[peer]]\nseals_withdrawn = "peer.seals"\n'))


async def issued(places: world.World, session: aiohttp.ClientSession, stamp: bytes) -> tuple[str, Any, int]:
    """What becomes of a result with this stamp: problem code at the issuer, the receiver's state, attempts so far."""
    async with running(places.a, places.b) as (a, b):
        case = await granted(a, b, session)
        body, files = result(stamp)
        message = (await act(b, "result", case, "s3", body, *files))["message_id"]
        row = "SELECT state, attempt FROM delivery WHERE message = ?"
        await until(lambda: b.rows(row, message)[0][0] in ("delivered", "refused") or b.rows(row, message)[0][1])
        return b.one("SELECT problem FROM message WHERE id = ?", message), state(a, case), b.rows(row, message)[0][1]


async def test_a_seal_of_another_province_is_accepted_and_its_withdrawn_twin_refused(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    forge = Forge(places.b)
    listed(places, ("36011300000002", NOW - 9 * DAY))
    assert (await issued(places, session, forge.stamp(forge.seal())))[:2] == ("", "result_issued")


@pytest.mark.parametrize(
    ("withdrawn_at", "expected"),
    [(NOW - DAY, ("TB-3005", "granted", 0)), (NOW - DAY / 4, ("", "granted", 1)), (NOW + DAY, ("", "result_issued", 0))],
)  # fmt: skip
async def test_a_withdrawn_seal_is_judged_by_when(
    places: world.World, session: aiohttp.ClientSession, withdrawn_at: datetime, expected: tuple[str, str, int]
) -> None:
    """Before the stamp: refused. After the stamp's own word for its time: nobody can tell. Not yet: good."""
    listed(places, (SEAL, withdrawn_at))
    forge = Forge(places.b)
    assert await issued(places, session, forge.stamp(forge.seal(), at=NOW - DAY / 2)) == expected


@pytest.mark.parametrize("defect", ["signed by another key", "out of date", "missing", "garbage"])
async def test_a_list_that_cannot_be_used_leaves_the_question_open(
    places: world.World, session: aiohttp.ClientSession, defect: str
) -> None:
    listed(places, use="checkpoint" if "another" in defect else "direct", days=-1 if "date" in defect else 30)
    if defect == "missing":
        (places.a.folder / "peer.seals").unlink()
    if defect == "garbage":
        (places.a.folder / "peer.seals").write_bytes(b"\x00")
    forge = Forge(places.b)
    assert await issued(places, session, forge.stamp(forge.seal())) == ("", "granted", 1)


async def test_an_anchor_of_another_party_makes_no_seal_of_this_one_good(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    """A's own seal is good at A's own root; on a result from B it is nobody's."""
    own = Forge(places.a)
    seal = build_seal(
        own.maker, own.maker_der, es_id="1", name="样章", certificates=[own.signer_der], created=NOW - DAY,
        valid_from=NOW - DAY, valid_until=NOW + DAY, picture=round_seal("样章"),
    )  # fmt: skip
    tbs = build_stamp_tbs(seal, at=NOW, data_hash=sm3(DOCUMENT), property_info="x")
    stamp = build_stamp(tbs, own.signer_der, own.signer.sign(tbs))
    assert (await issued(places, session, stamp))[:2] == ("TB-3003", "granted")

"""Results and their stamps: what A verifies before it stores a result, one refusal for each defect."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from adapters.base import Act, Inline
from gateway import lab
from gateway.demo import world
from gateway.flow.accept import deed_of
from schemas import canonical as c
from signing import certs, issue
from signing.policy import CRL_IF_PRESENT
from signing.seal_build import build_seal, build_stamp, build_stamp_tbs
from signing.seal_picture import round_seal
from signing.sm2 import Signer
from signing.sm3 import sm3
from signing.verify import verify_stamp
from tests.flow import resting
from tests.flow.nodes import PROVIDER, Running, Window, running, until

DOCUMENT = "<svg xmlns='http://www.w3.org/2000/svg'><text>样章·测试无效</text></svg>".encode()
OTHER = b"another document"
NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)


class Forge:
    """B's seal workshop: the real lab keys, used as no workshop should."""

    def __init__(self, side: world.Side) -> None:
        self.folder = side.folder
        self.ring = world._ring(side, PROVIDER)
        self.maker, self.signer = self.ring.signer("seal-maker"), self.ring.signer("seal")
        self.maker_der, self.signer_der = (self._der(use) for use in ("seal-maker", "seal"))

    def _der(self, use: str) -> bytes:
        return (self.folder / "certs" / f"{use}.der").read_bytes()

    def seal(self, until: datetime = NOW + 100 * DAY, listed: bytes = b"", maker: Signer | None = None) -> bytes:
        return build_seal(
            maker or self.maker, self.maker_der, es_id="36011300000001", name="样章", certificates=[listed or self.signer_der],
            created=NOW - 20 * DAY, valid_from=NOW - 20 * DAY, valid_until=until, picture=round_seal("样章"),
        )  # fmt: skip

    def stamp(self, seal: bytes, document: bytes = DOCUMENT, at: datetime = NOW, signer: Signer | None = None) -> bytes:
        tbs = build_stamp_tbs(seal, at=at, data_hash=sm3(document), property_info="x")
        return build_stamp(tbs, self.signer_der, (signer or self.signer).sign(tbs))

    def foreign(self) -> bytes:
        """A good stamp of a CA that A does not know."""
        root = Signer(PROVIDER, PROVIDER.generate())
        begin = NOW - 30 * DAY
        der = issue.build_root(root, subject=(("CN", "别处"),), serial=7, not_before=begin, not_after=begin + 900 * DAY)
        authority = issue.Authority(root, certs.parse(der))
        signer = Signer(PROVIDER, PROVIDER.generate())
        made = [
            issue.build_certificate(
                authority, subject=(("CN", use),), public_key=signer.public, serial=n, not_before=begin,
                not_after=begin + 900 * DAY, profile=use,
            )
            for n, use in enumerate(("seal-maker", "seal-signer"), 8)
        ]  # fmt: skip
        seal = build_seal(
            signer, made[0], es_id="1", name="别处", certificates=[made[1]], created=begin, valid_from=begin,
            valid_until=NOW + DAY, picture=round_seal("别处"),
        )  # fmt: skip
        tbs = build_stamp_tbs(seal, at=NOW, data_hash=sm3(DOCUMENT), property_info="x")
        return build_stamp(tbs, made[1], signer.sign(tbs))


async def act(
    node: Running, type_: str, case: str, id_: str, body: Any, *parts: Inline, local_number: str = ""
) -> dict[str, str]:
    """One act of a node's own platform, handed to its desk."""
    platform = next(iter(node.node.platforms))
    return await node.node.desk.take(deed_of(platform, Act(type_, case, id_, body, local_number, parts), id_.encode()))


def inline(data: bytes, name: str) -> Inline:
    return Inline(sm3(data).hex(), len(data), "image/svg+xml", name, data)


def result(stamp: bytes | None, document: bytes = DOCUMENT) -> tuple[c.Result, list[Inline]]:
    files = [inline(document, "doc.svg")] + ([inline(stamp, "doc.es")] if stamp is not None else [])
    paper = c.Material("决定书", files[0].sm3, len(document), "image/svg+xml", "doc.svg", "result")
    mark = (
        c.Material("签章", files[1].sm3, len(stamp), "application/octet-stream", "doc.es", "stamp") if stamp else None
    )
    return c.Result("R-1", "营业执照", [c.ResultDocument("营业执照", paper, mark)], NOW), files


async def granted(a: Running, b: Running, session: aiohttp.ClientSession) -> str:
    """A case that B has granted and both sides know it."""
    window = Window(a, session, json.loads(a.side.platform_config.read_bytes()))
    case = (await window.hand_in(window.papers())).json["tbbh"]
    await until(lambda: b.one("SELECT state FROM case_file WHERE id = ?", case))
    await act(b, "acceptance", case, "s1", c.Acceptance("accepted", "S-1", "红谷滩区", "办理员", NOW))
    await act(b, "decision", case, "s2", c.Decision("granted", "D-1", "红谷滩区", "办理员", NOW))
    await until(lambda: a.one("SELECT state FROM case_file WHERE id = ?", case) == "granted")
    return case


def state(node: Running, case: str) -> Any:
    return node.one("SELECT state FROM case_file WHERE id = ?", case)


async def test_an_unstamped_result_is_stamped_by_its_issuer_and_verified_by_the_other_side(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    async with running(places.a, places.b) as (a, b):
        case = await granted(a, b, session)
        body, files = result(None)
        first = await act(b, "result", case, "s3", body, *files)
        await until(lambda: state(a, case) == "result_issued")
        again = await act(b, "result", case, "s3", body, *files)
        assert again["message_id"] == first["message_id"], "a repetition is not stamped twice"
        assert b.one("SELECT count(*) FROM part WHERE owner LIKE 'platform:%'") == 2


DEFECTS: dict[str, tuple[Callable[[Forge], bytes], str]] = {
    "expired seal C23": (lambda f: f.stamp(f.seal(until=NOW - 5 * DAY)), "TB-3004"),
    "signer not in the list C23": (lambda f: f.stamp(f.seal(listed=f.maker_der)), "TB-3006"),
    "made for another document C24": (lambda f: f.stamp(f.seal(), OTHER), "TB-3007"),
    "stamp signed by another key": (lambda f: f.stamp(f.seal(), signer=f.maker), "TB-3002"),
    "seal not made by its maker": (lambda f: f.stamp(f.seal(maker=f.signer)), "TB-3010"),
    "unknown root C18": (lambda f: f.foreign(), "TB-3003"),
    "not a stamp": (lambda f: b"\x30\x03\x02\x01\x01", "TB-3001"),
    "truncated": (lambda f: f.stamp(f.seal())[:-5], "TB-3001"),
}


@pytest.mark.parametrize("defect", DEFECTS)
async def test_a_result_with_a_bad_stamp_is_refused_and_the_case_stays(
    places: world.World, session: aiohttp.ClientSession, defect: str
) -> None:
    make, code = DEFECTS[defect]
    async with running(places.a, places.b) as (a, b):
        case = await granted(a, b, session)
        body, files = result(make(Forge(places.b)))
        told = await act(b, "result", case, "s3", body, *files)
        await until(lambda: b.one("SELECT state FROM delivery WHERE message = ?", told["message_id"]) == "refused")
        assert b.one("SELECT problem FROM message WHERE id = ?", told["message_id"]) == code
        assert b.one("SELECT receipt IS NOT NULL FROM message WHERE id = ?", told["message_id"]) == 1, "signed refusal"
        assert state(a, case) == "granted"
        # the issuer puts it right: a new result passes, nothing was lost
        body, files = result(None)
        await act(b, "result", case, "s4", body, *files)
        await until(lambda: state(a, case) == "result_issued")


async def test_a_result_whose_signer_was_revoked_before_stamping_is_refused(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    crl = lab.revoke(places.b.folder, PROVIDER, "seal", NOW - 2 * DAY, NOW)
    (places.a.folder / "peer.crl").write_bytes(crl.read_bytes())
    async with running(places.a, places.b) as (a, b):
        case = await granted(a, b, session)
        forge = Forge(places.b)
        body, files = result(forge.stamp(forge.seal()))
        told = await act(b, "result", case, "s3", body, *files)
        await until(lambda: b.one("SELECT problem FROM message WHERE id = ?", told["message_id"]) == "TB-3005")
        assert state(a, case) == "granted"


async def test_a_stamp_that_cannot_be_judged_now_is_neither_taken_nor_refused(
    places: world.World, session: aiohttp.ClientSession
) -> None:
    crl = lab.revoke(places.b.folder, PROVIDER, "identity", NOW - 60 * DAY, NOW - 50 * DAY)  # long out of date
    (places.a.folder / "peer.crl").write_bytes(crl.read_bytes())
    async with running(places.a, places.b) as (a, b):
        case = await granted(a, b, session)
        body, files = result(None)
        told = await act(b, "result", case, "s3", body, *files)
        await until(lambda: b.one("SELECT attempt FROM delivery WHERE message = ?", told["message_id"]) >= 1)
        assert (state(a, case), b.one("SELECT state FROM delivery WHERE message = ?", told["message_id"])) == (
            "granted",
            "frozen",
        )
        fresh = lab.revoke(places.b.folder, PROVIDER, "identity", NOW - 60 * DAY, NOW)
        (places.a.folder / "peer.crl").write_bytes(fresh.read_bytes())
        await until(lambda: state(a, case) == "result_issued")


async def test_a_result_without_any_stamp_is_refused(places: world.World, session: aiohttp.ClientSession) -> None:
    config = places.b.config.read_text().replace('uri = "local:"', 'uri = ""')
    places.b.config.write_text(config)
    async with running(places.a, places.b) as (a, b):
        case = await granted(a, b, session)
        body, files = result(None)
        told = await act(b, "result", case, "s3", body, *files)
        await until(lambda: b.one("SELECT problem FROM message WHERE id = ?", told["message_id"]) == "TB-3008")
        assert state(a, case) == "granted"


async def test_a_window_with_collect_power_never_decides(places: world.World, session: aiohttp.ClientSession) -> None:
    from gateway.problems import Refused

    async with running(places.a, places.b) as (a, b):
        window = Window(a, session, json.loads(a.side.platform_config.read_bytes()))
        case = (await window.hand_in(window.papers())).json["tbbh"]
        await until(lambda: state(a, case) == "received_there")
        for type_, body in (
            ("acceptance", c.Acceptance("accepted", "S-1", "硚口区", "窗口员", NOW)),
            ("decision", c.Decision("granted", "D-1", "硚口区", "窗口员", NOW)),
        ):
            with pytest.raises(Refused) as refused:
                await act(a, type_, case, type_, body)
            assert refused.value.code == "TB-5004" and refused.value.extra["receipt"]
        assert state(b, case) == "received_there"
        await asyncio.sleep(0)


async def test_K10_translation_never_touches_what_was_sealed(
    places: world.World, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """The message is translated on both sides; the stamp is judged on the issuer's own bytes, which the evidence keeps."""
    async with running(places.a, places.b) as (a, b):
        case = await granted(a, b, session)
        body, files = result(None)
        message = (await act(b, "result", case, "s3", body, *files))["message_id"]
        await until(lambda: state(a, case) == "result_issued")
        mine, theirs = (node.rows("SELECT original, sealed FROM message WHERE id = ?", message)[0] for node in (b, a))
        assert mine[0] and mine[1] and theirs[0] is None, "only the issuer's gateway has what its platform said"
    for side in (places.a, places.b):
        out = tmp_path / f"{side.folder.name}.jsonl"
        assert resting.run(side.folder, "evidence", "export", case, "-o", out).exit_code == 0
        rows = [json.loads(line) for line in out.read_bytes().splitlines()]
        document, stamp = (
            next(base64.b64decode(row["data"]) for row in rows if row["record"] == kind)
            for kind in ("document", "stamp")
        )
        assert document == DOCUMENT
        report = verify_stamp(
            stamp, sm3(document), at=datetime.now(UTC), provider=PROVIDER, policy=CRL_IF_PRESENT,
            anchors=[certs.parse((places.b.folder / "certs" / "ca.der").read_bytes())],
        )  # fmt: skip
        assert report.ok is True

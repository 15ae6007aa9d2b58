"""A sharing platform in its own process, a workshop of its certificates, and a window that asks for them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

from gateway.demo import world
from signing import certs, ecert_data, ecert_id, issue
from signing.ecert import Field, Holder, Metadata
from signing.keys import private_to_pem, to_pem
from signing.ofd.build import build_ofd
from signing.ofd.content import Document, Page
from signing.ofd.sign import stamp
from signing.policy import CRL_IF_PRESENT
from signing.seal_build import build_seal
from signing.seal_picture import round_seal
from signing.sm2 import Signer
from signing.stamper import LocalStamper
from tests.contract.platform_support import Sim, sim
from tests.flow.nodes import PROVIDER, Reply, Window

CARD = "11100000000013127D001"
LICENCE = "11100000MB0143028R001"
ISSUER = "11420104MB00000000"
ITEM = "QX-TB-001"
PERSON, OTHER = "420104196001020019", "420104199003071235"
NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
PROFILES = {"shandong": "shandong-certshare", "shanghai": "shanghai-relay", "guangdong": "guangdong-license"}


class Workshop:
    """Seals certificates under a root of its own, as another province would."""

    def __init__(self) -> None:
        root, maker, signer = (Signer(PROVIDER, PROVIDER.generate()) for _ in range(3))
        begin = NOW - 30 * DAY
        span = {"not_before": begin, "not_after": begin + 900 * DAY}
        self.root = issue.build_root(root, subject=(("CN", "别处"),), serial=7, **span)
        authority = issue.Authority(root, certs.parse(self.root))
        made = [
            issue.build_certificate(
                authority, subject=(("CN", use),), public_key=who.public, serial=n, profile=use, **span
            )
            for n, (use, who) in enumerate({"seal-maker": maker, "seal-signer": signer}.items(), 8)
        ]
        seal = build_seal(
            maker, made[0], es_id="1", name="样章", certificates=[made[1]], created=begin, valid_from=begin,
            valid_until=begin + 800 * DAY, picture=round_seal("样章"),
        )  # fmt: skip
        self._stamper = LocalStamper(signer, certs.parse(made[1]), seal, [certs.parse(self.root)], CRL_IF_PRESENT)

    def make(self, metadata: Metadata) -> bytes:
        """The certificate, with its identifier as it is written, right or wrong."""
        right = ecert_id.parse(metadata.identifier)
        said = ecert_data.write(replace(metadata, identifier=str(replace(right, check=right.wanted))))
        custom = [(key, metadata.identifier if key == "ZZBS" else value) for key, value in said]
        document = Document((Page(210, 297, ()),), custom=tuple(custom))
        made = stamp(build_ofd(document), self._stamper, at=NOW - DAY, company="样章·测试无效")
        assert isinstance(made, bytes), made
        return made


def card(serial: str = "0000000001", holder: str = PERSON, **changed: Any) -> Metadata:
    """A certificate of the person; ``changed`` replaces fields of the metadata."""
    type_code = changed.pop("type_code", CARD)
    said: dict[str, Any] = {
        "identifier": str(ecert_id.make(type_code, ISSUER, serial)), "type_code": type_code, "type_name": "居民身份证（样章）",
        "number": f"样{serial}", "holder": Holder("甄无名", holder, "111"), "issuer_name": "样章机关", "issuer_code": ISSUER,
        "issued": date(2026, 1, 1), "valid_from": date(2026, 1, 1), "valid_to": date(2036, 1, 1),
        "fields": (Field("DZ", "住址", "试验大道一百零一号"),),
    }  # fmt: skip
    return Metadata(**said | changed)


@dataclass
class Shared:
    """The running platform and what lies on its shelf."""

    sim: Sim
    workshop: Workshop
    folder: Path

    async def calls(self, part: str = "") -> int:
        return sum(part in one["path"] for one in await self.sim.get("/sim/calls"))


def entry(metadata: Metadata, file: Path, **changed: Any) -> dict[str, Any]:
    return {
        "identifier": metadata.identifier, "type_code": metadata.type_code, "type_name": metadata.type_name,
        "number": metadata.number, "holder_code": metadata.holder.code, "status": "01", "surface": {}, "file": str(file),
    } | changed  # fmt: skip


@asynccontextmanager
async def platform(
    side: world.Side,
    dialect: str,
    session: aiohttp.ClientSession,
    *shelf: Metadata | bytes,
    settings: str = "",
    **more: Any,
) -> AsyncIterator[Shared]:
    """A simulated platform with these certificates, and the node configured to ask it. Bytes: the file of the one before.
    ``settings``: more of the platform's section."""
    workshop, folder = Workshop(), side.folder / "sharing"
    folder.mkdir()
    key = PROVIDER.generate()
    (folder / "key.pem").write_bytes(private_to_pem(key, None))
    (folder / "secret").write_bytes(b"s3cret")
    for path in folder.iterdir():
        path.chmod(0o600)
    (folder / "root.pem").write_bytes(to_pem("CERTIFICATE", workshop.root))
    certificates: list[dict[str, Any]] = []
    for n, one in enumerate(shelf):
        if isinstance(one, Metadata):
            path = folder / f"{n}.ofd"
            path.write_bytes(workshop.make(one))
            certificates.append(entry(one, path))
        else:
            Path(certificates[-1]["file"]).write_bytes(one)
    config = {
        "certificates": certificates, "account": "tongban", "secret": "s3cret", "asker_key": key.public.point.hex()[2:],
    } | more  # fmt: skip
    async with sim(f"sharing_{dialect}.py", config, folder, session) as running:
        text = f"""
[[sharing]]
id = "{dialect}"
profile = "{PROFILES[dialect]}"
url = "{running.url}"
account = "tongban"
org = "硚口区综合窗口"
secret = {{ file = "sharing/secret" }}
key = "sharing/key.pem"
anchors = ["sharing/root.pem"]
timeout_ms = 800
{settings}"""
        side.config.write_text(side.config.read_text() + text)
        yield Shared(running, workshop, folder)


def why(case: str, **changed: Any) -> dict[str, Any]:
    return {
        "clerk": "测试窗口员", "clerk_no": "K001", "item": ITEM, "item_name": "个体工商户设立登记", "case_number": case,
        "purpose": "跨省通办收件与办理", "basis": "consent", "basis_text": "授权书2026-1",
    } | changed  # fmt: skip


class Asking:
    """The window's side of the four acts."""

    def __init__(self, window: Window) -> None:
        self.window = window

    async def post(self, act: str, asked: dict[str, Any] | bytes) -> Reply:
        body = asked if isinstance(asked, bytes) else json.dumps(asked, ensure_ascii=False).encode()
        path = f"/platform/v1/certificates/{act}"
        return await self.window.call("POST", path, body, {"content-type": "application/json"})

    async def query(self, case: str, holder: str = PERSON, type_code: str = CARD) -> Reply:
        return await self.post(
            "query", {"why": why(case), "holder": {"code": holder, "code_type": "111"}, "type_code": type_code}
        )

    async def authorize(self, case: str, of: Metadata, holder: str = PERSON) -> Reply:
        wanted = {
            "why": why(case), "holder": {"code": holder, "code_type": "111"}, "type_code": of.type_code,
            "identifier": of.identifier,
        }  # fmt: skip
        return await self.post("authorize", wanted)

    async def code(self, case: str, of: Metadata) -> str:
        reply = await self.authorize(case, of)
        assert reply.status == 200, reply.body
        return str(reply.json["use_code"])

    async def fetch(self, case: str, code: str, **changed: Any) -> Reply:
        asked = {"use_code": code, "clerk": "测试窗口员", "clerk_no": "K001", "item": ITEM, "case_number": case}
        return await self.post("fetch", asked | changed)

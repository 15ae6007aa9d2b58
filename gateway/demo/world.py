"""The demo's world on disk: two lab nodes that have exchanged cards and signed one agreement, and two platforms' settings.

Modelled on published reports of 武汉硚口 and 南昌红谷滩; no agreement with or endorsement by the named places is implied.
"""

from __future__ import annotations

import shutil
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from agreements import load as agreements
from agreements import samples
from agreements.model import Confidentiality, Item
from gateway import files, lab
from gateway.demo import systems
from gateway.demo.systems import System
from gateway.keys import keyring
from gateway.lab import Place
from signing.providers import Provider
from signing.sm2 import PrivateKey

A_DIVISION, A_NAME = samples.QIAOKOU, "武汉市硚口区"
B_DIVISION, B_NAME = samples.HONGGUTAN, "南昌市红谷滩区"
ISSUER = "武汉市硚口区城市管理执法局（模拟）"
UNIT, LICENCE_BYTES = "HGT-ZWFW", 16
CONFIG = "tongban.toml"


@dataclass(frozen=True)
class Side:
    """One place: its folder, its listeners, its platform's configuration file."""

    place: Place
    folder: Path
    platform_config: Path

    @property
    def config(self) -> Path:
        """The gateway's configuration file."""
        return self.folder / CONFIG


@dataclass(frozen=True)
class World:
    """Both places."""

    root: Path
    a: Side
    b: Side
    more: tuple[System, ...] = ()


@dataclass(frozen=True)
class Settings:
    """Knobs of a world: bytes of the large PDF, milliseconds per step at B's platform, delivery settings of both,
    whether the gateways speak TLS with each other, whether A issues certificates and has public pages, and whether both
    places have further local platforms (``gateway.demo.systems``)."""

    pdf_bytes: int = 5 << 20
    step_ms: int = 20
    delivery: str = "\n[delivery]\nbase_ms = 50\ncap_ms = 2000\n"
    parallel: int = 8
    confidentiality: Confidentiality = "end-to-end"
    tls: bool = True
    certificates: bool = False
    platforms: bool = False


def build(root: Path, provider: Provider, now: datetime, settings: Settings) -> World:
    """Make the world afresh under ``root``; what was there is removed."""
    if root.exists():
        shutil.rmtree(root)
    ports = free_ports(11)
    a = _side(root, "a", A_DIVISION, A_NAME, ports[:3], settings.tls, ports[10] if settings.certificates else 0)
    b = _side(root, "b", B_DIVISION, B_NAME, ports[3:6], settings.tls)
    for side in (a, b):
        lab.build(side.folder, side.place, provider, now)
    further = systems.SYSTEMS if settings.platforms else ()
    agreement = _agreement(a, b, provider, now, settings.confidentiality, systems.listed(further))
    for side, other in ((a, b), (b, a)):
        (side.folder / "agreement.toml").write_bytes(agreement)
        shutil.copy(other.folder / "card.json", side.folder / "peer.card.json")
    window = provider.generate()
    licences = (provider.random(LICENCE_BYTES).hex(), provider.random(LICENCE_BYTES).hex())
    _write_configs(a, b, window, licences, ports, settings)
    _write_platforms(a, b, window, licences, ports, settings, provider)
    return World(
        root, a, b, tuple(_settle(one, {"a": a, "b": b}[one.side], free_ports(2), provider) for one in further)
    )


def _side(root: Path, name: str, division: str, title: str, ports: list[int], tls: bool, public: int = 0) -> Side:
    exchange, platform, admin = (f"127.0.0.1:{port}" for port in ports)
    place = Place(division, f"{title}通办网关", exchange, platform, admin, tls, f"127.0.0.1:{public}" if public else "")
    return Side(place, root / f"{name}-{division}", root / f"platform-{division}" / "platform.json")


def _agreement(
    a: Side,
    b: Side,
    provider: Provider,
    now: datetime,
    confidentiality: Confidentiality = "end-to-end",
    listed: tuple[Item, ...] | None = None,
) -> bytes:
    """The sample agreement, signed by both sides."""
    data = samples.render(
        a.place.party, b.place.party, name_a=A_NAME, name_b=B_NAME, confidentiality=confidentiality, listed=listed
    )
    return signed(data, (a, b), provider, now)


def _settle(system: System, side: Side, ports: Sequence[int], provider: Provider) -> System:
    """Add the system to its gateway's configuration and write its own; the system with its file."""
    folder = side.platform_config.parent.with_name(f"{system.id}-{side.place.division}")
    folder.mkdir()
    listen, control = (f"127.0.0.1:{port}" for port in ports)
    to_us, to_them = provider.random(16).hex(), provider.random(16).hex()
    address = {
        "soap": f"http://{listen}/soap", "message_set": f"http://{listen}", "front_db": f"sqlite://{folder / 'front.db'}",
        "file_drop": f"file://{folder / 'exchange'}",
    }[system.family]  # fmt: skip
    with side.config.open("a", encoding="utf-8") as config:
        config.write(
            f'\n[[platform]]\nid = "{system.id}"\nprofile = "{system.profile}"\nbase_url = "{address}"\n'
            f"items = {msgspec.json.encode(system.items).decode()}\n"
            f'licence = "{to_us}"\nour_licence = "{to_them}"\n'
        )
    path = folder / "system.json"
    told = {
        "listen": listen, "control": control, "records": str(folder / "records.db"), "division": side.place.division,
        "database": str(folder / ("front.db" if system.family == "front_db" else "records.db")),
        "folder": str(folder / "exchange"), "purpose": samples.PURPOSE, "scenarios": {}, "step_ms": 20,
        "gateway": f"http://{side.place.platform}/platform/v1/soap/{system.profile}", "licence": to_us,
        "gateway_licence": to_them, "token": to_them,
    }  # fmt: skip
    path.write_bytes(msgspec.json.format(msgspec.json.encode(told)))
    return replace(system, config=path)


def signed(data: bytes, sides: Sequence[Side], provider: Provider, now: datetime) -> bytes:
    """An agreement with the signature of each side's direct key."""
    for side in sides:
        ring = _ring(side, provider)
        party, at = side.place.party, agreements.time_text(now)
        signature = ring.signer("direct").sign(agreements.message(agreements.parse(data).text, party, at))
        data = agreements.with_signature(
            data, agreements.PartySignature(party, at, ring.certificate("direct"), signature)
        )
    return data


def _ring(side: Side, provider: Provider) -> keyring.Keyring:
    passphrase = files.private_bytes(side.folder / "keys" / lab.PASSPHRASE).strip()
    return keyring.Keyring(side.folder / "keys", passphrase, provider)


def _write_configs(
    a: Side, b: Side, window: PrivateKey, licences: tuple[str, str], ports: list[int], settings: Settings
) -> None:
    to_us, to_them = licences
    qiaokou = f"""
[[platform]]
id = "window"
profile = "qiaokou"
base_url = "http://127.0.0.1:{ports[6]}"
app_id = "qk-window"
public_keys = ["{window.public.point.hex()}"]
"""
    honggutan = f"""
[[platform]]
id = "hall"
profile = "honggutan"
base_url = "http://127.0.0.1:{ports[8]}/soap"
unit = "{UNIT}"
licence = "{to_us}"
our_unit = "{UNIT}-GW"
our_licence = "{to_them}"
"""
    issuing = f"""
[public]
url = "http://{a.place.public}"

[certificates]
issuer_name = "{ISSUER}"
issuer_code = "{a.place.party[7:]}"
"""
    for side, other, platform in ((a, b, qiaokou + (issuing if a.place.public else "")), (b, a, honggutan)):
        fingerprint = (other.folder / "fingerprint").read_text()
        peer = f"""
[[peer]]
id = "{other.place.party}"
url = "{"https" if settings.tls else "http"}://{other.place.exchange}"
card = "peer.card.json"
fingerprint = "{fingerprint}"
crl = "peer.crl"
"""
        agreement = '\n[[agreement]]\nfile = "agreement.toml"\n'
        side.config.write_text(lab.config_text(side.place, peer, platform, agreement, settings.delivery))


def _write_platforms(
    a: Side,
    b: Side,
    window: PrivateKey,
    licences: tuple[str, str],
    ports: list[int],
    settings: Settings,
    provider: Provider,
) -> None:
    to_us, to_them = licences
    gateway_key = _ring(a, provider).signer("platform").public.point.hex()
    further = systems.SYSTEMS if settings.platforms else ()
    _write_json(
        a.platform_config,
        {
            "listen": f"127.0.0.1:{ports[6]}", "control": f"127.0.0.1:{ports[7]}",
            "database": str(a.platform_config.parent / "platform.db"), "gateway": f"http://{a.place.platform}",
            "app_id": "qk-window", "private_key": f"{window.d:064x}", "gateway_public_key": gateway_key,
            "gateway_app_id": "tongban", "division": A_DIVISION, "handling": B_DIVISION, **systems.window_items(further),
            "purpose": samples.PURPOSE, "pdf_bytes": settings.pdf_bytes, "parallel": settings.parallel, "window": "3号窗口",
            "permit_holder": samples.lab_party("420112")[7:],
        },
    )  # fmt: skip
    xsd = Path(__file__).parents[2] / "adapters" / "profiles" / "honggutan.xsd"
    _write_json(
        b.platform_config,
        {
            "listen": f"127.0.0.1:{ports[8]}", "control": f"127.0.0.1:{ports[9]}",
            "database": str(b.platform_config.parent / "platform.db"),
            "gateway": f"http://{b.place.platform}/platform/v1/soap/honggutan", "unit": UNIT, "licence": to_us,
            "gateway_unit": f"{UNIT}-GW", "gateway_licence": to_them, "xsd": str(xsd), "step_ms": settings.step_ms,
            "parallel": settings.parallel, "scenarios": {"1": "correction", "2": "special", "3": "denied"},
        },
    )  # fmt: skip


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(value)))


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that are free now. On Linux they stay reserved until this process ends: a bound socket that
    never listens keeps the system from giving its port to anybody who asks for any, and lets a server take it by name."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.detach() if sys.platform == "linux" else one.close()
    return ports

"""Signed headers, tokens and encrypted bodies, by scheme: out to a peer, and in at our door, without the gateway behind it.

``out``: translated, proved, sent, the answer read, sixteen at a time, a connection each. First the simulator takes some, which
checks every proof; it does so in pure Python at about a hundred a second for SM2, so the pace is taken with a peer that answers
at once. ``in``: a request proved beforehand by the simulator's code is judged by ``Platform.authenticate`` and translated.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from adapters import samples
from adapters.base import Accepted, Presented, Signed
from adapters.registry import Platform, PlatformSettings, open_platform
from adapters.rest_signed.sign import split_target
from signing.providers import open_provider
from signing.sm2 import Signer
from signing.sm3 import sm3
from tests.bench.measure import Figures, brief, note
from tests.bench.procs import ROOT, Server, running, start

PROFILES, SIMULATORS = ROOT / "adapters" / "profiles", ROOT / "gateway" / "demo" / "platforms"
SECRET, BODY_KEY = "bench-secret-that-opens-nothing-00005", "77" * 16
AT_ONCE, ASKED, HOST, PATH = 16, 1000, "127.0.0.1:1", "/platform/v1/cases"
sys.path.insert(0, str(SIMULATORS))
from signed_hall_words import WORDS, application  # noqa: E402  (a stranger, as the platform is)
from signed_speech import SPEECHES  # noqa: E402


class Kind(NamedTuple):
    """A row of the figures: profile, and the algorithm where it is not the profile's."""

    name: str
    profile: str
    algorithm: str = ""


KINDS = [
    Kind("SM2 in headers", "qiaokou"), Kind("HMAC-SM3", "wuhan"), Kind("x-tif", "hubei"), Kind("JWT, SM2", "yueyang"),
    Kind("JWT, ES256", "yueyang", "ES256"), Kind("JWT, RS256", "yueyang", "RS256"), Kind("SM4 body, SM2", "xiamen_yibao"),
]  # fmt: skip


class Pair(NamedTuple):
    """Private keys as each side writes them, and the public ones."""

    ours: Any
    our_public: str
    our_pem: bytes
    theirs: str
    their_public: str


def pair(algorithm: str) -> Pair:
    """Keys of both sides; both have the same where they are of no standard curve of ours."""
    provider = open_provider()
    ours, theirs = provider.generate(), provider.generate()
    if not algorithm:
        return Pair(ours, ours.public.point.hex(), b"", f"{theirs.d:064x}", theirs.public.point.hex())
    key: Any = (
        ec.generate_private_key(ec.SECP256R1()) if algorithm == "ES256" else rsa.generate_private_key(65537, 2048)
    )
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, *form)
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    public = key.public_key().public_bytes(serialization.Encoding.PEM, spki).decode()
    return Pair(ours, public, pem, pem.decode(), public)


def opened(kind: Kind, keys: Pair, url: str) -> Platform:
    """Our side."""
    provider = open_provider()
    text = (PROFILES / f"{kind.profile}.toml").read_bytes()
    if kind.algorithm:
        text = text.replace(b'algorithm = "SM2"', f'algorithm = "{kind.algorithm}"'.encode())
    own = PlatformSettings(id="b", profile=kind.profile, base_url=url, app_id="hall", public_keys=(keys.their_public,))
    signer = Signer(provider, keys.ours)
    shared = {"secret": SECRET.encode(), "body_key": BODY_KEY.encode(), "key": keys.our_pem}
    return open_platform(
        own, text, {}, lambda: signer, provider, lambda: secrets.token_hex(16),
        lambda: int(time.time() * 1000), shared,
    )  # fmt: skip


def config(kind: Kind, keys: Pair, folder: Path) -> dict[str, Any]:
    """Their side."""
    return {
        "listen": "127.0.0.1:0", "control": "127.0.0.1:0", "database": str(folder / f"{kind.profile}{kind.algorithm}.db"),
        "gateway": "http://127.0.0.1:9", "platform": kind.profile, "app_id": "hall", "gateway_app_id": "tongban", "secret": SECRET,
        "body_key": BODY_KEY, "private_key": keys.theirs, "gateway_public_key": keys.our_public, "any_case": True,
        **({"alg": kind.algorithm} if kind.algorithm else {}),
    }  # fmt: skip


def simulator(kind: Kind, settings: Mapping[str, Any], folder: Path) -> Server:
    script = "qiaokou.py" if kind.profile == "qiaokou" else "signed_hall.py"
    path = folder / f"{kind.profile}{kind.algorithm}.json"
    path.write_text(json.dumps(settings), "utf-8")
    return start([sys.executable, "-I", str(SIMULATORS / script), "--config", str(path)], 1)


async def _out(platform: Platform, seconds: float, name: str) -> int:
    until, count = time.perf_counter() + seconds, 0

    async def line(number: int) -> None:
        nonlocal count
        while time.perf_counter() < until:
            out = msgspec.structs.replace(samples.outbound("acceptance"), id=f"{name}{number}")
            outcome = await platform.channel.send(platform.translator.outbound(out))
            if not isinstance(outcome, Accepted):
                raise SystemExit(f"not accepted: {outcome}")
            number, count = number + AT_ONCE, count + 1

    await asyncio.gather(*[line(number) for number in range(AT_ONCE)])
    return count


async def taken(platform: Any, seconds: float) -> None:
    """The simulator takes what is proved; anything else ends the measurement."""
    await _out(platform, seconds, "t")
    await platform.channel.close()


async def out(platform: Any, seconds: float) -> Figures:
    """Warm: tables are built for a key that is used often, and one of a gateway lives for months."""
    await _out(platform, 0.5, "w")
    cpu, began = time.process_time(), time.perf_counter()
    count = await _out(platform, seconds, "m")
    found = figures(count, time.perf_counter() - began, time.process_time() - cpu)
    await platform.channel.close()
    return found


def requests(kind: Kind, settings: dict[str, Any], count: int) -> Iterator[tuple[Presented, bytes]]:
    """What the platform would send: made by its own code, which is slow and not counted."""
    speech, words = SPEECHES[kind.profile](settings), WORDS[kind.profile]
    for number in range(count):
        text = json.dumps(application(words, settings, number + 1, 1000)[0], ensure_ascii=False).encode()
        now_ms, headers = int(time.time() * 1000), {"host": HOST, "content-type": "application/json"}
        body = speech.close(text, now_ms)
        headers |= speech.prove("POST", PATH, headers, body, now_ms, secrets.token_hex(16))
        yield Presented("POST", *split_target(PATH), tuple(headers.items()), sm3(body), body), body


def come(platform: Platform, made: list[tuple[Presented, bytes]], rounds: int) -> Figures:
    """Each request judged and translated, over and over: who comes twice is the gateway's affair."""
    now_ms = int(time.time() * 1000)
    cpu, began = time.process_time(), time.perf_counter()
    for _ in range(rounds):
        for shown, body in made:
            who = platform.authenticate(shown, now_ms)
            assert isinstance(who, Signed), who
            platform.translator.inbound("case", who.message(body))
    return figures(rounds * len(made), time.perf_counter() - began, time.process_time() - cpu)


def figures(count: int, spent: float, used: float) -> Figures:
    per_core = count / used
    return {"per_second": round(count / spent, 1), "cpu": round(per_core, 1), "done": count, "baseline": ASKED,
            "ratio": round(per_core / ASKED, 3), "p50_ms": None, "p99_ms": None}  # fmt: skip


def rows(folder: Path, seconds: float) -> dict[str, Figures]:
    """Every scheme, out and in."""
    found: dict[str, Figures] = {}
    for kind in KINDS[:2] if brief(seconds) else KINDS:
        note(f"rest_signed, {kind.name}")
        keys = pair(kind.algorithm)
        settings = config(kind, keys, folder)
        server = simulator(kind, settings, folder)
        try:
            asyncio.run(taken(opened(kind, keys, f"http://127.0.0.1:{server.port}"), 0.3))
        finally:
            server.stop()
        with running("tests.bench.yes", json.dumps(yes(kind)), core=1) as peer:
            platform = opened(kind, keys, f"http://127.0.0.1:{peer.port}")
            found[f"rest_signed, {kind.name}, out"] = asyncio.run(out(platform, seconds / len(KINDS)))
        if kind.profile in SPEECHES:
            found[f"rest_signed, {kind.name}, in"] = come(platform, list(requests(kind, settings, 50)), 20)
    return found


def yes(kind: Kind) -> dict[str, Any]:
    """What this platform says to what it has taken."""
    if kind.profile == "qiaokou":
        return {"code": 0}
    name, code, *_ = WORDS[kind.profile].answer
    return {name: code}

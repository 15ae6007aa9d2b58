"""A large material from gateway A to gateway B, a core each: MB/s from the hand-in until B's receipt is stored at A, and
the memory it costs there; the same with contents sealed and not."""

from __future__ import annotations

import http.client
import json
import secrets
import time
import tomllib
from pathlib import Path
from typing import Any

from adapters.rest_signed import sign as signing_scheme
from agreements.model import Confidentiality
from gateway.demo import world
from signing import sm3 as digests
from signing.providers import open_provider
from signing.sm2 import Signer
from tests.bench import cases, ours, parts
from tests.bench.measure import Figures, note, wait_for
from tests.bench.procs import ROOT

BRISK = world.Settings(delivery="\n[delivery]\nbase_ms = 100\ncap_ms = 500\n")  # while a part is decrypted: come again


def measure(folder: Path, size: int, confidentiality: Confidentiality) -> Figures:
    """Two cases: one with 1 MiB, whose peak memory is ``small_rss_mb``, and the one that is measured."""
    made = ours.build(folder, confidentiality, BRISK)
    ours.alone(made.b)
    platform = json.loads(made.a.platform_config.read_bytes())
    note(f"our gateways, {size >> 20} MiB from A to B, {confidentiality}")
    with ours.serving(made.b, 1, folder / "b.log") as far, ours.serving(made.a, 0, folder / "a.log") as near:
        port, database = int(near.ready["platform"]), made.a.folder / "data" / "gateway.db"
        sign = parts.signer(made)

        def one(number: int, size: int) -> float:
            material = _upload(near, port, size, sign)
            began = time.perf_counter()
            _hand_in(port, made.a.place.platform, platform, number, material)
            wait_for(lambda: ours.delivered(database) >= number, 120 + size / 2e6, 0.01)
            return time.perf_counter() - began

        one(1, parts.RANGE)
        small = max(near.peak_rss_mb(), far.peak_rss_mb())
        cpu = near.cpu_seconds(), far.cpu_seconds()
        seconds = one(2, size)
        megabytes = size / (1 << 20)
        return {
            "done": 1,
            "mb": size >> 20,
            "per_second": round(megabytes / seconds, 1),
            "p50_ms": round(seconds * 1000, 1),
            "p99_ms": round(seconds * 1000, 1),
            "near_cpu_ms_per_mb": round((near.cpu_seconds() - cpu[0]) / megabytes * 1000, 1),
            "far_cpu_ms_per_mb": round((far.cpu_seconds() - cpu[1]) / megabytes * 1000, 1),
            "small_rss_mb": round(small, 1),
            "rss_mb": round(max(near.peak_rss_mb(), far.peak_rss_mb()), 1),
        }


def _upload(server: ours.Server, port: int, size: int, sign: parts.Sign) -> dict[str, Any]:
    parts.send(server, port, size, sign)
    digest = digests.new()
    for piece in parts.content(size):
        digest.update(piece)
    name = digest.digest().hex()
    return {"mc": "测试材料", "zy": name, "dx": size, "gs": "application/pdf", "wjm": "a.pdf"}


def _hand_in(port: int, host: str, platform: dict[str, Any], number: int, material: dict[str, Any]) -> None:
    profile = tomllib.loads((ROOT / "adapters" / "profiles" / "qiaokou.toml").read_text("utf-8"))
    provider, scheme = open_provider(), signing_scheme.read_scheme(profile["signing"])
    key = Signer(provider, provider.load(int(platform["private_key"], 16)))
    case = cases.window_case(platform["items"][0], platform["purpose"], number) | {"cl": [material]}
    body = json.dumps(case, ensure_ascii=False).encode()
    covered = {"host": host, "content-type": "application/json"}
    part = signing_scheme.Part("POST", "/platform/v1/cases", "", covered, digests.sm3(body))
    headers = signing_scheme.sign(
        scheme, key, part, app=platform["app_id"], time_ms=int(time.time() * 1000), nonce=secrets.token_hex(16)
    )
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("POST", "/platform/v1/cases", body, {"Content-Type": "application/json", **dict(headers)})
    answer = connection.getresponse()
    if answer.status != 200:
        raise SystemExit(f"refused: {answer.status} {answer.read().decode('utf-8', 'replace')}")

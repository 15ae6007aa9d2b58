"""Materials in ranges of 1 MiB: MB/s and memory of our platform listener beside a handler that only writes and syncs."""

from __future__ import annotations

import http.client
import json
import secrets
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

from adapters.rest_signed import sign as signing_scheme
from gateway.demo import world
from signing import sm3 as digests
from signing.providers import open_provider
from signing.sm2 import Signer
from tests.bench import ours
from tests.bench.measure import Figures, note
from tests.bench.procs import ROOT, Server, running

RANGE = 1 << 20
Sign = Callable[[str, str, bytes], dict[str, str]]


def content(size: int) -> Iterator[bytes]:
    """``size`` bytes in ranges, the same each time: one random block, its place in front."""
    block = b"\x5a" * RANGE
    for start in range(0, size, RANGE):
        piece = start.to_bytes(8, "big") + block[8:]
        yield piece[: min(RANGE, size - start)]


def send(server: Server, port: int, size: int, sign: Sign) -> Figures:
    """One file over one connection; each range is one signed PUT."""
    digest = digests.new()
    for piece in content(size):
        digest.update(piece)
    path = f"/platform/v1/materials/{digest.digest().hex()}"
    connection = http.client.HTTPConnection("127.0.0.1", port)
    cpu, began, offset, spent = server.cpu_seconds(), time.perf_counter(), 0, []
    for piece in content(size):
        span = f"bytes {offset}-{offset + len(piece) - 1}/{size}"
        headers = {"Content-Type": "application/octet-stream", "Content-Range": span, **sign(path, span, piece)}
        start = time.perf_counter()
        connection.request("PUT", path, piece, headers)
        answer = connection.getresponse()
        body = answer.read()
        spent.append(time.perf_counter() - start)
        if answer.status >= 300:
            raise SystemExit(f"refused at {span}: {answer.status} {body.decode('utf-8', 'replace')}")
        offset += len(piece)
    seconds = time.perf_counter() - began
    spent.sort()
    return {
        "done": len(spent),
        "mb": size >> 20,
        "per_second": round(size / (1 << 20) / seconds, 1),
        "p50_ms": round(spent[len(spent) // 2] * 1000, 3),
        "p99_ms": round(spent[int(len(spent) * 0.99)] * 1000, 3),
        "cpu_us_per_request": round((server.cpu_seconds() - cpu) / len(spent) * 1e6, 1),
        "rss_mb": round(server.peak_rss_mb(), 1),
    }


def baseline(folder: Path, size: int) -> Figures:
    note(f"baseline: plain upload of {size >> 20} MiB")
    file = folder / "upload"
    with running("tests.bench.plain_upload", "--file", str(file)) as server:
        figures = send(server, server.port, size, lambda path, span, piece: {})
    file.unlink()
    return figures


def measure(folder: Path, size: int) -> Figures:
    """``small_rss_mb`` is the peak after a file of 1 MiB: a large one may not cost more."""
    made = ours.build(folder)
    sign = signer(made)
    note(f"our gateway, {size >> 20} MiB in ranges")
    with ours.serving(made.a, 0, folder / "a.log") as server:
        port = int(server.ready["platform"])
        small = send(server, port, RANGE, sign)
        figures = send(server, port, size, sign)
    return {**figures, "small_rss_mb": small["rss_mb"]}


def signer(made: world.World) -> Sign:
    platform = json.loads(made.a.platform_config.read_bytes())
    profile = tomllib.loads((ROOT / "adapters" / "profiles" / "qiaokou.toml").read_text("utf-8"))
    scheme, provider = signing_scheme.read_scheme(profile["signing"]), open_provider()
    key = Signer(provider, provider.load(int(platform["private_key"], 16)))
    host = made.a.place.platform

    def sign(path: str, span: str, piece: bytes) -> dict[str, str]:
        covered = {"host": host, "content-type": "application/octet-stream", "content-range": span}
        part = signing_scheme.Part("PUT", path, "", covered, digests.sm3(piece))
        at = int(time.time() * 1000)
        nonce = secrets.token_hex(16)
        return dict(signing_scheme.sign(scheme, key, part, app=platform["app_id"], time_ms=at, nonce=nonce))

    return sign

"""The simulated window system's way to the gateway: signed requests, uploads in ranges, fetching, checking callbacks.

The canonical string is written here from the profile's description alone, not from the gateway's code.
"""

from __future__ import annotations

import json
import secrets
import time
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web
from simkit import pause, sm3  # type: ignore[import-not-found]
from sm2sign import public_of, sign, verify  # type: ignore[import-not-found]

RANGE = 1 << 20
AGAIN = {401, 408, 409, 425, 429}
PATIENCE = 12
WINDOW_MS = 300_000


class Gone(Exception):
    """The gateway said no for good. ``said``: its words."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


def canonical(
    method: str, target: str, headers: dict[str, str], body: bytes, app: str, moment: str, nonce: str
) -> bytes:
    """The lines that are signed: label, method, host, path, query, two headers, digest, app, time, nonce."""
    path, _, query = target.partition("?")
    covered = [f"{name}:{headers[name]}" if name in headers else name for name in ("content-type", "content-range")]
    digest = sm3(body).hex()
    lines = ["TONGBAN-SM2-V1", method, headers["host"].lower(), path, query, *covered, digest, app, moment, nonce]
    return "\n".join(lines).encode()


class Gate:
    """One gateway, one key."""

    def __init__(self, config: dict[str, Any], session: aiohttp.ClientSession) -> None:
        self.config = config
        self.session = session
        self.private = config["private_key"]
        self.public = public_of(self.private)
        self._seen: dict[str, int] = {}

    async def call(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, Any, bytes]:
        """One signed request: status, headers, body. Raises aiohttp's errors and TimeoutError."""
        url = self.config["gateway"].rstrip("/") + path
        shown = {"host": urlsplit(url).netloc, **headers}
        moment, nonce = str(time.time_ns() // 1_000_000), secrets.token_hex(16)
        message = canonical(method, path, shown, body, self.config["app_id"], moment, nonce)
        shown |= {
            "x-qk-appid": self.config["app_id"], "x-qk-timestamp": moment, "x-qk-nonce": nonce,
            "x-qk-sign": sign(self.private, self.public, message),
        }  # fmt: skip
        async with self.session.request(
            method, url, data=body or None, headers=shown, allow_redirects=False, skip_auto_headers=("Content-Type",)
        ) as answer:
            return answer.status, answer.headers, await answer.read()

    async def post(self, path: str, message: dict[str, Any], want: str = "") -> dict[str, Any]:
        """POST until it is acknowledged (and ``want`` is in the answer); Gone when it is refused for good."""
        body = json.dumps(message, ensure_ascii=False).encode()
        attempt = conflicts = 0
        while True:
            try:
                status, _, said = await self.call("POST", path, body, {"content-type": "application/json"})
                answer = json.loads(said)
                if status < 300 and self.taken(answer) and (not want or answer.get(want)):
                    return dict(answer)
                conflicts += status in AGAIN
                if 400 <= status < 500 and (status not in AGAIN or conflicts > PATIENCE):
                    raise Gone(
                        f"{status} {answer.get('code')} {answer.get('title')} {answer.get('detail', '')}".strip()
                    )
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
                pass
            await pause(attempt)
            attempt += 1

    def taken(self, answer: dict[str, Any]) -> bool:
        """Whether an answer of the gateway says yes."""
        return answer.get("code") == 0

    async def upload(self, digest: str, data: bytes) -> None:
        """PUT in ranges of 1 MiB; after a failure ask by HEAD how far it is and go on from there."""
        path, offset, attempt, refusals = f"/platform/v1/materials/{digest}", 0, 0, 0
        while offset < len(data):
            end = min(offset + RANGE, len(data))
            headers = {"content-type": "application/pdf", "content-range": f"bytes {offset}-{end - 1}/{len(data)}"}
            try:
                status, shown, said = await self.call("PUT", path, data[offset:end], headers)
                if status == 201:
                    return
                if status < 300:
                    offset, attempt = end, 0
                    continue
                refusals += 400 <= status < 500
                if refusals > PATIENCE:
                    raise Gone(f"{status} {said[:300].decode('utf-8', 'replace')}")
                if status == 409 and "Upload-Offset" in shown:
                    offset = int(shown["Upload-Offset"])
                    continue
            except (aiohttp.ClientError, TimeoutError, OSError):
                pass
            await pause(attempt)
            attempt += 1
            offset = await self._offset(path)

    async def _offset(self, path: str) -> int:
        attempt = 0
        while True:
            try:
                status, shown, _ = await self.call("HEAD", path, b"", {})
                if status == 404:
                    return 0
                if status < 300:
                    return int(shown.get("Upload-Offset", "0"))
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
                pass
            await pause(attempt)
            attempt += 1

    async def fetch(self, digest: str, size: int) -> bytes:
        """GET in ranges until it is whole."""
        data, attempt, refusals = bytearray(), 0, 0
        while len(data) < size:
            last = min(len(data) + RANGE, size) - 1
            try:
                wanted = {"range": f"bytes={len(data)}-{last}"}
                status, _, piece = await self.call("GET", f"/platform/v1/materials/{digest}", b"", wanted)
                if status in (200, 206) and piece:
                    data = bytearray(piece) if status == 200 else data + piece
                    attempt = 0
                    continue
                refusals += 400 <= status < 500
                if refusals > PATIENCE:
                    raise Gone(f"fetch {status}")
            except (aiohttp.ClientError, TimeoutError, OSError):
                pass
            await pause(attempt)
            attempt += 1
        return bytes(data)

    def signed(self, request: web.Request, body: bytes) -> bool:
        """Whether the gateway signed this callback, lately, and not yet with this nonce."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        shown = [headers.get(name, "") for name in ("x-qk-appid", "x-qk-timestamp", "x-qk-nonce", "x-qk-sign")]
        app, moment, nonce, signature = shown
        now_ms = time.time_ns() // 1_000_000
        self._seen = {known: at for known, at in self._seen.items() if now_ms - at < 2 * WINDOW_MS}
        fresh = moment.isdigit() and abs(now_ms - int(moment)) < WINDOW_MS and nonce not in self._seen
        if not fresh or app != self.config.get("gateway_app_id", "tongban") or "host" not in headers:
            return False
        message = canonical(request.method, request.raw_path, headers, body, app, moment, nonce)
        if not verify(self.config["gateway_public_key"], message, signature):
            return False
        self._seen[nonce] = now_ms
        return True

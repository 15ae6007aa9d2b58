"""A simulated certified stamping system of a city (电子印章系统): orders by the caller's number, V4 stamps, faults on order.

Not an official interface of any product. Imports nothing of the gateway: DER is written by hand after GB/T 38540-2020, SM2
and SM3 are those of ``sm2sign`` and ``simkit``. It holds a seal file, the signer's certificate and private key, and what
callers sign with: a shared secret (HMAC-SM3), or their public key (SM2). ``made`` counts the stamps it has really made.
"""

from __future__ import annotations

import asyncio
import base64
import hmac as compare
import json
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import sm2sign  # type: ignore[import-not-found]
from aiohttp import web
from cryptography.hazmat.primitives import hashes, hmac
from simkit import sm3  # type: ignore[import-not-found]

SM2_WITH_SM3 = bytes.fromhex("06082a811ccf55018375")  # 1.2.156.10197.1.501
MODES = frozenset(
    {
        "ok", "dark", "500", "500-after", "garbage", "slow", "lost", "working", "wrong-digest", "other-seal", "not-a-stamp",
        "conflict", "refuse", "forgetful",
    }
)  # fmt: skip


def tlv(tag: int, *content: bytes) -> bytes:
    """One DER element."""
    body = b"".join(content)
    size = len(body)
    if size < 128:
        return bytes([tag, size]) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def signature_der(raw: str) -> bytes:
    """SEQUENCE {r, s} of 128 hex digits."""

    def integer(digits: str) -> bytes:
        number = int(digits, 16)
        return tlv(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))

    return tlv(0x30, integer(raw[:64]), integer(raw[64:]))


def signature_raw(der: bytes) -> str:
    """128 hex digits of SEQUENCE {r, s}, both short."""
    first = der[4 : 4 + der[3]]
    rest = der[4 + der[3] :]
    return "".join(f"{int.from_bytes(one, 'big'):064x}" for one in (first, rest[2 : 2 + rest[1]]))


@dataclass
class Works:
    """The system. ``faults``: how it answers the next calls, one each; ``orders``: what it knows, by the callers' numbers."""

    seal: bytes
    seal_id: str
    certificate: bytes
    private: str
    secret: bytes = b""
    caller: str = ""
    other_seal: bytes = b""
    faults: list[str] = field(default_factory=list)
    slow_s: float = 0.2
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    made: Counter[str] = field(default_factory=Counter)
    calls: list[tuple[str, str]] = field(default_factory=list)
    nonces: set[str] = field(default_factory=set)
    port: int = 0
    _runner: web.AppRunner | None = None

    def misbehave(self, *modes: str) -> None:
        """How the next calls are answered, in this order; those after them well."""
        assert set(modes) <= set(MODES), modes
        self.faults = list(modes)

    async def start(self) -> None:
        """Listen; on the port of before, if there was one."""
        application = web.Application(client_max_size=128 << 20)
        application.router.add_post("/api/v1/stamps", self.post_stamp)
        application.router.add_get("/api/v1/stamps/{id}", self.get_stamp)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.05)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Go dark."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    # --- the two calls -----------------------------------------------------------------------------------------------

    async def post_stamp(self, request: web.Request) -> web.StreamResponse:
        """POST an order."""
        body = await request.read()
        if not self._authentic(request, body):
            return _answer("401", "signature", status=401)
        wanted = json.loads(body)
        mode = self._take()
        self.calls.append(("POST", mode))
        if mode == "500":
            return web.Response(status=500, text="<html>boom</html>")
        if mode == "refuse":
            return _answer("7001", "印章已停用")
        if mode == "conflict" and wanted["requestId"] in self.orders:
            return _answer("409", "重复的请求编号", status=409)
        self._stamp(wanted, mode)
        return await self._reply(wanted["requestId"], mode, request)

    async def get_stamp(self, request: web.Request) -> web.StreamResponse:
        """GET what became of a number."""
        if not self._authentic(request, b""):
            return _answer("401", "signature", status=401)
        mode = self._take()
        self.calls.append(("GET", mode))
        if mode == "500":
            return web.Response(status=500, text="<html>boom</html>")
        if mode == "forgetful" or request.match_info["id"] not in self.orders:
            return _answer("404", "没有这个请求编号")
        return await self._reply(request.match_info["id"], mode, request)

    async def _reply(self, number: str, mode: str, request: web.Request) -> web.StreamResponse:
        if mode == "slow":
            await asyncio.sleep(self.slow_s)
        if mode == "lost":
            await asyncio.sleep(3600)
        if mode == "dark" and request.transport is not None:
            request.transport.abort()
        if mode == "500-after":
            return web.Response(status=500, text="internal error")
        if mode == "garbage":
            return web.Response(body=b"\x00\xff<html>\xb2\xe2{]", content_type="text/html")
        if mode == "working":
            return _answer("1", "处理中")
        return _answer("0", "ok", {"stamp": base64.b64encode(self.orders[number]["stamp"]).decode()})

    # --- stamping ----------------------------------------------------------------------------------------------------

    def _stamp(self, wanted: dict[str, Any], mode: str) -> None:
        number = wanted["requestId"]
        if number in self.orders:
            return  # one number, one stamp
        digest = bytes.fromhex(wanted["digest"])
        if wanted.get("file"):
            assert sm3(base64.b64decode(wanted["file"])) == digest, "the file is not the one of the digest"
        self.made[wanted["digest"]] += 1
        stamp = b"0\x03\x02\x01\x01"
        if mode != "not-a-stamp":
            over = sm3(b"something else") if mode == "wrong-digest" else digest
            stamp = self._make(self.other_seal if mode == "other-seal" else self.seal, over, wanted["propertyInfo"])
        self.orders[number] = {"stamp": stamp, "purpose": wanted["purpose"]}

    def _make(self, seal: bytes, digest: bytes, info: str) -> bytes:
        moment = datetime.now(UTC).strftime("%Y%m%d%H%M%SZ").encode()
        tbs = tlv(
            0x30, tlv(2, b"\x04"), seal, tlv(0x18, moment), tlv(3, b"\x00", digest), tlv(0x16, info.encode("ascii"))
        )  # fmt: skip
        raw = sm2sign.sign(self.private, sm2sign.public_of(self.private), tbs)
        return tlv(0x30, tbs, tlv(4, self.certificate), SM2_WITH_SM3, tlv(3, b"\x00", signature_der(raw)))

    def _authentic(self, request: web.Request, body: bytes) -> bool:
        time, nonce = request.headers.get("X-Stamp-Time", ""), request.headers.get("X-Stamp-Nonce", "")
        if not nonce or nonce in self.nonces:
            return False
        self.nonces.add(nonce)
        form = "\n".join((request.method, request.raw_path, time, nonce, sm3(body).hex())).encode()
        shown = request.headers.get("X-Stamp-Signature", "")
        if self.caller:
            return bool(sm2sign.verify(self.caller, form, signature_raw(base64.b64decode(shown))))
        code = hmac.HMAC(self.secret, hashes.SM3())
        code.update(form)
        return compare.compare_digest(code.finalize().hex(), shown)

    def _take(self) -> str:
        return self.faults.pop(0) if self.faults else "ok"


def _answer(code: str, message: str, data: dict[str, str] | None = None, status: int = 200) -> web.Response:
    return web.json_response({"code": code, "message": message, "data": data}, status=status)

"""How four simulated platforms prove a request (模拟平台的签名), written from their profiles' descriptions alone.

``hubei``: x-tif headers and one that binds the request. ``wuhan``: sorted parameters under HMAC-SM3. ``yueyang``: a JWT for
each request, by SM2, or ES256 or RS256 where the configuration says so. ``xiamen_yibao``: x-tif headers around a body under
SM4 with an SM2 signature. Nothing of the gateway is imported: HMAC-SM3 and RSA come from ``cryptography``, SM2 and SM4 from
``gmssl``, tokens are put together by hand.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from typing import Any, ClassVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives import hmac as macs
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils
from gmssl.sm4 import SM4_DECRYPT, SM4_ENCRYPT, CryptSM4
from simkit import sm3  # type: ignore[import-not-found]
from sm2sign import public_of, sign, verify  # type: ignore[import-not-found]

COVERED = ("content-type", "content-range")
WINDOW_MS = 300_000
TIF = {name: f"x-tif-{name}" for name in ("paasid", "timestamp", "nonce", "signature", "binding")}


def lines(label: str, method: str, target: str, headers: dict[str, str], body: bytes, *more: str) -> bytes:
    """Label, method, host, path, query, two headers, digest of the body, and what a scheme adds."""
    path, _, query = target.partition("?")
    covered = [f"{name}:{headers[name]}" if name in headers else name for name in COVERED]
    return "\n".join([label, method, headers["host"].lower(), path, query, *covered, sm3(body).hex(), *more]).encode()


def hmac_sm3(secret: bytes, message: bytes) -> str:
    running = macs.HMAC(secret, hashes.SM3())
    running.update(message)
    return running.finalize().hex()


def b64u(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64u(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Tif:
    """x-tif headers."""

    label = "TONGBAN-TIF-V1"

    def __init__(self, config: dict[str, Any]) -> None:
        self.config, self.secret = config, config["secret"].encode()

    def prove(
        self, method: str, target: str, headers: dict[str, str], body: bytes, now_ms: int, nonce: str, app: str = ""
    ) -> dict[str, str]:
        """The headers that prove one request of ours."""
        app, moment = app or self.config["app_id"], str(now_ms // 1000)
        family = hashlib.sha256(moment.encode() + self.secret + nonce.encode() + moment.encode()).hexdigest()
        bound = hmac_sm3(self.secret, lines(self.label, method, target, headers, body, app, moment, nonce))
        return dict(zip(TIF.values(), (app, moment, nonce, family, bound), strict=True))

    def proved(self, method: str, target: str, headers: dict[str, str], body: bytes, now_ms: int) -> str:
        """The nonce of a request that the gateway proved; "" for any other."""
        moment, nonce = (headers.get(TIF[name], "") for name in ("timestamp", "nonce"))
        if not moment.isdigit() or abs(now_ms - int(moment) * 1000) > WINDOW_MS or not nonce:
            return ""
        wanted = self.prove(method, target, headers, body, int(moment) * 1000, nonce, self.config["gateway_app_id"])
        held = [hmac.compare_digest(headers.get(name, ""), value) for name, value in wanted.items()]
        return nonce if all(held) else ""

    def close(self, body: bytes, now_ms: int) -> bytes:
        """A body as it goes out."""
        return body

    def open(self, body: bytes) -> bytes | None:
        """What a body of the gateway says."""
        return body


class Yibao(Tif):
    """x-tif headers, and the body in an envelope."""

    label = "TONGBAN-YIBAO-V1"
    fixed: ClassVar = {"version": "2.0.1", "encType": "SM4", "signType": "SM2"}

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self.public = public_of(config["private_key"])

    def close(self, body: bytes, now_ms: int, iv: bytes = b"") -> bytes:
        iv = iv or secrets.token_bytes(16)
        sealed = (iv + self._sm4(SM4_ENCRYPT).crypt_cbc(iv, body)).hex().upper()
        told = {"appCode": self.config["app_id"], **self.fixed, "timestamp": str(now_ms)}
        raw = sign(self.config["private_key"], self.public, self.message({**told, "data": sealed}))
        signed = base64.b64encode(bytes.fromhex(raw)).decode()
        return json.dumps({"data": {"encData": sealed}, **told, "signData": signed}).encode()

    def open(self, body: bytes) -> bytes | None:
        try:
            value = json.loads(body)
            sealed, signed = value["data"]["encData"], base64.b64decode(value.pop("signData")).hex()
            message = self.message({**value, "data": sealed})
        except (ValueError, KeyError, TypeError):
            return None
        if value.get("appCode") != self.config["gateway_app_id"] or {k: value.get(k) for k in self.fixed} != self.fixed:
            return None
        if not verify(self.config["gateway_public_key"], message, signed):
            return None
        data = bytes.fromhex(sealed)
        return bytes(self._sm4(SM4_DECRYPT).crypt_cbc(data[:16], data[16:]))

    @staticmethod
    def message(members: dict[str, str]) -> bytes:
        """What is signed."""
        return "&".join(f"{name}={members[name]}" for name in sorted(members)).encode()

    def _sm4(self, way: int) -> CryptSM4:
        tool = CryptSM4()
        tool.set_key(bytes.fromhex(self.config["body_key"]), way)
        return tool


class Hmac(Tif):
    """Parameters sorted by name, HMAC-SM3 in capitals."""

    label = "TONGBAN-HMAC-V1"
    names = ("x-wh-appkey", "x-wh-timestamp", "x-wh-nonce", "x-wh-sign")

    def prove(
        self, method: str, target: str, headers: dict[str, str], body: bytes, now_ms: int, nonce: str, app: str = ""
    ) -> dict[str, str]:
        app, moment = app or self.config["app_id"], str(now_ms)
        message = self.message(method, target, headers, body, app, moment, nonce)
        return dict(zip(self.names, (app, moment, nonce, hmac_sm3(self.secret, message).upper()), strict=True))

    def message(
        self, method: str, target: str, headers: dict[str, str], body: bytes, app: str, moment: str, nonce: str
    ) -> bytes:
        """The string that is signed."""
        digest = sm3(lines(self.label, method, target, headers, body)).hex()
        pairs = [f"appKey={app}", f"nonce={nonce}", f"requestDigest={digest}", f"timestamp={moment}"]
        query = target.partition("?")[2]
        pairs += [one if "=" in one else f"{one}=" for one in query.split("&")] if query else []
        return "&".join(sorted(pairs, key=lambda pair: pair.partition("=")[0])).encode()

    def proved(self, method: str, target: str, headers: dict[str, str], body: bytes, now_ms: int) -> str:
        moment, nonce = headers.get(self.names[1], ""), headers.get(self.names[2], "")
        if not moment.isdigit() or abs(now_ms - int(moment)) > WINDOW_MS or not nonce:
            return ""
        wanted = self.prove(method, target, headers, body, int(moment), nonce, self.config["gateway_app_id"])
        held = [hmac.compare_digest(headers.get(name, ""), value) for name, value in wanted.items()]
        return nonce if all(held) else ""


class Token(Tif):
    """A JWT for each request."""

    label = "TONGBAN-JWT-V1"

    def __init__(self, config: dict[str, Any]) -> None:
        self.config, self.alg = config, config.get("alg", "SM2")

    def prove(
        self, method: str, target: str, headers: dict[str, str], body: bytes, now_ms: int, nonce: str, app: str = ""
    ) -> dict[str, str]:
        request = sm3(lines(self.label, method, target, headers, body)).hex()
        claims = {
            "iss": app or self.config["app_id"], "aud": self.config["gateway_app_id"], "iat": now_ms // 1000,
            "exp": now_ms // 1000 + 120, "jti": nonce, "req": request,
        }  # fmt: skip
        return {"authorization": f"Bearer {self.token({'alg': self.alg, 'typ': 'JWT'}, claims)}"}

    def token(self, header: dict[str, Any], claims: dict[str, Any]) -> str:
        """A compact token over these members."""
        said = f"{b64u(json.dumps(header).encode())}.{b64u(json.dumps(claims).encode())}"
        return f"{said}.{b64u(self._signature(said.encode()))}"

    def proved(self, method: str, target: str, headers: dict[str, str], body: bytes, now_ms: int) -> str:
        try:
            said, _, signature = headers["authorization"].removeprefix("Bearer ").rpartition(".")
            header, claims = (json.loads(unb64u(one)) for one in said.split("."))
            held = header["alg"] == self.alg and self._holds(said.encode(), unb64u(signature))
            request = sm3(lines(self.label, method, target, headers, body)).hex()
            wanted = {"iss": self.config["gateway_app_id"], "aud": self.config["app_id"], "req": request}
            timely = claims["iat"] - 60 <= now_ms / 1000 < claims["exp"] <= claims["iat"] + 600
            return str(claims["jti"]) if held and timely and wanted.items() <= claims.items() else ""
        except (ValueError, KeyError, TypeError):
            return ""

    def _signature(self, message: bytes) -> bytes:
        if self.alg == "SM2":
            private = self.config["private_key"]
            return bytes.fromhex(sign(private, public_of(private), message))
        key: Any = serialization.load_pem_private_key(self.config["private_key"].encode(), None)
        if self.alg == "RS256":
            return bytes(key.sign(message, padding.PKCS1v15(), hashes.SHA256()))
        r, s = utils.decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def _holds(self, message: bytes, signature: bytes) -> bool:
        if self.alg == "SM2":
            return bool(verify(self.config["gateway_public_key"], message, signature.hex()))
        key: Any = serialization.load_pem_public_key(self.config["gateway_public_key"].encode())
        try:
            if self.alg == "RS256":
                key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
            else:
                r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
                key.verify(utils.encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return True


SPEECHES = {"hubei": Tif, "wuhan": Hmac, "yueyang": Token, "xiamen_yibao": Yibao}

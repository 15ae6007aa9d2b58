#!/usr/bin/env python3
"""一个完整的示例客户端 A complete sample client: signed headers, tokens and encrypted bodies, in five schemes.

标准库与 openssl 命令（3.0 以上）；SM4 另需 cryptography。The standard library and the openssl command; SM4 by cryptography.
用法 Usage:  client.py POST /platform/v1/cases case.json
环境变量 Environment (see README.md): TB_SCHEME TB_GATEWAY TB_APP TB_TO TB_SECRET_FILE TB_KEY_FILE TB_BODY_KEY_FILE
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import os
import secrets
import ssl
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

GATEWAY, APP = os.environ["TB_GATEWAY"].rstrip("/"), os.environ["TB_APP"]
TO = os.environ.get("TB_TO", "tongban")
HOST = urlsplit(GATEWAY).netloc
TIF = ("x-tif-paasid", "x-tif-timestamp", "x-tif-nonce", "x-tif-signature", "x-tif-binding")


def sm3(data: bytes) -> str:
    return hashlib.new("sm3", data).hexdigest()


def secret(variable: str) -> bytes:
    return Path(os.environ[variable]).read_bytes().rstrip(b"\r\n")


def hmac_sm3(message: bytes) -> str:
    return hmac.new(secret("TB_SECRET_FILE"), message, "sm3").hexdigest()


def sm2_sign(message: bytes) -> bytes:
    """r‖s，签名者标识为默认值 with the default signer id. openssl 给出 DER，这里取出两个整数 the two integers out of its DER."""
    command = ["openssl", "pkeyutl", "-sign", "-rawin", "-digest", "sm3", "-pkeyopt", "distid:1234567812345678", "-inkey",
               os.environ["TB_KEY_FILE"]]  # fmt: skip
    der = subprocess.run(command, input=message, capture_output=True, check=True).stdout
    r_end = 4 + der[3]
    r, s = der[4:r_end], der[r_end + 2 :]
    return b"".join(int.from_bytes(part, "big").to_bytes(32, "big") for part in (r, s))


def lines(label: str, method: str, target: str, headers: dict[str, str], body: bytes, *more: str) -> bytes:
    """请求各行 The request lines: 路径与查询串照线上原样 path and query as on the wire, absent headers by name alone."""
    path, _, query = target.partition("?")
    covered = [f"{name}:{headers[name]}" if name in headers else name for name in ("content-type", "content-range")]
    return "\n".join([label, method, HOST.lower(), path, query, *covered, sm3(body), *more]).encode()


# --- 各约定 The schemes: method, target, headers, body, milliseconds, nonce -> 要加的请求头 the headers to add --------------


def by_sm2(method: str, target: str, headers: dict[str, str], body: bytes, ms: int, nonce: str) -> dict[str, str]:
    """SM2 对请求各行签名（方案 qiaokou）。"""
    signed = sm2_sign(lines("TONGBAN-SM2-V1", method, target, headers, body, APP, str(ms), nonce)).hex()
    return {"x-qk-appid": APP, "x-qk-timestamp": str(ms), "x-qk-nonce": nonce, "x-qk-sign": signed}


def by_hmac(method: str, target: str, headers: dict[str, str], body: bytes, ms: int, nonce: str) -> dict[str, str]:
    """参数按名排序拼接，HMAC-SM3（方案 wuhan）。"""
    digest = sm3(lines("TONGBAN-HMAC-V1", method, target, headers, body))
    pairs = [f"appKey={APP}", f"nonce={nonce}", f"requestDigest={digest}", f"timestamp={ms}"]
    query = target.partition("?")[2]
    pairs += [one if "=" in one else one + "=" for one in query.split("&")] if query else []
    message = "&".join(sorted(pairs, key=lambda pair: pair.partition("=")[0])).encode()
    return {"x-wh-appkey": APP, "x-wh-timestamp": str(ms), "x-wh-nonce": nonce, "x-wh-sign": hmac_sm3(message).upper()}


def by_tif(
    method: str, target: str, headers: dict[str, str], body: bytes, ms: int, nonce: str, label: str = "TONGBAN-TIF-V1"
) -> dict[str, str]:
    """x-tif-* 与覆盖请求的 x-tif-binding（方案 hubei）。"""
    moment, token = str(ms // 1000), secret("TB_SECRET_FILE")
    family = hashlib.sha256(moment.encode() + token + nonce.encode() + moment.encode()).hexdigest()
    binding = hmac_sm3(lines(label, method, target, headers, body, APP, moment, nonce))
    return dict(zip(TIF, (APP, moment, nonce, family, binding), strict=True))


def by_yibao(method: str, target: str, headers: dict[str, str], body: bytes, ms: int, nonce: str) -> dict[str, str]:
    """请求头同上；报文在信封里（方案 xiamen_yibao）。"""
    return by_tif(method, target, headers, body, ms, nonce, "TONGBAN-YIBAO-V1")


def by_jwt(method: str, target: str, headers: dict[str, str], body: bytes, ms: int, nonce: str) -> dict[str, str]:
    """每个请求一枚 JWT（方案 yueyang）。"""
    now = ms // 1000
    claims = {"iss": APP, "aud": TO, "iat": now, "exp": now + 120, "jti": nonce,
              "req": sm3(lines("TONGBAN-JWT-V1", method, target, headers, body))}  # fmt: skip
    said = ".".join(b64u(json.dumps(part).encode()) for part in ({"alg": "SM2", "typ": "JWT"}, claims))
    return {"authorization": f"Bearer {said}.{b64u(sm2_sign(said.encode()))}"}


def b64u(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def envelope(body: bytes, ms: int) -> bytes:
    """SM4-CBC 加密（IV 在前），再 SM2 签名 The IV in front of the ciphertext, and all of it signed."""
    iv = secrets.token_bytes(16)
    sealed = (iv + sm4_cbc(secret("TB_BODY_KEY_FILE").decode(), iv, body)).hex().upper()
    told = {"appCode": APP, "version": "2.0.1", "encType": "SM4", "signType": "SM2", "timestamp": str(ms)}
    members = {**told, "data": sealed}
    message = "&".join(f"{name}={members[name]}" for name in sorted(members)).encode()
    return json.dumps(
        {"data": {"encData": sealed}, **told, "signData": base64.b64encode(sm2_sign(message)).decode()}
    ).encode()


def sm4_cbc(key: str, iv: bytes, body: bytes) -> bytes:
    from cryptography.hazmat.primitives import padding
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    padder, encryptor = (
        padding.PKCS7(128).padder(),
        Cipher(algorithms.SM4(bytes.fromhex(key)), modes.CBC(iv)).encryptor(),
    )
    return encryptor.update(padder.update(body) + padder.finalize()) + encryptor.finalize()


SCHEMES = {"sm2": by_sm2, "hmac": by_hmac, "tif": by_tif, "jwt": by_jwt, "yibao": by_yibao}


def main(method: str, target: str, file: str = "") -> int:
    """退出码 Exit 0: 2xx，1: 其他 anything else."""
    scheme, ms = os.environ["TB_SCHEME"], time.time_ns() // 1_000_000
    body = Path(file).read_bytes() if file else b""
    if scheme == "yibao" and method == "POST":
        body = envelope(body, ms)
    headers = {"content-type": "application/json"} if body else {}
    headers |= SCHEMES[scheme](method, target, headers, body, ms, secrets.token_hex(16))
    kind = http.client.HTTPSConnection if GATEWAY.startswith("https:") else http.client.HTTPConnection
    more = {"context": ssl.create_default_context()} if GATEWAY.startswith("https:") else {}
    connection = kind(HOST, timeout=30, **more)
    connection.request(method, target, body or None, headers)
    answer = connection.getresponse()
    print(answer.status)
    print(answer.read().decode())
    return 0 if answer.status < 300 else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

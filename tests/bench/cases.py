"""The messages that are sent: cases of 4 KiB by people who do not exist, signed beforehand, each a whole HTTP request."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from adapters.rest_signed import sign as signing_scheme
from signing import keys, sm2
from signing.providers import open_provider
from signing.sm2 import Signer
from signing.sm3 import sm3
from tests.bench.sm2_plain import ID

SIZE = 4096
DER = sm2.Encoding.DER
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def citizen(number: int) -> str:
    """A citizen number with a right check character (GB 11643), of nobody."""
    body = f"42010419{60 + number % 40:02d}0102{number % 1000:03d}"
    return body + "10X98765432"[sum(w * int(digit) for w, digit in zip(WEIGHTS, body, strict=True)) % 11]


def window_case(item: Mapping[str, Any], purpose: str, number: int) -> dict[str, Any]:
    """A case in the sample window system's own words (adapters/profiles/qiaokou.toml), without files."""
    now = time.strftime("%Y%m%d%H%M%S")
    filed = f"420104{now[:8]}{number:08d}"
    return {
        "lsh": f"{filed}-SB", "bjbh": filed, "sxbm": item["code"], "sxmc": item["name"], "sxbb": item["version"],
        "blfs": "2", "bldq": "360113000000",
        "sqr": {"lx": "1", "xm": "测试甲", "xb": "1", "zjlx": "01", "zjhm": citizen(number), "sjh": "13800000000",
                "dz": "测试路1号"},
        "bd": {"申请事由": "测试用例，不是真实申请", "经营场所": f"测试大道{number}号"}, "cl": [],
        "hy": {"ry": "测试窗口员", "gh": "K001", "ck": "3号窗口", "fs": "1", "yj": ["居民身份证"], "sj": now},
        "sjsj": now, "yt": purpose,
    }  # fmt: skip


def plain_case(number: int) -> dict[str, Any]:
    """The same content for the plain gateways."""
    return {
        "case_number": f"420104{number:012d}",
        **window_case({"code": "1", "name": "测试", "version": 1}, "办理", number),
    }


def filled(case: dict[str, Any], form: str = "bd") -> bytes:
    """JSON of exactly SIZE bytes: the form is filled up with text, as long forms are."""

    def text() -> bytes:
        return json.dumps(case, ensure_ascii=False, separators=(",", ":")).encode()

    case[form]["说明"] = ""
    spare = SIZE - len(text())
    case[form]["说明"] = "说" * (spare // 3) + "." * (spare % 3)
    return text()


def http(path: str, headers: Iterable[tuple[str, str]], body: bytes, host: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def write(path: Path, requests: list[bytes]) -> Path:
    path.write_bytes(msgspec.msgpack.encode(requests))
    return path


def for_echo(path: Path, host: str) -> Path:
    return write(path, [http("/echo", [], filled(plain_case(1)), host)])


def for_plain(path: Path, host: str, count: int, form: str) -> Path:
    """Requests of ``tests.bench.plain_gateway``, in the signature form of its SM2 (gmssl r‖s and x‖y hex, or DER and PEM)."""
    signer = Signer(open_provider(), open_provider().generate())
    while signer.public.point.hex()[2] in "04":  # a key that gmssl does not damage
        signer = Signer(open_provider(), open_provider().generate())
    assert signer.signer_id == ID
    key, write_signature = _plain_forms(form, signer)
    requests = []
    for number in range(count):
        body = filled(plain_case(number))
        at, nonce = str(time.time()), secrets.token_hex(16)
        message = "\n".join(["POST", "/cases", sm3(body).hex(), at, nonce]).encode()
        headers = [
            ("X-Key", key),
            ("X-Time", at),
            ("X-Nonce", nonce),
            ("X-Signature", write_signature(signer.sign(message))),
        ]
        requests.append(http("/cases", headers, body, host))
    return write(path, requests)


def _plain_forms(form: str, signer: Signer) -> tuple[str, Callable[[bytes], str]]:
    """The public key as that baseline is given it, and how it writes a signature."""
    if form == "gmssl":
        return signer.public.point.hex()[2:], lambda der: sm2.encode(*sm2.decode(der, DER), sm2.Encoding.RAW).hex()
    return keys.public_to_pem(signer.public).decode().replace("\n", "|"), bytes.hex


def for_ours(path: Path, host: str, count: int, platform: Mapping[str, Any], profile: Mapping[str, Any]) -> Path:
    """Requests of the sample window system, signed by its profile's scheme."""
    provider = open_provider()
    scheme = signing_scheme.read_scheme(profile["signing"])
    signer = Signer(provider, provider.load(int(platform["private_key"], 16)))
    requests = []
    for number in range(count):
        item = platform["items"][number % len(platform["items"])]
        body = filled(window_case(item, platform["purpose"], number + 1))
        part = signing_scheme.Part(
            "POST", "/platform/v1/cases", "", {"host": host, "content-type": "application/json"}, sm3(body)
        )
        headers = signing_scheme.sign(
            scheme, signer, part, app=platform["app_id"], time_ms=int(time.time() * 1000), nonce=secrets.token_hex(16)
        )
        requests.append(http("/platform/v1/cases", headers, body, host))
    return write(path, requests)

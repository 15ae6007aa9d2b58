"""Make ``vectors.json``: signed requests, good and bad, made by the simulated platform's code (gmssl), not by ours.

Run by hand: ``python tests/vectors/rest_signed/generate.py``. Each vector says what our verification must answer.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "gateway" / "demo" / "platforms"))

import sm2sign  # noqa: E402
from qiaokou_gate import canonical  # noqa: E402
from simkit import sm3  # noqa: E402

NOW = 1_767_225_600_000
PRIVATE = "3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8"
OTHER = "128b2fa8bd433c6c068c8d803dff79792a519a55171b1b650c23661d15897263"
PUBLIC = sm2sign.public_of(PRIVATE)
NAMES = {"app": "x-qk-appid", "time": "x-qk-timestamp", "nonce": "x-qk-nonce", "signature": "x-qk-sign"}
BODY = b'{"bjbh":"420104202601010001"}'
BASE = {"method": "POST", "target": "/platform/v1/cases", "body": BODY, "app": "qk-window", "time": str(NOW),
        "nonce": "0123456789abcdef", "headers": {"host": "gateway.example:8080", "content-type": "application/json"}}  # fmt: skip
PATHS = ["/platform/v1/cases", "/platform/v1/cases/a%2Fb", "/platform/v1/cases/a/b", "/platform/v1/cases/%61", "/",
         "/platform//v1/cases", "/platform/v1/cases/;p=1", "/platform/v1/%E5%8A%9E"]  # fmt: skip
QUERIES = ["", "a=1", "a=1&a=2", "a=2&a=1", "a=1&b=2", "b=2&a=1", "a=+", "a=%20", "a=%2B", "a=%2F", "a=/", "a=%2f", "a",
           "a=", "a&b=", "=1", "&", "a=1&", "a=%E4%B8%AD", "a=?", "a=%00"]  # fmt: skip


def sign(request: dict[str, Any], private: str = PRIVATE, signer_id: bytes = b"1234567812345678") -> str:
    before, sm2sign.SIGNER_ID = sm2sign.SIGNER_ID, signer_id
    try:
        return sm2sign.sign(private, sm2sign.public_of(private), message(request))
    finally:
        sm2sign.SIGNER_ID = before


def message(request: dict[str, Any]) -> bytes:
    parts = (request[name] for name in ("method", "target", "headers", "body", "app", "time", "nonce"))
    return bytes(canonical(*parts))


def vector(name: str, request: dict[str, Any], signature: str, expect: str, **more: Any) -> dict[str, Any]:
    """A request as it stands on the wire. ``more``: drop (header names), add (pairs)."""
    shown = [[key, value] for key, value in request["headers"].items()]
    shown += [[NAMES["app"], request["app"]], [NAMES["time"], request["time"]], [NAMES["nonce"], request["nonce"]]]
    shown += [[NAMES["signature"], signature]]
    shown = [pair for pair in shown if pair[0] not in more.get("drop", [])] + more.get("add", [])
    return {"name": name, "expect": expect, "method": request["method"], "target": request["target"], "headers": shown,
            "body_sm3": sm3(request["body"]).hex(), "canonical": message(request).decode()}  # fmt: skip


def changed(**fields: Any) -> dict[str, Any]:
    return {**BASE, **fields}


def good() -> list[dict[str, Any]]:
    made = []
    for path in PATHS:
        for query in QUERIES if path in (PATHS[0], PATHS[1]) else ["", "a=1"]:
            target = f"{path}?{query}" if query else path
            request = changed(target=target)
            made.append(vector(f"K04 {target}", request, sign(request), "ok"))
    bare = changed(headers={"host": "gateway.example:8080"}, method="GET", body=b"")
    ranged = changed(headers={**BASE["headers"], "content-range": "bytes 0-9/10"}, method="PUT")
    made.append(vector("K08 no covered header at all", bare, sign(bare), "ok"))
    empty = changed(headers={**BASE["headers"], "content-range": ""})
    made.append(vector("K08 a covered header that is empty", empty, sign(empty), "ok"))
    made.append(vector("a range of an upload", ranged, sign(ranged), "ok"))
    edge = changed(time=str(NOW - 300_000))
    return [*made, vector("exactly five minutes old", edge, sign(edge), "ok")]


def moved() -> list[dict[str, Any]]:
    """A good signature of BASE on another request: J18 and J19, K01, K04, K08."""
    other = {
        "J18 another method": changed(method="PUT"), "J18 another path": changed(target="/platform/v1/cases/1/events"),
        "J18 another body": changed(body=BODY + b" "),
        "J18 another host": changed(headers={**BASE["headers"], "host": "other.example:8080"}),
        "J18 another port": changed(headers={**BASE["headers"], "host": "gateway.example:8081"}),
        "J18 a query added": changed(target="/platform/v1/cases?a=1"), "another app id": changed(app="qk-second"),
        "another time": changed(time=str(NOW + 1)), "another nonce": changed(nonce="0123456789abcdeg"),
        "J19 another content type": changed(headers={**BASE["headers"], "content-type": "text/plain"}),
        "J19 content type taken away": changed(headers={"host": "gateway.example:8080"}),
        "J19 content range added": changed(headers={**BASE["headers"], "content-range": "bytes 0-9/10"}),
        "K08 an empty content range added": changed(headers={**BASE["headers"], "content-range": ""}),
        "K04 the path decoded": changed(target="/platform/v1/%63ases"),
    }  # fmt: skip
    signature = sign(BASE)
    made = [vector(name, request, signature, "bad-signature") for name, request in other.items()]
    pairs = [("a=1&b=2", "b=2&a=1"), ("a=+", "a=%20"), ("a=%2F", "a=/"), ("a=%2F", "a=%2f"), ("a=1&a=2", "a=2&a=1"),
             ("a=", "a"), ("a=1", "a=1&")]  # fmt: skip
    for one, two in pairs:
        signed, sent = changed(target=f"/x?{one}"), changed(target=f"/x?{two}")
        made.append(vector(f"K04 signed {one} sent {two}", sent, sign(signed), "bad-signature"))
    return made


def bad() -> list[dict[str, Any]]:
    signature = sign(BASE)
    made = [
        vector(f"without {name}", BASE, signature, "missing-signature", drop=[header]) for name, header in NAMES.items()
    ]
    made += [
        vector("an empty signature", BASE, "", "missing-signature"),
        vector("another key", BASE, sign(BASE, OTHER), "bad-signature"),
        vector("another signer id", BASE, sign(BASE, signer_id=b"ALICE123@YAHOO.COM"), "bad-signature"),
        vector("an empty signer id", BASE, sign(BASE, signer_id=b""), "bad-signature"),
        vector("r and s exchanged", BASE, signature[64:] + signature[:64], "bad-signature"),
        vector("cut short", BASE, signature[:126], "bad-signature"),
        vector("one byte more", BASE, signature + "00", "bad-signature"),
        vector("all zero", BASE, "0" * 128, "bad-signature"), vector("not hex", BASE, "z" * 128, "bad-signature"),
        vector("hex in capitals where small letters are agreed", BASE, signature.upper(), "bad-signature"),
        vector("half in capitals", BASE, signature[:64].upper() + "a" + signature[65:], "bad-signature"),
        vector("Base64 where hex is agreed", BASE, "MEUCIQ" + "A" * 80, "bad-signature"),
    ]  # fmt: skip
    for name, header in [*NAMES.items(), ("host", "host"), ("content type", "content-type")]:
        double = vector(f"K05 {name} twice", BASE, signature, "duplicate-header", add=[[header.upper(), "x"]])
        made.append(double)
    for name, nonce in [
        ("short", "a" * 15),
        ("long", "a" * 65),
        ("with a blank", "a" * 16 + " b"),
        ("with ;", "a" * 16 + ";"),
    ]:
        request = changed(nonce=nonce)
        made.append(vector(f"a nonce {name}", request, sign(request), "bad-nonce"))
    times = {"six minutes old": str(NOW - 300_001), "six minutes ahead": str(NOW + 300_001), "in seconds": str(NOW // 1000),
             "with a sign": f"+{NOW}"[:13], "a word": "now", "with a point": f"{NOW}.0"}  # fmt: skip
    for name, time in times.items():
        request = changed(time=time)
        made.append(vector(f"a time {name}", request, sign(request), "time-outside-window"))
    request = changed(app="nobody")
    made.append(vector("an app id that is not registered", request, sign(request), "unknown-app"))
    return made


if __name__ == "__main__":
    done = {"now_ms": NOW, "window_ms": 300_000, "app": "qk-window", "public_key": "04" + PUBLIC,
            "second_key": "04" + sm2sign.public_of(OTHER), "vectors": [*good(), *moved(), *bad()]}  # fmt: skip
    (HERE / "vectors.json").write_text(json.dumps(done, ensure_ascii=False, indent=1) + "\n", "utf-8")
    print(len(done["vectors"]), "vectors")

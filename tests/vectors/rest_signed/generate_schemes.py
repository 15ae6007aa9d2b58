"""Make ``schemes.json``: requests of four schemes, good and bad, made by the simulated platforms' code, not by ours.

Run by hand: ``python tests/vectors/rest_signed/generate_schemes.py``. Each vector says what our verification must answer; a
name begins with its row of the attack catalogue where it has one. HMAC secrets here are words and open nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "gateway" / "demo" / "platforms"))

import sm2sign  # noqa: E402
from signed_speech import SPEECHES, TIF, Hmac, Tif, Token, Yibao, b64u  # noqa: E402

NOW = 1_767_225_600_000
PRIVATE = "3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8"
OTHER = "128b2fa8bd433c6c068c8d803dff79792a519a55171b1b650c23661d15897263"
SECRET = "vector-secret-that-opens-nothing-0001"
HOST = {"host": "gateway.example:8080", "content-type": "application/json"}
TARGET, BODY, NONCE = "/platform/v1/cases", b'{"a":"b"}', "0123456789abcdef0123456789abcdef"
CONFIG = {"app_id": "hall", "gateway_app_id": "tongban", "secret": SECRET, "private_key": PRIVATE, "body_key": "0f" * 16,
          "gateway_public_key": sm2sign.public_of(PRIVATE)}  # fmt: skip
TARGETS = [TARGET, "/platform/v1/cases/a%2Fb", "/platform/v1/cases/%61", "/p?a=1", "/p?b=2&a=1", "/p?a=1&b=2", "/p?a=+", "/p?a=%20",
           "/p?a=%2F", "/p?a=", "/p?a", "/p?a=1=2", "/p?B=1&a=2", "/p?A=1&a=2"]  # fmt: skip


def shown(name: str, expect: str, target: str, headers: dict[str, str], body: bytes, **more: Any) -> dict[str, Any]:
    pairs = [[key, value] for key, value in headers.items()] + more.get("add", [])
    return {"name": name, "expect": expect, "method": more.get("method", "POST"), "target": target, "headers": pairs,
            "body": body.decode(), "content": more.get("content", "")}  # fmt: skip


def proved(speech: Any, target: str = TARGET, body: bytes = BODY, **more: Any) -> tuple[dict[str, str], bytes]:
    """A request as the platform sends it: its headers and its body."""
    host, at = more.get("host", HOST), more.get("at", NOW)
    sent = speech.close(body, at) if more.get("close", True) else body
    return host | speech.prove(more.get("method", "POST"), target, host, sent, at, more.get("nonce", NONCE)), sent


def good(speech: Any) -> Iterator[dict[str, Any]]:
    """K04, K08: the target as it is on the wire, a covered header there, empty or absent."""
    for target in TARGETS:
        headers, sent = proved(speech, target)
        yield shown(f"K04 {target}", "ok", target, headers, sent, content=BODY.decode())
    for name, host in [("absent", {"host": HOST["host"]}), ("empty", HOST | {"content-range": ""}),
                       ("there", HOST | {"content-range": "bytes 0-8/9"})]:  # fmt: skip
        headers, sent = proved(speech, host=host)
        yield shown(f"K08 a covered header {name}", "ok", TARGET, headers, sent, content=BODY.decode())
    headers, sent = proved(speech, body=b"", method="GET", close=False)
    yield shown("no body", "ok", TARGET, headers, sent, method="GET")


def moved(speech: Any, expect: str) -> Iterator[dict[str, Any]]:
    """J18: a good proof on another request."""
    headers, sent = proved(speech)
    yield shown("J18 another method", expect, TARGET, headers, sent, method="PUT")
    yield shown("J18 another path", expect, "/platform/v1/cases/1/events", headers, sent)
    yield shown("J18 a query added", expect, f"{TARGET}?a=1", headers, sent)
    yield shown("J18 another body", expect, TARGET, headers, sent + b" ")
    yield shown("J18 another host", expect, TARGET, headers | {"host": "other.example:8080"}, sent)
    yield shown("J18 another content type", expect, TARGET, headers | {"content-type": "text/plain"}, sent)
    yield shown("J19 a range added", expect, TARGET, headers | {"content-range": "bytes 0-8/9"}, sent)
    yield shown("K08 an empty range added", expect, TARGET, headers | {"content-range": ""}, sent)
    for one, two in [
        ("a=1&b=2", "b=2&a=1"),
        ("a=+", "a=%20"),
        ("a=%2F", "a=/"),
        ("a=", "a"),
        ("a=1", "a=1&"),
        ("ab=c", "a=bc"),
    ]:
        headers, sent = proved(speech, f"/p?{one}")
        yield shown(f"K04 proved for {one}, sent {two}", expect, f"/p?{two}", headers, sent)


def bad_headers(speech: Tif, names: list[str]) -> Iterator[dict[str, Any]]:
    """What schemes with their proof in headers refuse."""
    headers, sent = proved(speech)
    for name in names:
        kept = {key: value for key, value in headers.items() if key != name}
        yield shown(f"without {name}", "missing-signature", TARGET, kept, sent)
        yield shown(f"empty {name}", "missing-signature", TARGET, headers | {name: ""}, sent)
        yield shown(f"K05 {name} twice", "duplicate-header", TARGET, headers, sent, add=[[name.upper(), headers[name]]])
    yield shown("K05 host twice", "duplicate-header", TARGET, headers, sent, add=[["Host", "other"]])
    for name, nonce in [
        ("short", "a" * 15),
        ("long", "a" * 65),
        ("with a blank", "a" * 16 + " b"),
        ("with &", "a" * 16 + "&b"),
    ]:
        yield shown(f"a nonce {name}", "bad-nonce", TARGET, proved(speech, nonce=nonce)[0], sent)
    for name, at in [("old", NOW - 301_000), ("ahead", NOW + 301_000)]:
        yield shown(f"too {name}", "time-outside-window", TARGET, proved(speech, at=at)[0], sent)
    for name, time in [("a word", "now"), ("with a sign", "+" + headers[names[1]][1:]), ("with a point", headers[names[1]] + ".0"),
                       ("in the other unit", str(NOW // 1000 if len(headers[names[1]]) == 13 else NOW))]:  # fmt: skip
        yield shown(f"K09 a time {name}", "time-outside-window", TARGET, headers | {names[1]: time}, sent)
    yield shown("nobody", "unknown-app", TARGET, headers | {names[0]: "nobody"}, sent)
    for name in names[3:]:
        written = headers[name]
        for what, other in [("cut", written[:-1]), ("longer", written + "0"), ("in the other case", written.swapcase()),
                            ("of zeros", "0" * len(written))]:  # fmt: skip
            yield shown(f"{name} {what}", "bad-signature", TARGET, headers | {name: other}, sent)
    stranger = type(speech)({**speech.config, "secret": "another-secret-that-opens-nothing-02"})
    yield shown("another secret", "bad-signature", TARGET, proved(stranger)[0], sent)


def hubei(speech: Tif) -> Iterator[dict[str, Any]]:
    headers, sent = proved(speech)
    yield from bad_headers(speech, list(TIF.values()))
    other = {key: value for key, value in headers.items() if key != TIF["binding"]}
    yield shown("J19 the family's headers alone", "missing-signature", TARGET, other, sent)


def wuhan(speech: Hmac) -> Iterator[dict[str, Any]]:
    yield from bad_headers(speech, list(speech.names))
    for target in ("/p?a=1&a=2", "/p?=1", "/p?a=1&&b=2", "/p?appKey=hall", "/p?timestamp=1"):
        headers, sent = proved(speech, target)
        yield shown(f"K04 K07 ambiguous {target}", "bad-signature", target, headers, sent)


def xiamen(speech: Yibao) -> Iterator[dict[str, Any]]:
    """The envelope with a member wrong, inside a request whose headers are right."""

    def sent(name: str, expect: str, body: bytes) -> dict[str, Any]:
        return shown(f"envelope {name}", expect, TARGET, proved(speech, body=body, close=False)[0], body)

    whole = json.loads(speech.close(BODY, NOW))
    for name in whole:
        lacking = {key: value for key, value in whole.items() if key != name}
        yield sent(f"without {name}", "bad-envelope", json.dumps(lacking).encode())
    changes: dict[str, Any] = {
        "with a member more": {"extra": "1"}, "of another app": {"appCode": "other"}, "of another version": {"version": "1.0"},
        "that says SM2 is MD5": {"signType": "MD5"}, "that says plain": {"encType": "plain"}, "with data as text": {"data": "00"},
        "with two members in data": {"data": {"encData": whole["data"]["encData"], "x": "1"}},
        "with a number as time": {"timestamp": NOW},
        "with a null": {"signData": None},
    }  # fmt: skip
    for name, change in changes.items():
        yield sent(name, "bad-envelope", json.dumps(whole | change).encode())
    twice = json.dumps(whole).replace('"appCode"', '"appCode": "hall", "appCode"', 1)
    yield sent("N01 with a member twice", "bad-envelope", twice.encode())
    yield sent("that is none: a plain body", "bad-envelope", BODY)
    yield sent("that is no JSON", "bad-envelope", b"\x00\x01")
    yield sent("too old", "time-outside-window", speech.close(BODY, NOW - 301_000))
    sealed = whole["data"]["encData"]
    for name, other in [("with a bit of the ciphertext changed", sealed[:-1] + ("0" if sealed[-1] != "0" else "1")),
                        ("cut by a block", sealed[:-32]), ("in small letters", sealed.lower())]:  # fmt: skip
        yield sent(name, "bad-signature", json.dumps(whole | {"data": {"encData": other}}).encode())
    yield sent("signed by another", "bad-signature", Yibao({**speech.config, "private_key": OTHER}).close(BODY, NOW))
    for name, clear in [
        ("half a block", "ab" * 8),
        ("of nothing", ""),
        ("with a wrong padding", "00" * 32),
        ("of an IV alone", "00" * 16),
    ]:
        yield sent(f"signed, {name}", "undecryptable", signed(speech, clear))
    yield sent(
        "under another SM4 key", "undecryptable", Yibao({**speech.config, "body_key": "f0" * 16}).close(b"x" * 15, NOW)
    )


def signed(speech: Yibao, sealed: str) -> bytes:
    """An envelope around this ciphertext, soundly signed."""
    told = {"appCode": "hall", **speech.fixed, "timestamp": str(NOW)}
    raw = sm2sign.sign(PRIVATE, sm2sign.public_of(PRIVATE), speech.message({**told, "data": sealed}))
    written = base64.b64encode(bytes.fromhex(raw)).decode()
    return json.dumps({"data": {"encData": sealed}, **told, "signData": written}).encode()


# --- tokens -----------------------------------------------------------------------------------------------------------


def claims_of(speech: Token, **changes: Any) -> dict[str, Any]:
    """The claims of a good token, changed; None takes one away."""
    token = proved(speech)[0]["authorization"].removeprefix("Bearer ")
    said = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    return {name: value for name, value in {**said, **changes}.items() if value is not None}


def with_token(name: str, expect: str, token: str) -> dict[str, Any]:
    return shown(name, expect, TARGET, HOST | {"authorization": f"Bearer {token}"}, BODY)


def yueyang(speech: Token) -> Iterator[dict[str, Any]]:
    head, claims = {"alg": speech.alg, "typ": "JWT"}, claims_of(speech)
    sound = speech.token(head, claims)
    yield shown("no token", "missing-signature", TARGET, dict(HOST), BODY)
    yield shown("another word before it", "missing-signature", TARGET, HOST | {"authorization": f"Basic {sound}"}, BODY)
    yield shown("K05 two tokens", "duplicate-header", TARGET, HOST | {"authorization": f"Bearer {sound}"}, BODY,
                add=[["Authorization", f"Bearer {sound}"]])  # fmt: skip
    yield from of_headers(speech, head, claims)
    yield from with_public_key(speech, claims)
    yield from of_claims(speech, head)
    yield from of_form(speech, sound)


def of_headers(speech: Token, head: dict[str, Any], claims: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for alg in ("none", "None", "nOnE", "NONE", ""):
        token = speech.token({**head, "alg": alg}, claims)
        yield with_token(f"J01 alg {alg!r}, signed", "bad-token", token)
        yield with_token(f"J01 alg {alg!r}, no signature", "bad-token", token.rpartition(".")[0] + ".")
    yield with_token("J01 no alg", "bad-token", speech.token({"typ": "JWT"}, claims))
    for alg in ("HS256", "HS512", "HMAC-SM3", "ES256", "RS256", "PS256", "EdDSA", "SM2"):
        if alg != speech.alg:
            yield with_token(f"J03 alg {alg}", "bad-token", speech.token({**head, "alg": alg}, claims))
    for kid in ("../../etc/passwd", "1' OR '1'='1", "http://attacker.example/k", "a\x00b", "k" * 100, "no-such-key"):
        yield with_token(
            f"J04 kid {kid!r}",
            "bad-token" if "\x00" in kid else "bad-signature",
            speech.token({**head, "kid": kid}, claims),
        )
    for kid in ("k" * 3000, 7, None, ["a"]):
        yield with_token(
            f"J04 kid of another form {str(kid)[:8]}", "bad-token", speech.token({**head, "kid": kid}, claims)
        )
    for name, value in [("jku", "http://127.0.0.1:9/"), ("x5u", "http://127.0.0.1:9/"), ("x5c", ["MA=="]), ("jwk", {"kty": "EC"}),
                        ("crit", ["exp"]), ("crit", []), ("b64", False), ("b64", True), ("zip", "DEF"), ("cty", "JWT"),
                        ("enc", "SM4")]:  # fmt: skip
        row = {"crit": "J06", "b64": "J06", "zip": "J15", "cty": "J14", "enc": "J14"}.get(name, "J05")
        yield with_token(f"{row} {name} {value!r}", "bad-token", speech.token({**head, name: value}, claims))
    yield with_token("typ at+jwt", "bad-token", speech.token({**head, "typ": "at+jwt"}, claims))


def with_public_key(speech: Token, claims: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """J02: what everybody knows, taken as a secret."""
    public = speech.config["gateway_public_key"]
    spki = base64.b64decode("".join(public.splitlines()[1:-1])) if "BEGIN" in public else bytes.fromhex("04" + public)
    jwk = json.dumps({"kty": "EC", "x": b64u(spki[-64:-32]), "y": b64u(spki[-32:])})
    forms = {"text": public.encode(), "text with other line ends": public.replace("\n", "\r\n").encode() + b" ", "DER": spki,
             "Base64": base64.b64encode(spki), "JWK": jwk.encode(), "JWKS": f'{{"keys":[{jwk}]}}'.encode()}  # fmt: skip
    for name, secret in forms.items():
        message = f"{b64u(json.dumps({'alg': 'HS256', 'typ': 'JWT'}).encode())}.{b64u(json.dumps(claims).encode())}"
        proof = hmac.new(secret, message.encode(), hashlib.sha256).digest()
        yield with_token(f"J02 HS256 under the public key as {name}", "bad-token", f"{message}.{b64u(proof)}")


def of_claims(speech: Token, head: dict[str, Any]) -> Iterator[dict[str, Any]]:
    now = NOW // 1000

    def made(name: str, expect: str, **changes: Any) -> dict[str, Any]:
        return with_token(name, expect, speech.token(head, claims_of(speech, **changes)))

    for name in ("exp", "iat", "jti", "iss", "aud", "req"):
        yield made(f"J07 without {name}", "bad-token", **{name: None})
    for value in (str(now + 60), now + 60.5, "1e999", True, [now], -1, 1 << 63):
        yield made(f"J08 exp {value!r}", "bad-token", exp=value)
    for value in (str(now), now + 0.5, False, -1):
        yield made(f"J08 iat {value!r}", "bad-token", iat=value)
    for literal in ("1e999", "NaN", "Infinity", "1767225660.0"):
        said = json.dumps(claims_of(speech)).replace(f'"exp": {now + 120}', f'"exp": {literal}')
        yield with_token(f"J08 exp written {literal}", "bad-token", raw(speech, head, said.encode()))
    yield made("J08 expired", "time-outside-window", iat=now - 200, exp=now - 61)
    yield made("J08 issued in the future", "time-outside-window", iat=now + 120, exp=now + 240)
    yield made("J08 not yet in force", "time-outside-window", nbf=now + 120)
    yield made("J08 valid for eleven minutes", "time-outside-window", exp=now + 661)
    yield made("J08 older than the window", "time-outside-window", iat=now - 301, exp=now + 60)
    yield made("J08 expires before it was issued", "time-outside-window", iat=now + 30, exp=now + 20)
    for value in (["tongban"], ["tongban", "other"], [], {"a": "tongban"}):
        yield made(f"J09 aud {json.dumps(value)}", "bad-token", aud=value)
    yield made("J09 aud of a sibling", "bad-token", aud="tongban-2")
    yield made("J09 aud a prefix of ours", "bad-token", aud="tongba")
    for iss in ("hal", "hall2", "hall ", "HALL", "*"):
        yield made(f"J10 iss {iss!r}", "unknown-app", iss=iss)
    yield made("J10 iss a list", "bad-token", iss=["hall"])
    for jti in ("short", "a" * 65, "a" * 16 + " "):
        yield made(f"J11 jti {jti[:8]!r} of the wrong form", "bad-nonce", jti=jti)
    yield made("J11 jti a number", "bad-token", jti=12345678901234567890 % (1 << 50))
    yield made("J18 made for another request", "bad-token", req="0" * 64)
    stranger = Token({**speech.config, "private_key": OTHER}) if speech.alg == "SM2" else None
    if stranger:
        yield with_token("another key", "bad-signature", stranger.token(head, claims_of(speech)))


def of_form(speech: Token, sound: str) -> Iterator[dict[str, Any]]:
    first, middle, last = sound.split(".")
    forms = {
        "J12 = behind it": sound + "=", "J12 == behind it": sound + "==", "J12 = behind the claims": f"{first}.{middle}=.{last}",
        "J12 a blank in it": f"{first}.{middle[:5]} {middle[5:]}.{last}", "J12 a blank behind it": sound + " ",
        "J12 + for -": sound[:-4] + "+/+/", "J14 JWE of five parts": f"{sound}.AAAA.AAAA",
        "J14 two parts": f"{first}.{middle}", "J14 detached": f"{first}..{last}", "J14 an empty head": f".{middle}.{last}",
        "J14 JSON serialisation": json.dumps({"payload": middle, "protected": first, "signature": last}),
        "J15 very long": f"{first}.{middle}{'A' * 9000}.{last}", "J15 dots": "." * 5000, "empty": "",
    }  # fmt: skip
    if len(last) % 4:  # the last letter has bits that mean nothing
        changed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        forms["J12 bits after the end"] = sound[:-1] + changed[changed.index(sound[-1]) ^ 1]
    for name, token in forms.items():
        yield with_token(name, "bad-token", token)
    yield with_token("J12 a letter more", "bad-signature", sound + "A")
    yield with_token(
        "a bit of the signature changed",
        "bad-signature",
        f"{first}.{middle}.{'B' if last[0] != 'B' else 'C'}{last[1:]}",
    )
    said = json.dumps(claims_of(speech))
    twice = said.replace('"iss"', '"iss": "other", "iss"', 1)
    head = {"alg": speech.alg, "typ": "JWT"}
    yield with_token("J13 a claim twice", "bad-token", raw(speech, head, twice.encode()))
    double = f'{{"alg": "none", "alg": "{speech.alg}"}}'.encode()
    yield with_token("J13 a header member twice", "bad-token", raw(speech, double, said.encode()))
    yield with_token("J14 a token in a token", "bad-token", raw(speech, head, sound.encode()))
    yield with_token("claims that are a list", "bad-token", raw(speech, head, b"[]"))
    yield with_token("claims that are no UTF-8", "bad-token", raw(speech, head, b'{"iss":"\xff"}'))


def raw(speech: Token, head: dict[str, Any] | bytes, said: bytes) -> str:
    """A token over these very bytes, soundly signed."""
    first = head if isinstance(head, bytes) else json.dumps(head).encode()
    message = f"{b64u(first)}.{b64u(said)}"
    return f"{message}.{b64u(speech._signature(message.encode()))}"


# --- all --------------------------------------------------------------------------------------------------------------


def pem(key: Any) -> tuple[str, str]:
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, *form)
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    return private.decode(), key.public_key().public_bytes(serialization.Encoding.PEM, spki).decode()


def rows() -> Iterator[dict[str, Any]]:
    point = "04" + sm2sign.public_of(PRIVATE)
    bad = {"hubei": hubei, "wuhan": wuhan, "yueyang": yueyang, "xiamen_yibao": xiamen}
    for name, speech in SPEECHES.items():
        said = speech(CONFIG)
        other = "bad-token" if name == "yueyang" else "bad-signature"
        yield {
            "profile": name,
            "algorithm": "",
            "public_key": point,
            "vectors": [*good(said), *moved(said, other), *bad[name](said)],
        }
    for alg, key in [
        ("ES256", ec.generate_private_key(ec.SECP256R1())),
        ("RS256", rsa.generate_private_key(65537, 2048)),
    ]:
        private, public = pem(key)
        said = Token({**CONFIG, "alg": alg, "private_key": private, "gateway_public_key": public})
        yield {"profile": "yueyang", "algorithm": alg, "public_key": public,
               "vectors": [*good(said), *moved(said, "bad-token"), *yueyang(said)]}  # fmt: skip


if __name__ == "__main__":
    done = {"now_ms": NOW, "window_ms": 300_000, "app": "hall", "us": "tongban", "secret": SECRET, "body_key": "0f" * 16,
            "rows": list(rows())}  # fmt: skip
    text = json.dumps(done, ensure_ascii=False).replace('{"name": ', '\n{"name": ')  # a line for each
    (HERE / "schemes.json").write_text(text + "\n", "utf-8")
    print(sum(len(row["vectors"]) for row in done["rows"]), "vectors")

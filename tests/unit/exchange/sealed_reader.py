"""A second reader of sealed messages, written from docs/protocol.md 3.1 alone: ``cryptography`` for SM4-GCM and HMAC-SM3,
``gmalg`` for SM2. It imports nothing of ours."""

from __future__ import annotations

import json
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SM3, Hash
from cryptography.hazmat.primitives.hmac import HMAC
from gmalg import SM2
from gmalg.errors import GMError

PLAIN, TAG = 1_048_560, 16


class Refused(Exception):
    """The message does not hold together."""


def sm3(data: bytes) -> bytes:
    running = Hash(SM3())
    running.update(data)
    return running.finalize()


def hmac(key: bytes, data: bytes) -> bytes:
    running = HMAC(key, SM3())
    running.update(data)
    return running.finalize()


def derive(key: bytes, name: str) -> bytes:
    return hmac(key, b"tongban/v1/sealed\n" + name.encode() + b"\n")


def open_stream(key: bytes, name: str, context: bytes, data: bytes) -> bytes:
    derived = derive(key, name)
    cut = [data[at : at + PLAIN + TAG] for at in range(0, len(data), PLAIN + TAG)] or [b""]
    return b"".join(_segment(derived, n, n == len(cut) - 1, len(cut) > 1, one, context) for n, one in enumerate(cut))


def _segment(derived: bytes, n: int, final: bool, several: bool, data: bytes, context: bytes) -> bytes:
    if len(data) < TAG or (several and len(data) == TAG):
        raise Refused
    nonce = bytes(a ^ b for a, b in zip(derived[16:28], n.to_bytes(12, "big"), strict=True))
    cipher = Cipher(algorithms.SM4(derived[:16]), modes.GCM(nonce, data[-TAG:])).decryptor()
    flag = b"\x01" if final else b"\x00"
    cipher.authenticate_additional_data(b"tongban/v1/segment\n" + n.to_bytes(4, "big") + flag + context)
    try:
        return cipher.update(data[:-TAG]) + cipher.finalize()
    except InvalidTag:
        raise Refused from None


def unwrap(private: bytes, wrapped: bytes) -> bytes:
    """SEQUENCE { INTEGER x, INTEGER y, OCTET STRING C3, OCTET STRING C2 } of a 16-byte key."""
    try:
        members, rest = _members(wrapped)
        (x_tag, x), (y_tag, y), (c3_tag, c3), (c2_tag, c2) = members
        if rest or (x_tag, y_tag, c3_tag, c2_tag) != (2, 2, 4, 4) or len(c3) != 32:
            raise Refused
        raw = b"\x04" + int.from_bytes(x).to_bytes(32) + int.from_bytes(y).to_bytes(32) + c3 + c2
        key = SM2(sk=private).decrypt(raw)
    except (GMError, ValueError, IndexError, OverflowError):
        raise Refused from None
    if len(key) != 16:
        raise Refused
    return bytes(key)


def _members(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    if data[0] != 0x30:
        raise Refused
    inside, rest = _value(data)
    found = []
    while inside:
        tag = inside[0]
        value, inside = _value(inside)
        found.append((tag, value))
    return found, rest


def _value(data: bytes) -> tuple[bytes, bytes]:
    length, at = data[1], 2
    if length & 0x80:
        at += length & 0x7F
        length = int.from_bytes(data[2:at])
    if len(data) < at + length:
        raise Refused
    return data[at : at + length], data[at + length :]


def canonical(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def open_message(private: dict[str, bytes], header: bytes, body: bytes) -> tuple[bytes, dict[str, Any], bytes]:
    """(message key, enclosure, body); Refused for anything that does not fit. ``private``: key id -> private key."""
    head = json.loads(header)
    if canonical(head) != header or sm3(body).hex() != head["body"] or len(body) != head["body_size"]:
        raise Refused
    if head["sealed"]["key"] not in private:
        raise Refused
    from base64 import b64decode

    key = unwrap(private[head["sealed"]["key"]], b64decode(head["sealed"]["wrapped"]))
    return key, *check(key, head, open_stream(key, "body", canonical(head | {"body": "0" * 64}), body))


def check(key: bytes, head: dict[str, Any], plaintext: bytes) -> tuple[dict[str, Any], bytes]:
    if hmac(derive(key, "commitment"), sm3(plaintext)).hex() != head["sealed"]["commitment"]:
        raise Refused
    line, found, body = plaintext.partition(b"\n")
    try:
        enclosure = json.loads(line)
    except (ValueError, RecursionError):
        raise Refused from None
    if not found or canonical(enclosure) != line or set(enclosure) != {"alias", "parts"}:
        raise Refused
    sizes = [one["size"] + TAG * max(1, -(-one["size"] // PLAIN)) for one in enclosure["parts"]]
    if sizes != [one["size"] for one in head["parts"]]:
        raise Refused
    return enclosure, body

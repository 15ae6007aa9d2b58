"""Canonical bytes 规范字节 and their reading (attack rows N01-N09, K01).

Canonical form: UTF-8 JSON, keys sorted by code point, no blanks, shortest escapes, fields at their default left out,
times in UTC with ``Z``. There is one form for one value: ``decode`` refuses bytes that ``encode`` would not have
written, so duplicate keys, other number forms and other escapes cannot pass, and the digest over the bytes is a
digest of the value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from schemas.canonical import BODIES, Body
from schemas.errors import Invalid
from schemas.explain import explain
from schemas.inquiry import INQUIRIES
from schemas.strict import decode_utf8, forbidden, strict_json

__all__ = ["MAX_BODY", "build", "decode", "encode", "strict_json"]

MAX_BODY: Final = 512 * 1024
"""Bytes of one canonical body. Files travel apart."""

_TYPES: Final[dict[str, type[Body]]] = BODIES | INQUIRIES
_ENCODER: Final = msgspec.json.Encoder(order="sorted")
_DECODERS: Final = {name: msgspec.json.Decoder(body) for name, body in _TYPES.items()}
_NAMES: Final = {body: name for name, body in _TYPES.items()}
# In canonical bytes a control can stand only as an escape other than \n and \t.
_ESCAPED_CONTROL: Final = re.compile(r"(?<!\\)(?:\\\\)*\\[ubfr]")


def _bad_text(path: str) -> Invalid:
    zh = f"“{path}”含有控制字符、方向控制符或非字符" if path else "含有控制字符、方向控制符或非字符"
    return Invalid("bad-character", zh, "holds a control, a bidirectional override or a non-character", path)


def _where(value: object, path: str = "") -> str:
    """The path of the first text with a forbidden character, in a value whose depth is bounded by the types."""
    if isinstance(value, str):
        return path if forbidden(value) or "\r" in value else ""
    if isinstance(value, Mapping):
        children = [(f"{path}.{key}" if path else str(key), child) for key, child in value.items()]
    elif isinstance(value, list):
        children = [(f"{path}[{index}]", child) for index, child in enumerate(value)]
    else:
        return ""
    return next((found for where, child in children if (found := _where(child, where))), "")


def _check_text(data: bytes) -> None:
    text = decode_utf8(data)
    if forbidden(text) or ("\\" in text and _ESCAPED_CONTROL.search(text)):
        raise _bad_text(_where(msgspec.json.decode(data)))


def _type(name: str) -> type[Body]:
    try:
        return _TYPES[name]
    except KeyError:
        raise Invalid("unknown-type", "不认识的报文类型", "unknown message type") from None


def decode(type_: str, data: bytes) -> Body:
    """The body of message type ``type_`` from its canonical bytes, or Invalid. About 25 µs for 4 KiB."""
    if len(data) > MAX_BODY:
        raise Invalid("too-large", f"内容超过{MAX_BODY}字节", f"larger than {MAX_BODY} bytes")
    if type_ not in _DECODERS:
        _type(type_)
    try:
        body: Body = _DECODERS[type_].decode(data)
    except msgspec.ValidationError as error:
        strict_json(data, max_bytes=MAX_BODY)  # what is no clean JSON is named as such first
        raise explain(error, _TYPES[type_]) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        strict_json(data, max_bytes=MAX_BODY)
        raise Invalid("bad-json", "不是合法JSON", "not JSON") from None
    if _ENCODER.encode(body) != data:
        strict_json(data, max_bytes=MAX_BODY)
        raise Invalid(
            "not-canonical", "不是规范字节（键序、空白、转义、缺省字段或时间写法不合规范）",
            "not the canonical bytes (key order, blanks, escapes, defaults or time form)",
        )  # fmt: skip
    _check_text(data)
    return body


def build(type_: str, fields: Mapping[str, Any]) -> Body:
    """A body from plain values (what a translator has gathered), or Invalid."""
    try:
        body: Body = msgspec.convert(fields, _type(type_))
    except msgspec.ValidationError as error:
        raise explain(error, _TYPES[type_]) from None
    _check_text(_ENCODER.encode(body))
    return body


def canonical(body: Body) -> bytes:
    """The canonical bytes of a body that ``decode`` or ``build`` made, which have checked it already."""
    return _ENCODER.encode(body)


def encode(body: Body) -> bytes:
    """The canonical bytes. A body that was put together by hand is read back first: Invalid instead of bad bytes."""
    name = _NAMES.get(type(body))
    if name is None:
        raise Invalid("unknown-type", "不是规范报文体", "not a canonical body")
    try:
        data = _ENCODER.encode(body)
    except (UnicodeEncodeError, TypeError, RecursionError):
        raise Invalid("not-encodable", "含有不能写成规范字节的值", "holds a value without canonical bytes") from None
    decode(name, data)
    return data

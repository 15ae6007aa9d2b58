"""What is uncommon about the bytes of a seal or stamp (印章诊断：编码): what a strict reader refuses, or another may.

Reads as loosely as can be done safely and says where it had to. Nothing is believed here, and nothing that only passes
here is ever accepted: ``signing.seal`` reads strictly.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from signing import ber, der, oids
from signing.errors import Malformed
from signing.seal import MAX_BYTES

# Who is known to refuse, by trying: a contract test holds the table to that reader.
_BOUNCY = "BouncyCastle"


@dataclass(frozen=True, slots=True)
class Finding:
    """One objection. ``where``: the place in words, "" for the whole. ``readers``: who is known to refuse it."""

    code: str
    zh: str
    en: str
    where: str = ""
    readers: tuple[str, ...] = ()


SHAPES: Final[dict[str, tuple[str, str, tuple[str, ...]]]] = {
    "text-wrapped": ("文件是 Base64 或 PEM 文本，不是 DER", "the file is Base64 or PEM text, not DER", (_BOUNCY,)),
    "extra-bytes": ("结构之后有 {n} 个多余字节", "{n} bytes after the structure", (_BOUNCY,)),
    "loose-lengths": ("长度不是最短的定长编码（BER）", "lengths are not minimal and definite (BER)", ()),
    "explicit-false": ("写出了缺省值 critical FALSE", "a default is spelt out: critical FALSE", ()),
    "boolean-form": ("布尔值不是 00 或 FF", "a boolean is neither 00 nor FF", ()),
    "integer-form": ("整数不是最短编码", "an integer is not minimal", (_BOUNCY,)),
    "unused-bits": ("位串声明了未用位", "a bit string states unused bits", ()),
    "time-form": ("时间不是以 Z 结尾、到秒的 UTC 写法", "a time is not UTC to the second with Z", ()),
    "utc-time": ("V4 印章中用了两位年的 UTCTime", "a time with a year of two digits (UTCTime) in a V4 form", ()),
    "text-form": ("字符串含不允许的字节", "a string holds bytes that its type does not allow", ()),
    "null-parameters": ("签名算法带 NULL 参数", "the signature algorithm has NULL parameters", ()),
    "unreadable-part": ("有一处读不出：{detail}", "a part cannot be read: {detail}", ()),
}  # fmt: skip
_TIME: Final = {der.UTC_TIME: re.compile(rb"\d{12}Z"), der.GENERALIZED_TIME: re.compile(rb"\d{14}Z")}
_TEXTS: Final = frozenset({der.UTF8, der.NUMERIC, der.PRINTABLE, der.IA5})
_SM2: Final = tuple(der.oid(one) for one in (oids.SM2_WITH_SM3, oids.SM2_SIGN, oids.SM2_CURVE))
_ARMOUR: Final = re.compile(rb"-----[^\n]*-----")


def finding(code: str, where: str = "", **parts: object) -> Finding:
    """An objection of this table."""
    zh, en, readers = SHAPES[code]
    return Finding(code, zh.format(**parts), en.format(**parts), where, readers)


@dataclass(frozen=True, slots=True)
class Loose:
    """The bytes as a strict reader could take them, and what had to be put right. ``der`` empty: not even loosely readable."""

    der: bytes
    findings: tuple[Finding, ...]


def loosely(data: bytes) -> Loose:
    """The structure in the file, out of its wrapping, without what follows it, in DER lengths."""
    found: list[Finding] = []
    inner = _unwrapped(data)
    if inner is not None:
        data = inner
        found.append(finding("text-wrapped"))
    try:
        plain, end = ber.first(data, limit=MAX_BYTES)
    except Malformed as fault:
        return Loose(b"", (*found, Finding("unreadable-part", fault.zh, fault.en)))
    if end < len(data):
        found.append(finding("extra-bytes", n=len(data) - end))
    if plain != data[:end]:
        found.append(finding("loose-lengths"))
    return Loose(plain, tuple(found))


def _unwrapped(data: bytes) -> bytes | None:
    """The bytes in Base64 or PEM text; None where the file is no such text."""
    text = b"".join(_ARMOUR.sub(b"", data.lstrip(b"\xef\xbb\xbf")).split())
    try:
        inner = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return inner if inner[:1] == b"\x30" else None


def complaints(root: der.Tlv, where: str, *, new_form: bool) -> list[Finding]:
    """What is uncommon inside, each kind once with its place. ``new_form``: V4 and later, where times have four-digit years."""
    found: dict[str, Finding] = {}
    for one in _walk(root, where, new_form):
        found.setdefault(one.code, one)
    return list(found.values())


def _walk(root: der.Tlv, where: str, new_form: bool) -> Iterator[Finding]:
    waiting = [root]
    while waiting:
        element = waiting.pop()
        code = _complaint(element, new_form)
        if code:
            yield finding(code, where)
        if not element.tag & 0x20:
            continue
        try:
            inside = element.children()
        except Malformed as fault:
            yield finding("unreadable-part", where, detail=f"{fault.zh} / {fault.en}")
            continue
        if len(inside) == 2 and inside[0].raw in _SM2 and inside[1].tag == der.NULL:
            yield finding("null-parameters", where)
        waiting += reversed(inside)


def _complaint(element: der.Tlv, new_form: bool) -> str:
    value = element.value
    if element.tag == der.BOOLEAN:
        return "explicit-false" if value == b"\x00" else "" if value == b"\xff" else "boolean-form"
    if element.tag == der.INTEGER:
        padded = len(value) > 1 and (value[0], value[1] >> 7) in ((0x00, 0), (0xFF, 1))
        return "integer-form" if padded or not value else ""
    if element.tag == der.BIT_STRING:
        return "unused-bits" if value[:1] != b"\x00" else ""
    if element.tag in _TIME:
        if not _TIME[element.tag].fullmatch(value):
            return "time-form"
        return "utc-time" if new_form and element.tag == der.UTC_TIME else ""
    if element.tag in _TEXTS:
        try:
            element.as_text()
        except Malformed:
            return "text-form"
    return ""


def without_defaults(element: der.Tlv) -> bytes:
    """The element written anew by the rules of DER: booleans FALSE left out, integers minimal. Malformed where it cannot be."""
    if not element.tag & 0x20:
        if element.tag == der.INTEGER and element.value:
            return der.integer(int.from_bytes(element.value, "big", signed=True))
        return element.raw
    inside = [one for one in element.children() if not (one.tag == der.BOOLEAN and one.value == b"\x00")]
    return der.tlv(element.tag, b"".join(without_defaults(one) for one in inside))

"""MTOM packages (W3C XOP/MTOM 2005-01-25): multipart/related with parts that stand for Base64 in the envelope. Pure.

Read strictly: the closing boundary must come, no header twice, every part named once and used once (K06, X15). What a part
holds takes its place in the tree as Base64, so that the schema judges it like any other value. Plain attachments that only
a text refers to (SwA, swaRef) are refused: nothing would tie them to the message.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import unquote

from lxml import etree

from adapters.soap.fault import SoapRefused, refuse

MAX_PARTS: Final = 64
_MAX_HEADERS: Final = 4096
_INCLUDE: Final = "{http://www.w3.org/2004/08/xop/include}Include"
_BOUNDARY: Final = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_PLAIN: Final = frozenset({"", "binary", "8bit", "7bit"})


class Package(NamedTuple):
    """The envelope's bytes, its own content type, and the other parts by Content-ID."""

    envelope: bytes
    content_type: str
    parts: dict[str, bytes]


def _bad(zh: str, en: str) -> SoapRefused:
    return refuse("soap-multipart", zh, en)


def unpack(data: bytes, given: Mapping[str, str]) -> Package:
    """``given``: parameters of the outer content type. Raises SoapRefused."""
    if given.get("type", "").lower() != "application/xop+xml":
        raise refuse("media-type", "multipart/related 只接受 MTOM（XOP）", "multipart/related must be MTOM (XOP)")
    boundary = given.get("boundary", "")
    if not _BOUNDARY.fullmatch(boundary):
        raise _bad("MTOM 的 boundary 有误", "the boundary of the MTOM package is bad")
    parts: dict[str, tuple[str, bytes]] = {}
    for piece in _pieces(data, b"--" + boundary.encode("ascii")):
        headers, content = _part(piece)
        name = headers.get("content-id", "").strip()
        name = name[1:-1] if name.startswith("<") and name.endswith(">") else name
        if not name and not parts:
            name = _start(given)  # only the envelope itself may go unnamed
        if name in parts:
            raise _bad("MTOM 的两个部分同名", "two parts of the MTOM package have one name")
        parts[name] = (headers.get("content-type", ""), content)
    start = _start(given) or next(iter(parts))
    if start not in parts:
        raise _bad("MTOM 里没有 start 所指的部分", "the MTOM package has no part that start names")
    kind, envelope = parts.pop(start)
    return Package(envelope, kind, {name: content for name, (_, content) in parts.items()})


def _start(given: Mapping[str, str]) -> str:
    return given.get("start", "").removeprefix("<").removesuffix(">")


def _pieces(data: bytes, mark: bytes) -> list[bytes]:
    """The parts with their headers; nothing but one line end may stand before the first, and only blanks after the last."""
    rest = data.removeprefix(b"\r\n")
    if not rest.startswith(mark + b"\r\n"):
        raise _bad("MTOM 须以 boundary 开头", "the MTOM package must begin with its boundary")
    pieces = rest[len(mark) :].split(b"\r\n" + mark, MAX_PARTS + 1)
    if len(pieces) > MAX_PARTS + 1:
        raise refuse("too-many", f"附件超过 {MAX_PARTS} 个", f"more than {MAX_PARTS} parts")
    if not pieces[-1].startswith(b"--") or pieces[-1][2:].strip():
        raise _bad("MTOM 没有结尾的 boundary", "the closing boundary of the MTOM package is missing")
    if any(not piece.startswith(b"\r\n") for piece in pieces[:-1]) or len(pieces) < 2:
        raise _bad("MTOM 的 boundary 行有误", "a boundary line of the MTOM package is bad")
    return [piece[2:] for piece in pieces[:-1]]


def _part(piece: bytes) -> tuple[dict[str, str], bytes]:
    head, blank, content = piece.partition(b"\r\n\r\n")
    if not blank or len(head) > _MAX_HEADERS:
        raise _bad("MTOM 一个部分的头有误", "the headers of a part are bad")
    headers: dict[str, str] = {}
    for line in head.decode("latin-1").split("\r\n"):
        name, colon, value = line.partition(":")
        key = name.strip().lower()
        if not colon or line[:1] in " \t" or key in headers:
            raise _bad("MTOM 一个部分的头有误或重复", "a header of a part is bad or repeated")
        headers[key] = value.strip()
    if headers.get("content-transfer-encoding", "").lower() not in _PLAIN or "content-encoding" in headers:
        raise _bad("MTOM 的部分须为二进制原文，不得再编码", "a part must be plain binary")
    return headers, content


def fill(root: etree._Element, parts: Mapping[str, bytes]) -> None:
    """Put each part where its Include stands, as Base64. Raises SoapRefused; every part is used exactly once."""
    left = dict(parts)
    for include in list(root.iter(_INCLUDE)):
        parent = include.getparent()
        name = unquote(include.get("href", "").removeprefix("cid:"))
        if parent is None or len(parent) != 1 or (parent.text or "").strip() or (include.tail or "").strip():
            raise _bad("xop:Include 须独占一个元素", "an xop:Include must stand alone in its element")
        if name not in left or not include.get("href", "").startswith("cid:"):
            raise _bad("xop:Include 所指的附件不存在或用了两次", "an xop:Include names no part, or one a second time")
        parent.remove(include)
        parent.text = b64encode(left.pop(name)).decode("ascii")
    if left:
        raise _bad("有附件未被报文引用", "a part is referred to by nothing")

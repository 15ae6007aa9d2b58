"""SOAP envelopes of both versions: read strictly, written in the partner's encoding. Pure.

Exactly one Body with exactly one element; at most one Header before it; a header entry that must be understood, is meant
for us and is not ours is refused (X14). What is wrong is a ``SoapRefused`` that carries a ``Fault``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from lxml import etree

from adapters.soap import mtom
from adapters.soap.fault import Fault, SoapRefused, fault_element, not_understood, refuse
from adapters.soap.tree import to_bytes
from adapters.soap.versions import BY_NAMESPACE, SOAP_11, SOAP_12, Version, media
from schemas.errors import Invalid
from schemas.xml import encoding_of, parse_xml

_FLAG: Final = {"": False, "0": False, "false": False, "1": True, "true": True}


@dataclass(frozen=True, slots=True)
class Envelope:
    """``header`` entries for us by Clark name; ``body`` is the one element of the Body; ``action`` what the content type
    names as the operation (SOAP 1.2); ``encoding`` what it was written in."""

    version: Version
    header: dict[str, etree._Element]
    body: etree._Element
    encoding: str
    action: str = ""


def parse(data: bytes, content_type: str, understood: frozenset[str], *, max_bytes: int) -> Envelope:
    """Raises SoapRefused. ``understood``: Clark names of the header entries we read."""
    if len(data) > max_bytes:
        raise refuse("too-large", f"内容超过{max_bytes}字节", f"larger than {max_bytes} bytes")
    kind, given = media(content_type) if content_type else (SOAP_11.media, {})
    parts: Mapping[str, bytes] = {}
    if kind == "multipart/related":
        package = mtom.unpack(data, given)
        data, parts = package.envelope, package.parts
        kind, given = _inner(package.content_type, given)
    version = {SOAP_11.media: SOAP_11, SOAP_12.media: SOAP_12}.get(kind)
    if version is None:
        zh = f"Content-Type 须为 {SOAP_11.media} 或 {SOAP_12.media}"
        raise refuse("media-type", zh, f"the content type must be {SOAP_11.media} or {SOAP_12.media}")
    root = _root(data, given.get("charset", ""), max_bytes)
    mtom.fill(root, parts)
    header, body = _halves(root, version)
    action = given.get("action", "") if version is SOAP_12 else ""
    written_in = encoding_of(data, given.get("charset", ""))
    return Envelope(version, _header(header, version, understood), body, written_in, action)


def _inner(content_type: str, outer: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Media type and parameters of the envelope inside an MTOM package."""
    kind, given = media(content_type)
    if kind != "application/xop+xml":
        return kind, given
    inner = given.get("type", "") or outer.get("start-info", "")
    named, more = media(inner)
    return named, {**{key: outer[key] for key in ("action",) if key in outer}, **more, **given}


def _root(data: bytes, charset: str, max_bytes: int) -> etree._Element:
    try:
        return parse_xml(data, max_bytes=max_bytes, charset=charset)
    except Invalid as bad:
        raise SoapRefused(Fault("Client", bad.code, bad.zh, bad.en, bad.path)) from None


def _halves(root: etree._Element, version: Version) -> tuple[etree._Element | None, etree._Element]:
    """Header and the Body's element."""
    space, _, name = str(root.tag)[1:].partition("}")
    if name == "Envelope" and space != version.namespace:
        found = BY_NAMESPACE.get(space)
        says = f"信封是 SOAP {found.name}，Content-Type 却是 {version.media}" if found else "不是认识的 SOAP 版本"
        raise refuse(
            "soap-version", says, "envelope and content type are of different SOAP versions", "VersionMismatch"
        )
    if root.tag != f"{{{version.namespace}}}Envelope":
        raise refuse("not-soap", "不是 SOAP 信封", "not a SOAP envelope")
    names = [str(child.tag) for child in root]
    if names not in ([f"{{{version.namespace}}}Body"], [f"{{{version.namespace}}}{one}" for one in ("Header", "Body")]):
        raise refuse(
            "envelope-form", "信封须为至多一个 Header 加一个 Body", "at most one Header, then exactly one Body"
        )
    body = root[-1]
    if len(body) != 1:
        raise refuse("body-form", "Body 须恰有一个元素", "the Body holds exactly one element")
    return root[0] if len(root) == 2 else None, body[0]


def _header(header: etree._Element | None, version: Version, understood: frozenset[str]) -> dict[str, etree._Element]:
    found: dict[str, etree._Element] = {}
    for entry in () if header is None else header:
        name = str(entry.tag)
        must = _FLAG.get(entry.get(f"{{{version.namespace}}}mustUnderstand", "").strip())
        if must is None:
            raise refuse("header-form", "mustUnderstand 须为 0 或 1", "mustUnderstand must be 0 or 1")
        if entry.get(f"{{{version.namespace}}}{version.role}", "").strip() not in version.roles:
            continue  # for somebody on the way, not for us
        if name in found:
            raise refuse("header-repeated", "Header 条目重复", "a header entry comes twice")
        if must and name not in understood:
            zh, en = "有必须理解而本端不识的 Header 条目", "a mandatory header is unknown"
            raise refuse("must-understand", zh, en, "MustUnderstand", (name,))
        found[name] = entry
    return found


def wrap(body: bytes, header: bytes, encoding: str, version: Version = SOAP_11) -> bytes:
    """An envelope around a body element (and header entries) already written in this encoding."""
    start = f'<?xml version="1.0" encoding="{encoding}"?>\n<soap:Envelope xmlns:soap="{version.namespace}">'
    inner = b"<soap:Header>" + header + b"</soap:Header>" if header else b""
    return start.encode("ascii") + inner + b"<soap:Body>" + body + b"</soap:Body></soap:Envelope>"


def written(elements: Iterable[etree._Element], encoding: str) -> bytes:
    """Header entries as bytes."""
    return b"".join(to_bytes(one, encoding) for one in elements)


def build_fault(
    fault: Fault, encoding: str, version: Version = SOAP_11, header: Iterable[etree._Element] = ()
) -> bytes:
    """A whole envelope with the fault."""
    entries = written([*header, *not_understood(fault, version)], encoding)
    return wrap(to_bytes(fault_element(fault, version), encoding), entries, encoding, version)

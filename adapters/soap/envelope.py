"""SOAP 1.1 envelopes, document/literal (W3C Note 2000-05-08): read strictly, written in the partner's encoding. Pure.

Exactly one Body with exactly one element; at most one Header before it; a header entry that must be understood and is not
ours is refused (X14). What is wrong is a ``Fault`` value or a ``SoapRefused`` that carries one; faults say the reason in
Chinese and English and name the field, never its value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lxml import etree

from adapters.soap.tree import local, to_bytes, to_element
from schemas.errors import Invalid
from schemas.xml import parse_xml

NS: Final = "http://schemas.xmlsoap.org/soap/envelope/"
NS_12: Final = "http://www.w3.org/2003/05/soap-envelope"
FAULT_NS: Final = "urn:tongban:fault:v1"
_TRUE: Final = frozenset({"1", "true"})


@dataclass(frozen=True, slots=True)
class Fault:
    """``kind`` is the faultcode: Client, Server, VersionMismatch or MustUnderstand. ``action``: what to do next;
    ``trace_id``: what finds it in the gateway's log."""

    kind: str
    code: str
    zh: str
    en: str
    path: str = ""
    action: str = ""
    trace_id: str = ""


class SoapRefused(Exception):
    """A message that is answered with a fault."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(f"{fault.kind} {fault.code}")
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Envelope:
    """``header`` entries by Clark name; ``body`` is the one element of the Body."""

    header: dict[str, etree._Element]
    body: etree._Element


def _refuse(code: str, zh: str, en: str, kind: str = "Client") -> SoapRefused:
    return SoapRefused(Fault(kind, code, zh, en))


def media(content_type: str) -> tuple[str, str]:
    """(media type, charset), lower case; "" for a charset that is not given."""
    parts = [part.strip() for part in content_type.split(";")]
    charset = ""
    for part in parts[1:]:
        name, _, value = part.partition("=")
        if name.strip().lower() == "charset":
            charset = value.strip().strip('"').lower()
    return parts[0].lower(), charset


def parse(data: bytes, content_type: str, understood: frozenset[str], *, max_bytes: int) -> Envelope:
    """Raises SoapRefused. ``understood``: Clark names of the header entries we read."""
    kind, charset = media(content_type)
    if kind not in ("text/xml", ""):
        raise _refuse("media-type", "Content-Type 须为 text/xml", "the content type must be text/xml")
    try:
        root = parse_xml(data, max_bytes=max_bytes, charset=charset)
    except Invalid as bad:
        raise SoapRefused(Fault("Client", bad.code, bad.zh, bad.en, bad.path)) from None
    if root.tag == f"{{{NS_12}}}Envelope":
        raise _refuse("soap-version", "只接受 SOAP 1.1", "only SOAP 1.1 is accepted", "VersionMismatch")
    if root.tag != f"{{{NS}}}Envelope":
        raise _refuse("not-soap", "不是 SOAP 信封", "not a SOAP envelope")
    names = [str(child.tag) for child in root]
    if names not in ([f"{{{NS}}}Body"], [f"{{{NS}}}Header", f"{{{NS}}}Body"]):
        raise _refuse(
            "envelope-form", "信封须为至多一个 Header 加一个 Body", "at most one Header, then exactly one Body"
        )
    body = root[-1]
    if len(body) != 1:
        raise _refuse("body-form", "Body 须恰有一个元素", "the Body holds exactly one element")
    return Envelope(_header(root[0] if len(root) == 2 else None, understood), body[0])


def _header(header: etree._Element | None, understood: frozenset[str]) -> dict[str, etree._Element]:
    found: dict[str, etree._Element] = {}
    for entry in () if header is None else header:
        name = str(entry.tag)
        if name in found:
            raise _refuse("header-repeated", "Header 条目重复", "a header entry comes twice")
        if name not in understood and entry.get(f"{{{NS}}}mustUnderstand", "").strip() in _TRUE:
            raise _refuse("must-understand", "有必须理解而本端不识的 Header 条目", "a mandatory header is unknown",
                          "MustUnderstand")  # fmt: skip
        found[name] = entry
    return found


def wrap(body: bytes, header: bytes, encoding: str) -> bytes:
    """An envelope around a body element (and header entries) already written in this encoding."""
    start = f'<?xml version="1.0" encoding="{encoding}"?>\n<soap:Envelope xmlns:soap="{NS}">'
    inner = b"<soap:Header>" + header + b"</soap:Header>" if header else b""
    return start.encode("ascii") + inner + b"<soap:Body>" + body + b"</soap:Body></soap:Envelope>"


def build_fault(fault: Fault, encoding: str) -> bytes:
    """A whole envelope with the fault. Code, path and both sentences stand in its detail."""
    element = etree.Element(f"{{{NS}}}Fault", nsmap={"soap": NS})
    etree.SubElement(element, "faultcode").text = f"soap:{fault.kind}"
    etree.SubElement(element, "faultstring").text = fault.zh if fault.path in fault.zh else f"{fault.path}：{fault.zh}"
    known = {"code": fault.code, "path": fault.path, "zh": fault.zh, "en": fault.en}
    known |= {name: told for name in ("action", "trace_id") if (told := getattr(fault, name))}
    etree.SubElement(element, "detail").append(to_element(FAULT_NS, "Problem", known))
    return wrap(to_bytes(element, encoding), b"", encoding)


def read_fault(body: etree._Element) -> Fault | None:
    """The fault in a Body's element, ours or a stranger's; None when it is no fault."""
    if body.tag != f"{{{NS}}}Fault":
        return None
    plain = {local(child): child for child in body}
    code = (plain["faultcode"].text or "") if "faultcode" in plain else ""
    kind = code.rpartition(":")[2].partition(".")[0] or "Server"
    said = ((plain["faultstring"].text or "") if "faultstring" in plain else "")[:200]
    detail = plain.get("detail")
    problem = detail.find(f"{{{FAULT_NS}}}Problem") if detail is not None else None
    if problem is None:
        return Fault(kind, "fault", said, said)
    told = {local(child): (child.text or "")[:200] for child in problem}
    return Fault(kind, told.get("code", "fault"), told.get("zh", said), told.get("en", said), told.get("path", ""))

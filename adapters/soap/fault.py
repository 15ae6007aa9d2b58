"""SOAP faults of both versions: built with reason, path and next action in Chinese and English, and read from strangers. Pure.

``kind`` is always the word of SOAP 1.1 (Client, Server, VersionMismatch, MustUnderstand); 1.2 writes Sender and Receiver.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lxml import etree

from adapters.base import Problem
from adapters.soap.tree import local, to_element
from adapters.soap.versions import BY_NAMESPACE, SOAP_12, Version

FAULT_NS: Final = "urn:tongban:fault:v1"
_XML_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"
_KIND_12: Final = {"Client": "Sender", "Server": "Receiver"}
_KIND_11: Final = {new: old for old, new in _KIND_12.items()}


@dataclass(frozen=True, slots=True)
class Fault:
    """``action``: what to do next; ``trace_id``: what finds it in the gateway's log; ``about``: Clark names of the header
    entries that were not understood."""

    kind: str
    code: str
    zh: str
    en: str
    path: str = ""
    action: str = ""
    trace_id: str = ""
    about: tuple[str, ...] = ()


class SoapRefused(Exception):
    """A message that is answered with a fault."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(f"{fault.kind} {fault.code}")
        self.fault = fault


def refuse(code: str, zh: str, en: str, kind: str = "Client", about: tuple[str, ...] = ()) -> SoapRefused:
    """A refusal that blames the caller unless ``kind`` says otherwise."""
    return SoapRefused(Fault(kind, code, zh, en, about=about))


def fault_of(problem: Problem) -> Fault:
    """A refusal of the gateway as a fault: one that may be tried again blames the server."""
    told = problem.fields
    zh = told.get("detail") or told.get("title", "")
    kind = "Server" if problem.busy else "Client"
    action, trace_id = told.get("action", ""), told.get("trace_id", "")
    return Fault(kind, told.get("code", ""), zh, told.get("title_en", zh), told.get("path", ""), action, trace_id)


def or_fault(found: dict[str, str] | Problem) -> dict[str, str]:
    """What the backend answered; raises SoapRefused for a refusal."""
    if isinstance(found, Problem):
        raise SoapRefused(fault_of(found))
    return found


def status(fault: Fault, version: Version) -> int:
    """The HTTP binding of 1.1 wants 500 for every fault; that of 1.2 wants 400 for the sender's. What is too large is 413."""
    if fault.code == "too-large":
        return 413
    return 400 if version is SOAP_12 and fault.kind == "Client" else 500


def fault_element(fault: Fault, version: Version) -> etree._Element:
    """The Fault element of this version."""
    said = fault.zh if fault.path in fault.zh else f"{fault.path}：{fault.zh}"
    known = {"code": fault.code, "path": fault.path, "zh": fault.zh, "en": fault.en}
    known |= {name: told for name in ("action", "trace_id") if (told := getattr(fault, name))}
    problem = to_element(FAULT_NS, "Problem", known)
    element = etree.Element(f"{{{version.namespace}}}Fault", nsmap={"soap": version.namespace})
    if version is not SOAP_12:
        etree.SubElement(element, "faultcode").text = f"soap:{fault.kind}"
        etree.SubElement(element, "faultstring").text = said
        etree.SubElement(element, "detail").append(problem)
        return element
    _child(_child(element, "Code"), "Value").text = f"soap:{_KIND_12.get(fault.kind, fault.kind)}"
    reason = _child(element, "Reason")
    for language, text in (("zh-CN", said), ("en", fault.en or said)):
        told = _child(reason, "Text")
        told.set(_XML_LANG, language)
        told.text = text
    _child(element, "Detail").append(problem)
    return element


def _child(parent: etree._Element, name: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{SOAP_12.namespace}}}{name}")


def not_understood(fault: Fault, version: Version) -> list[etree._Element]:
    """The header entries that SOAP 1.2 (part 1, 5.4.7 and 5.4.8) wants beside a fault: what was not understood, or the
    versions that are."""
    if fault.kind == "VersionMismatch":
        offer = etree.Element(f"{{{SOAP_12.namespace}}}Upgrade", nsmap={"soap12": SOAP_12.namespace})
        for namespace in BY_NAMESPACE:
            spaces = {"v": namespace}
            name = f"{{{SOAP_12.namespace}}}SupportedEnvelope"
            etree.SubElement(offer, name, {"qname": "v:Envelope"}, nsmap=spaces)
        return [offer]
    if version is not SOAP_12:
        return []
    made = []
    for name in fault.about:
        namespace, _, word = name[1:].partition("}") if name.startswith("{") else ("", "", name)
        spaces = {"h": namespace} if namespace else {}
        shown = f"h:{word}" if namespace else word
        made.append(etree.Element(f"{{{SOAP_12.namespace}}}NotUnderstood", {"qname": shown}, nsmap=spaces))
    return made


def read_fault(body: etree._Element) -> Fault | None:
    """The fault in a Body's element, ours or a stranger's, of either version; None when it is no fault."""
    namespace, _, name = str(body.tag)[1:].partition("}")
    if name != "Fault" or namespace not in BY_NAMESPACE:
        return None
    plain = {local(child): child for child in body}
    if namespace == SOAP_12.namespace:
        code, said = _first(plain.get("Code"), "Value"), _first(plain.get("Reason"), "Text")[:200]
        detail = plain.get("Detail")
    else:
        code, said = _text(plain.get("faultcode")), _text(plain.get("faultstring"))[:200]
        detail = plain.get("detail")
    word = code.strip().rpartition(":")[2].partition(".")[0] or "Server"
    kind = _KIND_11.get(word, word)
    problem = detail.find(f"{{{FAULT_NS}}}Problem") if detail is not None else None
    if problem is None:
        return Fault(kind, "fault", said, said)
    told = {local(child): (child.text or "")[:200] for child in problem}
    return Fault(kind, told.get("code", "fault"), told.get("zh", said), told.get("en", said), told.get("path", ""))


def _text(element: etree._Element | None) -> str:
    return (element.text or "") if element is not None else ""


def _first(parent: etree._Element | None, name: str) -> str:
    return _text(parent.find(f"{{{SOAP_12.namespace}}}{name}")) if parent is not None else ""

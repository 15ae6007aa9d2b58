"""WSDL 1.1 (W3C Note 2001-03-15) of a SOAP door, for SOAP 1.1 and 1.2, with the profile's XSD inside. Pure.

Built from the XSD: one operation per inward message, each with ``<name>`` and ``<name>Response``. Document/literal names
those elements; rpc/literal names the types of their children as parts. A credential in the header is declared, so that a
client generator fills it in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from lxml import etree

from adapters.base import Untranslatable
from adapters.profile import Profile
from adapters.soap.door import Endpoint
from adapters.soap.translate import Words
from schemas.xml import parse_xml

WSDL: Final = "http://schemas.xmlsoap.org/wsdl/"
SOAP: Final = {"": "http://schemas.xmlsoap.org/wsdl/soap/", "12": "http://schemas.xmlsoap.org/wsdl/soap12/"}
HTTP: Final = "http://schemas.xmlsoap.org/soap/http"
_ACTION: Final = "{http://www.w3.org/2007/05/addressing/metadata}Action"
_XS: Final = "{http://www.w3.org/2001/XMLSchema}"


@dataclass(frozen=True, slots=True)
class Described:
    """What a description is made of. ``credential``: the element of a header that every call carries; "" for none."""

    words: Endpoint
    operations: tuple[str, ...]
    says: str
    credential: str = ""


def describe(profile: Profile, words: Words) -> Described:
    """The door of a profile whose messages stand in the Body as XML."""
    extra = [one.operation for one in (words.fetch, words.lookup) if one is not None]
    says = f"{profile.text.title}。{profile.text.notice}"
    return Described(words, (*profile.text.doors, *extra), says, words.credential)


def _child(parent: etree._Element, tag: str, /, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{WSDL}}}{tag}", attributes)


def build_wsdl(described: Described, xsd: bytes, address: str) -> bytes:
    """UTF-8 bytes of the description, for a service at ``address``. Raises Untranslatable where the XSD does not fit."""
    words, schema = described.words, parse_xml(xsd)
    spaces: Any = {None: WSDL, "soap": SOAP[""], "soap12": SOAP["12"], "tns": words.namespace, "xs": _XS[1:-1]}
    root = etree.Element(f"{{{WSDL}}}definitions", nsmap=spaces, targetNamespace=words.namespace, name=words.service)
    _child(root, "documentation").text = described.says
    _child(root, "types")
    if described.credential:
        message = _child(root, "message", name=described.credential)
        _child(message, "part", name="credential", element=f"tns:{described.credential}")
    for name in described.operations:
        for one in (name, f"{name}Response"):
            _message(root, one, schema, words)
    port = _child(root, "portType", name=f"{words.service}PortType")
    for name in described.operations:
        _offered(port, name, words)
    for mark in SOAP:
        _binding(root, mark, described)
    service = _child(root, "service", name=words.service)
    for mark in SOAP:
        place = _child(service, "port", name=f"{words.service}Port{mark}", binding=f"tns:{words.service}Binding{mark}")
        etree.SubElement(place, f"{{{SOAP[mark]}}}address", location=address)
    data: Any = etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)
    inner: Any = etree.tostring(schema, encoding="UTF-8", xml_declaration=False)
    # Spliced as bytes: moved as a tree, the schema would lose the namespaces that only its type="..." values use.
    return bytes(data).replace(b"<types/>", b"<types>" + bytes(inner) + b"</types>", 1)


def _message(root: etree._Element, name: str, schema: etree._Element, words: Endpoint) -> None:
    message = _child(root, "message", name=name)
    if words.style == "document":
        _child(message, "part", name="body", element=f"tns:{name}")
        return
    wrapper = schema.find(f"{_XS}element[@name='{name}']/{_XS}complexType/{_XS}sequence")
    for part in () if wrapper is None else wrapper.iterchildren(f"{_XS}element"):
        prefix, _, kind = part.get("type", "").rpartition(":")
        if not kind:
            zh, en = "rpc 的部分须有具名类型", "an rpc part needs a named type"
            raise Untranslatable("rpc-part", zh, en, f"{name}.{part.get('name')}")
        known = part.nsmap.get(prefix or None) == _XS[1:-1]
        _child(message, "part", name=part.get("name", ""), type=f"{'xs' if known else 'tns'}:{kind}")
    if wrapper is None:
        raise Untranslatable("rpc-part", "XSD 里没有这个操作", "the XSD has no such operation", name)


def _offered(port: etree._Element, name: str, words: Endpoint) -> None:
    offered = _child(port, "operation", name=name)
    for tag, message in (("input", name), ("output", f"{name}Response")):
        _child(offered, tag, message=f"tns:{message}").set(_ACTION, words.action(message))


def _binding(root: etree._Element, mark: str, described: Described) -> None:
    words, soap = described.words, SOAP[mark]
    name = f"{words.service}Binding{mark}"
    binding = _child(root, "binding", name=name, type=f"tns:{words.service}PortType")
    etree.SubElement(binding, f"{{{soap}}}binding", style=words.style, transport=HTTP)
    body = {"use": "literal"} | ({"namespace": words.namespace} if words.style == "rpc" else {"parts": "body"})
    for operation in described.operations:
        bound = _child(binding, "operation", name=operation)
        action = {"soapAction": words.action(operation), "style": words.style}
        etree.SubElement(bound, f"{{{soap}}}operation", action)
        given = _child(bound, "input")
        if described.credential:
            told = {"message": f"tns:{described.credential}", "part": "credential", "use": "literal"}
            etree.SubElement(given, f"{{{soap}}}header", told)
        etree.SubElement(given, f"{{{soap}}}body", body)
        etree.SubElement(_child(bound, "output"), f"{{{soap}}}body", body)

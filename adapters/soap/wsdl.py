"""WSDL 1.1 of the gateway's SOAP door (W3C Note 2001-03-15), document/literal, with the profile's XSD inside. Pure.

Built from the profile: one operation per inward message, each with ``<name>`` and ``<name>Response`` of the XSD, and the
credential as a declared header, so that a client generator fills it in.
"""

from __future__ import annotations

from typing import Any, Final

from lxml import etree

from adapters.profile import Profile
from adapters.soap.translate import Words
from schemas.xml import parse_xml

WSDL: Final = "http://schemas.xmlsoap.org/wsdl/"
SOAP: Final = "http://schemas.xmlsoap.org/wsdl/soap/"
HTTP: Final = "http://schemas.xmlsoap.org/soap/http"


def operations(profile: Profile, words: Words) -> list[str]:
    """The operations that the gateway serves under this profile."""
    extra = [one.operation for one in (words.fetch, words.lookup) if one is not None]
    return [*profile.text.operations, *extra]


def _child(parent: etree._Element, tag: str, /, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{WSDL}}}{tag}", attributes)


def _soap(parent: etree._Element, tag: str, /, **attributes: str) -> None:
    etree.SubElement(parent, f"{{{SOAP}}}{tag}", attributes)


def build_wsdl(profile: Profile, words: Words, xsd: bytes, address: str) -> bytes:
    """UTF-8 bytes of the description, for a service at ``address``."""
    spaces: Any = {None: WSDL, "soap": SOAP, "tns": words.namespace}
    root = etree.Element(f"{{{WSDL}}}definitions", nsmap=spaces, targetNamespace=words.namespace, name=words.service)
    _child(root, "documentation").text = f"{profile.text.title}。{profile.text.notice}"
    _child(root, "types")
    names = operations(profile, words)
    _part(root, words.credential, words.credential, "credential")
    for name in names:
        _part(root, name, name, "body")
        _part(root, f"{name}Response", f"{name}Response", "body")
    port = _child(root, "portType", name=f"{words.service}PortType")
    binding = _child(root, "binding", name=f"{words.service}Binding", type=f"tns:{words.service}PortType")
    _soap(binding, "binding", style="document", transport=HTTP)
    for name in names:
        _operation(port, binding, name, words)
    service = _child(root, "service", name=words.service)
    place = _child(service, "port", name=f"{words.service}Port", binding=f"tns:{words.service}Binding")
    _soap(place, "address", location=address)
    data: Any = etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)
    schema: Any = etree.tostring(parse_xml(xsd), encoding="UTF-8", xml_declaration=False)
    # Spliced as bytes: moved as a tree, the schema would lose the namespaces that only its type="..." values use.
    return bytes(data).replace(b"<types/>", b"<types>" + bytes(schema) + b"</types>", 1)


def _part(root: etree._Element, message: str, element: str, part: str) -> None:
    _child(_child(root, "message", name=message), "part", name=part, element=f"tns:{element}")


def _operation(port: etree._Element, binding: etree._Element, name: str, words: Words) -> None:
    offered = _child(port, "operation", name=name)
    _child(offered, "input", message=f"tns:{name}")
    _child(offered, "output", message=f"tns:{name}Response")
    bound = _child(binding, "operation", name=name)
    _soap(bound, "operation", soapAction=f"{words.namespace}/{name}", style="document")
    given = _child(bound, "input")
    _soap(given, "header", message=f"tns:{words.credential}", part="credential", use="literal")
    _soap(given, "body", use="literal", parts="body")
    _soap(_child(bound, "output"), "body", use="literal", parts="body")

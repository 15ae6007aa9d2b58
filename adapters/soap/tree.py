"""XML elements to plain values and back (元素与取值互转), so that one rule table serves JSON and XML. Pure.

An element with children is an object, one without is its text; a name that comes more than once is a list; an attribute is
``@name``, and the text beside attributes is ``#``. Namespaces are dropped: the XSD has already held them. Outwards the order
of the rows is the order of the elements, as an ``xs:sequence`` wants it.
"""

from __future__ import annotations

from typing import Any, Final

from lxml import etree

from adapters.base import Untranslatable

_ATTRIBUTES: Final = etree.XPath("boolean(descendant-or-self::*/@*)")
XSI: Final = "{http://www.w3.org/2001/XMLSchema-instance}"


def to_value(element: etree._Element) -> Any:
    """Raises Untranslatable for xsi: attributes, which would let a sender choose the type (X05)."""
    return _value(element, {}, bool(_ATTRIBUTES(element)))


def _value(element: etree._Element, names: dict[Any, str], attributed: bool) -> Any:
    """``names``: local names met so far, of which a document has few; ``attributed``: whether it has any attribute at all."""
    value: dict[str, Any] = _attributes(element) if attributed else {}
    if not len(element):
        text = element.text or ""
        return {**value, "#": text} if value else text
    for child in element:
        tag = child.tag
        name = names.get(tag) or names.setdefault(tag, local(child))
        told = _value(child, names, attributed) if attributed or len(child) else child.text or ""
        if name not in value:
            value[name] = told
        elif type(value[name]) is list:
            value[name].append(told)
        else:
            value[name] = [value[name], told]
    return value


def _attributes(element: etree._Element) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for name, attribute in element.items():
        if str(name).startswith(XSI):
            raise Untranslatable("xml-xsi", "不接受 xsi 属性", "xsi attributes are not accepted", local(element))
        value[f"@{str(name).rpartition('}')[2]}"] = attribute
    return value


def local(element: etree._Element) -> str:
    """The element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def to_element(namespace: str, name: str, value: Any, *, qualified: bool = True) -> etree._Element:
    """``qualified``: the children carry the namespace too; "" is none. Raises Untranslatable for a value that is no text or
    that XML cannot hold (control characters)."""
    prefix: Any = None if qualified else "tns"
    element = etree.Element(
        f"{{{namespace}}}{name}" if namespace else name, nsmap={prefix: namespace} if namespace else {}
    )
    _fill(element, f"{{{namespace}}}" if namespace and qualified else "", value, name)
    return element


def _fill(element: etree._Element, space: str, value: Any, path: str) -> None:
    if type(value) is dict:
        for name, entry in value.items():
            if name.startswith("@"):
                element.set(name[1:], _text(entry))
            elif name == "#":
                element.text = _text(entry)
            else:
                for one in entry if type(entry) is list else [entry]:
                    _fill(etree.SubElement(element, f"{space}{name}"), space, one, f"{path}.{name}")
        return
    try:
        element.text = _text(value)
    except (ValueError, TypeError):
        zh = "这个值不能写进 XML（类型不符或含控制字符）"
        raise Untranslatable("xml-value", zh, "this value cannot be written in XML", path) from None


def _text(value: Any) -> str:
    if type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int:
        return str(value)
    raise TypeError


def to_bytes(element: etree._Element, encoding: str) -> bytes:
    """Without declaration; characters the encoding lacks become character references, never ``?`` (K03).

    Encoded by Python: the C library's GBK, which lxml would use, drops U+E0000-E007F without a word.
    """
    text: Any = etree.tostring(element, encoding="unicode")
    return str(text).encode(encoding, "xmlcharrefreplace")

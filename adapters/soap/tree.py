"""XML elements to plain values and back (元素与取值互转), so that one rule table serves JSON and XML. Pure.

An element with children is an object, one without is its text; a name that comes more than once is a list; an attribute is
``@name``, and the text beside attributes is ``#``. Namespaces are dropped: the XSD has already held them. Outwards
(``written``) the order of the rows is the order of the elements, as an ``xs:sequence`` wants it.
"""

from __future__ import annotations

from typing import Any, Final

from lxml import etree

from adapters.base import Untranslatable
from adapters.soap.written import Written, write

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
        elif type(kept := value[name]) is list:
            kept.append(told)
        else:
            value[name] = [kept, told]
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
    """The tree alone of what ``written.write`` makes."""
    return write(namespace, name, value, qualified=qualified).element


def to_bytes(element: etree._Element, encoding: str) -> bytes:
    """A tree as it goes out, without declaration; see ``Written.encoded``."""
    text: Any = etree.tostring(element, encoding="unicode")
    return Written(element, str(text)).encoded(encoding)

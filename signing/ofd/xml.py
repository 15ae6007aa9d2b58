"""The XML of an OFD package read hardened (attack rows X01-X05, X07, X08), and its elements found by name.

UTF-8 only, which GB/T 33190-2016 prescribes; no DOCTYPE, so no entities; no processing instructions; limits on size,
depth, elements and attributes. The namespace is the standard's or the one that writers used before it. An element that
may stand once and stands twice, or under the same name in another namespace, is refused: two readers could each take
another one. All refusals are ``Malformed`` with a code ``ofd-xml-…``.
"""

from __future__ import annotations

import re
from typing import Final

from lxml import etree

from signing.errors import Malformed

NAMESPACE: Final = "http://www.ofdspec.org/2016"
_NAMESPACES: Final = (NAMESPACE, "http://www.ofdspec.org")
_PREFIXES: Final = tuple(f"{{{namespace}}}" for namespace in _NAMESPACES)
MAX_BYTES: Final = 8 << 20
MAX_DEPTH: Final = 32
MAX_ATTRIBUTES: Final = 64
MAX_ELEMENTS: Final = 100_000
_MAX_NAMESPACES: Final = 256
_DECLARATION: Final = re.compile(
    rb"""<\?xml\s+version\s*=\s*["']1\.0["'](?:\s+encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["'])?"""
    rb"""(?:\s+standalone\s*=\s*["'](?:yes|no)["'])?\s*\?>"""
)
_PARSER: Final = etree.XMLParser(
    encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False,
    attribute_defaults=False, recover=False,
)  # fmt: skip
_TOO_DEEP: Final = etree.XPath("boolean(" + "/*" * (MAX_DEPTH + 1) + ")")
_TOO_WIDE: Final = etree.XPath(f"boolean(//*[count(@*) > {MAX_ATTRIBUTES}])")


def _wrong(what: str, zh: str, en: str) -> Malformed:
    return Malformed(f"ofd-xml-{what}", zh, en)


def parse(data: bytes, *roots: str) -> etree._Element:
    """The root element, which must be one of ``roots`` of the OFD namespace; Malformed otherwise. At most ``MAX_BYTES``:
    the reader of the package sees to it before anything is unpacked."""
    element = parse_any(data)
    if element.tag not in {f"{{{namespace}}}{root}" for namespace in _NAMESPACES for root in roots}:
        raise _wrong("root", f"根元素不是 ofd:{roots[0]}", f"the root element is not ofd:{roots[0]}")
    return element


def parse_any(data: bytes) -> etree._Element:
    """The root element, of whatever name; Malformed otherwise."""
    text = _decoded(data)
    _before_parsing(text)
    try:
        element = etree.fromstring(text.encode(), _PARSER)
    except (etree.XMLSyntaxError, ValueError):
        raise _wrong("form", "不是合法的 XML", "not well-formed XML") from None
    _after_parsing(element)
    return element


def one(parent: etree._Element, name: str) -> etree._Element | None:
    """The child element of this name, None without; Malformed where it stands twice."""
    found = every(parent, name)
    if len(found) > 1:
        raise _wrong("repeated", f"元素 ofd:{name} 重复", f"the element ofd:{name} is repeated")
    return found[0] if found else None


def every(parent: etree._Element, name: str) -> list[etree._Element]:
    """All child elements of this name; Malformed where one stands in another namespace than its parent."""
    found = parent.findall(f"{{*}}{name}")
    wanted = parent.tag.removesuffix(local_name(parent)) + name
    if any(element.tag != wanted for element in found):
        raise _wrong("namespace", f"元素 {name} 属于别的命名空间", f"an element {name} is in another namespace")
    return found


def local_name(element: etree._Element) -> str:
    """Its name without the namespace."""
    return element.tag.rpartition("}")[2]


def own_name(element: etree._Element) -> str:
    """The name of an OFD element without its namespace, of any other element with it."""
    return local_name(element) if element.tag.startswith(_PREFIXES) else element.tag


def need(parent: etree._Element, name: str) -> etree._Element:
    """The one child element of this name."""
    found = one(parent, name)
    if found is None:
        raise missing(name)
    return found


def missing(name: str) -> Malformed:
    """What is said of a part that must stand."""
    return _wrong("missing", f"缺少 {name}", f"{name} is missing")


def text(element: etree._Element | None) -> str:
    """The text of an element that holds nothing else, no comment either; empty for None."""
    if element is None:
        return ""
    if len(element):
        raise _wrong("content", "元素内容不是纯文本", "an element holds more than text")
    return (element.text or "").strip()


def _decoded(data: bytes) -> str:
    body = data.removeprefix(b"\xef\xbb\xbf")
    refused = _wrong("encoding", "XML 不是 UTF-8 编码", "the XML is not encoded in UTF-8")
    found = _DECLARATION.match(body)
    if found is None and re.match(rb"<\?xml\s", body):
        raise _wrong("form", "XML 声明不合规范", "the XML declaration is malformed")
    if found and (found[1] or b"utf-8").lower() not in (b"utf-8", b"utf8"):
        raise refused
    try:
        return body[found.end() if found else 0 :].decode()
    except UnicodeDecodeError:
        raise refused from None


def _before_parsing(content: str) -> None:
    # Wherever it stands: no text of these files has a use for the word, and CDATA could hide where the prologue ends.
    if "<!DOCTYPE" in content:
        raise _wrong("dtd", "不接受 DOCTYPE（文档类型声明）", "a DOCTYPE is refused")
    if content.count("<") > 2 * MAX_ELEMENTS or content.count("xmlns") > _MAX_NAMESPACES:
        raise _wrong("limits", "XML 元素或命名空间过多", "too many elements or namespaces in the XML")


def _after_parsing(root: etree._Element) -> None:
    if _TOO_DEEP(root) or _TOO_WIDE(root):
        raise _wrong("limits", "XML 嵌套过深或属性过多", "the XML is nested too deeply or has too many attributes")
    beside = (root.itersiblings(etree.PI, preceding=before) for before in (True, False))
    if any(next(found, None) is not None for found in (*beside, root.iter(etree.PI), root.iter(etree.Entity))):
        raise _wrong("instruction", "XML 不接受处理指令与实体", "processing instructions and entities are refused")

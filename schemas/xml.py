"""XML read hardened (attack rows X01-X05, X07-X09, X12, X17): what a safe parser would still let through is refused
first.

lxml with its "safe" options takes UTF-7 and HZ documents, a DOCTYPE with an external subset and any number of
attributes. Here the bytes are looked at before the parser sees them: size, byte order mark, NUL, declared encoding
from an allow-list, strict decoding, no DOCTYPE. The parser then gets clean UTF-8, loads nothing, and the tree is held
to limits. Codes: ``too-large``, ``wrong-encoding``, ``xml-dtd``, ``bad-xml``, ``too-deep``, ``too-many``,
``xml-instruction``, ``xml-include``, ``bad-number``, ``bad-date``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from lxml import etree

from schemas.errors import Invalid

MAX_DEPTH: Final = 64
MAX_ATTRIBUTES: Final = 128
MAX_ELEMENTS: Final = 100_000
_MAX_NAMESPACES: Final = 256

_DECLARATION: Final = re.compile(
    rb"""<\?xml[ \t\r\n]+version[ \t]*=[ \t]*["']1\.0["']"""
    rb"""(?:[ \t\r\n]+encoding[ \t]*=[ \t]*["']([A-Za-z][A-Za-z0-9._-]{0,40})["'])?"""
    rb"""(?:[ \t\r\n]+standalone[ \t]*=[ \t]*["'](?:yes|no)["'])?[ \t\r\n]*\?>"""
)
_PROLOGUE: Final = re.compile(rb"(?:[ \t\r\n]+|<!--.*?-->|<\?.*?\?>)*", re.DOTALL)
# A partner's GB2312 is in practice GBK, its superset.
_CODECS: Final = {"utf-8": "utf-8", "utf8": "utf-8", "gbk": "gbk", "gb2312": "gbk", "gb18030": "gb18030"}
# Both engines call a number of a million digits and the year 999999999 valid; what reads the value then chokes (X18).
_LONG_NUMBER: Final = re.compile(rb"""[>"'][+-]?[0-9.]{65,}[<"']""")
_LONG_YEAR: Final = re.compile(rb"""[>"'][+-]?[0-9]{5,}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])[T<"'Z+-]""")
# Searching a whole document by those two costs as much as parsing it, so what may fit is found first. With every digit a 0,
# 65 of them are a plain search, and where they stand two neighbours among every 32nd byte are digits too; the long year is
# looked for from its hyphen.
_STEP: Final = 32
_DIGITS: Final = bytes.maketrans(b"0123456789.", b"00000000000")
_YEAR: Final = re.compile(rb"-(?<=[0-9]{5}-)[01][0-9]-[0-3][0-9]")
_PARSER: Final = etree.XMLParser(
    encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False,
    remove_comments=True, attribute_defaults=False, recover=False,
)  # fmt: skip
# Asked in two steps: an ordinary document is not nested as deep as the first.
_DEEP: Final = etree.XPath("boolean(" + "/*" * 9 + ")")
_TOO_DEEP: Final = etree.XPath("boolean(" + "/*" * (MAX_DEPTH + 1) + ")")
_TOO_WIDE: Final = etree.XPath(f"boolean(//*[count(@*) > {MAX_ATTRIBUTES}])")
_INCLUDES: Final = b"http://www.w3.org/2001/XInclude"
_INCLUDE: Final = f"{{{_INCLUDES.decode()}}}*"


def _encoding(data: bytes, encodings: Sequence[str], charset: str) -> tuple[str, int]:
    """(codec, offset where the declaration ends) by declaration, byte order mark and HTTP charset, which must agree."""
    marked = data.startswith(b"\xef\xbb\xbf")
    body = data[3:] if marked else data
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data[:256]:
        raise _encoding_refused("UTF-16/UTF-32", encodings)
    found = _DECLARATION.match(body)
    if found is None and body[:6] in (b"<?xml ", b"<?xml\t", b"<?xml\r", b"<?xml\n"):
        raise Invalid("bad-xml", "XML声明不合规范", "the XML declaration is malformed")
    declared = (found[1] or b"").decode().lower() if found else ""
    name = declared or charset.lower() or "utf-8"
    codec = _CODECS.get(name, "")
    if codec not in _allowed(tuple(encodings)):
        raise _encoding_refused(name, encodings)
    if charset and _CODECS.get(charset.lower()) != codec:
        raise Invalid("wrong-encoding", "HTTP字符集与XML声明不一致", "HTTP charset and XML declaration differ")
    if marked and codec != "utf-8":
        raise Invalid("wrong-encoding", "字节序标记与XML声明不一致", "byte order mark and XML declaration differ")
    return codec, (3 if marked else 0) + (found.end() if found else 0)


@lru_cache(64)
def _allowed(encodings: tuple[str, ...]) -> frozenset[str]:
    return frozenset(_CODECS[name.lower()] for name in encodings)


def _encoding_refused(name: str, encodings: Sequence[str]) -> Invalid:
    allowed = "、".join(encodings)
    zh = f"编码{name}不在允许之列：{allowed}"
    return Invalid("wrong-encoding", zh, f"encoding {name} is not one of {', '.join(encodings)}")


def _in_utf8(data: bytes, encodings: Sequence[str], charset: str) -> bytes:
    """The document without its declaration, as UTF-8 that has been read strictly."""
    codec, start = _encoding(data, encodings, charset)
    body = data[start:]
    try:
        text = body.decode(codec)
    except UnicodeDecodeError as error:
        at = start + error.start
        raise Invalid("wrong-encoding", f"第{at}字节起不是{codec}", f"not {codec} from byte {at}") from None
    return body if codec == "utf-8" else text.encode()


def _before_parsing(data: bytes, equals: int) -> None:
    """A document type can stand only before the root element; markup beyond the limits need not be parsed to be
    seen. ``equals``: how many ``=`` there are, at least one for each attribute and namespace."""
    prologue = _PROLOGUE.match(data)
    start = prologue.end() if prologue else 0
    if data.startswith(b"<!", start) and not data.startswith(b"<!--", start):
        raise Invalid("xml-dtd", "不接受DOCTYPE（文档类型声明）", "a DOCTYPE is refused")
    if len(data) > 2 * MAX_ELEMENTS and data.count(b"<") > 2 * MAX_ELEMENTS:
        raise Invalid("too-many", f"元素超过{MAX_ELEMENTS}个", f"more than {MAX_ELEMENTS} elements")
    if equals > _MAX_NAMESPACES and data.count(b"xmlns") > _MAX_NAMESPACES:
        raise Invalid("too-many", f"命名空间声明超过{_MAX_NAMESPACES}个", f"more than {_MAX_NAMESPACES} namespaces")
    many = b"00" in data[::_STEP].translate(_DIGITS) and b"0" * 65 in data.translate(_DIGITS)
    if many and _LONG_NUMBER.search(data):
        raise Invalid("bad-number", "数字超过64位", "a number of more than 64 digits")
    if _YEAR.search(data) and _LONG_YEAR.search(data):
        raise Invalid("bad-date", "日期的年份超过4位", "a date with a year of more than four digits")


def _too_deep() -> Invalid:
    return Invalid("too-deep", f"嵌套超过{MAX_DEPTH}层", f"nested deeper than {MAX_DEPTH}")


def _after_parsing(root: etree._Element, data: bytes, equals: int) -> None:
    """``data``: what was parsed; what cannot stand in these bytes need not be looked for in the tree."""
    if _DEEP(root) and _TOO_DEEP(root):
        raise _too_deep()
    if equals > MAX_ATTRIBUTES and _TOO_WIDE(root):
        raise Invalid("too-many", f"一个元素的属性超过{MAX_ATTRIBUTES}个", f"more than {MAX_ATTRIBUTES} attributes")
    # Comments are gone, so a neighbour of the root can only be an instruction. (XPath would take seconds to collect many.)
    if b"?" in data and _instructed(root):
        raise Invalid("xml-instruction", "不接受处理指令", "processing instructions are refused")
    if (_INCLUDES in data or b"&" in data) and next(root.iter(_INCLUDE), None) is not None:
        raise Invalid("xml-include", "不接受XInclude", "XInclude is refused")


def _instructed(root: etree._Element) -> bool:
    beside = root.getprevious() is not None or root.getnext() is not None
    return beside or next(root.iter(etree.PI), None) is not None


def parse_xml(
    data: bytes, *, max_bytes: int = 4 << 20, encodings: Sequence[str] = ("utf-8", "gbk", "gb18030"), charset: str = ""
) -> etree._Element:
    """The root element, or Invalid. ``charset`` is what HTTP said, ``""`` if nothing. Comments are left out."""
    if len(data) > max_bytes:
        raise Invalid("too-large", f"内容超过{max_bytes}字节", f"larger than {max_bytes} bytes")
    return _parse(_in_utf8(data, encodings, charset))


def encoding_of(data: bytes, charset: str = "") -> str:
    """The encoding that ``parse_xml`` would read these bytes in: UTF-8, GBK or GB18030; "" where it would refuse."""
    try:
        return _encoding(data, tuple(_CODECS), charset)[0].upper()
    except Invalid:
        return ""


def parse_text(text: str) -> etree._Element:
    """The root element of a document that came as text (XML in a string), held to the same limits.

    Such a document has no bytes of its own: the encoding it declares must be one that we know and means nothing more.
    """
    inner = text.strip("\ufeff \t\r\n").encode("utf-8", "replace")
    found = _DECLARATION.match(inner)
    if found is None and inner.startswith((b"<?xml ", b"<?xml\t", b"<?xml\r", b"<?xml\n")):
        raise Invalid("bad-xml", "XML声明不合规范", "the XML declaration is malformed")
    if found and found[1] and found[1].decode().lower() not in _CODECS:
        raise _encoding_refused(found[1].decode(), tuple(_CODECS))
    return _parse(inner[found.end() if found else 0 :])


def _parse(data: bytes) -> etree._Element:
    equals = data.count(b"=")
    _before_parsing(data, equals)
    try:
        root = etree.fromstring(data, _PARSER)
    except etree.XMLSyntaxError as error:
        if "depth" in str(error):
            raise _too_deep() from None
        line, column = getattr(error, "position", (0, 0))
        zh, en = f"第{line}行第{column}列不是合法XML", f"not well-formed XML at line {line} column {column}"
        raise Invalid("bad-xml", zh, en) from None
    _after_parsing(root, data, equals)
    return root

"""Plain values written as XML (取值写成 XML): the text of an element, and the tree that is read back from it. Pure.

The tree is what a schema or a stylesheet is given, the text is what goes out: one comes from the other, so that what was
judged is what is sent. Writing text and parsing it takes half the time of putting an lxml tree together.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from lxml import etree

from adapters.base import Untranslatable

# Our own text, never a stranger's: its size alone is not bounded here, for a file may stand inside.
_PARSER: Final = etree.XMLParser(
    encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True
)
_QUOTED: Final = str.maketrans({'"': "&quot;", "\n": "&#10;", "\t": "&#9;"})
_NAMES: Final[set[str]] = set()  # names found sound; a profile has some hundred
_MANY: Final = 10_000


class Written(NamedTuple):
    """An element and its text, without declaration."""

    element: etree._Element
    text: str

    def encoded(self, encoding: str) -> bytes:
        """Characters the encoding lacks become character references, never ``?`` (K03).

        Encoded by Python: the C library's GBK, which lxml would use, drops U+E0000-E007F without a word.
        """
        return self.text.encode(encoding, "xmlcharrefreplace")


def write(namespace: str, name: str, value: Any, *, qualified: bool = True) -> Written:
    """``value`` in the form of ``tree.to_value``; ``qualified``: the children carry the namespace too; "" is none.

    Raises Untranslatable for a value that is no text or that XML cannot hold (control characters), and for a bad name.
    """
    own, space = _name(name), f'="{_escaped(namespace).translate(_QUOTED)}"'
    if namespace:
        own, space = (own, f" xmlns{space}") if qualified else (f"tns:{own}", f" xmlns:tns{space}")
    parts: list[str] = []
    _put(parts, own, space if namespace else "", value, name)
    text = "".join(parts)
    try:
        return Written(etree.fromstring(text.encode(), _PARSER), text)
    except (etree.XMLSyntaxError, UnicodeEncodeError):
        raise _misfit(_culprit(value, name)) from None


def _put(parts: list[str], name: str, more: str, value: Any, path: str) -> None:
    """One element; ``more``: what stands behind its name."""
    if type(value) is not dict:
        parts.append(f"<{name}{more}>{_text(value, path)}</{name}>")
        return
    at = len(parts)
    parts.append("")
    for key, told in value.items():
        if key[:1] == "@":
            more += f' {_name(key[1:])}="{_text(told, path).translate(_QUOTED)}"'
            continue
        if key == "#":
            continue  # stands before the elements, wherever the value has it
        if key not in _NAMES:
            _name(key)
        for one in told if type(told) is list else (told,):
            if type(one) is str and not ("<" in one or "&" in one or ">" in one or "\r" in one):
                parts.append(f"<{key}>{one}</{key}>")
            else:
                _put(parts, key, "", one, f"{path}.{key}")
    text = _text(value["#"], path) if "#" in value else ""
    if text or len(parts) > at + 1:
        parts[at] = f"<{name}{more}>{text}"
        parts.append(f"</{name}>")
    else:
        parts[at] = f"<{name}{more}/>"


def _name(name: str) -> str:
    """Raises Untranslatable for what is no name in XML."""
    if name not in _NAMES:
        try:
            sound = etree.QName(name).localname == name
        except ValueError:
            sound = False
        if not sound:
            raise Untranslatable("xml-name", "不能作 XML 元素或属性的名称", "no name for XML", name[:64])
        if len(_NAMES) < _MANY:
            _NAMES.add(name)
    return name


def _text(value: Any, path: str) -> str:
    if type(value) is str:
        return _escaped(value)
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int:
        return str(value)
    raise _misfit(path)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


def _misfit(path: str) -> Untranslatable:
    zh = "这个值不能写进 XML（类型不符或含控制字符）"
    return Untranslatable("xml-value", zh, "this value cannot be written in XML", path)


def _culprit(value: Any, path: str) -> str:
    """The path of the first text that XML cannot hold."""
    if type(value) is dict:
        entries = [
            (f"{path}.{key}", one) for key, told in value.items() for one in (told if type(told) is list else [told])
        ]
        return next((found for where, one in entries if (found := _culprit(one, where))), "")
    try:
        etree.Element("a").text = value if type(value) is str else ""
    except ValueError:
        return path
    return ""

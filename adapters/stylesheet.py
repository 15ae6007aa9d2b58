"""XSLT 1.0 for XML to XML (样式表转换), by lxml, with all access denied and an end in sight. Pure.

For a platform whose XML is shaped so that rows cannot say it; the rule table then reads the result. A stylesheet is part
of a profile, but what it meets comes from outside, so it is held to a part of the language in which no document can make
it run away: known instructions only, no ``document()``, no extensions, nothing imported; named templates do not call in
circles; templates are applied downwards, and no node twice. What looks up or aside, or at variables, may grow with the
square of the document, and gets smaller ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from lxml import etree

from adapters.base import Untranslatable
from schemas.errors import Invalid
from schemas.xml import parse_xml

MAX_STYLESHEET: Final = 256 << 10
MAX_BYTES: Final = 16 << 20
MAX_SQUARE: Final = 1 << 28
"""Elements times bytes of a document, for a stylesheet that may grow with the square."""
MAX_EXPANDED: Final = 10_000
XSL: Final = "{http://www.w3.org/1999/XSL/Transform}"
_KNOWN: Final = {
    "stylesheet", "transform", "template", "apply-templates", "call-template", "with-param", "param", "variable", "value-of",
    "text", "element", "attribute", "copy", "copy-of", "for-each", "if", "choose", "when", "otherwise", "sort", "output",
    "strip-space", "preserve-space",
}  # fmt: skip
_EXTENSIONS: Final = re.compile(r"exslt\.org|xmlsoft\.org|xalan|saxon|jclark\.com|codespeak\.net", re.IGNORECASE)
_FUNCTIONS: Final = re.compile(r"\b(document|generate-id|unparsed-entity-uri|key|id|system-property)\s*\(")
_DOWN: Final = re.compile(r"(@?[\w:*.-]+|text\(\)|node\(\))(/(@?[\w:*.-]+|text\(\)|node\(\)))*")
_NAME: Final = re.compile(r"(?!\.)[\w:.-]+(/(?!\.)[\w:.-]+)*")
_ELSEWHERE: Final = re.compile(r"\$|\.\.|current\(|(^|[\s(\[|,=+*-])/|::")
_PREDICATE: Final = re.compile(r"\[(.*)\]", re.DOTALL)
_LITERALS: Final = re.compile(r"'[^']*'|\"[^\"]*\"")
_ACCESS: Any = etree.XSLTAccessControl
_DENIED: Final = _ACCESS.DENY_ALL


def _refused(zh: str, en: str, element: etree._Element | None = None) -> Untranslatable:
    line = "" if element is None else f" line {element.sourceline}"
    return Untranslatable("stylesheet-refused", f"样式表：{zh}{line}", f"stylesheet: {en}{line}", "transform")


class Stylesheet:
    """A compiled stylesheet. Raises Untranslatable for one that cannot be read or is refused."""

    def __init__(self, data: bytes) -> None:
        try:
            root = parse_xml(data, max_bytes=MAX_STYLESHEET)
        except Invalid as bad:
            raise _refused(bad.zh, bad.en) from None
        if root.tag not in (f"{XSL}stylesheet", f"{XSL}transform") or root.get("version") != "1.0":
            raise _refused("应为 XSLT 1.0", "must be XSLT 1.0", root)
        self._linear = all(_allowed(element) for element in root.iter("*"))
        _bounded(root)
        try:
            self._run = etree.XSLT(root, access_control=_DENIED)
        except (etree.XSLTParseError, etree.XSLTApplyError):
            raise _refused("编译不了", "cannot be compiled") from None

    def apply(self, element: etree._Element) -> etree._Element:
        """The root element of the result. Raises Untranslatable when there is none, or for a document too large."""
        size = len(etree.tostring(element))
        if size > MAX_BYTES or (not self._linear and size * sum(1 for _ in element.iter()) > MAX_SQUARE):
            raise _refused("报文太大", "the document is too large for it")
        try:
            root = self._run(element).getroot()
        except etree.XSLTApplyError:
            raise _refused("不能用于这份报文", "fails on this document") from None
        if root is None:
            raise _refused("结果不是一个元素", "gives no single element")
        return root


def named(name: str, resources: Mapping[str, bytes]) -> Stylesheet | None:
    """The stylesheet that a profile names among its files; None where it names none."""
    if not name:
        return None
    if name not in resources:
        raise Untranslatable("stylesheet-missing", f"缺少文件 {name}", f"{name} is missing", "transform")
    return Stylesheet(resources[name])


def none_named(*names: str) -> None:
    """For families that apply none: raises for a profile that names one, which would be left out in silence."""
    if any(names):
        zh = "这一族方案不用样式表（transform）"
        raise Untranslatable("stylesheet-unused", zh, "this family applies no stylesheets", "transform")


def _allowed(element: etree._Element) -> bool:
    """Raises for what is refused whatever stands around it; whether the element only looks downwards."""
    name = str(element.tag)
    if name.startswith(XSL) and name.removeprefix(XSL) not in _KNOWN:
        raise _refused(f"不接受 {name.removeprefix(XSL)}", f"{name.removeprefix(XSL)} is not accepted", element)
    if any(_EXTENSIONS.search(uri or "") for uri in element.nsmap.values()) or element.get(
        "extension-element-prefixes"
    ):
        raise _refused("不接受扩展", "extensions are not accepted", element)
    downwards = True
    for text in _expressions(element):
        bare = _LITERALS.sub("''", text)
        if _FUNCTIONS.search(bare) or "//" in bare or "descendant" in bare:
            raise _refused("用了不接受的函数或 //", "a function that is not accepted, or //", element)
        if any(_ELSEWHERE.search(found) for found in _PREDICATE.findall(bare)):
            raise _refused("方括号里只能向下取值", "a predicate only looks downwards", element)
        downwards &= _ELSEWHERE.search(bare) is None
    return downwards


def _expressions(element: etree._Element) -> Iterator[str]:
    """XPath of instructions, and attribute value templates of everything else. A ``match`` only tests one node."""
    ours = str(element.tag).startswith(XSL)
    for name, value in element.attrib.items():
        if ours and name in ("select", "test"):
            yield str(value)
        else:
            yield from re.findall(r"\{([^{}]*)\}", str(value))


# --- templates ----------------------------------------------------------------------------------------------------


def _bounded(root: etree._Element) -> None:
    named = {str(one.get("name")): one for one in root.iter(f"{XSL}template") if one.get("name")}
    for template in root.iter(f"{XSL}template"):
        applied = list(template.iter(f"{XSL}apply-templates"))
        paths = [_path(one) for one in applied]
        if applied and template.get("name"):
            raise _refused("命名模板里不能有 apply-templates", "a named template applies none", template)
        if len(set(paths)) < len(paths) or (len(paths) > 1 and not all(map(_NAME.fullmatch, paths))):
            raise _refused("同一节点可能处理两次", "a node might be met twice", template)
    for loop in root.iter(f"{XSL}for-each"):
        if not _downwards(loop.get("select", "")):
            raise _refused("for-each 只能向下", "for-each goes downwards only", loop)
    sizes: dict[str, int] = {}
    for template in root.iter(f"{XSL}template"):
        _expanded(template, named, sizes, ())


def _downwards(select: str) -> bool:
    parts = [part.strip() for part in re.sub(r"\[[^\]]*\]", "", select).split("|")]
    return all(_DOWN.fullmatch(part) and "." not in part.split("/") and ".." not in part.split("/") for part in parts)


def _path(applied: etree._Element) -> str:
    """Where templates are applied, through the loops around."""
    steps = [applied.get("select", "node()")]
    if not _downwards(steps[0]):
        raise _refused("apply-templates 只能向下", "templates are applied downwards only", applied)
    steps += [str(above.get("select")) for above in applied.iterancestors(f"{XSL}for-each")]
    return "/".join(reversed(steps))


def _expanded(
    template: etree._Element, named: dict[str, etree._Element], sizes: dict[str, int], above: tuple[str, ...]
) -> int:
    """Instructions that one application runs at most, calls written out."""
    size = sum(1 for _ in template.iter())
    for call in template.iter(f"{XSL}call-template"):
        name = str(call.get("name"))
        if name in above or name not in named:
            raise _refused("call-template 循环或无此模板", "calls in a circle, or a template that is not there", call)
        if name not in sizes:
            sizes[name] = _expanded(named[name], named, sizes, (*above, name))
        size += sizes[name]
    if size > MAX_EXPANDED:
        raise _refused("展开后太大", "too large once its calls are written out", template)
    return size

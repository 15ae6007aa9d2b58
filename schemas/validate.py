"""XSD validation that tells a person what is wrong: path, reason, allowed values, in Chinese and English.

lxml validates (microseconds); only a document that failed is read again by xmlschema, which knows the components. A
schema stands alone: include, import, redefine and override with a location are refused when it is compiled (attack
row X06), and neither engine ever follows a location hint (X05). The offending value is never repeated.
"""

from __future__ import annotations

import re
from functools import cached_property
from itertools import islice
from typing import Any, Final, NamedTuple

from lxml import etree

from schemas.errors import Invalid
from schemas.xml import parse_xml

__all__ = ["Problem", "Schema", "compile_xsd", "parse_xml"]

MAX_PROBLEMS: Final = 20
MAX_EXPLAINED: Final = 2_000
"""Elements of a document that is explained; xmlschema needs some 20 µs for each. A larger one is only told where."""
_XS: Final = "{http://www.w3.org/2001/XMLSchema}"
_PREFIX: Final = re.compile(r"(?<=/)[A-Za-z_][\w.-]*:|\{[^}]*\}")

_ATTRIBUTE: Final = re.compile(r"attribute ([\w.:-]{1,80})=")

# component of xmlschema -> Chinese and English; {0} is the bound the schema sets
_FACETS: Final = {
    "XsdLengthFacet": ("长度应为{0}", "must have the length {0}"),
    "XsdMinLengthFacet": ("长度不得小于{0}", "must not be shorter than {0}"),
    "XsdMaxLengthFacet": ("长度不得大于{0}", "must not be longer than {0}"),
    "XsdMinInclusiveFacet": ("不得小于{0}", "must not be less than {0}"),
    "XsdMaxInclusiveFacet": ("不得大于{0}", "must not be more than {0}"),
    "XsdMinExclusiveFacet": ("应大于{0}", "must be more than {0}"),
    "XsdMaxExclusiveFacet": ("应小于{0}", "must be less than {0}"),
    "XsdTotalDigitsFacet": ("数字不得超过{0}位", "must not have more than {0} digits"),
    "XsdFractionDigitsFacet": ("小数不得超过{0}位", "must not have more than {0} decimals"),
}
_TYPES: Final = {
    "date": ("日期（年-月-日）", "a date (YYYY-MM-DD)"), "dateTime": ("日期时间", "a date and time"),
    "time": ("时间", "a time"), "decimal": ("数字", "a number"), "boolean": ("true或false", "true or false"),
    "base64Binary": ("Base64", "Base64"), "hexBinary": ("十六进制", "hexadecimal"), "anyURI": ("URI", "a URI"),
}  # fmt: skip


class Problem(NamedTuple):
    """One thing wrong: ``path`` by local names (``/BJXX/SQR/ZJHM``), the sentence in Chinese and English."""

    path: str
    zh: str
    en: str


def _local(name: str) -> str:
    return name.rpartition("}")[2].rpartition(":")[2]


def _title(component: Any) -> str:
    """The nearest annotation if it is short: the Chinese name, where a schema gives one."""
    while component is not None:
        note = getattr(component, "annotation", None)
        if note is not None and note.documentation:
            text = str(note.documentation[0].text or "").strip()
            return text if len(text) <= 20 else ""
        component = getattr(component, "parent", None)
    return ""


def _children(error: Any) -> tuple[str, str]:
    expected = "、".join(dict.fromkeys(_local(e.name) for e in error.expected or () if getattr(e, "name", None)))
    if error.invalid_tag is None:
        return f"内容不全，缺少：{expected}", f"is incomplete, missing: {expected}"
    tag = _local(error.invalid_tag)
    hint_zh, hint_en = (f"，此处应为：{expected}", f", expected: {expected}") if expected else ("", "")
    place = error.index + 1
    return f"第{place}个子元素{tag}不应出现{hint_zh}", f"child {place}, {tag}, is not expected{hint_en}"


def _datatype(validator: Any) -> tuple[str, str]:
    name = _local(validator.name or getattr(validator.base_type, "name", "") or "")
    zh, en = _TYPES.get(name, ("整数", "a whole number") if "nt" in name or "Long" in name else (name, name))
    return f"应为{zh}", f"must be {en}"


def _attribute(error: Any) -> tuple[str, str]:
    reason = str(error.reason)
    found = re.search(r"'([\w:.{}/-]{1,80})'", reason)
    name = _local(found[1]) if found else ""
    if "missing" in reason:
        return f"缺少属性{name}", f"lacks the attribute {name}"
    return f"不应有属性{name}", f"must not have the attribute {name}"


def _sentence(error: Any) -> tuple[str, str]:
    """Reason and allowed values, by the component that refused."""
    validator = error.validator
    kind = type(validator).__name__
    if kind in _FACETS:
        zh, en = _FACETS[kind]
        return zh.format(validator.value), en.format(validator.value)
    if kind == "XsdEnumerationFacets":
        allowed = "、".join(str(value) for value in list(validator.enumeration)[:30])
        return f"只能是：{allowed}", f"must be one of: {allowed}"
    if kind == "XsdPatternFacets":
        patterns = " 或 ".join(validator.regexps)[:200]
        return f"格式不符，应匹配：{patterns}", f"does not match: {patterns}"
    if type(error).__name__ == "XMLSchemaChildrenValidationError":
        return _children(error)
    if kind == "XsdAttributeGroup":
        return _attribute(error)
    if kind == "function":
        return "超出类型的取值范围", "is out of its type's range"
    if kind.startswith("XsdAtomic"):
        zh, en = _datatype(validator)
        name = _ATTRIBUTE.match(str(error.reason))
        return (f"属性{name[1]}{zh}", f"attribute {name[1]} {en}") if name else (zh, en)
    if kind == "XsdGroup":
        return "子元素之间不应有文字", "must not have text between its children"
    if kind == "XsdElement":
        return "不应有子元素", "must not have children"
    if kind.startswith("XMLSchema"):
        return "不是本规范定义的根元素", "is no root element of this schema"
    return "不符合规范", "does not fit the schema"


def _explain(error: Any) -> Problem:
    zh, en = _sentence(error)
    path = _PREFIX.sub("", error.path or "/")
    title = _title(error.validator)
    return Problem(path, f"{path}{f'（{title}）' if title else ''}：{zh}", f"{path}: {en}")


class Schema:
    """A compiled XSD. ``root`` is the schema document, already read by ``parse_xml``."""

    def __init__(self, root: etree._Element) -> None:
        self._root = root
        self._fast = etree.XMLSchema(root)

    @cached_property
    def _slow(self) -> Any:
        import xmlschema  # 0.2 s, needed only to explain

        text = etree.tostring(self._root, encoding="unicode")
        return xmlschema.XMLSchema10(text, allow="none", defuse="always", use_location_hints=False)

    def valid(self, element: etree._Element) -> bool:
        """Whether the element is valid, without explanation."""
        return bool(self._fast.validate(element))

    def check(self, document: bytes | etree._Element) -> list[Problem]:
        """The problems, at most 20, empty if valid. Bytes are read by ``parse_xml`` first (Invalid)."""
        element = parse_xml(document) if isinstance(document, bytes) else document
        if self._fast.validate(element):
            return []
        fallback = self._unexplained()
        if len(list(islice(element.iter(), MAX_EXPLAINED + 1))) > MAX_EXPLAINED:
            return fallback
        problems: list[Problem] = []
        try:
            for error in self._slow.iter_errors(element, use_location_hints=False):
                problems.append(_explain(error))
                if len(problems) == MAX_PROBLEMS:
                    break
        except Exception:  # the refusal stands already; a document that upsets the explainer is only explained less
            return problems or fallback
        return problems or fallback

    def _unexplained(self) -> list[Problem]:
        """What lxml alone can say: where."""
        log: Any = self._fast.error_log
        places = dict.fromkeys(str(entry.path) for entry in list(log)[:MAX_PROBLEMS])
        return [Problem(path, f"{path}：不符合规范", f"{path}: does not fit the schema") for path in places]


def compile_xsd(data: bytes) -> Schema:
    """A schema that stands alone. Codes: ``xsd-external``, ``bad-xsd``, and those of ``parse_xml``."""
    root = parse_xml(data)
    for name in ("include", "import", "redefine", "override"):
        for element in root.iter(_XS + name):
            if element.get("schemaLocation") is not None:
                zh = f"XSD不得引用外部文件（xs:{name}，第{element.sourceline}行）"
                raise Invalid("xsd-external", zh, f"a schema must stand alone (xs:{name}, line {element.sourceline})")
    try:
        return Schema(root)
    except etree.XMLSchemaParseError as error:
        line = error.error_log[0].line if len(error.error_log) else 0
        raise Invalid("bad-xsd", f"XSD第{line}行起不合规范", f"not a schema, from line {line}") from None

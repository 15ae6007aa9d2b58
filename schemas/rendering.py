"""The canonical body as XML: one element per field in the order of the structure, for partners who speak XML only.

Namespace ``urn:tongban:canonical:1``; the root is the message type; a list is its element repeated; a field at its
default is left out; the form is ``<form><field name="…">…</field></form>``. The JSON bytes remain the canonical ones:
this is a view, and ``from_xml(to_xml(body)) == body``. ``data/canonical.xsd`` describes it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import msgspec
from lxml import etree
from msgspec import inspect

from schemas.canonical import BODIES, Body
from schemas.codec import build, encode
from schemas.errors import Invalid

NAMESPACE: Final = "urn:tongban:canonical:1"
_Q: Final = f"{{{NAMESPACE}}}"


def bare(info: inspect.Type) -> inspect.Type:
    """The type inside Metadata and Optional."""
    while isinstance(info, inspect.Metadata | inspect.UnionType):
        if isinstance(info, inspect.Metadata):
            info = info.type
        else:
            info = next(t for t in info.types if not isinstance(t, inspect.NoneType))
    return info


def _nullable(info: inspect.Type) -> bool:
    if isinstance(info, inspect.Metadata):
        return _nullable(info.type)
    return isinstance(info, inspect.UnionType) and any(isinstance(t, inspect.NoneType) for t in info.types)


@lru_cache(maxsize=64)
def structure(type_: type[Body]) -> inspect.StructType:
    """What msgspec knows of a body."""
    info = inspect.type_info(type_)
    assert isinstance(info, inspect.StructType)  # noqa: S101 - BODIES holds structs only
    return info


def _append(parent: etree._Element, name: str, value: Any, info: inspect.Type) -> None:
    info = bare(info)
    if isinstance(info, inspect.ListType):
        for entry in value:
            _append(parent, name, entry, info.item_type)
        return
    element = etree.SubElement(parent, _Q + name)
    if isinstance(info, inspect.StructType):
        _fill(element, value, info)
    elif isinstance(info, inspect.DictType):
        for key in sorted(value):
            etree.SubElement(element, _Q + "field", name=key).text = value[key]
    else:
        element.text = str(value)


def _fill(element: etree._Element, values: dict[str, Any], info: inspect.StructType) -> None:
    for field in info.fields:
        if values.get(field.name) is not None:
            _append(element, field.name, values[field.name], field.type)


def to_xml(body: Body) -> bytes:
    """UTF-8 XML of a body, or Invalid if the body is none."""
    encode(body)
    name = next(name for name, type_ in BODIES.items() if type_ is type(body))
    prefixes: Any = {None: NAMESPACE}
    root = etree.Element(_Q + name, nsmap=prefixes)
    _fill(root, msgspec.to_builtins(body), structure(type(body)))
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)


def _read(element: etree._Element, info: inspect.Type) -> Any:
    info = bare(info)
    if isinstance(info, inspect.StructType):
        return _gather(element, info)
    if isinstance(info, inspect.DictType):
        pairs = [(child.get("name", ""), child.text or "") for child in element]
        if len({key for key, _ in pairs}) != len(pairs):
            raise Invalid("duplicate-key", "表单中有重复的字段", "a form field appears twice", "form")
        return dict(pairs)
    text = element.text or ""
    return int(text) if isinstance(info, inspect.IntType) and text.isascii() and text.isdigit() else text


def _gather(element: etree._Element, info: inspect.StructType) -> dict[str, Any]:
    fields = {field.name: bare(field.type) for field in info.fields}
    # A list without entries and a None have no element.
    values: dict[str, Any] = {n: [] for n, inner in fields.items() if isinstance(inner, inspect.ListType)}
    seen: set[str] = set()
    for child in element:
        name = etree.QName(child).localname
        inner = fields.get(name)
        if inner is None or etree.QName(child).namespace != NAMESPACE:
            raise Invalid("unknown-field", "不认识的元素", "unknown element")
        if isinstance(inner, inspect.ListType):
            values[name].append(_read(child, inner.item_type))
        elif name in seen:
            raise Invalid("duplicate-key", f"元素{name}重复", f"the element {name} appears twice", name)
        else:
            values[name] = _read(child, inner)
        seen.add(name)
    return {**{field.name: None for field in info.fields if _nullable(field.type)}, **values}


def from_xml(root: etree._Element) -> tuple[str, Body]:
    """(message type, body) of a root that ``parse_xml`` has read, or Invalid."""
    name = etree.QName(root)
    if name.namespace != NAMESPACE or name.localname not in BODIES:
        raise Invalid("unknown-type", "不是规范报文的根元素", "no root element of a canonical body")
    values = _gather(root, structure(BODIES[name.localname]))
    return name.localname, build(name.localname, values)

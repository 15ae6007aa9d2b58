"""Writes ``data/canonical.schema.json`` and ``data/canonical.xsd`` from ``canonical.py``: ``python -m
schemas.generate``.

The Python types are the one source; a test holds the two files to them.
"""

from __future__ import annotations

import json
import re
from importlib import resources
from inspect import cleandoc
from typing import Any, Final

import msgspec
from lxml import etree
from msgspec import inspect

from schemas.canonical import BODIES
from schemas.rendering import NAMESPACE, bare, structure

_XS: Final = "http://www.w3.org/2001/XMLSchema"
_X: Final = f"{{{_XS}}}"
_UTC: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z"


def json_schema() -> bytes:
    """JSON Schema 2020-12 of every body; ``$defs`` by name, ``messageTypes`` says which body a type carries."""
    refs, defs = msgspec.json.schema_components(BODIES.values(), ref_template="#/$defs/{name}")
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": NAMESPACE,
        "title": "通办规范办件 Tongban canonical case bodies (GB/T 39046-2020)",
        "messageTypes": dict(zip(BODIES, refs, strict=True)),
        "anyOf": list(refs),
        "$defs": dict(sorted(defs.items())),
    }
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def xsd_pattern(pattern: str) -> str:
    """A Python pattern of ours in XSD's language, which is anchored and has no look-ahead."""
    body = pattern.removesuffix(r"(?!\n)").removesuffix("$").removeprefix("^")
    return re.sub(r"\(\?:", "(", body)


def _facet(parent: etree._Element, name: str, value: object) -> None:
    if value is not None:
        etree.SubElement(parent, _X + name, value=str(value))


def _simple(element: etree._Element, info: inspect.Type) -> None:
    """A simple type in place, with the facets the Python type has."""
    base = {inspect.IntType: "integer", inspect.DateTimeType: "dateTime", inspect.DateType: "date"}.get(
        type(info), "string"
    )
    restriction = etree.SubElement(etree.SubElement(element, _X + "simpleType"), _X + "restriction", base=f"xs:{base}")
    if isinstance(info, inspect.LiteralType):
        for value in info.values:
            _facet(restriction, "enumeration", value)
    elif isinstance(info, inspect.StrType):
        _facet(restriction, "minLength", info.min_length)
        _facet(restriction, "maxLength", info.max_length)
        _facet(restriction, "pattern", xsd_pattern(info.pattern) if info.pattern else None)
    elif isinstance(info, inspect.IntType):
        _facet(restriction, "minInclusive", info.ge)
        _facet(restriction, "maxInclusive", info.le)
    elif isinstance(info, inspect.DateTimeType):
        _facet(restriction, "pattern", _UTC)


def _form(element: etree._Element, info: inspect.DictType) -> None:
    sequence = etree.SubElement(etree.SubElement(element, _X + "complexType"), _X + "sequence")
    field = etree.SubElement(
        sequence, _X + "element", name="field", minOccurs="0", maxOccurs=str(info.max_length or "unbounded")
    )
    extension_of = etree.SubElement(etree.SubElement(field, _X + "complexType"), _X + "simpleContent")
    extension = etree.SubElement(extension_of, _X + "extension", base="FormValue")
    _simple(etree.SubElement(extension, _X + "attribute", name="name", use="required"), bare(info.key_type))


def _title(info: inspect.Type) -> str:
    title = ""
    while isinstance(info, inspect.Metadata):
        title = (info.extra_json_schema or {}).get("title", title)
        info = info.type
    return str(title)


def _annotate(element: etree._Element, text: str) -> None:
    if text:
        note = etree.SubElement(etree.SubElement(element, _X + "annotation"), _X + "documentation")
        note.text = text


def _element(sequence: etree._Element, field: inspect.Field, named: dict[str, inspect.StructType]) -> None:
    info = bare(field.type)
    attributes = {"name": field.name}
    inner = info
    if isinstance(info, inspect.ListType):
        inner = bare(info.item_type)
        attributes |= {"minOccurs": str(info.min_length or 0), "maxOccurs": str(info.max_length or "unbounded")}
    elif not field.required or info is not _inside(field.type):
        attributes["minOccurs"] = "0"
    if isinstance(inner, inspect.StructType):
        attributes["type"] = inner.cls.__name__
        named.setdefault(inner.cls.__name__, inner)
    element = etree.SubElement(sequence, _X + "element", attributes)
    _annotate(element, _title(field.type))
    if isinstance(inner, inspect.DictType):
        _form(element, inner)
    elif not isinstance(inner, inspect.StructType):
        _simple(element, inner)


def _inside(info: inspect.Type) -> inspect.Type:
    """Through Metadata only: another object than ``bare`` gives when the type is Optional."""
    while isinstance(info, inspect.Metadata):
        info = info.type
    return info


def _complex(root: etree._Element, name: str, info: inspect.StructType, named: dict[str, inspect.StructType]) -> None:
    type_ = etree.SubElement(root, _X + "complexType", name=name)
    _annotate(type_, cleandoc(info.cls.__doc__ or ""))
    sequence = etree.SubElement(type_, _X + "sequence")
    for field in info.fields:
        _element(sequence, field, named)


def xsd() -> bytes:
    """The XSD of the XML rendering (``rendering.py``)."""
    prefixes: Any = {"xs": _XS, None: NAMESPACE}
    root = etree.Element(_X + "schema", nsmap=prefixes, targetNamespace=NAMESPACE, elementFormDefault="qualified")
    named: dict[str, inspect.StructType] = {}
    for name, body in BODIES.items():
        etree.SubElement(root, _X + "element", name=name, type=body.__name__)
        named[body.__name__] = structure(body)
    value = etree.SubElement(root, _X + "simpleType", name="FormValue")
    _facet(etree.SubElement(value, _X + "restriction", base="xs:string"), "maxLength", 4000)
    done: set[str] = set()
    while waiting := [name for name in named if name not in done]:
        for name in waiting:
            _complex(root, name, named[name], named)
            done.add(name)
    etree.indent(root, " ")
    return etree.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"


FILES: Final[dict[str, Any]] = {"canonical.schema.json": json_schema, "canonical.xsd": xsd}


def main() -> None:
    """Write both files into the package."""
    for name, make in FILES.items():
        (resources.files("schemas") / "data" / name).write_bytes(make())  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()

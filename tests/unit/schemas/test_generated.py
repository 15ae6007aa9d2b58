"""The generated JSON Schema and XSD are those of the Python types, and the XML view says the same as the JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from importlib import resources
from typing import Any

import pytest
from hypothesis import given

from schemas import canonical as c
from schemas import codec, generate
from schemas.errors import Invalid
from schemas.rendering import from_xml, to_xml
from schemas.validate import compile_xsd, parse_xml
from tests.unit.schemas.examples import EXAMPLES, WITH_CERTIFICATES
from tests.unit.schemas.timing import within

DATA = resources.files("schemas") / "data"
XSD = (DATA / "canonical.xsd").read_bytes()
SCHEMA = compile_xsd(XSD)


@pytest.mark.parametrize("name", generate.FILES)
def test_the_committed_file_is_current(name: str) -> None:
    assert (DATA / name).read_bytes() == generate.FILES[name](), "run: python -m schemas.generate"


def test_the_json_schema_names_every_body_and_every_reference_resolves() -> None:
    document = json.loads((DATA / "canonical.schema.json").read_bytes())
    assert set(document["messageTypes"]) == set(c.BODIES)
    text = json.dumps(document)
    assert set(re.findall(r"#/\$defs/(\w+)", text)) <= set(document["$defs"])
    assert document["$defs"]["Identity"]["properties"]["id_number"]["title"] == "证件号码"
    assert all(body.get("additionalProperties") is False for body in document["$defs"].values())


@pytest.mark.parametrize("type_", EXAMPLES)
def test_each_example_renders_valid_and_reads_back(type_: str) -> None:
    data = to_xml(EXAMPLES[type_])
    assert SCHEMA.check(data) == []
    assert from_xml(parse_xml(data)) == (type_, EXAMPLES[type_])


@given(WITH_CERTIFICATES)
def test_the_xml_view_loses_nothing(body: c.Body) -> None:
    data = to_xml(body)
    assert SCHEMA.check(data) == []
    assert codec.encode(from_xml(parse_xml(data))[1]) == codec.encode(body)


@pytest.mark.parametrize(
    ("old", "new", "zh"),
    [
        ("collect_elsewhere", "x", "只能是"), ("<purpose>", "<q/><purpose>", "不应出现"),
        (">360113<", ">3601<", "应匹配：[0-9]{6}"),
        ("2026-01-05T01:30:00Z", "2026-01-05T01:30:00", "格式不符"), ("<item_version>1", "<item_version>0", "不得小于1"),
    ],
)  # fmt: skip
def test_the_xsd_explains_in_chinese(old: str, new: str, zh: str) -> None:
    problems = SCHEMA.check(to_xml(EXAMPLES["application"]).decode().replace(old, new).encode())
    assert problems and zh in problems[0].zh and problems[0].path.startswith("/application")


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("<purpose>", "<q/><purpose>", "unknown-field"), ("<purpose>", "<purpose/><purpose>", "duplicate-key"),
        ('<field name="经营范围">', '<field name="经营场所">', "duplicate-key"), ("<application ", "<other ", "bad-xml"),
        ("urn:tongban:canonical:1", "urn:x", "unknown-type"), ("<item_version>1", "<item_version>１", "wrong-type"),
    ],
)  # fmt: skip
def test_xml_that_is_no_rendering_is_refused(old: str, new: str, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        from_xml(parse_xml(to_xml(EXAMPLES["application"]).decode().replace(old, new).encode()))
    assert caught.value.code == code


def patterns(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("pattern"), str):
            yield node["pattern"]
        for child in node.values():
            yield from patterns(child)
    elif isinstance(node, list):
        for child in node:
            yield from patterns(child)


def test_X16_no_pattern_of_ours_is_slow_on_hostile_text() -> None:
    found = set(patterns(json.loads((DATA / "canonical.schema.json").read_bytes())))
    assert len(found) >= 8
    hostile = ["a" * 10_240, " " * 10_240, "a " * 5_120, "-" * 10_240, "0" * 10_239 + "\n", "\n" * 10_240, "a/" * 5_120]
    for pattern in found:
        compiled = re.compile(pattern)
        for text in hostile:
            assert within(0.05, partial(compiled.search, text)), pattern

"""X16: no pattern of a schema of ours can be made slow, in the validator or in the explainer, by 10 KB of anything."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from lxml import etree

from schemas.validate import MAX_PROBLEMS, compile_xsd
from tests.unit.schemas.timing import within

ROOT = Path(__file__).resolve().parents[3]
XS = "{http://www.w3.org/2001/XMLSchema}"
FILES = [*sorted((ROOT / "schemas" / "data").glob("*.xsd")), *sorted((ROOT / "adapters" / "profiles").glob("*.xsd"))]
PATTERNS = sorted({one.get("value", "") for path in FILES for one in etree.parse(str(path)).iter(f"{XS}pattern")})
SIZE, LIMIT_S = 10_240, 0.05


def attacks(pattern: str) -> list[str]:
    """Long runs of what the pattern is made of, alone and in pairs, with an end that spoils the match."""
    letters = sorted({*"a0A. -/+", *(one for one in pattern if one.isalnum() or one in "-./:+() ")})
    alone = [letter * SIZE + "!" for letter in letters]
    pairs = [(one + other) * (SIZE // 2) + "!" for one in letters[:12] for other in letters[:12] if one != other]
    return [*alone, *pairs]


def test_there_are_patterns_to_look_at() -> None:
    assert len(FILES) >= 4
    assert len(PATTERNS) >= 10


@pytest.mark.parametrize("pattern", PATTERNS)
def test_X16_a_pattern_is_quick_whatever_it_is_shown(pattern: str) -> None:
    xsd = (
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="a"><xs:simpleType>'
        f'<xs:restriction base="xs:string"><xs:pattern value="{pattern.replace("&", "&amp;").replace("<", "&lt;")}"/>'
        "</xs:restriction></xs:simpleType></xs:element></xs:schema>"
    )
    schema = compile_xsd(xsd.encode())
    schema.check(b"<a>!</a>")  # the explainer is loaded here, not under the clock
    element = etree.Element("a")
    for text in attacks(pattern):
        element.text = text
        assert within(LIMIT_S, partial(schema.check, element)), text[:20]
        assert len(schema.check(element)) <= MAX_PROBLEMS

"""The scanner that other tests trust: finds planted personal data in every disguise, leaves ordinary logs alone. And the
fields of our logs: each is one that ``gateway.ops.logs`` lets through."""

from __future__ import annotations

import ast
import base64
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ops.logs import ALLOWED
from tests.scan import CHECK, WEIGHTS, is_citizen_number, scan, scan_files
from tests.sizes import ROOT


def citizen(division: str = "420104", born: str = "19900307", order: str = "123") -> str:
    body = division + born + order
    return body + CHECK[sum(w * int(digit) for w, digit in zip(WEIGHTS, body, strict=True)) % 11]


NUMBER = citizen()
WIDE = NUMBER.translate({ord("0") + n: 0xFF10 + n for n in range(10)})
MOBILE = "13871234567"

DISGUISES = {
    "plain": NUMBER.encode(),
    "in a sentence": f"申请人证件{NUMBER}有误".encode(),
    "full width": WIDE.encode(),
    "full width in GBK": WIDE.encode("gbk"),
    "spaced": f"{NUMBER[:6]} {NUMBER[6:14]} {NUMBER[14:]}".encode(),
    "lower case x": citizen(order="120").lower().encode(),
    "nested JSON": json.dumps({"a": json.dumps({"id": NUMBER})}).encode(),
    "escaped": json.dumps({"id": WIDE}).encode(),
    "base64": base64.b64encode(json.dumps({"id": NUMBER}).encode()),
    "base64 url": base64.urlsafe_b64encode(f"??>{NUMBER}".encode()).rstrip(b"="),
    "base64 of GBK": base64.b64encode(f"张三{WIDE}".encode("gbk")),
    "percent": quote(WIDE).encode(),
}


@pytest.mark.parametrize("form", DISGUISES)
def test_P05_a_citizen_number_is_found_in_disguise(form: str) -> None:
    assert "citizen" in {finding.kind for finding in scan(b"before\n" + DISGUISES[form] + b"\nafter")}


@pytest.mark.parametrize("text", [MOBILE, f"+86 {MOBILE}", "138 7123 4567", "138-7123-4567", f"电话{MOBILE}。"])
def test_P01_a_mobile_number_is_found(text: str) -> None:
    assert {finding.kind for finding in scan(text.encode())} == {"mobile"}


@pytest.mark.parametrize("encoded", ["utf-8", "gbk"])
def test_P01_a_named_person_is_found(encoded: str) -> None:
    (finding, *_) = scan("申请人 欧阳晓晓 已到窗口".encode(encoded), "log", ["欧阳晓晓"])
    assert (finding.kind, finding.where) == ("named", "log:1")


def test_a_named_person_is_found_escaped() -> None:
    assert scan(json.dumps({"name": "欧阳晓晓"}).encode(), named=["欧阳晓晓"])


ORDINARY = [
    '{"ts":1790000000123,"event":"sent","bytes":13812345678901}',
    "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
    "2026-11-20T08:49:00.123456Z",
    "91420104MA4KXXXX1X",
    "420104199003071234 has a wrong check digit",
    "case 360113202611200000000000012",
    "duration 0.13812345678 s",
]


@pytest.mark.parametrize("line", ORDINARY)
def test_ordinary_lines_are_left_alone(line: str) -> None:
    assert scan(line.encode()) == set()


def test_findings_never_show_the_data() -> None:
    (finding,) = (f for f in scan(NUMBER.encode(), "log") if f.how == "utf-8")
    assert NUMBER not in repr(finding)


def test_P02_file_names_are_scanned_too(tmp_path: Path) -> None:
    (tmp_path / f"{NUMBER}.pdf").write_bytes(b"")
    assert {finding.kind for finding in scan_files([tmp_path])} == {"citizen"}


@given(st.binary(max_size=400))
def test_any_bytes_can_be_scanned(data: bytes) -> None:
    scan(data)


@given(st.dates(), st.integers(0, 999))
def test_the_check_character_catches_every_single_changed_digit(born, order) -> None:  # type: ignore[no-untyped-def]
    number = citizen(born=f"{born:%Y%m%d}".rjust(8, "0"), order=f"{order:03d}")
    for place in range(17):
        changed = number[:place] + str((int(number[place]) + 1) % 10) + number[place + 1 :]
        assert not is_citizen_number(changed)


# --- the fields of our logs -------------------------------------------------------------------------------------------

LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}


def logged(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, field) of every call of a logger."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS:
            of = node.func.value
            if (of.id if isinstance(of, ast.Name) else getattr(of, "attr", "")) in ("log", "_log"):
                yield from ((node.lineno, one.arg) for one in node.keywords if one.arg)


def test_P05_no_field_of_a_log_is_silently_dropped() -> None:
    """A field that the allow-list lacks never reaches the log. Add it there if it can hold no personal data, or leave it out."""
    lost = [
        f"{path.relative_to(ROOT)}:{line} {field}"
        for room in ("gateway", "adapters")
        for path in sorted((ROOT / room).rglob("*.py"))
        for line, field in logged(ast.parse(path.read_text("utf-8")))
        if field not in ALLOWED
    ]
    assert not lost

"""Templates of certificates: those of the package are good, and one that is not says what and where."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from gateway.certificates.template import LAB_TYPE, MAX_BYTES, Template, read
from schemas.errors import Invalid
from tests.ecerts import template
from tests.sizes import ROOT

FOLDER = ROOT / "schemas" / "data" / "certificates"
NAMES = sorted(path.stem for path in FOLDER.glob("*.toml"))
SOURCE = (FOLDER / "construction-permits.toml").read_text("utf-8")


def test_there_are_templates_and_one_carries_several_permits() -> None:
    assert len(NAMES) >= 3
    assert [name for name in NAMES if template(name).permits is not None] == ["construction-permits"]
    assert len({template(name).type_code for name in NAMES}) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_field_is_printed_and_so_are_issuer_identifier_and_holder(name: str) -> None:
    one = template(name)
    printed = {line.of for line in one.lines}
    assert {rule.name for rule in one.fields} | {"holder", "issuer", "issued", "identifier", "number"} <= printed


def test_type_codes_are_confirmed_ones_or_the_laboratorys(shared: Path) -> None:
    with (shared / "data" / "ecert-types.csv").open(encoding="utf-8") as stream:
        known = {row["type_code"]: row["name"] for row in csv.DictReader(stream) if row["status"] == "confirmed"}
    for name in NAMES:
        one = template(name)
        assert known[one.type_code] == one.name if one.confirmed else one.type_code.startswith(LAB_TYPE)


def swapped(old: str, new: str) -> bytes:
    assert old in SOURCE
    return SOURCE.replace(old, new, 1).encode()


@pytest.mark.parametrize(
    ("data", "code", "path"),
    [
        (b"\xff", "not-utf8", ""),
        (b"a = ", "bad-toml", ""),
        (b"a = " + b"[" * 5000, "bad-toml", ""),
        (bytes(MAX_BYTES + 1), "too-large", ""),
        (b"", "missing-field", "type_code"),
        (swapped("confirmed = false", "confirmed = true"), "ecert-type-code", "type_code"),
        (swapped(f"{LAB_TYPE}002", "11100000MB0143028R01"), "ecert-type-code", "type_code"),
        (swapped('name = "XMDM"', 'name = "XMMC"'), "ecert-field-repeated", "fields"),
        (swapped('of = "XMMC"', 'of = "XMMX"'), "ecert-line-of", "lines[3].of"),
        (swapped("x = 164\ny = 20", "x = 184\ny = 20"), "ecert-off-page", "qr"),
        (swapped("x = 140\ny = 226", "x = 140\ny = 276"), "ecert-off-page", "seal"),
        (swapped("width = 90", "width = 190"), "ecert-off-page", "lines[0]"),
        (swapped("rows = 8\n", "rows = 30\n"), "ecert-off-page", "permits"),
        (swapped("[permits]", '[[pictures]]\nname = "A"\nlabel = "A"\nx = 200\ny = 1\nwidth = 20\nheight = 9\n[permits]'),
         "ecert-off-page", "pictures[0]"),
        (swapped("[seal]", "[seal]\nround = true"), "unknown-field", "seal.round"),
        (swapped("rows = 2", "rows = 0"), "out-of-range", "lines[3].rows"),
        (swapped('name = "XMMC"', 'name = "xmmc"'), "wrong-form", "fields[0].name"),
        (swapped("spacing = 1.5", 'font = "隶书"'), "not-allowed", "headings[0].font"),
        (swapped("扫描二维码查验", "扫描\\u0000"), "bad-character", ""),
        (swapped('label = "许可编号"', 'label = ""'), "empty", "permits.columns[2].label"),
    ],
)  # fmt: skip
def test_a_template_that_is_wrong_says_what_and_where(data: bytes, code: str, path: str) -> None:
    with pytest.raises(Invalid) as fault:
        read(data)
    assert (fault.value.code, fault.value.path) == (code, path)


def test_what_is_read_is_a_template() -> None:
    assert isinstance(read(SOURCE.encode()), Template)

"""The protocol's page shows the committed vectors and says what the code says."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.generate import EXAMPLE, fill_examples
from gateway.core.case import EVENT_OF_MESSAGE
from gateway.exchange.message import Header
from gateway.ledger import checkpoint, keybook, records, report
from gateway.problems import CATALOGUE


@pytest.fixture(scope="module")
def page() -> str:
    return (Path(__file__).resolve().parents[3] / "docs" / "protocol.md").read_text("utf-8")


def test_examples_are_the_vectors(page: str) -> None:
    """After new vectors: ``python docs/generate.py``."""
    assert fill_examples(page) == page
    assert len(EXAMPLE.findall(page)) == page.count("<!-- vector: ") >= 8


def test_every_header_field_and_type_is_described(page: str) -> None:
    names = {field.encode_name for field in __import__("msgspec").structs.fields(Header)}
    described = page.split("## 3 ")[1].split("## 4 ")[0]
    assert {name for name in names if f"`{name}`" not in described} == set()
    known = {"deemed_accepted"}  # raised by a clock; no message of version 1 carries it
    assert {type_ for type_, outcome in EVENT_OF_MESSAGE if f"`{type_}`" not in described} == set()
    assert {o for _, o in EVENT_OF_MESSAGE if o and o not in known and f"`{o}`" not in described} == set()


def test_kinds_domains_records_and_grades_are_described(page: str) -> None:
    words = {*checkpoint.KINDS, *(d.decode().strip() for d in (
        checkpoint.CHECKPOINT_DOMAIN, checkpoint.DIRECT_DOMAIN, checkpoint.ENTRY_DOMAIN, records.DOMAIN,
        keybook.CARD_DOMAIN,
    ))}  # fmt: skip
    words |= {union.__struct_config__.tag for union in records.Record.__args__}
    words |= {"full", "one-sided", "partial", "broken", "anchored", "as-packaged"}
    assert {word for word in words if f"`{word}`" not in page} == set()
    assert len(report.SECTIONS) >= 12


def test_the_refusals_it_names_exist_with_that_status(page: str) -> None:
    import re

    rows = re.findall(r"^\| (\d{3}) \| ((?:TB-\d{4} ?)+)\|", page, re.MULTILINE)
    assert rows
    for status, codes in rows:
        for code in codes.split():
            assert CATALOGUE[code].status == int(status), code

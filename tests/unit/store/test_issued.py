"""The register of issued certificates: found three ways, told as it stood at any time, nothing in clear in the file."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from gateway.core.ecert import Standing
from gateway.flow import issued
from gateway.flow.issued import Issued, Sheet, Step
from gateway.store import beside, schema
from gateway.store.journal import Reader
from gateway.store.vault import Vault
from signing.ecert import Field, Holder, Metadata, Permit
from signing.sm3 import sm3

HOLDER = "11010519491231002X"
TYPE = "11100000000013338W032"
SERIES = f"1.2.156.3005.2.{TYPE}.11420104000000000X.202600001"
SPAN = (date(2026, 1, 1), date(2026, 12, 31))
SHEET = Metadata(
    identifier=f"{SERIES}.001.K", type_code=TYPE, type_name="综合许可证", number="420104-1", issuer_name="试验局",
    holder=Holder("张三", HOLDER, "111"), issuer_code="11420104000000000X", issued=SPAN[0], valid_from=SPAN[0],
    valid_to=SPAN[1], fields=(Field("name", "姓名", "张三"),),
    permits=(Permit("p1", "施工许可", "1", SPAN[0], None), Permit("p2", "占道许可", "2", SPAN[0], date(2026, 6, 30))),
)  # fmt: skip


def ms(month: int, day: int) -> int:
    return int(datetime(2026, month, day, 4, tzinfo=UTC).timestamp() * 1000)


@pytest.fixture
def vault() -> Vault:
    return Vault(os.urandom(16), os.urandom(32), os.urandom)


def row(vault: Vault, of: Metadata, certificate: str = "01" * 13) -> Issued:
    _, wrapped = vault.new_key()
    begin, end = issued.dates(of)
    return Issued(
        certificate, SERIES, 1, of.identifier, of.type_code, "valid", "qiaokou", "", vault.blind(HOLDER), sm3(b"token"),
        begin, end, wrapped, issued.seal_sheet(vault, wrapped, certificate, Sheet(of)), sm3(b"ofd").hex(), 3, 0, 1, 1,
    )  # fmt: skip


@pytest.fixture
def store(tmp_path: Path, vault: Vault) -> Path:
    """A certificate of two permits; one is revoked in March, all is suspended in April and resumed in May."""
    path = tmp_path / "gateway.db"
    schema.upgrade(path)
    one = row(vault, SHEET)
    acts = [
        ("issue", "", "valid", ms(1, 2)), ("revoke", "p1", "revoked", ms(3, 1)), ("suspend", "", "suspended", ms(4, 1)),
        ("resume", "", "valid", ms(5, 1)),
    ]  # fmt: skip
    with beside.change(path) as tx:
        issued.insert(tx, one, SHEET)
        for n, (event, permit, state, at) in enumerate(acts, 1):
            step = Step(n, f"act{n}", event, permit, state, "fraud" if permit else "", "platform:qiaokou", n, at)
            issued.record(tx, step, one.id, b"sealed")
    return path


@pytest.fixture
def reader(store: Path) -> Reader:
    return Reader(beside.snapshot(store))


def test_it_is_found_by_token_identifier_and_holder(reader: Reader, vault: Vault) -> None:
    found = issued.by_identifier(reader, SHEET.identifier)
    assert found is not None and found.events == 4 and found.state == "valid"
    assert (
        issued.by_token(reader, sm3(b"token"))
        == found
        == issued.newest(reader, SERIES)
        == issued.by_id(reader, found.id)
    )
    assert (
        issued.by_holder(reader, vault.blind(HOLDER), TYPE) == [found] == issued.by_holder(reader, vault.blind(HOLDER))
    )
    assert issued.by_holder(reader, vault.blind(HOLDER), TYPE[:-1] + "3") == []
    assert issued.by_token(reader, sm3(b"Token")) is None and issued.by_identifier(reader, SERIES) is None
    assert issued.metadata(vault, found) == SHEET


@pytest.mark.parametrize(
    ("month", "sheet", "first", "second"),
    [
        (2, "valid", "valid", "valid"),
        (3, "valid", "revoked", "valid"),
        (4, "suspended", "revoked", "suspended"),
        (5, "valid", "revoked", "valid"),
        (7, "lapsed", "revoked", "expired"),
    ],
)
def test_W9_it_is_told_as_it_stood_at_that_time(
    reader: Reader, month: int, sheet: str, first: str, second: str
) -> None:
    found = issued.by_identifier(reader, SHEET.identifier)
    assert found is not None
    stood = issued.stands(reader, found, ms(month, 2))
    assert stood is not None and stood.standing == sheet
    assert stood.permits == {"p1": Standing(first), "p2": Standing(second)}


def test_before_it_was_made_there_was_nothing(reader: Reader) -> None:
    found = issued.by_identifier(reader, SHEET.identifier)
    assert found is not None and issued.stands(reader, found, ms(1, 1)) is None
    assert [step.event for step in issued.history(reader, found.id)] == ["issue", "revoke", "suspend", "resume"]


def test_the_file_holds_no_word_of_it(store: Path) -> None:
    """P10: who reads the disk learns neither the holder nor what the certificate says."""
    data = b"".join(path.read_bytes() for path in store.parent.glob("gateway.db*"))
    for secret in (HOLDER, "张三", "施工许可", "420104-1"):
        assert secret.encode() not in data


def test_an_identifier_is_given_once(store: Path, vault: Vault) -> None:
    again = replace(row(vault, SHEET, "02" * 13), token=sm3(b"another"), version=2)
    with pytest.raises(Exception, match="UNIQUE"), beside.change(store) as tx:
        issued.insert(tx, again, SHEET)

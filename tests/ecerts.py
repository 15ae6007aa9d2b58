"""Certificates for tests and benchmarks: metadata, and values that a template takes."""

from __future__ import annotations

from datetime import date
from typing import Any

from agreements.samples import lab_party
from gateway.certificates.issue import Wanted, WantedHolder, WantedPermit, compose
from gateway.certificates.template import Template, read
from signing import ecert_id
from signing.ecert import Field, Holder, Metadata
from tests.sizes import ROOT

TYPE, ISSUER = "11100000000013338W900", "11420104MB00000000"
CITIZEN = "11010519491231002X"  # the example of GB 11643 itself
PERMITS = [
    WantedPermit("1", "建设工程规划许可", "规许2026001", date(2026, 6, 1), date(2028, 5, 31)),
    WantedPermit("2", "建筑工程施工许可", "施许2026001", date(2026, 6, 1), date(2027, 5, 31)),
    WantedPermit("3", "临时占用城市道路许可", "占道2026001", date(2026, 6, 1)),
]


def sample(**changed: Any) -> Metadata:
    """A good certificate, some of it exchanged."""
    said: dict[str, Any] = {
        "identifier": str(ecert_id.make(TYPE, ISSUER, "2026000001")), "type_code": TYPE, "type_name": "食品经营许可证",
        "number": "JY14201040000001", "holder": Holder("武汉样章商贸有限公司", lab_party("420104")[7:], "001"),
        "issuer_name": "样章市场监督管理局", "issuer_code": ISSUER, "issued": date(2026, 6, 1), "valid_from": date(2026, 6, 1),
        "valid_to": date(2031, 5, 31), "fields": (Field("JYCS", "经营场所", "汉江路1号"), Field("BZ", "备注", "")),
        "url": "https://ecert.example/v/ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    }  # fmt: skip
    return Metadata(**said | changed)


def template(name: str) -> Template:
    """A template of the package."""
    return read((ROOT / "schemas" / "data" / "certificates" / f"{name}.toml").read_bytes())


def wanted(template: Template, **changed: Any) -> Wanted:
    """Values that the template takes, some of them exchanged."""
    person = "111" in template.holder_code_types
    said: dict[str, Any] = {
        "number": "样章2026000001", "serial": "2026000001", "issuer_name": "样章市市场监督管理局", "issuer_code": ISSUER,
        "holder": WantedHolder("样章", CITIZEN, "111") if person else WantedHolder("样章商贸有限公司", "91370406L24894136J", "001"),
        "issued": date(2026, 6, 1), "valid_from": date(2026, 6, 1), "valid_to": date(2031, 5, 31),
        "fields": {rule.name: "2026-06-01" if rule.kind == "date" else "样" for rule in template.fields},
        "permits": PERMITS if template.permits else [], "url": "https://ecert.example/v/ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    }  # fmt: skip
    return Wanted(**said | changed)


def composed(template: Template, **changed: Any) -> Metadata:
    """The metadata of what is wanted, which must be good."""
    made = compose(template, wanted(template, **changed))
    assert isinstance(made, Metadata), made
    return made

"""The sample agreement: 武汉市硚口区 420104 – 南昌市红谷滩区 360113, mutual, collected elsewhere, power *collect*.

Items and materials come from the two CSV files under ``data/`` (their sources are named row by row); wording, codes and
clauses are ours. Modelled on published reports; no agreement with or endorsement by the named places is implied.
Reads its own package data: the one place in this room that does.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from importlib import resources
from typing import Any, Final, NamedTuple

import msgspec

from agreements import template
from agreements.items import materials_from_rows, read_csv
from agreements.model import CertificateLine, Confidentiality, Item, ItemMaterial, Party
from schemas.codes import org_check_char, uscc_check_char

PURPOSE: Final = "跨省通办收件与办理"
PURPOSES: Final = (PURPOSE, "办理结果送达")
INSPECTION: Final = "行政检查"
LICENCE: Final = "11100000MB0143028R001"
IDENTITY_CARD: Final = "11100000000013127D001"
AGREEMENT_ID: Final = "TB-420104-360113"
QIAOKOU: Final = "420104"
HONGGUTAN: Final = "360113"


class _Row(NamedTuple):
    """Our code; the item by name and its row in items-crossprovince.csv (0: none); its rows in
    materials-examples.csv."""

    code: str
    name: str
    number: int
    materials: str
    applicant: str
    more: dict[str, Any]


_ROWS: Final = (
    _Row("QX-TB-001", "个体工商户设立登记", 0, "个体工商户设立登记", "both", {}),
    _Row("QX-TB-002", "个体工商户变更登记", 36, "个体工商户变更登记", "both", {}),
    _Row("QX-TB-003", "内资公司设立登记", 9, "内资企业设立登记", "enterprise", {}),
    _Row("QX-TB-004", "残疾人证换领", 37, "残疾人证换领(异地)", "person", {}),
    _Row("QX-TB-005", "残疾人证新办", 0, "残疾人证新办", "person", {}),
    _Row("QX-TB-006", "残疾人证挂失补办", 0, "残疾人证挂失补办", "person", {}),
    _Row("QX-TB-007", "社会保障卡申领", 13, "", "person", {"decide_days": 30}),
    _Row("QX-TB-008", "社会保障卡启用", 14, "", "person", {"case_type": "immediate"}),
    _Row("QX-TB-009", "社会保障卡补换", 15, "", "person", {"decide_days": 30}),
    _Row("QX-TB-010", "社会保障卡临时挂失", 16, "", "person", {"case_type": "immediate"}),
    _Row("QX-TB-011", "失业登记", 3, "失业登记", "person", {}),
    _Row("QX-TB-012", "生育登记", 0, "生育登记", "person", {}),
    _Row("QX-TB-013", "散居孤儿认定", 0, "散居孤儿认定", "person", {}),
)
_CARD: Final = [
    ItemMaterial("居民身份证", "yes", "居民身份证", "11100000000013127D001"),
    ItemMaterial("社会保障卡业务申请表", "yes"),
    ItemMaterial("原社会保障卡（补换、启用、挂失时）", "conditional", "社会保障卡"),
]
_CARD_SOURCE: Final = "材料为示例自拟，未见公开指南；时限参照襄十随神社保卡区域通办报道 2021-08-30（不超过30个工作日）"

# 免填写: form fields that a certificate of a type fills, by the names of its face.
FILLS: Final[dict[str, dict[str, str]]] = {
    IDENTITY_CARD: {"姓名": "CZZT", "公民身份号码": "CZZTDM", "住址": "DZ"},
    LICENCE: {"名称": "CZZT", "统一社会信用代码": "CZZTDM", "经营场所": "JYCS"},
}


def _read(name: str) -> bytes:
    return (resources.files("agreements.samples") / "data" / name).read_bytes()


@lru_cache(maxsize=1)
def items() -> tuple[Item, ...]:
    """The thirteen items of the sample, with the materials the sources name."""
    listed = {int(row[0]): row for row in read_csv(_read("items-crossprovince.csv"))[1:]}
    rows = read_csv(_read("materials-examples.csv"))
    materials = materials_from_rows(rows)
    origins = {row[0]: row[5] for row in rows[1:]}
    result = []
    for row in _ROWS:
        known = listed.get(row.number)
        sources = [known[7].split("|")[0]] if known else []
        sources.append(origins.get(row.materials, _CARD_SOURCE))
        result.append(
            Item(
                row.code, row.name, 1, row.applicant, [_filling(one) for one in materials.get(row.materials, _CARD)],  # type: ignore[arg-type]
                department=known[4] if known else "", source="|".join(dict.fromkeys(sources)), **row.more,
            )
        )  # fmt: skip
    return tuple(result)


def _filling(material: ItemMaterial) -> ItemMaterial:
    return msgspec.structs.replace(material, fills=FILLS.get(material.certificate_type, {}))


def lab_party(division: str) -> str:
    """A party id for lab and demo: a credit code with good checks around an organisation code of zeros."""
    first = f"11{division}00000000{org_check_char('00000000')}"
    return f"{division}.{first}{uscc_check_char(first)}"


_HEADER: Final = """\
# 通办协议（样例）——依据公开报道建模，非真实协议，不代表所列地方已签署或认可。
# Sample agreement, modelled on published reports; no agreement with or endorsement by the named places is implied.
# 事项、材料取自公开网页与办事指南（逐项注明出处），为示例而非办事依据；事项编码为本样例自编。\
没有公开来源的证照类型代码空着，tongban agreement check 会指出。
"""


def certificate_lines(party_a: str, party_b: str) -> tuple[CertificateLine, ...]:
    """Who may use which certificates: inspectors who scan see who holds what; a window that hands a case in fetches the whole."""
    both = [party_a, party_b]
    return (
        CertificateLine("第九条第一款", [LICENCE], both, both, ["ZZBH", "CZZT"], ["scan"], [INSPECTION]),
        CertificateLine("第九条第二款", [LICENCE, IDENTITY_CARD], both, both, ["*"], ["fetch", "verify"], [PURPOSE]),
    )


def render(
    party_a: str,
    party_b: str,
    *,
    name_a: str = "武汉市硚口区",
    name_b: str = "南昌市红谷滩区",
    version: int = 1,
    in_force: date = date(2024, 1, 1),
    expires: date = date(2030, 12, 31),
    id: str = AGREEMENT_ID,
    listed: tuple[Item, ...] | None = None,
    confidentiality: Confidentiality = "end-to-end",
    certificates: tuple[CertificateLine, ...] | None = None,
) -> bytes:
    """The agreement's TOML, unsigned, between two party ids (``420104.<USCC>``, ``360113.<USCC>``)."""
    return template.render(
        Party(party_a, name_a, party_a[:6]),
        Party(party_b, name_b, party_b[:6]),
        items() if listed is None else listed,
        id=id,
        name=f"{name_a}—{name_b}跨省通办合作协议（样例）",
        scope="跨省通办",
        version=version,
        in_force=in_force,
        expires=expires,
        purposes=PURPOSES,
        header=_HEADER,
        confidentiality=confidentiality,
        certificates=certificate_lines(party_a, party_b) if certificates is None else certificates,
    )

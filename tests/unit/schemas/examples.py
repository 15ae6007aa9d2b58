"""One ordinary body of every message type, and Hypothesis strategies for all of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import strategies as st

from schemas import canonical as c
from schemas.codes import uscc_check_char

AT = datetime(2026, 1, 5, 1, 30, tzinfo=UTC)
SM3 = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
CITIZEN = "11010519491231002X"  # the example of GB 11643-1999 itself
CREDIT_CODE = "91370406L24894136J"

PERSON = c.Identity("person", "张三", "111", CITIZEN, "13800000000", "湖北省武汉市硚口区")
ENTERPRISE = c.Identity("enterprise", "某某有限公司", "001", CREDIT_CODE)
MATERIAL = c.Material("居民身份证", SM3, 5_000_000, "application/pdf", "身份证.pdf")
DOCUMENT = c.Material("营业执照", SM3, 9, "application/pdf", "营业执照.pdf", "result")
STAMP = c.Material("签章", SM3, 9, "application/octet-stream", "营业执照.ses", "stamp")
ATTESTATION = c.Attestation("李四", "QK007", "三号窗", "id_card_reader", ["居民身份证"], AT)

EXAMPLES: dict[str, c.Body] = {
    "application": c.Application(
        "QK-2026-000001", "QX-TB-001", "个体工商户设立登记", 1, "collect_elsewhere", "360113",
        c.Applicant(PERSON, ENTERPRISE), {"经营场所": "红谷滩区一路1号", "经营范围": "食品\n零售"}, [MATERIAL],
        ATTESTATION, AT, "跨省通办收件与办理",
    ),
    "correction_request": c.CorrectionRequest(
        "补正〔2026〕1号", [c.CorrectionItem("material", "经营场所证明", "未加盖公章", "补盖公章后重新上传")],
        date(2026, 1, 12), "王五", AT,
    ),
    "correction": c.Correction({}, [MATERIAL], "", AT, "李四"),
    "acceptance": c.Acceptance("accepted", "受〔2026〕1号", "红谷滩区行政审批局", "王五", AT, promised=date(2026, 2, 2)),
    "step": c.Step("审查", "赵六", "", AT),
    "special_start": c.SpecialStart("site_visit", "行政许可法第四十五条", "需现场踏勘", 10, AT, "特告〔2026〕1号"),
    "special_end": c.SpecialEnd("符合要求", AT),
    "decision": c.Decision("denied", "决〔2026〕1号", "红谷滩区行政审批局", "王五", AT, "场所不符", "可申请行政复议或提起行政诉讼"),
    "result": c.Result(
        "R-1", "营业执照", [c.ResultDocument("营业执照", DOCUMENT, STAMP)], AT, date(2026, 1, 5), date(2036, 1, 4)
    ),
    "arrival": c.Arrival("三号窗", "李四", AT, [SM3]),
    "delivery": c.Delivery("pick_up", "张三", "id_card_reader", AT),
    "withdrawal": c.Withdrawal("申请人不再办理", AT),
}  # fmt: skip


def changed(type_: str, **fields: Any) -> dict[str, Any]:
    """The example as plain values with some fields replaced."""
    return {**msgspec.to_builtins(EXAMPLES[type_]), **fields}


_CHARACTERS = st.characters(
    exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"],
    exclude_characters="".join(chr(p << 16 | low) for p in range(17) for low in (0xFFFE, 0xFFFF))
    + "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
    + "".join(map(chr, range(0xFDD0, 0xFDF0))),
)
LINE = st.text(_CHARACTERS, min_size=1, max_size=40)
PROSE = st.tuples(LINE, st.sampled_from(["", "\n", "\t", " ", "\\", '"']), LINE).map("".join)
MOMENT = st.datetimes(datetime(1970, 1, 1), datetime(2199, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001
DIGEST = st.binary(min_size=32, max_size=32).map(bytes.hex)
CODES = st.integers(0, 10**8).map(lambda n: f"91420104{n:09d}").map(lambda body: body + uscc_check_char(body))
IDENTITY = st.builds(c.Identity, st.just("enterprise"), LINE, st.just("001"), CODES, st.just(""), st.just("") | LINE)
MATERIALS = st.lists(
    st.builds(
        c.Material, LINE, DIGEST, st.integers(1, 1 << 30), st.just("application/pdf"), st.just("a.pdf"),
        certificate_identifier=st.just("") | LINE,
    ), max_size=4,
)  # fmt: skip
CERTIFICATES = st.lists(
    st.builds(c.CertificateReference, LINE, LINE, LINE)
    | st.builds(
        c.CertificateReference, LINE, LINE, LINE, st.just("verified"), LINE, LINE, MOMENT, st.just(""),
        st.lists(LINE, max_size=2),
    ), max_size=2,
)  # fmt: skip
FORM = st.dictionaries(LINE, PROSE, max_size=8)
CHECKS = st.sampled_from(list(c.IDENTITY_CHECKS))
APPLICATIONS = st.builds(
    c.Application, LINE, st.just("QX-TB-001"), LINE, st.integers(1, 999_999), st.sampled_from(list(c.MODES)),
    st.just("360113"), st.builds(c.Applicant, IDENTITY, st.none() | IDENTITY), FORM, MATERIALS,
    st.builds(c.Attestation, LINE, LINE, LINE, CHECKS, st.lists(LINE, max_size=3), MOMENT), MOMENT, LINE,
    st.just("") | PROSE,
)  # fmt: skip
DATES = st.dates(date(1970, 1, 1), date(2199, 1, 1))
BODIES = st.one_of(
    APPLICATIONS,
    st.builds(c.Step, LINE, LINE, st.just("") | PROSE, MOMENT),
    st.builds(c.SpecialStart, st.sampled_from(list(c.SPECIAL_KINDS)), PROSE, PROSE, st.integers(1, 365), MOMENT, PROSE),
    st.builds(c.Acceptance, st.just("not_accepted"), LINE, LINE, LINE, MOMENT, PROSE, PROSE, st.none() | DATES),
    st.builds(c.Arrival, LINE, LINE, MOMENT, st.lists(DIGEST, min_size=1, max_size=3)),
    st.builds(c.Correction, FORM, MATERIALS.filter(bool), st.just(""), MOMENT, LINE),
    st.builds(c.Delivery, st.just("courier"), LINE, CHECKS, MOMENT, LINE),
)
# Profiles of a region carry certificates in part only; the canonical forms carry them whole.
WITH_CERTIFICATES = BODIES | st.builds(
    lambda body, told: msgspec.structs.replace(body, certificates=told), APPLICATIONS, CERTIFICATES
)
LATER = timedelta(hours=1)

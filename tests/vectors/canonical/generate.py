"""Writes bodies.json and defects.json: canonical bytes with their digests, and what is refused, named by its defect.

Stands alone on purpose: the bytes come from the standard library's JSON writer and the digests from ``cryptography``,
nothing of ours, so a vector that our codec agrees with was computed twice.
``python tests/vectors/canonical/generate.py`` rewrites the files; a test checks that they are current.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.hashes import SM3, Hash

HERE = Path(__file__).parent
ABC = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"  # SM3("abc")
AT = "2026-01-05T01:30:00Z"

PERSON = {"kind": "person", "name": "张三", "id_type": "111", "id_number": "11010519491231002X"}
FILE = {"name": "居民身份证", "sm3": ABC, "size": 5000000, "media_type": "application/pdf", "file_name": "身份证.pdf"}
BODIES: dict[str, tuple[str, dict[str, Any]]] = {
    "collected elsewhere": (
        "application",
        {
            "case_number": "QK-2026-000001", "item": "QX-TB-001", "item_name": "个体工商户设立登记", "item_version": 1,
            "mode": "collect_elsewhere", "handling": "360113", "applicant": {"party": PERSON},
            "form": {"经营场所": "红谷滩区一路1号", "经营范围": "食品\n零售", "a\"b": "\\ / \t", "é": "e\u0301"},
            "materials": [FILE],
            "attestation": {
                "clerk": "李四", "clerk_no": "QK007", "window": "三号窗", "identity_check": "id_card_reader",
                "originals_seen": ["居民身份证"], "at": AT,
            },
            "collected_at": AT, "purpose": "跨省通办收件与办理",
        },
    ),
    "online, by an agent": (
        "application",
        {
            "case_number": "1", "item": "11370800MB285591843370117002011", "item_name": "事", "item_version": 999999,
            "mode": "full_online", "handling": "420104",
            "applicant": {
                "party": {"kind": "enterprise", "name": "某某有限公司", "id_type": "001", "id_number": "91370406L24894136J"},
                "agent": {**PERSON, "mobile": "13800000000", "address": "湖北省武汉市硚口区"},
            },
            "form": {}, "materials": [], "attestation": None, "collected_at": "1970-01-01T00:00:00Z", "purpose": "查询",
            "legal_basis": "行政许可法",
        },
    ),
    "correction asked": (
        "correction_request",
        {
            "number": "补正〔2026〕1号", "due": "2026-01-12", "officer": "王五", "at": AT,
            "reasons": [{"kind": "material", "name": "经营场所证明", "what": "未加盖公章", "how": "补盖公章后重新上传"}],
        },
    ),
    "accepted, finish promised": (
        "acceptance",
        {"outcome": "accepted", "number": "受〔2026〕1号", "unit": "审批局", "officer": "王五", "at": AT, "promised": "2026-02-02"},
    ),
    "denied": (
        "decision",
        {
            "outcome": "denied", "number": "决〔2026〕1号", "unit": "审批局", "officer": "王五",
            "at": "2026-01-05T01:30:00.000001Z",
            "reason": "场所不符", "redress": "可申请行政复议或提起行政诉讼",
        },
    ),
    "result with a stamp": (
        "result",
        {
            "number": "R-1", "name": "营业执照", "at": AT, "valid_from": "2026-01-05",
            "documents": [{"name": "营业执照", "document": {**FILE, "role": "result"}, "stamp": {**FILE, "role": "stamp"}}],
        },
    ),
    "result without a stamp": (
        "result",
        {
            "number": "R-1", "name": "营业执照", "at": AT,
            "documents": [{"name": "营业执照", "document": {**FILE, "role": "result"}, "stamp": None}],
        },
    ),
    "arrived": ("arrival", {"window": "三号窗", "clerk": "李四", "at": AT, "documents": [ABC]}),
    "delivered by courier": (
        "delivery",
        {"method": "courier", "receiver": "张三", "identity_check": "signature", "at": AT, "waybill": "SF1"},
    ),
    "withdrawn": ("withdrawal", {"reason": "😀 不再办理", "at": AT}),
}  # fmt: skip


def canonical(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def sm3(data: bytes) -> str:
    digest = Hash(SM3())
    digest.update(data)
    return digest.finalize().hex()


def bodies() -> list[dict[str, Any]]:
    found = []
    for name, (type_, value) in BODIES.items():
        data = canonical(value)
        found.append({"name": name, "type": type_, "canonical": data.decode(), "sm3": sm3(data)})
    return found


# name, attack row, part of the first body, what stands there instead, code
CHANGES = (
    ("a blank after a colon", "K01", '"item_version":1', '"item_version": 1', "not-canonical"),
    ("a character escaped needlessly", "K01", "食品", "\\u98df\\u54c1", "not-canonical"),
    ("a default written out", "K08", '"purpose"', '"legal_basis":"","purpose"', "not-canonical"),
    ("null for an optional text", "K08", '"purpose"', '"legal_basis":null,"purpose"', "wrong-type"),
    ("a zone other than Z", "K09", f'"collected_at":"{AT}"', '"collected_at":"2026-01-05T09:30:00+08:00"', "time-not-utc"),
    ("no zone", "K09", f'"collected_at":"{AT}"', '"collected_at":"2026-01-05T01:30:00"', "wrong-time"),
    ("the hour 24", "K09", f'"collected_at":"{AT}"', '"collected_at":"2026-01-05T24:00:00Z"', "wrong-time"),
    ("a key twice, same value", "N01", '"item_version":1', '"item_version":1,"item_version":1', "duplicate-key"),
    ("a key twice in the form", "N01", '"经营场所":', '"经营场所":"x","经营场所":', "duplicate-key"),
    ("NaN", "N02", '"item_version":1', '"item_version":NaN', "bad-number"),
    ("a fraction for a whole number", "N02", '"item_version":1', '"item_version":1.5', "wrong-type"),
    ("a lone surrogate", "N04", "食品", "\\ud800", "bad-character"),
    ("a control character, escaped", "N04", "食品", "\\u0007", "bad-character"),
    ("a carriage return", "N04", "食品\\n", "食品\\r\\n", "bad-character"),
    ("a right-to-left override in a name", "N04", "张三", "张\u202e三", "bad-character"),
    ("a non-character", "N04", "张三", "张\ufffe三", "bad-character"),
    ("data after the end", "N05", '通办收件与办理"}', '通办收件与办理"} ', "not-canonical"),
    ("a text for a number", "N07", '"item_version":1', '"item_version":"1"', "wrong-type"),
    ("a number for a list", "N07", '"originals_seen":["居民身份证"]', '"originals_seen":1', "wrong-type"),
    ("an unknown field", "N09", '"purpose"', '"operatorRole":"admin","purpose"', "unknown-field"),
    ("a wrong check digit", "", "11010519491231002X", "110105194912310021", "citizen-id-check-digit"),
    ("a birthday that never was", "", "11010519491231002X", "11010519490229002X", "citizen-id-date"),
    ("full-width digits in an id", "K02", "11010519491231002X", "１1010519491231002X", "wrong-form"),
    ("a padded division code", "A07", '"360113"', '"360113000000"', "too-long"),
    ("an unknown mode", "", "collect_elsewhere", "collect_anywhere", "not-allowed"),
    ("a digest in capitals", "", ABC, ABC.upper(), "wrong-form"),
    ("a path for a file name", "F08", "身份证.pdf", "../身份证.pdf", "wrong-form"),
    ("an empty file", "", '"size":5000000', '"size":0', "out-of-range"),
)  # fmt: skip


def defects() -> Iterator[dict[str, str]]:
    good = canonical(BODIES["collected elsewhere"][1]).decode()
    for name, row, old, new, code in CHANGES:
        assert old in good, name
        data = good.replace(old, new, 1).encode("utf-8", "surrogatepass")
        yield {"name": name, "row": row, "type": "application", "data": data.hex(), "code": code}
    yield {
        "name": "nested without end",
        "row": "N03",
        "type": "application",
        "data": (b"[" * 5000).hex(),
        "code": "too-deep",
    }
    for name, data, code in (
        ("not UTF-8", good.encode("gbk", "replace"), "wrong-encoding"),
        ("a byte order mark", b"\xef\xbb\xbf" + good.encode(), "byte-order-mark"),
        ("cut off", good.encode()[:-1], "bad-json"),
        ("nothing", b"", "bad-json"),
    ):
        yield {"name": name, "row": "N04", "type": "application", "data": data.hex(), "code": code}


FILES = {"bodies.json": lambda: bodies(), "defects.json": lambda: list(defects())}


def main() -> None:
    for name, make in FILES.items():
        (HERE / name).write_text(json.dumps(make(), ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()

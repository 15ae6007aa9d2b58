"""Seals and stamps judged: every vector comes out as its index says, and every reason that can be said has a vector."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing import certs, crl, reasons
from signing.errors import Malformed
from signing.policy import TIMESTAMPS, PathPolicy, SealPolicy
from signing.sm3 import sm3
from signing.timestamp import TimeTrust
from signing.verify import SealReport, VerifiedSeal, VerifiedStamp, verify_seal, verify_stamp
from tests import pki
from tests.sizes import ROOT
from tests.unit.signing.said import whole
from tests.vectors.seals import generate

FOLDER = ROOT / "tests/vectors/seals"
INDEX: list[dict[str, Any]] = json.loads((FOLDER / "index.json").read_bytes())
BY_NAME = {row["name"]: row for row in INDEX}


def policy(row: dict[str, Any]) -> SealPolicy:
    given_policy = row["policy"]
    path = PathPolicy(usage="sign", revocation=given_policy.get("revocation", "if-present"))
    withdrawn = {id_: datetime.fromisoformat(at) for id_, at in given_policy.get("revoked_seals", {}).items()}
    chosen = {key: value for key, value in given_policy.items() if key in ("maker_at", "digest_list", "timestamp_over")}
    later = given_policy.get("revoked_later", "cannot-tell")
    return SealPolicy(path=path, revoked_later=later, revoked_seals=withdrawn, **chosen)


def judge(row: dict[str, Any], data: bytes | None = None) -> SealReport:
    content = (FOLDER / row["file"]).read_bytes() if data is None else data
    common: dict[str, Any] = {
        "at": datetime.fromisoformat(row["at"]),
        "anchors": [certs.parse((FOLDER / "root.cert.der").read_bytes())],
        "provider": pki.PROVIDER,
        "crls": [crl.parse((FOLDER / name).read_bytes()) for name in row["lists"]],
        "policy": policy(row),
        "times": TimeTrust([certs.parse((FOLDER / "tsa-root.cert.der").read_bytes())], TIMESTAMPS)
        if row["tsa"]
        else None,
    }
    if row["kind"] == "seal":
        return verify_seal(content, **common)
    document = bytes.fromhex(row["document"]) if row["document"] else None
    trusted = datetime.fromisoformat(row["trusted_time"]) if row["trusted_time"] else None
    return verify_stamp(content, document, property_info=row["property_info"], trusted_time=trusted, **common)


@pytest.mark.parametrize("name", BY_NAME)
def test_C23_C24_each_vector_has_its_verdict(name: str) -> None:
    row = BY_NAME[name]
    report = judge(row)
    assert list(report.codes) == row["codes"]
    assert [note.code for note in report.notes] == row["notes"]
    bad = any(not isinstance(reason, reasons.Indeterminate) for reason in report.reasons)
    assert report.ok is (False if bad else None if row["codes"] else True)
    assert (report.verified is not None) is (report.ok is True)
    for reason in (*report.reasons, *report.notes):
        assert whole(reason, reasons.SEAL_REJECTED, reasons.SEAL_UNKNOWN, reasons.NOTES)
    outcomes = (report.signature, report.chain, report.document, report.window, report.membership)
    assert report.ok is not True or set(outcomes) <= {"ok", "absent"}


def test_the_vectors_are_what_the_generator_writes() -> None:
    expected = generate.files()
    present = {
        path.name: path.read_bytes() for path in FOLDER.iterdir() if path.suffix in (".esl", ".dat", ".der", ".json")
    }
    assert present == expected


def test_every_reason_and_note_has_a_vector() -> None:
    said = {code for row in INDEX for code in row["codes"]}
    assert reasons.SEAL_REJECTED.keys() | reasons.SEAL_UNKNOWN.keys() <= said
    assert reasons.NOTES.keys() <= {code for row in INDEX for code in row["notes"]}


def test_groups_of_checks_are_told_apart() -> None:
    def outcome(name: str) -> tuple[str, str, str, str, str]:
        report = judge(BY_NAME[name])
        return report.signature, report.chain, report.document, report.window, report.membership

    assert outcome("good-stamp-v4") == ("ok", "ok", "ok", "ok", "ok")
    assert outcome("document-altered") == ("ok", "ok", "failed", "ok", "ok")
    assert outcome("document-not-given") == ("ok", "ok", "absent", "ok", "ok")
    assert outcome("signer-untrusted-root") == ("ok", "failed", "ok", "ok", "ok")
    assert outcome("seal-forged-in-stamp") == ("failed", "ok", "ok", "ok", "ok")
    assert outcome("seal-expired-at-stamping") == ("ok", "ok", "ok", "failed", "ok")
    assert outcome("signer-not-in-list") == ("ok", "ok", "ok", "ok", "failed")
    assert outcome("signer-revoked-later") == ("ok", "unknown", "ok", "ok", "ok")
    assert outcome("list-stale") == ("ok", "unknown", "ok", "ok", "ok")
    assert outcome("good-v4") == ("ok", "ok", "absent", "ok", "absent")
    assert outcome("trailing-byte") == ("unknown",) * 5


def test_a_report_names_what_was_judged() -> None:
    report = judge(BY_NAME["good-stamp-v4"])
    assert (report.kind, report.version, report.stamp_time) == ("stamp", "V4", pki.DAY)
    assert (
        report.seal_name.startswith("测试专用章")
        and "CN=signer" in report.signer_subject
        and "CN=maker" in report.maker_subject
    )
    assert [judge(BY_NAME[name]).version for name in ("good-v1", "good-v4", "good-v5-timestamp")] == ["V1", "V4", "V5"]
    unreadable = judge(BY_NAME["trailing-byte"])
    assert (unreadable.kind, unreadable.version, unreadable.seal_name) == ("seal", "", "")
    assert judge({**BY_NAME["good-stamp-v4"]}, b"").kind == "stamp"


def test_verified_values_come_from_the_verifier_alone() -> None:
    stamp = judge(BY_NAME["good-stamp-v4"]).verified
    seal = judge(BY_NAME["good-v4"]).verified
    assert isinstance(stamp, VerifiedStamp) and isinstance(seal, VerifiedSeal)
    assert stamp.stamp.data_hash == generate.DIGEST
    with pytest.raises(TypeError):
        VerifiedStamp(stamp.stamp, stamp.signer, stamp.at, object())
    with pytest.raises(TypeError):
        VerifiedSeal(seal.seal, seal.maker, seal.at, None)


def test_C24_another_documents_digest_never_fits() -> None:
    row = BY_NAME["good-stamp-v4"]
    for digest in (bytes(32), sm3(generate.DOCUMENT + b"x"), generate.DIGEST[:31], b""):
        report = judge({**row, "document": digest.hex() or "00"})
        assert report.codes == ("document-digest",) and report.document == "failed"


@given(st.integers(-400, 1600))
def test_C23_the_seals_window_is_judged_at_stamping(days: int) -> None:
    """Any verification time later on gives the same verdict as long as the stamp was made in the seal's window."""
    row = BY_NAME["good-stamp-v4"]
    at = pki.DAY + timedelta(days=days)
    codes = judge({**row, "at": at.isoformat()}).codes
    assert codes == (() if days >= 0 else ("stamp-time-future",))


def test_every_bit_of_a_stamp_matters() -> None:
    """No flipped bit of a good stamp leaves it good, and none is answered with an exception."""
    row = BY_NAME["good-stamp-v4"]
    data = (FOLDER / row["file"]).read_bytes()
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1 << place % 8
        assert judge(row, bytes(changed)).ok is not True, place


@pytest.mark.parametrize("name", ["good-v1", "good-v4"])
def test_every_bit_of_a_seal_matters(name: str) -> None:
    row = BY_NAME[name]
    data = (FOLDER / row["file"]).read_bytes()
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1 << place % 8
        assert judge(row, bytes(changed)).ok is not True, place


@pytest.mark.parametrize("name", ["good-v1", "good-v4", "good-v5-timestamp", "good-stamp-v1", "good-stamp-v4"])
def test_every_truncation_is_a_format_reason(name: str) -> None:
    row = BY_NAME[name]
    data = (FOLDER / row["file"]).read_bytes()
    for length in range(len(data)):
        assert judge(row, data[:length]).codes == ("format",)


@given(st.binary(max_size=400), st.sampled_from(["good-v4", "good-stamp-v4"]))
def test_noise_is_a_format_reason(data: bytes, name: str) -> None:
    assert judge(BY_NAME[name], data).codes == ("format",)


@given(st.data())
def test_exchanged_elements_end_in_a_verdict(data: st.DataObject) -> None:
    """Elements of one vector put into another, at every level: structure that is valid DER and still wrong."""
    one, two = ((FOLDER / data.draw(st.sampled_from(INDEX))["file"]).read_bytes() for _ in range(2))
    start, end = sorted(data.draw(st.tuples(st.integers(0, len(one)), st.integers(0, len(one)))))
    cut = data.draw(st.integers(0, len(two)))
    mixed = one[:start] + two[cut : cut + end - start] + one[end:]
    for name in ("good-v4", "good-stamp-v4"):
        report = judge(BY_NAME[name], mixed)
        assert report.reasons or mixed in (one, two)


def test_a_huge_or_nested_stamp_is_a_format_reason() -> None:
    nested = b""
    for _ in range(5000):
        nested = b"\x30" + len(nested).to_bytes(3, "big").join((b"\x83", b"")) + nested
    for bomb in (bytes(8 << 20), nested, b"\x30\x84\xff\xff\xff\xff" + bytes(100)):
        assert judge(BY_NAME["good-stamp-v4"], bomb).codes == ("format",)


def test_the_words_of_malformed_input_reach_the_report() -> None:
    (reason,) = judge(BY_NAME["list-type-3"]).reasons
    assert "证书列表类型" in reason.zh and "list type" in reason.en


def test_several_findings_are_all_reported_in_order() -> None:
    row = {**BY_NAME["seal-expired-at-stamping"], "document": sm3(b"x").hex()}
    assert judge(row).codes == ("document-digest", "seal-expired")
    policy_row = replace(policy(row), revoked_later="accept")
    assert policy_row.path.revocation == "if-present"


def test_malformed_is_the_only_exception_of_the_parsers() -> None:
    from signing.seal import kind, parse_seal, parse_stamp

    data = Path(FOLDER / "good-stamp-v4.dat").read_bytes()
    for place in range(0, len(data), 3):
        changed = bytearray(data)
        changed[place] = 0xFF
        for parser in (kind, parse_seal, parse_stamp):
            try:
                parser(bytes(changed))
            except Malformed:
                continue

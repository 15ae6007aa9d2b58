"""The committed chains (tests/vectors/certs): the file is current, and each case read from it has its verdict again."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta

import pytest

from signing import certs, crl, ocsp
from signing.path import check_path
from signing.policy import PathPolicy
from tests import pki
from tests.vectors.certs import generate

FILE = json.loads((generate.HERE / "cases.json").read_text("utf-8"))


def test_the_file_is_what_the_generator_writes() -> None:
    assert (generate.HERE / "cases.json").read_text("utf-8") == generate.text()


def test_there_are_enough_of_them_and_names_differ() -> None:
    assert len(FILE["cases"]) == len(generate.ROWS) >= 60


@pytest.mark.parametrize("name", FILE["cases"])
def test_each_case_of_the_file_has_its_verdict(name: str) -> None:
    case = FILE["cases"][name]

    def read(*keys: str) -> list[bytes]:
        return [base64.b64decode(FILE["objects"][key]) for key in keys]

    policy = PathPolicy(
        usage=case["usage"], purpose=case["purpose"] or "", revocation=case["revocation"],
        crl_grace=timedelta(seconds=case["crl_grace_s"]), crl_partitions=case["crl_partitions"],
        ocsp_nonce="require" if case["ocsp_nonce_must"] else "optional",
    )  # fmt: skip
    leaf = certs.parse(read(case["leaf"])[0])
    about = certs.parse(read(case["ocsp_about"] or case["leaf"])[0])
    nonce = bytes.fromhex(case["ocsp_nonce"]) if case["ocsp_nonce"] else None
    report = check_path(
        leaf,
        [certs.parse(one) for one in read(*case["intermediates"])],
        [certs.parse(one) for one in read(*case["anchors"])],
        datetime.fromisoformat(case["at"]),
        pki.PROVIDER,
        crls=[crl.parse(one) for one in read(*case["crls"])],
        statuses=[ocsp.Answer(about, ocsp.parse(one), nonce) for one in read(*case["ocsp"])],
        policy=policy,
        now=datetime.fromisoformat(case["now"]),
    )
    assert report.ok is case["ok"] and sorted({reason.code for reason in report.reasons}) == case["reasons"]

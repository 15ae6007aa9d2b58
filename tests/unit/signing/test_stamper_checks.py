"""The local stamper: what it refuses before it signs (GM/T 0031-2014 6.2.2), and that what it makes is good."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from signing import certs, crl, lab, stamper
from signing.errors import Indeterminate, Rejected
from signing.issue import Revoked, build_crl
from signing.policy import CRL_IF_PRESENT, STRICT, PathPolicy, SealPolicy
from signing.seal import parse_seal
from signing.sm3 import sm3
from signing.stamper import LocalStamper
from signing.verify import verify_seal, verify_stamp
from tests import pki
from tests.pki import BORN, DAY, DIES
from tests.vectors.seals import generate

ANCHORS = [pki.root().certificate]


def local(certificate: certs.Certificate | None = None, seal: bytes | None = None, key: str = "signer") -> LocalStamper:
    chosen = certificate or generate.signer()
    return LocalStamper(pki.signer(key), chosen, seal or generate.seal(), ANCHORS, CRL_IF_PRESENT)


@pytest.mark.parametrize("form", ["V4", "V1"])
def test_what_is_stamped_verifies(form: str) -> None:
    made = local(seal=generate.seal(form="V1" if form == "V1" else "V4")).stamp(generate.DIGEST, generate.PLACE, DAY)
    assert isinstance(made, bytes)
    report = verify_stamp(
        made, generate.DIGEST, at=DAY, anchors=ANCHORS, provider=pki.PROVIDER, policy=CRL_IF_PRESENT,
        property_info=generate.PLACE,
    )  # fmt: skip
    assert report.ok is True and report.version == form and report.stamp_time == DAY


@pytest.mark.parametrize(
    ("code", "made", "at"),
    [
        ("signer-expired-at-stamping", lambda: local(), DIES + timedelta(days=1)),
        ("signer-not-yet-valid-at-stamping", lambda: local(), BORN - timedelta(days=1)),
        ("signer-key-usage", lambda: local(pki.leaf("signer", "encryption")), DAY),
        ("signer-untrusted-root", lambda: local(pki.leaf("signer", by=pki.root("stranger"))), DAY),
        ("seal-expired", lambda: local(seal=generate.seal(ends=DAY - timedelta(days=1))), DAY),
        ("seal-signature", lambda: local(seal=generate.seal(key="other")), DAY),
        ("format", lambda: local(seal=b"\x30\x00"), DAY),
        ("not-in-certificate-list", lambda: local(pki.leaf("signer", serial=99)), DAY),
        ("not-in-certificate-list", lambda: local(key="other"), DAY),
    ],
)
def test_C23_what_may_not_stamp_does_not(code: str, made: object, at: datetime) -> None:
    answer = made().stamp(generate.DIGEST, "", at)  # type: ignore[operator]
    assert isinstance(answer, Rejected) and answer.code == code


def test_C23_a_revoked_signer_does_not_stamp_and_an_unknown_one_cannot_tell() -> None:
    serial = generate.signer().serial
    listed = build_crl(pki.root(), number=1, this_update=BORN, next_update=DIES, revoked=[Revoked(serial, BORN)])
    base = local()
    revoked = LocalStamper(base.signer, base.certificate, base.seal, ANCHORS, CRL_IF_PRESENT, [crl.parse(listed)])
    answer = revoked.stamp(generate.DIGEST, "", DAY)
    assert isinstance(answer, Rejected) and answer.code == "signer-revoked-before-stamping"
    unknown = LocalStamper(base.signer, base.certificate, base.seal, ANCHORS, STRICT)
    answer = unknown.stamp(generate.DIGEST, "", DAY)
    assert isinstance(answer, Indeterminate) and answer.code == "signer-crl-missing"


@pytest.mark.parametrize("digest", [b"", bytes(31), bytes(33), b"x" * 64])
def test_only_a_digest_is_stamped(digest: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        local().stamp(digest, "", DAY)


def test_a_whole_laboratory_from_keys_numbers_and_times() -> None:
    roles = ["root", *lab.ROLES]
    keys = {role: pki.signer(f"lab-{role}") for role in roles}
    made = lab.build_lab_pki(
        "武汉市硚口区",
        "420104",
        keys,
        iter(range(100, 200)),
        at=BORN,
        until=DIES,
        seal_name="武汉市硚口区政务服务专用章",
    )
    assert set(made.certificates) == set(lab.ROLES)
    root = certs.parse(made.root)
    chains = PathPolicy(usage="any", revocation="require")
    policy = SealPolicy(path=PathPolicy(usage="sign", revocation="require"), revoked_later="cannot-tell")
    lists = [crl.parse(made.crl)]
    serials = set()
    for role, data in made.certificates.items():
        certificate = certs.parse(data)
        report = stamper.check_path(certificate, [], [root], DAY, pki.PROVIDER, crls=lists, policy=chains)
        assert report.ok is True, role
        assert lab.is_lab(certificate) and certificate.public_key == keys[role].public
        serials.add(certificate.serial)
    assert len(serials) == len(lab.ROLES) and lab.is_lab(root) and not lab.is_lab(pki.certificate(
        subject=b"\x30\x00", issuer=b"\x30\x00"))  # fmt: skip
    seal = verify_seal(made.seal, at=DAY, anchors=[root], provider=pki.PROVIDER, crls=lists, policy=policy)
    assert seal.ok is True and seal.seal_name == "武汉市硚口区政务服务专用章（样章·测试无效）"
    parsed = parse_seal(made.seal)
    assert parsed.es_id == "42010400000001" and "样章·测试无效" in parsed.picture.data.decode()
    used = stamper.local_stamper(
        keys["seal-signer"], made.certificates["seal-signer"], made.seal, anchors=[made.root], policy=CRL_IF_PRESENT
    )
    stamped = used.stamp(sm3(b"document"), "", DAY)
    assert isinstance(stamped, bytes)
    report = verify_stamp(
        stamped, sm3(b"document"), at=DAY, anchors=[root], provider=pki.PROVIDER, crls=lists, policy=policy
    )
    assert report.ok is True


def test_a_laboratory_with_only_the_keys_it_needs() -> None:
    keys = {role: pki.signer(f"lab-{role}") for role in ("root", "seal-maker", "seal-signer")}
    made = lab.build_lab_pki("红谷滩区", "360113", keys, iter(range(1, 9)), at=BORN, until=DIES, seal_name="章")
    assert set(made.certificates) == {"seal-maker", "seal-signer"}

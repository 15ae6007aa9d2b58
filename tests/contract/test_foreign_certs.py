"""Certificates, requests and revocation lists held against openssl and BouncyCastle, both ways.

What is missing is named in the skip: Debian ``openssl``; ``default-jdk-headless`` with ``libbcprov-java`` and
``libbcpkix-java`` (jars in the folder of ``TONGBAN_BCPROV_JAR``, default /usr/share/java).
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from signing import certs, crl, issue, keys
from signing.certs import Certificate
from signing.issue import Revoked, build_crl
from signing.path import check_path
from signing.policy import PathPolicy
from tests import pki
from tests.contract.bouncy_castle import ask
from tests.pki import BORN, DAY, DIES

DISTID = "distid:1234567812345678"
ANY = PathPolicy(usage="any", revocation="if-present")


@pytest.fixture(scope="module")
def openssl() -> str:
    found = shutil.which("openssl")
    if found is None:
        pytest.skip("no openssl is installed (Debian: openssl)")
    return found


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def judge(leaf: Certificate, middle: Sequence[Certificate], root: Certificate, at: datetime = DAY) -> bool | None:
    return check_path(leaf, middle, [root], at, pki.PROVIDER, policy=ANY).ok


# --- the openssl command ----------------------------------------------------------------------------------------------


def test_openssl_accepts_what_we_issue(openssl: str, tmp_path: Path) -> None:
    root, leaf, lists = (tmp_path / name for name in ("root.pem", "leaf.pem", "list.pem"))
    root.write_bytes(certs.to_pem(pki.root().certificate.der))
    for profile in issue.PROFILES:
        leaf.write_bytes(certs.to_pem(pki.leaf("holder", profile).der))
        seconds = str(int(DAY.timestamp()))
        done = run(
            openssl, "verify", "-x509_strict", "-attime", seconds, "-vfyopt", DISTID, "-CAfile", str(root), str(leaf)
        )
        assert done.returncode == 0, done.stderr
        text = run(openssl, "x509", "-in", str(leaf), "-noout", "-text", "-nameopt", "utf8").stdout
        assert "CN=holder" in text.replace(" ", "") and "SM2-with-SM3" in text and "ASN1 OID: SM2" in text
    made = build_crl(
        pki.root(), number=5, this_update=BORN, next_update=DIES, revoked=[Revoked(255, DAY, "superseded")]
    )
    lists.write_bytes(keys.to_pem("X509 CRL", made))
    text = run(openssl, "crl", "-in", str(lists), "-noout", "-text").stdout
    assert "Serial Number: FF" in text and "Superseded" in text and "Next Update: Jan  1 00:00:00 2030 GMT" in text


def test_openssl_refuses_our_certificate_when_altered(openssl: str, tmp_path: Path) -> None:
    root, leaf = tmp_path / "root.pem", tmp_path / "leaf.pem"
    root.write_bytes(certs.to_pem(pki.root().certificate.der))
    data = pki.leaf("holder").der
    leaf.write_bytes(certs.to_pem(data.replace(b"holder", b"hoIder")))
    assert run(openssl, "verify", "-vfyopt", DISTID, "-CAfile", str(root), str(leaf)).returncode != 0


def test_openssl_checks_our_requests_and_we_its(openssl: str, tmp_path: Path) -> None:
    ours, key, theirs = (tmp_path / name for name in ("ours.csr", "key.pem", "theirs.csr"))
    request = issue.build_csr(pki.signer("asker"), subject=pki.subject("asker"), dns=["a.example"])
    ours.write_bytes(keys.to_pem("CERTIFICATE REQUEST", request))
    done = run(openssl, "req", "-in", str(ours), "-verify", "-noout", "-text", "-vfyopt", DISTID)
    assert "verify OK" in done.stdout + done.stderr and "DNS:a.example" in done.stdout
    run(openssl, "genpkey", "-algorithm", "SM2", "-out", str(key))
    new = ("req", "-new", "-key", str(key), "-subj", "/CN=Foreign", "-sm3", "-addext", "subjectAltName=DNS:b.example")
    assert run(openssl, *new, "-sigopt", DISTID, "-out", str(theirs)).returncode == 0
    read = issue.load_csr(theirs.read_bytes())
    assert issue.check_csr(read, pki.PROVIDER) and read.dns == ["b.example"]
    run(openssl, *new, "-out", str(theirs))
    assert not issue.check_csr(issue.load_csr(theirs.read_bytes()), pki.PROVIDER)  # the empty id of OpenSSL 3


@pytest.mark.parametrize(("options", "good"), [(("-sigopt", DISTID), True), ((), False)], ids=["gm id", "empty id"])
def test_we_judge_what_openssl_issues(openssl: str, tmp_path: Path, options: tuple[str, ...], good: bool) -> None:
    names = {name: str(tmp_path / name) for name in ("root.key", "root.pem", "leaf.key", "leaf.csr", "leaf.pem")}
    for key in ("root.key", "leaf.key"):
        run(openssl, "genpkey", "-algorithm", "SM2", "-out", names[key])
    made = run(
        openssl, "req", "-x509", "-key", names["root.key"], "-subj", "/C=CN/CN=OpenSSL Root", "-sm3", *options, "-days", "30",
        "-out", names["root.pem"],
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    run(
        openssl,
        "req",
        "-new",
        "-key",
        names["leaf.key"],
        "-subj",
        "/CN=Leaf",
        "-sm3",
        *options,
        "-out",
        names["leaf.csr"],
    )
    vfyopt = ("-vfyopt", DISTID) if good else ()
    made = run(
        openssl, "x509", "-req", "-in", names["leaf.csr"], "-CA", names["root.pem"], "-CAkey", names["root.key"], "-sm3",
        *options, *vfyopt, "-days", "30", "-set_serial", "5", "-out", names["leaf.pem"],
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    root, leaf = (certs.from_pem(Path(names[name]).read_bytes()) for name in ("root.pem", "leaf.pem"))
    report = check_path(leaf, [], [root], leaf.not_before, pki.PROVIDER, policy=ANY)
    assert report.ok is good and [reason.code for reason in report.reasons] == ([] if good else ["bad-signature"])


# --- BouncyCastle -----------------------------------------------------------------------------------------------------


def test_bouncycastle_accepts_what_we_issue(bouncy_castle: list[str]) -> None:
    at = str(int(DAY.timestamp() * 1000))
    root, middle = pki.root(), pki.authority("middle")
    leaf = pki.leaf("end", by=middle)
    altered = leaf.der.replace(b"end", b"enc")
    late = str(int((DIES + timedelta(days=2)).timestamp() * 1000))
    lists = [
        build_crl(root, number=1, this_update=BORN, next_update=DIES, revoked=[Revoked(serial, BORN, "keyCompromise")])
        for serial in (pki.leaf("end").serial, 5)
    ]
    request = issue.build_csr(pki.signer("asker"), subject=pki.subject("asker"), dns=["a.example"])
    answers = ask(
        bouncy_castle,
        ("chain", at, leaf.der, middle.certificate.der, root.certificate.der),
        ("chain", at, altered, middle.certificate.der, root.certificate.der),
        ("chain", late, leaf.der, middle.certificate.der, root.certificate.der),
        ("chain-crl", at, lists[1], pki.leaf("end").der, root.certificate.der),
        ("chain-crl", at, lists[0], pki.leaf("end").der, root.certificate.der),
        ("csr", request),
        ("csr", request.replace(b"asker", b"asked")),
    )
    assert [answer.split()[0] for answer in answers] == ["ok", "error", "error", "ok", "error", "true", "false"], (
        answers
    )
    assert "revo" in answers[4].lower(), answers[4]


def test_we_accept_what_bouncycastle_issues(bouncy_castle: list[str]) -> None:
    (answer,) = ask(bouncy_castle, ("issue", str(int(DAY.timestamp() * 1000))))
    root, middle, leaf, revoked, request = map(bytes.fromhex, answer.split())
    parsed = [certs.parse(data) for data in (leaf, middle, root)]
    assert judge(parsed[0], [parsed[1]], parsed[2]) is True
    assert parsed[0].subject == "C=CN,CN=BC 签章人" and parsed[0].defects == ()
    lists = [crl.parse(revoked)]
    report = check_path(parsed[0], [parsed[1]], [parsed[2]], DAY, pki.PROVIDER, crls=lists, policy=ANY)
    assert [reason.code for reason in report.reasons] == ["revoked"]
    asked = issue.parse_csr(request)
    assert issue.check_csr(asked, pki.PROVIDER) and asked.public_key == parsed[0].public_key

"""``tongban cert verify`` and ``cert ocsp`` from outside: steps in words, online status from files and from a responder, pairs."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from gateway.cli.cert_report import STEPS, step_of
from signing import certs, issue, keys, ocsp, reasons
from signing.ocsp_build import Said, build_response
from tests import pki
from tests.contract.command import tongban
from tests.vectors.certs import lists, shapes

pytestmark = pytest.mark.usefixtures("as_the_command_runs")
AT = ("--at", "2026-06-01T08:00:00Z")
FROM = ("--from", "2026-06-01T07:00:00Z")
TRUST = ("--anchor", "root.pem")


def cert(*arguments: str) -> Result:
    return tongban("cert", *arguments)


def answer(*arguments: str) -> tuple[int, dict[str, Any]]:
    result = cert(*arguments, "--json")
    return result.exit_code, json.loads(result.stdout.splitlines()[-1])


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a root, a responder, a leaf and the leaf's encryption certificate."""
    monkeypatch.chdir(tmp_path)
    encryption = issue.build_certificate(
        pki.root(), subject=pki.subject("end"), public_key=pki.signer("end-2").public, serial=9,
        not_before=pki.BORN, not_after=pki.DIES, profile="encryption",
    )  # fmt: skip
    made = {
        "root": pki.root().certificate.der, "responder": pki.leaf("responder", "ocsp-responder").der,
        "leaf": pki.leaf("end", "identity").der, "encryption": encryption,
        "neighbour": pki.leaf("neighbour", "encryption").der,
    }  # fmt: skip
    for name, data in made.items():
        Path(f"{name}.pem").write_bytes(certs.to_pem(data))
    for name in ("root", "responder"):
        Path(f"{name}.key").write_bytes(keys.private_to_pem(pki.signer(name).private, None))
    return tmp_path


# --- steps ------------------------------------------------------------------------------------------------------------


def test_every_reason_belongs_to_a_step_that_fits_it() -> None:
    said = {code: step_of(code).name for code in (*reasons.PATH_REJECTED, *reasons.PATH_UNKNOWN)}
    assert set(said.values()) == {step.name for step in STEPS}
    assert said["ocsp-nonce"] == said["crl-stale"] == said["ca-revoked"] == "revocation"
    assert said["serial-number"] == said["name-constraints-form"] == "form"


def test_each_step_is_shown_with_its_outcome(house: Path) -> None:
    text = cert("verify", "leaf.pem", *TRUST, *AT).stdout
    assert "✓ 证书有效" in text and "✓ 有效期" in text and "✓ 名称约束" in text and "－ 吊销" in text
    text = cert("verify", "leaf.pem", *TRUST, "--at", "2040-01-01", "--require-crl", "--usage", "encrypt").stdout
    assert "✗ 有效期\n      证书“end”已过期" in text and "✗ 密钥用途" in text and "？ 吊销" in text
    code, data = answer("verify", "leaf.pem", "--anchor", "neighbour.pem", *AT)
    outcomes = {row["step"]: row["outcome"] for row in data["steps"]}
    assert code == 1 and outcomes["chain"] == "failed"
    assert outcomes["names"] == "not-done" and outcomes["validity"] == "ok"


def test_C22_a_weak_root_is_told(house: Path) -> None:
    case = shapes.under_rsa(shapes.RSA_1024, "sha1")()
    for name, certificate in (("weak-root", case.anchors[0]), ("mixed", case.middle[0]), ("below", case.leaf)):
        Path(f"{name}.pem").write_bytes(certs.to_pem(certificate.der))
    code, data = answer("verify", "below.pem", "--anchor", "weak-root.pem", "--intermediate", "mixed.pem", *AT)
    assert code == 1 and data["reason"] == "weak-algorithm"


# --- lists and status ---------------------------------------------------------------------------------------------------


def test_C03_partitions_by_setting(house: Path) -> None:
    Path("part.crl").write_bytes(lists.PART_HERE().der)
    Path("there.pem").write_bytes(certs.to_pem(lists.pointing(lists.THERE).der))
    asked = ("verify", "there.pem", *TRUST, *AT, "--crl", "part.crl", "--require-crl")
    assert answer(*asked)[0] == 2
    assert answer(*asked, "--partitions", "as-complete")[0] == 0


@pytest.mark.parametrize("digest", ["sm3", "sha1"])
@pytest.mark.parametrize("delegated", [False, True], ids=["issuer", "delegated"])
def test_C04_from_question_to_verdict(house: Path, digest: str, delegated: bool) -> None:
    by = ("--key", "responder.key", "--responder", "responder.pem") if delegated else ("--key", "root.key")
    code, data = answer("ocsp", "--ca", "root.pem", "--for", "leaf.pem", "--digest", digest, "--out", "ask.der")
    assert code == 0 and len(data["nonce"]) == 32
    code, data = answer("ocsp", "--ca", "root.pem", *by, "--request", "ask.der", *FROM, "--out", "good.der")
    assert code == 0 and data["statuses"] == ["good"]
    code, data = answer("verify", "leaf.pem", *TRUST, *AT, "--ocsp", "good.der", "--require-crl")
    assert code == 0 and {"step": "revocation", "outcome": "ok"} in data["steps"]
    assert (
        answer("verify", "encryption.pem", *TRUST, *AT, "--ocsp", "good.der")[1]["reason"] == "ocsp-other-certificate"
    )
    late = ("--at", "2026-06-03T08:00:00Z")
    code, data = answer("verify", "leaf.pem", *TRUST, *late, "--ocsp", "good.der")
    assert code == 2 and data["reason"] == "ocsp-stale"


def test_C04_a_revoked_certificate_is_told_by_a_responder_that_has_the_list(house: Path) -> None:
    revoke = ("--ca", "root.pem", "--ca-key", "root.key", "--revoke", "leaf.pem", "--revoked-at", "2026-05-01")
    assert cert("crl", *revoke, "--from", "2026-05-02", "--out", "1.crl").exit_code == 0
    asked = ("ocsp", "--ca", "root.pem", "--key", "root.key", "--crl", "1.crl", *FROM)
    assert answer(*asked, "--for", "leaf.pem", "--out", "no.der")[1]["statuses"] == ["revoked"]
    code, data = answer("verify", "leaf.pem", *TRUST, *AT, "--ocsp", "no.der")
    assert code == 1 and data["reason"] == "revoked"


def test_what_ocsp_is_not_told_is_wrong_usage(house: Path) -> None:
    for arguments in (("--for", "leaf.pem", "--request", "x"), (), ("--key", "root.key"), ("--request", "leaf.pem")):
        assert cert("ocsp", "--ca", "root.pem", *arguments, "--out", "x").exit_code == 64
    mixed = ("--key", "root.key", "--responder", "responder.pem", "--for", "leaf.pem")
    assert answer("ocsp", "--ca", "root.pem", *mixed, "--out", "x")[1]["reason"] == "key-mismatch"
    assert cert("ocsp", "--ca", "root.pem", "--key", "root.key", "--request", "leaf.pem", "--out", "x").exit_code == 65
    assert cert("verify", "leaf.pem", *TRUST, "--ocsp", "leaf.pem").exit_code == 65
    assert cert("verify", "leaf.pem", *TRUST, "--ocsp-url", "file:///etc/passwd").exit_code == 64


class Responder(BaseHTTPRequestHandler):
    """The root's, of today."""

    def do_POST(self) -> None:
        asked = ocsp.parse_request(self.rfile.read(int(self.headers["Content-Length"])))
        now = pki.datetime.now(pki.UTC)
        body = build_response(pki.root().signer, [Said(asked.ids[0], now)], produced_at=now, nonce=asked.nonce)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing is written while tests run."""


@pytest.fixture
def url() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Responder) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_a_responder_is_asked_now(house: Path, url: str) -> None:
    code, data = answer("verify", "leaf.pem", *TRUST, "--ocsp-url", url, "--require-crl")
    assert code == 0 and data["reason"] == "ok"
    code, data = answer("verify", "leaf.pem", *TRUST, "--ocsp-url", "http://127.0.0.1:1/")
    assert code == 2 and data["reason"] == "ocsp-unreachable"
    assert "？ 吊销" in cert("verify", "leaf.pem", *TRUST, "--ocsp-url", "http://127.0.0.1:1/").stdout
    code, data = answer("verify", "leaf.pem", "--ocsp-url", url)
    assert code == 1 and data["reason"] == "untrusted-root"


# --- pairs ------------------------------------------------------------------------------------------------------------


def test_C07_the_two_certificates_of_a_holder(house: Path) -> None:
    code, data = answer("verify", "leaf.pem", *TRUST, *AT, "--pair", "encryption.pem")
    assert code == 0 and data["pair"] == [] and len(data["encryption"]) == 2
    code, data = answer("verify", "leaf.pem", *TRUST, *AT, "--pair", "neighbour.pem")
    assert code == 1 and data["reason"] == "pair-subject"
    code, data = answer("verify", "encryption.pem", *TRUST, *AT, "--pair", "leaf.pem")
    assert code == 1 and {"pair-signing-usage", "pair-encryption-usage", "key-usage"} <= {
        row["code"] for row in data["reasons"]
    }
    text = cert("verify", "leaf.pem", *TRUST, *AT, "--pair", "neighbour.pem").stdout
    assert "✗ 两张证书配对" in text and "持有者不同" in text and "✓ 加密证书：CN=neighbour" in text
    assert answer("verify", "leaf.pem", *TRUST, "--at", "2040-01-01", "--pair", "encryption.pem")[0] == 1

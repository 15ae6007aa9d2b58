"""Online status both ways with BouncyCastle, and ours read by the openssl command (row C04).

OpenSSL 3 checks SM2 signatures in OCSP with an empty signer id and has no option for another, so it reads and does not judge.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from signing import certs, ocsp
from signing.ocsp import Answer, build_request, identify
from signing.ocsp_build import build_failure
from signing.path import check_path
from tests import pki
from tests.contract.bouncy_castle import ask
from tests.pki import DAY
from tests.vectors.certs import statuses
from tests.vectors.certs.chain import REQUIRE

ROOT = pki.root().certificate
NONCE = bytes(range(16))


@pytest.fixture(scope="module")
def tool(bouncy_castle: list[str]) -> list[str]:
    *command, program = bouncy_castle
    return [*command, str(Path(program).with_name("OcspTool.java"))]


@pytest.mark.processes
def test_C04_bouncycastle_reads_and_checks_what_we_write(tool: list[str]) -> None:
    leaf = statuses.leaf()
    responses = {
        "true true good": [statuses.good()(), statuses.good(digest="sha1")(), statuses.delegated(statuses.responder)()],
        "true true RevokedStatus": [statuses.said(revoked=statuses.BORN, reason="keyCompromise")()],
        "true false good": [statuses.good(about=pki.leaf("other"))()],
        "false true RevokedStatus": [statuses.altered()],
        "status 3": [build_failure("tryLater")],
    }
    questions = [("check", data, ROOT.der, leaf.der) for made in responses.values() for data in made]
    for digest in ocsp.DIGEST_OIDS:
        questions.append(("request", build_request(identify(leaf, ROOT, digest), NONCE), ROOT.der, leaf.der))
    wanted = [answer for answer, made in responses.items() for _ in made]
    assert ask(tool, *questions) == [*wanted, f"true 0410{NONCE.hex()}", f"true 0410{NONCE.hex()}"]


@pytest.mark.processes
def test_C04_we_judge_what_bouncycastle_writes(tool: list[str]) -> None:
    at = str(int(DAY.timestamp() * 1000))
    rows = [(digest, status) for digest in ("sm3", "sha1") for status in ("good", "revoked")]
    answers = ask(tool, *(("issue", at, *row) for row in rows))
    for (_, status), line in zip(rows, answers, strict=True):
        root, leaf, request, response = map(bytes.fromhex, line.split())
        issuer, holder = certs.parse(root), certs.parse(leaf)
        asked = ocsp.parse_request(request)
        assert asked.ids[0].names(holder, issuer) and asked.nonce == bytes(16)
        for nonce, ok in ((bytes(16), status == "good"), (NONCE, None if status == "good" else False)):
            said = [Answer(holder, ocsp.parse(response), nonce)]
            report = check_path(holder, [], [issuer], DAY, pki.PROVIDER, statuses=said, policy=REQUIRE)
            assert report.ok is ok, report.reasons


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl is installed (Debian: openssl)")
def test_openssl_reads_what_we_write(tmp_path: Path) -> None:
    request, response = tmp_path / "request.der", tmp_path / "response.der"
    request.write_bytes(build_request(identify(statuses.leaf(), ROOT), NONCE))
    response.write_bytes(statuses.said(revoked=statuses.BORN, reason="superseded")())

    def text(*options: str) -> str:
        done = subprocess.run(("openssl", "ocsp", *options), capture_output=True, text=True, check=False, timeout=60)
        return done.stdout + done.stderr

    asked = text("-reqin", str(request), "-req_text")
    assert "Hash Algorithm: sm3" in asked and f"0410{NONCE.hex()}".upper() in asked
    said = text("-respin", str(response), "-resp_text", "-noverify")
    assert "OCSP Response Status: successful" in said and "SM2-with-SM3" in said
    assert "Cert Status: revoked" in said and "Revocation Reason: superseded" in said and "Jan  1 00:00:00 2026" in said

"""``tongban cms`` and ``tongban tsa`` from outside: files in, files out, exit codes; garbage ends in words."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.timestamping import QUERY
from signing import certs, keys
from signing.issue import build_certificate
from signing.timestamp_build import build_request, parse_response
from tests import pki
from tests.contract.command import tongban
from tests.unit.signing.test_messages import CONTENT, INBOX, ONE, envelope, holder, loose
from tests.unit.signing.test_timestamps import TSA, TSA_ROOT

pytestmark = pytest.mark.usefixtures("as_the_command_runs")
AT = ("--at", "2026-06-02")


def cms(*arguments: str, noun: str = "cms") -> tuple[int, dict[str, Any]]:
    result = tongban(noun, *arguments, "--json")
    return result.exit_code, json.loads(result.stdout.splitlines()[-1])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Certificates with keys, a root, and something to say."""
    monkeypatch.chdir(tmp_path)
    Path("root.pem").write_bytes(certs.to_pem(pki.root().certificate.der))
    for name, one in (("one", ONE), ("inbox", INBOX), ("other", holder("other-inbox", "encryption")), ("tsa", TSA)):
        Path(f"{name}.pem").write_bytes(certs.to_pem(one.certificate.der))
        Path(f"{name}.key").write_bytes(keys.private_to_pem(one.signer.private, None))  # type: ignore[arg-type]
    Path("tsa-root.pem").write_bytes(certs.to_pem(TSA_ROOT.certificate.der))
    Path("text").write_bytes(CONTENT)
    return tmp_path


BY_ONE = ("--cert", "one.pem", "--key", "one.key")
TRUST = ("--anchor", "root.pem", *AT)


@pytest.mark.parametrize("family", ["gm", "pkcs7"])
@pytest.mark.parametrize("how", [(), ("--detached",), ("--no-attributes",), ("--detached", "--no-attributes")])
def test_what_is_signed_verifies(folder: Path, how: tuple[str, ...], family: str) -> None:
    assert cms("sign", "--in", "text", "--out", "m", *BY_ONE, *how, "--family", family, *AT)[0] == 0
    content = ("--content", "text") if "--detached" in how else ()
    code, said = cms("verify", "m", *content, *TRUST, "--out", "again")
    assert code == 0 and said["signers"][0]["subject"].startswith("CN=one") and Path("again").read_bytes() == CONTENT
    assert (said["signers"][0]["stated_time"] is None) is ("--no-attributes" in how)
    assert cms("verify", "m", *content, *AT)[1]["reason"] == "untrusted-root"
    Path("m").write_bytes(loose(Path("m").read_bytes()))
    assert cms("verify", "m", *content, *TRUST)[0] == 0
    if content:
        assert cms("verify", "m", *TRUST)[0] == 2
        Path("text").write_bytes(b"other")
        assert cms("verify", "m", *content, *TRUST)[0] == 1


@pytest.mark.parametrize("mode", ["cbc", "gcm"])
def test_what_is_enveloped_opens_for_its_recipients_alone(folder: Path, mode: str) -> None:
    to = ("--to", "inbox.pem", "--to", "other.pem", "--mode", mode)
    assert cms("encrypt", "--in", "text", "--out", "e", *to, *TRUST)[0] == 0
    for name in ("inbox", "other"):
        assert cms("decrypt", "--in", "e", "--out", name, "--cert", f"{name}.pem", "--key", f"{name}.key")[0] == 0
        assert Path(name).read_bytes() == CONTENT and Path(name).stat().st_mode & 0o077 == 0
    assert (
        cms("decrypt", "--in", "e", "--out", "x", "--cert", "inbox.pem", "--key", "other.key")[1]["reason"]
        == "key-mismatch"
    )
    assert cms("encrypt", "--in", "text", "--out", "e", "--to", "inbox.pem", *TRUST)[0] == 0
    code, said = cms("decrypt", "--in", "e", "--out", "x", "--cert", "other.pem", "--key", "other.key")
    assert (code, said["reason"]) == (1, "not-recipient") and not Path("x").exists()


def test_c05_c06_dual_certificates_are_not_mixed_up(folder: Path) -> None:
    inbox = ("--cert", "inbox.pem", "--key", "inbox.key")
    assert cms("sign", "--in", "text", "--out", "m", *inbox)[1]["reason"] == "key-usage"
    assert cms("encrypt", "--in", "text", "--out", "e", "--to", "one.pem")[1]["reason"] == "recipient-usage"
    assert cms("encrypt", "--in", "text", "--out", "e", "--to", "one.pem", *TRUST)[1]["reason"] == "key-usage"
    Path("e").write_bytes(envelope())
    assert cms("decrypt", "--in", "e", "--out", "x", *BY_ONE)[1]["reason"] == "recipient-usage"


def test_files_that_cannot_be_used_end_in_words(folder: Path) -> None:
    assert tongban("cms", "verify", "missing").exit_code == 65
    assert tongban("cms", "sign", "--in", "text", "--out", "no/where", *BY_ONE).exit_code == 1
    assert tongban("cms", "verify").exit_code == 64


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60))
def test_garbage_is_refused_in_words(folder: Path, data: bytes) -> None:
    Path("g").write_bytes(data)
    assert cms("verify", "g", *TRUST)[0] == 65
    assert cms("decrypt", "--in", "g", "--out", "x", "--cert", "inbox.pem", "--key", "inbox.key")[0] == 65


def test_an_authority_needs_a_certificate_for_time_stamps_and_its_key(folder: Path) -> None:
    assert "timestamp-usage" not in tongban("tsa", "serve", *BY_ONE).output  # words for people, no codes
    assert tongban("tsa", "serve", *BY_ONE).exit_code == 1
    assert tongban("tsa", "serve", "--cert", "tsa.pem", "--key", "one.key").exit_code == 1


@pytest.mark.processes
def test_the_laboratorys_authority_answers(folder: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "gateway.cli",
        "tsa",
        "serve",
        "--cert",
        "tsa.pem",
        "--key",
        "tsa.key",
        "--port",
        str(port),
    ]
    environment = {"PYTHONPATH": str(Path(__file__).resolve().parents[2]), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    query = urllib.request.Request(
        f"http://127.0.0.1:{port}/", build_request(bytes(32), nonce=9), {"Content-Type": QUERY}, method="POST"
    )
    try:
        for _ in range(100):
            try:
                with urllib.request.urlopen(query, timeout=2) as reply:
                    assert parse_response(reply.read()).token is not None
                break
            except OSError:
                time.sleep(0.1)
        else:
            pytest.fail("nobody answered")
        url, clock = f"http://127.0.0.1:{port}/", ("--tsa-anchor", "tsa-root.pem")
        assert cms("stamp", "text", "--url", url, *clock, "--out", "t", noun="tsa")[0] == 0
        code, said = cms("verify", "text", "--token", "t", *clock, noun="tsa")
        assert code == 0 and said["proves"] is not None
        assert cms("verify", "one.pem", "--token", "t", *clock, noun="tsa")[1]["reason"] == "timestamp-imprint"
        assert cms("verify", "text", "--token", "t", *clock, "--at", "2031-01-01", noun="tsa")[0] == 2
        root = ("--tsa-anchor", "root.pem")
        assert cms("stamp", "text", "--url", url, *root, "--out", "u", noun="tsa")[1]["reason"] == "tsa-untrusted-root"
        assert cms("stamp", "text", "--url", "http://127.0.0.1:9/", *clock, "--out", "u", noun="tsa")[0] == 2
        assert not Path("u").exists() and "不晚于" in tongban("tsa", "verify", "text", "--token", "t", *clock).output
    finally:
        process.terminate()
        assert process.wait(10) == 0


def test_cert_issue_makes_an_authoritys_certificate() -> None:
    made = certs.parse(
        build_certificate(
            pki.root(), subject=[("CN", "t")], public_key=pki.signer("t").public, serial=9, not_before=pki.BORN,
            not_after=pki.DIES, profile="tsa",
        )
    )  # fmt: skip
    [usage] = [one for one in made.extensions if one.oid == "2.5.29.37"]
    assert usage.critical and made.extended_usage == ("1.3.6.1.5.5.7.3.8",)

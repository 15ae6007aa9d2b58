"""``tongban cert`` from outside: issue, show, verify as of a time, revoke; exit codes 0/1/2/64/65; garbage ends in words."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signing import certs, der, keys
from signing.certs import Extension
from tests import pki
from tests.contract.command import tongban
from tests.sizes import ROOT

pytestmark = pytest.mark.usefixtures("as_the_command_runs")


def cert(*arguments: str) -> Result:
    return tongban("cert", *arguments)


def answer(*arguments: str) -> tuple[int, dict[str, Any]]:
    result = cert(*arguments, "--json")
    data = json.loads(result.stdout.splitlines()[-1])
    assert {"ok", "reason"} <= data.keys()
    return result.exit_code, data


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two keys, a root, an intermediate and a leaf from a request."""
    monkeypatch.chdir(tmp_path)
    for name in ("root", "middle", "leaf"):
        private = pki.signer(f"cli-{name}").private
        Path(f"{name}.key").write_bytes(keys.private_to_pem(private, None))
        Path(f"{name}.pub").write_bytes(keys.public_to_pem(private.public))
    begins = ("--from", "2026-01-01T00:00:00Z")
    assert (
        cert(
            "issue", "--key", "root.key", "--subject", "CN=实验根,O=硚口区,C=CN", *begins, "--out", "root.pem"
        ).exit_code
        == 0
    )
    under = ("--ca", "root.pem", "--ca-key", "root.key", *begins)
    name = ("--subject", "CN=中间,C=CN")
    assert cert("issue", *under, "--pub", "middle.pub", *name, "--profile", "ca", "--out", "middle.pem").exit_code == 0
    assert (
        cert(
            "csr", "--key", "leaf.key", "--subject", "CN=签章人,C=CN", "--dns", "a.example", "--out", "leaf.csr"
        ).exit_code
        == 0
    )
    under = ("--ca", "middle.pem", "--ca-key", "middle.key", *begins, "--days", "90")
    assert cert("issue", *under, "--csr", "leaf.csr", "--out", "leaf.pem").exit_code == 0
    return tmp_path


AT = ("--at", "2026-02-01")
TRUST = ("--anchor", "root.pem", "--intermediate", "middle.pem")


def test_what_was_issued_carries_the_laboratorys_mark_and_the_request(house: Path) -> None:
    leaf = certs.from_pem(Path("leaf.pem").read_bytes())
    assert leaf.subject == "CN=签章人,OU=样章·测试无效,C=CN" and b"a.example" in leaf.der
    assert leaf.public_key == pki.signer("cli-leaf").public and leaf.serial.bit_length() > 100
    code, data = answer("show", "leaf.pem")
    (shown,) = data["certificates"]
    assert code == 0 and shown["lab"] is True and shown["key_usage"] == ["digitalSignature", "nonRepudiation"]
    assert shown["not_before"] == "2026-01-01T00:00:00Z" and shown["not_after"] == "2026-04-01T00:00:00Z"
    text = cert("show", "leaf.pem").stdout
    assert "持有者：CN=签章人" in text and "2026-01-01 08:00:00 +08:00" in text


def test_a_chain_is_verified_as_of_a_time(house: Path) -> None:
    code, data = answer("verify", "leaf.pem", *TRUST, *AT)
    assert code == 0 and data["ok"] is True and data["reason"] == "ok"
    assert [name.split(",")[0] for name in data["path"]] == ["CN=签章人", "CN=中间", "CN=实验根"]
    for at, reason in (("2026-05-01T00:00:00+08:00", "expired"), ("2025-12-31", "not-yet-valid")):
        code, data = answer("verify", "leaf.pem", *TRUST, "--at", at)
        assert code == 1 and data["ok"] is False and data["reason"] == reason
    Path("bundle.pem").write_bytes(Path("leaf.pem").read_bytes() + Path("middle.pem").read_bytes())
    assert cert("verify", "bundle.pem", "--anchor", "root.pem", *AT).exit_code == 0
    assert answer("verify", "leaf.pem", "--anchor", "root.pem", *AT)[1]["reason"] == "untrusted-root"
    assert answer("verify", "leaf.pem", *AT)[1]["reason"] == "untrusted-root"
    assert answer("verify", "leaf.pem", *TRUST, *AT, "--usage", "encrypt")[1]["reason"] == "key-usage"


def test_a_clerk_reads_which_certificate_failed(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = cert("verify", "leaf.pem", *TRUST, "--at", "2040-01-01").stdout
    assert "✗ 证书无效" in text and "上级证书“中间”已过期" in text and "根证书“实验根”已过期" in text
    monkeypatch.setenv("TONGBAN_LANG", "en")
    text = cert("verify", "leaf.pem", *TRUST, "--at", "2040-01-01").stdout
    assert "✗ the certificate is not valid" in text and "issuing certificate “中间”: expired" in text


def test_revocation_from_list_to_verdict(house: Path) -> None:
    ca = ("--ca", "middle.pem", "--ca-key", "middle.key", "--from", "2026-02-01")
    code, data = answer(
        "crl", *ca, "--revoke", "leaf.pem", "--reason", "keyCompromise", "--revoked-at", "2026-01-20", "--out", "1.crl"
    )
    assert code == 0 and data["entries"] == 1 and data["number"] == 1
    code, data = answer("verify", "leaf.pem", *TRUST, "--crl", "1.crl", "--at", "2026-02-02")
    assert code == 1 and data["reason"] == "revoked"
    code, data = answer("verify", "leaf.pem", *TRUST, "--crl", "1.crl", "--at", "2026-01-10")
    assert code == 0 and data["revoked_later"] == "2026-01-19T16:00:00Z"
    code, data = answer("crl", *ca, "--revoke", "ff", "--previous", "1.crl", "--out", "2.crl")
    assert data["entries"] == 2 and data["number"] == 2
    code, data = answer("crl", "--show", "2.crl")
    assert code == 0 and [entry["reason"] for entry in data["entries"]] == ["unspecified", "keyCompromise"]
    code, data = answer("verify", "middle.pem", "--anchor", "root.pem", "--require-crl", *AT)
    assert code == 2 and data["ok"] is None and data["reason"] == "crl-missing"
    assert "吊销列表" in cert("crl", "--show", "2.crl").stdout


def test_a_past_moment_is_told_by_lists_of_then_or_of_today(house: Path) -> None:
    """A list made today clears a certificate for a day in the past, and so does the list of that day."""
    today = datetime.now(UTC)
    then, long_ago = ((today - timedelta(days=days)).isoformat() for days in (40, 60))
    assert cert("issue", "--key", "root.key", "--subject", "CN=r", "--from", long_ago, "--out", "r.pem").exit_code == 0
    under = ("--ca", "r.pem", "--ca-key", "root.key")
    made = cert("issue", *under, "--pub", "leaf.pub", "--subject", "CN=e", "--from", long_ago, "--out", "e.pem")
    assert made.exit_code == 0
    for begins, file in ((then, "then.crl"), (today.isoformat(), "today.crl"), (long_ago, "old.crl")):
        days = "5" if file == "old.crl" else "30"
        assert cert("crl", *under, "--from", begins, "--days", days, "--out", file).exit_code == 0
        code, data = answer("verify", "e.pem", "--anchor", "r.pem", "--crl", file, "--require-crl", "--at", then)
        assert (code, data["reason"]) == ((2, "crl-stale") if file == "old.crl" else (0, "ok"))


def test_a_request_that_lies_is_refused(house: Path) -> None:
    request = keys.from_pem(Path("leaf.csr").read_bytes(), "CERTIFICATE REQUEST")[1]
    Path("lie.csr").write_bytes(request.replace(b"a.example", b"b.example"))
    code, data = answer("issue", "--ca", "middle.pem", "--ca-key", "middle.key", "--csr", "lie.csr", "--out", "x.pem")
    assert code == 1 and data["reason"] == "csr-signature" and not Path("x.pem").exists()
    code, data = answer(
        "issue",
        "--ca",
        "root.pem",
        "--ca-key",
        "middle.key",
        "--pub",
        "leaf.pub",
        "--subject",
        "CN=x",
        "--out",
        "x.pem",
    )
    assert code == 1 and data["reason"] == "key-mismatch" and not Path("x.pem").exists()


def test_a_certificate_with_defects_is_shown_and_refused(house: Path) -> None:
    bad = pki.certificate(
        serial=der.integer(0), subject=b"\x30\x00", extensions=pki.extensions(Extension("1.2.3.4", True, b"x"))
    )
    Path("bad.der").write_bytes(bad.der)
    assert "✗" in cert("show", "bad.der").stdout
    code, data = answer("verify", "bad.der", "--anchor", "root.pem", *AT)
    codes = {reason["code"] for reason in data["reasons"]}
    assert code == 1 and {"serial-number", "subject-empty", "unknown-critical-extension"} <= codes


@pytest.mark.parametrize(
    "arguments",
    [
        ["verify"],
        ["verify", "leaf.pem", "--at", "yesterday"],
        ["verify", "leaf.pem", "--at", "0001-01-01"],
        ["verify", "leaf.pem", "--usage", "fun"],
        ["csr", "--key", "leaf.key", "--subject", "nonsense", "--out", "x"],
        ["csr", "--key", "leaf.key", "--subject", "C=中国", "--out", "x"],
        ["csr", "--key", "leaf.key", "--subject", "CN=x", "--dns", "坏", "--out", "x"],
        ["issue", "--out", "x"],
        ["issue", "--key", "root.key", "--out", "x"],
        ["issue", "--key", "root.key", "--subject", "CN=x", "--ca", "root.pem", "--out", "x"],
        ["issue", "--ca", "root.pem", "--ca-key", "root.key", "--pub", "leaf.pub", "--out", "x"],
        ["issue", "--ca", "root.pem", "--ca-key", "root.key", "--pub", "leaf.pub", "--csr", "leaf.csr", "--out", "x"],
        ["issue", "--key", "root.key", "--subject", "CN=x", "--serial", "xyz", "--out", "x"],
        ["issue", "--key", "root.key", "--subject", "CN=x", "--from", "9999-12-01", "--out", "x"],
        ["crl", "--ca", "root.pem", "--out", "x"],
        ["crl", "--ca", "root.pem", "--ca-key", "root.key", "--revoke", "1", "--reason", "whim", "--out", "x"],
        ["crl", "--ca", "root.pem", "--ca-key", "root.key", "--revoke", "no such file", "--out", "x"],
        ["no-such-act"],
    ],
)
def test_wrong_usage_is_64(house: Path, arguments: list[str]) -> None:
    assert cert(*arguments).exit_code == 64
    assert not Path("x").exists()


@pytest.mark.parametrize(
    "content", [b"", b"garbage", b"\x30\x82", bytes(2 << 20), b"\x30\x80" * 9000, b"-----BEGIN CERTIFICATE-----\n"]
)
def test_unreadable_input_is_65(house: Path, content: bytes) -> None:
    Path("bad").write_bytes(content)
    for arguments in (
        ["show", "bad"],
        ["verify", "bad"],
        ["verify", "leaf.pem", "--anchor", "bad"],
        ["verify", "leaf.pem", "--crl", "bad"],
        ["crl", "--show", "bad"],
        ["issue", "--ca", "bad", "--ca-key", "root.key", "--csr", "leaf.csr", "--out", "x"],
        ["issue", "--ca", "root.pem", "--ca-key", "root.key", "--csr", "bad", "--out", "x"],
        ["issue", "--ca", "root.pem", "--ca-key", "root.key", "--pub", "bad", "--subject", "CN=x", "--out", "x"],
    ):
        result = cert(*arguments)
        assert result.exit_code == 65 and "bad" in result.stderr and "Traceback" not in result.output
    assert cert("show", "nowhere").exit_code == 65


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_fuzzed_certificates_end_in_a_verdict(house: Path, data: st.DataObject) -> None:
    original = certs.from_pem(Path("leaf.pem").read_bytes()).der
    changed = bytearray(original)
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, 20))
    Path("fuzz.der").write_bytes(bytes(changed[: len(changed) - cut]))
    result = cert("verify", "fuzz.der", *TRUST, *AT)
    assert result.exit_code in (1, 65) or bytes(changed) == original
    assert cert("show", "fuzz.der").exit_code in (0, 65)


def test_the_real_command_by_process(house: Path) -> None:
    command = [sys.executable, "-m", "gateway.cli", "cert", "verify", "leaf.pem", *TRUST, *AT, "--json"]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0 and json.loads(done.stdout.splitlines()[-1])["ok"] is True and done.stderr == ""

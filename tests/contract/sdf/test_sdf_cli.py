"""Keys of a machine on the command line: ``--key sdf:/library?key=1``, the PIN as a passphrase is given, presented once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from signing import certs, keys, sm2
from signing.providers import open_provider
from tests.contract.command import tongban
from tests.contract.sdf.machine import PIN, Double, public_of

pytestmark = pytest.mark.usefixtures("as_the_command_runs")


@pytest.fixture
def double(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Double:
    monkeypatch.chdir(tmp_path)
    Path("f").write_bytes("材料\n".encode())
    Path("pin").write_bytes(PIN + b"\n")
    Path("p.pem").write_bytes(keys.public_to_pem(public_of(2)))
    return Double(tmp_path, monkeypatch)


def sign(double: Double, **options: Any) -> Result:
    key = double.uri(key=2, **options)
    return tongban("sm", "sign", "--key", key, "--in", "f", "--out", "s", "--passphrase-file", "pin", "--json")


def test_a_machine_signs_a_file(double: Double) -> None:
    result = sign(double)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["key_id"] == public_of(2).thumbprint
    assert PIN.decode() not in result.output
    assert tongban("sm", "verify", "--pub", "p.pem", "--in", "f", "--sig", "s").exit_code == 0


def test_a_machine_asks_for_its_certificate(double: Double) -> None:
    result = tongban(
        "cert", "csr", "--key", double.uri(key=2, use="sign"), "--subject", "CN=检查点,C=CN", "--out", "r.csr",
        "--passphrase-file", "pin",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    request = keys.from_pem(Path("r.csr").read_bytes(), "CERTIFICATE REQUEST")[1]
    assert public_of(2).point in request


def test_L11_a_wrong_PIN_is_presented_once_and_said(double: Double) -> None:
    Path("pin").write_bytes(b"0000")
    result = sign(double)
    assert (result.exit_code, json.loads(result.stdout)["reason"]) == (1, "sdf-pin-refused")
    assert double.count("pins") == 1
    assert not Path("s").exists()


def test_L11_a_machine_that_is_away_is_said(double: Double) -> None:
    double.set(gone=1)
    result = sign(double)
    assert (result.exit_code, json.loads(result.stdout)["reason"]) == (1, "sdf-communication")


@pytest.mark.parametrize("key", ["sdf:", "sdf:/x", "sdf:/x?key=0", "sdf:/x?key=1&pin=Tb-3579", "sdf:/x?key=1&use=what"])
def test_a_uri_that_is_none_is_wrong_usage(double: Double, key: str) -> None:
    result = tongban("sm", "sign", "--key", key, "--in", "f", "--out", "s", "--passphrase-file", "pin")
    assert result.exit_code in (1, 64), result.output
    assert "Traceback" not in result.output
    assert PIN.decode() not in result.output


def test_our_code_and_the_certificate_machinery_agree(double: Double) -> None:
    """A root made with the machine's key is a root."""
    result = tongban(
        "cert", "issue", "--key", double.uri(key=2), "--subject", "CN=试验根,C=CN", "--out", "root.pem",
        "--passphrase-file", "pin",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    root = certs.load(Path("root.pem").read_bytes())[0]
    assert root.public_key == public_of(2)
    assert sm2.verify(open_provider(), public_of(2), root.tbs, root.signature, signer_id=sm2.DEFAULT_ID)

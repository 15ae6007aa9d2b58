"""``tongban seal verify`` and ``show`` on OFD documents, from outside: report, JSON, exit codes 0, 1, 2, 64, 65."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from gateway.cli import root as tongban
from signing import certs
from tests import pki
from tests.vectors.ofd.generate import PAGE, PLACE, VECTORS, stamped, swap, zipped

KEYS = {"ok", "kind", "version", "signature", "chain", "document", "window", "reasons", "signatures"}
TRUST = ("--anchor", "root.pem", "--at", "2026-06-11")


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(click.exceptions.UsageError, "exit_code", 64)
    monkeypatch.delenv("TONGBAN_SM2_PROVIDER", raising=False)
    monkeypatch.chdir(tmp_path)
    Path("root.pem").write_bytes(certs.to_pem(pki.root().certificate.der))


def seal(act: str, name: str, *arguments: str) -> Result:
    Path("d.ofd").write_bytes(VECTORS[name].data)
    result = CliRunner().invoke(tongban, ["seal", act, "d.ofd", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert "Traceback" not in result.output
    return result


def verdict(name: str, *arguments: str) -> tuple[int, dict[str, Any], list[str]]:
    result = seal("verify", name, *TRUST, *arguments, "--json")
    data = json.loads(result.stdout.splitlines()[-1])
    assert data.keys() >= KEYS and data["kind"] == "ofd"
    for part in (data, *data["signatures"]):
        assert all(set(reason) == {"code", "text"} for reason in (*part["reasons"], *part["notes"]))
    return result.exit_code, data, [reason["code"] for reason in data["reasons"]]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        *(("good", 0), ("good-two-signatures", 0), ("good-signed-data", 0), ("page-changed", 1)),
        *(("entry-uncovered", 1), ("description-doctype", 1), ("unsigned", 2), ("sign-bare-value", 2)),
    ],
)
def test_exit_codes_follow_the_verdict(name: str, code: int) -> None:
    got, data, codes = verdict(name)
    assert got == code and data["ok"] is {0: True, 1: False, 2: None}[code]
    assert codes == list(VECTORS[name].codes) and data["reason"] == (codes or ["ok"])[0]


@pytest.mark.parametrize("name", ["name-slip", "bomb-ratio", "duplicate-name", "doctype-in-ofd-xml", "truncated"])
def test_F01_what_cannot_be_judged_is_65_with_its_reason(name: str) -> None:
    for act in ("verify", "show"):
        result = seal(act, name, "--json")
        assert result.exit_code == 65 and json.loads(result.stdout)["reason"] == VECTORS[name].refused
        assert json.loads(result.stdout)["ok"] is None and result.stderr


def test_machines_get_each_signature() -> None:
    _, data, _ = verdict("good-two-signatures")
    first, second = data["signatures"]
    assert (first["id"], first["type"], first["path"], first["version"]) == ("1", "Seal", PLACE, "V4")
    assert first["time"] == "2026-06-01T08:00:00Z" and "CN=signer" in first["signer"] and PAGE in first["files"]
    assert len(second["files"]) == len(first["files"]) + 2 and second["seal"]["id"] == "42010400000001"
    assert (data["version"], data["signature"], data["chain"], data["document"]) == ("V4", "ok", "ok", "ok")
    _, data, _ = verdict("entry-uncovered")
    assert data["signatures"][0]["uncovered"] == ["Doc_0/Pages/Page_1/Content.xml"]


def test_trust_is_told_apart_from_the_signature() -> None:
    result = seal("verify", "good", "--at", "2026-06-11", "--json")
    data = json.loads(result.stdout)
    assert result.exit_code == 1 and (data["signature"], data["document"], data["chain"]) == ("ok", "ok", "failed")
    assert data["reason"] == "signer-untrusted-root"
    assert verdict("good", "--require-crl")[0] == 2


def test_uncovered_files_may_be_allowed() -> None:
    code, data, codes = verdict("entry-uncovered", "--allow-uncovered")
    assert code == 0 and codes == [] and "ofd-uncovered" in [note["code"] for note in data["notes"]]


def test_a_clerk_reads_each_check(monkeypatch: pytest.MonkeyPatch) -> None:
    text = seal("verify", "page-changed", *TRUST).stdout
    for line in (
        "✗ OFD 文件的签名无效",
        "✗ 被保护的文件：未通过",
        "✓ 签名值：通过",
        f"被保护的文件已被改动：{PAGE}",
        "测试专用章",
    ):
        assert line in text
    assert "✓ OFD 文件的 2 个签名全部有效" in seal("verify", "good-two-signatures", *TRUST).stdout
    assert "数字签名（无印章）" in seal("verify", "sign-bare-value", *TRUST).stdout
    assert "文件没有任何签名" in seal("verify", "unsigned", *TRUST).stdout
    monkeypatch.setenv("TONGBAN_LANG", "en")
    text = seal("verify", "page-changed", *TRUST).stdout
    assert "✗ protected files: failed" in text and "a protected file was altered" in text


def test_show_tells_and_never_vouches() -> None:
    result = seal("show", "page-changed", "--json")
    data = json.loads(result.stdout)
    assert result.exit_code == 0 and data["kind"] == "ofd" and PAGE in data["files"]
    assert data["signatures"][0]["stamp"]["property_info"] == f"/{PLACE}"
    assert data["signatures"][0]["annotations"] == [{"page": "1", "boundary": "50 50 42 42"}]
    assert "（仅显示，未核验）" in seal("show", "good-two-signatures").stdout
    for name in ("value-garbage", "description-truncated", "sign-garbage", "unsigned"):
        assert seal("show", name).exit_code == 0


def test_what_a_document_says_cannot_paint_over_the_screen() -> None:
    painted = swap('ProviderName="tongban-test"', 'ProviderName="\u202e&#x9b;2J"')
    Path("p.ofd").write_bytes(zipped(stamped(painted)))
    for act in ("show", "verify"):
        text = CliRunner().invoke(tongban, ["seal", act, "p.ofd"]).stdout
        assert "\u202e" not in text and "\x9b" not in text


@pytest.mark.parametrize("arguments", [("--document", "root.pem"), ("--digest", "00" * 32)])
def test_an_ofd_is_its_own_document(arguments: tuple[str, str]) -> None:
    assert seal("verify", "good", *arguments).exit_code == 64
    assert seal("show", "good", "--picture-out", "x.png").exit_code == 64 and not Path("x.png").exists()


@pytest.mark.parametrize(
    ("name", "code"), [("good", 0), ("good-two-signatures", 0), ("unsigned", 2), ("truncated", 65)]
)
def test_the_doctor_looks_at_each_stamp_in_a_document(name: str, code: int) -> None:
    result = seal("doctor", name, "--json")
    data = json.loads(result.stdout.splitlines()[-1])
    usual = {"picture-type", "picture-unknown", "picture-truncated"}  # the vectors' picture is four letters
    assert {one["code"] for one in data.get("findings", [])} <= usual
    assert result.exit_code == code or (
        code == 0 and data["findings"] and all("签名" in x["where"] for x in data["findings"])
    )
    assert seal("verify", name, *TRUST, "--doctor").exit_code == (65 if code == 65 else 64)

"""``tongban ecert`` from outside: issue, show, verify, templates, id; the keys of the contract and its exit codes."""

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
from tests.vectors.ofd.generate import stamped, zipped
from tests.vectors.seals import generate as seals

VALUES = """
number = "样章2026000001"
serial = "2026000001"
issuer_name = "样章市住房和城乡建设局"
issuer_code = "11420104MB00000000"
issued = 2026-06-01
valid_from = 2026-06-01
valid_to = 2031-05-31
url = "https://ecert.example/v/ABCDEFGHIJKLMNOPQRSTUVWXYZ"
holder = { name = "样章建设有限公司", code = "91370406L24894136J", code_type = "001" }
fields = { XMMC = "文化中心", XMDM = "2026-01", JSDZ = "汉江路1号" }
permits = [
  { id = "1", name = "施工许可", number = "1", valid_from = 2026-06-01, valid_to = 2028-05-31 },
  { id = "2", name = "占道许可", number = "2", valid_from = 2026-06-01, valid_to = 2026-08-31 },
]
"""
KEYS = {"ok", "identifier", "check_char", "seal", "status", "reasons"}
ISSUE = ("issue", "--template", "construction-permits", "--values", "v.toml", "--lab", "lab", "--out", "a.ofd")
VERIFY = ("verify", "a.ofd", "--anchor", "lab/root.pem")
NOW = ("--at", "2026-07-01")


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(click.exceptions.UsageError, "exit_code", 64)
    monkeypatch.delenv("TONGBAN_SM2_PROVIDER", raising=False)
    monkeypatch.chdir(tmp_path)
    Path("v.toml").write_text(VALUES, "utf-8")


def ecert(*arguments: str) -> Result:
    result = CliRunner().invoke(tongban, ["ecert", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert "Traceback" not in result.output
    return result


def answer(*arguments: str) -> tuple[int, dict[str, Any]]:
    result = ecert(*arguments, "--json")
    return result.exit_code, json.loads(result.stdout.splitlines()[-1])


def issued(*more: str) -> dict[str, Any]:
    code, data = answer(*ISSUE, "--at", "2026-06-01", *more)
    assert code == 0, data
    return data


def codes(data: dict[str, Any]) -> list[str]:
    return [reason["code"] for reason in data["reasons"]]


def test_what_is_issued_verifies_and_every_key_of_the_contract_is_there() -> None:
    made = issued()
    code, data = answer(*VERIFY, *NOW)
    assert code == 0 and data.keys() >= KEYS and data["kind"] == "ecert"
    assert (data["check_char"], data["seal"], data["issuer"], data["status"]) == ("ok", "ok", "ok", "valid")
    assert data["identifier"] == made["identifier"] and set(data["checks"].values()) == {"ok"}
    assert [permit["status"] for permit in data["permits"]] == ["valid", "valid"]
    shown = ecert(*VERIFY, *NOW).stdout
    assert "✓ 电子证照有效" in shown and "占道许可" in shown and "91370406L24894136J" not in shown


def test_W9_a_permit_whose_time_is_over_shows() -> None:
    issued()
    code, data = answer(*VERIFY, "--at", "2026-12-01")
    assert code == 0 and [permit["status"] for permit in data["permits"]] == ["valid", "expired"]


@pytest.mark.parametrize(
    ("arguments", "code", "reasons"),
    [
        ((*VERIFY, "--at", "2028-06-01"), 1, ["ecert-expired"]),
        (("verify", "a.ofd", *NOW), 1, ["signer-untrusted-root", "seal-maker-untrusted-root"]),
        ((*VERIFY, *NOW, "--require-crl"), 2, ["signer-crl-missing", "seal-maker-crl-missing"]),
    ],
)
def test_exit_codes_follow_the_verdict(arguments: tuple[str, ...], code: int, reasons: list[str]) -> None:
    issued()
    got, data = answer(*arguments)
    assert (got, codes(data)) == (code, reasons) and data["ok"] is {1: False, 2: None}[code]


def test_an_other_issuers_seal_is_no_and_may_be_remarked_on() -> None:
    issued()
    Path("v.toml").write_text(VALUES.replace("住房和城乡建设局", "公安局"), "utf-8")
    issued()
    assert answer(*VERIFY, *NOW)[1]["issuer"] == "failed" and ecert(*VERIFY, *NOW).exit_code == 1
    assert ecert(*VERIFY, *NOW, "--allow-other-issuer").exit_code == 0


def test_a_stamper_from_files_and_its_refusal() -> None:
    Path("root.pem").write_bytes(certs.to_pem(pki.root().certificate.der))
    Path("cert.der").write_bytes(seals.signer().der)
    Path("seal.esl").write_bytes(seals.seal())
    issued()
    files = (
        "--seal",
        "lab/seal.esl",
        "--cert",
        "lab/signer.pem",
        "--key",
        "lab/signer.key.pem",
        "--anchor",
        "lab/root.pem",
    )
    own = ("issue", "--template", "construction-permits", "--values", "v.toml", "--out", "b.ofd")
    assert answer(*own, *files, "--at", "2026-06-01")[0] == 0
    assert ecert("verify", "b.ofd", "--anchor", "lab/root.pem", *NOW).exit_code == 0
    code, data = answer(*own, *files, "--at", "2026-01-01")
    assert code == 1 and data["reason"] == "signer-not-yet-valid-at-stamping"
    assert ecert(*own, *files, "--lab", "lab").exit_code == 64 and ecert(*own).exit_code == 64


def test_content_that_does_not_fit_the_template_is_refused() -> None:
    Path("v.toml").write_text(VALUES.replace("XMDM = ", "XMXX = "), "utf-8")
    code, data = answer(*ISSUE)
    assert code == 1 and data["reason"] == "ecert-field-unknown" and not Path("a.ofd").exists()
    assert ecert(*ISSUE, "--picture", "ZP").exit_code == 64


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ("number = ", "ecert-values"),
        (VALUES + "colour = 1", "unknown-field"),
        (VALUES.replace('serial = "2026000001"', ""), "missing-field"),
        (VALUES.replace("2026-06-01", "'yesterday'"), "wrong-date"),
    ],
)
def test_values_that_cannot_be_read_are_65(values: str, code: str) -> None:
    Path("v.toml").write_text(values, "utf-8")
    got, data = answer(*ISSUE)
    assert (got, data["reason"]) == (65, code)


def test_values_may_be_json_and_the_template_a_file() -> None:
    Path("t.toml").write_text("name = 1", "utf-8")
    assert ecert("templates", "t.toml").exit_code == 65
    found = json.dumps({"number": 1})
    Path("v.json").write_text(found, "utf-8")
    code, data = answer(
        "issue", "--template", "construction-permits", "--values", "v.json", "--lab", "lab", "--out", "a"
    )
    assert (code, data["reason"]) == (65, "wrong-type")


def test_show_says_all_and_vouches_for_nothing() -> None:
    made = issued()
    code, data = answer("show", "a.ofd")
    assert code == 0 and data["identifier"] == made["identifier"] and data["check_char"] == "ok"
    assert data["holder"]["name"] == "样章建设有限公司" and len(data["permits"]) == 2
    shown = ecert("show", "a.ofd").stdout
    assert "项目名称：文化中心" in shown and "未核验" in shown and "长期" not in shown


def test_what_is_no_certificate_is_65() -> None:
    Path("d.ofd").write_bytes(zipped(stamped()))
    Path("t.ofd").write_bytes(b"text")
    for act in ("show", "verify"):
        assert answer(act, "d.ofd")[1]["reason"] == "ecert-none" and ecert(act, "d.ofd").exit_code == 65
        assert answer(act, "t.ofd")[1]["reason"] == "ecert-no-ofd"


def test_templates_are_listed_and_one_says_its_fields() -> None:
    code, data = answer("templates")
    assert code == 0 and len(data["templates"]) >= 3
    code, data = answer("templates", "business-licence")
    (one,) = data["templates"].values()
    assert code == 0 and one["confirmed"] and {field["name"] for field in one["fields"]} >= {"JYZ", "JYFW"}
    assert "试验代码" in ecert("templates").stdout and "经营范围" in ecert("templates", "business-licence").stdout


@pytest.mark.parametrize(
    ("text", "code", "check"),
    [
        ("1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U", 0, "ok"),
        ("1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.V", 1, "failed"),
        ("1.2.156.3005.2", 65, None),
    ],
)
def test_identifiers_alone(text: str, code: int, check: str | None) -> None:
    got, data = answer("id", text)
    assert (got, data.get("check_char")) == (code, check)

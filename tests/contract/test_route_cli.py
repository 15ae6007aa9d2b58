"""``tongban route explain``: decision, clause, to, deadline; refusals with their clause; bad input is 65."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from agreements import samples
from gateway.cli import root
from signing import certs
from tests.unit.agreements.places import TEXT, A, B, place, signed

REQUEST = {
    "sender": A, "item": "QX-TB-001", "item_version": 1, "mode": "collect_elsewhere", "handling": "360113",
    "purpose": samples.PURPOSE,
}  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    (tmp_path / "both.toml").write_bytes(signed())
    (tmp_path / "one.toml").write_bytes(signed(TEXT, A))
    for name, party in (("a", A), ("b", B)):
        (tmp_path / f"{name}-ca.pem").write_bytes(certs.to_pem(place(party).root))
    return tmp_path


def run(desk: Path, *arguments: str, request: object = REQUEST, agreement: str = "both.toml") -> Result:
    file = desk / "request.json"
    file.write_bytes(request if isinstance(request, bytes) else json.dumps(request).encode())
    command = [
        "route",
        "explain",
        str(file),
        "--agreement",
        str(desk / agreement),
        "--at",
        "2026-01-06T09:00",
        *arguments,
    ]
    result = CliRunner().invoke(root, command)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def answer(desk: Path, code: int = 0, **options: Any) -> dict[str, Any]:
    anchors = ["--anchor", str(desk / "a-ca.pem"), "--anchor", str(desk / "b-ca.pem")]
    result = run(desk, *anchors, "--json", **options)
    assert result.exit_code == code, result.output
    found = json.loads(result.stdout.strip().splitlines()[-1])
    assert isinstance(found, dict)
    return found


def test_a_yes_has_decision_clause_to_and_deadline(desk: Path) -> None:
    found = answer(desk)
    assert (found["decision"], found["clause"], found["to"], found["signatures"]) == (
        "route",
        "第三条第一款",
        B,
        "verified",
    )
    notify, decide = found["deadline"]["notify"], found["deadline"]["decide"]
    assert (notify["due"], notify["estimated"], notify["clause"]) == ("2026-01-13", True, "第四条第一项")
    assert decide["due"] is None and "20个工作日" in decide["rule"] and "四十二条" in decide["source"]


def test_in_words(desk: Path) -> None:
    words = run(desk).output
    for part in ("江西省南昌市红谷滩区", "第三条第一款", "委托收件", "2026-01-13", "未给出根证书"):
        assert part in words
    assert run(desk).exit_code == 0


@pytest.mark.parametrize(
    ("change", "code", "clause"),
    [
        ({"item": "QX-TB-099"}, "item-not-in-agreement", "第二条"), ({"handling": "999999"}, "unknown-division", ""),
        ({"handling": "360123"}, "no-agreement-with-place", ""), ({"mode": "joint"}, "mode-not-agreed", "第三条"),
        ({"item_version": 2}, "item-version-unknown", "第二条"), ({"purpose": "营销"}, "purpose-not-agreed", "第五条"),
        ({"act": "decide"}, "power-exceeded", "第三条第一款"), ({"version": 2}, "no-agreement-with-place", ""),
    ],
)  # fmt: skip
def test_a_no_has_its_clause(desk: Path, change: dict[str, Any], code: str, clause: str) -> None:
    found = answer(desk, 1, request={**REQUEST, **change})
    assert (found["decision"], found["reason"], found["to"]) == ("refused", code, "")
    assert found["clause"].endswith(clause)
    assert run(desk, request={**REQUEST, **change}).exit_code == 1


def test_an_agreement_signed_by_one_side(desk: Path) -> None:
    found = answer(desk, 1, agreement="one.toml")
    assert (
        found["reason"] == "agreement-not-signed-by-both"
        and "红谷滩" in found["text"]
        and found["clause"].endswith("第七条")
    )


def test_an_agreement_changed_after_signing(desk: Path) -> None:
    file = desk / "both.toml"
    file.write_bytes(file.read_bytes().replace(b"days = 20", b"days = 90"))
    assert answer(desk, 1)["reason"] == "agreement-not-signed-by-both"
    assert run(desk).exit_code == 1


def test_expired_and_several_agreements(desk: Path) -> None:
    late = run(desk, "--at", "2031-01-01", "--json")
    assert late.exit_code == 1 and json.loads(late.stdout)["reason"] == "agreement-expired"
    both = run(desk, "--agreement", str(desk / "one.toml"), "--json")
    assert both.exit_code == 0


@pytest.mark.parametrize(
    "request_",
    [b"", b"{", b"\xff", b"[]", b'{"sender":1}', b'{"a":1,"a":2}', b"[" * 5000, b'{"item_version":NaN}',
     json.dumps({**REQUEST, "handling": None}).encode(), json.dumps({**REQUEST, "x": 1}).encode(),
     json.dumps({**REQUEST, "mode": "fly"}).encode()],
)  # fmt: skip
def test_a_request_that_cannot_be_read_is_65(desk: Path, request_: bytes) -> None:
    result = run(desk, "--json", request=request_)
    assert result.exit_code == 65 and result.stderr and "Traceback" not in result.output
    assert json.loads(result.stdout.strip().splitlines()[-1])["ok"] is None


def test_wrong_usage(desk: Path) -> None:
    (desk / "r.json").write_text(json.dumps(REQUEST))
    for more in ([], ["--agreement", str(desk / "both.toml"), "--at", "yesterday"]):
        command = [sys.executable, "-m", "gateway.cli", "route", "explain", str(desk / "r.json"), *more]
        assert subprocess.run(command, capture_output=True, check=False).returncode == 64

"""``tongban agreement`` and ``tongban item`` as the contract says: exit codes, one JSON object last, clear messages."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result
from openpyxl import Workbook

from agreements import samples
from agreements.load import parse
from gateway.cli import root
from signing import certs, keys
from tests.unit.agreements.places import TEXT, A, B, place, provider


def run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(root, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def process(*arguments: str) -> int:
    """The exit code of a process of its own: wrong usage is set by the entry point."""
    return subprocess.run(
        [sys.executable, "-m", "gateway.cli", *arguments], capture_output=True, check=False
    ).returncode


def answer(*arguments: str | Path, code: int = 0) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == code, result.output
    found = json.loads(result.stdout.strip().splitlines()[-1])
    assert isinstance(found, dict)
    return found


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys, certificates and roots of both sides as files, and the unsigned sample."""
    folder = tmp_path_factory.mktemp("desk")
    for name, party in (("a", A), ("b", B)):
        lab = place(party)
        random = provider().random
        (folder / f"{name}.key").write_bytes(
            keys.private_to_pem(lab.signer.private, None, salt=random(16), iv=random(16))
        )
        (folder / f"{name}.pem").write_bytes(certs.to_pem(lab.certificate))
        (folder / f"{name}-ca.pem").write_bytes(certs.to_pem(lab.root))
    (folder / "unsigned.toml").write_bytes(TEXT)
    (folder / "one.toml").write_bytes(TEXT)
    assert run("agreement", "sign", "--key", folder / "a.key", "--cert", folder / "a.pem", "--party", A,
               folder / "one.toml").exit_code == 0  # fmt: skip
    both = run("agreement", "sign", "--key", folder / "b.key", "--cert", folder / "b.pem", "--party", B,
               "-o", folder / "both.toml", folder / "one.toml")  # fmt: skip
    assert both.exit_code == 0
    return folder


def roots(desk: Path) -> list[str]:
    return ["--anchor", str(desk / "a-ca.pem"), "--anchor", str(desk / "b-ca.pem")]


def test_a_draft_from_the_sample_and_from_a_list(desk: Path, shared: Path) -> None:
    drafted = run("agreement", "new", "--sample")
    assert drafted.exit_code == 0 and parse(drafted.output.encode()).agreement.id == "TB-420104-360113"
    out = desk / "new.toml"
    found = answer(
        "agreement", "new", "--party-a", A, "--party-b", B, "--items", shared / "data" / "items-crossprovince.csv",
        "--from", "2026-03-01", "--until", "2027-03-01", "-o", out,
    )  # fmt: skip
    agreement = parse(out.read_bytes()).agreement
    assert found["items"] == len(agreement.items) == 45
    assert (agreement.in_force, agreement.expires) == (date(2026, 3, 1), date(2027, 3, 1))
    assert agreement.parties[1].name == "江西省南昌市红谷滩区"
    assert process("agreement", "new") == 64
    assert run("agreement", "new", "--party-a", "420104.x", "--party-b", B, "--items", out).exit_code == 65


def test_show_in_words_and_for_machines(desk: Path) -> None:
    words = run("agreement", "show", desk / "one.toml").output
    for part in (
        "委托收件",
        "武汉市硚口区 ⇄ 南昌市红谷滩区",
        "第三条第一款",
        "20个工作日",
        "行政许可法第四十二条",
        "QX-TB-001",
        "未签署",
        "扫码查验，1类证照",
        "可见：ZZBH、CZZT，用途：行政检查",
    ):
        assert part in words
    found = answer("agreement", "show", desk / "one.toml")
    assert [entry["party"] for entry in found["signatures"]] == [A] and len(found["digest"]) == 64
    assert found["agreement"]["line"][0]["power"] == "collect"


def test_check_names_what_still_demands_paper(desk: Path, tmp_path: Path) -> None:
    words = run("agreement", "check", desk / "unsigned.toml")
    assert words.exit_code == 1 and "QX-TB-004 残疾人证换领 / 残疾人证原件" in words.output
    found = answer("agreement", "check", desk / "unsigned.toml", code=1)
    assert {one["code"] for one in found["findings"]} == {"certificate-without-type", "paper-demanded"}
    clean = tmp_path / "clean.toml"
    listed = tuple(msgspec.structs.replace(item, materials=[]) for item in samples.items())
    clean.write_bytes(samples.render(A, B, listed=listed, certificates=()))
    assert answer("agreement", "check", clean)["findings"] == []
    clean.write_bytes(b"id = 1")
    assert answer("agreement", "check", clean, code=65)["ok"] is None
    assert run("agreement", "check", desk / "unsigned.toml", "--templates", tmp_path / "none").exit_code == 65


def test_verify_says_for_each_party(desk: Path) -> None:
    found = answer("agreement", "verify", *roots(desk), desk / "both.toml")
    assert [(entry["name"], entry["ok"]) for entry in found["parties"]] == [
        ("武汉市硚口区", True),
        ("南昌市红谷滩区", True),
    ]
    assert (found["ok"], found["reason"], found["term"]) == (True, "ok", "in-force")
    words = run("agreement", "verify", *roots(desk), desk / "one.toml")
    assert words.exit_code == 1 and "✓ 武汉市硚口区" in words.output and "✗ 南昌市红谷滩区　尚未签署" in words.output
    assert answer("agreement", "verify", desk / "both.toml", code=2)["reason"] == "no-anchor"
    late = answer("agreement", "verify", *roots(desk), "--at", "2031-01-01", desk / "both.toml")
    assert late["term"] == "expired"


@pytest.mark.parametrize("side", ["a", "b"])
def test_a_root_of_one_side_only(desk: Path, side: str) -> None:
    found = answer("agreement", "verify", "--anchor", desk / f"{side}-ca.pem", desk / "both.toml", code=1)
    assert sorted(entry["code"] for entry in found["parties"]) == ["ok", "untrusted-root"]


def test_one_changed_character_breaks_both(desk: Path) -> None:
    file = desk / "changed.toml"
    file.write_bytes((desk / "both.toml").read_bytes().replace(b"days = 20", b"days = 90"))
    found = answer("agreement", "verify", *roots(desk), file, code=1)
    assert [entry["code"] for entry in found["parties"]] == ["wrong-signature"] * 2
    assert "可能被改动" in run("agreement", "verify", *roots(desk), file).output
    assert run("agreement", "import", *roots(desk), file, desk).exit_code == 1


@pytest.mark.parametrize(
    ("key", "certificate", "party", "code"),
    [
        ("b.key", "a.pem", A, "key-certificate-mismatch"), ("b.key", "b.pem", A, "certificate-of-another"),
        ("a.key", "a.pem", "430602" + A[6:], "signature-by-stranger"), ("a.key", "a.pem", A, "signed-twice"),
    ],
)  # fmt: skip
def test_signing_for_somebody_else_or_twice(desk: Path, key: str, certificate: str, party: str, code: str) -> None:
    before = (desk / "one.toml").read_bytes()
    arguments = ["--key", desk / key, "--cert", desk / certificate, "--party", party, desk / "one.toml"]
    assert answer("agreement", "sign", *arguments, code=1)["reason"] == code
    assert (desk / "one.toml").read_bytes() == before


def test_import_copies_byte_for_byte_and_not_twice(desk: Path, tmp_path: Path) -> None:
    found = answer("agreement", "import", *roots(desk), desk / "both.toml", tmp_path)
    assert Path(found["file"]).read_bytes() == (desk / "both.toml").read_bytes()
    assert answer("agreement", "import", *roots(desk), desk / "both.toml", tmp_path, code=1)["reason"] == "file-exists"
    assert answer("agreement", "import", desk / "both.toml", tmp_path / "none", code=1)["reason"] == "cannot-write"


def test_diff_for_people(desk: Path) -> None:
    newer = desk / "newer.toml"
    newer.write_bytes(TEXT.replace(b"days = 20", b"days = 15").replace(b"version = 1", b"version = 2", 1))
    assert "变更时限 decide：days 20 → 15" in run("agreement", "diff", desk / "unsigned.toml", newer).output
    changes = answer("agreement", "diff", desk / "unsigned.toml", newer)["changes"]
    assert [(change["what"], change["key"]) for change in changes] == [("term", "version"), ("clock", "decide")]
    assert run("agreement", "diff", newer, newer).output.strip() == "内容相同"


@pytest.mark.parametrize("command", ["show", "verify"])
def test_unreadable_input_is_65_with_what_and_where(command: str, tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    for data, part in (
        (b"\xff", "UTF-8"), (b"x", "TOML"), (TEXT.replace(b"in_force", b"in_froce"), "line 10"),
        (TEXT + "#签署 x\n".encode(), "签署行"), (bytes(range(256)), "UTF-8"), (b"", "缺少"),
    ):  # fmt: skip
        bad.write_bytes(data)
        result = run("agreement", command, bad)
        assert result.exit_code == 65 and part in result.stderr and "Traceback" not in result.output
    assert run("agreement", command, tmp_path / "none").exit_code == 65
    found = answer("agreement", command, bad, code=65)
    assert found["ok"] is None and found["reason"] == "missing-field"


def test_the_enclosed_items_are_listed_and_say_what_they_are_not() -> None:
    assert "不是国家清单全文" in run("item", "list").output
    found = answer("item", "list")
    assert found["count"] == 45 and found["items"][0]["name"] == "机动车驾驶证公证"


def test_items_of_an_agreement_a_csv_and_a_sheet(desk: Path, shared: Path, tmp_path: Path) -> None:
    assert answer("item", "list", desk / "both.toml")["count"] == 13
    data = shared / "data"
    file, materials = data / "items-crossprovince.csv", data / "materials-examples.csv"
    found = answer("item", "list", file, "--materials", materials)
    assert {item["name"]: len(item["materials"]) for item in found["items"]}["失业登记"] == 5
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (
        ["事项编码", "事项名称", "版本", "服务对象"],
        ["QX-1", "测试事项", 2, "个人"],
        [None, None, None, None],
    ):
        sheet.append(row)
    book.save(tmp_path / "list.xlsx")
    out = tmp_path / "items.toml"
    assert answer("item", "import", tmp_path / "list.xlsx", "-o", out)["count"] == 1
    assert 'code = "QX-1"' in out.read_text("utf-8") and "version = 2" in out.read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x.csv", b"\xff\xff\xff"), ("x.csv", b"a,b\n1,2\n"), ("x.csv", "事项编码,事项名称\n,x\n".encode()),
        ("x.xlsx", b"PK\x03\x04x"), ("x.csv", b""), ("x.toml", b"x"),
    ],
)  # fmt: skip
def test_a_bad_list_is_65(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    for command in ("list", "import"):
        result = run("item", command, tmp_path / name)
        assert result.exit_code == 65 and result.stderr and "Traceback" not in result.output

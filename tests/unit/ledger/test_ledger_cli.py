"""The commands ``evidence verify`` and ``ledger show|verify|prove``: exit codes, JSON on the last line, both languages."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from gateway.cli import root as command
from gateway.ledger import tree
from gateway.ledger.audit import FORMAT, CheckpointRecord, LeafRecord, LedgerHead, write_ledger
from gateway.ledger.checkpoint import LedgerProof, check_proof, entry_digest
from signing import sm2
from tests.vectors.ledger import lab


def run(*arguments: object, lang: str = "zh_CN.UTF-8") -> Result:
    return CliRunner(env={"LANG": lang}).invoke(command, [str(a) for a in arguments], catch_exceptions=False)


def last(result: Result) -> dict[str, Any]:
    return msgspec.json.decode(result.output.splitlines()[-1])


@pytest.fixture
def package(tmp_path: Path) -> Path:
    file = tmp_path / "case.jsonl"
    file.write_bytes(lab.package())
    return file


@pytest.fixture
def anchors(tmp_path: Path) -> list[Path]:
    files = []
    for party in (lab.A, lab.B):
        body = base64.encodebytes(lab.pki(party).root).decode()
        file = tmp_path / f"{party}.pem"
        file.write_text(f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n")
        files.append(file)
    return files


def city() -> lab.City:
    made = lab.City(lab.A)
    for commit in range(6):
        made.commit([("platform", f"act-{commit}-{n}", bytes(32)) for n in range(3)], lab.T0 + commit)
    return made


def ledger_file(made: lab.City, tmp_path: Path, *, edit: int = -1, cut: int = 0) -> Path:
    leaves = []
    for n, ((kind, name, digest), salt) in enumerate(zip(made.entries, made.salts, strict=True)):
        entry = entry_digest(kind, name, digest)
        shown = bytes(32) if n == edit else entry
        leaves.append(LeafRecord(n, kind, name, shown, salt, tree.leaf_hash(salt, entry)))
    kept = made.checkpoints[: len(made.checkpoints) - cut // 3]
    file = tmp_path / "ledger.jsonl"
    head = LedgerHead(FORMAT, made.origin, made.card())
    file.write_bytes(write_ledger(head, [*leaves[: len(leaves) - cut], *(CheckpointRecord(c) for c in kept)]))
    return file


def test_a_good_package_is_valid(package: Path) -> None:
    result = run("evidence", "verify", package)
    assert result.exit_code == 0
    assert "✗" not in result.output and "有效" in result.output and "已送达" in result.output


def test_the_report_speaks_english_too(package: Path) -> None:
    output = run("evidence", "verify", package, lang="en_US.UTF-8").output
    assert "Verdict: valid" in output and "delivered" in output


def test_json_has_what_the_contract_names(package: Path, anchors: list[Path]) -> None:
    result = run("evidence", "verify", package, "--json", "--anchor", anchors[0], "--anchor", anchors[1])
    answer = last(result)
    assert result.exit_code == 0
    assert (answer["ok"], answer["grade"], answer["trust"], answer["messages"], answer["reasons"]) == (
        True, "full", "anchored", 9, [],
    )  # fmt: skip
    assert {one["party"] for one in answer["identities"]} == {lab.A, lab.B}


def test_a_changed_byte_is_told_by_line_and_message(package: Path) -> None:
    data = package.read_bytes()
    at = data.index(b'"body"') + 20
    package.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    result = run("evidence", "verify", package, "--json")
    answer = last(result)
    assert (result.exit_code, answer["ok"], answer["grade"]) == (1, False, "broken")
    assert {"body-digest", "package-altered"} <= {reason["code"] for reason in answer["reasons"]}
    [reason] = [reason for reason in answer["reasons"] if reason["code"] == "body-digest"]
    assert reason["zh"] and reason["en"] and reason["where"].startswith(f"line {reason['line']}, ")
    plain = run("evidence", "verify", package).output
    assert f"第 {reason['line']} 行" in plain and "✗" in plain and "无效" in plain


def test_missing_evidence_cannot_be_told(tmp_path: Path) -> None:
    story = lab.Story()
    story.say(lab.A, "application", answered=False)
    file = tmp_path / "p"
    file.write_bytes(lab.package(story))
    result = run("evidence", "verify", file, "--json")
    assert (result.exit_code, last(result)["ok"], last(result)["grade"]) == (2, None, "one-sided")


def test_a_strangers_anchor_is_not_enough(package: Path, anchors: list[Path]) -> None:
    result = run("evidence", "verify", package, "--anchor", anchors[0], "--json")
    assert result.exit_code == 1
    assert "untrusted-root" in {reason["code"] for reason in last(result)["reasons"]}


@pytest.mark.parametrize("content", [b"", b"\x7fELF\x00\n" * 5, b"\n\n", b"[" * 10_000, b"{}"])
def test_what_is_no_package_is_unreadable(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "x"
    file.write_bytes(content)
    for arguments in (("evidence", "verify"), ("ledger", "verify"), ("ledger", "show")):
        result = run(*arguments, file)
        assert result.exit_code == 65
        assert "Traceback" not in result.output


def test_wrong_usage_and_missing_files(tmp_path: Path, package: Path) -> None:
    assert run("evidence", "verify", tmp_path / "none").exit_code == 65
    assert run("evidence", "verify", package, "--anchor", package).exit_code == 65


def test_a_whole_ledger_is_whole_and_shown(tmp_path: Path) -> None:
    made = city()
    file = ledger_file(made, tmp_path)
    result = run("ledger", "verify", file, "--json")
    assert result.exit_code == 0
    assert last(result)["size"] == 18 and last(result)["first_bad"] is None
    assert last(result)["root"] == tree.root(made.frontier).hex()
    shown = last(run("ledger", "show", file, "--json"))
    assert (shown["size"], shown["root"], len(shown["checkpoints"])) == (18, last(result)["root"], 6)


def test_L01_the_first_bad_leaf_is_named(tmp_path: Path) -> None:
    result = run("ledger", "verify", ledger_file(city(), tmp_path, edit=7), "--json")
    assert (result.exit_code, last(result)["first_bad"]) == (1, 7)
    assert "第 7 条" in run("ledger", "verify", tmp_path / "ledger.jsonl").output


def test_L01_a_cut_tail_is_found_with_a_witness(tmp_path: Path) -> None:
    made = city()
    file = ledger_file(made, tmp_path, cut=3)
    assert run("ledger", "verify", file).exit_code == 0
    witness = tmp_path / "红谷滩.jsonl"
    witness.write_bytes(msgspec.json.encode(made.checkpoints[-1]) + b"\n")
    result = run("ledger", "verify", file, "--witness", witness, "--json")
    assert (result.exit_code, last(result)["first_bad"]) == (1, 15)
    assert "红谷滩" in last(result)["reasons"][0]["zh"]
    witness.write_bytes(b"nonsense\n")
    assert run("ledger", "verify", file, "--witness", witness).exit_code == 65


def test_a_ledger_without_its_card_cannot_be_told(tmp_path: Path) -> None:
    made = city()
    file = tmp_path / "l"
    file.write_bytes(write_ledger(LedgerHead(FORMAT, made.origin), [CheckpointRecord(made.checkpoints[0])]))
    assert run("ledger", "verify", file).exit_code == 1, "a checkpoint beyond the end is bad all the same"
    file.write_bytes(write_ledger(LedgerHead(FORMAT, made.origin), []))
    assert run("ledger", "verify", file).exit_code == 0


def test_the_proof_that_prove_makes_holds(tmp_path: Path) -> None:
    made = city()
    file = ledger_file(made, tmp_path)
    for arguments in (("--index", 7), ("--message", "act-2-1")):
        answer = last(run("ledger", "prove", file, *arguments, "--json"))
        proof = msgspec.convert(answer["proof"], LedgerProof)
        assert (answer["ok"], answer["index"], answer["id"]) == (True, 7, "act-2-1")

        def verify(key: str, data: bytes, signature: bytes) -> bool:
            public = made.signer("checkpoint").public
            return sm2.verify(lab.provider(), public, data, signature, signer_id=sm2.DEFAULT_ID)

        assert bytes.fromhex(answer["entry"]) == entry_digest("platform", "act-2-1", bytes(32))
        assert check_proof(bytes.fromhex(answer["entry"]), proof, verify=verify) is None
    assert run("ledger", "prove", file, "--index", 99).exit_code == 1
    assert run("ledger", "prove", file).exit_code in (2, 64), "wrong usage"

"""``tongban seal doctor``, ``verify --doctor``, ``--party`` and ``withdraw`` from outside; what a clerk reads at the end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.cli import seal_words
from gateway.demo import world
from signing import reasons
from tests.contract.test_seal_cli import AT, answer, house, seal, verdict
from tests.flow.conftest import template
from tests.flow.nodes import copy_world
from tests.flow.test_results import DOCUMENT, NOW, Forge
from tests.unit.signing.test_seal_doctor import DEFECTS

__all__ = ["house", "template"]
pytestmark = pytest.mark.usefixtures("as_the_command_runs")


def test_the_doctor_names_what_others_object_to(house: Path) -> None:
    code, data = answer("doctor", "s.esl")
    assert (
        code == 0
        and data["findings"] == []
        and (data["kind"], data["version"], data["accepted"]) == ("seal", "V4", True)
    )
    Path("bad.esl").write_bytes(DEFECTS["raw, no Z_A"][0])
    code, data = answer("doctor", "bad.esl")
    assert code == 1 and {row["code"] for row in data["findings"]} >= {"signature-raw", "signature-no-za"}
    text = seal("doctor", "bad.esl").stdout
    assert "漏了 Z_A" in text and "已知拒绝者：tongban" in text and "不是核验结论" in text
    assert seal("doctor", "not-here").exit_code == 65


def test_a_report_with_the_doctors_findings_keeps_its_own_verdict(house: Path) -> None:
    Path("bad.esl").write_bytes(DEFECTS["no Z_A"][0])
    code, data, codes = verdict("bad.esl", "--anchor", "root.pem", "--doctor", *AT)
    assert code == 1 and codes[0] == "seal-signature"
    assert "signature-no-za" in [row["code"] for row in data["doctor"]]
    assert "漏了 Z_A" in seal("verify", "bad.esl", "--anchor", "root.pem", "--doctor", *AT).stdout


def test_a_clerk_reads_one_conclusion_and_the_next_step(house: Path) -> None:
    good = seal("verify", "d.dat", "--document", "doc.txt", "--anchor", "root.pem", *AT).stdout
    assert "结论：文件自签章以来未被改动" in good and "下一步：无须另行处理。" in good
    Path("doc.txt").write_bytes(b"altered")
    bad = seal("verify", "d.dat", "--document", "doc.txt", "--anchor", "root.pem", *AT).stdout
    assert "结论：不能采信：文件与签章不符" in bad and "下一步：核对所选文件" in bad
    open_ = seal("verify", "d.dat", "--anchor", "root.pem", *AT).stdout
    assert "结论：暂时不能下结论" in open_ and "--document" in open_


def test_every_reason_has_a_next_step() -> None:
    for make, table in ((reasons.seal_rejected, reasons.SEAL_REJECTED), (reasons.seal_unknown, reasons.SEAL_UNKNOWN)):
        for code in table:
            zh, en = seal_words.next_step(make(code))
            assert zh.endswith("。") and en.endswith(".")


def test_F1_a_partners_seals_are_judged_by_its_own_anchors_and_withdrawals(
    template: world.World, tmp_path: Path
) -> None:
    places = copy_world(template, tmp_path / "w")
    ours, theirs = places.a, places.b
    forge = Forge(theirs)
    stamp, document, listed = (str(tmp_path / name) for name in ("d.es", "d.svg", "b.seals"))
    Path(stamp).write_bytes(forge.stamp(forge.seal()))
    Path(document).write_bytes(DOCUMENT)
    asked = (stamp, "--document", document, "--party", theirs.place.party, "--config", str(ours.config))
    assert verdict(*asked)[0] == 0
    assert answer("withdraw", listed, "--id", "other", "--config", str(theirs.config))[1]["number"] == 1
    text = ours.config.read_text().replace("[[peer]]\n", f'[[peer]]\nseals_withdrawn = "{listed}"\n')
    ours.config.write_text(text)
    assert verdict(*asked)[0] == 0
    since = f"{NOW:%Y-%m-%dT%H:%M:%S}Z"
    code, data = answer("withdraw", listed, "--id", "36011300000001", "--since", since, "--config", str(theirs.config))
    assert code == 0 and (data["number"], data["seals"]) == (2, 2)
    assert verdict(*asked)[::2] == (1, ["seal-revoked"])
    Path(listed).write_bytes(json.dumps({}).encode())
    assert answer("verify", *asked)[1]["reason"] == "withdrawn-seals-unknown"
    assert seal("withdraw", listed, "--config", str(theirs.config)).exit_code == 65
    assert seal("verify", *asked, "--anchor", "x").exit_code in (64, 65)
    assert seal("verify", stamp, "--party", "999999", "--config", str(ours.config)).exit_code == 64

"""F3: ``tongban seal stamp --batch``: many documents, one confirmation, each stamp verifiable alone; resumed, not repeated."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from signing.seal import parse_stamp
from signing.sm3 import sm3
from tests.contract.test_seal_cli import AT, STAMP, answer, house, seal, verdict

__all__ = ["house"]
pytestmark = pytest.mark.usefixtures("as_the_command_runs")
BATCH = (*STAMP, *AT, "--yes", "--out", "stamps")


def folder(count: int) -> Path:
    root = Path("notices")
    for n in range(count):
        path = root / f"{n % 3}" / f"{n:03}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"决定书 {n}")
    return root


def test_F3_a_hundred_documents_with_one_confirmation(house: Path) -> None:
    root = folder(100)
    code, data = answer("stamp", "--batch", str(root), *BATCH)
    assert code == 0 and (data["files"], data["stamped"]) == (100, 100)
    rows = json.loads(Path(data["report"]).read_bytes())
    assert len({row["stamp"] for row in rows}) == 100
    for row in rows:
        stamp = parse_stamp((Path("stamps") / row["stamp"]).read_bytes())
        assert stamp.data_hash.hex() == row["sm3"] == sm3(Path(row["file"]).read_bytes()).hex()
    code, _, _ = verdict(f"stamps/{rows[57]['stamp']}", "--document", rows[57]["file"], "--anchor", "root.pem", *AT)
    assert code == 0


def test_a_batch_is_resumed_and_only_what_changed_is_stamped_again(house: Path) -> None:
    root = folder(6)
    assert answer("stamp", "--batch", str(root), *BATCH)[0] == 0
    before = {path: path.read_bytes() for path in Path("stamps").rglob("*.es")}
    (root / "0" / "000.txt").write_text("更正")
    Path("stamps/1/001.txt.es").write_bytes(b"cut off")
    Path("stamps/2/002.txt.es").unlink()
    code, data = answer("stamp", "--batch", str(root), *BATCH)
    assert code == 0 and (data["stamped"], data["kept"]) == (3, 3)
    after = {path: path.read_bytes() for path in Path("stamps").rglob("*.es")}
    assert sum(before[path] != after[path] for path in before) == 3 and before.keys() == after.keys()


def test_a_list_may_name_files_anywhere_and_one_that_is_missing_holds_up_no_other(house: Path) -> None:
    root = folder(4)
    Path("list.txt").write_text(
        f"{root}/0/000.txt\n\n{root}/1/001.txt\nnot-here.txt\nnot\0a-path\ndoc.txt\n{root}/0/000.txt\n"
    )
    code, data = answer("stamp", "--batch", "list.txt", *BATCH)
    assert code == 1 and (data["stamped"], data["unreadable"]) == (4, 2) and data["reason"] == "some-failed"
    assert sorted(path.name for path in Path("stamps").glob("*.es")) == [
        "000.txt.2.es", "000.txt.es", "001.txt.es", "doc.txt.es",
    ]  # fmt: skip


def test_a_seal_that_may_not_be_used_stamps_none(house: Path) -> None:
    arguments = (*STAMP, "--at", "2027-06-02", "--yes", "--out", "stamps")
    code, data = answer("stamp", "--batch", str(folder(2)), *arguments)
    assert code == 1 and data["reason"] == "seal-expired" and not Path("stamps").exists()


def test_without_a_yes_nothing_is_stamped_and_a_person_sees_what_was_done(house: Path) -> None:
    root = str(folder(2))
    asking = tuple(word for word in BATCH if word != "--yes")
    assert seal("stamp", "--batch", root, *asking).exit_code == 1 and not Path("stamps").exists()
    text = seal("stamp", "--batch", root, *BATCH)
    assert text.exit_code == 0 and "2 份文件：已签章 2" in text.stdout and "report.json" in text.stdout
    for wrong, code in (
        (("doc.txt", "--batch", root), 64),
        ((), 64),
        (("--batch", "nothing-here"), 65),
        (("--batch", "root.pem", "--property-info", "x"), 64),
    ):
        assert seal("stamp", *wrong, *BATCH).exit_code == code
    Path("empty").mkdir()
    assert seal("stamp", "--batch", "empty", *BATCH).exit_code == 64

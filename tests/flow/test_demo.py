"""The real demo through real processes: what both platforms have on record, what it says, what it leaves behind."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.processes
ROOT = Path(__file__).resolve().parents[2]
FIELDS = {
    "cases", "delivered", "results", "seals_verified", "receipts_verified", "lost", "duplicated", "seconds", "evidence",
    "consoles",
}  # fmt: skip
CASES = 4


def demo(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gateway.demo", *map(str, arguments)],
        cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=150,
    )  # fmt: skip


def last(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@dataclass(frozen=True)
class Standing:
    """A demo that stands: its folder, and the JSON that ``up`` ended with."""

    root: Path
    said: dict[str, Any]

    def rows(self, division: str, sql: str) -> list[Any]:
        """A platform's own records, from its own file."""
        path = self.root / "places" / f"platform-{division}" / "platform.db"
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture(scope="module")
def stands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    root = tmp_path_factory.mktemp("demo") / "d"
    up = demo("up", "--cases", str(CASES), "--pdf-bytes", "65536", "--dir", root, "--json")
    try:
        assert up.returncode == 0, up.stderr + up.stdout
        yield Standing(root, last(up))
    finally:
        down = demo("down", "--dir", root, "--json")
        assert down.returncode == 0, down.stdout
        assert not any(process["running"] for process in last(down)["processes"])


def test_the_last_line_is_the_contract(stands: Standing) -> None:
    said = stands.said
    assert set(said) == FIELDS
    assert said["cases"] == said["delivered"] == CASES
    assert said["results"] == said["seals_verified"] == CASES - 1  # the third is denied
    assert (
        said["receipts_verified"] == CASES + 1 + 2 * (CASES - 1) + 1
    )  # collected, corrected, arrived and delivered, told
    assert said["lost"] == said["duplicated"] == 0
    assert Path(said["evidence"]).is_file()
    assert len(said["consoles"]) == 2


def test_W7_a_certificate_is_issued_opened_and_revoked_and_its_page_says_so(stands: Standing) -> None:
    [(data, answer)] = stands.rows("420104", "SELECT file, answer FROM permits")
    found = json.loads(answer)
    assert data[:2] == b"PK" and found["status"] == "valid"
    places = json.loads((stands.root / "demo.json").read_bytes())
    with sqlite3.connect(f"file:{places['a']['folder']}/data/gateway.db?mode=ro", uri=True) as store:
        states = [state for (state,) in store.execute("SELECT state FROM certificate_event ORDER BY n")]
    assert states == ["valid", "revoked"]
    story = (stands.root / "story.html").read_text("utf-8")
    section = story[story.index('id="permit"') :]
    assert found["identifier"] in section and 'class="no">✗' not in section[: section.index("</section>")]
    assert [section.index(word) for word in ("有效</b>", "已撤销</b>", "查无此证</b>")] == sorted(
        section.index(word) for word in ("有效</b>", "已撤销</b>", "查无此证</b>")
    )


def test_both_platforms_have_the_same_story(stands: Standing) -> None:
    window = dict(stands.rows("420104", "SELECT bjbh, state FROM cases"))
    hall = dict(stands.rows("360113", "SELECT sjbjbh, state FROM cases"))
    ours = set(sorted(window)[:CASES])
    assert {window[number] for number in ours} == {hall[number] for number in ours} == {"delivered"}
    kinds = dict(stands.rows("360113", "SELECT scenario, count(*) FROM cases WHERE n <= 4 GROUP BY scenario"))
    assert kinds == {"correction": 1, "special": 1, "denied": 1, "granted": 1}
    assert stands.rows("360113", "SELECT count(*) FROM materials WHERE fetched <> 'ok'") == [(0,)]
    told = stands.rows(
        "420104", "SELECT bjbh, lx, count(*) FROM events WHERE lx <> 'SH' GROUP BY bjbh, lx HAVING count(*) > 1"
    )
    assert told == []


def test_the_story_needs_nothing_but_itself(stands: Standing) -> None:
    page = (stands.root / "story.html").read_text("utf-8")
    for kind in ("granted", "correction", "special", "denied"):
        assert f'id="{kind}"' in page
    sources = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert all(source.startswith(("data:", "#")) for source in sources)
    assert (
        sum(source.startswith("data:image/svg+xml") for source in sources) == 2 * 3 + 1
    )  # three results, each with its seal, and the certificate's
    assert "url(" not in page.replace("url(#", "") and "@import" not in page and "<script" not in page
    for words in ("样章·测试无效", "救济途径", "特别程序时限", "第三条第一款", "改一个字节会怎样", "不代表其签署"):
        assert words in page
    assert '<b class="no">✗</b>' in page.partition('id="evidence"')[2]
    assert '<b class="no">✗</b>' not in page.partition('id="evidence"')[0]


def test_the_page_names_nobody(stands: Standing) -> None:
    page = (stands.root / "story.html").read_text("utf-8")
    for (application,) in stands.rows("420104", "SELECT application FROM cases"):
        person = json.loads(application)["sqr"]
        assert person["xm"] not in page and person["zjhm"] not in page and person["sjh"] not in page


def test_the_evidence_holds_and_each_changed_byte_is_named(stands: Standing) -> None:
    tampered = demo("tamper", "--dir", stands.root, "--json")
    said = last(tampered)
    assert tampered.returncode == 0 and said["package"]["ok"] is True
    assert [change["ok"] for change in said["changes"]] == [False] * 3
    first = [change["reasons"][0]["code"] for change in said["changes"]]
    assert first == ["body-digest", "wrong-path", "document-digest"]
    assert [stamp["ok"] for stamp in said["stamps"]] == [True, False, False]
    assert [stamp["reasons"][0]["code"] for stamp in said["stamps"][1:]] == ["document-digest", "stamp-signature"]
    whole = Path(said["package"]["path"]).read_bytes()
    for change in said["changes"]:
        altered = Path(change["file"]).read_bytes()
        assert sum(a != b for a, b in zip(whole, altered, strict=True)) == 1


@pytest.mark.parametrize("name", ["evidence.jsonl", "evidence-altered-1.jsonl"])
def test_the_command_line_says_the_same_of_the_package(stands: Standing, name: str) -> None:
    demo("tamper", "--dir", stands.root)
    done = subprocess.run(
        [sys.executable, "-m", "gateway.cli", "evidence", "verify", str(stands.root / name), "--json"],
        cwd=ROOT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == (0 if name == "evidence.jsonl" else 1), done.stdout


@pytest.mark.parametrize("what", ["peer", "platform", "clock", "seal"])
def test_what_breaks_is_seen_and_mended(stands: Standing, what: str) -> None:
    broke = demo("break", what, "--dir", stands.root, "--json")
    said = last(broke)
    assert broke.returncode == 0, said
    assert any(step.startswith("→") for step in said["steps"])
    status = demo("status", "--dir", stands.root, "--json")
    assert status.returncode == 0
    assert [process["running"] for process in last(status)["processes"]] == [True] * 4


def test_a_second_demo_leaves_the_first_alone(stands: Standing) -> None:
    again = demo("--dir", stands.root, "--json")
    assert again.returncode == 1 and last(again)["ok"] is False
    assert demo("status", "--dir", stands.root).returncode == 0


def test_a_folder_that_is_not_ours_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("mine")
    done = demo("--dir", tmp_path)
    assert done.returncode == 1 and str(tmp_path) in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["letter"]


def test_without_libcrypto_it_runs_and_says_so(tmp_path: Path) -> None:
    done = demo(
        "--cases", "1", "--pdf-bytes", "4096", "--dir", tmp_path / "d", "--lang", "en",
        TONGBAN_SM2_PROVIDER="pure:?sign=allow",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SM2 in pure Python" in done.stdout
    assert "all 1 cases delivered" in done.stdout
    for name in ("gateway-a.log", "gateway-b.log"):
        assert "SM2 in pure Python" in (tmp_path / "d" / name).read_text("utf-8")

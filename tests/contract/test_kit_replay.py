"""Recorded sessions: the profiles still write and read them byte for byte, and a profile that does not is told where."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import root as command
from tests.scan import scan
from tests.unit.adapters.support import PROFILES, ROOT

pytestmark = pytest.mark.usefixtures("as_the_command_runs")
RECORDED = sorted((ROOT / "tests" / "vectors" / "kit").glob("*.jsonl"))


def replay(recording: Path, profile: str | Path) -> Result:
    words = ["kit", "replay", str(recording), "--profile", str(profile), "--json"]
    return CliRunner(env={"LANG": "zh_CN.UTF-8"}).invoke(command, words, catch_exceptions=False)


@pytest.mark.parametrize("recording", RECORDED, ids=lambda path: path.stem)
def test_a_profile_writes_and_reads_what_was_recorded(recording: Path) -> None:
    done = replay(recording, recording.stem)
    steps = json.loads(done.output)["steps"]
    assert [step for step in steps if step["verdict"] != "pass"] == []
    assert done.exit_code == 0 and len(steps) >= 10


@pytest.mark.parametrize("recording", RECORDED, ids=lambda path: path.stem)
def test_P05_a_recording_holds_nobody_and_no_signature(recording: Path) -> None:
    text = recording.read_bytes()
    assert scan(text) == set()
    headers = [
        line["exchanges"][0]["request"]["headers"] for line in map(json.loads, text.splitlines()) if "sent" in line
    ]
    assert all(dict(one).get("x-qk-sign", "***") == "***" for one in headers)


CHANGES = {
    "a code of the platform's": (b'"1" = "accepted"', b'"7" = "accepted"', "body"),
    "a field's name": (b'target = "wh", source = "number"', b'target = "wenhao", source = "number"', "body"),
    "the address": (b'path = "/tongban/events"', b'path = "/tongban/v2"', "path"),
    "what an answer means": (b'ok = ["0"]', b'ok = ["00"]', "结论不同"),
    "how a time is written": (
        b'source = "sjsj", codec = "datetime14"',
        b'source = "sjsj", codec = "datetime_t"',
        "读不懂",
    ),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_a_changed_profile_is_told_what_it_changes(kind: str, tmp_path: Path) -> None:
    before, after, said = CHANGES[kind]
    text = (PROFILES / "qiaokou.toml").read_bytes()
    assert before in text
    (tmp_path / "qiaokou.toml").write_bytes(text.replace(before, after))
    done = replay(RECORDED[-1], tmp_path / "qiaokou.toml")
    assert done.exit_code == 1
    assert said in str([step["seen"]["zh"] for step in json.loads(done.output)["steps"] if step["verdict"] == "fail"])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"\x00\xff",
        b'{"kit":1}\n{"sent":"receipt"}',
        b'{"kit":1}\n{"heard":7}',
        b'{"kit":2}\n',
        b"[" * 100_000,
    ],
)
def test_what_is_no_recording_is_said(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "r").write_bytes(content)
    assert replay(tmp_path / "r", "qiaokou").exit_code == 65


def test_a_recording_of_nothing_tells_nothing(tmp_path: Path) -> None:
    (tmp_path / "r").write_bytes(b'{"kit":1}\n')
    assert replay(tmp_path / "r", "qiaokou").exit_code == 2

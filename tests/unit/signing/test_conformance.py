"""The scorer and its page: answers judged right, processes that die survived, the page made from the committed results."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest

from tests.sizes import ROOT
from tests.vectors.sm2 import page, score, vectors
from tests.vectors.sm2.score import ACCEPTED, CRASH, EITHER, ERROR, PASS, REFUSED, UNSUPPORTED, WRONG
from tests.vectors.sm2.vectors import Vector


def vector(result: str, **gives: str) -> Vector:
    return Vector("signatures", 1, "", ("Random",), result, {"op": "verify"}, gives)


@pytest.mark.parametrize(
    ("result", "answer", "worth"),
    [
        ("valid", "valid", PASS), ("valid", "invalid", REFUSED), ("valid", "error", REFUSED), ("invalid", "valid", ACCEPTED),
        ("invalid", "invalid", PASS), ("invalid", "error", ERROR), ("acceptable", "valid", EITHER),
        ("acceptable", "error", EITHER), ("valid", "unsupported", UNSUPPORTED), ("invalid", "crash", CRASH),
        ("valid", None, CRASH),
    ],
)  # fmt: skip
def test_answers_are_worth_what_they_are(result: str, answer: str | None, worth: str) -> None:
    assert score.judge(vector(result), {"result": answer}) == worth


def test_an_acceptance_with_a_wrong_answer_is_wrong() -> None:
    assert score.judge(vector("valid", msg="00"), {"result": "valid", "msg": "01"}) == WRONG
    assert score.judge(vector("acceptable", msg="00"), {"result": "valid"}) == WRONG
    assert score.judge(vector("valid", msg="00"), {"result": "valid", "msg": "00"}) == PASS


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def test_a_coprocess_that_dies_is_started_again() -> None:
    """Every second question kills it, and nothing else is lost."""
    dying = (
        'import sys\nprint(\'{"result":"invalid"}\', flush=True) if sys.stdin.readline() else 0\nsys.stdin.readline()'
    )
    ask = score.Coprocess(python(dying), seconds=10)
    assert [ask({"op": "verify"})["result"] for _ in range(4)] == ["invalid", "crash", "invalid", "crash"]
    ask.close()


@pytest.mark.parametrize("program", ["print('nonsense', flush=True); input()", "print('[1]', flush=True); input()", ""])
def test_an_answer_that_cannot_be_read_is_a_crash(program: str) -> None:
    ask = score.Coprocess(python(program), seconds=10)
    assert ask({"op": "verify"})["result"] == "crash"
    ask.close()


def test_a_coprocess_that_says_nothing_is_given_up() -> None:
    ask = score.Coprocess(python("import time; time.sleep(60)"), seconds=0.2)
    assert ask({"op": "verify"})["result"] == "crash"
    ask.close()


@pytest.mark.parametrize(("code", "result"), [(0, "valid"), (1, "invalid"), (2, "unsupported"), (3, "error")])
def test_a_command_answers_by_its_exit_code(code: int, result: str) -> None:
    told = f"import json, sys; q = json.load(sys.stdin); print(json.dumps({{'msg': q['ct']}})); sys.exit({code})"
    assert score.once(python(told))({"op": "decrypt", "ct": "ab"}) == {"msg": "ab", "result": result}


def test_a_command_that_is_killed_has_crashed() -> None:
    assert score.once(python("import os; os.kill(os.getpid(), 9)"))({"op": "verify"})["result"] == "crash"


@pytest.mark.processes
def test_ours_answer_everything_right_through_the_protocol(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "card.json"
    assert score.main(["--adapter", "tongban libcrypto:", "--out", str(out)]) == 0
    files = json.loads(out.read_text("utf-8"))["files"]
    assert [set(files[name]["totals"]) for name in vectors.FILES] == [{PASS, EITHER}] * 3
    assert "✗" not in capsys.readouterr().out


@pytest.mark.processes
def test_one_that_accepts_everything_is_shown_up(capsys: pytest.CaptureFixture[str]) -> None:
    gullible = 'import sys\nfor _ in sys.stdin: print(\'{"result":"valid"}\', flush=True)'
    assert score.main(["--coprocess", shlex.join(python(gullible)), "--files", "signatures", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)["files"]["signatures"]
    assert found["totals"][ACCEPTED] == sum(one.result == "invalid" for one in vectors.load("signatures"))


def test_the_page_is_made_from_the_results() -> None:
    assert (ROOT / "docs" / "conformance.md").read_text("utf-8") == page.page()


def test_ours_have_nothing_wrong_on_the_page() -> None:
    for name, found in page.results().items():
        if name.startswith("tongban-"):
            assert not any(found["files"][file]["wrong"] for file in vectors.FILES), name

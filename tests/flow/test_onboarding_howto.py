"""docs/howto/onboard-a-platform.md as it stands: every command of the page, in its order, against the invented platform."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway.cli import root as command
from gateway.demo.world import free_ports
from tests.sizes import ROOT

pytestmark = [pytest.mark.processes, pytest.mark.usefixtures("as_typed")]
PAGE = (ROOT / "docs" / "howto" / "onboard-a-platform.md").read_text("utf-8")
PORTS = sorted({int(port) for port in re.findall(r"127\.0\.0\.1:(\d+)", PAGE)})
SAYS = {"tongban map new --from application": 1}
"""Exit codes that the page names; all others are 0."""


class Reader:
    """Who follows the page in a folder of their own; ports are other ones, and free."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.ports = folder, dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        self.running: list[subprocess.Popen[str]] = []
        for file in folder.glob("*.toml"):
            file.write_text(self.moved(file.read_text("utf-8")), "utf-8")

    def moved(self, text: str) -> str:
        return re.sub(r"127\.0\.0\.1:(\d+)", lambda found: f"127.0.0.1:{self.ports[int(found[1])]}", text)

    def sections(self, *numbers: int) -> Iterator[str]:
        """The command lines of these sections, in order."""
        for number in numbers:
            [section] = re.findall(rf"\n## {number}\. .*?(?=\n## )", PAGE, re.DOTALL)
            for block in re.findall(r"```\n(.*?)```", section, re.DOTALL):
                yield from block.splitlines()

    def follow(self, *numbers: int) -> dict[str, Result]:
        """Do what the sections say; what each command of ours said."""
        done = {}
        for line in self.sections(*numbers):
            typed = self.moved(line)
            if line.startswith(("python ", "tongban serve")):
                self.start(typed)
            elif line.startswith("tongban "):
                done[line] = self.type(typed)
                wanted = next((code for start, code in SAYS.items() if line.startswith(start)), 0)
                assert done[line].exit_code == wanted, (line, done[line].output)
            else:
                subprocess.run(typed, shell=True, check=True, cwd=self.folder)
        return done

    def type(self, line: str) -> Result:
        named = re.sub(r"\$\(cat ([^)]+)\)", lambda found: (self.folder / found[1]).read_text().strip(), line)
        return CliRunner().invoke(command, shlex.split(named)[1:], catch_exceptions=False)

    def start(self, line: str) -> None:
        """In another window; until it says that it is ready."""
        words = shlex.split(line)
        if words[0] == "tongban":
            words = [sys.executable, "-m", "gateway.cli", *words[1:]]
        else:
            self.stop("hudong.py")
            words = [sys.executable, *words[1:]]
        self.running.append(
            subprocess.Popen(
                words, cwd=self.folder, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
            )
        )
        assert "ready" in self.said()

    def said(self) -> Any:
        """The next line of what was started last."""
        stream = self.running[-1].stdout
        assert stream is not None
        return json.loads(stream.readline())

    def stop(self, name: str = "") -> None:
        for process in [one for one in self.running if name in " ".join(map(str, one.args))]:  # type: ignore[arg-type]
            process.terminate()
            process.communicate(timeout=30)
            self.running.remove(process)


@pytest.fixture
def as_typed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    monkeypatch.delenv("TONGBAN_PASSPHRASE", raising=False)
    shutil.copytree(ROOT / "docs" / "howto" / "onboard", tmp_path / "try")
    monkeypatch.chdir(tmp_path / "try")


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    made = Reader(tmp_path / "try")
    secret = re.search(r"python -c .*hudong\.secret", PAGE)
    assert secret is not None
    subprocess.run(secret[0].replace("python", sys.executable, 1), shell=True, check=True, cwd=made.folder)
    yield made
    made.stop()


def test_from_two_samples_to_a_platform_that_was_tried(reader: Reader) -> None:
    done = reader.follow(1, 2, 3, 4)
    said = {line.split(" ")[1] + " " + line.split(" ")[2]: result.output for line, result in done.items()}
    draft = (reader.folder / "draft.toml").read_text("utf-8")
    assert draft.count("待确认") == 3 and 'id = "msgId"' in draft
    assert "0 个错误" in said["map check"]
    assert "通过 17，不通过 0" in said["kit run"]
    mapped = json.loads(done["tongban map run hudong.toml application.json --operation case"].output)
    assert mapped["body"] == json.loads((reader.folder / "application.canonical.json").read_text("utf-8"))
    assert "不相同" not in said["kit replay"]


@pytest.mark.long
def test_into_the_node_and_the_first_case(reader: Reader) -> None:
    done = reader.follow(5)
    # the list stands last on the page: what the platform was told comes before it is looked at
    assert "配置可用" in done["tongban config check --config a/tongban.toml"].output
    told = reader.said()
    assert (
        (told["submitted"], told["said"]["ret"]) == (200, "0") and told["said"]["tongbanNo"] and told["said"]["receipt"]
    )
    assert "HD202611200017" in reader.type("tongban case list --config a/tongban.toml").output

"""The documentation says what is there: commands exist, links lead somewhere, ADRs and glossary are complete."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import click
import pytest

from gateway.cli import NOUNS, root
from tests.sizes import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
CODE = re.compile(r"```[^\n]*\n(.*?)```|`([^`\n]+)`", re.DOTALL)
RUN = re.compile(r"(?<![\w/])\./run ([a-z]+)")
TONGBAN = re.compile(r"(?<![\w./-])tongban ([a-z]+)(?: ([a-z-]+(?:\|[a-z-]+)*))?")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
TWINS = ("README.md", "README.zh-CN.md")


def code(page: Path) -> str:
    return "\n".join(block or span for block, span in CODE.findall(page.read_text("utf-8")))


def run_commands() -> set[str]:
    """The names that ``./run`` knows: its case labels at four spaces of indentation."""
    labels = re.findall(r"^    ([a-z |-]+)\)", (ROOT / "run").read_text("utf-8"), re.MULTILINE)
    return {name.strip() for label in labels for name in label.split("|")}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_of_run_exist(page: Path) -> None:
    assert set(RUN.findall(code(page))) - run_commands() == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_of_tongban_exist(page: Path) -> None:
    missing = set()
    for noun, verbs in TONGBAN.findall(code(page)):
        if noun not in NOUNS:
            missing.add(noun)
            continue
        command = root.get_command(click.Context(root), noun)
        if isinstance(command, click.Group) and verbs:
            missing |= {f"{noun} {verb}" for verb in verbs.split("|") if verb not in command.commands}
    assert missing == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    targets = (target for target in LINK.findall(page.read_text("utf-8")) if "://" not in target and "@" not in target)
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_two_readmes_are_twins() -> None:
    pages = [ROOT / name for name in TWINS]
    assert set(RUN.findall(code(pages[0]))) == set(RUN.findall(code(pages[1])))
    assert [page.read_text("utf-8").count("\n## ") for page in pages][:1] * 2 == [
        page.read_text("utf-8").count("\n## ") for page in pages
    ]


def test_every_adr_is_numbered_in_a_row_and_indexed() -> None:
    folder = ROOT / "docs" / "adr"
    records = sorted(path.name for path in folder.glob("[0-9]*.md"))
    assert [name[:4] for name in records] == [f"{number:04d}" for number in range(1, len(records) + 1)]
    index = (folder / "README.md").read_text("utf-8")
    assert [name for name in records if f"({name})" not in index] == []


def test_every_adr_says_context_decision_and_consequences() -> None:
    for path in (ROOT / "docs" / "adr").glob("[0-9]*.md"):
        text = path.read_text("utf-8")
        for heading in ("## 背景 Context", "## 决定 Decision", "## 结果 Consequences"):
            assert heading in text, f"{path.name} lacks {heading}"


def test_changelog_has_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert re.search(r"^## \[(?:Unreleased|" + re.escape(version) + r")\]", text, re.MULTILINE)


def test_glossary_rows_are_whole() -> None:
    rows = [line for line in (ROOT / "docs" / "glossary.md").read_text("utf-8").splitlines() if line.startswith("| ")]
    assert all(line.count("|") == 5 for line in rows)
    terms = [line.split("|")[1].strip() for line in rows]
    assert len(terms) == len(set(terms)), "a term stands twice"

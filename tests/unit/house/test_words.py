"""What no file of the checkout may hold: paths of one machine, registry hosts, notes to oneself, private keys."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.scan import scan
from tests.sizes import ROOT

SELF = Path(__file__).relative_to(ROOT).as_posix()
BINARY = {".png", ".esl", ".ofd", ".der", ".dat", ".pdf", ".ico", ".woff2", ".mo", ".xlsx", ".bin"}
FORBIDDEN = {
    "path of one machine": r"(?<![\w.])/(?:work|root|home/\w+|Users/\w+|tmp/tb)/",
    "registry host": r"pythonhosted\.org|//(?:test\.)?pypi\.org|registry\.npmjs\.org|mirrors?\.(?:aliyun|tuna|ustc)",
    "note to oneself": r"\b(?:TODO|FIXME|XXX:|HACK)\b|NotImplementedError",
    "working paper cited instead of a standard": r"facts: ?\w+\.md|\b(?:standards|crypto|libraries|attacks)\.md [0-9§]",
    "index option in a lock": r"^\s*--(?:extra-)?index-url",
}


def tracked() -> list[str]:
    """Files under version control; without git (a tarball) every file that is not hidden."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if done.returncode == 0:
        return [name for name in done.stdout.decode().split("\0") if name]
    paths = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    return [path.as_posix() for path in paths if not any(part.startswith(".") for part in path.parts)]


def texts() -> dict[str, str]:
    names = (name for name in tracked() if name != SELF and Path(name).suffix not in BINARY and (ROOT / name).is_file())
    return {name: (ROOT / name).read_text("utf-8", "replace") for name in names}


@pytest.mark.parametrize("kind", FORBIDDEN)
def test_no_forbidden_words(kind: str) -> None:
    pattern = re.compile(FORBIDDEN[kind], re.MULTILINE)
    found = {
        f"{name}:{text.count(chr(10), 0, match.start()) + 1}: {match[0]}"
        for name, text in texts().items()
        for match in pattern.finditer(text)
    }
    assert found == set()


def test_U06_private_keys_lie_only_among_the_test_vectors() -> None:
    found = {
        name
        for name, text in texts().items()
        if re.search(r"^-----BEGIN [A-Z ]*PRIVATE KEY-----\n[A-Za-z0-9+/]{32}", text, re.M)
    }
    assert {name for name in found if not name.startswith("tests/vectors/")} == set()


def test_no_skipped_or_expected_failure_without_a_reason() -> None:
    bare = re.compile(r"pytest\.mark\.(?:skip|xfail)\b(?!if)|pytest\.(?:skip|xfail)\(\s*\)")
    found = {name for name, text in texts().items() if name.startswith("tests/") and bare.search(text)}
    assert found == set()


def test_no_personal_data_in_shown_output() -> None:
    shown = [name for name in tracked() if name.startswith(("docs/", "README"))]
    found = {hit for name in shown if Path(name).suffix not in BINARY for hit in scan((ROOT / name).read_bytes(), name)}
    assert found == set()

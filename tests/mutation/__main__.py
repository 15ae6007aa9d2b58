"""Would the tests notice a wrong line? ``./run mutation``: a random sample of mutants of ``signing/``, by mutmut.

All mutants are made (the type checker is asked first: what it refuses never runs), a sample with a seed is drawn, and the
tests that reach a mutant's function are run against it. Not drawn are changes of sentences for people alone. The score is
killed / drawn; a mutant that runs into its time limit is killed. Survivors are listed to be looked at.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator

from tests.sizes import ROOT

WORK = ROOT / ".tongban-cache" / f"mutation-{os.getpid()}"
NOT_MUTATED = (
    "signing/providers/sdf*",
    "signing/lab.py",
)  # a foreign library's binding has a compiled double in its tests
TESTS = ["tests/unit/signing"]
SETTINGS = """
[tool.mutmut]
source_paths = ["signing/"]
only_mutate = {wanted}
do_not_mutate = {skipped}
pytest_add_cli_args_test_selection = {tests}
pytest_add_cli_args = ["-p", "no:cacheprovider", "--hypothesis-profile=fixed"]
also_copy = ["gateway", "adapters", "schemas", "agreements", "tests", "docs", "run"]
type_check_command = ["mypy", "signing", "--output", "json", "--no-warn-unused-ignores", "--no-warn-unreachable"]
timeout_constant = 20.0
"""
SENTENCE = re.compile(r"[一-鿿 ]")
NAME = re.compile(r"(?P<base>.*)__mutmut_(?P<number>\d+)$")


def prepare(modules: list[str]) -> None:
    """A copy of the tracked tree with mutmut's settings; mutants of these modules only, of all if none is named."""
    shutil.rmtree(WORK, ignore_errors=True)
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        (WORK / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, WORK / name)
    with (WORK / "pyproject.toml").open("a") as file:
        wanted = [f"{one.replace('.', '/')}.py" for one in modules] or ["signing/**"]
        lists = {"wanted": wanted, "skipped": list(NOT_MUTATED), "tests": TESTS}
        file.write(SETTINGS.format_map({name: json.dumps(value) for name, value in lists.items()}))


def mutmut(*words: str) -> None:
    """One run of mutmut in the copy, its many lines in a log."""
    with (WORK / "mutmut.log").open("ab") as log:
        command = [sys.executable, "-m", "mutmut", *words]
        subprocess.run(command, cwd=WORK, stdout=log, stderr=log, stdin=subprocess.DEVNULL, check=False)


def made() -> Iterator[tuple[str, ast.AST, ast.AST]]:
    """Every mutant's name, with the function before and after."""
    for path in sorted((WORK / "mutants" / "signing").rglob("*.py")):
        module = ".".join(path.relative_to(WORK / "mutants").with_suffix("").parts).removesuffix(".__init__")
        tree = ast.parse(path.read_text())
        functions = {one.name: one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)}
        for name, function in functions.items():
            found = NAME.match(name)
            if found:
                yield f"{module}.{name}", functions[f"{found['base']}__mutmut_orig"], function


def words_only(before: ast.AST, after: ast.AST) -> bool:
    """Whether nothing but sentences differ."""
    return ast.dump(_silent(before)) == ast.dump(_silent(after))


def _silent(function: ast.AST) -> ast.AST:
    copied = ast.parse(ast.unparse(function)).body[0]
    assert isinstance(copied, ast.FunctionDef)
    copied.name = ""
    for node in ast.walk(copied):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SENTENCE.search(node.value):
            node.value = ""
    return copied


def verdicts() -> dict[str, int | None]:
    """Exit code of the tests by mutant: 0 survived, None not run."""
    found: dict[str, int | None] = {}
    for path in (WORK / "mutants").rglob("*.meta"):
        found |= json.loads(path.read_text())["exit_code_by_key"]
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="./run mutation")
    parser.add_argument("--sample", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("modules", nargs="*", help="signing.der … (all without)")
    options = parser.parse_args()
    prepare(options.modules)
    mutmut("run", "none.at.all")
    drawn = [name for name, before, after in made() if not words_only(before, after)]
    total = len(drawn)
    random.Random(options.seed).shuffle(drawn)
    drawn = drawn[: options.sample]
    print(f"{total} mutants, {len(drawn)} drawn (seed {options.seed})", flush=True)
    mutmut("run", *drawn)
    codes = verdicts()
    survived = sorted(name for name in drawn if codes.get(name) == 0)
    unknown = sorted(name for name in drawn if codes.get(name) is None)
    unreached = sorted(name for name in drawn if codes.get(name) == 33)
    for title, names in (("survived", survived), ("reached by no test", unreached), ("not run", unknown)):
        for name in names:
            print(f"  {title}: {name}")
    killed = len(drawn) - len(survived) - len(unknown) - len(unreached)
    print(f"killed {killed} of {len(drawn)}: {killed / max(1, len(drawn)):.1%}")
    shutil.rmtree(WORK, ignore_errors=True)
    return 0 if not unknown else 2


if __name__ == "__main__":
    raise SystemExit(main())

"""Scores any SM2 implementation on the vectors: ``python -m tests.vectors.sm2.score --coprocess 'COMMAND ARGUMENTS'``.

A coprocess reads one JSON question per line and answers one JSON object per line; with ``--command`` the command is run once
per vector, the question on its standard input, and answers by its exit code (0 accepted, 1 refused). README.md has the protocol.
Standard library only. Exit code 0: nothing invalid was accepted and nothing valid refused.
"""

from __future__ import annotations

import argparse
import json
import queue
import shlex
import subprocess
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from tests.vectors.sm2.vectors import FILES, Vector, load, notes

Answer = dict[str, Any]
Ask = Callable[[dict[str, str]], Answer]
SECONDS = 30.0


class Coprocess:
    """A process that answers line by line; started anew when it dies or says nothing in time."""

    def __init__(self, command: list[str], seconds: float = SECONDS) -> None:
        self._command, self._seconds = command, seconds
        self._process: subprocess.Popen[str] | None = None
        self._lines: queue.Queue[str] = queue.Queue()

    def __call__(self, question: dict[str, str]) -> Answer:
        process = self._started()
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(question) + "\n")
            process.stdin.flush()
            line = self._lines.get(timeout=self._seconds)
        except (OSError, queue.Empty):
            line = ""
        try:
            found = json.loads(line)
        except ValueError:
            self.close()
            return {"result": "crash"}
        return found if isinstance(found, dict) else {"result": "crash"}

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()  # its output ends, and with it the thread that reads it
            self._process = None

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None:
            self._lines = queue.Queue()
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
            threading.Thread(target=_forward, args=(self._process, self._lines), daemon=True).start()
        return self._process


def _forward(process: subprocess.Popen[str], lines: queue.Queue[str]) -> None:
    """Every line of the process, then an empty one when it ends."""
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            lines.put(line)
    lines.put("")


def once(command: list[str]) -> Ask:
    """One run for each question: exit code 0 accepted, 1 refused, 2 unsupported, anything else an error."""

    def ask(question: dict[str, str]) -> Answer:
        try:
            done = subprocess.run(
                command, input=json.dumps(question).encode(), capture_output=True, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return {"result": "crash"}
        answer: Answer = {"result": {0: "valid", 1: "invalid", 2: "unsupported"}.get(done.returncode, "error")}
        if done.returncode < 0:
            return {"result": "crash"}
        try:
            told = json.loads(done.stdout or b"{}")
        except ValueError:
            told = {}
        return (told if isinstance(told, dict) else {}) | answer

    return ask


# --- judging --------------------------------------------------------------------------------------------------------------

PASS, ERROR, ACCEPTED, REFUSED, WRONG, CRASH, UNSUPPORTED, EITHER = (
    "pass", "refused by an error", "accepted but invalid", "refused but valid", "wrong answer", "crash", "unsupported", "either",
)  # fmt: skip
BAD = (ACCEPTED, REFUSED, WRONG, CRASH)


def judge(vector: Vector, answer: Answer) -> str:
    """What this answer is worth. An error is a refusal, but is counted apart: a caller has to expect it."""
    said = answer.get("result")
    if said == "unsupported":
        return UNSUPPORTED
    if said not in ("valid", "invalid", "error"):
        return CRASH
    if said == "valid" and any(answer.get(name) != value for name, value in vector.gives.items()):
        return WRONG if vector.result != "invalid" else ACCEPTED
    if vector.result == "acceptable":
        return EITHER
    if vector.result == "valid":
        return PASS if said == "valid" else REFUSED
    return {"valid": ACCEPTED, "invalid": PASS, "error": ERROR}[said]


def score(vectors: Iterable[Vector], ask: Ask, show: Callable[[int], None] = lambda _: None) -> dict[str, Any]:
    """The scorecard: counts per file and flag, and the numbers of all vectors that went wrong or were left to choice."""
    flags: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    totals: dict[str, Counter[str]] = defaultdict(Counter)
    wrong: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    choices: dict[str, dict[str, str]] = defaultdict(dict)
    for index, vector in enumerate(vectors):
        show(index)
        answer = ask(vector.question)
        worth = judge(vector, answer)
        totals[vector.file][worth] += 1
        for flag in vector.flags:
            flags[vector.file][flag][worth] += 1
        if worth in BAD:
            wrong[vector.file][worth].append(vector.number)
        if worth == EITHER:
            choices[vector.file][str(vector.number)] = "accepted" if answer["result"] == "valid" else "refused"
    return {
        file: {"totals": dict(totals[file]), "flags": {flag: dict(flags[file][flag]) for flag in sorted(flags[file])},
               "wrong": dict(wrong[file]), "acceptable": choices[file]}
        for file in totals
    }  # fmt: skip


# --- the command ----------------------------------------------------------------------------------------------------------


def card(files: dict[str, Any]) -> Iterable[str]:
    """The scorecard as text."""
    for file, found in files.items():
        explained = notes(file)
        yield f"{file}: " + ", ".join(f"{count} {worth}" for worth, count in found["totals"].items())
        for flag, counts in found["flags"].items():
            bad = {worth: count for worth, count in counts.items() if worth in BAD}
            mark = "✗" if bad else "-" if set(counts) <= {UNSUPPORTED} else "✓"
            rest = ", ".join(f"{count} {worth}" for worth, count in counts.items())
            yield f"  {mark} {flag:20} {rest:60} {explained[flag]['description_zh']}"


def implementation(ask: Ask) -> str:
    """What the implementation calls itself: the answer to the question ``name``, if it has one."""
    return str(ask({"op": "name"}).get("name", ""))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.vectors.sm2.score", description=__doc__)
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--coprocess", help="command that answers JSON lines")
    how.add_argument("--command", help="command that is run once for each vector")
    how.add_argument("--adapter", help="one of ours: a module in adapters/, with arguments after a space")
    parser.add_argument("--files", nargs="+", choices=FILES, default=list(FILES))
    parser.add_argument("--name", help="what to call the implementation")
    parser.add_argument("--out", help="write the scorecard to this file as JSON")
    parser.add_argument("--json", action="store_true", help="print the scorecard as JSON")
    chosen = parser.parse_args(arguments)
    ask: Ask
    if chosen.command:
        ask = once(shlex.split(chosen.command))
    else:
        adapter = shlex.split(chosen.adapter or "")
        module = [sys.executable, "-m", f"tests.vectors.sm2.adapters.{adapter[0]}", *adapter[1:]] if adapter else []
        ask = Coprocess(module or shlex.split(chosen.coprocess))
    vectors = [vector for file in chosen.files for vector in load(file)]
    found = {
        "implementation": chosen.name or implementation(ask) or chosen.command or chosen.coprocess,
        "files": score(vectors, ask, _progress(len(vectors))),
    }
    if isinstance(ask, Coprocess):
        ask.close()
    if chosen.out:
        with open(chosen.out, "w", encoding="utf-8") as file:
            file.write(json.dumps(found, ensure_ascii=False, indent=1) + "\n")
    print(
        json.dumps(found, ensure_ascii=False)
        if chosen.json
        else "\n".join([found["implementation"], *card(found["files"])])
    )
    return int(any(worth in BAD for file in found["files"].values() for worth in file["totals"]))


def _progress(total: int) -> Callable[[int], None]:
    """A counter on a terminal."""
    if not sys.stderr.isatty():
        return lambda _: None
    return lambda index: print(
        f"\r{index + 1}/{total}", end="" if index + 1 < total else "\n", file=sys.stderr, flush=True
    )


if __name__ == "__main__":
    sys.exit(main())

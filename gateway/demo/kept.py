"""A demo that stands (``up``): its processes' state, stopping it, and what one changed byte breaks in what it left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from gateway.cli.output import finish
from gateway.demo import proof
from gateway.demo import tamper as tampering
from gateway.demo.crew import tail
from gateway.demo.ground import EVIDENCE, State
from gateway.keys import keyring
from gateway.lang import say
from gateway.ledger.package import Finding

ALTERED = "evidence-altered-{}.jsonl"


def processes(state: State) -> list[dict[str, Any]]:
    """Each process: name, what it is, id, whether it runs, its log."""
    crew = state.crew
    return [
        {"name": name, "title": say(*one.title), "pid": one.pid, "running": crew.alive(name), "log": one.log}
        for name, one in crew.members.items()
    ]


def status(state: State, as_json: bool) -> NoReturn:
    """Exit 0 when all run."""
    found = processes(state)
    finish(
        all(one["running"] for one in found), {"processes": found, "consoles": consoles(state)}, as_json, _lines(state)
    )


def consoles(state: State) -> list[str]:
    """Where the gateways answer their operators."""
    return [f"http://{place.admin}/admin/v1/overview" for place in (state.a, state.b)]


def _lines(state: State) -> Iterator[str]:
    if not state.running:
        yield say("演示没有在运行；让它留着运行：./run demo up", "nothing is running; to let it stand: ./run demo up")
        return
    for one in processes(state):
        mark = "✓" if one["running"] else "✗"
        now = say("运行中", "running") if one["running"] else say("未运行", "not running")
        yield f"  {mark} {one['title']}  {now}  pid {one['pid']}  {one['log']}"
        if state.kept and not one["running"]:
            yield from (f"      {line}" for line in tail(Path(one["log"]), 3))
    for place in (state.a, state.b):
        yield f"    {place.name}  http://{place.admin}/admin/v1/overview"


def down(state: State, as_json: bool) -> NoReturn:
    """Stop what still runs."""
    crew = state.crew
    running = state.running
    crew.stop()
    left = [name for name in running if crew.alive(name)]
    text = say(f"已停止 {len(running)} 个进程", f"stopped {len(running)} processes")
    if not running:
        text = say("没有进程在运行", "nothing was running")
    finish(
        not left,
        {"stopped": [one for one in running if one not in left], "processes": processes(state)},
        as_json,
        [text],
    )


def tamper(root: Path, state: State, as_json: bool) -> NoReturn:
    """Change one byte at a time and say what broke; exit 0 when every change was found."""
    path = root / EVIDENCE
    if not path.is_file():
        text = say("还没有证据包，先运行 ./run demo", "there is no evidence package yet: run ./run demo first")
        finish(False, {"text": text}, as_json, [text])
    data, anchors = path.read_bytes(), proof.roots(state)
    provider, _ = keyring.provider("auto", lab=True)
    whole = proof.verify(data, anchors, provider)
    changes = list(tampering.changes(data, anchors, provider))
    for number, one in enumerate(changes, 1):
        (root / ALTERED.format(number)).write_bytes(one.data)
    stamps = list(tampering.restamped(data, anchors, provider))
    good = [whole.ok is True, *(one.ok is False for one in changes)]
    good += [(one.report.ok is True) == (number == 0) for number, one in enumerate(stamps)]
    report = {
        "package": {"path": str(path), "ok": whole.ok},
        "changes": [_change(root, number, one) for number, one in enumerate(changes, 1)],
        "stamps": [
            {"what": say(*one.what), "ok": one.report.ok, "reasons": [_reason(reason) for reason in one.report.reasons]}
            for one in stamps
        ],
    }
    finish(all(good), report, as_json, _told(root, path, whole.ok, changes, stamps))


def _change(root: Path, number: int, one: tampering.Change) -> dict[str, Any]:
    return {
        "what": say(*one.what), "file": str(root / ALTERED.format(number)), "line": one.line, "byte": one.offset,
        "before": one.before, "after": one.after, "ok": one.ok,
        "reasons": [{**_reason(finding), "where": finding.where} for finding in one.found],
    }  # fmt: skip


def _reason(reason: Any) -> dict[str, str]:
    return {"code": reason.code, "zh": reason.zh, "en": reason.en}


def _place(finding: Finding) -> str:
    line = say(f"第 {finding.line} 行", f"line {finding.line}") if finding.line else say("整体", "the whole")
    return f"{line} {finding.message}".rstrip()


def _told(
    root: Path,
    path: Path,
    ok: bool | None,
    changes: list[tampering.Change],
    stamps: list[tampering.Restamped],
) -> Iterator[str]:
    yield say(f"证据包 {path}", f"evidence package {path}")
    yield (
        "  ✓ " + say("原样核验：成立", "as it is: good")
        if ok
        else "  ✗ " + say("原样核验：不成立", "as it is: not good")
    )
    for number, one in enumerate(changes, 1):
        yield ""
        yield say(
            f"改一个字节：{one.what[0]}（第 {one.line} 行，第 {one.offset} 字节，{one.before} → {one.after}）",
            f"one byte changed: {one.what[1]} (line {one.line}, byte {one.offset}, {one.before} -> {one.after})",
        )
        for finding in one.found:
            yield f"  ✗ {_place(finding)}: {say(finding.zh, finding.en)} [{finding.code}]"
        yield say(f"    副本：{root / ALTERED.format(number)}", f"    the copy: {root / ALTERED.format(number)}")
    yield ""
    yield say("盖章的结果文件", "the stamped result")
    for stamped in stamps:
        mark = "✓" if stamped.report.ok else "✗"
        yield f"  {mark} {say(*stamped.what)}"
        for reason in stamped.report.reasons:
            yield f"      {say(reason.zh, reason.en)} [{reason.code}]"

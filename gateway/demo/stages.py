"""The demo as a command: what it prints, how it is interrupted, and with which code it ends."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, NoReturn

import click
import msgspec

from gateway.demo import crew, ground, summary
from gateway.demo import run as demo
from gateway.lang import say

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(
    root: Path,
    cases: int,
    pdf_bytes: int,
    *,
    keep: bool = False,
    kept: bool = False,
    as_json: bool = False,
    platforms: bool = False,
) -> NoReturn:
    """Run the demo and exit: 0 all well, 1 not, 128 + n after a signal."""
    options = demo.Options(root, cases, pdf_bytes, kept=kept, quiet=as_json, platforms=platforms)
    caught: list[int] = []
    try:
        sys.exit(asyncio.run(_interruptible(_run(options, keep, as_json), caught)))
    except (asyncio.CancelledError, KeyboardInterrupt):
        number = caught[0] if caught else signal.SIGINT
        _failed([say("已中断，进程都已停止", "interrupted; all processes are stopped")], as_json, 128 + number)
    except crew.Crashed as crashed:
        _failed(crew.explain(crashed), as_json)
    except demo.AlreadyRunning:
        zh, en = "演示正在这里运行；先停掉：./run demo down", "a demo is running here; stop it first: ./run demo down"
        _failed([say(zh, en)], as_json)
    except ground.NotOurs:
        zh, en = (
            f"{root} 里有别的东西，不动它；请换一个 --dir",
            f"{root} holds something else, left alone; name another --dir",
        )
        _failed([say(zh, en)], as_json)


def _failed(lines: list[str], as_json: bool, code: int = 1) -> NoReturn:
    for line in lines:
        _aside(line)
    if as_json:
        click.echo(msgspec.json.encode({"ok": False, "text": "\n".join(lines)}))
    sys.exit(code)


async def _interruptible(work: Coroutine[Any, Any, int], caught: list[int]) -> int:
    """Run the work as a task that a signal cancels, so that its ``finally`` is always gone through."""
    task = asyncio.ensure_future(work)

    def interrupt(number: int) -> None:
        caught.append(number)
        task.cancel()

    for number in SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, interrupt, number)
    return await task


async def _run(options: demo.Options, keep: bool, as_json: bool) -> int:
    write = _aside if as_json else click.echo
    stage = await demo.raise_stage(options, write)
    left = False
    try:
        outcome = await demo.play(stage, write)
        for line in summary.lines(outcome) if not as_json else ():
            click.echo(line)
        if as_json:
            click.echo(msgspec.json.encode(outcome.data()))
        if options.kept:
            left = True
            write(say("进程仍在运行。停止：./run demo down", "The processes stay up. Stop them: ./run demo down"))
        elif keep:
            await _stay(stage, write)
        return 0 if outcome.ok else 1
    finally:
        if not left:
            stage.crew.stop()


async def _stay(stage: demo.Stage, write: Any) -> None:
    """Stand until Ctrl-C; a process that ends by itself is reported."""
    for place in (stage.state.a, stage.state.b):
        write(f"  {place.name}  http://{place.admin}/admin/v1/overview")
    write(say("保持运行，按 Ctrl-C 停止", "Standing; press Ctrl-C to stop"))
    with contextlib.suppress(asyncio.CancelledError):
        while True:
            stage.crew.check()
            await asyncio.sleep(0.5)


def _aside(line: str) -> None:
    click.echo(line, err=True)

"""The demo's processes: two gateways and their simulated platforms, started, awaited, watched, and always stopped.

Each writes to a log of its own and prints one line of JSON when it stands. A crew in the foreground dies with its
parent, even when that is killed; a kept crew (``demo up``) is detached and found again by its process ids and the
moments at which they began, so that a reused id is never taken for ours.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from gateway.demo.world import Side, World
from gateway.lang import say

READY_S = 60.0
STOP_S = 5.0
TAIL = 12
ROOT = Path(__file__).resolve().parents[2]
PLATFORMS = Path(__file__).resolve().parent / "platforms"
_PR_SET_PDEATHSIG = 1


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One process: its name, what it is (zh, en), its command, where it logs, and its id with its begin once started."""

    name: str
    title: tuple[str, str]
    command: list[str]
    log: str
    pid: int = 0
    begun: str = ""

    @property
    def out(self) -> Path:
        """Its standard output: the line that says it is ready."""
        return Path(self.log).with_suffix(".out")


class Crashed(Exception):
    """A process of the crew ended by itself, or never stood: who, and the last lines that it wrote."""

    def __init__(self, member: Member, zh: str, en: str) -> None:
        self.member, self.zh, self.en = member, zh, en
        self.tail = tail(Path(member.log))
        super().__init__("\n    ".join([en, *self.tail]))  # whoever sees only the exception sees the log's end too


def members(world: World, logs: Path) -> list[Member]:
    """The processes of a world, not yet started, with their logs in one folder: four, and one for each further system."""
    further = [_platform(logs, one.config, one.name, one.script, one.title) for one in world.more]
    hall, window = (
        ("红谷滩审批系统（模拟）", "Honggutan's platform"),
        ("硚口窗口系统（模拟）", "Qiaokou's window system"),
    )
    return [
        *further,
        _platform(logs, world.b.platform_config, "platform-b", "honggutan.py", hall),
        gateway(logs, world.b, "gateway-b", ("红谷滩通办网关", "Honggutan's gateway")),
        gateway(logs, world.a, "gateway-a", ("硚口通办网关", "Qiaokou's gateway")),
        _platform(logs, world.a.platform_config, "platform-a", "qiaokou.py", window),
    ]


def gateway(logs: Path, side: Side, name: str, title: tuple[str, str]) -> Member:
    """The gateway of one side."""
    command = [sys.executable, "-m", "gateway.cli", "serve", "--config", str(side.config)]
    return Member(name=name, title=title, command=command, log=str(logs / f"{name}.log"))


def _platform(logs: Path, config: Path, name: str, script: str, title: tuple[str, str]) -> Member:
    command = [sys.executable, "-I", str(PLATFORMS / script), "--config", str(config)]
    return Member(name=name, title=title, command=command, log=str(logs / f"{name}.log"))


class Crew:
    """The processes that this one started, or found again after ``demo up``."""

    def __init__(self, crew: Sequence[Member], kept: bool = False) -> None:
        self.members = {member.name: member for member in crew}
        self.kept = kept
        self._ours: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, *names: str) -> None:
        """Start the named processes, or all. They run side by side from here on."""
        for name in names or tuple(self.members):
            member = self.members[name]
            member.out.unlink(missing_ok=True)
            # a session of its own: Ctrl-C at the terminal reaches only us, and we stop the crew in order
            with Path(member.log).open("ab") as log, member.out.open("wb") as out:
                process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own files
                    member.command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=log, start_new_session=True,
                    preexec_fn=None if self.kept else _die_with_parent(),
                )  # fmt: skip
            self._ours[name] = process
            self.members[name] = msgspec.structs.replace(member, pid=process.pid, begun=begun(process.pid))

    def ready(self) -> dict[str, dict[str, Any]]:
        """What each printed when it stood, by name; those that do not stand yet are not in it. Raises ``Crashed``."""
        self.check()
        return {name: line for name, member in self.members.items() if (line := _line(member.out)) is not None}

    async def await_ready(self, sleep: Callable[[float], Any]) -> dict[str, dict[str, Any]]:
        """Until all stand. Raises ``Crashed`` for the one that does not."""
        end = time.monotonic() + READY_S
        while len(ready := self.ready()) < len(self.members):
            if time.monotonic() > end:
                late = next(member for name, member in self.members.items() if name not in ready)
                zh, en = f"{late.title[0]}在 {READY_S:.0f} 秒内没有就绪", f"{late.title[1]} was not ready in time"
                raise Crashed(late, zh, en)
            await sleep(0.02)
        return ready

    def check(self) -> None:
        """Raises ``Crashed`` for a process that has ended by itself."""
        for name, process in self._ours.items():
            code = process.poll()
            if code is not None:
                member = self.members[name]
                zh, en = f"{member.title[0]}意外退出（{code}）", f"{member.title[1]} ended unexpectedly ({code})"
                raise Crashed(member, zh, en)

    def alive(self, name: str) -> bool:
        """Whether this very process still runs."""
        member = self.members[name]
        ours = self._ours.get(name)
        if ours is not None:
            return ours.poll() is None
        return member.pid > 0 and begun(member.pid) == member.begun != ""

    def kill(self, name: str) -> None:
        """Take one process out of the world at once, as a power cut would."""
        ours = self._ours.pop(name, None)
        if ours is not None:
            ours.kill()
            ours.wait()
        elif self.alive(name):
            os.kill(self.members[name].pid, signal.SIGKILL)
            self._await_end([name])

    def stop(self) -> None:
        """Stop all, the window first, so that nothing new begins while the rest ends. Never raises, never waits long."""
        names = [name for name in reversed(self.members) if self.alive(name)]
        for name in names:
            with contextlib.suppress(OSError):
                os.kill(self.members[name].pid, signal.SIGTERM)
        for name in self._await_end(names):
            with contextlib.suppress(OSError):
                os.kill(self.members[name].pid, signal.SIGKILL)
        for process in self._ours.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_S)

    def _await_end(self, names: Sequence[str]) -> list[str]:
        end = time.monotonic() + STOP_S
        while (left := [name for name in names if self.alive(name)]) and time.monotonic() < end:
            time.sleep(0.02)
        return left


def begun(pid: int) -> str:
    """When the process began, in clock ticks since boot; "" if there is none or it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]


def tail(path: Path, lines: int = TAIL) -> list[str]:
    """The last lines of a log."""
    try:
        return path.read_text("utf-8", "replace").splitlines()[-lines:]
    except OSError:
        return []


def explain(crashed: Crashed) -> list[str]:
    """A crash for people: who, where the log is, its last lines."""
    head = say(
        f"{crashed.zh}。日志 {crashed.member.log} 的最后几行：",
        f"{crashed.en}. The last lines of its log {crashed.member.log}:",
    )
    return [head, *(f"    {line}" for line in crashed.tail or [say("（日志为空）", "(the log is empty)")])]


def _line(path: Path) -> dict[str, Any] | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if b"\n" not in data:
        return None
    found: dict[str, Any] = msgspec.json.decode(data.split(b"\n", 1)[0])
    return found


def _die_with_parent() -> Callable[[], None] | None:
    """Linux: the child gets SIGTERM when we are gone, on whatever way."""
    if not sys.platform.startswith("linux"):
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return ask

"""Where the cases stand, read from both platforms' own records, and shown while they run: a live view, or plain lines."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from gateway.demo.crew import Crew
from gateway.demo.outside import Outside
from gateway.lang import say

EVERY_S = 0.2
STUCK_S = 60.0
OVER = frozenset({"delivered", "refused", "given_up"})

# (key, Chinese, English, whether every case passes it)
STAGES: tuple[tuple[str, str, str, bool], ...] = (
    ("collected", "收件", "collected", True),
    ("forwarded", "转递", "forwarded", True),
    ("accepted", "受理", "accepted", True),
    ("corrected", "补正", "corrected", False),
    ("special", "特别程序", "special procedure", False),
    ("decided", "决定", "decided", True),
    ("results", "结果", "results", False),
    ("arrived", "到窗", "at the window", False),
    ("delivered", "送达", "delivered", True),
)


@dataclass(frozen=True)
class Snapshot:
    """One look at everything: both platforms' records, both gateways' figures, seconds since the first case."""

    wanted: int
    seconds: float
    window: dict[str, Any] = field(default_factory=dict)
    hall: dict[str, Any] = field(default_factory=dict)
    a: dict[str, Any] = field(default_factory=dict)
    b: dict[str, Any] = field(default_factory=dict)

    def count(self, stage: str) -> int:
        """How many cases have passed a stage, by the window's own records."""
        if stage == "decided":
            return int(self.window.get("granted", 0)) + int(self.window.get("denied", 0))
        return int(self.window.get(stage, 0))

    @property
    def finished(self) -> int:
        """Cases that are at their end at the window."""
        return int(self.window.get("finished", 0))

    @property
    def under_way(self) -> int:
        """Messages that one of the gateways still owes somebody."""
        owed = (
            count
            for side in (self.a, self.b)
            for state, count in side.get("deliveries", {}).items()
            if state not in OVER
        )
        return sum(owed)

    @property
    def over(self) -> bool:
        """Everything handed in has ended on both sides, and nothing is owed any more."""
        ended = self.finished >= self.wanted and self.hall.get("finished", 0) >= self.window.get("collected", 0)
        return bool(ended and self.a and self.b and self.under_way == 0)

    @property
    def mark(self) -> tuple[object, ...]:
        """What changes whenever anything moves."""
        return (tuple(self.count(stage) for stage, *_ in STAGES), self.under_way, self.hall.get("received_messages"))


class View(Protocol):
    """How progress is shown."""

    def __enter__(self) -> View: ...
    def __exit__(self, *_: object) -> None: ...
    def show(self, now: Snapshot) -> None:
        """A new look."""


class Quiet:
    """Shows nothing."""

    def __enter__(self) -> Quiet:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def show(self, now: Snapshot) -> None:
        """Nothing."""


class Lines(Quiet):
    """One line whenever a second has passed and something has moved; for logs and pipes."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._last: tuple[object, ...] = ()
        self._at = 0.0

    def show(self, now: Snapshot) -> None:
        if now.mark == self._last or (now.seconds - self._at < 1.0 and not now.over):
            return
        self._last, self._at = now.mark, now.seconds
        counts = " ".join(f"{say(zh, en)} {now.count(key)}" for key, zh, en, _ in STAGES)
        self._write(f"{now.seconds:5.1f} s  {counts}")


class Screen:
    """The live view on a terminal."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, refresh_per_second=8, transient=True)

    def __enter__(self) -> Screen:
        self._live.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.__exit__(None, None, None)

    def show(self, now: Snapshot) -> None:
        """Draw it."""
        self._live.update(panel(now))


def panel(now: Snapshot) -> Panel:
    """The stages as bars, and one line of figures under them."""
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(ratio=1)
    table.add_column(justify="right", no_wrap=True)
    for key, zh, en, everyone in STAGES:
        count = now.count(key)
        style = "green" if everyone and count >= now.wanted else "cyan"
        bar = ProgressBar(total=now.wanted, completed=count, width=44, complete_style=style, finished_style="green")
        table.add_row(say(zh, en), bar, Text(str(count), style="bold" if count else "dim"))
    speed = now.finished / now.seconds if now.seconds > 0 else 0.0
    figures = say(
        f"硚口账本 {now.a.get('ledger', 0)} 条 · 红谷滩账本 {now.b.get('ledger', 0)} 条 · 在途 {now.under_way} 份 · "
        f"{now.seconds:.1f} 秒 · {speed:.1f} 件/秒",
        f"ledger of Qiaokou {now.a.get('ledger', 0)} · of Honggutan {now.b.get('ledger', 0)} · under way {now.under_way} · "
        f"{now.seconds:.1f} s · {speed:.1f} cases/s",
    )
    title = say("通办演示：武汉硚口收件 → 南昌红谷滩办理", "Tongban: collected in Qiaokou → handled in Honggutan")
    return Panel(Group(table, Text(""), Text(figures, style="dim")), title=title, border_style="blue", width=78)


def view(quiet: bool, write: Callable[[str], None]) -> View:
    """The view that fits standard output."""
    if quiet:
        return Quiet()
    return Screen(Console()) if sys.stdout.isatty() else Lines(write)


async def until_over(outside: Outside, crew: Crew, wanted: int, shown: View) -> Snapshot:
    """Watch until everything has ended, or nothing has moved for a minute. Raises ``crew.Crashed``."""
    begin = moved = time.monotonic()
    last: tuple[object, ...] = ()
    while True:
        crew.check()
        window, hall, a, b = await outside.snapshot()
        seconds = time.monotonic() - begin
        now = Snapshot(wanted, seconds, window, hall, a, b)
        shown.show(now)
        if now.mark != last:
            last, moved = now.mark, time.monotonic()
        if now.over or time.monotonic() - moved > STUCK_S:
            return now
        await asyncio.sleep(EVERY_S)

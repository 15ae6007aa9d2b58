"""The key drill (换钥演练): two laboratory gateways as real processes, their clocks apart, cases at a fixed rate, and every
online key of both changed over and over while they work. In the end one key is revoked as if it had been lost.

What is counted: answers to the window, and between the gateways, that were no success; cases that the far gateway has not,
or has twice; and how long the far gateway still believed the lost key.
"""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway.demo import crew, world
from gateway.demo.world import Side, World
from gateway.drill.custodian import Custodian, change, open_custodian
from gateway.drill.load import Load, Sample
from gateway.drill.revocation import revoke_at_once
from gateway.drill.tls import change_tls
from gateway.keys.keyring import provider
from gateway.ops.probe import call

USES = ("checkpoint", "direct", "tls", "encryption")  # all that partners know by the card
OVERLAPPING = 6  # old encryption keys that may still open what was sealed to them
STALLED_S = 30.0
DELIVERED = "SELECT count(*) FROM delivery WHERE destination LIKE 'peer:%' AND state = 'delivered'"
_REFUSED = re.compile(
    r'^tongban_requests_total\{listener="(?:exchange|platform)",status="[45]\d\d"\} ([0-9.e+]+)$', re.M
)


@dataclass(frozen=True)
class Plan:
    """How many changes of keys in all, how many cases a second, how far the clocks are off (ms, one each way)."""

    rotations: int = 100
    rate: float = 200.0
    skew_ms: int = 60_000


@dataclass(frozen=True)
class Change:
    """One key changed: when it took over (s since the start of the load), how long announcing to switching took."""

    at_s: float
    node: str
    use: str
    took_s: float


@dataclass
class Outcome:
    """What came of it."""

    plan: Plan
    seconds: float = 0.0
    samples: list[Sample] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    cases: int = 0
    delivered: int = 0
    lost: int = 0
    doubled: int = 0
    revoked_at_s: float = 0.0
    revoked_in_s: float | None = None

    @property
    def good(self) -> bool:
        """Whether nothing failed, nothing was lost, and the lost key was refused in time."""
        clean = not (self.failures.total() or self.lost or self.doubled)
        return (
            clean
            and len(self.changes) >= self.plan.rotations
            and self.revoked_in_s is not None
            and self.revoked_in_s <= 5
        )


async def drill(folder: Path, plan: Plan, told: Callable[[int], None]) -> Outcome:
    """Run the drill in a folder, which is made afresh. ``told``: how many changes are done. Raises ``DrillError`` when a step
    of a change is refused, ``crew.Crashed`` when a gateway ends."""
    maker = provider("auto", True)[0]
    made = world.build(folder / "world", maker, datetime.now(UTC), world.Settings())
    for side, skew_ms in ((made.a, plan.skew_ms), (made.b, -plan.skew_ms)):
        _prepare(side, skew_ms)
    titles = {"gateway-b": ("乙网关", "gateway B"), "gateway-a": ("甲网关", "gateway A")}
    members = zip((made.b, made.a), titles.items(), strict=True)
    gateways = crew.Crew([crew.gateway(folder, side, name, title) for side, (name, title) in members])
    try:
        gateways.start()
        await gateways.await_ready(asyncio.sleep)
        load = Load(json.loads(made.a.platform_config.read_bytes()), maker, plan.rate)
        return await _run(made, plan, load, told)
    finally:
        gateways.stop()


async def _run(made: World, plan: Plan, load: Load, told: Callable[[int], None]) -> Outcome:
    outcome, before = Outcome(plan), _refusals(made)
    over = asyncio.Event()
    sending, started = asyncio.create_task(load.run(over.is_set)), time.perf_counter()

    def changed(node: str, use: str, begun: float) -> None:
        now = time.perf_counter()
        outcome.changes.append(Change(now - started, node, use, now - begun))
        told(len(outcome.changes))

    custodians = {"A": open_custodian(made.a.folder), "B": open_custodian(made.b.folder)}
    try:
        shares = {"A": plan.rotations - plan.rotations // 2, "B": plan.rotations // 2}
        await asyncio.gather(*(_rotate(custodians[name], name, share, changed) for name, share in shares.items()))
        outcome.revoked_at_s = time.perf_counter() - started
        outcome.revoked_in_s, probes = await revoke_at_once(custodians["A"])
    finally:
        over.set()
    outcome.seconds = await sending
    outcome.samples, outcome.failures = load.samples, load.failures
    await _settled(made, outcome, load)
    refused = _refusals(made) - before - probes
    if refused > load.failures.total():
        outcome.failures["between the gateways"] = refused - load.failures.total()
    return outcome


async def _rotate(custodian: Custodian, name: str, count: int, changed: Callable[[str, str, float], None]) -> None:
    """Change one use after the other; a replaced key goes when its use is changed the next time."""
    former: dict[str, list[str]] = {use: [] for use in USES}
    for number in range(count):
        use, begun = USES[number % len(USES)], time.perf_counter()
        if use == "tls":
            await change_tls(custodian)  # the card pins the certificate that is in place and the next one, no other
        else:
            keep = OVERLAPPING if use == "encryption" else 1
            for old in former[use][:-keep]:
                await asyncio.to_thread(custodian.retire, old)
            former[use] = [*former[use][-keep:], await change(custodian, use)]
        changed(name, use, begun)


async def _settled(made: World, outcome: Outcome, load: Load) -> None:
    """Wait until the far gateway has receipted every case, or nothing moves any more; then hold both stores against what the
    window was told."""
    delivered, moved = -1, time.monotonic()
    while delivered < len(load.taken) and time.monotonic() - moved < STALLED_S:
        await asyncio.sleep(0.1)
        now = int(_rows(made.a, DELIVERED)[0][0])
        if now > delivered:
            delivered, moved = now, time.monotonic()
    arrived = Counter(
        dict(
            _rows(
                made.b,
                "SELECT case_id, count(*) FROM message WHERE direction = 'in' AND type = 'application' GROUP BY 1",
            )
        )
    )
    outcome.cases, outcome.delivered = len(load.taken), delivered
    outcome.lost = len(set(load.taken) - arrived.keys())
    outcome.doubled = sum(count - 1 for count in arrived.values()) + len(load.taken) - len(set(load.taken))


def _rows(side: Side, sql: str) -> list[Any]:
    with sqlite3.connect(f"file:{side.folder / 'data' / 'gateway.db'}?mode=ro", uri=True) as connection:
        return connection.execute(sql).fetchall()


def _refusals(made: World) -> int:
    """Answers of both gateways to partners and platforms that were no success."""
    texts = [call("GET", f"http://{side.place.admin}/metrics").body.decode() for side in (made.a, made.b)]
    return sum(int(float(count)) for text in texts for count in _REFUSED.findall(text))


def _prepare(side: Side, skew_ms: int) -> None:
    """Set the clock off. The handling side has no platform here: cases end at its gateway."""
    text = side.config.read_text("utf-8").replace("lab = true\n", f"lab = true\nclock_skew_ms = {skew_ms}\n")
    if "honggutan" in text:
        text = re.sub(r"\n\[\[platform\]\]\n(?:[^\[\n][^\n]*\n)+", "\n", text)
    side.config.write_text(text, "utf-8")

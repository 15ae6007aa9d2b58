"""Messages a second through front databases, out and in: a SQLite file, and PostgreSQL and MariaDB on the other core.

Every transaction is flushed: sixteen messages on their way at once share one, one by one each has its own. ``cpu``: messages
per second of our own processor time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from adapters import samples
from adapters.base import Accepted, Wire
from adapters.front_db.channel import FrontDb
from tests.bench.files import AT_ONCE, Desk
from tests.bench.measure import Figures, brief, note
from tests.bench.procs import pin
from tests.contract import front_servers, front_support
from tests.contract.front_support import CASE, Place

ASKED = 500
SERVERS: dict[str, Callable[[bool], front_servers.Server]] = {
    "PostgreSQL": front_servers.postgres,
    "MariaDB": front_servers.mariadb,
}


def rows(folder: Path, seconds: float) -> dict[str, Figures]:
    """Each database in each direction. ``ratio``: of the 500 a second per core that are asked for."""
    place = front_support.in_file(folder)
    found = _measured("front_db", place, seconds / 9)
    place.store.close()
    for name, server in ({} if brief(seconds) else SERVERS).items():
        try:
            with _beside(server) as place:
                found |= _measured(f"front_db, {name}", place, seconds / 9)
        except pytest.skip.Exception as missing:
            note(f"front_db, {name}: {missing}")
    return found


@contextmanager
def _beside(start: Callable[[bool], front_servers.Server]) -> Iterator[Place]:
    """A server on the other core."""
    pin(1)
    try:
        server = start(True)
    finally:
        pin(0)
    try:
        place = front_support.on_server(server)
        yield place
        place.store.close()
    finally:
        server.stop()


def _measured(name: str, place: Place, seconds: float) -> dict[str, Figures]:
    found = {}
    for at_once, words in ((AT_ONCE, "out"), (1, "out, one by one"), (0, "in")):
        note(f"{name} {words}")
        found[f"{name} {words}"] = asyncio.run(_carried(place, at_once, seconds))
    return found


async def _carried(place: Place, at_once: int, seconds: float) -> Figures:
    front = place.front()
    if at_once:
        await _out(front, 0.3, at_once)
    else:
        _written(place, int(3000 * seconds))
    cpu, began = time.process_time(), time.perf_counter()
    count = await (_out(front, seconds, at_once) if at_once else _in(front, int(3000 * seconds)))
    spent, used = time.perf_counter() - began, time.process_time() - cpu
    await front.close()
    per_core = count / used
    return {"per_second": round(count / spent, 1), "cpu": round(per_core, 1), "done": count, "baseline": ASKED,
            "ratio": round(per_core / ASKED, 3), "p50_ms": None, "p99_ms": None}  # fmt: skip


async def _out(front: FrontDb, seconds: float, at_once: int) -> int:
    until, begun, done = time.perf_counter() + seconds, time.time_ns(), [0] * at_once

    def wire(which: int) -> Wire:
        out = msgspec.structs.replace(samples.outbound("application"), id=f"M{begun}-{which}-{done[which]}")
        return front.translator.outbound(out)

    async def line(which: int) -> None:
        while time.perf_counter() < until:
            outcome = await front.send(wire(which))
            if not isinstance(outcome, Accepted):
                raise SystemExit(f"not accepted: {outcome}")
            done[which] += 1

    await asyncio.gather(*map(line, range(at_once)))
    return sum(done)


def _written(place: Place, count: int) -> None:
    hall = place.hall()
    place.store.execute("BEGIN")
    for _ in range(count):
        hall.step(CASE)
    place.store.execute("COMMIT")


async def _in(front: FrontDb, count: int) -> int:
    done = 0
    while done < count:
        done += await front.poll(Desk())
    return done

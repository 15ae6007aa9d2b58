"""The load: prepared requests over kept-alive connections, closed loop or at a fixed rate, exact percentiles.

A file holds the requests as MessagePack list[bytes], each a whole HTTP/1.1 request; each is sent once (``--repeat``: in a
circle). Closed loop: every connection sends its next request when the answer has come. ``--rate R``: request i is due at
start + i/R, and its latency counts from then, sent or not (no coordinated omission). One JSON line on standard output.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import re
import time
from array import array
from collections import Counter
from pathlib import Path
from typing import cast

import msgspec

from tests.bench.procs import pin

GRACE_S = 60  # what is under way when time is over may still be answered
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Run:
    """What all connections share: the next request, the clock, the results."""

    def __init__(self, requests: list[bytes], repeat: bool, rate: float, seconds: float) -> None:
        self.requests, self.repeat, self.rate = requests, repeat, rate
        self.index = 0
        self.latencies = array("d")
        self.statuses: Counter[int] = Counter()
        self.first_bad = b""
        self.broken = 0
        self.began = time.time()
        self.start = time.perf_counter()
        self.until = self.start + seconds
        self.last = self.start

    def take(self, now: float) -> tuple[bytes, float] | None:
        """The next request and when it is due; None when all are sent or time is over."""
        due = self.start + self.index / self.rate if self.rate else now
        if due > self.until or now > self.until or (self.index >= len(self.requests) and not self.repeat):
            return None
        request = self.requests[self.index % len(self.requests)]
        self.index += 1
        return request, due

    def report(self) -> dict[str, object]:
        ordered = sorted(self.latencies)
        spent = self.last - self.start
        good = sum(count for status, count in self.statuses.items() if 200 <= status < 300)

        def at(share: float) -> float:
            return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000, 3) if ordered else 0.0

        return {
            "done": good,
            "bad": sum(self.statuses.values()) - good,
            "broken": self.broken,
            "statuses": {str(status): count for status, count in self.statuses.items()},
            "first_bad": self.first_bad.decode("utf-8", "replace"),
            "began": self.began,
            "seconds": round(spent, 3),
            "per_second": round(good / spent, 1) if spent else 0.0,
            "p50_ms": at(0.5),
            "p90_ms": at(0.9),
            "p99_ms": at(0.99),
            "p999_ms": at(0.999),
            "max_ms": at(1.0),
        }


class Connection(asyncio.Protocol):
    """One kept-alive connection with at most one request under way."""

    def __init__(self, run: Run, done: asyncio.Future[None]) -> None:
        self.run, self.done = run, done
        self.due = 0.0
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.next()

    def next(self) -> None:
        now = time.perf_counter()
        taken = self.run.take(now)
        if taken is None:
            self.transport.close()
            return
        request, self.due = taken
        if self.due > now:
            asyncio.get_running_loop().call_later(self.due - now, self.transport.write, request)
        else:
            self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head = self.buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        match = LENGTH.search(self.buffer, 0, head)
        size = int(match[1]) if match else 0
        if len(self.buffer) < head + 4 + size:
            return
        now = time.perf_counter()
        status = int(self.buffer[9:12])
        self.run.latencies.append(now - self.due)
        self.run.statuses[status] += 1
        self.run.last = now
        if status >= 300 and not self.run.first_bad:
            self.run.first_bad = self.buffer[:800]
        self.buffer = self.buffer[head + 4 + size :]
        self.next()

    def connection_lost(self, error: Exception | None) -> None:
        self.run.broken += error is not None
        if not self.done.done():
            self.done.set_result(None)


async def drive(run: Run, port: int, connections: int) -> None:
    loop = asyncio.get_running_loop()
    ends = [loop.create_future() for _ in range(connections)]
    for end in ends:
        await loop.create_connection(lambda end=end: Connection(run, end), "127.0.0.1", port)  # type: ignore[misc]
    async with asyncio.timeout(run.until - time.perf_counter() + GRACE_S):
        await asyncio.gather(*ends)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--requests", type=Path, required=True)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rate", type=float, default=0)
    parser.add_argument("--repeat", action="store_true")
    parser.add_argument("--core", type=int, default=1)
    options = parser.parse_args()
    pin(options.core)
    requests = msgspec.msgpack.decode(options.requests.read_bytes(), type=list[bytes])
    gc.disable()
    run = Run(requests, options.repeat, options.rate, options.seconds)
    asyncio.run(drive(run, options.port, options.connections))
    print(json.dumps(run.report()))


if __name__ == "__main__":
    main()

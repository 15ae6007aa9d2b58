"""SM2 and SM3 of our providers beside ``openssl speed`` of the same library: raw, on two threads, and for a known signer.

Rounds of baseline and ours take turns, and a ratio is the median over the rounds, so that a machine which grows slower in
between slows both. One thread is counted per second of CPU time, as ``openssl speed`` counts; two threads by the clock.
"""

from __future__ import annotations

import resource
import secrets
import statistics
import threading
import time
from collections.abc import Callable

from signing import sm2
from signing.providers import open_provider
from signing.sm3 import sm3
from tests.bench import openssl_speed
from tests.bench.measure import Figures, note, turns
from tests.bench.procs import pin, unpin

SHORT = secrets.token_bytes(20)  # what ``openssl speed sm2`` signs
LONG = secrets.token_bytes(1024)
BLOCK = secrets.token_bytes(1 << 20)
# name -> (provider, act, bytes); every one beside the same act of ``openssl speed``
ROWS: dict[str, tuple[str, str, bytes]] = {
    "libcrypto verify": ("libcrypto:", "verify", SHORT),
    "libcrypto sign": ("libcrypto:", "sign", SHORT),
    "libcrypto verify 1 KiB": ("libcrypto:", "verify", LONG),
    "libcrypto sign 1 KiB": ("libcrypto:", "sign", LONG),
    "tables verify, known signer": ("tables:", "verify", SHORT),
    "pure verify, known signer": ("pure:", "verify", SHORT),
    "gmssl verify": ("gmssl:", "verify", SHORT),
}


def acts(uri: str, act: str, data: bytes) -> Callable[[], object]:
    """One call of the act, with a key of its own."""
    found, maker = open_provider(uri), open_provider()
    key = maker.generate()
    public, signature = key.public, sm2.sign(maker, key, data, signer_id=sm2.DEFAULT_ID)
    if act == "sign":
        return lambda: sm2.sign(found, key, data, signer_id=sm2.DEFAULT_ID)
    return lambda: sm2.verify(found, public, data, signature, signer_id=sm2.DEFAULT_ID)


def repeat(act: Callable[[], object], seconds: float) -> Figures:
    """Calls until time is over (at least ten); the rate is per second of CPU time."""
    spent: list[float] = []
    for _ in range(20):
        act()  # a known signer has its table by now
    end, cpu = time.perf_counter() + seconds, time.process_time()
    while len(spent) < 10 or time.perf_counter() < end:
        start = time.perf_counter()
        act()
        spent.append(time.perf_counter() - start)
    cpu = time.process_time() - cpu
    ordered = sorted(spent)
    return {
        "per_second": round(len(ordered) / cpu, 1),
        "p50_ms": round(ordered[len(ordered) // 2] * 1000, 4),
        "p99_ms": round(ordered[int(len(ordered) * 0.99)] * 1000, 4),
    }


def on_two_threads(act: Callable[[], object], seconds: float) -> float:
    """Calls per second by the clock, of two threads together."""
    counts, start = [0, 0], threading.Barrier(2)

    def run(number: int) -> None:
        start.wait()
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            act()
            counts[number] += 1

    threads = [threading.Thread(target=run, args=(number,)) for number in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return sum(counts) / seconds


def measure(seconds: float) -> Figures:
    """Every row in every round; its ratio is the median over the rounds."""
    pin(0)
    times = turns(seconds)
    known = {name: act for name, row in ROWS.items() if (act := _usable(name, *row)) is not None}
    each, whole = max(0.1, seconds / times), max(1, int(seconds / times))
    rounds: dict[str, list[tuple[Figures, float]]] = {}
    for number in range(times):
        note(f"round {number + 1} of {times}")
        speed, digests = openssl_speed.sm2(whole), openssl_speed.sm3(whole)
        for name, act in known.items():
            rounds.setdefault(name, []).append((repeat(act, each), (speed or {}).get(ROWS[name][1], 0.0)))
        hashed = repeat(lambda: sm3(BLOCK), each)
        megabytes = hashed | {"per_second": round(hashed["per_second"] * len(BLOCK) / 1e6, 1)}
        rounds.setdefault("SM3 1 MiB, MB/s", []).append((megabytes, digests or 0.0))
        for act in ("verify", "sign"):
            unpin()
            both = on_two_threads(known[f"libcrypto {act}"], each) if f"libcrypto {act}" in known else 0.0
            pin(0)
            rounds.setdefault(f"libcrypto {act}, two threads", []).append(
                ({"per_second": round(both, 1)}, (speed or {}).get(act, 0.0))
            )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"rows": {name: _middle(found) for name, found in rounds.items()}, "rss_mb": round(peak, 1)}


def _usable(name: str, uri: str, act: str, data: bytes) -> Callable[[], object] | None:
    try:
        return acts(uri, act, data)
    except Exception as error:  # a provider that is missing here is left out, and named
        note(f"{name} is not usable here: {error}")
        return None


def _middle(found: list[tuple[Figures, float]]) -> Figures:
    """The round whose ratio is the median one."""
    ordered = sorted(found, key=lambda pair: pair[0]["per_second"] / pair[1] if pair[1] else 0.0)
    mine, beside = ordered[len(ordered) // 2]
    ratios = [pair[0]["per_second"] / pair[1] for pair in found if pair[1]]
    return mine | {"baseline": beside, "ratio": round(statistics.median(ratios), 4) if ratios else None}

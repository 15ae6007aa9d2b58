"""SM2 of our providers on one core beside ``openssl speed sm2``: whole signatures over 1 KiB, digest and encoding included."""

from __future__ import annotations

import resource
import secrets
import time
from collections.abc import Callable

from signing import sm2
from signing.providers import open_provider
from tests.bench import openssl_speed
from tests.bench.measure import Figures, note
from tests.bench.procs import pin

MESSAGE = secrets.token_bytes(1024)
PROVIDERS = ("libcrypto:", "pure:?sign=allow", "gmssl:")


def repeat(act: Callable[[], object], seconds: float) -> Figures:
    """Calls until time is over (at least ten). The rate is per second of CPU time, as ``openssl speed`` counts."""
    spent: list[float] = []
    act()
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


def provider(uri: str, seconds: float) -> Figures | None:
    """Sign (where the provider does) and verify; None where it is not usable here."""
    try:
        found = open_provider(uri)
    except Exception as error:  # a provider that is missing here is left out, and named
        note(f"{uri} is not usable here: {error}")
        return None
    maker = open_provider()
    key = maker.generate()
    signature = sm2.sign(maker, key, MESSAGE, signer_id=sm2.DEFAULT_ID)
    public = key.public
    out: Figures = {
        "verify": repeat(lambda: sm2.verify(found, public, MESSAGE, signature, signer_id=sm2.DEFAULT_ID), seconds)
    }
    if uri != "gmssl:":
        out["sign"] = repeat(lambda: sm2.sign(found, key, MESSAGE, signer_id=sm2.DEFAULT_ID), seconds)
    return out


def measure(seconds: float) -> Figures:
    pin(0)
    note("baseline: openssl speed sm2")
    speed = openssl_speed.measure(max(1, int(seconds)))
    found = {uri: provider(uri, seconds) for uri in PROVIDERS}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"openssl": speed, "providers": found, "rss_mb": round(peak, 1)}

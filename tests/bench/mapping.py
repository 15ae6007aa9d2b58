"""A platform's case of 4 KiB to canonical fields: our rule table beside JSONata (jsonata-python) and plain Python.

All three do the same and must give the same: twelve cells, four of them through code tables, and nine materials of three
cells each, the digest in lower case and the size as a number. JSONata is a test dependency; where it is missing its row
is empty.
"""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Callable
from typing import Any

from adapters.mapping_compile import compile_maps
from tests.bench.measure import Figures, note
from tests.bench.procs import pin

ROUNDS, BATCH = 5, 50
CODES = {
    "mode": {"1": "full_online", "2": "collect_elsewhere", "3": "joint"},
    "kind": {"1": "person", "2": "enterprise"},
    "id_type": {"01": "111", "02": "414"},
}
PERSON = [
    {"target": "kind", "source": "lx", "table": "kind"},
    {"target": "name", "source": "xm"},
    {"target": "id_type", "source": "zjlx", "table": "id_type"},
    {"target": "id_number", "source": "zjhm"},
    {"target": "address", "source": "dz"},
]
TABLES: dict[str, Any] = {
    "case": {
        "rows": [
            {"target": "case_number", "source": "bjbh"},
            {"target": "item", "source": "sxbm"},
            {"target": "item_name", "source": "sxmc"},
            {"target": "item_version", "source": "sxbb", "codec": "int"},
            {"target": "mode", "source": "blfs", "table": "mode"},
            {"target": "applicant", "source": "sqr", "use": "person"},
            {"target": "purpose", "source": "yt", "default": "跨省通办"},
            {"target": "reference", "source": ["bjbh", "sxbm"], "join": "/"},
            {"target": "materials", "each": "cl", "use": "material"},
        ]
    },
    "person": {"rows": PERSON},
    "material": {
        "rows": [
            {"target": "name", "source": "mc"},
            {"target": "sm3", "source": "zy", "codec": "sm3"},
            {"target": "size", "source": "dx", "codec": "int"},
        ]
    },
}
JSONATA = f"""(
  $mode := {json.dumps(CODES["mode"])};
  $kind := {json.dumps(CODES["kind"])};
  $id_type := {json.dumps(CODES["id_type"])};
  {{
    "case_number": bjbh, "item": sxbm, "item_name": sxmc, "item_version": $number(sxbb), "mode": $lookup($mode, blfs),
    "applicant": sqr.{{
      "kind": $lookup($kind, lx), "name": xm, "id_type": $lookup($id_type, zjlx), "id_number": zjhm, "address": dz
    }},
    "purpose": $exists(yt) ? yt : "跨省通办",
    "reference": bjbh & "/" & sxbm,
    "materials": cl.{{"name": mc, "sm3": $lowercase(zy), "size": $number(dx)}}
  }}
)"""


def message() -> dict[str, Any]:
    """About 4 KiB of JSON."""
    material = {
        "zy": "0123456789ABCDEF" * 4,
        "dx": "51200",
        "gs": "application/pdf",
        "wjm": "材料.pdf",
        "bz": "复印件一份" * 10,
    }
    return {
        "lsh": "L1", "bjbh": "420104202601010001", "sxbm": "360113-0001", "sxmc": "个体工商户设立登记", "sxbb": "1", "blfs": "2",
        "sqr": {"lx": "1", "xm": "测试甲", "zjlx": "01", "zjhm": "11010519491231002X", "dz": "测试路1号", "sjh": "13800000000"},
        "bd": {f"字段{n}": "内容" * 8 for n in range(14)},
        "cl": [{"mc": f"测试材料{n}", **material} for n in range(9)],
    }  # fmt: skip


def plain(m: dict[str, Any]) -> dict[str, Any]:
    """What a person would write for this one platform, without a check."""
    party = m["sqr"]
    return {
        "case_number": m["bjbh"], "item": m["sxbm"], "item_name": m["sxmc"], "item_version": int(m["sxbb"]),
        "mode": CODES["mode"][m["blfs"]],
        "applicant": {
            "kind": CODES["kind"][party["lx"]], "name": party["xm"], "id_type": CODES["id_type"][party["zjlx"]],
            "id_number": party["zjhm"], "address": party["dz"],
        },
        "purpose": m.get("yt", "跨省通办"), "reference": f"{m['bjbh']}/{m['sxbm']}",
        "materials": [{"name": c["mc"], "sm3": c["zy"].lower(), "size": int(c["dx"])} for c in m["cl"]],
    }  # fmt: skip


def jsonata() -> Callable[[dict[str, Any]], Any] | None:
    """The same mapping in JSONata, compiled once; None where the library is missing."""
    try:
        from jsonata import Jsonata
    except ImportError:
        note("no figure for jsonata-python: it is not installed (./run setup test)")
        return None
    evaluate: Callable[[dict[str, Any]], Any] = Jsonata(JSONATA).evaluate
    return evaluate


def measure(seconds: float) -> tuple[Figures, dict[str, Figures | None]]:
    """Ours, and the others by name; in turn, so that all meet the same machine."""
    pin(0)
    given = message()
    ours = compile_maps(TABLES, "in", CODES)["case"].run
    works: dict[str, Callable[[dict[str, Any]], Any] | None] = {
        "ours": ours,
        "jsonata-python": jsonata(),
        "plain Python": plain,
    }
    expected = plain(given)
    for name, work in works.items():
        if work is not None and json.loads(json.dumps(work(given))) != expected:
            raise SystemExit(f"{name} gives something else")
    spent: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            if work is not None:
                spent[name] += _times(work, given, seconds / ROUNDS)
    note(f"a message of {len(json.dumps(given, ensure_ascii=False).encode())} bytes")
    figures = {name: _figures(times) if times else None for name, times in spent.items()}
    mine = figures.pop("ours")
    assert mine is not None
    return mine, figures


def _times(work: Callable[[dict[str, Any]], Any], given: dict[str, Any], seconds: float) -> list[float]:
    """CPU seconds of one call, by batches, for this long: a slow baseline is interrupted more often, and must not pay for it."""
    found: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or not found:
        began = time.thread_time()
        for _ in range(BATCH):
            work(given)
        found.append((time.thread_time() - began) / BATCH)
    return found


def _figures(times: list[float]) -> Figures:
    """By the median of the batches."""
    times.sort()
    middle = times[len(times) // 2]
    return {
        "done": len(times) * BATCH,
        "per_second": round(1 / middle, 1),
        "us": round(middle * 1e6, 2),
        "best_us": round(times[0] * 1e6, 2),
        "p50_ms": round(middle * 1000, 4),
        "p99_ms": round(times[int(len(times) * 0.99)] * 1000, 4),
        "cpu_us_per_request": round(middle * 1e6, 2),
        "rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }

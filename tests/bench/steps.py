"""Where an accepted case's time goes at the collecting gateway: CPU per step, one thread, no network.

``python -m tests.bench.steps`` prints microseconds per case. The steps are the ones of the walk, called as the listener
calls them, on a store of its own with encryption on.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from adapters.base import Presented, Signed
from gateway import compose, config
from gateway.demo import world
from gateway.flow.accept import accept, deed_of
from gateway.ids import now_ms
from gateway.store.journal import Tx
from gateway.web.platforms import read_act
from signing import sm2
from signing.providers import open_provider
from signing.sm3 import sm3

sys.path.insert(0, str(Path(world.__file__).parent / "platforms"))
import qiaokou_case

CASES, GROUP, HOST = 2000, 32, "127.0.0.1:1"
PATH = "/platform/v1/cases"


def timed(name: str, step: Callable[[Any], Any], inputs: Sequence[Any]) -> list[Any]:
    """Run a step over all inputs; print its CPU time per case."""
    began = time.thread_time()
    done = [step(one) for one in inputs]
    print(f"{name:<52}{(time.thread_time() - began) / len(inputs) * 1e6:8.1f} us")
    return done


def papers(settings: dict[str, Any], number: int) -> bytes:
    """An application of about 4 KiB in the window's own words."""
    message = qiaokou_case.application(settings, number, 1000, settings["items"][0]["code"])
    message["cl"] = []
    message["bd"].update({f"字段{n}": "内容" * 26 for n in range(20)})
    return json.dumps(message, ensure_ascii=False).encode()


def signed(settings: dict[str, Any], private: sm2.PrivateKey, provider: Any, body: bytes) -> Presented:
    """The request as it stood on the wire."""
    moment, nonce, app = str(now_ms()), secrets.token_hex(16), settings["app_id"]
    lines = [
        "TONGBAN-SM2-V1",
        "POST",
        HOST,
        PATH,
        "",
        "content-type:application/json",
        "content-range",
        sm3(body).hex(),
    ]
    text = "\n".join([*lines, app, moment, nonce]).encode()
    signature = sm2.sign(provider, private, text, signer_id=sm2.DEFAULT_ID, encoding=sm2.Encoding.RAW).hex()
    headers = (
        ("Host", HOST), ("Content-Type", "application/json"), ("x-qk-appid", app), ("x-qk-timestamp", moment),
        ("x-qk-nonce", nonce), ("x-qk-sign", signature),
    )  # fmt: skip
    return Presented("POST", PATH, "", headers, sm3(body))


async def steps(folder: Path) -> None:
    provider = open_provider()
    made = world.build(folder / "world", provider, datetime.now(UTC), world.Settings(tls=False))
    node = await compose.build(config.load(made.a.config), made.a.folder)
    settings = json.loads(made.a.platform_config.read_bytes())
    platform, desk = node.platforms["window"], node.desk
    bodies = [papers(settings, number + 1) for number in range(CASES)]
    private = provider.load(int(settings["private_key"], 16))
    shown = [signed(settings, private, provider, body) for body in bodies]
    print(f"SM2: {provider.description}; {len(bodies[0])} bytes a case, {GROUP} cases a commit")
    timed("SM3 of the body", sm3, bodies)
    outcomes = timed(
        "who signed it (SM2 over the canonical request)", lambda one: platform.authenticate(one, now_ms()), shown
    )
    assert all(isinstance(outcome, Signed) for outcome in outcomes)
    acts = timed(
        "translate, refuse what cannot be, build the canonical case",
        lambda b: read_act(platform, "case", b, ""),
        bodies,
    )
    routes = timed("decide by the agreement", lambda act: desk.agreed.route(act.body, now_ms()), acts)
    deeds = timed(
        "canonical bytes and their digest",
        lambda pair: deed_of("window", pair[0], pair[1], secrets.token_hex(16), now_ms() + 600_000),
        list(zip(acts, bodies, strict=True)),
    )
    works = [
        accept(deed, route, party=desk.party, vault=desk.vault, new_id=desk.new_id)
        for deed, route in zip(deeds, routes, strict=True)
    ]
    store(node, works)
    await node.close()


def store(node: compose.Node, works: Sequence[Any]) -> None:
    """The journal's own steps, group by group, each timed apart."""
    journal = node.journal
    writer, spent = journal._writer, {"encrypt, write rows, leaf": 0.0, "tree, checkpoint signed": 0.0, "COMMIT": 0.0}
    waited = 0.0
    for start in range(0, len(works), GROUP):
        writer.execute("BEGIN IMMEDIATE")
        marks = [time.thread_time()]
        tx = Tx(writer, journal.head.clock(now_ms()), journal.head.size)
        results = [journal._attempt(tx, work) for work in works[start : start + GROUP]]
        assert not any(isinstance(result, BaseException) for result in results)
        marks.append(time.thread_time())
        sealed = journal.head.extend(writer, tx.leaves, tx.now_ms)
        marks.append(time.thread_time())
        began = time.perf_counter()
        writer.execute("COMMIT")
        waited += time.perf_counter() - began
        marks.append(time.thread_time())
        journal.head.adopt(sealed)
        for name, (before, after) in zip(spent, pairwise(marks), strict=True):
            spent[name] += after - before
    for name, seconds in spent.items():
        print(f"{name:<52}{seconds / len(works) * 1e6:8.1f} us")
    print(f"{'COMMIT by the clock (the disk, off the loop)':<52}{waited / len(works) * 1e6:8.1f} us")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="tongban-steps-") as temporary:
        asyncio.run(steps(Path(temporary)))

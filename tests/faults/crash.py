"""SIGKILL of either gateway at random moments under the demo's traffic; afterwards every promise is checked from outside.

The two platforms keep running and retrying, as real ones would; their own records are the witnesses: each case that
was acknowledged ends exactly once at each of them, and each gateway's ledger is whole and proves every receipt given.
"""

from __future__ import annotations

import asyncio
import base64
import random
import sqlite3
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from gateway.demo import world
from gateway.demo.crew import Crew, members
from gateway.exchange import card as cards
from gateway.keys import keyring
from gateway.ledger import tree
from gateway.ledger.checkpoint import LedgerProof, parse_text
from gateway.store.schema import DATABASE
from signing import sm2
from tests.scan import scan_files

GATEWAYS = ("gateway-a", "gateway-b")
PROVIDER = keyring.provider("auto", True)[0]


def run(root: Path, kills: int, cases: int, seed: int = 0, say: bool = False) -> dict[str, Any]:
    """Make a world, run cases through it while killing, wait for the end, check; the report."""
    settings = world.Settings(pdf_bytes=20_000, step_ms=5, delivery="\n[delivery]\nbase_ms = 30\ncap_ms = 400\n")
    made = world.build(root, PROVIDER, datetime.now(UTC), settings)
    logs = root / "logs"
    logs.mkdir()
    crew = Crew(members(made, logs))
    try:
        return asyncio.run(_story(made, crew, kills, cases, random.Random(seed), print if say else lambda *_: None))
    finally:
        crew.stop()


async def _story(
    made: world.World, crew: Crew, kills: int, cases: int, dice: random.Random, say: Callable[..., Any]
) -> dict[str, Any]:
    started = time.monotonic()
    crew.start()
    ready = await crew.await_ready(asyncio.sleep)
    window, hall = (ready[name]["control"] for name in ("platform-a", "platform-b"))
    async with aiohttp.ClientSession() as session:
        traffic = asyncio.create_task(_traffic(session, window, cases, kills))
        for n in range(kills):
            await asyncio.sleep(dice.uniform(0.02, 0.4))
            name = dice.choice(GATEWAYS)
            crew.kill(name)
            crew.start(name)
            await _stands(crew, name)
            say(f"{n + 1}/{kills} {name}")
        await traffic
        state = await _finished(session, window, cases, 60 + kills)
        await _settled(session, [ready_now["admin"] for name, ready_now in crew.ready().items() if name in GATEWAYS])
        there = await _get(session, hall, "/sim/state")
        recorded = [await _get(session, window, f"/sim/cases/{number}") for number in state["states"]]
    crew.stop()
    report = {
        "kills": kills, "cases": cases, "finished": state["finished"], "refused": state["refused"],
        "arrived_there": there["cases"], "lost": cases - state["finished"], "duplicated": max(0, there["cases"] - cases),
        "duplicates_absorbed": state["duplicates"] + there["duplicates"], "seconds": round(time.monotonic() - started, 1),
        "faults": [*_ledgers(made), *_receipts(made, recorded), *_twice(made), *_told(made)],
    }  # fmt: skip
    clean = not report["faults"] and not report["lost"] and not report["duplicated"] and not report["refused"]
    return report | {"ok": clean}


async def _traffic(session: aiohttp.ClientSession, window: int, cases: int, kills: int) -> None:
    """Hand cases in over the whole time of the killing."""
    batches = max(1, min(kills, cases))
    for n in range(batches):
        count = cases // batches + (n < cases % batches)
        if count:
            async with session.post(f"http://127.0.0.1:{window}/sim/cases", json={"count": count}) as answer:
                assert answer.status == 200, await answer.text()
        await asyncio.sleep(0.15)


async def _stands(crew: Crew, name: str) -> None:
    end = time.monotonic() + 30
    while name not in crew.ready():
        assert time.monotonic() < end, f"{name} did not come back"
        await asyncio.sleep(0.01)


async def _get(session: aiohttp.ClientSession, port: int, path: str) -> Any:
    async with session.get(f"http://127.0.0.1:{port}{path}") as answer:
        return await answer.json()


async def _finished(session: aiohttp.ClientSession, window: int, cases: int, seconds: float) -> Any:
    end = time.monotonic() + seconds
    while True:
        state = await _get(session, window, "/sim/state")
        if state["finished"] + state["refused"] >= cases or time.monotonic() > end:
            return state
        await asyncio.sleep(0.1)


async def _settled(session: aiohttp.ClientSession, admins: list[int]) -> None:
    """Until neither gateway owes anything to anyone (or half a minute has gone: then the check below says what)."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        owed = [(await _get(session, port, "/admin/v1/overview"))["deliveries"] for port in admins]
        if all(set(states) <= {"delivered", "refused"} for states in owed):
            return
        await asyncio.sleep(0.1)


def _open(side: world.Side) -> sqlite3.Connection:
    return sqlite3.connect(side.folder / "data" / DATABASE)


def _ledgers(made: world.World) -> list[str]:
    """Each ledger: leaves without a gap, every checkpoint's root recomputed, times and sizes never back, store sound."""
    faults = []
    for side in (made.a, made.b):
        store = _open(side)
        if store.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
            faults.append(f"{side.place.division}: integrity_check")
        leaves = store.execute("SELECT idx, salt, entry FROM leaf ORDER BY idx").fetchall()
        if [row[0] for row in leaves] != list(range(len(leaves))):
            faults.append(f"{side.place.division}: a gap among the leaves")
        frontier, done, last_ms = tree.Frontier(), 0, 0
        for (text,) in store.execute("SELECT text FROM checkpoint ORDER BY size"):
            found = parse_text(text.encode())
            assert found is not None
            frontier, _ = tree.append(
                frontier, [tree.leaf_hash(salt, entry) for _, salt, entry in leaves[done : found.size]]
            )
            done = found.size
            if tree.root(frontier) != found.root or found.time_ms < last_ms:
                faults.append(f"{side.place.division}: checkpoint {found.size} does not fit its leaves")
            last_ms = found.time_ms
        if done != len(leaves):
            faults.append(f"{side.place.division}: leaves beyond the last checkpoint")
        store.close()
    return faults


def _receipts(made: world.World, recorded: list[Any]) -> list[str]:
    """Every receipt that the window holds verifies, and its checkpoint is one of the ledger's own."""
    card = cards.read((made.a.folder / "card.json").read_bytes(), (made.a.folder / "fingerprint").read_text(), PROVIDER)
    keys = cards.public_keys(card, "checkpoint")
    store = _open(made.a)
    faults = []
    for case in recorded:
        if not case["receipt"]:
            faults.append("a case without a receipt")
            continue
        proof = msgspec.json.decode(base64.b64decode(case["receipt"]), type=LedgerProof)
        signed = proof.checkpoint
        if not sm2.verify(PROVIDER, keys[signed.key], signed.text.encode(), signed.signature, signer_id=sm2.DEFAULT_ID):
            faults.append("a receipt's checkpoint does not verify")
        found = parse_text(signed.text.encode())
        row = store.execute("SELECT salt, entry FROM leaf WHERE idx = ?", (proof.index,)).fetchone()
        stored = store.execute("SELECT text FROM checkpoint WHERE size = ?", (found.size if found else -1,)).fetchone()
        if row is None or stored is None or stored[0] != signed.text or row[0] != proof.salt:
            faults.append("a receipt was given for something that is not in the ledger")
    store.close()
    return faults


def _twice(made: world.World) -> list[str]:
    """No case, no message and no act stands twice in either store; both sides agree on every case's state."""
    faults, states = [], []
    for side in (made.a, made.b):
        store = _open(side)
        double = store.execute(
            "SELECT count(*) FROM (SELECT 1 FROM case_file GROUP BY case_number HAVING count(*) > 1)"
        ).fetchone()
        if double[0]:
            faults.append(f"{side.place.division}: {double[0]} case numbers twice")
        acts = store.execute(
            "SELECT count(*) FROM (SELECT 1 FROM message WHERE direction = 'out' GROUP BY case_id, act HAVING count(*) > 1)"
        ).fetchone()
        if acts[0]:
            faults.append(f"{side.place.division}: {acts[0]} acts twice")
        stuck = store.execute(
            "SELECT count(*) FROM delivery WHERE state NOT IN ('delivered', 'refused') AND destination LIKE 'peer:%'"
        ).fetchone()
        if stuck[0]:
            faults.append(f"{side.place.division}: {stuck[0]} messages still on their way")
        states.append(dict(store.execute("SELECT id, state FROM case_file").fetchall()))
        store.close()
    if states[0] != states[1]:
        faults.append("the two sides disagree on a case's state")
    return faults


def _told(made: world.World) -> list[str]:
    """P01: no personal data in what the gateways logged."""
    found = scan_files(sorted((made.root / "logs").glob("gateway-*")), ("测试大道", "测试路"))
    return [f"personal data in a log: {one}" for one in sorted(map(str, found))[:5]]


def in_words(report: dict[str, Any]) -> str:
    """The report for people."""
    verdict = "通过 passed" if report["ok"] else "未通过 FAILED"
    return (
        f"{verdict}：{report['kills']} 次 SIGKILL，{report['cases']} 件办件，办结 {report['finished']}，丢失 {report['lost']}，"
        f"重复 {report['duplicated']}，吸收的重复投递 {report['duplicates_absorbed']}，{report['seconds']} 秒"
        + "".join(f"\n  {fault}" for fault in report["faults"])
    )

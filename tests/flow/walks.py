"""Two real lab nodes in one process and cases walked between them: real stores, ledgers and listeners, no local platforms.

The platforms' acts are handed to each desk as their adapters would; what is owed to the platforms stays owed, which is
what the operator's commands are for.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from adapters.base import Act, Inline
from agreements import samples
from agreements.calendar import china_date
from gateway import compose, config, service
from gateway.compose import Node
from gateway.demo import world as worlds
from gateway.flow.accept import deed_of
from gateway.flow.post import register_part
from schemas import canonical as c
from signing.providers import open_provider
from signing.sm3 import sm3

NAME, MOBILE, ADDRESS = "甄无名", "13900000001", "试验大道一百零一号"
CITIZEN = "420104196001020019"
PDF = b"%PDF-1.4 the applicant's statement"
LETTER = b"%PDF-1.4 the licence"


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@dataclass
class Pair:
    """Both nodes, running. ``a`` collects, ``b`` handles."""

    world: worlds.World
    a: Node
    b: Node
    acts: int = 0

    async def act(self, node: Node, type_: str, case: str, body: Any, **more: Any) -> dict[str, str]:
        """Hand one act to a node's desk as its platform would."""
        self.acts += 1
        platform = next(iter(node.platforms))
        act = Act(type_, case, f"act-{self.acts:04d}", body, **more)
        original = json.dumps({"act": act.id, "case": case}).encode()
        return await desk(node).take(deed_of(platform, act, original))

    async def until(self, reached: Callable[[], bool], seconds: float = 20.0) -> None:
        async with asyncio.timeout(seconds):
            while not reached():
                await asyncio.sleep(0.01)

    async def stands(self, node: Node, case: str, state: str) -> None:
        """Wait until this node's copy of the case is in a state."""
        await self.until(lambda: node.journal.read().one("SELECT state FROM case_file WHERE id = ?", case) == (state,))

    async def settled(self) -> None:
        """Wait until nothing is owed to the other gateway."""
        open_ = "SELECT count(*) FROM delivery WHERE destination LIKE 'peer:%' AND state NOT IN ('delivered','refused')"
        await self.until(lambda: all(node.journal.read().one(open_) == (0,) for node in (self.a, self.b)))


def desk(node: Node) -> Any:
    """The desk behind a node's platform listener."""
    return node.routes["platform"][0].handler.__self__.desk


@asynccontextmanager
async def running(root: Path, *, joined: bool = True) -> AsyncIterator[Pair]:
    """Two nodes under ``root``, made if they are not there; ``joined`` runs the loops between them."""
    made = worlds.build(root, open_provider("auto"), datetime.now(UTC), worlds.Settings())
    async with AsyncExitStack() as stack:
        nodes = []
        for side in (made.a, made.b):
            node = await compose.build(config.load(side.config), side.folder)
            runners, _ = await service.listen(node)
            loops = [loop for name, loop in node.loops.items() if name.startswith("peer:") and joined]
            tasks = [asyncio.create_task(loop.run()) for loop in loops]
            stack.push_async_callback(service.shut_down, node, runners, tasks)
            nodes.append(node)
        yield Pair(made, *nodes)


def application(number: str, item: int = 0) -> c.Application:
    wanted = samples.items()[item]
    at = now() - timedelta(minutes=5)
    person = c.Identity("person", NAME, "111", CITIZEN, MOBILE, ADDRESS)
    material = c.Material("申请书", sm3(PDF).hex(), len(PDF), "application/pdf", "申请书.pdf")
    seen = c.Attestation("窗口员甲", "K001", "3号窗口", "sight", ["居民身份证"], at)
    return c.Application(
        number, wanted.code, wanted.name, wanted.version, "collect_elsewhere", samples.HONGGUTAN,
        c.Applicant(person, None), {"经营场所": ADDRESS}, [material], seen, at, samples.PURPOSE, "行政许可法第二十九条",
    )  # fmt: skip


async def collect(pair: Pair, number: str, item: int = 0) -> str:
    """A case handed in at A; its id."""
    body, node = application(number, item), pair.a
    owner = f"platform:{next(iter(node.platforms))}"
    await asyncio.to_thread(desk(node).parts.store, owner, sm3(PDF).hex(), PDF)
    await node.journal.submit(lambda tx: register_part(tx, owner, sm3(PDF).hex(), len(PDF)))
    return (await pair.act(node, "application", number, body))["case_id"]


def acceptance() -> c.Acceptance:
    return c.Acceptance("accepted", "受2026-1", "红谷滩区行政审批局", "办理员乙", now())


def result() -> tuple[c.Result, Inline]:
    digest = sm3(LETTER).hex()
    document = c.Material("营业执照", digest, len(LETTER), "application/pdf", "licence.pdf", "result")
    inline = Inline(digest, len(LETTER), "application/pdf", "licence.pdf", LETTER)
    return c.Result("证2026-1", "营业执照", [c.ResultDocument("营业执照", document, None)], now()), inline


async def ask_correction(pair: Pair, case: str) -> None:
    wanted = c.CorrectionItem("material", "申请书", f"{NAME}签名不清", "重新签名")
    body = c.CorrectionRequest("补2026-1", [wanted], china_date(now()) + timedelta(days=15), "办理员乙", now())
    await pair.act(pair.b, "correction_request", case, body)
    await pair.stands(pair.a, case, "correction_requested")


async def walk(pair: Pair, number: str) -> str:
    """One case from 收件 to 送达, with a correction and a stamped result; its id."""
    case = await collect(pair, number)
    await pair.stands(pair.b, case, "received_there")
    await pair.stands(pair.a, case, "received_there")
    await ask_correction(pair, case)
    await pair.act(pair.a, "correction", number, c.Correction({"说明": "已补"}, [], "", now(), "窗口员甲"))
    await pair.stands(pair.b, case, "received_there")
    await pair.act(pair.b, "acceptance", case, acceptance(), local_number=f"HGT-{number}")
    await pair.act(pair.b, "step", case, c.Step("审查", "办理员丙", "", now()))
    await pair.act(pair.b, "decision", case, c.Decision("granted", "决2026-1", "红谷滩区行政审批局", "办理员丁", now()))
    body, inline = result()
    await pair.act(pair.b, "result", case, body, parts=(inline,))
    await pair.stands(pair.a, case, "result_issued")
    await pair.act(pair.a, "arrival", number, c.Arrival("3号窗口", "窗口员甲", now(), [inline.sm3]))
    await pair.act(pair.a, "delivery", number, c.Delivery("pick_up", "本人", "sight", now()))
    await pair.stands(pair.b, case, "delivered")
    await pair.settled()
    return case

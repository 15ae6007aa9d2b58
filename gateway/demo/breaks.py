"""``demo break``: one thing goes wrong, is seen where it appears, is mended, and nothing was lost.

peer: gateway B loses power; platform: the approval system stops answering; clock: the window's clock is ten minutes slow;
seal: Honggutan's seal certificate is revoked before a result is stamped. Needs a demo that stands (``demo up``).
"""

from __future__ import annotations

import asyncio
import time
import tomllib
from collections.abc import Callable, Coroutine
from contextlib import closing
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any, NoReturn

import aiohttp
import click
import msgspec

from adapters.rest_signed import sign
from gateway import lab
from gateway.cli.output import finish
from gateway.demo import ground
from gateway.demo.checks import compare
from gateway.demo.crew import Crashed, Crew, explain
from gateway.demo.ground import State
from gateway.demo.outside import Outside
from gateway.demo.walk import opened
from gateway.demo.watch import OVER
from gateway.keys import keyring
from gateway.lang import say
from signing.providers import Provider
from signing.sm2 import Signer
from signing.sm3 import sm3

SMALL_PDF = 65_536
PATIENCE_S = 30.0
SLOW = timedelta(minutes=10)


class Tale:
    """What is said while it happens, and kept for ``--json``."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self.steps: list[str] = []

    def say(self, mark: str, zh: str, en: str) -> None:
        """One line: ``·`` is done, ``✗`` is broken, ``→`` is where it shows, ``✓`` is well."""
        line = f"  {mark} {say(zh, en)}"
        self.steps.append(line.strip())
        if not self._quiet:
            click.echo(line)


class Unexpected(Exception):
    """It did not go as it should: which sentence did not come true."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


class Scene:
    """The standing demo, and what a break works with."""

    def __init__(self, root: Path, state: State, outside: Outside, tale: Tale) -> None:
        self.root, self.state, self.outside, self.tale = root, state, outside, tale
        self.crew: Crew = state.crew
        self.provider: Provider = keyring.provider("auto", lab=True)[0]

    async def hand_in(self) -> str:
        """One case, until the window holds its receipt; says how long that took."""
        begin = time.monotonic()
        (number,) = await self.outside.hand_in(1, SMALL_PDF)
        await self.until(lambda case: bool(case["receipt"]), number, "窗口拿到回执", "the window holds a receipt")
        took = (time.monotonic() - begin) * 1000
        zh, en = (
            f"窗口照常收件 {number}，{took:.0f} 毫秒拿到签名回执",
            f"the window hands in {number}: signed receipt in {took:.0f} ms",
        )
        self.tale.say("✓", zh, en)
        return number

    async def until(self, done: Callable[[dict[str, Any]], bool], number: str, zh: str, en: str) -> dict[str, Any]:
        """The window's record of a case, once it is so. Raises ``Unexpected``."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            case = await self.outside.window_case(number)
            if done(case):
                return case
            await asyncio.sleep(0.1)
        raise Unexpected(f"{PATIENCE_S:.0f} 秒内没有等到：{zh}", f"did not happen in {PATIENCE_S:.0f} s: {en}")

    async def delivered(self, number: str) -> None:
        """The case goes on to its end, once and whole."""
        case = await self.until(lambda one: one["state"] == "delivered", number, "送达", "delivered")
        hall: dict[str, Any] = {}
        for _ in range(100):
            hall = await self.outside.hall_case(case["tbbh"])
            if hall["state"] == "delivered":
                break
            await asyncio.sleep(0.1)
        lost, doubled = compare(number, case, hall)
        if lost or doubled or hall["state"] != "delivered":
            raise Unexpected("两个平台的记录对不上", "the platforms' records differ")
        self.tale.say("✓", "这件自己接着走完并送达；两个平台逐项比对：丢失 0，重复 0",
                      "the case went on by itself and was delivered; compared act by act: lost 0, doubled 0")  # fmt: skip


def owed(overview: dict[str, Any]) -> int:
    """Messages that a gateway still owes somebody, by its own figures."""
    return sum(count for state, count in overview["deliveries"].items() if state not in OVER)


async def peer(scene: Scene) -> None:
    """Gateway B loses power."""
    tale = scene.tale
    scene.crew.kill("gateway-b")
    tale.say("✗", "红谷滩网关断电（SIGKILL）", "gateway B loses power (SIGKILL)")
    number = await scene.hand_in()
    await asyncio.sleep(0.5)
    seen = await scene.outside.overview(scene.state.a)
    owed = {state: count for state, count in seen["deliveries"].items() if state != "delivered"}
    zh, en = (
        f"硚口网关的总览：待投递 {owed}；窗口看到“已收件，待转递”",
        f"gateway A's overview: owed {owed}; the window sees: collected",
    )
    tale.say("→", zh, en)
    scene.crew.start("gateway-b")
    state = msgspec.structs.replace(scene.state, members=list(scene.crew.members.values()))
    ground.save(scene.root, state)
    await scene.crew.await_ready(asyncio.sleep)
    tale.say("·", "红谷滩网关来电，从自己的账本接着走", "gateway B is back, and goes on from its own ledger")
    await scene.delivered(number)


async def platform(scene: Scene) -> None:
    """The approval system stops answering."""
    tale, outside = scene.tale, scene.outside
    await outside.knobs(scene.state.b, mode="dark")
    try:
        tale.say("✗", "红谷滩审批系统失联（端口不应答）", "the approval system goes dark")
        number = await scene.hand_in()
        told = lambda case: any(event["lx"] == "SH" for event in case["events"])  # noqa: E731
        await scene.until(told, number, "红谷滩网关签收", "gateway B's receipt")
        tale.say("✓", "红谷滩网关已签收并存证，窗口看到“办理地已签收”", "gateway B has taken it and the window knows")
        seen = await outside.overview(scene.state.b)
        zh = f"红谷滩网关的总览：待投递 {owed(seen)} 份，自动重试"
        tale.say("→", zh, f"gateway B's overview: {owed(seen)} owed, tried again by itself")
    finally:
        await outside.knobs(scene.state.b, mode="ok")
    tale.say("·", "审批系统恢复", "the approval system answers again")
    await scene.delivered(number)


async def clock(scene: Scene) -> None:
    """The window's clock is ten minutes slow."""
    state, tale = scene.state, scene.tale
    before = (await scene.outside.overview(state.a))["ledger"]
    tale.say("✗", "窗口系统的时钟慢了十分钟", "the window's clock is ten minutes slow")
    status, said = await _ask(scene, datetime.now(UTC) - SLOW)
    if status != 401:
        raise Unexpected("过时的请求被接受了", "a request from the past was taken")
    problem = msgspec.json.decode(said)
    zh = f"网关答 {status} {problem['code']}：{problem['title']}。{problem['action']}"
    tale.say("→", zh, f"the gateway answers {status} {problem['code']}: {problem['title_en']}")
    after = (await scene.outside.overview(state.a))["ledger"]
    if after != before:
        raise Unexpected("未通过认证的请求进了账本", "an unauthenticated request is in the ledger")
    tale.say("✓", f"账本没有因此多一条（仍是 {after} 条）", f"the ledger is as before ({after} entries)")
    status, _ = await _ask(scene, datetime.now(UTC))
    if status != 200:
        raise Unexpected(f"校准后仍被拒（{status}）", f"refused with the right time ({status})")
    tale.say("✓", "校准时钟后，同样的请求通过", "with the right time the same request passes")


async def _ask(scene: Scene, at: datetime) -> tuple[int, bytes]:
    """The window asks about its last case, signed at this time by its own clock."""
    config = msgspec.json.decode(
        next(Path(scene.state.a.folder).parent.glob("platform-420104/platform.json")).read_bytes()
    )
    profile = tomllib.loads((resources.files("adapters") / "profiles" / "qiaokou.toml").read_text("utf-8"))
    scheme = sign.read_scheme(profile["signing"])
    signer = Signer(scene.provider, scene.provider.load(int(config["private_key"], 16)))
    number = next(reversed((await scene.outside.window())["states"]))
    path = f"/platform/v1/cases/{number}"
    part = sign.Part("GET", path, "", {"host": scene.state.a.platform}, sm3(b""))
    nonce = scene.provider.random(16).hex()
    headers = sign.sign(scheme, signer, part, app=config["app_id"], time_ms=int(at.timestamp() * 1000), nonce=nonce)
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://{scene.state.a.platform}{path}", headers=dict(headers)) as answer,
    ):
        return answer.status, await answer.read()


async def seal(scene: Scene) -> None:
    """Honggutan's seal certificate is revoked; its stamps are refused from then on."""
    state, tale = scene.state, scene.tale
    folder, theirs = Path(state.b.folder), Path(state.a.folder) / "peer.crl"
    now = datetime.now(UTC)
    revoked = lab.revoke(folder, scene.provider, "seal", now - timedelta(hours=1), now)
    theirs.write_bytes(revoked.read_bytes())
    tale.say(
        "✗",
        "红谷滩的签章证书已被吊销，硚口拿到了吊销列表",
        "Honggutan's seal certificate is revoked; Qiaokou has the list",
    )
    try:
        number = await scene.hand_in()
        case = await scene.until(lambda one: one["state"] == "granted", number, "准予决定", "granted")
        code = await _refusal(scene, case["tbbh"])
    finally:
        theirs.unlink(missing_ok=True)
        revoked.unlink(missing_ok=True)
    zh = f"硚口网关拒收这份结果（{code}），签名的拒收回执入双方账本；窗口停在“准予”，没有拿到文件"
    tale.say("→", zh, f"gateway A refuses the result ({code}), signed; the window stays at granted, without the file")
    if any(event["lx"] == "CJ" for event in (await scene.outside.window_case(number))["events"]):
        raise Unexpected("吊销后盖章的结果到了窗口", "a result with a revoked seal reached the window")
    tale.say(
        "·",
        "吊销列表已撤下；这件须由红谷滩换章重新出具，演示里停在这里",
        "the list is gone; that case waits for a new stamp",
    )


async def _refusal(scene: Scene, case_id: str) -> str:
    """The code with which A refused the result, as gateway B has it on record."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        with opened(Path(scene.state.b.config)) as store, closing(store.cursor()) as cursor:
            row = cursor.execute(
                "SELECT problem FROM message WHERE case_id = ? AND type = 'result' AND problem <> ''", (case_id,)
            ).fetchone()
        if row is not None:
            return str(row[0])
        await asyncio.sleep(0.1)
    raise Unexpected("结果没有被拒收", "the result was not refused")


BREAKS: dict[str, Callable[[Scene], Coroutine[Any, Any, None]]] = {
    "peer": peer,
    "platform": platform,
    "clock": clock,
    "seal": seal,
}


def run(what: str, root: Path, state: State, as_json: bool) -> NoReturn:
    """Break it, show it, mend it; exit 0 when all went as it should."""
    if not state.kept or len(state.running) < len(state.members):
        text = say("演示没有在后台运行，先 ./run demo up", "no demo stands: ./run demo up first")
        finish(False, {"text": text}, as_json, [text])
    tale = Tale(as_json)
    ok, fault = True, ""
    try:
        asyncio.run(_play(what, root, state, tale))
    except Unexpected as error:
        ok, fault = False, say(error.zh, error.en)
    except Crashed as crashed:
        ok, fault = False, "\n".join(explain(crashed))
    except (aiohttp.ClientError, TimeoutError) as error:
        ok, fault = (
            False,
            say(f"演示没有应答（{type(error).__name__}）", f"the demo does not answer ({type(error).__name__})"),
        )
    finish(ok, {"broke": what, "steps": tale.steps, "text": fault}, as_json, [f"  ✗ {fault}"] if fault else [])


async def _play(what: str, root: Path, state: State, tale: Tale) -> None:
    async with Outside.session() as session:
        await BREAKS[what](Scene(root, state, Outside(session, state), tale))

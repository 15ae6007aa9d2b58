"""Trusted time at a node: asked for, kept, put into evidence; while the authority is away nothing waits for it (待补时间戳)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from click.testing import CliRunner

from gateway import config, lab_tsa
from gateway.cli import root as command
from gateway.demo import world
from gateway.flow.export import export_case
from gateway.flow.timestamps import Timestamps
from gateway.ids import now_ms
from gateway.ledger.evidence import verify
from gateway.ledger.report import EvidenceReport
from gateway.ledger.trust import compose
from gateway.timestamping import QUERY, REPLY, Unstamped, open_client
from signing import certs, issue
from signing.issue import Authority
from signing.sm2 import Signer
from signing.timestamp_build import answer, build_request
from tests.flow import nodes
from tests.flow.nodes import Running, Window, running, until
from tests.flow.test_results import state

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def authority() -> tuple[bytes, Authority]:
    """(root certificate, authority), good for twenty years from yesterday."""
    begins = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    span = {"not_before": begins, "not_after": begins + timedelta(days=7300)}
    above, key = (Signer(nodes.PROVIDER, nodes.PROVIDER.generate()) for _ in range(2))
    made = issue.build_root(above, subject=[("CN", "clock root")], serial=1, **span)
    parent = Authority(above, certs.parse(made))
    leaf = issue.build_certificate(
        parent, subject=[("CN", "clock")], public_key=key.public, serial=2, profile="tsa", **span
    )
    return made, Authority(key, certs.parse(leaf))


@dataclass
class Clock:
    """A laboratory's authority that can be told to misbehave."""

    root: bytes
    authority: Authority
    url: str = ""
    instead: Handler | None = None
    asked: int = field(default=0)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        if self.instead is not None:
            return await self.instead(request)
        reply = answer(await request.read(), self.authority, at=datetime.now(UTC), serial=self.asked)
        return web.Response(body=reply, content_type=REPLY)

    def configure(self, side: world.Side) -> None:
        (side.folder / "clock.pem").write_bytes(certs.to_pem(self.root))
        text = side.config.read_text("utf-8") + f'\n[tsa]\nurl = "{self.url}"\nanchor = "clock.pem"\ntimeout_ms = 400\n'
        side.config.write_text(text, "utf-8")


@pytest.fixture
async def clock() -> AsyncIterator[Clock]:
    made = Clock(*authority())
    app = web.Application()
    app.router.add_post("/", made.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield made
    await runner.cleanup()


def judged(data: bytes, clock: Clock, *, years: int = 0) -> EvidenceReport:
    later = now_ms() + years * 365 * 86_400_000
    return verify(data, compose(nodes.PROVIDER, now_ms=later, tsa_anchors=[clock.root]))


def stamped_sizes(node: Running) -> list[int]:
    return [size for (size,) in node.rows("SELECT size FROM checkpoint_time ORDER BY size")]


async def told(*words: object, code: int = 0) -> dict[str, object]:
    """A command's JSON, run beside this loop."""
    run = CliRunner().invoke
    result = await asyncio.to_thread(run, command, [*map(str, words), "--json"], catch_exceptions=False)
    assert result.exit_code == code, result.output
    found: dict[str, object] = json.loads(result.output.splitlines()[-1])
    return found


async def case_between(a: Running, session: aiohttp.ClientSession) -> str:
    window = Window(a, session, json.loads(a.side.platform_config.read_bytes()))
    case = (await window.hand_in(window.papers())).json["tbbh"]
    await until(lambda: state(a, case) == "received_there")
    await until(lambda: a.one("SELECT count(*) FROM delivery WHERE destination LIKE 'peer:%' AND done_ms = 0") == 0)
    return str(case)


async def test_checkpoints_are_stamped_and_the_package_carries_the_token(
    places: world.World, session: aiohttp.ClientSession, clock: Clock
) -> None:
    clock.configure(places.a)
    async with running(places.a, places.b) as (a, b):
        case = await case_between(a, session)
        assert a.node.timestamps is not None and b.node.timestamps is None
        size = a.one("SELECT max(size) FROM checkpoint")
        await a.node.timestamps.step()
        assert stamped_sizes(a)[-1] == size and await a.node.timestamps.step() == 600_000
        asked = clock.asked
        await a.node.timestamps.step()
        assert clock.asked == asked, "what is stamped is not asked for again"
        report = judged(export_case(config.load(places.a.config), places.a.folder, case), clock)
        assert report.ok is True, report.reasons
        assert [note.held for note in report.times] == [True] * len(report.times) and report.times
        assert report.fixed_ms is None  # one party's checkpoint is not the whole package


async def test_an_authority_that_is_away_holds_up_nothing_and_the_evidence_is_completed_later(
    places: world.World, session: aiohttp.ClientSession, clock: Clock, tmp_path: Path
) -> None:
    clock.configure(places.a)

    async def away(_request: web.Request) -> web.Response:
        return web.Response(status=503)

    clock.instead = away
    out = tmp_path / "case.evidence"
    at = ("--config", places.a.config)
    async with running(places.a, places.b) as (a, _b):
        case = await case_between(a, session)
        assert a.node.timestamps is not None
        assert await a.node.timestamps.step() <= 10_000 and stamped_sizes(a) == []
        said = await told("evidence", "export", case, "-o", out, *at)
        assert said["timestamp"] == "pending"
        pending = judged(out.read_bytes(), clock)
        assert (pending.ok, pending.times, pending.fixed_ms) == (True, (), None)
        assert judged(out.read_bytes(), clock, years=15).ok is None
        assert (await told("evidence", "timestamp", out, *at, code=2))["timestamp"] == "pending"
        before = out.read_bytes()
        clock.instead = None
        assert (await told("evidence", "timestamp", out, *at))["timestamp"] == "stamped"
        assert out.read_bytes().startswith(before) and out.stat().st_mode & 0o077 == 0
        later = judged(out.read_bytes(), clock, years=15)
        assert later.ok is True and later.fixed_ms is not None, later.reasons
        assert (await told("evidence", "timestamp", out, *at))["timestamp"] == "stamped"
        assert [note.over for note in judged(out.read_bytes(), clock, years=15).times] == ["package", "package"]
        await a.node.timestamps.step()
        assert stamped_sizes(a), "the next time stamp covers all that was written meanwhile"
        said = await told("evidence", "export", case, "-o", out, *at)
        assert said["timestamp"] == "stamped"
    anchor = ("--tsa-anchor", places.a.folder / "clock.pem")
    verified = await told("evidence", "verify", out, *anchor, "--anchor", places.a.folder / "clock.pem", code=1)
    assert verified["fixed"] is not None and all(time["held"] for time in verified["times"])  # type: ignore[attr-defined]
    people = CliRunner().invoke(command, ["evidence", "verify", str(out), *map(str, anchor)])
    assert "可信时间：不晚于" in people.output and "时间戳：" in people.output


async def test_without_an_authority_a_package_is_made_as_before(
    places: world.World, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    out, at = tmp_path / "case.evidence", ("--config", places.a.config)
    async with running(places.a, places.b) as (a, _b):
        case = await case_between(a, session)
        assert (await told("evidence", "export", case, "-o", out, *at))["timestamp"] == "none"
        assert (await told("evidence", "timestamp", out, *at, code=1))["code"] == "no-tsa"
        people = CliRunner().invoke(command, ["evidence", "verify", str(out)])
        assert "待补时间戳" in people.output
        result = CliRunner().invoke(command, ["evidence", "timestamp", str(places.a.config), *map(str, at)])
        assert result.exit_code == 65


# --- an authority that misbehaves -------------------------------------------------------------------------------------


def replied(body: bytes, status: int = 200) -> Handler:
    async def handle(_request: web.Request) -> web.Response:
        return web.Response(body=body, status=status, content_type=REPLY)

    return handle


async def slow(_request: web.Request) -> web.Response:
    await asyncio.sleep(2)
    return web.Response()


async def redirecting(_request: web.Request) -> web.Response:
    return web.Response(status=307, headers={"Location": "http://127.0.0.1:9/"})


def bent(by: Authority, **more: object) -> Handler:
    """Good replies by somebody, at another time, or to another request."""

    async def handle(request: web.Request) -> web.Response:
        asked = more.get("asked", await request.read())
        at = datetime.now(UTC) + more.get("ahead", timedelta())  # type: ignore[operator]
        return web.Response(body=answer(asked, by, at=at, serial=1), content_type=REPLY)  # type: ignore[arg-type]

    return handle


@pytest.mark.parametrize(
    ("instead", "reason"),
    [
        (replied(b"", 500), "HTTP 500"),
        (replied(b"not a reply"), "der-"),
        (replied(bytes(70_000)), "answer-too-large"),
        (replied(answer(b"", authority()[1], at=datetime.now(UTC), serial=1)), "refused [2]"),
        (slow, "time-out"),
        (redirecting, "HTTP 307"),
        (lambda clock: bent(authority()[1]), "tsa-untrusted-root"),
        (lambda clock: bent(clock.authority, ahead=timedelta(hours=1)), "timestamp-future"),
        (lambda clock: bent(clock.authority, asked=build_request(bytes(32), nonce=5)), "timestamp-imprint"),
    ],
    ids=["500", "garbage", "huge", "refused", "slow", "redirect", "another authority", "future", "other request"],
)
async def test_c25_what_an_authority_does_wrong_gives_no_time_stamp(
    clock: Clock, tmp_path: Path, instead: Handler | Callable[[Clock], Handler], reason: str
) -> None:
    made = instead(clock) if "lambda" in getattr(instead, "__name__", "") else instead  # type: ignore[arg-type]
    clock.instead = made  # type: ignore[assignment]
    (tmp_path / "clock.pem").write_bytes(certs.to_pem(clock.root))
    settings = config.Tsa(url=clock.url, anchor="clock.pem", timeout_ms=400)
    client = open_client(settings, tmp_path, nodes.PROVIDER, now_ms)
    assert client is not None
    outcome = await client.stamp(b"data")
    clock.instead = None
    good = await client.stamp(b"data")
    await client.close()
    assert isinstance(outcome, Unstamped) and outcome.reason.startswith(reason)
    assert isinstance(good, bytes)


async def test_nobody_there_is_no_time_stamp_either(clock: Clock, tmp_path: Path) -> None:
    (tmp_path / "clock.pem").write_bytes(certs.to_pem(clock.root))
    client = open_client(config.Tsa(url="http://127.0.0.1:9/", anchor="clock.pem"), tmp_path, nodes.PROVIDER, now_ms)
    assert client is not None and await client.stamp(b"x") == Unstamped("no-connection")
    await client.close()
    assert open_client(config.Tsa(), tmp_path, nodes.PROVIDER, now_ms) is None
    for anchor in ("", "missing.pem", "bad.pem"):
        (tmp_path / "bad.pem").write_bytes(b"x")
        with pytest.raises(config.ConfigError):
            open_client(config.Tsa(url=clock.url, anchor=anchor), tmp_path, nodes.PROVIDER, now_ms)


async def test_the_laboratorys_authority_serves_queries_and_nothing_else(session: aiohttp.ClientSession) -> None:
    _, made = authority()
    runner = web.AppRunner(lab_tsa.application(made, lambda: datetime.now(UTC), lambda: 7))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    query = build_request(bytes(32), nonce=1)
    async with session.post(url, data=query, headers={"Content-Type": QUERY}) as reply:
        assert (reply.status, reply.content_type) == (200, REPLY)
    async with session.post(url, data=query, headers={"Content-Type": "text/plain"}) as reply:
        assert reply.status == 415
    async with session.post(url, data=bytes(8192), headers={"Content-Type": QUERY}) as reply:
        assert reply.status == 413
    await runner.cleanup()


async def test_what_goes_wrong_once_does_not_end_the_asking(a: Running) -> None:
    class Broken:
        asked = 0

        async def stamp(self, data: bytes) -> bytes:
            self.asked += 1
            raise RuntimeError("a defect of ours")

    broken = Broken()
    await a.node.journal.submit(lambda tx: tx.leaf("platform", "01J00000000000000000000000", bytes(32)))
    task = asyncio.create_task(Timestamps(a.node.journal, broken, 1, lambda: 0.5).run())  # type: ignore[arg-type]
    await until(lambda: broken.asked > 2)
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

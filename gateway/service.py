"""The listeners of a node as aiohttp applications, each on its own port, and the node's run from start to stop."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Callable
from pathlib import Path

import structlog
from aiohttp import web

from gateway import compose
from gateway.compose import Node
from gateway.config import Config, ConfigError
from gateway.web import listener
from gateway.web.guard import problem

log = structlog.get_logger("node")
AGAIN_S = 5.0
"""After how long a loop that was told to end and has not is told again."""


async def serve(config: Config, base: Path, announce: Callable[[Node, dict[str, int]], None]) -> None:
    """Run a node until SIGTERM or SIGINT. ``announce`` is called once all listeners stand, with their ports."""
    stop = asyncio.Event()
    running = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        running.add_signal_handler(number, stop.set)
    node = await compose.build(config, base)
    runners, ports = await listen(node)
    tasks = start(node)
    gc.collect()
    gc.freeze()  # what a node is made of lives as long as it does: the collector need not look at it again and again
    log.info("serving", party=config.node.party, **ports)
    announce(node, ports)
    try:
        await stop.wait()
    finally:
        await shut_down(node, runners, tasks)
        log.info("stopped", party=config.node.party)


def start(node: Node) -> list[asyncio.Task[None]]:
    """The node's background tasks: a loop per destination, housekeeping, and terms that run out."""
    tasks = [asyncio.create_task(loop.run(), name=name) for name, loop in node.loops.items()]
    tasks += [asyncio.create_task(one.run(), name=f"reports:{one.id}") for one in node.reporting]
    tasks += [asyncio.create_task(poll.run(), name=f"inbox:{poll.platform}") for poll in node.polls]
    standing = {"housekeeping": node.housekeeping.run(), "keys": node.rotation.run()}
    if node.config.clocks.deem_accepted:
        standing["lapses"] = node.lapses.run()
    if node.timestamps is not None:
        standing["timestamps"] = node.timestamps.run()
    return [*tasks, *(asyncio.create_task(run, name=name) for name, run in standing.items())]


async def shut_down(node: Node, runners: list[web.AppRunner], tasks: list[asyncio.Task[None]]) -> None:
    """Stop listening, stop delivering, finish the journal. What is not delivered waits in the store."""
    for runner in runners:
        await runner.cleanup()
    pending = set(tasks)
    while pending:  # a cancellation can be lost where an answer comes in the same moment: it is said again
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=AGAIN_S)
    await asyncio.gather(*tasks, return_exceptions=True)
    await node.close()


async def _beside(runner: web.AppRunner, path: Path) -> None:
    """The exchange listener once more, on the Unix socket of the proxy that ends SM TLS; for our group alone."""
    before = os.umask(0o117)
    try:
        await web.UnixSite(runner, str(path), backlog=1024).start()
    finally:
        os.umask(before)


async def listen(node: Node) -> tuple[list[web.AppRunner], dict[str, int]]:
    """Open the listeners; their runners and ports. Where one cannot be opened, the node is shut down and a
    ``ConfigError`` names it."""
    runners: list[web.AppRunner] = []
    try:
        ports = {name: await _open(node, name, runners) for name in node.routes}
    except BaseException:
        await shut_down(node, runners, [])
        raise
    return runners, ports


async def _open(node: Node, name: str, runners: list[web.AppRunner]) -> int:
    """One listener, its runner added to ``runners``; its port."""
    runner = listener.runner(name, node.routes[name], node.refusals.get(name, problem))
    runners.append(runner)
    await runner.setup()
    host, _, port = getattr(node.config.listen, name).rpartition(":")
    secured = node.tls.server if name == "exchange" else None
    try:
        await web.TCPSite(runner, host.strip("[]"), int(port), backlog=1024, ssl_context=secured).start()
        if name == "exchange" and node.tls.proxy is not None:
            await _beside(runner, node.tls.proxy)
    except OSError as error:
        why = error.strerror or ""
        raise ConfigError(f"listen.{name}", f"监听不了：{why}", f"cannot be listened on: {why}") from None
    return int(runner.addresses[0][1])

"""How a baseline serves: aiohttp on uvloop where there is one, on a free port, announced by one JSON line."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Callable

from aiohttp import web


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """uvloop's where it is installed."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


async def forever(app: web.Application) -> None:
    """Serve until SIGTERM."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(json.dumps({"port": runner.addresses[0][1]}), flush=True)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await runner.cleanup()


def run(app: web.Application) -> None:
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(forever(app))

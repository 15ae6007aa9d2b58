"""How a baseline serves: aiohttp on a free port, announced by one JSON line."""

from __future__ import annotations

import asyncio
import json
import signal

from aiohttp import web


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
    """Until SIGTERM."""
    asyncio.run(forever(app))

"""The public pages as a process of their own (G2): no keys, no store, no partner; only what the snapshot file says."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

from aiohttp import web

from gateway.config import ConfigError
from gateway.public.watch import Watched
from gateway.web import listener
from gateway.web.public import Public


async def serve(public: Public, watched: Watched, listen: str, announce: Callable[[int], None]) -> None:
    """Serve until SIGTERM or SIGINT. ``announce`` is told the port. ``ConfigError`` where nothing can be listened on."""
    stop = asyncio.Event()
    running = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        running.add_signal_handler(number, stop.set)
    runner = listener.runner("public", public.routes(), public.refuse)
    await runner.setup()
    host, _, port = listen.rpartition(":")
    try:
        await web.TCPSite(runner, host.strip("[]"), int(port), backlog=1024).start()
    except (OSError, ValueError, OverflowError) as error:
        why = getattr(error, "strerror", "") or "?"
        raise ConfigError(listen, f"监听不了：{why}", f"cannot be listened on: {why}") from None
    watching = asyncio.create_task(watched.run(), name="snapshot")
    announce(int(runner.addresses[0][1]))
    try:
        await stop.wait()
    finally:
        watching.cancel()
        await runner.cleanup()

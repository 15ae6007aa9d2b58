"""A listener's application and runner: the limits that every port of ours keeps (rows H07-H10)."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from gateway.web.guard import Refuse, guard, problem

SHUTDOWN_S = 3.0
MAX_LINE = 8190
# Both how long a connection may rest and how long its request line and headers may take to arrive (row H10): aiohttp has
# one clock for the two. Longer than the 15 s after which our own clients drop a resting connection.
IDLE_S = 30.0


def runner(name: str, routes: Sequence[web.RouteDef], refuse: Refuse = problem) -> web.AppRunner:
    """The runner of one listener, not yet set up; ``refuse`` puts its refusals into their form."""
    app = web.Application(middlewares=[guard(name, refuse)])
    app.router.add_routes(routes)
    return web.AppRunner(
        app, access_log=None, handle_signals=False, shutdown_timeout=SHUTDOWN_S, max_line_size=MAX_LINE,
        max_field_size=MAX_LINE, lingering_time=0.5, keepalive_timeout=IDLE_S,
    )  # fmt: skip

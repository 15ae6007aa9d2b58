"""Baseline: what aiohttp itself costs. Reads a body, answers the same bytes; no check, no store, no signature."""

from __future__ import annotations

from aiohttp import web

from tests.bench import serve


async def echo(request: web.Request) -> web.Response:
    return web.Response(body=await request.read(), content_type="application/json")


if __name__ == "__main__":
    app = web.Application(client_max_size=1 << 20)
    app.router.add_post("/echo", echo)
    serve.run(app)

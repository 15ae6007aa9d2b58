"""Baseline for materials: ranges of a PUT written to a file and synced, nothing checked, nothing encrypted."""

from __future__ import annotations

import argparse
import os
import re

from aiohttp import web

from tests.bench import serve

RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


def make(path: str) -> web.Application:
    file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC)

    async def put(request: web.Request) -> web.Response:
        match = RANGE.fullmatch(request.headers["Content-Range"])
        assert match is not None
        os.pwrite(file, await request.read(), int(match[1]))
        os.fsync(file)
        return web.Response(status=201 if int(match[2]) + 1 == int(match[3]) else 204)

    app = web.Application(client_max_size=8 << 20)
    app.router.add_put("/platform/v1/materials/{sm3}", put)
    return app


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--file", required=True)
    serve.run(make(parser.parse_args().file))

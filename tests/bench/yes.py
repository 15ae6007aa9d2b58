"""A peer that takes everything at once: it reads a request and answers the same JSON, so that only the sender is measured."""

from __future__ import annotations

import asyncio
import json
import sys


async def main(said: bytes) -> None:
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(said)}\r\nConnection: close\r\n\r\n"
    )

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
        await reader.readexactly(next(int(line[15:]) for line in asked if line.startswith(b"content-length:")))
        writer.write(head.encode() + said)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1].encode()))

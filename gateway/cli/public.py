"""``tongban public``: the pages behind QR codes away from the node: signed status snapshots, and a server that has only those."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.node import CONFIG, JSON, on_node, open_node
from gateway.lang import say

if TYPE_CHECKING:
    from gateway.public.snapshot import Head
    from gateway.public.watch import Watched


@click.group(help=say("扫码核验页：状态快照与单独运行", "Certificate pages: snapshots, and serving them alone"))
def group() -> None:
    """The noun."""


@group.command(help=say("签发一份状态快照（给没有密钥和数据库的机器）", "Write a signed status snapshot for a DMZ"))
@click.option("--out", "-o", required=True, type=click.Path(), metavar="F", help=say("输出文件", "output file"))
@click.option(
    "--minutes", default=60, show_default=True, type=click.IntRange(1, 7 * 1440),
    help=say("几分钟内会有下一份；过时的页面会说明", "the next one is due within; pages say when it is overdue"),
)  # fmt: skip
@CONFIG
@JSON
@on_node
def snapshot(out: str, minutes: int, path: str, as_json: bool) -> None:
    """Exit 0 written, 65 configuration, keys or store unreadable. Beside a running gateway or without one."""
    from gateway.cli.output import finish
    from gateway.ids import now_ms
    from gateway.public import register
    from gateway.public.snapshot import write

    node = open_node(path)
    at_ms, signer = now_ms(), node.ring.signer("direct")
    rows = register.entries(node.reader, node.vault)
    made = write(Path(out), rows, node.config.node.party, at_ms, at_ms + minutes * 60_000, node.config.node.lab, signer)
    text = say(f"已写入 {out}：{made.entries} 份证照", f"written: {out}, {made.entries} certificates")
    finish(True, {"file": out, "entries": made.entries, "sequence": made.sequence}, as_json, [text])


@group.command(help=say("单独运行核验页，只凭签名快照", "Serve the pages alone, from signed snapshots"))
@click.option("--snapshot", "file", required=True, type=click.Path(), metavar="F", help=say("快照文件", "snapshot"))
@click.option("--card", required=True, type=click.Path(), metavar="F", help=say("颁发方名片", "the issuer's card"))
@click.option("--fingerprint", required=True, help=say("颁发方身份密钥指纹", "fingerprint of its identity key"))
@click.option("--listen", default="127.0.0.1:8090", show_default=True, metavar="ADDR", help=say("监听地址", "address"))
@click.option(
    "--per-minute", default=120, show_default=True, type=click.IntRange(1, 10**9),
    help=say("每个地址每分钟几次", "pages for one address a minute"),
)  # fmt: skip
@click.option("--proxy", multiple=True, metavar="IP", help=say("反向代理的地址", "address of a reverse proxy"))
@click.option("--address-header", default="X-Real-IP", show_default=True, help=say("代理写来访地址的头", "its header"))
@on_node
def serve(
    file: str, card: str, fingerprint: str, listen: str, per_minute: int, proxy: tuple[str, ...], address_header: str
) -> None:
    """Runs until it is told to stop. Exit 1 where the snapshot cannot be believed, 65 where it cannot be read."""
    import asyncio

    import msgspec

    from gateway.core.throttle import Throttle
    from gateway.ids import now_ms
    from gateway.ops import logs
    from gateway.public import alone
    from gateway.public.watch import Watched
    from gateway.web.public import Public
    from signing.providers import open_provider

    logs.setup("info")
    watched = Watched(Path(file), Path(card), fingerprint, open_provider(), now_ms)
    head = _first(watched, file)
    public = Public(watched, Throttle(per_minute), now_ms, head.sample, frozenset(proxy), address_header)

    def announce(port: int) -> None:
        sys.stdout.write(
            msgspec.json.encode(
                {"ready": True, "public": port, "entries": head.entries, "issuer": head.issuer}
            ).decode()
            + "\n"
        )
        sys.stdout.flush()

    asyncio.run(alone.serve(public, watched, listen, announce))


def _first(watched: Watched, file: str) -> Head:
    """The snapshot to begin with: without one that can be believed there is nothing to serve."""
    from gateway.cli.output import finish, unreadable

    refused = watched.refresh()
    if refused is not None and refused.code in ("snapshot-form", "snapshot-size", "snapshot-unreadable"):
        unreadable(file, refused.zh, refused.en)
    if refused is not None or watched.held is None:
        text = say(refused.zh, refused.en) if refused is not None else file
        finish(False, {}, False, [text])
    return watched.held.head

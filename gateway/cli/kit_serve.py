"""``tongban kit serve``: the other city's platform, played by its profile, with the faults that real ones have."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

import click

from gateway.lang import say

if TYPE_CHECKING:
    from adapters.kit.cast import Cast
    from adapters.kit.play import Play


def _behaviours() -> str:
    from adapters.kit.behaviour import BEHAVIOURS

    return "\n".join(f"{name}: {say(one.zh, one.en)}" for name, one in BEHAVIOURS.items())


@click.command("serve", help=say("扮演对方平台，可带各种毛病。", "Play a partner's platform, faults included."))
@click.option(
    "--profile", required=True, metavar="P", help=say("方案名或 TOML 文件", "a profile's name or its TOML file")
)
@click.option(
    "--settings", metavar="F", help=say("平台设置（[[platform]] 的各键，TOML）", "keys of [[platform]], TOML")
)
@click.option(
    "--behaviour", default="good", show_default=True, metavar="B", help=say("表现；list 列出", "how it behaves; list")
)
@click.option("--times", default=-1, metavar="N", help=say("只有前 N 次如此", "for so many calls only"))
@click.option("--key", metavar="F", help=say("扮演的平台的签名私钥 PEM", "the played platform's signing key, PEM"))
@click.option("--gateway-key", metavar="F", help=say("网关公钥 PEM", "the gateway's public key, PEM"))
@click.option(
    "--gateway",
    default="",
    metavar="U",
    help=say("网关 platform 监听地址；给出则主动报送", "the gateway's platform listener: then it tells, too"),
)
@click.option(
    "--listen", default="127.0.0.1:0", show_default=True, metavar="A", help=say("监听地址", "where to listen")
)
@click.option(
    "--control", default="127.0.0.1:0", show_default=True, metavar="A", help=say("指挥地址", "where it is directed")
)
@click.option(
    "--folder", default="", metavar="U", help=say("前置库或文件夹（sqlite:///、file:///）", "its database or folder")
)
@click.option(
    "--sample", "samples", multiple=True, metavar="TYPE=FILE", help=say("自备样例（规范 JSON）", "a sample of your own")
)
@click.option("--record", metavar="FILE", help=say("往来逐条记入 JSONL（已脱敏）", "write each exchange here, masked"))
@click.option("--json", is_flag=True, help=say("机器可读输出", "for machines"))
def serve(**given: Any) -> None:
    """Stands until it is told to stop."""
    import asyncio

    from adapters.kit.behaviour import BEHAVIOURS

    if given["behaviour"] == "list":
        click.echo(_behaviours())
        return
    if given["behaviour"] not in BEHAVIOURS:
        raise click.UsageError(
            say(f"--behaviour 须为：{'、'.join(BEHAVIOURS)}", f"--behaviour is one of {', '.join(BEHAVIOURS)}")
        )
    with _recording(given["record"]) as file:
        asyncio.run(_serve(_cast(given), given, file))


def _recording(path: str | None) -> IO[str]:
    """Where exchanges are written down; nowhere, unless it is asked for."""
    import os
    from pathlib import Path

    from gateway.cli.output import unreadable

    try:
        return Path(path or os.devnull).open("a", encoding="utf-8", buffering=1)
    except OSError as error:
        unreadable(path or "", f"写不了（{error.strerror}）", f"cannot be written ({error.strerror})")


def _cast(given: dict[str, Any]) -> Cast:
    from adapters.kit.cast import Cast
    from adapters.kit.mask import Mask
    from gateway.cli import kit_open
    from signing.sm2 import Signer

    chosen = kit_open.chosen(given["profile"], given["folder"], given["settings"])
    provider = kit_open.provider_of()
    key = kit_open.key_of(given["key"], provider)
    gateway_key = kit_open.public_of(given["gateway_key"]) if given["gateway_key"] else ""
    if given["key"] is None and chosen.settings.app_id and not chosen.secrets:
        click.echo(kit_open.fresh_key_notice(key.public.point.hex()), err=True)
    return Cast(
        chosen.settings, chosen.profile, chosen.beside, provider, Signer(provider, key), gateway_key, given["gateway"],
        kit_open.now_ms, Mask(chosen.hidden), chosen.secrets,
    )  # fmt: skip


async def _serve(cast: Cast, given: dict[str, Any], file: IO[str]) -> None:
    import asyncio
    import logging
    import signal

    from adapters.base import Untranslatable
    from adapters.kit.behaviour import Switch
    from adapters.kit.play import Play, line_of
    from gateway.cli import kit_open
    from gateway.cli.output import unreadable

    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    try:
        switch = Switch(given["behaviour"], given["times"])
        bodies = kit_open.bodies(given["samples"])
        play = Play(cast, switch, lambda line: file.write(line_of(line)), bodies=bodies)
    except Untranslatable as bad:
        unreadable(given["profile"], bad.zh, bad.en)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    _announce(await _listening(play, given), given)
    await stop.wait()
    await play.stop()


async def _listening(play: Play, given: dict[str, Any]) -> tuple[int, int]:
    from gateway.cli import kit_open
    from gateway.cli.output import unreadable

    places = [kit_open.address(given[name], name) for name in ("listen", "control")]
    try:
        return await play.start(*places)
    except OSError as error:
        await play.stop()
        unreadable(given["listen"], f"无法监听（{error.strerror}）", f"cannot listen ({error.strerror})")


def _announce(ports: tuple[int, int], given: dict[str, Any]) -> None:
    import msgspec

    hosts = [given[name].rpartition(":")[0] for name in ("listen", "control")]
    url, control = (f"http://{host}:{port}" for host, port in zip(hosts, ports, strict=True))
    if given["json"]:
        click.echo(msgspec.json.encode({"ready": True, "url": url, "control": control}).decode())
    else:
        click.echo(say(f"对方平台（{given['behaviour']}）：{url}", f"the platform ({given['behaviour']}): {url}"))
        click.echo(say(f"指挥：{control}/kit/state", f"directed at: {control}/kit/state"))

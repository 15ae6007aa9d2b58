"""``tongban serve``: run a node in the foreground."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.output import unreadable
from gateway.lang import say

if TYPE_CHECKING:
    from gateway.compose import Node


@click.command(help=say("运行网关，直到收到停止信号。", "Run the gateway until it is told to stop."))
@click.option("--config", "path", default="tongban.toml", show_default=True, help=say("配置文件", "configuration file"))
@click.option("--check", is_flag=True, help=say("只检查配置，不启动", "check the configuration and exit"))
@click.option("--log-level", default="info", show_default=True, help=say("日志级别", "log level"))
def group(path: str, check: bool, log_level: str) -> None:
    """Load the configuration, wire the node, serve."""
    import asyncio

    import msgspec

    from gateway import config, ground, service
    from gateway.ops import logs
    from signing.errors import SigningError

    logs.setup(log_level)
    file = Path(path)
    try:
        settings = config.load(file)
        if check:
            ground.ground(settings, file.parent)
            click.echo(say("配置可用", "the configuration is usable"))
            return

        def announce(node: Node, ports: dict[str, int]) -> None:
            if node.warning:
                click.echo(f"警告 / warning: {node.warning}", err=True)
            sys.stdout.write(
                msgspec.json.encode({"ready": True, "party": settings.node.party, **ports}).decode() + "\n"
            )
            sys.stdout.flush()

        asyncio.run(service.serve(settings, file.parent, announce))
    except config.ConfigError as error:
        unreadable(error.where, error.zh, error.en)
    except SigningError as error:  # a key or its machine does not serve: nothing has begun
        unreadable(path, error.zh, error.en)

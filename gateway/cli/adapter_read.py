"""The step behind ``adapter read``: one reading call of a platform, with what a node's settings say of it."""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import Any

import click

from adapters.union_json.channel import UnionChannel
from gateway import config, profiles
from gateway.cli.output import unreadable
from gateway.config import ConfigError
from gateway.lang import say
from signing.providers import open_provider
from signing.sm2 import Signer


async def listed(path: Path, platform: str, call: str, params: dict[str, str]) -> list[Any]:
    """What the call brings. Raises Interrupted; exits 64 and 65."""
    try:
        settings = config.load(path)
        chosen = next((one for one in settings.platform if one.id == platform), None)
        if chosen is None:
            raise click.UsageError(say(f"设置里没有平台 {platform}", f"the settings name no platform {platform}"))
        opened = profiles.open_one(
            settings, chosen, path.parent, _unsigned, open_provider("auto"), lambda: secrets.token_hex(16),
            lambda: time.time_ns() // 1_000_000,
        )  # fmt: skip
    except ConfigError as bad:
        unreadable(path, f"{bad.where}：{bad.zh}", f"{bad.where}: {bad.en}")
    channel = opened.channel
    try:
        if not isinstance(channel, UnionChannel) or call not in channel.translator.words.read:
            raise click.UsageError(say(f"{platform} 没有只读接口 {call}", f"{platform} has no reading call {call}"))
        return await channel.read(call, params)
    finally:
        await channel.close()


def _unsigned() -> Signer:
    """A command that only reads does not open the keyring."""
    raise click.UsageError(
        say("此平台须签名调用，请在节点上查看", "this platform wants signed calls: look on the node")
    )

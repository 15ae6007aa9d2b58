"""``tongban kit replay``: whether a profile still writes and reads a recorded session as it did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gateway.cli.kit_run import MARKS
from gateway.lang import say

if TYPE_CHECKING:
    from adapters.kit.partner import Partner
    from adapters.kit.score import Result

LIMIT = 64 << 20


@click.command(
    "replay", help=say("用录制的会话核对方案，不联网。", "Hold a profile against a recorded session, offline.")
)
@click.argument("recording", metavar="FILE")
@click.option(
    "--profile", required=True, metavar="P", help=say("方案名或 TOML 文件", "a profile's name or its TOML file")
)
@click.option(
    "--settings", metavar="F", help=say("平台设置（[[platform]] 的各键，TOML）", "keys of [[platform]], TOML")
)
@click.option("--json", is_flag=True, help=say("机器可读输出", "for machines"))
def replay(recording: str, profile: str, settings: str | None, json: bool) -> None:
    """Exit 0: byte for byte the same; 1: something differs; 2: nothing could be compared."""
    import asyncio

    from adapters.kit.score import overall
    from gateway.cli.output import finish

    first, *lines = _lines(recording)
    results = asyncio.run(_replayed(recording, _partner(profile, settings, str(first.get("family", ""))), lines))
    shown = [f"{MARKS[one.said.verdict]} {say(one.zh, one.en)}　{say(one.said.zh, one.said.en)}" for one in results]
    same = sum(one.said.verdict == "pass" for one in results)
    shown.append(say(f"{same}/{len(results)} 条相同；录制于 {first.get('mapping')}",
                     f"{same} of {len(results)} the same; recorded by {first.get('mapping')}"))  # fmt: skip
    steps = [
        {"name": one.name, "verdict": one.said.verdict, "seen": {"zh": one.said.zh, "en": one.said.en}}
        for one in results
    ]
    finish(overall(results), {"recorded_by": first.get("mapping"), "steps": steps, "same": same}, json, shown)


def _lines(path: str) -> list[dict[str, Any]]:
    import msgspec

    from gateway.cli.output import read_bytes, unreadable

    try:
        lines: list[dict[str, Any]] = msgspec.json.Decoder(dict[str, Any]).decode_lines(read_bytes(path, LIMIT))
    except msgspec.DecodeError:
        lines = []
    if not lines or lines[0].get("kit") != 1:
        unreadable(path, "不是测试工具的录制", "not a recording of the kit")
    return lines


def _partner(profile: str, settings: str | None, family: str) -> Partner:
    from adapters.kit.partner import Keys, Partner
    from gateway.cli import kit_open
    from signing.sm2 import Signer

    nowhere = kit_open.NOWHERE.get(family, "http://recorded.invalid")
    chosen = kit_open.chosen(profile, "", settings, otherwise=nowhere)
    provider = kit_open.provider_of()
    keys = Keys(provider, Signer(provider, provider.generate()), kit_open.now_ms)
    return Partner(chosen.settings, chosen.profile, chosen.beside, keys, secrets=chosen.secrets)


async def _replayed(path: str, partner: Partner, lines: list[dict[str, Any]]) -> list[Result]:
    from adapters.base import Untranslatable
    from adapters.kit.record import replayed
    from gateway.cli.output import unreadable

    try:
        platform = partner.open()
        try:
            return await replayed(partner, platform, iter(lines))
        finally:
            await platform.channel.close()
    except Untranslatable as bad:
        unreadable(partner.settings.profile, f"{bad.path} {bad.zh}".strip(), f"{bad.path} {bad.en}".strip())
    except (KeyError, TypeError, ValueError, LookupError):
        unreadable(path, "录制残缺", "the recording is damaged")

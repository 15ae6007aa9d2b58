"""``tongban kit run``: our gateway's part, played against a partner's platform, and scored."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from gateway.lang import say

if TYPE_CHECKING:
    from adapters.kit.door import Door
    from adapters.kit.partner import Partner
    from adapters.kit.report import About
    from adapters.kit.run import Ran
    from adapters.kit.score import Result
    from adapters.registry import Platform

MARKS = {"pass": "✓", "fail": "✗", "na": "–", "unknown": "?"}


@click.command(
    "run", help=say("以网关身份测试对方平台，逐项评分。", "Play our gateway against a platform, and score it.")
)
@click.option(
    "--profile", required=True, metavar="P", help=say("方案名或 TOML 文件", "a profile's name or its TOML file")
)
@click.option("--base-url", default="", metavar="U", help=say("对方地址", "the platform's address"))
@click.option(
    "--settings", metavar="F", help=say("平台设置（[[platform]] 的各键，TOML）", "keys of [[platform]], TOML")
)
@click.option("--key", metavar="F", help=say("我方签名私钥 PEM", "our signing key, PEM"))
@click.option("--steps", default="", metavar="A,B", help=say("只测这些步骤", "only these steps"))
@click.option(
    "--case-id", default="", metavar="N", help=say("用对方已有的办件（我方编号）", "a case that exists there, our id")
)
@click.option(
    "--case-number", default="", metavar="N", help=say("用对方已有的办件（收件地编号）", "the same, its number")
)
@click.option("--item", default="", metavar="C", help=say("样例办件的事项编码", "the item of the sample case"))
@click.option(
    "--sample", "samples", multiple=True, metavar="TYPE=FILE", help=say("自备样例（规范 JSON）", "a sample of your own")
)
@click.option("--timeout", default=0, metavar="MS", help=say("等待应答的毫秒数", "milliseconds to wait for an answer"))
@click.option(
    "--oversize",
    default=32 << 20,
    show_default=True,
    metavar="BYTES",
    help=say("超大报文的字节数", "bytes of the oversized message"),
)
@click.option(
    "--report", metavar="DIR", help=say("写 report.html 与 report.json", "write report.html and report.json here")
)
@click.option("--record", metavar="FILE", help=say("录制成夹具（JSONL）", "write the session down as a fixture"))
@click.option("--door", metavar="A", help=say("开门接对方来报的地址", "where the platform's own calls are taken"))
@click.option(
    "--wait", default=0, metavar="S", help=say("测完后等对方来报的秒数", "seconds to wait for its calls at the end")
)
@click.option("--json", is_flag=True, help=say("机器可读输出", "for machines"))
def run(**given: Any) -> None:
    """Exit 0: all that applies passed; 1: something failed; 2: nobody answered."""
    import asyncio

    from gateway.cli.output import finish

    partner, title = _partner(given)
    results, about = asyncio.run(_run(partner, title, given))
    lines = [] if given["json"] else [_summary(results, about)]
    if given["report"]:
        lines.append(_write(given["report"], about, results))
    from adapters.kit import report
    from adapters.kit.score import overall

    finish(overall(results), report.data(about, results), given["json"], lines)


def _partner(given: dict[str, Any]) -> tuple[Partner, str]:
    from adapters.kit.mask import Mask
    from adapters.kit.partner import Keys, Partner
    from gateway.cli import kit_open
    from signing.sm2 import Signer

    chosen = kit_open.chosen(given["profile"], given["base_url"], given["settings"], given["timeout"])
    if not chosen.settings.base_url:
        raise click.UsageError(say("请给出 --base-url", "give --base-url"))
    provider = kit_open.provider_of()
    key = kit_open.key_of(given["key"], provider)
    if given["key"] is None and chosen.settings.app_id and not chosen.secrets:
        click.echo(kit_open.fresh_key_notice(key.public.point.hex()), err=True)
    keys = Keys(provider, Signer(provider, key), kit_open.now_ms)
    partner = Partner(
        chosen.settings, chosen.profile, chosen.beside, keys, given["case_id"], given["case_number"], given["item"],
        kit_open.bodies(given["samples"]), chosen.secrets, Mask(chosen.hidden),
    )  # fmt: skip
    return partner, chosen.title


async def _run(partner: Partner, title: str, given: dict[str, Any]) -> tuple[list[Result], About]:
    from datetime import datetime

    from adapters.kit import run as kit
    from adapters.kit.door import Door, scored
    from adapters.kit.report import About

    platform = _open(partner)
    steps = kit.plan(platform, [one.strip() for one in given["steps"].split(",") if one.strip()])
    if not steps:
        raise click.UsageError(say("没有这样的步骤", "no such step"))
    door, done = Door(platform, partner.mask, partner.keys.now_ms), (lambda _: None) if given["json"] else _line
    if given["door"]:
        await _opened(door, given["door"], given["json"])
    began = time.monotonic()
    ran: list[Ran] = await kit.run(partner, platform, steps, oversize=given["oversize"], done=done)
    results = [one.result for one in ran]
    if given["door"]:
        await door.wait(given["wait"])
        results += scored(door)
        for one in results[len(ran) :]:
            done(one)
    await door.close()
    await platform.channel.close()
    if given["record"]:
        _record(given["record"], partner, platform, ran, door)
    about = About(
        platform.profile, title, platform.family, platform.mapping, partner.settings.base_url,
        f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S %z}", time.monotonic() - began, len(steps) - len(ran),
    )  # fmt: skip
    return results, about


async def _opened(door: Door, address: str, json: bool) -> None:
    from gateway.cli import kit_open
    from gateway.cli.output import unreadable

    try:
        url = await door.open(*kit_open.address(address, "door"))
    except OSError as error:
        unreadable(address, f"无法监听（{error.strerror}）", f"cannot listen ({error.strerror})")
    click.echo(say(f"来报之门：{url}", f"the door for its calls: {url}"), err=json)


def _record(path: str, partner: Partner, platform: Platform, ran: list[Ran], door: Door) -> None:
    from pathlib import Path

    import msgspec

    from adapters.kit import record
    from gateway.cli.output import unreadable

    lines = [record.head(platform)]
    lines += [record.sent_line(sent, partner.mask) for one in ran for sent in one.sent]
    lines += [record.heard_line(one, partner.mask) for one in door.heard]
    try:
        Path(path).write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    except OSError as error:
        unreadable(path, f"写不了录制（{error.strerror}）", f"the recording cannot be written ({error.strerror})")


def _open(partner: Partner) -> Platform:
    """Exit 65 where the profile or the settings cannot work."""
    from adapters.base import Untranslatable
    from gateway.cli.output import unreadable

    try:
        return partner.open()
    except Untranslatable as bad:
        unreadable(partner.settings.profile, f"{bad.path} {bad.zh}".strip(), f"{bad.path} {bad.en}".strip())


def _line(result: Result) -> None:
    said = result.said
    click.echo(f"{MARKS[said.verdict]} {say(result.zh, result.en)}　{say(said.zh, said.en)}  [{result.name}]")


def _summary(results: list[Result], about: About) -> str:
    from adapters.kit.report import counts

    told = counts(results)
    rest = about.left_out + told["unknown"]
    return say(
        f"通过 {told['passed']}，不通过 {told['failed']}，不适用 {told['not_applicable']}，未判断 {rest}",
        f"{told['passed']} passed, {told['failed']} failed, {told['not_applicable']} not applicable, {rest} not told",
    )


def _write(folder: str, about: About, results: list[Result]) -> str:
    from pathlib import Path

    import msgspec

    from adapters.kit import report
    from gateway.cli.output import unreadable

    place = Path(folder)
    try:
        place.mkdir(parents=True, exist_ok=True)
        (place / "report.html").write_text(report.page(about, results), "utf-8")
        (place / "report.json").write_bytes(msgspec.json.format(msgspec.json.encode(report.data(about, results))))
    except OSError as error:
        unreadable(folder, f"写不了报告（{error.strerror}）", f"the report cannot be written ({error.strerror})")
    return say(f"报告：{place / 'report.html'}", f"report: {place / 'report.html'}")

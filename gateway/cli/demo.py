"""``tongban demo`` and ``./run demo``: two places, four processes, real cases, everything checked.

Without a sub-command the demo runs from beginning to end and stops all it started. ``up`` leaves it standing.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from gateway.lang import say

if TYPE_CHECKING:
    from gateway.demo.ground import State

DEFAULT_CASES, DEFAULT_PDF = 20, 5 << 20


def _options(command: Any) -> Any:
    """Options that the demo and ``up`` share."""
    for option in (
        click.option("--cases", type=click.IntRange(1, 100_000), default=DEFAULT_CASES, show_default=True,
                     help=say("办件数", "number of cases")),
        click.option("--pdf-bytes", type=click.IntRange(1024, 1 << 28), default=DEFAULT_PDF, show_default=True,
                     help=say("每件最大一份 PDF 的字节数", "bytes of the largest PDF of each case")),
        click.option("--lang", type=click.Choice(["zh", "en"]), help=say("语言", "language")),
        click.option("--dir", "folder", type=click.Path(path_type=Path), help=say("演示目录", "the demo's folder")),
        click.option("--json", "as_json", is_flag=True, help=say("最后一行输出 JSON", "JSON as the last line")),
        click.option("--platforms", type=click.Choice(["two", "all"]), default="two", show_default=True,
                     help=say("all：两地各有多个业务系统，五种接口", "all: several local systems, five kinds of interface")),
    ):  # fmt: skip
        command = option(command)
    return command


@click.group(
    invoke_without_command=True,
    help=say(
        "两省演示：硚口收件，红谷滩办理，逐项核验，生成图文实录。",
        "The demo of two provinces: collected in Qiaokou, decided by Honggutan, everything checked, told as a story.",
    ),
)
@_options
@click.option("--keep", is_flag=True, help=say("跑完不停，直到 Ctrl-C", "stay up until Ctrl-C"))
@click.pass_context
def group(
    ctx: click.Context,
    cases: int,
    pdf_bytes: int,
    lang: str | None,
    folder: Path | None,
    as_json: bool,
    platforms: str,
    keep: bool,
) -> None:
    """Run the demo, unless a sub-command was named."""
    if lang:
        os.environ["TONGBAN_LANG"] = lang
    if ctx.invoked_subcommand is not None:
        ctx.obj = folder
        return
    from gateway.demo import stages

    stages.run(_root(folder), cases, pdf_bytes, keep=keep, as_json=as_json, platforms=platforms == "all")


@group.command(help=say("启动并保持运行（后台）", "Start it and let it stand, detached"))
@_options
@click.pass_context
def up(
    ctx: click.Context, cases: int, pdf_bytes: int, lang: str | None, folder: Path | None, as_json: bool, platforms: str
) -> None:
    """The whole demo, whose processes then stay."""
    if lang:
        os.environ["TONGBAN_LANG"] = lang
    from gateway.demo import stages

    stages.run(_root(folder or ctx.obj), cases, pdf_bytes, kept=True, as_json=as_json, platforms=platforms == "all")


def _kept(command: Any) -> Any:
    command = click.option("--json", "as_json", is_flag=True, help=say("输出 JSON", "JSON for machines"))(command)
    return click.option(
        "--dir", "folder", type=click.Path(path_type=Path), help=say("演示目录", "the demo's folder")
    )(command)  # fmt: skip


@group.command(help=say("停止 up 启动的进程", "Stop what up has started"))
@_kept
@click.pass_context
def down(ctx: click.Context, folder: Path | None, as_json: bool) -> None:
    """Exit 0 when nothing of the demo runs any more."""
    from gateway.demo import kept

    kept.down(_state(folder or ctx.obj, as_json), as_json)


@group.command(help=say("各进程的状态", "The state of each process"))
@_kept
@click.pass_context
def status(ctx: click.Context, folder: Path | None, as_json: bool) -> None:
    """Exit 0 when all four run, 1 when one does not."""
    from gateway.demo import kept

    kept.status(_state(folder or ctx.obj, as_json), as_json)


@group.command(
    "break",
    help=say(
        "弄坏一处看会怎样：peer 对端断电，platform 审批系统失联，clock 时钟不准，seal 印章被吊销",
        "Break one thing and see: peer (power cut), platform (goes dark), clock (wrong time), seal (revoked)",
    ),
)
@click.argument("what", type=click.Choice(["peer", "platform", "clock", "seal"]))
@_kept
@click.pass_context
def break_(ctx: click.Context, what: str, folder: Path | None, as_json: bool) -> None:
    """Each breaks, shows where it appears, mends, and shows that nothing was lost. Needs ``demo up``."""
    from gateway.demo import breaks

    breaks.run(what, _root(folder or ctx.obj), _state(folder or ctx.obj, as_json), as_json)


@group.command(
    help=say("改证据包和签章结果的一个字节，看哪里露馅", "Change one byte of evidence and result: what breaks")
)
@_kept
@click.pass_context
def tamper(ctx: click.Context, folder: Path | None, as_json: bool) -> None:
    """Works on copies. Exit 0 when every change was found."""
    from gateway.demo import kept

    kept.tamper(_root(folder or ctx.obj), _state(folder or ctx.obj, as_json), as_json)


def _root(folder: Path | None) -> Path:
    from gateway.demo import ground

    return (folder or ground.default_root()).absolute()


def _state(folder: Path | None, as_json: bool) -> State:
    from gateway.demo import ground

    root = _root(folder)
    return ground.load(root) or _nothing(root, as_json)


def _nothing(root: Path, as_json: bool) -> NoReturn:
    from gateway.cli.output import finish

    text = say(f"{root} 里没有演示，先运行 ./run demo", f"there is no demo in {root}: run ./run demo first")
    finish(False, {"text": text, "processes": []}, as_json, [text])

"""``tongban bench``: our figures beside their baselines, all measured in the same call.

The scenarios and baselines are programs under ``tests/bench`` of a checkout; an installed wheel does not hold them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from gateway.cli.output import finish
from gateway.lang import say

SCENARIOS = {
    "intake": ("收件：4 KiB 签名办件，一个核", "taking in signed cases of 4 KiB, one core"),
    "relay": ("转递：甲网关到乙网关，各一个核", "gateway A to gateway B, a core each"),
    "parts": ("材料：1 MiB 分段上传", "materials in ranges of 1 MiB"),
    "seal": ("电子签章全项核验，一个核，热", "stamps verified with all checks, one core, warm"),
    "ecert": ("电子证照签发（含二维码与签章），一个核", "e-certificates issued with QR code and seal, one core"),
    "ofd": ("OFD 电子证照全项核验，一个核，热", "OFD e-certificates verified with all checks, one core, warm"),
    "carry": ("材料转递：端到端加密，甲网关到乙网关", "materials sealed from gateway A to gateway B"),
    "scan": ("扫码核验页，一个核", "pages behind QR codes, one core"),
    "map": ("字段映射：4 KiB 办件，一个核", "a platform's case of 4 KiB through its rule table, one core"),
    "xml": ("XML 校验与解码、SOAP 收发，一个核", "XML validated and decoded, SOAP served, one core"),
    "adapters": (
        "适配器到各自的模拟平台，每核每秒报文",
        "adapters to their simulated platforms, messages a second per core",
    ),
    "sign": ("SM2 验签与签名，1 KiB", "SM2 verification and signature, 1 KiB"),
}
ROOT = Path(__file__).resolve().parents[2]


class _Missing(click.ClickException):
    exit_code = 69


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    seconds = click.option(
        "--seconds", default=5.0, show_default=True, help=say("每项测多少秒", "seconds for each measurement")
    )
    json = click.option("--json", "as_json", is_flag=True, help=say("最后一行输出 JSON", "JSON on the last line"))
    return seconds(json(command))


@click.group(
    invoke_without_command=True,
    help=say(
        "性能数字与同一次运行中的基线；不给场景则全部测一遍。",
        "Figures beside baselines of the same run; all scenarios if none is named.",
    ),
)
@_options
@click.pass_context
def group(context: click.Context, seconds: float, as_json: bool) -> None:
    """Without a scenario: all of them, one after the other."""
    if context.invoked_subcommand is None:
        found = {name: measure(name, seconds) for name in SCENARIOS}
        lines = [line for result in found.values() for line in [*table(result), ""]]
        finish(True, found, as_json, lines)


def measure(scenario: str, seconds: float) -> dict[str, Any]:
    """Run one scenario in a process of its own (it pins itself and its servers to cores)."""
    import subprocess
    import sys

    import msgspec

    if not (ROOT / "tests" / "bench" / "__main__.py").exists():
        raise _Missing(
            say(
                "安装包里没有测量程序：请在源码目录里运行 ./run bench。",
                "The measuring programs are not part of the wheel: run ./run bench in a checkout.",
            )
        )
    command = [sys.executable, "-m", "tests.bench", scenario, "--seconds", str(seconds)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=False)  # noqa: S603 - our own program
    if done.returncode:
        raise click.ClickException(say(f"{scenario} 未测成", f"{scenario} was not measured"))
    result: dict[str, Any] = msgspec.json.decode(done.stdout.splitlines()[-1])
    return result


def table(result: dict[str, Any]) -> Iterable[str]:
    """Ours, then each baseline with the ratio to it."""
    zh, en = SCENARIOS[result["scenario"]]
    yield f"{result['scenario']}  {say(zh, en)}"
    ours = f"{result['value']:>12,.1f} {result['unit']}"
    yield (
        f"  {say('本网关', 'Tongban'):<12}{ours}   p50 {result['p50_ms']} ms   p99 {result['p99_ms']} ms   "
        f"{say('内存', 'memory')} {result['rss_mb']} MB"
    )
    for name, got in result["baselines"].items():
        if got:
            yield f"  {name:<12}{got['per_second']:>12,.1f} {result['unit']}   × {result['ratios'][name]}"
        else:
            yield f"  {name:<12}{say('本机没有', 'not on this machine'):>12}"
    for name, row in result.get("rows", {}).items():
        ratio = "" if row["ratio"] is None else f"   × {row['ratio']}"
        yield f"    {name:<28}{row['per_second']:>12,.1f}   {say('基线', 'baseline')} {row['baseline']:>10,.1f}{ratio}"


def _command(name: str) -> click.Command:
    @click.command(name, help=say(*SCENARIOS[name]))
    @_options
    def run(seconds: float, as_json: bool) -> None:
        result = measure(name, seconds)
        finish(True, result, as_json, table(result))

    return run


for _name in SCENARIOS:
    group.add_command(_command(_name))

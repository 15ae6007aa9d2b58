"""``tongban key drill``: change the keys of two laboratory gateways over and over under load, and count what failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from gateway.lang import say


@click.command(
    help=say("换钥演练：两个试验网关在负载下反复换钥", "Change the keys of two laboratory gateways under load")
)
@click.option(
    "--rotations",
    default=100,
    show_default=True,
    type=click.IntRange(1, 10_000),
    help=say("换钥次数", "changes of keys"),
)
@click.option(
    "--rate", default=200.0, show_default=True, type=click.FloatRange(1, 5000), help=say("每秒办件数", "cases a second")
)
@click.option(
    "--skew",
    default=60,
    show_default=True,
    type=click.IntRange(0, 240),
    help=say("两地时钟各差多少秒", "seconds that each clock is off"),
)
@click.option(
    "--dir",
    "folder",
    default=".tongban-drill",
    show_default=True,
    type=click.Path(path_type=Path),
    help=say("演练目录（重新建立）", "the drill's folder, made afresh"),
)
@click.option("--json", "as_json", is_flag=True, help=say("输出 JSON", "JSON for machines"))
def drill(rotations: int, rate: float, skew: int, folder: Path, as_json: bool) -> None:
    """Exit 1 when a request failed, a case was lost or doubled, or a revoked key was still believed after 5 s."""
    import asyncio

    from gateway.cli.node import no
    from gateway.cli.output import finish
    from gateway.demo.crew import Crashed, explain
    from gateway.drill import report
    from gateway.drill.custodian import DrillError
    from gateway.drill.run import Plan
    from gateway.drill.run import drill as run

    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with _progress(rotations) as told:
            outcome = asyncio.run(run(folder, Plan(rotations, rate, skew * 1000), told))
    except Crashed as crashed:
        for line in explain(crashed):
            click.echo(line, err=True)
        no(crashed.zh, crashed.en, as_json, "crashed")
    except DrillError as error:
        no(f"演练中断：{error}", f"the drill stopped: {error}", as_json, "stopped")
    page = folder / report.PAGE
    found = report.figures(outcome, page)
    page.write_text(report.page(outcome, found), "utf-8")
    finish(outcome.good, found, as_json, report.lines(found))


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """A bar on standard error."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn(say("换钥", "keys changed")), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda done: bar.update(task, completed=done)

"""``tongban recon run|diff``: reconciliation (对账) with a collector of case data, by day, and what does not agree."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.node import CONFIG, JSON, Files, on_node, open_node
from gateway.lang import say

if TYPE_CHECKING:
    from adapters.registry import Platform
    from gateway.flow.recon import Compared, Difference

KINDS: dict[str, tuple[str, str]] = {
    "missing": ("对方缺", "missing there"), "differs": ("内容不同", "differs"), "doubled": ("重复", "there twice"),
    "foreign": ("对方多出", "there, and never reported by us"), "stuck": ("未能送达", "could not be delivered"),
    "unreported": ("未生成上报", "no report was made"),
}  # fmt: skip
_DAY = click.DateTime(["%Y-%m-%d"])


@click.group(help=say("对账：与办件归集库逐行核对", "Reconciliation with a collector of case data"))
def group() -> None:
    """The noun."""


def _options(command: Any) -> Any:
    for option in (
        click.option(
            "--collector", default="", metavar="ID", help=say("哪个归集库，只有一个时可省", "which collector")
        ),
        click.option("--from", "first", type=_DAY, metavar="DAY", help=say("自哪天起，默认三十天前", "first day")),
        click.option("--to", "last", type=_DAY, metavar="DAY", help=say("到哪天，默认今天", "last day")),
        CONFIG,
        JSON,
    ):
        command = option(command)
    return command


@group.command(
    help=say(
        "逐日核对件数与内容；--again 把对方缺的各补送一次", "Compare by day; --again sends what is missing once more"
    )
)
@click.option("--again", is_flag=True, help=say("补送对方缺的", "send what is missing again, the same bytes"))
@_options
@on_node
def run(again: bool, collector: str, first: datetime | None, last: datetime | None, path: str, as_json: bool) -> None:
    """Exit 0 both sides agree, 1 they do not, 2 the collector cannot be asked."""
    from gateway.cli.output import finish
    from gateway.flow import recon
    from gateway.ids import Ids

    node = open_node(path)
    one, days, found = _compared(node, collector, first, last, as_json)
    queued = 0
    if again and found.differences:
        with node.change() as tx:
            queued = recon.again(tx, node.vault, one.id, found.differences, Ids())
        node.wake(f"platform:{one.id}")
    data = _data(one, days, found) | {"queued": queued}
    lines = list(_table(data))
    if queued:
        lines.append(say(f"已补送 {queued} 份，原字节", f"{queued} reports are sent again, the same bytes"))
    finish(not found.differences, data, as_json, lines)


@group.command(help=say("逐条列出不符之处：办件号、日期、表、列名", "List each difference: case, day, table, columns"))
@_options
@on_node
def diff(collector: str, first: datetime | None, last: datetime | None, path: str, as_json: bool) -> None:
    """Exit as ``run``."""
    from gateway.cli.output import finish

    one, days, found = _compared(open_node(path), collector, first, last, as_json)
    listed = sorted(found.differences, key=lambda d: (d.day, d.case, d.kind, d.table, d.key))
    data = _data(one, days, found) | {"list": [_difference(each) for each in listed]}
    finish(not listed, data, as_json, [_line(each) for each in listed] or [say("两边一致", "both sides agree")])


def _compared(
    node: Files, collector: str, first: datetime | None, last: datetime | None, as_json: bool
) -> tuple[Platform, tuple[str, str], Compared]:
    """The collector, the days, and what was found; ends with exit 2 where it cannot be asked."""
    import asyncio

    from adapters.front_db.database import REASONS, Trouble
    from gateway.cli.output import finish
    from gateway.flow import recon
    from gateway.ids import now_ms

    today = recon.china_day(now_ms())
    days = (
        first.date().isoformat() if first else (date.fromisoformat(today) - timedelta(days=30)).isoformat(),
        last.date().isoformat() if last else today,
    )
    one = _opened(node, collector)
    try:
        found = asyncio.run(_days(node, one, days))
    except Trouble as trouble:
        zh, en = REASONS[trouble.reason]
        finish(None, {"code": trouble.reason, "text": say(zh, en)}, as_json, [say(zh, en)])
    return one, days, found


async def _days(node: Files, one: Platform, days: tuple[str, str]) -> Compared:
    """Day by day, so that a long time costs no more memory than its busiest day. A gateway may go on reporting meanwhile."""
    from gateway.flow import recon
    from gateway.store.beside import snapshot
    from gateway.store.journal import Reader

    assert one.collecting is not None  # noqa: S101 - only those are opened here
    found, collecting = recon.Compared(), one.collecting
    try:
        for at_ms in range(recon.day_ms(days[0]), recon.day_ms(days[1]) + 1, recon.DAY_MS):
            day = recon.china_day(at_ms)
            ours = recon.said(
                node.reader, node.vault, one.id, collecting, day
            )  # first: what arrived by now is there then
            found.add(recon.compare(ours, await collecting.held(day, day), collecting))
    finally:
        await one.channel.close()
    until = recon.day_ms(days[1]) + recon.DAY_MS - 1
    lost, found.behind = recon.unreported(node.reader, one.id, collecting, recon.day_ms(days[0]), until)
    fresh = Reader(snapshot(node.store))
    found.differences = [each for each in (*found.differences, *lost) if not recon.just_made(fresh, each)]
    return found


def _opened(node: Files, collector: str) -> Platform:
    from gateway import profiles
    from gateway.ids import now_ms

    ids = [one.id for one in node.config.national]
    if not ids or (collector and collector not in ids) or (not collector and len(ids) > 1):
        known = "、".join(ids) or say("（没有配置 [[national]]）", "(no [[national]] is configured)")
        raise click.UsageError(say(f"请用 --collector 指明：{known}", f"say which with --collector: {known}"))
    chosen = next(one for one in node.config.national if one.id == (collector or ids[0]))
    provider = node.ring.provider
    return profiles.open_one(
        node.config,
        chosen,
        node.base,
        lambda: node.ring.signer("platform"),
        provider,
        lambda: provider.random(16).hex(),
        now_ms,
    )


# --- words ------------------------------------------------------------------------------------------------------------


def _data(one: Platform, days: tuple[str, str], found: Compared) -> dict[str, Any]:
    counted = sorted(found.ours.keys() | found.theirs.keys())
    kinds = {kind: sum(1 for each in found.differences if each.kind == kind) for kind in KINDS}
    return {
        "collector": one.id, "from": days[0], "to": days[1], "differences": len(found.differences), "kinds": kinds,
        "waiting": found.waiting, "behind": found.behind,
        "days": [
            {"day": day, "table": table, "ours": found.ours[(day, table)], "theirs": found.theirs[(day, table)]}
            for day, table in counted
        ],
    }  # fmt: skip


def _table(data: dict[str, Any]) -> Iterator[str]:
    yield say(
        f"{data['collector']}：{data['from']} 至 {data['to']}", f"{data['collector']}: {data['from']} to {data['to']}"
    )
    for one in data["days"]:
        mark = "✓" if one["ours"] == one["theirs"] else "✗"
        yield say(
            f"  {mark} {one['day']}  {one['table']}  我方 {one['ours']}  对方 {one['theirs']}",
            f"  {mark} {one['day']}  {one['table']}  ours {one['ours']}  theirs {one['theirs']}",
        )
    for kind, count in data["kinds"].items():
        if count:
            yield f"  ✗ {say(*KINDS[kind])} × {count}"
    if data["waiting"] or data["behind"]:
        yield say(
            f"  在途 {data['waiting']} 份，尚未生成 {data['behind']} 份",
            f"  {data['waiting']} under way, {data['behind']} not made yet",
        )
    if not data["differences"]:
        yield say("两边一致", "both sides agree")


def _difference(one: Difference) -> dict[str, Any]:
    return {
        "kind": one.kind, "day": one.day, "case": one.case, "case_number": one.case_number, "table": one.table,
        "key": one.key, "message": one.message, "columns": list(one.columns),
    }  # fmt: skip


def _line(one: Difference) -> str:
    columns = f"  {', '.join(one.columns)}" if one.columns else ""
    return f"{one.day}  {say(*KINDS[one.kind])}  {one.case_number or one.case}  {one.table}  {one.key}{columns}"

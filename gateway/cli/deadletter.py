"""``tongban deadletter``: what goes no further without a person, grouped by its cause, and the person's word on it."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.node import CONFIG, JSON, on_node, open_node
from gateway.lang import say

if TYPE_CHECKING:
    from gateway.flow.show import Letter


@click.group(help=say("死信：搁置与待人工确认的投递", "Dead letters: parked, or awaiting a person"))
def group() -> None:
    """The noun."""


@group.command("list", help=say("按原因分组列出", "Grouped by cause"))
@CONFIG
@JSON
@on_node
def list_(path: str, as_json: bool) -> None:
    """Exit 0 when there is none, 1 when somebody has to act."""
    from gateway.cli.case import STATES, letter_line
    from gateway.cli.output import finish
    from gateway.flow import show

    node = open_node(path)
    found = show.stuck(node.reader)
    groups = [_group(key, list(members)) for key, members in groupby(sorted(found, key=_key), _key)]
    lines = []
    for one in groups:
        cause = one["cause"] or say("其他原因", "other")
        lines.append(f"{one['destination']}  {say(*STATES[one['state']])}  {cause}  × {len(one['messages'])}")
        lines.append(f"  {one['hint']}")
        lines += [f"    {letter_line(letter)}" for letter in found if letter.id in one["messages"]]
    finish(not groups, {"groups": groups, "count": len(found)}, as_json, lines or [say("没有死信", "no dead letters")])


def _key(one: Letter) -> tuple[str, str, str]:
    assert one.delivery is not None  # noqa: S101 - only deliveries are asked for
    return one.delivery.destination, one.delivery.state, one.delivery.cause


def _group(key: tuple[str, str, str], members: list[Letter]) -> dict[str, Any]:
    destination, state, cause = key
    return {
        "destination": destination, "state": state, "cause": cause, "hint": _hint(state, cause),
        "messages": [one.id for one in members], "cases": sorted({one.case_id for one in members}),
    }  # fmt: skip


def _hint(state: str, cause: str) -> str:
    """What to do about a group."""
    from gateway.problems import CATALOGUE

    if state == "awaiting_person":
        return say(
            "请到对方平台查明是否已收：tongban deadletter resolve 报文 --there 或 --not-there --reason 事由",
            "look at the platform whether it is there: tongban deadletter resolve MESSAGE --there|--not-there --reason TEXT",
        )
    if state == "held":
        return say(
            "改好映射或配置后：tongban msg resend 报文", "mend mapping or settings, then: tongban msg resend MESSAGE"
        )
    if (problem := CATALOGUE.get(cause)) is not None:
        return say(f"{problem.zh}；{problem.action_zh}", f"{problem.en}; {problem.action_en}")
    return say("排除原因后：tongban msg resend 报文", "remove the cause, then: tongban msg resend MESSAGE")


@group.command(help=say("人工确认对方是否已收", "A person's word on whether it is there"))
@click.argument("message", metavar=say("报文", "MESSAGE"))
@click.option("--there/--not-there", "there", default=None, help=say("对方平台已收 / 未收", "it is there / it is not"))
@click.option("--number", default="", metavar="N", help=say("对方平台给的业务编号", "the number it has there"))
@click.option("--reason", required=True, metavar="TEXT", help=say("依据：谁、怎样查明的", "who found out, and how"))
@CONFIG
@JSON
@on_node
def resolve(message: str, there: bool | None, number: str, reason: str, path: str, as_json: bool) -> None:
    """Exit 1 when the message does not wait for a person. What is not there is sent again, the same bytes."""
    from gateway.cli.msg import told
    from gateway.flow import operate

    if there is None:
        raise click.UsageError(say("请给出 --there 或 --not-there", "give --there or --not-there"))
    if len(number) > 64 or (number and not number.isprintable()):
        raise click.BadParameter(
            say("编号过长或含控制字符", "too long, or with control characters"), param_hint="--number"
        )
    node = open_node(path)
    with node.change() as tx:
        destination, state = operate.resolve(tx, message, there, reason, number)
    told(node, message, destination, state.value, as_json)

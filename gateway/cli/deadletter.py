"""``tongban deadletter``: what goes no further without a person, grouped by its cause, and the person's word on it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.node import CONFIG, JSON, REASON, REVEAL, Files, on_node, open_node
from gateway.cli.office import OPERATOR
from gateway.lang import say

if TYPE_CHECKING:
    from gateway.flow.compared import Compared
    from gateway.flow.show import Letter

_MESSAGE = click.argument("message", metavar=say("报文", "MESSAGE"))
_STUCK = frozenset({"held", "parked", "awaiting_person"})


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
            "两边对照 tongban deadletter show 报文；查明后 tongban deadletter resolve 报文 --there 或 --not-there --reason 依据",
            "see tongban deadletter show MESSAGE; then tongban deadletter resolve MESSAGE --there|--not-there --reason TEXT",
        )
    if state == "held":
        return say(
            "改好映射或配置后：tongban msg resend 报文", "mend mapping or settings, then: tongban msg resend MESSAGE"
        )
    if (problem := CATALOGUE.get(cause)) is not None:
        return say(f"{problem.zh}；{problem.action_zh}", f"{problem.en}; {problem.action_en}")
    return say("排除原因后：tongban msg resend 报文", "remove the cause, then: tongban msg resend MESSAGE")


# --- one of them, side by side ----------------------------------------------------------------------------------------


@group.command(
    help=say("两边对照：我方发了什么，平台此后说了什么", "Side by side: what we sent, what the platform has said")
)
@_MESSAGE
@REVEAL
@REASON
@CONFIG
@JSON
@on_node
def show(message: str, reveal: bool, reason: str, path: str, as_json: bool) -> None:
    """Exit 0 when it is settled, 1 when it still waits for a person. With --reveal also who gave a word, and why."""
    from gateway.cli import node as shared
    from gateway.cli.output import finish
    from gateway.flow.compared import compare

    node = open_node(path)
    found = compare(node.reader, node.vault, message)
    data = _compared(node, found)
    lines = list(_lines(found))
    if reveal:
        shared.reveal(node, reason, message)
        data["statements"] = _statements(node, found)
        lines += [f"  {one['operator']}：{one['by']}，{one['reason']}" for one in data["statements"]]
    owed = found.letter.delivery
    finish(owed is None or owed.state not in _STUCK, data, as_json, lines)


def _compared(node: Files, found: Compared) -> dict[str, Any]:
    from gateway.cli.case import as_data, letter_data
    from gateway.cli.times import rfc3339

    sent, heard = found.sent, found.heard
    return {
        "message": letter_data(found.letter),
        "case": as_data(node, found.case),
        "sent": {
            "operation": sent.operation, "sm3": sent.digest, "size": sent.size, "frozen": sent.frozen,
            "tries": sent.tries, "tried": rfc3339(sent.tried_ms) if sent.tried_ms else None,
        },
        "heard": {"said": heard.said, "number": heard.number, "acts": [letter_data(one) for one in heard.acts]},
        "words": [
            {"id": one.id, "word": one.word, "operator": one.operator, "leaf": one.leaf, "at": rfc3339(one.at_ms)}
            for one in found.words
        ],
        "behind": found.behind,
    }  # fmt: skip


def _lines(found: Compared) -> Iterator[str]:
    from gateway.cli.case import STATES, TYPES, word_line
    from gateway.cli.times import local
    from gateway.core.labels import LABELS

    letter, case, sent, heard, owed = found.letter, found.case, found.sent, found.heard, found.letter.delivery
    assert owed is not None  # noqa: S101 - only deliveries are compared
    yield f"{letter.id}  {say(*TYPES.get(letter.type, (letter.type,) * 2))}  {owed.destination}  {say(*STATES[owed.state])}"
    yield say("我方", "Ours")
    if sent.frozen:
        yield say(
            f"  发出 {sent.operation}，{sent.size} 字节，SM3 {sent.digest}",
            f"  sent {sent.operation}, {sent.size} bytes, SM3 {sent.digest}",
        )
    last = local(sent.tried_ms) if sent.tried_ms else "—"
    yield say(f"  尝试 {sent.tries} 次，最近一次 {last}", f"  tries: {sent.tries}, the last {last}")
    yield f"  {case.id}  {say(*LABELS[case.state])}"
    yield say(f"  其后还有 {found.behind} 份等着", f"  waiting behind it: {found.behind}")
    yield say("平台", "The platform")
    done = say("已收到", "taken") if owed.state == "delivered" else say("没有答复", "no answer")
    nothing = done if sent.tries else say("未曾呼叫", "never called")
    yield say(f"  对最近一次：{heard.said or nothing}", f"  to the last try: {heard.said or nothing}")
    yield say(f"  它的业务编号：{heard.number or '—'}", f"  its own number: {heard.number or '-'}")
    for act in heard.acts:
        yield f"  {local(act.created_ms)}  {say(*TYPES.get(act.type, (act.type,) * 2))}  {act.id}"
    for word in found.words:
        yield word_line(word)


def _statements(node: Files, found: Compared) -> list[dict[str, Any]]:
    """The words in clear."""
    import msgspec

    from gateway.flow.confirm import statement

    rows = [
        (one.id, row[0])
        for one in found.words
        if (row := node.reader.one("SELECT sealed FROM confirmation WHERE id = ?", one.id)) is not None
    ]
    return [msgspec.to_builtins(statement(node.vault, found.case, id_, sealed)) for id_, sealed in rows]


# --- the word ---------------------------------------------------------------------------------------------------------


@group.command(help=say("人工确认对方是否已收（由运行中的节点记入账本）", "A person's word on whether it is there"))
@_MESSAGE
@click.option("--there/--not-there", "there", default=None, help=say("对方平台已收 / 未收", "it is there / it is not"))
@click.option("--by", default="", metavar="WHO", help=say("谁查明的，默认操作人", "who looked, default the operator"))
@click.option("--number", default="", metavar="N", help=say("对方平台给的业务编号", "the number it has there"))
@click.option("--reason", required=True, metavar="TEXT", help=say("依据：怎样查明的", "how it was found out"))
@OPERATOR
@CONFIG
@JSON
@on_node
def resolve(
    message: str,
    there: bool | None,
    by: str,
    number: str,
    reason: str,
    operator: str,
    path: str,
    as_json: bool,
) -> None:
    """Exit 1 when it does not wait for a person (any more), 2 when no node answers. What is not there is sent again, the same
    bytes. The word is a leaf of the ledger."""
    import getpass
    from urllib.parse import quote

    from gateway.cli.case import STATES
    from gateway.cli.office import post
    from gateway.cli.output import finish
    from gateway.ids import Ids

    if there is None:
        raise click.UsageError(say("请给出 --there 或 --not-there", "give --there or --not-there"))
    for option, text, most in (("--number", number, 64), ("--by", by, 64), ("--reason", reason, 400)):
        if len(text) > most or (text and not text.isprintable()):
            raise click.BadParameter(say("过长或含控制字符", "too long, or with control characters"), param_hint=option)
    said = {
        "id": Ids()(), "there": there, "by": by or operator or getpass.getuser(), "reason": reason, "number": number,
    }  # fmt: skip
    node = open_node(path)
    node.reader.one("SELECT 1")  # a store that is not there is told as what it is
    answer = post(node, f"/admin/v1/deliveries/{quote(message, safe='')}/confirmation", said, operator, as_json)
    done = answer.pop("http") == 200
    if done:
        lines = [f"{message}  {answer['destination']}  {say(*STATES[answer['state']])}"]
        lines.append(say(f"已记入账本第 {answer['leaf']} 条", f"in the ledger, #{answer['leaf']}"))
    else:
        title = say(answer.get("title", ""), answer.get("title_en", ""))
        lines = [f"{title} [{answer.get('code', '')}] {answer.get('detail', '')}".rstrip()]
    finish(done, answer, as_json, lines)

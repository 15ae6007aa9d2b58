"""``tongban route explain``: the decision on one request, the clause it rests on, to whom it goes and by when."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.cert_tools import ANCHOR, AT, CRL
from gateway.cli.sm import JSON, PROVIDER, Context, options
from gateway.lang import say

if TYPE_CHECKING:
    from agreements.match import Deadline, Held, Refusal, Request, Route

_REQUEST_LIMIT = 1 << 20


@click.group("route", help=say("路由判定与条款。", "Routing decisions with their clause."))
def group() -> None:
    """Routing."""


@group.command(
    help=say("说明一件申请能否发往对方、依据哪一条、何时到期。", "May this request go there, by which clause, by when.")
)
@click.argument("request_file", metavar="REQUEST.json")
@click.option(
    "--agreement",
    "files",
    multiple=True,
    metavar="F",
    help=say("协议文件，可多次", "an agreement file, may be repeated"),
)
@click.option(
    "--config", "config_file", metavar="F", help=say("用节点配置里的协议", "the agreements of a node's configuration")
)
@options(ANCHOR, CRL, AT, PROVIDER, JSON)
def explain(
    request_file: str, files: tuple[str, ...], config_file: str | None, anchors: tuple[str, ...], crls: tuple[str, ...],
    at: datetime | None, provider: str, json: bool,
) -> None:  # fmt: skip
    """Exit 0: it may go. 1: refused. Without trusted roots ``signatures`` says that the signers' chains were not checked."""
    from agreements.match import Book, Refusal, decide
    from gateway import tables
    from gateway.cli.cert_tools import now
    from gateway.cli.output import finish

    context = Context(json)
    request = _request(request_file, json)
    moment = now(at)
    chosen = [*files, *(_configured(config_file) if config_file else ())]
    if not chosen:
        raise click.UsageError(say("请给出 --agreement 或 --config", "give --agreement or --config"))
    held = [_held(file, context, provider, anchors, crls, moment) for file in chosen]
    answer = decide(request, Book(held, tables.divisions()), moment, tables.calendars())
    if isinstance(answer, Refusal):
        finish(
            False,
            _refused(context, answer),
            json,
            [say("不能发往：", "refused: ") + say(answer.zh, answer.en), answer.clause],
        )
    proven = "verified" if anchors else "chain-not-checked"
    finish(True, _routed(context, answer, proven), json, _lines(answer, proven))


def _request(path: str, json: bool) -> Request:
    """The request of a JSON file, or the end (65)."""
    import msgspec

    from agreements.match import Request
    from agreements.problems import AgreementError
    from gateway.cli.agreement_tools import refuse
    from gateway.cli.output import read_bytes
    from schemas.codec import strict_json
    from schemas.errors import Invalid
    from schemas.explain import explain as explained

    try:
        return msgspec.convert(strict_json(read_bytes(path, _REQUEST_LIMIT)), Request, strict=True)
    except (Invalid, msgspec.ValidationError) as error:
        problem = error if isinstance(error, Invalid) else explained(error, Request)
        refuse(path, AgreementError(problem.code, problem.zh, problem.en), json)


def _configured(path: str) -> list[str]:
    from pathlib import Path

    from gateway import config
    from gateway.cli.output import unreadable

    try:
        settings = config.load(Path(path))
    except config.ConfigError as error:
        unreadable(error.where, error.zh, error.en)
    return [str(Path(path).parent / entry.file) for entry in settings.agreement]


def _held(
    file: str, context: Context, provider: str, anchors: tuple[str, ...], crls: tuple[str, ...], moment: datetime
) -> Held:
    """An agreement with who has signed it. Without roots a signature counts if nothing was found wrong with it."""
    from agreements.load import digest
    from agreements.match import Held
    from gateway.cli.agreement_tools import checks, load

    signed = load(file, context.json)
    found = checks(signed, context, provider, anchors, crls, moment)
    good = {check.party for check in found if check.ok or (check.ok is None and not anchors)}
    return Held(signed.agreement, frozenset(good), digest(signed.text))


def _refused(context: Context, refusal: Refusal) -> dict[str, Any]:
    return context.data(
        refusal.code, decision="refused", clause=refusal.clause, to="", deadline={}, text=say(refusal.zh, refusal.en)
    )


def _deadline(deadline: Deadline) -> dict[str, Any]:
    return {
        "due": str(deadline.due) if deadline.due else None,
        "estimated": deadline.estimated,
        "days": deadline.days,
        "unit": deadline.unit,
        "starts": deadline.starts,
        "rule": say(*deadline.rule),
        "clause": deadline.clause,
        "source": deadline.source,
    }


def _routed(context: Context, route: Route, proven: str) -> dict[str, Any]:
    return context.data(
        "ok", decision="route", agreement=route.agreement, version=route.version, clause=route.clause, power=route.power,
        mode=route.mode, to=route.handling, item=route.item, item_name=route.item_name, alias=route.alias,
        signatures=proven, deadline={name: _deadline(entry) for name, entry in route.deadlines.items()},
    )  # fmt: skip


def _lines(route: Route, proven: str) -> list[str]:
    from agreements.model import POWERS
    from gateway import tables
    from schemas.fields import MODES

    names = {"notify": ("告知", "notify"), "decide": ("决定", "decide"), "deliver": ("送达", "deliver")}
    place = tables.divisions().full_name(route.handling[:6])
    lines = [
        say(f"可以发往 {place}（{route.handling}）", f"goes to {place} ({route.handling})"),
        say("依据：", "by: ") + f"{route.agreement} v{route.version} {route.clause}",
        f"{route.item}　{route.item_name}　{MODES[route.mode]}　{POWERS[route.power]}",
    ]
    if route.alias:
        lines.append(
            say(f"区划代码 {route.alias} 已停用，按后继代码办理", f"{route.alias} is retired; its successor is used")
        )
    for name, deadline in route.deadlines.items():
        due = f"　→ {deadline.due}" if deadline.due else ""
        guess = say("（估算）", " (estimated)") if deadline.due and deadline.estimated else ""
        lines.append(f"  {say(*names[name])}　{say(*deadline.rule)}{due}{guess}　{deadline.clause}")
    if proven != "verified":
        lines.append(
            say("未给出根证书（--anchor），签署的证书链未核验。", "No --anchor: the signers' chains were not checked.")
        )
    return lines

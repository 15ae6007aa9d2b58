"""``tongban case``: find a case, see its walk, and why it stands where it stands. Personal data only with --reveal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.node import CONFIG, JSON, REASON, REVEAL, Files, no, on_node, open_node
from gateway.lang import say

if TYPE_CHECKING:
    from gateway.flow.casefile import CaseFile
    from gateway.flow.compared import Given
    from gateway.flow.show import Entry, Letter, Owed
    from gateway.flow.why import Explained

_CASE = click.argument("case", metavar=say("办件", "CASE"))


@click.group(help=say("办件：查找、时间线、在谁手里", "Cases: find, timeline, whose desk"))
def group() -> None:
    """The noun."""


# --- list -------------------------------------------------------------------------------------------------------------


@group.command("list", help=say("最近的办件", "The newest cases"))
@click.option("--state", default="", metavar="S", help=say("办件状态，如 in_review", "state, such as in_review"))
@click.option("--item", default="", metavar="CODE", help=say("事项编码", "item code"))
@click.option(
    "--id-number", default="", metavar="N", help=say("证件号码（只比对盲索引）", "identity number (blind index)")
)
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help=say("最多几件", "at most"))
@CONFIG
@JSON
@on_node
def list_(state: str, item: str, id_number: str, limit: int, path: str, as_json: bool) -> None:
    """Exit 0 also when there is none."""
    from gateway.cli.output import finish
    from gateway.core.case import State
    from gateway.flow import show

    if state and state not in set(State):
        known = ", ".join(State)
        raise click.BadParameter(
            say(f"没有这个状态；有：{known}", f"no such state; there are: {known}"), param_hint="--state"
        )
    node = open_node(path)
    blind = node.vault.blind(id_number.strip().upper()) if id_number else None
    found = show.cases(node.reader, state=state, item=item, blind=blind, limit=limit)
    lines = [_row(node, case) for case in found] or [say("没有办件", "no cases")]
    finish(True, {"cases": [as_data(node, case) for case in found]}, as_json, lines)


def as_data(node: Files, case: CaseFile) -> dict[str, Any]:
    """A case for machines; nothing personal is in it."""
    from gateway.cli.times import rfc3339
    from gateway.core.labels import LABELS

    return {
        "id": case.id, "case_number": case.case_number, "local_number": case.local_number, "role": case.role,
        "state": case.state, "label": say(*LABELS[case.state]), "item": case.item, "item_name": case.item_name,
        "counterpart": case.counterpart, "counterpart_name": node.names.get(case.counterpart, case.counterpart),
        "platform": case.platform, "agreement": case.agreement, "agreement_version": case.agreement_version,
        "clause": case.clause, "created": rfc3339(case.created_ms), "updated": rfc3339(case.updated_ms),
    }  # fmt: skip


def _row(node: Files, case: CaseFile) -> str:
    from gateway.cli.times import local
    from gateway.core.labels import LABELS

    arrow = "→" if case.role == "collecting" else "←"
    other = node.names.get(case.counterpart, case.counterpart)
    return f"{local(case.created_ms)}  {case.case_number}  {say(*LABELS[case.state])}  {case.item_name}  {arrow} {other}  {case.id}"


def only(node: Files, text: str, as_json: bool) -> CaseFile:
    """The one case that a number or id means; exit 1 when there is none, 2 when there are several."""
    from gateway.cli.output import finish
    from gateway.flow import show

    found = show.find(node.reader, text)
    if not found:
        no("没有这个办件", "there is no such case", as_json, "TB-5001")
    if len(found) > 1:
        zh, en = (
            f"这个编号对应 {len(found)} 个办件，请用办件标识：",
            f"this number means {len(found)} cases; use the id:",
        )
        finish(
            None, {"cases": [case.id for case in found]}, as_json, [say(zh, en), *(f"  {case.id}" for case in found)]
        )
    return found[0]


# --- show -------------------------------------------------------------------------------------------------------------


@group.command(help=say("时间线、报文、回执与投递", "Timeline, messages, receipts and deliveries"))
@_CASE
@REVEAL
@REASON
@CONFIG
@JSON
@on_node
def show(case: str, reveal: bool, reason: str, path: str, as_json: bool) -> None:
    """The case by our id, the collecting side's number or the handling side's."""
    from gateway.cli import node as shared
    from gateway.cli.output import finish
    from gateway.flow import show as reads
    from gateway.flow.compared import words

    node = open_node(path)
    found = only(node, case, as_json)
    entries, letters = reads.timeline(node.reader, found.id), reads.letters(node.reader, found.id)
    given = words(node.reader, found.id)
    data = as_data(node, found) | {
        "timeline": [_entry(node, found, one) for one in entries],
        "messages": [letter_data(one) for one in letters],
        "confirmations": [_word(one) for one in given],
    }
    lines = [*_shown(node, found, entries, letters), *map(word_line, given)]
    if reveal:
        shared.reveal(node, reason, found.id)
        data["bodies"] = _bodies(node, found, letters)
        lines += _body_lines(data["bodies"])
    finish(True, data, as_json, lines)


def _entry(node: Files, case: CaseFile, one: Entry) -> dict[str, Any]:
    from gateway.cli.times import rfc3339
    from gateway.core.labels import LABELS

    return {
        "n": one.n, "event": one.event, "label": say(*LABELS[one.event]), "state": one.state,
        "state_label": say(*LABELS[one.state]), "by": one.by, "by_name": _who(node, case, one.by),
        "done": rfc3339(one.act_ms), "recorded": rfc3339(one.at_ms), "message": one.message,
    }  # fmt: skip


def _word(one: Given) -> dict[str, Any]:
    """A person's word on an unclear delivery (人工确认)."""
    from gateway.cli.times import rfc3339

    return {
        "message": one.message,
        "word": one.word,
        "operator": one.operator,
        "leaf": one.leaf,
        "at": rfc3339(one.at_ms),
    }


def word_line(one: Given) -> str:
    """The same for people."""
    from gateway.cli.times import local

    what = say("已收", "it is there") if one.word == "there" else say("未收", "it is not there")
    return say(
        f"人工确认：{local(one.at_ms)}  {one.operator}  {one.message} {what}，账本第 {one.leaf} 条",
        f"a person's word: {local(one.at_ms)}  {one.operator}  {one.message} {what}, ledger #{one.leaf}",
    )


def letter_data(one: Letter) -> dict[str, Any]:
    """A message for machines."""
    from gateway.cli.times import rfc3339

    owed = one.delivery
    delivery = owed and {
        "destination": owed.destination, "state": owed.state, "attempt": owed.attempt, "cause": owed.cause,
        "next": rfc3339(max(owed.next_ms, owed.rests_ms)) if max(owed.next_ms, owed.rests_ms) else None,
        "done": rfc3339(owed.done_ms) if owed.done_ms else None,
    }  # fmt: skip
    return {
        "id": one.id, "case": one.case_id, "type": one.type, "direction": one.direction, "seq": one.seq,
        "created": rfc3339(one.created_ms), "sent": one.sent, "answer": one.answer, "problem": one.problem,
        "delivery": delivery,
    }  # fmt: skip


def _who(node: Files, case: CaseFile, by: str) -> str:
    """The side of a case as the name of its place."""
    if by not in ("collecting", "handling"):
        return say("时限", "a term that ran out")
    party = node.config.node.party if by == case.role else case.counterpart
    return node.names.get(party, party)


def _shown(node: Files, case: CaseFile, entries: Sequence[Entry], letters: Sequence[Letter]) -> Iterator[str]:
    from gateway.cli.times import local
    from gateway.core.labels import LABELS

    yield say(f"办件 {case.id}", f"case {case.id}")
    yield f"  {case.item_name} ({case.item})  {say(*LABELS[case.state])}"
    yield say(
        f"  收件编号 {case.case_number}，办理编号 {case.local_number or '—'}",
        f"  collecting number {case.case_number}, handling number {case.local_number or '-'}",
    )
    yield say(
        f"  协议 {case.agreement} 第 {case.agreement_version} 版 {case.clause}",
        f"  agreement {case.agreement} version {case.agreement_version}, {case.clause}",
    )
    yield say("时间线（北京时间）：", "Timeline (Beijing time):")
    for one in entries:
        who = _who(node, case, one.by)
        yield f"  {local(one.act_ms)}  {say(*LABELS[one.event])} → {say(*LABELS[one.state])}  {who}  {one.message}"
    yield say("报文：", "Messages:")
    for letter in letters:
        yield f"  {letter_line(letter)}"


TYPES: dict[str, tuple[str, str]] = {
    "application": ("申请", "application"), "correction_request": ("补正通知", "correction request"),
    "correction": ("补正", "correction"), "acceptance": ("受理决定", "acceptance"), "step": ("环节", "step"),
    "special_start": ("特别程序开始", "special procedure begins"),
    "special_end": ("特别程序结束", "special procedure ends"), "decision": ("决定", "decision"),
    "result": ("结果", "result"), "arrival": ("到件", "arrival"), "delivery": ("送达", "delivery"),
    "withdrawal": ("撤回", "withdrawal"), "receipt": ("对方回执通知", "note of the far receipt"),
    "report": ("办件归集上报", "report of case data"),
    "certificate_query": ("扫码查验", "scan of a certificate"),
    "certificate_answer": ("查验答复", "answer to a scan"),
}  # fmt: skip
_DIRECTIONS = {"out": ("发出", "out"), "in": ("收到", "in"), "note": ("通知本地", "note"), "report": ("上报", "report")}
_ANSWERS = {
    "receipt": ("有回执", "receipt held"),
    "refusal": ("有拒收证明", "refusal held"),
    "": ("无回执", "no receipt"),
}
STATES: dict[str, tuple[str, str]] = {
    "queued": ("待转递", "queued"), "held": ("待修正", "held: cannot be translated"), "frozen": ("待发", "to be sent"),
    "unknown": ("结果未明", "outcome unknown"), "awaiting_parts": ("待附件", "awaiting parts"),
    "delivered": ("已签收", "delivered"), "refused": ("被拒", "refused"), "parked": ("搁置", "parked"),
    "awaiting_person": ("待人工确认", "awaiting a person"), "given_up": ("已放弃", "given up"),
}  # fmt: skip


def letter_line(one: Letter) -> str:
    """A message for people."""
    parts = [one.id, say(*_DIRECTIONS.get(one.direction, ("", ""))), say(*TYPES.get(one.type, (one.type, one.type)))]
    if one.direction in ("out", "in"):
        parts.append(say(*_ANSWERS[one.answer]) + (f" {one.problem}" if one.problem else ""))
    if one.delivery is not None:
        parts.append(owed_line(one.delivery))
    return "  ".join(parts)


def owed_line(owed: Owed) -> str:
    """A delivery for people: to whom, how it stands, why, and when it is tried next."""
    from gateway.cli.times import local

    text = f"{owed.destination} {say(*STATES[owed.state])}"
    if owed.cause:
        text += f" ({owed.cause})"
    later = max(owed.next_ms, owed.rests_ms)
    if later and not owed.done_ms:
        text += say(f"，第 {owed.attempt} 次后，下次 {local(later)}", f", {owed.attempt} tries, next {local(later)}")
    return text


def _bodies(node: Files, case: CaseFile, letters: Sequence[Letter]) -> dict[str, Any]:
    import msgspec

    from gateway.flow import reveal

    found = {one.id: reveal.body(node.reader, node.vault, case, one.id) for one in letters}
    return {id_: msgspec.to_builtins(body) for id_, body in found.items() if body is not None}


def _body_lines(bodies: dict[str, Any]) -> Iterator[str]:
    import msgspec

    yield say("内容（已留痕）：", "Content (recorded):")
    for id_, body in bodies.items():
        yield f"  {id_}"
        yield msgspec.json.format(msgspec.json.encode(body)).decode()


# --- why --------------------------------------------------------------------------------------------------------------


@group.command(
    help=say("在谁手里、哪个时限、还剩几天、等什么", "Whose desk, which clock, days left, what it waits for")
)
@_CASE
@CONFIG
@JSON
@on_node
def why(case: str, path: str, as_json: bool) -> None:
    """Exit 0 told, 2 when the agreement version of the case is not configured here."""
    from gateway.cli.output import finish
    from gateway.flow import reveal
    from gateway.flow import why as reasons
    from gateway.ids import now_ms

    node = open_node(path)
    found = only(node, case, as_json)
    agreement, calendar = _terms(node, found)

    def opened(message: str) -> Any:
        return reveal.body(node.reader, node.vault, found, message)

    answer = reasons.explain(node.reader, found, agreement, calendar, opened, now_ms())
    finish(True if answer.known else None, _why_data(node, found, answer), as_json, _why_lines(found, answer))


def _terms(node: Files, case: CaseFile) -> tuple[Any, Any]:
    """The agreement version of the case (None if it is not here) and the handling place's calendar."""
    from agreements import load
    from gateway.config import ConfigError
    from gateway.tables import calendars

    handling = case.counterpart if case.role == "collecting" else node.config.node.party
    calendar = calendars().of(handling[:6])
    for one in node.config.agreement:
        try:
            agreement = load.parse((node.base / one.file).read_bytes()).agreement
        except OSError as error:
            raise ConfigError(
                one.file, f"读不到协议（{error.strerror}）", f"cannot be read ({error.strerror})"
            ) from None
        except load.AgreementError as error:
            raise ConfigError(f"{one.file} {error.where}", error.zh, error.en) from None
        if (agreement.id, agreement.version) == (case.agreement, case.agreement_version):
            return agreement, calendar
    return None, calendar


def _why_data(node: Files, case: CaseFile, answer: Explained) -> dict[str, Any]:
    running = answer.running
    clock = running and {
        "clock": running.clock.value, "days": running.days, "unit": "working" if running.working else "calendar",
        "clause": running.clause, "source": running.source, "due": running.due.isoformat(), "days_left": running.left,
        "estimated": running.estimated, "level": answer.why.level.value,
    }  # fmt: skip
    return as_data(node, case) | {
        "desk": answer.why.desk.value, "clock": clock, "text": say(answer.why.zh, answer.why.en),
        "waits": [
            {"message": one.message, "destination": one.destination, "state": one.state, "cause": one.cause}
            for one in answer.waits
        ],
        "peer_paused": answer.paused,
    }  # fmt: skip


def _why_lines(case: CaseFile, answer: Explained) -> Iterator[str]:
    yield say(f"办件 {case.id}", f"case {case.id}")
    yield "  " + say(answer.why.zh, answer.why.en)
    if (running := answer.running) is not None:
        unit = say("个工作日", "working days") if running.working else say("日", "days")
        yield say(
            f"  时限：{running.days} {unit}，依据：{running.source}",
            f"  term: {running.days} {unit}, by {running.source}",
        )
        if running.estimated:
            yield say(
                "  到期日为估算：假日表未覆盖该年", "  the day is an estimate: the calendar does not cover that year"
            )
    yield say(
        f"  授权：协议 {case.agreement} 第 {case.agreement_version} 版 {case.clause}",
        f"  power: agreement {case.agreement} version {case.agreement_version}, {case.clause}",
    )
    if not answer.known:
        yield say(
            "  本节点没有该协议版本，时限无法判断", "  this agreement version is not here: the term cannot be told"
        )
    if answer.paused:
        yield say("  与对方的往来已暂停", "  exchange with the other side is paused")
    for one in answer.waits:
        yield say(
            f"  等待投递：{one.message} {owed_line(one)}", f"  waits to be delivered: {one.message} {owed_line(one)}"
        )

"""``tongban ecert list|status`` and the acts of an issuer on a node's own certificates (电子证照登记).

``list`` and ``status`` read the store beside the node and decrypt nothing. The acts go to the running node, in whose ledger
they leave their leaf, under a MAC that needs the passphrase.
"""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn

import click

from gateway.cli.cert_tools import MOMENT
from gateway.cli.node import CONFIG, JSON, Files, no, on_node, open_node
from gateway.lang import say

if TYPE_CHECKING:
    from gateway.flow.issued import Issued, Step


def _named(_: click.Context, __: click.Parameter, said: str) -> str:
    """An identifier as it stands, or the one that an OFD file says it has."""
    from pathlib import Path

    from gateway.cli import ecert_files as files
    from gateway.cli.sm import Context
    from signing import ecert_data, ofd_custom
    from signing.errors import Malformed

    if not Path(said).is_file():
        return said
    context = Context(False)
    try:
        return ecert_data.read(ofd_custom.custom_data(files.certificate(context, said).package)).metadata.identifier
    except Malformed as fault:
        context.unreadable(said, fault)


_IDENTIFIER = click.argument("identifier", metavar=say("标识|F.ofd", "IDENTIFIER|F.ofd"), callback=_named)
_OPERATOR = click.option(
    "--operator", default="", metavar="NAME", help=say("何人操作，默认系统用户", "who acts, default the system's user")
)
_NOTE = click.option("--note", default="", metavar="TEXT", help=say("说明，入账本陈述", "a note for the statement"))
_PERMIT = click.option("--permit", default="", metavar="ID", help=say("只对这一项许可", "this one permit only"))


@click.command("list", help=say("本节点签发的证照", "The certificates that this node issued"))
@click.option(
    "--status", "wanted", default="", metavar="S", help=say("状态，如 valid、expired", "status, such as valid")
)
@click.option("--type", "type_code", default="", metavar="CODE", help=say("证照类型代码", "type code"))
@click.option("--holder", default="", metavar="CODE", help=say("持证主体代码（只比对盲索引）", "holder (blind index)"))
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help=say("最多几份", "at most"))
@CONFIG
@JSON
@on_node
def list_(wanted: str, type_code: str, holder: str, limit: int, path: str, as_json: bool) -> None:
    """Newest first. Exit 0 also when there is none."""
    from gateway.cli.output import finish
    from gateway.cli.times import local
    from gateway.core.ecert import Standing
    from gateway.flow import issued
    from gateway.ids import now_ms

    if wanted and wanted not in set(Standing):
        known = ", ".join(Standing)
        raise click.BadParameter(say(f"应为 {known}", f"one of {known}"), param_hint="--status")
    node, at_ms = open_node(path), now_ms()
    blind = node.vault.blind(holder.strip().upper()) if holder else None
    each = (_data(node, row, at_ms) for row in issued.newest_first(node.reader, type_code, blind))
    found = list(islice((one for one in each if wanted in ("", one["status"])), limit))
    lines = [f"{local(one['created_ms'])}  {one['identifier']}  {one['text']}  {_term(one)}" for one in found]
    finish(True, {"certificates": found}, as_json, lines or [say("没有证照", "no certificates")])


@click.command("status", help=say("一份证照现在或当时的状态、各项许可、历次行为", "How a certificate stands or stood"))
@_IDENTIFIER
@click.option("--at", type=MOMENT, metavar="TIME", help=say("当时（默认现在）", "as of this time (default: now)"))
@CONFIG
@JSON
@on_node
def status(identifier: str, at: datetime | None, path: str, as_json: bool) -> None:
    """Exit 0 valid, 1 not, 2 not yet stamped, or no register here to ask."""
    from gateway.cli.output import finish
    from gateway.cli.times import local
    from gateway.flow import issued
    from gateway.ids import now_ms

    _no_register(identifier, path, as_json)
    node = open_node(path)
    row = issued.by_identifier(node.reader, identifier)
    at_ms = int(at.timestamp() * 1000) if at else now_ms()
    if row is None or issued.stands(node.reader, row, at_ms) is None:
        no("本节点没有签发过这份证照", "this node has not issued this certificate", as_json, "TB-7001")
    data, steps = _data(node, row, at_ms), issued.history(node.reader, row.id)
    data["history"] = [_step(one) for one in steps]
    lines = [f"{identifier}  {data['text']}  {_term(data)}"]
    lines += [f"  {one['id']}  {one['text']}" for one in data["permits"]]
    lines += [f"  {local(one.at_ms)}  {_act_words(one)}" for one in steps]
    finish({"valid": True, "stamping": None}.get(data["status"], False), data, as_json, lines)


def _no_register(identifier: str, path: str, as_json: bool) -> None:
    """A file alone does not say whether it was revoked since; its issuer's node does."""
    from pathlib import Path

    from gateway.cli.output import finish

    if Path(path).exists():
        return
    zh, en = (
        "这里没有颁发方的登记簿，状态不能确定：请问颁发机构，或扫二维码",
        "no register here: ask the issuer, or scan the QR code",
    )
    reason = {"code": "no-register", "text": say(zh, en)}
    data = {
        "identifier": identifier,
        "check_char": _check_char(identifier),
        "seal": None,
        "status": "unknown",
        "reasons": [reason],
    }
    finish(None, data, as_json, [f"{identifier}  {say(zh, en)}"])


def _check_char(identifier: str) -> str:
    from signing import ecert_id
    from signing.ecert_verify import check_char
    from signing.errors import Malformed

    try:
        return check_char(ecert_id.parse(identifier))
    except Malformed:
        return check_char(None)


def _data(node: Files, row: Issued, at_ms: int) -> dict[str, Any]:
    """A certificate for machines; nothing personal is in it."""
    from gateway.core.ecert import Standing
    from gateway.flow import issued

    stood = issued.stands(node.reader, row, at_ms)
    standing = stood.standing if stood else Standing.STAMPING
    return {
        "identifier": row.identifier, "check_char": _check_char(row.identifier), "seal": bool(row.file), "reasons": [],
        "version": row.version, "type": row.type_code, **_words(standing),
        "valid_from": row.valid_from, "valid_to": row.valid_to or None, "platform": row.platform, "case": row.case_id,
        "permits": [{"id": one, **_words(state)} for one, state in (stood.permits if stood else {}).items()],
        "file": row.file, "created_ms": row.created_ms,
    }  # fmt: skip


def _words(standing: str) -> dict[str, str]:
    from gateway.core.ecert import NAMES, STATUS_CODES, Standing

    return {"status": standing, "status_code": STATUS_CODES[Standing(standing)], "text": say(*NAMES[standing])}


def _term(one: dict[str, Any]) -> str:
    end = one["valid_to"] or say("长期", "no end")
    return say(f"{one['valid_from']} 至 {end}", f"{one['valid_from']} to {end}")


def _step(one: Step) -> dict[str, Any]:
    return {
        "act": one.id, "event": one.event, "permit": one.permit, "state": one.state, "reason": one.reason, "by": one.by,
        "leaf": one.leaf, "at_ms": one.at_ms,
    }  # fmt: skip


def _act_words(one: Step) -> str:
    from gateway.core.ecert import ACTS, NAMES, REASONS

    words = f"{say(*ACTS[one.event])} {one.permit}".strip() + f" → {say(*NAMES[one.state])}"
    if one.reason:
        words += f"（{say(*REASONS[one.reason][:2])}）" if one.reason in REASONS else f"（{one.reason}）"
    return f"{words}  {one.by}"


# --- acts -------------------------------------------------------------------------------------------------------------


def order(node: Files, identifier: str, said: dict[str, Any], operator: str, as_json: bool) -> dict[str, Any]:
    """Have the running node act on a certificate; see ``post``."""
    from gateway.ids import Ids

    return post(node, f"/admin/v1/certificates/{identifier}/events", {"id": Ids()(), **said}, operator, as_json)


def post(node: Files, target: str, said: dict[str, Any], operator: str, as_json: bool) -> dict[str, Any]:
    """Have the running node do something; its answer, ``http`` with it. Ends with exit 2 where no node answers."""
    import msgspec

    from gateway.cli.output import finish

    body = msgspec.json.encode(said)
    status, answer = ask(node, "POST", target, body, operator)
    found = msgspec.json.decode(answer) if answer[:1] == b"{" else {}
    if status == 0 or status >= 500:
        zh, en = "运行中的节点没有应答，是否已做不能确定", "no running node answers: whether it was done cannot be told"
        finish(None, {"code": found.get("code", ""), "text": say(zh, en)}, as_json, [say(zh, en)])
    return {"http": status, **found}


def ask(node: Files, method: str, target: str, body: bytes, operator: str) -> tuple[int, bytes]:
    """One call to the admin listener, as this operator."""
    import getpass

    from gateway.flow import operators
    from gateway.ids import now_ms
    from gateway.ops.probe import call
    from signing.sm3 import sm3

    name = operator or getpass.getuser()
    if not operators.NAME.fullmatch(name):
        raise click.BadParameter(
            say("应为字母、数字、点、横线", "letters, digits, dots and dashes"), param_hint="--operator"
        )
    shown = operators.Call(method, target, sm3(body))
    header = operators.header(node.vault, shown, name, now_ms(), node.ring.provider.random(16).hex())
    headers = {operators.HEADER: header, "Content-Type": "application/json"}
    url = f"http://{node.config.listen.admin}{target}"
    answer = call(method, url, 30.0, body or None, headers, 64 << 20)
    return answer.status, answer.body


def told(answer: dict[str, Any], as_json: bool) -> NoReturn:
    """End with what the node said."""
    from gateway.cli.output import finish

    done = answer.pop("http") == 200
    if done:
        answer |= {"check_char": _check_char(answer["identifier"]), "seal": bool(answer["file"]), "reasons": []}
        lines = [f"{answer['identifier']}  {say(answer['text'], answer['text_en'])}"]
        lines += [f"  {one['id']} {one['name']}  {say(one['text'], one['text_en'])}" for one in answer["permits"]]
    else:
        title = say(answer.get("title", ""), answer.get("title_en", ""))
        answer["reasons"] = [{"code": answer.get("code", ""), "text": title}]
        lines = [f"{title} [{answer.get('code', '')}] {answer.get('detail', '')}".rstrip()]
    finish(done, answer, as_json, lines)


def _act(event: str, zh: str, en: str) -> click.Command:
    """A command for one event of the table."""

    @click.command(event, help=say(zh, en))
    @_IDENTIFIER
    @click.option("--reason", required=True, metavar="CODE", help=_reasons(event))
    @_NOTE
    @_OPERATOR
    @CONFIG
    @JSON
    @on_node
    def command(
        identifier: str, reason: str, note: str, operator: str, path: str, as_json: bool, permit: str = ""
    ) -> None:
        said = {"event": event, "reason": reason, "note": note, "permit": permit}
        told(order(open_node(path), identifier, said, operator, as_json), as_json)

    return command if event == "drop" else _PERMIT(command)


def _reasons(event: str) -> str:
    from gateway.core.ecert import REASONS, Event

    codes = ", ".join(code for code, (_, _, events) in REASONS.items() if Event(event) in events)
    return say(f"法定事由代码：{codes}", f"reason code: {codes}")


ACTS: tuple[click.Command, ...] = tuple(
    _act(event, zh, en)
    for event, zh, en in (
        ("suspend", "暂停一份证照或其中一项许可", "Suspend a certificate or one of its permits"),
        ("resume", "恢复已暂停的证照或许可", "Resume what was suspended"),
        ("revoke", "撤销一份证照或其中一项许可", "Revoke a certificate or one of its permits"),
        ("withdraw", "撤回一份证照或其中一项许可", "Withdraw a certificate or one of its permits"),
        ("cancel", "注销一份证照或其中一项许可", "Cancel a certificate or one of its permits"),
        ("drop", "放弃一份尚未签章的证照", "Give up a certificate that has no stamp yet"),
    )
)


@click.command("request", help=say("请运行中的节点签发一份证照", "Have the running node issue a certificate"))
@click.argument("file", metavar="F")
@click.option("--platform", required=True, metavar="ID", help=say("为哪个本地平台", "for which local platform"))
@_OPERATOR
@CONFIG
@JSON
@on_node
def request(file: str, platform: str, operator: str, path: str, as_json: bool) -> None:
    """The file holds what ``POST /platform/v1/certificates`` takes; its ``id`` said twice issues one certificate."""
    from urllib.parse import quote

    said = _json(file)
    told(post(open_node(path), f"/admin/v1/certificates?platform={quote(platform)}", said, operator, as_json), as_json)


def _json(path: str) -> Any:
    import msgspec

    from gateway.cli.output import read_bytes, unreadable

    try:
        return msgspec.json.decode(read_bytes(path, 1 << 20))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        unreadable(path, "不是 JSON", "no JSON")


@click.command("reissue", help=say("换发：同一标识的下一版本", "Re-issue: the next version of the same certificate"))
@_IDENTIFIER
@click.option("--values", required=True, metavar="F", help=say("新的证照内容（JSON）", "its new content (JSON)"))
@click.option("--reason", required=True, metavar="CODE", help=_reasons("reissue"))
@_NOTE
@_OPERATOR
@CONFIG
@JSON
@on_node
def reissue(identifier: str, values: str, reason: str, note: str, operator: str, path: str, as_json: bool) -> None:
    """The file holds ``content`` as ``POST /platform/v1/certificates`` takes it."""
    said = {"event": "reissue", "reason": reason, "note": note, "content": _json(values)}
    told(order(open_node(path), identifier, said, operator, as_json), as_json)


@click.command("annotate", help=say("制作加注件，交给依赖方", "Make an annotated copy for a relying party"))
@_IDENTIFIER
@click.option("--for", "party", required=True, metavar="NAME", help=say("依赖方", "the relying party"))
@click.option("--why", required=True, metavar="TEXT", help=say("加注事由", "what it is for"))
@click.option("--until", required=True, type=MOMENT, metavar="TIME", help=say("有效到何时", "until when it counts"))
@click.option("--out", "-o", default="", metavar="F", help=say("把文件写到此处", "write the file here"))
@_OPERATOR
@CONFIG
@JSON
@on_node
def annotate(
    identifier: str, party: str, why: str, until: datetime, out: str, operator: str, path: str, as_json: bool
) -> None:
    """Exit 1 when it is refused; where the stamp comes from elsewhere, the file can be had later."""
    from gateway.cli.node import write_private

    node = open_node(path)
    copy = {"relying_party": party, "reason": why, "expires": until.isoformat()}
    answer = order(node, identifier, {"event": "annotate", "copy": copy}, operator, as_json)
    if out and answer["http"] == 200:
        code, data = ask(node, "GET", f"/admin/v1/certificates/{identifier}/file?copy={answer['act']}", b"", operator)
        if code != 200:
            no(
                "加注件尚未签章，稍后再取",
                "the copy has no stamp yet; fetch it later",
                as_json,
                "TB-7006",
                act=answer["act"],
            )
        write_private(out, data)
        answer["out"] = out
    told(answer, as_json)


COMMANDS: tuple[click.Command, ...] = (request, list_, status, *ACTS, reissue, annotate)

"""``tongban ecert request``, ``suspend`` … ``annotate``: the acts of an issuer, done by the running node.

They leave their leaf in its ledger, so a node has to run; see ``office``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from gateway.cli.cert_tools import MOMENT
from gateway.cli.ecert_named import IDENTIFIER
from gateway.cli.ecert_office import order, path_of, told
from gateway.cli.node import CONFIG, JSON, no, on_node, open_node
from gateway.cli.office import OPERATOR, ask, post
from gateway.lang import say

_NOTE = click.option("--note", default="", metavar="TEXT", help=say("说明，入账本陈述", "a note for the statement"))
_PERMIT = click.option("--permit", default="", metavar="ID", help=say("只对这一项许可", "this one permit only"))


def _act(event: str, zh: str, en: str) -> click.Command:
    """A command for one event of the table."""

    @click.command(event, help=say(zh, en))
    @IDENTIFIER
    @click.option("--reason", required=True, metavar="CODE", help=_reasons(event))
    @_NOTE
    @OPERATOR
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
@OPERATOR
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
@IDENTIFIER
@click.option("--values", required=True, metavar="F", help=say("新的证照内容（JSON）", "its new content (JSON)"))
@click.option("--reason", required=True, metavar="CODE", help=_reasons("reissue"))
@_NOTE
@OPERATOR
@CONFIG
@JSON
@on_node
def reissue(identifier: str, values: str, reason: str, note: str, operator: str, path: str, as_json: bool) -> None:
    """The file holds ``content`` as ``POST /platform/v1/certificates`` takes it."""
    said = {"event": "reissue", "reason": reason, "note": note, "content": _json(values)}
    told(order(open_node(path), identifier, said, operator, as_json), as_json)


@click.command("annotate", help=say("制作加注件，交给依赖方", "Make an annotated copy for a relying party"))
@IDENTIFIER
@click.option("--for", "party", required=True, metavar="NAME", help=say("依赖方", "the relying party"))
@click.option("--why", required=True, metavar="TEXT", help=say("加注事由", "what it is for"))
@click.option("--until", required=True, type=MOMENT, metavar="TIME", help=say("有效到何时", "until when it counts"))
@click.option("--out", "-o", default="", metavar="F", help=say("把文件写到此处", "write the file here"))
@OPERATOR
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
        code, data = ask(node, "GET", f"{path_of(identifier)}/file?copy={answer['act']}", b"", operator)
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


COMMANDS: tuple[click.Command, ...] = (request, *ACTS, reissue, annotate)

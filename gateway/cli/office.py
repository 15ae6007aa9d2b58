"""Orders to a running node: over the admin listener, under a MAC that needs the keyring's passphrase."""

from __future__ import annotations

from typing import Any

import click

from gateway.cli.node import Files
from gateway.lang import say

OPERATOR = click.option(
    "--operator", default="", metavar="NAME", help=say("何人操作，默认系统用户", "who acts, default the system's user")
)


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

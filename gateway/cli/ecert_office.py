"""Orders to a running node about its certificates: over the admin listener, under a MAC that needs the passphrase."""

from __future__ import annotations

from typing import Any, NoReturn
from urllib.parse import quote

import click

from gateway.cli.ecert_named import check_char
from gateway.cli.node import Files
from gateway.lang import say


def order(node: Files, identifier: str, said: dict[str, Any], operator: str, as_json: bool) -> dict[str, Any]:
    """Have the running node act on a certificate; see ``post``."""
    from gateway.ids import Ids

    return post(node, f"{path_of(identifier)}/events", {"id": Ids()(), **said}, operator, as_json)


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
        answer |= {"check_char": check_char(answer["identifier"]), "seal": bool(answer["file"]), "reasons": []}
        lines = [f"{answer['identifier']}  {say(answer['text'], answer['text_en'])}"]
        lines += [f"  {one['id']} {one['name']}  {say(one['text'], one['text_en'])}" for one in answer["permits"]]
    else:
        title = say(answer.get("title", ""), answer.get("title_en", ""))
        answer["reasons"] = [{"code": answer.get("code", ""), "text": title}]
        lines = [f"{title} [{answer.get('code', '')}] {answer.get('detail', '')}".rstrip()]
    finish(done, answer, as_json, lines)


def path_of(identifier: str) -> str:
    """Where a certificate stands on the admin listener."""
    return f"/admin/v1/certificates/{quote(identifier, safe='')}"

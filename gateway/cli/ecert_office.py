"""Orders to a running node about its certificates, and how such a command ends."""

from __future__ import annotations

from typing import Any, NoReturn
from urllib.parse import quote

from gateway.cli.ecert_named import check_char
from gateway.cli.node import Files
from gateway.cli.office import post
from gateway.lang import say


def order(node: Files, identifier: str, said: dict[str, Any], operator: str, as_json: bool) -> dict[str, Any]:
    """Have the running node act on a certificate; see ``post``."""
    from gateway.ids import Ids

    return post(node, f"{path_of(identifier)}/events", {"id": Ids()(), **said}, operator, as_json)


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

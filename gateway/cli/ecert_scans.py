"""``tongban ecert scans``: who scanned which of our certificates, where and for what (扫码查验记录)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gateway.cli.node import CONFIG, JSON, Files, no, on_node, open_node
from gateway.lang import say

if TYPE_CHECKING:
    from gateway.flow.inquiries import Inquiry

OUTCOMES = {
    "released": ("按条款给出", "released"),
    "withheld": ("协议不许，未给出", "withheld"),
    "unknown": ("查无此证", "no such certificate"),
}


@click.command("scans", help=say("谁在哪里扫码查验了本节点签发的证照", "Who scanned our certificates"))
@click.argument("identifier", default="", metavar=say("标识", "IDENTIFIER"))
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help=say("最多几次", "at most"))
@CONFIG
@JSON
@on_node
def scans(identifier: str, limit: int, path: str, as_json: bool) -> None:
    """Newest first; of one certificate or of all. Needs the passphrase: who scanned is sealed. Exit 0 also when none."""
    from gateway.cli.output import finish
    from gateway.cli.times import local
    from gateway.flow import inquiries, issued

    node = open_node(path)
    row = issued.by_identifier(node.reader, identifier) if identifier else None
    if identifier and row is None:
        no("本节点没有签发过这份证照", "this node has not issued this certificate", as_json, "TB-7001")
    found = [(one, _data(node, one)) for one in inquiries.newest(node.reader, row.id if row else "", limit)]
    lines = [
        f"{local(one.created_ms)}  {data['by_name']}  {data['officer']}  {data['place']}  {data['purpose']}  "
        f"{say(*OUTCOMES[one.outcome])}  {data['identifier']}"
        for one, data in found
    ]
    finish(True, {"scans": [data for _, data in found]}, as_json, lines or [say("没有查验记录", "no scans")])


def _data(node: Files, one: Inquiry) -> dict[str, Any]:
    from gateway.cli.times import rfc3339
    from gateway.flow import inquiries, issued
    from schemas.inquiry import CertificateQuery

    query = inquiries.read(node.vault, one, "certificate_query")
    assert isinstance(query, CertificateQuery)  # noqa: S101 - by its type's name
    certificate = issued.by_id(node.reader, one.certificate)
    return {
        "id": one.id, "at": rfc3339(one.created_ms), "by": one.counterpart, "by_name": node.names.get(one.counterpart, ""),
        "officer": query.officer, "place": query.place, "purpose": query.purpose, "outcome": one.outcome,
        "identifier": certificate.identifier if certificate else "", "leaf": one.leaf,
    }  # fmt: skip

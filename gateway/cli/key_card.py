"""``tongban key sign-card | install-card``: the next card goes to the offline identity key and comes back signed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.node import CONFIG, JSON, on_node, open_node
from gateway.cli.sm import PASSPHRASE_FILE
from gateway.lang import say

if TYPE_CHECKING:
    from gateway.exchange.card import Card

_CARD = click.argument("card", metavar=say("名片", "CARD"), type=click.Path())


@click.command("sign-card", help=say("用离线身份密钥签发名片", "Sign a card with the offline identity key"))
@_CARD
@click.option("--identity", required=True, metavar="K.pem", help=say("身份私钥", "the identity's private key"))
@click.option("--certificate", required=True, metavar="F", help=say("身份证书", "its certificate"))
@click.option("-o", "out", required=True, type=click.Path(), metavar="F", help=say("写入", "where to"))
@PASSPHRASE_FILE
@JSON
@on_node
def sign_card(card: str, identity: str, certificate: str, out: str, passphrase_file: str | None, as_json: bool) -> None:
    """Needs no node: the card, the identity key and its certificate. Shows what is signed."""
    from gateway.cli.cert_tools import certificates, signer
    from gateway.cli.output import finish, read_bytes
    from gateway.cli.sm import Context
    from gateway.files import write_public
    from gateway.keys import nextcard

    context = Context(as_json)
    found = nextcard.unsigned(read_bytes(card, 1 << 20), card)
    public = certificates(context, [certificate])[0].der
    signed = nextcard.signed(found, signer(context, "auto", identity, passphrase_file), public, certificate)
    write_public(Path(out), signed)
    step = say(f"接下来：在节点上 tongban key install-card {out}", f"next, on the node: tongban key install-card {out}")
    finish(True, {**_told(found), "file": out}, as_json, [*_lines(found), step])


@click.command("install-card", help=say("装上签发的名片", "Put a signed card in place"))
@_CARD
@CONFIG
@JSON
@on_node
def install_card(card: str, path: str, as_json: bool) -> None:
    """Exit 65 when it is not ours, no newer, or lacks a key in use. A running gateway takes it up and shows it to partners."""
    from gateway.cli.output import finish, read_bytes
    from gateway.keys import nextcard

    node = open_node(path)
    found = nextcard.install(node.ring, node.base, read_bytes(card, 1 << 20), card)
    finish(True, {**_told(found), "gateway_told": node.wake("keys")}, as_json, _lines(found))


def _told(card: Card) -> dict[str, Any]:
    from gateway.cli.times import rfc3339

    keys = [{"use": key.use, "id": key.id, "since": rfc3339(key.since_ms)} for key in card.keys]
    return {"party": card.party, "version": card.version, "keys": keys}


def _lines(card: Card) -> Iterator[str]:
    from gateway.cli.times import local

    yield say(f"{card.party} 名片第 {card.version} 版", f"{card.party}: card version {card.version}")
    for key in card.keys:
        yield f"  {''.join(filter(str.isprintable, key.use)):<12} {key.id}  {local(key.since_ms)} →"

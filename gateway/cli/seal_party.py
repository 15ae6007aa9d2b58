"""A partner's seals at the command line (印章互认): what they are judged by, and the list of our own withdrawn ones."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import NoReturn

import click

from gateway import config as settings
from gateway.cli import cert_tools as tools
from gateway.cli.node import open_node
from gateway.cli.output import read_bytes, unreadable
from gateway.cli.sm import Context
from gateway.exchange import card as cards
from gateway.exchange import withdrawn
from gateway.exchange.trust import Partner
from gateway.exchange.withdrawn import SealList, WithdrawnSeal
from gateway.flow.recognition import Recognised, recognition
from gateway.lang import say
from signing.policy import SealPolicy
from signing.providers import Provider
from signing.providers.watched import Watched

MS = 1000


def recognised(
    context: Context, party: str, path: str, at: datetime, policy: SealPolicy, provider: Provider
) -> Recognised:
    """What a configured partner's seals are judged by; the end where nothing of them can be told."""
    try:
        config = settings.load(Path(path))
    except settings.ConfigError as error:
        unreadable(error.where, error.zh, error.en)
    base = Path(path).parent
    named = [peer for peer in config.peer if party in (peer.id, peer.id.partition(".")[0])]
    if len(named) != 1:
        raise click.UsageError(say(f"没有登记对端 {party}", f"no partner {party} is registered"))
    try:
        card = cards.read(read_bytes(base / named[0].card), named[0].fingerprint, provider)
    except cards.CardError as error:
        unreadable(named[0].card, error.zh, error.en)
    partner = Partner(card, named[0].url, Watched(provider, lambda _key: None))
    found = recognition({partner.id: partner}, named, base, policy, provider)(partner.id, at)
    if found.unknown is not None:
        tools.refuse(context, found.unknown)
    return found


def withdraw(
    context: Context, path: str, file: str, ids: tuple[str, ...], reason: str, at: datetime | None, days: int
) -> NoReturn:
    """Add seals to our list of withdrawn ones (made if it is not there) and sign it anew with the direct key."""
    node = open_node(path)
    ring, party = node.ring, node.config.node.party
    direct, now = ring.signer("direct"), tools.now(None)
    old = SealList(party=party, number=1, issued_ms=0, next_ms=0)
    if Path(file).exists():
        try:
            old = withdrawn.read(
                read_bytes(file, withdrawn.MAX_BYTES), party, {direct.key_id: direct.public}, ring.provider
            )
        except withdrawn.WithdrawnError as error:
            unreadable(file, error.zh, error.en)
    since = round((at or now).timestamp() * MS)
    listed = {seal.id: seal for seal in old.seals}
    for id_ in ids:
        if not 1 <= len(id_) <= 64:
            raise click.UsageError(say("印章编号过长", "the seal's id is too long"))
        listed.setdefault(id_, WithdrawnSeal(id=id_, at_ms=since, reason=reason[:200]))
    new = SealList(
        party=party, number=old.number + 1 if old.issued_ms else 1, issued_ms=round(now.timestamp() * MS),
        next_ms=round((now + timedelta(days=days)).timestamp() * MS), seals=tuple(listed.values()),
    )  # fmt: skip
    tools.put(context, file, withdrawn.sign(new, direct))
    zh = f"撤销印章清单第 {new.number} 号，共 {len(listed)} 枚：{file}；请交给各对端"
    en = f"list of withdrawn seals number {new.number}, {len(listed)} seals: {file}; hand it to the partners"
    context.done(True, "ok", zh, en, number=new.number, seals=len(listed))

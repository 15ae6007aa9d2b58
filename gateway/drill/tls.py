"""The change of a laboratory node's TLS key: both certificates pinned on the card, fetched by all, then the files replaced.

Connections that stand keep their certificate; the card goes on pinning it until the next change.
"""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

from gateway import files
from gateway.drill.custodian import FETCHED_S, Custodian, DrillError
from gateway.exchange import tls
from gateway.keys import tlskey
from gateway.lab import MARK, now_utc

NEXT = ".next"
TERM = timedelta(days=365)


async def change_tls(custodian: Custodian) -> str:
    """Announce, wait until every partner has the card, replace both files; the id of the certificate that was replaced."""
    old = await asyncio.to_thread(_announce, custodian)
    end = time.monotonic() + FETCHED_S
    while await asyncio.to_thread(custodian.without_card):
        if time.monotonic() > end:
            raise DrillError("尚未取得名片 (card not fetched)")
        await asyncio.sleep(0.02)
    await asyncio.to_thread(_switch, custodian)
    return old


def _announce(custodian: Custodian) -> str:
    settings, base = custodian.settings, custodian.folder
    key, pem = tlskey.make(custodian.ring.passphrase)
    begin = now_utc().replace(microsecond=0) - timedelta(days=1)
    certificate = tlskey.certificate(key, settings.node.party, begin, begin + TERM, MARK)
    (base / (settings.tls.key + NEXT)).unlink(missing_ok=True)
    files.write_private(base / (settings.tls.key + NEXT), pem)
    (base / (settings.tls.certificate + NEXT)).write_bytes(certificate)
    since = time.time_ns() // 1_000_000
    now = tls.pin((base / settings.tls.certificate).read_text(), since)
    custodian.sign_card(pins=(now, tls.pin(certificate.decode(), since)))
    return now.id


def _switch(custodian: Custodian) -> None:
    """One file after the other: the gateway takes them when they fit."""
    for name in (custodian.settings.tls.key, custodian.settings.tls.certificate):
        (custodian.folder / (name + NEXT)).replace(custodian.folder / name)
    custodian.poke()

"""How long a partner believes a key that was lost: the last act of a drill.

The thief asks the far gateway over and over, in one kept connection, with the lost key. Meanwhile its owner switches to
the key announced before and revokes the lost one; the clock runs from the custodian's first act of revoking.
"""

from __future__ import annotations

import asyncio
import time

import aiohttp

from gateway.drill.custodian import Custodian, DrillError, change
from gateway.exchange.client import PeerClient, Unreachable
from gateway.exchange.tls import Tls
from gateway.ground import ground
from gateway.ids import now_ms
from signing.sm2 import Signer

REFUSED = Unreachable("HTTP 401")
EVERY_S = 0.02
PATIENCE_S = 30.0
SWITCHED_S = 1.0  # until nothing signed by the old key is on its way


async def revoke_at_once(custodian: Custodian) -> tuple[float | None, int]:
    """Seconds from the first act to the partner's first refusal (None: never), and how many calls were refused."""
    lost = custodian.ring.signer("direct")
    if await change(custodian, "direct") != lost.key_id:
        raise DrillError("换下的不是这把密钥 (another key was replaced)")
    await asyncio.sleep(SWITCHED_S)
    async with aiohttp.ClientSession(trust_env=False) as session:
        thief = _client(session, custodian, lost)
        if isinstance(await thief.consistency(0, 0), Unreachable):
            raise DrillError("吊销之前就已不被接受 (refused before it was revoked)")
        begun, spent = time.perf_counter(), None
        revoking = asyncio.create_task(asyncio.to_thread(custodian.revoke, lost.key_id))
        while spent is None and time.perf_counter() - begun < PATIENCE_S:
            if await thief.consistency(0, 0) == REFUSED:
                spent = time.perf_counter() - begun
            await asyncio.sleep(EVERY_S)
        await revoking
        return spent, int(spent is not None)


def _client(session: aiohttp.ClientSession, custodian: Custodian, signer: Signer) -> PeerClient:
    """A caller from this node that signs with one key only."""
    base, settings, random = custodian.folder, custodian.settings, custodian.ring.provider.random
    [partner] = ground(settings, base).partners.values()
    own = (base / settings.tls.certificate, base / settings.tls.key) if settings.tls.certificate else None
    tls = Tls(own, custodian.ring.passphrase)
    return PeerClient(
        session, partner, settings.node.party, lambda: signer, now_ms, lambda: random(16).hex(), 5000, tls
    )

"""The kit pointed at something: a partner with the keys and licences that the simulated platforms are set up with."""

from __future__ import annotations

import time
from typing import Any

from adapters.kit.mask import Mask
from adapters.kit.partner import Keys, Partner
from adapters.kit.run import Ran, plan, run
from adapters.registry import PlatformSettings
from signing.sm2 import PrivateKey, Signer
from tests.unit.adapters.support import LICENCE, OUR_LICENCE, OUR_UNIT, PROFILES, PROVIDER, RESOURCES, UNIT

OURS, THEIRS = PROVIDER.generate(), PROVIDER.generate()
OVERSIZE = 9 << 20


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def settings(profile: str, base_url: str, **changes: Any) -> PlatformSettings:
    given: dict[str, Any] = {
        "app_id": "qk-window", "public_keys": (THEIRS.public.point.hex(),), "unit": UNIT, "licence": LICENCE,
        "our_unit": OUR_UNIT, "our_licence": OUR_LICENCE,
    }  # fmt: skip
    return PlatformSettings(id="kit", profile=profile, base_url=base_url, **{**given, **changes})


def partner(profile: str, base_url: str, *, key: PrivateKey = OURS, about: Any = (), **changes: Any) -> Partner:
    """``about``: what else a ``Partner`` is told, as pairs."""
    keys = Keys(PROVIDER, Signer(PROVIDER, key), now_ms)
    read = (PROFILES / f"{profile}.toml").read_bytes()
    mask = Mask((LICENCE, OUR_LICENCE))
    return Partner(settings(profile, base_url, **changes), read, RESOURCES, keys, mask=mask, **dict(about))


async def verdicts(one: Partner, *wanted: str) -> dict[str, str]:
    """Step -> verdict of a run."""
    return {ran.result.name: ran.result.said.verdict for ran in await scored(one, *wanted)}


async def scored(one: Partner, *wanted: str) -> list[Ran]:
    platform = one.open()
    try:
        return await run(one, platform, plan(platform, wanted), oversize=OVERSIZE)
    finally:
        await platform.channel.close()


def failures(ran: list[Ran]) -> list[str]:
    return [f"{one.result.name}: {one.result.said}" for one in ran if one.result.said.verdict in ("fail", "unknown")]

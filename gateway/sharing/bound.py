"""How many questions about holders one platform may ask in an hour (防批量查询), so that nobody walks through a register by it."""

from __future__ import annotations

import structlog

from gateway.core.throttle import Throttle
from gateway.problems import Refused

log = structlog.get_logger("sharing")
HOUR_MS = 3_600_000


class Bound:
    """``per_hour`` for each platform, as a burst or evenly; kept for as many platforms as the node has."""

    def __init__(self, per_hour: int) -> None:
        self._throttle = Throttle(per_hour, HOUR_MS)

    def take(self, platform: str, now_ms: int) -> None:
        """Count a question that is about to be put on record. ``Refused`` TB-7033 with the seconds to wait."""
        if not self._throttle.admits(platform, now_ms):
            log.warning("platform asks too often", platform=platform)
            raise Refused("TB-7033", retry_after=-(-self._throttle.wait_ms(platform, now_ms) // 1000))
        self._throttle.spend(platform, now_ms, found=True)

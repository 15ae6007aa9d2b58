"""Alarms: what should never happen and somebody must look into. Each is counted, logged by key id, and shown by the doctor."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import structlog

from gateway.ops import metrics
from signing.sm2 import PublicKey

log = structlog.get_logger()
_COUNT = re.compile(rb'^tongban_alarms_total\{name="([a-z-]+)"\} ([0-9.e+]+)$', re.MULTILINE)


class Alarm(NamedTuple):
    """What it means, and what to do."""

    zh: str
    en: str
    fix_zh: str
    fix_en: str


ALARMS = {
    "nonce-reused": Alarm(
        "对端签名密钥重复使用随机数，任何人都可能算出私钥",
        "a partner's key used a signing nonce twice: anybody may have computed it",
        "要求对端吊销并更换密钥，取得新名片", "have the partner revoke and replace the key, and get its new card",
    ),
    "second-opinion": Alarm(
        "两种实现对同一签名的判断不一致（以主实现为准）",
        "two implementations differ on a signature (the first one's answer stands)",
        "保存签章文件并报告开发者", "keep the stamp and report it to the developers",
    ),
}  # fmt: skip


def alarm(name: str) -> Callable[[PublicKey], None]:
    """Raises this alarm about a key."""

    def ring(public: PublicKey) -> None:
        metrics.ALARMS.labels(name).inc()
        log.error("alarm", name=name, reason=public.thumbprint)

    return ring


def counts(figures: bytes) -> dict[str, int]:
    """Alarms raised since the start, by the text of ``/metrics``."""
    found = {name.decode(): int(float(count)) for name, count in _COUNT.findall(figures)}
    return {name: found[name] for name in ALARMS if name in found}

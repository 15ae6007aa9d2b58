"""The calling side of time stamps (时间戳服务): ask the configured authority, judge its answer before anybody uses it.

No answer, a bad one and a refusal are values: whoever asked goes on without (待补时间戳) and asks again later.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from yarl import URL

from adapters.transport import Line, Lost, Reply, Request, Unsent, exchange
from gateway.config import ConfigError, Tsa
from gateway.ground import read_file
from gateway.ledger.records import with_timestamp
from signing import certs
from signing.errors import Malformed
from signing.policy import TIMESTAMPS
from signing.providers import Provider
from signing.sm3 import sm3
from signing.timestamp import TimeTrust, verify_timestamp
from signing.timestamp_build import build_request, parse_response

QUERY = "application/timestamp-query"
REPLY = "application/timestamp-reply"
MAX_ANSWER = 64 << 10
_CONNECT_MS = 3000


@dataclass(frozen=True, slots=True)
class Unstamped:
    """No time stamp this time, and why: our code, for logs and the operator."""

    reason: str


@dataclass(frozen=True, slots=True)
class TsaClient:
    """One authority. ``random``: count -> bytes of the operating system's generator."""

    line: Line
    settings: Tsa
    trust: TimeTrust
    provider: Provider
    now_ms: Callable[[], int]

    async def stamp(self, data: bytes) -> bytes | Unstamped:
        """A token over these bytes that answers this request and holds now."""
        digest, nonce = sm3(data), int.from_bytes(self.provider.random(16), "big") | 1 << 127
        body = build_request(digest, nonce=nonce, policy=self.settings.policy)
        call = Request("POST", URL(self.settings.url), {"Content-Type": QUERY, "Accept": REPLY}, body)
        reply = await exchange(self.line.session(), call, _CONNECT_MS, self.settings.timeout_ms, MAX_ANSWER)
        if isinstance(reply, Unsent | Lost):
            return Unstamped(reply.reason)
        return self._judged(reply, digest, nonce)

    def _judged(self, reply: Reply, digest: bytes, nonce: int) -> bytes | Unstamped:
        if reply.status != 200:
            return Unstamped(f"HTTP {reply.status}")
        try:
            response = parse_response(reply.body)
        except Malformed as fault:
            return Unstamped(fault.code)
        if response.token is None:
            return Unstamped(f"refused {sorted(response.failures)}")
        report = verify_timestamp(
            response.token, digest, at=datetime.fromtimestamp(self.now_ms() / 1000, UTC), anchors=self.trust.anchors,
            provider=self.provider, policy=self.trust.policy, nonce=nonce,
        )  # fmt: skip
        return response.token if report.ok else Unstamped(report.reasons[0].code)

    async def close(self) -> None:
        """Release connections."""
        await self.line.close()


def open_client(settings: Tsa, base: Path, provider: Provider, now_ms: Callable[[], int]) -> TsaClient | None:
    """The client of a configuration; None where no authority is configured. Raises ``ConfigError``."""
    trust = time_trust(settings, base)
    return TsaClient(Line(), settings, trust, provider, now_ms) if trust else None


def time_trust(settings: Tsa, base: Path) -> TimeTrust | None:
    """Who is believed about time here; nobody where no authority is configured. Raises ``ConfigError``."""
    return TimeTrust(anchors(settings, base), TIMESTAMPS) if settings.url else None


def anchors(settings: Tsa, base: Path) -> list[certs.Certificate]:
    """The authority's roots as configured."""
    if not settings.anchor:
        raise ConfigError("tsa.anchor", "须给出时间戳机构的根证书", "the authority's root certificate is needed")
    try:
        return certs.load(read_file(base / settings.anchor))
    except Malformed as fault:
        raise ConfigError(settings.anchor, fault.zh, fault.en) from None


async def stamp_package(package: bytes, client: TsaClient) -> bytes | Unstamped:
    """The package with one more time stamp over the whole of it."""
    try:
        token = await client.stamp(package)
    finally:
        await client.close()
    return token if isinstance(token, Unstamped) else with_timestamp(package, token)

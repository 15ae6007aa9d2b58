"""Asking an authority's responder for the online status of a certificate (在线证书状态, OCSP, RFC 6960 appendix A.1).

Whatever goes wrong is a value in bounded time, so that no case waits for a responder: one that did not answer is not asked
again for half a minute. The address comes from our own settings, never from the certificate that is to be judged, which
could name any host behind our firewall. An answer is kept until it is due for renewal, and only if it told us something:
its signature is the authority's, so nobody on the way can fill the store with an answer that never ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import aiohttp

from signing import ocsp, ocsp_verify
from signing.certs import Certificate
from signing.errors import Indeterminate, Malformed
from signing.ocsp import Answer, Digest
from signing.policy import PathPolicy
from signing.providers import Provider
from signing.revocation import AsOf

TIMEOUT: Final = aiohttp.ClientTimeout(total=5, connect=3)
REST: Final = timedelta(seconds=30)  # after a failure
MAX_KEPT: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """How answers are judged before they are kept, and how we ask."""

    policy: PathPolicy
    provider: Provider
    now: Callable[[], datetime]
    new_nonce: Callable[[], bytes]
    digest: Digest = "sm3"
    timeout: aiohttp.ClientTimeout = TIMEOUT


@dataclass(frozen=True, slots=True)
class _Kept:
    answer: Answer
    until: datetime


class StatusClient:
    """Answers by certificate, asked for once."""

    def __init__(self, session: aiohttp.ClientSession, asking: Asking) -> None:
        self._session = session
        self._asking = asking
        self._kept: dict[bytes, _Kept] = {}
        self._resting: dict[str, tuple[datetime, Indeterminate]] = {}
        self._under_way: dict[bytes, asyncio.Task[Answer | Indeterminate]] = {}

    async def ask(self, url: str, certificate: Certificate, issuer: Certificate) -> Answer | Indeterminate:
        """The kept answer about a certificate or that of the responder at ``url``, for ``check_path(statuses=...)``; or why
        there is none."""
        kept = self._kept.get(certificate.der)
        if kept is not None and self._asking.now() <= kept.until:
            return kept.answer
        resting = self._resting.get(url)
        if resting is not None and self._asking.now() < resting[0]:
            return resting[1]
        task = self._under_way.get(certificate.der)
        if task is None:
            task = asyncio.create_task(self._fetch(url, certificate, issuer))
            self._under_way[certificate.der] = task
            task.add_done_callback(lambda _: self._under_way.pop(certificate.der, None))
        return await asyncio.shield(task)  # who gives up waiting does not end it for the others

    async def _fetch(self, url: str, certificate: Certificate, issuer: Certificate) -> Answer | Indeterminate:
        nonce = self._asking.new_nonce()
        request = ocsp.build_request(ocsp.identify(certificate, issuer, self._asking.digest), nonce)
        try:
            answer = Answer(certificate, ocsp.parse(await self._post(url, request)), nonce)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            return self._rest(url, "ocsp-unreachable", "在线状态应答者无答复", f"no answer ({type(error).__name__})")
        except Malformed as fault:
            return self._rest(url, "ocsp-unreadable", f"在线状态答复读不出：{fault.zh}", f"unreadable: {fault.en}")
        self._keep(certificate, issuer, answer)
        return answer

    async def _post(self, url: str, request: bytes) -> bytes:
        async with self._session.post(
            url,
            data=request,
            headers={"Content-Type": "application/ocsp-request"},
            timeout=self._asking.timeout,
            allow_redirects=False,
        ) as response:
            if response.status != 200:
                raise ValueError("another status than 200")
            data = bytearray()
            async for chunk in response.content.iter_any():
                data += chunk
                if len(data) > ocsp.MAX_BYTES:
                    raise ValueError("larger than a response may be")
            return bytes(data)

    def _keep(self, certificate: Certificate, issuer: Certificate, answer: Answer) -> None:
        now, policy = self._asking.now(), self._asking.policy
        state = ocsp_verify.look_up(
            certificate, issuer, [answer], as_of=AsOf(now, now), policy=policy, provider=self._asking.provider
        )
        if state.kind not in ("good", "revoked") or answer.response.body is None:
            return
        dues = [single.next_update for single in answer.response.body.singles if single.next_update]
        if len(self._kept) >= MAX_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[certificate.der] = _Kept(answer, min([now + policy.ocsp_max_age, *dues]))

    def _rest(self, url: str, code: str, zh: str, en: str) -> Indeterminate:
        reason = Indeterminate(code, zh, en)
        self._resting[url] = (self._asking.now() + REST, reason)
        return reason

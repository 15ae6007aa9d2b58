"""Online status (在线证书状态, OCSP) of the certificates behind a partner's stamps, asked for before the stamps are judged.

No case waits for a responder: what has not been answered in time is judged by the lists alone, and the log says so. What was
answered counts as signing.ocsp_verify says; a bare failure, which anybody on the way can write, is no answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import aiohttp
import structlog

from gateway.config import Revocation
from gateway.flow.recognition import seal_policy
from gateway.ops.ocsp import Asking, StatusClient
from signing import certs
from signing.certs import Certificate
from signing.chains import signed_by
from signing.errors import Indeterminate, Malformed
from signing.ocsp import Answer
from signing.providers import Provider
from signing.seal import parse_stamp

log = structlog.get_logger("statuses")

Questions = Mapping[bytes, tuple[Certificate, Certificate]]
"""By their bytes, the certificates that are in question, each with its issuer."""


@dataclass(frozen=True, slots=True)
class Online:
    """Whom to ask about whose stamps. ``responders``: party -> URL; ``seconds``: how long one asking may take."""

    client: StatusClient
    responders: Mapping[str, str]
    seconds: float

    async def about(self, party: str, questions: Questions) -> Sequence[Answer]:
        """What the party's responder says, one certificate after the other, as far as time goes."""
        answers: list[Answer] = []
        try:
            async with asyncio.timeout(self.seconds):
                for certificate, issuer in questions.values():
                    answer = await self.client.ask(self.responders[party], certificate, issuer)
                    if isinstance(answer, Answer) and answer.response.body is not None:
                        answers.append(answer)
                    else:
                        cause = answer.code if isinstance(answer, Indeterminate) else answer.response.status
                        log.warning("no online status", peer=party, cause=cause)
        except TimeoutError:
            log.warning("no online status", peer=party, cause="ocsp-unreachable")
        return answers


def asking(settings: Revocation, provider: Provider, now: Callable[[], datetime]) -> Asking:
    """How a node with these settings asks."""
    return Asking(
        policy=seal_policy(settings).path, provider=provider, now=now, new_nonce=lambda: provider.random(16),
        digest=settings.ocsp_digest, timeout=aiohttp.ClientTimeout(total=settings.ocsp_timeout_ms / 1000),
    )  # fmt: skip


def questions(stamps: Iterable[bytes], anchors: Sequence[Certificate], provider: Provider) -> Questions:
    """The signers and seal makers of these stamps that an anchor certified; a stamp that cannot be read has none."""
    found = {}
    for data in stamps:
        try:
            stamp = parse_stamp(data)
            bearers = [certs.parse(der) for der in (stamp.signer, stamp.seal.maker)]
        except Malformed:
            continue
        for one in bearers:
            issuers = (anchor for anchor in anchors if anchor.subject_der == one.issuer_der)
            issuer = next((anchor for anchor in issuers if signed_by(one, anchor, provider)), None)
            if issuer is not None:
                found[one.der] = (one, issuer)
    return found

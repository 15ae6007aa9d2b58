"""``external:``: results stamped by a city's certified system over HTTP; the seal's key never comes here.

A call is signed by HMAC-SM3 with a shared secret, or by SM2 with one of the node's keys, over method, path, time, nonce and
the body's SM3 digest. Outcomes are values. What comes back is judged by ``Expected`` before anybody uses it.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from urllib.parse import quote

from cryptography.hazmat.primitives import hashes, hmac
from yarl import URL

from adapters.transport import Line, Lost, Request, Unsent, exchange
from gateway.stamping.family import External, Order, Stamped, Unstamped, read_answer, write_order
from signing.certs import Certificate
from signing.crl import RevocationList
from signing.policy import SealPolicy
from signing.providers import Provider
from signing.sm2 import Signer
from signing.sm3 import sm3
from signing.verify import verify_stamp


class Stamping(Protocol):
    """The port: a stamper that is somewhere else. It answers late, twice or never; ``Order.id`` is what holds it together."""

    @property
    def wants_file(self) -> bool:
        """Whether an order has to carry the document's bytes."""

    async def stamp(self, order: Order) -> Stamped | Unstamped:
        """Order a stamp, once."""

    async def ask(self, order: Order) -> Stamped | Unstamped:
        """What became of an order."""

    async def close(self) -> None:
        """Release connections."""


Authenticate = Callable[[bytes], str]
"""The text that a call's bytes are authenticated with; "" for none."""


def hmac_sm3(secret: bytes) -> Authenticate:
    """HMAC-SM3 (GB/T 15852.2), hex."""

    def authenticate(message: bytes) -> str:
        code = hmac.HMAC(secret, hashes.SM3())
        code.update(message)
        return code.finalize().hex()

    return authenticate


def sm2_signed(signer: Signer) -> Authenticate:
    """SM2 with the default signer id, DER, Base64."""
    return lambda message: base64.b64encode(signer.sign(message)).decode()


def unsigned(_message: bytes) -> str:
    """No authentication: the line itself is trusted (a machine beside the gateway)."""
    return ""


@dataclass(frozen=True, slots=True)
class ExternalStamper:
    """See ``Stamping``. ``base_url`` is what follows ``external:``."""

    line: Line
    base_url: str
    settings: External
    authenticate: Authenticate
    now_ms: Callable[[], int]
    new_nonce: Callable[[], str]

    @property
    def wants_file(self) -> bool:
        return self.settings.send == "file"

    async def stamp(self, order: Order) -> Stamped | Unstamped:
        own = self.settings
        if len(order.data) > own.max_file:
            return Unstamped("refused", "file-too-large")
        body = write_order(
            order, own.order, app=own.app_id, seal_id=own.seal_id, digest_form=own.digest_form, with_file=self.wants_file
        )  # fmt: skip
        return await self._call("POST", own.ordering, body)

    async def ask(self, order: Order) -> Stamped | Unstamped:
        return await self._call("GET", self.settings.asking.replace("{id}", quote(order.id, safe="")), b"")

    async def close(self) -> None:
        await self.line.close()

    async def _call(self, method: str, path: str, body: bytes) -> Stamped | Unstamped:
        own, url = self.settings, URL(self.base_url.rstrip("/") + path, encoded=True)
        stamp, nonce = str(self.now_ms()), self.new_nonce()
        form = "\n".join((method, url.raw_path_qs, stamp, nonce, sm3(body).hex())).encode()
        headers = {
            "Accept": "application/json", "X-Stamp-App": own.app_id, "X-Stamp-Time": stamp, "X-Stamp-Nonce": nonce,
            "X-Stamp-Signature": self.authenticate(form), **({"Content-Type": "application/json"} if body else {}),
        }  # fmt: skip
        reply = await exchange(
            self.line.session(), Request(method, url, headers, body), own.connect_ms, own.timeout_ms, own.max_answer
        )
        if isinstance(reply, Unsent):
            return Unstamped("unsent", reply.reason)
        if isinstance(reply, Lost):
            return Unstamped("unclear", reply.reason)
        return read_answer(reply.status, reply.body, own.answer)


@dataclass(frozen=True, slots=True)
class Expected:
    """What a stamp has to be before it is used: of this seal, under these anchors, good now."""

    seal_id: str
    anchors: Sequence[Certificate]
    crls: Callable[[], Sequence[RevocationList]]
    provider: Provider
    policy: SealPolicy

    def objection(self, stamp: bytes, digest: bytes, at: datetime) -> tuple[str, str] | None:
        """None for a stamp over this digest, by the expected seal, valid at ``at``; else a code and a sentence (zh)."""
        report = verify_stamp(
            stamp, digest, at=at, anchors=self.anchors, provider=self.provider, crls=self.crls(), policy=self.policy
        )
        if report.ok is not True:
            return report.reasons[0].code, report.reasons[0].zh
        if report.seal is None or report.seal.es_id != self.seal_id:
            return "other-seal", "签章所用的不是约定的印章"
        return None

"""A scheme tried without its platform (离线自测): with keys made up for it, a proof is made, holds, and holds for nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from adapters.base import Denied, Presented, Signed, Untranslatable
from adapters.rest_signed import envelope, sign
from adapters.rest_signed.scheme import Envelope, Part, Scheme
from signing.sm2 import Signer
from signing.sm3 import sm3

if TYPE_CHECKING:
    from signing.providers import Provider

US, THEM, NOW_MS, WINDOW_MS = "us", "them", 1_767_225_600_000, 300_000
BODY: Final = b'{"a":"b"}'


def _asymmetric(key: Any) -> tuple[Any, Any]:
    return key, key.public_key()


def _sm2(provider: Provider) -> tuple[Any, Any]:
    key = provider.generate()
    return Signer(provider, key), key.public


def _secret(provider: Provider) -> tuple[Any, Any]:
    secret = provider.random(32)
    return secret, secret


PAIRS: Final[dict[str, Callable[[Provider], tuple[Any, Any]]]] = {
    "SM2": _sm2,
    "HMAC-SM3": _secret,
    "ES256": lambda _: _asymmetric(ec.generate_private_key(ec.SECP256R1())),
    "RS256": lambda _: _asymmetric(rsa.generate_private_key(65537, 2048)),
}


def rehearse(scheme: Scheme, provider: Provider) -> None:
    """Raises Untranslatable where a sound request is refused, or a changed one is not."""
    own, known = PAIRS[scheme.algorithm](provider)
    part = Part("POST", "/a", "b=1", {"host": "gateway.example", "content-type": "application/json"}, sm3(BODY))
    nonce = _nonce(scheme, provider)
    made = sign.sign(scheme, own, part, app=US, time_ms=NOW_MS, nonce=nonce, them=THEM)
    shown = Presented(part.method, part.path, part.query, (*part.headers.items(), *made), part.digest)

    def judged(one: Presented) -> Signed | Denied:
        return sign.verify(scheme, provider, one, {US: (known,)}, NOW_MS, WINDOW_MS, THEM)

    if isinstance(judged(shown), Denied):
        raise _failed("自己作的证明自己不认", "a proof of our own does not hold")
    for change in ({"method": "PUT"}, {"raw_path": "/b"}, {"raw_query": "b=2"}, {"body_digest": sm3(b"")}):
        if isinstance(judged(msgspec.structs.replace(shown, **change)), Signed):
            raise _failed("改过的请求仍被认可", "a changed request is believed")
    if scheme.envelope is not None:
        _enveloped(scheme.envelope, provider)


def _nonce(scheme: Scheme, provider: Provider) -> str:
    """Of the form that the gateway's are: 32 hex digits."""
    nonce = provider.random(16).hex()
    if not sign.fits(scheme, nonce):
        raise _failed("网关的随机数（32 位小写十六进制）不合 nonce", "the gateway's nonces, 32 hex digits, do not fit")
    return nonce


def _enveloped(form: Envelope, provider: Provider) -> None:
    signer, public = _sm2(provider)
    key, random = provider.random(envelope.KEY), provider.random(envelope.IV)
    shut = envelope.close(form, signer, key, BODY, app=US, time_ms=NOW_MS, random=random)
    clear = envelope.open_(form, provider, (public,), key, shut, app=US, now_ms=NOW_MS, window_ms=WINDOW_MS)
    if clear != BODY:
        raise _failed("信封打不开", "the envelope does not open")


def _failed(zh: str, en: str) -> Untranslatable:
    return Untranslatable("signing-unsound", zh, en, "signing")

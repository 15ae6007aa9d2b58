"""A JWT for each request (令牌, RFC 7519) with SM2, ES256 or RS256: who, to whom, when, once, and for which request. Pure.

PyJWT frames and proves; what it lets pass is refused before it is asked (facts of 2.15.1: ``=`` after a segment, tokens
without ``exp``, ``exp`` as text, duplicate members of which the last wins). Size and form come first, then header and
claims as strict JSON with an allow-list of header members: no ``jku``, ``x5u``, ``jwk``, ``crit``, ``b64``, ``zip``. The
algorithm is the profile's and belongs to the key; the header may only repeat it. ``aud`` is one text, our own id; the
lifetime is at most ten minutes; one claim holds SM3 of the request lines, so a token opens one request and no other (J18).
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import jwt
import msgspec
from jwt.algorithms import Algorithm

from adapters.base import Denied, Signed
from adapters.rest_signed.composed import lines
from adapters.rest_signed.headers import Asked, Made
from adapters.rest_signed.keys import DECOYS, Signing, Verifying, key_id
from adapters.rest_signed.reasons import BAD, MISSING, NONCE, OTHER, TIME, TOKEN, UNKNOWN
from adapters.rest_signed.scheme import Part, Scheme
from schemas.codec import strict_json
from schemas.errors import Invalid
from signing import profiles, sm2
from signing.profiles import SignatureProfile
from signing.sm3 import sm3

if TYPE_CHECKING:
    from signing.providers import Provider

MAX_TOKEN: Final = 8192
MAX_LIFETIME_S: Final = 600
SKEW_MS: Final = 60_000
_COMPACT: Final = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_LATEST: Final = 1 << 53


class Claims(NamedTuple):
    """What a token says, in the types it must have."""

    iss: str
    aud: str
    iat: int
    exp: int
    jti: str
    request: str
    nbf: int = 0


# --- SM2 for PyJWT ----------------------------------------------------------------------------------------------------


class Sm2(Algorithm):
    """SM2 with SM3, r||s or DER as the profile says. A signing key is a ``Signer``, a verifying key a ``PublicKey``."""

    def __init__(self, form: SignatureProfile, provider: Provider | None = None) -> None:
        self._form, self._provider = form, provider

    def prepare_key(self, key: Any) -> Any:
        if not isinstance(key, sm2.Signer | sm2.PublicKey):
            raise jwt.InvalidKeyError("not an SM2 key")
        return key

    def sign(self, msg: bytes, key: Any) -> bytes:
        return profiles.sign(self._form, key, msg)

    def verify(self, msg: bytes, key: Any, sig: bytes) -> bool:
        return self._provider is not None and profiles.verify(self._form, self._provider, key, msg, sig)

    @staticmethod
    def to_jwk(key_obj: Any, as_dict: bool = False) -> Any:
        raise jwt.InvalidKeyError("an SM2 key has no JWK form here")

    @staticmethod
    def from_jwk(jwk: Any) -> Any:
        raise jwt.InvalidKeyError("an SM2 key has no JWK form here")


@lru_cache(maxsize=16)
def _framer(algorithm: str, name: str, form: SignatureProfile, provider: Provider | None) -> jwt.PyJWS:
    """PyJWS that knows exactly one algorithm, by the name that the profile gives it."""
    known = Sm2(msgspec.structs.replace(form, text="binary"), provider) if algorithm == "SM2" else _standard(algorithm)
    framer = jwt.PyJWS([], {"verify_signature": True, "enforce_minimum_key_length": True})
    framer.register_algorithm(name, known)
    return framer


def _standard(algorithm: str) -> Algorithm:
    return jwt.PyJWS([algorithm]).get_algorithm_by_name(algorithm)


def _named(scheme: Scheme) -> str:
    return scheme.bearer.alg or scheme.algorithm


# --- made -------------------------------------------------------------------------------------------------------------


def make(scheme: Scheme, key: Signing, part: Part, app: str, time_ms: int, nonce: str, them: str) -> Made:
    """The header that carries a fresh token for this request."""
    request = lines(scheme, part)
    if request is None:
        raise ValueError("a part of the request holds a control character")
    now, form = time_ms // 1000, scheme.bearer
    claims = {
        "iss": app, "aud": them, "iat": now, "nbf": now, "exp": now + form.lifetime_s, "jti": nonce,
        form.request: sm3(request).hex(),
    }  # fmt: skip
    framer = _framer(scheme.algorithm, _named(scheme), scheme.signature, None)
    header = {"kid": key_id(_public(key))}
    token = framer.encode(msgspec.json.encode(claims), cast(Any, key), algorithm=_named(scheme), headers=header)
    return [(scheme.headers.signature, form.prefix + token)]


def _public(key: Signing) -> Verifying:
    return key.public if isinstance(key, sm2.Signer) else cast(Any, key).public_key()


# --- checked ----------------------------------------------------------------------------------------------------------


def check(scheme: Scheme, asked: Asked) -> Signed | Denied:
    """1 there, of sound size and form, 2 header as agreed, 3 claims of the right types, 4 nonce and times, 5 proof under the
    registered key of the issuer, 6 made for us and for this request."""
    shown = asked.headers.get(scheme.headers.signature, "")
    if not shown.startswith(scheme.bearer.prefix):
        return MISSING
    token = shown[len(scheme.bearer.prefix) :]
    read = _read(scheme, token)
    if read is None:
        return TOKEN
    kid, claims = read
    if not re.fullmatch(scheme.nonce, claims.jti):
        return NONCE
    if not _timely(claims, asked.now_ms, asked.window_ms):
        return TIME
    known = _chosen(asked.keys.get(claims.iss, ()), kid)
    held = False
    for key in known or (DECOYS[scheme.algorithm],):
        held |= _proved(scheme, asked.provider, token, key)
    if not asked.keys.get(claims.iss):
        return UNKNOWN
    if not (known and held):
        return BAD
    request = lines(scheme, asked.part)
    if claims.aud != asked.us or request is None or claims.request != sm3(request).hex():
        return OTHER
    return Signed(claims.iss, claims.jti, claims.iat * 1000)


def stated(scheme: Scheme, headers: Iterable[tuple[str, str]]) -> str:
    """The issuer that a token names, not yet believed; "" when there is no sound token, or several."""
    found = [value for name, value in headers if name.lower() == scheme.headers.signature]
    if len(found) != 1 or not found[0].startswith(scheme.bearer.prefix):
        return ""
    read = _read(scheme, found[0][len(scheme.bearer.prefix) :])
    return read[1].iss if read else ""


def _read(scheme: Scheme, token: str) -> tuple[str, Claims] | None:
    """Key id ("" without one) and claims of a token in the one form it may have; size before anything else (J15)."""
    if len(token) > MAX_TOKEN:
        return None
    found = _COMPACT.fullmatch(token)
    if found is None:
        return None
    head, said, proof = (_segment(one) for one in found.groups())
    header, claims = _object(head), _object(said)
    if not proof or header is None or claims is None or not header.keys() <= {"alg", "typ", "kid"}:
        return None
    kid = header.get("kid", "")
    if header.get("alg") != _named(scheme) or header.get("typ", "JWT") != "JWT":
        return None
    if type(kid) is not str or len(kid) > 128:
        return None
    typed = _claims(scheme, claims)
    return None if typed is None else (kid, typed)


def _segment(text: str) -> bytes:
    """The bytes behind a segment that is written in the one way there is; empty otherwise (J12)."""
    try:
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return b""
    return data if urlsafe_b64encode(data).rstrip(b"=").decode() == text else b""


def _object(data: bytes) -> dict[str, Any] | None:
    try:
        value = strict_json(data, max_bytes=MAX_TOKEN) if data else None
    except Invalid:
        return None
    return value if type(value) is dict else None


def _claims(scheme: Scheme, said: dict[str, Any]) -> Claims | None:
    texts = [said.get(name) for name in ("iss", "aud", "jti", scheme.bearer.request)]
    times = [said.get(name) for name in ("iat", "exp")] + [said.get("nbf", 0)]
    if not all(type(one) is str and 0 < len(one) <= 256 for one in texts):
        return None
    if not all(type(one) is int and 0 <= one < _LATEST for one in times):
        return None
    iss, aud, jti, request = cast(list[str], texts)
    iat, exp, nbf = cast(list[int], times)
    return Claims(iss, aud, iat, exp, jti, request, nbf)


def _timely(claims: Claims, now_ms: int, window_ms: int) -> bool:
    """Issued lately, in force, not expired, and short-lived; a minute of skew. It cannot outlive the memory of its ``jti``."""
    skew = min(SKEW_MS, window_ms)
    issued = now_ms - window_ms <= claims.iat * 1000 <= now_ms + skew
    in_force = claims.nbf * 1000 <= now_ms + skew and claims.exp * 1000 > now_ms - skew
    return issued and in_force and 0 < claims.exp - claims.iat <= MAX_LIFETIME_S


def _chosen(keys: Sequence[Verifying], kid: str) -> Sequence[Verifying]:
    """The keys that may have signed: the named one of this caller's own, or all of them where none is named (J04)."""
    return [key for key in keys if key_id(key) == kid] if kid else keys


def _proved(scheme: Scheme, provider: Provider, token: str, key: Verifying) -> bool:
    framer = _framer(scheme.algorithm, _named(scheme), scheme.signature, provider)
    try:
        framer.decode(token, cast(Any, key), algorithms=[_named(scheme)])
    except jwt.PyJWTError:
        return False
    return True

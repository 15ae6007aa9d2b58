"""What proves a caller, by algorithm (算法与密钥): a row works with one kind of key, and never with another. Pure.

The algorithm is the profile's; a key is loaded for it and refused if it is of another kind (attack rows J02, J03). Secrets
are at least 32 bytes (J16), RSA keys at least 2048 bits, EC keys of P-256 or SM2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from adapters.base import Untranslatable
from signing import profiles, sm2
from signing.errors import Malformed
from signing.keys import public_from_pem
from signing.profiles import SignatureProfile
from signing.sm3 import hmac_sm3, same, sm3

if TYPE_CHECKING:
    from signing.providers import Provider

Verifying = sm2.PublicKey | bytes | ec.EllipticCurvePublicKey | rsa.RSAPublicKey
Signing = sm2.Signer | bytes | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
Keys = Mapping[str, Sequence[Verifying]]
MIN_SECRET: Final = 32
MIN_RSA: Final = 2048
_P256 = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
         0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)  # fmt: skip
DECOYS: Final[dict[str, Verifying]] = {
    "SM2": sm2.PublicKey(sm2.GX, sm2.GY),
    "HMAC-SM3": bytes(MIN_SECRET),
    "ES256": ec.EllipticCurvePublicNumbers(*_P256, ec.SECP256R1()).public_key(),
    "RS256": rsa.RSAPublicNumbers(65537, (1 << 2047) | 1).public_key(),
}
"""Checked for callers that nobody knows, so that they wait as long as others (J17). Nobody holds a key to them but of SM2's and
P-256's base points, and what those prove is refused all the same."""


class Proof(NamedTuple):
    """How one algorithm proves a message in a header of its own."""

    make: Callable[[SignatureProfile, Signing, bytes], bytes]
    holds: Callable[[SignatureProfile, Provider, Verifying, bytes, bytes], bool]


def _make_sm2(form: SignatureProfile, key: Signing, message: bytes) -> bytes:
    return profiles.sign(form, cast(sm2.Signer, key), message)


def _holds_sm2(form: SignatureProfile, provider: Provider, key: Verifying, message: bytes, shown: bytes) -> bool:
    return profiles.verify(form, provider, cast(sm2.PublicKey, key), message, shown)


def _make_hmac(form: SignatureProfile, key: Signing, message: bytes) -> bytes:
    return profiles.write(form.text, hmac_sm3(cast(bytes, key), message))


def _holds_hmac(form: SignatureProfile, provider: Provider, key: Verifying, message: bytes, shown: bytes) -> bool:
    return same(_make_hmac(form, cast(bytes, key), message), shown)


PROOFS: Final[dict[str, Proof]] = {
    "SM2": Proof(_make_sm2, _holds_sm2),
    "HMAC-SM3": Proof(_make_hmac, _holds_hmac),
}


# --- loading ----------------------------------------------------------------------------------------------------------


def _no_key(what: str) -> Untranslatable:
    return Untranslatable(
        "public-key-unreadable", f"平台公钥读不出来或不是 {what}", f"a platform key is unreadable or not {what}"
    )


def _sm2(text: str) -> sm2.PublicKey:
    try:
        if text.lstrip().startswith("-----"):
            return public_from_pem(text.encode())
        return sm2.PublicKey.from_bytes(bytes.fromhex(text))
    except (Malformed, ValueError):
        raise _no_key("SM2") from None


def _pem(text: str) -> Any:
    try:
        return serialization.load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        return None


def _es256(text: str) -> ec.EllipticCurvePublicKey:
    key = _pem(text)
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise _no_key("P-256")
    return key


def _rs256(text: str) -> rsa.RSAPublicKey:
    key = _pem(text)
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < MIN_RSA:
        raise _no_key("RSA-2048+")
    return key


PUBLIC: Final[dict[str, Callable[[str], Verifying]]] = {"SM2": _sm2, "ES256": _es256, "RS256": _rs256}
PRIVATE: Final[dict[str, Any]] = {"ES256": ec.EllipticCurvePrivateKey, "RS256": rsa.RSAPrivateKey}


def secret_of(secrets: Mapping[str, bytes], name: str, least: int = MIN_SECRET) -> bytes:
    """A shared secret of the settings; Untranslatable without it or when it is short."""
    found = secrets.get(name, b"")
    if len(found) < least:
        zh = f"secrets.{name} 未配置或不足 {least} 字节"
        raise Untranslatable(
            "secret-short", zh, f"secrets.{name} is missing or shorter than {least} bytes", f"secrets.{name}"
        )
    return found


def verifying(algorithm: str, public_keys: Sequence[str], secrets: Mapping[str, bytes]) -> tuple[Verifying, ...]:
    """The keys of a platform, of the one kind that its algorithm takes. ``former_secret``: the one before, while it changes."""
    if algorithm == "HMAC-SM3":
        names = ["secret", *(["former_secret"] if "former_secret" in secrets else [])]
        return tuple(secret_of(secrets, name) for name in names)
    return tuple(PUBLIC[algorithm](text) for text in public_keys)


def signing(algorithm: str, secrets: Mapping[str, bytes], signer: Callable[[], sm2.Signer]) -> Callable[[], Signing]:
    """What signs our calls now: the gateway's SM2 key, the shared secret, or a private key of its own (PKCS#8 PEM)."""
    if algorithm == "SM2":
        return signer
    key = own_key(algorithm, secrets)
    return lambda: key


def own_key(algorithm: str, secrets: Mapping[str, bytes]) -> Signing:
    """The shared secret or the private key among the settings' secrets, of the kind that the algorithm takes."""
    if algorithm == "HMAC-SM3":
        return secret_of(secrets, "secret")
    try:
        key: Any = serialization.load_pem_private_key(secret_of(secrets, "key"), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, PRIVATE[algorithm]):
        raise Untranslatable("private-key-unreadable", f"secrets.key 不是 {algorithm} 私钥", f"secrets.key is no {algorithm} key",
                             "secrets.key")  # fmt: skip
    PUBLIC[algorithm](_public_pem(key))
    return cast(Signing, key)


def _public_pem(key: Any) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return str(key.public_key().public_bytes(serialization.Encoding.PEM, form).decode())


def key_id(key: Verifying) -> str:
    """The name of a public key in a token: the first 32 hex digits of SM3 over the point (SM2) or the SPKI."""
    if isinstance(key, sm2.PublicKey):
        return key.thumbprint
    if isinstance(key, bytes):
        raise TypeError("a shared secret has no public name")
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return sm3(key.public_bytes(serialization.Encoding.DER, form)).hex()[:32]

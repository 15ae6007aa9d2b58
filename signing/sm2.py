"""SM2 signatures (GB/T 32918.2-2016, curve of GB/T 32918.5-2017) over a provider's digest-level operations.

Z_A, the digest e = SM3(Z_A || M), the signer id and both encodings live here, in one place, so that every
provider signs and checks the same thing. The signer id is always an argument: an empty id is an id, never a
default. DER or raw r||s is chosen by the caller and never guessed from the bytes. Ciphertexts are 04 || C1 ||
C3 || C2 (GB/T 32918.4-2016) with the DER form of GM/T 0009 beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, Protocol

from signing import der
from signing.curve import GX, GY, A, B, N, P, on_curve
from signing.errors import KeyFault, Malformed, Unavailable
from signing.nonces import NonceWatch
from signing.sm3 import sm3

if TYPE_CHECKING:
    from signing.providers import Provider

__all__ = ["GX", "GY", "A", "B", "N", "P"]  # the curve, beside what is defined here

DEFAULT_ID: Final = b"1234567812345678"
_CURVE: Final = b"".join(value.to_bytes(32) for value in (A, B, GX, GY))
_MAX_ID: Final = 8191
_OWN_NONCES: Final = 4096  # how many of its last nonces a signer remembers


class Encoding(Enum):
    """The two forms of a signature on the wire; a partner's profile names one."""

    DER = "der"
    RAW = "raw"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A point of the curve other than infinity; impossible to build off the curve (rows S18-S20)."""

    x: int
    y: int

    def __post_init__(self) -> None:
        if not on_curve(self.x, self.y):
            raise Malformed(
                "public-key-off-curve", "公钥不是 SM2 曲线上的点", "the public key is not a point of the SM2 curve"
            )

    @classmethod
    def from_bytes(cls, data: bytes) -> PublicKey:
        """04||x||y (65 bytes) or x||y (64 bytes). Compressed and hybrid points are refused (S21)."""
        body = data[1:] if len(data) == 65 and data[0] == 4 else data
        if len(body) != 64:
            raise Malformed("public-key-form", "公钥不是未压缩点", "the public key is not an uncompressed point")
        return cls(int.from_bytes(body[:32]), int.from_bytes(body[32:]))

    @property
    def point(self) -> bytes:
        """04||x||y, 65 bytes."""
        return b"\x04" + self.x.to_bytes(32) + self.y.to_bytes(32)

    @property
    def thumbprint(self) -> str:
        """The key id used everywhere: the first 32 hex digits of SM3(point)."""
        return _thumbprint(self)


@lru_cache(maxsize=4096)
def _thumbprint(public: PublicKey) -> str:
    return sm3(public.point).hex()[:32]


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """d in 1..n-2 with its public key (row S29). Its text form shows the key id only."""

    d: int = field(repr=False)
    public: PublicKey

    def __post_init__(self) -> None:
        if not 1 <= self.d <= N - 2:
            raise Malformed("private-key-range", "私钥不在 1 至 n-2 之间", "the private key is not within 1..n-2")

    @classmethod
    def from_int(cls, d: int, public: PublicKey) -> PrivateKey:
        """The key with a public key already known to belong to it."""
        return cls(d, public)

    def __repr__(self) -> str:
        return f"PrivateKey({self.public.thumbprint})"

    __str__ = __repr__


class MachineKey(Protocol):
    """A private key that lives in a cryptographic machine (密码机): used there, never seen here."""

    @property
    def public(self) -> PublicKey:
        """The public half, as the machine gave it out."""
        ...

    def sign_digest(self, e: bytes) -> tuple[int, int]:
        """(r, s) over the 32-byte digest e; Unavailable while the machine does not answer."""
        ...


@lru_cache(maxsize=4096)
def za(public: PublicKey, signer_id: bytes) -> bytes:
    """Z_A = SM3(ENTL || ID || a || b || G || A); ENTL counts bits (S16). ValueError above 8191 bytes of id."""
    if len(signer_id) > _MAX_ID:
        raise ValueError("a signer id has at most 8191 bytes")
    return sm3((8 * len(signer_id)).to_bytes(2), signer_id, _CURVE, public.point[1:])


def digest(public: PublicKey, message: bytes, signer_id: bytes) -> bytes:
    """e = SM3(Z_A || M), 32 bytes."""
    return sm3(za(public, signer_id), message)


def encode(r: int, s: int, encoding: Encoding) -> bytes:
    """The signature in its wire form."""
    if encoding is Encoding.RAW:
        return r.to_bytes(32) + s.to_bytes(32)
    return der.encode_signature(r, s)


def decode(signature: bytes, encoding: Encoding) -> tuple[int, int]:
    """(r, s), both in 1..n-1, from exactly this form; Malformed otherwise (S01-S11)."""
    if encoding is Encoding.DER:
        return der.decode_signature(signature)
    if len(signature) == 64:
        r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
        if 0 < r < N and 0 < s < N:
            return r, s
    raise Malformed(
        "raw-signature", "签名值不是 64 字节的 r‖s 或越界", "the signature is not 64 bytes of r||s in range"
    )


def verify(
    provider: Provider,
    public: PublicKey,
    message: bytes,
    signature: bytes,
    *,
    signer_id: bytes,
    encoding: Encoding = Encoding.DER,
) -> bool:
    """Whether the signature holds. A malformed signature is a plain False."""
    try:
        r, s = decode(signature, encoding)
    except Malformed:
        return False
    return provider.verify_digest(public, digest(public, message, signer_id), r, s)


def sign(
    provider: Provider,
    private: PrivateKey,
    message: bytes,
    *,
    signer_id: bytes,
    encoding: Encoding = Encoding.DER,
) -> bytes:
    """Sign once, unchecked. What leaves the house goes through ``Signer``, which checks its own work."""
    r, s = provider.sign_digest(private, digest(private.public, message, signer_id))
    return encode(r, s, encoding)


@dataclass(frozen=True, slots=True)
class Signer:
    """A key that signs with one id: held in memory, or named in a machine, and never one in place of the other. Each
    signature is verified by ``provider`` before it leaves (row S28) and its nonce held against the last ones (S25): after
    one that fails, by a flipped bit in memory, a broken generator or otherwise, the signer refuses all further use
    (KeyFault) and the signature stays inside."""

    provider: Provider
    private: PrivateKey | MachineKey
    signer_id: bytes = DEFAULT_ID
    _faults: list[str] = field(default_factory=list, repr=False, compare=False)
    _nonces: NonceWatch = field(default_factory=lambda: NonceWatch(_OWN_NONCES), repr=False, compare=False)

    @property
    def public(self) -> PublicKey:
        """The public half."""
        return self.private.public

    @property
    def key_id(self) -> str:
        """The thumbprint of the public key."""
        return self.private.public.thumbprint

    @property
    def kind(self) -> Literal["software", "machine"]:
        """Where the private key is, for whoever has to label it."""
        return "software" if isinstance(self.private, PrivateKey) else "machine"

    @property
    def software(self) -> PrivateKey:
        """The private key itself, to be stored; Unavailable where it is a machine's."""
        if isinstance(self.private, PrivateKey):
            return self.private
        raise Unavailable("key-in-machine", "私钥在密码机内，不可导出", "the private key never leaves its machine")

    def under(self, signer_id: bytes) -> Signer:
        """The same key with another id; a fault of one suspends both."""
        return replace(self, signer_id=signer_id)

    def sign(self, message: bytes) -> bytes:
        """DER signature over the message. Unavailable while a machine does not answer."""
        return der.encode_signature(*self.sign_digest(digest(self.public, message, self.signer_id)))

    def sign_digest(self, e: bytes) -> tuple[int, int]:
        """(r, s) over a 32-byte digest that a profile made otherwise (``signing.profiles``)."""
        if self._faults:
            raise KeyFault("key-suspended", "签名密钥曾出错，已停用", "the signing key failed before and is suspended")
        r, s = self._made(e)
        if not self.provider.verify_digest(self.public, e, r, s):
            self._faults.append("signature refused by own public key")
            raise KeyFault("signing-fault", "签名自检未通过，密钥停用", "a fresh signature failed its check")
        if self._nonces.reused(self.public, e, r):
            self._faults.append("nonce used twice")
            raise KeyFault(
                "nonce-reused", "随机数重复，密钥停用", "a signing nonce came twice: the generator is broken"
            )
        return r, s

    def _made(self, e: bytes) -> tuple[int, int]:
        if isinstance(self.private, PrivateKey):
            return self.provider.sign_digest(self.private, e)
        return self.private.sign_digest(e)


# --- ciphertexts ------------------------------------------------------------------------------------------------------


def decrypt_failed() -> Malformed:
    """The one answer to every undecryptable input (row S30): nothing tells why."""
    return Malformed("decrypt-failed", "解密失败", "decryption failed")


def split_ciphertext(data: bytes) -> tuple[PublicKey, bytes, bytes]:
    """04||C1||C3||C2 as (C1 on the curve, C3, C2); the uniform Malformed otherwise."""
    if len(data) <= 97 or data[0] != 4:
        raise decrypt_failed()
    try:
        point = PublicKey.from_bytes(data[:65])
    except Malformed:
        raise decrypt_failed() from None
    return point, data[65:97], data[97:]


def ciphertext_to_der(data: bytes) -> bytes:
    """04||C1||C3||C2 -> SEQUENCE { x INTEGER, y INTEGER, hash OCTET STRING, cipherText OCTET STRING } (GM/T 0009)."""
    point, c3, c2 = split_ciphertext(data)
    return der.seq(der.integer(point.x), der.integer(point.y), der.octets(c3), der.octets(c2))


def ciphertext_from_der(data: bytes) -> bytes:
    """The reverse; the uniform Malformed on any other form."""
    try:
        x, y, c3, c2 = der.parse(data, limit=len(data)).as_seq()
        point, check, body = PublicKey(x.as_int(), y.as_int()), c3.as_octets(), c2.as_octets()
    except (Malformed, ValueError):
        raise decrypt_failed() from None
    if len(check) != 32 or not body:
        raise decrypt_failed()
    return point.point + check + body


def key_stream(point: bytes, length: int) -> bytes:
    """The key derivation function of GB/T 32918.4 5.4.3: SM3(point || counter) … cut to ``length`` bytes."""
    return b"".join(sm3(point, index.to_bytes(4)) for index in range(1, (length + 31) // 32 + 1))[:length]


def seal_to_point(c1: PublicKey, shared: PublicKey, plaintext: bytes) -> bytes | None:
    """The ciphertext for C1 = kG and shared = kP; None where the key stream is all zero and k must be drawn again."""
    secret = shared.point[1:]
    stream = key_stream(secret, len(plaintext))
    if not any(stream):
        return None
    return c1.point + sm3(secret[:32], plaintext, secret[32:]) + _xor(plaintext, stream)


def open_from_point(shared: PublicKey, c3: bytes, c2: bytes, same: Callable[[bytes, bytes], bool]) -> bytes:
    """The plaintext for shared = d·C1; the uniform Malformed if C3 does not fit or the key stream is all zero."""
    secret = shared.point[1:]
    stream = key_stream(secret, len(c2))
    plaintext = _xor(c2, stream)
    if not (same(sm3(secret[:32], plaintext, secret[32:]), c3) and any(stream)):
        raise decrypt_failed()
    return plaintext


def _xor(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left) ^ int.from_bytes(right)).to_bytes(len(left))

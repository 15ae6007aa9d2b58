"""SM2 keys in files, as OpenSSL reads and writes them: PKCS#8 (RFC 5958), SPKI (RFC 5480), SEC1 on reading.

Encryption is PBES2 (RFC 8018): PBKDF2 with HMAC-SHA256 and SM4-CBC by default, because OpenSSL 3.0 has no
name for the HMAC-SM3 PRF and cannot read a key protected with it; ``Prf.SM3`` writes the all-national form
that GmSSL reads. Both are read. The curve is named 1.2.156.10197.1.301 or the key is refused: explicit
parameters could swap the generator (S23).
"""

from __future__ import annotations

import base64
import binascii
import re
from enum import Enum
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from signing import der
from signing.curve import GX, GY, generated
from signing.errors import Malformed
from signing.sm2 import PrivateKey, PublicKey

EC_KEY: Final = "1.2.840.10045.2.1"
SM2_CURVE: Final = "1.2.156.10197.1.301"
_PBES2: Final = "1.2.840.113549.1.5.13"
_PBKDF2: Final = "1.2.840.113549.1.5.12"
_SM4_CBC: Final = "1.2.156.10197.1.104.2"
# Ciphers read (cipher, key size); OpenSSL's own default for PKCS#8 is AES-256-CBC. Only SM4 is written.
_CIPHERS: Final[dict[str, tuple[type[algorithms.SM4 | algorithms.AES], int]]] = {
    _SM4_CBC: (algorithms.SM4, 16),
    "2.16.840.1.101.3.4.1.2": (algorithms.AES, 16),
    "2.16.840.1.101.3.4.1.42": (algorithms.AES, 32),
}
DEFAULT_ITERATIONS: Final = 600_000
MAX_ITERATIONS: Final = 5_000_000
_MAX_PEM: Final = 64 << 10
_SEC1_LABELS: Final = ("EC PRIVATE KEY", "SM2 PRIVATE KEY")
_PRIVATE_LABELS: Final = ("PRIVATE KEY", "ENCRYPTED PRIVATE KEY", *_SEC1_LABELS)


class Prf(Enum):
    """The pseudo-random function of PBKDF2, by its object identifier."""

    SHA256 = "1.2.840.113549.2.9"
    SM3 = "1.2.156.10197.1.401.2"
    SM3_GMT0091 = "1.2.156.10197.1.401.3.1"  # annex A of GM/T 0091; what OpenSSL writes since it knows the PRF


def _bad(code: str, zh: str, en: str) -> Malformed:
    return Malformed(code, zh, en)


# --- writing ----------------------------------------------------------------------------------------------------------


def to_pem(label: str, data: bytes) -> bytes:
    """One PEM block, 64 columns."""
    text = base64.b64encode(data)
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return b"\n".join([f"-----BEGIN {label}-----".encode(), *lines, f"-----END {label}-----".encode(), b""])


def spki(public: PublicKey) -> bytes:
    """SubjectPublicKeyInfo DER."""
    return der.seq(_algorithm(), der.bits(public.point))


def public_to_pem(public: PublicKey) -> bytes:
    """SPKI as PEM."""
    return to_pem("PUBLIC KEY", spki(public))


def pkcs8(private: PrivateKey) -> bytes:
    """PrivateKeyInfo DER, in the form OpenSSL writes (the inner key carries the public point)."""
    point = der.explicit(1, der.bits(private.public.point))
    inner = der.seq(der.integer(1), der.octets(private.d.to_bytes(32)), point)
    return der.seq(der.integer(0), _algorithm(), der.octets(inner))


def private_to_pem(
    private: PrivateKey,
    passphrase: bytes | None,
    *,
    salt: bytes = b"",
    iv: bytes = b"",
    iterations: int = DEFAULT_ITERATIONS,
    prf: Prf = Prf.SHA256,
) -> bytes:
    """PKCS#8 PEM: plain without a passphrase, else PBES2 with the given 8 to 64 random salt bytes and 16-byte iv."""
    plain = pkcs8(private)
    if passphrase is None:
        return to_pem("PRIVATE KEY", plain)
    if not passphrase or not 8 <= len(salt) <= 64 or len(iv) != 16 or not 1 <= iterations <= MAX_ITERATIONS:
        raise ValueError("encryption takes a passphrase, 8 to 64 bytes of salt, a 16-byte iv and sane iterations")
    encryptor = Cipher(algorithms.SM4(_derive(passphrase, salt, iterations, prf, 16)), modes.CBC(iv)).encryptor()
    pad = 16 - len(plain) % 16
    body = encryptor.update(plain + bytes((pad,)) * pad) + encryptor.finalize()
    kdf_parameters = der.seq(der.octets(salt), der.integer(iterations), der.seq(der.oid(prf.value), der.null()))
    scheme = der.seq(
        der.seq(der.oid(_PBKDF2), kdf_parameters),
        der.seq(der.oid(_SM4_CBC), der.octets(iv)),
    )
    return to_pem("ENCRYPTED PRIVATE KEY", der.seq(der.seq(der.oid(_PBES2), scheme), der.octets(body)))


def _algorithm() -> bytes:
    return der.seq(der.oid(EC_KEY), der.oid(SM2_CURVE))


def _derive(passphrase: bytes, salt: bytes, iterations: int, prf: Prf, length: int) -> bytes:
    digest: hashes.HashAlgorithm = hashes.SHA256() if prf is Prf.SHA256 else hashes.SM3()
    return PBKDF2HMAC(algorithm=digest, length=length, salt=salt, iterations=iterations).derive(passphrase)


# --- reading ----------------------------------------------------------------------------------------------------------


def from_pem(data: bytes, *labels: str) -> tuple[str, bytes]:
    """(label, DER) of the first PEM block with one of these labels; Malformed if there is none or it is broken."""
    if len(data) > _MAX_PEM:
        raise _bad("pem-size", "PEM 文件过大", "the PEM file is too large")
    for label in re.findall(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----", data):
        if label.decode() not in labels:
            continue
        block = re.search(rb"-----BEGIN %b-----([^-]*)-----END %b-----" % (label, label), data)
        if block is None:
            if b"Proc-Type:" in data:
                raise _bad("pem-encryption", "旧式 PEM 加密不受支持", "old PEM encryption (use openssl pkcs8 -topk8)")
            break
        try:
            return label.decode(), base64.b64decode(b"".join(block[1].split()), validate=True)
        except (binascii.Error, ValueError):
            break
    raise _bad("pem-form", f"不是 PEM 格式的 {labels[0]}", f"not a PEM {labels[0]}")


def public_from_pem(data: bytes) -> PublicKey:
    """The key of an SPKI PEM; Malformed on anything else."""
    return public_from_spki(from_pem(data, "PUBLIC KEY")[1])


def public_from_spki(data: bytes) -> PublicKey:
    """The key of SubjectPublicKeyInfo DER: id-ecPublicKey or the curve's own OID, with the named SM2 curve."""
    algorithm, bits = _members(der.parse(data, limit=_MAX_PEM), 2)
    _check_algorithm(algorithm)
    return PublicKey.from_bytes(_uncompressed(bits.as_bits()))


def private_from_pem(data: bytes, passphrase: bytes | None = None) -> PrivateKey:
    """The key of a PKCS#8 (plain or PBES2) or SEC1 PEM. Codes: ``passphrase-needed``, ``passphrase-wrong``,
    ``key-curve``, ``private-key-range``, ``key-mismatch`` (public part of another key), ``pem-…``, ``der-…``."""
    label, body = from_pem(data, *_PRIVATE_LABELS)
    if label == "ENCRYPTED PRIVATE KEY":
        if passphrase is None:
            raise _bad("passphrase-needed", "私钥已加密，需要口令", "the encrypted private key needs its passphrase")
        return _decrypted(body, passphrase)
    if label in _SEC1_LABELS:
        return _sec1(body, named=False)
    return private_from_pkcs8(body)


def private_from_pkcs8(data: bytes) -> PrivateKey:
    """The key of PrivateKeyInfo DER; trailing attributes are ignored as RFC 5958 allows."""
    members = der.parse(data, limit=_MAX_PEM).as_seq(3, 5)
    if members[0].as_int() not in (0, 1):
        raise _bad("key-version", "私钥版本号未知", "unknown private key version")
    _check_algorithm(members[1])
    return _sec1(members[2].as_octets(), named=True)


def _members(element: der.Tlv, count: int) -> list[der.Tlv]:
    return element.as_seq(count, count)


def _check_algorithm(element: der.Tlv) -> None:
    """Only { id-ecPublicKey, namedCurve SM2 }; some CAs put the curve's OID as the algorithm itself."""
    members = element.as_seq(1, 2)
    named = members[0].as_oid() == SM2_CURVE
    if not named:
        named = members[0].as_oid() == EC_KEY and len(members) == 2
        named = named and members[1].tag == der.OID and members[1].as_oid() == SM2_CURVE
    if not named:
        raise _bad("key-curve", "不是 SM2 命名曲线的密钥", "not a key on the named SM2 curve")


def _uncompressed(point: bytes) -> bytes:
    if len(point) != 65 or point[0] != 4:
        raise _bad("public-key-form", "公钥不是未压缩点", "the public key is not an uncompressed point")
    return point


def _sec1(data: bytes, *, named: bool) -> PrivateKey:
    """ECPrivateKey (RFC 5915). ``named``: the curve was already named outside; otherwise [0] must name it."""
    members = der.parse(data, limit=_MAX_PEM).as_seq(2, 4)
    if members[0].as_int() != 1:
        raise _bad("key-version", "私钥版本号未知", "unknown private key version")
    secret = members[1].as_octets()
    if len(secret) != 32:
        raise _bad("private-key-range", "私钥长度不是 32 字节", "the private key is not 32 bytes long")
    stated: PublicKey | None = None
    for member in members[2:]:
        inner = member.children(1)
        if member.tag == 0xA0 and inner and inner[0].tag == der.OID and inner[0].as_oid() == SM2_CURVE:
            named = True
        elif member.tag == 0xA1 and inner:
            stated = PublicKey.from_bytes(_uncompressed(inner[0].as_bits()))
        else:
            raise _bad("key-curve", "不是 SM2 命名曲线的密钥", "not a key on the named SM2 curve")
    if not named:
        raise _bad("key-curve", "不是 SM2 命名曲线的密钥", "not a key on the named SM2 curve")
    return private_from_int(int.from_bytes(secret), stated)


def private_from_int(d: int, stated: PublicKey | None = None) -> PrivateKey:
    """The key of a scalar, its public key computed; Malformed if out of range or not the ``stated`` public key's."""
    placeholder = PublicKey(GX, GY)
    PrivateKey(d, placeholder)  # the range check comes before any multiplication
    point = generated(d)
    assert point is not None  # noqa: S101 - 1 <= d < n, so d·G is finite
    public = PublicKey(*point)
    if stated is not None and stated != public:
        raise _bad("key-mismatch", "私钥与所附公钥不是一对", "the private key does not belong to its public key")
    return PrivateKey(d, public)


def _decrypted(data: bytes, passphrase: bytes) -> PrivateKey:
    plain = _pbes2(data, passphrase)
    pad = plain[-1]
    if not 1 <= pad <= 16 or plain[-pad:] != bytes((pad,)) * pad:
        raise _wrong_passphrase()
    try:
        return private_from_pkcs8(plain[:-pad])
    except Malformed as error:
        # A wrong passphrase makes noise, which fails as DER; a real key on a wrong curve keeps its own reason.
        raise (_wrong_passphrase() if error.code.startswith("der-") else error) from None


def _pbes2(data: bytes, passphrase: bytes) -> bytes:
    """The padded plaintext of EncryptedPrivateKeyInfo DER."""
    algorithm, body = _members(der.parse(data, limit=_MAX_PEM), 2)
    name, scheme = _members(algorithm, 2)
    if name.as_oid() != _PBES2:
        raise _unsupported()
    kdf, encryption = _members(scheme, 2)
    cipher_name, iv = _members(encryption, 2)
    cipher = _CIPHERS.get(cipher_name.as_oid())
    if cipher is None:
        raise _unsupported()
    algorithm_class, key_size = cipher
    salt, iterations, prf = _kdf(kdf, key_size)
    ciphertext, vector = body.as_octets(), iv.as_octets()
    if len(vector) != 16 or not ciphertext or len(ciphertext) % 16:
        raise _bad("pbes2-form", "加密私钥结构非法", "illegal encrypted private key")
    key = _derive(passphrase, salt, iterations, prf, key_size)
    decryptor = Cipher(algorithm_class(key), modes.CBC(vector)).decryptor()
    return decryptor.update(ciphertext) + decryptor.finalize()


def _kdf(element: der.Tlv, key_size: int) -> tuple[bytes, int, Prf]:
    name, parameters = _members(element, 2)
    if name.as_oid() != _PBKDF2:
        raise _unsupported()
    salt, iterations, *rest = parameters.as_seq(2, 4)
    if rest and rest[0].tag == der.INTEGER and rest.pop(0).as_int() != key_size:
        raise _unsupported()
    if len(rest) != 1:
        raise _unsupported()  # an absent PRF means HMAC-SHA1
    try:
        prf = Prf(rest[0].as_seq(1, 2)[0].as_oid())
    except ValueError:
        raise _unsupported() from None
    count = iterations.as_int()
    if not 1 <= count <= MAX_ITERATIONS or not 1 <= len(salt.as_octets()) <= 64:
        raise _bad("pbes2-form", "加密私钥的派生参数超限", "the key derivation parameters are out of bounds")
    return salt.as_octets(), count, prf


def _unsupported() -> Malformed:
    zh, en = "私钥加密算法不受支持（应为 PBES2 与 SM4-CBC）", "unsupported key encryption (PBES2 with SM4-CBC expected)"
    return _bad("pbes2-scheme", zh, en)


def _wrong_passphrase() -> Malformed:
    return _bad("passphrase-wrong", "私钥口令不对", "wrong passphrase for the private key")

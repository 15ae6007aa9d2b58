"""Messages for the eyes of certificate holders (数字信封, GB/T 35275-2017 EnvelopedData): SM4 content, SM2-wrapped key.

The content key goes to each recipient as an SM2 ciphertext in the DER form of GM/T 0009. Only encryption certificates
receive (dual certificates are never mixed up, rows C05 and C06). SM4-CBC is what partners read; it hides and does not
prove: sign inside or outside. SM4-GCM (nonce and tag length as parameters, RFC 5084 form, the tag behind the content)
proves that the content is whole. Whoever lacks the key learns one thing only, ``decrypt-failed`` (row S30); a message
that names other recipients, or algorithms that are not SM2 and SM4, says so, for that stands there in the open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from signing import ber, cms, der, oids, sm2, sm4
from signing.certs import Certificate
from signing.errors import Malformed
from signing.policy import USAGES
from signing.sm2 import PrivateKey

if TYPE_CHECKING:
    from signing.providers import Provider

Mode = Literal["cbc", "gcm"]

_CBC: Final = "1.2.156.10197.1.104.2"
_GCM: Final = "1.2.156.10197.1.104.8"
SM2_ENCRYPT: Final = "1.2.156.10197.1.301.3"
# 301.2 is key exchange to some and encryption to others; 301 and 301.1 occur where the writer named the key instead.
_KEY_ALGORITHMS: Final = frozenset({SM2_ENCRYPT, "1.2.156.10197.1.301.2", oids.SM2_SIGN, oids.SM2_CURVE})
_IV: Final[dict[Mode, int]] = {"cbc": 16, "gcm": sm4.NONCE}
_RECIPIENTS: Final = 64


@dataclass(frozen=True, slots=True)
class Recipient:
    """For whom: issuer and serial of the certificate, and the wrapped key as sent."""

    issuer_der: bytes
    serial: int
    algorithm: str
    wrapped: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """An envelope as received, closed."""

    recipients: tuple[Recipient, ...]
    content_type: str
    mode: Mode
    iv: bytes
    ciphertext: bytes


def build_enveloped(
    content: bytes,
    recipients: Sequence[Certificate],
    provider: Provider,
    *,
    key: bytes,
    iv: bytes,
    mode: Mode = "cbc",
    family: cms.Family = cms.GM,
) -> bytes:
    """ContentInfo with EnvelopedData, DER. ``key``: 16 fresh random bytes; ``iv``: 16 for CBC, 12 for GCM, fresh too.

    Malformed("recipient-usage") for a certificate that is not for encryption. Chains are the caller's to check before.
    """
    if not recipients or len(iv) != _IV[mode] or len(key) != sm4.KEY:
        raise ValueError("an envelope takes recipients, a 16-byte key and the mode's own iv")
    version = 1 if family is cms.GM else 0
    wrapped = [_wrapped(one, key, provider, version) for one in recipients]
    parameters = der.octets(iv) if mode == "cbc" else der.seq(der.octets(iv), der.integer(sm4.TAG))
    ciphertext = _cbc_seal(key, iv, content) if mode == "cbc" else sm4.seal(key, iv, content, b"")
    encrypted = der.seq(
        der.oid(family.content_type("data")),
        der.seq(der.oid(_CBC if mode == "cbc" else _GCM), parameters),
        der.implicit(0, ciphertext),
    )
    return cms.content_info(
        family.content_type("enveloped"), der.seq(der.integer(version), der.set_of(*wrapped), encrypted)
    )


def _wrapped(certificate: Certificate, key: bytes, provider: Provider, version: int) -> bytes:
    if certificate.public_key is None:
        raise Malformed("recipient-key", "收件人证书不是 SM2 证书", "the recipient's certificate is not an SM2 one")
    _must_encrypt(certificate)
    ciphertext = sm2.ciphertext_to_der(provider.encrypt(certificate.public_key, key))
    who = cms.issuer_and_serial(certificate)
    return der.seq(der.integer(version), who, cms.algorithm(SM2_ENCRYPT), der.octets(ciphertext))


def _must_encrypt(certificate: Certificate) -> None:
    """Row C06: a signing certificate receives nothing."""
    if certificate.key_usage is not None and not certificate.key_usage & USAGES["encrypt"]:
        raise Malformed(
            "recipient-usage", "收件人证书不能用于加密", "the recipient's certificate is not for encryption"
        )


def parse(data: bytes) -> Envelope:
    """From DER or BER, with or without the ContentInfo around it; Malformed otherwise."""
    return cms.tolerant(data, _parse)


def _parse(data: bytes) -> Envelope:
    members = cms.body(data, "enveloped").as_seq(3, 5)
    version = members.pop(0).as_int()
    if members[0].tag == 0xA0:
        members.pop(0)  # originator's certificates: nothing is read from them
    if version not in (0, 1, 2) or len(members) < 2:
        raise cms.wrong("EnvelopedData 的版本或成员不符", "wrong version or members in EnvelopedData")
    recipients, encrypted = members[:2]
    recipients.expect(der.SET, "SET")
    kind, algorithm, content = encrypted.as_seq(3, 5)[:3]
    mode, iv = _content_algorithm(algorithm)
    return Envelope(
        recipients=tuple(found for one in recipients.children(_RECIPIENTS) if (found := _recipient(one)) is not None),
        content_type=kind.as_oid(),
        mode=mode,
        iv=iv,
        ciphertext=_pieces(content),
    )


def _recipient(element: der.Tlv) -> Recipient | None:
    """A recipient named by issuer and serial; None for the kinds we cannot be (key agreement, passwords, ...)."""
    if element.tag != der.SEQUENCE:
        return None
    _, who, algorithm, wrapped = element.as_seq(4, 4)
    if who.tag != der.SEQUENCE:
        return None
    issuer, serial = who.as_seq(2, 2)
    return Recipient(issuer.raw, serial.as_int(), algorithm.as_seq(1, 2)[0].as_oid(), wrapped.as_octets())


def _content_algorithm(element: der.Tlv) -> tuple[Mode, bytes]:
    oid, parameters = element.as_seq(2, 2)
    name = oid.as_oid()
    if name == _CBC:
        iv = parameters.as_octets()
        if len(iv) == _IV["cbc"]:
            return "cbc", iv
    elif name == _GCM:
        nonce, *tag = parameters.as_seq(1, 2)
        if len(nonce.as_octets()) == _IV["gcm"] and [one.as_int() for one in tag] == [sm4.TAG]:
            return "gcm", nonce.value
    raise Malformed(
        "content-algorithm", "内容加密算法不受支持（应为 SM4）", "the content cipher is not supported (SM4)"
    )


def _pieces(content: der.Tlv) -> bytes:
    """[0] IMPLICIT OCTET STRING, in one or in several pieces."""
    if content.tag == 0x80:
        return content.value
    content.expect(0xA0, "[0]")
    return ber.joined([one.raw for one in content.children(10_000)])


def open_enveloped(data: bytes, private: PrivateKey, certificate: Certificate, provider: Provider) -> bytes:
    """The content, for the holder of ``certificate`` and its key.

    Malformed: ``message-form``, ``content-algorithm``, ``recipient-usage``, ``not-recipient``, or ``decrypt-failed`` for
    whatever is wrong beyond that.
    """
    envelope = parse(data)
    _must_encrypt(certificate)
    named = (certificate.issuer_der, certificate.serial)
    mine = next((one for one in envelope.recipients if (one.issuer_der, one.serial) == named), None)
    if mine is None:
        raise Malformed("not-recipient", "数字信封不是给此证书的", "the envelope is not for this certificate")
    if mine.algorithm not in _KEY_ALGORITHMS:
        raise Malformed("key-algorithm", "密钥加密算法不是 SM2", "the key is not wrapped with SM2")
    key = _unwrapped(mine.wrapped, private, provider)
    # With a key that could not be had the content is decrypted all the same, so the time tells no more than the answer.
    content = _opened(envelope, key or bytes(sm4.KEY))
    if key is None or content is None:
        raise sm2.decrypt_failed()
    return content


def _unwrapped(wrapped: bytes, private: PrivateKey, provider: Provider) -> bytes | None:
    """The content key from the DER form or from 04 || C1 || C3 || C2; their first bytes differ."""
    try:
        ciphertext = wrapped if wrapped[:1] == b"\x04" else sm2.ciphertext_from_der(wrapped)
        key = provider.decrypt(private, ciphertext)
    except Malformed:
        return None
    return key if len(key) == sm4.KEY else None


def _opened(envelope: Envelope, key: bytes) -> bytes | None:
    if envelope.mode == "cbc":
        return _cbc_open(key, envelope.iv, envelope.ciphertext)
    try:
        return sm4.open_(key, envelope.iv, envelope.ciphertext, b"")
    except Malformed:
        return None


def _cbc_seal(key: bytes, iv: bytes, content: bytes) -> bytes:
    encryptor = Cipher(algorithms.SM4(key), modes.CBC(iv)).encryptor()
    pad = 16 - len(content) % 16
    return encryptor.update(content + bytes((pad,)) * pad) + encryptor.finalize()


def _cbc_open(key: bytes, iv: bytes, ciphertext: bytes) -> bytes | None:
    if not ciphertext or len(ciphertext) % 16:
        return None
    decryptor = Cipher(algorithms.SM4(key), modes.CBC(iv)).decryptor()
    padded = decryptor.update(ciphertext) + decryptor.finalize()
    pad = padded[-1]
    return padded[:-pad] if 1 <= pad <= 16 and padded.endswith(bytes((pad,)) * pad) else None

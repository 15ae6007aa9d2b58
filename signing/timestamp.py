"""Time stamps (时间戳, GB/T 20520-2006, GM/T 0033-2014; RFC 3161) with SM3 and SM2: read and judged.

A token is signed data over a TSTInfo: an imprint, and when an authority saw it. ``verify_timestamp`` is the numbered list;
what came out says until when the data existed at the latest. Times are the authority's; the caller's clock decides only
whether a token comes from the future and whether the authority's certificate stands today.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from signing import certs, cms, der, oids
from signing.certs import Certificate
from signing.crl import RevocationList
from signing.errors import Malformed, Rejected
from signing.message_reasons import message_reason, of_authority
from signing.path import check_path
from signing.policy import TimestampPolicy
from signing.reasons import Reason
from signing.signed_data import SignedData, SignerInfo, single
from signing.signed_data import parse as parse_signed
from signing.signed_verify import carried_lists, check_signer
from signing.sm3 import sm3

if TYPE_CHECKING:
    from signing.providers import Provider

MAX_BYTES: Final = 64 << 10
SM3_NAMES: Final = frozenset({oids.SM3, f"{oids.SM3}.1"})
_SHA256: Final = "2.16.840.1.101.3.4.2.1"
# What a signed certificate reference may be a digest by. It names the certificate; trust comes from the chain alone.
_REFERENCES: Final[dict[str, Callable[[bytes], bytes]]] = {
    oids.SM3: sm3,
    _SHA256: lambda data: hashlib.sha256(data).digest(),
}
_OPTIONAL: Final = (der.SEQUENCE, der.BOOLEAN, der.INTEGER, 0xA0, 0xA1)


@dataclass(frozen=True, slots=True)
class Info:
    """TSTInfo. ``imprint``: algorithm and digest. ``accuracy`` zero where none is stated."""

    policy: str
    imprint: tuple[str, bytes]
    serial: int
    time: datetime
    accuracy: timedelta
    nonce: int | None


@dataclass(frozen=True, slots=True)
class Token:
    """A token as received, nothing judged."""

    signed: SignedData
    signer: SignerInfo
    info: Info


@dataclass(frozen=True, slots=True)
class TimeTrust:
    """Which authorities are believed about time: their roots, apart from those of signers, and by which policy."""

    anchors: Sequence[Certificate]
    policy: TimestampPolicy


@dataclass(frozen=True, slots=True)
class TimestampReport:
    """``ok`` False: bad; None: cannot tell. ``info`` None: unreadable. ``authority``: its certificate if found."""

    ok: bool | None
    reasons: tuple[Reason, ...]
    info: Info | None = None
    authority: Certificate | None = None

    @property
    def proves(self) -> datetime | None:
        """The data existed at this time at the latest; None unless the token holds."""
        return self.info.time + self.info.accuracy if self.ok and self.info else None


def parse_token(data: bytes) -> Token:
    """A token from DER or BER, at most 64 KiB; Malformed otherwise."""
    if len(data) > MAX_BYTES:
        raise cms.wrong("时间戳过大", "the time stamp is too large")
    signed = parse_signed(data)
    if signed.content_type != oids.TST_INFO or signed.content is None:
        raise cms.wrong("内容不是时间戳信息", "the content is not a TSTInfo")
    signer = signed.only_signer
    if signer.covered is None:
        raise cms.wrong("时间戳没有签名属性", "a time stamp without signed attributes")
    return Token(signed, signer, cms.tolerant(signed.content, _info, MAX_BYTES))


def verify_timestamp(
    token: bytes,
    digest: bytes,
    *,
    at: datetime,
    anchors: Sequence[Certificate],
    provider: Provider,
    policy: TimestampPolicy,
    crls: Sequence[RevocationList] = (),
    intermediates: Sequence[Certificate] = (),
    nonce: int | None = None,
) -> TimestampReport:
    """Judge a token over this SM3 digest as of ``at``; ``nonce``: that of the request it must answer, if it must.

    ``at`` is now, or, for a token that a later one covers, the time of that one.
    """
    # 1. form
    try:
        read = parse_token(token)
    except Malformed as fault:
        return TimestampReport(False, (message_reason("timestamp-form", (fault.zh, fault.en)),))
    # 2. it is over these data, by SM3; 3. its policy, accuracy, nonce; 4. not from the future
    reasons = _of_info(read.info, digest, nonce, at, policy)
    # 5. the signature of one authority
    pool = (*read.signed.certificates, *intermediates)
    authority, found = check_signer(read.signed, read.signer, read.signed.content, pool, provider)
    reasons += [_as_timestamp(reason) for reason in found]
    if authority is not None:
        # 6. which its signed attributes name, and which does nothing but stamp time
        reasons += _of_authority(read.signer, authority)
        # 7. its chain at the time of stamping; 8. what became of it since
        lists = (*crls, *carried_lists(read.signed))
        stamping = replace(policy.path, purpose=oids.TIME_STAMPING)
        path = check_path(authority, pool, anchors, read.info.time, provider, crls=lists, policy=stamping, until=at)
        reasons += [of_authority(reason) for reason in path.reasons]
        if policy.since == "cannot-tell":
            reasons += _since(authority, path.leaf_revoked, at)
    ok = False if any(isinstance(reason, Rejected) for reason in reasons) else None if reasons else True
    return TimestampReport(ok, tuple(reasons), read.info, authority)


def _of_info(info: Info, digest: bytes, nonce: int | None, at: datetime, policy: TimestampPolicy) -> list[Reason]:
    reasons = []
    algorithm, imprint = info.imprint
    if algorithm not in SM3_NAMES:
        reasons.append(message_reason("timestamp-imprint-algorithm", algorithm))
    elif imprint != digest:
        reasons.append(message_reason("timestamp-imprint"))
    if policy.policies and info.policy not in policy.policies:
        reasons.append(message_reason("timestamp-policy", info.policy))
    if policy.accuracy is not None and info.accuracy > policy.accuracy:
        reasons.append(message_reason("timestamp-accuracy", f"{info.accuracy.total_seconds():g} s"))
    if nonce is not None and info.nonce != nonce:
        reasons.append(message_reason("timestamp-nonce"))
    if info.time > at + policy.clock_skew:
        reasons.append(message_reason("timestamp-future", f"{info.time:%Y-%m-%d %H:%M:%S}Z"))
    return reasons


def _as_timestamp(reason: Reason) -> Reason:
    """A signed message's reason in the words of time stamps."""
    if reason.code == "message-signer-unknown":
        return message_reason("timestamp-signer-unknown")
    if reason.code == "message-signature":
        return message_reason("timestamp-signature")
    return message_reason("timestamp-form", (reason.zh, reason.en))


def _of_authority(signer: SignerInfo, authority: Certificate) -> list[Reason]:
    reasons = [] if _named(signer, authority) else [message_reason("timestamp-certificate")]
    usage = next((one for one in authority.extensions if one.oid == oids.EXTENDED_KEY_USAGE), None)
    if usage is None or not usage.critical or authority.extended_usage != (oids.TIME_STAMPING,):
        reasons.append(message_reason("timestamp-usage"))
    return reasons


def _named(signer: SignerInfo, authority: Certificate) -> bool:
    """Where the attributes refer to a certificate by digest (RFC 3161, RFC 5816), it is this one."""
    try:
        for attribute, default in ((oids.SIGNING_CERTIFICATE_V2, _SHA256), (oids.SIGNING_CERTIFICATE, "")):
            value = single(signer, attribute)
            if value is not None and not _refers(value, default, authority):
                return False
    except Malformed:
        return False
    return True


def _refers(value: der.Tlv, default: str, authority: Certificate) -> bool:
    first = value.as_seq(1, 2)[0].as_seq(1, 8)[0].as_seq(1, 3)
    if not default:  # the first form of the attribute knows SHA-1 only, and uses it as a name
        return first[0].as_octets() == hashlib.sha1(authority.der, usedforsecurity=False).digest()
    algorithm = certs.algorithm(first.pop(0))[0] if first[0].tag == der.SEQUENCE else default
    by = _REFERENCES.get(algorithm)
    return by is not None and bool(first) and first[0].as_octets() == by(authority.der)


def _since(authority: Certificate, revoked: datetime | None, at: datetime) -> list[Reason]:
    if revoked is not None and revoked <= at:
        return [message_reason("timestamp-revoked-later", f"{revoked:%Y-%m-%d %H:%M:%S}Z")]
    if at > authority.not_after:
        return [message_reason("timestamp-expired", f"{authority.not_after:%Y-%m-%d %H:%M:%S}Z")]
    return []


# --- TSTInfo ----------------------------------------------------------------------------------------------------------


def _info(data: bytes) -> Info:
    version, policy, imprint, serial, moment, *rest = der.parse(data, limit=MAX_BYTES).as_seq(5)
    tags = [element.tag for element in rest]
    if version.as_int() != 1 or tags != [tag for tag in _OPTIONAL if tag in tags]:
        raise cms.wrong("时间戳信息的版本或成员不符", "wrong version or members in a TSTInfo")
    optional = dict(zip(tags, rest, strict=True))
    if 0xA1 in optional:
        _extensions(optional[0xA1])
    return Info(
        policy=policy.as_oid(),
        imprint=read_imprint(imprint),
        serial=serial.as_int(),
        time=_time(moment),
        accuracy=_accuracy(optional.get(der.SEQUENCE)),
        nonce=optional[der.INTEGER].as_int() if der.INTEGER in optional else None,
    )


def read_imprint(element: der.Tlv) -> tuple[str, bytes]:
    """MessageImprint: (algorithm, digest)."""
    algorithm, digest = element.as_seq(2, 2)
    return certs.algorithm(algorithm)[0], digest.as_octets()


def _time(element: der.Tlv) -> datetime:
    element.expect(der.GENERALIZED_TIME, "GeneralizedTime")
    return element.as_time()


def _accuracy(element: der.Tlv | None) -> timedelta:
    """Seconds, [0] milliseconds and [1] microseconds (1 to 999), each optional."""
    parts = {0x80: 0, 0x81: 0, der.INTEGER: 0}
    for one in element.as_seq(0, 3) if element else []:
        if one.tag not in parts:
            raise cms.wrong("时间戳精度的成员不符", "wrong members in a time stamp's accuracy")
        parts[one.tag] = der.parse(der.tlv(der.INTEGER, one.value)).as_int()
    if not (0 <= parts[der.INTEGER] <= 86_400 and 0 <= parts[0x80] < 1000 and 0 <= parts[0x81] < 1000):
        raise cms.wrong("时间戳精度超限", "a time stamp's accuracy is out of bounds")
    return timedelta(seconds=parts[der.INTEGER], milliseconds=parts[0x80], microseconds=parts[0x81])


def _extensions(element: der.Tlv) -> None:
    critical = any(one.critical for one in certs.read_extensions(der.parse(b"\x30" + element.raw[1:])))
    if critical:
        raise cms.wrong("时间戳含不认识的关键扩展", "an unknown critical extension in a time stamp")

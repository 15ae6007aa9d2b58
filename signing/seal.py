"""Electronic seals (电子印章) and stamps (电子签章) as received: GM/T 0031-2014 (V1), GB/T 38540-2020 (V4), later V5.

The form is told by the number of elements first, then by header.version; V1 headers say 1 or 11, so an unknown number
is no reason to refuse. What a signature covers is kept as the slice that was received: real seals spell out default
values, and a re-encoding would no longer be what was signed (V1: SEQUENCE of seal information, maker certificate and
algorithm; V4 and V5: the seal information alone; stamps: TBS_Sign). Nothing is trusted here: see ``signing.verify``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final, Literal

from signing import der
from signing.errors import Malformed

Form = Literal["V1", "V4", "V5"]
MAX_BYTES: Final = 4 << 20
MAX_CERTIFICATES: Final = 1000
_BEIJING: Final = timezone(timedelta(hours=8))
_LOCAL: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)")


@dataclass(frozen=True, slots=True)
class Header:
    """SES_Header: ``id`` is always ES, ``vid`` names the maker's product."""

    id: str
    version: int
    vid: str


@dataclass(frozen=True, slots=True)
class Picture:
    """SES_ESPictrueInfo (the standard's spelling): PNG, GIF, SVG, ofd ...; size in millimetres."""

    type: str
    data: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class ExtData:
    """One extension of a seal or stamp."""

    oid: str
    critical: bool
    value: bytes


@dataclass(frozen=True, slots=True)
class CertDigest:
    """CertDigestObj: the digest of a certificate that may use the seal."""

    type: str
    value: bytes


@dataclass(frozen=True, slots=True)
class SealProperty:
    """SES_ESPropertyInfo. ``type`` is an open number (1 unit, 2 person, 3, 4 seen); one of the lists is filled."""

    type: int
    name: str
    certificates: tuple[bytes, ...]
    digests: tuple[CertDigest, ...]
    created: datetime
    valid_from: datetime
    valid_until: datetime


@dataclass(frozen=True, slots=True)
class Seal:
    """SESeal. ``covered``: the bytes the maker signed. ``algorithm``: dotted OID. ``timestamp``: raw token or None."""

    raw: bytes
    form: Form
    header: Header
    es_id: str
    property: SealProperty
    picture: Picture
    extensions: tuple[ExtData, ...]
    covered: bytes
    maker: bytes
    algorithm: str
    signature: bytes
    timestamp: bytes | None


@dataclass(frozen=True, slots=True)
class Stamp:
    """SES_Signature. ``covered``: TBS_Sign as received. ``time`` None: V1 time information in a form not understood."""

    raw: bytes
    form: Form
    version: int
    seal: Seal
    time: datetime | None
    data_hash: bytes
    property_info: str
    extensions: tuple[ExtData, ...]
    covered: bytes
    signer: bytes
    algorithm: str
    signature: bytes
    timestamp: bytes | None


def _wrong(zh: str, en: str) -> Malformed:
    return Malformed("seal-form", zh, en)


@lru_cache(maxsize=8)
def parse_seal(data: bytes) -> Seal:
    """A seal from its DER; Malformed if it fits none of the forms. The last few are remembered: a unit stamps with one."""
    return _seal(der.parse(data, limit=MAX_BYTES))


def parse_stamp(data: bytes) -> Stamp:
    """A stamp with the seal in it from its DER; Malformed if it fits none of the forms."""
    outer = der.parse(data, limit=MAX_BYTES)
    members = outer.as_seq(2, 5)
    if len(members) == 2:
        return _stamp_v1(outer.raw, members)
    if len(members) == 3:
        raise _wrong("签章的成员数不符", "wrong number of members in a stamp")
    return _stamp_v4(outer.raw, members)


def kind(data: bytes) -> Literal["seal", "stamp"]:
    """Which of the two these bytes are: the first part of a stamp begins with a number, a seal's with a header."""
    members = der.parse(data, limit=MAX_BYTES).as_seq(2, 5)
    first = members[0].as_seq(1)
    return "stamp" if first[0].tag == der.INTEGER else "seal"


# --- seals ------------------------------------------------------------------------------------------------------------


def _seal(outer: der.Tlv) -> Seal:
    members = outer.as_seq(2, 5)
    if len(members) == 3:
        raise _wrong("印章的成员数不符", "wrong number of members in a seal")
    info, timestamp = members[0], None
    header, es_id, properties, picture, *rest = info.as_seq(4, 5)
    head = _header(header)
    form: Form = "V1" if len(members) == 2 else "V5" if len(members) == 5 or head.version == 5 else "V4"
    if form == "V1":
        maker, algorithm, signature = members[1].as_seq(3, 3)
        covered = der.seq(info.raw, maker.raw, algorithm.raw)
    else:
        maker, algorithm, signature = members[1:4]
        covered = info.raw
        timestamp = _timestamp(members[4:])
    return Seal(
        raw=outer.raw,
        form=form,
        header=head,
        es_id=es_id.as_text(),
        property=_property(properties, form),
        picture=_picture(picture),
        extensions=_extensions(rest[0]) if rest else (),
        covered=covered,
        maker=maker.as_octets(),
        algorithm=algorithm.as_oid(),
        signature=signature.as_bits(),
        timestamp=timestamp,
    )


def _header(element: der.Tlv) -> Header:
    mark, version, vid = element.as_seq(3, 3)
    if mark.as_text() != "ES":
        raise _wrong("印章头标识不是 ES", "the seal header does not say ES")
    return Header("ES", version.as_int(), vid.as_text())


def _property(element: der.Tlv, form: Form) -> SealProperty:
    count = 6 if form == "V1" else 7
    members = element.as_seq(count, count)
    kind_of_seal, name = members[0].as_int(), members[1].as_text()
    list_type = 1 if form == "V1" else members[2].as_int()
    listed, created, valid_from, valid_until = members[-4:]
    items = listed.as_seq(0, MAX_CERTIFICATES)
    certificates: tuple[bytes, ...] = ()
    digests: tuple[CertDigest, ...] = ()
    if list_type == 1:
        certificates = tuple(item.as_octets() for item in items)
    elif list_type == 2:
        digests = tuple(_digest(item) for item in items)
    else:
        raise _wrong("印章的证书列表类型不是 1 或 2", "the certificate list type of the seal is neither 1 nor 2")
    return SealProperty(
        type=kind_of_seal,
        name=name,
        certificates=certificates,
        digests=digests,
        created=created.as_time(),
        valid_from=valid_from.as_time(),
        valid_until=valid_until.as_time(),
    )


def _digest(element: der.Tlv) -> CertDigest:
    kind_of_digest, value = element.as_seq(2, 2)
    return CertDigest(kind_of_digest.as_text(), value.as_octets())


def _picture(element: der.Tlv) -> Picture:
    kind_of_picture, data, width, height = element.as_seq(4, 4)
    return Picture(kind_of_picture.as_text(), data.as_octets(), width.as_int(), height.as_int())


def _extensions(element: der.Tlv) -> tuple[ExtData, ...]:
    found = []
    for item in element.as_seq(0, 64):
        members = item.as_seq(2, 3)
        critical = members[1].as_bool() if len(members) == 3 else False
        found.append(ExtData(members[0].as_oid(), critical, members[-1].as_octets()))
    if len({x.oid for x in found}) != len(found):
        raise _wrong("印章或签章的扩展项重复", "an extension of the seal or stamp occurs twice")
    return tuple(found)


def _timestamp(rest: list[der.Tlv]) -> bytes | None:
    """[0] EXPLICIT BIT STRING, its content unread: what is not a token is said by the verifier, not refused here."""
    if not rest:
        return None
    rest[0].expect(0xA0, "[0]")
    inner = rest[0].children(1)
    return inner[0].as_bits() if inner else b""


# --- stamps -----------------------------------------------------------------------------------------------------------


def _stamp_v1(raw: bytes, members: list[der.Tlv]) -> Stamp:
    tbs, signature = members
    version, seal, moment, data_hash, property_info, signer, algorithm = tbs.as_seq(7, 7)
    inner = _seal(seal)
    if inner.form != "V1":
        raise _wrong("签章与其中的印章不是同一版式", "the stamp and the seal in it have different forms")
    return Stamp(
        raw=raw,
        form="V1",
        version=version.as_int(),
        seal=inner,
        time=_time_v1(moment.as_bits()),
        data_hash=data_hash.as_bits(),
        property_info=property_info.as_text(),
        extensions=(),
        covered=tbs.raw,
        signer=signer.as_octets(),
        algorithm=algorithm.as_oid(),
        signature=signature.as_bits(),
        timestamp=None,
    )


def _stamp_v4(raw: bytes, members: list[der.Tlv]) -> Stamp:
    tbs, signer, algorithm, signature = members[:4]
    version, seal, moment, data_hash, property_info, *rest = tbs.as_seq(5, 6)
    inner = _seal(seal)
    if inner.form == "V1":
        raise _wrong("签章与其中的印章不是同一版式", "the stamp and the seal in it have different forms")
    extensions: tuple[ExtData, ...] = ()
    if rest:
        rest[0].expect(0xA0, "[0]")
        inside = rest[0].children(1)
        extensions = _extensions(inside[0]) if inside else ()
    return Stamp(
        raw=raw,
        form=inner.form,
        version=version.as_int(),
        seal=inner,
        time=moment.as_time(),
        data_hash=data_hash.as_bits(),
        property_info=property_info.as_text(),
        extensions=extensions,
        covered=tbs.raw,
        signer=signer.as_octets(),
        algorithm=algorithm.as_oid(),
        signature=signature.as_bits(),
        timestamp=_timestamp(members[4:]),
    )


def _time_v1(content: bytes) -> datetime | None:
    """V1 time information: Beijing wall-clock text as seen in the field, or a DER time; anything else is None."""
    match = _LOCAL.fullmatch(content.decode("ascii", "replace"))
    try:
        if match:
            return datetime(*map(int, match.groups()), tzinfo=_BEIJING).astimezone(UTC)  # type: ignore[misc, arg-type]
        return der.parse(content).as_time()
    except (Malformed, ValueError):
        return None

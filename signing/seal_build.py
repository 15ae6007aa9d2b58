"""Seals and stamps written: V4 (GB/T 38540-2020) by default, V1 (GM/T 0031-2014) on request.

Lists of certificates, not digests (what a digest is computed over is not settled in the field); times in UTC to the
second. A stamp is made in two steps so that the signature may come from elsewhere: ``build_stamp_tbs`` gives the bytes
to sign, ``build_stamp`` puts the signature in. No check is made here: ``signing.stamper`` decides who may stamp.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Final, Literal

from signing import der, oids
from signing.seal import ExtData, Picture
from signing.sm2 import Signer

WrittenForm = Literal["V1", "V4"]
_NUMBER: Final[dict[WrittenForm, int]] = {"V1": 1, "V4": 4}
_BEIJING: Final = timezone(timedelta(hours=8))


def build_seal(
    maker: Signer,
    maker_certificate: bytes,
    *,
    es_id: str,
    name: str,
    certificates: Sequence[bytes],
    created: datetime,
    valid_from: datetime,
    valid_until: datetime,
    picture: Picture,
    vid: str = "TONGBAN",
    type: int = 1,
    extensions: Sequence[ExtData] = (),
    form: WrittenForm = "V4",
) -> bytes:
    """SESeal, DER. ``certificates``: DER of those that may stamp with it. ``es_id`` and ``vid`` are ASCII."""
    moment = der.gtime if form == "V4" else der.utime
    listed = der.seq(*map(der.octets, certificates))
    properties = der.seq(
        der.integer(type),
        der.utf8(name),
        *([der.integer(1)] if form == "V4" else []),
        listed,
        moment(created),
        moment(valid_from),
        moment(valid_until),
    )
    info = der.seq(
        der.seq(der.ia5("ES"), der.integer(_NUMBER[form]), der.ia5(vid)),
        der.ia5(es_id),
        properties,
        der.seq(
            der.ia5(picture.type), der.octets(picture.data), der.integer(picture.width), der.integer(picture.height)
        ),
        *([_extensions(extensions)] if extensions else []),
    )
    signed_by = (der.octets(maker_certificate), der.oid(oids.SM2_WITH_SM3))
    if form == "V1":
        signature = maker.sign(der.seq(info, *signed_by))
        return der.seq(info, der.seq(*signed_by, der.bits(signature)))
    return der.seq(info, *signed_by, der.bits(maker.sign(info)))


def build_stamp_tbs(
    seal: bytes,
    *,
    at: datetime,
    data_hash: bytes,
    property_info: str,
    extensions: Sequence[ExtData] = (),
    form: WrittenForm = "V4",
    signer_certificate: bytes = b"",
) -> bytes:
    """TBS_Sign, the bytes to sign. V1 alone puts the signer's certificate and the algorithm into them."""
    head = (der.integer(_NUMBER[form]), seal)
    tail = (der.bits(data_hash), der.ia5(property_info))
    if form == "V1":
        moment = der.bits(at.astimezone(_BEIJING).strftime("%Y-%m-%d %H:%M:%S").encode())
        return der.seq(*head, moment, *tail, der.octets(signer_certificate), der.oid(oids.SM2_WITH_SM3))
    extra = [der.explicit(0, _extensions(extensions))] if extensions else []
    return der.seq(*head, der.gtime(at), *tail, *extra)


def build_stamp(
    tbs: bytes,
    signer_certificate: bytes,
    signature: bytes,
    *,
    timestamp: bytes | None = None,
    form: WrittenForm = "V4",
) -> bytes:
    """SES_Signature, DER, from TBS_Sign and the DER signature over it."""
    if form == "V1":
        return der.seq(tbs, der.bits(signature))
    extra = [der.explicit(0, der.bits(timestamp))] if timestamp is not None else []
    return der.seq(tbs, der.octets(signer_certificate), der.oid(oids.SM2_WITH_SM3), der.bits(signature), *extra)


def _extensions(extensions: Sequence[ExtData]) -> bytes:
    return der.seq(
        *(
            der.seq(der.oid(x.oid), *([der.boolean(True)] if x.critical else []), der.octets(x.value))
            for x in extensions
        )
    )

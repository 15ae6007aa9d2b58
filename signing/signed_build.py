"""Signed messages written (签名数据, GB/T 35275-2017): strict DER, the family named by the caller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from signing import cms, der, issue, oids, sm2
from signing.certs import Certificate
from signing.issue import Authority
from signing.signed_data import CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_TIME
from signing.sm3 import sm3


def build_signed(
    content: bytes,
    signers: Sequence[Authority],
    *,
    detached: bool = False,
    attributes: bool = True,
    signing_time: datetime | None = None,
    family: cms.Family = cms.GM,
    content_type: str = "",
    more: Mapping[str, bytes] | None = None,
    certificates: Sequence[Certificate] = (),
    lists: Sequence[bytes] = (),
) -> bytes:
    """ContentInfo with SignedData over ``content``, DER.

    Each signer's certificate is carried, with those given. ``attributes`` False: the content itself is signed, without
    time. ``content_type``: the family's data if not given. ``more``: further signed attributes, one value (DER) each.
    """
    kind = content_type or family.content_type("data")
    carried = dict.fromkeys(one.der for one in (*(each.certificate for each in signers), *certificates))
    inner = () if detached else (der.explicit(0, der.octets(content)),)
    infos = [_signer(one, content, kind, attributes, signing_time, family, more or {}) for one in signers]
    body = der.seq(
        der.integer(1 if kind in cms.DATA else 3),
        der.set_of(cms.algorithm(oids.SM3)),
        der.seq(der.oid(kind), *inner),
        *([der.implicit(0, b"".join(sorted(carried)), True)] if carried else []),
        *([der.implicit(1, b"".join(sorted(lists)), True)] if lists else []),
        der.set_of(*infos),
    )
    return cms.content_info(family.content_type("signed"), body)


def _signer(
    by: Authority,
    content: bytes,
    kind: str,
    attributes: bool,
    signing_time: datetime | None,
    family: cms.Family,
    more: Mapping[str, bytes],
) -> bytes:
    if by.signer.signer_id != sm2.DEFAULT_ID:
        raise ValueError("messages are signed with the default signer id")
    covered = _attributes(content, kind, signing_time, more) if attributes else b""
    null = family is cms.GM
    return der.seq(
        der.integer(1),
        cms.issuer_and_serial(by.certificate),
        cms.algorithm(oids.SM3),
        *([b"\xa0" + covered[1:]] if covered else []),
        cms.algorithm(family.signature, null=null),
        der.octets(by.signer.sign(covered or content)),
    )


def _attributes(content: bytes, kind: str, signing_time: datetime | None, more: Mapping[str, bytes]) -> bytes:
    """The SET OF Attribute that is signed."""
    values = {CONTENT_TYPE: der.oid(kind), MESSAGE_DIGEST: der.octets(sm3(content)), **more}
    if signing_time is not None:
        values[SIGNING_TIME] = issue.time(signing_time)
    return der.set_of(*(der.seq(der.oid(oid), der.set_of(value)) for oid, value in values.items()))

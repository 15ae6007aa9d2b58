"""A whole laboratory for one place (样章·测试无效): root, message certificates, seal maker, seal signer, one V4 seal.

Every subject, the seal's name and its picture carry 样章·测试无效, and ``is_lab`` finds it again, so that a node outside the
demo can refuse to trust any of it. Pure: keys, serial numbers and times are the caller's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from signing import certs, names
from signing.certs import Certificate
from signing.issue import Authority, build_certificate, build_crl, build_root
from signing.seal import Picture
from signing.seal_build import build_seal
from signing.seal_picture import LAB_MARK, round_seal
from signing.sm2 import PublicKey, Signer

# role -> (profile of its certificate, its title in the common name)
ROLES: Final[dict[str, tuple[str, str]]] = {
    "identity": ("identity", "网关身份"),
    "checkpoint": ("checkpoint", "网关账本检查点"),
    "direct": ("direct", "网关直签"),
    "tls": ("tls-server", "网关传输"),
    "encryption": ("encryption", "网关加密"),
    "seal-maker": ("seal-maker", "制章人"),
    "seal-signer": ("seal-signer", "签章人"),
}


@dataclass(frozen=True, slots=True)
class LabPki:
    """All DER. ``certificates``: role -> certificate of that role's key."""

    root: bytes
    certificates: Mapping[str, bytes]
    seal: bytes
    crl: bytes


def lab_name(place: str, common_name: str) -> list[tuple[str, str]]:
    """A subject of the laboratory: the mark stands in the organisational unit of each."""
    return [("C", "CN"), ("O", place), ("OU", LAB_MARK), ("CN", common_name)]


def is_lab(certificate: Certificate) -> bool:
    """Does subject or issuer carry the laboratory's mark?"""
    return names.contains(certificate.subject_der, LAB_MARK) or names.contains(certificate.issuer_der, LAB_MARK)


def build_lab_root(place: str, signer: Signer, *, serial: int, at: datetime, until: datetime) -> Authority:
    """The laboratory's root for a place, ready to issue."""
    subject = lab_name(place, f"{place}通办实验根证书")
    root = build_root(signer, subject=subject, serial=serial, not_before=at, not_after=until)
    return Authority(signer, certs.parse(root))


def build_lab_certificate(
    authority: Authority, place: str, role: str, public_key: PublicKey, *, serial: int, at: datetime, until: datetime
) -> bytes:
    """The certificate of one role of ``ROLES``, DER."""
    profile, title = ROLES[role]
    return build_certificate(
        authority,
        subject=lab_name(place, f"{place}{title}"),
        public_key=public_key,
        serial=serial,
        not_before=at,
        not_after=until,
        profile=profile,
    )


def build_lab_seal(
    maker: Signer,
    maker_certificate: bytes,
    signer_certificate: bytes,
    *,
    es_id: str,
    name: str,
    at: datetime,
    until: datetime,
    picture: Callable[[str], Picture] = round_seal,
) -> bytes:
    """A V4 seal with the sample picture. ``es_id``: 14 digits in the field, division code and eight more; ``picture``: draws
    the seal of a name."""
    return build_seal(
        maker,
        maker_certificate,
        es_id=es_id,
        name=f"{name}（{LAB_MARK}）",
        certificates=[signer_certificate],
        created=at,
        valid_from=at,
        valid_until=until,
        picture=picture(name),
        vid="TONGBAN-LAB",
    )


def build_lab_pki(
    place: str,
    division: str,
    keys: Mapping[str, Signer],
    serials: Iterator[int],
    *,
    at: datetime,
    until: datetime,
    seal_name: str,
    picture: Callable[[str], Picture] = round_seal,
) -> LabPki:
    """Everything one place of the demo needs, valid from ``at`` to ``until``.

    ``keys``: a signer for "root" and for each role that shall have a certificate ("seal-maker" and "seal-signer" always).
    ``serials``: positive and different each time. The revocation list is empty and good until ``until``.
    """
    authority = build_lab_root(place, keys["root"], serial=next(serials), at=at, until=until)
    certificates = {
        role: build_lab_certificate(authority, place, role, keys[role].public, serial=next(serials), at=at, until=until)
        for role in ROLES
        if role in keys
    }
    seal = build_lab_seal(
        keys["seal-maker"],
        certificates["seal-maker"],
        certificates["seal-signer"],
        es_id=f"{division}00000001",
        name=seal_name,
        at=at,
        until=until,
        picture=picture,
    )
    crl = build_crl(authority, number=1, this_update=at, next_update=until)
    return LabPki(authority.certificate.der, certificates, seal, crl)

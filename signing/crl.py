"""Certificate revocation lists (证书吊销列表, GB/T 20518-2018 clause 6, RFC 5280 clause 5) and what they say.

A list is used only if its issuer signed it and it covers the certificate: delta lists, indirect lists and lists with an
unknown critical extension are set aside; a partition (分片) speaks of its own part only, as the policy allows.
A certificate that a set-aside or stale list fails to name is not thereby good: the answer is then "unknown". A listing
in a list that is merely old still counts: revocation does not age.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

from signing import certs, der, names, oids, sm2
from signing.certs import Certificate, Extension
from signing.errors import Malformed
from signing.policy import Partitions, PathPolicy
from signing.revocation import SKEW, AsOf, State, decisive
from signing.sm2 import PublicKey

if TYPE_CHECKING:
    from signing.providers import Provider

MAX_BYTES: Final = 8 << 20
MAX_ENTRIES: Final = 200_000
REASONS: Final = {
    0: "unspecified", 1: "keyCompromise", 2: "cACompromise", 3: "affiliationChanged", 4: "superseded",
    5: "cessationOfOperation", 6: "certificateHold", 8: "removeFromCRL", 9: "privilegeWithdrawn", 10: "aACompromise",
}  # fmt: skip
_KNOWN: Final = frozenset({oids.CRL_NUMBER, oids.AUTHORITY_KEY_ID, oids.DELTA_CRL, oids.ISSUING_POINT})
_ENTRY_KNOWN: Final = frozenset({oids.CRL_REASON, oids.INVALIDITY_DATE})


@dataclass(frozen=True, slots=True)
class Entry:
    """One revoked certificate. ``effective`` is the earlier of revocation and stated invalidity of the key."""

    serial: int
    revoked: datetime
    reason: str
    effective: datetime


@dataclass(frozen=True, slots=True)
class Part:
    """Which certificates a partition covers: those with one of ``points`` (None: any), of one ``kind`` only."""

    points: frozenset[bytes] | None
    kind: Literal["", "user", "ca"]


@dataclass(frozen=True, slots=True)
class RevocationList:
    """A list as received. ``flaw``: why it may not be used for an answer of "good", empty if it may. ``part``: None if it
    covers all certificates of its issuer."""

    der: bytes
    tbs: bytes
    algorithm: str
    issuer_der: bytes
    this_update: datetime
    next_update: datetime | None
    number: int | None
    aki: bytes | None
    entries: Mapping[int, Entry]
    signature: bytes
    flaw: str
    part: Part | None


def parse(data: bytes) -> RevocationList:
    """A list from its DER, at most 8 MiB and 200,000 entries; Malformed otherwise."""
    tbs, outer, signature = der.parse(bytes(data), limit=MAX_BYTES).as_seq(3, 3)
    fields = tbs.as_seq(3, 7)
    if fields[0].tag == der.INTEGER and (fields.pop(0).as_int() != 1 or len(fields) < 3):
        raise Malformed("crl-form", "吊销列表版本号非法", "illegal version of a revocation list")
    inner, issuer, this_update, *rest = fields
    names.attributes(issuer.raw)
    next_update = rest.pop(0).as_time() if rest and rest[0].tag in (der.UTC_TIME, der.GENERALIZED_TIME) else None
    entries, entry_flaw = _entries(rest.pop(0)) if rest and rest[0].tag == der.SEQUENCE else ({}, "")
    extensions: tuple[Extension, ...] = ()
    if rest and rest[0].tag == 0xA0:
        inside = rest.pop(0).children(1)
        extensions = certs.read_extensions(inside[0]) if inside else ()
    if rest:
        raise Malformed("crl-form", "吊销列表结构非法", "illegal structure of a revocation list")
    part, part_flaw = _part(extensions)
    number = next((der.parse(x.value).as_int() for x in extensions if x.oid == oids.CRL_NUMBER), None)
    return RevocationList(
        der=bytes(data),
        tbs=tbs.raw,
        algorithm=certs.algorithm(outer)[0],
        issuer_der=issuer.raw,
        this_update=this_update.as_time(),
        next_update=next_update,
        number=number,
        aki=certs.authority_key_id(extensions),
        entries=entries,
        signature=signature.as_bits(),
        flaw="algorithm" if inner.raw != outer.raw else entry_flaw or _flaw(extensions) or part_flaw,
        part=part,
    )


def load(data: bytes) -> RevocationList:
    """A list from PEM or DER."""
    if data[:1] == b"\x30":
        return parse(data)
    blocks = certs.pem_blocks(data, "X509 CRL")
    if len(blocks) != 1:
        raise Malformed("pem-form", "PEM 中应有一份吊销列表", "a PEM file with one revocation list is expected")
    return parse(blocks[0])


def _entries(element: der.Tlv) -> tuple[dict[int, Entry], str]:
    found: dict[int, Entry] = {}
    flaw = ""
    for item in element.children(MAX_ENTRIES):
        serial, revoked, *rest = item.as_seq(2, 3)
        extensions = certs.read_extensions(rest[0]) if rest else ()
        entry = _entry(serial.as_int(), revoked.as_time(), extensions)
        if entry.serial in found:
            raise Malformed("crl-form", "吊销列表中序列号重复", "a serial number occurs twice in the revocation list")
        found[entry.serial] = entry
        if any(x.oid == oids.CERTIFICATE_ISSUER for x in extensions):
            flaw = "indirect"
        elif any(x.critical and x.oid not in _ENTRY_KNOWN for x in extensions):
            flaw = "unknown-critical"
    return found, flaw


def _entry(serial: int, revoked: datetime, extensions: Sequence[Extension]) -> Entry:
    reason, effective = "unspecified", revoked
    for extension in extensions:
        if extension.oid == oids.CRL_REASON:
            code = der.parse(extension.value).expect(0x0A, "ENUMERATED")
            reason = REASONS.get(int.from_bytes(code, "big"), "unspecified")
        elif extension.oid == oids.INVALIDITY_DATE:
            effective = min(revoked, der.parse(extension.value).as_time())
    return Entry(serial, revoked, reason, effective)


def _flaw(extensions: Sequence[Extension]) -> str:
    for extension in extensions:
        if extension.oid == oids.DELTA_CRL:
            return "delta"
        if extension.critical and extension.oid not in _KNOWN:
            return "unknown-critical"
    return ""


def _part(extensions: Sequence[Extension]) -> tuple[Part | None, str]:
    """(part, flaw) of the issuing distribution point. Lists for some reasons only [3], indirect ones [4] and those for
    attribute certificates [5] are of no use, nor are points named relative to the issuer."""
    value = next((extension.value for extension in extensions if extension.oid == oids.ISSUING_POINT), None)
    if value is None:
        return None, ""
    members = {member.tag: member for member in der.parse(value).as_seq(0, 6)}
    if members.keys() - {0xA0, 0x81, 0x82}:
        return None, "indirect" if 0x84 in members else "partial"
    named = members.get(0xA0)
    inside = named.children(1) if named else []
    if inside and inside[0].tag != 0xA0:
        return None, "partial"
    points = frozenset(name.raw for name in inside[0].children(64)) if inside else None
    return Part(points, "user" if 0x81 in members else "ca" if 0x82 in members else ""), ""


def points_of(certificate: Certificate) -> frozenset[bytes]:
    """The full names (GeneralName, DER) of the certificate's distribution points; none where they cannot be read."""
    found: list[bytes] = []
    try:
        for point in der.parse(certificate.extension(oids.CRL_POINTS) or der.seq()).as_seq(0, 64):
            for member in point.as_seq(0, 3):
                if member.tag == 0xA0:
                    found += [name.raw for full in member.children(1) if full.tag == 0xA0 for name in full.children(64)]
    except Malformed:
        return frozenset()
    return frozenset(found)


def _outside(certificate: Certificate, part: Part | None, partitions: Partitions) -> str:
    """The flaw of a partition that does not cover the certificate."""
    if part is None or partitions == "as-complete":
        return ""
    covered = part.points is None or bool(part.points & points_of(certificate))
    kind = part.kind in ("", "ca" if certificate.is_ca else "user")
    return "" if partitions == "by-point" and covered and kind else "partial"


_FLAWS: Final[dict[str, tuple[str, str]]] = {
    "algorithm": ("签名算法不符", "signature algorithm"),
    "delta": ("仅为增量列表", "delta list only"),
    "partial": ("仅为部分列表，不含此证书所在部分", "partial list for other certificates"),
    "indirect": ("为间接列表", "indirect list"),
    "unknown-critical": ("含不认识的关键扩展", "unknown critical extension"),
    "signature": ("签名值不对或由别的 CA 签发", "wrong signature or another issuer's"),
    "key-usage": ("颁发者密钥用途不含签发列表", "its issuer may not sign lists"),
    "no-next-update": ("未写下次更新时间", "no next update stated"),
}


def signed_by(crl: RevocationList, issuer: Certificate, provider: Provider) -> str:
    """Empty if ``issuer`` signed the list and may do so, else the flaw."""
    if crl.algorithm != oids.SM2_WITH_SM3 or issuer.public_key is None:
        return "algorithm"
    if issuer.key_usage is not None and "cRLSign" not in issuer.key_usage:
        return "key-usage"
    wrong_key = crl.aki is not None and issuer.ski is not None and crl.aki != issuer.ski
    if wrong_key or crl.issuer_der != issuer.subject_der:
        return "signature"
    return "" if _holds(provider, issuer.public_key, crl.tbs, crl.signature) else "signature"


@lru_cache(maxsize=32)
def _holds(provider: Provider, key: PublicKey, tbs: bytes, signature: bytes) -> bool:
    """A fact about bytes, remembered: the same lists are looked into for every certificate."""
    return sm2.verify(provider, key, tbs, signature, signer_id=sm2.DEFAULT_ID)


def look_up(
    certificate: Certificate,
    issuer: Certificate,
    crls: Sequence[RevocationList],
    *,
    as_of: AsOf,
    policy: PathPolicy,
    provider: Provider,
) -> State:
    """What lists of this issuer say."""
    own = [crl for crl in crls if crl.issuer_der == certificate.issuer_der]
    return decisive([_one(certificate, issuer, crl, as_of, policy, provider) for crl in own])


def _one(
    certificate: Certificate,
    issuer: Certificate,
    crl: RevocationList,
    as_of: AsOf,
    policy: PathPolicy,
    provider: Provider,
) -> State:
    flaw = signed_by(crl, issuer, provider)
    entry = crl.entries.get(certificate.serial)
    if not flaw and entry is not None and entry.reason != "removeFromCRL" and crl.flaw in ("", "delta", "partial"):
        day = f"{entry.effective:%Y-%m-%d %H:%M:%S}Z, {entry.reason}"
        return State("revoked", "revoked", (day, day), entry.effective)
    flaw = flaw or crl.flaw or _outside(certificate, crl.part, policy.crl_partitions)
    flaw = flaw or ("" if crl.next_update else "no-next-update")
    if flaw:
        return State("unknown", "crl-unusable", _FLAWS[flaw])
    assert crl.next_update is not None  # noqa: S101 - its absence is a flaw, answered above
    if crl.this_update - as_of.until > SKEW:
        return State("unknown", "crl-future")
    if as_of.now - crl.next_update > policy.crl_grace:
        due = f"{crl.next_update:%Y-%m-%d %H:%M:%S}Z"
        return State("unknown", "crl-stale", (due, due))
    if certificate.not_after < crl.this_update:
        return State("unknown", "crl-not-covering")
    return State("good")

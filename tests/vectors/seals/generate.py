"""Writes the seal and stamp vectors: one file per reason, named by its defect, and ``index.json`` with what must come out.

Keys and nonces are derived from names (``tests.pki``), so a run always writes the same bytes; a test checks that the files
are current. ``python -m tests.vectors.seals.generate`` rewrites them. Times are those of ``tests.pki``: certificates live
from 2026-01-01 to 2030-01-01, the seal from 2026-01-01 to 2028-01-01, stamps are of 2026-06-01 08:00 UTC.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from signing import der, oids
from signing.certs import Certificate
from signing.issue import Authority, Revoked, build_crl
from signing.seal import ExtData, Picture, parse_seal, parse_stamp
from signing.seal_build import WrittenForm, build_seal, build_stamp, build_stamp_tbs
from signing.sm3 import sm3
from signing.timestamp_build import build_token
from tests import pki
from tests.pki import BORN, DAY

HERE = Path(__file__).parent
DOCUMENT = b"tongban seal vector document\n"
DIGEST = sm3(DOCUMENT)
PLACE = "/Doc_0/Signs/Sign_0/Signature.xml"
PICTURE = Picture("SVG", b'<svg xmlns="http://www.w3.org/2000/svg"/>', 42, 42)
CRITICAL = ExtData("1.2.156.112600.7.2", True, b"x")
LATER = DAY + timedelta(days=10)
SEAL_ENDS = BORN + timedelta(days=730)
ES_ID = "42010400000001"


@dataclass
class Vector:
    """What is judged, against what, and what must come out. Times are RFC 3339; ``document`` None: not given; ``tsa``: time
    stamps of the laboratory's authority (``tsa-root.cert.der``) are believed."""

    name: str
    kind: str
    data: bytes = field(repr=False)
    codes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ("stamp-time-self-declared",)
    at: datetime = LATER
    document: bytes | None = DIGEST
    property_info: str | None = None
    trusted_time: datetime | None = None
    policy: dict[str, object] = field(default_factory=dict)
    lists: tuple[str, ...] = ()
    tsa: bool = False


def maker() -> Certificate:
    return pki.leaf("maker", "seal-maker")


def signer() -> Certificate:
    return pki.leaf("signer", "seal-signer")


def seal(
    *,
    by: Certificate | None = None,
    key: str = "maker",
    certificates: tuple[Certificate, ...] | None = None,
    starts: datetime = BORN,
    ends: datetime = SEAL_ENDS,
    extensions: tuple[ExtData, ...] = (),
    form: WrittenForm = "V4",
    picture: Picture = PICTURE,
) -> bytes:
    listed = (signer(),) if certificates is None else certificates
    return build_seal(
        pki.signer(key),
        (by or maker()).der,
        es_id=ES_ID,
        name="测试专用章（样章·测试无效）",
        certificates=[certificate.der for certificate in listed],
        created=starts,
        valid_from=starts,
        valid_until=ends,
        picture=picture,
        vid="TONGBAN-LAB",
        extensions=extensions,
        form=form,
    )


def stamp(
    *,
    on: bytes | None = None,
    by: Certificate | None = None,
    key: str = "signer",
    at: datetime = DAY,
    digest: bytes = DIGEST,
    info: str = PLACE,
    extensions: tuple[ExtData, ...] = (),
    form: WrittenForm = "V4",
    timestamp: bytes | None = None,
) -> bytes:
    certificate = (by or signer()).der
    tbs = build_stamp_tbs(
        on or seal(form=form),
        at=at,
        data_hash=digest,
        property_info=info,
        extensions=extensions,
        form=form,
        signer_certificate=certificate,
    )
    return build_stamp(tbs, certificate, pki.signer(key).sign(tbs), timestamp=timestamp, form=form)


def with_member(data: bytes, index: int, element: bytes) -> bytes:
    """A SEQUENCE with one member exchanged; no signature is renewed."""
    members = [member.raw for member in der.parse(data).as_seq()]
    members[index : index + 1] = [element]
    return der.seq(*members)


def resigned(data: bytes, change: int, element: bytes) -> bytes:
    """A V4 seal with one member of its information exchanged and the maker's signature renewed."""
    info, certificate, algorithm, _ = der.parse(data).as_seq(4, 4)
    changed = with_member(info.raw, change, element)
    return der.seq(changed, certificate.raw, algorithm.raw, der.bits(pki.signer("maker").sign(changed)))


def property_with(index: int, element: bytes) -> bytes:
    """The seal's property with one member exchanged."""
    info = der.parse(seal()).as_seq()[0]
    return with_member(info.as_seq()[2].raw, index, element)


def digest_list(*certificates: Certificate) -> bytes:
    """A seal whose list (type 2) holds digests of certificates."""
    items = (der.seq(der.printable(oids.SM3), der.octets(sm3(one.der))) for one in certificates)
    typed = with_member(property_with(2, der.integer(2)), 3, der.seq(*items))
    return resigned(seal(), 2, typed)


def v5(token: bytes) -> bytes:
    """A seal of the later form with a time stamp."""
    info = der.parse(seal()).as_seq()[0]
    header = der.seq(der.ia5("ES"), der.integer(5), der.ia5("TONGBAN-LAB"))
    changed = with_member(info.raw, 0, header)
    signature = der.bits(pki.signer("maker").sign(changed))
    last = der.explicit(0, der.bits(token))
    return der.seq(changed, der.octets(maker().der), der.oid(oids.SM2_WITH_SM3), signature, last)


def lists() -> dict[str, bytes]:
    """The revocation lists that vectors name."""
    serials = {"signer": signer().serial, "maker": maker().serial}

    def made(days: int = 365, start: datetime = BORN, **revoked: datetime) -> bytes:
        items = [Revoked(serials[who], when, "keyCompromise") for who, when in revoked.items()]
        until = start + timedelta(days=days)
        return build_crl(pki.root(), number=1, this_update=start, next_update=until, revoked=items)

    return {
        "empty.crl.der": made(),
        "stale.crl.der": made(days=1),
        "maker-before.crl.der": made(maker=DAY - timedelta(days=1)),
        "maker-after.crl.der": made(maker=DAY + timedelta(days=1)),
        "signer-before.crl.der": made(signer=DAY - timedelta(days=1)),
        "signer-after.crl.der": made(signer=DAY + timedelta(days=1)),
    }


def seals() -> list[Vector]:
    """Seals judged by themselves as of ten days after the stamp's day."""
    altered = bytearray(seal())
    altered[altered.index("测试".encode()) + 1] ^= 1
    stranger = pki.leaf("maker", "seal-maker", by=pki.root("stranger"))
    info, certificate, algorithm, _ = der.parse(seal()).as_seq()
    over_all = der.bits(pki.signer("maker").sign(der.seq(info.raw, certificate.raw, algorithm.raw)))
    found = {
        "good-v4": (seal(), ()),
        "good-v1": (seal(form="V1"), ()),
        "good-digest-list": (digest_list(signer()), ()),
        "altered": (bytes(altered), ("seal-signature",)),
        "signed-as-v1": (with_member(seal(), 3, over_all), ("seal-signature",)),
        "other-maker-key": (seal(key="other"), ("seal-signature",)),
        "algorithm": (with_member(seal(), 2, der.oid("1.2.840.10045.4.3.2")), ("seal-algorithm",)),
        "maker-unreadable": (with_member(seal(), 1, der.octets(b"x")), ("seal-maker-unreadable", "seal-signature")),
        "maker-untrusted-root": (seal(by=stranger), ("seal-maker-untrusted-root",)),
        "maker-expired": (seal(by=pki.leaf("maker", "seal-maker", not_after=DAY)), ("seal-maker-expired",)),
        "maker-key-usage": (seal(by=pki.leaf("maker", "encryption")), ("seal-maker-key-usage",)),
        "expired": (seal(ends=DAY), ("seal-expired",)),
        "not-yet-valid": (seal(starts=LATER + timedelta(days=1)), ("seal-not-yet-valid",)),
        "critical-extension": (seal(extensions=(CRITICAL,)), ("seal-unknown-critical-extension",)),
        "header-not-es": (resigned(seal(), 0, der.seq(der.ia5("XX"), der.integer(4), der.ia5("v"))), ("format",)),
        "list-type-3": (resigned(seal(), 2, property_with(2, der.integer(3))), ("format",)),
        "three-members": (der.seq(*(member.raw for member in der.parse(seal()).as_seq()[:3])), ("format",)),
        "double-extension": (seal(extensions=(CRITICAL, CRITICAL)), ("format",)),
        "trailing-byte": (seal() + b"\0", ("format",)),
    }
    vectors = [Vector(name, "seal", data, codes, ()) for name, (data, codes) in found.items()]
    token = der.seq(der.seq(der.integer(0)), der.seq())
    revoked = Vector("maker-revoked", "seal", seal(), ("seal-maker-revoked",), (), lists=("maker-before.crl.der",))
    withdrawn = Vector(
        "withdrawn", "seal", seal(), ("seal-revoked",), (), policy={"revoked_seals": {ES_ID: BORN.isoformat()}}
    )
    return [
        *vectors,
        revoked,
        withdrawn,
        Vector("good-v5-dummy-timestamp", "seal", v5(b"\1\2\3"), (), ("timestamp-unreadable",)),
        Vector("good-v5-timestamp", "seal", v5(token), (), ("timestamp-not-relied-on",)),
    ]


def forged_stamps() -> list[Vector]:
    """Stamps where the stamp itself is wrong."""
    altered = bytearray(stamp())
    altered[altered.rindex(PLACE.encode()) + 1] ^= 1
    reissued = pki.leaf("signer", "seal-signer", serial=99)
    stranger = pki.leaf("signer", by=pki.root("stranger"))
    by_maker = seal(certificates=(maker(), signer()))
    odd_time = with_v1_time(b"\x30\x00")
    found = {
        "stamp-altered": (bytes(altered), ("stamp-signature",)),
        "stamp-other-key": (stamp(key="other"), ("stamp-signature",)),
        "stamp-algorithm": (with_member(stamp(), 2, der.oid("1.2.840.10045.4.3.2")), ("stamp-algorithm",)),
        "signer-unreadable": (
            with_member(stamp(), 1, der.octets(b"x")),
            ("signer-unreadable", "stamp-signature", "not-in-certificate-list"),
        ),
        "signer-untrusted-root": (
            stamp(by=stranger, on=seal(certificates=(stranger,))),
            ("signer-untrusted-root",),
        ),
        "signer-not-in-list": (stamp(by=pki.leaf("outsider"), key="outsider"), ("not-in-certificate-list",)),
        "signer-reissued": (stamp(by=reissued), ("not-in-certificate-list",)),
        "signer-not-in-digest-list": (stamp(on=digest_list(reissued)), ("not-in-certificate-list",)),
        "signer-is-the-maker": (stamp(on=by_maker, by=maker(), key="maker"), ("maker-as-signer",)),
        "stamp-critical-extension": (stamp(extensions=(CRITICAL,)), ("stamp-unknown-critical-extension",)),
        "stamp-time-future": (stamp(at=LATER + timedelta(hours=1)), ("stamp-time-future",)),
        "stamp-time-unreadable": (odd_time, ("stamp-time-unreadable",)),
        "stamp-form-mixed": (stamp(on=seal(form="V1")), ("format",)),
        "stamp-three-members": (der.seq(*(m.raw for m in der.parse(stamp()).as_seq()[:3])), ("format",)),
    }
    silent = {"stamp-time-future", "stamp-time-unreadable", "stamp-form-mixed", "stamp-three-members"}
    usual = ("stamp-time-self-declared",)
    return [Vector(n, "stamp", data, codes, () if n in silent else usual) for n, (data, codes) in found.items()]


def with_v1_time(content: bytes) -> bytes:
    """A V1 stamp whose time information is something else."""
    tbs = der.parse(stamp(form="V1")).as_seq()[0]
    changed = with_member(tbs.raw, 2, der.bits(content))
    return der.seq(changed, der.bits(pki.signer("signer").sign(changed)))


def timed_stamps() -> list[Vector]:
    """Stamps that are well made: certificates and seals before, at and after their time."""
    short = pki.leaf("signer", not_after=DAY - timedelta(days=1))
    late = pki.leaf("signer", not_before=DAY + timedelta(days=1))
    long_ago = pki.leaf("signer", not_after=DAY + timedelta(days=1))
    encryption = pki.leaf("signer", "encryption")
    since = ("signer-expired-since", "stamp-time-self-declared")
    after, before = ("signer-after.crl.der",), ("signer-before.crl.der",)
    noted = ("signer-revoked-later", "stamp-time-self-declared")

    def on(certificate: Certificate) -> bytes:
        return stamp(by=certificate, on=seal(certificates=(certificate,)))

    revoked_later = ("signer-revoked-later",)
    maker_later = ("stamp-time-self-declared", "seal-maker-revoked-later")
    demanded: dict[str, object] = {"revocation": "require"}
    by_gone_maker = seal(by=pki.leaf("maker", "seal-maker", not_after=DAY - timedelta(days=1)))
    return [
        Vector("signer-expired", "stamp", on(short), ("signer-expired-at-stamping",)),
        Vector("signer-not-yet-valid", "stamp", on(late), ("signer-not-yet-valid-at-stamping",)),
        Vector("signer-key-usage", "stamp", on(encryption), ("signer-key-usage",)),
        Vector("good-signer-expired-since", "stamp", on(long_ago), (), since),
        Vector("signer-revoked-before", "stamp", stamp(), ("signer-revoked-before-stamping",), lists=before),
        Vector("signer-revoked-later", "stamp", stamp(), revoked_later, lists=after),
        Vector("good-revoked-later-accepted", "stamp", stamp(), (), noted, lists=after, policy={"revoked_later": "accept"}),
        Vector("good-revoked-later-proved", "stamp", stamp(), (), revoked_later, lists=after, trusted_time=DAY),
        Vector("stamp-time-after-proof", "stamp", stamp(), ("stamp-time-after-proof",), (), trusted_time=BORN),
        Vector("good-maker-revoked-later", "stamp", stamp(), (), maker_later, lists=("maker-after.crl.der",)),
        Vector("list-missing", "stamp", stamp(), ("signer-crl-missing", "seal-maker-crl-missing"), policy=demanded),
        Vector("list-stale", "stamp", stamp(), ("signer-crl-stale", "seal-maker-crl-stale"), lists=("stale.crl.der",)),
        Vector("good-list", "stamp", stamp(), (), lists=("empty.crl.der",), policy=demanded),
        Vector("seal-expired-at-stamping", "stamp", stamp(on=seal(ends=DAY - timedelta(days=1))), ("seal-expired",)),
        Vector("good-seal-expired-since", "stamp", stamp(on=seal(ends=DAY + timedelta(days=1)))),
        Vector("seal-not-yet-valid-at-stamping", "stamp", stamp(on=seal(starts=DAY + timedelta(days=1))), ("seal-not-yet-valid",)),
        Vector("seal-forged-in-stamp", "stamp", stamp(on=seal(key="other")), ("seal-signature",)),
        Vector("maker-expired-good-at-creation", "stamp", stamp(on=by_gone_maker), policy={"maker_at": "creation"}),
        Vector("maker-expired-at-stamping", "stamp", stamp(on=by_gone_maker), ("seal-maker-expired",)),
    ]  # fmt: skip


def token_over(data: bytes, at: datetime = DAY) -> bytes:
    """The laboratory authority's time stamp over these bytes."""
    authority = Authority(pki.signer("tsa"), pki.leaf("tsa", "tsa", by=pki.root("tsa-root")))
    return build_token(sm3(data), authority, at=at, serial=7)


def time_stamps() -> list[Vector]:
    """Row L08: a signer revoked later, with and without a trusted time; and time stamps that prove nothing."""
    signature, tbs = parse_stamp(stamp()).signature, parse_stamp(stamp()).covered
    after = ("signer-after.crl.der",)
    proved, spoilt = ("timestamp-relied-on",), ("timestamp-bad", "stamp-time-self-declared")
    late = stamp(timestamp=token_over(signature, DAY + timedelta(days=2)))
    good = stamp(timestamp=token_over(signature))
    over_tbs = stamp(timestamp=token_over(tbs))
    other: dict[str, object] = {"timestamp_over": "signed-bytes"}
    reject: dict[str, object] = {"revoked_later": "reject"}
    later = ("signer-revoked-later",)
    seal_token = token_over(parse_seal(v5(b"")).signature)
    return [
        Vector("L08-revoked-later-rejected", "stamp", stamp(), later, lists=after, policy=reject),
        Vector("L08-good-revoked-later-timestamped", "stamp", good, (), (*proved, *later), lists=after, policy=reject, tsa=True),
        Vector("L08-revoked-later-timestamp-later-still", "stamp", late, later, proved, lists=after, tsa=True),
        Vector("L08-revoked-later-timestamp-of-nobody-known", "stamp", good, later,
               ("timestamp-not-relied-on", "stamp-time-self-declared"), lists=after),
        Vector("good-stamp-timestamp-verified", "stamp", good, (), proved, tsa=True),
        Vector("good-stamp-timestamp-of-the-signed-bytes", "stamp", over_tbs, (), proved, policy=other, tsa=True),
        Vector("good-stamp-timestamp-of-other-bytes", "stamp", over_tbs, (), spoilt, tsa=True),
        Vector("good-stamp-timestamp-dummy", "stamp", stamp(timestamp=b"\1\2\3"), (), spoilt, tsa=True),
        Vector("stamp-time-after-its-timestamp", "stamp", stamp(timestamp=token_over(signature, BORN)),
               ("stamp-time-after-proof",), proved, tsa=True),
        Vector("good-v5-timestamp-verified", "seal", v5(seal_token), (), proved, tsa=True),
        Vector("good-v5-timestamp-of-another-seal", "seal", v5(token_over(signature)), (), ("timestamp-bad",), tsa=True),
    ]  # fmt: skip


def withdrawn_stamps() -> list[Vector]:
    """Stamps of a seal that its issuer has withdrawn since."""
    later, said = {ES_ID: (DAY + timedelta(days=1)).isoformat()}, ("stamp-time-self-declared",)
    accept: dict[str, object] = {"revoked_seals": later, "revoked_later": "accept"}
    reject: dict[str, object] = {"revoked_seals": later, "revoked_later": "reject"}
    before: dict[str, object] = {"revoked_seals": {ES_ID: (DAY - timedelta(days=1)).isoformat()}}
    not_yet: dict[str, object] = {"revoked_seals": {ES_ID: (LATER + timedelta(days=1)).isoformat()}}
    noted, open_ = ("seal-withdrawn-later",), {"revoked_seals": later}
    return [
        Vector("seal-withdrawn-before", "stamp", stamp(), ("seal-revoked",), policy=before),
        Vector("seal-withdrawn-later", "stamp", stamp(), noted, policy=open_),
        Vector("seal-withdrawn-later-rejected", "stamp", stamp(), noted, policy=reject),
        Vector("good-withdrawn-later-accepted", "stamp", stamp(), (), (*said, *noted), policy=accept),
        Vector("good-withdrawn-later-proved", "stamp", stamp(), (), noted, policy=open_, trusted_time=DAY),
        Vector("good-withdrawn-not-yet", "stamp", stamp(), policy=not_yet),
    ]


def document_stamps() -> list[Vector]:
    """The document, and what else the caller may know."""
    token = der.seq(der.seq(), der.seq())
    listed = stamp(on=digest_list(signer()))
    unsettled: dict[str, object] = {"digest_list": "cannot-tell"}
    stamped = ("timestamp-not-relied-on", "stamp-time-self-declared")
    elsewhere = stamp(info="/Doc_0/Signs/Sign_1/Signature.xml")
    return [
        Vector("good-stamp-v4", "stamp", stamp()),
        Vector("good-stamp-v1", "stamp", stamp(form="V1")),
        Vector("good-stamp-digest-list", "stamp", listed),
        Vector("good-stamp-place", "stamp", stamp(), property_info=PLACE),
        Vector("good-stamp-timestamp", "stamp", stamp(timestamp=token), (), stamped),
        Vector("document-altered", "stamp", stamp(), ("document-digest",), document=sm3(b"another")),
        Vector("document-digest-zero", "stamp", stamp(digest=bytes(32)), ("document-digest",)),
        Vector("document-not-given", "stamp", stamp(), ("document-not-given",), document=None),
        Vector("property-info", "stamp", elsewhere, ("property-info",), property_info=PLACE),
        Vector("digest-list-unsettled", "stamp", listed, ("certificate-list-unknown",), policy=unsettled),
    ]  # fmt: skip


def files() -> dict[str, bytes]:
    """Every file of this folder that is generated, by name."""
    roots = {"root.cert.der": pki.root(), "tsa-root.cert.der": pki.root("tsa-root")}
    found = {**{name: one.certificate.der for name, one in roots.items()}, **lists()}
    index = []
    stamps = [*document_stamps(), *forged_stamps(), *timed_stamps(), *time_stamps(), *withdrawn_stamps()]
    for vector in [*seals(), *stamps]:
        row = asdict(vector)
        row["file"] = vector.name + (".esl" if vector.kind == "seal" else ".dat")
        found[row["file"]] = row.pop("data")
        row["document"] = vector.document.hex() if vector.document is not None and vector.kind == "stamp" else None
        row["at"] = vector.at.isoformat()
        row["trusted_time"] = vector.trusted_time.isoformat() if vector.trusted_time else None
        index.append(row)
    found["index.json"] = (json.dumps(index, ensure_ascii=False, indent=1) + "\n").encode()
    return found


def main() -> None:
    for name, data in files().items():
        (HERE / name).write_bytes(data)


if __name__ == "__main__":
    main()

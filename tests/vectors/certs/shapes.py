"""Lengths, serials, times, usages, weak algorithms and pathological graphs (rows C02, C10, C13, C14, C22)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import permutations

from signing import certs, der, issue, names, oids
from signing.certs import Certificate, Extension
from signing.issue import Authority
from signing.policy import PathPolicy
from tests import pki
from tests.pki import BORN, DIES
from tests.vectors.certs.chain import Case, Row, hand_made_ca, under
from tests.vectors.certs.rsa import RSA_1024, RSA_2048, RsaKey

TIME_STAMPING = "1.3.6.1.5.5.7.3.8"


def levels(count: int, path_len: int | None = None) -> Case:
    """A leaf below ``count`` authorities, the first with this path length constraint."""
    by, middle = pki.root(), []
    for depth in range(count):
        by = pki.authority(f"level-{depth}", by=by, path_len=path_len if depth == 0 else None)
        middle.append(by.certificate)
    return Case(pki.leaf("end", by=by), middle[::-1])


def below_root(path_len: int, count: int) -> Case:
    by = pki.root("short-root", path_len)
    anchors, middle = [by.certificate], []
    for depth in range(count):
        by = pki.authority(f"level-{depth}", by=by)
        middle.append(by.certificate)
    return Case(pki.leaf("end", by=by), middle, anchors)


def key_change() -> Case:
    """A self-issued certificate below a path length of 0 (RFC 5280 6.1.4 l)."""
    by = pki.authority("one", path_len=0)
    name, key = by.certificate.subject_der, pki.signer("one-new")
    fresh = pki.certificate(
        issuer=name, subject=name, spki=issue.keys.spki(key.public), by=by.signer,
        extensions=pki.extensions(pki.constraints(True), *pki.identifiers(key.public, by.signer.public)),
    )  # fmt: skip
    return Case(pki.leaf("end", by=Authority(key, fresh)), [by.certificate, fresh])


def leaf(*items: Extension, purpose: str = "", **parts: object) -> Callable[[], Case]:
    def made() -> Case:
        extensions = {"extensions": pki.extensions(*items)} if items else {}
        policy = PathPolicy(usage="sign", revocation="if-present", purpose=purpose)
        return Case(pki.certificate(**extensions | parts), policy=policy)

    return made


def extended(*usages: str, critical: bool = False) -> Extension:
    return Extension(oids.EXTENDED_KEY_USAGE, critical, der.seq(*map(der.oid, usages)))


def padded(bits: int) -> Extension:
    """Key usage as eight bits, whichever of them are set: authorities write it so."""
    return Extension(oids.KEY_USAGE, True, der.tlv(der.BIT_STRING, bytes((0, bits))))


def padded_authority() -> Case:
    """As the test authority of a well-known SM2 site writes it: 03 02 00 C6."""
    return under(hand_made_ca("padded", pki.constraints(True), padded(0xC6)), "padded")


# --- other algorithms -------------------------------------------------------------------------------------------------


def root_by(rsa: RsaKey) -> Certificate:
    name = names.encode(pki.subject("rsa-root"))
    ca = pki.extensions(pki.constraints(True), pki.key_usage({5, 6}))
    return certs.parse(rsa.certificate(pki.Parts(issuer=name, subject=name, spki=rsa.spki, extensions=ca), "sha256"))


def under_rsa(rsa: RsaKey, digest: str) -> Callable[[], Case]:
    """An SM2 leaf, an SM2 authority, and a root whose RSA key signed the authority with this digest."""

    def made() -> Case:
        root, key = root_by(rsa), pki.signer("mixed")
        parts = pki.Parts(
            issuer=root.subject_der, subject=names.encode(pki.subject("mixed")), spki=issue.keys.spki(key.public),
            extensions=pki.extensions(pki.constraints(True), pki.key_usage({5, 6})),
        )  # fmt: skip
        middle = certs.parse(rsa.certificate(parts, digest))
        return Case(pki.leaf("end", by=Authority(key, middle)), [middle], [root])

    return made


def leaf_by(rsa: RsaKey, digest: str) -> Case:
    root = root_by(rsa)
    return Case(certs.parse(rsa.certificate(pki.Parts(issuer=root.subject_der), digest)), anchors=[root])


# --- graphs -----------------------------------------------------------------------------------------------------------


def crossed(by: Authority, holder: str, serial: int) -> Certificate:
    return pki.leaf(holder, "ca", by=by, serial=serial)


def loop() -> Case:
    """Two authorities that certify each other, and no root."""
    one = Authority(pki.signer("a"), pki.leaf("a", "ca", by=pki.root("b")))
    other = pki.leaf("b", "ca", by=one)
    return Case(pki.leaf("end", by=one), [one.certificate, other])


def mesh(size: int, anchors: Callable[[], list[Certificate]]) -> Case:
    """Authorities that all certify one another: factorially many chains, each of them in good order but its end."""
    roots = [pki.root(f"m{place}") for place in range(size)]
    pool = [
        crossed(one, f"m{place}", 100 + size * nth + place)
        for nth, one in enumerate(roots)
        for place in range(size)
        if place != nth
    ]
    return Case(pki.leaf("end", by=roots[0]), pool, anchors())


def expired_anchor() -> list[Certificate]:
    """Certifies the last of the mesh's names, and is itself out of date."""
    signer = pki.signer("m3")
    old = datetime(2026, 2, 1, tzinfo=UTC)
    data = issue.build_root(signer, subject=pki.subject("m3"), serial=7, not_before=BORN, not_after=old)
    return [certs.parse(data)]


def wide(count: int, good: bool) -> Case:
    """``count`` authorities of one name and key, by as many strangers; one more by the root, given last."""
    key = "wide"
    pool = [crossed(pki.root(f"stranger-{place}"), key, 200 + place) for place in range(count)]
    real = pki.leaf(key, "ca", serial=300)
    return Case(pki.leaf("end", by=Authority(pki.signer(key), real)), [*pool, real] if good else pool)


def layers(depth: int, expired: int, good: int, root: Authority) -> Case:
    """A row of authorities, each with several certificates of one key by the next, so that chains multiply."""
    pool = []
    for level in range(depth):
        above = f"l{level + 1}"
        by = root if level == depth - 1 else Authority(pki.signer(above), pki.leaf(above, "ca", by=root))
        for nth in range(expired + good):
            ends = {"not_after": BORN + timedelta(days=30)} if nth < expired else {}
            pool.append(pki.leaf(f"l{level}", "ca", by=by, serial=500 + 10 * level + nth, **ends))
    return Case(pki.leaf("end", by=Authority(pki.signer("l0"), pool[0])), pool)


def all_orders_of_three() -> Case:
    """Three authorities that all certify one another, and the root that certifies the last of them."""
    roots = {name: pki.root(name) for name in "xyz"}
    pool = [crossed(roots[a], b, 400 + nth) for nth, (a, b) in enumerate(permutations("xyz", 2))]
    return Case(pki.leaf("end", by=roots["x"]), [*pool, pki.leaf("z", "ca", serial=450)])


def twice() -> Case:
    case = levels(2)
    return Case(case.leaf, [*case.middle] * 15)


def without_identifiers() -> Case:
    """No key identifiers anywhere: the issuer is found by name and proved by its signature."""
    ca = hand_made_ca("plain", pki.constraints(True), pki.key_usage({5, 6}))
    return Case(pki.certificate(issuer=ca.subject_der, by=pki.signer("plain")), [ca])


END_OF_TIME = der.gtime(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
FRACTION = der.tlv(der.GENERALIZED_TIME, b"20510101000000.5Z")
WITH_NULL = der.seq(der.oid(oids.SM2_WITH_SM3), der.null())
ALTERNATIVE = Extension(oids.SUBJECT_ALT_NAME, True, der.seq(der.implicit(2, b"a.example")))
POLICIES = Extension("2.5.29.36", True, der.seq(der.implicit(0, b"\0")))
SERVER, STAMPING = extended(oids.SERVER_AUTH), extended(TIME_STAMPING, critical=True)
SIGNING = pki.key_usage({0, 1})
ROWS: list[Row] = [
    ("directly under the root", "", lambda: levels(0)),
    ("under one authority", "", lambda: levels(1)),
    ("under six authorities", "", lambda: levels(6)),
    ("C13 under seven authorities", "untrusted-root", lambda: levels(7)),
    ("C10 path length 0, a leaf", "", lambda: levels(1, 0)),
    ("C10 path length 0, an authority", "path-length", lambda: levels(2, 0)),
    ("C10 path length 1, an authority", "", lambda: levels(2, 1)),
    ("C10 path length 1, two authorities", "path-length", lambda: levels(3, 1)),
    ("C10 path length 0 on the root", "path-length", lambda: below_root(0, 1)),
    ("C10 path length 0 on the root, a leaf", "", lambda: below_root(0, 0)),
    ("C10 self-issued certificates do not count", "", key_change),
    ("C02 no end of validity", "", leaf(validity=der.seq(der.utime(BORN), END_OF_TIME))),
    ("C02 fraction of a second", "time-form", leaf(validity=der.seq(der.utime(BORN), FRACTION))),
    ("C14 serial of 20 octets", "", leaf(serial=der.integer((1 << 159) - 1))),
    ("C14 serial of 21 octets", "serial-number", leaf(serial=der.integer(1 << 160))),
    ("C14 serial below zero", "serial-number", leaf(serial=der.integer(-5))),
    ("C14 no subject, but a critical alternative name", "", leaf(ALTERNATIVE, SIGNING, subject=der.seq())),
    ("C15 parameters NULL", "", leaf(inner=WITH_NULL, outer=WITH_NULL)),
    ("C05 key usage absent", "", leaf(Extension("1.2.3.4", False, b""))),
    ("C05 more usages than needed", "", leaf(pki.key_usage({0, 1, 2, 3}))),
    ("C05 key usage with zero bits at its end", "", leaf(padded(0xC0))),
    ("C05 key usage of an authority with zero bits at its end", "", padded_authority),
    ("C05 key usage of zero bits only", "key-usage", leaf(padded(0))),
    ("C05 key usage empty", "key-usage", leaf(pki.key_usage(set()))),
    ("C05 extended usage, not critical, nothing asked", "", leaf(SIGNING, SERVER)),
    ("C05 extended usage, critical, another purpose", "extended-key-usage", leaf(SIGNING, STAMPING)),
    ("C05 extended usage, critical, any", "", leaf(SIGNING, extended(oids.ANY_EXTENDED_USAGE, critical=True))),
    ("C05 extended usage asked for and there", "", leaf(SIGNING, STAMPING, purpose=TIME_STAMPING)),
    ("C05 extended usage asked for, another there", "extended-key-usage", leaf(SIGNING, SERVER, purpose=TIME_STAMPING)),
    ("C12 policy constraints", "unknown-critical-extension", leaf(SIGNING, POLICIES)),
    ("C21 leaf by RSA-2048", "not-sm2", lambda: leaf_by(RSA_2048, "sha256")),
    ("C21 authority by RSA-2048", "not-sm2", under_rsa(RSA_2048, "sha256")),
    ("C22 authority by RSA-1024 and SHA-1", "weak-algorithm", under_rsa(RSA_1024, "sha1")),
    ("C22 authority by RSA-1024 and MD5", "weak-algorithm", under_rsa(RSA_1024, "md5")),
    ("C22 authority by RSA-2048 and SHA-1", "weak-algorithm", under_rsa(RSA_2048, "sha1")),
    ("C22 leaf by RSA-2048 and SHA-1", "weak-algorithm", lambda: leaf_by(RSA_2048, "sha1")),
    ("C22 a root of RSA-1024 itself", "weak-algorithm", lambda: Case(root_by(RSA_1024), anchors=[root_by(RSA_1024)])),
    ("C22 RSA-1024 key certified with SM2", "weak-algorithm", leaf(spki=RSA_1024.spki)),
    ("C13 loop of two", "untrusted-root", loop),
    ("C13 mesh of four without a root", "untrusted-root", lambda: mesh(4, lambda: [pki.root().certificate])),
    ("C13 mesh of four under an expired root", "root-expired", lambda: mesh(4, expired_anchor)),
    ("C13 mesh of seven without a root", "path-limit", lambda: mesh(7, lambda: [pki.root().certificate])),
    ("C13 twenty authorities of one key, one of them real", "", lambda: wide(20, good=True)),
    ("C13 twenty authorities of one key, none real", "untrusted-root", lambda: wide(20, good=False)),
    ("C13 three that certify one another", "", all_orders_of_three),
    ("C13 a row of six with three certificates each, without a root", "path-limit", lambda: layers(6, 0, 3, pki.root("stranger"))),
    ("C13 a row of six with three certificates each, all expired", "ca-expired", lambda: layers(6, 3, 0, pki.root())),
    ("C13 a row of six with one good certificate among three, last", "", lambda: layers(6, 2, 1, pki.root())),
    ("C13 the same authorities fifteen times", "", twice),
    ("C16 no key identifiers", "", without_identifiers),
    ("C01 the last second", "", lambda: Case(pki.leaf("end"), at=DIES)),
]  # fmt: skip

"""Name constraints (row C11): each form permitted and excluded, and the forms and shapes that are refused unread."""

from __future__ import annotations

from collections.abc import Callable

from signing import constraints, der, names, oids
from signing.certs import Certificate, Extension
from signing.issue import Authority
from tests import pki
from tests.vectors.certs.chain import Case, Row, hand_made_ca

Tree = list[bytes]


def dns(text: str) -> bytes:
    return der.implicit(2, text.encode())


def mail(text: str) -> bytes:
    return der.implicit(1, text.encode())


def uri(text: str) -> bytes:
    return der.implicit(6, text.encode())


def ip(*octets: int) -> bytes:
    return der.implicit(7, bytes(octets))


def directory(*parts: tuple[str, str]) -> bytes:
    return der.explicit(4, names.encode(parts))


def tree(bases: Tree) -> bytes:
    return b"".join(der.seq(base) for base in bases)


def limits(permitted: Tree, excluded: Tree, critical: bool = True) -> Extension:
    parts = [der.tlv(0xA0 + place, tree(bases)) for place, bases in enumerate((permitted, excluded)) if bases]
    return Extension(oids.NAME_CONSTRAINTS, critical, der.seq(*parts))


def alternative(*general: bytes) -> Extension:
    return Extension(oids.SUBJECT_ALT_NAME, False, der.seq(*general))


def bearing(by: Authority, *general: bytes, **parts: object) -> Certificate:
    known = pki.identifiers(pki.signer("hand-made").public, by.signer.public)
    items = [pki.key_usage({0, 1}), *known, *([alternative(*general)] if general else [])]
    made: dict[str, object] = {
        "issuer": by.certificate.subject_der,
        "by": by.signer,
        "extensions": pki.extensions(*items),
    }
    return pki.certificate(**made | parts)


def limited(*items: Extension, key: str = "limited") -> Authority:
    known = pki.identifiers(pki.signer(key).public, pki.root().signer.public)
    return Authority(pki.signer(key), hand_made_ca(key, pki.constraints(True), pki.key_usage({5, 6}), *known, *items))


def leaf_with(
    *general: bytes, permitted: Tree | None = None, excluded: Tree | None = None, critical: bool = True, **parts: object
) -> Callable[[], Case]:
    """A leaf with these alternative names under an authority with these constraints."""

    def made() -> Case:
        by = limited(limits(permitted or [], excluded or [], critical))
        return Case(bearing(by, *general, **parts), [by.certificate])

    return made


def with_value(value: bytes) -> Callable[[], Case]:
    """An authority whose constraints are written thus."""

    def made() -> Case:
        by = limited(Extension(oids.NAME_CONSTRAINTS, True, value))
        return Case(bearing(by, dns("a.example")), [by.certificate])

    return made


def on_the_leaf() -> Case:
    own = pki.extensions(pki.key_usage({0, 1}), limits([dns("example")], []))
    return Case(pki.certificate(extensions=own))


def self_issued(leaf_too: bool) -> Case:
    """A key change certificate with a subject that the constraints would forbid; the leaf below obeys, or does not."""
    by = limited(limits([directory(("C", "CN"), ("O", "许可"))], []))
    name = by.certificate.subject_der
    fresh_key = pki.signer("limited-new")
    fresh = pki.certificate(
        serial=der.integer(78),
        issuer=name, subject=name, spki=pki.keys.spki(fresh_key.public), by=by.signer,
        extensions=pki.extensions(pki.constraints(True), *pki.identifiers(fresh_key.public, by.signer.public)),
    )  # fmt: skip
    below = Authority(fresh_key, fresh)
    subject = name if leaf_too else names.encode([("C", "CN"), ("O", "许可"), ("CN", "end")])
    return Case(bearing(below, subject=subject), [by.certificate, fresh])


def on_the_anchor() -> Case:
    signer = pki.signer("narrow-root")
    name = names.encode(pki.subject("narrow-root"))
    narrow = pki.certificate(
        issuer=name, subject=name, spki=pki.keys.spki(signer.public), by=signer,
        extensions=pki.extensions(pki.constraints(True), limits([dns("example")], [])),
    )  # fmt: skip
    return Case(bearing(Authority(signer, narrow), dns("a.test")), anchors=[narrow])


def two_levels(name: str) -> Callable[[], Case]:
    def made() -> Case:
        upper = limited(limits([dns("example")], []))
        key = pki.signer("lower")
        lower = pki.certificate(
            issuer=upper.certificate.subject_der, by=upper.signer, spki=pki.keys.spki(key.public),
            subject=names.encode(pki.subject("lower")),
            extensions=pki.extensions(
                pki.constraints(True), limits([dns("a.example"), dns("b.test")], []),
                *pki.identifiers(key.public, upper.signer.public),
            ),
        )  # fmt: skip
        return Case(bearing(Authority(key, lower), dns(name)), [upper.certificate, lower])

    return made


def too_many() -> Case:
    """Every name would have to be compared with every constraint; two certificates of 16 KiB hold enough to stall."""
    by = limited(limits([], [dns(f"x{place}") for place in range(700)]))
    return Case(bearing(by, *(dns(f"y{place}") for place in range(700))), [by.certificate])


CN, ELSEWHERE = ("C", "CN"), names.encode([("C", "CN"), ("O", "别处"), ("CN", "end")])
SUBJECT = [("C", "CN"), ("O", "测试")]
IN_CAPITALS = names.encode([("C", "CN"), ("O", "ACME"), ("CN", "end")])
WITH_MAIL = names.encode([("C", "CN"), ("CN", "end"), ("E", "a@bad.example")])
BAD, FAR = dns("bad.example"), directory(CN, ("O", "别处"))
OTHER = der.tlv(0xA0, der.oid("1.2.3") + der.explicit(0, der.null()))
BAD_CN = ("CN", "x")
OUT, FORM = "name-constraints", "name-constraints-form"
ROWS: list[Row] = [
    ("C11 dns permitted, equal", "", leaf_with(dns("example"), permitted=[dns("example")])),
    ("C11 dns permitted, below", "", leaf_with(dns("a.b.example"), permitted=[dns("example")])),
    ("C11 dns permitted, in capitals", "", leaf_with(dns("A.EXAMPLE"), permitted=[dns("example")])),
    ("C11 dns permitted, other", OUT, leaf_with(dns("a.test"), permitted=[dns("example")])),
    ("C11 dns permitted, only the ending of a label", OUT, leaf_with(dns("notexample"), permitted=[dns("example")])),
    ("C11 dns permitted, one of two names", OUT, leaf_with(dns("a.example"), dns("a.test"), permitted=[dns("example")])),
    ("C11 dns permitted, none borne", "", leaf_with(permitted=[dns("example")])),
    ("C11 dns permitted, all", "", leaf_with(dns("a.test"), permitted=[dns("")])),
    ("C11 dns excluded, equal", OUT, leaf_with(dns("bad.example"), excluded=[dns("bad.example")])),
    ("C11 dns excluded, below", OUT, leaf_with(dns("a.bad.example"), excluded=[dns("bad.example")])),
    ("C11 dns excluded, above", "", leaf_with(dns("example"), excluded=[dns("bad.example")])),
    ("C11 dns excluded, all", OUT, leaf_with(dns("a.test"), excluded=[dns("")])),
    ("C11 dns excluded wins over permitted", OUT, leaf_with(dns("bad.example"), permitted=[dns("example")], excluded=[BAD])),
    ("C11 dns wildcard permitted", "", leaf_with(dns("*.example"), permitted=[dns("example")])),
    ("C11 dns wildcard that covers an excluded host", OUT, leaf_with(dns("*.example"), excluded=[dns("bad.example")])),
    ("C11 dns not critical counts as well", OUT, leaf_with(dns("a.test"), permitted=[dns("example")], critical=False)),
    ("C11 dns leading period", FORM, leaf_with(dns("a.example"), permitted=[dns(".example")])),
    ("C11 dns name that is none", OUT, leaf_with(dns("a..example"), permitted=[dns("example")])),
    ("C11 directory permitted", "", leaf_with(permitted=[directory(*SUBJECT)])),
    ("C11 directory permitted, other", OUT, leaf_with(permitted=[directory(*SUBJECT)], subject=ELSEWHERE)),
    ("C11 directory permitted, longer than the name", OUT, leaf_with(permitted=[directory(*pki.subject("hand-made"), BAD_CN)])),
    ("C11 directory excluded", OUT, leaf_with(excluded=[directory(*SUBJECT)])),
    ("C11 directory excluded, other case", OUT, leaf_with(excluded=[directory(CN, ("O", "Acme"))], subject=IN_CAPITALS)),
    ("C11 directory excluded as alternative name", OUT, leaf_with(FAR, excluded=[FAR])),
    ("C11 mail permitted, host", "", leaf_with(mail("a@example"), permitted=[mail("example")])),
    ("C11 mail permitted, other host", OUT, leaf_with(mail("a@b.example"), permitted=[mail("example")])),
    ("C11 mail permitted, hosts below", "", leaf_with(mail("a@b.example"), permitted=[mail(".example")])),
    ("C11 mail permitted, mailbox", "", leaf_with(mail("a@EXAMPLE"), permitted=[mail("a@example")])),
    ("C11 mail permitted, other mailbox", OUT, leaf_with(mail("b@example"), permitted=[mail("a@example")])),
    ("C11 mail excluded in the subject", OUT, leaf_with(excluded=[mail("bad.example")], subject=WITH_MAIL)),
    ("C11 mail without host", OUT, leaf_with(mail("a"), permitted=[mail("example")])),
    ("C11 address permitted", "", leaf_with(ip(10, 1, 2, 3), permitted=[ip(10, 0, 0, 0, 255, 0, 0, 0)])),
    ("C11 address permitted, other", OUT, leaf_with(ip(11, 1, 2, 3), permitted=[ip(10, 0, 0, 0, 255, 0, 0, 0)])),
    ("C11 address permitted, version 6 under 4", OUT, leaf_with(ip(*range(16)), permitted=[ip(10, 0, 0, 0, 255, 0, 0, 0)])),
    ("C11 address excluded, version 6", OUT, leaf_with(ip(*range(16)), excluded=[ip(*range(16), *[255] * 15, 0)])),
    ("C11 address mask with holes", FORM, leaf_with(ip(10, 1, 2, 3), permitted=[ip(10, 0, 0, 0, 255, 0, 255, 0)])),
    ("C11 address of five octets", OUT, leaf_with(ip(1, 2, 3, 4, 5), permitted=[ip(10, 0, 0, 0, 255, 0, 0, 0)])),
    ("C11 uri permitted", "", leaf_with(uri("https://a.example/x"), permitted=[uri(".example")])),
    ("C11 uri excluded", OUT, leaf_with(uri("https://u@bad.example:8443?x"), excluded=[uri("bad.example")])),
    ("C11 uri without host", OUT, leaf_with(uri("urn:x:y"), permitted=[uri(".example")])),
    ("C11 uri with an address", OUT, leaf_with(uri("https://10.0.0.1/"), excluded=[uri("bad.example")])),
    ("C11 two levels, both satisfied", "", two_levels("x.a.example")),
    ("C11 two levels, the upper one not", OUT, two_levels("b.test")),
    ("C11 two levels, the lower one not", OUT, two_levels("b.example")),
    ("C11 self-issued authority is exempt", "", lambda: self_issued(leaf_too=False)),
    ("C11 self-issued leaf is not", OUT, lambda: self_issued(leaf_too=True)),
    ("C11 on the anchor", OUT, on_the_anchor),
    ("C11 on the leaf", FORM, on_the_leaf),
    ("C11 form not judged: registered id", FORM, with_value(der.seq(der.tlv(0xA0, tree([der.implicit(8, b"\x2a\x03")]))))),
    ("C11 form not judged: other name", FORM, with_value(der.seq(der.tlv(0xA1, tree([OTHER]))))),
    ("C11 minimum", FORM, with_value(der.seq(der.tlv(0xA0, der.seq(dns("example"), der.implicit(0, b"\1")))))),
    ("C11 nothing in it", FORM, with_value(der.seq())),
    ("C11 an empty tree", FORM, with_value(der.seq(der.tlv(0xA0, b"")))),
    ("C11 not a sequence", FORM, with_value(der.integer(1))),
    ("C11 more names than can be compared", OUT, too_many),
]  # fmt: skip
assert constraints.MAX_COMPARISONS < 700 * 700

"""Name constraints by themselves (row C11): which name each base covers, at its edges; chains are in tests/vectors/certs."""

from __future__ import annotations

import pytest

from signing import constraints, der, names
from signing.constraints import (
    ADDRESS,
    DIRECTORY,
    DNS,
    MAIL,
    MAX_COMPARISONS,
    MAX_NAMES,
    URI,
    GeneralName,
    NameConstraints,
)
from signing.errors import Malformed
from tests.vectors.certs.constrained import Tree, directory, dns, ip, mail, tree, uri

OID = der.tlv(0x88, b"\x2a\x03")


def one(tag: int, text: str | bytes) -> GeneralName:
    return GeneralName(tag, text.encode() if isinstance(text, str) else text)


def name(*parts: tuple[str, str]) -> bytes:
    return names.encode(parts)


LOCAL, NET = bytes((10, 1, 0, 0, 255, 255, 0, 0)), bytes((0x20, 1)) + bytes(14) + b"\xff" * 4 + bytes(12)
COVERS: list[tuple[int, str | bytes, str | bytes, bool]] = [
    (DNS, "a.example", "a.example", True), (DNS, "a.example", "b.a.example", True), (DNS, "a.example", "ba.example", False),
    (DNS, "A.Example", "x.a.eXample", True), (DNS, "a.example", "a.example.", True), (DNS, "", "any.where", True),
    (DNS, "a.example", "*.a.example", True), (DNS, "a.example", "example", False),
    (MAIL, "u@a.example", "u@A.example", True), (MAIL, "u@a.example", "U@a.example", False),
    (MAIL, "u@a.example", "u@b.example", False), (MAIL, "a.example", "v@a.example", True),
    (MAIL, "a.example", "v@b.a.example", False), (MAIL, ".a.example", "v@b.a.example", True),
    (MAIL, ".a.example", "v@a.example", False), (MAIL, "A.example", "v@a.Example", True),
    (MAIL, "a.example", "v@w@a.example", True),
    (URI, "a.example", "https://a.example/x", True), (URI, "a.example", "https://b.a.example", False),
    (URI, ".a.example", "http://b.a.example:80/?q#f", True), (URI, ".a.example", "http://a.example", False),
    (URI, "a.example", "ldap://user@a.example/x@b.example", True), (URI, "A.example", "HTTP://a.EXAMPLE", True),
    (ADDRESS, LOCAL, bytes((10, 1, 2, 3)), True), (ADDRESS, LOCAL, bytes((10, 2, 2, 3)), False),
    (ADDRESS, LOCAL, bytes(16), False), (ADDRESS, NET, bytes((0x20, 1)) + b"\0\0" + bytes(12), True),
    (ADDRESS, NET, bytes((0x20, 2)) + bytes(14), False), (ADDRESS, NET, bytes((0x20, 1, 0, 0)), False),
    (DIRECTORY, name(("O", "某局")), name(("O", "某局"), ("CN", "x")), True),
    (DIRECTORY, name(("O", "某局")), name(("O", "某局")), True),
    (DIRECTORY, name(("O", "某局")), name(("C", "CN"), ("O", "某局")), False),
    (DIRECTORY, name(("O", "some  Office")), name(("O", "SOME office ")), True),
    (DIRECTORY, name(("O", "Ａ1")), name(("O", "a1")), True), (DIRECTORY, name(("O", "a")), name(("OU", "a")), False),
    (DIRECTORY, name(("O", "a"), ("OU", "b")), name(("O", "a")), False),
]  # fmt: skip


@pytest.mark.parametrize(("form", "base", "borne", "covered"), COVERS)
def test_C11_what_a_base_covers(form: int, base: str | bytes, borne: str | bytes, covered: bool) -> None:
    limit, bearer = one(form, base), one(form, borne)
    assert NameConstraints((limit,), ()).refused([bearer]) == (None if covered else bearer)
    assert NameConstraints((), (limit,)).refused([bearer]) == (bearer if covered else None)


def test_C11_a_wildcard_may_stand_for_what_is_excluded_and_is_not_within_it() -> None:
    excluded = NameConstraints((), (one(DNS, "a.B.example"),))
    for text, refused in (
        ("*.b.example", True),
        ("*.b.example.", True),
        ("*.example", False),
        ("b.example", False),
        ("*.c.example", False),
    ):
        assert (excluded.refused([one(DNS, text)]) is not None) is refused
    assert NameConstraints((one(DNS, "a.b.example"),), ()).refused([one(DNS, "*.b.example")]) is not None
    assert excluded.refused([one(DNS, "qqb.example")]) is None
    assert NameConstraints((), (one(MAIL, "q.u@b.example"),)).refused([one(MAIL, "*.u@b.example")]) is None


def test_C11_any_of_the_permitted_is_enough_and_other_forms_are_free() -> None:
    limits = NameConstraints((one(DNS, "a.example"), one(DNS, "b.example")), (one(DNS, "x.b.example"),))
    assert limits.refused([one(DNS, "a.example"), one(DNS, "y.b.example"), one(MAIL, "not judged")]) is None
    assert limits.refused([one(MAIL, "not judged"), one(DNS, "a.example"), one(DNS, "x.b.example")]) == one(
        DNS, "x.b.example"
    )
    assert limits.refused([one(DNS, "c.example")]) == one(DNS, "c.example")


BAD: list[tuple[int, str | bytes, str | bytes]] = [
    (DNS, "a.example", "a..example"), (DNS, "a.example", "a example"), (DNS, "a.example", "*.*.example"), (DNS, "a.example", ""),
    (DNS, "a.example", "名.example"), (DNS, "a.example", "a" * 64 + ".example"), (DNS, "a.example", ".a.example"),
    (MAIL, "a.example", "a.example"), (MAIL, "a.example", "@a.example"), (MAIL, "a.example", "u@"), (MAIL, "a.example", "u@a b"),
    (MAIL, "a.example", b"u@\xff.example"), (URI, "a.example", "urn:x"), (URI, "a.example", "https://10.0.0.1/"),
    (URI, "a.example", "https://[::1]/"), (URI, "a.example", "https:///x"), (URI, "a.example", "https://a..example/"),
    (ADDRESS, LOCAL, bytes(5)), (ADDRESS, LOCAL, b""), (ADDRESS, LOCAL, bytes(8)),
]  # fmt: skip


@pytest.mark.parametrize(("form", "base", "borne"), BAD)
def test_C11_a_name_that_cannot_be_compared_is_malformed(form: int, base: str | bytes, borne: str | bytes) -> None:
    for limits in (NameConstraints((one(form, base),), ()), NameConstraints((), (one(form, base),))):
        with pytest.raises(Malformed) as caught:
            limits.refused([one(form, borne)])
        assert caught.value.code == "name-constraints-form" and caught.value.zh and caught.value.en


def test_C20_names_times_constraints_are_bounded() -> None:
    limits = NameConstraints((one(DNS, ""),) * 128, (one(MAIL, "a.example"),) * 128)
    many = [one(DNS, "a.example")] * (MAX_COMPARISONS // 256)
    assert limits.refused(many) is None
    with pytest.raises(Malformed):
        limits.refused([*many, many[0]])


def value(permitted: Tree, excluded: Tree) -> bytes:
    return der.seq(*(der.tlv(0xA0 + place, tree(bases)) for place, bases in enumerate((permitted, excluded)) if bases))


def test_constraints_are_read_back() -> None:
    bases = [
        dns("a.example"), dns(""), dns("_x.example"), mail("u@a.example"), mail(".a.example"), uri(".a.example"), uri("a.example"),
        ip(*LOCAL), der.tlv(ADDRESS, NET), ip(*bytes(8)), ip(1, 2, 3, 4, 255, 255, 255, 255), directory(("O", "a")),
    ]  # fmt: skip
    forms = [DNS, DNS, DNS, MAIL, MAIL, URI, URI, ADDRESS, ADDRESS, ADDRESS, ADDRESS, DIRECTORY]
    for permitted, excluded in ((bases, []), ([], bases), (bases, bases[:1])):
        read = constraints.read(value(permitted, excluded))
        assert [base.tag for base in read.permitted] == (forms if permitted else [])
        assert [base.tag for base in read.excluded] == forms[: len(excluded)]
    assert constraints.read(value([directory(("O", "a"))], [])).permitted == (one(DIRECTORY, name(("O", "a"))),)
    assert len(constraints.read(value([dns("a.example")] * MAX_NAMES, [])).permitted) == MAX_NAMES


@pytest.mark.parametrize(
    "data",
    [
        der.seq(), der.seq(der.tlv(0xA2, tree([dns("a")]))), der.seq(der.tlv(0xA0, b"")), der.seq(der.tlv(0xA1, b"")),
        der.seq(der.tlv(0xA1, tree([dns("a")])), der.tlv(0xA0, tree([dns("a")]))),
        der.seq(der.tlv(0xA0, tree([dns("a")])), der.tlv(0xA0, tree([dns("a")]))),
        value([OID], []), value([dns(".a.example")], []), value([dns("*.a.example")], []), value([dns("a.example.")], []),
        value([dns("a b")], []),
        value([mail("@a.example")], []), value([mail("u@")], []), value([mail("u@.a.example")], []), value([mail("")], []),
        value([uri("https://a.example")], []), value([uri("")], []), value([ip(1, 2, 3, 4)], []), value([ip(*bytes(16))], []),
        value([ip(10, 0, 0, 0, 255, 0, 255, 0)], []), value([ip(10, 0, 0, 0, 0, 0, 0, 255)], []),
        value([der.tlv(DIRECTORY, b"")], []),
        value([der.octets(b"a")], []), der.seq(der.tlv(0xA0, der.seq(dns("a.example"), der.tlv(0x80, b"\0")))),
        der.seq(der.tlv(0xA0, der.seq(dns("a.example"), der.tlv(0x81, b"\1")))),
        value([dns("a.example")] * (MAX_NAMES + 1), []),
        value([der.tlv(DNS, b"\xff.example")], []), value([der.tlv(MAIL, b"u@\xff")], []), value([der.tlv(URI, b"\xff")], []),
    ],
)  # fmt: skip
def test_C11_constraints_that_could_be_read_in_two_ways_are_not_guessed_at(data: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        constraints.read(data)
    assert caught.value.zh and caught.value.en


def test_a_base_has_two_bounds_at_most() -> None:
    bounds = [der.tlv(0x80 + number, b"\0") for number in range(3)]
    for count, code in ((1, "name-constraints-form"), (2, "name-constraints-form"), (3, "der-count")):
        with pytest.raises(Malformed) as caught:
            constraints.read(der.seq(der.tlv(0xA0, der.seq(dns("a.example"), *bounds[:count]))))
        assert caught.value.code == code


def test_the_names_that_a_certificate_bears() -> None:
    subject = name(("O", "a"), ("E", "u@a.example"), ("E", "v@a.example"))
    borne = constraints.names_of(subject, der.seq(dns("a.example"), directory(("CN", "b"))))
    assert borne == [
        one(DIRECTORY, subject), one(MAIL, "u@a.example"), one(MAIL, "v@a.example"), one(DNS, "a.example"),
        one(DIRECTORY, name(("CN", "b"))),
    ]  # fmt: skip
    assert constraints.names_of(der.seq(), None) == []
    assert len(constraints.names_of(der.seq(), der.seq(*[dns("a")] * MAX_NAMES))) == MAX_NAMES
    with pytest.raises(Malformed):
        constraints.names_of(der.seq(), der.seq(*[dns("a")] * (MAX_NAMES + 1)))
    for broken in (der.seq(), der.seq(der.integer(1)), der.seq(der.tlv(DIRECTORY, b"")), b""):
        with pytest.raises(Malformed):
            constraints.names_of(subject, broken)


@pytest.mark.parametrize(
    ("borne", "text"),
    [
        (one(DIRECTORY, name(("O", "a"), ("CN", "b"))), "CN=b,O=a"), (one(ADDRESS, bytes((10, 0, 0, 1))), "0a000001"),
        (one(DNS, "a\0b"), "a\\00b"), (one(MAIL, b"\xff@x"), "\ufffd@x"),
    ],
)  # fmt: skip
def test_C19_names_are_shown_escaped(borne: GeneralName, text: str) -> None:
    assert constraints.shown(borne) == text

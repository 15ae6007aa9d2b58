"""Certificates read: what goes in comes out, what breaks a rule is named, what cannot be read is Malformed."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing import certs, der, issue, keys, names, oids
from signing.certs import Extension
from signing.errors import Malformed
from signing.sm3 import sm3
from tests import pki

MOMENTS = st.integers(-599_000_000, 4_733_000_000).map(
    lambda seconds: datetime.fromtimestamp(seconds, UTC)
)  # 1951-2119
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)


@given(
    values=st.lists(st.tuples(st.sampled_from(["O", "OU", "CN", "L"]), TEXT), min_size=1, max_size=4, unique=True),
    serial=st.integers(1, (1 << 159) - 1),
    start=MOMENTS,
    days=st.integers(0, 3000),
    profile=st.sampled_from(sorted(issue.PROFILES)),
)
def test_what_is_issued_is_read_back(
    values: list[tuple[str, str]], serial: int, start: datetime, days: int, profile: str
) -> None:
    until = start + timedelta(days=days)
    data = issue.build_certificate(
        pki.root(),
        subject=values,
        public_key=pki.signer("holder").public,
        serial=serial,
        not_before=start,
        not_after=until,
        profile=profile,
    )
    read = certs.parse(data)
    assert read.der == data and read.tbs in data
    assert (read.serial, read.not_before, read.not_after) == (serial, start, until)
    assert [text for _, text in names.attributes(read.subject_der)] == [text for _, text in values]
    assert read.public_key == pki.signer("holder").public
    assert read.key_usage == frozenset(issue.PROFILES[profile].usages)
    assert read.is_ca is issue.PROFILES[profile].is_ca
    assert read.aki == pki.root().certificate.ski
    assert read.defects == () and read.unknown_critical == ()


def test_pem_of_several_certificates() -> None:
    both = certs.to_pem(pki.root().certificate.der) + b"text between\n" + certs.to_pem(pki.leaf("a").der)
    assert certs.all_from_pem(both) == [pki.root().certificate, pki.leaf("a")]
    assert certs.from_pem(both) == pki.root().certificate == certs.load(pki.root().certificate.der)[0]


@pytest.mark.parametrize("data", [b"", b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----", b"\xff" * 100])
def test_pem_that_is_none(data: bytes) -> None:
    with pytest.raises(Malformed):
        certs.load(data)


@pytest.mark.parametrize(
    ("defect", "parts"),
    [
        ("serial-number", {"serial": der.integer(0)}),
        ("serial-number", {"serial": der.integer(-5)}),
        ("serial-number", {"serial": der.integer(1 << 160)}),
        ("issuer-empty", {"issuer": der.seq()}),
        ("subject-empty", {"subject": der.seq()}),
        ("duplicate-name-part", {"subject": names.encode([("CN", "a"), ("CN", "a")])}),
    ],
)
def test_C14_rules_of_form(defect: str, parts: dict[str, bytes]) -> None:
    assert pki.certificate(**parts).defects == (defect,)


def test_C14_duplicate_extension_cannot_be_read() -> None:
    twice = pki.extensions(pki.key_usage({0}), pki.key_usage({5}))
    with pytest.raises(Malformed) as caught:
        pki.certificate(extensions=twice)
    assert caught.value.code == "duplicate-extension"


def test_an_empty_subject_is_allowed_beside_a_critical_alternative_name() -> None:
    name = Extension(oids.SUBJECT_ALT_NAME, True, der.seq(der.implicit(2, b"a.example")))
    assert pki.certificate(subject=der.seq(), extensions=pki.extensions(name)).defects == ()


def test_C15_inner_and_outer_algorithm_differ() -> None:
    with_null = der.seq(der.oid(oids.SM2_WITH_SM3), der.null())
    assert pki.certificate(outer=with_null).defects == ("algorithm-mismatch",)
    assert pki.certificate(inner=with_null).defects == ("algorithm-mismatch",)
    ecdsa = der.seq(der.oid("1.2.840.10045.4.3.2"))
    assert "algorithm-mismatch" in pki.certificate(inner=ecdsa).defects


def test_C15_null_and_absent_parameters_are_both_read() -> None:
    with_null = der.seq(der.oid(oids.SM2_WITH_SM3), der.null())
    assert pki.certificate(inner=with_null, outer=with_null).defects == ()
    other = der.seq(der.oid(oids.SM2_WITH_SM3), der.integer(1))
    assert pki.certificate(inner=other, outer=other).defects == ("algorithm-parameters",)


@pytest.mark.parametrize(
    ("validity", "defects"),
    [
        (der.seq(der.utime(pki.DIES), der.utime(pki.BORN)), ("validity-inverted",)),
        (der.seq(der.utime(pki.BORN), der.gtime(pki.DIES)), ("time-form",)),
        (der.seq(der.utime(pki.BORN), der.gtime(datetime(2050, 1, 1, tzinfo=UTC))), ()),
        (der.seq(der.utime(pki.BORN), der.gtime(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))), ()),
        (der.seq(der.utime(pki.BORN), der.tlv(der.GENERALIZED_TIME, b"20510101000000.5Z")), ("time-form",)),
    ],
)
def test_C02_validity_and_its_time_forms(validity: bytes, defects: tuple[str, ...]) -> None:
    assert pki.certificate(validity=validity).defects == defects


def test_C02_two_digit_years_end_in_2049() -> None:
    read = pki.certificate(
        validity=der.seq(der.tlv(der.UTC_TIME, b"500101000000Z"), der.tlv(der.UTC_TIME, b"491231235959Z"))
    )
    assert (read.not_before.year, read.not_after.year) == (1950, 2049)


@pytest.mark.parametrize(
    ("problem", "spki"),
    [
        ("key-curve", der.seq(der.seq(der.oid(oids.EC_PUBLIC_KEY), der.seq(der.integer(1))), der.bits(bytes(65)))),
        (
            "key-curve",
            der.seq(der.seq(der.oid(oids.EC_PUBLIC_KEY), der.oid("1.2.840.10045.3.1.7")), der.bits(bytes(65))),
        ),
        ("key-curve", der.seq(der.seq(der.oid("1.2.840.113549.1.1.1"), der.null()), der.bits(b"\x30\x00"))),
        (
            "public-key-form",
            der.seq(der.seq(der.oid(oids.EC_PUBLIC_KEY), der.oid(oids.SM2_CURVE)), der.bits(b"\x02" + bytes(32))),
        ),
        (
            "public-key-off-curve",
            der.seq(der.seq(der.oid(oids.EC_PUBLIC_KEY), der.oid(oids.SM2_CURVE)), der.bits(b"\x04" + bytes(64))),
        ),
    ],
)
def test_S23_keys_other_than_on_the_named_curve(problem: str, spki: bytes) -> None:
    read = pki.certificate(spki=spki)
    assert read.public_key is None and read.key_problem == problem


def test_the_curve_as_key_algorithm_is_read() -> None:
    public = pki.signer("x").public
    spki = der.seq(der.seq(der.oid(oids.SM2_CURVE)), der.bits(public.point))
    assert pki.certificate(spki=spki).public_key == public


@pytest.mark.parametrize(
    ("value", "usage", "padded"),
    [
        ("030200c6", {0, 1, 5, 6}, True), ("030206c0", {0, 1}, False), ("030205c0", {0, 1}, True), ("030100", set(), False),
        ("03020000", set(), True), ("0303000080", {8}, True), ("0303070080", {8}, False),
    ],
)  # fmt: skip
def test_key_usage_is_read_as_its_bits_stand(value: str, usage: set[int], padded: bool) -> None:
    """Real test authorities write 03 02 00 C6, with the zero bit that DER leaves out."""
    read = pki.certificate(extensions=pki.extensions(Extension(oids.KEY_USAGE, True, bytes.fromhex(value))))
    assert read.key_usage == {certs.KEY_USAGES[position] for position in usage} and read.usage_padded is padded
    assert read.defects == ()


@pytest.mark.parametrize("value", ["030206c6", "030208c0", "0300", "030107", "0402c0c0"])
def test_key_usage_that_could_be_read_in_two_ways_is_malformed(value: str) -> None:
    with pytest.raises(Malformed):
        pki.certificate(extensions=pki.extensions(Extension(oids.KEY_USAGE, True, bytes.fromhex(value))))


@pytest.mark.parametrize(
    ("oid", "critical", "listed"),
    [
        ("1.2.3.4", True, True),
        ("1.2.3.4", False, False),
    ],
)
def test_C12_unknown_critical_extensions_are_listed(oid: str, critical: bool, listed: bool) -> None:
    read = pki.certificate(extensions=pki.extensions(Extension(oid, critical, der.seq())))
    assert read.unknown_critical == ((oid,) if listed else ())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\0b", "a\\00b"),
        ("a\x1b[31mb", "a\\1B[31mb"),
        ("evil\u202egnp", "evil\\E2\\80\\AEgnp"),
        ("a,b=c", "a\\,b\\=c"),
        ("line\u2028two", "line\\E2\\80\\A8two"),
        (" #x ", "\\ #x\\ "),
        ("#x", "\\#x"),
    ],
)
def test_C19_subjects_are_shown_escaped(text: str, shown: str) -> None:
    assert pki.certificate(subject=names.encode([("CN", text)])).subject == f"CN={shown}"


def test_C19_every_text_can_be_shown() -> None:
    assert names.escape("\ud800") == "\\ED\\A0\\80" and names.escape("a b ") == "a b\\ " and names.escape("a#") == "a#"
    assert names.escape(" ") == "\\ " and names.escape("") == "" and names.escape("\u2029") == "\\E2\\80\\A9"


def test_C19_another_string_type_is_another_name() -> None:
    one = names.encode([("CN", "A")])
    other = der.seq(der.set_of(der.seq(der.oid(names.OIDS["CN"]), der.tlv(der.BMP, "A".encode("utf-16-be")))))
    assert names.display(one) == names.display(other) and one != other
    read = pki.certificate(issuer=other, subject=one)
    assert not read.self_issued


def test_C20_a_large_certificate_is_refused_quickly() -> None:
    many = der.seq(*(der.implicit(2, b"host%d.example" % number) for number in range(10_000)))
    data = pki.Parts(extensions=pki.extensions(Extension(oids.SUBJECT_ALT_NAME, False, many))).build()
    start = time.process_time()
    for bomb in (data, b"\x30\x83\xa0\x00\x00" + bytes(10 << 20)):
        with pytest.raises(Malformed):
            certs.parse(bomb)
    assert time.process_time() - start < 2


def test_C20_nesting_and_endless_numbers_are_refused() -> None:
    nested = b""
    for _ in range(3000):
        nested = der.seq(nested)
    huge_oid = der.tlv(der.OID, b"\x2a" + b"\xff" * 3000 + b"\x7f")
    for value in (nested, der.seq(huge_oid)):
        with pytest.raises(Malformed):
            pki.certificate(extensions=pki.extensions(Extension(oids.EXTENDED_KEY_USAGE, False, value)))


@pytest.mark.parametrize(
    "parts",
    [
        {"version": der.explicit(0, der.integer(3))},
        {"version": der.explicit(0, der.integer(0))},
        {"version": b"", "extensions": pki.extensions(pki.key_usage({0}))},
        {"validity": der.seq(der.utime(pki.BORN))},
        {"spki": der.integer(1)},
        {"subject": der.integer(1)},
        {
            "extensions": pki.extensions(
                Extension(oids.BASIC_CONSTRAINTS, True, der.seq(der.boolean(True), der.integer(-1)))
            )
        },
        {"extensions": pki.extensions(Extension(oids.KEY_USAGE, True, der.octets(b"x")))},
        {"extensions": der.seq(der.integer(1))},
    ],
)
def test_what_is_no_certificate(parts: dict[str, bytes]) -> None:
    if "spki" in parts:
        assert pki.certificate(**parts).public_key is None
        return
    with pytest.raises(Malformed):
        pki.certificate(**parts)


def test_every_truncation_and_many_bit_flips_end_in_a_verdict() -> None:
    data = pki.leaf("fuzz", "tls-server").der
    for length in range(len(data)):
        with pytest.raises(Malformed):
            certs.parse(data[:length])
    for place in range(len(data)):
        for bit in (0x01, 0x80):
            changed = bytearray(data)
            changed[place] ^= bit
            try:
                certs.parse(bytes(changed))
            except Malformed:
                continue


@given(st.binary(max_size=300))
def test_noise_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        certs.parse(data)


def test_names_as_typed() -> None:
    parts = names.parse_text("CN=张三\\, 主任, O = 硚口区 ,C=CN")
    assert parts == [("C", "CN"), ("O", "硚口区"), ("CN", "张三, 主任")]
    assert names.display(names.encode(parts)) == "CN=张三\\, 主任,O=硚口区,C=CN"
    for wrong, part in (("", ""), ("CN", "CN"), ("CN=", "CN="), ("C=CN, XY=1\\,2 ", "XY=1,2"), ("CN=a,,", "")):
        with pytest.raises(ValueError) as caught:
            names.parse_text(wrong)
        assert caught.value.args == (part,)
    assert names.parse_text("CN=a=b") == [("CN", "a=b")]
    name = names.encode(parts)
    more = names.with_part(name, ("OU", "x"))
    assert names.display(more) == "CN=张三\\, 主任,OU=x,O=硚口区,C=CN"
    assert names.common_name(name) == "张三\\, 主任" and names.common_name(names.encode([("O", "x")])) == "O=x"


def test_words_in_a_name() -> None:
    name = names.encode([("O", "某局（测试）"), ("CN", "x")])
    assert names.contains(name, "测试") and names.contains(name, "x") and not names.contains(name, "某局x")


def test_each_part_in_its_string_type_and_before_the_last() -> None:
    kinds = {
        "C": der.PRINTABLE,
        "serialNumber": der.PRINTABLE,
        "E": der.IA5,
        "DC": der.IA5,
        "O": der.UTF8,
        "CN": der.UTF8,
    }
    name = names.encode([(short, "a") for short in kinds])
    found = [part.children()[0].as_seq() for part in der.parse(name).as_seq()]
    assert [(kind.as_oid(), value.tag) for kind, value in found] == [
        (names.OIDS[one], tag) for one, tag in kinds.items()
    ]
    one = names.encode([("CN", "a")])
    assert names.attributes(names.with_part(one, ("OU", "b"))) == [(names.OIDS["OU"], "b"), (names.OIDS["CN"], "a")]


def test_mail_and_domain_parts_are_ascii() -> None:
    name = names.encode([("DC", "cn"), ("DC", "cn"), ("E", "a@b.example")])
    assert names.display(name) == "E=a@b.example,DC=cn,DC=cn" and not names.repeats(name)
    with pytest.raises(ValueError):
        names.encode([("E", "邮箱")])


def test_a_name_in_an_unknown_string_type_is_shown_in_hex() -> None:
    name = der.seq(der.set_of(der.seq(der.oid(names.OIDS["CN"]), der.octets(b"\1"))))
    broken = der.seq(der.set_of(der.seq(der.oid("1.2.3"), der.tlv(der.UTF8, b"\xff"))))
    assert names.display(name) == "CN=\\#040101" and names.display(broken) == "1.2.3=\\#0c01ff"


def test_keys_and_hashes_of_equal_certificates() -> None:
    data = pki.leaf("same").der
    read = certs.parse(data)
    assert len({read, certs.parse(bytes(bytearray(data)))}) == 1
    assert read.fingerprint == sm3(data).hex() and read.issuer == pki.root().certificate.subject
    assert repr(read) == f"Certificate({read.subject})"
    assert keys.public_from_spki(keys.spki(pki.signer("same").public)) == certs.parse(data).public_key

"""Certificates at their limits: what is just within is read, what is just beyond is refused with its code."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from signing import certs, der, keys, oids
from signing.certs import Certificate, Extension
from signing.errors import Malformed
from tests import pki
from tests.vectors.certs.rsa import RSA_1024, RSA_2048

ROOT = pki.root()
LEAF = pki.leaf("end")


def code_of(read: Callable[[], object]) -> str:
    with pytest.raises(Malformed) as caught:
        read()
    assert caught.value.zh and caught.value.en
    return caught.value.code


def extended(*items: Extension, **parts: bytes) -> Certificate:
    return pki.certificate(extensions=pki.extensions(*items), **parts)


def filler(size: int, oid: str = "1.2.3") -> Extension:
    return Extension(oid, False, der.octets(bytes(size)))


def test_C20_a_certificate_of_16_kib_is_read_and_no_larger_one() -> None:
    made = [pki.Parts(extensions=pki.extensions(filler(size))).build() for size in range(15_950, 15_980)]
    sizes = {len(data) for data in made}
    assert certs.MAX_BYTES in sizes and min(sizes) < certs.MAX_BYTES < max(sizes)
    for data in made:
        if len(data) <= certs.MAX_BYTES:
            assert certs.parse(data).der == data
        else:
            assert code_of(lambda data=data: certs.parse(data)) == "certificate-size"


def test_C20_lists_inside_a_certificate_are_bounded() -> None:
    some = [filler(0, f"1.2.3.{number}") for number in range(65)]
    assert len(extended(*some[:64]).extensions) == 64
    assert code_of(lambda: extended(*some)) == "der-count"
    usages = [der.oid(f"1.2.3.{number}") for number in range(65)]
    read = extended(Extension(oids.EXTENDED_KEY_USAGE, False, der.seq(*usages[:64])))
    assert read.extended_usage == tuple(f"1.2.3.{number}" for number in range(64))
    for wrong in (der.seq(*usages), der.seq()):
        assert code_of(lambda wrong=wrong: extended(Extension(oids.EXTENDED_KEY_USAGE, False, wrong))) == "der-count"


@pytest.mark.parametrize("count", [0, 1, 64, 65])
def test_a_pem_file_has_1_to_64_certificates(count: int) -> None:
    data = certs.to_pem(LEAF.der) * count
    if 1 <= count <= 64:
        assert certs.load(data) == [LEAF] * count and certs.from_pem(data) == LEAF
    else:
        assert code_of(lambda: certs.load(data)) == "pem-form"
    assert code_of(lambda: certs.all_from_pem(certs.to_pem(LEAF.der) * 3, limit=2)) == "pem-form"


def test_pem_blocks_of_a_label_only() -> None:
    both = certs.to_pem(LEAF.der) + keys.to_pem("X509 CRL", b"list")
    assert certs.pem_blocks(both, "X509 CRL") == [b"list"] and certs.pem_blocks(both, "CERTIFICATE") == [LEAF.der]
    broken = b"-----BEGIN X-----\n" + b"AAA" + b"\n-----END X-----"
    assert code_of(lambda: certs.pem_blocks(broken, "X")) == "pem-form"


UNIQUE = (der.implicit(1, b"\0x"), der.implicit(2, b"\0x"))
USUAL = der.explicit(3, pki.extensions(pki.key_usage({0})))


def with_fields(*last: bytes, version: bytes | None = None) -> Certificate:
    parts = pki.Parts(**({} if version is None else {"version": version}))
    tbs = der.seq(
        parts.version, parts.serial, parts.inner, parts.issuer, parts.validity, parts.subject, parts.spki, *last
    )
    return certs.parse(der.seq(tbs, parts.outer, der.bits(b"s")))


def test_the_fields_after_the_key() -> None:
    assert with_fields(*UNIQUE, USUAL).key_usage == frozenset({"digitalSignature"})
    assert (
        with_fields().extensions
        == with_fields(UNIQUE[0]).extensions
        == with_fields(der.tlv(0xA3, b"")).extensions
        == ()
    )
    two = der.explicit(0, der.integer(1))
    assert with_fields(*UNIQUE, version=two).version == 2 and with_fields(version=b"").version == 1
    assert with_fields().version == 3
    wrong: list[tuple[bytes, ...]] = [(USUAL, UNIQUE[0]), (UNIQUE[1], UNIQUE[0]), (UNIQUE[0], UNIQUE[0]), (der.null(),)]
    for last in wrong:
        assert code_of(lambda last=last: with_fields(*last)) == "certificate-form"
    for version in (two, b""):
        assert code_of(lambda version=version: with_fields(USUAL, version=version)) == "certificate-form"
    for version in (der.explicit(0, der.integer(0)), der.explicit(0, der.integer(3)), der.tlv(0xA0, b"")):
        assert code_of(lambda version=version: with_fields(version=version)) == "certificate-version"


def test_a_version_before_too_few_fields() -> None:
    members = [member.raw for member in der.parse(pki.Parts(extensions=None).tbs()).as_seq()]
    data = der.seq(der.seq(*members[:6]), pki.SM2_WITH_SM3, der.bits(b"s"))
    assert code_of(lambda: certs.parse(data)) == "certificate-version"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (der.seq(), (False, None)), (der.seq(der.boolean(True)), (True, None)), (der.seq(b"\x01\x01\x00"), (False, None)),
        (der.seq(der.boolean(True), der.integer(0)), (True, 0)), (der.seq(der.boolean(True), der.integer(3)), (True, 3)),
        (der.seq(der.integer(1)), (False, 1)),
    ],
)  # fmt: skip
def test_basic_constraints(value: bytes, found: tuple[bool, int | None]) -> None:
    read = extended(Extension(oids.BASIC_CONSTRAINTS, True, value))
    assert (read.is_ca, read.path_len) == found


def test_members_that_are_too_many() -> None:
    length = der.seq(der.boolean(True), der.integer(1), der.null())
    key = der.seq(*(der.implicit(number, b"k") for number in (0, 1, 2, 3)))
    rsa = der.seq(der.seq(der.oid(oids.RSA), der.null()), der.bits(b""), der.null())
    for extension in (Extension(oids.BASIC_CONSTRAINTS, True, length), Extension(oids.AUTHORITY_KEY_ID, False, key)):
        assert code_of(lambda extension=extension: extended(extension)) == "der-count"
    assert pki.certificate(spki=rsa).key_problem == "der-count"


def test_an_rsa_key_is_told_by_the_length_of_its_modulus() -> None:
    assert [pki.certificate(spki=key.spki).key_problem for key in (RSA_1024, RSA_2048)] == ["rsa-1024", "rsa-2048"]


def test_a_negative_path_length_is_none() -> None:
    value = der.seq(der.boolean(True), der.integer(-1))
    assert code_of(lambda: extended(Extension(oids.BASIC_CONSTRAINTS, True, value))) == "certificate-form"


def test_the_authoritys_key_identifier() -> None:
    serial, name = der.implicit(2, b"\1"), der.tlv(0xA1, b"")
    for value, aki in (
        (der.seq(der.implicit(0, b"key"), name, serial), b"key"),
        (der.seq(name, serial), None),
        (der.seq(), None),
    ):
        assert extended(Extension(oids.AUTHORITY_KEY_ID, False, value)).aki == aki
    assert LEAF.aki == ROOT.certificate.ski and extended(filler(1)).aki is None
    assert (
        certs.authority_key_id([filler(1), Extension(oids.AUTHORITY_KEY_ID, False, der.seq(der.implicit(0, b"k")))])
        == b"k"
    )


def test_algorithms_of_a_certificate() -> None:
    plain, null = der.seq(der.oid(oids.SM2_WITH_SM3)), der.seq(der.oid(oids.SM2_WITH_SM3), der.null())
    assert [certs.algorithm(der.parse(one)) for one in (plain, null)] == [(oids.SM2_WITH_SM3, True)] * 2
    assert certs.algorithm(der.parse(der.seq(der.oid("1.2.3"), der.integer(1)))) == ("1.2.3", False)
    with pytest.raises(Malformed):
        certs.algorithm(der.parse(der.seq(der.oid("1.2.3"), der.null(), der.null())))


def test_an_extension_has_two_or_three_members() -> None:
    head = (der.oid("1.2.3"), der.boolean(True))
    assert certs.read_extensions(der.parse(der.seq(der.seq(*head, der.octets(b"x"))))) == (
        Extension("1.2.3", True, b"x"),
    )
    for members in ((*head, der.octets(b""), der.octets(b"")), head[:1]):
        wrong = der.parse(der.seq(der.seq(*members)))
        assert code_of(lambda wrong=wrong: certs.read_extensions(wrong)) == "der-count"


def test_which_extensions_need_not_be_known() -> None:
    known = (oids.EXTENDED_KEY_USAGE, oids.SUBJECT_ALT_NAME, oids.CRL_POINTS, oids.POLICIES)
    values = (der.seq(der.oid("1.2.3")), der.seq(der.implicit(2, b"a.example")), der.seq(), der.seq())
    items = [Extension(oid, True, value) for oid, value in zip(known, values, strict=True)]
    read = extended(
        *items, Extension("1.2.3", True, b""), Extension("1.2.4", True, b""), Extension("1.2.5", False, b"")
    )
    assert read.unknown_critical == ("1.2.3", "1.2.4")
    assert read.extension("1.2.5") == b"" and read.extension("1.2.6") is None

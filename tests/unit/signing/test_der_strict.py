"""The strict DER reader and its writers: round trips, every sloppy form refused, bounded work on hostile input."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from signing import der
from signing.errors import Malformed
from signing.sm2 import N

ARCS = st.tuples(st.integers(0, 2), st.integers(0, 39), st.lists(st.integers(0, 1 << 60), max_size=8))
MOMENTS = st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31, 23, 59, 59)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)


@given(st.integers(-(1 << 2000), 1 << 2000))
def test_integers_round_trip(value: int) -> None:
    assert der.parse(der.integer(value)).as_int() == value


@given(ARCS)
def test_object_identifiers_round_trip(arcs: tuple[int, int, list[int]]) -> None:
    dotted = ".".join(map(str, [arcs[0], arcs[1], *arcs[2]]))
    assert der.parse(der.oid(dotted)).as_oid() == dotted


@given(st.binary(max_size=70_000))
def test_strings_of_octets_and_bits_round_trip(value: bytes) -> None:
    assert der.parse(der.octets(value)).as_octets() == value
    assert der.parse(der.bits(value)).as_bits() == value


@given(st.text(max_size=60))
def test_text_round_trips(value: str) -> None:
    assert der.parse(der.utf8(value)).as_text() == value
    assert der.parse(der.tlv(der.BMP, value.encode("utf-16-be", "surrogatepass"))).as_text() == value


@given(st.sets(st.integers(0, 200), max_size=12))
def test_named_bits_round_trip(positions: set[int]) -> None:
    assert der.parse(der.flags(positions)).as_flags() == positions


@given(MOMENTS)
def test_times_round_trip(moment: datetime) -> None:
    assert der.parse(der.gtime(moment)).as_time() == moment
    if 1950 <= moment.year < 2050:
        assert der.parse(der.utime(moment)).as_time() == moment


def test_times_are_written_in_utc_and_must_know_their_zone() -> None:
    beijing = datetime(2026, 11, 20, 8, 0, tzinfo=timezone(timedelta(hours=8)))
    assert der.utime(beijing) == b"\x17\x0d261120000000Z"
    for writer in (der.gtime, der.utime):
        with pytest.raises(ValueError):
            writer(datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(ValueError):
        der.utime(datetime(2050, 1, 1, tzinfo=UTC))


def test_the_rest_round_trips() -> None:
    whole = der.seq(
        der.boolean(True), der.boolean(False), der.null(), der.ia5("a@b"), der.printable("Hubei (42)"),
        der.explicit(0, der.integer(5)), der.implicit(1, b"x"), der.implicit(2, der.null(), constructed=True),
    )  # fmt: skip
    yes, no, nothing, mail, name, explicit, implicit, built = der.parse(whole).as_seq()
    assert (yes.as_bool(), no.as_bool(), mail.as_text(), name.as_text()) == (True, False, "a@b", "Hubei (42)")
    assert nothing.as_null() is None
    assert explicit.tag == 0xA0
    assert explicit.children()[0].as_int() == 5
    assert (implicit.tag, implicit.value) == (0x81, b"x")
    assert (built.tag, len(built.children())) == (0xA2, 1)


def test_a_set_is_sorted() -> None:
    assert der.set_of(der.integer(300), der.integer(2), der.integer(1)) == der.set_of(
        der.integer(1), der.integer(300), der.integer(2)
    )


def test_an_element_shows_its_size_and_not_its_content() -> None:
    assert repr(der.parse(der.octets(b"secret"))) == "Tlv(tag=0x04, 6 bytes)"


def test_raw_is_what_was_received() -> None:
    inner = der.seq(der.integer(1), der.utf8("通办"))
    outer = der.parse(der.seq(inner, der.octets(b"x" * 300)))
    assert outer.children()[0].raw == inner
    assert outer.raw == der.seq(*(child.raw for child in outer.children()))


REFUSED = {
    "empty": (b"", "der-truncated"),
    "tag only": (b"\x02", "der-truncated"),
    "length beyond the end": (b"\x02\x02\x01", "der-truncated"),
    "byte after": (b"\x02\x01\x01\x00", "der-trailing"),
    "long form below 128": (b"\x02\x81\x01\x01", "der-length"),
    "length with leading zero": (b"\x04\x82\x00\x80" + bytes(128), "der-length"),
    "indefinite length": (b"\x30\x80\x00\x00", "der-length"),
    "reserved length": (b"\x04\xff", "der-length"),
    "length of five octets": (b"\x04\x85\x00\x00\x00\x00\x01x", "der-length"),
    "length cut": (b"\x04\x82\x01", "der-truncated"),
    "high tag number": (b"\x1f\x81\x01\x01\x00", "der-tag"),
    "end of contents": (b"\x00\x00", "der-tag"),
    "constructed octet string": (b"\x24\x03\x04\x01x", "der-tag"),
    "constructed integer": (b"\x22\x03\x02\x01\x01", "der-tag"),
    "primitive sequence": (b"\x10\x00", "der-tag"),
    "primitive set": (b"\x11\x00", "der-tag"),
    "long form of 127": (b"\x04\x81\x7f" + bytes(127), "der-length"),
    "length cut in the middle": (b"\x04\x84\x01\x01\x01", "der-truncated"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_S08_sloppy_elements_are_refused(name: str) -> None:
    data, code = REFUSED[name]
    with pytest.raises(Malformed) as caught:
        der.parse(data)
    assert caught.value.code == code and caught.value.zh


BAD_CONTENT = {
    "empty integer": (b"\x02\x00", der.Tlv.as_int, "der-integer"),
    "padded integer": (b"\x02\x02\x00\x01", der.Tlv.as_int, "der-integer"),
    "padded negative": (b"\x02\x02\xff\x80", der.Tlv.as_int, "der-integer"),
    "integer of 513 octets": (der.tlv(2, b"\x01" + bytes(512)), der.Tlv.as_int, "der-integer"),
    "octets as integer": (b"\x04\x01\x01", der.Tlv.as_int, "der-type"),
    "empty oid": (b"\x06\x00", der.Tlv.as_oid, "der-oid"),
    "unfinished arc": (b"\x06\x02\x2a\x86", der.Tlv.as_oid, "der-oid"),
    "padded first arc": (b"\x06\x02\x80\x01", der.Tlv.as_oid, "der-oid"),
    "padded arc": (b"\x06\x03\x2a\x80\x01", der.Tlv.as_oid, "der-oid"),
    "C20 endless oid": (der.tlv(6, b"\x2a" + b"\xff" * 100_000 + b"\x01"), der.Tlv.as_oid, "der-oid"),
    "no bits octet": (b"\x03\x00", der.Tlv.as_bits, "der-bits"),
    "unused bits": (b"\x03\x02\x01\xfe", der.Tlv.as_bits, "der-bits"),
    "unused bits set": (b"\x03\x02\x01\xff", der.Tlv.as_flags, "der-bits"),
    "unused bits set in the second octet": (b"\x03\x03\x01\x00\x03", der.Tlv.as_flags, "der-bits"),
    "named bits not trimmed": (b"\x03\x03\x00\x80\x00", der.Tlv.as_flags, "der-bits"),
    "unused bits of nothing": (b"\x03\x01\x03", der.Tlv.as_flags, "der-bits"),
    "eight unused bits": (b"\x03\x02\x08\x80", der.Tlv.as_flags, "der-bits"),
    "true as 1": (b"\x01\x01\x01", der.Tlv.as_bool, "der-boolean"),
    "long boolean": (b"\x01\x02\xff\xff", der.Tlv.as_bool, "der-boolean"),
    "null with content": (b"\x05\x01\x00", der.Tlv.as_null, "der-null"),
    "broken UTF-8": (b"\x0c\x02\xc3\x28", der.Tlv.as_text, "der-text"),
    "8 bits in IA5": (b"\x16\x01\xe9", der.Tlv.as_text, "der-text"),
    "star in printable": (b"\x13\x01*", der.Tlv.as_text, "der-text"),
    "odd BMP": (b"\x1e\x01\x00", der.Tlv.as_text, "der-text"),
    "text of another type": (b"\x04\x01a", der.Tlv.as_text, "der-type"),
    "time without Z": (b"\x17\x0c261120000000", der.Tlv.as_time, "der-time"),
    "time with zone": (b"\x17\x11261120080000+0800", der.Tlv.as_time, "der-time"),
    "time without seconds": (b"\x17\x0b2611200000Z", der.Tlv.as_time, "der-time"),
    "13th month": (b"\x17\x0d261320000000Z", der.Tlv.as_time, "der-time"),
    "30 February": (b"\x18\x0f20260230000000Z", der.Tlv.as_time, "der-time"),
    "year 0": (b"\x18\x0f00000101000000Z", der.Tlv.as_time, "der-time"),
    "24 o'clock": (b"\x18\x0f20260101240000Z", der.Tlv.as_time, "der-time"),
    "fraction ending in 0": (b"\x18\x1220260101000000.10Z", der.Tlv.as_time, "der-time"),
    "empty fraction": (b"\x18\x1020260101000000.Z", der.Tlv.as_time, "der-time"),
    "fraction in UTCTime": (b"\x17\x0f261120000000.5Z", der.Tlv.as_time, "der-time"),
    "children of a primitive": (b"\x04\x01x", der.Tlv.children, "der-type"),
    "set as sequence": (b"\x31\x00", der.Tlv.as_seq, "der-type"),
    "broken child": (b"\x30\x02\x02\x01", der.Tlv.children, "der-truncated"),
    "oid of 129 octets": (der.tlv(6, b"\x2a" * 129), der.Tlv.as_oid, "der-oid"),
    "named bits of 33 octets": (der.tlv(3, b"\0" + b"\1" * 33), der.Tlv.as_flags, "der-bits"),
    "named bits without an octet": (b"\x03\x00", der.Tlv.as_flags, "der-bits"),
    "octets as a time": (b"\x04\x00", der.Tlv.as_time, "der-type"),
    "fraction that is no number": (b"\x18\x1220260101000000.1xZ", der.Tlv.as_time, "der-time"),
    "two fractions": (b"\x18\x1320260101000000.1.1Z", der.Tlv.as_time, "der-time"),
    "letters for digits": (b"\x17\x0d2601010000x0Z", der.Tlv.as_time, "der-time"),
}


@pytest.mark.parametrize("name", BAD_CONTENT)
def test_S08_bad_content_is_refused(name: str) -> None:
    data, read, code = BAD_CONTENT[name]
    with pytest.raises(Malformed) as caught:
        read(der.parse(data))
    assert caught.value.code == code and caught.value.zh


WANTED: dict[str, Callable[[der.Tlv], object]] = {
    "SEQUENCE": der.Tlv.as_seq, "INTEGER": der.Tlv.as_int, "OBJECT IDENTIFIER": der.Tlv.as_oid,
    "BIT STRING": der.Tlv.as_bits, "OCTET STRING": der.Tlv.as_octets, "BOOLEAN": der.Tlv.as_bool,
    "NULL": der.Tlv.as_null, "time": der.Tlv.as_time, "string": der.Tlv.as_text, "constructed": der.Tlv.children,
}  # fmt: skip


@pytest.mark.parametrize("wanted", WANTED)
def test_a_refused_type_is_told_what_was_expected(wanted: str) -> None:
    with pytest.raises(Malformed) as caught:
        WANTED[wanted](der.parse(b"\x0a\x00"))  # ENUMERATED, which nothing here reads
    assert (caught.value.code, caught.value.en) == ("der-type", f"wrong DER type, {wanted} expected")
    assert wanted in caught.value.zh


TEXTS = {
    "UTF-8": (der.utf8("通办"), "通办"),
    "T61 as Latin-1": (b"\x14\x02\xe9\xe8", "\u00e9\u00e8"),
    "BMP": (b"\x1e\x04\x90\x1a\x52\x9e", "通办"),
    "numeric": (b"\x12\x0342 ", "42 "),
    "all that is printable beside letters and digits": (der.printable("aZ09 '()+,-./:=?"), "aZ09 '()+,-./:=?"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_every_kind_of_text_is_read(name: str) -> None:
    data, text = TEXTS[name]
    assert der.parse(data).as_text() == text


TIMES = {
    "half a second": (b"\x18\x1120260101000000.5Z", datetime(2026, 1, 1, microsecond=500_000, tzinfo=UTC)),
    "finer than we keep": (b"\x18\x1720260101000000.1234567Z", datetime(2026, 1, 1, microsecond=123_456, tzinfo=UTC)),
    "the last of UTCTime": (b"\x17\x0d491231235958Z", datetime(2049, 12, 31, 23, 59, 58, tzinfo=UTC)),
    "the first of UTCTime": (b"\x17\x0d500102030405Z", datetime(1950, 1, 2, 3, 4, 5, tzinfo=UTC)),
    "the first year": (b"\x18\x0f00010101000000Z", datetime(1, 1, 1, tzinfo=UTC)),
}


@pytest.mark.parametrize("name", TIMES)
def test_every_form_of_time_is_read(name: str) -> None:
    data, moment = TIMES[name]
    assert der.parse(data).as_time() == moment
    if "second" not in name and "finer" not in name:
        assert (der.gtime if data[0] == 0x18 else der.utime)(moment) == data


def test_sizes_are_right_up_to_their_bounds() -> None:
    assert der.parse(der.tlv(2, b"\1" + bytes(511))).as_int() == 1 << 4088
    assert der.parse(der.tlv(6, b"\x2a" * 128)).as_oid() == "1.2" + ".42" * 127
    assert der.parse(der.tlv(3, b"\0" + b"\1" * 32)).as_flags() == frozenset(range(7, 256, 8))
    assert len(der.parse(der.octets(bytes((1 << 20) - 5))).raw) == 1 << 20
    for size in (0, 127, 128, 255, 256, 65_535, 65_536):
        assert len(der.parse(der.octets(bytes(size))).as_octets()) == size


def test_C20_depth_is_capped() -> None:
    data = b""
    for _ in range(40):
        data = der.seq(data)
    for depth, element in ((5, der.parse(data, depth=5)), (32, der.parse(data))):
        for _ in range(depth):
            (element,) = element.children()
        with pytest.raises(Malformed, match=r"^der-depth:"):
            element.children()


def test_C20_size_and_count_are_capped() -> None:
    with pytest.raises(Malformed, match=r"^der-size:"):
        der.parse(der.octets(bytes(100)), limit=101)
    assert der.parse(der.octets(bytes(100)), limit=102).as_octets() == bytes(100)
    with pytest.raises(Malformed, match=r"^der-size:"):
        der.parse(der.octets(bytes((1 << 20) - 4)))
    many = der.parse(der.seq(*[der.null()] * 10_001))
    with pytest.raises(Malformed, match=r"^der-count:"):
        many.children()
    assert len(many.children(20_000)) == 10_001
    with pytest.raises(Malformed, match=r"^der-count:"):
        der.parse(der.seq(der.null())).as_seq(2)
    with pytest.raises(Malformed, match=r"^der-count:"):
        der.parse(der.seq(der.null(), der.null())).as_seq(0, 1)
    with pytest.raises(Malformed, match=r"^der-count:"):
        many.as_seq()
    assert len(der.parse(der.seq(*[der.null()] * 10_000)).as_seq(10_000)) == 10_000


def test_C20_hostile_megabytes_take_little_time() -> None:
    nested = b""
    while len(nested) < 1 << 20:
        nested = der.seq(nested, bytes((4, 3, 1, 2, 3)))
        if len(nested) > 4000:
            nested = der.octets(nested * 200)
    flat = der.seq(*[der.null()] * 500_000)
    started = time.process_time()
    for data in (nested[: 1 << 20], flat):
        with pytest.raises(Malformed):
            der.parse(data, limit=1 << 21).children()
    assert time.process_time() - started < 4


@given(st.binary(max_size=80))
def test_garbage_is_malformed_or_an_element(data: bytes) -> None:
    try:
        element = der.parse(data)
        assert element.raw == data
        element.children()
    except Malformed as error:
        assert error.code.startswith("der-")


# --- signature values ----------------------------------------------------------------------------------------------------

SCALARS = st.one_of(st.integers(1, N - 1), st.integers(1, 1 << 130), st.sampled_from([1, 127, 128, 255, 256, N - 1]))


@given(SCALARS, SCALARS)
def test_signature_values_round_trip_and_agree_with_cryptography(r: int, s: int) -> None:
    data = der.encode_signature(r, s)
    assert data == encode_dss_signature(r, s)
    assert decode_dss_signature(data) == (r, s) == der.decode_signature(data)


@given(SCALARS, SCALARS, st.data())
def test_S07_one_changed_byte_never_decodes_to_the_same_values(r: int, s: int, data: st.DataObject) -> None:
    good = der.encode_signature(r, s)
    at = data.draw(st.integers(0, len(good) - 1))
    changed = bytearray(good)
    changed[at] ^= data.draw(st.integers(1, 255))
    try:
        assert der.decode_signature(bytes(changed)) != (r, s)
    except Malformed as error:
        assert error.code == "der-signature"


@given(st.binary(max_size=80))
def test_S08_whatever_decodes_encodes_to_the_same_bytes(data: bytes) -> None:
    try:
        assert der.encode_signature(*der.decode_signature(data)) == data
    except Malformed as error:
        assert error.code == "der-signature"


@pytest.mark.parametrize("r", [0, N, N + 1, (1 << 256) - 1])
def test_S01_S04_values_out_of_range_do_not_decode(r: int) -> None:
    for pair in ((r, 5), (5, r)):
        with pytest.raises(Malformed, match=r"^der-signature:"):
            der.decode_signature(der.encode_signature(*pair))

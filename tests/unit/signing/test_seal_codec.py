"""Seals and stamps written and read back, in both written forms; the sample picture; what reads as neither."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from signing import der, seal_picture
from signing.errors import Malformed
from signing.seal import ExtData, Picture, kind, parse_seal, parse_stamp
from signing.seal_build import WrittenForm, build_seal, build_stamp, build_stamp_tbs
from tests import pki
from tests.vectors.seals import generate

SECONDS = st.integers(0, 2_300_000_000).map(lambda value: datetime.fromtimestamp(value, UTC))
ASCII = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)
EXTENSIONS = st.lists(
    st.builds(ExtData, st.sampled_from(["1.2.3", "1.2.156.1", "2.999.7"]), st.booleans(), st.binary(max_size=20)),
    max_size=3,
    unique_by=lambda item: item.oid,
)
FORMS = st.sampled_from(["V1", "V4"])


@given(
    form=FORMS,
    es_id=ASCII,
    vid=ASCII,
    name=st.text(st.characters(codec="utf-8"), max_size=30),
    number=st.integers(-5, 1000),
    times=st.tuples(SECONDS, SECONDS, SECONDS),
    picture=st.builds(Picture, ASCII, st.binary(max_size=200), st.integers(0, 500), st.integers(0, 500)),
    certificates=st.lists(st.binary(max_size=50), max_size=4),
    extensions=EXTENSIONS,
)
def test_a_seal_is_read_back(
    form: WrittenForm,
    es_id: str,
    vid: str,
    name: str,
    number: int,
    times: tuple[datetime, datetime, datetime],
    picture: Picture,
    certificates: list[bytes],
    extensions: list[ExtData],
) -> None:
    data = build_seal(
        pki.signer("maker"),
        b"maker certificate",
        es_id=es_id,
        name=name,
        certificates=certificates,
        created=times[0],
        valid_from=times[1],
        valid_until=times[2],
        picture=picture,
        vid=vid,
        type=number,
        extensions=extensions,
        form=form,
    )
    seal = parse_seal(data)
    assert kind(data) == "seal" and seal.raw == data and seal.form == form
    own = seal.property
    assert (seal.es_id, seal.header.vid, own.name, own.type) == (es_id, vid, name, number)
    assert (own.created, own.valid_from, own.valid_until) == times
    assert seal.picture == picture and own.certificates == tuple(certificates) and own.digests == ()
    assert seal.extensions == tuple(extensions) and seal.maker == b"maker certificate"
    assert seal.header.version == (1 if form == "V1" else 4)


@given(
    form=FORMS,
    at=SECONDS,
    digest=st.binary(max_size=64),
    info=ASCII,
    extensions=EXTENSIONS,
    token=st.none() | st.binary(max_size=9),
)
def test_a_stamp_is_read_back(
    form: WrittenForm, at: datetime, digest: bytes, info: str, extensions: list[ExtData], token: bytes | None
) -> None:
    seal = generate.seal(form=form)
    tbs = build_stamp_tbs(
        seal, at=at, data_hash=digest, property_info=info, extensions=extensions, form=form, signer_certificate=b"cert"
    )
    data = build_stamp(tbs, b"cert", b"signature", timestamp=token, form=form)
    stamp = parse_stamp(data)
    assert kind(data) == "stamp" and stamp.raw == data and stamp.covered == tbs and stamp.seal.raw == seal
    assert (stamp.time, stamp.data_hash, stamp.property_info) == (at, digest, info)
    assert (stamp.signer, stamp.signature) == (b"cert", b"signature")
    if form == "V4":
        assert stamp.extensions == tuple(extensions) and stamp.timestamp == token


def test_the_covered_bytes_are_slices_as_received() -> None:
    """An explicit FALSE, which DER would leave out, stays in what the signature covers."""
    info, *rest = (member.raw for member in der.parse(generate.seal()).as_seq())
    spelled_out = der.seq(der.seq(der.oid("1.2.3"), der.boolean(False), der.octets(b"v")))
    changed = der.seq(*(member.raw for member in der.parse(info).as_seq()), spelled_out)
    seal = parse_seal(der.seq(changed, *rest))
    assert seal.covered == changed and seal.extensions == (ExtData("1.2.3", False, b"v"),)


def test_V1_header_numbers_are_open_and_forms_follow_the_member_count() -> None:
    info, sign_info = der.parse(generate.seal(form="V1")).as_seq()
    for number in (1, 11, 4):
        header = der.seq(der.ia5("ES"), der.integer(number), der.ia5("v"))
        seal = parse_seal(der.seq(generate.with_member(info.raw, 0, header), sign_info.raw))
        assert seal.form == "V1" and seal.header.version == number


@pytest.mark.parametrize(
    ("content", "moment"),
    [
        (b"2026-06-01 16:00:00", pki.DAY),
        (der.utime(pki.DAY), pki.DAY),
        (der.gtime(pki.DAY), pki.DAY),
        (b"2026-13-01 16:00:00", None),
        (b"yesterday", None),
        (b"", None),
    ],
)
def test_V1_time_information_in_its_seen_forms(content: bytes, moment: datetime | None) -> None:
    assert parse_stamp(generate.with_v1_time(content)).time == moment


@pytest.mark.parametrize("data", [b"", b"\x30\x00", der.seq(der.null(), der.null()), der.seq(der.seq(), der.seq())])
def test_neither_seal_nor_stamp(data: bytes) -> None:
    for parser in (kind, parse_seal, parse_stamp):
        with pytest.raises(Malformed):
            parser(data)


@pytest.mark.parametrize("name", ["武汉市硚口区政务服务专用章", "A", "", "很长" * 40, "<script>&\"'"])
def test_the_sample_picture_says_that_it_is_one(name: str) -> None:
    picture = seal_picture.round_seal(name)
    drawing = etree.fromstring(picture.data)
    letters = "".join(drawing.itertext())
    assert picture.type == "SVG" and (picture.width, picture.height) == (42, 42)
    assert letters == name[:40] + "样章·测试无效"
    assert len(drawing.findall(".//{*}polygon")) == len(drawing.findall(".//{*}circle")) == 1


@pytest.mark.parametrize("count", [1, 2, 7, 40])
def test_the_name_stands_around_the_star_evenly(count: int) -> None:
    data = seal_picture.round_seal("章" * count).data.decode()
    turns = [float(one) for one in re.findall(r"rotate\(([-\d.]+)\)", data)]
    steps = {round(after - before) for before, after in pairwise(turns)}
    assert len(turns) == count and sum(turns) == pytest.approx(0, abs=0.1)
    assert steps <= {26, 6} and turns[-1] - turns[0] < 250  # ascending, and free of the words below
    assert f'font-size="{46.0 if count <= 7 else 15.9}"' in data and ("172" in data) is False


def test_the_star_has_ten_points_and_one_is_up() -> None:
    (points,) = re.findall(r'points="([^"]*)"', seal_picture.round_seal("章").data.decode())
    places = [complex(float(x) - 210, float(y) - 200) for x, y in (one.split(",") for one in points.split())]
    assert [round(abs(one)) for one in places] == [62, 24] * 5 and places[0] == -62j
    left = {(round(-one.real), round(one.imag)) for one in places}
    assert left == {(round(one.real), round(one.imag)) for one in places} and len(left) == 10


def test_a_V1_stamp_holds_a_V1_seal() -> None:
    tbs, signature = der.parse(generate.stamp(form="V1")).as_seq()
    mixed = der.seq(generate.with_member(tbs.raw, 1, generate.seal()), signature.raw)
    with pytest.raises(Malformed):
        parse_stamp(mixed)


def test_a_year_that_V1_cannot_write() -> None:
    with pytest.raises(ValueError, match="1950 to 2049"):
        generate.seal(form="V1", ends=pki.BORN + timedelta(days=365 * 30))

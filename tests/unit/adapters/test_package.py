"""The package dialect (profile ``gongan``): every code of the published service given where it is due, and read well."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from adapters import samples
from adapters.again import came, goes
from adapters.base import Problem, Untranslatable
from adapters.check import check_profile
from adapters.profile import compile_profile
from adapters.soap.family import open_translator, service_of
from adapters.soap.fault import read_fault
from adapters.soap.package import PackageTranslator, build_xsd
from adapters.soap.package_service import PackageService
from adapters.soap.versions import SOAP_11, SOAP_12
from schemas.errors import Invalid
from schemas.xml import parse_text, parse_xml
from signing.sm3 import sm3
from tests.unit.adapters.support import LICENCE, RESOURCES, profile, toml
from tests.unit.adapters.test_soap import Gateway

NS = "http://service.kstb.example/"
PROFILE = profile("gongan")
TEN = [
    "ZAGL_SQQCJSFW", "ZAGL_SQCSRHJSFW", "ZAGL_JMSFZSQSHQFJSFW", "ZAGL_SQKJHJZMJSFW", "ZAGL_QCFKJSFW", "ZAGL_CSRHFKJSFW",
    "ZAGL_JMSFZSHQFFKJSFW", "ZAGL_KJHJZMFKJSFW", "ZAGL_CZRKDJBLZJSFW", "ZAGL_ZJZZFKJSFW",
]  # fmt: skip


def opened(**changes: Any) -> tuple[PackageTranslator, PackageService]:
    """Translator and door of the profile, with changes to its [soap] table."""
    raw = toml("gongan")
    raw["soap"] |= changes
    translator = open_translator(compile_profile(raw), RESOURCES)
    service = service_of(translator, RESOURCES, licence=LICENCE)
    assert isinstance(translator, PackageTranslator) and isinstance(service, PackageService)
    return translator, service


TRANSLATOR, SERVICE = opened()

HEAD = (
    "<BBH>1.0</BBH><FSDW_SJGSDWDM>420104000000</FSDW_SJGSDWDM><ZAGLYWFLDM>QC</ZAGLYWFLDM><YWXTBH>KS1</YWXTBH>"
    "<FSSJ>20260101093000</FSSJ>"
)
JBXX = (
    "<JBXX><SXMC>户口迁出</SXMC><SXBB>1</SXBB><BLFS>YDDS</BLFS><BLDQH>360113</BLDQH><YT>迁移</YT>"
    "<SJSJ>20260101093000</SJSJ></JBXX>"
)
SQRXX = "<SQRXX><LX>1</LX><XM>测试甲</XM><ZJLX>10</ZJLX><ZJHM>11010519491231002X</ZJHM></SQRXX>"
HYXX = "<HYXX><RY>窗口员</RY><GH>K1</GH><CK>3号</CK><FS>DKQ</FS><SJ>20260101093000</SJ></HYXX>"
QYXX = "<QYXX><QCDZ>测试路1号</QCDZ><QRDZ>测试路2号</QRDZ></QYXX>"
OTHERS = {
    "ZAGL_SQCSRHJSFW": "<XSEXX><XM>测试婴</XM></XSEXX><FMXX><FQXM>测试父</FQXM></FMXX>",
    "ZAGL_JMSFZSQSHQFJSFW": "<SFZXX><SLYY>首次申领</SLYY></SFZXX>", "ZAGL_SQKJHJZMJSFW": "<ZMXX><ZMLX>亲属关系</ZMLX></ZMXX>",
    "ZAGL_SQQCJSFW": QYXX,
}  # fmt: skip
SLXX = "<SLXX><SLJG>1</SLJG><WH>1号</WH><DW>户政</DW><RY>民警</RY><SJ>20260102093000</SJ><YWLSH>GA1</YWLSH></SLXX>"
BLXX = "<BLXX><BLJG>1</BLJG><WH>2号</WH><DW>户政</DW><RY>民警</RY><SJ>20260103093000</SJ></BLXX>"
FILE = b"<svg>\xe6\xa0\xb7</svg>"
JGXX = (
    "<JGXX><BH>JG1</BH><MC>登记表</MC><WJ><MC>登记表</MC><ZW><MC>登记表</MC><GS>image/svg+xml</GS><WJM>a.svg</WJM>"
    f"<NR>{b64encode(FILE).decode()}</NR></ZW></WJ><SJ>20260104093000</SJ></JGXX>"
)


HEAD_FIELDS = {"BBH": "1.0", "FSDW_SJGSDWDM": "420104000000", "FSSJ": "20260101093000"}
GROUPS: dict[str, dict[str, Any]] = {
    kind: {
        "JBXX": {"SXMC": "测试", "SXBB": "1", "BLFS": "YDDS", "BLDQH": "360113", "YT": "测试", "SJSJ": "20260101093000"},
        "SQRXX": {"LX": "1", "XM": "测试甲", "ZJLX": "10", "ZJHM": "11010519491231002X"},
        "HYXX": {"RY": "窗口员", "GH": "K1", "CK": "3号", "FS": "DKQ", "SJ": "20260101093000"},
        **own,
    }
    for kind, own in {
        "QC": {"QYXX": {"QCDZ": "测试路1号"}}, "CSRH": {"XSEXX": {"XM": "测试婴"}, "FMXX": {"FQXM": "测试父"}},
        "SFZ": {"SFZXX": {"SLYY": "首次申领"}}, "KJHJZM": {"ZMXX": {"ZMLX": "亲属关系"}},
    }.items()
}  # fmt: skip


def package(*records: str, head: str = HEAD) -> str:
    inner = "".join(f'<RECORD no="{n}" sid="S{n}">{one}</RECORD>' for n, one in enumerate(records, 1))
    return f'<?xml version="1.0" encoding="UTF-8"?><PACKAGE><PACKAGEHEAD>{head}</PACKAGEHEAD><DATA>{inner}</DATA></PACKAGE>'


def request(operation: str) -> str:
    """A whole record for an operation."""
    if operation in OTHERS:
        return JBXX + SQRXX + HYXX + OTHERS[operation]
    return JGXX if operation in ("ZAGL_CZRKDJBLZJSFW", "ZAGL_ZJZZFKJSFW") else SLXX + BLXX + JGXX


def envelope(
    operation: str, text: str, licence: str = LICENCE, space: str = SOAP_11.namespace, encoding: str = "UTF-8"
) -> bytes:
    root = etree.Element(f"{{{space}}}Envelope")
    call = etree.SubElement(etree.SubElement(root, f"{{{space}}}Body"), f"{{{NS}}}{operation}")
    etree.SubElement(call, "sqzcm").text = licence
    etree.SubElement(call, "information").text = text
    data: Any = etree.tostring(root, encoding=encoding, xml_declaration=True)
    return bytes(data)


async def call(
    operation: str, text: str, gateway: Gateway | None = None, **more: Any
) -> tuple[etree._Element, Gateway]:
    """The package that answers, and the gateway that was asked."""
    gateway = gateway or Gateway()
    answer = await SERVICE.serve(envelope(operation, text, **more), "text/xml", '""', gateway)
    assert answer.status == 200, answer.body.decode()
    body = parse_xml(answer.body)[-1][0]
    assert body.tag == f"{{{NS}}}{operation}Response"
    replied = parse_text(body.findtext("return") or "")
    assert TRANSLATOR.schema.check(replied) == []
    return replied, gateway


def codes(reply: etree._Element) -> list[str]:
    return [reply.findtext("DATA/CODE") or "", *[one.get("code", "") for one in reply.iterfind("DATA/RECORD")]]


def test_the_profile_names_the_ten_operations_and_its_tables_have_no_error() -> None:
    assert set(PROFILE.text.doors) == set(TEN)
    assert check_profile(PROFILE).findings == []
    assert "非官方接口" in PROFILE.text.notice and "公开" in PROFILE.text.basis
    used = {name for operations in TRANSLATOR.words.classes.values() for name in operations.values()}
    assert used == set(TEN), "every operation is sent by some business class"


@pytest.mark.parametrize("operation", TEN)
async def test_each_operation_is_taken_and_answered_with_the_head_it_came_with(operation: str) -> None:
    reply, gateway = await call(operation, package(request(operation)))
    assert codes(reply) == ["", "0"]
    (record,) = reply.iterfind("DATA/RECORD")
    assert (record.get("no"), record.get("sid"), record.get("msg")) == ("1", "S1", "已收到")
    assert [child.text for child in reply.iterfind("PACKAGEHEAD/*")] == [
        "1.0",
        "420104000000",
        "QC",
        "KS1",
        "20260101093000",
    ]
    kinds = [act.type for act in gateway.acts]
    feedback = (
        ["result"] if operation in ("ZAGL_CZRKDJBLZJSFW", "ZAGL_ZJZZFKJSFW") else ["acceptance", "decision", "result"]
    )
    assert kinds == (["application"] if operation in OTHERS else feedback)
    assert {act.case for act in gateway.acts} == {"KS1"}


async def test_a_request_is_an_application_with_its_form_and_item() -> None:
    _, gateway = await call("ZAGL_SQQCJSFW", package(request("ZAGL_SQQCJSFW")))
    (act,) = gateway.acts
    assert (act.id, act.body.case_number, act.body.item, act.body.item_name) == ("S1", "KS1", "360113-0001", "户口迁出")
    assert act.body.form == {"迁出地址": "测试路1号", "迁入地址": "测试路2号"}
    assert act.body.collected_at.isoformat() == "2026-01-01T01:30:00+00:00"


async def test_one_feedback_is_several_acts_with_ids_of_their_own_and_its_file() -> None:
    _, gateway = await call("ZAGL_QCFKJSFW", package(request("ZAGL_QCFKJSFW")))
    assert [act.id for act in gateway.acts] == ["S1#acceptance", "S1#decision", "S1#result"]
    assert gateway.acts[0].local_number == "GA1"
    (part,) = gateway.acts[2].parts
    assert (part.data, part.sm3) == (FILE, sm3(FILE).hex())


OUT = "ZAGL_SQQCJSFW"
MOVE = package(request(OUT))
ENTITY = '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>'
INCLUDE = '<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/>'


def changed(old: str, new: str) -> str:
    assert old in MOVE
    return MOVE.replace(old, new)


BAD: list[tuple[str, str, str, dict[str, str], str]] = [
    ("-50 a wrong licence", OUT, MOVE, {"licence": "other"}, "-50"),
    ("-50 no licence", OUT, MOVE, {"licence": ""}, "-50"),
    ("-50 before the document is looked at", OUT, "<!DOCTYPE a><a/>", {"licence": "other"}, "-50"),
    ("-42 no sender", OUT, changed("420104000000", ""), {}, "-42"),
    ("-42 no head", OUT, "<PACKAGE><DATA/></PACKAGE>", {}, "-42"),
    ("-901 no collaboration number", OUT, changed(">KS1<", "><"), {}, "-901"),
    ("-902 no case", OUT, package(SQRXX + HYXX + QYXX), {}, "-902"),
    ("-903 no applicant", OUT, package(JBXX + HYXX + QYXX), {}, "-903"),
    ("-904 no attestation", OUT, package(JBXX + SQRXX + QYXX), {}, "-904"),
    ("-905 no move", OUT, package(JBXX + SQRXX + HYXX), {}, "-905"),
    ("-906 no newborn", "ZAGL_SQCSRHJSFW", package(JBXX + SQRXX + HYXX + "<FMXX><FQXM>甲</FQXM></FMXX>"), {}, "-906"),
    ("-907 no parents", "ZAGL_SQCSRHJSFW", package(JBXX + SQRXX + HYXX + "<XSEXX><XM>甲</XM></XSEXX>"), {}, "-907"),
    ("-908 no card", "ZAGL_JMSFZSQSHQFJSFW", package(JBXX + SQRXX + HYXX), {}, "-908"),
    ("-909 no certificate", "ZAGL_SQKJHJZMJSFW", package(JBXX + SQRXX + HYXX), {}, "-909"),
    ("-910 a feedback without content", "ZAGL_QCFKJSFW", package("<QTXX/>"), {}, "-910"),
    ("-911 no register", "ZAGL_CZRKDJBLZJSFW", package(SLXX), {}, "-911"),
    ("-912 no card made", "ZAGL_ZJZZFKJSFW", package(SLXX), {}, "-912"),
    ("not XML", OUT, "hello", {}, "-999"), ("nothing", OUT, "", {}, "-999"),
    ("X01 a DOCTYPE inside the text", OUT, "<!DOCTYPE a>" + MOVE, {}, "-999"),
    ("X02 an external entity inside the text", OUT, ENTITY, {}, "-999"),
    ("X05 XInclude inside the text", OUT,
     package(request(OUT) + INCLUDE), {}, "-999"),
    ("X07 deep nesting inside the text", OUT, "<a>" * 5000 + "</a>" * 5000, {}, "-999"),
    ("X08 UTF-7 declared inside the text", OUT, changed("UTF-8", "UTF-7"), {}, "-999"),
    ("X17 an instruction inside the text", OUT, package("<?php 1?>"), {}, "-999"),
    ("X18 a year of ten digits", OUT, changed("20260101093000", "2026000000-01-01"), {}, "-999"),
    ("an unknown group", OUT, package(request(OUT) + "<XX/>"), {}, "-999"),
    ("another business", OUT, changed(">QC<", ">ZZ<"), {}, "-999"),
    ("K09 a time that is none", OUT, changed("20260101093000", "20260230093000"), {}, "-999"),
    ("too many records", "ZAGL_QCFKJSFW", package(*[SLXX] * 101), {}, "-999"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "operation", "text", "more", "code"), BAD, ids=[row[0] for row in BAD])
async def test_what_is_wrong_gets_its_code_in_chinese_and_does_nothing(
    name: str, operation: str, text: str, more: dict[str, str], code: str, monkeypatch: Any
) -> None:
    connected: list[Any] = []
    monkeypatch.setattr("socket.socket.connect", lambda self, address: connected.append(address))
    reply, gateway = await call(operation, text, **more)
    assert {one for one in codes(reply) if one} == {code}
    said = " ".join([reply.findtext("DATA/MSG") or "", *[one.get("msg", "") for one in reply.iterfind("DATA/RECORD")]])
    assert re.search(r"[\u4e00-\u9fff]", said) and "测试甲" not in said and "root:" not in said
    assert not gateway.acts and not connected
    if "-912" <= code <= "-901":
        assert reply.findtext("PACKAGEHEAD/FSDW_SJGSDWDM") == "420104000000", "the head comes back"


async def test_a_bad_record_does_not_hold_up_its_neighbours() -> None:
    bad = SLXX.replace("<SLJG>1</SLJG>", "<SLJG>7</SLJG>")
    reply, gateway = await call("ZAGL_QCFKJSFW", package(SLXX, bad, BLXX))
    assert codes(reply) == ["", "0", "-999", "0"]
    assert [one.get("sid") for one in reply.iterfind("DATA/RECORD")] == ["S1", "S2", "S3"]
    assert [act.id for act in gateway.acts] == ["S1#acceptance", "S3#decision"]
    told = reply.findall("DATA/RECORD")[1].get("msg") or ""
    assert "SLJG" in told and "只能是：1、0、2" in told, "path, reason and the allowed codes"


async def test_a_record_that_lacks_a_group_or_its_number_does_not_hold_up_its_neighbours() -> None:
    text = package(SLXX, JGXX, SLXX).replace(' sid="S3"', "")
    reply, gateway = await call("ZAGL_CZRKDJBLZJSFW", text)
    assert codes(reply) == ["", "-911", "0", "-911"]
    assert [one.get("sid") for one in reply.iterfind("DATA/RECORD")] == ["S1", "S2", None]
    assert [act.id for act in gateway.acts] == ["S2#result"]


@pytest.mark.parametrize(("busy", "code"), [(True, "-998"), (False, "-999")])
async def test_a_refusal_of_the_gateway_is_told_with_its_number(busy: bool, code: str) -> None:
    problem = Problem({"code": "TB-5002", "title": "办件状态不允许", "detail": "已办结", "trace_id": "abcd"}, busy=busy)
    reply, _ = await call("ZAGL_QCFKJSFW", package(SLXX), Gateway(problem))
    assert codes(reply) == ["", code]
    assert reply.find("DATA/RECORD").get("msg") == "已办结（TB-5002，abcd）"  # type: ignore[union-attr]


async def test_nobody_is_let_in_where_no_licence_is_set() -> None:
    shut = PackageService(TRANSLATOR, "", SERVICE.calls, 1 << 20)
    answer = await shut.serve(envelope("ZAGL_QCFKJSFW", package(SLXX), ""), "text/xml", "", Gateway())
    assert "-50" in answer.body.decode()


async def test_X14_what_is_no_call_of_this_service_is_a_fault() -> None:
    for data, code in [
        (envelope("NONE", ""), "operation-unknown"),
        (envelope("acceptance", package(SLXX)), "operation-unknown"),
        (envelope("ZAGL_QCFKJSFW", "").replace(b"information", b"other"), "xsd-invalid"),
        (envelope("ZAGL_QCFKJSFW", "").replace(NS.encode(), b"urn:other"), "operation-unknown"),
    ]:
        answer = await SERVICE.serve(data, "text/xml", "", Gateway())
        fault = read_fault(parse_xml(answer.body)[-1][0])
        assert answer.status == 500 and fault is not None and fault.code == code


async def test_soap_1_2_and_gbk_envelopes_are_taken() -> None:
    gateway = Gateway()
    data = envelope("ZAGL_QCFKJSFW", package(SLXX), space=SOAP_12.namespace)
    assert (await SERVICE.serve(data, "application/soap+xml", "", gateway)).status == 200
    data = envelope("ZAGL_QCFKJSFW", package(SLXX).replace("UTF-8", "GBK"), encoding="GBK")
    assert (await SERVICE.serve(data, "text/xml; charset=GBK", "", gateway)).status == 200
    assert [act.body.unit for act in gateway.acts] == ["户政", "户政"]


def test_an_xsd_of_the_operations_stands_for_both_styles_and_rpc_names_its_parts() -> None:
    translator, service = opened(style="rpc")
    wsdl = parse_xml(service.wsdl("https://g.example/soap"))
    parts = {(one.get("name"), one.get("type")) for one in wsdl.iter("{*}part")}
    assert parts == {("sqzcm", "xs:string"), ("information", "xs:string"), ("return", "xs:string")}
    assert {one.get("style") for one in wsdl.iter("{http://schemas.xmlsoap.org/wsdl/soap/}binding")} == {"rpc"}
    assert build_xsd(translator.words, ("A",)).count(b"<xs:element") == 5


@pytest.mark.parametrize(
    "changes", [{"style": "encoded"}, {"style": "rpc", "qualified": True}, {"version": "1.3"}, {"codes": {}}, {"other": 1},
     {"licence": "<"}]
)  # fmt: skip
def test_a_defect_of_the_soap_table_is_refused_when_opened(changes: dict[str, Any]) -> None:
    with pytest.raises(Untranslatable):
        opened(**changes)


def test_a_stylesheet_that_would_be_left_out_is_refused_when_opened() -> None:
    with pytest.raises(Untranslatable) as caught:
        open_translator(compile_profile(toml("gongan") | {"transform": {"out": "a.xsl"}}), RESOURCES)
    assert caught.value.code == "stylesheet-unused"


# --- our own messages -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("type_", ["application", "acceptance", "decision", "result"])
def test_what_we_send_is_what_we_would_take(type_: str) -> None:
    out = samples.outbound(type_)
    wire = TRANSLATOR.outbound(out)
    assert wire.operation == TRANSLATOR.words.classes["QC"][type_]
    assert LICENCE.encode() not in wire.body, "frozen bytes hold no secret"
    element = TRANSLATOR.call(wire.operation, LICENCE, wire.body)
    assert SERVICE.calls.check(parse_xml(element)) == []
    package = parse_text(wire.body.decode())
    assert package.findtext("PACKAGEHEAD/YWXTBH") == out.case_number
    if type_ == "application":
        with pytest.raises(Untranslatable) as lacking:
            TRANSLATOR.inbound(wire.operation, wire.body)  # the sample has no move in its form
        assert lacking.value.path == "DATA.RECORD.QYXX"
        return
    assert TRANSLATOR.inbound(wire.operation, wire.body).type == type_


def test_what_this_service_has_no_operation_for_is_not_sent() -> None:
    import msgspec

    assert not TRANSLATOR.can_send("correction_request") and not TRANSLATOR.can_send("withdrawal")
    with pytest.raises(Untranslatable):
        TRANSLATOR.outbound(samples.outbound("withdrawal"))
    with pytest.raises(Untranslatable):
        TRANSLATOR.outbound(msgspec.structs.replace(samples.outbound("decision"), item="360113-9999"))


_TEXTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff\ufeff"), min_size=1
).filter(str.strip)


@given(_TEXTS, st.sampled_from(["GBK", "GB18030", "UTF-8"]))
def test_K03_no_character_is_lost_in_a_string_in_an_envelope(text: str, encoding: str) -> None:
    inner = f'<?xml version="1.0" encoding="GBK"?><a>{text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")}</a>'
    data = envelope("ZAGL_QCFKJSFW", inner, encoding=encoding)
    there = parse_xml(data)[0][0].findtext("information") or ""
    assert (parse_text(there).text or "") == text


@pytest.mark.parametrize(
    "text", ['<?xml version="1.0" encoding="hz"?><a/>', '<?xml encoding="1"?><a/>', "<a/><b/>", "\ud800<a/>"]
)
def test_X08_a_text_that_is_no_clean_document_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        parse_text(text)


def test_a_package_alone_is_read_in_its_own_encoding() -> None:
    text = package(SLXX).replace("UTF-8", "GBK")
    assert TRANSLATOR.inbound("ZAGL_QCFKJSFW", text.encode("gbk")).body.unit == "户政"
    assert TRANSLATOR.decode(envelope_body("ZAGL_QCFKJSFW", text))["DATA"]["RECORD"]["@no"] == "1"


def envelope_body(operation: str, text: str) -> bytes:
    """The Body's element alone."""
    return bytes(etree.tostring(parse_xml(envelope(operation, text))[0][0]))  # type: ignore[arg-type]


def test_a_kept_package_is_mapped_again_record_by_record() -> None:
    original = envelope("ZAGL_QCFKJSFW", package(SLXX, BLXX))
    found = came(TRANSLATOR, "decision", "S2#decision", original, "")
    assert (found["type"], found["body"]["unit"]) == ("decision", "户政")
    assert goes(TRANSLATOR, samples.outbound("decision"))["DATA"]["RECORD"]["BLXX"]["BLJG"] == "0"
    with pytest.raises(Untranslatable):
        came(TRANSLATOR, "decision", "S1", envelope("ZAGL_QCFKJSFW", package("<QTXX/>")), "")

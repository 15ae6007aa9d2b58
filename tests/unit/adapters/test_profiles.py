"""The two bundled profiles: sound tables, both directions round trip, errors in the platform's own names."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from adapters import samples
from adapters.base import Untranslatable
from adapters.check import check_profile
from adapters.profile import body_of, compile_profile, envelope
from adapters.rest_signed.translate import RestTranslator
from adapters.rules import Faulty
from adapters.soap.tree import to_bytes, to_element, to_value
from schemas import canonical as c
from schemas import codec
from schemas.canonical import BODIES
from schemas.errors import Invalid
from schemas.xml import parse_xml
from signing.sm3 import sm3
from tests.unit.adapters.support import message_types, profile, soap_translator, toml, turned, whole_seconds
from tests.unit.schemas import examples

NAMES = ["qiaokou", "honggutan"]
REST = RestTranslator(profile("qiaokou"))
SOAP = soap_translator()
TYPE_OF = {body: name for name, body in BODIES.items()}


@pytest.mark.parametrize("name", NAMES)
def test_the_tables_of_a_bundled_profile_have_no_error(name: str) -> None:
    assert check_profile(profile(name)).findings == []


@pytest.mark.parametrize("name", NAMES)
def test_a_bundled_profile_says_what_it_is_not(name: str) -> None:
    text = profile(name).text
    assert "非官方接口" in text.notice
    assert "公开" in text.basis


def test_both_sides_of_the_main_job_are_mapped() -> None:
    handled = {"acceptance", "correction_request", "step", "special_start", "special_end", "decision", "result"}
    assert set(message_types(dict(REST.profile.inward))) >= {
        "application",
        "correction",
        "arrival",
        "delivery",
        "withdrawal",
    }
    assert {name for name in [*handled, "receipt", "status"] if REST.can_send(name)} == {*handled, "receipt", "status"}
    assert set(message_types(dict(SOAP.profile.inward))) == handled
    sent = {"application", "correction", "withdrawal", "arrival", "delivery"}
    assert {name for name in BODIES if SOAP.can_send(name)} == sent


# --- round trips ------------------------------------------------------------------------------------------------------


def _same(type_: str, body: Any, value: dict[str, Any]) -> bool:
    return bool(codec.build(type_, value) == body)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(examples.BODIES)
def test_any_body_goes_through_the_json_dialect_and_back(body: Any) -> None:
    type_ = TYPE_OF[type(body)]
    body = whole_seconds(type_, body)
    inward = type_ in REST.profile.inward
    there = turned("qiaokou", "in")[type_] if inward else REST.profile.outward[type_]
    back = REST.profile.inward[type_] if inward else turned("qiaokou", "out")[type_]
    wire = json.loads(msgspec.json.encode(there.run(body_of(_out(type_, body)), envelope(_out(type_, body)))))
    assert _same(type_, body, back.run(wire))


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(examples.BODIES)
def test_any_body_goes_through_the_gbk_xml_dialect_and_back(body: Any) -> None:
    type_ = TYPE_OF[type(body)]
    body = whole_seconds(type_, body)
    if SOAP.can_send(type_):
        wire = SOAP.outbound(_out(type_, body))
        declared = b'<?xml version="1.0" encoding="GBK"?>' + wire.body
        back = turned("honggutan", "out")[type_]
        value = to_value(parse_xml(declared))
    else:
        there, back = turned("honggutan", "in")[type_], SOAP.profile.inward[type_]
        element = to_element(SOAP.words.namespace, "X", there.run(body_of(_out(type_, body))))
        value = to_value(parse_xml(b'<?xml version="1.0" encoding="GBK"?>' + to_bytes(element, "GBK")))
    mapped = back.run(value)
    for name, empty in (("form", {}), ("materials", []), ("note", "")):
        if name in BODIES[type_].__struct_fields__:
            mapped.setdefault(name, empty)
    if "attestation" in mapped:
        mapped["attestation"].setdefault("originals_seen", [])
    if type_ == "application":
        mapped["case_number"] = body.case_number
    assert _same(type_, body, mapped)


def _out(type_: str, body: Any) -> Any:
    return msgspec.structs.replace(samples.outbound(type_), body=body)


@pytest.mark.parametrize("type_", [name for name in samples._BODIES if REST.can_send(name)])
def test_samples_go_out_as_json_with_their_head(type_: str) -> None:
    wire = REST.outbound(samples.outbound(type_))
    sent = json.loads(wire.body)
    assert (sent["lsh"], sent["bjbh"], sent["tbbh"]) == (wire.id, "420104202503030001", samples.outbound(type_).case_id)
    assert wire.path == "/tongban/events"
    assert set(sent["nr"])


@pytest.mark.parametrize("type_", [name for name in BODIES if SOAP.can_send(name)])
def test_samples_go_out_as_valid_gbk_xml(type_: str) -> None:
    wire = SOAP.outbound(samples.outbound(type_))
    assert wire.content_type == "text/xml; charset=GBK"
    element = parse_xml(b'<?xml version="1.0" encoding="GBK"?>' + wire.body)
    assert SOAP.schema.check(element) == []
    assert "测试" in wire.body.decode("gbk") or type_ in ("withdrawal", "correction")


def test_W5_the_handling_platform_is_told_of_certificates_in_place_of_materials() -> None:
    sample = samples.outbound("application")
    there = c.CertificateReference(
        "身份证明", "11100000000013127D001", "code", "verified", "1.2.3", "valid", sample.body.collected_at
    )
    gone = c.CertificateReference("营业执照", "11100000MB0143028R001", "code2", "failed", reason="TB-7026")
    body = msgspec.structs.replace(sample.body, certificates=[there, gone])
    wire = SOAP.outbound(msgspec.structs.replace(sample, body=body))
    element = parse_xml(b'<?xml version="1.0" encoding="GBK"?>' + wire.body)
    assert SOAP.schema.check(element) == []
    text = wire.body.decode("gbk")
    assert "<JG>YZ</JG><ZZBS>1.2.3</ZZBS><ZT>valid</ZT>" in text and "<JG>WQ</JG><YY>TB-7026</YY>" in text
    assert "code2" not in text, "a use code is nobody's business over there"


def test_K03_a_character_that_gbk_lacks_is_kept() -> None:
    wire = SOAP.outbound(samples.outbound("application"))
    assert b"?\xba\xc5" not in wire.body
    element = parse_xml(b'<?xml version="1.0" encoding="GBK"?>' + wire.body)
    assert "测试大道𠀀号" in "".join(element.itertext())


# --- acts -------------------------------------------------------------------------------------------------------------

CASE: dict[str, Any] = {
    "lsh": "L1", "bjbh": "420104202601010001", "sxbm": "360113-0001", "sxmc": "测试事项", "sxbb": 1, "blfs": "2",
    "bldq": "360113000000", "sqr": {"lx": "1", "xm": "测试甲", "xb": "2", "zjlx": "01", "zjhm": "11010519491231002X",
                                    "sjh": "13800000000", "dz": "测试路1号"},
    "bd": {"经营场所": "测试大道1号"},
    "cl": [{"mc": "申请书", "zy": "0" * 64, "dx": 10, "gs": "application/pdf", "wjm": "a.pdf"}],
    "hy": {"ry": "窗口员", "gh": "K1", "ck": "3号窗口", "fs": "1", "yj": ["身份证"], "sj": "20260101093000"},
    "sjsj": "20260101093000", "yt": "测试",
}  # fmt: skip


def encoded(**changes: Any) -> bytes:
    return json.dumps({**CASE, **changes}, ensure_ascii=False).encode()


def test_W5_the_window_names_certificates_by_use_codes() -> None:
    named = {"zz": [{"mc": "身份证明", "zzlx": "11100000000013127D001", "yzm": "abc"}]}
    act = REST.inbound("case", json.dumps(CASE | named).encode())
    assert act.body.certificates == [c.CertificateReference("身份证明", "11100000000013127D001", "abc")]


def test_an_application_in_the_windows_names_becomes_canonical() -> None:
    act = REST.inbound("case", encoded())
    assert (act.type, act.case, act.id) == ("application", "420104202601010001", "L1")
    assert act.body.handling == "360113"
    assert act.body.mode == "collect_elsewhere"
    assert act.body.applicant.party.id_type == "111"
    assert act.body.form == {"经营场所": "测试大道1号", "性别": "女"}
    assert act.body.collected_at.isoformat() == "2026-01-01T01:30:00+00:00"
    assert act.body.attestation.identity_check == "id_card_reader"


DEFECTS: list[tuple[str, dict[str, Any], str, str]] = [
    ("citizen id with a wrong check digit", {"sqr": {**CASE["sqr"], "zjhm": "110105194912310021"}}, "sqr.zjhm", ""),
    ("unknown document type", {"sqr": {**CASE["sqr"], "zjlx": "99"}}, "sqr.zjlx", "code-unknown"),
    ("a person that is text", {"sqr": "测试甲"}, "sqr", "value-type"), ("no person", {"sqr": None}, "sqr", ""),
    ("size as text with a sign", {"cl": [{**CASE["cl"][0], "dx": "+10"}]}, "cl[0].dx", "value-type"),
    ("size zero", {"cl": [{**CASE["cl"][0], "dx": 0}]}, "cl[0].dx", ""),
    ("a digest that is none", {"cl": [{**CASE["cl"][0], "zy": "00"}]}, "cl[0].zy", "value-form"),
    ("materials that are text", {"cl": "申请书"}, "cl[0]", "value-type"),
    ("a town's code", {"bldq": "360113001000"}, "bldq", "value-form"), ("no place", {"bldq": ""}, "bldq", ""),
    ("a time that is none", {"sjsj": "20260230093000"}, "sjsj", "value-form"),
    ("a time without seconds", {"sjsj": "202601010930"}, "sjsj", "value-form"),
    ("no attestation", {"hy": None}, "hy", "attestation-missing"), ("mode unknown", {"blfs": "9"}, "blfs", "code-unknown"),
    ("version as text", {"sxbb": "x"}, "sxbb", "value-type"), ("a form of numbers", {"bd": {"a": 1}}, "bd", "value-type"),
    ("no number", {"bjbh": ""}, "bjbh", "case-missing"), ("no act id", {"lsh": None}, "lsh", "id-form"),
    ("an act id that is a number", {"lsh": 1}, "lsh", "id-form"), ("an act id too long", {"lsh": "x" * 129}, "lsh", "id-form"),
    ("a mobile that is none", {"sqr": {**CASE["sqr"], "sjh": "12"}}, "sqr.sjh", ""),
]  # fmt: skip


@pytest.mark.parametrize(("name", "changes", "path", "code"), DEFECTS, ids=[row[0] for row in DEFECTS])
def test_a_defect_is_named_at_the_platforms_own_path(name: str, changes: dict[str, Any], path: str, code: str) -> None:
    with pytest.raises(Untranslatable) as caught:
        REST.inbound("case", encoded(**changes))
    bad = caught.value
    assert bad.path == path
    assert not code or bad.code == code
    assert bad.zh and bad.en
    assert "测试甲" not in bad.zh + bad.en + str(bad)


N_ROWS = [
    ("N01", b'{"lsh":"1","lsh":"2"}'), ("N02", b'{"sxbb":NaN}'), ("N02", b'{"sxbb":1e999}'), ("N02", b'{"sxbb":9007199254740993}'),
    ("N03", b"[" * 100 + b"]" * 100), ("N04", b'{"a":"\\ud800"}'), ("N04", b"\xef\xbb\xbf{}"), ("N04", b'{"a":"\xff"}'),
    ("N05", b"{} {}"), ("N05", b"{'a':1}"), ("N05", b"{}//"), ("N07", b"[]"), ("N07", b'"text"'), ("N07", b"null"), ("N05", b""),
]  # fmt: skip


@pytest.mark.parametrize(("row", "payload"), N_ROWS)
def test_N_bytes_that_are_no_clean_json_object_are_refused(row: str, payload: bytes) -> None:
    with pytest.raises((Invalid, Untranslatable)):
        REST.inbound("case", payload)


def test_a_body_that_is_too_large_is_refused_before_it_is_read() -> None:
    with pytest.raises(Invalid) as caught:
        RestTranslator(REST.profile, 100).inbound("case", encoded())
    assert caught.value.code == "too-large"


def test_an_event_is_read_by_its_type_word() -> None:
    event = {
        "lsh": "E1",
        "bjbh": "N1",
        "lx": "SD",
        "nr": {"fs": "1", "lqr": "测试甲", "hyfs": "3", "sj": "20260101093000"},
    }
    act = REST.inbound("event", json.dumps(event).encode(), case="N1")
    assert (act.type, act.case, act.id, act.body.method) == ("delivery", "N1", "E1", "pick_up")


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [({"bjbh": "N2"}, "case-mismatch", "bjbh"), ({"lx": "XX"}, "type-unknown", "lx"), ({"lx": ["SD"]}, "type-unknown", "lx"),
     ({"nr": None}, "body-missing", "nr"), ({"nr": "text"}, "body-missing", "nr"), ({"nr": {}}, "", "nr.fs")],
)  # fmt: skip
def test_J18_an_event_for_another_case_or_of_no_type_is_refused(changes: dict[str, Any], code: str, path: str) -> None:
    event = {"lsh": "E1", "bjbh": "N1", "lx": "SD",
             "nr": {"fs": "1", "lqr": "甲", "hyfs": "3", "sj": "20260101093000"}, **changes}  # fmt: skip
    with pytest.raises(Untranslatable) as caught:
        REST.inbound("event", json.dumps(event).encode(), case="N1")
    assert not code or caught.value.code == code
    assert caught.value.path == path


def test_an_operation_that_does_not_exist_is_refused() -> None:
    with pytest.raises(Untranslatable):
        REST.inbound("nothing", b"{}")


def test_N09_fields_that_no_rule_reads_do_not_pass_through() -> None:
    act = REST.inbound("case", encoded(extra="x", __proto__={"a": 1}))
    assert "extra" not in msgspec.json.encode(act.body).decode()


RESULT = """<BLJG xmlns="urn:tongban:sample:honggutan:v1"><BWT><LSH>1</LSH><TBBH>T1</TBBH><YWLSH>H1</YWLSH></BWT><BH>JG1</BH>
<MC>结果</MC><WJ><MC>证书</MC><ZW><MC>证书</MC><GS>image/svg+xml</GS><WJM>a.svg</WJM>{digest}<NR>PHN2Zy8+</NR></ZW></WJ>
<SJ>2026-01-01T09:30:00</SJ></BLJG>"""


def test_a_document_that_came_inside_becomes_a_part_named_by_its_digest() -> None:
    act = SOAP.inbound("BLJG", RESULT.format(digest="").encode())
    (part,) = act.parts
    assert (part.data, part.sm3, part.size) == (b"<svg/>", sm3(b"<svg/>").hex(), 6)
    document = act.body.documents[0]
    assert (document.document.sm3, document.document.role, document.stamp) == (part.sm3, "result", None)
    assert (act.case, act.local_number, act.id) == ("T1", "H1", "1")


def test_a_document_that_differs_from_its_stated_digest_is_refused() -> None:
    good = RESULT.format(digest=f"<ZY>{sm3(b'<svg/>').hex()}</ZY>")
    assert SOAP.inbound("BLJG", good.encode()).parts
    with pytest.raises(Untranslatable) as caught:
        SOAP.inbound("BLJG", RESULT.format(digest=f"<ZY>{'0' * 64}</ZY>").encode())
    assert caught.value.code == "material-digest-mismatch"


def test_what_the_profile_does_not_map_is_not_sent() -> None:
    assert not SOAP.can_send("decision")
    for translator in (SOAP, REST):
        with pytest.raises(Untranslatable):
            translator.outbound(samples.outbound("application" if translator is REST else "decision"))


# --- profiles with a defect -------------------------------------------------------------------------------------------

TABLE_DEFECTS: list[tuple[str, str, str, dict[str, Any] | None, str]] = [
    ("an unknown target", "in", "withdrawal", {"target": "nonsense", "source": "x"}, "target-unknown"),
    (
        "a codec of the wrong kind",
        "in",
        "arrival",
        {"target": "window", "source": "ck", "codec": "int"},
        "codec-misfit",
    ),
    ("a time without a codec", "in", "withdrawal", {"target": "at", "source": "sj"}, "codec-missing"),
    ("fixed words without a table", "in", "delivery", {"target": "method", "source": "fs"}, "table-missing"),
    (
        "a table of other words",
        "in",
        "delivery",
        {"target": "method", "source": "fs", "table": "sex"},
        "table-value-unknown",
    ),
    (
        "a table that lacks words",
        "out",
        "acceptance",
        {"target": "jg", "source": "outcome", "table": "sex"},
        "table-uncovered",
    ),
    ("an unknown source", "out", "step", {"target": "x", "source": "nothing"}, "source-unknown"),
    ("an unknown envelope field", "out", "step", {"target": "x", "source": "$.nothing"}, "source-unknown"),
]


@pytest.mark.parametrize(("name", "side", "table", "row", "code"), TABLE_DEFECTS, ids=[row[0] for row in TABLE_DEFECTS])
def test_check_finds(name: str, side: str, table: str, row: dict[str, Any], code: str) -> None:
    raw = toml("qiaokou")
    rows = [kept for kept in raw[side][table]["rows"] if kept["target"] != row["target"]]
    raw[side][table]["rows"] = [*rows, row]
    found = check_profile(compile_profile(raw)).findings
    assert code in {finding.code for finding in found}
    assert all(finding.where.startswith(f"{side}.{table}") for finding in found)


def test_check_finds_a_required_field_without_a_source() -> None:
    raw = toml("qiaokou")
    raw["in"]["withdrawal"]["rows"].pop(0)
    found = check_profile(compile_profile(raw)).findings
    assert [finding.code for finding in found] == ["target-uncovered"]


def test_a_profile_with_a_bad_row_is_not_opened() -> None:
    raw = toml("qiaokou")
    raw["in"]["withdrawal"]["rows"].append({"target": "x", "source": "y", "codec": "no-such"})
    with pytest.raises(Faulty):
        compile_profile(raw)


@pytest.mark.parametrize("silent", [["decision"], ["no-such"]])
def test_only_a_message_that_is_not_sent_can_be_done_without(silent: list[str]) -> None:
    raw = toml("guangzhou")
    raw["send"]["silent"] = silent
    with pytest.raises(Untranslatable, match=r"send\.silent"):
        compile_profile(raw)
    assert "arrival" in toml("guangzhou")["send"]["silent"]


@pytest.mark.parametrize("change", [{"surprise": 1}, {"version": "1"}, {"operations": {"case": {"id": "x"}}}])
def test_a_profile_with_a_bad_head_is_not_opened(change: dict[str, Any]) -> None:
    with pytest.raises(Untranslatable):
        compile_profile({**toml("qiaokou"), **change})

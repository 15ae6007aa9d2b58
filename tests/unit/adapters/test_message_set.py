"""The ten objects (profile ``guangzhou``): both directions, what is refused and why."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from adapters import samples
from adapters.again import came, goes
from adapters.base import Untranslatable
from adapters.check import check_profile
from adapters.message_set.family import open_translator
from adapters.profile import compile_profile
from adapters.registry import PlatformSettings, open_platform
from adapters.samples import AT
from schemas.canonical import BODIES
from schemas.errors import Invalid
from tests.unit.adapters.support import PROFILES, PROVIDER, RESOURCES, profile, signer, toml, whole_seconds
from tests.unit.schemas import examples

PROFILE = profile("guangzhou")
TRANSLATOR = open_translator(PROFILE, RESOURCES)
TEN = ["ApplyOB", "PreAcceptOB", "AcceptOB", "ApproveOB", "FinishOB", "SpecialApplyOB", "SpecialResultOB", "SupplementOB",
       "SupplementReceivedOB", "CollectOB"]  # fmt: skip
TYPE_OF = {body: name for name, body in BODIES.items()}
KEYS = "<SJBBH>1</SJBBH><SBLSH>S1</SBLSH><YWLSH>Y1</YWLSH><XZQHDM>420104</XZQHDM><GXDXZQHDM>440100</GXDXZQHDM>"
DECIDED = "<BJJG>1</BJJG><JDWSBH>1号</JDWSBH><JDDW>测试局</JDDW><JDR>测试员</JDR><BJSJ>2026-01-01 09:30:00</BJSJ>"
PAPER = (
    "<JG><ZZBH>Z1</ZZBH><ZZMC>证</ZZMC><WJ><MC>证</MC><ZW><MC>证</MC><GS>image/svg+xml</GS><WJM>a.svg</WJM><NR>PHN2Zy8+</NR>"
    "</ZW></WJ><FZSJ>2026-01-01 09:30:00</FZSJ></JG>"
)
STEP = "<HJMC>审查</HJMC><SPR>测试员</SPR><SPSJ>2026-01-01 09:30:00</SPSJ>"


def document(name: str, inner: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?><{name}>{KEYS}{inner}</{name}>'.encode()


def test_the_profile_has_the_ten_objects_and_no_error_in_its_tables() -> None:
    assert list(PROFILE.text.doors) == TEN
    assert set(PROFILE.text.send.operations.values()) == set(TEN)
    assert check_profile(PROFILE).findings == []
    assert "非官方接口" in PROFILE.text.notice and "公开" in PROFILE.text.basis


@pytest.mark.parametrize("type_", [*PROFILE.text.send.operations])
def test_a_sample_goes_out_as_its_object_and_comes_back(type_: str) -> None:
    out = samples.outbound(type_)
    wire = TRANSLATOR.outbound(out)
    assert wire.operation == PROFILE.text.send.operations[type_]
    acts = TRANSLATOR.acts(TRANSLATOR.document(wire.body), out.id)
    if type_ == "receipt":
        assert "<YSLYJ>办理地已收到</YSLYJ>".encode() in wire.body and acts == (), "预受理 is taken and is no act"
        return
    (act,) = acts
    assert act.case == out.case_number
    if type_ == "special_start":
        assert act.body == msgspec.structs.replace(out.body, kind="other")
        assert b"<BYZDA>expert_review</BYZDA>" in wire.body, "the finer kind stands in a spare field"
    else:
        assert act.body == out.body and act.id.partition("#")[0] == out.id


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(examples.BODIES)
def test_any_body_the_set_has_an_object_for_comes_back_or_is_refused_by_the_xsd(body: Any) -> None:
    type_ = TYPE_OF[type(body)]
    if not TRANSLATOR.can_send(type_):
        return
    body = whole_seconds(type_, body)
    if type_ == "special_start" and body.kind != "extension":
        body = msgspec.structs.replace(body, kind="other")
    out = msgspec.structs.replace(samples.outbound(type_), body=body)
    if type_ == "application":
        body = msgspec.structs.replace(body, case_number=out.case_number)
        out = msgspec.structs.replace(out, body=body, item=body.item, item_name=body.item_name)
    try:
        wire = TRANSLATOR.outbound(out)
    except Untranslatable as bad:
        assert bad.code == "xsd-invalid" and bad.path, bad.zh
        return
    back = TRANSLATOR.acts(TRANSLATOR.document(wire.body), "M1")[-1].body
    if type_ in ("result",):
        roles = [one.document.role for one in body.documents]
        assert roles == ["result"] * len(roles) or back != body
    elif type_ in ("application", "correction"):
        assert (back.form, [m.sm3 for m in back.materials]) == (body.form, [m.sm3 for m in body.materials])
    else:
        assert back == body


def test_one_finish_is_a_decision_and_a_result_with_its_file() -> None:
    decision, result = TRANSLATOR.acts(document("FinishOB", DECIDED + PAPER), "M1")
    assert (decision.type, decision.id, result.type, result.id) == ("decision", "M1#decision", "result", "M1#result")
    assert result.parts[0].data == b"<svg/>"
    assert (decision.case, decision.local_number) == ("S1", "Y1")


def test_an_acceptance_names_both_places_and_the_kinds_of_a_special_procedure_are_two() -> None:
    inner = (
        "<TBCXZL>{}</TBCXZL><TBCXYJ>法</TBCXYJ><TBCXYY>因</TBCXYY><TBCXSX>5</TBCXSX><TBCXGZ>告</TBCXGZ>"
        "<TBCXSJ>2026-01-01 09:30:00</TBCXSJ>"
    )
    kinds = [TRANSLATOR.acts(document("SpecialApplyOB", inner.format(kind)), "M1")[0].body.kind for kind in "AB"]
    assert kinds == ["extension", "other"]
    with pytest.raises(Untranslatable) as unknown:
        TRANSLATOR.acts(document("SpecialApplyOB", inner.format("C")), "M1")
    assert (unknown.value.code, unknown.value.path) == ("code-unknown", "TBCXZL")
    wire = TRANSLATOR.outbound(samples.outbound("acceptance"))
    assert b"<XZQHDM>440100</XZQHDM><GXDXZQHDM>420104.11420104MB0000000X</GXDXZQHDM>" in wire.body


BAD: list[tuple[str, bytes, str]] = [
    ("no such object", b"<OtherOB/>", "xsd-invalid"), ("an object of ours", document("decision", ""), "xsd-invalid"),
    ("no serial", document("ApproveOB", STEP).replace(b"<SBLSH>S1</SBLSH>", b""), "xsd-invalid"),
    ("a wrong order", document("ApproveOB", "<SPR>x</SPR><HJMC>x</HJMC><SPSJ>2026-01-01 09:30:00</SPSJ>"), "xsd-invalid"),
    ("K09 a time that is none", document("ApproveOB", STEP.replace("01-01", "02-30")), "value-form"),
    ("K09 a time with T", document("ApproveOB", STEP.replace("01 09", "01T09")), "xsd-invalid"),
    ("a finish that says nothing", document("FinishOB", ""), "body-missing"),
    ("a file of another digest", document("FinishOB", PAPER.replace("<GS>", f"<ZY>{'0' * 64}</ZY><GS>", 1)),
     "material-digest-mismatch"),
    ("X01 a DOCTYPE", b"<!DOCTYPE a>" + document("ApproveOB", STEP)[38:], "xml-dtd"),
    ("X05 a type of the sender's choice",
     document("ApproveOB", STEP).replace(b"<HJMC>", b'<HJMC xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:type="Wb">'), ""),
    ("X07 deep nesting", b"<a>" * 5000 + b"</a>" * 5000, "too-deep"),
    ("X08 UTF-16", document("ApproveOB", STEP).decode().replace("UTF-8", "UTF-16").encode("utf-16"), "wrong-encoding"),
    ("X08 UTF-8 declared, GBK sent", document("ApproveOB", STEP).decode().encode("gbk"), "wrong-encoding"),
    ("X17 an instruction", document("ApproveOB", "<?php 1?>" + STEP), "xml-instruction"), ("no bytes", b"", "bad-xml"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "data", "code"), BAD, ids=[row[0] for row in BAD])
def test_what_is_no_good_object_is_refused_with_its_reason(name: str, data: bytes, code: str) -> None:
    with pytest.raises((Untranslatable, Invalid)) as caught:
        TRANSLATOR.acts(data, "M1")
    bad: Any = caught.value
    assert bad.code == code or not code
    assert bad.zh and bad.en


def test_gb18030_is_taken_and_written() -> None:
    raw = toml("guangzhou") | {"encoding": "gb18030"}
    other = open_translator(compile_profile(raw), RESOURCES)
    wire = other.outbound(samples.outbound("application"))
    data = other.document(wire.body)
    assert data.startswith(b'<?xml version="1.0" encoding="GB18030"?>')
    assert other.acts(data, "M1")[0].body.form["经营场所"] == "测试大道𠀀号"


def test_K10_a_kept_object_is_mapped_again() -> None:
    original = document("FinishOB", DECIDED + PAPER)
    assert came(TRANSLATOR, "decision", "M1#decision", original, "")["body"]["unit"] == "测试局"
    assert goes(TRANSLATOR, samples.outbound("step"))["HJMC"] == "审查"


def test_a_refusal_names_message_code_reason_and_path_and_not_the_value() -> None:
    told = {"code": "TB-1006", "title": "缺少：HJMC", "path": "HJMC"}
    text = TRANSLATOR.refusal("M1", told).decode()
    assert "<RefusedOB><XXBS>M1</XXBS><DM>TB-1006</DM><YY>缺少：HJMC</YY><WZ>HJMC</WZ></RefusedOB>" in text
    assert TRANSLATOR.reply_refused(told) and TRANSLATOR.reply_ok(None, {}) == b""  # type: ignore[arg-type]


def test_what_the_set_has_no_object_for_is_not_sent() -> None:
    assert not TRANSLATOR.can_send("withdrawal") and not TRANSLATOR.can_send("arrival")
    with pytest.raises(Untranslatable):
        TRANSLATOR.outbound(samples.outbound("withdrawal"))
    assert AT.year == 2025


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('schema = "guangzhou.xsd"', 'schema = "none.xsd"'),
        ('refused = "', 'refuse = "'),
        ("batch = 100", 'batch = "x"'),
    ],
)
def test_a_defect_of_the_message_set_table_is_refused_when_opened(old: str, new: str) -> None:
    text = (PROFILES / "guangzhou.toml").read_text("utf-8")
    assert old in text
    given = PlatformSettings(id="x", profile="guangzhou", base_url="http://127.0.0.1:9")
    with pytest.raises(Untranslatable):
        open_platform(given, text.replace(old, new).encode(), RESOURCES, signer, PROVIDER, lambda: "n" * 16, lambda: 0)

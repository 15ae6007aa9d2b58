"""XSD problems in words: path, reason, allowed values; the value itself is never shown."""

from __future__ import annotations

import time

import pytest

from schemas.errors import Invalid
from schemas.validate import MAX_PROBLEMS, compile_xsd

XSD = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:t" xmlns="urn:t"
 elementFormDefault="qualified">
<xs:element name="BJXX"><xs:complexType><xs:sequence>
 <xs:element name="XM"><xs:annotation><xs:documentation>姓名</xs:documentation></xs:annotation><xs:simpleType>
  <xs:restriction base="xs:string"><xs:minLength value="1"/><xs:maxLength value="4"/></xs:restriction></xs:simpleType></xs:element>
 <xs:element name="LX"><xs:simpleType><xs:restriction base="xs:string">
  <xs:enumeration value="个人"/><xs:enumeration value="企业"/></xs:restriction></xs:simpleType></xs:element>
 <xs:element name="XZQH"><xs:simpleType><xs:restriction base="xs:string"><xs:pattern value="[0-9]{6}"/></xs:restriction>
  </xs:simpleType></xs:element>
 <xs:element name="SQSJ" type="xs:dateTime"/><xs:element name="SL" type="xs:positiveInteger"/>
 <xs:element name="JE"><xs:simpleType><xs:restriction base="xs:decimal"><xs:totalDigits value="6"/>
  <xs:fractionDigits value="2"/><xs:minInclusive value="0"/></xs:restriction></xs:simpleType></xs:element>
 <xs:element name="CL" maxOccurs="2"><xs:complexType><xs:simpleContent><xs:extension base="xs:string">
  <xs:attribute name="id" use="required" type="xs:int"/></xs:extension></xs:simpleContent></xs:complexType></xs:element>
</xs:sequence></xs:complexType></xs:element></xs:schema>"""
SCHEMA = compile_xsd(XSD.encode())
GOOD = (
    '<t:BJXX xmlns:t="urn:t"><t:XM>张三</t:XM><t:LX>个人</t:LX><t:XZQH>360113</t:XZQH><t:SQSJ>2026-01-05T09:00:00</t:SQSJ>'
    '<t:SL>1</t:SL><t:JE>10.50</t:JE><t:CL id="1">身份证</t:CL></t:BJXX>'
)


def test_a_valid_document_has_no_problems() -> None:
    assert SCHEMA.check(GOOD.encode()) == []
    assert SCHEMA.check(GOOD.replace("<t:", "<").replace("</t:", "</").replace("xmlns:t", "xmlns").encode()) == []


@pytest.mark.parametrize(
    ("old", "new", "path", "zh"),
    [
        ("张三", "秘密秘密秘密", "/BJXX/XM", "/BJXX/XM（姓名）：长度不得大于4"),
        ("张三", "", "/BJXX/XM", "/BJXX/XM（姓名）：长度不得小于1"),
        ("个人", "秘密", "/BJXX/LX", "/BJXX/LX：只能是：个人、企业"),
        ("360113", "秘密", "/BJXX/XZQH", "/BJXX/XZQH：格式不符，应匹配：[0-9]{6}"),
        ("2026-01-05T09:00:00", "秘密", "/BJXX/SQSJ", "/BJXX/SQSJ：应为日期时间"),
        (">1<", ">秘密<", "/BJXX/SL", "/BJXX/SL：应为整数"),
        (">1<", ">0<", "/BJXX/SL", "/BJXX/SL：超出类型的取值范围"),
        ("10.50", "10.555", "/BJXX/JE", "/BJXX/JE：小数不得超过2位"),
        ("10.50", "1234567", "/BJXX/JE", "/BJXX/JE：数字不得超过6位"),
        ("10.50", "-1", "/BJXX/JE", "/BJXX/JE：不得小于0"),
        ("10.50", "秘密", "/BJXX/JE", "/BJXX/JE：应为数字"),
        (' id="1"', "", "/BJXX/CL", "/BJXX/CL：缺少属性id"),
        (' id="1"', ' id="秘密"', "/BJXX/CL", "/BJXX/CL：属性id应为整数"),
        (' id="1"', ' id="1" x="秘密"', "/BJXX/CL", "/BJXX/CL：不应有属性x"),
        ("<t:LX>个人</t:LX>", "", "/BJXX", "/BJXX：第2个子元素XZQH不应出现，此处应为：LX"),
        ('<t:CL id="1">身份证</t:CL>', "", "/BJXX", "/BJXX：内容不全，缺少：CL"),
        ("<t:SL>", "秘密<t:SL>", "/BJXX", "/BJXX：子元素之间不应有文字"),
        ("张三", "<t:LX/>", "/BJXX/XM", "/BJXX/XM（姓名）：不应有子元素"),
        ("BJXX", "BJXY", "/BJXY", "/BJXY：不是本规范定义的根元素"),
        ("urn:t", "urn:o", "/BJXX", "/BJXX：不是本规范定义的根元素"),
    ],
)  # fmt: skip
def test_each_kind_of_problem_in_words(old: str, new: str, path: str, zh: str) -> None:
    problems = SCHEMA.check(GOOD.replace(old, new).encode())
    assert (problems[0].path, problems[0].zh) == (path, zh)
    assert not any("秘密" in problem.zh + problem.en for problem in problems)


def test_all_problems_are_named_up_to_a_limit() -> None:
    several = SCHEMA.check(GOOD.replace("个人", "x").replace("360113", "x").replace(">1<", ">x<").encode())
    assert [problem.path for problem in several] == ["/BJXX/LX", "/BJXX/XZQH", "/BJXX/SL"]
    many = SCHEMA.check(GOOD.replace('<t:CL id="1">身份证</t:CL>', "<t:CL/>" * 500).encode())
    assert len(many) == MAX_PROBLEMS


@pytest.mark.parametrize(
    "data", [b"<a/>", b"<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'><xs:element/></xs:schema>"]
)
def test_what_is_no_schema(data: bytes) -> None:
    with pytest.raises(Invalid) as caught:
        compile_xsd(data)
    assert caught.value.code == "bad-xsd"


def test_a_large_document_is_refused_with_places_only_and_at_once() -> None:
    xsd = (
        b'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="a"><xs:complexType><xs:sequence>'
        b'<xs:element name="b" type="xs:int" maxOccurs="unbounded"/></xs:sequence></xs:complexType></xs:element></xs:schema>'
    )
    schema = compile_xsd(xsd)
    begun = time.process_time()
    problems = schema.check(b"<a>" + b"<b>1</b>" * 50_000 + b"<b>x</b></a>")
    assert time.process_time() - begun < 3 and problems and "不符合规范" in problems[0].zh
    assert "应为整数" in schema.check(b"<a>" + b"<b>1</b>" * 100 + b"<b>x</b></a>")[0].zh


def test_broken_xml_is_refused_before_the_schema() -> None:
    with pytest.raises(Invalid, match="DOCTYPE"):
        SCHEMA.check(b"<!DOCTYPE a><a/>")

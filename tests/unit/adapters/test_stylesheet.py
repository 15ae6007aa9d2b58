"""Stylesheets: what they do, what they cannot reach, and that no document makes one run away."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from lxml import etree

from adapters import samples
from adapters.base import Untranslatable
from adapters.registry import open_translator
from adapters.stylesheet import Stylesheet
from tests.unit.adapters.support import PROFILES, XSD, open_test

HEAD = '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"'
IDENTITY = (
    '<xsl:template match="@*|node()"><xsl:copy><xsl:apply-templates select="@*|node()"/></xsl:copy></xsl:template>'
)


def sheet(body: str, more: str = "") -> Stylesheet:
    return Stylesheet(f"{HEAD} {more}>{body}</xsl:stylesheet>".encode())


def run(body: str, document: str) -> str:
    return etree.tostring(sheet(body).apply(etree.fromstring(document)), encoding="unicode")


def test_an_element_is_renamed_and_the_rest_stays() -> None:
    rename = '<xsl:template match="XM"><NAME><xsl:apply-templates/></NAME></xsl:template>'
    assert run(IDENTITY + rename, "<R a='1'><XM>甲</XM><B/></R>") == '<R a="1"><NAME>甲</NAME><B/></R>'


def test_rows_become_elements_named_by_their_key() -> None:
    pivot = """<xsl:template match="/"><xsl:for-each select="ROWS"><CASE><xsl:for-each select="R">
      <xsl:sort select="K"/><xsl:if test="V"><xsl:element name="{K}"><xsl:value-of select="V"/></xsl:element></xsl:if>
      </xsl:for-each></CASE></xsl:for-each></xsl:template>"""
    document = "<ROWS><R><K>XM</K><V>甲</V></R><R><K>BH</K><V>1</V></R><R><K>X</K></R></ROWS>"
    assert run(pivot, document) == "<CASE><BH>1</BH><XM>甲</XM></CASE>"


def test_variables_and_named_templates_work() -> None:
    body = """<xsl:variable name="place" select="/R/@p"/>
      <xsl:template name="t"><xsl:param name="v"/><T><xsl:value-of select="$v"/></T>
      </xsl:template><xsl:template match="R"><O p="{$place}"><xsl:for-each select="A"><xsl:call-template name="t">
      <xsl:with-param name="v" select="concat(., ../@p)"/></xsl:call-template></xsl:for-each></O></xsl:template>"""
    assert run(body, '<R p="x"><A>1</A><A>2</A></R>') == '<O p="x"><T>1x</T><T>2x</T></O>'


REFUSED = [
    '<xsl:import href="http://127.0.0.1:9/x.xsl"/>', '<xsl:include href="file:///etc/passwd"/>',
    '<xsl:template match="/"><a><xsl:value-of select="document(\'file:///etc/passwd\')"/></a></xsl:template>',
    '<xsl:template match="/"><a b="{document(/R)}"/></xsl:template>',
    '<xsl:template match="/"><xsl:message>x</xsl:message></xsl:template>',
    '<xsl:template match="/"><xsl:apply-templates select="/"/></xsl:template>',
    '<xsl:template match="*"><xsl:apply-templates select="."/></xsl:template>',
    '<xsl:template match="*"><xsl:apply-templates select=".."/></xsl:template>',
    '<xsl:template match="*"><xsl:apply-templates/><xsl:apply-templates/></xsl:template>',
    '<xsl:template match="*"><xsl:apply-templates select="*"/><xsl:apply-templates select="a"/></xsl:template>',
    '<xsl:template match="*"><xsl:for-each select="a"><xsl:apply-templates/></xsl:for-each><xsl:for-each select="a">'
    "<xsl:apply-templates/></xsl:for-each></xsl:template>",
    '<xsl:template name="a"><xsl:call-template name="b"/></xsl:template>'
    '<xsl:template name="b"><xsl:call-template name="a"/></xsl:template>',
    '<xsl:template name="a"><xsl:apply-templates/></xsl:template>',
    '<xsl:template match="/"><xsl:call-template name="none"/></xsl:template>',
    '<xsl:template match="/"><xsl:for-each select="//a"/></xsl:template>',
    '<xsl:template match="/"><xsl:for-each select="a/.."/></xsl:template>',
    '<xsl:template match="/"><xsl:value-of select="count(descendant::*)"/></xsl:template>',
    '<xsl:template match="a"><xsl:value-of select="count(b[. = ../../c])"/></xsl:template>',
    '<xsl:template match="a"><xsl:value-of select="b[. = $x]"/></xsl:template>', "<xsl:key name='k' match='a' use='b'/>",
    '<xsl:template match="a"><xsl:value-of select="generate-id(.)"/></xsl:template>', "<xsl:template match='['/>",
    "".join(f'<xsl:template name="t{n}">' + f'<xsl:call-template name="t{n + 1}"/>' * 2 + "</xsl:template>" for n in range(20))
    + '<xsl:template name="t20"/>',
]  # fmt: skip


@pytest.mark.parametrize("body", REFUSED)
def test_X11_what_reaches_out_or_runs_away_is_refused_when_it_is_compiled(body: str) -> None:
    """X11, X06: nothing is imported, no document is read, no recursion without end."""
    with pytest.raises(Untranslatable) as caught:
        sheet(body)
    assert caught.value.code == "stylesheet-refused"


@pytest.mark.parametrize(
    "uri", ["http://exslt.org/common", "http://exslt.org/dynamic", "http://xmlsoft.org/XSLT/", "http://icl.com/saxon"]
)
def test_X11_extensions_are_refused(uri: str) -> None:
    """X11: no dynamic evaluation, no writing of documents."""
    with pytest.raises(Untranslatable):
        sheet(IDENTITY, f'xmlns:e="{uri}"')


@pytest.mark.parametrize(
    "data", [b"<a/>", b"<!DOCTYPE a><a/>", b"", b"\xff", HEAD.encode() + b'><?php x?></xsl:stylesheet>',
             b'<xsl:stylesheet version="2.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"/>', b" " * 300_000]
)  # fmt: skip
def test_X01_what_is_no_stylesheet_is_refused(data: bytes) -> None:
    """X01, X17."""
    with pytest.raises(Untranslatable):
        Stylesheet(data)


def test_X06_nothing_is_read_even_where_the_check_were_passed(tmp_path: Path) -> None:
    """X06: the engine itself is told to deny all access."""
    secret = tmp_path / "secret.xml"
    secret.write_text("<s>geheim</s>")
    from adapters import stylesheet

    reads = f"<xsl:value-of select=\"document('{secret.as_uri()}')\"/>"
    raw = f'{HEAD}><xsl:template match="/"><o>{reads}</o></xsl:template></xsl:stylesheet>'
    transform = etree.XSLT(etree.fromstring(raw), access_control=stylesheet._DENIED)
    with pytest.raises(etree.XSLTApplyError):
        transform(etree.fromstring("<a/>"))


def test_X07_the_widest_and_deepest_documents_end_soon() -> None:
    """X07: the largest documents that are let in."""
    body = (
        IDENTITY
        + """<xsl:template match="r"><o><xsl:for-each select="a"><x><xsl:value-of select="count(../a[b])"/></x></xsl:for-each></o>
      </xsl:template>"""
    )
    wide = "<r>" + "<a><b/></a>" * 2_200 + "</r>"
    deep = "<d>" * 60 + "<e/>" * 20_000 + "</d>" * 60
    for document in (wide, deep):
        began = time.process_time()
        try:
            sheet(body).apply(etree.fromstring(document))
        except Untranslatable as bad:
            assert "太大" in bad.zh
        assert time.process_time() - began < 3
    with pytest.raises(Untranslatable):
        sheet(body).apply(etree.fromstring("<r>" + "<a><b/></a>" * 20_000 + "</r>"))
    assert sheet(IDENTITY).apply(etree.fromstring(deep)) is not None


def test_a_result_without_a_root_is_refused() -> None:
    with pytest.raises(Untranslatable):
        sheet('<xsl:template match="/">text</xsl:template>').apply(etree.fromstring("<a/>"))


# --- in a profile -----------------------------------------------------------------------------------------------------

ROWS_OF = f"""{HEAD} xmlns:h="urn:tongban:sample:honggutan:v1">
<xsl:template match="@*|node()"><xsl:copy><xsl:apply-templates select="@*|node()"/></xsl:copy></xsl:template>
<xsl:template match="h:HJMC"><h:HJMC>环节：<xsl:value-of select="."/></h:HJMC></xsl:template></xsl:stylesheet>"""


def test_a_profiles_stylesheets_run_after_their_schema_and_before_ours() -> None:
    profile = (PROFILES / "honggutan.toml").read_text("utf-8") + '\n[transform]\nin = "in.xsl"\nout = "out.xsl"\n'
    out = ROWS_OF.replace("h:HJMC", "h:YT").replace("环节：", "用途：")
    files = {"honggutan.xsd": XSD, "in.xsl": ROWS_OF.encode(), "out.xsl": out.encode()}
    translator = open_translator(profile.encode(), files)
    wire = translator.outbound(samples.outbound("application"))
    assert "用途：测试用途" in wire.body.decode("gbk")
    step = etree.fromstring(STEP)
    assert translator.decode(STEP)["HJMC"] == f"环节：{step.findtext('{urn:tongban:sample:honggutan:v1}HJMC')}"
    with pytest.raises(Untranslatable) as caught:
        open_translator(profile.encode(), {"honggutan.xsd": XSD, "in.xsl": ROWS_OF.encode()})
    assert caught.value.code == "stylesheet-missing"
    made = open_test("honggutan")
    assert set(made.files) == {"profile.toml", "honggutan.xsd"}


STEP = """<BLHJ xmlns="urn:tongban:sample:honggutan:v1"><BWT><BBH>1</BBH><LSH>L1</LSH><TBBH>T1</TBBH><YWLSH>Y1</YWLSH></BWT>
<HJMC>审查</HJMC><RY>甲</RY><YJ>无</YJ><SJ>2025-03-03T09:30:00</SJ></BLHJ>""".encode()

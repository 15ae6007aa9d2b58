"""Hostile XML (X01-X09, X12, X17, X18): refused with a code before anything is loaded, expanded or fetched."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import Invalid
from schemas.validate import compile_xsd
from schemas.xml import MAX_ATTRIBUTES, MAX_DEPTH, parse_xml

XI = b'xmlns:xi="http://www.w3.org/2001/XInclude"'


def refused(data: bytes, **options: object) -> str:
    begun = time.process_time()
    with pytest.raises(Invalid) as caught:
        parse_xml(data, **options)  # type: ignore[arg-type]
    assert time.process_time() - begun < 3
    assert any("\u4e00" <= character <= "\u9fff" for character in caught.value.zh)
    return caught.value.code


class Canary:
    """A listener on this machine that counts who calls."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.calls = 0
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.calls += 1
            connection.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.socket.getsockname()[1]}/x.xsd"


@pytest.fixture
def canary() -> Iterator[Canary]:
    listener = Canary()
    yield listener
    listener.socket.close()
    assert listener.calls == 0


@pytest.mark.parametrize(
    "data",
    [
        b"<!DOCTYPE a><a/>", b"<!DOCTYPE a []><a/>", b'<?xml version="1.0"?>\n<!DOCTYPE a SYSTEM "a.dtd"><a/>',
        b"<!-- <a> --><!DOCTYPE a><a/>", b"<?pi x?><!DOCTYPE a><a/>", b"<!doctype a><a/>", b"<!ENTITY x 'y'><a/>",
    ],
)  # fmt: skip
def test_X01_any_doctype(data: bytes) -> None:
    assert refused(data) == "xml-dtd"


def test_X01_the_word_in_a_text_is_no_doctype() -> None:
    assert (
        parse_xml(b"<a><![CDATA[<?xml version='1.0'?><!DOCTYPE a>]]></a>").text == "<?xml version='1.0'?><!DOCTYPE a>"
    )


@pytest.mark.parametrize(
    "system", ["file:///etc/hostname", "{url}", "ftp://127.0.0.1/x", "php://filter/x", "jar:file:///x!/y"]
)
def test_X02_external_entities(system: str, canary: Canary) -> None:
    where = system.format(url=canary.url)
    assert refused(f'<!DOCTYPE a [<!ENTITY x SYSTEM "{where}">]><a>&x;</a>'.encode()) == "xml-dtd"
    assert refused(f'<!DOCTYPE a [<!ENTITY % p SYSTEM "{where}"> %p;]><a/>'.encode()) == "xml-dtd"
    assert refused(f'<!DOCTYPE a SYSTEM "{where}"><a/>'.encode()) == "xml-dtd"


def test_X03_entity_bombs() -> None:
    lines = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "lol"}">' for n in range(10))
    assert refused(f"<!DOCTYPE a [{lines}]><a>&l9;</a>".encode()) == "xml-dtd"
    assert refused(b'<!DOCTYPE a [<!ENTITY x "' + b"y" * 100_000 + b'">]><a>' + b"&x;" * 10_000 + b"</a>") == "xml-dtd"


def test_X04_entities_in_attributes_and_undefined_ones() -> None:
    assert refused(b'<!DOCTYPE a [<!ENTITY x "y">]><a b="&x;"/>') == "xml-dtd"
    assert refused(b'<a b="&x;"/>') == "bad-xml"
    assert refused(b"<a>&x;</a>") == "bad-xml"


def test_X05_includes_and_location_hints_are_never_followed(canary: Canary) -> None:
    include = f'<a {XI.decode()}><xi:include href="{canary.url}"/></a>'
    assert refused(include.encode()) == "xml-include"
    xsd = b'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="a" type="xs:int"/></xs:schema>'
    hints = f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="{canary.url}"'
    schema = compile_xsd(xsd)
    assert schema.check(f"<a {hints}>1</a>".encode()) == []
    assert schema.check(f"<a {hints}>x</a>".encode())
    other = f'xsi:schemaLocation="urn:o {canary.url}" xmlns:o="urn:o" xsi:type="o:t"'
    assert schema.check(f'<a xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" {other}>1</a>'.encode())


@pytest.mark.parametrize("name", ["include", "import", "redefine", "override"])
@pytest.mark.parametrize("location", ["{url}", "../other.xsd", "file:///etc/passwd", ""])
def test_X06_a_schema_stands_alone(name: str, location: str, canary: Canary) -> None:
    where = location.format(url=canary.url)
    xsd = f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:{name} schemaLocation="{where}"/></xs:schema>'
    with pytest.raises(Invalid) as caught:
        compile_xsd(xsd.encode())
    assert caught.value.code == "xsd-external"


def test_X07_nesting_attributes_elements_namespaces_text() -> None:
    assert refused(b"<a>" * 100_000 + b"</a>" * 100_000) == "too-deep"
    assert refused(b"<a>" * (MAX_DEPTH + 1) + b"</a>" * (MAX_DEPTH + 1)) == "too-deep"
    assert parse_xml(b"<a>" * MAX_DEPTH + b"</a>" * MAX_DEPTH) is not None
    attributes = [b' a%d="1"' % n for n in range(100_000)]
    assert refused(b"<a" + b"".join(attributes) + b"/>") == "too-many"
    assert refused(b"<a" + b"".join(attributes[: MAX_ATTRIBUTES + 1]) + b"/>") == "too-many"
    assert parse_xml(b"<a" + b"".join(attributes[:MAX_ATTRIBUTES]) + b"/>") is not None
    assert refused(b"<a>" + b"<b/>" * 1_000_000 + b"</a>", max_bytes=1 << 24) == "too-many"
    assert refused(b"<a" + b"".join(b' xmlns:a%d="u%d"' % (n, n) for n in range(100_000)) + b"/>") == "too-many"
    assert refused(b"<a>" + b"x" * 11_000_000 + b"</a>") == "too-large"
    assert refused(b"<a>" + b"x" * 11_000_000 + b"</a>", max_bytes=1 << 24) == "bad-xml"


@pytest.mark.parametrize(
    "data",
    [
        b'<?xml version="1.0" encoding="UTF-7"?>+ADw-b/+AD4-', b'<?xml version="1.0" encoding="hz-gb-2312"?><a/>',
        b'<?xml version="1.0" encoding="ISO-8859-1"?><a/>', b'<?xml version="1.0" encoding="utf-16"?><a/>',
        "<a/>".encode("utf-16"), "<a/>".encode("utf-16-le"), "<a/>".encode("utf-16-be"), "<a/>".encode("utf-32"),
        '<?xml version="1.0" encoding="cp037"?><a/>'.encode("cp037"), "<a>硚口</a>".encode("gbk"),
        '<?xml version="1.0" encoding="UTF-8"?><a>硚口</a>'.encode("gbk"),
        b'<?xml version="1.0" encoding="GBK"?><a>' + b"\xff\xff</a>",
        b"\xef\xbb\xbf" + '<?xml version="1.0" encoding="GBK"?><a>硚口</a>'.encode("gbk"),
        "<a>硚".encode() + "口</a>".encode("gbk"), b"<a>\xed\xa0\x80</a>", b"<a>\xc0\xbc</a>",
    ],
)  # fmt: skip
def test_X08_encodings_outside_the_list_or_not_as_declared(data: bytes) -> None:
    assert refused(data) == "wrong-encoding"


@pytest.mark.parametrize(
    ("name", "codec"), [("UTF-8", "utf-8"), ("GBK", "gbk"), ("gb2312", "gbk"), ("GB18030", "gb18030")]
)
def test_X08_declared_encodings_of_the_list_are_read(name: str, codec: str) -> None:
    assert parse_xml(f'<?xml version="1.0" encoding="{name}"?>\n<a>硚口區㎡</a>'.encode(codec)).text == "硚口區㎡"


def test_K03_rare_characters_survive_gb18030_or_are_refused_in_gbk() -> None:
    text = "𠮷㐀𬭛"
    assert parse_xml(f'<?xml version="1.0" encoding="GB18030"?><a>{text}</a>'.encode("gb18030")).text == text
    assert refused(f'<?xml version="1.0" encoding="GBK"?><a>{text}</a>'.encode("gb18030")) == "wrong-encoding"


def test_X09_http_charset_and_declaration_agree() -> None:
    gbk = '<?xml version="1.0" encoding="GBK"?><a>硚口</a>'.encode("gbk")
    assert parse_xml(gbk, charset="gbk").text == parse_xml("<a>硚口</a>".encode("gbk"), charset="GBK").text == "硚口"
    assert refused(gbk, charset="utf-8") == "wrong-encoding"
    assert refused(gbk, encodings=("utf-8",)) == "wrong-encoding"


def test_X12_comments_and_cdata_do_not_split_a_value() -> None:
    for data in (b"<a>admin<!---->x</a>", b"<a>admin<![CDATA[x]]></a>", b"<a><![CDATA[ad]]>min<!-- y -->x</a>"):
        assert parse_xml(data).text == "adminx"


FLOODS = [b"<?x?>" * 90_000 + b"<a/>", b"<a>" + b"<?x?>" * 90_000 + b"</a>", b"<!---->" * 90_000 + b"<?x?><a/>"]


@pytest.mark.parametrize("flood", FLOODS, ids=["before", "inside", "after comments"])
def test_X17_a_flood_of_instructions_costs_no_more_than_its_bytes(flood: bytes) -> None:
    assert refused(flood) == "xml-instruction"


@pytest.mark.parametrize("data", [b"<a/><?x y?>", b"<a><?x y?></a>", b'<?xml-stylesheet href="x"?><a/>', b"<?x?><a/>"])
def test_X17_processing_instructions(data: bytes) -> None:
    assert refused(data) == "xml-instruction"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("9" * 1_000_000, "bad-number"), ("-" + "9" * 70, "bad-number"), ("0." + "0" * 100, "bad-number"),
        ("999999999-01-01", "bad-date"), ("-10000-12-31T00:00:00Z", "bad-date"),
    ],
)  # fmt: skip
def test_X18_numbers_and_years_that_choke_readers(text: str, code: str) -> None:
    assert refused(f"<a>{text}</a>".encode()) == code
    assert refused(f'<a b="{text}"/>'.encode()) == code


@pytest.mark.parametrize(
    "data",
    [b"", b" ", b"x", b"<a>", b"<a></b>", b"<a/><b/>", b"<a>\x01</a>", b"<a>&#0;</a>", b"<a>&#xD800;</a>", b"<a b=1/>",
     "<a>\ufffe</a>".encode(), b'<?xml version="1.1"?><a/>', b'<?xml version="1.0" encoding="gbk" x="y"?><a/>', b"<!-- x",
     b"<a:b/>"],
)  # fmt: skip
def test_what_is_no_xml_is_said_with_its_place(data: bytes) -> None:
    assert refused(data) == "bad-xml"


@given(st.binary(max_size=200))
def test_any_bytes_are_a_tree_or_a_refusal(data: bytes) -> None:
    for candidate in (data, b"<a>" + data + b"</a>", b'<?xml version="1.0" encoding="gbk"?><a>' + data + b"</a>"):
        try:
            parse_xml(candidate)
        except Invalid as error:
            assert error.zh

"""Make ``vectors.json``: SOAP requests, good and bad, made by lxml code of the simulated platform and by zeep.

Run by hand: ``python tests/vectors/soap/generate.py``. Bodies are Base64, because their bytes are what is tested. ``expect`` is
``ok`` or the code of the fault.
"""

from __future__ import annotations

import io
import json
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(ROOT / "gateway" / "demo" / "platforms"), str(ROOT)]

import honggutan_case as papers  # noqa: E402
import zeep  # noqa: E402
from honggutan_soap import NS, SOAP, element, envelope  # noqa: E402
from lxml import etree  # noqa: E402

CREDENTIAL = {"DWBM": "HGT-TEST", "XKZ": "licence-of-the-platform"}
CASE = {
    "tbbh": "420104.X/1",
    "ywlsh": "HGT20260101000001",
    "scenario": "granted",
    "item": "测试事项",
    "material": "申请书",
}
GBK, UTF8 = "text/xml; charset=GBK", "text/xml; charset=utf-8"


def head(**texts: str) -> Any:
    return element("JQXX", **(texts or CREDENTIAL))


def step(**texts: str) -> Any:
    """A BLHJ with a fixed time."""
    told = {"HJMC": "审查", "RY": "测试审批员", "YJ": "材料齐全", "SJ": "2026-01-01T09:30:00", **texts}
    made = element("BLHJ", **told)
    made.insert(0, element("BWT", LSH="L1", TBBH="420104.X/1", YWLSH="HGT1"))
    return made


def vector(name: str, body: bytes, expect: str = "ok", media: str = GBK, action: str = "") -> dict[str, str]:
    return {"name": name, "expect": expect, "content_type": media, "action": action, "body": b64encode(body).decode()}


GOOD = envelope(step(), head())
PLAIN = GOOD.decode("gbk").replace("GBK", "UTF-8")


def good() -> list[dict[str, str]]:
    made = []
    for kind in ("BZTZ", "SLTZ", "BLHJ", "TSCXKS", "TSCXJS", "BLJD", "BLJG"):
        made.append(vector(f"{kind} in GBK", envelope(papers.paper(kind, CASE), head()), action=f'"{NS}/{kind}"'))
    made.append(vector("denied", envelope(papers.paper("BLJD", {**CASE, "scenario": "denied"}), head())))
    made.append(vector("UTF-8", PLAIN.encode(), media=UTF8))
    made.append(vector("UTF-8 with its mark", b"\xef\xbb\xbf" + PLAIN.encode(), media=UTF8))
    made.append(vector("GB18030 with a character that GBK lacks",
                       PLAIN.replace("UTF-8", "GB18030").replace("审查", "审查\U00020000").encode("gb18030"),
                       media="text/xml; charset=GB18030"))  # fmt: skip
    made.append(vector("GB2312 declared, a GBK character used",
                       PLAIN.replace("UTF-8", "GB2312").replace("审查", "審查").encode("gbk"), media="text/xml"))  # fmt: skip
    made.append(vector("GBK said by HTTP alone", PLAIN.split("?>", 1)[1].encode("gbk")))
    made.append(vector("a character reference for a rare character", envelope(step(HJMC="审查𠀀"), head())))
    made.append(vector("X12 a comment inside a value", PLAIN.replace("审查<", "审<!-- x -->查<").encode(), media=UTF8))
    made.append(vector("X12 a value in CDATA", PLAIN.replace("审查<", "<![CDATA[审查]]><").encode(), media=UTF8))
    optional = PLAIN.replace("</soap:Header>", '<x:a xmlns:x="urn:x">1</x:a></soap:Header>')
    made.append(vector("X14 a header that need not be understood", optional.encode(), media=UTF8))
    return made + by_zeep()


def by_zeep() -> list[dict[str, str]]:
    """What zeep makes of our WSDL: UTF-8, its own prefixes."""
    from tests.unit.adapters.support import open_test

    service = open_test("honggutan").service
    assert service is not None
    client = zeep.Client(io.BytesIO(service.wsdl("http://gateway.example/soap")))  # type: ignore[arg-type]
    shown = client.get_element(f"{{{NS}}}JQXX")(**CREDENTIAL)
    bwt = {"LSH": "Z1", "TBBH": "420104.X/1", "YWLSH": "HGT1"}
    calls: dict[str, dict[str, Any]] = {
        "SLTZ": {"BWT": bwt, "SLJG": "SL", "WH": "1号", "DW": "审批局", "RY": "测试员", "SJ": "2026-01-01T09:30:00"},
        "BLJD": {"BWT": bwt, "JDJG": "BYXK", "WH": "1号", "DW": "审批局", "RY": "测试员", "SJ": "2026-01-01T09:30:00",
                 "LY": "不符", "JJTJ": "复议"},
        "CLHQ": {"TBBH": "420104.X/1", "ZY": "0" * 64, "QSWZ": 0, "CD": 1024}, "BJCX": {"TBBH": "420104.X/1"},
    }  # fmt: skip
    made = []
    for name, fields in calls.items():
        body = client.create_message(client.service, name, _soapheaders=[shown], **fields)
        data = etree.tostring(body, xml_declaration=True, encoding="utf-8")
        made.append(vector(f"{name} by zeep", data, media=UTF8, action=f'"{NS}/{name}"'))
    return made


def doctype(text: str, entity: str = "") -> bytes:
    return PLAIN.replace("?>", f"?>{text}", 1).replace("审查<", f"审查{entity}<").encode()


def attacks() -> list[dict[str, str]]:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    include = '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/>'
    instance = '<BWT xmlns:i="http://www.w3.org/2001/XMLSchema-instance" '
    hint = instance + 'i:schemaLocation="urn:x http://127.0.0.1:9/x.xsd">'
    attributes = " ".join(f'a{n}="1"' for n in range(1000))
    spaces = " ".join(f'xmlns:n{n}="u"' for n in range(1000))
    half = PLAIN.replace("UTF-8", "GBK").encode("gbk").replace("审查".encode("gbk"), b"\xc9")
    value = PLAIN.replace("审查<", "{}<", 1)
    rows: list[tuple[str, bytes, str]] = [
        ("X01 a harmless DOCTYPE", doctype("<!DOCTYPE x>"), "xml-dtd"),
        ("X01 a DOCTYPE after a comment", doctype("<!-- a --><!DOCTYPE x>"), "xml-dtd"),
        ("X02 an external entity on the disk", doctype('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>', "&e;"), "xml-dtd"),
        ("X02 an external entity on the net", doctype('<!DOCTYPE x [<!ENTITY e SYSTEM "http://127.0.0.1:9/">]>', "&e;"), "xml-dtd"),
        ("X02 a parameter entity", doctype('<!DOCTYPE x [<!ENTITY % e SYSTEM "http://127.0.0.1:9/">%e;]>'), "xml-dtd"),
        ("X02 an external subset", doctype('<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">'), "xml-dtd"),
        ("X03 billion laughs", doctype(f'<!DOCTYPE x [<!ENTITY l0 "lol">{laughs}]>', "&l9;"), "xml-dtd"),
        ("X04 an entity in an attribute", doctype('<!DOCTYPE x [<!ENTITY e "v">]>').replace(b"<BWT>", b'<BWT a="&e;">'), "xml-dtd"),
        ("X04 an entity that nobody declared", doctype("", "&nbsp;"), "bad-xml"),
        ("X05 XInclude", value.format(include).encode(), "xml-include"),
        ("X05 a schema location", PLAIN.replace("<BWT>", hint, 1).encode(), "xml-xsi"),
        ("X05 a type of the sender's choice", PLAIN.replace("<BWT>", instance + 'i:type="Ren">', 1).encode(), "xsd-invalid"),
        ("X07 deep nesting", value.format("<a>" * 5000 + "</a>" * 5000).encode(), "too-deep"),
        ("X07 many attributes", PLAIN.replace("<BWT>", f"<BWT {attributes}>", 1).encode(), "too-many"),
        ("X07 many namespaces", PLAIN.replace("<BWT>", f"<BWT {spaces}>", 1).encode(), "too-many"),
        ("X08 UTF-16", PLAIN.replace("UTF-8", "UTF-16").encode("utf-16"), "wrong-encoding"),
        ("X08 UTF-16 without its mark", PLAIN.replace("UTF-8", "UTF-16LE").encode("utf-16-le"), "wrong-encoding"),
        ("X08 UTF-32", PLAIN.replace("UTF-8", "UTF-32").encode("utf-32"), "wrong-encoding"),
        ("X08 UTF-7", PLAIN.replace("UTF-8", "UTF-7").encode("utf-7"), "wrong-encoding"),
        ("X08 HZ", PLAIN.replace("UTF-8", "HZ-GB-2312").encode("hz"), "wrong-encoding"),
        ("X08 EBCDIC", PLAIN.replace("UTF-8", "IBM037").split("?>")[0].encode("cp037"), "wrong-encoding"),
        ("X08 UTF-8 declared, GBK sent", PLAIN.encode("gbk"), "wrong-encoding"),
        ("X08 GBK declared, half a character", half, "wrong-encoding"),
        ("X17 a processing instruction", PLAIN.replace("<BWT>", "<?php echo 1 ?><BWT>", 1).encode(), "xml-instruction"),
        ("X17 a style sheet", doctype('<?xml-stylesheet href="http://127.0.0.1:9/x.xsl"?>'), "xml-instruction"),
        ("X18 a year of ten digits", PLAIN.replace("2026-01-01T", "2026000000-01-01T").encode(), "bad-date"),
        ("cut off in the middle", PLAIN.encode()[:-40], "bad-xml"), ("no bytes", b"", "bad-xml"), ("JSON", b"{}", "bad-xml"),
    ]  # fmt: skip
    media = "text/xml"
    number = {"ZL": "QT", "FLYJ": "法", "YY": "因", "SXGZR": "9" * 4000, "GZS": "告", "SJ": "2026-01-01T09:30:00"}
    special = envelope(element("TSCXKS", element("BWT", LSH="L", TBBH="T"), **number), head())
    made = [vector(name, body, expect, media) for name, body, expect in rows]
    made.append(vector("X18 a number of 4000 digits", special, "bad-number"))
    made.append(vector("X09 GBK in HTTP, UTF-8 declared", PLAIN.encode(), "wrong-encoding"))
    made.append(vector("X09 UTF-8 in HTTP, GBK declared", GOOD, "wrong-encoding", UTF8))
    return made


def envelopes() -> list[dict[str, str]]:
    two = PLAIN.replace("</soap:Body>", "</soap:Body><soap:Body/>")
    must = '<x:a xmlns:x="urn:x" soap:mustUnderstand="{}">1</x:a></soap:Header>'
    rows: list[tuple[str, str, str]] = [
        ("X14 two Bodies", two, "envelope-form"),
        ("X14 an empty Body", PLAIN.split("<soap:Body>")[0] + "<soap:Body/></soap:Envelope>", "body-form"),
        ("X14 two elements in the Body", PLAIN.replace("</soap:Body>", "<a/></soap:Body>"), "body-form"),
        ("X14 no Body", f'<e:Envelope xmlns:e="{SOAP}"/>', "envelope-form"),
        ("X14 a Header after the Body", PLAIN.replace("</soap:Body>", "</soap:Body><soap:Header/>"), "envelope-form"),
        ("X14 an unknown header that must be understood", PLAIN.replace("</soap:Header>", must.format("1")), "must-understand"),
        ("X14 the same as a word", PLAIN.replace("</soap:Header>", must.format("true")), "must-understand"),
        ("X14 SOAP 1.2", PLAIN.replace(SOAP, "http://www.w3.org/2003/05/soap-envelope"), "soap-version"),
        ("X14 the credential twice", PLAIN.replace("</soap:Header>", f'<JQXX xmlns="{NS}"/></soap:Header>'), "header-repeated"),
        ("no envelope", "<a/>", "not-soap"), ("an operation that does not exist", PLAIN.replace("BLHJ", "NONE"), "xsd-invalid"),
        ("an operation of another namespace", PLAIN.replace(f'<BLHJ xmlns="{NS}"', '<BLHJ xmlns="urn:other"'), "operation-unknown"),
        ("an operation of our own answers", PLAIN.replace("BLHJ", "SubmitCaseResponse"), "xsd-invalid"),
        ("no credential", PLAIN.split("<soap:Header>")[0] + PLAIN.split("</soap:Header>")[1], "wrong-credential"),
        ("a wrong licence", PLAIN.replace(CREDENTIAL["XKZ"], "other"), "wrong-credential"),
        ("an empty licence", PLAIN.replace(CREDENTIAL["XKZ"], ""), "wrong-credential"),
        ("a wrong unit", PLAIN.replace(CREDENTIAL["DWBM"], "HGT-TESU"), "wrong-credential"),
        ("the credential in the Body's place", PLAIN.replace("soap:Header>", "soap:Heade>"), "envelope-form"),
        ("a missing element", PLAIN.replace("<HJMC>审查</HJMC>", ""), "xsd-invalid"),
        ("an element too many", PLAIN.replace("<HJMC>", "<XX>1</XX><HJMC>"), "xsd-invalid"),
        ("a wrong order", PLAIN.replace("<HJMC>审查</HJMC>", "").replace("</BLHJ>", "<HJMC>审查</HJMC></BLHJ>"), "xsd-invalid"),
        ("a time with a zone", PLAIN.replace("09:30:00", "09:30:00Z"), "xsd-invalid"),
        ("a value of only blanks", PLAIN.replace("审查", "   "), ""),
        ("no case number", PLAIN.replace("420104.X/1", ""), "xsd-invalid"),
    ]  # fmt: skip
    made = [vector(name, body.encode(), expect, UTF8) for name, body, expect in rows]
    made.append(vector("X14 SOAPAction of another operation", GOOD, "action-mismatch", action=f'"{NS}/BLJD"'))
    made.append(
        vector(
            "X14 SOAP 1.1 under the media type of SOAP 1.2", GOOD, "soap-version", "application/soap+xml; charset=GBK"
        )
    )
    made.append(vector("a form", GOOD, "media-type", "application/x-www-form-urlencoded"))
    return made


if __name__ == "__main__":
    done = [*good(), *attacks(), *envelopes()]
    (HERE / "vectors.json").write_text(json.dumps(done, ensure_ascii=False, indent=0) + "\n", "utf-8")
    print(len(done), "vectors", (HERE / "vectors.json").stat().st_size, "bytes")

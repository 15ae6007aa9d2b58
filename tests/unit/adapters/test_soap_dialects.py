"""SOAP 1.2, header roles, WS-Addressing and MTOM at the door; XML signatures are never believed (X10, X11, X13)."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any

import pytest
from lxml import etree

from adapters.base import Problem
from adapters.soap import addressing
from adapters.soap.fault import Fault, read_fault
from adapters.soap.service import Service
from adapters.soap.versions import SOAP_11, SOAP_12
from schemas.xml import parse_xml
from tests.unit.adapters.support import LICENCE, ROOT, UNIT, XSD, soap_translator
from tests.unit.adapters.test_soap import NS, Gateway

VECTORS = json.loads((ROOT / "tests" / "vectors" / "soap" / "vectors.json").read_text("utf-8"))
SERVICE = Service(soap_translator(), UNIT, LICENCE, XSD, 4 << 20)
PLAIN = b64decode(next(v["body"] for v in VECTORS if v["name"] == "UTF-8")).decode()
NEW = PLAIN.replace(SOAP_11.namespace, SOAP_12.namespace)
MEDIA = "application/soap+xml; charset=utf-8"
WSA = addressing.WSA


async def serve(text: str, media: str = MEDIA, action: str = "", gateway: Gateway | None = None) -> Any:
    return await SERVICE.serve(text.encode(), media, action, gateway or Gateway())


def read(answer: Any) -> tuple[etree._Element, Fault | None]:
    root = parse_xml(answer.body)
    return root, read_fault(root[-1][0])


def header(more: str, text: str = NEW) -> str:
    return text.replace("</soap:Header>", f"{more}</soap:Header>")


# --- SOAP 1.2 ---------------------------------------------------------------------------------------------------------


async def test_a_request_in_soap_1_2_is_answered_in_soap_1_2() -> None:
    gateway = Gateway()
    answer = await serve(NEW, gateway=gateway)
    root, fault = read(answer)
    assert (answer.status, answer.content_type) == (200, "application/soap+xml; charset=UTF-8")
    assert root.tag == f"{{{SOAP_12.namespace}}}Envelope" and fault is None
    assert [act.type for act in gateway.acts] == ["step"]


async def test_faults_of_1_2_blame_the_sender_with_400_and_say_it_in_two_languages() -> None:
    answer = await serve(NEW.replace(LICENCE, "other"))
    root, fault = read(answer)
    assert answer.status == 400 and fault is not None
    assert (fault.kind, fault.code, fault.zh) == ("Client", "wrong-credential", "单位或许可证不符")
    assert root.findtext(f".//{{{SOAP_12.namespace}}}Value") == "soap:Sender"
    texts = {one.get("{http://www.w3.org/XML/1998/namespace}lang"): one.text for one in root.iter("{*}Text")}
    assert texts == {"zh-CN": "单位或许可证不符", "en": "unit or licence is wrong"}
    busy = await serve(NEW, gateway=Gateway(Problem({"code": "TB-9001", "title": "忙"}, busy=True)))
    assert busy.status == 500
    assert read(busy)[0].findtext(f".//{{{SOAP_12.namespace}}}Value") == "soap:Receiver"


async def test_X14_what_was_not_understood_is_named() -> None:
    answer = await serve(header('<x:a xmlns:x="urn:x" soap:mustUnderstand="true">1</x:a>'))
    root, fault = read(answer)
    assert answer.status == 500 and fault is not None and fault.kind == "MustUnderstand"
    named = root.find(f"{{{SOAP_12.namespace}}}Header/{{{SOAP_12.namespace}}}NotUnderstood")
    assert named is not None and named.get("qname") == "h:a" and named.nsmap["h"] == "urn:x"


async def test_X14_a_version_we_do_not_speak_is_told_which_we_do() -> None:
    answer = await serve(PLAIN.replace(SOAP_11.namespace, "urn:soap:2.0"), "text/xml")
    assert read(answer)[1].code == "not-soap" or read(answer)[1].kind == "VersionMismatch"  # type: ignore[union-attr]
    assert b"SupportedEnvelope" in answer.body


@pytest.mark.parametrize(
    ("entry", "taken"),
    [('soap:role="urn:somebody-else" soap:mustUnderstand="true"', True),
     (f'soap:role="{SOAP_12.namespace}/role/next" soap:mustUnderstand="true"', False),
     (f'soap:role="{SOAP_12.namespace}/role/ultimateReceiver" soap:mustUnderstand="1"', False),
     ('soap:mustUnderstand="false"', True), ('soap:mustUnderstand="perhaps"', False)],
)  # fmt: skip
async def test_X14_a_header_is_judged_by_whom_it_is_for(entry: str, taken: bool) -> None:
    answer = await serve(header(f'<x:a xmlns:x="urn:x" {entry}>1</x:a>'))
    assert (answer.status == 200) is taken


async def test_X14_a_credential_for_somebody_else_is_none() -> None:
    answer = await serve(NEW.replace("<JQXX ", '<JQXX soap:role="urn:other" ', 1))
    assert read(answer)[1].code == "wrong-credential"  # type: ignore[union-attr]


async def test_X14_the_action_of_the_media_type_must_name_the_operation() -> None:
    assert (await serve(NEW, f'{MEDIA}; action="{NS}/BLHJ"')).status == 200
    bad = await serve(NEW, f'{MEDIA}; action="{NS}/BLJD"')
    assert read(bad)[1].code == "action-mismatch"  # type: ignore[union-attr]


# --- WS-Addressing ----------------------------------------------------------------------------------------------------

OLD = "http://schemas.xmlsoap.org/ws/2004/08/addressing"


def addressed(space: str = WSA, action: str = f"{NS}/BLHJ", reply: str = "", **more: str) -> str:
    reply = reply or addressing.ANONYMOUS[space]
    told = {"Action": action, "MessageID": "urn:uuid:1", "To": "http://g.example/soap", **more}
    entries = "".join(f"<w:{name} soap:mustUnderstand='1'>{text}</w:{name}>" for name, text in told.items() if text)
    to = f"<w:ReplyTo><w:Address>{reply}</w:Address></w:ReplyTo>"
    return header(f"{entries}{to}".replace("<w:", "<w:", 1)).replace(
        "<soap:Header>", f'<soap:Header xmlns:w="{space}">'
    )


@pytest.mark.parametrize("space", [WSA, OLD])
async def test_an_addressed_request_gets_an_addressed_answer(space: str) -> None:
    answer = await serve(addressed(space))
    head = read(answer)[0][0]
    assert answer.status == 200
    assert head.findtext(f"{{{space}}}RelatesTo") == "urn:uuid:1"
    assert head.findtext(f"{{{space}}}Action") == f"{NS}/BLHJResponse"


ADDRESSED: list[tuple[str, str, str]] = [
    ("X14 another action", addressed(action=f"{NS}/BLJD"), "action-mismatch"),
    ("an answer to be sent elsewhere", addressed(reply="http://127.0.0.1:9/steal"), "soap-addressing"),
    ("no answer wanted", addressed(reply=f"{WSA}/none"), "soap-addressing"),
    ("a long id", addressed(MessageID="x" * 600), "soap-addressing"),
    ("two kinds at once", header(f'<o:To xmlns:o="{OLD}">x</o:To>', addressed()), "soap-addressing"),
    ("an action twice", header(f'<o:Action xmlns:o="{WSA}">x</o:Action>', addressed()), "header-repeated"),
]


@pytest.mark.parametrize(("name", "text", "code"), ADDRESSED, ids=[row[0] for row in ADDRESSED])
async def test_bad_addressing_is_refused(name: str, text: str, code: str) -> None:
    gateway = Gateway()
    answer = await serve(text, gateway=gateway)
    assert read(answer)[1].code == code  # type: ignore[union-attr]
    assert not gateway.acts


# --- MTOM -------------------------------------------------------------------------------------------------------------

FILE = bytes(range(256)) * 8
XOP = '<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="cid:{}"/>'
RESULT = f"""<soap:Envelope xmlns:soap="{SOAP_11.namespace}"><soap:Header><JQXX xmlns="{NS}"><DWBM>{UNIT}</DWBM>
<XKZ>{LICENCE}</XKZ></JQXX></soap:Header><soap:Body><BLJG xmlns="{NS}"><BWT><LSH>1</LSH><TBBH>T1</TBBH><YWLSH>H1</YWLSH>
</BWT><BH>JG1</BH><MC>结果</MC><WJ><MC>证书</MC><ZW><MC>证书</MC><GS>application/pdf</GS><WJM>a.pdf</WJM>
<NR>{{}}</NR></ZW></WJ><SJ>2026-01-01T09:30:00</SJ></BLJG></soap:Body></soap:Envelope>"""
OUTER = 'multipart/related; type="application/xop+xml"; boundary="b1"; start="<root>"; start-info="text/xml"'
ROOT_TYPE = 'Content-Type: application/xop+xml; charset=UTF-8; type="text/xml"'


def package(envelope: str, *parts: tuple[str, bytes], root: str = ROOT_TYPE) -> bytes:
    pieces = [f"{root}\r\nContent-ID: <root>\r\n\r\n{envelope}".encode()]
    pieces += [f"Content-Type: application/pdf\r\n{head}\r\n\r\n".encode() + data for head, data in parts]
    return b"".join(b"\r\n--b1\r\n" + piece for piece in pieces) + b"\r\n--b1--\r\n"


GOOD = package(RESULT.format(XOP.format("f%40x")), ("Content-ID: <f@x>", FILE))


async def test_a_document_in_an_mtom_part_is_the_same_as_in_base64() -> None:
    there, here = Gateway(), Gateway()
    answer = await SERVICE.serve(GOOD, OUTER, "", there)
    assert answer.status == 200, answer.body.decode()
    await SERVICE.serve(RESULT.format(b64encode(FILE).decode()).encode(), "text/xml", "", here)
    assert there.acts[0].parts[0].data == FILE
    assert there.acts == here.acts


PART = ("Content-ID: <f>", FILE)
INCLUDE = XOP.format("f")
TWICE = INCLUDE + "</NR></ZW><QZ><MC>章</MC><GS>a/b</GS><WJM>a</WJM><NR>" + INCLUDE


def bad(content: str, *parts: tuple[str, bytes], end: str = "</NR></ZW>") -> bytes:
    return package(RESULT.replace("</NR></ZW>", end).format(content), *parts)


BAD_PACKAGES: list[tuple[str, bytes, str, str]] = [
    ("X15 a part that is used twice", bad(TWICE, PART, end="</NR></QZ>"), "", ""),
    ("X15 a part that nothing uses", bad("AA==", PART), "", ""),
    ("X15 a part that is not there", bad(XOP.format("g"), PART), "", ""),
    ("X15 an address instead of a part", bad(INCLUDE.replace("cid:", "http://127.0.0.1:9/"), PART), "", ""),
    ("X15 text beside the Include", bad("x" + INCLUDE, PART), "", ""),
    ("X15 a thousand parts", bad("AA==", *[(f"Content-ID: <{n}>", b"x") for n in range(1000)]), "", "too-many"),
    ("X15 a packed part", bad(INCLUDE, ("Content-ID: <f>\r\nContent-Encoding: gzip", b"x")), "", ""),
    ("X15 a part in base64", bad(INCLUDE, ("Content-ID: <f>\r\nContent-Transfer-Encoding: base64", b"x")), "", ""),
    ("X15 swaRef, which only a text points to", GOOD, OUTER.replace("application/xop+xml", "text/xml"), "media-type"),
    ("K06 two parts of one name", bad(INCLUDE, PART, PART), "", ""),
    ("K06 a header twice", bad(INCLUDE, ("Content-ID: <f>\r\nContent-ID: <g>", b"x")), "", ""),
    ("K06 something before the first boundary", b"hello" + GOOD, "", ""),
    ("K06 something after the last", GOOD + b"more", "", ""),
    ("K06 no closing boundary", GOOD.removesuffix(b"--\r\n"), "", ""),
    ("K06 a boundary inside a part", bad(INCLUDE, ("Content-ID: <f>", b"a\r\n--b1\r\nb")), "", ""),
    ("K06 no boundary", GOOD, OUTER.replace('boundary="b1"; ', ""), ""),
    ("K06 a boundary of other bytes", GOOD, OUTER.replace('"b1"', '"b\x00"'), ""),
    ("a start that is not there", GOOD, OUTER.replace("<root>", "<other>"), ""),
    ("X01 a DOCTYPE inside", package("<!DOCTYPE a>" + RESULT.format("AA==")), "", "xml-dtd"),
    ("X08 UTF-7 inside", package('<?xml version="1.0" encoding="utf-7"?>' + RESULT), "", "wrong-encoding"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "body", "media", "code"), BAD_PACKAGES, ids=[row[0] for row in BAD_PACKAGES])
async def test_a_bad_package_gets_a_fault_and_does_nothing(name: str, body: bytes, media: str, code: str) -> None:
    gateway = Gateway()
    answer = await SERVICE.serve(body, media or OUTER, "", gateway)
    fault = read(answer)[1]
    assert fault is not None and fault.code == (code or "soap-multipart"), fault
    assert not gateway.acts


async def test_X15_a_package_beyond_the_limit_is_413_and_not_read() -> None:
    small = Service(SERVICE.translator, UNIT, LICENCE, XSD, 1000)
    answer = await small.serve(GOOD, OUTER, "", Gateway())
    assert answer.status == 413 and read(answer)[1].code == "too-large"  # type: ignore[union-attr]


# --- XML signatures are not read, so none is believed -----------------------------------------------------------------

WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
SIGNATURE = (
    '<d:Signature xmlns:d="http://www.w3.org/2000/09/xmldsig#"><d:SignedInfo><d:CanonicalizationMethod Algorithm='
    '"http://www.w3.org/2001/10/xml-exc-c14n#"/><d:SignatureMethod Algorithm="http://www.w3.org/2000/09/xmldsig#rsa-sha1"/>'
    '<d:Reference URI="{}"><d:Transforms><d:Transform Algorithm="{}"/></d:Transforms><d:DigestMethod Algorithm='
    '"http://www.w3.org/2000/09/xmldsig#sha1"/><d:DigestValue>AA==</d:DigestValue></d:Reference></d:SignedInfo>'
    "<d:SignatureValue>AA==</d:SignatureValue><d:KeyInfo>{}</d:KeyInfo></d:Signature>"
)
EXC, XSLT = "http://www.w3.org/2001/10/xml-exc-c14n#", "http://www.w3.org/TR/1999/REC-xslt-19991116"
KEY = "<d:KeyValue><d:RSAKeyValue><d:Modulus>AQAB</d:Modulus><d:Exponent>AQAB</d:Exponent></d:RSAKeyValue></d:KeyValue>"
FETCHED = '<d:RetrievalMethod URI="http://127.0.0.1:9/key"/>'


def secured(uri: str = "#b", transform: str = EXC, key: str = KEY, must: str = "0", text: str = PLAIN) -> str:
    entry = f'<s:Security xmlns:s="{WSSE}" soap:mustUnderstand="{must}">{SIGNATURE.format(uri, transform, key)}</s:Security>'
    return header(entry, text)


STOLEN = secured(text=PLAIN.replace(LICENCE, "stolen"))
WRAPPED = PLAIN.replace("<soap:Body>", f'<soap:Body xmlns:u="{WSU}" u:Id="evil">')
MOVED = f'<x:w xmlns:x="urn:x"><soap:Body u:Id="b" xmlns:u="{WSU}"><old/></soap:Body></x:w>'


def moved(before: str, after: str) -> str:
    """A signed message with something put in another place."""
    assert before in PLAIN
    return secured(text=PLAIN.replace(before, after, 1))


INSIDE = '</soap:Body><soap:Body id="b"><old/></soap:Body>'
FORGED = {
    "X10 a signature does not stand for the credential": (STOLEN, "wrong-credential"),
    "X10 XSW1 the signed Body after the Body": (moved("</soap:Envelope>", f"{MOVED}</soap:Envelope>"), "envelope-form"),
    "X10 XSW2 the signed Body before the Body": (moved("<soap:Body>", f"{MOVED}<soap:Body>"), "envelope-form"),
    "X10 XSW3 two Bodies": (moved("</soap:Body>", INSIDE), "envelope-form"),
    "X10 XSW4 the signed part inside the Body": (moved("</soap:Body>", f"{MOVED}</soap:Body>"), "body-form"),
    "X10 XSW5 the signed part inside the message": (moved("<HJMC>", f"{MOVED}<HJMC>"), "xsd-invalid"),
    "X10 a signature that must be understood": (secured(must="1"), "must-understand"),
    "X11 an XSLT transform that must be understood": (secured("", XSLT, must="1"), "must-understand"),
    "X13 a key to be fetched that must be understood": (secured(key=FETCHED, must="1"), "must-understand"),
}


@pytest.mark.parametrize("name", FORGED)
async def test_a_signature_gives_no_right(name: str, monkeypatch: Any) -> None:
    text, code = FORGED[name]
    connected: list[Any] = []
    monkeypatch.setattr("socket.socket.connect", lambda self, address: connected.append(address))
    gateway = Gateway()
    answer = await serve(text, "text/xml; charset=utf-8", gateway=gateway)
    assert read(answer)[1].code == code  # type: ignore[union-attr]
    assert not gateway.acts and not connected


IGNORED = {
    "X10 XSW6 a moved Body in the header": secured(text=header(MOVED, WRAPPED)), "X10 a broken signature": secured(),
    "X11 an empty reference": secured(""), "X11 an XSLT transform": secured("", XSLT),
    "X11 an address outside": secured("http://127.0.0.1:9/x"), "X13 a key of the sender": secured(key=KEY),
    "X13 a key to be fetched": secured(key=FETCHED),
}  # fmt: skip


@pytest.mark.parametrize("name", IGNORED)
async def test_a_signature_that_need_not_be_understood_changes_nothing(name: str, monkeypatch: Any) -> None:
    connected: list[Any] = []
    monkeypatch.setattr("socket.socket.connect", lambda self, address: connected.append(address))
    signed, plain = Gateway(), Gateway()
    assert (await serve(IGNORED[name], "text/xml; charset=utf-8", gateway=signed)).status == 200
    await serve(PLAIN, "text/xml; charset=utf-8", gateway=plain)
    assert signed.acts == plain.acts and not connected

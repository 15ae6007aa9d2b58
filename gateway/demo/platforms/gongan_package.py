"""Packages of the simulated public-security service (报文包): built and read with lxml alone, carried as text in SOAP 1.1."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import aiohttp
from lxml import etree
from simkit import now, pause, sm3  # type: ignore[import-not-found]

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
NS = "http://service.kstb.example/"
PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True)
HEAD = (
    "BBH",
    "FSDW_SJGSDWDM",
    "FSDW_SJGSDWMC",
    "JSDW_SJGSDWDM",
    "JSDW_SJGSDWMC",
    "ZAGLYWFLDM",
    "YWXTBH",
    "YWXTQYFW",
    "FSSJ",
)
REQUEST = {
    "QC": "ZAGL_SQQCJSFW",
    "CSRH": "ZAGL_SQCSRHJSFW",
    "SFZ": "ZAGL_JMSFZSQSHQFJSFW",
    "KJHJZM": "ZAGL_SQKJHJZMJSFW",
}
FEEDBACK = {
    "QC": "ZAGL_QCFKJSFW",
    "CSRH": "ZAGL_CSRHFKJSFW",
    "SFZ": "ZAGL_JMSFZSHQFFKJSFW",
    "KJHJZM": "ZAGL_KJHJZMFKJSFW",
}
RESULT = {**FEEDBACK, "QC": "ZAGL_CZRKDJBLZJSFW", "SFZ": "ZAGL_ZJZZFKJSFW"}
OPERATIONS = {*REQUEST.values(), *FEEDBACK.values(), *RESULT.values()}
GROUPS = {  # what each operation must bring, and the code of the answer when it does not
    **{name: {"JBXX": "-902", "SQRXX": "-903", "HYXX": "-904"} for name in REQUEST.values()},
    "ZAGL_CZRKDJBLZJSFW": {"JGXX": "-911"}, "ZAGL_ZJZZFKJSFW": {"JGXX": "-912"},
}  # fmt: skip
GROUPS["ZAGL_SQQCJSFW"] |= {"QYXX": "-905"}
GROUPS["ZAGL_SQCSRHJSFW"] |= {"XSEXX": "-906", "FMXX": "-907"}
GROUPS["ZAGL_JMSFZSQSHQFJSFW"] |= {"SFZXX": "-908"}
GROUPS["ZAGL_SQKJHJZMJSFW"] |= {"ZMXX": "-909"}

UNIT = "模拟公安户政窗口"
OFFICER = "模拟民警"


def fill(parent: Any, fields: dict[str, Any]) -> Any:
    """Children by name; a dictionary is a group, a list repeats."""
    for name, value in fields.items():
        for one in value if isinstance(value, list) else [value]:
            child = etree.SubElement(parent, name)
            if isinstance(one, dict):
                fill(child, one)
            else:
                child.text = str(one)
    return parent


def package(head: dict[str, str], sid: str, groups: dict[str, Any]) -> str:
    """A package of one record, as text."""
    root = etree.Element("PACKAGE")
    fill(etree.SubElement(root, "PACKAGEHEAD"), {name: head[name] for name in HEAD if name in head})
    record = etree.SubElement(etree.SubElement(root, "DATA"), "RECORD", {"no": "1", "sid": sid})
    fill(record, groups)
    return '<?xml version="1.0" encoding="UTF-8"?>' + etree.tostring(root, encoding="unicode")


def answer(head: Any, codes: list[tuple[str, str, str, str]], package_code: tuple[str, str] | None = None) -> str:
    """An answer: the head as it came, then (no, sid, code, msg) of each record or one code for all."""
    root = etree.Element("PACKAGE")
    if head is not None:
        root.append(head)
    data = etree.SubElement(root, "DATA")
    if package_code is not None:
        fill(data, {"CODE": package_code[0], "MSG": package_code[1]})
    for no, sid, code, text in codes:
        etree.SubElement(data, "RECORD", {"no": no, "sid": sid, "code": code, "msg": text})
    return '<?xml version="1.0" encoding="UTF-8"?>' + etree.tostring(root, encoding="unicode")


def parse(text: str) -> Any:
    """The PACKAGE element of a text."""
    return etree.fromstring(text.encode(), PARSER)


def codes_of(reply: Any) -> list[tuple[str, str]]:
    """(code, message) of an answer."""
    if reply.findtext("DATA/CODE") is not None:
        return [(reply.findtext("DATA/CODE"), reply.findtext("DATA/MSG") or "")]
    return [(one.get("code", ""), one.get("msg", "")) for one in reply.iterfind("DATA/RECORD")]


def envelope(operation: str, parts: dict[str, str]) -> bytes:
    """A call or an answer; children carry no namespace, as JAX-WS writes them."""
    root = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"S": SOAP})
    body = etree.SubElement(etree.SubElement(root, f"{{{SOAP}}}Body"), f"{{{NS}}}{operation}", nsmap={"ns2": NS})
    fill(body, parts)
    data: Any = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return bytes(data)


def fault(said: str) -> bytes:
    """An envelope with a fault that blames the caller."""
    root = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soap": SOAP})
    made = etree.SubElement(etree.SubElement(root, f"{{{SOAP}}}Body"), f"{{{SOAP}}}Fault")
    etree.SubElement(made, "faultcode").text = "soap:Client"
    etree.SubElement(made, "faultstring").text = said
    data: Any = etree.tostring(root, encoding="utf-8", xml_declaration=True)
    return bytes(data)


def opened(data: bytes) -> Any:
    """The Body's element."""
    root = etree.fromstring(data, PARSER)
    body = root.find(f"{{{SOAP}}}Body")
    if body is None or len(body) != 1:
        raise ValueError("no SOAP body")
    return body[0]


class Refused(Exception):
    """The gateway answered with a code that is no success."""


class Caller:
    """Calls the gateway's service until it answers with a code."""

    def __init__(self, config: dict[str, Any], session: aiohttp.ClientSession) -> None:
        self.url, self.licence, self.session = config["gateway"], config["licence"], session

    async def once(self, operation: str, text: str) -> list[tuple[str, str]]:
        """One call; [] when nothing that can be read came back."""
        data = envelope(operation, {"sqzcm": self.licence, "information": text})
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}
        try:
            async with self.session.post(self.url, data=data, headers=headers, allow_redirects=False) as reply:
                said = opened(await reply.read())
            return codes_of(parse(said.findtext("return") or ""))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, etree.XMLSyntaxError):
            return []

    async def until(self, operation: str, text: str) -> None:
        """Again and again until it is taken; Refused when it never will be."""
        attempt = 0
        while True:
            codes = await self.once(operation, text)
            if codes and all(code == "0" for code, _ in codes):
                return
            if codes and any(code not in ("0", "-998") for code, _ in codes):
                raise Refused("；".join(f"{code} {said}" for code, said in codes))
            await pause(attempt)
            attempt += 1


def certificate(kind: str, number: str) -> dict[str, Any]:
    """The result group: a document of nobody, watermarked."""
    drawn = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 200"><text x="20" y="60" font-size="24">'
        f'{kind} {number}</text><text x="20" y="140" font-size="40" opacity="0.2">样章·测试无效</text></svg>'
    ).encode()
    content = {
        "MC": "办理结果", "ZY": sm3(drawn).hex(), "DX": len(drawn), "GS": "image/svg+xml", "WJM": f"{number}.svg",
        "NR": b64encode(drawn).decode("ascii"),
    }  # fmt: skip
    return {
        "JGXX": {
            "BH": f"JG-{number}", "MC": "办理结果", "WJ": [{"MC": "办理结果", "ZW": content}], "SJ": f"{now():%Y%m%d%H%M%S}",
        }
    }  # fmt: skip

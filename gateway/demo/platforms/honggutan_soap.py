"""SOAP 1.1 of the simulated handling platform, written from the profile's XSD with lxml alone; GBK on the wire."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path
from typing import Any

import aiohttp
from lxml import etree
from simkit import pause  # type: ignore[import-not-found]

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
NS = "urn:tongban:sample:honggutan:v1"
PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True)
CHUNK = 1 << 20


class Gone(Exception):
    """The gateway refused for good. ``said``: its words."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


class Bad(Exception):
    """A message that this platform answers with a fault."""

    def __init__(self, kind: str, said: str) -> None:
        super().__init__(said)
        self.kind, self.said = kind, said


def element(name: str, *children: Any, **texts: str) -> Any:
    """An element of the platform's namespace with these children, then one child for each text that is not empty."""
    spaces: Any = {None: NS}
    made = etree.Element(f"{{{NS}}}{name}", nsmap=spaces)
    made.extend(children)
    for key, text in texts.items():
        if text:
            etree.SubElement(made, f"{{{NS}}}{key}").text = text
    return made


def text(parent: Any, path: str) -> str:
    """The text at ``A/B``; "" when it is not there."""
    found = parent.findtext("/".join(f"{{{NS}}}{part}" for part in path.split("/")))
    return found or ""


def envelope(body: Any, header: Any = None) -> bytes:
    """A whole message in GBK."""
    root = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soap": SOAP})
    if header is not None:
        etree.SubElement(root, f"{{{SOAP}}}Header").append(header)
    etree.SubElement(root, f"{{{SOAP}}}Body").append(body)
    data: Any = etree.tostring(root, encoding="GBK", xml_declaration=True)
    return bytes(data)


def fault(kind: str, said: str) -> bytes:
    """A fault with a Chinese reason."""
    made = etree.Element(f"{{{SOAP}}}Fault")
    etree.SubElement(made, "faultcode").text = f"soap:{kind}"
    etree.SubElement(made, "faultstring").text = said
    return envelope(made)


class Door:
    """What the platform checks in what it receives: well-formed, credential, XSD."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.unit, self.licence = config["gateway_unit"], config["gateway_licence"]
        self.schema = etree.XMLSchema(etree.fromstring(Path(config["xsd"]).read_bytes(), PARSER))

    def open(self, data: bytes) -> Any:
        """The Body's element."""
        try:
            root = etree.fromstring(data, PARSER)
        except etree.XMLSyntaxError:
            raise Bad("Client", "报文不是合法的 XML") from None
        shown = root.find(f"{{{SOAP}}}Header/{{{NS}}}JQXX")
        if shown is None or (text(shown, "DWBM"), text(shown, "XKZ")) != (self.unit, self.licence):
            raise Bad("Client", "许可证不符")
        body = root.find(f"{{{SOAP}}}Body")
        if body is None or len(body) != 1:
            raise Bad("Client", "信封不完整")
        if not self.schema.validate(body[0]):
            where: Any = self.schema.error_log
            raise Bad("Client", f"报文不符合 XSD：{where.last_error.path}")
        return body[0]


class Caller:
    """Calls the gateway's SOAP service until it answers."""

    def __init__(self, config: dict[str, Any], session: aiohttp.ClientSession, schema: Any) -> None:
        self.url, self.unit, self.licence = config["gateway"], config["unit"], config["licence"]
        self.session, self.schema = session, schema

    async def call(self, body: Any) -> Any:
        """The response element. Gone on a fault that blames us; everything else is tried again."""
        name = etree.QName(body).localname
        if not self.schema.validate(body):
            raise Gone(f"own message {name} is not valid by the XSD")
        data = envelope(body, element("JQXX", DWBM=self.unit, XKZ=self.licence))
        headers = {"Content-Type": "text/xml; charset=GBK", "SOAPAction": f'"{NS}/{name}"'}
        attempt = 0
        while True:
            try:
                async with self.session.post(self.url, data=data, headers=headers, allow_redirects=False) as answer:
                    said = await answer.read()
                response = self._response(said, name)
                if response is not None:
                    return response
            except (aiohttp.ClientError, TimeoutError, OSError, etree.XMLSyntaxError):
                pass
            await pause(attempt)
            attempt += 1

    def _response(self, said: bytes, name: str) -> Any:
        root = etree.fromstring(said, PARSER)
        body = root.find(f"{{{SOAP}}}Body")
        if body is None or len(body) != 1:
            return None
        refused = body.find(f"{{{SOAP}}}Fault")
        if refused is not None:
            if "Server" in (refused.findtext("faultcode") or "Server"):
                return None
            raise Gone(refused.findtext("faultstring") or "fault")
        good = body[0].tag == f"{{{NS}}}{name}Response" and self.schema.validate(body[0])
        return body[0] if good else None

    async def fetch(self, tbbh: str, digest: str, size: int) -> bytes:
        """A material of a case, chunk by chunk."""
        data = bytearray()
        while len(data) < size:
            wanted = element("CLHQ", TBBH=tbbh, ZY=digest, QSWZ=str(len(data)), CD=str(CHUNK))
            piece = b64decode(text(await self.call(wanted), "NR"))
            if not piece:
                raise Gone("empty piece of a material")
            data += piece
        return bytes(data)

"""Signed OFD documents (版式文件, GB/T 33190-2016 ch. 18; GM/T 0099-2020) as received: what the package says of its
signatures.

OFD.xml names the list of signatures, the list names one description (Signature.xml) per signature, the description lists
the protected files (References) with their digests and names the signed value and, at times, the seal. Nothing is trusted
here: see ``signing.ofd_verify``. A package or list that cannot be read is ``Malformed``; a description that cannot be read
is kept with its fault, so that the other signatures still get their verdict.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final

from signing import ofd_xml as xml
from signing.errors import Malformed
from signing.package import Package, open_package

if TYPE_CHECKING:
    from lxml import etree

MAX_SIGNATURES: Final = 64
MAX_REFERENCES: Final = 10_000
_ROOT: Final = "OFD.xml"
BEIJING: Final = timezone(timedelta(hours=8))
# Three forms are in use: 20201010151120, 2026-08-04 10:08:09 (both wall clock) and 20201004072855.302Z.
_TIME: Final = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)[ T]?(\d\d):?(\d\d):?(\d\d)(?:\.\d{1,9})?(Z?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Reference:
    """A protected file: its path in the package and the digest it must have (empty if that was no Base64)."""

    path: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class Annotation:
    """StampAnnot: where the seal's picture stands. ``boundary``: x y width height in millimetres, as written; ``clip``: the part
    of the picture that shows (骑缝章), empty for all of it."""

    id: str
    page: str
    boundary: str
    clip: str = ""


@dataclass(frozen=True, slots=True)
class Description:
    """Signature.xml. ``time`` None: not readable. ``seal``: path of Seal.esl, empty if it names none. Paths have no
    leading slash."""

    raw: bytes
    provider: str
    method: str
    time: datetime | None
    check_method: str
    references: tuple[Reference, ...]
    annotations: tuple[Annotation, ...]
    seal: str
    value: str


@dataclass(frozen=True, slots=True)
class Listed:
    """One signature of the list: ``type`` Seal or Sign as written (Seal if unsaid), ``path`` of its ``description``, or why that
    cannot be read."""

    id: str
    type: str
    path: str
    description: Description | Malformed


@dataclass(frozen=True, slots=True)
class Ofd:
    """A package with its signatures. ``lists``: the paths of the lists (one per document body that has one)."""

    package: Package
    lists: tuple[str, ...]
    signatures: tuple[Listed, ...]


def open_ofd(data: bytes) -> Ofd:
    """The document; Malformed if it is no package that can be read in one way only, or no OFD."""
    package = open_package(data)
    root = _xml(package, _ROOT, "OFD")
    bodies = xml.every(root, "DocBody")
    if not bodies:
        raise xml.missing("ofd:DocBody")
    named = [xml.text(xml.one(body, "Signatures")) for body in bodies]
    lists = [resolve(path, _ROOT) for path in named if path]
    _each_once(lists)  # before one is read for every time it is named
    entries = [(path, one) for path in lists for one in xml.every(_xml(package, path, "Signatures"), "Signature")]
    if len(entries) > MAX_SIGNATURES:
        raise Malformed("ofd-signatures", f"签名超过 {MAX_SIGNATURES} 个", f"more than {MAX_SIGNATURES} signatures")
    signatures = [_listed(package, path, one) for path, one in entries]
    _each_once([*lists, *(listed.path for listed in signatures)])
    return Ofd(package, tuple(lists), tuple(signatures))


def resolve(location: str, base: str) -> str:
    """A location (ST_Loc) as a path in the package: from its root, or from the folder of the file that names it."""
    parts = [] if location.startswith("/") else base.split("/")[:-1]
    for part in location.removeprefix("/").split("/"):
        if part == "..":
            if not parts:
                raise _outside()
            parts.pop()
        elif part != ".":
            parts.append(part)
    if not all(parts) or not parts or "\\" in location:
        raise _outside()
    return "/".join(parts)


def read_time(text: str) -> datetime | None:
    """A SignatureDateTime; a wall-clock time is Beijing's."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    *numbers, zulu = match.groups()
    try:
        moment = datetime(*map(int, numbers), tzinfo=UTC if zulu else BEIJING)  # type: ignore[misc, arg-type]
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _each_once(paths: list[str]) -> None:
    if len(set(paths)) != len(paths):
        raise Malformed("ofd-repeated", "同一签名被列出两次", "a signature is listed twice")


def _outside() -> Malformed:
    return Malformed("ofd-path", "文件路径不合规定或指向包外", "a path is malformed or leads out of the package")


def _xml(package: Package, path: str, root: str) -> etree._Element:
    return xml.parse(_content(package, path), root)


def _content(package: Package, path: str) -> bytes:
    if path not in package.digests:
        raise Malformed("ofd-entry", "OFD 所需的文件不在包内", "a file that the OFD needs is not in the package")
    if package.entries[path].size > xml.MAX_BYTES:
        raise Malformed(
            "ofd-xml-size", f"XML 超过 {xml.MAX_BYTES} 字节", f"the XML is larger than {xml.MAX_BYTES} bytes"
        )
    return package.read(path)


def _listed(package: Package, base: str, element: etree._Element) -> Listed:
    own, kind = element.get("ID", ""), element.get("Type", "Seal")
    where = resolve(element.get("BaseLoc", ""), base)
    try:
        return Listed(own, kind, where, _description(_content(package, where), where))
    except Malformed as fault:
        return Listed(own, kind, where, fault)


def _description(data: bytes, where: str) -> Description:
    root = xml.parse(data, "Signature")
    info = xml.need(root, "SignedInfo")
    provider = xml.need(info, "Provider")
    listed = xml.need(info, "References")
    references = xml.every(listed, "Reference")
    if len(references) > MAX_REFERENCES:
        raise Malformed(
            "ofd-references", f"登记的文件超过 {MAX_REFERENCES} 个", f"more than {MAX_REFERENCES} references"
        )
    seal = xml.one(info, "Seal")
    return Description(
        raw=data,
        provider=" ".join(filter(None, (provider.get(key) for key in ("ProviderName", "Version", "Company")))),
        method=xml.text(xml.one(info, "SignatureMethod")),
        time=read_time(xml.text(xml.one(info, "SignatureDateTime"))),
        check_method=listed.get("CheckMethod", "MD5"),  # what the standard says of an absent one
        references=tuple(_reference(element, where) for element in references),
        annotations=tuple(
            Annotation(*(one.get(name, "") for name in ("ID", "PageRef", "Boundary", "Clip")))
            for one in xml.every(info, "StampAnnot")
        ),
        seal=resolve(xml.text(xml.need(seal, "BaseLoc")), where) if seal is not None else "",
        value=resolve(xml.text(xml.need(root, "SignedValue")), where),
    )


def _reference(element: etree._Element, where: str) -> Reference:
    try:
        digest = base64.b64decode("".join(xml.text(xml.need(element, "CheckValue")).split()), validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    return Reference(resolve(element.get("FileRef", ""), where), digest)

"""Signed OFD documents (版式文件, GB/T 33190-2016 ch. 18; GM/T 0099-2020) as received: what the package says of its
signatures.

OFD.xml names the list of signatures, the list names one description (Signature.xml) per signature, the description lists
the protected files (References) with their digests and names the signed value and, at times, the seal. Nothing is trusted
here: see ``signing.ofd.verify``. A package or list that cannot be read is ``Malformed``; a description that cannot be read
is kept with its fault, so that the other signatures still get their verdict. The list of all files (完整性保护描述文件,
GM/T 0099-2020 annex D.1), which has a signature of its own, is kept as one more signature, of type ``Entries``.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final

from signing.errors import Malformed
from signing.ofd import xml
from signing.ofd.package import Octets, Package, open_package

if TYPE_CHECKING:
    from lxml import etree

MAX_SIGNATURES: Final = 64
MAX_REFERENCES: Final = 10_000
ROOT: Final = "OFD.xml"
BEIJING: Final = timezone(timedelta(hours=8))
ENCRYPTIONS: Final = "Encryptions.xml"
ENTRIES: Final = "OFDEntries.xml"
# In use: 20201010151120, 2026-08-04 10:08:09 (both wall clock), 20201004072855.302Z and 2026-08-04T10:08:09+08:00.
_TIME: Final = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)[ T]?(\d\d):?(\d\d):?(\d\d)(?:\.\d{1,9})?(Z|[+-]\d\d:?[0-5]\d)?", re.ASCII
)


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
    """One signature of the list: ``type`` Seal or Sign as written (Seal if unsaid), ``path`` of its ``description``, or why
    that cannot be read; ``list``: the path of its list. ``whole``: it is the list of all files."""

    id: str
    type: str
    path: str
    description: Description | Malformed
    list: str = ""
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Ofd:
    """A package with its signatures. ``lists``: the paths of the lists (one per document body that has one).
    ``encrypted``: files of it are (GM/T 0099-2020 annex C), and of what these hide nothing can be told."""

    package: Package
    lists: tuple[str, ...]
    signatures: tuple[Listed, ...]
    encrypted: bool = False


def open_ofd(data: Octets) -> Ofd:
    """The document; Malformed if it is no package that can be read in one way only, or no OFD."""
    package = open_package(data)
    try:
        ofd = _open(package)
    except Malformed:
        if ENCRYPTIONS not in package.digests:
            raise
        ofd = Ofd(package, (), ())  # what is missed may be what is encrypted
    return replace(ofd, encrypted=ENCRYPTIONS in package.digests)


def _open(package: Package) -> Ofd:
    root = _xml(package, ROOT, "OFD")
    bodies = xml.every(root, "DocBody")
    if not bodies:
        raise xml.missing("ofd:DocBody")
    named = [xml.text(xml.one(body, "Signatures")) for body in bodies]
    lists = [_locate(package, path, ROOT) for path in named if path]
    _each_once(lists)  # before one is read for every time it is named
    entries = [(path, one) for path in lists for one in xml.every(_xml(package, path, "Signatures"), "Signature")]
    if len(entries) > MAX_SIGNATURES:
        raise Malformed("ofd-signatures", f"签名超过 {MAX_SIGNATURES} 个", f"more than {MAX_SIGNATURES} signatures")
    signatures = [_listed(package, path, one) for path, one in entries]
    signatures += [_entries(package)] if ENTRIES in package.digests else []
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


def _locate(package: Package, location: str, base: str) -> str:
    """``resolve``; some writers leave out the first slash of a path from the root, which is seen where only that leads
    to a file."""
    path = resolve(location, base)
    if path not in package.digests and not location.startswith(("/", ".")):
        from_root = resolve(f"/{location}", base)
        return from_root if from_root in package.digests else path
    return path


def read_time(text: str) -> datetime | None:
    """A SignatureDateTime; a wall-clock time is Beijing's."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    *numbers, zone = match.groups()
    try:
        moment = datetime(*map(int, numbers), tzinfo=_zone(zone))  # type: ignore[misc, arg-type]
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _zone(text: str | None) -> timezone:
    if text is None or text == "Z":
        return UTC if text else BEIJING
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


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
    where = _locate(package, element.get("BaseLoc", ""), base)
    try:
        return Listed(own, kind, where, _description(package, where), base)
    except Malformed as fault:
        return Listed(own, kind, where, fault, base)


def _entries(package: Package) -> Listed:
    try:
        return Listed("", "Entries", ENTRIES, _whole(package), whole=True)
    except Malformed as fault:
        return Listed("", "Entries", ENTRIES, fault, whole=True)


def _whole(package: Package) -> Description:
    """The list of all files as a description; it states no digests."""
    data = _content(package, ENTRIES)
    root = xml.parse(data, "DocEntries", "OFDEntries")
    files = _limited(xml.every(xml.need(root, "FileList"), "File"))
    return Description(
        raw=data,
        provider=_joined(root, "CreatorName", "Version"),
        method="",
        time=read_time(root.get("CreationDate", "")),
        check_method="",
        references=tuple(Reference(_locate(package, one.get("FileLoc", ""), ENTRIES), b"") for one in files),
        annotations=(),
        seal="",
        value=_locate(package, xml.text(xml.need(root, "SignedValueLoc")), ENTRIES),
    )


def _description(package: Package, where: str) -> Description:
    data = _content(package, where)
    root = xml.parse(data, "Signature")
    info = xml.need(root, "SignedInfo")
    listed = xml.need(info, "References")
    references = _limited(xml.every(listed, "Reference"))
    seal = xml.one(info, "Seal")
    return Description(
        raw=data,
        provider=_joined(xml.need(info, "Provider"), "ProviderName", "Version", "Company"),
        method=xml.text(xml.one(info, "SignatureMethod")),
        time=read_time(xml.text(xml.one(info, "SignatureDateTime"))),
        check_method=listed.get("CheckMethod", "MD5"),  # what the standard says of an absent one
        references=tuple(_reference(package, element, where) for element in references),
        annotations=tuple(
            Annotation(*(one.get(name, "") for name in ("ID", "PageRef", "Boundary", "Clip")))
            for one in xml.every(info, "StampAnnot")
        ),
        seal=_locate(package, xml.text(xml.need(seal, "BaseLoc")), where) if seal is not None else "",
        value=_locate(package, xml.text(xml.need(root, "SignedValue")), where),
    )


def _limited(references: list[etree._Element]) -> list[etree._Element]:
    if len(references) > MAX_REFERENCES:
        raise Malformed(
            "ofd-references", f"登记的文件超过 {MAX_REFERENCES} 个", f"more than {MAX_REFERENCES} references"
        )
    return references


def _joined(element: etree._Element, *attributes: str) -> str:
    return " ".join(filter(None, (element.get(key) for key in attributes)))


def _reference(package: Package, element: etree._Element, where: str) -> Reference:
    try:
        digest = base64.b64decode("".join(xml.text(xml.need(element, "CheckValue")).split()), validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    return Reference(_locate(package, element.get("FileRef", ""), where), digest)

"""OFD documents made here, one per reason to refuse them, named by their defect; ``VECTORS`` says what must come out.

Nothing is stored: keys and nonces are derived from names (``tests.pki``), so a run always makes the same bytes. Times are
those of the seal vectors. ``python -m tests.vectors.ofd.generate FOLDER`` writes them for other readers to be tried on.
"""

from __future__ import annotations

import base64
import re
import struct
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from signing import der, oids
from signing.certs import Certificate
from signing.sm3 import sm3
from tests import pki
from tests.vectors.ofd.zips import Item, build, descriptor, end, header, record
from tests.vectors.seals import generate as seals

Files = dict[str, bytes]
Edit = Callable[[bytes], bytes]
SIGNS = "Doc_0/Signs/"
PLACE = f"{SIGNS}Sign_0/Signature.xml"
VALUE = f"{SIGNS}Sign_0/SignedValue.dat"
SEAL = f"{SIGNS}Sign_0/Seal.esl"
PAGE = "Doc_0/Pages/Page_0/Content.xml"
LIST = f"{SIGNS}Signatures.xml"
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
NAMESPACE = 'xmlns:ofd="http://www.ofdspec.org/2016"'
DOCTYPE = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
SIGNED = "2026-06-01 16:00:00"  # Beijing wall clock, the moment of the stamps
SELF_DECLARED = ("stamp-time-self-declared",)
PLAIN = ("ofd-no-seal",)


@dataclass
class Vector:
    """``refused``: the code with which the document cannot be opened at all; else the reasons and notes of its verdict."""

    name: str
    data: bytes = field(repr=False)
    codes: tuple[str, ...] = ()
    notes: tuple[str, ...] = SELF_DECLARED
    refused: str = ""
    ok: bool | None = True
    at: datetime = seals.LATER
    uncovered: str = "reject"
    anchors: bool = True


def xml(name: str, inside: str, attributes: str = "") -> bytes:
    return f"{DECLARATION}<ofd:{name} {NAMESPACE} {attributes}>{inside}</ofd:{name}>".encode()


def document() -> Files:
    """An unsigned document of one page."""
    body = f"<ofd:DocBody><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot><ofd:Signatures>/{LIST}</ofd:Signatures></ofd:DocBody>"
    page = '<ofd:Page ID="1" BaseLoc="Pages/Page_0/Content.xml"/>'
    return {
        "OFD.xml": xml("OFD", body, 'Version="1.0" DocType="OFD"'),
        "Doc_0/Document.xml": xml("Document", f"<ofd:Pages>{page}</ofd:Pages>"),
        PAGE: xml("Page", "<ofd:Content>受理通知书</ofd:Content>"),
    }


def bodies(*lists: str, times: int = 1) -> bytes:
    """OFD.xml of a body for each of these lists."""
    return xml(
        "OFD", "".join(f"<ofd:DocBody><ofd:Signatures>/{one}</ofd:Signatures></ofd:DocBody>" for one in lists) * times
    )


def listing(*signatures: tuple[str, str, str]) -> bytes:
    """Signatures.xml of (id, attribute Type or nothing, location)."""
    entries = (f'<ofd:Signature ID="{own}" {kind} BaseLoc="{where}"/>' for own, kind, where in signatures)
    return xml("Signatures", f"<ofd:MaxSignId>{len(signatures)}</ofd:MaxSignId>" + "".join(entries))


def description(
    files: Mapping[str, bytes], *, seal: str = "", value: str = f"/{VALUE}", method: str = "SM3", time: str = SIGNED
) -> bytes:
    """Signature.xml over these files."""
    references = "".join(
        f'<ofd:Reference FileRef="/{name}"><ofd:CheckValue>{base64.b64encode(sm3(data)).decode()}</ofd:CheckValue>'
        "</ofd:Reference>"
        for name, data in files.items()
    )
    named = f"<ofd:Seal><ofd:BaseLoc>{seal}</ofd:BaseLoc></ofd:Seal>" if seal else ""
    info = (
        '<ofd:Provider ProviderName="tongban-test" Version="1" Company="样章·测试无效"/>'
        f"<ofd:SignatureMethod>{oids.SM2_WITH_SM3}</ofd:SignatureMethod>"
        f"<ofd:SignatureDateTime>{time}</ofd:SignatureDateTime>"
        f'<ofd:References CheckMethod="{method}">{references}</ofd:References>{named}'
        '<ofd:StampAnnot ID="2" PageRef="1" Boundary="50 50 42 42"/>'
    )
    return xml("Signature", f"<ofd:SignedInfo>{info}</ofd:SignedInfo><ofd:SignedValue>{value}</ofd:SignedValue>")


def stamped(edit: Edit = bytes, *, esl: bool = True, info: str = f"/{PLACE}", **changed: str) -> Files:
    """A document with a stamp; ``edit`` changes the description before it is stamped, so that the stamp holds."""
    files = document()
    if esl:
        files[SEAL] = seals.seal()
        changed.setdefault("seal", f"/{SEAL}")
    own = edit(description(files, **changed))
    stamp = seals.stamp(digest=sm3(own), info=info)
    return {**files, LIST: listing(("1", 'Type="Seal"', f"/{PLACE}")), PLACE: own, VALUE: stamp}


def signed(value: Callable[[bytes], bytes], **changed: str) -> Files:
    """A document with a signature of Type=Sign; ``value`` makes it from the description's digest."""
    files = document()
    own = description(files, **changed)
    return {**files, LIST: listing(("1", 'Type="Sign"', f"/{PLACE}")), PLACE: own, VALUE: value(sm3(own))}


def twice() -> Files:
    """A second stamp over everything but the list, which it changes; the first cannot cover what came after it."""
    files = stamped()
    where = f"{SIGNS}Sign_1/Signature.xml"
    covered = {name: data for name, data in files.items() if name != LIST}
    own = description(covered, value="SignedValue.dat")
    stamp = seals.stamp(digest=sm3(own), info=f"/{where}")
    listed = listing(("1", "", f"/{PLACE}"), ("2", "", "Sign_1/Signature.xml"))
    return {**files, LIST: listed, where: own, f"{SIGNS}Sign_1/SignedValue.dat": stamp}


# --- GB/T 35275 -------------------------------------------------------------------------------------------------------


def algorithm(oid: str) -> bytes:
    return der.seq(der.oid(oid), der.null())


def attribute(oid: str, value: bytes) -> bytes:
    return der.seq(der.oid(oid), der.set_of(value))


def signed_data(
    digest: bytes,
    *,
    content: bytes | None = None,
    omit: bool = False,
    attributes: bytes | None = None,
    key: str = "signer",
    carried: tuple[Certificate, ...] | None = None,
    digest_oid: str = oids.SM3,
    sign_oid: str = oids.SM2_SIGN,
    bare: bool = False,
    infos: int = 1,
) -> bytes:
    """SignedData over a digest; ``attributes``: the elements of the authenticated attributes."""
    inner = digest if content is None else content
    certificate = seals.signer()
    message = inner if attributes is None else der.tlv(der.SET, attributes)
    info = der.seq(
        der.integer(1),
        der.seq(certificate.issuer_der, der.integer(certificate.serial)),
        algorithm(digest_oid),
        *([] if attributes is None else [der.implicit(0, attributes, True)]),
        algorithm(sign_oid),
        der.octets(pki.signer(key).sign(message)),
    )
    data = () if omit else (der.explicit(0, der.octets(inner)),)
    certificates = b"".join(one.der for one in (carried if carried is not None else (certificate,)))
    body = der.seq(
        der.integer(1),
        der.set_of(algorithm(oids.SM3)),
        der.seq(der.oid("1.2.156.10197.6.1.4.2.1"), *data),
        *([der.implicit(0, certificates, True)] if certificates else []),
        der.tlv(der.SET, info * infos),
    )
    return body if bare else der.seq(der.oid("1.2.156.10197.6.1.4.2.2"), der.explicit(0, body))


def with_attributes(digest: bytes, stated: bytes | None = None, times: int = 1) -> bytes:
    one = attribute("1.2.840.113549.1.9.4", der.octets(stated or digest))
    kind = attribute("1.2.840.113549.1.9.3", der.oid("1.2.156.10197.6.1.4.2.1"))
    return signed_data(digest, attributes=kind + one * times)


# --- the vectors ------------------------------------------------------------------------------------------------------


def zipped(files: Mapping[str, bytes], *more: Item) -> bytes:
    return build([*(Item(name, data) for name, data in files.items()), *more])


def changed(files: Files, **by_name: bytes | None) -> Files:
    """Files exchanged or, with None, taken out, by the names of this module's constants."""
    names = {globals()[key]: value for key, value in by_name.items()}
    return {name: data for name, data in {**files, **names}.items() if data is not None}


def swap(old: str, new: str, count: int = 1) -> Edit:
    def edit(data: bytes) -> bytes:
        assert old.encode() in data
        return data.replace(old.encode(), new.encode(), count)

    return edit


def before_root(data: bytes, inserted: bytes) -> bytes:
    return data.replace(b"?>\n", b"?>\n" + inserted, 1)


def _good() -> list[Vector]:
    def remarked(name: str, files: Files, code: str) -> Vector:
        return Vector(f"good-{name}", zipped(files), notes=(*SELF_DECLARED, code))

    utc = "20260601080000.302Z"
    sign = (*PLAIN, "ofd-time-self-declared")
    items = [Item(name, data) for name, data in stamped().items()]
    for item in items[1:3]:
        item.flags |= 8
        item.descriptor = descriptor(item, b"PK\7\x08" if item is items[1] else b"")
    folder = Item("Doc_0/", method=0, attributes=0o040755 << 16)
    return [
        Vector("good", zipped(stamped())),
        Vector("good-folders-and-comment", build([folder, *items], comment=b"made by hand")),
        Vector("good-stored", build([Item(name, data, method=0) for name, data in stamped().items()])),
        Vector("good-no-seal-file", zipped(stamped(esl=False))),
        Vector("good-check-method-oid", zipped(stamped(method="1.2.156.10197.1.401"))),
        Vector("good-time-digits", zipped(stamped(time="20260601160000"))),
        Vector("good-time-zulu", zipped(stamped(time=utc))),
        Vector("good-property-without-slash", zipped(stamped(info=PLACE))),
        Vector("good-relative-paths", zipped(stamped(value="SignedValue.dat", seal="../Sign_0/./Seal.esl"))),
        Vector("good-type-unsaid", zipped(changed(stamped(), LIST=listing(("1", "", f"/{PLACE}"))))),
        Vector("good-two-signatures", zipped(twice())),
        Vector("good-signed-data", zipped(signed(signed_data)), notes=sign),
        Vector("good-signed-data-bare", zipped(signed(lambda d: signed_data(d, bare=True))), notes=sign),
        Vector("good-signed-data-attributes", zipped(signed(with_attributes)), notes=sign),
        Vector("good-signed-data-detached", zipped(signed(lambda d: signed_data(d, omit=True))), notes=sign),
        Vector(
            "good-signed-data-base64", zipped(signed(lambda d: signed_data(d, content=base64.b64encode(d)))), notes=sign
        ),
        Vector(
            "good-uncovered-allowed", zipped({**stamped(), "Doc_0/Extra.xml": b"<x/>"}),
            notes=("ofd-uncovered", *SELF_DECLARED), uncovered="note",
        ),
        remarked("unusual-method", stamped(swap(oids.SM2_WITH_SM3, "SM2?")), "ofd-method-unusual"),
        remarked("time-unreadable", stamped(time="yesterday"), "ofd-time-unreadable"),
        remarked("time-differs", stamped(time="2026-06-02 16:00:00"), "ofd-time-differs"),
    ]  # fmt: skip


def _bad() -> list[Vector]:
    def bad(name: str, files: Files, *codes: str, notes: tuple[str, ...] = SELF_DECLARED, **more: object) -> Vector:
        return Vector(name, zipped(files), codes, notes, ok=False, **more)  # type: ignore[arg-type]

    good, as_sign = stamped(), listing(("1", 'Type="Sign"', f"/{PLACE}"))
    other = document()[PAGE].replace("受".encode(), "不".encode())
    first = re.compile(rb"<ofd:Reference .*?</ofd:Reference>")
    again: Edit = lambda data: first.sub(lambda match: match[0] * 2, data, count=1)  # noqa: E731
    nothing: Edit = lambda data: first.sub(b"", data)  # noqa: E731
    return [
        bad("page-changed", changed(good, PAGE=other), "ofd-reference-digest"),
        bad("page-removed", changed(good, PAGE=None), "ofd-reference-missing"),
        bad("page-not-protected", stamped(lambda data: first.sub(b"", data, count=3)), "ofd-uncovered"),
        bad("check-value-garbage", stamped(swap("<ofd:CheckValue>", "<ofd:CheckValue>*")), "ofd-reference-digest"),
        bad("reference-repeated", stamped(again), "ofd-reference-repeated"),
        bad("no-references", stamped(nothing), "ofd-no-references", "ofd-uncovered"),
        bad("entry-uncovered", {**good, "Doc_0/Pages/Page_1/Content.xml": b"<x/>"}, "ofd-uncovered"),
        bad("check-method-md5", stamped(method="MD5"), "ofd-check-method"),
        bad("check-method-unsaid", stamped(swap(' CheckMethod="SM3"', "")), "ofd-check-method"),
        bad("description-changed", changed(good, PLACE=good[PLACE].replace(b"tongban", b"nabgnot")), "document-digest"),
        bad("stamp-of-another-place", stamped(info="/Doc_0/Signs/Sign_9/Signature.xml"), "property-info"),
        bad("value-missing", changed(good, VALUE=None), "ofd-value-missing", notes=()),
        bad("value-garbage", changed(good, VALUE=b"garbage"), "ofd-seal-file", "format", notes=()),
        bad("seal-file-missing", changed(good, SEAL=None), "ofd-reference-missing", "ofd-seal-file-missing"),
        bad("seal-file-of-another", {**good, SEAL: seals.seal(ends=seals.LATER)}, "ofd-reference-digest", "ofd-seal-file"),
        bad("type-unknown", changed(good, LIST=listing(("1", 'Type="Stamp"', f"/{PLACE}"))), "ofd-type"),
        bad("stamp-listed-as-sign", changed(good, LIST=as_sign), "ofd-signed-value", notes=PLAIN),
        bad("root-unknown", good, "signer-untrusted-root", "seal-maker-untrusted-root", anchors=False),
        bad("stamp-of-tomorrow", good, "stamp-time-future", notes=(), at=pki.BORN),
        *_bad_descriptions(good),
    ]  # fmt: skip


def _bad_descriptions(good: Files) -> list[Vector]:
    """Descriptions that cannot be read; the document opens all the same."""
    own = good[PLACE]
    edits = {
        "doctype": before_root(own, DOCTYPE),
        "instruction": before_root(own, b"<?xml-stylesheet href='x'?>"),
        "gbk": own.replace(b"UTF-8", b"GBK"),
        "not-utf-8": own.replace("样".encode(), b"\xd1\xf9"),
        "truncated": own[:-20],
        "deep": own.replace(b"<ofd:SignedValue>", b"<a>" * 40 + b"</a>" * 40 + b"<ofd:SignedValue>"),
        "two-values": own.replace(b"</ofd:SignedInfo>", b"</ofd:SignedInfo><ofd:SignedValue>/x</ofd:SignedValue>"),
        "no-info": own.replace(b"SignedInfo", b"Signedinfo"),
        "path-outside": own.replace(b'FileRef="/OFD.xml"', b'FileRef="../../../../OFD.xml"'),
        "comment-in-path": own.replace(b"SignedValue.dat", b"Signed<!-- -->Value.dat"),
        "another-root": own.replace(b"ofd:Signature ", b"ofd:Signaturf ").replace(
            b"/ofd:Signature>", b"/ofd:Signaturf>"
        ),
    }
    found = [
        Vector(f"description-{name}", zipped(changed(good, PLACE=data)), ("ofd-signature-file",), (), ok=False)
        for name, data in edits.items()
    ]
    missing = changed(good, PLACE=None)
    return [*found, Vector("description-missing", zipped(missing), ("ofd-signature-file",), (), ok=False)]


def _signed() -> list[Vector]:
    def bad(name: str, value: Callable[[bytes], bytes], code: str, *notes: str, **more: str) -> Vector:
        return Vector(name, zipped(signed(value, **more)), (code,), (*PLAIN, *notes), ok=False)

    def untold(*given: Any) -> Vector:
        return replace(bad(*given), ok=None)

    other, declared = sm3(b"another"), "ofd-time-self-declared"
    unknown = ("ofd-signer-unknown",)
    return [
        Vector("sign-bare-value", zipped(signed(lambda d: pki.signer("signer").sign(d))), unknown, PLAIN, ok=None),
        Vector("sign-no-certificate", zipped(signed(lambda d: signed_data(d, carried=()))), unknown, PLAIN, ok=None),
        Vector(
            "sign-certificate-of-another",
            zipped(signed(lambda d: signed_data(d, carried=(seals.maker(),)))), unknown, PLAIN, ok=None,
        ),
        Vector("unsigned", zipped(changed(document(), LIST=listing())), ("ofd-unsigned",), (), ok=None),
        bad("sign-another-content", lambda d: signed_data(other), "ofd-signed-content", declared),
        bad("sign-another-digest", lambda d: with_attributes(d, other), "ofd-signed-content", declared),
        bad("sign-another-key", lambda d: signed_data(d, key="maker"), "ofd-signed-signature", declared),
        untold("sign-sha256", lambda d: signed_data(d, digest_oid="2.16.840.1.101.3.4.2.1"), "ofd-signed-algorithm", declared),
        untold("sign-rsa", lambda d: signed_data(d, sign_oid="1.2.840.113549.1.1.1"), "ofd-signed-algorithm", declared),
        bad("sign-two-digests", lambda d: with_attributes(d, times=2), "ofd-signed-value"),
        bad("sign-two-signers", lambda d: signed_data(d, infos=2), "ofd-signed-value"),
        bad("sign-garbage", lambda d: b"garbage", "ofd-signed-value"),
        bad("sign-future", signed_data, "ofd-time-future", declared, time="2027-06-01 16:00:00"),
    ]  # fmt: skip


def _unopened() -> list[Vector]:
    """OFD files that are packages but no documents one can judge."""
    good = stamped()
    root, listed = good["OFD.xml"], good[LIST]
    many = listing(*((str(n), "", f"/{SIGNS}Sign_{n}/Signature.xml") for n in range(65)))
    again = listing(("1", "", f"/{PLACE}"), ("2", "", "Sign_0/Signature.xml"))
    half = listing(*((str(n), "", f"Sign_{n}/Signature.xml") for n in range(33)))
    halves = {"OFD.xml": bodies("a/x.xml", "b/x.xml"), "a/x.xml": half, "b/x.xml": half}
    long = listed.replace(b"<ofd:MaxSignId>", b"<a/>" * 10_000 + b"<ofd:MaxSignId>")
    wide = b"".join(b' a%d=""' % number for number in range(70)) + b" BaseLoc"
    two = root.replace(b"</ofd:DocBody>", b"<ofd:Signatures>/x</ofd:Signatures></ofd:DocBody>")
    rows: list[tuple[str, Files, str]] = [
        ("no-ofd-xml", {"a.xml": b"<a/>"}, "ofd-entry"),
        ("doctype-in-ofd-xml", {**good, "OFD.xml": before_root(root, DOCTYPE)}, "ofd-xml-dtd"),
        ("doctype-in-signatures-xml", {**good, LIST: before_root(listed, DOCTYPE)}, "ofd-xml-dtd"),
        ("external-doctype", {**good, LIST: before_root(listed, b'<!DOCTYPE x SYSTEM "file:///x">')}, "ofd-xml-dtd"),
        ("utf-7", {**good, LIST: listed.replace(b"UTF-8", b"UTF-7")}, "ofd-xml-encoding"),
        ("utf-16", {**good, LIST: listed.decode().encode("utf-16")}, "ofd-xml-encoding"),
        ("declaration-malformed", {**good, LIST: listed.replace(b'"1.0"', b'"1.1"')}, "ofd-xml-form"),
        ("not-xml", {**good, LIST: b"garbage"}, "ofd-xml-form"),
        ("entity-unknown", {**good, LIST: listed.replace(b"<ofd:MaxSignId>", b"<ofd:MaxSignId>&x;")}, "ofd-xml-form"),
        ("another-namespace", {**good, LIST: listed.replace(b"/2016", b"/2017")}, "ofd-xml-root"),
        ("instruction", {**good, "OFD.xml": root + b"<?x y?>"}, "ofd-xml-instruction"),
        ("many-elements", {**good, LIST: listed.replace(b"<ofd:M", b"<a/>" * 200_001 + b"<ofd:M")}, "ofd-xml-limits"),
        ("many-attributes", {**good, LIST: listed.replace(b" BaseLoc", wide)}, "ofd-xml-limits"),
        ("xml-bomb", {**good, LIST: listed + b" " * (9 << 20)}, "package-ratio"),
        ("two-lists", {**good, "OFD.xml": two}, "ofd-xml-repeated"),
        ("no-body", {**good, "OFD.xml": xml("OFD", "")}, "ofd-xml-missing"),
        ("text-with-elements", {**good, "OFD.xml": root.replace(f"/{LIST}".encode(), b"<a/>")}, "ofd-xml-content"),
        ("list-outside", {**good, "OFD.xml": root.replace(f"/{LIST}".encode(), b"../x.xml")}, "ofd-path"),
        ("list-missing", changed(good, LIST=None), "ofd-entry"),
        ("signature-without-place", {**good, LIST: listed.replace(b"BaseLoc", b"Baseloc")}, "ofd-path"),
        ("signature-listed-twice", {**good, LIST: again}, "ofd-repeated"),
        ("many-signatures", {**good, LIST: many}, "ofd-signatures"),
        ("many-signatures-in-two-lists", {**good, **halves}, "ofd-signatures"),
        ("one-list-of-many-bodies", {**good, "OFD.xml": bodies(LIST, times=10_000), LIST: long}, "ofd-repeated"),
    ]  # fmt: skip
    return [Vector(name, zipped(files), refused=code, ok=None) for name, files, code in rows]


def _packages() -> list[Vector]:
    """Packages that two readers could read in two ways, or that are made to harm."""
    rows = {**_strange_entries(), **_strange_places(), **_strange_wholes()}
    return [Vector(name, data, refused=code, ok=None) for name, (data, code) in rows.items()]


def _with(item: Item) -> bytes:
    return zipped(stamped(), item)


def _lying(data: bytes, **said: int) -> Item:
    return Item("a.xml", data, method=0, central=dict(said), local=dict(said))


def _strange_entries() -> dict[str, tuple[bytes, str]]:
    """One entry more than there should be, strange in itself."""
    return {
        **{f"name-{key}": (_with(Item(name)), "package-name") for key, name in _NAMES.items()},
        "name-second": (_with(Item("a.xml", extra=struct.pack("<2H", 0x7075, 6) + b"\1" * 6)), "package-name"),
        "duplicate-name": (_with(Item(PAGE, b"<x/>")), "package-duplicate"),
        "duplicate-by-case": (_with(Item(PAGE.upper(), b"<x/>")), "package-duplicate"),
        "duplicate-folder": (_with(Item(f"{PAGE}/", method=0)), "package-duplicate"),
        "bomb-ratio": (_with(Item("a.xml", bytes(4 << 20))), "package-ratio"),
        "bomb-total": (_with(_lying(b"", size=300 << 20, packed=2 << 20)), "package-unpacked"),
        "bomb-hidden": (_with(Item("a.xml", bytes(4 << 20), central={"size": 9}, local={"size": 9})), "package-damaged"),
        "encrypted": (_with(Item("a.xml", flags=1)), "package-encrypted"),
        "masked": (_with(Item("a.xml", flags=0x2000)), "package-encrypted"),
        "method-bzip2": (_with(Item("a.xml", method=12)), "package-method"),
        "symlink": (_with(Item("a.xml", b"/etc/passwd", attributes=0o120777 << 16)), "package-special"),
        "device": (_with(Item("a.xml", attributes=0o020644 << 16)), "package-special"),
        "header-name-differs": (_with(Item("a.xml", local={"name": b"b.xml"})), "package-headers"),
        "header-size-differs": (_with(Item("a.xml", b"<a/>", local={"size": 5})), "package-headers"),
        "header-method-differs": (_with(Item("a.xml", b"<a/>", local={"method": 0})), "package-headers"),
        "header-not-there": (_with(Item("a.xml", central={"offset": 7})), "package-headers"),
        "descriptor-differs": (_with(Item("a.xml", b"<a/>", flags=8, descriptor=bytes(16))), "package-headers"),
        "checksum-wrong": (_with(Item("a.xml", b"<a/>", central={"crc": 1}, local={"crc": 1})), "package-damaged"),
        "size-too-large": (_with(Item("a.xml", b"<a/>", central={"size": 5}, local={"size": 5})), "package-damaged"),
        "packed-cut": (_with(Item("a.xml", b"<a/>" * 9, packed=b"\1")), "package-damaged"),
        "packed-garbage": (_with(Item("a.xml", b"<a/>", packed=b"\xff" * 9)), "package-damaged"),
        "packed-with-tail": (_with(Item("a.xml", b"<a/>", packed=Item("", b"<a/>").content() + b"tail")), "package-damaged"),
        "folder-with-content": (_with(Item("a/", b"x", method=0)), "package-damaged"),
        "extra-cut": (_with(Item("a.xml", extra=struct.pack("<2H", 9, 99))), "package-damaged"),
        "zip64": (_with(Item("a.xml", extra=struct.pack("<2HQ", 1, 8, 4))), "package-zip64"),
        "zip64-size": (_with(Item("a.xml", central={"size": 0xFFFFFFFF})), "package-zip64"),
        "entry-on-another-disk": (_with(Item("a.xml", central={"disk": 1})), "package-disks"),
    }  # fmt: skip


def _strange_places() -> dict[str, tuple[bytes, str]]:
    """Entries over each other, or with something hidden between them."""
    items = [Item(name, data) for name, data in stamped().items()]
    inner = Item("b.xml", b"<b/>", method=0)
    nested = header(inner) + inner.data
    outer = Item("a.xml", nested, method=0)
    body = header(outer) + nested
    return {
        "overlapping-entries": (_directory([(outer, 0), (inner, len(header(outer)))], body), "package-overlap"),
        "overlapping-directory": (build([_lying(b"<a/>" * 9, packed=99, size=99)]), "package-overlap"),
        "one-entry-twice": (_directory([(inner, 0), (inner, 0)], nested), "package-overlap"),
        "hidden-first": (build([Item("a.xml", before=b"#!/bin/sh\n"), *items]), "package-gap"),
        "hidden-between": (build([*items, Item("a.xml", before=nested)]), "package-gap"),
        "hidden-before-directory": (build(items, between=nested), "package-gap"),
    }  # fmt: skip


def _strange_wholes() -> dict[str, tuple[bytes, str]]:
    """The record at the end, or the file as a whole."""
    items = [Item(name, data) for name, data in stamped().items()]
    whole = build(items)
    return {
        "too-many-entries": (build(items, count=10_001), "package-entries"),
        "zip64-count": (build(items, count=0xFFFF), "package-zip64"),
        "several-disks": (build(items, disk=1), "package-disks"),
        "count-too-small": (build(items, count=len(items) - 1), "package-damaged"),
        "count-too-large": (build(items, count=len(items) + 1), "package-damaged"),
        "truncated": (whole[:-9], "package-damaged"),
        "truncated-half": (whole[: len(whole) // 2], "package-damaged"),
        "no-directory": (b"PK\3\4", "package-damaged"),
        "trailing-bytes": (whole + b"tail", "package-damaged"),
        "bytes-in-front": (b"PK\3\4" + whole, "package-damaged"),
        "too-large": (b"PK\3\4" + bytes(64 << 20), "package-size"),
        "empty": (build([]), "ofd-entry"),
        "large-xml": (build([Item("OFD.xml", bytes(9 << 20), method=0)]), "ofd-xml-size"),
    }  # fmt: skip


_NAMES: dict[str, str | bytes] = {
    "slip": "../evil.xml", "slip-inside": "Doc_0/../../evil.xml", "absolute": "/etc/evil", "drive": "C:\\evil",
    "backslash": "Doc_0\\evil.xml", "nul": "a\0.xml", "device": "Doc_0/NUL.xml", "dot": "./a.xml", "empty": "",
    "double-slash": "Doc_0//a.xml", "trailing-dot": "Doc_0/a.", "bidi": "a\u202elmx.xml", "long": "a" * 600,
    "not-utf-8": b"\xd1\xf9.xml",
}  # fmt: skip


def _directory(entries: list[tuple[Item, int]], body: bytes) -> bytes:
    """A package of this body with a directory that points where it is told."""
    records = b"".join(record(item, offset) for item, offset in entries)
    return body + records + end(len(entries), len(records), len(body))


def vectors() -> dict[str, Vector]:
    found = [*_good(), *_bad(), *_signed(), *_unopened(), *_packages()]
    by_name = {vector.name: vector for vector in found}
    assert len(by_name) == len(found)
    return by_name


VECTORS = vectors()


if __name__ == "__main__":
    from tests.vectors.ofd.foreign import ALL

    for vector in ALL.values():
        Path(sys.argv[1], f"{vector.name}.ofd").write_bytes(vector.data)

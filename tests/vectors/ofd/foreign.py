"""Signed OFD documents as other writers make them, and as smugglers would: packages, lists and values in every habit met in
the field, and files that no signature covers, each with what it could do. ``ALL``: these and ``generate.VECTORS``.
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Callable

from signing import der
from signing.sm3 import sm3
from tests import pki
from tests.vectors.ofd import generate as g
from tests.vectors.ofd.generate import LIST, PAGE, PLACE, SIGNS, VALUE, Files, Vector, swap, xml, zipped
from tests.vectors.ofd.zips import Item, build, descriptor
from tests.vectors.seals import generate as seals

SIGN = (*g.PLAIN, "ofd-time-self-declared")
BESIDE = f"{SIGNS}Sign_0/signer.cer"
ATTACHED = "Doc_0/Attachs/附件.pdf"
SEAL, SIGNER = seals.seal(), seals.signer()
OLD, NEW = b'"http://www.ofdspec.org"', b'"http://www.ofdspec.org/2016"'


def rich() -> Files:
    """A document with everything a document may name."""
    common = (
        "<ofd:CommonData><ofd:PublicRes>PublicRes.xml</ofd:PublicRes><ofd:DocumentRes>DocumentRes.xml</ofd:DocumentRes>"
        '<ofd:TemplatePage ID="9" BaseLoc="Tpls/Tpl_0/Content.xml"/></ofd:CommonData>'
    )
    pages = "".join(f'<ofd:Page ID="{n + 1}" BaseLoc="Pages/Page_{n}/Content.xml"/>' for n in range(2))
    named = (
        "<ofd:Annotations>Annots/Annotations.xml</ofd:Annotations><ofd:Attachments>Attachs/Attachments.xml</ofd:Attachments>"
        "<ofd:CustomTags>Tags/CustomTags.xml</ofd:CustomTags>"
    )
    media = (
        '<ofd:MultiMedias><ofd:MultiMedia ID="5"><ofd:MediaFile>{}</ofd:MediaFile></ofd:MultiMedia></ofd:MultiMedias>'
    )
    fonts = '<ofd:Fonts><ofd:Font ID="3"><ofd:FontFile>f.otf</ofd:FontFile></ofd:Font></ofd:Fonts>'
    annotations = '<ofd:Page PageID="1"><ofd:FileLoc>Page_0/Annotation.xml</ofd:FileLoc></ofd:Page>'
    attachments = '<ofd:Attachment ID="7"><ofd:FileLoc>附件.pdf</ofd:FileLoc></ofd:Attachment>'
    tags = "<ofd:CustomTag><ofd:FileLoc>Tag.xml</ofd:FileLoc></ofd:CustomTag>"
    content = "<ofd:PageRes>PageRes.xml</ofd:PageRes><ofd:Content>受理通知书</ofd:Content>"
    return {
        **g.document(),
        "Doc_0/Document.xml": xml("Document", f"{common}<ofd:Pages>{pages}</ofd:Pages>{named}"),
        "Doc_0/PublicRes.xml": xml("Res", fonts, 'BaseLoc="Res"'),
        "Doc_0/DocumentRes.xml": xml("Res", media.format("image_0.png"), 'BaseLoc="Res"'),
        "Doc_0/Res/f.otf": b"font", "Doc_0/Res/image_0.png": b"\x89PNG", "Doc_0/Res/image_1.png": b"\x89PNG1",
        "Doc_0/Tpls/Tpl_0/Content.xml": xml("Page", "<ofd:Content/>"),
        "Doc_0/Pages/Page_1/Content.xml": xml("Page", content),
        "Doc_0/Pages/Page_1/PageRes.xml": xml("Res", media.format("/Doc_0/Res/image_1.png")),
        "Doc_0/Annots/Annotations.xml": xml("Annotations", annotations),
        "Doc_0/Annots/Page_0/Annotation.xml": xml("PageAnnot", '<ofd:Annot ID="8" Type="Stamp"/>'),
        "Doc_0/Attachs/Attachments.xml": xml("Attachments", attachments),
        ATTACHED: b"%PDF-1.4\n",
        "Doc_0/Tags/CustomTags.xml": xml("CustomTags", tags),
        "Doc_0/Tags/Tag.xml": xml("Tag", ""),
    }  # fmt: skip


def stamped(
    content: Files, but: tuple[str, ...] = (), *, edit: g.Edit = bytes, place: str = PLACE, form: str = "V4",
    on: bytes | None = None, listed: bytes | None = None,
) -> Files:  # fmt: skip
    """A stamp over these files ``but`` some."""
    value = place.replace("Signature.xml", "SignedValue.dat")
    covered = {name: data for name, data in content.items() if name not in but}
    own = edit(g.description(covered, value=f"/{value}"))
    sealed = on or (SEAL if form == "V4" else None)
    stamp = seals.stamp(digest=sm3(own), info=f"/{place}", form=form, on=sealed, by=SIGNER)  # type: ignore[arg-type]
    return {**content, LIST: listed or g.listing(("1", "", f"/{place}")), place: own, value: stamp}


def signed(value: Callable[[bytes], bytes], edit: g.Edit = bytes) -> Files:
    """A document whose plain signature is made from the description's own bytes."""
    files = g.document()
    own = edit(g.description(files))
    return {**files, LIST: g.listing(("1", 'Type="Sign"', f"/{PLACE}")), PLACE: own, VALUE: value(own)}


def thrice() -> Files:
    """Three signatures in a row, each over all that was there: a stamp, a plain signature, a stamp that covers the list."""
    files = g.document()
    listed: list[tuple[str, str, str]] = []
    for number, kind in enumerate(("Seal", "Sign", "Seal")):
        place = f"{SIGNS}Sign_{number}/Signature.xml"
        listed.append((f"s{number:03}", f'Type="{kind}"', f"Sign_{number}/Signature.xml"))
        covered = {name: data for name, data in files.items() if name != LIST}
        files[LIST] = g.listing(*listed)
        last = {LIST: files[LIST]} if number == 2 else {}
        own = g.description(covered | last, value="SignedValue.dat")
        digest = sm3(own)
        value = seals.stamp(digest=digest, info=f"/{place}") if kind == "Seal" else g.signed_data(digest)
        files |= {place: own, place.replace("Signature.xml", "SignedValue.dat"): value}
    return files


def two_documents(second: bool = True) -> Files:
    """Two bodies in one package, each with a list of its own; without ``second`` nobody signed the second."""
    lists = [LIST, "Doc_1/Signs/Signatures.xml"][: 1 + second]
    bodies = "".join(
        f"<ofd:DocBody><ofd:DocRoot>Doc_{n}/Document.xml</ofd:DocRoot>"
        + (f"<ofd:Signatures>/{lists[n]}</ofd:Signatures>" if n < len(lists) else "") + "</ofd:DocBody>" for n in range(2)
    )  # fmt: skip
    first = {**g.document(), "OFD.xml": xml("OFD", bodies, 'Version="1.0"')}
    other = {name.replace("Doc_0", "Doc_1"): data for name, data in first.items() if name != "OFD.xml"}
    files = {**stamped(first), **other}
    if second:
        place = "Doc_1/Signs/Sign_0/Signature.xml"
        made = stamped({**other, "OFD.xml": first["OFD.xml"]}, place=place)
        files |= {lists[1]: g.listing(("1", "", f"/{place}"))} | {
            name: data for name, data in made.items() if name not in (LIST, "OFD.xml")
        }
    return files


def reaching() -> Files:
    """Two documents, where the second one's signature also covers a file put into the first one's folder."""
    files = {**two_documents(), "Doc_0/evil.xml": b"<x/>"}
    place, value = "Doc_1/Signs/Sign_0/Signature.xml", "Doc_1/Signs/Sign_0/SignedValue.dat"
    covered = {name: data for name, data in files.items() if name.startswith("Doc_1") and "/Signs/" not in name}
    own = g.description(covered | {name: files[name] for name in ("OFD.xml", "Doc_0/evil.xml")}, value=f"/{value}")
    return files | {place: own, value: seals.stamp(digest=sm3(own), info=f"/{place}", on=SEAL, by=SIGNER)}


def entries(
    files: Files, *missing: str, value: Callable[[bytes], bytes] | None = None, root: str = "DocEntries"
) -> Files:
    """The list of all files and its signature, over a finished package."""
    named = "".join(f'<ofd:File ID="{n}" FileLoc="/{name}"/>' for n, name in enumerate(files) if name not in missing)
    inside = f"<ofd:SignedValueLoc>/signedvalue.dat</ofd:SignedValueLoc><ofd:FileList>{named}</ofd:FileList>"
    own = xml(root, inside, 'ID="1" CreatorName="test" Version="1" CreationDate="2026-06-01"')
    return {**files, "OFDEntries.xml": own, "signedvalue.dat": (value or g.signed_data)(sm3(own))}


# --- what comes out good ------------------------------------------------------------------------------------------------


def _named(files: Files, name: str, **item: object) -> bytes:
    """The package with this entry's name in GBK, undeclared, as Chinese Windows writes it."""
    items = [Item(own, data) for own, data in files.items() if own != name]
    return build([*items, Item(name.encode("gbk"), files[name], flags=0, **item)])  # type: ignore[arg-type]


def _second_name(name: str, told: str) -> bytes:
    value = b"\1" + struct.pack("<L", zlib.crc32(name.encode("gbk"))) + told.encode()
    return struct.pack("<2H", 0x7075, len(value)) + value


def _java(files: Files) -> bytes:
    """Deflated folders, descriptors everywhere, checksums left out of the headers."""
    folders = [Item(f"{name}/") for name in ("Doc_0", "Doc_0/Pages", "Doc_0/Signs")]
    items = [*folders, *(Item(name, data) for name, data in files.items())]
    for item in items:
        item.flags |= 8
        item.descriptor = descriptor(item)
    items[-1].local = {key: value for key, value in items[-1].said().items() if key in ("packed", "size")}
    return build(items, comment=b"x" * 300)


def _packages() -> dict[str, bytes]:
    whole = stamped(rich())
    return {
        "gbk-name": _named(whole, ATTACHED),
        "gbk-name-told-twice": _named(whole, ATTACHED, extra=_second_name(ATTACHED, ATTACHED)),
        "java": _java(whole),
        "utf-8-undeclared": build([Item(name, data, flags=0) for name, data in whole.items()]),
        "pages-that-repeat": zipped(stamped({**rich(), PAGE: xml("Page", "<ofd:Content>" + "受理" * 22_000 + "</ofd:Content>")})),
    }  # fmt: skip


def _documents() -> dict[str, Files]:
    old = {name: data.replace(NEW, OLD) for name, data in rich().items()}
    bare = {name: data.replace(b"ofd:", b"").replace(b"xmlns:ofd", b"xmlns") for name, data in rich().items()}
    riding = "".join(
        f'<ofd:StampAnnot ID="{n}" PageRef="{n}" Boundary="190 90 20 42" Clip="{n * 10} 0 10 42"/>' for n in (1, 2)
    )
    renamed: g.Edit = lambda data: data.replace(NEW, OLD)  # noqa: E731
    slashless: g.Edit = lambda data: data.replace(b'FileRef="/', b'FileRef="')  # noqa: E731
    return {
        "rich": stamped(rich()),
        "old-namespace": {**stamped(old, edit=renamed), LIST: g.listing(("1", "", f"/{PLACE}")).replace(NEW, OLD)},
        "default-namespace": stamped(bare),
        "no-first-slash": stamped(rich(), edit=slashless, listed=g.listing(("1", "", PLACE))),
        "form-V1": stamped(rich(), form="V1"),
        "riding-stamp": stamped(rich(), edit=swap("</ofd:SignedInfo>", riding + "</ofd:SignedInfo>")),
        "check-method-small": stamped(rich(), edit=swap('"SM3"', '"sm3"')),
        "check-method-long-oid": stamped(rich(), edit=swap('"SM3"', '"1.2.156.10197.1.401.1 "')),
        "method-name": stamped(rich(), edit=swap("1.2.156.10197.1.501", "SM3WithSM2")),
        "time-with-zone": stamped(rich(), edit=swap(g.SIGNED, "2026-06-01T16:00:00+08:00")),
        "time-with-zone-west": stamped(rich(), edit=swap(g.SIGNED, "2026-06-01T05:00:00-0300")),
        "two-documents": two_documents(),
    }  # fmt: skip


def _signatures() -> list[Vector]:
    """Plain signatures in the forms that are met."""

    def sign(message: bytes) -> bytes:
        return pki.signer("signer").sign(message)

    def attributes(digest: bytes) -> bytes:
        stated = g.attribute("1.2.840.113549.1.9.4", der.octets(sm3(digest)))
        return g.signed_data(digest, attributes=stated)

    bare = signed(sign)
    forms = {
        "sign-content-is-the-description": signed(lambda own: g.signed_data(own)),
        "sign-content-left-out": signed(lambda own: _left_out(own)),
        "sign-attributes-of-the-content": signed(lambda own: attributes(sm3(own))),
        "sign-bare-certificate-beside": {**bare, BESIDE: seals.signer().der},
        "sign-bare-over-digest": {**signed(lambda own: sign(sm3(own))), BESIDE: seals.signer().der},
        "sign-bare-over-base64": {**signed(lambda own: sign(base64.b64encode(sm3(own)))), BESIDE: seals.signer().der},
    }  # fmt: skip
    return [Vector(name, zipped(files), notes=SIGN) for name, files in forms.items()]


def _left_out(own: bytes) -> bytes:
    """Detached signed data: the signature is over the description itself."""
    data = g.signed_data(sm3(own), omit=True)
    return data.replace(pki.signer("signer").sign(sm3(own)), pki.signer("signer").sign(own))


def _good() -> list[Vector]:
    whole, v5 = stamped(rich()), stamped(rich(), on=seals.v5(b"\1\2\3"))
    both = (*g.SELF_DECLARED, "ofd-time-self-declared")
    made = _packages() | {name: zipped(files) for name, files in _documents().items()}
    return [
        *(Vector(name, data) for name, data in made.items()),
        Vector("stamp-on-V5-seal", zipped(v5), notes=(*g.SELF_DECLARED, "timestamp-unreadable")),
        Vector("list-of-all-files", zipped(entries(whole)), notes=both),
        Vector("list-of-all-files-OFDEntries", zipped(entries(whole, root="OFDEntries")), notes=both),
        Vector("three-signatures", zipped(thrice()), notes=(*g.SELF_DECLARED, *SIGN)),
        *_signatures(),
    ]


# --- what does not --------------------------------------------------------------------------------------------------------


def _untold() -> list[Vector]:
    """Nothing is known to be wrong, and nobody can say that it is right."""
    encrypted = {**stamped(rich()), "Encryptions.xml": xml("Encryptions", "")}
    hidden = {name: data for name, data in encrypted.items() if name not in (LIST, PAGE)}
    raw: Callable[[bytes], bytes] = lambda own: bytes(256)  # noqa: E731
    rsa = signed(raw, swap("1.2.156.10197.1.501", "SHA256withRSA"))
    other = {**signed(lambda own: pki.signer("signer").sign(own)), BESIDE: seals.maker().der}
    sha256 = stamped(rich(), edit=swap('"SM3"', '"SHA-256"'))
    only = entries(g.document() | {LIST: g.listing()})
    return [
        Vector("encrypted", zipped(encrypted), ("ofd-encrypted",), (), ok=None),
        Vector("encrypted-list", zipped(hidden), ("ofd-encrypted",), (), ok=None),
        Vector("check-method-sha256", zipped(sha256), ("ofd-check-method-unknown",), ok=None),
        Vector("sign-raw-rsa", zipped(rsa), ("ofd-signed-algorithm",), (*g.PLAIN, "ofd-method-unusual"), ok=None),
        Vector("sign-bare-certificate-of-another-beside", zipped(other), ("ofd-signer-unknown",), g.PLAIN, ok=None),
        Vector("list-of-all-files-alone", zipped(only), ("ofd-unsigned",), ("ofd-time-self-declared",), ok=None),
    ]  # fmt: skip


def _bad() -> list[Vector]:
    whole, own = stamped(rich()), g.listing(("1", 'Type="Entries"', f"/{PLACE}"))
    garbage = {**entries(whole), "OFDEntries.xml": b"garbage"}
    both = (*g.SELF_DECLARED, "ofd-time-self-declared")
    cut = {name: data for name, data in entries(whole).items() if name != PAGE}
    elsewhere = entries(whole, value=lambda digest: g.signed_data(sm3(b"x")))
    seal = swap("</ofd:SignedInfo>", "<ofd:Seal><ofd:BaseLoc>/Doc_0/a.xml</ofd:BaseLoc></ofd:Seal></ofd:SignedInfo>")
    hidden = {**signed(lambda own: g.signed_data(sm3(own)), seal), "Doc_0/a.xml": b"<x/>"}
    beside = {**signed(pki.signer("signer").sign), BESIDE: b"garbage"}
    rows: list[tuple[str, Files, tuple[str, ...], tuple[str, ...]]] = [
        ("check-method-sha1", stamped(rich(), edit=swap('"SM3"', '"SHA1"')), ("ofd-check-method",), g.SELF_DECLARED),
        ("type-entries", {**whole, LIST: own}, ("ofd-type",), g.SELF_DECLARED),
        ("list-of-all-files-incomplete", entries(whole, ATTACHED), ("ofd-uncovered",), both),
        ("list-of-all-files-too-long", cut, ("ofd-reference-missing",), both),
        ("list-of-all-files-of-another", elsewhere, ("ofd-signed-content",), both),
        ("list-of-all-files-garbage", garbage, ("ofd-uncovered", "ofd-signature-file"), g.SELF_DECLARED),
        ("sign-hides-a-file-as-its-seal", hidden, ("ofd-uncovered",), SIGN),
        ("other-list-covers-a-file-here", reaching(), ("ofd-uncovered",), g.SELF_DECLARED),
        ("sign-bare-garbage-beside", beside, ("ofd-uncovered", "ofd-signer-unknown"), g.PLAIN),
    ]
    return [Vector(name, zipped(files), codes, notes, ok=False) for name, files, codes, notes in rows]


def _refused() -> list[Vector]:
    mixed = {**g.stamped(), PLACE: b""}
    mixed[LIST] = g.stamped()[LIST].replace(
        b"<ofd:Signature ", b'<x:Signature xmlns:x="urn:x" BaseLoc="/a"/><ofd:Signature '
    )
    rows = {
        "namespace-mixed": (zipped(mixed), "ofd-xml-namespace"),
        "gbk-name-told-otherwise": (_named(stamped(rich()), ATTACHED, extra=_second_name(ATTACHED, PAGE)), "package-name"),
    }  # fmt: skip
    return [Vector(name, data, refused=code, ok=None) for name, (data, code) in rows.items()]


# Name -> (the document, what it leaves open and what that could do).
def smuggled() -> dict[str, tuple[Files, list[tuple[str, str]]]]:
    """Documents of a good stamp that covers one thing too little, or that something was put into."""
    whole = rich()
    left = {
        "entry": ["OFD.xml"],
        "document": ["Doc_0/Document.xml"],
        "page": [PAGE],
        "template": ["Doc_0/Tpls/Tpl_0/Content.xml"],
        "annotation": ["Doc_0/Annots/Annotations.xml", "Doc_0/Annots/Page_0/Annotation.xml"],
        "resource": ["Doc_0/PublicRes.xml", "Doc_0/Res/f.otf", "Doc_0/Res/image_0.png", "Doc_0/Res/image_1.png"],
        "attachment": ["Doc_0/Attachs/Attachments.xml", ATTACHED],
        "data": ["Doc_0/Tags/CustomTags.xml", "Doc_0/Tags/Tag.xml"],
    }  # fmt: skip
    found = {
        f"open-{effect}": (stamped(whole, tuple(paths)), [(path, effect) for path in paths])
        for effect, paths in left.items()
    }
    stripped = {**g.twice(), LIST: g.listing(("1", "", f"/{PLACE}"))}
    gone = [f"{SIGNS}Sign_1/{name}" for name in ("Signature.xml", "SignedValue.dat")]
    versions = b'<ofd:Versions><ofd:Version ID="v" Current="true" BaseLoc="V/V1.xml"/></ofd:Versions></ofd:DocBody>'
    version = {
        "OFD.xml": whole["OFD.xml"].replace(b"</ofd:DocBody>", versions),
        "V/V1.xml": xml("DocVersion", "<ofd:FileList><ofd:File>/V/page.xml</ofd:File></ofd:FileList>"),
        "V/page.xml": b"<x/>",
    }
    named = ["V/V1.xml", "V/page.xml"]
    other = [("Doc_1/Document.xml", "body"), (PAGE.replace("Doc_0", "Doc_1"), "page")]
    spare = "Doc_0/Pages/Page_9/Content.xml"
    return found | {
        "second-body": (two_documents(second=False), other),
        "version": (stamped(whole | version, tuple(named)), [(name, "version") for name in named]),
        "signature-taken-from-the-list": (stripped, [(name, "signature") for name in gone]),
        "script": ({**stamped(whole), "Doc_0/a.js": b"alert(1)"}, [("Doc_0/a.js", "hidden")]),
        "page-that-nothing-names": ({**stamped(whole), spare: b"<x/>"}, [(spare, "hidden")]),
    }


def _smuggled() -> list[Vector]:
    return [Vector(name, zipped(files), ("ofd-uncovered",), ok=False) for name, (files, _) in smuggled().items()]


VECTORS = {one.name: one for one in (*_good(), *_untold(), *_bad(), *_refused(), *_smuggled())}
ALL = g.VECTORS | VECTORS

"""OFD documents changed where it matters: in a field of the package, in an element, inside a signed value, in how it is packed,
or changed and signed anew by somebody who may sign. Every document is made from its generator alone.
"""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Callable

from signing.sm3 import sm3
from tests import pki
from tests.attacks import fuzz
from tests.vectors.ofd import foreign
from tests.vectors.ofd import generate as g
from tests.vectors.ofd.generate import LIST, PLACE, VALUE, Files
from tests.vectors.ofd.zips import Item, build, descriptor
from tests.vectors.seals import generate as seals

_BARE = {**foreign.signed(pki.signer("signer").sign), foreign.BESIDE: seals.signer().der}
SEEDS: dict[str, Files] = {
    "stamp": foreign.stamped(foreign.rich()),
    "stamp V1": foreign.stamped(foreign.rich(), form="V1"),
    "stamp with seal file": g.stamped(),
    "signed data": g.signed(g.signed_data),
    "signed data with attributes": g.signed(g.with_attributes),
    "bare value": _BARE,
    "two signatures": g.twice(),
    "three signatures": foreign.thrice(),
    "two documents": foreign.two_documents(),
    "list of all files": foreign.entries(foreign.stamped(foreign.rich())),
}  # fmt: skip
PACKED = {name: g.zipped(files) for name, files in SEEDS.items()}
_PLACES = (
    "/OFD.xml", "OFD.xml", "../OFD.xml", "/../../etc/passwd", "", "/", ".", "//", "\\", "SignedValue.dat", "附件.pdf",
    "a" * 600, "%2e%2e/x", f"/{PLACE}", f"/{VALUE}", f"/{LIST}", f"/{g.PAGE}", "/doc_0/document.xml", "/Doc_0/",
)  # fmt: skip
_INSERTED = (
    "<!DOCTYPE x>", '<!DOCTYPE x [<!ENTITY a "b">]>', "<?x y?>", "<!-- -->", "<![CDATA[x]]>", "&x;", "&#0;", "&#xFFFF;",
    "\0", "\ufeff", "\u202e", "é" * 9000, "<a>" * 40, "</ofd:Signature>", "<ofd:Seal/>", "<ofd:Reference/>",
    "<ofd:SignedValue/>", '<ofd:SignedInfo xmlns:ofd="urn:x"/>', '<ofd:Signature ID="9" BaseLoc="/OFD.xml"/>',
    "<ofd:DocBody><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody>",
)  # fmt: skip
_VALUES = (
    "SM3",
    "sm3",
    "MD5",
    "SHA-256",
    "1.2.156.10197.1.401",
    "Seal",
    "Sign",
    "Entries",
    "0",
    "-1",
    "9" * 400,
    "true",
    "2026-13-40",
)
_ELEMENT = re.compile(r"<(ofd:\w+)[^<>]*?(?:/>|>[^<>]*</\1>)")
_TEXT = re.compile(r">([^<>]+)<")
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
_FIELDS = ("crc", "packed", "size", "flags", "method", "offset", "disk")
_NUMBERS = (0, 1, 2, 7, 8, 9, 12, 0x800, 0x808, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)


def mangled(rng: random.Random) -> bytes:
    """Somebody without any key changed it."""
    files = dict(SEEDS[rng.choice(list(SEEDS))])
    return rng.choices(_WAYS, (2, 5, 8, 6, 3, 3))[0](rng, files)


def resigned(rng: random.Random) -> bytes:
    """The files or the description changed before the stamp was made: the stamp holds over whatever it covers."""
    files = foreign.rich() if rng.random() < 0.5 else g.document()
    if rng.random() < 0.7:
        _one_file(rng, files)
    left = tuple(rng.sample(list(files), k=min(len(files), rng.choice((0, 0, 0, 1, 2)))))
    made = foreign.stamped(files, left, edit=(lambda own: _xml(rng, own)) if rng.random() < 0.6 else bytes)
    if rng.random() < 0.2:
        _one_file(rng, made)
    return g.zipped(made)


def _one_file(rng: random.Random, files: Files) -> None:
    name = rng.choice(list(files))
    files[name] = _xml(rng, files[name]) if name.endswith(".xml") else fuzz.changed(rng, files[name])


# --- the ways -----------------------------------------------------------------------------------------------------------------


def _bytes(rng: random.Random, files: Files) -> bytes:
    return fuzz.changed(rng, PACKED[rng.choice(list(PACKED))])


def _fields(rng: random.Random, files: Files) -> bytes:
    """Fields of the package that say something else, in one place or in both."""
    items = [Item(name, data) for name, data in files.items()]
    for _ in range(rng.choice((1, 1, 2))):
        item, field = rng.choice(items), rng.choice(_FIELDS)
        number = rng.choice(_NUMBERS) & (0xFFFF if field in ("flags", "method", "disk") else 0xFFFFFFFF)
        for said in rng.sample((item.central, item.local), k=rng.choice((1, 2))):
            said[field] = number
        if rng.random() < 0.3:
            item.extra = rng.choice(
                (b"\1\0\x08\0" + bytes(8), b"\x75\x70\x05\0\1" + bytes(4), rng.randbytes(9), b"\0\0\0")
            )
        if rng.random() < 0.2:
            item.descriptor = rng.choice((bytes(12), b"PK\7\x08" + bytes(12), descriptor(item)))
        if rng.random() < 0.2:
            item.attributes = rng.choice((0, 0o120777 << 16, 0o040755 << 16, 0xFFFFFFFF))
        if rng.random() < 0.2:
            item.before = rng.choice((b"x", b"PK\3\4", bytes(30)))
    if rng.random() < 0.3:
        items.append(rng.choice((items[0], Item("../x"), Item("Doc_0/"), Item("OFD.XML", b"x"), Item("a" * 700))))
    rng.shuffle(items)
    return build(
        items, count=rng.choice((None, None, len(items) + 1)), comment=rng.choice((b"", b"", b"PK\5\6" + bytes(18)))
    )


def _elements(rng: random.Random, files: Files) -> bytes:
    names = [name for name in files if name.endswith(".xml")]
    for _ in range(rng.choice((1, 1, 2))):
        name = rng.choice(names)
        files[name] = _xml(rng, files[name])
    return g.zipped(files)


def _xml(rng: random.Random, data: bytes) -> bytes:
    """An element or an attribute exchanged, doubled, moved or taken away; text in it; bytes."""
    text = data.decode("utf-8", "replace")
    kind, spot = rng.randrange(9), rng.randrange(len(text) + 1)
    if kind == 0:
        return fuzz.changed(rng, data)
    if kind == 1:
        return (text[:spot] + rng.choice(_INSERTED) + text[spot:]).encode("utf-8", "replace")
    if kind == 2:
        return text.encode(rng.choice(("utf-16", "gb18030", "utf-8-sig", "utf-32")), "replace")
    if kind in (3, 4):
        return _replaced(rng, _TEXT, text, lambda match: f">{rng.choice(_PLACES + _VALUES)}<")
    if kind == 5:
        return _replaced(rng, _ATTRIBUTE, text, lambda match: f'{match[1]}="{rng.choice(_PLACES + _VALUES)}"')
    if kind == 6:
        return _replaced(rng, _ATTRIBUTE, text, lambda match: rng.choice(("", match[0] * 2, f"x{match[0]}")))
    return _replaced(
        rng, _ELEMENT, text, lambda match: rng.choice(("", match[0] * 2, match[0] * 2000, f"<a>{match[0]}</a>"))
    )


def _replaced(rng: random.Random, pattern: re.Pattern[str], text: str, new: Callable[[re.Match[str]], str]) -> bytes:
    found = list(pattern.finditer(text))
    if not found:
        return text.encode()
    match = rng.choice(found)
    return (text[: match.start()] + new(match) + text[match.end() :]).encode()


def _values(rng: random.Random, files: Files) -> bytes:
    """Inside a signed value or a seal, and other files of no XML."""
    name = rng.choice([name for name in files if not name.endswith(".xml")])
    files[name] = fuzz.changed(rng, files[name])
    return g.zipped(files)


def _packing(rng: random.Random, files: Files) -> bytes:
    """Packed in another way; nothing is lost by it."""
    items = []
    for name, data in files.items():
        deflate = zlib.compressobj(
            rng.randrange(10), zlib.DEFLATED, -zlib.MAX_WBITS, rng.randrange(1, 10), rng.randrange(5)
        )
        half = rng.randrange(len(data) + 1)
        flush = rng.choice((zlib.Z_NO_FLUSH, zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH))
        packed = deflate.compress(data[:half]) + deflate.flush(flush) + deflate.compress(data[half:]) + deflate.flush()
        items.append(rng.choice((Item(name, data, method=0), Item(name, data, packed=packed))))
    rng.shuffle(items)
    return build(items, comment=rng.randbytes(rng.randrange(9)))


def _exchanged(rng: random.Random, files: Files) -> bytes:
    """Files in each other's places, taken out, put in, or from another document."""
    names = list(files)
    first, second = rng.choice(names), rng.choice(names)
    kind = rng.randrange(4)
    if kind == 0:
        files[first], files[second] = files[second], files[first]
    elif kind == 1:
        del files[first]
    elif kind == 2:
        other = SEEDS[rng.choice(list(SEEDS))]
        name = rng.choice(list(other))
        files[name] = other[name]
    else:
        files[f"Doc_0/{rng.choice(('Signs/x', 'a', 'Pages/Page_7/Content'))}.{rng.choice(('xml', 'js', 'cer'))}"] = (
            files[first]
        )
    return g.zipped(files)


_WAYS = (_bytes, _fields, _elements, _values, _packing, _exchanged)


def fingerprints(files: Files) -> dict[str, bytes]:
    """What a stranger must not be able to change in a document that stays good: all but the lists and the values, which are
    signed by nobody (of a value what matters is inside its own signature)."""
    free = ("Signatures.xml", "SignedValue.dat", "signedvalue.dat", ".cer")
    return {name: sm3(data) for name, data in files.items() if not name.endswith(free)}

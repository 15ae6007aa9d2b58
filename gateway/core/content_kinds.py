"""What a file is by its first bytes, and which kinds a declared media type may be (F04). Tables; nothing is decoded.

A kind is a short word of ours; "" is said of bytes that begin like nothing known. ``text`` is anything without control
characters in UTF-8 or GB18030.
"""

from __future__ import annotations

import re
from typing import Final

HEAD: Final = 4096
_IMAGES: Final = frozenset({"png", "jpeg", "gif", "bmp", "tiff", "webp", "heic"})
EXECUTABLE: Final = frozenset({"program", "script", "shortcut", "class"})
# By what a file begins with, the longest first where one begins like another.
_MAGIC: Final[tuple[tuple[bytes, str], ...]] = (
    (b"%PDF-", "pdf"), (b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpeg"), (b"GIF87a", "gif"), (b"GIF89a", "gif"),
    (b"BM", "bmp"), (b"II*\0", "tiff"), (b"MM\0*", "tiff"), (b"PK\x03\x04", "zip"), (b"PK\x05\x06", "zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"), (b"{\\rtf", "rtf"), (b"MZ", "program"), (b"\x7fELF", "program"),
    (b"\xca\xfe\xba\xbe", "class"), (b"\xfe\xed\xfa\xce", "program"), (b"\xfe\xed\xfa\xcf", "program"),
    (b"\xce\xfa\xed\xfe", "program"), (b"\xcf\xfa\xed\xfe", "program"), (b"dex\n", "program"), (b"\0asm", "program"),
    (b"#!", "script"), (b"L\0\0\0\x01\x14\x02\0", "shortcut"), (b"7z\xbc\xaf\x27\x1c", "archive"), (b"Rar!\x1a\x07", "archive"),
    (b"\x1f\x8b", "archive"), (b"BZh", "archive"), (b"\xfd7zXZ\0", "archive"), (b"MSCF", "archive"),
)  # fmt: skip
_SHORT: Final = (b"MZ", b"BM")  # two letters: words begin so too
_MARKUP: Final = (
    (re.compile(rb"<\?php", re.IGNORECASE), "script"),
    (re.compile(rb"<(?:!doctype\s+html|html|script|iframe)\b", re.IGNORECASE), "html"),
    (re.compile(rb"<(?:\w+:)?svg\b", re.IGNORECASE), "svg"),
)
_XML: Final = re.compile(rb"<(?:\?xml\b|[A-Za-z])")
_OFFICE: Final = frozenset({"zip-office", "zip"})
# Declared media type -> the kinds it may be. What is not in the table may be anything but a program.
_ALLOWED: Final[dict[str, frozenset[str]]] = {
    "application/pdf": frozenset({"pdf"}),
    "application/ofd": frozenset({"ofd"}),
    "application/vnd.ofd": frozenset({"ofd"}),
    "application/zip": frozenset({"zip", "zip-office", "ofd"}),
    "application/x-zip-compressed": frozenset({"zip", "zip-office", "ofd"}),
    "application/msword": frozenset({"ole", "rtf"}),
    "application/vnd.ms-excel": frozenset({"ole"}),
    "application/vnd.ms-powerpoint": frozenset({"ole"}),
    "application/kswps": frozenset({"ole"}) | _OFFICE,
    "application/rtf": frozenset({"rtf"}),
    "application/json": frozenset({"text"}),
    "application/xml": frozenset({"xml"}),
    "text/xml": frozenset({"xml"}),
    "text/html": frozenset({"html", "xml"}),
    "text/plain": frozenset({"text", "xml"}),
    "text/csv": frozenset({"text"}),
    "image/svg+xml": frozenset({"svg"}),
    "image/png": frozenset({"png"}),
    "image/jpeg": frozenset({"jpeg"}),
    "image/jpg": frozenset({"jpeg"}),
    "image/gif": frozenset({"gif"}),
    "image/bmp": frozenset({"bmp"}),
    "image/tiff": frozenset({"tiff"}),
    "image/webp": frozenset({"webp"}),
    "image/heic": frozenset({"heic"}),
    "image/heif": frozenset({"heic"}),
}
_EXTENSIONS: Final = {
    "pdf": "pdf", "ofd": "ofd", "png": "png", "jpg": "jpeg", "jpeg": "jpeg", "gif": "gif", "bmp": "bmp", "tif": "tiff",
    "tiff": "tiff", "webp": "webp", "heic": "heic", "svg": "svg", "doc": "ole", "xls": "ole", "ppt": "ole", "rtf": "rtf",
    "docx": "zip-office", "xlsx": "zip-office", "pptx": "zip-office", "zip": "zip", "txt": "text", "csv": "text",
    "json": "text", "xml": "xml", "html": "html", "htm": "html",
}  # fmt: skip
RUNS: Final = frozenset(
    re.findall(
        r"\w+",
        "exe com scr pif bat cmd ps1 psm1 vbs vbe js jse mjs wsf wsh hta msi msp lnk dll cpl sys jar class sh py pl php rb "
        "apk app reg chm inf application gadget scf url xll docm xlsm pptm dotm xlam",
    )
)


def kind_of(head: bytes) -> str:
    """The kind of a file that begins with these bytes (``HEAD`` of them are enough)."""
    for start, kind in _MAGIC:
        if head.startswith(start) and (start not in _SHORT or b"\0" in head[:64]):
            return kind
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"%PDF-"):
        return "pdf"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"mif1", b"heif"):
        return "heic"
    return "archive" if head[257:262] == b"ustar" else _text(head)


def _text(head: bytes) -> str:
    plain = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not plain or re.search(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]", plain):
        return ""
    met = [(match.start(), kind) for pattern, kind in _MARKUP if (match := pattern.search(plain))]
    if met or _XML.match(plain):
        return min(met)[1] if met else "xml"
    return "text" if _decodes(plain) else ""


def _decodes(plain: bytes) -> bool:
    """Up to a character that the end of the head may have cut."""
    for encoding in ("utf-8", "gb18030"):
        try:
            plain.decode(encoding)
        except UnicodeDecodeError as error:
            if len(plain) - error.start <= 4 <= len(plain):
                return True
        else:
            return True
    return False


def allowed(media_type: str) -> frozenset[str] | None:
    """The kinds that a declared media type may be; None: anything."""
    if media_type.startswith(("application/vnd.openxmlformats-", "application/vnd.oasis.")):
        return _OFFICE
    return _ALLOWED.get(media_type)


def of_extension(name: str) -> str:
    """The kind that a file name's ending announces, "" for none or an unknown one."""
    return _EXTENSIONS.get(name.rpartition(".")[2].lower(), "") if "." in name else ""


def is_image(kind: str) -> bool:
    """A picture of pixels."""
    return kind in _IMAGES

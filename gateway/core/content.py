"""Does a file's content fit what it is said to be, and can it do harm when somebody opens it (F04)? Magic numbers and light
structure only: no picture, document or script is parsed or run (F13).

Bytes come in pieces, from the start; not more than the caller cares to give. What is looked for may lie across two pieces:
the end of each is kept for the next. Compressed objects of a PDF are unpacked a little, within ``_INFLATED`` bytes each.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from gateway.core import content_kinds as kinds

TAIL: Final = 64 << 10
_OVERLAP: Final = 64 << 10
_INFLATED: Final = 256 << 10
_MAX_OBJECTS: Final = 256
# Code -> what is said. The first group is refused unless a node is set otherwise.
FINDINGS: Final[dict[str, tuple[str, str]]] = {
    "executable": ("内容是可执行程序或脚本", "the content is a program or a script"),
    "type": ("内容与所称的媒体类型不符", "the content is not of the declared media type"),
    "active": ("含有打开即执行的内容（脚本、宏、启动动作）", "holds what acts when opened (scripts, macros, launch actions)"),
    "polyglot": ("同一文件也可当作另一种文件打开", "the file can be opened as another kind of file too"),
    "name": ("文件名会隐藏真实类型或指向可执行文件", "the file name hides the true type or that of a program"),
    "extension": ("文件扩展名与媒体类型不符", "the file name's ending does not fit the media type"),
    "unrecognised": ("无法辨认内容是否为所称的类型", "whether the content is of the declared type cannot be told"),
    "truncated": ("文件似不完整", "the file seems to be incomplete"),
    "trailing": ("文件结尾之后还有数据", "there is data behind the file's end"),
    "encrypted": ("文件已加密，内容未查看", "the file is encrypted and was not looked into"),
    "unsearched": ("文件过大，只查看了一部分", "the file is large, only a part was looked at"),
}  # fmt: skip
REFUSED: Final = ("executable", "type", "active", "polyglot", "name")

_PDF_ACTS: Final = re.compile(rb"/(?:JavaScript|Launch|RichMedia)(?![A-Za-z0-9])")
_OBJECTS: Final = re.compile(rb"/ObjStm\b[^>]{0,200}>>\s*stream\r?\n", re.DOTALL)
_ESCAPED: Final = re.compile(rb"#([0-9A-Fa-f]{2})")
_DRAWING_ACTS: Final = (
    rb"<script|javascript:|<!entity|<foreignobject|<iframe|<object|<embed|\son\w{3,20}\s*=|"
    rb"(?:href|src)\s*=\s*[\"'](?:https?:)?//"
)
_ACTS: Final = {
    "svg": re.compile(_DRAWING_ACTS, re.IGNORECASE),
    "xml": re.compile(rb"<script|javascript:|<!entity", re.IGNORECASE),
    "html": re.compile(rb"<"),
    "rtf": re.compile(rb"\\obj(?:data|ocx|emb|autlink|update)"),
}
_HIDDEN_MARKUP: Final = re.compile(rb"<script|<html[\s>]|<\?php|<!doctype html", re.IGNORECASE)
_LOCAL: Final = re.compile(rb"PK\x03\x04(.{26})", re.DOTALL)
_MACROS_OLE: Final = ("_VBA_PROJECT".encode("utf-16-le"), "Macros".encode("utf-16-le"))
_END: Final = {"png": b"IEND\xaeB`\x82", "jpeg": b"\xff\xd9", "gif": b";", "pdf": b"%%EOF"}
_BIDI: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class Said(NamedTuple):
    """What is said of a file: its media type, its name, its size in bytes."""

    media_type: str
    file_name: str
    size: int


def look(said: Said, pieces: Iterable[bytes], tail: bytes) -> tuple[str, tuple[str, ...]]:
    """(the kind, codes of ``FINDINGS``, the gravest first). ``pieces``: from the start, as many as may be searched; ``tail``:
    the last ``TAIL`` bytes, or the whole of a smaller file."""
    found, kind, head, searched = set(_named(said)), "", b"", 0
    for piece, window in _windows(pieces):
        searched += len(piece)
        if not head:
            head = window[: kinds.HEAD]
            kind = kinds.kind_of(head)
        if kind == "zip":
            kind = _refined(window)
        found |= _within(kind, window)
    found |= _typed(said, kind)
    found |= _beginning(kind, head) | _ending(kind, tail)
    found |= {"unsearched"} if searched < said.size else set()
    return kind, tuple(code for code in FINDINGS if code in found)


def _windows(pieces: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """The bytes in stretches of at least ``_OVERLAP``, and each behind the end of what came before."""
    before, new = b"", b""
    for piece in pieces:
        new += piece
        if len(new) >= _OVERLAP:
            yield new, before + new
            before, new = new[-_OVERLAP:], b""
    if new:
        yield new, before + new


def _named(said: Said) -> Iterator[str]:
    name = unicodedata.normalize("NFKC", said.file_name)
    endings = [part.strip().lower() for part in name.split(".")[1:]]
    hidden = any(letter in _BIDI or unicodedata.category(letter) == "Cc" for letter in said.file_name)
    if hidden or name.rstrip(". ") != name or (endings and endings[-1] in kinds.RUNS):
        yield "name"
    wanted, announced = kinds.allowed(said.media_type), kinds.of_extension(name)
    if wanted is not None and announced and announced not in wanted:
        yield "extension"


def _typed(said: Said, kind: str) -> set[str]:
    if kind in kinds.EXECUTABLE:
        return {"executable"}
    wanted = kinds.allowed(said.media_type)
    if wanted is None or kind in wanted:
        return set()
    return {"unrecognised" if kind in ("", "text") else "type"}  # plain text does no harm under any name


def _refined(window: bytes) -> str:
    """A ZIP package by the names in it."""
    names = [name for name, _ in _entries(window)]
    if "OFD.xml" in names:
        return "ofd"
    return "zip-office" if {"[Content_Types].xml", "mimetype"} & set(names) else "zip"


def _entries(window: bytes) -> Iterator[tuple[str, bool]]:
    """(name, encrypted) of the local headers in a window."""
    for match in _LOCAL.finditer(window):
        size = int.from_bytes(match[1][22:24], "little")
        yield window[match.end() : match.end() + size].decode("utf-8", "replace"), bool(match[1][2] & 1)


def _within(kind: str, window: bytes) -> set[str]:
    """What a stretch of a file of this kind holds."""
    if kind == "pdf":
        acts = _PDF_ACTS.search(_plain(window)) or any(_PDF_ACTS.search(_plain(one)) for one in _objects(window))
        return ({"active"} if acts else set()) | ({"encrypted"} if re.search(rb"/Encrypt\b", window) else set())
    if kind in ("zip", "zip-office", "ofd"):
        return _packaged(window)
    if kind in _ACTS:
        return {"active"} if _ACTS[kind].search(window) else set()
    if kind == "ole":
        return {"active"} if any(mark in window for mark in _MACROS_OLE) else set()
    return {"polyglot"} if kinds.is_image(kind) and _HIDDEN_MARKUP.search(window) else set()


def _plain(pdf: bytes) -> bytes:
    """Names without their escapes (``/J#61vaScript``)."""
    return _ESCAPED.sub(lambda match: bytes((int(match[1], 16),)), pdf) if b"#" in pdf else pdf


def _objects(window: bytes) -> Iterator[bytes]:
    """The beginnings of a PDF's compressed objects."""
    for _, match in zip(range(_MAX_OBJECTS), _OBJECTS.finditer(window), strict=False):
        try:
            yield zlib.decompressobj().decompress(window[match.end() : match.end() + _OVERLAP], _INFLATED)
        except zlib.error:
            continue


def _packaged(window: bytes) -> set[str]:
    found = set()
    for name, encrypted in _entries(window):
        ending = name.rpartition(".")[2].lower()
        if name.lower().endswith("vbaproject.bin") or ("." in name and ending in kinds.RUNS):
            found.add("active")
        found |= {"encrypted"} if encrypted else set()
    return found


def _beginning(kind: str, head: bytes) -> set[str]:
    return {"polyglot"} if kind != "pdf" and kind and b"%PDF-" in head[:1024] else set()


def _ending(kind: str, tail: bytes) -> set[str]:
    """Whether the file ends where its kind ends, and whether a package hangs at its end."""
    end = tail.rfind(b"PK\x05\x06")
    comment = int.from_bytes(tail[end + 20 : end + 22], "little")
    packaged = 0 <= end <= len(tail) - 22 and end + 22 + comment == len(tail)
    if kind in ("zip", "zip-office", "ofd"):
        return set() if packaged else {"truncated"}
    found = {"polyglot"} if packaged else set()
    if kind in _END:
        at = tail.rfind(_END[kind])
        rest = tail[at + len(_END[kind]) :].strip(b"\r\n\0 ")
        found |= {"truncated"} if at < 0 else {"trailing"} if rest else set()
    return found

"""F04: files that are not what they are said to be, or that do something when opened; F13: whatever the bytes, a finding."""

from __future__ import annotations

import io
import time
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core import content
from gateway.core.content import FINDINGS, REFUSED, Said, look
from gateway.core.content_kinds import kind_of
from tests.unit.signing.test_picture_look import BMP, GIF, JPG, SVG, png
from tests.vectors.ofd.generate import stamped, zipped

PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
OFD = zipped(stamped())
MZ = b"MZ\x90\0" + bytes(60) + b"This program cannot be run in DOS mode."


def packed(*names: str, data: bytes = b"x") -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as package:
        for name in names:
            package.writestr(name, data)
    return target.getvalue()


def compressed(inner: bytes) -> bytes:
    """A PDF whose objects lie in a compressed stream."""
    start = b"%PDF-1.5\n5 0 obj<</Type/ObjStm/N 1/First 4/Filter/FlateDecode>>stream\n"
    return start + zlib.compress(inner) + b"\nendstream\n%%EOF"


def catalog(more: bytes) -> bytes:
    return PDF.replace(b"/Catalog", b"/Catalog" + more)


def found(media_type: str, name: str, data: bytes, step: int = 1 << 20, limit: int = 1 << 30) -> tuple[str, ...]:
    pieces = [data[at : at + step] for at in range(0, min(len(data), limit), step)]
    return look(Said(media_type, name, len(data)), pieces, data[-content.TAIL :])[1]


LOCKED = packed("a").replace(b"PK\x03\x04\x14\0\0\0", b"PK\x03\x04\x14\0\x01\0")
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
GOOD: dict[str, tuple[str, str, bytes]] = {
    "pdf": ("application/pdf", "申请书.pdf", PDF),
    "pdf after a blank line": ("application/pdf", "a.pdf", b"\r\n" + PDF),
    "pdf with harmless compressed objects": ("application/pdf", "a.pdf", compressed(b"1 0 <</Type/Page>>")),
    "png": ("image/png", "a.PNG", png()), "jpeg": ("image/jpeg", "a.jpeg", JPG), "gif": ("image/gif", "a.gif", GIF),
    "bmp": ("image/bmp", "a.bmp", BMP), "svg": ("image/svg+xml", "a.svg", SVG),
    "tiff": ("image/tiff", "a.tif", b"II*\0" + bytes(9)), "webp": ("image/webp", "a.webp", b"RIFF\0\0\0\0WEBPVP8 "),
    "heic": ("image/heic", "a.heic", b"\0\0\0\x18ftypheic"),
    "ofd": ("application/ofd", "a.ofd", OFD), "docx": (DOCX, "a.docx", packed("[Content_Types].xml", "word/document.xml")),
    "doc": ("application/msword", "a.doc", OLE), "rtf": ("application/rtf", "a.rtf", rb"{\rtf1 hello}"),
    "zip": ("application/zip", "a.zip", packed("说明.txt")), "text": ("text/plain", "a.txt", "说明：MZ 街道".encode()),
    "text in GBK cut within a character": ("text/plain", "a.txt", "说明".encode("gbk") * 2000),
    "json": ("application/json", "a.json", b'{"a": 1}'), "xml": ("application/xml", "a.xml", b"<?xml version='1.0'?><a/>"),
    "anything unknown": ("application/octet-stream", "数据", b"\x01\x02\x03"),
    "text that begins like a program": ("text/plain", "MZ", b"MZ and BM are two letters"),
    "no ending": ("application/pdf", "申请书", PDF),
}  # fmt: skip
BAD: dict[str, tuple[str, str, bytes, set[str]]] = {
    "exe as pdf": ("application/pdf", "a.pdf", MZ, {"executable"}),
    "exe as anything": ("application/octet-stream", "a", MZ, {"executable"}),
    "elf as png": ("image/png", "a.png", b"\x7fELF" + bytes(60), {"executable"}),
    "shell script as text": ("text/plain", "a.txt", b"#!/bin/sh\nrm -rf /", {"executable"}),
    "php as jpeg": ("image/jpeg", "a.jpg", b"<?php system($_GET[0]);", {"executable"}),
    "shortcut": ("application/pdf", "a.pdf", b"L\0\0\0\x01\x14\x02\0" + bytes(20), {"executable"}),
    "html as image": ("image/png", "a.png", b"<!DOCTYPE html><script>alert(1)</script>", {"type", "active"}),
    "svg as image": ("image/jpeg", "a.jpg", SVG, {"type"}),
    "svg with script": ("image/svg+xml", "a.svg", b"<svg><script>alert(1)</script></svg>", {"active"}),
    "svg with handler": ("image/svg+xml", "a.svg", b"<svg onload='alert(1)'/>", {"active"}),
    "svg that fetches": ("image/svg+xml", "a.svg", b'<svg><image href="http://a.invalid/x"/></svg>', {"active"}),
    "html": ("text/html", "a.html", b"<html><p>1</p></html>", {"active"}),
    "html as text": ("text/plain", "a.txt", b"<html><p>1</p></html>", {"active", "type"}),
    "xml with entities": ("application/xml", "a.xml", b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a/>', {"active"}),
    "png as pdf": ("application/pdf", "a.pdf", png(), {"type"}),
    "zip as ofd": ("application/ofd", "a.ofd", packed("a.txt"), {"type"}),
    "archive as zip": ("application/zip", "a.zip", b"7z\xbc\xaf\x27\x1c" + bytes(9), {"type"}),
    "tar as pdf": ("application/pdf", "a.pdf", bytes(257) + b"ustar" + bytes(99), {"type"}),
    "pdf with javascript": ("application/pdf", "a.pdf", catalog(b"/OpenAction<</S/JavaScript/JS(1)>>"), {"active"}),
    "pdf with escaped javascript": ("application/pdf", "a.pdf", catalog(b"/A<</S/J#61vaScr#69pt>>"), {"active"}),
    "pdf with launch": ("application/pdf", "a.pdf", catalog(b"/A<</S/Launch/F(cmd.exe)>>"), {"active"}),
    "pdf with compressed javascript": ("application/pdf", "a.pdf", compressed(b"1 0 <</S/JavaScript/JS(1)>>" * 9), {"active"}),
    "pdf with garbage for objects": ("application/pdf", "a.pdf", b"%PDF-1.5 /ObjStm>>stream\ngarbage %%EOF", set()),
    "pdf encrypted": ("application/pdf", "a.pdf", PDF.replace(b"trailer<<", b"trailer<</Encrypt 3 0 R"), {"encrypted"}),
    "pdf cut off": ("application/pdf", "a.pdf", PDF[:30], {"truncated"}),
    "pdf and more": ("application/pdf", "a.pdf", PDF + b"more", {"trailing"}),
    "pdf that is a zip": ("application/pdf", "a.pdf", PDF + packed("a.txt"), {"polyglot", "trailing"}),
    "zip that is a pdf": ("application/zip", "a.zip", packed("%PDF-1.4.txt"), {"polyglot"}),
    "gif that is html": ("image/gif", "a.gif", GIF[:-1] + b"<script>alert(1)</script>;", {"polyglot"}),
    "png that is a zip": ("image/png", "a.png", png() + packed("a.txt"), {"polyglot", "trailing"}),
    "png cut off": ("image/png", "a.png", png()[:-3], {"truncated"}),
    "zip cut off": ("application/zip", "a.zip", packed("a.txt")[:-3], {"truncated"}),
    "ofd with script": ("application/ofd", "a.ofd", zipped({**stamped(), "Doc_0/a.js": b"1"}), {"active"}),
    "zip with exe": ("application/zip", "a.zip", packed("a/申请书.pdf.exe"), {"active"}),
    "docx with macros": (DOCX, "a.docx", packed("[Content_Types].xml", "word/vbaProject.bin"), {"active"}),
    "zip encrypted": ("application/zip", "a.zip", LOCKED, {"encrypted"}),
    "doc with macros": ("application/msword", "a.doc", OLE + "_VBA_PROJECT".encode("utf-16-le"), {"active"}),
    "rtf with object": ("application/rtf", "a.rtf", rb"{\rtf1{\object\objdata 01}}", {"active"}),
    "double extension": ("application/pdf", "申请书.pdf.exe", PDF, {"name"}),
    "full-width extension": ("application/pdf", "申请书．ｅｘｅ", PDF, {"name"}),
    "extension turned round": ("application/pdf", "申请书\u202efdp.exe.pdf", PDF, {"name"}),
    "extension hidden by a dot": ("application/pdf", "a.pdf.", PDF, {"name"}),
    "another extension": ("application/pdf", "a.jpg", PDF, {"extension"}),
    "unknown bytes as pdf": ("application/pdf", "a.pdf", b"\x01\x02", {"unrecognised"}),
    "plain text as pdf": ("application/pdf", "a.pdf", b"hello", {"unrecognised"}),
    "bytes that only begin as text": ("text/plain", "a.txt", b"hello \xff\xff\xff\xff hello", {"unrecognised"}),
    "nothing": ("application/pdf", "a.pdf", b"", {"unrecognised"}),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_F04_what_is_what_it_is_said_to_be(name: str) -> None:
    assert found(*GOOD[name]) == ()


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("step", [1 << 20, 1])
def test_F04_what_is_not(name: str, step: int) -> None:
    """Whole and in small pieces, so that what is looked for lies across them."""
    *said, codes = BAD[name]
    assert set(found(*said, step=step)) == codes  # type: ignore[arg-type]


def test_every_finding_is_met_and_the_gravest_comes_first() -> None:
    met = {code for *_, codes in BAD.values() for code in codes}
    assert met == FINDINGS.keys() - {"unsearched"} and set(REFUSED) < met
    assert found("image/png", "a.exe", b"<!DOCTYPE html><script>") == ("type", "active", "name")
    assert found("application/pdf", "a.pdf", PDF + bytes(9000) + PDF, step=4096, limit=4096) == ("unsearched",)


def test_what_lies_across_two_stretches_is_seen() -> None:
    acts = b"<</S/JavaScript/JS(1)>>"
    for at in range(content._OVERLAP - 30, content._OVERLAP + 3):
        assert found("application/pdf", "a.pdf", PDF.ljust(at) + acts + PDF, step=100) == ("active",)


def test_a_large_file_is_looked_at_in_bounded_time() -> None:
    block = (b"PK\x03\x04" + bytes(60)) * 16_384 + b"/ObjStm>>stream\n" * 1000
    for start in (b"%PDF-1.7\n", png()[:40], b"PK\x03\x04", b"<svg>"):
        began = time.process_time()
        look(Said("application/pdf", "a.pdf", 16 << 20), (start + block for _ in range(14)), block[-content.TAIL :])
        assert time.process_time() - began < 8


STARTS = st.sampled_from([PDF, OFD, png(), JPG, GIF, OLE, MZ, SVG, b"", b"PK\x03\x04", b"\xff\xd8", b"<html>", b"#!"])


@given(STARTS, st.binary(max_size=300), st.integers(1, 400), st.text(max_size=20))
def test_F13_whatever_the_bytes_there_is_a_finding_or_none(start: bytes, rest: bytes, step: int, name: str) -> None:
    for media_type in ("application/pdf", "image/png", "application/ofd", "text/plain", "x/y"):
        assert set(found(media_type, name, start + rest, step)) <= FINDINGS.keys()
    assert isinstance(kind_of(rest), str)

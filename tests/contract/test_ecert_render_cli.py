"""``tongban ecert render`` as its users see it: files written, a line that says what the picture is worth, reasons for a no."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pypdfium2
import pytest
from lxml import etree
from PIL import Image

from gateway.certificates import apart, pdf_fonts
from gateway.certificates.sheet import STRIPS
from signing import certs
from signing.seal_picture import LAB_MARK
from signing.sm3 import sm3
from tests import pki
from tests.conftest import SHARED
from tests.contract.command import tongban
from tests.contract.test_ecert_cli import VALUES
from tests.unit.signing.drawn import files, layer, stored
from tests.unit.signing.test_ofd_shapes import text
from tests.vectors.ofd import generate
from tests.vectors.seals import generate as seals

FIXTURES = SHARED / "fixtures" / "seals"
CHINESE = bool({name.lower() for row in pdf_fonts.FILES.values() for name in row} & set(pdf_fonts._installed()))
needs_font = pytest.mark.skipif(not CHINESE, reason="no Chinese font on this machine")
PAGE = files(layer(text("<ofd:TextCode X='0' Y='5' DeltaX='5 5'>样章页</ofd:TextCode>")))


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(click.exceptions.UsageError, "exit_code", 64)
    monkeypatch.chdir(tmp_path)
    Path("root.pem").write_bytes(certs.to_pem(pki.root().certificate.der))
    Path("d.ofd").write_bytes(stored(PAGE))


def machine(*arguments: str) -> tuple[int, dict[str, Any]]:
    result = tongban("ecert", "render", *arguments, "--json")
    data: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return result.exit_code, data


def svg_words(path: str = "o.svg") -> list[str]:
    return [str(one) for one in etree.parse(path).xpath("//*[local-name()='text']/text()")]


def test_a_page_as_svg() -> None:
    code, data = machine("d.ofd", "-o", "o.svg")
    assert (code, data["pages"], data["stamps"], data["strip"], data["skipped"]) == (0, 1, 0, "unsealed", [])
    assert svg_words()[0] == "样章页"


STRIPS_OF = {
    "good": ((), "unverified"), "good, verified": (("--anchor", "root.pem", "--at", "2026-06-11"), "verified"),
    "page-changed": (("--anchor", "root.pem", "--at", "2026-06-11"), "refused"),
    "good, root unknown": (("--anchor", "other.pem", "--at", "2026-06-11"), "refused"),
    "good, list missing": (("--anchor", "root.pem", "--at", "2026-06-11", "--require-crl"), "untold"),
}  # fmt: skip


@pytest.mark.parametrize("name", STRIPS_OF)
def test_the_line_beneath_says_what_the_seals_are_worth(name: str) -> None:
    """The picture is made in any case: a clerk must see what was sent; what it says beneath is ours."""
    options, wanted = STRIPS_OF[name]
    Path("other.pem").write_bytes(certs.to_pem(seals.maker().der))
    Path("d.ofd").write_bytes(sealed(changed=name == "page-changed"))
    code, data = machine("d.ofd", "-o", "o.svg", *options)
    assert (code, data["strip"], data["stamps"]) == (0, wanted, 1)
    strip = STRIPS[wanted]
    assert svg_words()[-2:] == ([strip.zh, strip.en] if strip else svg_words()[-2:])


def sealed(*, changed: bool = False, extra: str = "") -> bytes:
    """A document of one page with a stamp over all of it."""
    body = f"<ofd:Signatures>/{generate.LIST}</ofd:Signatures>"
    whole = files(layer(text("<ofd:TextCode>样章页</ofd:TextCode>") + extra), body=body)
    own = generate.description(whole)
    stamp = seals.stamp(digest=sm3(own), info=f"/{generate.PLACE}")
    listed = generate.listing(("1", 'Type="Seal"', f"/{generate.PLACE}"))
    whole |= {generate.LIST: listed, generate.PLACE: own, generate.VALUE: stamp}
    if changed:
        whole["Doc_0/PublicRes.xml"] += b"\n"
    return stored(whole)


def test_a_verified_document_that_is_not_shown_whole_says_so() -> None:
    Path("d.ofd").write_bytes(sealed(extra="<ofd:VideoObject/>"))
    code, data = machine("d.ofd", "-o", "o.svg", "--anchor", "root.pem", "--at", "2026-06-11")
    assert (code, data["strip"]) == (0, "incomplete")
    assert [(one["page"], one["what"], one["code"]) for one in data["skipped"]] == [
        (1, "VideoObject", "ofd-unsupported")
    ]
    printed = tongban("ecert", "render", "d.ofd", "-o", "o.svg").stdout
    assert "VideoObject" in printed and "第 1 页" in printed


def test_more_than_one_document_and_more_than_a_few_gaps_are_named() -> None:
    bodies = "<ofd:DocBody><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody>" * 2
    of = {**files(layer("<ofd:x/>" * 25)), "OFD.xml": generate.xml("OFD", bodies)}
    Path("d.ofd").write_bytes(stored(of))
    printed = tongban("ecert", "render", "d.ofd", "-o", "o.svg").stdout
    assert "2 个文档" in printed and "另有 5 处" in printed


def test_wrong_usage_and_input_that_cannot_be_read() -> None:
    assert tongban("ecert", "render", "d.ofd", "-o", "o.gif").exit_code == 64
    assert tongban("ecert", "render", "none.ofd", "-o", "o.svg").exit_code == 65
    Path("x.ofd").write_bytes(b"not a package")
    assert tongban("ecert", "render", "x.ofd", "-o", "o.svg").exit_code == 65
    Path("x.ofd").write_bytes(stored({"OFD.xml": generate.xml("OFD", "<ofd:DocBody/>")}))
    assert tongban("ecert", "render", "x.ofd", "-o", "o.svg").exit_code == 65
    code, data = machine("d.ofd", "-o", "o.svg", "--page", "2")
    assert (code, data["reason"]) == (1, "page-missing")
    assert not Path("o.svg").exists()


def test_without_the_extra_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "find_spec", lambda _: None)
    code, data = machine("d.ofd", "-o", "o.pdf")
    assert (code, data["reason"]) == (1, "extra-missing") and "tongban[pdf]" in data["text"]


@pytest.mark.processes
@needs_font
def test_pdf_and_png_are_made_apart() -> None:
    code, data = machine("d.ofd", "-o", "o.pdf")
    assert (code, data["missing_characters"]) == (0, 0)
    with pypdfium2.PdfDocument("o.pdf") as document:
        page = document[0]
        assert "样章页" in page.get_textpage().get_text_range().replace(" ", "")
    assert machine("d.ofd", "-o", "o.png", "--dpi", "100")[0] == 0
    with Image.open("o.png") as picture:
        assert picture.width == pytest.approx(394, abs=2)
    code, data = machine("d.ofd", "-o", "p.png", "--font", "none.ttf")
    assert (code, data["reason"]) == (1, "font-missing")


@pytest.mark.processes
@needs_font
def test_a_certificate_from_its_issue_to_its_picture() -> None:
    """The laboratory's words are in the file, on the page, and red where the seal stands."""
    Path("v.toml").write_text(VALUES, "utf-8")
    issue = (
        "--template",
        "construction-permits",
        "--values",
        "v.toml",
        "--lab",
        "lab",
        "--out",
        "a.ofd",
        "--at",
        "2026-06-01",
    )
    assert tongban("ecert", "issue", *issue).exit_code == 0
    trust = ("--anchor", "lab/root.pem", "--at", "2026-07-01")
    code, data = machine("a.ofd", "-o", "a.png", "--dpi", "100", *trust)
    assert (code, data["strip"], data["stamps"], data["skipped"]) == (0, "verified", 1, [])
    with Image.open("a.png") as picture:
        seal = picture.convert("RGB").crop(tuple(round(mm / 25.4 * 100) for mm in (140, 226, 182, 268)))  # type: ignore[arg-type]
    red = sum(count for count, (r, g, b) in seal.getcolors(1 << 20) or () if r > 180 and g < 60 and b < 60)  # type: ignore[misc]
    assert red > 1_000
    assert machine("a.ofd", "-o", "a.pdf", *trust)[0] == 0
    with pypdfium2.PdfDocument("a.pdf") as document:
        page = document[0]
        assert LAB_MARK in page.get_textpage().get_text_range()


@pytest.mark.processes
def test_F13_what_goes_beyond_its_bounds_ends_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    order = apart.Order("png", 1, "verified")
    with pytest.raises(apart.NotRendered, match="package-damaged"):
        apart.render(b"PK\3\4", order)
    with pytest.raises(apart.NotRendered, match="page-missing"):
        apart.render(stored(PAGE), apart.Order("png", 7, "verified"))
    monkeypatch.setattr(apart, "PROCESSOR_SECONDS", 0.01)
    with pytest.raises(apart.NotRendered, match="render-limits"):
        apart.render(stored(PAGE), order)


def test_F13_the_process_apart_is_told_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}
    monkeypatch.setenv("TONGBAN_PASSPHRASE", "secret")
    monkeypatch.setattr(apart.subprocess, "run", lambda command, **options: asked.update(options) or refused)
    refused = subprocess.CompletedProcess([], 1, b"", b'{"code":"page-missing","zh":"a","en":"b"}')
    with pytest.raises(apart.NotRendered):
        apart.render(b"", apart.Order("pdf", None, "verified"))
    assert "secret" not in str(asked["env"]) and "PATH" in asked["env"]


@pytest.mark.processes
def test_F13_the_process_apart_has_bounds() -> None:
    """It may not write a file, nor take more memory than it is given."""
    code = (
        "from gateway.certificates import apart; apart._bounded(); import sys\n"
        "try: open('written', 'wb').write(b'x' * 9999)\n"
        "except OSError: print('no file', flush=True)\n"
        "try: bytearray(apart.MEMORY)\n"
        "except MemoryError: print('no memory')\n"
    )
    command = [sys.executable, "-c", f"import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n{code}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["no file", "no memory"]


@pytest.mark.skipif(not FIXTURES.is_dir(), reason="no shared fixtures: set TONGBAN_SHARED")
@pytest.mark.parametrize(("name", "stamps"), [("SESV4SignDoc.ofd", 1), ("DigitalSign.ofd", 0)])
def test_documents_of_another_implementation(name: str, stamps: int) -> None:
    code, data = machine(str(FIXTURES / name), "-o", "o.svg")
    assert (code, data["stamps"], data["skipped"], data["strip"]) == (0, stamps, [], "unverified")
    assert svg_words()[0] == "你好呀，OFD Reader&Writer！"
    assert len(etree.parse("o.svg").xpath("//*[local-name()='image']")) == stamps

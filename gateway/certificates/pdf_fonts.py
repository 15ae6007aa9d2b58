"""Fonts for PDF: found on this machine or given, cut to the characters used, embedded, so that the file shows alike everywhere.

A character goes to the first font of its style's row that has it, so a rare one (生僻字) of a name is shown as long as any font
here can. Fonts with PostScript outlines are turned into TrueType ones, which is what the PDF library embeds. Fonts inside of a
document are never used: they are its author's program, and could make a text look like another one.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from zlib import crc32

from gateway.certificates.fonts import BOLD, FILES, Style

_FOLDERS: Final = (
    "/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts", "/System/Library/Fonts",
    "/Library/Fonts", "C:/Windows/Fonts",
)  # fmt: skip
_LATIN: Final = ("DejaVuSans.ttf", "LiberationSans-Regular.ttf")  # signs that no Chinese font has
_MAX_FONT: Final = 256 << 20


class NoFont(Exception):
    """There is no font here for Chinese text, or the one that was given is none."""


@dataclass
class Face:
    """One font of a file. ``name``: in the PDF, once embedded; ``characters``: what it can show; ``used``: what it will."""

    path: Path
    index: int
    name: str
    characters: frozenset[int]
    used: set[int] = field(default_factory=set)


class FontBook:
    """Which face shows which character. First every text is ``note``d, then the faces are ``embed``ded, then drawn with."""

    def __init__(self, given: str | None = None) -> None:
        self.given = [Path(given)] if given else []
        self.faces: dict[Path, Face] = {}
        self.chosen: dict[tuple[Style, bool, int], tuple[Face | None, bool]] = {}

    def note(self, style: Style, bold: bool, text: str) -> None:
        """This text will be drawn in this style."""
        for letter in text:
            face, _ = self.of(style, bold, letter)
            if face is not None:
                face.used.add(ord(letter))

    def of(self, style: Style, bold: bool, letter: str) -> tuple[Face | None, bool]:
        """The face of a character, None if no font here has it; and whether its boldness must be drawn by hand."""
        key = (style, bold, ord(letter))
        if key not in self.chosen:
            self.chosen[key] = self._choose(*key)
        return self.chosen[key]

    def missing(self) -> str:
        """The characters that no font here can show."""
        return "".join(sorted({chr(code) for (_, _, code), (face, _) in self.chosen.items() if face is None}))

    def embed(self) -> None:
        """Make the faces known to the PDF library; NoFont if Chinese was asked for and nothing here has any."""
        from reportlab.pdfbase import pdfmetrics, ttfonts

        wide = {code for _, _, code in self.chosen if code >= 0x2E80}
        if wide and not any(wide & face.used for face in self.faces.values()):
            raise NoFont
        ttfonts.makeToUnicodeCMap = _whole_planes
        for face in self.faces.values():
            if face.used:
                face.name = _name(face)
                pdfmetrics.registerFont(ttfonts.TTFont(face.name, io.BytesIO(_cut(face))))

    def _choose(self, style: Style, bold: bool, code: int) -> tuple[Face | None, bool]:
        heavy = self._files(BOLD[style]) if bold else []
        for place, path in enumerate([*self.given, *heavy, *self._files((*FILES[style], *_LATIN))]):
            face = self._face(path)
            if code in face.characters:
                return face, bold and not len(self.given) <= place < len(self.given) + len(heavy)
        return None, False

    @staticmethod
    def _files(names: Iterable[str]) -> list[Path]:
        there = _installed()
        return [there[name.lower()] for name in names if name.lower() in there]

    def _face(self, path: Path) -> Face:
        if path not in self.faces:
            self.faces[path] = Face(path, _index(path), "", _characters(path))
        return self.faces[path]


@lru_cache(maxsize=1)
def _installed() -> dict[str, Path]:
    """The font files of this machine by their lower-case name."""
    found: dict[str, Path] = {}
    for folder in _FOLDERS:
        for place, _, names in os.walk(Path(folder).expanduser()):
            for name in names:
                if name.lower().endswith((".ttf", ".ttc", ".otf")):
                    found.setdefault(name.lower(), Path(place, name))
    return found


@lru_cache(maxsize=32)
def _characters(path: Path) -> frozenset[int]:
    with _open(path, _index(path)) as font:
        return frozenset(font.getBestCmap() or ())


@lru_cache(maxsize=32)
def _index(path: Path) -> int:
    """Which font of a collection: the one of the Chinese mainland's forms."""
    from fontTools.ttLib import TTCollection, TTLibError

    if path.suffix.lower() != ".ttc":
        return 0
    try:
        with TTCollection(str(path), lazy=True) as collection:
            names = [str(font["name"].getDebugName(4) or "") for font in collection]
    except (OSError, TTLibError, KeyError):
        raise NoFont from None
    return next((place for place, name in enumerate(names) if re.search(r"\bSC\b|GB", name)), 0)


def _open(path: Path, index: int) -> Any:
    from fontTools.ttLib import TTFont, TTLibError

    try:
        if path.stat().st_size > _MAX_FONT:
            raise NoFont
        return TTFont(str(path), fontNumber=index, lazy=True)
    except (OSError, TTLibError):
        raise NoFont from None


def _name(face: Face) -> str:
    """The library keeps fonts by name as long as the process lives: other characters, another name."""
    said = f"{face.path} {face.index} {sorted(face.used)}"
    return f"{re.sub('[^A-Za-z0-9]', '', face.path.stem)}-{crc32(said.encode()):08x}"


def _cut(face: Face) -> bytes:
    """A TrueType font of the used characters alone."""
    from fontTools.subset import Options, Subsetter

    with _open(face.path, face.index) as font:
        options = Options(layout_features=[], notdef_outline=True, hinting=False)
        options.drop_tables += ["GSUB", "GPOS", "GDEF", "BASE", "VORG", "vhea", "vmtx", "DSIG", "FFTM", "BDF "]
        cutter = Subsetter(options)
        cutter.populate(unicodes=face.used | {0x20})
        cutter.subset(font)
        if "CFF " in font:
            _turn(font)
        for record in font["name"].names:
            if record.nameID == 6:
                record.string = face.name
        out = io.BytesIO()
        font.save(out)
        return out.getvalue()


def _turn(font: Any) -> None:
    """PostScript outlines into TrueType ones, to a thousandth of the em."""
    from fontTools.pens.cu2quPen import Cu2QuPen
    from fontTools.pens.ttGlyphPen import TTGlyphPen
    from fontTools.ttLib import newTable

    order, glyphs, drawn = font.getGlyphOrder(), font.getGlyphSet(), {}
    for name in order:
        pen = TTGlyphPen(None)
        glyphs[name].draw(Cu2QuPen(pen, font["head"].unitsPerEm / 1000, reverse_direction=True))
        drawn[name] = pen.glyph()
    font["loca"], font["glyf"] = newTable("loca"), newTable("glyf")
    font["glyf"].glyphOrder, font["glyf"].glyphs = order, drawn
    most = font["maxp"]
    most.tableVersion = 0x00010000
    for name in ("Zones", "TwilightPoints", "Storage", "FunctionDefs", "InstructionDefs", "StackElements", "SizeOfInstructions",
                 "ComponentElements", "Points", "Contours", "CompositePoints", "CompositeContours", "ComponentDepth"):  # fmt: skip
        setattr(most, f"max{name}", 1 if name == "Zones" else 0)
    font["post"].formatType = 3.0
    del font["CFF "]
    font.sfntVersion = "\x00\x01\x00\x00"


def _whole_planes(name: str, subset: list[int]) -> str:
    """What each code of an embedded font says, as UTF-16: the library's own table goes wrong beyond the first plane."""
    said = "".join(f"<{place:02X}> <{chr(code).encode('utf-16-be').hex()}>\n" for place, code in enumerate(subset))
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"
        f"/CIDSystemInfo << /Registry ({name}) /Ordering ({name}) /Supplement 0 >> def\n"
        f"/CMapName /{name} def /CMapType 2 def\n"
        f"1 begincodespacerange <00> <{len(subset) - 1:02X}> endcodespacerange\n"
        f"{len(subset)} beginbfchar\n{said}endbfchar\n"
        "endcmap CMapName currentdict /CMap defineresource pop end end"
    )

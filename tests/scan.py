"""Looks for personal data where none may be: logs, metrics, traces, error bodies, file names (attack rows P01-P05).

Found are citizen numbers (GB 11643: 17 digits and a check character, a real birth date, a province that exists) and
mobile numbers, also in full-width digits, with spaces or hyphens, in GBK, in Base64, percent- or ``\\u``-escaped; and
any text the caller names (the applicants of his own test). A finding shows where, never what.
``python -m tests.scan FILE...`` lists them.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

PROVINCES = {*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66), 71, 81, 82}
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK = "10X98765432"
# One separator may stand between digits; letters or digits on either side mean a longer token (a hash, a time stamp).
CITIZEN = re.compile(r"(?<![0-9A-Za-z])[1-8](?:[ -]?[0-9]){16}[ -]?[0-9Xx](?![0-9A-Za-z])")
MOBILE = re.compile(r"(?<![0-9A-Za-z.])(?:\+?86[ -]?)?(1[3-9][0-9](?:[ -]?[0-9]{4}){2})(?![0-9A-Za-z])")
BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}")
ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")


@dataclass(frozen=True, slots=True)
class Finding:
    """``kind`` citizen | mobile | named; ``where`` file and line; ``how`` the form it was found in."""

    kind: str
    where: str
    how: str


def is_citizen_number(text: str) -> bool:
    """GB 11643-1999: province, birth date, check character by ISO 7064 MOD 11-2."""
    number = re.sub(r"[ -]", "", text).upper()
    if len(number) != 18 or int(number[:2]) not in PROVINCES:
        return False
    try:
        born = dt.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    if not 1880 <= born.year <= 2100:
        return False
    return CHECK[sum(w * int(digit) for w, digit in zip(WEIGHTS, number[:17], strict=True)) % 11] == number[17]


def readings(data: bytes) -> Iterator[tuple[str, str]]:
    """(form, text): the ways in which a person, or a curious one, would read these bytes."""
    for encoding in ("utf-8", "gb18030"):
        text = unicodedata.normalize("NFKC", data.decode(encoding, "replace"))
        yield encoding, text
        if "\\u" in text:
            plain = ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
            yield f"{encoding} unescaped", unicodedata.normalize("NFKC", plain)
        if "%" in text:
            yield f"{encoding} percent", unicodedata.normalize("NFKC", unquote(text, encoding=encoding))


def inside_base64(data: bytes) -> Iterator[bytes]:
    for match in BASE64.finditer(data):
        token = match[0].rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
        try:
            yield base64.b64decode(
                token[: len(token) // 4 * 4] if len(token) % 4 == 1 else token + b"=" * (-len(token) % 4)
            )
        except binascii.Error:
            continue


def kinds(text: str, named: Iterable[str]) -> set[str]:
    found = {"named" for name in named if name in text}
    if any(is_citizen_number(match[0]) for match in CITIZEN.finditer(text)):
        found.add("citizen")
    if MOBILE.search(text):
        found.add("mobile")
    return found


def scan_line(line: bytes, where: str, named: Iterable[str]) -> set[Finding]:
    found = {Finding(kind, where, how) for how, text in readings(line) for kind in kinds(text, named)}
    for inner in inside_base64(line):
        for how, text in readings(inner):
            found |= {Finding(kind, where, f"base64 {how}") for kind in kinds(text, named)}
    return found


def scan(data: bytes, where: str = "", named: Iterable[str] = ()) -> set[Finding]:
    """All findings in these bytes, line by line. ``named``: texts (two characters or more) that must not occur."""
    names = tuple(unicodedata.normalize("NFKC", name) for name in named if len(name) > 1)
    found: set[Finding] = set()
    for number, line in enumerate(data.splitlines(), 1):
        found |= scan_line(line, f"{where}:{number}", names)
    return found


def scan_files(paths: Iterable[Path], named: Iterable[str] = ()) -> set[Finding]:
    """Findings in these files and in their names; folders are walked."""
    names = tuple(named)
    found: set[Finding] = set()
    for top in paths:
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            found |= scan(path.name.encode(), f"name of {path}", names)
            if path.is_file():
                found |= scan(path.read_bytes(), str(path), names)
    return found


if __name__ == "__main__":
    hits = scan_files(map(Path, sys.argv[1:]))
    for hit in sorted(hits, key=lambda finding: finding.where):
        print(hit.where, hit.kind, hit.how)
    sys.exit(1 if hits else 0)

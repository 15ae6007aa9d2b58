"""X.501 names (甄别名, GB/T 20518-2018 5.2.3): written, taken apart and shown.

A name is data about a holder, never a ground for trust: issuers are found by key, and two names are the same only if
their bytes are. What is shown is escaped (RFC 4514, and every control, format and bidirectional character as well), so
that a subject cannot paint over the text around it (row C19).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from signing import der

Name = Sequence[tuple[str, str]]  # (("C", "CN"), ("O", "..."), ("CN", "...")), most general part first

OIDS: dict[str, str] = {
    "CN": "2.5.4.3",
    "serialNumber": "2.5.4.5",
    "C": "2.5.4.6",
    "L": "2.5.4.7",
    "ST": "2.5.4.8",
    "STREET": "2.5.4.9",
    "O": "2.5.4.10",
    "OU": "2.5.4.11",
    "T": "2.5.4.12",
    "organizationIdentifier": "2.5.4.97",
    "UID": "0.9.2342.19200300.100.1.1",
    "DC": "0.9.2342.19200300.100.1.25",
    "E": "1.2.840.113549.1.9.1",
}
_SHORT = {oid: short for short, oid in OIDS.items()}
_DOMAIN = OIDS["DC"]
_SPECIAL = frozenset(',+"\\<>;=')
_READABLE = {der.UTF8: "utf-8", der.PRINTABLE: "latin-1", der.IA5: "latin-1", der.T61: "latin-1", der.BMP: "utf-16-be"}


def encode(name: Name) -> bytes:
    """DER of a name, one attribute per part: country and serial number printable, mail and domain IA5, else UTF-8."""
    parts: list[bytes] = []
    for short, text in name:
        if short in ("C", "serialNumber"):
            value = der.printable(text)
        elif short in ("E", "DC"):
            value = der.ia5(text)
        else:
            value = der.utf8(text)
        parts.append(der.set_of(der.seq(der.oid(OIDS[short]), value)))
    return der.seq(*parts)


def with_part(name: bytes, part: tuple[str, str]) -> bytes:
    """The name with one more part before its last one, the rest byte for byte."""
    kept = [element.raw for element in der.parse(name).as_seq()]
    added = der.parse(encode([part])).children()[0].raw
    return der.seq(*kept[:-1], added, *kept[-1:])


def attributes(name: bytes) -> list[tuple[str, str]]:
    """(object identifier, text) of every attribute in the order of the bytes; Malformed where it is not a name."""
    found: list[tuple[str, str]] = []
    for part in der.parse(name).as_seq():
        part.expect(der.SET, "SET")
        for attribute in part.children():
            kind, value = attribute.as_seq(2, 2)
            found.append((kind.as_oid(), _text(value)))
    return found


def repeats(name: bytes) -> bool:
    """The same attribute with the same value twice, which no honest issuer writes (domain components excepted)."""
    seen = [pair for pair in attributes(name) if pair[0] != _DOMAIN]
    return len(seen) != len(set(seen))


def display(name: bytes) -> str:
    """``CN=...,O=...,C=CN``: most specific part first, escaped; safe in a terminal, a log and a page."""
    parts = [f"{_SHORT.get(oid, oid)}={escape(text)}" for oid, text in attributes(name)]
    return ",".join(reversed(parts))


@lru_cache(maxsize=1024)
def common_name(name: bytes) -> str:
    """The last CN, escaped; the whole name where there is none."""
    found = [text for oid, text in attributes(name) if oid == OIDS["CN"]]
    return escape(found[-1]) if found else display(name)


def contains(name: bytes, words: str) -> bool:
    """Does any attribute hold these words?"""
    return any(words in text for _, text in attributes(name))


def parse_text(text: str) -> list[tuple[str, str]]:
    """``CN=...,O=...,C=CN`` as typed by a person, most specific first; ValueError names the part that is wrong.

    A comma inside a value is written ``\\,``.
    """
    parts: list[tuple[str, str]] = []
    for piece in text.replace("\\,", "\0").split(","):
        short, equals, value = piece.strip().partition("=")
        known = {key.lower(): key for key in OIDS}.get(short.strip().lower())
        value = value.replace("\0", ",").strip()
        if not equals or known is None or not value:
            raise ValueError(piece.replace("\0", ",").strip())
        parts.append((known, value))
    return parts[::-1]


def _text(value: der.Tlv) -> str:
    """Any string type, read leniently: real names hold ``&`` and ``_`` in printable strings. For display only."""
    encoding = _READABLE.get(value.tag)
    if encoding is None:
        return "#" + value.raw.hex()
    try:
        return value.value.decode(encoding)
    except UnicodeDecodeError:
        return "#" + value.raw.hex()


def escape(text: str) -> str:
    """RFC 4514 escapes, and every control, format, bidirectional and separator character in hex."""
    shown = []
    for place, letter in enumerate(text):
        if letter in _SPECIAL or (letter in " #" and place == 0) or (letter == " " and place == len(text) - 1):
            shown.append("\\" + letter)
        elif unicodedata.category(letter)[0] == "C" or unicodedata.category(letter) in ("Zl", "Zp"):
            shown.append("".join(f"\\{octet:02X}" for octet in letter.encode("utf-8", "surrogatepass")))
        else:
            shown.append(letter)
    return "".join(shown)

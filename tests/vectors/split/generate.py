"""Writes the vectors of split secrets: shares of fixed coefficients, and shares by defect, in ``vectors.json``.

``python -m tests.vectors.split.generate`` rewrites it; a test checks that it is current. The first vector's values are
computed here with logarithm tables, another way than ``signing.split`` has.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

from signing import split
from signing.sm3 import sm3
from signing.split import Share

FILE = Path(__file__).parent / "vectors.json"
SECRET = bytes(range(16))
MARK = bytes.fromhex("0a0b0c0d")
EXP = [1]
for _ in range(254):
    last = EXP[-1]
    doubled = (last << 1) ^ (0x11B if last & 0x80 else 0)
    EXP.append(doubled ^ last)  # times 3, a generator
LOG = {value: power for power, value in enumerate(EXP)}


def times(a: int, b: int) -> int:
    return EXP[(LOG[a] + LOG[b]) % 255] if a and b else 0


def coefficient(number: int) -> bytes:
    return sm3(b"coefficient %d" % number)[:16]


def by_tables(threshold: int, index: int) -> bytes:
    """The value of a share: secret + c1·x + c2·x² …"""
    value, power = SECRET, 1
    for number in range(1, threshold):
        power = times(power, index)
        value = bytes(a ^ times(b, power) for a, b in zip(value, coefficient(number), strict=True))
    return value


def share(threshold: int, index: int, **changes: object) -> Share:
    fields = {"mark": MARK, "threshold": threshold, "index": index, "value": by_tables(threshold, index)}
    return Share(**(fields | changes))  # type: ignore[arg-type]


def raw(version: int = 1, threshold: int = 2, index: int = 1, value: bytes = SECRET) -> str:
    """Base32 of any body with its right checksum."""
    body = bytes((version, threshold, index)) + MARK + value
    return base64.b32encode(body + sm3(b"tongban/v1/share\n", body)[:4]).decode().rstrip("=")


def vectors() -> dict[str, object]:
    good = {f"{k}-of-{n}": [split.write(share(k, i)) for i in range(1, n + 1)] for k, n in ((2, 3), (3, 5), (5, 5))}
    text = split.write(share(2, 1))
    swapped = text[:20] + text[21] + text[20] + text[22:]
    return {
        "secret": SECRET.hex(), "mark": MARK.hex(), "good": good,
        "share-form": {
            "empty": "", "words": "not a share", "short": text[:-2], "long": text + "-AAAA", "digit-one": text.replace("A", "1"),
            "padding-bits": text[:-1] + ("B" if text[-1] == "A" else chr(ord(text[-1]) + 1)), "version-2": raw(2),
            "threshold-1": raw(threshold=1), "threshold-33": raw(threshold=33), "index-0": raw(index=0),
            "index-33": raw(index=33), "value-15": raw(value=SECRET[:15]), "not-ascii": "密" * 44,
        },
        "share-check": {"one-letter": text[:12] + ("A" if text[12] != "A" else "B") + text[13:], "swapped": swapped},
    }  # fmt: skip


def text() -> str:
    return json.dumps(vectors(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), "utf-8")

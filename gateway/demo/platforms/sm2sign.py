"""SM2 for the simulated window system, on the primitives of PyPI ``gmssl``, with the traps of that package avoided.

The random k comes from ``secrets`` (the package would draw it from ``random``); Z_A is computed here with the signer id
stated; the public key is set after construction, because the package strips leading ``0`` and ``4`` characters from a key
that begins with 04; a zero r or s is drawn again. Its point arithmetic is used through tables: it takes 4 ms a
multiplication else, and a window signs hundreds of times.
"""

from __future__ import annotations

import secrets
from functools import lru_cache
from typing import Any

from gmssl import sm2 as gm
from simkit import sm3  # type: ignore[import-not-found]

SIGNER_ID = b"1234567812345678"
_CURVE = gm.default_ecc_table
_N = int(_CURVE["n"], 16)


def _tool(private: str, public: str) -> Any:
    tool = gm.CryptSM2(private_key=private, public_key="")
    tool.public_key = public
    return tool


class Multiples:
    """Tables of one point: 64 windows of 4 bits, so that a multiplication is 64 of the package's additions."""

    def __init__(self, point: str) -> None:
        self._tool = _tool("", point)
        self._rows: list[list[str]] = []
        for _ in range(64):
            row = ["", point, self._plain(self._tool._double_point(point))]
            while len(row) < 17:
                row.append(self._plain(self._tool._add_point(row[-1], point)))
            self._rows.append(row)
            point = row[16]

    def _plain(self, point: str) -> str:
        return str(self._tool._convert_jacb_to_nor(point))

    def times(self, number: int) -> str:
        """number · point as x||y, for 0 < number < n."""
        total = ""
        for row in self._rows:
            chosen = row[number & 15]
            number >>= 4
            if chosen:
                total = self._tool._add_point(total, chosen) if total else chosen + f"{1:064x}"
        return self._plain(total)


@lru_cache(maxsize=8)
def _multiples(point: str) -> Multiples:
    return Multiples(point)


def public_of(private: str) -> str:
    """x||y as 128 hex digits."""
    point: str = _tool(private, "")._kg(int(private, 16), _CURVE["g"])
    return point


def bare(public: str) -> str:
    """Exactly one 04 prefix taken off a 130-digit key."""
    return public[2:] if len(public) == 130 and public.startswith("04") else public


def keygen() -> dict[str, str]:
    """A fresh pair as hex."""
    private = f"{secrets.randbelow(_N - 2) + 1:064x}"
    return {"private_key": private, "public_key": "04" + public_of(private)}


def _digest(public: str, message: bytes) -> bytes:
    curve = bytes.fromhex(_CURVE["a"] + _CURVE["b"] + _CURVE["g"] + public)
    za = sm3((8 * len(SIGNER_ID)).to_bytes(2, "big") + SIGNER_ID + curve)
    digest: bytes = sm3(za + message)
    return digest


def sign(private: str, public: str, message: bytes) -> str:
    """r||s as 128 hex digits."""
    d, e = int(private, 16), int.from_bytes(_digest(bare(public), message), "big")
    base = _multiples(_CURVE["g"].lower())
    while True:
        k = secrets.randbelow(_N - 1) + 1
        r = (e + int(base.times(k)[:64], 16)) % _N
        s = pow(1 + d, -1, _N) * (k - r * d) % _N
        if r and s and r + k != _N:
            return f"{r:064x}{s:064x}"


def verify(public: str, message: bytes, signature: str) -> bool:
    """Whether r||s (128 hex digits, both in range) holds."""
    if len(signature) != 128 or not all(char in "0123456789abcdefABCDEF" for char in signature):
        return False
    if not all(0 < int(part, 16) < _N for part in (signature[:64], signature[64:])):
        return False
    r, s = int(signature[:64], 16), int(signature[64:], 16)
    total = (r + s) % _N
    if not total:
        return False
    tool = _tool("", bare(public))
    left, right = _multiples(_CURVE["g"].lower()).times(s), _multiples(bare(public).lower()).times(total)
    point = tool._double_point(left) if left == right else tool._add_point(left, right)
    x = int(tool._convert_jacb_to_nor(point)[:64], 16)
    return (int.from_bytes(_digest(bare(public), message), "big") + x) % _N == r

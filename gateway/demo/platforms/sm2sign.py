"""SM2 for the simulated window system, on the primitives of PyPI ``gmssl``, with the traps of that package avoided.

The random k comes from ``secrets`` (the package would draw it from ``random``); Z_A is computed here with the signer id
stated; the public key is set after construction, because the package strips leading ``0`` and ``4`` characters from a key
that begins with 04; a zero r or s is drawn again.
"""

from __future__ import annotations

import secrets
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
    tool = _tool(private, bare(public))
    digest = _digest(bare(public), message)
    while True:
        signature: str | None = tool.sign(digest, f"{secrets.randbelow(_N - 1) + 1:064x}")
        if signature is not None and len(signature) == 128:
            return signature


def verify(public: str, message: bytes, signature: str) -> bool:
    """Whether r||s (128 hex digits, both in range) holds."""
    if len(signature) != 128 or not all(char in "0123456789abcdefABCDEF" for char in signature):
        return False
    if not all(0 < int(part, 16) < _N for part in (signature[:64], signature[64:])):
        return False
    return bool(_tool("", bare(public)).verify(signature, _digest(bare(public), message)))

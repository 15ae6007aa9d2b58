"""Who does the SM2 arithmetic: one port behind a URI, opened once by whoever composes the process.

``libcrypto:`` OpenSSL 3 or newer through the library Python has loaded (``libcrypto:/path/to/libcrypto.so.3`` names
one); ``tables:`` the same, with a table per busy signer; ``pure:`` our own tables, verifies always, signs only as
``pure:?sign=allow`` because Python integers are not constant time; ``gmssl:`` the PyPI package as a guarded second
opinion, verifies only; ``sdf:/library`` keys inside a cryptographic machine (GM/T 0018); ``auto`` is libcrypto (with
tables where gmpy2 makes them pay) when its known-answer test passes, else pure. ``TONGBAN_SM2_PROVIDER`` replaces
``auto``. Providers see digests, never bodies, and answer a bad signature with False. Signing nonces come from the
operating system, drawn per signature, so a fork shares none.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Protocol
from urllib.parse import parse_qsl

from signing.curve import WIDE
from signing.errors import Unavailable
from signing.sm2 import PrivateKey, PublicKey

VARIABLE = "TONGBAN_SM2_PROVIDER"


class Provider(Protocol):
    """Digest-level SM2 and randomness. Safe to call from several threads."""

    @property
    def uri(self) -> str:
        """The URI that opens this provider again."""
        ...

    @property
    def description(self) -> str:
        """Which code answers, for ``doctor``: library, version, path."""
        ...

    def __hash__(self) -> int:
        """By identity: what one provider found out may be remembered under it."""
        ...

    def random(self, count: int) -> bytes:
        """Bytes of the operating system's generator."""
        ...

    def generate(self) -> PrivateKey:
        """A fresh key. Unavailable where signing is not allowed."""
        ...

    def load(self, d: int) -> PrivateKey:
        """The key of a scalar, public key computed; Malformed out of range."""
        ...

    def sign_digest(self, private: PrivateKey, e: bytes) -> tuple[int, int]:
        """(r, s) over the 32-byte digest e. Unavailable where signing is not allowed."""
        ...

    def verify_digest(self, public: PublicKey, e: bytes, r: int, s: int) -> bool:
        """Whether (r, s) is a signature of e; any value of r and s is answered, none raises."""
        ...

    def encrypt(self, public: PublicKey, plaintext: bytes) -> bytes:
        """04||C1||C3||C2. ValueError on an empty plaintext, which SM2 cannot carry."""
        ...

    def decrypt(self, private: PrivateKey, ciphertext: bytes) -> bytes:
        """The plaintext; Malformed("decrypt-failed") whatever is wrong."""
        ...


def _libcrypto(path: str, options: dict[str, str]) -> Provider:
    from signing.providers.libcrypto import open_libcrypto

    _no_options("libcrypto", options)
    return open_libcrypto(path)


def _pure(path: str, options: dict[str, str]) -> Provider:
    from signing.providers.pure import Pure

    sign = options.pop("sign", "")
    _no_options("pure", options)
    if path or sign not in ("", "allow"):
        raise _unknown("pure")
    return Pure(may_sign=sign == "allow")


def _gmssl(path: str, options: dict[str, str]) -> Provider:
    from signing.providers.gmssl import open_gmssl

    _no_options("gmssl", options)
    if path:
        raise _unknown("gmssl")
    return open_gmssl()


def _tables(path: str, options: dict[str, str]) -> Provider:
    from signing.providers.tables import Tables

    _no_options("tables", options)
    return Tables(_libcrypto(path, {}))


def _sdf(path: str, options: dict[str, str]) -> Provider:
    from signing.providers.sdf import open_sdf

    return open_sdf(path, options, _auto())


_SCHEMES: dict[str, Callable[[str, dict[str, str]], Provider]] = {
    "libcrypto": _libcrypto,
    "tables": _tables,
    "pure": _pure,
    "gmssl": _gmssl,
    "sdf": _sdf,
}


def open_provider(uri: str = "auto") -> Provider:
    """The provider of a URI, tested against known answers; Unavailable with what is missing."""
    if uri == "auto":
        uri = os.environ.get(VARIABLE) or "auto"
    if uri == "auto":
        return _auto()
    scheme, colon, rest = uri.partition(":")
    opener = _SCHEMES.get(scheme)
    if not colon or opener is None:
        raise _unknown(uri)
    path, _, query = rest.partition("?")
    return opener(path, dict(parse_qsl(query, keep_blank_values=True)))


def _auto() -> Provider:
    try:
        return _tables("", {}) if WIDE else _libcrypto("", {})
    except Unavailable:
        return _pure("", {})


def _no_options(scheme: str, options: dict[str, str]) -> None:
    if options:
        raise _unknown(scheme)


def _unknown(what: str) -> Unavailable:
    zh = f"未知的 SM2 提供者或参数：{what[:40]}（可用 libcrypto:、tables:、pure:、pure:?sign=allow、gmssl:、sdf:/库）"
    en = f"unknown SM2 provider or option: {what[:40]} (libcrypto:, tables:, pure:, pure:?sign=allow, gmssl:, sdf:/library)"
    return Unavailable("provider-unknown", zh, en)

"""``sdf:``: private keys in a cryptographic machine (密码机) by GM/T 0018; public work is done as with ``auto``.

``sdf:/usr/lib/libsdf.so`` is the machine behind a vendor's library, ``sdf:/usr/lib/libsdf.so?key=1&use=sign`` one of its
keys. The PIN never stands in a URI. Opening the provider touches nothing; opening a key tests the machine against known
answers and the key by a signature. Options, all with what is usual as default: ``timeout_ms``, ``failures``, ``rest_ms``
(see ``sdf_machine``), ``verify=machine`` (ask the machine, not the software, whether a signature holds), ``width=32``
(coordinates of older libraries), ``decrypt=plain`` (SDF_InternalDecrypt_ECC without the algorithm's number), ``hmac`` (the
number of HMAC-SM3 in hex).
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from signing.errors import Malformed, Unavailable
from signing.providers import selftest
from signing.providers.around import Around
from signing.providers.sdf_abi import Library, Shapes
from signing.providers.sdf_machine import PROBE, Limits, Machine
from signing.providers.sdf_session import BLOCK, Pin, Session
from signing.sm2 import PublicKey

if TYPE_CHECKING:
    from signing.providers import Provider

SCHEME: Final = "sdf:"
_NUMBERS: Final = {"timeout_ms": 3000, "failures": 3, "rest_ms": 5000, "width": 64}
_CHOICES: Final = {"verify": ("software", "machine"), "decrypt": ("numbered", "plain")}
AHEAD: Final = 1024  # random bytes that one call brings
_HMAC: Final = 0x00000008  # SGD_SM3_HMAC of GM/T 0006-2023


@dataclass(frozen=True, repr=False)
class SdfKey:
    """A key of the machine by its index; see ``signing.sm2.MachineKey``."""

    provider: Sdf
    index: int
    pin: Pin
    public: PublicKey

    def sign_digest(self, e: bytes) -> tuple[int, int]:
        return self.provider.machine.with_key("sign", self.index, self.pin, lambda session: session.sign(self.index, e))

    def decrypt(self, ciphertext: bytes) -> bytes:
        """The plaintext of 04||C1||C3||C2; the uniform Malformed, or Unavailable while the machine does not answer."""
        numbered = self.provider.numbered
        return self.provider.machine.with_key(
            "decrypt", self.index, self.pin, lambda session: session.decrypt(self.index, ciphertext, numbered)
        )

    def __repr__(self) -> str:
        return f"SdfKey({self.index}, {self.public.thumbprint})"


class Sdf(Around):
    """The provider. What is public (verify, encrypt) and what comes as a scalar from outside (``load``) is the software
    provider's; a key of the machine is used in the machine or not at all."""

    def __init__(self, uri: str, machine: Machine, software: Provider, options: dict[str, str]) -> None:
        super().__init__(software)
        self.uri = uri
        self.description = f"GM/T 0018 {uri}; {software.description}"
        self.machine = machine
        self.numbered = options["decrypt"] == "numbered"
        self._asks_machine = options["verify"] == "machine"
        self._hmac = int(options["hmac"], 16)
        self._tested = False
        self._lock = threading.Lock()
        self._drawn, self._owner = b"", os.getpid()

    def key(self, index: int, pin: Pin, use: str = "sign") -> SdfKey:
        """A key of the machine. Unavailable when machine, index or PIN do not serve; the PIN is presented once."""
        if not self._tested:
            who = self.machine.do("self-test", _known_answers)
            self.description, self._tested = f"GM/T 0018 {who}; {self._inner.description}", True
        public = self.machine.do("public key", lambda session: session.public(index, use))
        key = SdfKey(self, index, pin, public)
        if use == "sign" and not self._inner.verify_digest(public, PROBE, *key.sign_digest(PROBE)):
            raise _selftest_failed()
        return key

    def check(self) -> None:
        """Unavailable unless the machine answers now."""
        self.machine.do("check", lambda session: session.random(BLOCK))

    def random(self, count: int) -> bytes:
        """Bytes of the machine's generator, fetched ahead so that not every nonce waits for a machine."""
        with self._lock:
            if os.getpid() != self._owner:  # a fork must not share them
                self._drawn, self._owner = b"", os.getpid()
            while len(self._drawn) < count:
                self._drawn += self.machine.do("random", lambda session: session.random(AHEAD))
            found, self._drawn = self._drawn[:count], self._drawn[count:]
            return found

    def seal(self, kek: int, data: bytes) -> bytes:
        """SM4-CBC under a fresh key that only the machine's KEK unwraps: size (2) || wrapped key || IV || blocks. Secret,
        not authentic: whoever stores it authenticates it."""
        iv, filled = self.random(BLOCK), data + bytes([BLOCK - len(data) % BLOCK]) * (BLOCK - len(data) % BLOCK)

        def work(session: Session) -> bytes:
            wrapped, key = session.new_key(kek)
            try:
                return len(wrapped).to_bytes(2) + wrapped + iv + session.cipher("Encrypt", key, iv, filled)
            finally:
                session.destroy(key)

        return self.machine.do("seal", work)

    def open(self, kek: int, sealed: bytes) -> bytes:
        """What was sealed; Malformed when the bytes are not of that form."""
        size = int.from_bytes(sealed[:2])
        wrapped, iv, body = sealed[2 : 2 + size], sealed[2 + size :][:BLOCK], sealed[2 + size + BLOCK :]
        if len(iv) != BLOCK or not body or len(body) % BLOCK:
            raise _not_sealed()

        def work(session: Session) -> bytes:
            key = session.import_key(kek, wrapped)
            try:
                return session.cipher("Decrypt", key, iv, body)
            finally:
                session.destroy(key)

        filled = self.machine.do("open", work)
        count = filled[-1] if filled else 0
        if not 1 <= count <= BLOCK or filled[-count:] != bytes([count]) * count:
            raise _not_sealed()
        return filled[:-count]

    def hmac(self, kek: int, wrapped: bytes, data: bytes) -> bytes:
        """HMAC-SM3 under a key that the machine's KEK wraps (the first part of what ``seal`` gives, without its size)."""

        def work(session: Session) -> bytes:
            key = session.import_key(kek, wrapped)
            try:
                return session.hmac(key, data, self._hmac)
            finally:
                session.destroy(key)

        return self.machine.do("hmac", work)

    def verify_digest(self, public: PublicKey, e: bytes, r: int, s: int) -> bool:
        good = self._inner.verify_digest(public, e, r, s)
        return good and (
            not self._asks_machine or self.machine.do("verify", lambda found: found.verify(public, e, r, s))
        )


def open_sdf(path: str, options: dict[str, str], software: Provider) -> Sdf:
    """The provider of a URI's path and options; Unavailable for a library that is none or an option that is unknown."""
    asked = "&".join(f"{name}={value}" for name, value in options.items())
    numbers = {name: _number(options.pop(name, str(usual))) for name, usual in _NUMBERS.items()}
    chosen = {name: options.pop(name, allowed[0]) for name, allowed in _CHOICES.items()}
    chosen["hmac"] = options.pop("hmac", f"{_HMAC:x}")
    wrong = [name for name, allowed in _CHOICES.items() if chosen[name] not in allowed]
    if not path or options or wrong or numbers["width"] not in (32, 64) or not _is_hex(chosen["hmac"]):
        raise _bad_uri()
    limits = Limits(numbers["timeout_ms"] / 1000, numbers["failures"], numbers["rest_ms"] / 1000)
    machine = Machine(Library(path, Shapes(numbers["width"])), limits)
    return Sdf(f"{SCHEME}{path}{'?' if asked else ''}{asked}", machine, software, chosen)


def split_key(uri: str) -> tuple[str, int, str]:
    """The provider's URI, the index and the use of a key's URI."""
    rest, _, query = uri.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    index, use = options.pop("key", ""), options.pop("use", "sign")
    if not uri.startswith(SCHEME) or not index or use not in ("sign", "encrypt"):
        raise _bad_uri()
    asked = "&".join(f"{name}={value}" for name, value in options.items())
    return f"{rest}{'?' if asked else ''}{asked}", _number(index), use


def _known_answers(session: Session) -> str:
    """Who the machine is, once it has told a good signature from a bad one and drawn two different numbers."""
    good = session.verify(selftest.PUBLIC, selftest.E, selftest.R, selftest.S)
    bad = session.verify(selftest.PUBLIC, selftest.E, selftest.R, selftest.S ^ 1)
    if not good or bad or session.random(32) == session.random(32):
        raise _selftest_failed()
    return session.info()


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 7 and int(text) > 0):
        raise _bad_uri()
    return int(text)


def _is_hex(text: str) -> bool:
    return 0 < len(text) <= 8 and all(c in "0123456789abcdefABCDEF" for c in text)


def _bad_uri() -> Unavailable:
    zh = "密码机 URI 有误：应如 sdf:/usr/lib/libsdf.so 或 sdf:/usr/lib/libsdf.so?key=1&use=sign（口令不写在 URI 里）"
    en = "bad URI of a machine: sdf:/usr/lib/libsdf.so or sdf:/usr/lib/libsdf.so?key=1&use=sign (the PIN never in it)"
    return Unavailable("provider-unknown", zh, en)


def _selftest_failed() -> Unavailable:
    return Unavailable("provider-selftest", "密码机未通过已知答案自检", "the machine failed its known-answer test")


def _not_sealed() -> Malformed:
    return Malformed("not-sealed", "不是密码机封装的数据", "these bytes were not sealed by the machine")
